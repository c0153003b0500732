//! A call, its expected outcome, and the element of a document that must cause the outcome.
//! Not for: evaluating the call (see `judge`).

use super::Document;
use crate::names::AccountId;
use crrctl_iam::{Context, Principal, Request, ResourceKind};

/// The caller's own policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OwnPolicies {
    /// None: the policy on the resource must name the caller.
    Nothing,
    /// Policies that allow everything: the policy on the resource, or the other account's policies,
    /// must deny the call.
    Everything,
    /// One of the pair's documents.
    Document(Document),
}

/// The policy on the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ResourcePolicyOf {
    /// None: the resource has no policy, or this kind of resource can't have one.
    Nothing,
    /// A key policy that delegates everything to IAM, as the default key policy does.
    LeftToIam,
    /// A policy of another owner, which allows everyone.
    Everything(ResourceKind),
    /// One of the pair's documents.
    Document(ResourceKind, Document),
}

/// An element of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    Principal,
    Action,
    Resource,
    /// The condition operator, the condition key and, if it matters, the value.
    Condition(&'static str, &'static str, Option<&'static str>),
}

/// The expected outcome of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// Allowed. These elements keep a `Deny` from applying.
    Allow(Vec<Element>),
    /// Denied. This element keeps every `Allow` from applying.
    Deny(Element),
    /// Denied by a `Deny` in this document that tests this element, whatever other policies allow.
    DenyBy(Document, Element),
}

/// A condition key that a policy must test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) operator: &'static str,
    pub(super) key: &'static str,
    /// Values with which the call must be denied.
    pub(super) others: Vec<String>,
}

/// The caller and its policies.
#[derive(Debug, Clone)]
pub(super) struct PolicyCaller {
    pub(super) section: &'static str,
    pub(super) caller: Principal,
    pub(super) own: OwnPolicies,
}

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) who: PolicyCaller,
    pub(super) action: String,
    pub(super) resource: String,
    pub(super) owner: AccountId,
    pub(super) at: ResourcePolicyOf,
    pub(super) context: Vec<(&'static str, String)>,
    pub(super) demands: Vec<Demand>,
    pub(super) expected: Expected,
    /// Similar resources on which the call must be denied, each with the policy on it.
    pub(super) foreign_resources: Vec<(String, ResourcePolicyOf)>,
    /// Similar actions that must be denied.
    pub(super) forbidden_actions: Vec<&'static str>,
}

impl Call {
    /// Returns a call that must be allowed.
    pub(super) fn new(
        who: &PolicyCaller,
        action: &str,
        resource: impl std::fmt::Display,
        owner: &AccountId,
    ) -> Self {
        Self {
            who: who.clone(),
            action: action.to_owned(),
            resource: resource.to_string(),
            owner: owner.clone(),
            at: ResourcePolicyOf::Nothing,
            context: Vec::new(),
            demands: Vec::new(),
            expected: Expected::Allow(Vec::new()),
            foreign_resources: Vec::new(),
            forbidden_actions: Vec::new(),
        }
    }

    pub(super) fn at(mut self, at: ResourcePolicyOf) -> Self {
        self.at = at;
        self
    }

    /// Adds a condition key that the request carries and that policies need not test.
    pub(super) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.context.push((key, value.into()));
        self
    }

    /// Gives a condition key another value.
    pub(super) fn instead(mut self, key: &'static str, value: &str) -> Self {
        self.context.retain(|(known, _)| *known != key);
        self.with(key, value)
    }

    /// Returns whether the call must be allowed.
    pub(super) fn must_be_allowed(&self) -> bool {
        matches!(self.expected, Expected::Allow(_))
    }

    /// Adds a condition key that the policy must test.
    pub(super) fn demanding(
        self,
        operator: &'static str,
        key: &'static str,
        value: impl AsRef<str>,
    ) -> Self {
        let value = value.as_ref();
        let other = match value {
            "true" => "false".to_owned(),
            number if number.bytes().all(|byte| byte.is_ascii_digit()) => format!("{number}1"),
            text => format!("{text}-other"),
        };
        self.demanding_not(operator, key, value, vec![other])
    }

    /// Adds a condition key that the policy must test, with the values with which the call must be
    /// denied.
    pub(super) fn demanding_not(
        mut self,
        operator: &'static str,
        key: &'static str,
        value: &str,
        others: Vec<String>,
    ) -> Self {
        self.demands.push(Demand { operator, key, others });
        self.with(key, value)
    }

    pub(super) fn foreign_resources(
        mut self,
        foreign_resources: impl IntoIterator<Item = (String, ResourcePolicyOf)>,
    ) -> Self {
        self.foreign_resources.extend(foreign_resources);
        self
    }

    pub(super) fn forbidden_actions(mut self, forbidden_actions: &[&'static str]) -> Self {
        self.forbidden_actions = forbidden_actions.to_vec();
        self
    }

    pub(super) fn expecting(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// Returns a text that identifies the call.
    pub(super) fn identity(&self) -> String {
        let Self { who, action, resource, owner, context, .. } = self;
        let call =
            format!("{} {:?} {action} {resource} {owner} {context:?}", who.section, who.caller);
        // Across accounts the same call is evaluated against each account's policies separately.
        if self.is_across() { format!("{call} {:?} {:?}", who.own, self.at) } else { call }
    }

    /// Returns whether the caller and the resource are in different accounts.
    pub(super) fn is_across(&self) -> bool {
        self.who.caller.account().is_some_and(|account| account != self.owner.as_str())
    }

    /// Returns whether `document` takes part in deciding the call.
    #[cfg(test)]
    pub(super) fn is_under(&self, document: &Document) -> bool {
        let at = matches!(&self.at, ResourcePolicyOf::Document(_, at) if at == document);
        at || self.who.own == OwnPolicies::Document(document.clone())
    }

    pub(super) fn request(&self) -> Request {
        let context = self
            .context
            .iter()
            .fold(Context::new(), |context, (key, value)| context.with(key, value.as_str()));
        let (caller, owner) = (self.who.caller.clone(), self.owner.clone());
        Request::new(caller, self.action.as_str(), self.resource.as_str(), owner, context)
    }
}
