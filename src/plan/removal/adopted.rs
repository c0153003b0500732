//! Plans what is removed from an adopted bucket. The bucket itself is kept.
//! Not for: buckets that are deleted (see `removal`).

use crate::events::{Kind, StepId};
use crate::manifest::Topology;
use crate::names::BucketName;
use crate::plan::work::{BucketTagsWork, SharedDocument};
use crate::plan::{Action, Work, lifecycle};
use crate::policy::meaning;
use crate::world::Bucket;

/// Returns the deletions in a bucket that is kept: the pair's policy statements and lifecycle rule,
/// then the pair's tags. The tags are last, because they show that the statements belong to the
/// pair.
pub(in crate::plan) fn given_back(
    topology: &Topology,
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
    if topology.wanted.owns(&bucket.tags) {
        actions.push(take(Work::BucketTags(BucketTagsWork::Remove), needs));
    }
    actions
}
