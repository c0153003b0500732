//! The pairs of an account, and what could not be read, as human-readable text.
//! Not for: finding the pairs (see `observe`).

use super::layout;
use super::style::{BAD, FAINT, GOOD, NOTABLE};
use crate::names::BucketName;
use crate::plan::fleet::{Pair, State};
use crate::units::format_duration;
use crate::world::Unread;
use jiff::Timestamp;
use std::fmt::Write;
use std::time::Duration;

/// Returns a table of the pairs, one row for each pair.
pub fn pairs(pairs: &[Pair], now: Timestamp) -> String {
    if pairs.is_empty() {
        return "no pairs\n".to_owned();
    }
    let mut rows = Vec::new();
    for pair in pairs {
        let places = pair.destinations();
        let place = |region: &str, bucket: Option<&str>| match bucket {
            Some(bucket) => format!("{region} {bucket}"),
            None => format!("{region} (no bucket)"),
        };
        let destinations: Vec<String> = places
            .iter()
            .map(|(region, bucket)| place(region.as_str(), bucket.as_ref().map(BucketName::as_str)))
            .collect();
        rows.push(vec![
            pair.name.to_string(),
            place(
                pair.source.region.as_str(),
                pair.has_source().then_some(pair.source.bucket.as_str()),
            ),
            if destinations.is_empty() { "-".to_owned() } else { destinations.join("\n") },
            state(pair, now),
            resources(pair),
        ]);
    }
    layout::table(&["PAIR", "SOURCE", "DESTINATIONS", "STATE", "RESOURCES"], &rows)
}

/// Returns how many resources of a pair exist, and how many keys are pending deletion.
fn resources(pair: &Pair) -> String {
    let going = pair.things.iter().filter(|thing| thing.is_going()).count();
    match (pair.things.len() - going, going) {
        (standing, 0) => standing.to_string(),
        (0, going) => format!("{going} going"),
        (standing, going) => format!("{standing}, {going} going"),
    }
}

/// Returns the state of a pair, with the time that is left.
fn state(pair: &Pair, now: Timestamp) -> String {
    let state = pair.state(now);
    let apart = |date: Timestamp| {
        format_duration(Duration::try_from(now.duration_until(date).abs()).unwrap_or_default())
    };
    match (state, pair.expiry().date()) {
        (State::Ephemeral, Some(date)) => format!("ephemeral, {} left", apart(date)),
        (State::Expired, Some(date)) => format!("expired {} ago", apart(date)),
        (State::Going, _) => {
            let keys = || pair.things.iter().filter_map(|it| it.key.as_ref());
            // The waiting period of a primary key begins when its last replica is gone.
            let waits = keys().any(|key| key.deletion_date.is_none());
            match keys().filter_map(|key| key.deletion_date).max() {
                None => "going".to_owned(),
                Some(date) if waits => format!("going, its primary key after {date}"),
                Some(date) => format!("going, its last key on {date}"),
            }
        }
        _ => state.as_str().to_owned(),
    }
}

/// Returns the resources of a pair that would be removed, one line for each resource.
pub fn expired_pair(pair: &Pair) -> String {
    let mut text = format!("{BAD}-{BAD:#} {} {FAINT}{}{FAINT:#}\n", pair.name, pair.id());
    for thing in pair.things.iter().filter(|thing| !thing.is_going()) {
        let _ = writeln!(text, "    {:<15} {}", thing.kind, thing.arn);
    }
    text
}

/// Returns the result of removing a pair.
pub fn swept(name: &str, removed: usize, left: usize) -> String {
    match left {
        0 => format!("{GOOD}{name}: {removed} resources removed{GOOD:#}\n"),
        left => format!("{NOTABLE}{name}: {removed} resources removed, {left} left{NOTABLE:#}\n"),
    }
}

/// Returns what could not be read, a line for each Region and call.
pub fn unread(unread: &[Unread]) -> String {
    let mut text = String::new();
    for it in unread {
        let place = it.region.as_ref().map_or_else(String::new, |region| format!(" in {region}"));
        let what = match it.count {
            0 => "all of it".to_owned(),
            1 => it.names.join(", "),
            count => {
                let more = if count > it.names.len() { ", …" } else { "" };
                format!("{count} of them: {}{more}", it.names.join(", "))
            }
        };
        let _ = writeln!(
            text,
            "{NOTABLE}unread{NOTABLE:#}   {}{place}: {what}: {} {FAINT}{}{FAINT:#}",
            it.operation, it.code, it.message
        );
    }
    text
}
