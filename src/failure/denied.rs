//! Missing permissions: who may not do what, why, and what it takes.
//! Not for: the statements that allow it (see `cli::advice`).

use std::collections::BTreeSet;

/// A missing permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Denied action, such as `kms:CreateKey`.
    pub action: String,
    /// Resource of the call, as AWS names it in the error message.
    pub resource: Option<String>,
    /// ARN of the caller.
    pub principal: Option<String>,
    /// Why, as far as AWS says it.
    pub reason: DeniedBecause,
    /// Whether IAM's simulator says so, and the call was not made.
    pub is_simulated: bool,
}

/// Why AWS denied a call (IAM User Guide, "Troubleshoot access denied error messages").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedBecause {
    /// A policy of this kind denies it. An Allow does not help.
    Denies(PolicyKind),
    /// No policy of this kind allows it.
    NoneAllows(PolicyKind),
    /// AWS does not say.
    Unstated,
}

/// A kind of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the kind of that name")]
pub enum PolicyKind {
    Identity,
    Resource,
    ServiceControl,
    ResourceControl,
    PermissionsBoundary,
    Session,
    VpcEndpoint,
}

impl PolicyKind {
    const TABLE: [(Self, &'static str); 7] = [
        (Self::Identity, "identity-based policy"),
        (Self::Resource, "resource-based policy"),
        (Self::ServiceControl, "service control policy"),
        (Self::ResourceControl, "resource control policy"),
        (Self::PermissionsBoundary, "permissions boundary"),
        (Self::Session, "session policy"),
        (Self::VpcEndpoint, "VPC endpoint policy"),
    ];

    /// Returns the kind as AWS's messages name it.
    pub fn as_str(self) -> &'static str {
        Self::TABLE.iter().find(|row| row.0 == self).map_or("policy", |row| row.1)
    }
}

impl DeniedBecause {
    /// Reads the reason in AWS's message: "with an explicit deny in a KIND", or "because no KIND
    /// allows the ACTION action".
    pub fn of(message: &str) -> Self {
        for (kind, name) in PolicyKind::TABLE {
            if ["a", "an"].iter().any(|a| message.contains(&format!("explicit deny in {a} {name}")))
            {
                return Self::Denies(kind);
            }
            if message.contains(&format!("because no {name} allows")) {
                return Self::NoneAllows(kind);
            }
        }
        Self::Unstated
    }

    /// Returns whether an Allow in a policy of the caller may help.
    pub fn wants_allow(self) -> bool {
        matches!(self, Self::Unstated | Self::NoneAllows(PolicyKind::Identity))
    }
}

/// Returns what it takes, a sentence for each principal, reason and list of resources.
pub(super) fn needs(all: &[Denied]) -> Vec<String> {
    // The resources of each action come first: actions on the same ones share a sentence.
    let mut wanted: Vec<(&Denied, BTreeSet<&str>)> = Vec::new();
    for denied in all {
        let resource = denied.resource.as_deref();
        let is_same = |it: &Denied| it.action == denied.action && is_alike(it, denied);
        match wanted.iter_mut().find(|it| is_same(it.0)) {
            Some(found) => found.1.extend(resource),
            None => wanted.push((denied, resource.into_iter().collect())),
        }
    }
    let mut groups: Vec<(Vec<&Denied>, BTreeSet<&str>)> = Vec::new();
    for (denied, resources) in wanted {
        match groups.iter_mut().find(|it| it.1 == resources && is_alike(it.0[0], denied)) {
            Some(group) => group.0.push(denied),
            None => groups.push((vec![denied], resources)),
        }
    }
    groups.iter().map(|(group, resources)| needed(group, resources)).collect()
}

/// Returns whether two permissions are missing to one principal for one reason.
fn is_alike(one: &Denied, other: &Denied) -> bool {
    one.principal == other.principal
        && one.reason == other.reason
        && one.is_simulated == other.is_simulated
}

