//! What the commands about a pair print with `-o json`.
//! Not for: commands that want no pair (see `account`, `text`).

use super::object;
use super::of_many::Part;
use crate::backfill::{self, Job, Reason};
use crate::check::{Finding, S3Said};
use crate::events::{Kind, StepId, Verb};
use crate::names::{Arn, Region};
use crate::ops::{Going, Removed};
use crate::plan::{Cost, Kept};
use crate::probe::{Marker, Probe, RouteSummary, Summary, WaitedObject};
use crate::report::Change;
use crate::steps::Replaced;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

object! {
    /// What `crrctl plan` prints.
    PlanObject, "plan", "plan-output",
    [[pair, changes, api_calls], [pairs, count, failed, api_calls, elapsed_ms], [pair, changes, exit_code]]
    {
        /// The pair's name
        pair: String,
        /// Where the credentials of a destination's account are not at hand: what that account must allow, by name
        documents: Map<String, Value>,
        /// The source's account
        account: String,
        /// The ARN of the source's credentials
        caller: Option<String>,
        /// The endpoint of every service, where one is given
        endpoint: Option<String>,
        changes: Vec<Change>,
        /// What is allowed and dangerous
        warnings: Vec<String>,
        left: Vec<Kept>,
        cost: Cost,
        /// Of many pairs, how many there are
        count: usize,
        /// Of many pairs, how many failed
        failed: usize,
        /// AWS calls made
        api_calls: u64,
        /// Calls that change state
        api_writes: u64,
        elapsed_ms: u64,
        /// The plan as a graph, with `--graph`
        graph: String,
        /// Of many pairs, each one's own object, in the manifest's order
        pairs: Vec<Part<PlanObject>>,
        ; exit_code: u8,
    }
}

object! {
    /// What `crrctl apply` prints.
    ApplyObject, "apply", "apply-output",
    [
        [pair, warnings, changed, resources, probes, summary, api_calls, api_writes, elapsed_ms, activated_at, replaced, expires],
        [pairs, count, failed, api_calls, elapsed_ms],
        [pair, warnings, changed, resources, probes, summary, elapsed_ms, activated_at, replaced, expires, exit_code]
    ]
    {
        /// The pair's name
        pair: String,
        /// What is allowed and dangerous
        warnings: Vec<String>,
        /// Whether anything was changed; probes don't count
        changed: bool,
        resources: Vec<Resource>,
        probes: Vec<Probe>,
        summary: Summary,
        /// Of many pairs, how many there are
        count: usize,
        /// Of many pairs, how many failed
        failed: usize,
        /// AWS calls made
        api_calls: u64,
        /// Calls that change state
        api_writes: u64,
        elapsed_ms: u64,
        /// When the rules went live, where they were proven first
        activated_at: Option<Timestamp>,
        replaced: Vec<Replaced>,
        /// With `--prune`, what the manifest no longer names and what stays all the same
        left: Vec<Kept>,
        /// When an ephemeral pair may go
        expires: Option<Timestamp>,
        /// Where the credentials of a destination's account are not at hand: what that account must allow, by name
        documents: Map<String, Value>,
        checks: Vec<Finding>,
        /// S3's failure reasons that the checks found, the likeliest first
        failure_reasons: Vec<&'static str>,
        /// What others wrote before the rule
        existing: backfill::Sample,
        /// Of many pairs, each one's own object, in the manifest's order
        pairs: Vec<Part<ApplyObject>>,
        ; exit_code: u8,
    }
}

object! {
    /// What `crrctl probe` prints.
    ProbeObject, "probe", "probe-output",
    [
        [pair, probes, summary, api_calls, elapsed_ms, routes],
        [pairs, count, failed, api_calls, elapsed_ms],
        [pair, probes, summary, elapsed_ms, exit_code]
    ]
    {
        /// The pair's name
        pair: String,
        probes: Vec<Probe>,
        summary: Summary,
        /// The same by rule and direction
        routes: Vec<RouteSummary>,
        delete_markers: Vec<Marker>,
        /// Of many pairs, how many there are
        count: usize,
        /// Of many pairs, how many failed
        failed: usize,
        /// AWS calls made
        api_calls: u64,
        /// Calls that change state
        api_writes: u64,
        elapsed_ms: u64,
        checks: Vec<Finding>,
        /// S3's failure reasons that the checks found, the likeliest first
        failure_reasons: Vec<&'static str>,
        /// Of many pairs, each one's own object, in the manifest's order
        pairs: Vec<Part<ProbeObject>>,
        ; exit_code: u8,
    }
}

object! {
    /// What `crrctl wait` prints.
    WaitObject, "wait", "wait-output", [[object, status, elapsed_ms]]
    {
        object: WaitedObject,
        /// `PENDING`, `COMPLETED`, `FAILED`, `REPLICA`, or `NONE`
        status: &'static str,
        elapsed_ms: u64,
    }
}

object! {
    /// What `crrctl check` prints.
    CheckObject, "check", "check-output",
    [
        [pair, checks, failure_reasons, api_calls, elapsed_ms],
        [pairs, count, failed, api_calls, elapsed_ms],
        [pair, checks, failure_reasons, elapsed_ms, exit_code]
    ]
    {
        /// The pair's name
        pair: String,
        checks: Vec<Finding>,
        /// S3's failure reasons that the checks found, the likeliest first
        failure_reasons: Vec<&'static str>,
        /// What S3 itself said of one object, with `--with-batch`
        batch: S3Said,
        /// Of many pairs, how many there are
        count: usize,
        /// Of many pairs, how many failed
        failed: usize,
        /// AWS calls made
        api_calls: u64,
        /// Calls that change state
        api_writes: u64,
        elapsed_ms: u64,
        /// Of many pairs, each one's own object, in the manifest's order
        pairs: Vec<Part<CheckObject>>,
        ; exit_code: u8,
    }
}

