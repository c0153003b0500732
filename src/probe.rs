//! The proof: uploads new objects, waits until their replication status is COMPLETED, compares
//! every replica with the uploaded object, and deletes the objects.
//! Not for: explaining a FAILED replication, or printing (see `report`).

mod clean;
mod compare;
mod differences;
mod eligible;
mod evidence;
mod held;
mod markers;
mod named;
mod patience;
mod poll;
mod summary;
mod target;
mod told;
mod upload;
mod verdict;
mod wait;

pub use differences::{Difference, Likeness};
pub use evidence::{Checks, Evidence, Place, Probe, SourceObject, Status};
pub use held::refused;
pub use markers::{Marker, markers};
pub use named::{NamedObject, NotSeen, look_at};
pub use patience::Patience;
pub use summary::{RouteSummary, Summary, by_route, summary};
pub use wait::{Object as WaitedObject, Waited, wait};

use crate::aws::Aws;
use crate::aws::settle::pause;
use crate::events::{Event, Events, StepId};
use crate::failure::Failure;
use crate::manifest::{PairKeys, RuleWish, Side, Topology};
use crate::names::Arn;
use crate::stop::Stop;
use clean::Undeleted;
use eligible::Eligible;
use futures::future::join_all;
use futures::stream::{self, StreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use target::{Target, targets};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use upload::Uploaded;
use verdict::judged;

/// A probe run of at least this many objects makes fewer calls for each.
const MANY: u32 = 100;

/// The settings of a probe run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The number of single-part probes per filter, each checked at every destination.
    pub count: u32,
    /// The size of each single-part probe, in bytes.
    pub size: u64,
    /// Whether to upload one more probe in two parts, which S3 replicates with other permissions.
    pub multipart: bool,
    /// The number of probes in progress at a time.
    pub concurrency: usize,
    /// Whether to keep the objects.
    pub keep: bool,
    /// How long fresh objects replace those that FAILED or have no replication status.
    pub patience: Patience,
    /// How long an object may stay PENDING.
    pub at_most: Duration,
}

/// State shared by all probes of one direction.
pub(crate) struct Prober {
    aws: Arc<Aws>,
    topology: Topology,
    keys: PairKeys,
    events: Events,
    stop: Stop,
    run: String,
    settings: Settings,
    eligible: Eligible,
    undeleted: Undeleted,
}

/// Probes every rule of `topology` in every direction; `keys` are the pair's keys.
pub async fn run(
    aws: Arc<Aws>,
    topology: Topology,
    keys: PairKeys,
    settings: Settings,
    events: Events,
    stop: Stop,
) -> Evidence {
    if let Some(failure) = refused(&topology) {
        return Evidence::cut_short(failure);
    }
    let each = topology.directions().into_iter().map(|direction| {
        let (aws, events, stop) = (Arc::clone(&aws), events.clone(), stop.clone());
        one_way(Arc::new(Prober::new(aws, direction, keys.clone(), settings.clone(), events, stop)))
    });
    let together = |mut all: Evidence, mut way: Evidence| {
        all.probes.append(&mut way.probes);
        all.failure = all.failure.or(way.failure);
        all
    };
    join_all(each).await.into_iter().reduce(together).unwrap_or_default()
}

/// Probes every rule of one direction.
async fn one_way(prober: Arc<Prober>) -> Evidence {
    let settings = &prober.settings;
    // Where the policy demands encryption headers, the upload of a part, which has none, may be denied.
    let found = &prober.topology.found;
    let takes_parts = !found.demands_headers.contains(&prober.topology.source.bucket);
    let shapes = std::iter::repeat_n(Some(settings.size), settings.count as usize)
        .chain((settings.multipart && takes_parts).then_some(None));
    let concurrency = settings.concurrency.max(1);
    let targets = targets(&prober.topology);
    let each =
        shapes.flat_map(|size| targets.clone().into_iter().map(move |target| (target, size)));
    // A task each: signing and hashing take as many processors as there are. As many again wait, so that
    // a slow object, whose result comes first, does not hold up the others.
    let permits = Arc::new(Semaphore::new(concurrency));
    let objects = stream::iter(each.enumerate()).map(|(n, (target, size))| {
        let (prober, permits) = (Arc::clone(&prober), Arc::clone(&permits));
        AbortOnDropHandle::new(tokio::spawn(async move {
            let _permit = permits.acquire().await;
            prober.probe(n, target, size).await
        }))
    });
    let mut results = objects.buffered(concurrency.saturating_mul(2));
    let mut evidence = Evidence::default();
    while let Some(result) = results.next().await {
        // A panic in a task is a bug and must not be hidden. No task is cancelled while it is waited for.
        let (shown, failure) =
            result.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        for probe in &shown {
            prober.events.say(&Event::ProbeDone(told::done(probe)));
        }
        evidence.probes.extend(shown);
        evidence.failure = evidence.failure.take().or(failure);
    }
    if !prober.settings.keep {
        prober.clear().await;
        prober.remove_what_is_left().await;
    }
    evidence.failure = evidence.failure.take().or_else(|| evidence.probes.iter().find_map(judged));
    evidence
}

/// How often and how long fresh objects were uploaded.
struct Tried {
    attempts: u32,
    within: Duration,
}

