//! KMS keys: created once, changed, and scheduled for deletion.
//! Not for: aliases (see `alias`) or creating replicas (see `replica_key`).

mod find;
mod unused;

pub(crate) use find::{
    aliases, all_ids, by_tags, describe, details, details_of_others, grants, ids_of, last_use,
    tagged, tags, with_policy,
};

use super::gone;
use super::revive;
use super::{Run, Scheduled, Steps, known_arn, nothing_to_do};
use crate::aws::settle::pause;
use crate::aws::{At, Error};
use crate::failure::Failure;
use crate::manifest::{KeyKind, Topology};
use crate::names::{Arn, KeyId, PairName, Region};
use crate::plan::Action;
use crate::plan::work::{KeyDiffers, KeyMade, Owned};
use crate::policy::Document;
use crate::world::Key;
use aws_sdk_kms::types::Tag;
use aws_smithy_types::retry::RetryConfig;
use find::from_metadata;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
pub(super) use unused::schedule_late_spares;

/// The tag that distinguishes the keys that one run creates, so that a key can be found after a
/// lost response.
const ATTEMPT_TAG: &str = "crrctl:attempt";
/// How long to retry the creation of a key.
const MADE_WITHIN: Duration = Duration::from_mins(5);
/// How long a key whose creation got no response may take to appear in lists, which are eventually
/// consistent.
const LISTED_WITHIN: Duration = Duration::from_secs(30);

/// Converts `tags` to the SDK's type.
pub(super) fn kms_tags(tags: &BTreeMap<String, String>) -> Result<Vec<Tag>, Failure> {
    let tag = |(key, value): (&String, &String)| {
        super::built(Tag::builder().tag_key(key).tag_value(value).build())
    };
    tags.iter().map(tag).collect()
}

pub(super) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &Owned<KeyMade, KeyDiffers>,
) -> Result<Arn, Failure> {
    let region = &action.region;
    match work {
        Owned::Create(_) => create(run, region).await,
        Owned::Update(differs) => {
            let key = run.keys.any_in(region)?;
            change(run, &key, region, differs).await?;
            known_arn(action)
        }
        Owned::Remove(_) => remove(run, action).await,
        Owned::Leave(_) | Owned::Unchanged => Err(nothing_to_do(action)),
    }
}

/// Schedules the deletion of a key of the pair, or of a replica key.
pub(super) async fn remove(run: Run<'_>, action: &Action) -> Result<Arn, Failure> {
    let arn = known_arn(action)?;
    unused::schedule_unless_used(run, &arn, &action.region).await?;
    Ok(arn)
}

/// Tags another pair's key as shared, so that it is not deleted with that pair.
pub(super) async fn mark_shared(
    run: Run<'_>,
    action: &Action,
    pair: &PairName,
) -> Result<Arn, Failure> {
    let (arn, region) = (known_arn(action)?, &action.region);
    let mark = Tag::builder().tag_key(Topology::SHARED_TAG);
    let mark = super::built(mark.tag_value(pair.as_str()).build())?;
    let tag = run.aws.kms(region).tag_resource().key_id(arn.as_str()).tags(mark);
    run.retry(|| async {
        run.aws.paced("kms:TagResource", region, &run.stop).await?;
        tag.clone().send().await.at("kms:TagResource", region)
    })
    .await?;
    Ok(arn)
}

/// Brings the key back, and writes the policy and the tags, where they differ.
pub(super) async fn change(
    run: Run<'_>,
    key: &KeyId,
    region: &Region,
    KeyDiffers { state, policy, tags }: &KeyDiffers,
) -> Result<(), Failure> {
    let kms = run.aws.kms(region);
    if state.is_some() {
        revive::revive(run, key, region).await?;
    }
    if policy.is_some() {
        let policy = run.render(&Document::Key(region.clone()))?.to_string();
        let put = kms.put_key_policy().key_id(key.as_str()).policy_name("default").policy(policy);
        run.retry(|| async {
            run.aws.paced("kms:PutKeyPolicy", region, &run.stop).await?;
            put.clone().send().await.at("kms:PutKeyPolicy", region)
        })
        .await?;
    }
    if !tags.set.is_empty() {
        let tags = kms_tags(&run.scope.topology.key_tags(region))?;
        let tag = kms.tag_resource().key_id(key.as_str()).set_tags(Some(tags));
        run.retry(|| async {
            run.aws.paced("kms:TagResource", region, &run.stop).await?;
            tag.clone().send().await.at("kms:TagResource", region)
        })
        .await?;
    }
    if tags.expires.is_some() {
        let untag = kms.untag_resource().key_id(key.as_str()).tag_keys(Topology::EXPIRES_TAG);
        run.retry(|| async {
            run.aws.paced("kms:UntagResource", region, &run.stop).await?;
            untag.clone().send().await.at("kms:UntagResource", region)
        })
        .await?;
    }
    Ok(())
}

