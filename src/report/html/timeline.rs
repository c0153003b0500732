//! The timeline of a run: when each step ran, what it waited for, and which steps are on the
//! critical path. It includes the reads before the steps and the probes after them.
//! Not for: the critical path on stderr (see `chain`).

use crate::events::{Event, ProbeDone, StepId};
use crate::units::format_duration;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The steps of a run as they happened.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    begun: Option<Instant>,
    /// The reads before the steps: their number, start and end.
    looked: Option<(u64, Duration, Duration)>,
    steps: Vec<Step>,
    place: BTreeMap<StepId, usize>,
    /// The probes of each route: their number, start and end, and how many of them are not right.
    probes: BTreeMap<String, Probes>,
}

#[derive(Debug)]
struct Probes {
    count: usize,
    wrong: usize,
    from: Duration,
    to: Duration,
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

/// A row of the timeline; `left` and `width` are percentages of the whole duration.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Row {
    step: String,
    action: &'static str,
    left: f64,
    width: f64,
    from: String,
    took: String,
    /// The steps of this run that it needed first.
    after: Vec<String>,
    /// What it waited for while it ran.
    waits: Vec<String>,
    critical: bool,
    failure: Option<String>,
}

/// How many wait reasons are stored for a step.
const WAITS: usize = 3;

impl Timeline {
    /// Takes one event.
    pub(super) fn take(&mut self, event: &Event) {
        let now = self.begun.get_or_insert_with(Instant::now).elapsed();
        match event {
            Event::Observed { reads, elapsed_ms, .. } => {
                let from = now.saturating_sub(Duration::from_millis(*elapsed_ms));
                self.looked.get_or_insert((*reads, from, now));
            }
            Event::ProbeDone(probe) => self.probed(probe, now),
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

    /// Adds a probe, which began at least its latency ago; the comparison of the replica took the
    /// rest.
    fn probed(&mut self, probe: &ProbeDone, now: Duration) {
        let took = Duration::from_millis(probe.latency_ms.unwrap_or_default());
        let from = now.saturating_sub(took);
        let route = probe.route();
        let all = self.probes.entry(route).or_insert(Probes { count: 0, wrong: 0, from, to: now });
        all.count += 1;
        all.wrong += usize::from(!probe.ok());
        (all.from, all.to) = (all.from.min(from), all.to.max(now));
    }

    fn step(&mut self, id: &StepId) -> Option<&mut Step> {
        self.place.get(id).and_then(|at| self.steps.get_mut(*at))
    }

    fn end(&self, step: &Step) -> Duration {
        let last = || self.steps.iter().filter_map(|it| it.to).max().unwrap_or(step.from);
        step.to.unwrap_or_else(last)
    }

    /// Returns the rows: the reads, the steps in the order in which they began, and the probes.
    pub(super) fn rows(&self) -> Vec<Row> {
        let looked = self.looked.iter().map(|(_, from, to)| (*from, *to));
        let probed = self.probes.values().map(|it| (it.from, it.to));
        let steps = self.steps.iter().map(|step| (step.from, self.end(step)));
        let spans: Vec<_> = looked.chain(probed).chain(steps).collect();
        if self.steps.is_empty() && self.probes.is_empty() {
            return Vec::new();
        }
        let first = spans.iter().map(|(from, _)| *from).min().unwrap_or_default();
        let last = spans.iter().map(|(_, to)| *to).max().unwrap_or_default();
        let whole = last.saturating_sub(first).as_secs_f64().max(1e-6);
        let percent = |time: Duration| (time.as_secs_f64() / whole * 1000.0).round() / 10.0;
        let placed = |from: Duration, to: Duration| Row {
            left: percent(from.saturating_sub(first)),
            width: percent(to.saturating_sub(from)).max(0.4),
            from: format_duration(from.saturating_sub(first)),
            took: format_duration(to.saturating_sub(from)),
            ..Row::default()
        };
        let looked = self.looked.iter().map(|(reads, from, to)| Row {
            step: format!("{reads} reads"),
            action: "look",
            critical: true,
            ..placed(*from, *to)
        });
        let critical = self.critical();
        let step = |step: &Step| {
            let ran = step.needs.iter().filter(|need| self.place.contains_key(need));
            Row {
                step: step.id.to_string(),
                action: step.action,
                after: ran.map(ToString::to_string).collect(),
                waits: step.waits.clone(),
                critical: critical.contains(&step.id),
                failure: step.failure.clone(),
                ..placed(step.from, self.end(step))
            }
        };
        let longest = self.probes.values().map(|it| it.to).max();
        let of_routes = self.probes.iter().map(|(route, it)| Row {
            step: format!("{} × {route}", it.count),
            action: "probe",
            critical: Some(it.to) == longest,
            failure: (it.wrong > 0).then(|| format!("{} of {} are wrong", it.wrong, it.count)),
            ..placed(it.from, it.to)
        });
        looked.chain(self.steps.iter().map(step)).chain(of_routes).collect()
    }

    /// Returns the steps on the critical path: from the step that ended last, back to the step that
    /// each one needed and that ended last.
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
    fn reads_and_probes_have_rows_of_their_own() {
        let place = |region: &str| crate::events::PlaceOf {
            bucket: "b".to_owned(),
            region: Region::new(region).unwrap(),
        };
        let probe = |to: &str, status: &str| {
            Event::ProbeDone(ProbeDone {
                rule: "r".to_owned(),
                key: "k".to_owned(),
                version_id: "v".to_owned(),
                source: place("us-east-1"),
                destination: place(to),
                status: status.to_owned(),
                latency_ms: Some(1),
                attempts: 1,
                checked: status == "COMPLETED",
                differences: Vec::new(),
            })
        };
        let mut timeline = Timeline::default();
        assert_eq!(timeline.rows(), []);
        timeline.take(&Event::Observed { reads: 15, elapsed_ms: 0, round_trip_ms: None });
        assert_eq!(timeline.rows(), [], "reads alone are no timeline");
        start(&mut timeline, "a", &[]);
        done(&mut timeline, "a");
        timeline.take(&probe("us-west-2", "COMPLETED"));
        timeline.take(&probe("us-west-2", "FAILED"));
        timeline.take(&probe("eu-west-1", "COMPLETED"));
        let rows = timeline.rows();
        let said: Vec<String> = rows
            .iter()
            .map(|row| format!("{} {} {}", row.action, row.step, row.critical))
            .collect();
        let expected = [
            "look 15 reads true",
            "create s3:bucket/a true",
            "probe 1 × us-east-1 → eu-west-1 true",
            "probe 2 × us-east-1 → us-west-2 false",
        ];
        assert_eq!(said, expected);
        assert_eq!(rows[3].failure.as_deref(), Some("1 of 2 are wrong"));
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
