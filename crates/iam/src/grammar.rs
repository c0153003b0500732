//! Checks whether IAM, KMS and S3 accept a policy, and returns every finding with its place in the
//! document.
//! Sections: IAM User Guide, "Grammar of the IAM JSON policy language" and "IAM and AWS STS
//! quotas"; KMS Developer Guide, "Key policies"; S3 User Guide, "Policies and permissions in Amazon
//! S3".
//! Not for: whether names exist (actions, condition keys, principals), or whether the policy has
//! the intended effect (see `evaluate`).

mod condition;
mod duplicates;
mod names;
mod principal;
mod size;

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::{Draft, Effect, Finding, Scope, Source, Statement, Version, draft, json};
use super::pattern::arn_parts;

/// The kind of policy, by what the document is attached to. It decides which documents are
/// accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// An inline policy of a role.
    RolePolicy,
    /// An inline policy of a user.
    UserPolicy,
    /// A managed policy, including one that is used as a permissions boundary.
    ManagedPolicy,
    /// A policy passed to `sts:AssumeRole`.
    SessionPolicy,
    /// A role's trust policy.
    TrustPolicy,
    /// A KMS key's policy.
    KeyPolicy,
    /// A bucket's policy.
    BucketPolicy,
    /// The policy of an SNS topic or an SQS queue.
    ChannelPolicy,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
}

impl DocumentKind {
    /// Returns whether statements of this kind of policy have a `Principal`.
    fn names_principals(self) -> bool {
        matches!(
            self,
            Self::TrustPolicy
                | Self::KeyPolicy
                | Self::BucketPolicy
                | Self::ChannelPolicy
                | Self::Rcp
        )
    }

    /// Returns whether IAM's rules apply, not those of KMS, S3, SNS or SQS.
    fn is_iams(self) -> bool {
        !matches!(self, Self::KeyPolicy | Self::BucketPolicy | Self::ChannelPolicy)
    }

    /// Returns whether IAM attaches this kind of policy to users and roles.
    fn is_identitys(self) -> bool {
        matches!(self, Self::RolePolicy | Self::UserPolicy | Self::ManagedPolicy)
    }
}

/// Checks a document as the service that stores it does, and returns everything that the service
/// refuses.
///
/// Parse errors are first, followed by the rules of this kind of policy, duplicate keys, size and
/// characters.
/// A statement of a key policy can lack `Action` or `Resource`: KMS accepts it, and it has no
/// effect. Duplicate JSON keys and the size as written are checked only in a text; parsed JSON is
/// measured without white space.
pub fn check<'a>(kind: DocumentKind, source: impl Into<Source<'a>>) -> Vec<Finding> {
    let (text, value) = match source.into() {
        Source::Text(text) => match json(text) {
            Ok(value) => (text.to_owned(), value),
            Err(finding) => return vec![finding],
        },
        Source::Json(value) => (value.to_string(), value.clone()),
    };
    let Draft { document, indices, findings } = draft(&value);
    let mut checker = Checker { kind, version: document.version, findings };
    // IAM was recorded to take an Id in policies of users and roles (2026), against its guide.
    let takes_id = kind.names_principals() || kind.is_identitys();
    if kind.is_iams() && !takes_id && document.id.is_some() {
        checker.find("Id".into(), "the element Id belongs into resource-based policies only");
    }
    if kind == DocumentKind::KeyPolicy && value.is_object() && value.get("Version").is_none() {
        checker.find(String::new(), "a key policy needs the element Version");
    }
    let dated = value.get("Version").is_some() && document.version != Some(Version::V2008);
    if kind == DocumentKind::ManagedPolicy && value.is_object() && !dated {
        checker.find(String::new(), "a managed policy needs the version \"2012-10-17\"");
    }
    let mut sids = BTreeSet::new();
    for (index, statement) in indices.iter().zip(&document.statements) {
        let path = format!("Statement[{index}]");
        checker.sid(&path, statement, &mut sids);
        checker.statement(&path, statement, source_of(&value, *index));
    }
    let mut findings = checker.findings;
    findings.extend(duplicates::duplicates(&text));
    findings.extend(size::size(kind, &text));
    findings
}

/// Returns the statement as written, including elements that could not be parsed.
fn source_of(value: &Value, index: usize) -> Option<&Value> {
    match value.get("Statement")? {
        Value::Array(list) => list.get(index),
        single => Some(single),
    }
}

struct Checker {
    kind: DocumentKind,
    version: Option<Version>,
    findings: Vec<Finding>,
}

impl Checker {
    fn find(&mut self, path: String, message: impl Into<String>) {
        self.findings.push(Finding { path, message: message.into() });
    }

