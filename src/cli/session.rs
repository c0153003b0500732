//! The setup of every command that calls AWS: the input, the clients, signals and the sinks of events.
//! Not for: the work of each command (see `ops`).

mod by_name;
mod connection;
mod ends;
mod input;

pub(super) use by_name::{find_by_bucket, read_or_find};
pub(super) use connection::{connect, connect_beside, connection};
pub(super) use ends::{SignalReceived, Signals, given_up};
pub(super) use input::{Inputs, Several, read_one, read_suffixed, read_with_suffixed};

use super::output::Printer;
use super::{Format, Global};
use crate::events::{Event, Events, Sink};
use crate::failure::{self, Failure};
use crate::manifest::Manifest;
use crate::names::Region;
use crate::ops::{Input, RunContext, Session};
use crate::report::{self, Chain, Lines, Ndjson, Recorded, Screen, Volume};
use crrctl_sandbox::{self as sandbox, Sandbox};
use ends::{watch_clock, watch_signals};
use std::io::IsTerminal;
use std::sync::Arc;

/// The commands that look for what other commands made; `probe` says by itself that a sandbox is new.
const LOOKING: [&str; 10] =
    ["backfill", "check", "destroy", "export", "gc", "import", "list", "status", "wait", "watch"];

/// Begins a run about `pair`, with `home` as the Region of IAM and STS and the credentials that
/// `manifest` names. Returns the sandbox too, if the run has one: it serves as long as it is held.
pub(super) async fn begin(
    global: &Global,
    printer: &Printer,
    home: &Region,
    pair: &str,
    manifest: Option<&Manifest>,
    in_sandbox: bool,
) -> Result<(RunContext, Option<Sandbox>), Failure> {
    let sandbox = if in_sandbox { Some(start_sandbox().await?) } else { None };
    if in_sandbox && LOOKING.contains(&printer.command) && global.volume() > Volume::Quiet {
        printer.say("note: a fresh sandbox is empty: `crrctl sandbox -- sh` gives one that lasts as long as the shell");
    }
    watch(global);
    let (stop, events) = (global.stop.clone(), events(global, printer));
    events.say(&Event::RunStart { command: printer.command, pair: pair.to_owned() });
    let aws = Arc::new(connect(global, home, manifest, sandbox.as_ref()).await?);
    let _ = printer.aws.set(Arc::clone(&aws));
    let mut context = RunContext::new(aws, events, stop);
    context.at_once = global.max_concurrency;
    context.patience = global.patience;
    context.is_new_sandbox = in_sandbox;
    Ok((context, sandbox))
}

/// Begins a run about the pair of `input`. Returns the sandbox too, if the run has one: it serves as long as it is held.
pub(super) async fn open(
    global: &Global,
    printer: &Printer,
    input: Input,
    in_sandbox: bool,
) -> Result<(Session, Option<Sandbox>), Failure> {
    let input = printer.input.get_or_init(|| input).clone();
    let (home, pair) = (input.manifest.source_region(), input.manifest.name().as_str());
    let manifest = Some(&input.manifest);
    let (context, sandbox) = begin(global, printer, home, pair, manifest, in_sandbox).await?;
    Ok((Session::alone(context, input), sandbox))
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

/// Has signals and `--timeout` end the run, from the first time that this is called.
fn watch(global: &Global) {
    global.is_watched.get_or_init(|| {
        if global.credentials.is_none() {
            watch_signals(&global.stop);
        }
        watch_clock(&global.stop, global);
    });
}

/// Reads what a run needs before it begins, until the run is to end. `doing` says what is read.
pub(super) async fn unless_ending<T>(
    global: &Global,
    doing: &str,
    read: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    watch(global);
    tokio::select! {
        biased;
        () = global.stop.ending() => Err(global.stop.failure_while(doing)),
        read = Box::pin(read) => read,
    }
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
    let recording = global.recorder.clone().map(|it| Arc::new(Recorded::new(it)) as Arc<dyn Sink>);
    let path = (volume >= Volume::Verbose).then(|| Arc::new(Chain::default()) as Arc<dyn Sink>);
    let all = std::iter::once(watcher).chain(reports).chain(path).chain(recording);
    Events::to(Arc::new(report::Several(all.collect())))
}
