//! What happened in a run, as plain data. All that people and machines see of a run is a fold over these.
//! Not for: deciding or printing anything.

mod measured;
mod pair;

pub use measured::RuleMetrics;
pub use pair::{CallOf, DestinationOf, PairOf, PlaceOf, RuleOf, SideOf, TargetOf, WayOf};

use crate::failure::Failure;
use crate::names::{Arn, Region};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// What kind of resource a step is about; the names are part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[expect(missing_docs, reason = "each variant is the resource of that name")]
pub enum Kind {
    #[serde(rename = "kms:key")]
    Key,
    #[serde(rename = "kms:alias")]
    Alias,
    #[serde(rename = "kms:rotation")]
    Rotation,
    #[serde(rename = "kms:replica-key")]
    ReplicaKey,
    #[serde(rename = "s3:bucket")]
    Bucket,
    #[serde(rename = "s3:tags")]
    BucketTags,
    #[serde(rename = "s3:ownership")]
    Ownership,
    #[serde(rename = "s3:public-access-block")]
    PublicAccessBlock,
    #[serde(rename = "s3:versioning")]
    Versioning,
    #[serde(rename = "s3:encryption")]
    Encryption,
    #[serde(rename = "s3:policy")]
    BucketPolicy,
    #[serde(rename = "s3:object-lock")]
    ObjectLock,
    #[serde(rename = "s3:lifecycle")]
    Lifecycle,
    #[serde(rename = "s3:object")]
    Object,
    #[serde(rename = "iam:role")]
    Role,
    #[serde(rename = "iam:role-policy")]
    RolePolicy,
    #[serde(rename = "s3:replication")]
    Replication,
}

impl Kind {
    /// Returns the kind's name in the contract, such as `kms:key`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "kms:key",
            Self::Alias => "kms:alias",
            Self::Rotation => "kms:rotation",
            Self::ReplicaKey => "kms:replica-key",
            Self::Bucket => "s3:bucket",
            Self::BucketTags => "s3:tags",
            Self::Ownership => "s3:ownership",
            Self::PublicAccessBlock => "s3:public-access-block",
            Self::Versioning => "s3:versioning",
            Self::Encryption => "s3:encryption",
            Self::BucketPolicy => "s3:policy",
            Self::ObjectLock => "s3:object-lock",
            Self::Lifecycle => "s3:lifecycle",
            Self::Object => "s3:object",
            Self::Role => "iam:role",
            Self::RolePolicy => "iam:role-policy",
            Self::Replication => "s3:replication",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a step does to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Makes what is missing.
    Create,
    /// Changes what differs.
    Update,
    /// Takes an existing resource as ours and tags it.
    Adopt,
    /// Takes it away.
    Delete,
    /// Ours, but the manifest no longer names it: left as it is.
    Orphan,
    /// As it should be.
    None,
}