/// Creates a key: the primary key, or the key of one Region. `CreateKey` takes no client token,
/// so after a lost response the key is searched by tag before a second attempt, and the SDK
/// must not retry the call.
async fn create(run: Run<'_>, region: &Region) -> Result<Arn, Failure> {
    let attempt = uuid::Uuid::new_v4().simple().to_string();
    let mut tags = run.scope.topology.key_tags(region);
    tags.insert(ATTEMPT_TAG.to_owned(), attempt.clone());
    // A key policy does not name its key.
    let policy = run.render(&Document::Key(region.clone()))?.to_string();
    let is_multi_region = run.scope.topology.wanted.key.kind == KeyKind::MultiRegion;
    let create = run
        .aws
        .kms(region)
        .create_key()
        .multi_region(is_multi_region)
        .description(run.scope.topology.wanted.key_description())
        .policy(policy)
        .set_tags(Some(kms_tags(&tags)?));
    let once = aws_sdk_kms::config::Builder::new().retry_config(RetryConfig::disabled());
    let call = || async {
        run.aws.paced("kms:CreateKey", region, &run.stop).await?;
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
                run.progress
                    .retrying(&error.code, "the answer was lost: looking for the key by its tag");
                let found = look_for_attempt(&run, region, &attempt).await?;
                found.map_or(Err(error), |key| Ok(Some(key)))
            }
            Err(error) => Err(error),
        }
    };
    let (began, mut tries) = (Instant::now(), 0);
    let created = loop {
        tries += 1;
        match run.retry(call).await {
            Err(failure) if is_worth_another(&failure) && began.elapsed() < MADE_WITHIN => {
                if run.stop.is_ending() {
                    return Err(run.stop.failure_while("the key was being made"));
                }
                run.progress.retrying(
                    failure.aws_code.as_deref().unwrap_or_default(),
                    "no key was made: once more",
                );
                pause(&run.stop, Duration::from_secs(tries.min(10))).await;
            }
            other => break other?,
        }
    };
    let key = created.ok_or_else(|| Failure::bug("CreateKey answered without a key"))?;
    run.keys.make(region, key.id);
    Ok(key.arn)
}

/// Searches the key of `attempt`. Lists are eventually consistent, so the search is repeated
/// before the key counts as not created.
async fn look_for_attempt(
    steps: &Steps,
    region: &Region,
    attempt: &str,
) -> Result<Option<Key>, Error> {
    let started = Instant::now();
    loop {
        let wanted = [(ATTEMPT_TAG, attempt.to_owned())];
        let found =
            by_tags(&steps.aws, region, &wanted, steps.scope.topology.wanted.key.kind, None)
                .await?;
        if let Some(key) = found.into_iter().next() {
            return Ok(Some(key));
        }
        if started.elapsed() > LISTED_WITHIN || steps.stop.is_ending() {
            return Ok(None);
        }
        pause(&steps.stop, Duration::from_secs(2)).await;
    }
}

/// Schedules the deletion of a key and records its state. A key that is deleted or pending
/// deletion is not an error.
pub(super) async fn schedule_key(run: Run<'_>, arn: &Arn, region: &Region) -> Result<(), Failure> {
    let kms = run.aws.kms(region);
    let days = i32::from(run.scope.topology.deletion_window_days());
    let schedule = kms.schedule_key_deletion().key_id(arn.as_str()).pending_window_in_days(days);
    let stands = || async {
        let Some(key) = describe(&run.aws, region, arn.as_str()).await? else {
            return Ok(false);
        };
        let is_pending = key.is_pending_deletion();
        if is_pending {
            run.record.noted().scheduled.add(arn, Scheduled::from(&key));
        }
        Ok(!is_pending)
    };
    let call = || async {
        run.aws.paced("kms:ScheduleKeyDeletion", region, &run.stop).await?;
        match schedule.clone().send().await.at("kms:ScheduleKeyDeletion", region) {
            Ok(output) => {
                if let Some(scheduled) = find::scheduled(&output) {
                    run.record.noted().scheduled.add(arn, scheduled);
                }
                Ok(())
            }
            Err(error)
                if error.is("KMSInvalidStateException") && error.message.contains("pending") =>
            {
                stands().await.map(drop)
            }
            Err(error) => Err(error),
        }
    };
    gone::removed(run, "the key", call, stands).await
}

/// Returns whether KMS may have created the key although no usable response came.
fn may_have_been_done(error: &Error) -> bool {
    error.status.is_none_or(|status| status >= 500) && error.class == crate::aws::Class::Other
}

/// Returns whether another `CreateKey` may succeed: the last one got no usable response, and no key
/// was found.
fn is_worth_another(failure: &Failure) -> bool {
    let code = failure.aws_code.as_deref().unwrap_or_default();
    ["TimedOut", "ConnectionFailed", "AnswerUnreadable", "Internal", "Unavailable"]
        .iter()
        .any(|known| code.contains(known))
}