object! {
    /// What `crrctl watch` prints, when it ends.
    WatchObject, "watch", "watch-output", [[pair, rounds, errors, probes]]
    {
        /// The pair's name
        pair: String,
        rounds: u64,
        /// Rounds that ended with an error, by the error's code
        errors: BTreeMap<String, u64>,
        /// By rule, how many probes ended in which status
        probes: BTreeMap<String, BTreeMap<&'static str, u64>>,
    }
}

object! {
    /// What `crrctl backfill` prints.
    BackfillObject, "backfill", "backfill-output", []
    {
        /// The pair's name
        pair: String,
        job: Job,
        /// Why objects were not replicated
        reasons: Vec<Reason>,
        /// AWS calls made
        api_calls: u64,
    }
}

object! {
    /// What `crrctl destroy` prints.
    DestroyObject, "destroy", "destroy-output",
    [
        [pair, removed, left, keys, api_calls, elapsed_ms],
        [pairs, count, failed, api_calls, elapsed_ms],
        [pair, removed, left, keys, elapsed_ms, exit_code]
    ]
    {
        /// The pair's name
        pair: String,
        /// What is allowed and dangerous, such as a key that was used later than the pair's newest object
        warnings: Vec<String>,
        /// The batch job that was cancelled first
        job: Job,
        removed: Vec<Removed>,
        left: Vec<Kept>,
        keys: Vec<Going>,
        /// Of many pairs, how many there are
        count: usize,
        /// Of many pairs, how many failed
        failed: usize,
        /// AWS calls made
        api_calls: u64,
        /// Calls that change state
        api_writes: u64,
        elapsed_ms: u64,
        /// Of many pairs, each one's own object, in the manifest's order
        pairs: Vec<Part<DestroyObject>>,
        ; exit_code: u8,
    }
}

object! {
    /// What `crrctl smoke` prints.
    SmokeObject, "smoke", "smoke-output",
    [[
        pair, changed, resources, probes, summary, api_calls, api_writes, elapsed_ms, activated_at, replaced, expires, removed,
        left, keys
    ]]
    {
        /// The pair's name
        pair: String,
        /// Whether anything was changed; probes don't count
        changed: bool,
        resources: Vec<Resource>,
        probes: Vec<Probe>,
        summary: Summary,
        /// AWS calls made
        api_calls: u64,
        /// Calls that change state
        api_writes: u64,
        elapsed_ms: u64,
        /// When the rules went live, where they were proven first
        activated_at: Option<Timestamp>,
        replaced: Vec<Replaced>,
        /// When an ephemeral pair may go
        expires: Option<Timestamp>,
        /// The batch job that was cancelled first
        job: Job,
        removed: Vec<Removed>,
        left: Vec<Kept>,
        keys: Vec<Going>,
    }
}

object! {
    /// What `crrctl rehearse` prints.
    RehearseObject, "rehearse", "rehearse-output",
    [
        [pair, phases, probes, left, elapsed_ms],
        [pairs, count, failed, left, elapsed_ms],
        [pair, phases, probes, left, elapsed_ms, exit_code]
    ]
    {
        /// The pair's name
        pair: String,
        phases: Vec<Phase>,
        probes: Vec<Probe>,
        /// What a second apply would still change
        changes: Vec<Change>,
        /// What is left in the sandbox
        left: Vec<String>,
        /// Of many pairs, how many were rehearsed
        count: usize,
        /// Of many pairs, how many failed
        failed: usize,
        elapsed_ms: u64,
        /// Of many pairs, each one's own object, in the manifest's order
        pairs: Vec<Part<RehearseObject>>,
        ; exit_code: u8,
    }
}

object! {
    /// What `crrctl export` prints.
    ExportObject, "export", "export-output", [[pair, files, api_calls]]
    {
        /// The pair's name
        pair: String,
        /// The files' text by name
        #[cfg_attr(test, schemars(with = "BTreeMap<String, String>"))]
        files: Map<String, Value>,
        /// AWS calls made
        api_calls: u64,
    }
}

object! {
    /// What `crrctl import` prints.
    ImportObject, "import", "import-output", [[pair, manifest, notes, changes, api_calls, elapsed_ms]]
    {
        /// The pair's name
        pair: String,
        /// The manifest's text
        manifest: String,
        /// What the manifest does not say, or says otherwise than it is
        notes: Vec<String>,
        /// What `apply` would change beside tags
        changes: Vec<Change>,
        /// AWS calls made
        api_calls: u64,
        elapsed_ms: u64,
        /// Where it was written, with `--out`
        file: String,
    }
}

/// A resource that stands
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "resource"))]
pub(in crate::cli) struct Resource {
    pub(in crate::cli) step: StepId,
    pub(in crate::cli) kind: Kind,
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) region: Region,
    #[cfg_attr(test, schemars(with = "String"))]
    pub(in crate::cli) arn: Arn,
    pub(in crate::cli) action: Verb,
}

/// A part of a rehearsal
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct Phase {
    pub(in crate::cli) name: &'static str,
    pub(in crate::cli) detail: String,
    pub(in crate::cli) elapsed_ms: u64,
}
