//! When each replication rule takes effect, from the times that the state keeps of its changes, and when its first replica was there,
//! from the records of replication.
//! Not for: whether the role's permissions suffice (see `crate::replication::role`).

use crate::world::State;
use crate::world::buckets::{Bucket, Versioning};
use crate::world::clock::rfc3339_exact;
use crate::world::kms::{KeyState, Kms};
use crate::world::replication::queue::ReplicationRecord;
use crrctl_iam::names::Arn;
use s3s::dto::{ReplicationRule, ReplicationRuleStatus};
use serde_json::{Value, json};
use std::time::SystemTime;

/// What a rule waits for, and the time of it; `None` if it never comes by itself.
type Wait = (&'static str, Option<SystemTime>);

/// Returns, for each rule, the earliest time at which an upload would have replicated, what that time waited for, and when the first
/// replica was there. The first time is `null` if something is missing, the last if nothing has replicated by the rule since the
/// configuration is in force.
pub(crate) fn effective(state: &State) -> Value {
    let mut rules = Vec::new();
    for (name, bucket) in &state.buckets.0 {
        for rule in bucket.replication.iter().flat_map(|configuration| &configuration.rules) {
            let waits = waits(state, bucket, rule);
            let (waited_for, at) = last(&waits);
            let replica_at = first_replica(state, name, bucket, rule).map(rfc3339_exact);
            rules.push(json!({
                "bucket": name,
                "rule": &rule.id,
                "at": at.map(rfc3339_exact),
                "waited_for": waited_for,
                "replica_at": replica_at,
            }));
        }
    }
    Value::Array(rules)
}

/// Returns the first wait that never ends, otherwise the one that ends last.
fn last(waits: &[Wait]) -> Wait {
    let missing = waits.iter().find(|(_, at)| at.is_none());
    let last = || waits.iter().rev().max_by_key(|(_, at)| *at);
    missing.or_else(last).copied().unwrap_or(("rule", None))
}

fn waits(state: &State, source: &Bucket, rule: &ReplicationRule) -> Vec<Wait> {
    let is_enabled = rule.status.as_str() == ReplicationRuleStatus::ENABLED;
    let mut waits = vec![
        ("rule", is_enabled.then_some(in_force(source))),
        ("source versioning", versioned(source)),
    ];
    match state.buckets.0.get(destination(rule)) {
        None => waits.push(("destination bucket", None)),
        Some(bucket) => {
            waits.push(("destination bucket", Some(bucket.created)));
            waits.push(("destination versioning", versioned(bucket)));
        }
    }
    let assumed = source.replication.as_ref().and_then(|it| state.iam.role(&it.role));
    waits.push(("role", assumed.map(|it| it.usable)));
    if let Some(assumed) = assumed {
        let policy = assumed.entity.inline.since().unwrap_or(assumed.created);
        waits.push(("role policy", Some(policy)));
    }
    let default = source.encryption.as_ref();
    let default = default.and_then(|it| it.apply_server_side_encryption_by_default.as_ref());
    let source_key = default.and_then(|default| default.kms_master_key_id.as_deref());
    let replica_key = rule.destination.encryption_configuration.as_ref();
    let replica_key = replica_key.and_then(|it| it.replica_kms_key_id.as_deref());
    waits.extend(key(&state.kms, source_key, "source key", "source key policy"));
    waits.extend(key(&state.kms, replica_key, "replica key", "replica key policy"));
    waits
}

/// Returns when the replication configuration took effect.
fn in_force(source: &Bucket) -> SystemTime {
    source.replication.since().unwrap_or(source.created)
}

/// Returns the name of the rule's destination bucket.
fn destination(rule: &ReplicationRule) -> &str {
    rule.destination.bucket.rsplit(':').next().unwrap_or_default()
}

/// Returns when the first replica was there of what was written since the rule is in force.
fn first_replica(
    state: &State,
    name: &str,
    source: &Bucket,
    rule: &ReplicationRule,
) -> Option<SystemTime> {
    let (in_force, destination) = (in_force(source), destination(rule));
    let is_it = |it: &&ReplicationRecord| {
        it.bucket == name
            && it.destination == destination
            && it.rule == rule.id
            && it.status == "COMPLETED"
            && it.begun >= in_force
    };
    state.replication.records.iter().filter(is_it).filter_map(|it| it.ended).min()
}

/// Returns when versioning took effect; `None` if it is not enabled.
fn versioned(bucket: &Bucket) -> Option<SystemTime> {
    let is_enabled = *bucket.versioning == Versioning::Enabled;
    is_enabled.then(|| bucket.versioning.since().unwrap_or(bucket.created))
}

/// Returns the waits for a key and for its policy. A key that is not given by its ARN is left out.
fn key(kms: &Kms, reference: Option<&str>, name: &'static str, policy: &'static str) -> Vec<Wait> {
    let Some(arn) = reference.and_then(|reference| Arn::new(reference).ok()) else {
        return Vec::new();
    };
    let Some((at, id)) = Kms::parts(&arn) else { return Vec::new() };
    let Some(key) = kms.stored_key(&at, &id) else { return vec![(name, None)] };
    let usable = match key.state {
        KeyState::Enabled => Some(key.usable),
        KeyState::Creating { until } => Some(until),
        KeyState::Disabled
        | KeyState::PendingDeletion { .. }
        | KeyState::PendingReplicaDeletion { .. } => None,
    };
    vec![(name, usable), (policy, Some(key.policy.since().unwrap_or(key.created)))]
}
