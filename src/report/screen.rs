//! A run on a terminal: a live tree of the Regions and their active steps, each with the reason why
//! it waits, and a permanent line for each step that is done.
//! Not for: logs and pipes (see `lines`).

use super::line::{Volume, line, line_of};
use super::style::{BAD, FAINT, NOTABLE};
use super::{harmless, live};
use crate::events::{Event, Sink, StepId};
use crate::names::Region;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Draws on stderr.
#[derive(Debug)]
pub struct Screen {
    volume: Volume,
    all: MultiProgress,
    live: Mutex<Live>,
}

/// The active lines: a tree of Regions and their steps, and lines without a Region.
#[derive(Debug, Default)]
struct Live {
    regions: BTreeMap<String, Branch>,
    bars: BTreeMap<String, Leaf>,
    pairs: Option<Pairs>,
    /// Whether the run is over: a step that ends late has no line any more.
    is_over: bool,
}

/// Several pairs: one line for all of them, and one for each of up to `MOST_PAIRS` active pairs.
#[derive(Debug)]
struct Pairs {
    bar: ProgressBar,
    all: usize,
    done: usize,
    failed: usize,
    under_way: BTreeMap<String, ProgressBar>,
}

/// The maximum number of active pairs that have a line; further pairs are only counted.
const MOST_PAIRS: usize = 12;

/// The line of a Region, and how many of its steps are done.
#[derive(Debug)]
struct Branch {
    bar: ProgressBar,
    done: usize,
}

/// An active line, and the Region above it.
#[derive(Debug)]
struct Leaf {
    bar: ProgressBar,
    region: Option<String>,
}

impl Screen {
    /// Creates a screen without active lines.
    pub fn new(volume: Volume) -> Self {
        Self { volume, all: live::open(), live: Mutex::default() }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, name: &str, message: String) {
        self.grow(name, None, message);
    }

    /// Adds a line for `name`, under the line of its Region if it has one.
    fn grow(&self, name: &str, region: Option<&Region>, message: String) {
        let mut live = self.live();
        if live.is_over {
            return;
        }
        let bar = ProgressBar::new_spinner();
        let bar = match region {
            None => self.all.add(bar),
            Some(region) => {
                let branch = live.regions.entry(region.to_string()).or_insert_with(|| {
                    let bar = self.all.add(ProgressBar::new_spinner());
                    dress(&bar, "{msg}");
                    bar.set_message(heading(region.as_str(), 0));
                    Branch { bar, done: 0 }
                });
                self.all.insert_after(&branch.bar, bar)
            }
        };
        dress(
            &bar,
            if region.is_some() {
                "  {spinner} {wide_msg} {elapsed}"
            } else {
                "{spinner} {wide_msg} {elapsed}"
            },
        );
        bar.set_message(message);
        bar.enable_steady_tick(Duration::from_millis(120));
        let region = region.map(ToString::to_string);
        live.bars.insert(name.to_owned(), Leaf { bar, region });
    }

    fn change(&self, name: &str, message: String) {
        if let Some(leaf) = self.live().bars.get(name) {
            leaf.bar.set_message(message);
        }
    }

    fn end(&self, name: &str) {
        let mut live = self.live();
        let Some(Leaf { bar, region }) = live.bars.remove(name) else { return };
        bar.finish_and_clear();
        if let Some(branch) = region.as_ref().and_then(|region| live.regions.get_mut(region)) {
            branch.done += 1;
            branch.bar.set_message(heading(&region.unwrap_or_default(), branch.done));
        }
    }

    fn clear(&self) {
        let mut held = self.live();
        let is_over = held.is_over;
        let live = std::mem::replace(&mut *held, Live { is_over, ..Live::default() });
        let leaves = live.bars.into_values().map(|leaf| leaf.bar);
        let branches = live.regions.into_values().map(|branch| branch.bar);
        let pairs =
            live.pairs.into_iter().flat_map(|it| it.under_way.into_values().chain([it.bar]));
        leaves.chain(branches).chain(pairs).for_each(|bar| bar.finish_and_clear());
    }

