//! What AWS itself logged of calls that the replication role was denied, beside crrctl's own proof.
//! Only on request: a lookup reads CloudTrail, which least privilege does not need.
//! Not for: reading CloudTrail (see `aws::cloudtrail`), or the proof (see `proof`).

use super::seen::Seen;
use super::{Finding, Object};
use crate::aws::{Aws, Class, DeniedCall, Error, Lookup};
use crate::names::Region;
use crate::policy::proof::{Outcome, Row};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

const NAME: &str = "aws.denied";
/// The name of the session in which S3 replicates.
const SESSION: &str = "s3-replication";
/// How far back to look.
const WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// How many denied calls to tell, each the newest of its kind.
const TOLD: usize = 5;

/// Returns what AWS logged, one finding for each kind of denied call. `rows` are the calls of the
/// proof.
pub(super) async fn check(
    aws: &Aws,
    seen: &Seen,
    object: Option<&Object>,
    rows: &[Row],
) -> Vec<Finding> {
    let topology = &seen.topology;
    let regions: BTreeSet<&Region> = topology.reached().map(|side| &side.region).collect();
    let home = &topology.source.region;
    let since = Timestamp::now() - WITHIN;
    let mut lookups: Vec<(&Region, Lookup<'_>)> = vec![(home, Lookup::EventName("AssumeRole"))];
    lookups.extend(regions.into_iter().map(|region| (region, Lookup::Username(SESSION))));
    let (mut findings, mut told): (Vec<Finding>, BTreeSet<_>) = (Vec::new(), BTreeSet::new());
    let mut asked = 0;
    for (region, lookup) in lookups {
        let calls = match aws.denied_calls(region, lookup, since).await {
            Ok(calls) => calls,
            Err(error) => {
                findings.push(unasked(&error).at(region));
                continue;
            }
        };
        asked += 1;
        for call in calls.iter().filter(|call| concerns(seen, object, call)) {
            if told.len() < TOLD
                && told.insert((region.clone(), call.action.clone(), call.key.clone()))
            {
                findings.push(said(call, rows).at(region));
            }
        }
    }
    if told.is_empty() && asked > 0 {
        let detail = "AWS logged no denied call of the replication role to KMS or STS in the last day; it logs minutes late, and not S3's own calls";
        findings.push(Finding::pass(NAME, detail));
    }
    findings
}

/// Returns whether a call is one of this pair's, and of the object if the question is about one.
fn concerns(seen: &Seen, object: Option<&Object>, call: &DeniedCall) -> bool {
    let topology = &seen.topology;
    let partition = topology.wanted.partition();
    let is_role = call.role.as_deref() == Some(topology.assumed_role().as_str());
    let buckets: Vec<String> =
        topology.sides().map(|side| side.bucket.arn(partition).to_string()).collect();
    let is_of_object = |object: &Object, context: &String| {
        buckets.iter().any(|arn| context == arn || *context == format!("{arn}/{}", object.key))
    };
    let is_meant = match (object, &call.context) {
        (Some(object), Some(context)) => is_of_object(object, context),
        _ => true,
    };
    is_role && is_meant
}

/// Returns what AWS said, and whether the proof says the same.
fn said(call: &DeniedCall, rows: &[Row]) -> Finding {
    let on = call.key.as_ref().map_or_else(String::new, |key| format!(" on {key}"));
    let of = call.context.as_ref().map_or_else(String::new, |arn| format!(" for `{arn}`"));
    let text = format!("at {} AWS denied `{}`{on}{of}: {}", call.at, call.action, call.message);
    let is_it = |row: &&Row| {
        row.action == call.action && call.key.as_ref().is_none_or(|key| *key == row.resource)
    };
    let is_denied = |row: &&Row| row.decision != Outcome::Allow && !row.holds();
    let known: Vec<&Row> = rows.iter().filter(is_it).collect();
    match known.iter().copied().find(|row| is_denied(row)) {
        Some(row) => {
            let remedy = row.mend.clone().unwrap_or_default();
            Finding::fail(NAME, format!("{text}; the proof says the same"), remedy)
        }
        None if known.is_empty() => {
            let detail = format!("{text}; the proof has no such call");
            let remedy = "the key, or the role, was another one at that time: `crrctl check s3://BUCKET/KEY` proves the calls for one object";
            Finding::unknown(NAME, detail, remedy)
        }
        None => {
            let detail =
                format!("{text}; the proof differs: the documents that were read allow it now");
            let remedy = "if it was fixed after that time, `crrctl backfill --status failed`; if not, a policy that was not read denies it: an SCP or RCP (`--scp`, `--rcp`), or a grant is missing";
            Finding::unknown(NAME, detail, remedy)
        }
    }
}

/// A caller without the permission is told so, and the check goes on.
fn unasked(error: &Error) -> Finding {
    let why = if error.class == Class::Denied {
        "the caller may not `cloudtrail:LookupEvents`".to_owned()
    } else {
        error.to_string()
    };
    let remedy = "the document `operator-check` of `crrctl policy operator` allows it; the other checks don't need it";
    Finding::unknown(NAME, format!("AWS's log was not read: {why}"), remedy)
}
