//! Decides whether one statement applies to a request, element by element.
//! Not for: the decision that follows (see `decide`).

use super::{Layer, Request, ResourceKind};
use crate::condition;
use crate::document::{Condition, Effect, Principals, Scope, Statement, Version};
use crate::pattern::{Pattern, Rules, resource_like};
use crate::principal::{Link, Principal};

/// A request for one resource, with the properties of the document whose statements are tested.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) request: &'a Request,
    pub(super) resource: &'a str,
    pub(super) layer: Layer,
    pub(super) kind: Option<ResourceKind>,
    pub(super) version: Option<Version>,
    pub(super) has_boundary: bool,
}

/// An element that keeps a statement from applying.
#[derive(Debug, Clone, Copy)]
pub(super) enum Miss<'s> {
    Principal,
    Action,
    Resource,
    Condition(&'s Condition),
}

impl View<'_> {
    /// Returns how closely `statement` names the caller; `None` if the statement does not apply.
    pub(super) fn applies(&self, statement: &Statement) -> Option<Link> {
        let link = self.link(statement)?;
        self.rest(statement).next().is_none().then_some(link)
    }

    /// Returns every element that keeps `statement` from applying.
    pub(super) fn misses<'s>(&self, statement: &'s Statement) -> impl Iterator<Item = Miss<'s>> {
        let principal = self.link(statement).is_none().then_some(Miss::Principal);
        principal.into_iter().chain(self.rest(statement))
    }

    fn rest<'s>(&self, statement: &'s Statement) -> impl Iterator<Item = Miss<'s>> {
        let action = || (!self.action(statement)).then_some(Miss::Action);
        let resource = || (!self.resource(statement)).then_some(Miss::Resource);
        let conditions = statement.condition.iter().filter(|condition| {
            !condition::holds(condition, &self.request.context, self.variables())
        });
        action().into_iter().chain(resource()).chain(conditions.map(Miss::Condition))
    }

    fn variables(&self) -> bool {
        self.version == Some(Version::V2012)
    }

    /// Identity-based policies and SCPs apply to the identity that they are attached to and have no
    /// `Principal`. IAM rejects such a document with a `Principal`, so its statement does not
    /// apply.
    fn link(&self, statement: &Statement) -> Option<Link> {
        let in_resource = matches!(self.layer, Layer::Resource | Layer::Rcp);
        match (&statement.principal, in_resource) {
            (None, false) => Some(Link::Direct),
            (None, true) | (Some(_), false) => None,
            (Some(Scope::Only(principals)), true) => self.named_by(principals),
            (Some(Scope::Except(principals)), true) => self.unless_listed(statement, principals),
        }
    }

    fn named_by(&self, principals: &Principals) -> Option<Link> {
        let caller = &self.request.principal;
        let is_service_on_channel = self.kind == Some(ResourceKind::Channel)
            && matches!(caller, Principal::Service(_))
            && principals.name_everyone();
        caller.named_by(principals).or(is_service_on_channel.then_some(Link::Direct))
    }

    fn unless_listed(&self, statement: &Statement, principals: &Principals) -> Option<Link> {
        let caller = &self.request.principal;
        let spared = match statement.effect {
            Effect::Deny => caller.spared_by(principals, self.has_boundary),
            Effect::Allow => self.named_by(principals).is_some(),
        };
        (!spared).then_some(Link::Direct)
    }

    /// Section: "IAM JSON policy elements: Action": service and name are case-insensitive.
    /// A statement without `Action` has no effect (KMS Developer Guide, "Key policies").
    fn action(&self, statement: &Statement) -> bool {
        let Some(scope) = &statement.action else { return false };
        let rules = Rules { wildcards: true, variables: None };
        let listed = scope.listed().iter().any(|text| {
            Pattern::new(text, rules)
                .is_some_and(|pattern| pattern.matches_ignoring_case(&self.request.action))
        });
        listed == matches!(scope, Scope::Only(_))
    }

    /// Sections: "Resource" and "`NotResource`". A trust policy applies to its own role and has no
    /// `Resource`.
    fn resource(&self, statement: &Statement) -> bool {
        let trust = self.layer == Layer::Resource && self.kind == Some(ResourceKind::Trust);
        let Some(scope) = &statement.resource else { return trust };
        let variables = self.variables().then_some(&self.request.context);
        let rules = Rules { wildcards: true, variables };
        let complete = !matches!(self.layer, Layer::Resource | Layer::Session);
        let mut results =
            scope.listed().iter().map(|text| resource_like(text, self.resource, complete, rules));
        match scope {
            Scope::Only(_) => results.any(|result| result == Some(true)),
            // A variable without a value makes the statement invalid; the statement must not apply
            // to every resource.
            Scope::Except(_) => results.all(|result| result == Some(false)),
        }
    }
}
