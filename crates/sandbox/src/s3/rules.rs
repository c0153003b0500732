//! Replication configurations: the operations on them, and the checks that S3 makes when one is
//! put. The messages marked "observed" are quoted from S3; the other messages have S3's code but
//! the sandbox's own wording. Not for: matching rules to objects (see `world::replication::rules`),
//! or replicating (see `replication`).

use super::errors::{malformed, not_implemented};
use crate::gate::may_pass;
use crate::s3::call::{S3Call, nothing};
use crate::s3::writes::is_storage_class;
use crate::world::buckets::{Versioning, random_text};
use crate::world::replication::rules::{is_v1, tags_of as tags};
use crate::world::{Quirk, Slow, State};
use crrctl_iam::names::{AccountId, Arn};
use http::header::CONTENT_LENGTH;
use s3s::dto::{
    DeleteBucketReplicationInput, DeleteBucketReplicationOutput, DeleteMarkerReplicationStatus,
    Destination, GetBucketReplicationInput, GetBucketReplicationOutput, PutBucketReplicationInput,
    PutBucketReplicationOutput, ReplicationConfiguration, ReplicationRule, ReplicationRuleFilter,
    ReplicationRuleStatus, ReplicationTimeStatus,
};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use std::collections::BTreeSet;

/// The maximum number of rules in a configuration, and of characters in a rule's id (S3 API
/// Reference, `PutBucketReplication`).
const MAX_RULES: usize = 1000;
const MAX_ID: usize = 255;
const MAX_PREFIX: usize = 1024;
/// The maximum size of a configuration in bytes (S3 User Guide, "Setting up live replication").
const MAX_BYTES: u64 = 2 << 20;

/// S3 API Reference, `GetBucketReplication`.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetBucketReplicationInput,
) -> S3Result<GetBucketReplicationOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetReplicationConfiguration")?;
    match (*bucket.replication).clone() {
        None => Err(s3_error!(ReplicationConfigurationNotFoundError)),
        found => Ok(GetBucketReplicationOutput { replication_configuration: found }),
    }
}

/// S3 API Reference, `DeleteBucketReplication`: returns 204 even if the bucket has no
/// configuration.
pub(super) fn delete(
    call: &mut S3Call<'_>,
    input: DeleteBucketReplicationInput,
) -> S3Result<DeleteBucketReplicationOutput> {
    call.bucket(&input.bucket, "s3:PutReplicationConfiguration")?;
    set(call, &input.bucket, None)?;
    Ok(nothing())
}

/// S3 API Reference, `PutBucketReplication`: neither the role nor any KMS key is read.
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutBucketReplicationInput,
) -> S3Result<PutBucketReplicationOutput> {
    let now = call.state.now();
    let bucket = call.bucket(&input.bucket, "s3:PutReplicationConfiguration")?;
    let versioning = *bucket.versioning.at(now);
    let length = call.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length.and_then(|length| length.parse().ok()).is_some_and(|length: u64| length > MAX_BYTES) {
        return Err(s3_error!(MaxMessageLengthExceeded));
    }
    let mut configuration = input.replication_configuration;
    check(&configuration)?;
    if input.token.is_some() {
        return Err(not_implemented("the token for Object Lock buckets"));
    }
    if versioning != Versioning::Enabled {
        return Err(invalid(
            "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
        ));
    }
    pass_role(call, &configuration.role)?;
    for rule in &configuration.rules {
        check_destination(call.state, &input.bucket, &rule.destination)?;
        check_prefix(rule)?;
    }
    for rule in &mut configuration.rules {
        rule.id.get_or_insert_with(|| random_text(32));
    }
    set(call, &input.bucket, Some(configuration))?;
    Ok(nothing())
}

fn set(
    call: &mut S3Call<'_>,
    name: &str,
    configuration: Option<ReplicationConfiguration>,
) -> S3Result<()> {
    let (now, from) = (call.state.now(), call.state.done_at(Slow::Rule));
    call.find_mut(name)?.replication.set(configuration, now, from);
    Ok(())
}

/// Checks that the caller may pass the role to S3.
fn pass_role(call: &S3Call<'_>, role: &str) -> S3Result<()> {
    let owner = Arn::new(role).ok().and_then(|arn| AccountId::new(arn.account()).ok());
    let owner = owner.unwrap_or_else(|| call.caller.account.clone());
    may_pass(call.state, &call.caller, (role, &owner), "s3.amazonaws.com")
        .map_err(|denied| s3_error!(AccessDenied, "{}", denied.message()))?;
    if call.state.iam.recent.lasts(Quirk::FreshRole, || role) {
        // The text is the sandbox's own: none is recorded.
        return Err(invalid("The role can't be used by Amazon S3 yet."));
    }
    Ok(())
}

fn invalid(text: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidRequest, text)
}

