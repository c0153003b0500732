//! What every command that talks to AWS begins with: the manifest, the templates, the clients, signals, events, and the look at
//! what is there.

mod connection;
mod drawn;
mod ends;

pub(super) use connection::connect;
pub(super) use ends::{Signals, given_up};

use super::output::Printer;
use super::{Format, Global};
use crate::aws::Aws;
use crate::events::{Event, Events, Kind, Sink, StepId, millis};
use crate::failure::{self, Failure};
use crate::manifest::{self, Manifest, Origin, Side, Topology};
use crate::names::{Arn, BucketName, Region};
use crate::observe::{self, Depth};
use crate::plan::{self, Plan, Removal, Wish, expiry};
use crate::policy::{self, Templates};
use crate::report::{Lines, Ndjson, Screen, Several, Volume};
use crate::sandbox::{self, Sandbox};
use crate::steps::Steps;
use crate::stop::Stop;
use crate::world::World;
use ends::{watch_clock, watch_signals};
use jiff::Timestamp;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What a pair of its own beside the manifest's has in its name, and under which key it is encrypted, if that is given.
type Own<'a> = (&'a str, Option<&'a Arn>);

/// What the user gave: read and checked, without a call.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) manifest: Manifest,
    pub(super) templates: Templates,
}

impl Input {
    /// Reads the manifest and the folder of templates, and renders every document once.
    pub(super) fn read(global: &Global, in_sandbox: bool) -> Result<Self, Failure> {
        Self::named(global, in_sandbox, None)
    }

    /// Like [`Self::read`], for a pair of its own beside the manifest's: its name ends in `suffix`, and all that it makes is
    /// named after it.
    pub(super) fn suffixed(
        global: &Global,
        in_sandbox: bool,
        suffix: &str,
        key: Option<&Arn>,
    ) -> Result<Self, Failure> {
        Self::named(global, in_sandbox, Some((suffix, key)))
    }

    fn named(global: &Global, in_sandbox: bool, own: Option<Own<'_>>) -> Result<Self, Failure> {
        let manifest = manifest(global, in_sandbox, own)?;
        let templates = match manifest.templates() {
            Some(folder) => Templates::overridden_by(folder)?,
            None => Templates::default(),
        };
        policy::try_all(&manifest, &templates)?;
        Ok(Self { manifest, templates })
    }
}

/// What a command stands on, whatever pairs it is about.
pub(super) struct Ground {
    pub(super) aws: Arc<Aws>,
    pub(super) stop: Stop,
    pub(super) events: Events,
    pub(super) started: Instant,
    sandbox: Option<Sandbox>,
    ending: Ending,
}

impl Ground {
    /// Begins a run about `pair`, with `home` as the Region of IAM and STS and the credentials that `manifest` names.
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
        let aws = Arc::new(connect(global, home, manifest, sandbox.as_ref()).await);
        let started = Instant::now();
        let ending = Ending { events: events.clone(), started, over: AtomicBool::new(false) };
        Ok(Self { aws, stop, events, started, sandbox, ending })
    }

    /// Waits for reads, or for the end of the run, whichever comes first.
    pub(super) async fn unless_ending<T>(
        &self,
        reads: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        unless_ending(&self.stop, reads).await
    }

    /// Says that the run is over; later words are not heard.
    pub(super) fn done(&self, ok: bool, changed: bool) {
        self.ending.say(ok, changed);
    }
}

async fn unless_ending<T>(
    stop: &Stop,
    reads: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        read = reads => read,
        () = stop.ending() => Err(stop.failure_while("looking at what is there")),
    }
}

/// Says once that a run is over; one that an error ended early is over too.
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

/// A command's surroundings, for one pair.
pub(super) struct Session {
    pub(super) manifest: Manifest,
    pub(super) templates: Templates,
    pub(super) aws: Arc<Aws>,
    pub(super) stop: Stop,
    pub(super) events: Events,
    pub(super) started: Instant,
    /// For how long what is applied is to stand; `None` for good.
    pub(super) ephemeral: Option<Duration>,
    /// What `apply` may do beside what it always does.
    pub(super) wish: Wish,
    /// The stand-in inside this process, where it was asked for.
    pub(super) sandbox: Option<Sandbox>,
    /// `None` for a part of a run that goes on after it.
    ending: Option<Ending>,
}

