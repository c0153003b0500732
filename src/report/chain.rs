//! The critical path of a run: which step waited for which, and how long the whole chain took. It
//! is printed at the end of a verbose run.
//! Not for: which step must wait for which (see `plan`).

use super::live;
use super::style::FAINT;
use crate::events::{Event, Sink, StepId};
use crate::units::format_duration;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A part of a run; times are relative to the start of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The name of the step or phase.
    pub name: String,
    /// The names of the parts that had to be done before.
    pub needs: Vec<String>,
    /// When it began.
    pub began: Duration,
    /// When it was done.
    pub ended: Duration,
}

/// Returns the critical path, in order of time: from the part that ended last, back to the part
/// that each one waited for last.
pub fn chain(parts: &[Ran]) -> Vec<&Ran> {
    let by_name: BTreeMap<&str, &Ran> = parts.iter().map(|ran| (ran.name.as_str(), ran)).collect();
    let mut links = Vec::new();
    let mut next = parts.iter().max_by_key(|ran| ran.ended);
    while let Some(link) = next {
        links.push(link);
        let needs = link.needs.iter().filter_map(|need| by_name.get(need.as_str()).copied());
        // A part that waited for itself would never have ended, so only parts that ended before
        // count.
        next = needs.filter(|need| need.ended <= link.began).max_by_key(|need| need.ended);
        if links.len() > parts.len() {
            break;
        }
    }
    links.reverse();
    links
}

/// The names of the reads and of the probes among the steps.
const LOOKING: &str = "looking at what is there";
const PROBING: &str = "probing";

/// Stores the parts of a run, and prints the critical path at the end.
#[derive(Debug)]
pub struct Chain {
    began: Instant,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    done: Vec<Ran>,
    running: BTreeMap<StepId, (Vec<String>, Duration)>,
    round_trip: Option<Duration>,
}

impl Default for Chain {
    fn default() -> Self {
        Self { began: Instant::now(), seen: Mutex::default() }
    }
}

impl Seen {
    fn take(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Observed { elapsed_ms, round_trip_ms, .. } => {
                let began = now.saturating_sub(Duration::from_millis(*elapsed_ms));
                self.done.push(Ran {
                    name: LOOKING.to_owned(),
                    needs: Vec::new(),
                    began,
                    ended: now,
                });
                self.round_trip = round_trip_ms.map(Duration::from_millis);
            }
            Event::StepStart { step, needs, .. } => {
                let needs = needs.iter().map(ToString::to_string);
                let needs = needs.chain([LOOKING.to_owned()]).collect();
                self.running.insert(step.clone(), (needs, now));
            }
            Event::StepDone { step, .. } => {
                let Some((needs, began)) = self.running.remove(step) else { return };
                self.done.push(Ran { name: step.to_string(), needs, began, ended: now });
            }
            Event::ProbeDone(_) => {
                // Probes begin when the last step is done.
                let steps = self.done.iter().filter(|ran| ran.name != PROBING);
                let (names, ends): (Vec<String>, Vec<Duration>) =
                    steps.map(|ran| (ran.name.clone(), ran.ended)).unzip();
                let began = ends.into_iter().max().unwrap_or_default();
                self.done.retain(|ran| ran.name != PROBING);
                self.done.push(Ran { name: PROBING.to_owned(), needs: names, began, ended: now });
            }
            _ => {}
        }
    }

    /// Returns the path as text; empty if no part waited for another.
    fn told(&self) -> String {
        let links = chain(&self.done);
        let (Some(first), Some(last)) = (links.first(), links.last()) else {
            return String::new();
        };
        if links.len() < 2 {
            return String::new();
        }
        let whole = last.ended.saturating_sub(first.began);
        let trips = match self.round_trip {
            Some(trip) => format!(
                ", {:.1} round trips of {}",
                whole.as_secs_f64() / trip.as_secs_f64(),
                format_duration(trip)
            ),
            None => String::new(),
        };
        let mut text =
            format!("critical path: {} in {} links{trips}\n", format_duration(whole), links.len());
        for link in &links {
            let (at, took) =
                (link.began.saturating_sub(first.began), link.ended.saturating_sub(link.began));
            let _ = writeln!(
                text,
                "  {FAINT}{:>8}{FAINT:#} {} {FAINT}{}{FAINT:#}",
                format_duration(at),
                link.name,
                format_duration(took)
            );
        }
        text
    }
}

impl Sink for Chain {
    fn take(&self, event: &Event) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.take(event, self.began.elapsed());
        if matches!(event, Event::RunDone { .. }) {
            // A closed stderr does not end the run.
            let told = seen.told();
            let _ = live::around(|| write!(anstream::stderr().lock(), "{told}"));
        }
    }

    /// Ignored: a critical path across several pairs describes none of them.
    fn take_of(&self, _: &str, _: &Event) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(name: &str, needs: &[&str], began: u64, ended: u64) -> Ran {
        Ran {
            name: name.to_owned(),
            needs: needs.iter().map(|it| (*it).to_owned()).collect(),
            began: Duration::from_millis(began),
            ended: Duration::from_millis(ended),
        }
    }

    #[test]
    fn the_chain_goes_back_from_the_last_end_by_what_was_waited_for_last() {
        let parts = [
            ran("look", &[], 0, 10),
            ran("key", &["look"], 10, 20),
            ran("bucket", &["look"], 10, 45),
            ran("alias", &["key"], 20, 30),
            ran("replica", &["alias", "bucket"], 45, 60),
            ran("role", &["look"], 10, 50),
        ];
        let names: Vec<&str> = chain(&parts).iter().map(|ran| ran.name.as_str()).collect();
        assert_eq!(names, ["look", "bucket", "replica"]);
        assert_eq!(chain(&[]), Vec::<&Ran>::new());
        let circle = [ran("a", &["b"], 5, 10), ran("b", &["a"], 0, 5)];
        assert_eq!(chain(&circle).len(), 2);
    }

    #[test]
    fn the_path_is_told_with_its_round_trips() {
        let mut seen = Seen { round_trip: Some(Duration::from_millis(20)), ..Seen::default() };
        assert_eq!(seen.told(), "");
        seen.done = vec![ran("look", &[], 0, 40), ran("key", &["look"], 40, 100)];
        let told = anstream::adapter::strip_str(&seen.told()).to_string();
        assert!(
            told.starts_with("critical path: 100 ms in 2 links, 5.0 round trips of 20 ms\n"),
            "{told}"
        );
        assert!(told.contains("40 ms key 60 ms"), "{told}");
    }
}