impl Prober {
    /// Returns the prober of one run, with a random run id.
    fn new(
        aws: Arc<Aws>,
        topology: Topology,
        keys: PairKeys,
        settings: Settings,
        events: Events,
        stop: Stop,
    ) -> Self {
        let run = std::iter::repeat_with(fastrand::lowercase).take(8).collect();
        let (eligible, undeleted) = (Eligible::new(), Undeleted::default());
        Self { aws, topology, keys, events, stop, run, settings, eligible, undeleted }
    }

    /// Uploads one object and, where a retry may help, further ones; compares the last one at every
    /// destination. Deletes all of them at the end, also after a failure, unless `keep` is set.
    async fn probe(
        &self,
        n: usize,
        target: Arc<Target>,
        size: Option<u64>,
    ) -> (Vec<Probe>, Option<Failure>) {
        let prefix = self.topology.wanted.probe_prefix(&target.filter);
        let mut uploaded = Vec::new();
        let began = Instant::now();
        let result = loop {
            if self.stop.is_ending() {
                break Err(self.stop.failure());
            }
            let attempt = uploaded.len() + 1;
            let key = format!("{prefix}{}/{n}-{attempt}", self.run);
            let object = match self.upload(&key, &target, size).await {
                Ok(object) => object,
                Err(failure) => break Err(failure),
            };
            uploaded.push(object.clone());
            let polled = match self.poll(&object, &target).await {
                Ok(polled) => polled,
                Err(failure) => break Err(failure),
            };
            let patience = self.settings.patience;
            let Some(wait) = patience.next(&polled, attempt, began.elapsed()) else {
                break Ok((object, polled));
            };
            self.events.say(&Event::ProbeRetry {
                rule: target.names(),
                key: object.key.clone(),
                reason: polled.why_another().to_owned(),
            });
            if size.is_none() && polled.status == Status::None {
                let left = patience.left(&polled, began.elapsed()).max(wait);
                self.eligible.wait(&self.stop, left).await;
            } else {
                pause(&self.stop, wait).await;
            }
        };
        if size.is_some() {
            self.eligible.show();
        }
        let tried = Tried {
            attempts: u32::try_from(uploaded.len()).unwrap_or(u32::MAX),
            within: began.elapsed(),
        };
        let (probes, failure, replicas) = match result {
            Ok((object, polled)) => self.evidence(&target, &object, &polled, &tried).await,
            Err(failure) => (Vec::new(), Some(failure), BTreeMap::new()),
        };
        let is_pending =
            probes.iter().any(|probe| probe.status == Status::Pending) || failure.is_some();
        if !self.settings.keep && is_pending && !uploaded.is_empty() {
            let note =
                "replication was under way: a replica that lands late stays until `crrctl destroy`";
            self.events.say(&Event::StepNote { step: self.step(), note: note.to_owned() });
        }
        if !self.settings.keep {
            self.clean_up(&uploaded, &replicas).await;
        }
        (probes, failure)
    }

    /// Compares the replica at every destination. Also returns the version ids by which the
    /// replicas can be deleted.
    async fn evidence(
        &self,
        target: &Target,
        object: &Uploaded,
        polled: &poll::Polled,
        tried: &Tried,
    ) -> (Vec<Probe>, Option<Failure>, BTreeMap<Side, String>) {
        let (mut probes, mut failure, mut replicas) = (Vec::new(), None, BTreeMap::new());
        for rule in &target.rules {
            let side = &rule.destination;
            let mut probe = self.blank(rule, object, polled, tried);
            match self.compare(side, object, polled.status).await {
                Ok(Some(replica)) => {
                    replicas.insert(side.clone(), replica.version_id.clone());
                    replica.enter(&mut probe);
                }
                Ok(None) => {}
                Err(error) => failure = failure.or(Some(error)),
            }
            probes.push(probe);
        }
        (probes, failure, replicas)
    }

    fn blank(
        &self,
        rule: &RuleWish,
        object: &Uploaded,
        polled: &poll::Polled,
        tried: &Tried,
    ) -> Probe {
        let (source, side) = (&self.topology.source, &rule.destination);
        Probe {
            rule: rule.id.clone(),
            source: SourceObject {
                bucket: source.bucket.clone(),
                key: object.key.clone(),
                version_id: object.version_id.clone(),
                region: source.region.clone(),
            },
            destination: Place { bucket: side.bucket.clone(), region: side.region.clone() },
            status: polled.status,
            replica_status: None,
            kms_key_arn: None,
            latency_ms: (polled.status == Status::Completed).then_some(polled.elapsed_ms),
            attempts: tried.attempts,
            checks: Checks::default(),
            differences: Vec::new(),
            etag: Likeness::Absent,
            checksum: Likeness::Absent,
            unfit: polled.unfit.as_ref().map(ToString::to_string),
            tried_for: tried.within,
        }
    }

    /// Returns the id of the step under which probes report their progress.
    fn step(&self) -> StepId {
        StepId::new(crate::events::Kind::Replication, self.topology.source.bucket.as_str())
    }

    /// Returns the key that must encrypt an object on `side`; `None` for SSE-S3.
    fn key(&self, side: &Side) -> Option<Arn> {
        self.topology.wanted.key_arn(&self.keys, side)
    }
}
