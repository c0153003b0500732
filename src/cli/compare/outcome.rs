//! What came of a replay: the differences, each counted once, and how long AWS took.
//! Not for: finding them (see `replay`).

use super::super::objects::{Difference, LagOf};
use crate::compare::{Known, Lag, Numbered, Unlike, Waited};
use crrctl_sandbox as sandbox;
use std::collections::BTreeMap;
use std::time::Duration;

/// The most that is told of an answer.
const LONGEST: usize = 300;

/// What came of a replay.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) differences: Vec<Difference>,
    waited: Vec<Waited>,
}

impl Outcome {
    /// Adds how long AWS took for something.
    pub(super) fn wait(&mut self, waited: Waited) {
        self.waited.push(waited);
    }

    pub(super) fn add(&mut self, other: Self) {
        self.waited.extend(other.waited);
        other.differences.into_iter().for_each(|it| self.count(it));
    }

    /// Adds a difference, or counts it where there is one like it.
    fn count(&mut self, difference: Difference) {
        match self.differences.iter_mut().find(|it| it.is_like(&difference)) {
            Some(known) => known.count += difference.count,
            None => self.differences.push(difference),
        }
    }

    pub(super) fn found(&mut self, numbered: &Numbered, unlike: Unlike, known: Option<Known>) {
        let cut = |text: String| match text.char_indices().nth(LONGEST) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        };
        let exchange = &numbered.exchange;
        self.count(Difference {
            kind: unlike.kind,
            line: numbered.line,
            count: 1,
            service: exchange.service,
            operation: exchange.operation.clone(),
            region: exchange.region.clone(),
            member: Some(unlike.member).filter(|it| !it.is_empty()),
            recorded: cut(unlike.recorded),
            sandbox: cut(unlike.sandbox),
            known,
        });
    }

    /// Returns how long AWS took, the longest of each kind.
    pub(super) fn lags(&self) -> Vec<LagOf> {
        let mut kinds: BTreeMap<(String, &str), Vec<&Waited>> = BTreeMap::new();
        for waited in &self.waited {
            kinds.entry((waited.operation.clone(), waited.lag.what)).or_default().push(waited);
        }
        let delays = sandbox::Lag::delays();
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let of = |((operation, what), waits): ((String, &str), Vec<&Waited>)| {
            let lag: &Lag = &waits[0].lag;
            let delay = delays.iter().find(|(name, ..)| Some(*name) == lag.delay);
            LagOf {
                operation,
                what: what.to_owned(),
                count: waits.len(),
                took_ms: waits.iter().map(|it| ms(it.took)).max().unwrap_or_default(),
                bound_ms: waits.iter().filter_map(|it| it.lag.bound).max().map(ms),
                sandbox_least_ms: delay.map(|(_, least, _)| ms(*least)),
                sandbox_most_ms: delay.map(|(_, _, most)| ms(*most)),
                quirk: lag.quirk.map(str::to_owned),
            }
        };
        kinds.into_iter().map(of).collect()
    }
}
