//! The lines of `-o ndjson`: what is printed of each event. The schema of events
//! (`schemas/events.schema.json`) is generated from these types.
//! Not for: the events themselves (see `events`).

use crate::events::{
    CallOf, CheckDone, DestinationOf, Event, Kind, PairOf, PlaceOf, ProbeDone, RuleMetrics, StepId,
    Verb, WayOf,
};
use crate::failure::Failure;
use crate::names::{Arn, Region};
use crate::printed::Field;
use jiff::Timestamp;
use serde::Serialize;

/// An event, the pair that it is about, and its time. Of a run about many pairs, `pair` names one.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "event")]
pub(crate) enum Line<'a> {
    /// A run begins
    #[serde(rename = "run.start")]
    RunStart {
        command: &'a str,
        /// The pair's name; of many pairs their common name or their number; empty or `*` where the run is about no pair
        pair: &'a str,
        at: Timestamp,
    },
    /// The pair that the run is about: its buckets and the directions between them
    #[serde(rename = "pair")]
    Pair {
        source: &'a PlaceOf,
        destinations: &'a [DestinationOf],
        alias: &'a str,
        role: &'a str,
        /// From the source, then, where the pair is two-way, back from each destination
        ways: &'a [WayOf],
        at: Timestamp,
    },
    /// What exists was read
    #[serde(rename = "observe.done")]
    Observed {
        reads: u64,
        elapsed_ms: u64,
        /// How long the shortest request took, where that is a millisecond or more
        round_trip_ms: Option<u64>,
        at: Timestamp,
    },
    /// How far a search of the account is
    #[serde(rename = "search.progress")]
    Search {
        /// How many keys, buckets and roles have been read
        read: usize,
        /// How many are known to be there to read
        known: usize,
        at: Timestamp,
    },
    /// What S3 is allowed to do to replicate, and the statement that decides about each call
    #[serde(rename = "proof")]
    Proof {
        calls: &'a [CallOf],
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// A step begins
    #[serde(rename = "step.start")]
    StepStart {
        step: &'a StepId,
        kind: Kind,
        #[cfg_attr(test, schemars(with = "String"))]
        region: &'a Region,
        name: &'a str,
        action: Verb,
        /// The steps that came before it
        needs: &'a [StepId],
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// A step waits
    #[serde(rename = "step.wait")]
    StepWait {
        step: &'a StepId,
        reason: &'a str,
        waited_ms: u64,
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// A step tries again what AWS refused
    #[serde(rename = "step.retry")]
    StepRetry {
        step: &'a StepId,
        code: &'a str,
        reason: &'a str,
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// What a step has to say
    #[serde(rename = "step.note")]
    StepNote {
        step: &'a StepId,
        note: &'a str,
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// A step is done
    #[serde(rename = "step.done")]
    StepDone {
        step: &'a StepId,
        action: Verb,
        #[cfg_attr(test, schemars(with = "Option<String>"))]
        arn: Option<&'a Arn>,
        elapsed_ms: u64,
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// A step failed
    #[serde(rename = "step.failed")]
    StepFailed {
        step: &'a StepId,
        failure: &'a Failure,
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// A probe has another status
    #[serde(rename = "probe.status")]
    ProbeStatus {
        rule: &'a str,
        key: &'a str,
        status: &'a str,
        elapsed_ms: u64,
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// A fresh probe follows one that proves nothing
    #[serde(rename = "probe.retry")]
    ProbeRetry {
        rule: &'a str,
        key: &'a str,
        reason: &'a str,
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// The outcome of one probe at one destination
    #[serde(rename = "probe.done")]
    ProbeDone {
        rule: &'a str,
        key: &'a str,
        version_id: &'a str,
        source: &'a PlaceOf,
        destination: &'a PlaceOf,
        status: &'a str,
        latency_ms: Option<u64>,
        attempts: u32,
        /// Whether every check of the replica holds
        checked: bool,
        /// The checks that failed, each with the value expected and the value found
        differences: &'a [String],
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// The outcome of one check
    #[serde(rename = "check.done")]
    CheckDone {
        name: &'a str,
        #[cfg_attr(test, schemars(with = "crate::check::Verdict"))]
        result: &'a str,
        #[cfg_attr(test, schemars(with = "Option<String>"))]
        region: Option<&'a Region>,
        detail: &'a str,
        remedy: Option<&'a str>,
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// A round of `watch` is over
    #[serde(rename = "watch.round")]
    WatchRound {
        ok: bool,
        failure: Option<&'a Failure>,
        /// What CloudWatch knows of each rule with metrics
        metrics: &'a [RuleMetrics],
        elapsed_ms: u64,
        at: Timestamp,
    },
    /// The batch job goes on
    #[serde(rename = "backfill.status")]
    BackfillStatus {
        job: &'a str,
        status: &'a str,
        total: Option<u64>,
        succeeded: u64,
        failed: u64,
        /// The pair, where the run is about many
        #[serde(skip_serializing_if = "Field::is_missing")]
        pair: Field<&'a str>,
        at: Timestamp,
    },
    /// The run ends with an error
    #[serde(rename = "error")]
    Error { failure: &'a Failure, at: Timestamp },
    /// Of many pairs, one begins
    #[serde(rename = "pair.start")]
    PairStart {
        /// How many pairs the run is about
        pairs: usize,
        pair: &'a str,
        at: Timestamp,
    },
    /// Of many pairs, one is done
    #[serde(rename = "pair.done")]
    PairDone {
        ok: bool,
        exit_code: u8,
        failure: Option<&'a Failure>,
        elapsed_ms: u64,
        pair: &'a str,
        at: Timestamp,
    },
    /// The run is over
    #[serde(rename = "run.done")]
    RunDone { ok: bool, changed: bool, elapsed_ms: u64, at: Timestamp },
}

impl<'a> Line<'a> {
    /// Returns what is printed of `event`, which is about `pair` where the run is about several.
    #[expect(clippy::too_many_lines, reason = "an arm an event")]
    pub(super) fn of(event: &'a Event, pair: Option<&'a str>, at: Timestamp) -> Self {
        let of = Field::from(pair);
        match event {
            Event::RunStart { command, pair } => Self::RunStart { command, pair, at },
            Event::Pair(PairOf { source, destinations, alias, role, ways }) => {
                Self::Pair { source, destinations, alias, role, ways, at }
            }
            Event::Search { read, known } => Self::Search { read: *read, known: *known, at },
            Event::Observed { reads, elapsed_ms, round_trip_ms } => Self::Observed {
                reads: *reads,
                elapsed_ms: *elapsed_ms,
                round_trip_ms: *round_trip_ms,
                at,
            },
            Event::Proof { calls } => Self::Proof { calls, pair: of, at },
            Event::StepStart { step, kind, region, name, action, needs } => Self::StepStart {
                step,
                kind: *kind,
                region,
                name,
                action: *action,
                needs,
                pair: of,
                at,
            },
            Event::StepWait { step, reason, waited_ms } => {
                Self::StepWait { step, reason, waited_ms: *waited_ms, pair: of, at }
            }
            Event::StepRetry { step, code, reason } => {
                Self::StepRetry { step, code, reason, pair: of, at }
            }
            Event::StepNote { step, note } => Self::StepNote { step, note, pair: of, at },
            Event::StepDone { step, action, arn, elapsed_ms } => Self::StepDone {
                step,
                action: *action,
                arn: arn.as_ref(),
                elapsed_ms: *elapsed_ms,
                pair: of,
                at,
            },
            Event::StepFailed { step, failure } => Self::StepFailed { step, failure, pair: of, at },
            Event::ProbeStatus { rule, key, status, elapsed_ms } => {
                Self::ProbeStatus { rule, key, status, elapsed_ms: *elapsed_ms, pair: of, at }
            }
            Event::ProbeRetry { rule, key, reason } => {
                Self::ProbeRetry { rule, key, reason, pair: of, at }
            }
            Event::ProbeDone(ProbeDone {
                rule,
                key,
                version_id,
                source,
                destination,
                status,
                latency_ms,
                attempts,
                checked,
                differences,
            }) => Self::ProbeDone {
                rule,
                key,
                version_id,
                source,
                destination,
                status,
                latency_ms: *latency_ms,
                attempts: *attempts,
                checked: *checked,
                differences,
                pair: of,
                at,
            },
            Event::CheckDone(CheckDone { name, result, region, detail, remedy, .. }) => {
                Self::CheckDone {
                    name,
                    result,
                    region: region.as_ref(),
                    detail,
                    remedy: remedy.as_deref(),
                    pair: of,
                    at,
                }
            }
            Event::WatchRound { ok, failure, metrics, elapsed_ms } => Self::WatchRound {
                ok: *ok,
                failure: failure.as_ref(),
                metrics,
                elapsed_ms: *elapsed_ms,
                at,
            },
            Event::BackfillStatus { job, status, total, succeeded, failed } => {
                Self::BackfillStatus {
                    job,
                    status,
                    total: *total,
                    succeeded: *succeeded,
                    failed: *failed,
                    pair: of,
                    at,
                }
            }
            Event::Error { failure } => Self::Error { failure, at },
            Event::PairStart { pairs } => {
                Self::PairStart { pairs: *pairs, pair: pair.unwrap_or_default(), at }
            }
            Event::PairDone { ok, exit_code, failure, elapsed_ms } => Self::PairDone {
                ok: *ok,
                exit_code: *exit_code,
                failure: failure.as_ref(),
                elapsed_ms: *elapsed_ms,
                pair: pair.unwrap_or_default(),
                at,
            },
            Event::RunDone { ok, changed, elapsed_ms } => {
                Self::RunDone { ok: *ok, changed: *changed, elapsed_ms: *elapsed_ms, at }
            }
        }
    }
}
