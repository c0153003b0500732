//! Runs a command for several pairs of one manifest in one run. The pairs share clients,
//! connections, request pacing and the progress display. The failure of one pair does not stop the
//! others.
//! Not for: the work of a command on one pair (see each command).

use super::Global;
use super::objects::{self, OfMany, Sums};
use super::output::{self, Ended, Part, Printer, Purpose};
use super::session::{Inputs, Several, begin, connect_beside};
use crate::aws::Aws;
use crate::engine::ConcurrencyLimit;
use crate::events::{Event, millis};
use crate::failure::{self, Failure};
use crate::names::Region;
use crate::ops::{Input, RunContext, Session};
use crate::plan::{Cost, cost_of_many};
use crate::report::{self, tables};
use crate::units::format_duration;
use crrctl_sandbox::Sandbox;
use futures::stream::{self, StreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{Mutex, Semaphore};

/// How several pairs are being built for each action that may run: while one pair waits for its
/// turn at KMS, others have work to do.
const BUILT: usize = 2;
/// How several pairs are under way in all for each action that may run; most of them wait for their
/// probes.
const UNDER_WAY: usize = 8;

/// What stdout gets about each pair, if the format is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputMode {
    /// The whole text, in the manifest's order.
    Whole,
    /// One line, as soon as the pair is done.
    Verdict,
    /// Text that can be about one pair only: a manifest with several pairs is refused.
    Alone,
}

/// Runs `one` for the pair of `inputs`, or for each of them.
pub(super) async fn one_or_each<T: OfMany>(
    global: &Global,
    printer: &Printer,
    object: &mut T,
    inputs: Inputs,
    mode: OutputMode,
    one: impl AsyncFn(Session, &Printer, &mut T) -> Ended,
) -> Ended {
    match inputs {
        Inputs::One(input) => {
            let (session, _sandbox) =
                super::session::open(global, printer, *input, global.sandbox).await?;
            one(session, printer, object).await
        }
        Inputs::Many(_) if mode == OutputMode::Alone => {
            let message = "this is text about one pair: name it with `--pair`";
            Err(Failure::new(failure::Kind::Manifest, "usage", message))
        }
        Inputs::Many(several) => {
            PairRunner::gather(global, printer, several).await?.each(mode, object, one).await
        }
    }
}

/// Runs a command for several pairs, and holds the state that the pairs share.
pub(super) struct PairRunner<'a> {
    global: &'a Global,
    printer: &'a Printer,
    context: RunContext,
    sandbox: Option<Sandbox>,
    title: String,
    several: Several,
    gate: ConcurrencyLimit,
    build_permits: Arc<Semaphore>,
    /// The clients, by the Region of IAM and the credentials of all sides. Pairs for which both are
    /// equal share their clients.
    known: Mutex<Vec<(ClientKey, Arc<Aws>)>>,
}

/// Pairs with the same key share their clients.
type ClientKey = (Region, crate::aws::Connection);

impl<'a> PairRunner<'a> {
    /// Opens the run for all pairs of a manifest. Makes no AWS calls.
    pub(super) async fn gather(
        global: &'a Global,
        printer: &'a Printer,
        several: Several,
    ) -> Result<Self, Failure> {
        let title = match &several.name {
            Some(name) => name.to_string(),
            None => format!("{} pairs", several.inputs.len()),
        };
        let Some(first) = several.inputs.first().map(|input| &input.manifest) else {
            return Err(Failure::new(failure::Kind::Manifest, "usage", "there are no pairs"));
        };
        let home = first.source_region();
        let (context, sandbox) =
            begin(global, printer, home, &title, Some(first), global.sandbox).await?;
        let at_once = global.max_concurrency.max(1);
        Ok(Self {
            global,
            printer,
            context,
            sandbox,
            title,
            several,
            gate: ConcurrencyLimit::shared(at_once),
            build_permits: Arc::new(Semaphore::new(at_once.saturating_mul(BUILT))),
            known: Mutex::default(),
        })
    }

    /// Returns the common name of the pairs.
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// Prints the plan of each pair, and asks `question`. A pair that can't be planned does not
    /// stop the others; it fails later, in its own run.
    pub(super) async fn ask<T: OfMany>(
        &self,
        plan: impl AsyncFn(Session, &Printer, &mut T) -> Ended,
        question: &str,
    ) -> Result<String, Failure> {
        let parts = self.parts(OutputMode::Whole, plan).await;
        let failed = failed(&parts);
        if failed.len() == parts.len()
            && let Some(failure) = verdict(parts.len(), &failed)
        {
            return Err(failure);
        }
        for part in &parts {
            let words = part.failure.as_ref().map_or_else(|| part.text.clone(), report::explained);
            output::say(&format!("{}:\n{words}", part.pair));
        }
        if let Some(cost) = cost(&parts) {
            output::say(&tables::cost_of_many(&cost));
        }
        output::ask(question, &self.context.stop).await
    }