/// Runs every check that needs no other bucket.
fn check(configuration: &ReplicationConfiguration) -> S3Result<()> {
    let role = Arn::new(&*configuration.role).ok();
    if !role.is_some_and(|arn| arn.service() == "iam" && arn.resource().starts_with("role/")) {
        return Err(s3_error!(
            InvalidArgument,
            "Invalid Amazon Resource Name (ARN) of the replication role"
        ));
    }
    let rules = &configuration.rules;
    if rules.is_empty() {
        return Err(malformed());
    }
    if rules.len() > MAX_RULES {
        return Err(invalid(
            "The number of replication rules must not exceed the allowed limit of 1000 rules.",
        ));
    }
    for rule in rules {
        check_rule(rule)?;
    }
    check_unique(rules)
}

/// Checks that rule ids and priorities are unique, and that all rules of the old schema have the
/// same destination.
fn check_unique(rules: &[ReplicationRule]) -> S3Result<()> {
    let (mut ids, mut priorities) = (BTreeSet::new(), BTreeSet::new());
    for rule in rules {
        if rule.id.as_ref().is_some_and(|id| !ids.insert(id)) {
            return Err(s3_error!(InvalidArgument, "Rule Id must be unique."));
        }
        if rule.priority.is_some_and(|priority| !priorities.insert(priority)) {
            return Err(s3_error!(
                InvalidArgument,
                "Found duplicate priority. Every rule must have a unique priority."
            ));
        }
    }
    let destinations: BTreeSet<&String> =
        rules.iter().filter(|rule| is_v1(rule)).map(|rule| &rule.destination.bucket).collect();
    if destinations.len() > 1 {
        // observed
        return Err(invalid("Number of distinct destination bucket ARNs cannot exceed 1"));
    }
    Ok(())
}

fn check_rule(rule: &ReplicationRule) -> S3Result<()> {
    if !matches!(
        rule.status.as_str(),
        ReplicationRuleStatus::ENABLED | ReplicationRuleStatus::DISABLED
    ) {
        return Err(malformed());
    }
    // S3 no longer supports ExistingObjectReplication (S3 User Guide, "Replicating existing
    // objects").
    if rule.existing_object_replication.is_some() {
        return Err(malformed());
    }
    if rule.id.as_ref().is_some_and(|id| id.chars().count() > MAX_ID) {
        return Err(s3_error!(
            InvalidArgument,
            "The maximum length for a rule id is 255 characters"
        ));
    }
    match &rule.filter {
        None => check_v1(rule)?,
        Some(filter) => check_v2(rule, filter)?,
    }
    check_encryption(rule)?;
    check_time(&rule.destination)
}

fn check_v1(rule: &ReplicationRule) -> S3Result<()> {
    if rule.prefix.is_none() {
        return Err(malformed());
    }
    if rule.delete_marker_replication.is_some() {
        // observed
        return Err(invalid(
            "DeleteMarkerReplication cannot be used for this version of Cross Region Replication configuration schema. Please refer to \
             S3 Developer Guide for more information.",
        ));
    }
    if rule.priority.is_some() {
        return Err(invalid(
            "Priority cannot be used for this version of Cross Region Replication configuration schema. Please refer to S3 Developer \
             Guide for more information.",
        ));
    }
    Ok(())
}

fn check_v2(rule: &ReplicationRule, filter: &ReplicationRuleFilter) -> S3Result<()> {
    if rule.prefix.is_some() {
        return Err(malformed());
    }
    let kinds = [filter.prefix.is_some(), filter.tag.is_some(), filter.and.is_some()];
    if kinds.iter().filter(|kind| **kind).count() > 1 {
        return Err(malformed());
    }
    if rule.priority.is_none() {
        return Err(invalid(
            "Priority must be specified for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.",
        ));
    }
    let Some(markers) =
        rule.delete_marker_replication.as_ref().and_then(|markers| markers.status.as_ref())
    else {
        return Err(invalid(
            "DeleteMarkerReplication must be specified for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information.",
        ));
    };
    match markers.as_str() {
        DeleteMarkerReplicationStatus::DISABLED => Ok(()),
        DeleteMarkerReplicationStatus::ENABLED if tags(filter).next().is_none() => Ok(()),
        DeleteMarkerReplicationStatus::ENABLED => Err(invalid(
            "Delete marker replication is not supported if any Tag filter is specified. Please refer to S3 Developer Guide for more information.",
        )),
        _ => Err(malformed()),
    }
}