    /// Updates the progress of several pairs, and the current step of each pair that has a line.
    fn follow_pair(&self, pair: &str, event: &Event) {
        self.end("");
        let mut live = self.live();
        if let Event::PairStart { pairs } = event {
            let count = *pairs;
            let pairs = live.pairs.get_or_insert_with(|| {
                let bar = self.all.add(ProgressBar::new_spinner());
                dress(&bar, "{spinner} {wide_msg} {elapsed}");
                bar.enable_steady_tick(Duration::from_millis(120));
                Pairs { bar, all: count, done: 0, failed: 0, under_way: BTreeMap::new() }
            });
            if pairs.under_way.len() < MOST_PAIRS {
                let bar = self.all.insert_after(&pairs.bar, ProgressBar::new_spinner());
                dress(&bar, "  {spinner} {wide_msg} {elapsed}");
                bar.set_message(format!("{pair}: looking at what is there"));
                pairs.under_way.insert(pair.to_owned(), bar);
            }
            pairs.show();
            return;
        }
        let Some(pairs) = &mut live.pairs else { return };
        if let Event::PairDone { ok, .. } = event {
            pairs.done += 1;
            pairs.failed += usize::from(!ok);
            if let Some(bar) = pairs.under_way.remove(pair) {
                bar.finish_and_clear();
            }
            pairs.show();
        } else if let (Some(bar), Some(text)) = (pairs.under_way.get(pair), doing(event)) {
            bar.set_message(format!("{pair}: {text}"));
        }
    }

    fn follow(&self, event: &Event) {
        let waiting = |step: &StepId, why: &str| {
            (step.to_string(), format!("{step} {NOTABLE}{why}{NOTABLE:#}"))
        };
        match event {
            Event::RunStart { command, pair } => {
                self.begin("", format!("{command} {pair}: looking at what is there"));
            }
            Event::Observed { .. } => self.end(""),
            Event::Search { read, known } => {
                self.change("", super::line::searched(*read, *known));
            }
            Event::StepStart { step, action, region, .. } => {
                self.grow(step.as_str(), Some(region), format!("{action} {step}"));
            }
            Event::StepWait { step, reason, .. } => {
                let (name, message) = waiting(step, reason);
                self.change(&name, message);
            }
            Event::StepRetry { step, code, reason } => {
                let (name, message) = waiting(step, &format!("{code}: {reason}"));
                self.change(&name, message);
            }
            Event::StepDone { step, .. } | Event::StepFailed { step, .. } => {
                self.end(step.as_str());
            }
            Event::ProbeStatus { key, status, .. } => {
                self.end(key);
                if status == "PENDING" {
                    self.begin(key, format!("{key} {NOTABLE}is PENDING{NOTABLE:#}"));
                }
            }
            Event::RunDone { .. } => {
                self.live().is_over = true;
                self.clear();
            }
            Event::BackfillStatus { job, status, total, succeeded, failed } => {
                self.end(job);
                match status.as_str() {
                    "Complete" | "Failed" | "Cancelled" => {}
                    // The job waits for the user's answer: a redrawn line would erase the question.
                    "Suspended" => self.clear(),
                    _ => {
                        self.begin(job, super::line::progress(status, *total, *succeeded, *failed));
                    }
                }
            }
            Event::StepNote { .. }
            | Event::ProbeRetry { .. }
            | Event::Pair(_)
            | Event::Proof { .. }
            | Event::ProbeDone(_)
            | Event::CheckDone(_)
            | Event::WatchRound { .. }
            | Event::PairStart { .. }
            | Event::PairDone { .. }
            | Event::Error { .. } => {}
        }
    }
}

impl Pairs {
    fn show(&self) {
        let Self { all, done, failed, .. } = self;
        let bad =
            if *failed > 0 { format!(", {BAD}{failed} failed{BAD:#}") } else { String::new() };
        self.bar.set_message(format!("{done} of {all} pairs done{bad}"));
    }
}

/// Returns what one pair of several is doing, in a few words.
fn doing(event: &Event) -> Option<String> {
    Some(match event {
        Event::StepStart { step, action, .. } => format!("{action} {step}"),
        Event::StepWait { step, reason, .. } => format!("{step} {NOTABLE}{reason}{NOTABLE:#}"),
        Event::StepRetry { step, code, reason } => {
            format!("{step} {NOTABLE}{code}: {reason}{NOTABLE:#}")
        }
        Event::ProbeStatus { status, .. } => format!("the probe is {status}"),
        _ => return None,
    })
}

/// Sets the style of a line. The templates are constants and valid; otherwise the default style is
/// used.
fn dress(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
    }
}

fn heading(region: &str, done: usize) -> String {
    format!("{region} {FAINT}{done} done{FAINT:#}")
}

fn print(text: Option<String>) {
    let Some(text) = text else { return };
    // A closed stderr does not end the run.
    let _ = live::around(|| writeln!(anstream::stderr().lock(), "{}", harmless(&text)));
}

impl Sink for Screen {
    fn take(&self, event: &Event) {
        self.follow(event);
        print(line(event, self.volume));
    }

    fn take_of(&self, pair: &str, event: &Event) {
        self.follow_pair(pair, event);
        print(line_of(pair, event, self.volume));
    }
}
