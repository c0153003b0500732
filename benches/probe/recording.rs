//! What a recording costs: the time and the memory of ten thousand probes, with and without one.

use super::Stand;
use super::throughput::{Figures, probe, sandbox};
use std::path::Path;

const OBJECTS: usize = 10_000;
const CONCURRENCY: usize = 16;
/// The share of the run's time that a recording may cost.
const MOST_TIME: f64 = 0.05;
/// How many bytes more a recording may take of memory, with however many objects.
const MOST_GROWTH: usize = 8 << 20;
/// How often each is measured, in turn: the median of the ratios counts.
const ROUNDS: usize = 3;

/// Probes with and without a recording; false where it costs too much time or memory.
pub(crate) fn run() -> bool {
    let (server, address) = sandbox();
    let stand = Stand::new(address);
    stand.apply();
    let file = stand.home.join("recording.ndjson");
    let once = |record: Option<&Path>| {
        let _ = std::fs::remove_file(&file);
        probe(&stand, &server, (OBJECTS, CONCURRENCY), record)
    };
    let mut rounds: Vec<(f64, Figures, Figures)> = (0..ROUNDS)
        .map(|_| {
            let (plain, recorded) = (once(None), once(Some(&file)));
            (recorded.seconds / plain.seconds - 1.0, plain, recorded)
        })
        .collect();
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (share, plain, recorded) = &rounds[ROUNDS / 2];
    let lines = std::fs::read_to_string(&file).unwrap().lines().count();
    let of = |it: &Figures| {
        let (own, memory) = (it.own.as_secs_f64(), it.memory >> 20);
        format!("{:.1} s ({own:.1} s of a processor), {memory} MiB", it.seconds)
    };
    println!(
        "recording: {OBJECTS} objects: {} without, {} with {lines} lines: {:.1} % of the time",
        of(plain),
        of(recorded),
        share * 100.0
    );
    *share <= MOST_TIME && recorded.memory <= plain.memory + MOST_GROWTH
}
