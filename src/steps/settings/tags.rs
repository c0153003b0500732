//! Bucket tags. `CreateBucket` sets them. This step confirms them, and later adds missing tags. It
//! ends only when the pair's tags appear, because the steps for the bucket's settings depend on it:
//! a bucket with settings and without tags counts as another owner's.
//! Not for: the tags of keys and roles (see `key` and `role`).

use crate::aws::settle::{Look, Wait, retry, until};
use crate::aws::{At, Aws, Error};
use crate::events::Progress;
use crate::failure::{Failure, Kind};
use crate::manifest::{BucketPlace, Topology};
use crate::names::{Arn, BucketName, Region};
use crate::plan::Action;
use crate::plan::work::BucketTagsWork;
use crate::steps::{Steps, known_arn, nothing_to_do};
use crate::world::Tags;
use aws_sdk_s3::types::{Tag, Tagging};
use std::time::Duration;

/// How long the tags of `CreateBucket` may take to appear before they are written again. Some
/// emulators ignore them in `CreateBucket`.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// How long written tags may take to appear:
/// "bucket configurations have an eventual consistency model" (S3 User Guide,
/// "Amazon S3 data consistency model"), which names no bound.
const SHOWN_WITHIN: Duration = Duration::from_mins(2);

/// The code with which a bucket with ABAC refuses a whole set of tags.
const FIXED_BY_ABAC: &str = "MethodNotAllowed";

pub(crate) async fn find(aws: &Aws, bucket: &BucketName, region: &Region) -> Result<Tags, Error> {
    let request = aws.s3(region).get_bucket_tagging().bucket(bucket.as_str());
    match request.send().await.at("s3:GetBucketTagging", region) {
        Ok(output) => Ok(output
            .tag_set()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect()),
        Err(error) if error.is_absent() => Ok(Tags::new()),
        Err(error) => Err(error),
    }
}

impl Steps {
    pub(in crate::steps) async fn run_bucket_tags(
        &self,
        action: &Action,
        work: &BucketTagsWork,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        match work {
            BucketTagsWork::Create(_) => self.apply_bucket_tags(action, true, progress).await,
            BucketTagsWork::Adopt(_) | BucketTagsWork::Update(_) => {
                self.apply_bucket_tags(action, false, progress).await
            }
            BucketTagsWork::Remove => {
                let bucket = BucketName::new(&action.name)?;
                let place = BucketPlace { region: action.region.clone(), bucket };
                self.remove_probes(&self.scope.topology.wanted.side(place.clone()), progress)
                    .await?;
                self.remove_bucket_tags(&place.bucket, &place.region, progress).await?;
                known_arn(action)
            }
            BucketTagsWork::Unchanged => Err(nothing_to_do(action)),
        }
    }

    /// Writes the pair's tags. `PutBucketTagging` replaces the whole set, so the tags of other
    /// owners are read again and kept.
    async fn apply_bucket_tags(
        &self,
        action: &Action,
        is_new: bool,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let side = self.scope.side(&action.name)?;
        let (bucket, region) = (&side.bucket, &side.region);
        let live = if is_new {
            self.tags_of_new(bucket, region, progress).await?
        } else {
            find(&self.aws, bucket, region).await?
        };
        if let Some(other) =
            live.get(Topology::ID_TAG).filter(|id| **id != self.scope.topology.wanted.id())
        {
            let message = format!("the bucket `{bucket}` belongs to another pair, {other}");
            return Err(Failure::new(Kind::InTheWay, "bucket-not-ours", message)
                .in_region(region)
                .hint("use another name for this pair or its buckets"));
        }
        let mut all = live.clone();
        if self.scope.topology.found.expires.is_none() {
            all.remove(Topology::EXPIRES_TAG);
        }
        all.extend(self.scope.topology.bucket_tags(bucket));
        if all != live {
            self.replaces(action, (!live.is_empty()).then(|| serde_json::json!(live)));
            self.put_tags(bucket, region, &all, progress).await?;
        }
        if !self.scope.topology.wanted.owns(&live) {
            self.until_shown(bucket, region, SHOWN_WITHIN, progress, |it| {
                self.scope.topology.wanted.owns(it)
            })
            .await?;
        }
        Ok(self.scope.bucket_arn(bucket))
    }

