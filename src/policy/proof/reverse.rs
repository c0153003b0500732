//! What must stay denied beside a call that must be allowed: another resource, another action, a condition key that is missing
//! or has another value.

use super::call::{At, Call, Element, Expected, Own, Who};
use crrctl_iam::ResourceKind;

/// Returns `calls`, then everything beside them that must stay denied.
pub(super) fn with_reverse(calls: Vec<Call>) -> Vec<Call> {
    let reverse: Vec<Call> = calls.iter().flat_map(walls).flat_map(|it| reversed(&it)).collect();
    calls.into_iter().chain(reverse).collect()
}

/// Across accounts two policies must allow, so that what the one lets through by mistake the other may still hold back: each
/// is tried with the other wide open.
fn walls(call: &Call) -> Vec<Call> {
    let At::Document(kind, _) = &call.at else { return vec![call.clone()] };
    if !call.is_across() || !matches!(call.who.own, Own::Document(_)) {
        return vec![call.clone()];
    }
    let open = At::Everything(*kind);
    let decoys = call.decoys.iter().map(|(arn, _)| (arn.clone(), open.clone())).collect();
    let of_caller = Call { at: open.clone(), decoys, ..call.clone() };
    let who = Who { own: Own::Everything, ..call.who.clone() };
    let mut of_resource = Call { who, ..call.clone() };
    if *kind == ResourceKind::Key {
        // A key policy is about its own key, so it has nothing to say of others.
        of_resource.decoys.clear();
    }
    vec![of_caller, of_resource]
}

/// Returns `call` by callers that no document means.
pub(super) fn by_others(call: &Call, others: &[Who]) -> Vec<Call> {
    let by = |who: &Who| Call { who: who.clone(), ..call.clone() };
    others.iter().map(|who| by(who).expecting(Expected::Deny(Element::Principal))).collect()
}

fn reversed(call: &Call) -> Vec<Call> {
    let mut reversed = Vec::new();
    for (resource, at) in &call.decoys {
        let decoy = Call { resource: resource.clone(), at: at.clone(), ..call.clone() };
        reversed.push(decoy.expecting(Expected::Deny(Element::Resource)));
    }
    for alien in &call.aliens {
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
