//! Empties a bucket to remove: deletes versions and delete markers, a thousand per call, several
//! calls in flight, in memory that does not grow with the bucket. Then aborts incomplete multipart
//! uploads. Versions that S3 does not delete are reported, each with what holds it.
//! Not for: which objects may be deleted at all (see `super`).

use super::{Entry, Markers, delete_together, deletion, held, page, sorted, uploads};
use crate::aws::{At, Aws, Class, is_xml_text};
use crate::events::Progress;
use crate::failure::{Failure, Kind};
use crate::manifest::{BucketPlace, Topology};
use crate::plan::Kept;
use crate::stop::Stop;
use futures::stream::{self, Stream, StreamExt};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The versions that a purge deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::steps) enum Wanted {
    /// Probes of this pair. Any other object ends the purge.
    Probes,
    /// Probes of this pair, beside the objects of others, which stay.
    ProbesAlone,
    /// Every version and delete marker.
    All,
}

/// How many pages of a thousand versions are in flight per bucket. A purge holds no more in memory.
const IN_FLIGHT: usize = 8;
/// How many of the versions that S3 refused to delete are read and named.
const LOOKED_AT: usize = 20;
/// The interval at which a purge reports its progress.
const SAID_EVERY: Duration = Duration::from_secs(5);

/// The purge of one bucket.
pub(in crate::steps) struct Purge<'a> {
    pub(in crate::steps) aws: &'a Aws,
    pub(in crate::steps) topology: &'a Topology,
    pub(in crate::steps) side: &'a BucketPlace,
    pub(in crate::steps) wanted: Wanted,
    /// The prefix of the keys that are looked at; `None` for the whole bucket.
    pub(in crate::steps) prefix: Option<&'a str>,
    /// Whether versions under GOVERNANCE retention are deleted too.
    pub(in crate::steps) bypass_governance: bool,
    pub(in crate::steps) stop: &'a Stop,
    pub(in crate::steps) progress: &'a Progress,
}

/// Why a purge could not empty the bucket, and the versions that remain.
#[derive(Debug)]
pub(in crate::steps) struct Stuck {
    pub(in crate::steps) failure: Failure,
    pub(in crate::steps) held: Vec<Kept>,
}

impl<E: Into<Failure>> From<E> for Stuck {
    fn from(error: E) -> Self {
        Self { failure: error.into(), held: Vec::new() }
    }
}

/// A version that S3 refused to delete.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) key: String,
    pub(super) version_id: String,
    pub(super) code: String,
    pub(super) message: String,
}

/// The result of one walk through the bucket, or of one call of it.
#[derive(Debug, Default)]
struct Walk {
    deleted: usize,
    refused: usize,
    /// Some of the refused versions.
    some: Vec<Refused>,
}

impl Walk {
    fn add(&mut self, other: Self) {
        self.deleted += other.deleted;
        self.refused += other.refused;
        self.some.extend(other.some);
        self.some.truncate(LOOKED_AT);
    }
}

