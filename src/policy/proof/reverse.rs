//! The calls that must be denied, derived from a call that must be allowed: another resource,
//! another action, or a condition key that is missing or has another value.
//! Not for: evaluating calls (see `judge`).

use super::call::{Call, Element, Expected, OwnPolicies, PolicyCaller, ResourcePolicyOf};
use crrctl_iam::ResourceKind;

/// Returns `calls`, followed by the related calls that must be denied.
pub(super) fn with_reverse(calls: Vec<Call>) -> Vec<Call> {
    let reverse: Vec<Call> =
        calls.iter().flat_map(across_accounts).flat_map(|it| reversed(&it)).collect();
    calls.into_iter().chain(reverse).collect()
}

/// Across accounts two policies must allow a call, so that one policy can hide an error in the
/// other. Each policy is tested while the other allows everything.
fn across_accounts(call: &Call) -> Vec<Call> {
    let ResourcePolicyOf::Document(kind, _) = &call.at else { return vec![call.clone()] };
    if !call.is_across() || !matches!(call.who.own, OwnPolicies::Document(_)) {
        return vec![call.clone()];
    }
    let open = ResourcePolicyOf::Everything(*kind);
    let foreign_resources =
        call.foreign_resources.iter().map(|(arn, _)| (arn.clone(), open.clone())).collect();
    let of_caller = Call { at: open.clone(), foreign_resources, ..call.clone() };
    let who = PolicyCaller { own: OwnPolicies::Everything, ..call.who.clone() };
    let mut of_resource = Call { who, ..call.clone() };
    if *kind == ResourceKind::Key {
        // A key policy covers only its own key, so it does not affect calls on other keys.
        of_resource.foreign_resources.clear();
    }
    vec![of_caller, of_resource]
}

/// Returns `call` by callers that no document names. These calls must be denied.
pub(super) fn by_others(call: &Call, others: &[PolicyCaller]) -> Vec<Call> {
    let by = |who: &PolicyCaller| Call { who: who.clone(), ..call.clone() };
    others.iter().map(|who| by(who).expecting(Expected::Deny(Element::Principal))).collect()
}

fn reversed(call: &Call) -> Vec<Call> {
    let mut reversed = Vec::new();
    for (resource, at) in &call.foreign_resources {
        let decoy = Call { resource: resource.clone(), at: at.clone(), ..call.clone() };
        reversed.push(decoy.expecting(Expected::Deny(Element::Resource)));
    }
    for alien in &call.forbidden_actions {
        let alien = Call { action: (*alien).to_owned(), ..call.clone() };
        reversed.push(alien.expecting(Expected::Deny(Element::Action)));
    }
    for demand in &call.demands {
        let element = Element::Condition(demand.operator, demand.key, None);
        let others = demand.others.iter().map(Some).chain([None]);
        reversed.extend(others.map(|other| {
            let mut changed = call.clone().expecting(Expected::Deny(element.clone()));
            changed.context.retain(|(key, _)| *key != demand.key);
            changed.context.extend(other.map(|other| (demand.key, other.clone())));
            changed
        }));
    }
    reversed
}
