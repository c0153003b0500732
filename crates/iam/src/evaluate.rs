//! Decides whether a request is allowed, and which statement decided.
//! Section: IAM User Guide, "Policy evaluation logic" with its pages on single-account and
//! cross-account requests.
//! Not for: STS's rule that root users assume no roles, S3 ACLs and Block Public Access, KMS
//! grants. No policy document contains them.

mod decide;
mod statement;
mod trace;

use super::document::{Document, Effect};
use super::{Context, Principal};
use crate::names::AccountId;

pub use trace::{Trace, trace};

/// The kinds of policy that take part in a decision. Section: "Policies and permissions in IAM",
/// "Policy types".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Identity-based policies of the user or role.
    Identity,
    /// The policy on the resource: bucket policy, key policy or trust policy.
    Resource,
    /// The permissions boundary of the user or role.
    Boundary,
    /// Policies passed when the session started.
    Session,
    /// Service control policies of the caller's organization.
    Scp,
    /// Resource control policies of the resource's organization.
    Rcp,
}

impl Layer {
    /// Returns the indefinite article of the name.
    pub fn article(self) -> &'static str {
        if self == Self::Identity { "an" } else { "a" }
    }
}

impl std::fmt::Display for Layer {
    /// Writes the words of AWS's access denied messages.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Identity => "identity-based policy",
            Self::Resource => "resource-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Scp => "service control policy",
            Self::Rcp => "resource control policy",
        })
    }
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The caller.
    pub principal: Principal,
    /// The action, such as `s3:GetObject`.
    pub action: String,
    /// The ARNs of the resources, each of which must be allowed. An empty list stands for `*`.
    pub resources: Vec<String>,
    /// The account that owns the resources.
    pub resource_account: AccountId,
    /// All condition keys of the request.
    pub context: Context,
}

impl Request {
    /// Returns a request for one resource. The condition keys that follow from the caller and the
    /// resource are added; the keys in `context` replace them.
    pub fn new(
        principal: Principal,
        action: impl Into<String>,
        resource: impl Into<String>,
        resource_account: AccountId,
        context: Context,
    ) -> Self {
        let action = action.into();
        let context = Context::of_caller(&principal)
            .overlaid(Context::of_resource(&principal, &action, &resource_account))
            .overlaid(context);
        Self { principal, action, resources: vec![resource.into()], resource_account, context }
    }
}

/// A document with the name that decisions report.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The name, such as `role policy`.
    pub name: &'a str,
    /// The document.
    pub document: &'a Document,
}

/// The kind of resource that a resource-based policy is attached to. It decides whether
/// identity-based policies of the resource's account are sufficient without the resource-based
/// policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// A bucket: within an account either policy is sufficient.
    Bucket,
    /// An SNS topic or an SQS queue: the rule for buckets applies, and `{"AWS": "*"}` names services
    /// too (SNS Developer Guide, "Example cases for Amazon SNS access control": the policy of a new
    /// topic, and "Allow CloudWatch alarms to publish to a topic in a different account").
    Channel,
    /// A KMS key: the key policy must name the account or the principal.
    Key,
    /// A role's trust policy, for `sts:AssumeRole`: the rule for keys applies, and its statements
    /// have no `Resource`.
    Trust,
}

/// The policy on the resource.
#[derive(Debug, Clone, Copy)]
pub struct ResourcePolicy<'a> {
    /// The kind of resource that the policy is attached to.
    pub kind: ResourceKind,
    /// The document.
    pub policy: Named<'a>,
}

/// All policies that take part in a decision. An absent policy limits nothing.
#[derive(Debug, Clone, Default)]
pub struct Policies<'a> {
    /// The identity-based policies of the user (including its groups') or role.
    pub identity: Vec<Named<'a>>,
    /// The policy on the resource. A key and a role always have one. Without it, the decision
    /// states what the other policies allow alone, as the policy simulator does, and does not prove
    /// that the request succeeds.
    pub resource: Option<ResourcePolicy<'a>>,
    /// The permissions boundary.
    pub boundary: Option<Named<'a>>,
    /// The session policies passed to `sts:AssumeRole`.
    pub session: Vec<Named<'a>>,
    /// Service control policies of the caller's account. If any are given, one of them must allow
    /// the request.
    pub scps: Vec<Named<'a>>,
    /// Resource control policies of the resource's account. They can only deny: `RCPFullAWSAccess`
    /// is always attached.
    pub rcps: Vec<Named<'a>>,
}

