//! Refuses, before any write, a plan whose writes AWS would refuse because too much stands in one place: tags, rules,
//! entries, statements. What others have there counts, and the reads show it.
//! Not for: quotas of an account, which no read shows, or the size of a document of ours alone (see `policy`).

use super::{Builder, in_the_way};
use crate::failure::Failure;
use crate::manifest::{Side, Topology};
use crate::names::Region;
use crate::plan::work::{BucketTagsWork, Owned, SharedDocument, TagsDiffer};
use crate::plan::{Action, Work, lifecycle, rules};
use crate::world::{Key, Tags};

/// A quota of AWS.
struct Quota {
    /// What it counts.
    of: &'static str,
    /// How many there may be.
    most: usize,
}

/// S3 User Guide, "Using cost allocation S3 bucket tags".
const BUCKET_TAGS: Quota = Quota { of: "tags", most: 50 };
/// IAM User Guide, "IAM and AWS STS quotas"; KMS Developer Guide, "Resource quotas".
const OTHER_TAGS: Quota = Quota { of: "tags", most: 50 };
/// S3 User Guide, "Replication configuration file elements".
const RULES: Quota = Quota { of: "replication rules", most: 1000 };
/// S3 User Guide, "Lifecycle configuration elements".
const LIFECYCLE: Quota = Quota { of: "lifecycle rules", most: 1000 };
/// S3 API Reference, `PutBucketNotificationConfiguration`.
const ENTRIES: Quota = Quota { of: "notifications", most: 100 };
/// S3 User Guide, "Bucket policies for Amazon S3".
const POLICY: Quota = Quota { of: "bytes of bucket policy", most: 20_480 };

impl Quota {
    /// Returns the refusal if `theirs` and `ours`, which the pair has there, are too many.
    fn check(
        &self,
        place: &str,
        region: &Region,
        (theirs, ours): (usize, usize),
    ) -> Result<(), Failure> {
        let Self { of, most } = self;
        let Some(over) = (theirs + ours).checked_sub(*most).filter(|over| *over > 0) else {
            return Ok(());
        };
        let message = format!(
            "{place} would have {} {of}: {theirs} of others and {ours} of the pair, and AWS takes {most}",
            theirs + ours
        );
        let failure = in_the_way("over-quota", message, region);
        Err(failure.hint(format!(
            "nothing was changed; remove {over} of the {of} of others, then run the command again"
        )))
    }
}

impl Builder<'_> {
    /// Refuses what the reads show to be too much.
    pub(super) fn quotas(&self) -> Result<(), Failure> {
        self.plan.actions.iter().try_for_each(|action| self.room_for_tags(action))?;
        for side in self.topology.sides() {
            self.room_in_bucket(side)?;
        }
        for direction in self.topology.directions() {
            let (name, region) = place(&direction.source);
            let live = self.world.buckets.get(&direction.source.bucket);
            let live = live.and_then(|it| it.replication.as_ref());
            let theirs = live.map_or(0, |live| rules::foreign(&direction, live).count());
            RULES.check(&name, region, (theirs, direction.rules.len()))?;
        }
        Ok(())
    }

    fn room_in_bucket(&self, side: &Side) -> Result<(), Failure> {
        let Some(live) = self.world.buckets.get(&side.bucket) else { return Ok(()) };
        let (name, region) = place(side);
        let is_made = |made: &dyn Fn(&Work) -> bool| {
            let here = self.plan.actions.iter().filter(|it| it.name == side.bucket.as_str());
            here.map(|it| &it.work).any(made)
        };
        if is_made(&|work| matches!(work, Work::Lifecycle(SharedDocument::Create(_)))) {
            let theirs =
                live.lifecycle.iter().filter(|it| !lifecycle::is_ours(self.topology, &it.id));
            LIFECYCLE.check(&name, region, (theirs.count(), 1))?;
        }
        if is_made(&|work| matches!(work, Work::Notification(SharedDocument::Create(_)))) {
            ENTRIES.check(&name, region, (live.notifications.entries.len(), 1))?;
        }
        let Some(theirs) = live.policy.as_ref() else { return Ok(()) };
        let merged = self.bucket_policy(side, Some(theirs))?.map_or(0, |it| it.to_string().len());
        let theirs = theirs.to_string().len().min(merged);
        POLICY.check(&name, region, (theirs, merged - theirs))
    }

    /// Refuses tags for which there is no room beside those of others.
    fn room_for_tags(&self, action: &Action) -> Result<(), Failure> {
        let (quota, what, tags, live) = match &action.work {
            Work::BucketTags(BucketTagsWork::Update(tags)) => {
                let live = self.world.buckets.iter().find(|(name, _)| name.as_str() == action.name);
                (BUCKET_TAGS, "the bucket", tags, live.map(|(_, bucket)| &bucket.tags))
            }
            Work::Role(Owned::Update(differs)) => {
                let roles = self.world.role.iter().chain(self.world.reverse_roles.values());
                let live = roles
                    .chain(&self.world.batch.role)
                    .find(|it| Some(&it.arn) == action.arn.as_ref());
                (OTHER_TAGS, "the role", &differs.tags, live.map(|role| &role.tags))
            }
            Work::Key(Owned::Update(differs)) | Work::ReplicaKey(Owned::Update(differs)) => {
                (OTHER_TAGS, "the key of", &differs.tags, self.tags_of_key(action))
            }
            Work::Key(_)
            | Work::SharedKey(_)
            | Work::ReplicaKey(_)
            | Work::Alias(_)
            | Work::Rotation(_)
            | Work::Bucket(_)
            | Work::BucketTags(_)
            | Work::Document(_)
            | Work::BucketPolicy(_)
            | Work::Lifecycle(_)
            | Work::Notification(_)
            | Work::Role(_)
            | Work::RolePolicy(_)
            | Work::Rules(_)
            | Work::DroppedRule(_)
            | Work::Alarm(_) => return Ok(()),
        };
        let Some(live) = live else { return Ok(()) };
        let (theirs, ours) = counted(live, tags);
        quota.check(&format!("{what} `{}`", action.name), &action.region, (theirs, ours))
    }

    fn tags_of_key(&self, action: &Action) -> Option<&Tags> {
        let keys = &self.world.keys;
        let all = keys.primary.iter().chain(keys.replicas.values()).chain(keys.existing.values());
        let is_it = |key: &&Key| Some(&key.arn) == action.arn.as_ref();
        all.into_iter().find(is_it).map(|key| &key.tags)
    }
}

/// Returns how many tags stay beside those of the change, and how many of the pair there are then.
fn counted(live: &Tags, tags: &TagsDiffer) -> (usize, usize) {
    let goes = |key: &String| tags.set.contains_key(key) || is_expiry(key, tags);
    let is_ours = |key: &String| key.starts_with(Topology::TAG_PREFIX);
    let stay: Vec<&String> = live.keys().filter(|key| !goes(key)).collect();
    let ours = stay.iter().filter(|key| is_ours(key)).count();
    (stay.len() - ours, ours + tags.set.len())
}

fn is_expiry(key: &str, tags: &TagsDiffer) -> bool {
    tags.expires.is_some() && key == Topology::EXPIRES_TAG
}

/// Returns a bucket for people, and its Region.
fn place(side: &Side) -> (String, &Region) {
    (format!("the bucket `{}`", side.bucket), &side.region)
}
