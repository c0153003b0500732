//! Authorization: evaluates the policies in force for an action of a caller on a resource.
//! Not for: authentication (see `gate::signature`), or S3 Block Public Access (see
//! `gate::bucket_policy`).

use crate::world::Caller;
use crate::world::iam::Iam;
use crrctl_iam::names::AccountId;
use crrctl_iam::{
    Context, Decision, Document, Named, Policies, Request, ResourceKind, ResourcePolicy, evaluate,
};

/// An authorization request.
#[derive(Debug)]
pub(crate) struct AccessRequest<'a> {
    /// The action, such as `s3:GetObject`.
    pub(crate) action: &'a str,
    /// The ARN of the resource.
    pub(crate) arn: String,
    /// The account that owns the resource. S3's ARNs do not contain the account.
    pub(crate) owner: &'a AccountId,
    /// The resource-based policy of the resource. Keys and roles always have one.
    pub(crate) on: Option<(ResourceKind, &'a Document)>,
}

impl<'a> AccessRequest<'a> {
    /// Creates a request for a resource without a resource-based policy.
    pub(crate) fn plain(action: &'a str, arn: impl Into<String>, owner: &'a AccountId) -> Self {
        Self { action, arn: arn.into(), owner, on: None }
    }
}

/// Why an action was denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denied {
    principal: String,
    action: String,
    arn: String,
    because: String,
    explicit: bool,
}

impl Denied {
    /// Returns whether a statement denies the action explicitly. Otherwise, no statement allows it.
    pub(crate) fn is_explicit(&self) -> bool {
        self.explicit
    }

    /// Returns AWS's error message (IAM User Guide, "Troubleshoot access denied error messages").
    pub(crate) fn message(&self) -> String {
        self.worded(&self.arn)
    }

    /// Returns the error message in S3's wording, with the resource in quotes (S3 User Guide,
    /// "Troubleshoot access denied errors").
    pub(crate) fn quoted(&self) -> String {
        self.worded(&format!("\"{}\"", self.arn))
    }

    fn worded(&self, arn: &str) -> String {
        let Self { principal, action, because, .. } = self;
        if principal.is_empty() {
            // An anonymous caller is told no more.
            return "Access Denied".to_owned();
        }
        format!(
            "User: {principal} is not authorized to perform: {action} on resource: {arn} {because}"
        )
    }
}

/// Checks that the policies allow `caller` to perform the requested action. `context` returns the
/// condition keys of the request, in addition to the keys that every request has. It is called only
/// if a policy in force reads them: most requests meet no condition.
///
/// # Errors
/// [`Denied`], with the kind of policy that decided.
pub(crate) fn authorize(
    iam: &Iam,
    caller: &Caller,
    ask: AccessRequest<'_>,
    context: impl FnOnce() -> Context,
) -> Result<(), Denied> {
    let held = iam.policies_of(&caller.principal);
    let named = |document| Named { name: "", document };
    let organization = &iam.organization;
    // Services that support RCPs (AWS Organizations User Guide, "Resource control policies").
    let has_rcps = ["s3:", "kms:", "sts:"].iter().any(|it| ask.action.starts_with(it));
    let policies = Policies {
        identity: held.identity.into_iter().map(named).collect(),
        resource: ask.on.map(|(kind, document)| ResourcePolicy { kind, policy: named(document) }),
        boundary: held.boundary.map(named),
        session: caller.session.iter().map(|document| named(document)).collect(),
        scps: organization.scps.iter().map(named).collect(),
        rcps: organization.rcps.iter().filter(|_| has_rcps).map(named).collect(),
    };
    let context = if reads_context(&policies) {
        context_of(caller).overlaid(tags_of(iam, caller)).overlaid(context())
    } else {
        Context::new()
    };
    let principal = caller.principal.clone();
    let request = Request::new(principal, ask.action, ask.arn, ask.owner.clone(), context);
    let (because, explicit) = match evaluate(&request, &policies) {
        Decision::Allow { .. } => return Ok(()),
        Decision::ImplicitDeny { why } => {
            (format!("because no {} allows the {} action", why.layer, ask.action), false)
        }
        Decision::ExplicitDeny { by } => {
            let article = by.layer.article();
            (format!("with an explicit deny in {article} {}", by.layer), true)
        }
    };
    let arn = request.resources.into_iter().next().unwrap_or_default();
    let (principal, action) = (caller.arn(), ask.action.to_owned());
    tracing::info!(principal, action, arn, because, "denied");
    Err(Denied { principal, action, arn, because, explicit })
}

fn reads_context(policies: &Policies<'_>) -> bool {
    let Policies { identity, resource, boundary, session, scps, rcps } = policies;
    let resource = resource.iter().map(|attached| &attached.policy);
    let others = [identity, session, scps, rcps].into_iter().flatten();
    others.chain(boundary).chain(resource).any(|named| named.document.reads_context())
}

/// Returns the condition keys that every request has (IAM User Guide, "AWS global condition context
/// keys").
pub(crate) fn context_of(caller: &Caller) -> Context {
    let now = jiff::Timestamp::now();
    credentials_of(caller)
        .with("aws:RequestedRegion", caller.region.as_str())
        .with("aws:SecureTransport", caller.secure.to_string())
        .with("aws:SourceIp", "127.0.0.1")
        .with("aws:CurrentTime", now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .with("aws:EpochTime", now.as_second().to_string())
}

/// Returns the condition keys for the tags of the caller: those of the user or role, and the
/// session tags, which replace them (IAM User Guide, "Pass session tags in AWS STS").
fn tags_of(iam: &Iam, caller: &Caller) -> Context {
    let mut context = Context::new();
    let session = caller.temporary.iter().flat_map(|temporary| &temporary.tags);
    for (key, value) in iam.tags_of(&caller.principal).iter().chain(session) {
        context.set(&format!("aws:PrincipalTag/{key}"), value);
    }
    context
}

/// Returns the condition keys that only temporary credentials have (IAM User Guide, "AWS global
/// condition context keys").
fn credentials_of(caller: &Caller) -> Context {
    let mut context = Context::new();
    if let Some(temporary) = &caller.temporary {
        context.set("aws:MultiFactorAuthPresent", "false");
        let issued = jiff::Timestamp::try_from(temporary.issued).unwrap_or_default();
        context.set("aws:TokenIssueTime", issued.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        if let Some(identity) = &temporary.source_identity {
            context.set("aws:SourceIdentity", identity);
        }
    }
    context
}

#[cfg(test)]
mod tests {
    use super::*;
    use crrctl_iam::names::Region;

    #[test]
    fn root_rules_its_own_account_only() {
        let account = |a: &str| AccountId::new(a).unwrap();
        let region = Region::new("us-east-1").unwrap();
        let caller = Caller::root(account("111122223333"), region);
        let request = |owner: &AccountId| {
            let request = AccessRequest::plain("s3:GetObject", "arn:aws:s3:::b/k", owner);
            authorize(&Iam::default(), &caller, request, Context::new)
        };
        assert!(request(&account("111122223333")).is_ok());
        let denied = request(&account("444455556666")).unwrap_err();
        let expected = "User: arn:aws:iam::111122223333:root is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k \
             because no resource-based policy allows the s3:GetObject action";
        assert_eq!(denied.message(), expected);
        assert!(denied.quoted().contains("\"arn:aws:s3:::b/k\""));
    }
}
