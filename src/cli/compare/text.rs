//! What `crrctl compare` prints as text.
//! Not for: `-o json` (see `objects`).

use super::super::objects::{Compared, Difference, LagOf};
use crate::units::{counted, format_duration};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// Returns the report of a comparison.
pub(super) fn report(
    file: &Path,
    runs: &[Compared],
    differences: &[Difference],
    lags: &[LagOf],
    cut_off: bool,
) -> String {
    let mut out = String::new();
    for difference in differences.iter().filter(|it| it.known.is_none()) {
        tell(&mut out, difference);
    }
    for difference in differences.iter().filter(|it| it.known.is_some()) {
        tell(&mut out, difference);
    }
    for lag in lags {
        let ms = |ms: u64| format_duration(Duration::from_millis(ms));
        let _ =
            write!(out, "lag      {}: {} took up to {}", lag.operation, lag.what, ms(lag.took_ms));
        if let Some(bound) = lag.bound_ms {
            let _ = write!(out, "; crrctl waits up to {}", ms(bound));
        }
        if let (Some(least), Some(most)) = (lag.sandbox_least_ms, lag.sandbox_most_ms) {
            let _ = write!(out, "; `--lag aws` takes {} to {}", ms(least), ms(most));
        }
        let _ = writeln!(out);
    }
    let count = |count: usize, noun: &str| counted(i64::try_from(count).unwrap_or(i64::MAX), noun);
    let exchanges = runs.iter().map(|run| run.exchanges).sum();
    let unknown = differences.iter().filter(|it| it.known.is_none()).count();
    let verdict = match (differences.len(), unknown) {
        (0, _) => "no difference".to_owned(),
        (all, 0) => format!("{}, all known", count(all, "difference")),
        (all, unknown) => format!("{}, {unknown} unknown", count(all, "difference")),
    };
    if cut_off {
        let _ =
            writeln!(out, "the last line is incomplete: the run was killed or is still running");
    }
    let (runs, exchanges) = (count(runs.len(), "run"), count(exchanges, "exchange"));
    let _ = writeln!(out, "{}: {runs}, {exchanges}: {verdict}", file.display());
    out
}

fn tell(out: &mut String, difference: &Difference) {
    let Difference { line, count, service, operation, region, .. } = difference;
    let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
    let member = difference.member.as_deref().map(|it| format!(" {it}")).unwrap_or_default();
    let kind = difference.kind.name();
    let _ = writeln!(
        out,
        "{kind:<8} line {line}: {}:{operation} in {region}{member}{times}",
        service.name()
    );
    let _ = writeln!(out, "         AWS:     {}", difference.recorded);
    let _ = writeln!(out, "         sandbox: {}", difference.sandbox);
    if let Some(known) = &difference.known {
        let _ = write!(out, "         known:   {} ({})", known.reason, known.source);
        if let Some(quirk) = &known.quirk {
            let _ = write!(out, "; the sandbox does it with `--quirk {quirk}`");
        }
        let _ = writeln!(out);
    }
}