impl Session {
    /// Reads and checks all input, then makes the clients. Nothing is called before the input is valid.
    pub(super) async fn open(
        global: &Global,
        printer: &Printer,
        in_sandbox: bool,
    ) -> Result<Self, Failure> {
        Self::with(global, printer, Input::read(global, in_sandbox)?, in_sandbox).await
    }

    /// Makes the clients for `input`.
    pub(super) async fn with(
        global: &Global,
        printer: &Printer,
        input: Input,
        in_sandbox: bool,
    ) -> Result<Self, Failure> {
        let Input { manifest, templates } = printer.input.get_or_init(|| input).clone();
        let (home, pair) = (manifest.source_region(), manifest.name());
        let Ground { aws, stop, events, started, sandbox, ending } =
            Ground::open(global, printer, home, pair.as_str(), Some(&manifest), in_sandbox).await?;
        let ending = Some(ending);
        Ok(Self {
            manifest,
            templates,
            aws,
            stop,
            events,
            started,
            ephemeral: None,
            wish: Wish::default(),
            sandbox,
            ending,
        })
    }

    /// Returns a session for one pair of a run about several.
    pub(super) fn part(ground: &Ground, manifest: Manifest, templates: Templates) -> Self {
        Self {
            manifest,
            templates,
            aws: Arc::clone(&ground.aws),
            stop: ground.stop.clone(),
            events: ground.events.clone(),
            started: ground.started,
            ephemeral: None,
            wish: Wish::default(),
            sandbox: None,
            ending: None,
        }
    }

    /// Looks at what is there; a removal counts what lies in the buckets too.
    pub(super) async fn observe(&self, depth: Depth) -> Result<(Topology, World), Failure> {
        let (started, before) = (Instant::now(), self.aws.count());
        let look = Box::pin(async {
            let (topology, named) = observe::first_wave(&self.aws, &self.manifest).await?;
            self.events.say(&Event::Pair(drawn::drawn(&topology)));
            let mut world = observe::second_wave(&self.aws, &topology, named, depth).await?;
            if depth == Depth::Removal {
                observe::all_objects(&self.aws, &topology, &mut world).await?;
            }
            Ok((topology, world))
        });
        let seen = self.unless_ending(look).await;
        let reads = self.aws.count().reads - before.reads;
        self.events.say(&Event::Observed { reads, elapsed_ms: millis(started.elapsed()) });
        seen
    }

    /// Looks at what is there and says what would be done, after proving what would be written for it. Where a rule would go
    /// live on a bucket that exists, what lies in the bucket is counted first, since that decides whether it may.
    pub(super) async fn plan(&self) -> Result<(Topology, World, Plan), Failure> {
        // What others set up has a say in what may be taken away.
        let depth = if self.wish.prune { Depth::Settings } else { Depth::Wanted };
        self.plan_at(depth).await
    }

    /// Like [`Self::plan`], after looking at as much as is asked for.
    pub(super) async fn plan_at(&self, depth: Depth) -> Result<(Topology, World, Plan), Failure> {
        let (mut topology, mut world) = self.observe(depth).await?;
        topology.expires = expiry::expires(&topology, &world, self.ephemeral, Timestamp::now())?;
        self.unless_ending(observe::beside_others(&self.aws, &mut topology, &mut world)).await?;
        let wish = self.wish;
        if wish.revive_keys {
            self.unless_ending(observe::pending_key(&self.aws, &topology, &mut world)).await?;
        } else if plan::let_go(&topology, &mut world) {
            self.unless_ending(observe::spare_key(&self.aws, &topology, &mut world)).await?;
        }
        if wish.prune {
            self.unless_ending(observe::orphans(&self.aws, &topology, &mut world)).await?;
            // Whether others write to the source decides how carefully its rules go.
            let source = topology.source.bucket.clone();
            let count = observe::objects(&self.aws, &topology, &mut world, &source);
            self.unless_ending(count).await?;
        }
        let mut plan = plan::build_as(&topology, &world, &self.templates, wish)?;
        let goes_live = |side: &&Side| {
            let id = StepId::new(Kind::Replication, side.bucket.as_str());
            plan.actions.iter().any(|action| action.id == id && action.verb.changes())
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
        plan::prove(&topology, &world, &self.templates)?;
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
            done = work => Ok(done),
            () = self.stop.ended_at_once() => Err(self.stop.failure_while(doing)),
        }
    }

