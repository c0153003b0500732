//! Figures over many probes: counts and latency percentiles.
//! Not for: printing the figures (see `report`).

use super::{Probe, Status};
use crate::names::Region;
use serde::Serialize;

/// Counts and latencies of probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "summary"))]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct Summary {
    pub count: usize,
    pub completed: usize,
    pub failed: usize,
    pub p50_ms: Option<u64>,
    pub p95_ms: Option<u64>,
    pub p99_ms: Option<u64>,
    pub max_ms: Option<u64>,
}

/// Summarizes `probes`. Percentiles use the nearest rank, over the COMPLETED probes.
pub fn summary(probes: &[Probe]) -> Summary {
    of(&probes.iter().collect::<Vec<_>>())
}

fn of(probes: &[&Probe]) -> Summary {
    let mut latencies: Vec<u64> = probes.iter().filter_map(|probe| probe.latency_ms).collect();
    latencies.sort_unstable();
    let with = |status| probes.iter().filter(|probe| probe.status == status).count();
    Summary {
        count: probes.len(),
        completed: with(Status::Completed),
        failed: with(Status::Failed),
        p50_ms: percentile(&latencies, 50),
        p95_ms: percentile(&latencies, 95),
        p99_ms: percentile(&latencies, 99),
        max_ms: latencies.last().copied(),
    }
}

/// The figures of one rule in one direction.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct RouteSummary {
    pub rule: String,
    /// Its Region
    #[cfg_attr(test, schemars(with = "String"))]
    pub source: Region,
    /// Its Region
    #[cfg_attr(test, schemars(with = "String"))]
    pub destination: Region,
    pub count: usize,
    pub completed: usize,
    pub failed: usize,
    pub p50_ms: Option<u64>,
    pub p95_ms: Option<u64>,
    pub p99_ms: Option<u64>,
    pub max_ms: Option<u64>,
}

impl RouteSummary {
    fn of(probe: &Probe, summary: Summary) -> Self {
        let Summary { count, completed, failed, p50_ms, p95_ms, p99_ms, max_ms } = summary;
        let (rule, source) = (probe.rule.clone(), probe.source.region.clone());
        let destination = probe.destination.region.clone();
        Self { rule, source, destination, count, completed, failed, p50_ms, p95_ms, p99_ms, max_ms }
    }

    /// Returns the figures without the rule.
    pub fn summary(&self) -> Summary {
        let Self { count, completed, failed, p50_ms, p95_ms, p99_ms, max_ms, .. } = *self;
        Summary { count, completed, failed, p50_ms, p95_ms, p99_ms, max_ms }
    }
}

/// Summarizes `probes` by rule and direction: rules of a reverse direction may have the same id.
pub fn by_route(probes: &[Probe]) -> Vec<RouteSummary> {
    let mut routes: Vec<Vec<&Probe>> = Vec::new();
    for probe in probes {
        let is_it = |other: &Probe| {
            (&other.rule, &other.source.region) == (&probe.rule, &probe.source.region)
                && other.destination.region == probe.destination.region
        };
        match routes.iter_mut().find(|route| is_it(route[0])) {
            Some(route) => route.push(probe),
            None => routes.push(vec![probe]),
        }
    }
    routes.iter().map(|route| RouteSummary::of(route[0], of(route))).collect()
}

fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        for percent in [50, 95, 99] {
            assert_eq!(percentile(&hundred, percent), Some(percent as u64));
        }
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!(percentile(&[], 50), None);
    }
}
