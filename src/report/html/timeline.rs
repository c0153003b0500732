//! When each step ran, what it waited for, and which steps made the run as long as it was.

use crate::events::{Event, StepId};
use crate::units::humane;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The steps of a run as they happened.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    begun: Option<Instant>,
    steps: Vec<Step>,
    place: BTreeMap<StepId, usize>,
}

#[derive(Debug)]
struct Step {
    id: StepId,
    action: &'static str,
    needs: Vec<StepId>,
    from: Duration,
    to: Option<Duration>,
    waits: Vec<String>,
    failure: Option<String>,
}

/// A row of the timeline; `left` and `width` are percents of the whole.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Row {
    step: String,
    action: &'static str,
    left: f64,
    width: f64,
    from: String,
    took: String,
    /// What it began after.
    after: Vec<String>,
    /// What it waited for while it ran.
    waits: Vec<String>,
    critical: bool,
    failure: Option<String>,
}

/// How many reasons of waiting are kept of a step.
const WAITS: usize = 3;

impl Timeline {
    /// Takes one event.
    pub(super) fn take(&mut self, event: &Event) {
        let now = self.begun.get_or_insert_with(Instant::now).elapsed();
        match event {
            Event::StepStart { step, action, needs, .. } => {
                self.place.insert(step.clone(), self.steps.len());
                self.steps.push(Step {
                    id: step.clone(),
                    action: action.as_str(),
                    needs: needs.clone(),
                    from: now,
                    to: None,
                    waits: Vec::new(),
                    failure: None,
                });
            }
            Event::StepWait { step, reason, .. } | Event::StepRetry { step, reason, .. } => {
                if let Some(step) = self.step(step)
                    && step.waits.len() < WAITS
                    && !step.waits.contains(reason)
                {
                    step.waits.push(reason.clone());
                }
            }
            Event::StepDone { step, .. } => {
                if let Some(step) = self.step(step) {
                    step.to = Some(now);
                }
            }
            Event::StepFailed { step, failure } => {
                if let Some(step) = self.step(step) {
                    step.to = Some(now);
                    step.failure = Some(failure.message.clone());
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, id: &StepId) -> Option<&mut Step> {
        self.place.get(id).and_then(|at| self.steps.get_mut(*at))
    }

    fn end(&self, step: &Step) -> Duration {
        let last = || self.steps.iter().filter_map(|it| it.to).max().unwrap_or(step.from);
        step.to.unwrap_or_else(last)
    }

    /// Returns the steps with their places, in the order in which they began.
    pub(super) fn rows(&self) -> Vec<Row> {
        let first = self.steps.iter().map(|step| step.from).min().unwrap_or_default();
        let last = self.steps.iter().map(|step| self.end(step)).max().unwrap_or_default();
        let whole = last.saturating_sub(first).as_secs_f64().max(1e-6);
        let percent = |time: Duration| (time.as_secs_f64() / whole * 1000.0).round() / 10.0;
        let critical = self.critical();
        let row = |step: &Step| {
            let took = self.end(step).saturating_sub(step.from);
            let from = step.from.saturating_sub(first);
            let ran = step.needs.iter().filter(|need| self.place.contains_key(need));
            Row {
                step: step.id.to_string(),
                action: step.action,
                left: percent(from),
                width: percent(took).max(0.4),
                from: humane(from),
                took: humane(took),
                after: ran.map(ToString::to_string).collect(),
                waits: step.waits.clone(),
                critical: critical.contains(&step.id),
                failure: step.failure.clone(),
            }
        };
        self.steps.iter().map(row).collect()
    }

    /// Returns the steps on the critical path: from the last to end, back to what each began after.
    fn critical(&self) -> BTreeSet<StepId> {
        let mut path = BTreeSet::new();
        let mut next = self.steps.iter().max_by_key(|step| self.end(step));
        while let Some(step) = next {
            if !path.insert(step.id.clone()) {
                break;
            }
            let needs = step.needs.iter().filter_map(|need| self.steps.get(*self.place.get(need)?));
            next = needs.max_by_key(|need| self.end(need));
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Kind, Verb};
    use crate::names::Region;

    fn start(timeline: &mut Timeline, name: &str, needs: &[&str]) {
        let step = |name: &str| StepId::new(Kind::Bucket, name);
        timeline.take(&Event::StepStart {
            step: step(name),
            kind: Kind::Bucket,
            region: Region::new("us-east-1").unwrap(),
            name: name.to_owned(),
            action: Verb::Create,
            needs: needs.iter().map(|need| step(need)).collect(),
        });
    }

    fn done(timeline: &mut Timeline, name: &str) {
        let step = StepId::new(Kind::Bucket, name);
        timeline.take(&Event::StepDone { step, action: Verb::Create, arn: None, elapsed_ms: 1 });
    }

    #[test]
    fn the_critical_path_is_what_the_last_step_began_after() {
        let mut timeline = Timeline::default();
        start(&mut timeline, "a", &[]);
        start(&mut timeline, "b", &[]);
        done(&mut timeline, "b");
        done(&mut timeline, "a");
        start(&mut timeline, "c", &["a", "b", "there-already"]);
        done(&mut timeline, "c");
        let rows = timeline.rows();
        let critical: Vec<&str> =
            rows.iter().filter(|row| row.critical).map(|row| row.step.as_str()).collect();
        assert_eq!(critical, ["s3:bucket/a", "s3:bucket/c"]);
        assert_eq!(rows[2].after, ["s3:bucket/a", "s3:bucket/b"]);
        assert!(rows.iter().all(|row| row.left + row.width <= 101.0), "{rows:?}");
    }
}
