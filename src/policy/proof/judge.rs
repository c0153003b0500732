//! Evaluates a call under the documents and reports the statement that decided.
//! Not for: the reason for an unexpected outcome (see `mend`).

use super::call::{Call, Expected, OwnPolicies, ResourcePolicyOf};
use super::{Document, Documents, Expectation, Organisation, Outcome, Row, mend};
use crrctl_iam::document::{PrincipalKind, Principals, Scope, Statement};
use crrctl_iam::evaluate::Decider;
use crrctl_iam::{
    self as iam, Decision, Effect, Named, Policies, Principal, ResourceKind, ResourcePolicy,
    evaluate,
};

/// The documents, and stand-ins for policies that are not the pair's, which allow everything.
pub(super) struct Judge<'a> {
    documents: &'a Documents,
    organisation: &'a Organisation,
    callers_own: iam::Document,
    somebodys: iam::Document,
    delegating: iam::Document,
}

impl<'a> Judge<'a> {
    /// Creates a judge for calls on resources of `owners`.
    pub(super) fn new(
        documents: &'a Documents,
        organisation: &'a Organisation,
        owners: Vec<String>,
    ) -> Self {
        let everybody = Scope::Only(Principals::Everyone);
        let (callers_own, somebodys) = (everything(None), everything(Some(everybody)));
        let owners = Principals::Listed(vec![(PrincipalKind::Aws, owners)]);
        let delegating = everything(Some(Scope::Only(owners)));
        Self { documents, organisation, callers_own, somebodys, delegating }
    }

    /// Returns the outcome of `call`, with the statement that decided.
    pub(super) fn row(&self, call: &Call) -> Row {
        let request = call.request();
        let policies = self.policies(call);
        let decision = self.decision(call);
        let (expected, holds) = match &call.expected {
            Expected::Allow(_) => (Expectation::Allow, decision.is_allowed()),
            Expected::Deny(_) => (Expectation::Deny, !decision.is_allowed()),
            Expected::DenyBy(..) => {
                (Expectation::Deny, matches!(decision, Decision::ExplicitDeny { .. }))
            }
        };
        let fault = if holds {
            None
        } else {
            Some(mend::fault(call, &request, &policies, &decision, self.documents))
        };
        let decider = self.decider(&decision);
        let document = fault.as_ref().and_then(|fault| fault.document.clone());
        let statement = fault.as_ref().and_then(|fault| fault.statement.clone());
        Row {
            section: call.who.section.to_owned(),
            caller: name(&call.who.caller),
            action: call.action.clone(),
            resource: call.resource.clone(),
            context: call.context.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
            expected,
            decision: outcome(&decision),
            reads: self.reads(&decision),
            document: document.or_else(|| decider.map(|it| it.document.clone())),
            statement: statement.or_else(|| decider.map(label)),
            element: fault.as_ref().map(|fault| fault.element.clone()),
            mend: fault.map(|fault| fault.mend),
        }
    }

    /// Returns the decision about `call`.
    pub(super) fn decision(&self, call: &Call) -> Decision {
        evaluate(&call.request(), &self.policies(call))
    }

    fn policies<'p>(&'p self, call: &Call) -> Policies<'p> {
        let callers_own = Named { name: CALLERS_OWN, document: &self.callers_own };
        let somebodys = Named { name: "a policy of others", document: &self.somebodys };
        let by_default = Named { name: "the default key policy", document: &self.delegating };
        let identity = match &call.who.own {
            OwnPolicies::Nothing => Vec::new(),
            OwnPolicies::Everything => vec![callers_own],
            OwnPolicies::Document(document) => {
                let own = self.documents.named(document);
                own.into_iter().chain(self.documents.beside(document)).collect()
            }
        };
        let is_role = matches!(
            call.who.own,
            OwnPolicies::Document(Document::ReplicationRole | Document::BackRole(_))
        );
        let boundary = if is_role { self.documents.boundary() } else { None };
        let resource = match &call.at {
            ResourcePolicyOf::Nothing => None,
            ResourcePolicyOf::LeftToIam => Some((ResourceKind::Key, by_default)),
            ResourcePolicyOf::Everything(kind) => Some((*kind, somebodys)),
            ResourcePolicyOf::Document(kind, document) => {
                // Without a document there is no policy, which is possible only for a bucket.
                let named = self.documents.named(document);
                named.map(|named| (*kind, named))
            }
        };
        Policies {
            identity,
            boundary,
            resource: resource.map(|(kind, policy)| ResourcePolicy { kind, policy }),
            scps: given(&self.organisation.scps),
            rcps: given(&self.organisation.rcps),
            ..Policies::default()
        }
    }

    /// Returns the statement to report: of the statements that were needed, the first in a document
    /// of the pair. The caller's own policies are first.
    fn decider<'d>(&self, decision: &'d Decision) -> Option<&'d Decider> {
        match decision {
            Decision::Allow { by } => {
                let ours = by.iter().find(|it| self.documents.called(&it.document).is_some());
                ours.or_else(|| by.first())
            }
            Decision::ExplicitDeny { by } => Some(by),
            Decision::ImplicitDeny { .. } => None,
        }
    }

    fn reads(&self, decision: &Decision) -> &'static str {
        match (decision, self.organisation.is_known()) {
            (Decision::Allow { .. }, false) => "allowed by the documents read",
            (Decision::Allow { .. }, true) => "allowed",
            (Decision::ImplicitDeny { .. }, _) => "denied: nothing allows it",
            (Decision::ExplicitDeny { .. }, _) => "denied by a Deny",
        }
    }
}

/// The name of a caller's own policies that are not the pair's.
pub(super) const CALLERS_OWN: &str = "the caller's own policies";

/// Returns the name of a statement in reports.
pub(super) fn label(decider: &Decider) -> String {
    match decider.sid.as_deref() {
        None | Some("") => format!("Statement[{}]", decider.statement),
        Some(sid) => format!("Statement[{}] ({sid})", decider.statement),
    }
}

/// Returns the name of a caller in reports.
pub(super) fn name(caller: &Principal) -> String {
    caller.arn().unwrap_or_else(|| match caller {
        Principal::Service(service) => service.clone(),
        _ => "anonymous".to_owned(),
    })
}

fn outcome(decision: &Decision) -> Outcome {
    match decision {
        Decision::Allow { .. } => Outcome::Allow,
        Decision::ImplicitDeny { .. } => Outcome::ImplicitDeny,
        Decision::ExplicitDeny { .. } => Outcome::ExplicitDeny,
    }
}

fn given(policies: &[(String, iam::Document)]) -> Vec<Named<'_>> {
    policies.iter().map(|(name, document)| Named { name, document }).collect()
}

fn everything(principal: Option<Scope<Principals>>) -> iam::Document {
    let all = || Some(Scope::Only(vec!["*".to_owned()]));
    let statement = Statement {
        sid: None,
        effect: Effect::Allow,
        principal,
        action: all(),
        resource: all(),
        condition: Vec::new(),
    };
    iam::Document { version: None, id: None, statements: vec![statement] }
}
