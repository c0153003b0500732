//! What lies in a bucket that is to go: probes of the pair, which may be deleted, and everything else, which may not unless the
//! user says so.

use crate::aws::{At, Aws, Error};
use crate::events::Progress;
use crate::failure::{Failure, Kind};
use crate::manifest::{Side, Topology};
use crate::stop::Stop;
use crate::world::Objects;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures::stream::{self, StreamExt, TryStreamExt};

/// What a purge deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Probes of this pair; anything else ends the purge.
    Probes,
    /// Every version and delete marker.
    All,
}

/// A version or a delete marker.
#[derive(Debug, Clone)]
struct Entry {
    key: String,
    version_id: String,
    is_marker: bool,
}

/// One page of a bucket's versions, and where the next begins.
struct Page {
    versions: Vec<Entry>,
    next: Option<(Option<String>, Option<String>)>,
}

/// How many objects of others are named before the count ends.
const NAMED: usize = 5;

/// Counts the probes in a bucket, and names objects of others.
pub(crate) async fn count(aws: &Aws, topology: &Topology, side: &Side) -> Result<Objects, Error> {
    let mut objects = Objects::default();
    let prefix = topology.probe_prefix();
    let unfinished =
        uploads(aws, side).await?.into_iter().filter(|(key, _)| !key.starts_with(&prefix));
    objects
        .foreign
        .extend(unfinished.take(NAMED).map(|(key, _)| format!("{key} (an unfinished upload)")));
    let mut from = (None, None);
    loop {
        let page = page(aws, side, from).await?;
        let (probes, foreign) = sorted(aws, topology, side, page.versions).await?;
        objects.probes += u64::try_from(probes.len()).unwrap_or_default();
        let room = NAMED.saturating_sub(objects.foreign.len());
        objects.foreign.extend(foreign.into_iter().take(room).map(|version| version.key));
        match page.next {
            Some(next) if objects.foreign.len() < NAMED => from = next,
            _ => return Ok(objects),
        }
    }
}

