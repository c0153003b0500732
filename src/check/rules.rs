//! Compares the live replication configuration with the one that the manifest requires.
//! Not for: the permissions of the replication role (see `proof`).

use super::Finding;
use super::seen::{Seen, is_absent};
use crate::manifest::Side;
use crate::plan::rules::{self, ACCOUNT};
use crate::world::{Replication, Rule};

pub(super) const NAME: &str = "replication.rules";
const APPLY: &str = "`crrctl plan` shows the difference; `crrctl apply` puts it right";

pub(super) fn check(seen: &Seen) -> Vec<Finding> {
    let Some(source) = seen.source() else { return Vec::new() };
    let region = &seen.topology.source.region;
    let found = match &source.replication {
        _ if is_absent(&source.head) => vec![Finding::skip(NAME, "there is no source bucket")],
        Ok(None) if seen.stands() => {
            let detail =
                format!("`{}` has no replication configuration", seen.topology.source.bucket);
            vec![Finding::fail(NAME, detail, APPLY).because(&["SrcBucketReplicationConfigMissing"])]
        }
        Ok(None) => vec![Finding::skip(NAME, "not there yet: `crrctl apply` makes them")],
        Ok(Some(live)) => compared(seen, live),
        Err(error) => vec![Finding::unread(NAME, error)],
    };
    found.into_iter().map(|finding| finding.at(region)).collect()
}

fn compared(seen: &Seen, live: &Replication) -> Vec<Finding> {
    let mut findings = Vec::new();
    let role = seen.topology.assumed_role();
    if live.role != role.as_str() {
        let detail = format!("the configuration's role is {}, not {role}", live.role);
        findings.push(Finding::fail(NAME, detail, APPLY).because(&["AssumeRoleNotPermitted"]));
    }
    if !seen.topology.knows_keys(&seen.pair_keys) {
        return findings;
    }
    let wanted = rules::wanted(&seen.topology, &seen.pair_keys, Some(live));
    for rule in &wanted {
        let Some(found) = live.rules.iter().find(|it| it.id == rule.id) else {
            let detail = format!("the rule `{}` is missing", rule.id);
            findings.push(Finding::fail(NAME, detail, APPLY).because(&["SrcObjectNotEligible"]));
            continue;
        };
        let arn = |side: &Side| side.bucket.arn(seen.topology.wanted.partition()).to_string();
        let side = seen.topology.destinations.iter().find(|side| arn(side) == rule.destination);
        let is_hidden = side.is_some_and(|side| is_hidden(seen, side, found));
        findings.extend(differences(rule, found, is_hidden));
    }
    if findings.is_empty() {
        let detail = match wanted.len() {
            1 => "the rule is as the manifest says".to_owned(),
            count => format!("all {count} rules are as the manifest says"),
        };
        findings.push(Finding::pass(NAME, detail));
    }
    findings
}

/// Returns whether a rule names a key of another account in the destination's Region: KMS does not
/// reveal whether such a key exists.
fn is_hidden(seen: &Seen, side: &Side, live: &Rule) -> bool {
    let mut parts = live.replica_key.iter().flat_map(|key| key.split(':')).skip(3);
    let (region, account) = (parts.next(), parts.next());
    seen.topology.is_foreign(side)
        && region == Some(side.region.as_str())
        && account.is_some_and(|account| account != seen.topology.source.account.as_str())
}

/// Returns the differences between the wanted rule and the live rule, the most severe first, each
/// as one finding with its failure reason.
fn differences(wanted: &Rule, live: &Rule, is_hidden: bool) -> Vec<Finding> {
    let text = |key: &Option<String>| key.clone().unwrap_or_else(|| "none".to_owned());
    let on = |on: bool| if on { "Enabled" } else { "Disabled" };
    let marker = |on: bool| format!("delete markers {}", on_or_off(on));
    let modified =
        |rule: &Rule| format!("replica modifications {}", on_or_off(rule.replica_modifications));
    let prefix = |rule: &Rule| {
        let tags: Vec<String> =
            rule.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let tags = if tags.is_empty() {
            String::new()
        } else {
            format!(" and the tags {}", tags.join(", "))
        };
        rule.prefix
            .as_ref()
            .map_or("another filter".to_owned(), |it| format!("the prefix `{it}`{tags}"))
    };
    let rows = [
        ("SrcObjectNotEligible", on(wanted.enabled).to_owned(), on(live.enabled).to_owned()),
        ("SrcObjectNotEligible", prefix(wanted), prefix(live)),
        (
            "SrcObjectNotEligible",
            format!("SSE-KMS objects {}", on_or_off(wanted.kms_objects)),
            format!("SSE-KMS objects {}", on_or_off(live.kms_objects)),
        ),
        (
            "DstBucketNotFound",
            format!("to {}", wanted.destination),
            format!("to {}", live.destination),
        ),
        (
            if is_hidden { "DstPutObjectNotPermitted" } else { "DstKmsKeyNotFound" },
            format!("replicas under {}", text(&wanted.replica_key)),
            format!("replicas under {}", text(&live.replica_key)),
        ),
        ("", modified(wanted), modified(live)),
        ("DstDelObjNotPermitted", marker(wanted.delete_markers), marker(live.delete_markers)),
        ("", format!("with {:?}", wanted.others), format!("with {:?}", others(live))),
        ("", format!("of priority {}", wanted.priority), format!("of priority {}", live.priority)),
    ];
    rows.into_iter()
        .filter(|(_, wanted, live)| wanted != live)
        .map(|(reason, should, is)| {
            let detail = format!("the rule `{}` is {is}, and should be {should}", live.id);
            let reasons: &[&'static str] = if reason.is_empty() { &[] } else { &[reason] };
            Finding::fail(NAME, detail, APPLY).because(reasons)
        })
        .collect()
}

/// Returns the settings that a pair does not use, but for an account that changes nothing.
fn others(live: &Rule) -> Vec<&String> {
    live.others.iter().filter(|it| *it != ACCOUNT).collect()
}

fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
