//! What every operation works with: the input of one pair, the clients, the sink of events and the stop signal; and
//! the reads that come before any operation.
//! Not for: the work of an operation (see its file), or the choice of clients and sinks (see `cli`).

use super::{Input, drawn};
use crate::aws::Aws;
use crate::engine::ConcurrencyLimit;
use crate::events::{Event, Events, millis};
use crate::failure::Failure;
use crate::manifest::{Manifest, PairKeys, Topology};
use crate::names::AccountId;
use crate::observe::{self, Depth};
use crate::plan::{Removal, Wish};
use crate::policy::Templates;
use crate::probe::{self, Evidence, Settings};
use crate::steps::{Steps, changed};
use crate::stop::Stop;
use crate::world::World;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;

/// How many actions run at once, unless somebody says otherwise.
pub const AT_ONCE: usize = 32;

/// What the pairs of one run share: the clients, the sink of events and the stop signal.
#[derive(Debug)]
pub struct RunContext {
    /// The clients.
    pub aws: Arc<Aws>,
    /// Ends the run before its work is done.
    pub stop: Stop,
    /// Receives what happens.
    pub events: Events,
    /// When the run began.
    pub started: Instant,
    /// How many actions run at once.
    pub at_once: usize,
    /// How long fresh probes are uploaded while one fails; `None` for the default.
    pub patience: Option<Duration>,
    /// Whether the clients call a sandbox that is new, so that nothing exists there yet.
    pub is_new_sandbox: bool,
    ending: Ending,
}

impl RunContext {
    /// Returns the context of a run that begins now.
    pub fn new(aws: Arc<Aws>, events: Events, stop: Stop) -> Self {
        let started = Instant::now();
        let ending = Ending { events: events.clone(), started, over: AtomicBool::new(false) };
        let (at_once, patience, is_new_sandbox) = (AT_ONCE, None, false);
        Self { aws, stop, events, started, at_once, patience, is_new_sandbox, ending }
    }

    /// Waits for reads, or for the end of the run, whichever comes first.
    ///
    /// # Errors
    ///
    /// The reads fail, or the run is to end.
    pub async fn unless_ending<T>(
        &self,
        reads: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        unless_ending(&self.stop, reads).await
    }

    /// Emits `run.done`; later calls have no effect.
    pub fn done(&self, ok: bool, changed: bool) {
        self.ending.say(ok, changed);
    }
}

pub(super) async fn unless_ending<T>(
    stop: &Stop,
    reads: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        () = stop.ending() => Err(stop.failure_while("looking at what is there")),
        read = reads => read,
    }
}

/// Emits `run.done` once, also for a run that an error ended early.
#[derive(Debug)]
struct Ending {
    events: Events,
    started: Instant,
    over: AtomicBool,
}

impl Ending {
    fn say(&self, ok: bool, changed: bool) {
        if self.over.swap(true, Ordering::Relaxed) {
            return;
        }
        let elapsed_ms = millis(self.started.elapsed());
        self.events.say(&Event::RunDone { ok, changed, elapsed_ms });
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.say(false, false);
    }
}

/// What the operations on one pair work with.
#[derive(Debug)]
pub struct Session {
    /// The manifest of the pair.
    pub manifest: Manifest,
    /// The templates of the policy documents.
    pub templates: Templates,
    /// The clients.
    pub aws: Arc<Aws>,
    /// Ends the operation before its work is done.
    pub stop: Stop,
    /// Receives what happens.
    pub events: Events,
    /// When the work on this pair began.
    pub started: Instant,
    /// How long the applied pair is to exist; `None` for no limit.
    pub ephemeral: Option<Duration>,
    /// How long fresh probes are uploaded while one fails; `None` for the default.
    pub patience: Option<Duration>,
    /// The optional changes that `apply` may make.
    pub wish: Wish,
    /// Whether the clients call a sandbox that is new, so that nothing exists there yet.
    pub is_new_sandbox: bool,
    /// How many actions run at once, including those of the other pairs of the run.
    pub gate: ConcurrencyLimit,
    /// The source's account, once it is known.
    account: Arc<OnceLock<AccountId>>,
    /// The permit to be built, beside the other pairs of the run. It is released when the pair is
    /// built and only has to be proven.
    build_permit: Mutex<Option<OwnedSemaphorePermit>>,
    /// `None` if this session is part of a longer run, which emits `run.done` itself.
    ending: Option<Ending>,
}

impl Session {
    /// Returns the session of a run about one pair.
    pub fn alone(context: RunContext, input: Input) -> Self {
        let part = Self::part(&context, input);
        Self { ending: Some(context.ending), ..part }
    }