/// Deletes versions and delete markers by version id, a thousand a call, and ends incomplete multipart uploads.
pub(super) async fn purge(
    aws: &Aws,
    topology: &Topology,
    side: &Side,
    wanted: Wanted,
    stop: &Stop,
    progress: &Progress,
) -> Result<(), Failure> {
    let mut deleted = 0;
    loop {
        if stop.is_ending() {
            return Err(stop.failure());
        }
        // Always from the start: what was listed is gone, and what landed meanwhile is seen.
        let page = match page(aws, side, (None, None)).await {
            Ok(page) => page,
            Err(error) if error.is_absent() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if page.versions.is_empty() {
            break;
        }
        let doomed = match wanted {
            Wanted::All => page.versions,
            Wanted::Probes => {
                let (probes, foreign) = sorted(aws, topology, side, page.versions).await?;
                if let Some(version) = foreign.first() {
                    return Err(appeared(side, &version.key));
                }
                probes
            }
        };
        deleted += doomed.len();
        delete(aws, side, doomed).await?;
        progress.note(format!("{deleted} versions deleted from `{}`", side.bucket));
    }
    abort_uploads(aws, topology, side, wanted).await
}

fn appeared(side: &Side, key: &str) -> Failure {
    let message =
        format!("an object that is not a probe of this pair appeared in `{}`: {key}", side.bucket);
    Failure::new(Kind::InTheWay, "foreign-objects", message)
        .in_region(&side.region)
        .hint("stop what writes there; to delete all versions of all objects too: `crrctl destroy --purge-data`")
}

async fn page(
    aws: &Aws,
    side: &Side,
    from: (Option<String>, Option<String>),
) -> Result<Page, Error> {
    let request = aws
        .s3(&side.region)
        .list_object_versions()
        .bucket(side.bucket.as_str())
        .set_key_marker(from.0)
        .set_version_id_marker(from.1);
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
    Ok(Page {
        versions: versions.chain(markers).collect(),
        next: (output.is_truncated() == Some(true)).then_some(next),
    })
}

/// Sorts versions into probes of this pair and others. A probe is known by its key and its metadata, never by its key alone; a
/// delete marker has no metadata and no data, so its key must do.
async fn sorted(
    aws: &Aws,
    topology: &Topology,
    side: &Side,
    versions: Vec<Entry>,
) -> Result<(Vec<Entry>, Vec<Entry>), Error> {
    let prefix = topology.probe_prefix();
    let judged = stream::iter(versions).map(async |version| {
        let is_probe = version.key.starts_with(&prefix)
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
    side: &Side,
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
            Ok(topology.probe_metadata().iter().all(bears))
        }
        // Deleted meanwhile: nobody's any more.
        Err(error) if error.is_absent() => Ok(true),
        Err(error) => Err(error),
    }
}

async fn delete(aws: &Aws, side: &Side, versions: Vec<Entry>) -> Result<(), Failure> {
    for batch in versions.chunks(1000) {
        let object = |it: &Entry| {
            super::built(
                ObjectIdentifier::builder().key(&it.key).version_id(&it.version_id).build(),
            )
        };
        let objects = batch.iter().map(object).collect::<Result<Vec<_>, _>>()?;
        let delete =
            super::built(Delete::builder().quiet(true).set_objects(Some(objects)).build())?;
        let request =
            aws.s3(&side.region).delete_objects().bucket(side.bucket.as_str()).delete(delete);
        let output = request.send().await.at("s3:DeleteObjects", &side.region)?;
        let stays = output.errors().iter().find(|error| error.code() != Some("NoSuchVersion"));
        if let Some(error) = stays {
            return Err(undeletable(side, error));
        }
    }
    Ok(())
}

fn undeletable(side: &Side, error: &aws_sdk_s3::types::Error) -> Failure {
    let (key, code) = (error.key().unwrap_or_default(), error.code().unwrap_or_default());
    let message = format!(
        "a version of `{key}` in `{}` can't be deleted: {code}: {}",
        side.bucket,
        error.message().unwrap_or_default()
    );
    let kind = if code == "AccessDenied" { Kind::Denied } else { Kind::LeftBehind };
    let mut failure = Failure::new(kind, code, message).in_region(&side.region);
    failure.aws_code = Some(code.to_owned());
    failure.hint("the caller needs `s3:DeleteObjectVersion`; Object Lock or MFA delete may hold the version too")
}

/// Ends incomplete multipart uploads: those of probes, or all.
async fn abort_uploads(
    aws: &Aws,
    topology: &Topology,
    side: &Side,
    wanted: Wanted,
) -> Result<(), Failure> {
    let s3 = aws.s3(&side.region);
    for (key, upload) in uploads(aws, side).await? {
        if wanted == Wanted::Probes && !key.starts_with(&topology.probe_prefix()) {
            return Err(appeared(side, &format!("{key} (an unfinished upload)")));
        }
        let abort =
            s3.abort_multipart_upload().bucket(side.bucket.as_str()).key(key).upload_id(upload);
        match abort.send().await.at("s3:AbortMultipartUpload", &side.region) {
            Ok(_) => {}
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Returns the keys and ids of all incomplete multipart uploads.
async fn uploads(aws: &Aws, side: &Side) -> Result<Vec<(String, String)>, Error> {
    let s3 = aws.s3(&side.region);
    let mut uploads = Vec::new();
    let (mut key_marker, mut id_marker) = (None, None);
    loop {
        let list = s3.list_multipart_uploads().bucket(side.bucket.as_str());
        let list = list.set_key_marker(key_marker).set_upload_id_marker(id_marker);
        let output = match list.send().await.at("s3:ListMultipartUploads", &side.region) {
            Ok(output) => output,
            Err(error) if error.is_absent() => return Ok(uploads),
            Err(error) => return Err(error),
        };
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        uploads.extend(output.uploads().iter().map(|it| (text(it.key()), text(it.upload_id()))));
        if output.is_truncated() != Some(true) {
            return Ok(uploads);
        }
        key_marker = output.next_key_marker().map(str::to_owned);
        id_marker = output.next_upload_id_marker().map(str::to_owned);
    }
}
