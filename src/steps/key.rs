//! KMS keys: found by id, alias or tags, made once, changed, and scheduled for deletion.
//! Not for: aliases (see `alias`) or making replicas (see `replica_key`).

use super::{Steps, unexpected};
use crate::aws::settle::{pause, retry};
use crate::aws::{At, Aws, Error};
use crate::events::Progress;
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::names::{Arn, KeyId, Region};
use crate::plan::Action;
use crate::policy::Document;
use crate::world::{Key, KeyState, MultiRegion, Tags};
use aws_sdk_kms::types::{KeyMetadata, MultiRegionKeyType, Tag};
use aws_smithy_types::retry::RetryConfig;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// A key that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// `PendingDeletion` or, for a primary with replicas, `PendingReplicaDeletion`.
    pub state: KeyState,
    /// When it goes; a primary with replicas has no date until the last of them is gone.
    pub deletion_date: Option<Timestamp>,
}

/// Tells the keys that one run made apart, so that a lost answer can be looked up.
const ATTEMPT_TAG: &str = "crrctl:attempt";
/// How long a key whose creation was not answered may take to show in lists, which are eventually consistent.
const LISTED_WITHIN: Duration = Duration::from_secs(30);

/// Finds the key that `id` names: a key id, an ARN or an alias. Policy, tags and rotation are not read (see [`details`]).
pub(crate) async fn describe(aws: &Aws, region: &Region, id: &str) -> Result<Option<Key>, Error> {
    let answer =
        aws.kms(region).describe_key().key_id(id).send().await.at("kms:DescribeKey", region);
    match answer {
        Ok(output) => {
            output.key_metadata().map(|metadata| from_metadata(metadata, region)).transpose()
        }
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

fn from_metadata(metadata: &KeyMetadata, region: &Region) -> Result<Key, Error> {
    let unreadable = |what: &str| Error {
        operation: "kms:DescribeKey",
        region: region.clone(),
        code: "AnswerUnreadable".to_owned(),
        message: format!("the answer's {what} can't be read"),
        status: None,
        request_id: None,
        class: crate::aws::Class::Other,
    };
    let state = match metadata.key_state().map_or("Enabled", |state| state.as_str()) {
        "Creating" => KeyState::Creating,
        "Enabled" => KeyState::Enabled,
        "Disabled" => KeyState::Disabled,
        "PendingDeletion" => KeyState::PendingDeletion,
        "PendingReplicaDeletion" => KeyState::PendingReplicaDeletion,
        other => KeyState::Other(other.to_owned()),
    };
    let place = metadata.multi_region_configuration().map(|place| {
        let primary_region = place.primary_key().and_then(|key| key.region()).unwrap_or_default();
        Ok(MultiRegion {
            primary: place.multi_region_key_type() == Some(&MultiRegionKeyType::Primary),
            primary_region: Region::new(primary_region)
                .map_err(|_| unreadable("primary Region"))?,
            replica_regions: place
                .replica_keys()
                .iter()
                .filter_map(|key| key.region())
                .map(|region| Region::new(region).map_err(|_| unreadable("replica Regions")))
                .collect::<Result<_, Error>>()?,
        })
    });
    let time = |date: Option<&aws_smithy_types::DateTime>| {
        date.and_then(|date| Timestamp::from_second(date.secs()).ok())
    };
    Ok(Key {
        id: KeyId::new(metadata.key_id()).map_err(|_| unreadable("key id"))?,
        arn: Arn::new(metadata.arn().unwrap_or_default()).map_err(|_| unreadable("ARN"))?,
        region: region.clone(),
        state,
        multi_region: place.transpose()?,
        tags: Tags::new(),
        policy: Value::Null,
        rotation_days: None,
        created: time(metadata.creation_date()).unwrap_or_default(),
        deletion_date: time(metadata.deletion_date()),
    })
}

/// Reads a key's policy, tags and, for a primary, rotation.
pub(crate) async fn details(aws: &Aws, key: Key) -> Result<Key, Error> {
    let is_primary = key.multi_region.as_ref().is_some_and(|place| place.primary);
    let (policy, tags, rotation_days) =
        tokio::try_join!(policy(aws, &key), tags(aws, &key.region, key.id.as_str()), async {
            if is_primary { rotation(aws, &key).await } else { Ok(None) }
        },)?;
    Ok(Key { tags, policy, rotation_days, ..key })
}

async fn policy(aws: &Aws, key: &Key) -> Result<Value, Error> {
    let request =
        aws.kms(&key.region).get_key_policy().key_id(key.id.as_str()).policy_name("default");
    let output = request.send().await.at("kms:GetKeyPolicy", &key.region)?;
    // A text that is no JSON can't mean the same as ours: it will be written over.
    Ok(serde_json::from_str(output.policy().unwrap_or_default()).unwrap_or(Value::Null))
}

async fn rotation(aws: &Aws, key: &Key) -> Result<Option<u32>, Error> {
    let request = aws.kms(&key.region).get_key_rotation_status().key_id(key.id.as_str());
    match request.send().await.at("kms:GetKeyRotationStatus", &key.region) {
        Ok(output) if output.key_rotation_enabled() => Ok(output
            .rotation_period_in_days()
            .and_then(|days| u32::try_from(days).ok())
            .or(Some(365))),
        Ok(_) => Ok(None),
        // KMS does not tell for a key that is pending deletion.
        Err(error) if error.is("KMSInvalidStateException") => Ok(None),
        Err(error) => Err(error),
    }
}

async fn tags(aws: &Aws, region: &Region, id: &str) -> Result<Tags, Error> {
    let mut tags = Tags::new();
    let mut marker = None;
    loop {
        let request = aws.kms(region).list_resource_tags().key_id(id).set_marker(marker);
        let output = request.send().await.at("kms:ListResourceTags", region)?;
        tags.extend(
            output.tags().iter().map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned())),
        );
        marker = output.next_marker().map(str::to_owned);
        if !output.truncated() || marker.is_none() {
            return Ok(tags);
        }
    }
}