/// Checks that `SseKmsEncryptedObjects` and the replica key are specified together (S3 API
/// Reference, `SourceSelectionCriteria`).
fn check_encryption(rule: &ReplicationRule) -> S3Result<()> {
    let criteria = rule.source_selection_criteria.as_ref();
    let opted = criteria.and_then(|criteria| criteria.sse_kms_encrypted_objects.as_ref());
    let key = rule
        .destination
        .encryption_configuration
        .as_ref()
        .and_then(|encryption| encryption.replica_kms_key_id.as_ref());
    if opted.is_some_and(|o| !matches!(o.status.as_str(), "Enabled" | "Disabled")) {
        return Err(malformed());
    }
    let enabled = opted.is_some_and(|o| o.status.as_str() == "Enabled");
    if enabled && key.is_none() {
        return Err(invalid(
            "EncryptionConfiguration must be specified if SseKmsEncryptedObjects tag is enabled.",
        ));
    }
    if key.is_some() && opted.is_none() {
        return Err(invalid(
            "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present.",
        ));
    }
    let modifications = criteria.and_then(|criteria| criteria.replica_modifications.as_ref());
    match modifications.map(|modifications| modifications.status.as_str()) {
        None | Some("Enabled" | "Disabled") => Ok(()),
        Some(_) => Err(malformed()),
    }
}

/// Checks that S3 Replication Time Control comes with metrics, and that its time is 15 minutes (S3
/// API Reference, `ReplicationTimeValue`).
fn check_time(destination: &Destination) -> S3Result<()> {
    let on = |status: &str| match status {
        ReplicationTimeStatus::ENABLED => Ok(true),
        ReplicationTimeStatus::DISABLED => Ok(false),
        _ => Err(malformed()),
    };
    let class = destination.storage_class.as_ref();
    if class.is_some_and(|class| !is_storage_class(class.as_str())) {
        return Err(malformed());
    }
    let timed = destination.replication_time.as_ref();
    let metrics = destination.metrics.as_ref();
    let metrics_on = metrics.map(|m| on(m.status.as_str())).transpose()?.unwrap_or(false);
    let timed_on = timed.map(|t| on(t.status.as_str())).transpose()?.unwrap_or(false);
    let threshold = metrics.and_then(|metrics| metrics.event_threshold.as_ref());
    let minutes = [threshold, timed.map(|timed| &timed.time)];
    if minutes.iter().flatten().any(|value| value.minutes != Some(15)) {
        return Err(s3_error!(InvalidArgument, "Minutes must be 15."));
    }
    if timed_on && !metrics_on {
        return Err(invalid(
            "Metrics must be specified and enabled if ReplicationTime is enabled.",
        ));
    }
    if threshold.is_some() && !timed_on {
        // observed
        return Err(s3_error!(
            InvalidArgument,
            "Metrics cannot contain an event threshold when ReplicationTime is not specified or Disabled"
        ));
    }
    Ok(())
}

/// Checks that a prefix has at most 1,024 characters, as a key does (S3 API Reference,
/// `ReplicationRule`).
fn check_prefix(rule: &ReplicationRule) -> S3Result<()> {
    let filter = rule.filter.as_ref();
    let prefix = rule
        .prefix
        .as_ref()
        .or_else(|| filter?.prefix.as_ref().or_else(|| filter?.and.as_ref()?.prefix.as_ref()));
    if prefix.is_some_and(|prefix| prefix.len() > MAX_PREFIX) {
        return Err(s3_error!(InvalidArgument, "The maximum size of a prefix is 1024."));
    }
    Ok(())
}

/// Checks that the destination exists, has versioning enabled, is not the source bucket, and
/// belongs to the account that the rule names.
fn check_destination(state: &State, source: &str, destination: &Destination) -> S3Result<()> {
    let name = Arn::new(&*destination.bucket)
        .ok()
        .filter(|arn| arn.service() == "s3" && !arn.resource().contains('/'))
        .map(|arn| arn.resource().to_owned())
        .ok_or_else(|| s3_error!(InvalidArgument, "Invalid bucket ARN."))?;
    if name == source {
        return Err(invalid("Destination bucket cannot be the same as the source bucket."));
    }
    // observed, this message and the next
    let bucket =
        state.found_bucket(&name).ok_or_else(|| invalid("Destination bucket must exist."))?;
    if *bucket.versioning.at(state.now()) != Versioning::Enabled {
        return Err(invalid("Destination bucket must have versioning enabled."));
    }
    // S3 User Guide, "Requirements and considerations for replication".
    let locked = state.buckets.0.get(source).is_some_and(|source| source.object_lock.is_some());
    if locked && bucket.object_lock.is_none() {
        return Err(invalid(
            "Object Lock must be enabled on the destination bucket if it is enabled on the source bucket.",
        ));
    }
    match (&destination.account, &destination.access_control_translation) {
        (Some(account), _) if account != bucket.owner.as_str() => {
            Err(invalid("Destination bucket must be owned by the account given as Account."))
        }
        (None, Some(_)) => {
            Err(invalid("Account must be specified if AccessControlTranslation is present."))
        }
        _ => Ok(()),
    }
}