impl Purge<'_> {
    /// Deletes until a walk through the bucket finds nothing. Replicas may arrive while the bucket
    /// is emptied.
    pub(in crate::steps) async fn run(&self) -> Result<(), Stuck> {
        let mut deleted = 0;
        loop {
            let walk = self.walk(deleted).await?;
            deleted += walk.deleted;
            if walk.deleted == 0 && walk.refused > 0 {
                return Err(held::explain(self.aws, self.side, walk.refused, &walk.some).await);
            }
            if walk.deleted == 0 {
                break;
            }
        }
        if deleted > 0 {
            self.progress.note(format!("{deleted} versions deleted from `{}`", self.side.bucket));
        }
        Ok(self.abort_uploads().await?)
    }

    /// Walks once from the first version to the last. After a failure, and once the run is ending,
    /// no more pages are listed and the calls in flight finish.
    async fn walk(&self, before: usize) -> Result<Walk, Failure> {
        let ended = AtomicBool::new(false);
        let delete = async |(at, versions): (usize, Result<Vec<Entry>, Failure>)| match versions {
            Ok(versions) => (at, self.delete_page(versions).await),
            Err(failure) => (at, Err(failure)),
        };
        let calls = self.pages(&ended).enumerate().map(delete);
        let mut calls = std::pin::pin!(calls.buffer_unordered(IN_FLIGHT));
        let (mut walk, mut failures) = (Walk::default(), BTreeMap::new());
        let (started, mut said) = (Instant::now(), Instant::now());
        while let Some((at, call)) = calls.next().await {
            match call {
                Ok(done) => walk.add(done),
                Err(error) => {
                    ended.store(true, Ordering::Relaxed);
                    failures.insert(at, error);
                }
            }
            let all = before + walk.deleted;
            let so_far = format!("{all} versions deleted from `{}` so far", self.side.bucket);
            if said.elapsed() >= SAID_EVERY {
                self.progress.note(so_far.clone());
                said = Instant::now();
            }
            self.progress.waiting(so_far, started.elapsed());
        }
        match failures.pop_first() {
            Some((_, failure)) => Err(failure),
            None if self.stop.is_ending() => Err(self.stop.failure()),
            None => Ok(walk),
        }
    }

    /// Lists the bucket page by page. A deleted bucket has no pages.
    fn pages(&self, ended: &AtomicBool) -> impl Stream<Item = Result<Vec<Entry>, Failure>> {
        stream::unfold(Some(Markers::default()), async move |from| {
            let from = from?;
            if ended.load(Ordering::Relaxed) || self.stop.is_ending() {
                return None;
            }
            match page(self.aws, self.side, self.prefix, from).await {
                Ok(page) => Some((Ok(page.versions), page.next)),
                Err(error) if error.is_absent() => None,
                Err(error) => Some((Err(error.into()), None)),
            }
        })
    }

    async fn delete_page(&self, versions: Vec<Entry>) -> Result<Walk, Failure> {
        let to_delete = match self.wanted {
            Wanted::All => versions,
            Wanted::Probes | Wanted::ProbesAlone => {
                let (probes, foreign) =
                    sorted(self.aws, self.topology, self.side, versions).await?;
                if let Some(version) = foreign.first().filter(|_| self.wanted == Wanted::Probes) {
                    return Err(self.appeared(&version.key));
                }
                probes
            }
        };
        let mut walk = Walk::default();
        // `DeleteObjects` takes a thousand versions (S3 API Reference). A page holds as many.
        for batch in to_delete.chunks(1000) {
            walk.add(self.delete(batch).await?);
        }
        Ok(walk)
    }

    /// Deletes versions, a thousand in one call. A key that the body of that call can't hold is
    /// deleted by a call of its own.
    async fn delete(&self, batch: &[Entry]) -> Result<Walk, Failure> {
        let (batch, alone): (Vec<&Entry>, Vec<&Entry>) =
            batch.iter().partition(|version| is_xml_text(&version.key));
        let mut walk = Walk::default();
        for version in alone {
            walk.add(self.delete_alone(version).await?);
        }
        if !batch.is_empty() {
            walk.add(self.delete_together(&batch).await?);
        }
        Ok(walk)
    }

    async fn delete_alone(&self, version: &Entry) -> Result<Walk, Failure> {
        let region = &self.side.region;
        let delete = self.aws.s3(region).delete_object().bucket(self.side.bucket.as_str());
        let delete = delete
            .key(&version.key)
            .version_id(&version.version_id)
            .set_bypass_governance_retention(self.bypass_governance.then_some(true));
        let error = match delete.send().await.at("s3:DeleteObject", region) {
            Ok(_) => return Ok(Walk { deleted: 1, ..Walk::default() }),
            Err(error) if error.is_absent() => return Ok(Walk { deleted: 1, ..Walk::default() }),
            Err(error) if error.class == Class::Denied => error,
            Err(error) => return Err(error.into()),
        };
        let (key, version_id) = (version.key.clone(), version.version_id.clone());
        let refused = Refused { key, version_id, code: error.code, message: error.message };
        Ok(Walk { refused: 1, some: vec![refused], ..Walk::default() })
    }

    async fn delete_together(&self, batch: &[&Entry]) -> Result<Walk, Failure> {
        let delete = deletion(batch.iter().map(|it| (it.key.as_str(), it.version_id.as_str())))?;
        let place = (&self.side.region, &self.side.bucket);
        let bypass = self.bypass_governance.then_some(true);
        let kept = match delete_together(self.aws, place, delete, bypass).await {
            Ok(kept) => kept,
            Err(error) if error.is_absent() => return Ok(Walk::default()),
            Err(error) => return Err(error.into()),
        };
        let mut walk = Walk { deleted: batch.len(), ..Walk::default() };
        for error in kept {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            walk.deleted -= 1;
            walk.refused += 1;
            if walk.some.len() < LOOKED_AT {
                walk.some.push(Refused {
                    key: text(error.key()),
                    version_id: text(error.version_id()),
                    code: text(error.code()),
                    message: text(error.message()),
                });
            }
        }
        Ok(walk)
    }

    /// Aborts incomplete multipart uploads: those of probes, or all. The uploads of one page are
    /// aborted before the next page is requested.
    async fn abort_uploads(&self) -> Result<(), Failure> {
        let mut from = Some(Markers::default());
        while let Some(markers) = from {
            if self.stop.is_ending() {
                return Err(self.stop.failure());
            }
            let page = uploads(self.aws, self.side, self.prefix, markers).await?;
            let is_foreign =
                |key: &str| self.wanted != Wanted::All && !self.topology.wanted.is_probe_key(key);
            let (foreign, ours): (Vec<_>, Vec<_>) =
                page.uploads.into_iter().partition(|(key, _)| is_foreign(key));
            if let Some((key, _)) = foreign.first().filter(|_| self.wanted == Wanted::Probes) {
                return Err(self.appeared(&format!("{key} (an unfinished upload)")));
            }
            let aborted = stream::iter(ours)
                .map(async |(key, upload)| self.abort(key, upload).await)
                .buffered(IN_FLIGHT);
            for aborted in aborted.collect::<Vec<_>>().await {
                aborted?;
            }
            from = page.next;
        }
        Ok(())
    }

    async fn abort(&self, key: String, upload: String) -> Result<(), Failure> {
        let (region, bucket) = (&self.side.region, self.side.bucket.as_str());
        let abort = self.aws.s3(region).abort_multipart_upload();
        let abort = abort.bucket(bucket).key(key).upload_id(upload);
        match abort.send().await.at("s3:AbortMultipartUpload", region) {
            Ok(_) => Ok(()),
            Err(error) if error.is_absent() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn appeared(&self, key: &str) -> Failure {
        let message = format!(
            "an object that is not a probe of this pair appeared in `{}`: {key}",
            self.side.bucket
        );
        Failure::new(Kind::InTheWay, "foreign-objects", message)
            .in_region(&self.side.region)
            .hint("stop what writes there; to delete all versions of all objects too: `crrctl destroy --purge-data`")
    }
}