/// A statement that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decider {
    /// The kind of policy.
    pub layer: Layer,
    /// The policy's index among those of this kind, from 0.
    pub policy: usize,
    /// The document's name (see [`Named`]).
    pub document: String,
    /// The statement's index in the document, from 0.
    pub statement: usize,
    /// Its `Sid`, if it has one.
    pub sid: Option<String>,
}

impl std::fmt::Display for Decider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, Statement[{}]", self.document, self.statement)?;
        match self.sid.as_deref() {
            None | Some("") => Ok(()),
            Some(sid) => write!(f, " ({sid})"),
        }
    }
}

/// Why no policy allowed a request: the kind of policy that lacks an `Allow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The kind of policy.
    pub layer: Layer,
    /// The names of the documents of this kind that were evaluated.
    pub documents: Vec<String>,
    /// The rule that requires this kind of policy to allow the request.
    pub rule: &'static str,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no {} allows it: {}", self.layer, self.rule)
    }
}

/// The outcome of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Allowed.
    Allow {
        /// The statements that were needed: an identity-based one, a resource-based one, or both.
        /// Empty if the root user needs none.
        by: Vec<Decider>,
    },
    /// No statement allows the request.
    ImplicitDeny {
        /// The missing `Allow`.
        why: Why,
    },
    /// A `Deny` applies.
    ExplicitDeny {
        /// The `Deny` statement.
        by: Decider,
    },
}

impl Decision {
    /// Returns whether the request is allowed.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }
}

/// Decides a request. Section: "How AWS enforcement code logic evaluates requests to allow or deny
/// access".
///
/// Each resource is decided separately. An explicit deny for one resource overrides an implicit
/// deny for another, and either overrides an allow.
pub fn evaluate(request: &Request, policies: &Policies<'_>) -> Decision {
    let mut decision: Option<Decision> = None;
    for resource in resources(request) {
        let next = decide::decide(request, resource, policies);
        match (&next, &decision) {
            (Decision::ExplicitDeny { .. }, _) => return next,
            (Decision::ImplicitDeny { .. }, None | Some(Decision::Allow { .. })) | (_, None) => {
                decision = Some(next);
            }
            _ => {}
        }
    }
    decision.unwrap_or_else(|| decide::decide(request, "*", policies))
}

fn resources(request: &Request) -> impl Iterator<Item = &str> {
    let everything = request.resources.is_empty().then_some("*");
    request.resources.iter().map(String::as_str).chain(everything)
}

/// Returns every document that takes part for this caller, with its kind of policy.
///
/// Services and anonymous callers have no policies of their own. The root user has neither
/// identity-based policies nor a permissions boundary. SCPs limit principals of member accounts,
/// including root users, but neither services nor service-linked roles. RCPs exempt only
/// service-linked roles (AWS Organizations User Guide).
fn documents<'p>(
    principal: &Principal,
    policies: &'p Policies<'p>,
) -> impl Iterator<Item = (Place, Named<'p>)> {
    let entity = matches!(principal, Principal::User { .. } | Principal::RoleSession { .. });
    let session = matches!(principal, Principal::RoleSession { .. });
    let organization = !principal.is_service_linked();
    let scps = organization && principal.account().is_some();
    let when = |takes_part: bool, layer: Layer, named: &'p [Named<'p>]| {
        let named = if takes_part { named } else { &[] };
        named.iter().enumerate().map(move |(policy, named)| (Place { layer, policy }, *named))
    };
    let resource = policies.resource.map(|resource| resource.policy);
    when(entity, Layer::Identity, &policies.identity)
        .chain(resource.map(|policy| (Place { layer: Layer::Resource, policy: 0 }, policy)))
        .chain(when(entity, Layer::Boundary, policies.boundary.as_slice()))
        .chain(when(session, Layer::Session, &policies.session))
        .chain(when(scps, Layer::Scp, &policies.scps))
        .chain(when(organization, Layer::Rcp, &policies.rcps))
}

/// The kind of a policy, and its index among those of this kind.
#[derive(Clone, Copy)]
struct Place {
    layer: Layer,
    policy: usize,
}

fn decider(Place { layer, policy }: Place, named: Named<'_>, index: usize) -> Decider {
    let sid = named.document.statements.get(index).and_then(|statement| statement.sid.clone());
    Decider { layer, policy, document: named.name.to_owned(), statement: index, sid }
}

/// Returns whether a statement of `layer` with this effect can decide a request. An RCP's `Allow`
/// can't.
fn counts(layer: Layer, effect: Effect) -> bool {
    layer != Layer::Rcp || effect == Effect::Deny
}

#[cfg(test)]
mod tests;
