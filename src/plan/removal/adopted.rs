//! Plans what is removed from an adopted bucket. The bucket itself is kept.
//! Not for: buckets that are deleted (see `removal`).

use crate::events::{Kind, StepId};
use crate::manifest::{BucketPlace, PairKeys, Topology};
use crate::names::BucketName;
use crate::plan::work::{BucketTagsWork, SharedDocument};
use crate::plan::{Action, Work, alerts, lifecycle};
use crate::policy::meaning;
use crate::settings::{Change, Stays};
use crate::world::Bucket;

/// Returns the changes in a bucket that is kept: the pair's policy statements, lifecycle rule and
/// notification go,
/// what the pair changed is put back as it was, then the pair's tags go. The tags are last, because they show that the statements belong to the
/// pair.
pub(in crate::plan) fn given_back(
    topology: &Topology,
    keys: &PairKeys,
    name: &BucketName,
    bucket: &Bucket,
    rules: &[StepId],
) -> Vec<Action> {
    let region = bucket.region.as_ref().unwrap_or(&topology.source.region);
    let take = |work, needs| {
        let arn = Some(name.arn(topology.wanted.partition()));
        Action::new(work, name.as_str(), region, name.as_str(), arn, needs)
    };
    let mut actions = Vec::new();
    let mut needs = rules.to_vec();
    if topology.wanted.owns(&bucket.tags) && bucket.policy.as_ref().is_some_and(meaning::has_ours) {
        actions.push(take(Work::BucketPolicy(SharedDocument::Remove), needs.clone()));
        needs.push(StepId::new(Kind::BucketPolicy, name.as_str()));
    }
    if topology.wanted.owns(&bucket.tags)
        && bucket.lifecycle.iter().any(|rule| lifecycle::is_ours(topology, &rule.id))
    {
        actions.push(take(Work::Lifecycle(SharedDocument::Remove), needs.clone()));
        needs.push(StepId::new(Kind::Lifecycle, name.as_str()));
    }
    if topology.wanted.owns(&bucket.tags) && alerts::ours(topology, &bucket.notifications).is_some()
    {
        actions.push(take(Work::Notification(SharedDocument::Remove), needs.clone()));
        needs.push(StepId::new(Kind::Notification, name.as_str()));
    }
    if topology.wanted.owns(&bucket.tags) {
        let (changes, _) = put_back(topology, keys, name, bucket);
        for change in changes {
            needs.push(StepId::new(change.kind(), name.as_str()));
            actions.push(take(Work::Document(change), rules.to_vec()));
        }
        actions.push(take(Work::BucketTags(BucketTagsWork::Remove), needs));
    }
    actions
}

/// Returns what is put back in an adopted bucket, and what stays otherwise than it was.
fn put_back(
    topology: &Topology,
    keys: &PairKeys,
    name: &BucketName,
    bucket: &Bucket,
) -> (Vec<Change>, Vec<Stays>) {
    let region = bucket.region.as_ref().unwrap_or(&topology.source.region);
    let place = BucketPlace { region: region.clone(), bucket: name.clone() };
    let key = topology.wanted.key_arn(keys, &topology.wanted.side(place));
    bucket.documents.put_back(&bucket.tags, key.as_ref())
}

/// Returns what the pair changed in an adopted bucket and is not put back, each with the reason.
pub(super) fn stays(
    topology: &Topology,
    keys: &PairKeys,
    name: &BucketName,
    bucket: &Bucket,
) -> Vec<String> {
    if !topology.wanted.owns(&bucket.tags) {
        return Vec::new();
    }
    let (_, stays) = put_back(topology, keys, name, bucket);
    let told = stays.into_iter().map(|Stays { kind, why, was }| {
        let why = why.unwrap_or("stays, since somebody changed it after the pair did");
        format!("{kind} {why}, before the pair {was}")
    });
    told.collect()
}
