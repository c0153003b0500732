//! The figures of many probes.

use super::{Probe, Status};
use serde::Serialize;

/// How many came through, and how long they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// Sums up `probes`; percentiles are those of the nearest rank, over the ones that are COMPLETED.
pub fn summary(probes: &[Probe]) -> Summary {
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
