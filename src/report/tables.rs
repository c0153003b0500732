//! Plans, evidence and removals as human-readable text.
//! Not for: the pairs of an account (see `fleet`), or the state of a pair (see `status`).

use super::detail::statement_names;
use super::layout::{self, Row};
use super::style::{FAINT, GOOD, NOTABLE, mark};
use super::words::reason;
use crate::backfill::Reason;
use crate::check::catalogue;
use crate::events::Verb;
use crate::manifest::Topology;
use crate::plan::{Action, Cost, Kept, Plan};
use crate::probe::{Marker, Probe, Status, Summary, by_route};
use crate::units::format_duration;
use anstyle::Style;
use std::cmp::Reverse;
use std::fmt::Write;
use std::time::Duration;

/// Returns what many pairs cost a month together.
pub fn cost_of_many(cost: &Cost) -> String {
    let items = cost.items.iter().map(|item| format!("  {item}\n"));
    let head = format!("all pairs: about ${:.2} a month, unused:\n", cost.monthly_usd);
    head + &items.collect::<String>()
}

/// Returns the plan, a line for each action, and its monthly cost.
pub fn plan(plan: &Plan, cost: Option<&Cost>) -> String {
    let mut text = String::new();
    let told: Vec<_> = plan.actions.iter().filter(|it| it.verb() != Verb::None).collect();
    let row = |action: &&Action| {
        let (sign, style) = mark(action.verb());
        let verb = format!("{style}{sign} {:<6}{style:#} {}", action.verb(), action.kind());
        let cells = [verb, action.name.clone(), format!("{:<14}", action.region)];
        Row::new(cells, told_reason(action), FAINT)
    };
    text.push_str(&layout::rows(&told.iter().map(row).collect::<Vec<_>>()));
    let counts = counts(plan);
    let same = plan.count(Verb::None);
    let _ = match counts.is_empty() {
        true if plan.actions.is_empty() => writeln!(text, "nothing to do"),
        true => writeln!(text, "no changes: {same} resources are as the manifest says"),
        false if same == 0 => writeln!(text, "\n{}", counts.join(", ")),
        false => writeln!(text, "\n{}; {same} unchanged", counts.join(", ")),
    };
    if let Some(cost) = cost {
        let _ = writeln!(text, "\nabout ${:.2} a month, unused:", cost.monthly_usd);
        for item in &cost.items {
            let _ = writeln!(text, "  {item}");
        }
    }
    text
}

/// Returns how many things a plan changes, by what it does with them.
pub fn counts(plan: &Plan) -> Vec<String> {
    let verbs = [Verb::Create, Verb::Update, Verb::Adopt, Verb::Delete, Verb::Orphan];
    let counts = verbs.map(|verb| (verb, plan.count(verb))).into_iter();
    counts
        .filter(|(_, count)| *count > 0)
        .map(|(verb, count)| format!("{count} to {verb}"))
        .collect()
}

/// Returns the reason of an action and, where statements differ, which.
fn told_reason(action: &Action) -> String {
    let mut reason = reason(&action.work);
    let statements = statement_names(&action.work);
    if action.verb() == Verb::Update && !statements.is_empty() {
        let _ = write!(reason, " ({})", statements.join(", "));
    }
    reason
}

/// Returns what stands after an apply, and what to do next.
pub fn standing(topology: &Topology) -> String {
    let mut text = String::new();
    let mut row = |word: &str, what: &str| {
        text.push_str(&layout::row([format!("{FAINT}{word:<11}{FAINT:#}")], what, Style::new()));
    };
    for side in topology.sides() {
        let word = if side == topology.wanted.home() { "source" } else { "destination" };
        row(word, &format!("s3://{} ({})", side.bucket, side.region));
    }
    if topology.wanted.key.kind.is_ours() {
        row("key", topology.wanted.key.alias.as_str());
    }
    row("role", topology.assumed_role().as_str());
    row(
        "next",
        "`crrctl check` looks at it, `crrctl watch` keeps looking, `crrctl destroy` removes it",
    );
    text
}

/// Returns why objects were not replicated: for each reason, the number of objects, the meaning,
/// and some of the keys.
pub fn reasons(reasons: &[Reason]) -> String {
    let line = |it: &Reason| {
        let entry = catalogue::entry(&it.code);
        let means = entry.map_or("no more is known of it", |entry| entry.means);
        let more = if it.keys.len() as u64 == it.count { "" } else { ", …" };
        let keys = it.keys.join(", ");
        format!(
            "{NOTABLE}{:>7}{NOTABLE:#}  {}: {means}\n         {FAINT}{keys}{more}{FAINT:#}\n",
            it.count, it.code
        )
    };
    reasons.iter().map(line).collect()
}