    /// Returns what does the actions of a plan for this pair, starting from `world`.
    pub(super) fn steps(&self, topology: &Topology, world: &World, removal: Removal) -> Steps {
        let (aws, templates) = (Arc::clone(&self.aws), self.templates.clone());
        Steps::new(aws, topology.clone(), templates, world, self.stop.clone(), removal)
    }

    /// Says that the run is over; later words are not heard.
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

/// Returns what ends the run: signals and `--timeout`.
fn stop(global: &Global) -> Stop {
    let stop = global.stop.clone();
    if global.credentials.is_none() {
        watch_signals(&stop);
    }
    watch_clock(&stop, global);
    stop
}

/// Returns where events go: to who watches, and to every report that was asked for.
fn events(global: &Global, printer: &Printer) -> Events {
    let volume = global.volume();
    let live = !global.no_progress && volume > Volume::Quiet && std::io::stderr().is_terminal();
    let watcher: Arc<dyn Sink> = match global.output {
        Format::Ndjson => Arc::<Ndjson>::clone(&printer.ndjson),
        Format::Text | Format::Json if live => Arc::new(Screen::new(volume)),
        Format::Text | Format::Json => Arc::new(Lines(volume)),
    };
    let reports = printer.reports.iter().map(|report| Arc::clone(report) as Arc<dyn Sink>);
    Events::to(Arc::new(Several(std::iter::once(watcher).chain(reports).collect())))
}

/// Finds the manifest: the file, the flags, `crrctl.yaml`, or, in the sandbox, the demo pair.
fn manifest(global: &Global, in_sandbox: bool, own: Option<Own<'_>>) -> Result<Manifest, Failure> {
    let (text, origin) = manifest_text(global, in_sandbox)?;
    let run = global.run.as_deref();
    Ok(match own {
        Some((suffix, key)) => manifest::parse_suffixed(&text, &origin, run, suffix, key)?,
        None => manifest::parse(&text, &origin, run)?,
    })
}

fn manifest_text(global: &Global, in_sandbox: bool) -> Result<(String, Origin), Failure> {
    let has_flags =
        global.name.is_some() || global.source.is_some() || !global.destination.is_empty();
    let usage = |message: &str| Failure::new(failure::Kind::Manifest, "usage", message);
    let default = Path::new("crrctl.yaml");
    match &global.file {
        Some(_) if has_flags => Err(usage(
            "`--name`, `--source` and `--destination` stand in place of a manifest: leave out `--file`",
        )),
        Some(file) if file == "-" => {
            let mut text = String::new();
            let unreadable = |error: std::io::Error| unreadable("<stdin>", &error);
            std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
            Ok((text, Origin::Stdin))
        }
        Some(file) => read(PathBuf::from(file)),
        None if has_flags => {
            let (Some(name), Some(source)) = (&global.name, &global.source) else {
                return Err(usage(
                    "without a manifest, `--name`, `--source` and `--destination` are all wanted",
                ));
            };
            Ok((manifest::flags_text(name, source, &global.destination), Origin::Flags))
        }
        None if default.exists() => read(default.to_path_buf()),
        None if in_sandbox => {
            let text = manifest::flags_text("demo", &"us-east-1".into(), &["us-west-2".into()]);
            Ok((text, Origin::Demo))
        }
        None => Err(usage("there is no manifest: no `crrctl.yaml` here, and no flag names one")
            .hint("name one with `--file`, or give `--name`, `--source` and `--destination`")
            .hint("to try it without AWS: `crrctl apply --sandbox --yes`")),
    }
}

fn read(path: PathBuf) -> Result<(String, Origin), Failure> {
    let text = std::fs::read_to_string(&path)
        .map_err(|error| unreadable(&path.display().to_string(), &error))?;
    Ok((text, Origin::File(path)))
}

fn unreadable(origin: &str, error: &std::io::Error) -> Failure {
    manifest::ManifestError::Unreadable { origin: origin.to_owned(), reason: error.to_string() }
        .into()
}
