//! The content of a bucket to remove: probes of the pair, which may be deleted, and foreign objects
//! (all others), which may be deleted only if the user requests it.
//! Not for: recent objects of a bucket that stays (see `recent`).

mod delete;
mod held;
mod purge;

pub(crate) use delete::{delete_together, deletion};
pub(super) use purge::{Purge, Wanted};

use crate::aws::{At, Aws, Error};
use crate::joined;
use crate::manifest::{BucketPlace, Topology};
use crate::world::Objects;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

/// A version or a delete marker.
#[derive(Debug, Clone)]
struct Entry {
    key: String,
    version_id: String,
    is_marker: bool,
}

/// The start of a page: the last key, and the last version id or upload id, of the previous page.
type Markers = (Option<String>, Option<String>);

/// One page of a bucket's versions, and the start of the next page.
struct Page {
    versions: Vec<Entry>,
    /// When the newest of them was written.
    newest: Option<Timestamp>,
    next: Option<Markers>,
}

/// One page of a bucket's incomplete multipart uploads, by key and upload id, and the start of the
/// next page.
#[derive(Default)]
struct Uploads {
    uploads: Vec<(String, String)>,
    next: Option<Markers>,
}

/// How many foreign objects are named before the count ends.
const NAMED: usize = 5;

/// Counts the probes in a bucket and names foreign objects.
pub(crate) async fn count(
    aws: &Aws,
    topology: &Topology,
    side: &BucketPlace,
) -> Result<Objects, Error> {
    let (unfinished, mut objects) =
        joined::both(unfinished(aws, topology, side), versions(aws, topology, side)).await?;
    objects.foreign.splice(0..0, unfinished);
    objects.foreign.truncate(NAMED);
    Ok(objects)
}

/// Names the foreign incomplete multipart uploads.
async fn unfinished(
    aws: &Aws,
    topology: &Topology,
    side: &BucketPlace,
) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    let mut from = Some(Markers::default());
    while let Some(markers) = from.filter(|_| names.len() < NAMED) {
        let page = uploads(aws, side, None, markers).await?;
        let foreign = page.uploads.iter().filter(|(key, _)| !topology.wanted.is_probe_key(key));
        names.extend(foreign.map(|(key, _)| format!("{key} (an unfinished upload)")).take(NAMED));
        from = page.next;
    }
    Ok(names)
}

async fn versions(aws: &Aws, topology: &Topology, side: &BucketPlace) -> Result<Objects, Error> {
    let mut objects = Objects::default();
    let mut from = Some(Markers::default());
    while let Some(markers) = from {
        let page = page(aws, side, None, markers).await?;
        let (probes, foreign) = sorted(aws, topology, side, page.versions).await?;
        objects.probes += u64::try_from(probes.len()).unwrap_or_default();
        let room = NAMED.saturating_sub(objects.foreign.len());
        objects.foreign.extend(foreign.into_iter().take(room).map(|version| version.key));
        objects.newest = objects.newest.max(page.newest);
        let has_more = page.next.is_some();
        from = page.next.filter(|_| objects.foreign.len() < NAMED);
        if has_more && from.is_none() {
            objects.newest = None;
        }
    }
    Ok(objects)
}

async fn page(
    aws: &Aws,
    side: &BucketPlace,
    prefix: Option<&str>,
    (key, version): Markers,
) -> Result<Page, Error> {
    let request = aws
        .s3(&side.region)
        .list_object_versions()
        .bucket(side.bucket.as_str())
        .set_prefix(prefix.map(str::to_owned))
        .set_key_marker(key)
        .set_version_id_marker(version);
    let output = request.send().await.at("s3:ListObjectVersions", &side.region)?;
    let version = |key: Option<&str>, version_id: Option<&str>, is_marker| Entry {
        key: key.unwrap_or_default().to_owned(),
        version_id: version_id.unwrap_or("null").to_owned(),
        is_marker,
    };
    let versions = output.versions().iter().map(|it| version(it.key(), it.version_id(), false));
    let markers = output.delete_markers().iter().map(|it| version(it.key(), it.version_id(), true));
    let next = (
        output.next_key_marker().map(str::to_owned),
        output.next_version_id_marker().map(str::to_owned),
    );
    let dates = output.versions().iter().filter_map(|it| it.last_modified());
    let newest = dates.filter_map(|date| Timestamp::from_second(date.secs()).ok()).max();
    Ok(Page {
        newest,
        versions: versions.chain(markers).collect(),
        next: (output.is_truncated() == Some(true)).then_some(next),
    })
}

/// Lists incomplete multipart uploads. A deleted bucket has none.
async fn uploads(
    aws: &Aws,
    side: &BucketPlace,
    prefix: Option<&str>,
    (key, id): Markers,
) -> Result<Uploads, Error> {
    let list = aws.s3(&side.region).list_multipart_uploads().bucket(side.bucket.as_str());
    let list = list.set_prefix(prefix.map(str::to_owned));
    let list = list.set_key_marker(key).set_upload_id_marker(id);
    let output = match list.send().await.at("s3:ListMultipartUploads", &side.region) {
        Ok(output) => output,
        Err(error) if error.is_absent() => return Ok(Uploads::default()),
        Err(error) => return Err(error),
    };
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let next = (
        output.next_key_marker().map(str::to_owned),
        output.next_upload_id_marker().map(str::to_owned),
    );
    Ok(Uploads {
        uploads: output.uploads().iter().map(|it| (text(it.key()), text(it.upload_id()))).collect(),
        next: (output.is_truncated() == Some(true)).then_some(next),
    })
}

/// Separates the versions that crrctl wrote (probes, and reports of batch jobs) from foreign
/// versions. A probe is identified by its key and its metadata, never by its key alone. A delete
/// marker has no metadata and no data, so its key is sufficient.
async fn sorted(
    aws: &Aws,
    topology: &Topology,
    side: &BucketPlace,
    versions: Vec<Entry>,
) -> Result<(Vec<Entry>, Vec<Entry>), Error> {
    let judged = stream::iter(versions).map(async |version| {
        let is_probe = topology.is_report(side, &version.key)
            || topology.wanted.is_probe_key(&version.key)
                && (version.is_marker || bears_metadata(aws, topology, side, &version).await?);
        Ok::<_, Error>((version, is_probe))
    });
    let judged: Vec<(Entry, bool)> = judged.buffered(16).try_collect().await?;
    let (probes, foreign): (Vec<_>, Vec<_>) =
        judged.into_iter().partition(|(_, is_probe)| *is_probe);
    let bare = |list: Vec<(Entry, bool)>| list.into_iter().map(|(version, _)| version).collect();
    Ok((bare(probes), bare(foreign)))
}

async fn bears_metadata(
    aws: &Aws,
    topology: &Topology,
    side: &BucketPlace,
    version: &Entry,
) -> Result<bool, Error> {
    let s3 = aws.s3(&side.region);
    let head = s3
        .head_object()
        .bucket(side.bucket.as_str())
        .key(&version.key)
        .version_id(&version.version_id);
    match head.send().await.at("s3:HeadObject", &side.region) {
        Ok(output) => {
            let metadata = output.metadata();
            let bears =
                |(key, value): &(&str, String)| metadata.and_then(|it| it.get(*key)) == Some(value);
            Ok(topology.wanted.probe_metadata().iter().all(bears))
        }
        // The version was deleted meanwhile, so it is not foreign.
        Err(error) if error.is_absent() => Ok(true),
        Err(error) => Err(error),
    }
}