    /// Returns the tags of a bucket that this run created, as soon as any appear.
    async fn tags_of_new(
        &self,
        bucket: &BucketName,
        region: &Region,
        progress: &Progress,
    ) -> Result<Tags, Failure> {
        let is_tagged = |tags: &Tags| !tags.is_empty();
        match self.until_shown(bucket, region, TAKEN_WITHIN, progress, is_tagged).await {
            Err(failure) if failure.code == "too-late" => Ok(Tags::new()),
            shown => shown,
        }
    }

    async fn until_shown(
        &self,
        bucket: &BucketName,
        region: &Region,
        at_most: Duration,
        progress: &Progress,
        is_so: impl Fn(&Tags) -> bool,
    ) -> Result<Tags, Failure> {
        let wait = Wait {
            what: format!("the tags of the bucket `{bucket}` to show"),
            every: Duration::from_millis(250),
            at_most_every: Duration::from_secs(2),
            at_most,
            in_a_row: 1,
            hint: "run the command again: what stands is found again".to_owned(),
        };
        let look = || async {
            let tags = find(&self.aws, bucket, region).await?;
            Ok(if is_so(&tags) {
                Look::There(tags)
            } else {
                Look::NotYet("they do not show yet".to_owned())
            })
        };
        until(&self.stop, progress, &wait, look).await
    }

    /// Removes crrctl's own tags from a bucket that stays.
    async fn remove_bucket_tags(
        &self,
        bucket: &BucketName,
        region: &Region,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let mut tags = find(&self.aws, bucket, region).await?;
        if !self.scope.topology.wanted.owns(&tags) {
            return Ok(());
        }
        tags.retain(|key, _| !key.starts_with(Topology::TAG_PREFIX));
        self.put_tags(bucket, region, &tags, progress).await
    }

    pub(in crate::steps) async fn put_tags(
        &self,
        bucket: &BucketName,
        region: &Region,
        tags: &Tags,
        progress: &Progress,
    ) -> Result<(), Failure> {
        match self.replace_tags(bucket, region, tags, progress).await {
            Err(failure) if failure.aws_code.as_deref() == Some(FIXED_BY_ABAC) => {
                self.tag_one_by_one(bucket, region, tags, progress).await
            }
            done => done,
        }
    }

    /// Adds and takes away single tags. A bucket with ABAC takes no whole set of tags (S3 API
    /// Reference, `PutBucketAbac`).
    async fn tag_one_by_one(
        &self,
        bucket: &BucketName,
        region: &Region,
        tags: &Tags,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let live = find(&self.aws, bucket, region).await?;
        let account = self.scope.topology.wanted.account_of(region).as_str();
        let (s3control, arn) = (self.aws.s3control_in(region), self.scope.bucket_arn(bucket));
        let gone: Vec<String> =
            live.keys().filter(|key| !tags.contains_key(*key)).cloned().collect();
        if !gone.is_empty() {
            let untag = s3control.untag_resource().account_id(account).resource_arn(arn.as_str());
            let untag = untag.set_tag_keys(Some(gone));
            retry(&self.stop, progress, || async {
                untag.clone().send().await.at("s3:UntagResource", region)
            })
            .await?;
        }
        let new = tags.iter().filter(|(key, value)| live.get(*key) != Some(value));
        let new = new.map(|(key, value)| {
            let tag = aws_sdk_s3control::types::Tag::builder().key(key).value(value);
            crate::steps::built(tag.build())
        });
        let new = new.collect::<Result<Vec<_>, _>>()?;
        if new.is_empty() {
            return Ok(());
        }
        let tag = s3control.tag_resource().account_id(account).resource_arn(arn.as_str());
        let tag = tag.set_tags(Some(new));
        retry(&self.stop, progress, || async {
            tag.clone().send().await.at("s3:TagResource", region)
        })
        .await?;
        Ok(())
    }

    async fn replace_tags(
        &self,
        bucket: &BucketName,
        region: &Region,
        tags: &Tags,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let s3 = self.aws.s3(region);
        if tags.is_empty() {
            let delete = s3.delete_bucket_tagging().bucket(bucket.as_str());
            retry(&self.stop, progress, || async {
                delete.clone().send().await.at("s3:DeleteBucketTagging", region)
            })
            .await?;
            return Ok(());
        }
        let tag = |(key, value)| crate::steps::built(Tag::builder().key(key).value(value).build());
        let tags = tags.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        let tagging = crate::steps::built(Tagging::builder().set_tag_set(Some(tags)).build())?;
        let put = s3.put_bucket_tagging().bucket(bucket.as_str()).tagging(tagging);
        retry(&self.stop, progress, || async {
            put.clone().send().await.at("s3:PutBucketTagging", region)
        })
        .await?;
        Ok(())
    }
}