    /// Section: "IAM JSON policy elements: Sid". Many tools write empty Sids, which need not be
    /// unique.
    fn sid<'s>(&mut self, path: &str, statement: &'s Statement, seen: &mut BTreeSet<&'s str>) {
        let Some(sid) = statement.sid.as_deref().filter(|sid| !sid.is_empty()) else { return };
        let path = format!("{path}.Sid");
        if !seen.insert(sid) {
            self.find(path.clone(), format!("the Sid \"{sid}\" occurs twice"));
        }
        if self.kind.is_iams() {
            if !sid.chars().all(|c| c.is_ascii_alphanumeric()) {
                self.find(path, "only letters A-Z, a-z and digits are allowed");
            }
        } else if sid.chars().any(char::is_control) {
            self.find(path, "control characters are not allowed");
        }
    }

    fn statement(&mut self, path: &str, statement: &Statement, source: Option<&Value>) {
        let has = |plain, not| {
            source.is_some_and(|value| value.get(plain).is_some() || value.get(not).is_some())
        };
        self.principal_element(path, statement, has("Principal", "NotPrincipal"));
        if let Some(scope) = &statement.action {
            self.actions(path, scope);
        } else if !has("Action", "NotAction") && self.kind != DocumentKind::KeyPolicy {
            self.find(path.to_owned(), "the element Action is missing");
        }
        self.resource_element(path, statement, has("Resource", "NotResource"));
        for condition in &statement.condition {
            let path = format!("{path}.Condition.{}.{}", condition.operator, condition.key);
            let message = condition::check(condition, self.version);
            self.findings.extend(message.map(|message| Finding { path, message }));
        }
    }

    /// Sections: "Principal" and "`NotPrincipal`".
    fn principal_element(&mut self, path: &str, statement: &Statement, written: bool) {
        let wanted = self.kind.names_principals();
        if !wanted && written {
            let scope = statement.principal.as_ref();
            let name = scope.map_or("Principal", |s| s.element("Principal", "NotPrincipal"));
            let message =
                "an identity-based policy names no principal: it is whom it is attached to";
            return self.find(format!("{path}.{name}"), message);
        }
        if wanted && !written {
            return self.find(path.to_owned(), "the element Principal is missing");
        }
        let Some(scope) = &statement.principal else { return };
        let element = format!("{path}.{}", scope.element("Principal", "NotPrincipal"));
        if let (Scope::Except(_), Effect::Allow) = (scope, statement.effect) {
            let message =
                "NotPrincipal with Allow would allow everyone else; use it with Deny only";
            self.find(element.clone(), message);
        }
        self.findings.extend(principal::check(self.kind, &element, scope));
    }

    /// Section: "IAM JSON policy elements: Action".
    fn actions(&mut self, path: &str, scope: &Scope<Vec<String>>) {
        let element = format!("{path}.{}", scope.element("Action", "NotAction"));
        if let (Scope::Except(_), DocumentKind::TrustPolicy | DocumentKind::Rcp) =
            (scope, self.kind)
        {
            self.find(element.clone(), "NotAction is not supported in this kind of policy");
        }
        for (index, action) in scope.listed().iter().enumerate() {
            if let Err(message) = names::action(self.kind, action) {
                self.find(format!("{element}{}", place(scope, index)), message);
            }
        }
    }

    /// Sections: "Resource" and "`NotResource`".
    fn resource_element(&mut self, path: &str, statement: &Statement, written: bool) {
        let trust = self.kind == DocumentKind::TrustPolicy;
        if !written && !trust && self.kind != DocumentKind::KeyPolicy {
            self.find(path.to_owned(), "the element Resource is missing");
        }
        let Some(scope) = &statement.resource else { return };
        let element = format!("{path}.{}", scope.element("Resource", "NotResource"));
        if trust {
            return self.find(element, "a trust policy has no resource: it is about its own role");
        }
        let variables = self.version == Some(Version::V2012);
        for (index, resource) in scope.listed().iter().enumerate() {
            let path = format!("{element}{}", place(scope, index));
            if let Err(message) = names::resource(self.kind, resource) {
                self.find(path, message);
            } else if variables && arn_parts(resource).iter().take(5).any(|p| p.contains("${")) {
                self.find(path, "a policy variable can stand after the fifth colon only");
            }
        }
    }
}

/// Returns the place in a list, such as `[1]`; empty for a single value, which may not be written
/// as a list.
fn place(scope: &Scope<Vec<String>>, index: usize) -> String {
    if scope.listed().len() == 1 { String::new() } else { format!("[{index}]") }
}

#[cfg(test)]
mod tests;
