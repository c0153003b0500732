//! How the newest objects of the source fared, as far as a first page of versions tells.

use super::Finding;
use super::seen::Seen;
use crate::aws::{At, Aws, Error};
use aws_sdk_s3::types::ReplicationStatus;
use futures::future::join_all;

const NAME: &str = "objects.failed";
/// How many objects are looked at.
const NEWEST: usize = 10;

pub(super) async fn check(aws: &Aws, seen: &Seen) -> Vec<Finding> {
    let side = &seen.topology.source;
    let is_readable = seen.source().is_some_and(|bucket| bucket.head.is_ok());
    if !is_readable {
        return Vec::new();
    }
    let finding = match sample(aws, seen).await {
        Err(error) => Finding::unread(NAME, &error),
        Ok((0, _)) => Finding::skip(NAME, "the rule's prefix holds no object"),
        Ok((looked, failed)) if failed.is_empty() => {
            Finding::pass(NAME, format!("none of the newest {looked} objects is FAILED"))
        }
        Ok((looked, failed)) => {
            let detail = format!(
                "{} of the newest {looked} objects are FAILED, such as `{}`; that is final for them",
                failed.len(),
                failed[0]
            );
            let remedy = "mend what the other checks name, then `crrctl backfill --status failed`; with all of them passed, a service or resource control policy of the organisation is the first suspect";
            Finding::fail(NAME, detail, remedy)
        }
    };
    vec![finding.at(&side.region)]
}

/// Returns how many objects were looked at, and the keys of those that are FAILED.
async fn sample(aws: &Aws, seen: &Seen) -> Result<(usize, Vec<String>), Error> {
    let side = &seen.topology.source;
    let prefixes = seen.topology.prefixes(side);
    let s3 = aws.s3(&side.region);
    let mut versions = Vec::new();
    for prefix in prefixes {
        let list = s3.list_object_versions().bucket(side.bucket.as_str()).prefix(prefix);
        let page = list.send().await.at("s3:ListObjectVersions", &side.region)?;
        versions.extend(page.versions().to_vec());
    }
    versions.sort_by_key(|version| {
        std::cmp::Reverse(version.last_modified().map(aws_smithy_types::DateTime::as_nanos))
    });
    versions.truncate(NEWEST);
    let heads = versions.iter().map(|version| {
        let (key, id) = (version.key().unwrap_or_default(), version.version_id());
        let head = s3.head_object().bucket(side.bucket.as_str()).key(key);
        let head = head.set_version_id(id.map(str::to_owned));
        async move { (key, head.send().await.at("s3:HeadObject", &side.region)) }
    });
    let mut failed = Vec::new();
    for (key, head) in join_all(heads).await {
        match head {
            Ok(head) if head.replication_status() == Some(&ReplicationStatus::Failed) => {
                failed.push(key.to_owned());
            }
            Ok(_) => {}
            // Deleted meanwhile.
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(error),
        }
    }
    Ok((versions.len(), failed))
}