impl Verb {
    /// Returns the verb's name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Adopt => "adopt",
            Self::Delete => "delete",
            Self::Orphan => "orphan",
            Self::None => "none",
        }
    }

    /// Returns whether a step with this verb calls AWS to change something.
    pub fn changes(self) -> bool {
        !matches!(self, Self::Orphan | Self::None)
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Names a step, such as `s3:versioning/demo-111122223333-us-east-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct StepId(String);

impl StepId {
    /// Names the step about the resource `name` of `kind`.
    pub fn new(kind: Kind, name: &str) -> Self {
        Self(format!("{kind}/{name}"))
    }

    /// Names the following of a batch job.
    pub fn job(id: &str) -> Self {
        Self(format!("s3:batch-job/{id}"))
    }

    /// Returns the step's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for StepId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// What happened. Durations are in milliseconds.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event")]
#[expect(missing_docs, reason = "the contract names the fields")]
pub enum Event {
    #[serde(rename = "run.start")]
    RunStart { command: &'static str, pair: String },
    #[serde(rename = "pair")]
    Pair(PairOf),
    #[serde(rename = "observe.done")]
    Observed { reads: u64, elapsed_ms: u64, round_trip_ms: Option<u64> },
    #[serde(rename = "proof")]
    Proof { calls: Vec<CallOf> },
    #[serde(rename = "step.start")]
    StepStart {
        step: StepId,
        kind: Kind,
        region: Region,
        name: String,
        action: Verb,
        needs: Vec<StepId>,
    },
    #[serde(rename = "step.wait")]
    StepWait { step: StepId, reason: String, waited_ms: u64 },
    #[serde(rename = "step.retry")]
    StepRetry { step: StepId, code: String, reason: String },
    #[serde(rename = "step.note")]
    StepNote { step: StepId, note: String },
    #[serde(rename = "step.done")]
    StepDone { step: StepId, action: Verb, arn: Option<Arn>, elapsed_ms: u64 },
    #[serde(rename = "step.failed")]
    StepFailed { step: StepId, failure: Failure },
    #[serde(rename = "probe.status")]
    ProbeStatus { rule: String, key: String, status: String, elapsed_ms: u64 },
    #[serde(rename = "probe.retry")]
    ProbeRetry { rule: String, key: String, reason: String },
    #[serde(rename = "probe.done")]
    ProbeDone(ProbeDone),
    #[serde(rename = "check.done")]
    CheckDone(CheckDone),
    #[serde(rename = "watch.round")]
    WatchRound {
        ok: bool,
        failure: Option<Failure>,
        /// Of the rules that S3 measures.
        metrics: Vec<RuleMetrics>,
        elapsed_ms: u64,
    },
    #[serde(rename = "backfill.status")]
    BackfillStatus { job: String, status: String, total: Option<u64>, succeeded: u64, failed: u64 },
    #[serde(rename = "error")]
    Error { failure: Failure },
    #[serde(rename = "pair.start")]
    PairStart { pairs: usize },
    #[serde(rename = "pair.done")]
    PairDone { ok: bool, exit_code: u8, failure: Option<Failure>, elapsed_ms: u64 },
    #[serde(rename = "run.done")]
    RunDone { ok: bool, changed: bool, elapsed_ms: u64 },
}

/// What became of one probe at one destination.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct ProbeDone {
    pub rule: String,
    pub key: String,
    pub version_id: String,
    pub source: PlaceOf,
    pub destination: PlaceOf,
    pub status: String,
    pub latency_ms: Option<u64>,
    pub attempts: u32,
    /// Whether every check of the replica holds.
    pub checked: bool,
    /// The checks that do not hold, each with what was expected and what was found.
    pub differences: Vec<String>,
}

impl ProbeDone {
    /// Returns whether the probe proves that replication works.
    pub fn ok(&self) -> bool {
        self.status == "COMPLETED" && self.checked
    }

    /// Returns what it came to, in a few words.
    pub fn says(&self) -> String {
        match (self.ok(), self.differences.is_empty()) {
            (true, _) => "all checks hold".to_owned(),
            (false, false) => self.differences.join("; "),
            (false, true) => format!("{} after {} attempts", self.status, self.attempts),
        }
    }
}

/// What one check came to in one place.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct CheckDone {
    pub name: &'static str,
    pub result: &'static str,
    pub region: Option<Region>,
    pub detail: String,
    pub remedy: Option<String>,
}

/// Takes events as they happen; called from many tasks.
pub trait Sink: Send + Sync {
    /// Takes one event. It must not block.
    fn take(&self, event: &Event);

    /// Takes one event of one pair of many.
    fn take_of(&self, pair: &str, event: &Event) {
        let _ = pair;
        self.take(event);
    }
}

/// Gives events of one pair of many to who watches all of them.
struct OfPair {
    all: Arc<dyn Sink>,
    pair: String,
}

impl Sink for OfPair {
    fn take(&self, event: &Event) {
        self.all.take_of(&self.pair, event);
    }
}

/// Where events go; cheap to clone.
#[derive(Clone)]
pub struct Events(Arc<dyn Sink>);

impl Events {
    /// Sends events to `sink`.
    pub fn to(sink: Arc<dyn Sink>) -> Self {
        Self(sink)
    }

    /// Returns what says what happens to one pair of many.
    #[must_use]
    pub fn of_pair(&self, pair: &str) -> Self {
        Self(Arc::new(OfPair { all: Arc::clone(&self.0), pair: pair.to_owned() }))
    }

    /// Says that `event` happened.
    pub fn say(&self, event: &Event) {
        self.0.take(event);
    }

    /// Returns what says how `step` is getting on.
    pub fn step(&self, step: &StepId) -> Progress {
        Progress { events: self.clone(), step: step.clone() }
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

/// Says how one step is getting on.
#[derive(Debug, Clone)]
pub struct Progress {
    events: Events,
    step: StepId,
}

impl Progress {
    /// Says that the step waits, for what, and for how long already.
    pub fn waiting(&self, reason: impl Into<String>, waited: Duration) {
        self.events.say(&Event::StepWait {
            step: self.step.clone(),
            reason: reason.into(),
            waited_ms: millis(waited),
        });
    }

    /// Says that AWS answered `code` and the call is made again.
    pub fn retrying(&self, code: &str, reason: &str) {
        let (code, reason) = (code.to_owned(), reason.to_owned());
        self.events.say(&Event::StepRetry { step: self.step.clone(), code, reason });
    }

    /// Says something worth knowing.
    pub fn note(&self, note: impl Into<String>) {
        self.events.say(&Event::StepNote { step: self.step.clone(), note: note.into() });
    }
}

/// Returns whole milliseconds.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
