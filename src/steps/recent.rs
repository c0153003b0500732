//! Recent objects of a bucket that stays: those that are still PENDING, and those that this run
//! uploaded.
//! Not for: emptying a bucket (see `objects`).

use crate::aws::{At, Aws, Error};
use crate::manifest::BucketPlace;
use futures::stream::{self, StreamExt, TryStreamExt};

/// Recent objects that are PENDING.
#[derive(Debug)]
pub(super) struct Recent {
    pub(super) pending: Vec<String>,
    /// Whether every recent object was read.
    pub(super) seen_all: bool,
}

/// The age in seconds, by S3's clock, after which an object has replicated or never will by itself.
const RECENT: i64 = 24 * 60 * 60;
/// The maximum number of pages of a listing, and of recent versions, to read.
const MOST_PAGES: usize = 100;
const MOST_HEADS: usize = 1000;

/// Finds recent versions whose replication is PENDING. `now` is the current time in seconds.
pub(super) async fn pending(aws: &Aws, side: &BucketPlace, now: i64) -> Result<Recent, Error> {
    let s3 = aws.s3(&side.region);
    let list = s3.list_object_versions().bucket(side.bucket.as_str());
    let (mut versions, mut from, mut pages) = (Vec::new(), (None, None), 0);
    let seen_all = loop {
        let page = list.clone().set_key_marker(from.0).set_version_id_marker(from.1);
        let page = page.send().await.at("s3:ListObjectVersions", &side.region)?;
        let recent = page.versions().iter().filter(|version| {
            version.last_modified().is_some_and(|time| time.secs() > now - RECENT)
        });
        versions.extend(recent.filter_map(|version| {
            let at = version.last_modified()?.secs();
            Some((at, version.key()?.to_owned(), version.version_id()?.to_owned()))
        }));
        pages += 1;
        if page.is_truncated() != Some(true) {
            break versions.len() <= MOST_HEADS;
        }
        if pages == MOST_PAGES {
            break false;
        }
        let text = |text: Option<&str>| text.map(str::to_owned);
        from = (text(page.next_key_marker()), text(page.next_version_id_marker()));
    };
    versions.sort_by(|a, b| b.cmp(a));
    versions.truncate(MOST_HEADS);
    let heads = stream::iter(versions).map(|(_, key, version)| async move {
        let s3 = aws.s3(&side.region);
        let head = s3.head_object().bucket(side.bucket.as_str()).key(&key).version_id(version);
        match head.send().await.at("s3:HeadObject", &side.region) {
            Ok(output) => {
                let pending = Some(&aws_sdk_s3::types::ReplicationStatus::Pending);
                Ok((output.replication_status() == pending).then_some(key))
            }
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    });
    let pending: Vec<Option<String>> = heads.buffered(16).try_collect().await?;
    Ok(Recent { pending: pending.into_iter().flatten().collect(), seen_all })
}

/// Deletes every version under `prefix`. Only this run writes there.
pub(super) async fn purge_own(
    aws: &Aws,
    side: &BucketPlace,
    prefix: &str,
    bypass: Option<bool>,
) -> Result<(), Error> {
    let s3 = aws.s3(&side.region);
    let list = s3.list_object_versions().bucket(side.bucket.as_str()).prefix(prefix);
    let page = list.send().await.at("s3:ListObjectVersions", &side.region)?;
    for version in page.versions() {
        let delete = s3.delete_object().bucket(side.bucket.as_str());
        let delete = delete.set_bypass_governance_retention(bypass);
        let delete = delete.set_key(version.key().map(str::to_owned));
        let delete = delete.set_version_id(version.version_id().map(str::to_owned));
        match delete.send().await.at("s3:DeleteObject", &side.region) {
            Ok(_) => {}
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