    /// Returns a session for one pair of a run about several.
    pub fn part(context: &RunContext, input: Input) -> Self {
        let Input { manifest, templates, account } = input;
        Self {
            manifest,
            templates,
            aws: Arc::clone(&context.aws),
            stop: context.stop.clone(),
            events: context.events.clone(),
            started: context.started,
            ephemeral: None,
            patience: context.patience,
            wish: Wish::default(),
            is_new_sandbox: context.is_new_sandbox,
            gate: context.at_once.into(),
            account,
            build_permit: Mutex::default(),
            ending: None,
        }
    }

    /// Returns a session for one pair of a manifest with several pairs. The session uses the
    /// clients `aws`, and its events name the pair. It shares `gate`, and holds `build_permit`
    /// while the pair is built.
    pub fn of_many(
        context: &RunContext,
        input: Input,
        aws: Arc<Aws>,
        gate: ConcurrencyLimit,
        build_permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let events = context.events.of_pair(input.manifest.name().as_str());
        let part = Self::part(context, input);
        Self {
            aws,
            events,
            gate,
            build_permit: Mutex::new(build_permit),
            started: Instant::now(),
            is_new_sandbox: false,
            ..part
        }
    }

    /// Releases the build permit: this pair is built and only waits from here on, so another pair
    /// can be built.
    pub(super) fn release_build_permit(&self) {
        self.build_permit.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Reads the existing resources; for a removal, counts the objects in the buckets too.
    ///
    /// # Errors
    ///
    /// A read fails, or the run is to end.
    pub async fn observe(&self, depth: Depth) -> Result<(Topology, World), Failure> {
        let (started, before) = (Instant::now(), self.aws.count());
        let look = || async {
            let first = observe::first_wave(&self.aws, &self.manifest).await;
            let (mut topology, named) = match first {
                Ok(first) => first,
                Err(failure) => {
                    let also = observe::also_denied(&self.aws, &self.manifest, depth, failure);
                    return Err(Box::pin(also).await);
                }
            };
            self.account.get_or_init(|| topology.wanted.home().account.clone());
            self.events.say(&Event::Pair(drawn::drawn(&topology)));
            let mut world = observe::second_wave(&self.aws, &topology, named, depth).await?;
            observe::late_tags(&self.aws, &topology, depth, &self.events, &mut world).await?;
            if depth == Depth::Removal {
                observe::all_objects(&self.aws, &topology, &mut world).await?;
            }
            let ids = |topology: &Topology| -> Vec<String> {
                topology.rules.iter().map(|rule| rule.id.clone()).collect()
            };
            let told = ids(&topology);
            crate::plan::notice(&mut topology, &world);
            if ids(&topology) != told {
                self.events.say(&Event::Pair(drawn::drawn(&topology)));
            }
            Ok((topology, world))
        };
        let seen = self.unless_ending(Box::pin(observe::settled(depth, look))).await;
        // The reads of several pairs are counted together, so the reads of one pair are not known.
        if self.ending.is_some() {
            let reads = self.aws.count().reads - before.reads;
            let round_trip_ms = self.aws.round_trip().map(millis).filter(|ms| *ms > 0);
            let elapsed_ms = millis(started.elapsed());
            self.events.say(&Event::Observed { reads, elapsed_ms, round_trip_ms });
        }
        seen
    }

    /// Waits for reads, or for the end of the run, whichever comes first. What was seen before and is
    /// not found any more was taken away by another run.
    ///
    /// # Errors
    ///
    /// The reads fail, or the run is to end.
    pub async fn unless_ending<T>(
        &self,
        reads: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        unless_ending(&self.stop, reads).await.map_err(changed)
    }

    /// Waits for work, or until calls in flight are to be dropped, whichever comes first.
    pub(super) async fn unless_cut<T>(
        &self,
        doing: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.stop.ended_at_once() => Err(self.stop.failure_while(doing)),
            done = work => Ok(done),
        }
    }

    /// Returns the steps that perform the actions of a plan for this pair, starting from `world`.
    pub(super) fn steps(&self, topology: &Topology, world: &World, removal: Removal) -> Steps {
        self.steps_until(&self.stop, topology, world, removal)
    }

    /// Returns the steps of [`Self::steps`], which end at `stop`.
    pub(super) fn steps_until(
        &self,
        stop: &Stop,
        topology: &Topology,
        world: &World,
        removal: Removal,
    ) -> Steps {
        let (aws, templates) = (Arc::clone(&self.aws), self.templates.clone());
        Steps::new(aws, topology.clone(), templates, world, stop.clone(), removal)
    }

    /// Uploads probes to the pair and compares their replicas.
    pub(super) async fn upload_probes(
        &self,
        topology: &Topology,
        keys: &PairKeys,
        settings: Settings,
    ) -> Evidence {
        let (aws, events, stop) = (Arc::clone(&self.aws), self.events.clone(), self.stop.clone());
        probe::run(aws, topology.clone(), keys.clone(), settings, events, stop).await
    }

    /// Emits `run.done`; later calls have no effect.
    pub fn done(&self, ok: bool, changed: bool) {
        if let Some(ending) = &self.ending {
            ending.say(ok, changed);
        }
    }
}
