//! Bucket tags. `CreateBucket` sets them. This step confirms them, and later adds missing tags. It
//! ends only when the pair's tags appear, because the steps for the bucket's settings depend on it:
//! a bucket with settings and without tags counts as another owner's.
//! Not for: the tags of keys and roles (see `key` and `role`).

use crate::aws::settle::{Look, Wait};
use crate::aws::{At, Aws, Error};
use crate::failure::{Failure, Kind};
use crate::manifest::{BucketPlace, Topology};
use crate::names::{Arn, BucketName, Region};
use crate::plan::Action;
use crate::plan::work::BucketTagsWork;
use crate::steps::bucket;
use crate::steps::{Run, known_arn, nothing_to_do};
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

pub(in crate::steps) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &BucketTagsWork,
) -> Result<Arn, Failure> {
    match work {
        BucketTagsWork::Create(_) => apply(run, action, true).await,
        BucketTagsWork::Adopt(_) | BucketTagsWork::Update(_) => apply(run, action, false).await,
        BucketTagsWork::Remove => {
            let bucket = BucketName::new(&action.name)?;
            let place = BucketPlace { region: action.region.clone(), bucket };
            bucket::remove_probes(run, &run.scope.topology.wanted.side(place.clone())).await?;
            remove(run, &place.bucket, &place.region).await?;
            known_arn(action)
        }
        BucketTagsWork::Unchanged => Err(nothing_to_do(action)),
    }
}

/// Writes the pair's tags. `PutBucketTagging` replaces the whole set, so the tags of other
/// owners are read again and kept.
async fn apply(run: Run<'_>, action: &Action, is_new: bool) -> Result<Arn, Failure> {
    let side = run.scope.side(&action.name)?;
    let (bucket, region) = (&side.bucket, &side.region);
    let live = if is_new {
        tags_of_new(run, bucket, region).await?
    } else {
        find(&run.aws, bucket, region).await?
    };
    if let Some(other) =
        live.get(Topology::ID_TAG).filter(|id| **id != run.scope.topology.wanted.id())
    {
        let message = format!("the bucket `{bucket}` belongs to another pair, {other}");
        return Err(Failure::new(Kind::InTheWay, "bucket-not-ours", message)
            .in_region(region)
            .hint("use another name for this pair or its buckets"));
    }
    let mut all = live.clone();
    if run.scope.topology.found.expires.is_none() {
        all.remove(Topology::EXPIRES_TAG);
    }
    all.extend(run.scope.topology.bucket_tags(bucket));
    if all != live {
        let before = (!live.is_empty()).then(|| serde_json::json!(live));
        run.replacing(action, before, put_tags(run, bucket, region, &all)).await?;
    }
    if !run.scope.topology.wanted.owns(&live) {
        until_shown(run, bucket, region, SHOWN_WITHIN, |it| run.scope.topology.wanted.owns(it))
            .await?;
    }
    Ok(run.scope.bucket_arn(bucket))
}

/// Returns the tags of a bucket that this run created, as soon as any appear.
async fn tags_of_new(run: Run<'_>, bucket: &BucketName, region: &Region) -> Result<Tags, Failure> {
    let is_tagged = |tags: &Tags| !tags.is_empty();
    match until_shown(run, bucket, region, TAKEN_WITHIN, is_tagged).await {
        Err(failure) if failure.code == "too-late" => Ok(Tags::new()),
        shown => shown,
    }
}

async fn until_shown(
    run: Run<'_>,
    bucket: &BucketName,
    region: &Region,
    at_most: Duration,
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
        let tags = find(&run.aws, bucket, region).await?;
        Ok(if is_so(&tags) {
            Look::There(tags)
        } else {
            Look::NotYet("they do not show yet".to_owned())
        })
    };
    run.until(&wait, look).await
}

/// Removes crrctl's own tags from a bucket that stays.
async fn remove(run: Run<'_>, bucket: &BucketName, region: &Region) -> Result<(), Failure> {
    let mut tags = find(&run.aws, bucket, region).await?;
    if !run.scope.topology.wanted.owns(&tags) {
        return Ok(());
    }
    tags.retain(|key, _| !key.starts_with(Topology::TAG_PREFIX));
    put_tags(run, bucket, region, &tags).await
}

pub(in crate::steps) async fn put_tags(
    run: Run<'_>,
    bucket: &BucketName,
    region: &Region,
    tags: &Tags,
) -> Result<(), Failure> {
    match replace_tags(run, bucket, region, tags).await {
        Err(failure) if failure.aws_code.as_deref() == Some(FIXED_BY_ABAC) => {
            tag_one_by_one(run, bucket, region, tags).await
        }
        done => done,
    }
}

/// Adds and takes away single tags. A bucket with ABAC takes no whole set of tags (S3 API
/// Reference, `PutBucketAbac`).
async fn tag_one_by_one(
    run: Run<'_>,
    bucket: &BucketName,
    region: &Region,
    tags: &Tags,
) -> Result<(), Failure> {
    let live = find(&run.aws, bucket, region).await?;
    let account = run.scope.topology.wanted.account_of(region).as_str();
    let (s3control, arn) = (run.aws.s3control_in(region), run.scope.bucket_arn(bucket));
    let gone: Vec<String> = live.keys().filter(|key| !tags.contains_key(*key)).cloned().collect();
    if !gone.is_empty() {
        let untag = s3control.untag_resource().account_id(account).resource_arn(arn.as_str());
        let untag = untag.set_tag_keys(Some(gone));
        run.retry(|| async { untag.clone().send().await.at("s3:UntagResource", region) }).await?;
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
    run.retry(|| async { tag.clone().send().await.at("s3:TagResource", region) }).await?;
    Ok(())
}

async fn replace_tags(
    run: Run<'_>,
    bucket: &BucketName,
    region: &Region,
    tags: &Tags,
) -> Result<(), Failure> {
    let s3 = run.aws.s3(region);
    if tags.is_empty() {
        let delete = s3.delete_bucket_tagging().bucket(bucket.as_str());
        run.retry(|| async { delete.clone().send().await.at("s3:DeleteBucketTagging", region) })
            .await?;
        return Ok(());
    }
    let tag = |(key, value)| crate::steps::built(Tag::builder().key(key).value(value).build());
    let tags = tags.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
    let tagging = crate::steps::built(Tagging::builder().set_tag_set(Some(tags)).build())?;
    let put = s3.put_bucket_tagging().bucket(bucket.as_str()).tagging(tagging);
    run.retry(|| async { put.clone().send().await.at("s3:PutBucketTagging", region) }).await?;
    Ok(())
}
