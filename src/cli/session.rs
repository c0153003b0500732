//! The setup of every command that calls AWS: the manifest, the templates, the clients, signals,
//! events, and reading the existing resources.
//! Not for: the work of each command.

mod by_name;
mod connection;
mod drawn;
mod ends;
mod input;

pub(super) use by_name::{find_by_bucket, read_or_find};
pub(super) use connection::{connect, connect_beside, connection};
pub(super) use ends::{SignalReceived, Signals, given_up};
pub(super) use input::{Input, Inputs, Several};

pub(super) use drawn::calls;

use super::output::Printer;
use super::{Format, Global};
use crate::aws::Aws;
use crate::engine::ConcurrencyLimit;
use crate::events::{Event, Events, Kind, Sink, StepId, millis};
use crate::failure::{self, Failure};
use crate::manifest::{Manifest, Side, Topology};
use crate::names::{AccountId, BucketName, Region};
use crate::observe::{self, Depth};
use crate::plan::{self, Plan, Removal, Wish, expiry};
use crate::policy::Templates;
use crate::report::{self, Chain, Lines, Ndjson, Screen, Volume};
use crate::steps::Steps;
use crate::stop::Stop;
use crate::world::World;
use crrctl_sandbox::{self as sandbox, Sandbox};
use ends::{watch_clock, watch_signals};
use jiff::Timestamp;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;

/// State shared by every pair of a run: clients, event sink, stop signal, embedded sandbox.
pub(super) struct RunContext {
    pub(super) aws: Arc<Aws>,
    pub(super) stop: Stop,
    pub(super) events: Events,
    pub(super) started: Instant,
    pub(super) sandbox: Option<Sandbox>,
    /// How many actions run at once.
    at_once: usize,
    patience: Option<Duration>,
    ending: Ending,
}

impl RunContext {
    /// Begins a run about `pair`, with `home` as the Region of IAM and STS and the credentials that
    /// `manifest` names.
    pub(super) async fn open(
        global: &Global,
        printer: &Printer,
        home: &Region,
        pair: &str,
        manifest: Option<&Manifest>,
        in_sandbox: bool,
    ) -> Result<Self, Failure> {
        let sandbox = if in_sandbox { Some(start_sandbox().await?) } else { None };
        let (stop, events) = (stop(global), events(global, printer));
        events.say(&Event::RunStart { command: printer.command, pair: pair.to_owned() });
        let aws = Arc::new(connect(global, home, manifest, sandbox.as_ref()).await?);
        let started = Instant::now();
        let ending = Ending { events: events.clone(), started, over: AtomicBool::new(false) };
        let at_once = global.max_concurrency;
        let patience = global.patience;
        Ok(Self { aws, stop, events, started, sandbox, at_once, patience, ending })
    }

    /// Waits for reads, or for the end of the run, whichever comes first.
    pub(super) async fn unless_ending<T>(
        &self,
        reads: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        unless_ending(&self.stop, reads).await
    }

    /// Emits `run.done`; later calls have no effect.
    pub(super) fn done(&self, ok: bool, changed: bool) {
        self.ending.say(ok, changed);
    }
}