/// Returns the multi-Region keys in `region` whose tags include `wanted`. Keys whose tags the caller may not read are skipped;
/// if that is so for all, the refusal stands.
pub(crate) async fn by_tags(
    aws: &Aws,
    region: &Region,
    wanted: &[(&str, String)],
) -> Result<Vec<Key>, Error> {
    let ids = multi_region_ids(aws, region).await?;
    let count = ids.len();
    let read = |id: String| async move {
        match tags(aws, region, &id).await {
            Ok(tags) => Ok((id, Some(tags), None)),
            Err(error) if error.class == crate::aws::Class::Denied => Ok((id, None, Some(error))),
            Err(error) if error.is_absent() => Ok((id, Some(Tags::new()), None)),
            Err(error) => Err(error),
        }
    };
    let read: Vec<_> = stream::iter(ids).map(read).buffer_unordered(8).try_collect().await?;
    let denied = read.iter().filter(|(_, tags, _)| tags.is_none()).count();
    if denied > 0 && denied == count {
        return Err(read
            .into_iter()
            .find_map(|(_, _, error)| error)
            .unwrap_or_else(|| unreachable_denial(region)));
    }
    let mut found = Vec::new();
    for (id, tags, _) in read {
        let Some(tags) = tags else { continue };
        if wanted.iter().all(|(key, value)| tags.get(*key) == Some(value))
            && let Some(key) = describe(aws, region, &id).await?
        {
            found.push(Key { tags, ..key });
        }
    }
    found.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
    Ok(found)
}

fn unreachable_denial(region: &Region) -> Error {
    Error {
        operation: "kms:ListResourceTags",
        region: region.clone(),
        code: "AccessDeniedException".to_owned(),
        message: "the tags of no key may be read".to_owned(),
        status: Some(400),
        request_id: None,
        class: crate::aws::Class::Denied,
    }
}

async fn multi_region_ids(aws: &Aws, region: &Region) -> Result<Vec<String>, Error> {
    let mut ids = Vec::new();
    let mut marker = None;
    loop {
        let request = aws.kms(region).list_keys().limit(1000).set_marker(marker);
        let output = request.send().await.at("kms:ListKeys", region)?;
        ids.extend(
            output
                .keys()
                .iter()
                .filter_map(|key| key.key_id())
                .filter(|id| id.starts_with("mrk-"))
                .map(str::to_owned),
        );
        marker = output.next_marker().map(str::to_owned);
        if !output.truncated() || marker.is_none() {
            return Ok(ids);
        }
    }
}

/// Returns `tags` as KMS takes them.
pub(super) fn kms_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, Failure> {
    let tag = |(key, value): (&String, &String)| {
        super::built(Tag::builder().tag_key(key).tag_value(value).build())
    };
    tags.iter().map(tag).collect()
}

impl Steps {
    pub(super) async fn apply_key(
        &self,
        action: &Action,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let region = &action.region;
        let Some(arn) = &action.arn else { return self.create_key(region, progress).await };
        let key = self.any_key()?;
        self.change_key(&key, action, progress).await?;
        Ok(arn.clone())
    }

    /// Writes the policy and the tags that differ.
    pub(super) async fn change_key(
        &self,
        key: &KeyId,
        action: &Action,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let (region, kms) = (&action.region, self.aws.kms(&action.region));
        if action.fields.contains(&"policy") {
            let policy = self.render(&Document::Key(region.clone()), key)?.to_string();
            let put =
                kms.put_key_policy().key_id(key.as_str()).policy_name("default").policy(policy);
            retry(&self.stop, progress, || async {
                put.clone().send().await.at("kms:PutKeyPolicy", region)
            })
            .await?;
        }
        if action.fields.contains(&"tags") {
            let tags = kms_tags(&self.topology.all_tags())?;
            let tag = kms.tag_resource().key_id(key.as_str()).set_tags(Some(tags));
            retry(&self.stop, progress, || async {
                tag.clone().send().await.at("kms:TagResource", region)
            })
            .await?;
        }
        Ok(())
    }

