//! Decides a request for one resource from the statements that apply.
//! Section: "Policy evaluation logic".
//! Not for: whether a statement applies (see `statement`).

use super::statement::View;
use super::{
    Decider, Decision, Layer, Policies, Request, ResourceKind, Why, counts, decider, documents,
};
use crate::Principal;
use crate::document::Effect;
use crate::principal::Link;

/// The statements of each kind of policy that apply to the request.
#[derive(Default)]
struct Found {
    deny: Option<Decider>,
    identity: Option<Decider>,
    boundary: Option<Decider>,
    session: Option<Decider>,
    scp: Option<Decider>,
    /// The statement that names the caller most closely.
    resource: Option<(Link, Decider)>,
}

/// Decides a request for one resource.
pub(super) fn decide(request: &Request, resource: &str, policies: &Policies<'_>) -> Decision {
    let found = find(request, resource, policies);
    if let Some(by) = found.deny {
        return Decision::ExplicitDeny { by };
    }
    let judge = Judge { policies, found };
    let by = match request.principal.account() {
        None => judge.without_account(),
        Some(own) if own == request.resource_account.as_str() => {
            judge.same_account(&request.principal)
        }
        Some(_) => judge.cross_account(&request.principal),
    };
    match by {
        Ok(by) => Decision::Allow { by },
        Err(why) => Decision::ImplicitDeny { why },
    }
}

fn find(request: &Request, resource: &str, policies: &Policies<'_>) -> Found {
    let mut found = Found::default();
    let kind = policies.resource.map(|resource| resource.kind);
    let has_boundary = policies.boundary.is_some();
    for (place, named) in documents(&request.principal, policies) {
        let layer = place.layer;
        let version = named.document.version;
        let view = View { request, resource, layer, kind, version, has_boundary };
        for (index, statement) in named.document.statements.iter().enumerate() {
            if !counts(layer, statement.effect) {
                continue;
            }
            let Some(link) = view.applies(statement) else { continue };
            let by = || decider(place, named, index);
            let slot = match (statement.effect, layer) {
                (Effect::Deny, _) => &mut found.deny,
                (Effect::Allow, Layer::Identity) => &mut found.identity,
                (Effect::Allow, Layer::Boundary) => &mut found.boundary,
                (Effect::Allow, Layer::Session) => &mut found.session,
                (Effect::Allow, Layer::Scp | Layer::Rcp) => &mut found.scp,
                (Effect::Allow, Layer::Resource) => {
                    if found.resource.as_ref().is_none_or(|(closest, _)| *closest < link) {
                        found.resource = Some((link, by()));
                    }
                    continue;
                }
            };
            slot.get_or_insert_with(by);
        }
    }
    found
}

/// The steps after no `Deny` applies. Each step returns the statements that were needed, or the
/// missing `Allow`.
struct Judge<'p> {
    policies: &'p Policies<'p>,
    found: Found,
}

type Verdict = Result<Vec<Decider>, Why>;

impl Judge<'_> {
    /// Services and anonymous callers have only the policy on the resource.
    fn without_account(self) -> Verdict {
        match self.found.resource {
            Some((_, by)) => Ok(vec![by]),
            None => {
                Err(self
                    .missing(Layer::Resource, "the caller has no other policy to be allowed by"))
            }
        }
    }

    /// Section: "Policy evaluation for requests within a single account".
    fn same_account(mut self, principal: &Principal) -> Verdict {
        self.scps(principal)?;
        let resource = self.found.resource.take();
        match resource {
            // The caller is named directly: implicit denies in other policies have no effect.
            Some((Link::Direct, by)) => Ok(vec![by]),
            // The role is named: no identity-based policy is needed, but the role's permissions
            // boundary and session policies apply.
            Some((Link::Role, by)) => {
                self.limits(principal)?;
                Ok(vec![by])
            }
            // The account is named, or nothing: the caller's identity-based policies decide.
            account => {
                let guarded = self.policies.resource.map(|resource| resource.kind);
                let rule = match guarded {
                    Some(ResourceKind::Key) => {
                        "a key policy must let the account or the principal in (KMS Developer Guide, \"Key policies\")"
                    }
                    Some(ResourceKind::Trust) => {
                        "a role's trust policy must name the principal or its account"
                    }
                    // The policy of a bucket, a topic or a queue is optional.
                    Some(ResourceKind::Bucket | ResourceKind::Channel) | None => "",
                };
                if !rule.is_empty() && account.is_none() {
                    return Err(self.missing(Layer::Resource, rule));
                }
                let mut by = self.own(principal)?;
                by.extend(account.filter(|_| !rule.is_empty()).map(|(_, by)| by));
                Ok(by)
            }
        }
    }

    /// Section: "Cross-account policy evaluation logic": both accounts must allow the request.
    fn cross_account(mut self, principal: &Principal) -> Verdict {
        self.scps(principal)?;
        let Some((_, resource)) = self.found.resource.take() else {
            return Err(self.missing(Layer::Resource, "the resource is in another account"));
        };
        let mut by = self.own(principal)?;
        by.push(resource);
        Ok(by)
    }

    fn scps(&self, principal: &Principal) -> Result<(), Why> {
        let subject = !self.policies.scps.is_empty() && !principal.is_service_linked();
        if subject && self.found.scp.is_none() {
            return Err(self.missing(Layer::Scp, "an account can do what its SCPs allow at most"));
        }
        Ok(())
    }

    /// Returns what the caller's account allows. The account's root user needs no policy in it.
    fn own(&mut self, principal: &Principal) -> Verdict {
        if matches!(principal, Principal::Root { .. }) {
            return Ok(Vec::new());
        }
        let Some(identity) = self.found.identity.take() else {
            let rule = "the caller's own policies must allow it";
            return Err(self.missing(Layer::Identity, rule));
        };
        self.limits(principal)?;
        Ok(vec![identity])
    }

    /// Sections: "Permissions boundaries for IAM entities" and "Session policies".
    fn limits(&self, principal: &Principal) -> Result<(), Why> {
        let entity = matches!(principal, Principal::User { .. } | Principal::RoleSession { .. });
        if entity && self.policies.boundary.is_some() && self.found.boundary.is_none() {
            let rule = "a user or role can do what its boundary allows at most";
            return Err(self.missing(Layer::Boundary, rule));
        }
        let session = matches!(principal, Principal::RoleSession { .. });
        if session && !self.policies.session.is_empty() && self.found.session.is_none() {
            let rule = "a session can do what its session policies allow at most";
            return Err(self.missing(Layer::Session, rule));
        }
        Ok(())
    }

    fn missing(&self, layer: Layer, rule: &'static str) -> Why {
        let names = |named: &[super::Named<'_>]| {
            named.iter().map(|named| named.name.to_owned()).collect::<Vec<_>>()
        };
        let documents = match layer {
            Layer::Identity => names(&self.policies.identity),
            Layer::Resource => {
                self.policies.resource.iter().map(|one| one.policy.name.to_owned()).collect()
            }
            Layer::Boundary => names(self.policies.boundary.as_slice()),
            Layer::Session => names(&self.policies.session),
            Layer::Scp => names(&self.policies.scps),
            Layer::Rcp => names(&self.policies.rcps),
        };
        Why { layer, documents, rule }
    }
}
