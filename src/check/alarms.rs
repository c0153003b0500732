//! Compares the live alarms on failed replication with those that the manifest requires, and tells
//! which of them fire.
//! Not for: the objects that failed (see `objects`).

use super::Finding;
use super::seen::{Read, Seen, is_absent};
use crate::plan::alarms::{self, AlarmWanted};
use crate::plan::work::AlarmChange;
use crate::world::Alarm;

const EXISTS: &str = "alarm.exists";
pub(super) const STATE: &str = "alarm.state";
const APPLY: &str = "`crrctl plan` shows the difference; `crrctl apply` puts it right";

pub(super) fn check(seen: &Seen) -> Vec<Finding> {
    let wanted = alarms::wanted(&seen.topology);
    if wanted.is_empty() {
        return Vec::new();
    }
    let no_source = seen.source().is_none_or(|source| is_absent(&source.head));
    let found = if no_source {
        vec![Finding::skip(EXISTS, "there is no source bucket")]
    } else {
        judged(seen, &wanted, &seen.alarms)
    };
    found.into_iter().map(|finding| finding.at(&seen.topology.source.region)).collect()
}

fn judged(seen: &Seen, wanted: &[AlarmWanted], live: &Read<Vec<Alarm>>) -> Vec<Finding> {
    let live = match live {
        Ok(live) => live,
        Err(error) => return vec![Finding::unread(EXISTS, error)],
    };
    let of = |wanted: &AlarmWanted| live.iter().find(|alarm| alarm.name == wanted.name);
    let mut findings: Vec<Finding> =
        wanted.iter().filter_map(|it| wrong(seen, it, of(it))).collect();
    if findings.is_empty() {
        let detail = match wanted {
            [one] => format!("the alarm `{}` is as the manifest says", one.name),
            many => format!("all {} alarms are as the manifest says", many.len()),
        };
        findings.push(Finding::pass(EXISTS, detail));
    }
    let firing = wanted.iter().filter_map(of).filter(|alarm| alarm.state == "ALARM");
    let firing: Vec<&str> = firing.map(|alarm| alarm.name.as_str()).collect();
    findings.push(if firing.is_empty() {
        Finding::pass(STATE, "none of them is in the state ALARM")
    } else {
        let detail = format!(
            "in the state ALARM: {}; objects failed to replicate within the last minutes",
            firing.join(", ")
        );
        let remedy = "`crrctl check s3://BUCKET/KEY` says why an object failed; its version stays FAILED until it is replicated again (`crrctl backfill`)";
        Finding::fail(STATE, detail, remedy)
    });
    findings
}

/// Returns what is wrong with an alarm.
fn wrong(seen: &Seen, wanted: &AlarmWanted, live: Option<&Alarm>) -> Option<Finding> {
    let name = &wanted.name;
    let Some(live) = live else {
        return Some(Finding::fail(EXISTS, format!("the alarm `{name}` is missing"), APPLY));
    };
    if !seen.topology.wanted.owns(&live.tags) {
        let detail = format!("the alarm `{name}` does not bear this pair's tags");
        let remedy = "delete that alarm, or give the pair another name";
        return Some(Finding::fail(EXISTS, detail, remedy));
    }
    let change = AlarmChange { from: live.says.clone(), to: wanted.says.clone() };
    let labels = change.labels();
    let detail = || format!("the alarm `{name}` differs in {}", labels.join(", "));
    (!labels.is_empty()).then(|| Finding::fail(EXISTS, detail(), APPLY))
}