    /// Makes the primary key. `CreateKey` takes no client token, so a lost answer is looked up by tag before a second try, and
    /// the SDK must not repeat the call by itself.
    async fn create_key(&self, region: &Region, progress: &Progress) -> Result<Arn, Failure> {
        let attempt = uuid::Uuid::new_v4().simple().to_string();
        let mut tags = self.topology.all_tags();
        tags.insert(ATTEMPT_TAG.to_owned(), attempt.clone());
        // The policy of a key does not name the key.
        let some_key = KeyId::new("mrk-00000000000000000000000000000000")?;
        let policy = self.render(&Document::Key(region.clone()), &some_key)?.to_string();
        let create = self
            .aws
            .kms(region)
            .create_key()
            .multi_region(true)
            .description(description(&self.topology))
            .policy(policy)
            .set_tags(Some(kms_tags(&tags)?));
        let once = aws_sdk_kms::config::Builder::new().retry_config(RetryConfig::disabled());
        let call = || async {
            let sent = create.clone().customize().config_override(once.clone()).send().await;
            match sent.at("kms:CreateKey", region) {
                Ok(output) => {
                    let key = output
                        .key_metadata()
                        .map(|metadata| from_metadata(metadata, region))
                        .transpose()?;
                    Ok(key)
                }
                Err(error) if may_have_been_done(&error) => {
                    progress.retrying(
                        &error.code,
                        "the answer was lost: looking for the key by its tag",
                    );
                    let found = self.look_for_attempt(region, &attempt).await?;
                    found.map_or(Err(error), |key| Ok(Some(key)))
                }
                Err(error) => Err(error),
            }
        };
        let mut tries = 0;
        let created = loop {
            tries += 1;
            match retry(&self.stop, progress, call).await {
                Err(failure)
                    if tries < 4 && is_worth_another(&failure) && !self.stop.is_ending() =>
                {
                    progress.retrying(
                        failure.aws_code.as_deref().unwrap_or_default(),
                        "no key was made: once more",
                    );
                    pause(&self.stop, Duration::from_secs(tries)).await;
                }
                other => break other?,
            }
        };
        let key = created.ok_or_else(|| unexpected("CreateKey answered without a key"))?;
        self.set_candidate(key.id);
        Ok(key.arn)
    }

    /// Lists lag, so the look is repeated before the key is taken for not made.
    async fn look_for_attempt(&self, region: &Region, attempt: &str) -> Result<Option<Key>, Error> {
        let started = Instant::now();
        loop {
            let found = by_tags(&self.aws, region, &[(ATTEMPT_TAG, attempt.to_owned())]).await?;
            if let Some(key) = found.into_iter().next() {
                return Ok(Some(key));
            }
            if started.elapsed() > LISTED_WITHIN || self.stop.is_ending() {
                return Ok(None);
            }
            pause(&self.stop, Duration::from_secs(2)).await;
        }
    }

    /// Schedules the deletion of a key and notes what became of it. A key that is gone or pending already is as wished.
    pub(super) async fn schedule_key(
        &self,
        arn: &Arn,
        region: &Region,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let kms = self.aws.kms(region);
        let days = i32::from(self.topology.key.deletion_window_days);
        let schedule =
            kms.schedule_key_deletion().key_id(arn.as_str()).pending_window_in_days(days);
        let call = || async {
            match schedule.clone().send().await.at("kms:ScheduleKeyDeletion", region) {
                Ok(_) => Ok(()),
                Err(error) if error.is_absent() => Ok(()),
                Err(error)
                    if error.is("KMSInvalidStateException")
                        && error.message.contains("pending") =>
                {
                    Ok(())
                }
                Err(error) => Err(error),
            }
        };
        retry(&self.stop, progress, call).await?;
        if let Some(key) = describe(&self.aws, region, arn.as_str()).await? {
            let scheduled = Scheduled { state: key.state, deletion_date: key.deletion_date };
            let mut all = self.scheduled.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            all.insert(arn.clone(), scheduled);
        }
        Ok(())
    }
}

/// Returns what the key's description says.
pub(super) fn description(topology: &Topology) -> String {
    format!("S3 replication of the pair {} (crrctl)", topology.name)
}

/// Whether KMS may have made the key although no good answer came.
fn may_have_been_done(error: &Error) -> bool {
    error.status.is_none_or(|status| status >= 500) && error.class == crate::aws::Class::Other
}

/// Whether a second `CreateKey` may do better: throttled, or not answered and no key found.
fn is_worth_another(failure: &Failure) -> bool {
    let code = failure.aws_code.as_deref().unwrap_or_default();
    [
        "Throttling",
        "TimedOut",
        "ConnectionFailed",
        "AnswerUnreadable",
        "Internal",
        "Unavailable",
        "LimitExceeded",
    ]
    .iter()
    .any(|known| code.contains(known))
}
