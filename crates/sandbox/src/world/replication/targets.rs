//! The destinations of a version: the rules that apply to it, and their destination settings.
//! Not for: replicating to the destinations (see `crate::replication`).

use super::rules::{is_v1, matches};
use crate::world::buckets::{Content, Object, Sse};
use s3s::dto::{DeleteMarkerReplicationStatus, MetricsStatus, ReplicationRule};
use std::collections::BTreeMap;

/// A destination, with the settings of the rule that applies to the version.
#[derive(Debug, Clone)]
pub(crate) struct ReplicationTarget {
    pub(crate) bucket: String,
    /// The rule's id.
    pub(crate) rule: Option<String>,
    /// The KMS key that encrypts the replicas, as the rule specifies it.
    pub(crate) key: Option<String>,
    pub(crate) storage_class: Option<String>,
    /// Whether replication metrics are on, without which S3 sends no events.
    pub(crate) has_metrics: bool,
    /// Whether the owner of the destination bucket owns the replica.
    pub(crate) owner_override: bool,
}

/// Returns the destinations of a version. If several rules apply for one destination, the rule with
/// the highest priority is used (S3 User Guide, "Replication configuration file elements").
pub(crate) fn targets(
    rules: &[ReplicationRule],
    key: &str,
    what: &Content,
) -> Vec<ReplicationTarget> {
    let object = match what {
        Content::Object(object) => Some(&**object),
        Content::DeleteMarker => None,
    };
    let mut best: BTreeMap<&str, &ReplicationRule> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| matches(rule, key, object)) {
        let held = best.entry(&rule.destination.bucket).or_insert(rule);
        if rule.priority > held.priority {
            *held = rule;
        }
    }
    best.into_values()
        .filter(|rule| eligible(rule, object))
        .map(|rule| ReplicationTarget {
            bucket: rule.destination.bucket.rsplit(':').next().unwrap_or_default().to_owned(),
            rule: rule.id.clone(),
            key: rule
                .destination
                .encryption_configuration
                .as_ref()
                .and_then(|encryption| encryption.replica_kms_key_id.clone()),
            has_metrics: rule
                .destination
                .metrics
                .as_ref()
                .is_some_and(|metrics| metrics.status.as_str() == MetricsStatus::ENABLED),
            owner_override: rule.destination.access_control_translation.is_some(),
            storage_class: rule.destination.storage_class.as_ref().map(|c| c.as_str().to_owned()),
        })
        .collect()
}

/// Returns whether a rule also applies to changes of replicas.
pub(crate) fn syncs(rule: &ReplicationRule) -> bool {
    let criteria = rule.source_selection_criteria.as_ref();
    let modifications = criteria.and_then(|criteria| criteria.replica_modifications.as_ref());
    modifications.is_some_and(|modifications| modifications.status.as_str() == "Enabled")
}

/// Returns whether a rule replicates the version. Delete markers and SSE-KMS objects replicate only
/// if the rule enables their replication; under the old schema, delete markers always replicate.
fn eligible(rule: &ReplicationRule, object: Option<&Object>) -> bool {
    match object {
        None => {
            let markers = rule.delete_marker_replication.as_ref().and_then(|m| m.status.as_ref());
            is_v1(rule)
                || markers.is_some_and(|s| s.as_str() == DeleteMarkerReplicationStatus::ENABLED)
        }
        Some(object) if object.sse == Sse::S3 => true,
        Some(_) => rule
            .source_selection_criteria
            .as_ref()
            .and_then(|criteria| criteria.sse_kms_encrypted_objects.as_ref())
            .is_some_and(|opted| opted.status.as_str() == "Enabled"),
    }
}