/// Returns the evidence, a row for each probe and destination, and the differences.
pub fn evidence(probes: &[Probe], summary: &Summary) -> String {
    if probes.is_empty() {
        return String::new();
    }
    // Where probes go to several buckets of one Region, the Region alone does not say to which.
    let place = |probe: &Probe| {
        let place = &probe.destination;
        let is_other = |it: &&Probe| {
            it.source.bucket == probe.source.bucket
                && it.destination.region == place.region
                && it.destination.bucket != place.bucket
        };
        match probes.iter().find(is_other) {
            Some(_) => format!("{} {}", place.region, place.bucket),
            None => place.region.to_string(),
        }
    };
    let shown = of_many(probes, |probe| {
        (probe.status == Status::Completed && probe.checks.all(), probe.latency_ms)
    });
    let row = |probe: &&Probe| {
        vec![
            probe.source.key.rsplit('/').next().unwrap_or_default().to_owned(),
            format!("{} → {}", probe.source.region, place(probe)),
            probe.status.as_str().to_owned(),
            probe
                .latency_ms
                .map_or_else(|| "-".to_owned(), |ms| format_duration(Duration::from_millis(ms))),
            verdict_on(probe),
        ]
    };
    let rows: Vec<_> = shown.iter().map(row).collect();
    let mut text = layout::table(&["PROBE", "ROUTE", "STATUS", "LATENCY", "REPLICA"], &rows);
    let _ = writeln!(text, "{FAINT}{CHECKED}{FAINT:#}");
    if shown.len() < probes.len() {
        let (shown, all) = (shown.len(), probes.len());
        let _ = writeln!(
            text,
            "{shown} of {all} are listed: those that failed, then the slowest; `-o json` has all"
        );
    }
    for probe in shown {
        for difference in &probe.differences {
            let _ = writeln!(
                text,
                "{NOTABLE}{} differs{NOTABLE:#} for {} in {}: expected {}, the replica has {}",
                difference.check,
                probe.source.key,
                place(probe),
                difference.source,
                difference.replica
            );
        }
    }
    if summary.count > probes_of_one_run(probes) {
        let routes = by_route(probes);
        if routes.len() > 1 {
            for it in &routes {
                let _ =
                    writeln!(text, "{} → {}: {}", it.source, it.destination, said(&it.summary()));
            }
        }
        let _ = writeln!(text, "{}", said(summary));
    }
    text
}

/// The most rows of evidence: a page of many probes opens, too.
pub(super) const MOST_ROWS: usize = 500;

/// Returns the probes to list: all of a few; of many, those that failed, then the slowest. `judge`
/// tells whether a probe is good, and its latency.
pub(super) fn of_many<T>(probes: &[T], judge: impl Fn(&T) -> (bool, Option<u64>)) -> Vec<&T> {
    let mut shown: Vec<&T> = probes.iter().collect();
    if shown.len() > MOST_ROWS {
        shown.sort_by_key(|probe| {
            let (is_good, latency) = judge(probe);
            (is_good, Reverse(latency))
        });
        shown.truncate(MOST_ROWS);
    }
    shown
}

fn said(summary: &Summary) -> String {
    let ms = |ms: Option<u64>| {
        ms.map_or_else(|| "-".to_owned(), |ms| format_duration(Duration::from_millis(ms)))
    };
    format!(
        "{} of {} COMPLETED; p50 {}, p95 {}, p99 {}, max {}",
        summary.completed,
        summary.count,
        ms(summary.p50_ms),
        ms(summary.p95_ms),
        ms(summary.p99_ms),
        ms(summary.max_ms)
    )
}

/// Returns the result for each delete marker, one line each.
pub fn markers(markers: &[Marker]) -> String {
    let mut text = String::new();
    for marker in markers {
        let (word, style) = if marker.replicated == marker.expected {
            ("as the manifest says", GOOD)
        } else {
            ("NOT as the manifest says", NOTABLE)
        };
        let came = match marker.latency_ms {
            Some(ms) => format!("replicated after {}", format_duration(Duration::from_millis(ms))),
            None => "not replicated".to_owned(),
        };
        let (from, to) = (&marker.source.region, &marker.destination.region);
        let _ = writeln!(text, "delete marker {from} → {to}: {came}, {style}{word}{style:#}");
    }
    text
}

/// The six checks of a replica.
const CHECKED: &str =
    "checked: version id, status REPLICA, size, body read back, KMS key, Bucket Key";

/// Returns the result of the comparison of a replica, in a few words.
fn verdict_on(probe: &Probe) -> String {
    if probe.status == Status::Completed && probe.checks.all() {
        return "all 6 checks hold".to_owned();
    }
    if probe.status != Status::Completed
        || (probe.replica_status.is_none() && probe.differences.is_empty())
    {
        return "-".to_owned();
    }
    let names: Vec<&str> = probe.differences.iter().map(|difference| difference.check).collect();
    format!("DIFFERS: {}", names.join(", "))
}

/// Returns up to how many probes percentiles are left out: they are useful only for more probes
/// than a run's own proof of each rule.
fn probes_of_one_run(probes: &[Probe]) -> usize {
    by_route(probes).len() * 2
}

/// Returns the resources that stay, and why.
pub fn kept(kept: &[Kept]) -> String {
    let mut text = String::new();
    for it in kept {
        let _ = writeln!(text, "{NOTABLE}left{NOTABLE:#}     {} {}: {}", it.kind, it.arn, it.why);
    }
    text
}

/// Returns a line that sums a run up.
pub fn verdict(text: &str) -> String {
    format!("{GOOD}{text}{GOOD:#}\n")
}