/// Returns the sentence of a group, whose actions are wanted on all of `resources`.
fn needed(group: &[&Denied], resources: &BTreeSet<&str>) -> String {
    let who = group[0].principal.as_deref().unwrap_or("the caller");
    let actions: Vec<&str> = group.iter().map(|denied| denied.action.as_str()).collect();
    let resources: Vec<&str> = resources.iter().copied().collect();
    let says = if group[0].is_simulated { ", as IAM's simulator says" } else { "" };
    let actions = format!("`{}`", actions.join("`, `"));
    let on = match &resources[..] {
        [] => String::new(),
        all if all.len() <= 4 => format!(" on {}", all.join(", ")),
        all => format!(" on {}, {} and {} others", all[0], all[1], all.len() - 2),
    };
    match group[0].reason {
        DeniedBecause::Unstated => {
            format!("{who} needs {actions}{on}{says}; a service control policy may deny it too")
        }
        DeniedBecause::NoneAllows(PolicyKind::Identity) => {
            format!("{who} needs {actions}{on}{says}")
        }
        DeniedBecause::NoneAllows(kind) => {
            format!(
                "{who} needs {actions}{on}{says}, and no {} allows it: {}",
                kind.as_str(),
                holder(kind, who)
            )
        }
        DeniedBecause::Denies(kind) => format!(
            "an explicit deny denies {actions}{on} to {who}{says}: an Allow does not help; {}",
            holder(kind, who)
        ),
    }
}

/// Returns who has the policies of a kind.
fn holder(kind: PolicyKind, who: &str) -> String {
    match kind {
        PolicyKind::Identity => format!("the deny is in a policy of {who}, or of a group of it"),
        PolicyKind::Resource => "look at the policy of the resource, a bucket or a key".to_owned(),
        PolicyKind::ServiceControl | PolicyKind::ResourceControl => {
            format!(
                "the organization's administrators have its {} policies",
                match kind {
                    PolicyKind::ServiceControl => "service control",
                    _ => "resource control",
                }
            )
        }
        PolicyKind::PermissionsBoundary => format!("look at the permissions boundary of {who}"),
        PolicyKind::Session => {
            "look at the session policy that the credentials were issued with".to_owned()
        }
        PolicyKind::VpcEndpoint => {
            "look at the policy of the VPC endpoint that the request went through".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_of_one_reason_on_the_same_resources_are_one_sentence() {
        let denied = |action: &str, resource: &str, reason| Denied {
            action: action.to_owned(),
            resource: Some(resource.to_owned()),
            principal: Some("ann".to_owned()),
            reason,
            is_simulated: false,
        };
        let lacks = DeniedBecause::NoneAllows(PolicyKind::Identity);
        let scp = DeniedBecause::Denies(PolicyKind::ServiceControl);
        let all = [
            denied("s3:GetBucketPolicy", "a", lacks),
            denied("kms:CreateKey", "*", scp),
            denied("s3:GetBucketPolicy", "b", lacks),
            denied("s3:GetBucketTagging", "a", lacks),
            denied("s3:GetBucketAcl", "b", lacks),
            denied("s3:GetBucketAcl", "a", lacks),
        ];
        let told = needs(&all);
        assert_eq!(told[0], "ann needs `s3:GetBucketPolicy`, `s3:GetBucketAcl` on a, b");
        let by_deny =
            "an explicit deny denies `kms:CreateKey` on * to ann: an Allow does not help; ";
        assert!(told[1].starts_with(by_deny), "{told:?}");
        assert_eq!(told[2], "ann needs `s3:GetBucketTagging` on a");
        assert_eq!(told.len(), 3);
        let many: Vec<Denied> =
            ["a", "b", "c", "d", "e", "f"].map(|it| denied("x:Y", it, lacks)).to_vec();
        assert_eq!(needs(&many), ["ann needs `x:Y` on a, b and 4 others"]);
    }
}