async fn unless_ending<T>(
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

/// The state of a command for one pair.
pub(super) struct Session {
    pub(super) manifest: Manifest,
    pub(super) templates: Templates,
    /// The source's account, once it is known, for the advice that the printer gives.
    account: Arc<OnceLock<AccountId>>,
    pub(super) aws: Arc<Aws>,
    pub(super) stop: Stop,
    pub(super) events: Events,
    pub(super) started: Instant,
    /// How long the applied pair is to exist; `None` for no limit.
    pub(super) ephemeral: Option<Duration>,
    /// How long fresh probes are uploaded, if it was asked for.
    pub(super) patience: Option<Duration>,
    /// The optional changes that `apply` may make.
    pub(super) wish: Wish,
    /// The sandbox inside this process, if it was requested.
    pub(super) sandbox: Option<Sandbox>,
    /// How many actions run at once, including those of the other pairs of the run.
    pub(super) gate: ConcurrencyLimit,
    /// The permit to be built, beside the other pairs of the run. It is released when the pair is
    /// built and only has to be proven.
    build_permit: Mutex<Option<OwnedSemaphorePermit>>,
    /// `None` if this session is part of a longer run, which emits `run.done` itself.
    ending: Option<Ending>,
}

impl Session {
    /// Reads and checks all input, then creates the clients. No call is made before the input is
    /// valid.
    pub(super) async fn open(
        global: &Global,
        printer: &Printer,
        in_sandbox: bool,
    ) -> Result<Self, Failure> {
        Self::with(global, printer, Input::read(global, in_sandbox)?, in_sandbox).await
    }

    /// Creates the clients for `input`.
    pub(super) async fn with(
        global: &Global,
        printer: &Printer,
        input: Input,
        in_sandbox: bool,
    ) -> Result<Self, Failure> {
        let Input { manifest, templates, account } = printer.input.get_or_init(|| input).clone();
        let (home, pair) = (manifest.source_region(), manifest.name());
        let RunContext { aws, stop, events, started, sandbox, at_once, patience, ending } =
            RunContext::open(global, printer, home, pair.as_str(), Some(&manifest), in_sandbox)
                .await?;
        let ending = Some(ending);
        Ok(Self {
            manifest,
            templates,
            account,
            aws,
            stop,
            events,
            started,
            ephemeral: None,
            patience,
            wish: Wish::default(),
            sandbox,
            gate: at_once.into(),
            build_permit: Mutex::default(),
            ending,
        })
    }

    /// Returns a session for one pair of a run about several.
    pub(super) fn part(context: &RunContext, manifest: Manifest, templates: Templates) -> Self {
        Self {
            manifest,
            templates,
            account: Arc::default(),
            aws: Arc::clone(&context.aws),
            stop: context.stop.clone(),
            events: context.events.clone(),
            started: context.started,
            ephemeral: None,
            patience: context.patience,
            wish: Wish::default(),
            sandbox: None,
            gate: context.at_once.into(),
            build_permit: Mutex::default(),
            ending: None,
        }
    }

    /// Returns a session for one pair of a manifest with several pairs. The session uses the
    /// clients `aws`, and its events name the pair. It shares `gate`, and holds `build_permit`
    /// while the pair is built.
    pub(super) fn of_many(
        context: &RunContext,
        input: Input,
        aws: Arc<Aws>,
        gate: ConcurrencyLimit,
        build_permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let events = context.events.of_pair(input.manifest.name().as_str());
        let account = input.account;
        let part = Self::part(context, input.manifest, input.templates);
        Self {
            account,
            aws,
            events,
            gate,
            build_permit: Mutex::new(build_permit),
            started: Instant::now(),
            ..part
        }
    }

    /// Releases the build permit: this pair is built and only waits from here on, so another pair
    /// can be built.
    pub(super) fn leave_seat(&self) {
        self.build_permit.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Reads the existing resources; for a removal, counts the objects in the buckets too.
    pub(super) async fn observe(&self, depth: Depth) -> Result<(Topology, World), Failure> {
        let (started, before) = (Instant::now(), self.aws.count());
        let look = Box::pin(async {
            let (topology, named) = observe::first_wave(&self.aws, &self.manifest).await?;
            self.account.get_or_init(|| topology.wanted.home().account.clone());
            self.events.say(&Event::Pair(drawn::drawn(&topology)));
            let mut world = observe::second_wave(&self.aws, &topology, named, depth).await?;
            observe::late_tags(&self.aws, &topology, depth, &self.events, &mut world).await?;
            if depth == Depth::Removal {
                observe::all_objects(&self.aws, &topology, &mut world).await?;
            }
            Ok((topology, world))
        });
        let seen = self.unless_ending(look).await;
        // The reads of several pairs are counted together, so the reads of one pair are not known.
        if self.ending.is_some() {
            let reads = self.aws.count().reads - before.reads;
            let round_trip_ms = self.aws.round_trip().map(millis).filter(|ms| *ms > 0);
            let elapsed_ms = millis(started.elapsed());
            self.events.say(&Event::Observed { reads, elapsed_ms, round_trip_ms });
        }
        seen
    }

    /// Reads the existing resources and returns the plan, after proving the policies that the plan
    /// would write. Where a rule would become live on an existing bucket, the objects in the bucket
    /// are counted first, since their number decides whether the rule may become live.
    pub(super) async fn plan(&self) -> Result<(Topology, World, Plan), Failure> {
        // Settings that others made affect what may be removed, so all settings are read.
        let depth = if self.wish.prune { Depth::Settings } else { Depth::Wanted };
        self.plan_at(depth).await
    }

    /// Like [`Self::plan`], but reads as much as `depth` says.
    pub(super) async fn plan_at(&self, depth: Depth) -> Result<(Topology, World, Plan), Failure> {
        let (mut topology, mut world) = self.observe(depth).await?;
        topology.found.expires =
            expiry::expires(&topology, &world, self.ephemeral, Timestamp::now())?;
        self.unless_ending(observe::beside_others(&self.aws, &mut topology, &mut world)).await?;
        let wish = self.wish;
        if wish.revive_keys {
            self.unless_ending(observe::pending_key(&self.aws, &topology, &mut world)).await?;
        } else {
            if plan::let_go(&topology, &mut world) {
                self.unless_ending(observe::spare_key(&self.aws, &topology, &mut world)).await?;
            }
            if world.buckets.is_empty() {
                let left = observe::left_replicas(&self.aws, &topology, &mut world);
                self.unless_ending(left).await?;
            }
        }
        if wish.prune {
            self.unless_ending(observe::orphans(&self.aws, &topology, &mut world)).await?;
            // Whether others write to the source decides how carefully its rules are removed.
            let source = topology.source.bucket.clone();
            let count = observe::objects(&self.aws, &topology, &mut world, &source);
            self.unless_ending(count).await?;
        }
        let mut plan = plan::build_as(&topology, &world, &self.templates, wish)?;
        let goes_live = |side: &&Side| {
            let id = StepId::new(Kind::Replication, side.bucket.as_str());
            plan.actions.iter().any(|action| action.id == id && action.changes())
        };
        let sources = topology.sides().filter(|side| topology.replicates_from(side));
        let live: Vec<BucketName> = sources
            .filter(|side| world.buckets.contains_key(&side.bucket))
            .filter(goes_live)
            .map(|side| side.bucket.clone())
            .collect();
        for source in &live {
            self.unless_ending(observe::objects(&self.aws, &topology, &mut world, source)).await?;
        }
        if !live.is_empty() {
            plan = plan::build_as(&topology, &world, &self.templates, wish)?;
        }
        let proof = plan::prove(&topology, &world, &self.templates)?;
        self.events.say(&Event::Proof { calls: drawn::calls(proof.rows.iter()) });
        Ok((topology, world, plan))
    }

    /// Waits for reads, or for the end of the run, whichever comes first.
    pub(super) async fn unless_ending<T>(
        &self,
        reads: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        unless_ending(&self.stop, reads).await
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
        let (aws, templates) = (Arc::clone(&self.aws), self.templates.clone());
        Steps::new(aws, topology.clone(), templates, world, self.stop.clone(), removal)
    }

    /// Emits `run.done`; later calls have no effect.
    pub(super) fn done(&self, ok: bool, changed: bool) {
        if let Some(ending) = &self.ending {
            ending.say(ok, changed);
        }
    }
}

pub(super) async fn start_sandbox() -> Result<Sandbox, Failure> {
    let started = Sandbox::start(sandbox::Options::default()).await;
    started.map_err(|error| {
        Failure::new(
            failure::Kind::Unexpected,
            "sandbox",
            format!("the sandbox can't listen: {error}"),
        )
    })
}

/// Returns the stop signal of the run, which signals and `--timeout` trigger.
fn stop(global: &Global) -> Stop {
    let stop = global.stop.clone();
    if global.credentials.is_none() {
        watch_signals(&stop);
    }
    watch_clock(&stop, global);
    stop
}

/// Returns the destination of events: the display on stderr or the stream on stdout, and every
/// requested report.
fn events(global: &Global, printer: &Printer) -> Events {
    let volume = global.volume();
    let live = !global.no_progress && volume > Volume::Quiet && std::io::stderr().is_terminal();
    let watcher: Arc<dyn Sink> = match global.output {
        Format::Ndjson => Arc::<Ndjson>::clone(&printer.ndjson),
        Format::Text | Format::Json if live => Arc::new(Screen::new(volume)),
        Format::Text | Format::Json => Arc::new(Lines::new(volume)),
    };
    let reports = printer.reports.iter().map(|report| Arc::clone(report) as Arc<dyn Sink>);
    let path = (volume >= Volume::Verbose).then(|| Arc::new(Chain::default()) as Arc<dyn Sink>);
    let all = std::iter::once(watcher).chain(reports).chain(path);
    Events::to(Arc::new(report::Several(all.collect())))
}
