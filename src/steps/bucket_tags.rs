//! A bucket's tags. They ride on `CreateBucket`; this step confirms that they took, and later adds what is missing.

use super::Steps;
use crate::aws::settle::retry;
use crate::aws::{At, Aws, Error};
use crate::events::Progress;
use crate::failure::{Failure, Kind};
use crate::manifest::Topology;
use crate::names::{Arn, BucketName, Region};
use crate::plan::Action;
use crate::world::Tags;
use aws_sdk_s3::types::{Tag, Tagging};

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
    /// `PutBucketTagging` replaces the whole set, so the tags of others are read again and kept.
    pub(super) async fn apply_bucket_tags(
        &self,
        action: &Action,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let side = self.side(&action.name)?;
        let (bucket, region) = (&side.bucket, &side.region);
        let live = find(&self.aws, bucket, region).await?;
        if let Some(other) = live.get(Topology::ID_TAG).filter(|id| **id != self.topology.id()) {
            let message = format!("the bucket `{bucket}` belongs to another pair, {other}");
            return Err(Failure::new(Kind::InTheWay, "bucket-not-ours", message)
                .in_region(region)
                .hint("use another name for this pair or its buckets"));
        }
        let mut all = live.clone();
        if self.topology.expires.is_none() {
            all.remove(Topology::EXPIRES_TAG);
        }
        all.extend(self.topology.bucket_tags(bucket));
        if all != live {
            self.replaces(action, !live.is_empty(), || serde_json::json!(live));
            self.put_tags(bucket, region, all, progress).await?;
        }
        Ok(self.bucket_arn(bucket))
    }

    /// Takes crrctl's own tags off a bucket that stays.
    pub(super) async fn remove_bucket_tags(
        &self,
        bucket: &BucketName,
        region: &Region,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let mut tags = find(&self.aws, bucket, region).await?;
        if !self.topology.owns(&tags) {
            return Ok(());
        }
        tags.retain(|key, _| !key.starts_with(Topology::TAG_PREFIX));
        self.put_tags(bucket, region, tags, progress).await
    }

    async fn put_tags(
        &self,
        bucket: &BucketName,
        region: &Region,
        tags: Tags,
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
        let tag = |(key, value)| super::built(Tag::builder().key(key).value(value).build());
        let tags = tags.into_iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        let tagging = super::built(Tagging::builder().set_tag_set(Some(tags)).build())?;
        let put = s3.put_bucket_tagging().bucket(bucket.as_str()).tagging(tagging);
        retry(&self.stop, progress, || async {
            put.clone().send().await.at("s3:PutBucketTagging", region)
        })
        .await?;
        Ok(())
    }
}
