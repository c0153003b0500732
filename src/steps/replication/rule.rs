//! Converts rules between S3's API and the form that a pair uses. A rule is read in a canonical
//! form, so that defaults that S3 fills in do not count as differences.
//! Not for: which rules a pair requires (see `plan::rules`).

use super::super::built;
use crate::failure::Failure;
use crate::world::{Replication, Rule};
use aws_sdk_s3::types::{
    AccessControlTranslation, DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination,
    EncryptionConfiguration, Metrics, MetricsStatus, OwnerOverride, ReplicaModifications,
    ReplicaModificationsStatus, ReplicationConfiguration, ReplicationRule,
    ReplicationRuleAndOperator, ReplicationRuleFilter, ReplicationRuleStatus, ReplicationTime,
    ReplicationTimeStatus, ReplicationTimeValue, SourceSelectionCriteria, SseKmsEncryptedObjects,
    SseKmsEncryptedObjectsStatus, StorageClass, Tag,
};
use std::collections::{BTreeMap, BTreeSet};

/// The only value that S3 accepts for time control and its threshold (S3 API Reference,
/// `ReplicationTimeValue`).
const MINUTES: i32 = 15;

pub(super) fn described(live: &ReplicationConfiguration) -> Replication {
    Replication {
        role: live.role().to_owned(),
        rules: live.rules().iter().map(described_rule).collect(),
    }
}

/// Reduces a rule to the settings that a pair uses, and names the other settings.
pub(super) fn described_rule(live: &ReplicationRule) -> Rule {
    let destination = live.destination();
    let criteria = live.source_selection_criteria();
    let kms = criteria
        .and_then(SourceSelectionCriteria::sse_kms_encrypted_objects)
        .map(SseKmsEncryptedObjects::status);
    let (metrics, time_control, odd_time) = measured(destination);
    let modifications =
        criteria.and_then(|it| it.replica_modifications()).map(|it| it.status().as_str());
    let account = destination.and_then(Destination::account);
    let is_translated = destination.is_some_and(|it| it.access_control_translation().is_some());
    let others = [
        ("account", account.is_some() && !is_translated),
        ("owner override", account.is_none() && is_translated),
        ("time control", odd_time),
    ];
    let (filter_prefix, tags) = filter(live.filter());
    let is_v1 = filter_prefix.is_none();
    #[expect(deprecated, reason = "a rule of schema V1 has its prefix there")]
    let old_prefix = live.prefix().unwrap_or_default();
    let prefix = filter_prefix.unwrap_or_else(|| old_prefix.to_owned());
    let replica_key = destination
        .and_then(Destination::encryption_configuration)
        .and_then(|it| it.replica_kms_key_id())
        .map(str::to_owned);
    Rule {
        id: live.id().unwrap_or_default().to_owned(),
        priority: live.priority().unwrap_or_default(),
        enabled: live.status() == &ReplicationRuleStatus::Enabled,
        is_v1,
        prefix: Some(prefix),
        tags,
        delete_markers: is_v1
            || live.delete_marker_replication().and_then(DeleteMarkerReplication::status)
                == Some(&DeleteMarkerReplicationStatus::Enabled),
        destination: destination.map(|it| it.bucket().to_owned()).unwrap_or_default(),
        replica_alias: replica_key.clone().filter(|key| is_alias(key)),
        replica_key,
        kms_objects: kms == Some(&SseKmsEncryptedObjectsStatus::Enabled),
        storage_class: destination
            .and_then(Destination::storage_class)
            .map(|class| class.as_str().to_owned()),
        metrics,
        time_control,
        new_owner: account.filter(|_| is_translated).map(str::to_owned),
        replica_modifications: modifications == Some("Enabled"),
        others: others.iter().filter(|(_, has)| *has).map(|(name, _)| (*name).to_owned()).collect(),
    }
}

/// Returns the prefix and the tags of a filter. An empty filter, like an empty prefix, means all
/// objects. `And` means the same as its parts.
fn filter(filter: Option<&ReplicationRuleFilter>) -> (Option<String>, BTreeMap<String, String>) {
    let Some(filter) = filter else { return (None, BTreeMap::new()) };
    let and = filter.and();
    let prefix = filter.prefix().or_else(|| and.and_then(ReplicationRuleAndOperator::prefix));
    let joined = and.map(ReplicationRuleAndOperator::tags).unwrap_or_default();
    let tags = filter.tag().into_iter().chain(joined);
    let tags = tags.map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    (Some(prefix.unwrap_or_default().to_owned()), tags)
}

/// Returns `rules` with those of schema V1 in the form of V2: with a filter, delete markers that
/// replicate as before, and priorities that no rule of `taken` or of these has.
pub(super) fn converted(rules: Vec<ReplicationRule>, taken: &[Rule]) -> Vec<ReplicationRule> {
    let known = rules.iter().filter_map(ReplicationRule::priority);
    let mut taken: BTreeSet<i32> = known.chain(taken.iter().map(|rule| rule.priority)).collect();
    let convert = |mut rule: ReplicationRule| {
        if rule.filter.is_some() {
            return rule;
        }
        #[expect(deprecated, reason = "a rule of schema V1 has its prefix there")]
        let prefix = rule.prefix.take().unwrap_or_default();
        rule.filter = Some(ReplicationRuleFilter::builder().prefix(prefix).build());
        let status = DeleteMarkerReplicationStatus::Enabled;
        let markers = DeleteMarkerReplication::builder().status(status);
        rule.delete_marker_replication = Some(markers.build());
        // A configuration has at most 1,000 rules, so one of these numbers is free.
        let free = (1..=2001).find(|number| !taken.contains(number)).unwrap_or(2001);
        taken.insert(free);
        rule.priority = Some(free);
        rule
    };
    rules.into_iter().map(convert).collect()
}