    /// Runs `work` for each pair, and reports the result of each pair and of the whole run.
    pub(super) async fn each<T: OfMany>(
        self,
        mode: OutputMode,
        object: &mut T,
        work: impl AsyncFn(Session, &Printer, &mut T) -> Ended,
    ) -> Ended {
        let parts = self.parts(mode, work).await;
        let changed = parts.iter().any(|part| part.changed);
        let failed = failed(&parts);
        let code = parts.iter().filter(|part| part.failure.is_none());
        let code = code.map(|part| part.exit_code).max().unwrap_or_default();
        let verdict = verdict(parts.len(), &failed);
        let good = parts.iter().filter(|part| part.ok).count();
        self.context.done(good == parts.len(), changed);
        if mode == OutputMode::Whole {
            for part in &parts {
                self.printer.text(&format!("{}:\n{}", part.pair, part.text));
            }
        }
        if let Some(cost) = cost(&parts) {
            self.printer.text(&tables::cost_of_many(&cost));
            object.costs(cost);
        }
        let elapsed = self.context.started.elapsed();
        let calls = self.context.aws.count();
        let (count, failed) = (parts.len(), failed.len());
        let objects = parts.into_iter().map(|part| objects::Part(part.object)).collect();
        object.sum_up(&Sums { count, failed, calls, elapsed }, objects);
        let (took, total) = (format_duration(elapsed), calls.total());
        let done = match self.printer.purpose {
            Purpose::Work => "done",
            Purpose::Judge => "in order",
        };
        self.printer.text(&tables::verdict(&format!(
            "{}: {good} of {count} pairs {done}, in {took} and {total} calls",
            self.title
        )));
        verdict.map_or(Ok(code), Err)
    }

    /// Runs `work` for each pair; returns the results in the manifest's order. When a pair is done,
    /// everything but its result is dropped.
    async fn parts<T: OfMany>(
        &self,
        mode: OutputMode,
        work: impl AsyncFn(Session, &Printer, &mut T) -> Ended,
    ) -> Vec<Part<T>> {
        let under_way = self.global.max_concurrency.max(1).saturating_mul(UNDER_WAY);
        let inputs = self.several.inputs.iter().enumerate();
        let mut all = stream::iter(inputs)
            .map(|(index, input)| {
                let work = &work;
                async move { (index, self.one(input, work).await) }
            })
            .buffer_unordered(under_way);
        let mut parts: BTreeMap<usize, Part<T>> = BTreeMap::new();
        while let Some((index, mut part)) = all.next().await {
            if mode == OutputMode::Verdict {
                let text = std::mem::take(&mut part.text);
                if let (None, Some(line)) = (&part.failure, text.lines().last()) {
                    self.printer.text(&format!("{line}\n"));
                }
            }
            parts.insert(index, part);
        }
        parts.into_values().collect()
    }

    async fn one<T: OfMany>(
        &self,
        input: &Input,
        work: &impl AsyncFn(Session, &Printer, &mut T) -> Ended,
    ) -> Part<T> {
        // The semaphore is never closed.
        let build_permit = Arc::clone(&self.build_permits).acquire_owned().await.ok();
        let (part, mut object) = (self.printer.part(input), T::default());
        let events = self.context.events.of_pair(input.manifest.name().as_str());
        let began = Instant::now();
        let ended = if self.context.stop.is_ending() {
            Err(self.context.stop.failure_while("other pairs were under way"))
        } else {
            events.say(&Event::PairStart { pairs: self.several.inputs.len() });
            let (context, gate) = (&self.context, self.gate.clone());
            match self.clients(input).await {
                Ok(aws) => {
                    let session = Session::of_many(context, input.clone(), aws, gate, build_permit);
                    // Boxed, so that the future of one pair stays small.
                    Box::pin(work(session, &part, &mut object)).await
                }
                Err(failure) => Err(failure),
            }
        };
        let part = part.kept(object, ended);
        events.say(&Event::PairDone {
            ok: part.ok,
            exit_code: part.exit_code,
            failure: part.failure.clone(),
            elapsed_ms: millis(began.elapsed()),
        });
        part
    }

    async fn clients(&self, input: &Input) -> Result<Arc<Aws>, Failure> {
        let manifest = &input.manifest;
        let sandbox = self.sandbox.as_ref();
        let connection = super::session::connection(self.global, Some(manifest), sandbox).await?;
        let client_key = (manifest.source_region().clone(), connection);
        let mut known = self.known.lock().await;
        if let Some((_, aws)) = known.iter().find(|(it, _)| *it == client_key) {
            return Ok(Arc::clone(aws));
        }
        let aws = connect_beside(&self.context.aws, manifest, &client_key.1).await;
        let aws = Arc::new(aws);
        known.push((client_key, Arc::clone(&aws)));
        Ok(aws)
    }
}

/// Returns what the pairs cost a month together, if the command tells it of any.
fn cost<T>(parts: &[Part<T>]) -> Option<Cost> {
    let each: Vec<f64> = parts.iter().filter_map(|part| part.monthly_usd).collect();
    (!each.is_empty()).then(|| cost_of_many(&each))
}

/// Returns the pairs that failed, each with its failure.
fn failed<T>(parts: &[Part<T>]) -> Vec<(&str, &Failure)> {
    parts.iter().filter_map(|part| Some((part.pair.as_str(), part.failure.as_ref()?))).collect()
}

/// Returns the failure of the run, if any: the worst failure of its `count` pairs.
fn verdict(count: usize, failed: &[(&str, &Failure)]) -> Option<Failure> {
    let mut by_message: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (pair, failure) in failed {
        by_message.entry(failure.message.clone()).or_default().push(pair);
    }
    let worst = failure::worst(failed.iter().map(|(_, failure)| (*failure).clone()))?;
    let pairs = by_message.get(&worst.message).cloned().unwrap_or_default();
    let named: Vec<&str> = pairs.iter().take(NAMED).copied().collect();
    let more = if pairs.len() > NAMED { ", …" } else { "" };
    let message = format!(
        "{} of {} pairs failed; {}{more}: {}",
        failed.len(),
        count,
        named.join(", "),
        worst.message
    );
    let hint = "`--pair NAME` does the same for single pairs";
    Some(Failure { message, ..worst }.hint(hint))
}

/// How several pairs with the same failure message are named.
const NAMED: usize = 5;