/// Returns whether metrics and time control are on, and whether time control differs from S3's
/// documentation.
fn measured(destination: Option<&Destination>) -> (bool, bool, bool) {
    let metrics = destination.and_then(Destination::metrics);
    let time = destination.and_then(Destination::replication_time);
    let minutes =
        |value: Option<&ReplicationTimeValue>| value.and_then(ReplicationTimeValue::minutes);
    let has_metrics = metrics.is_some_and(|it| it.status() == &MetricsStatus::Enabled);
    let is_timed = time.is_some_and(|it| it.status() == &ReplicationTimeStatus::Enabled);
    let threshold = minutes(metrics.and_then(|it| it.event_threshold()));
    let within = minutes(time.and_then(ReplicationTime::time));
    let is_usual = has_metrics && threshold == Some(MINUTES) && within == Some(MINUTES);
    (has_metrics, is_timed && is_usual, is_timed && !is_usual)
}

/// Converts a rule to schema V2, so Filter, Priority and `DeleteMarkerReplication` are always
/// present (S3 API Reference, `ReplicationRule`).
pub(super) fn sdk_rule(rule: &Rule) -> Result<ReplicationRule, Failure> {
    let markers = if rule.delete_markers {
        DeleteMarkerReplicationStatus::Enabled
    } else {
        DeleteMarkerReplicationStatus::Disabled
    };
    let status =
        if rule.enabled { ReplicationRuleStatus::Enabled } else { ReplicationRuleStatus::Disabled };
    built(
        ReplicationRule::builder()
            .id(&rule.id)
            .priority(rule.priority)
            .status(status)
            .filter(sdk_filter(rule)?)
            .delete_marker_replication(DeleteMarkerReplication::builder().status(markers).build())
            .set_source_selection_criteria(criteria(rule)?)
            .destination(destination(rule)?)
            .build(),
    )
}

/// Returns the filter, which has exactly one of Prefix, Tag and And.
fn sdk_filter(rule: &Rule) -> Result<ReplicationRuleFilter, Failure> {
    let prefix = rule.prefix.as_deref().unwrap_or_default();
    let tag =
        |(key, value): (&String, &String)| built(Tag::builder().key(key).value(value).build());
    let mut tags = rule.tags.iter().map(tag).collect::<Result<Vec<_>, Failure>>()?;
    let filter = ReplicationRuleFilter::builder();
    Ok(match (prefix, tags.len()) {
        (prefix, 0) => filter.prefix(prefix).build(),
        ("", 1) => filter.tag(tags.remove(0)).build(),
        (prefix, _) => {
            let prefix = Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty());
            let and = ReplicationRuleAndOperator::builder().set_prefix(prefix);
            filter.and(and.set_tags(Some(tags)).build()).build()
        }
    })
}

fn criteria(rule: &Rule) -> Result<Option<SourceSelectionCriteria>, Failure> {
    if !rule.kms_objects && !rule.replica_modifications {
        return Ok(None);
    }
    // If there are criteria, they must include SSE-KMS objects (S3 API Reference,
    // `SourceSelectionCriteria`).
    let status = if rule.kms_objects {
        SseKmsEncryptedObjectsStatus::Enabled
    } else {
        SseKmsEncryptedObjectsStatus::Disabled
    };
    let kms = built(SseKmsEncryptedObjects::builder().status(status).build())?;
    let modifications = rule.replica_modifications.then(|| {
        built(ReplicaModifications::builder().status(ReplicaModificationsStatus::Enabled).build())
    });
    Ok(Some(
        SourceSelectionCriteria::builder()
            .sse_kms_encrypted_objects(kms)
            .set_replica_modifications(modifications.transpose()?)
            .build(),
    ))
}

/// Returns the replica key as the rule names it.
fn named_key(rule: &Rule) -> Option<&String> {
    rule.replica_alias.as_ref().or(rule.replica_key.as_ref())
}

/// Returns whether a rule names its replica key by the ARN of an alias that users made.
fn is_alias(key: &str) -> bool {
    let name = key.splitn(6, ':').nth(5).and_then(|it| it.strip_prefix("alias/"));
    name.is_some_and(|name| !name.starts_with("aws/"))
}

fn destination(rule: &Rule) -> Result<Destination, Failure> {
    let key = named_key(rule)
        .map(|key| EncryptionConfiguration::builder().replica_kms_key_id(key).build());
    let value = || ReplicationTimeValue::builder().minutes(MINUTES).build();
    let time = rule.time_control.then(|| {
        ReplicationTime::builder().status(ReplicationTimeStatus::Enabled).time(value()).build()
    });
    let metrics = rule.metrics.then(|| {
        let threshold = rule.time_control.then(value);
        Metrics::builder().status(MetricsStatus::Enabled).set_event_threshold(threshold).build()
    });
    // Account and owner translation are set together or not at all (S3 API Reference,
    // `Destination`).
    let owner = rule
        .new_owner
        .as_ref()
        .map(|_| AccessControlTranslation::builder().owner(OwnerOverride::Destination).build());
    built(
        Destination::builder()
            .bucket(&rule.destination)
            .set_account(rule.new_owner.clone())
            .set_access_control_translation(owner.map(built).transpose()?)
            .set_encryption_configuration(key)
            .set_storage_class(rule.storage_class.as_deref().map(StorageClass::from))
            .set_replication_time(time.map(built).transpose()?)
            .set_metrics(metrics.map(built).transpose()?)
            .build(),
    )
}
