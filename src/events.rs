//! The events of a run, as plain data. All output about a run, for people and for programs, is
//! derived from these events.
//! Not for: making decisions or printing (see `report`).

mod measured;
mod pair;

pub use measured::RuleMetrics;
pub use pair::{CallOf, DestinationOf, PairOf, PlaceOf, RuleOf, SideOf, TargetOf, WayOf};

use crate::failure::Failure;
use crate::names::{Arn, Region};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

macro_rules! kinds {
    ($($variant:ident = $name:literal,)*) => {
        /// The resource kind of a step. The names are part of the output contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "kind"))]
        #[expect(missing_docs, reason = "each variant is the resource of that name")]
        pub enum Kind {
            $(#[serde(rename = $name)] $variant,)*
        }

        impl Kind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the kind's name in the output contract, such as `kms:key`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

kinds! {
    Key = "kms:key",
    Alias = "kms:alias",
    Rotation = "kms:rotation",
    ReplicaKey = "kms:replica-key",
    Bucket = "s3:bucket",
    BucketTags = "s3:tags",
    Ownership = "s3:ownership",
    PublicAccessBlock = "s3:public-access-block",
    Versioning = "s3:versioning",
    Encryption = "s3:encryption",
    BucketPolicy = "s3:policy",
    ObjectLock = "s3:object-lock",
    Lifecycle = "s3:lifecycle",
    Logging = "s3:logging",
    Notification = "s3:notification",
    Object = "s3:object",
    Role = "iam:role",
    RolePolicy = "iam:role-policy",
    Replication = "s3:replication",
    Alarm = "cloudwatch:alarm",
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The operation of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "action"))]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Creates a missing resource.
    Create,
    /// Updates a resource that differs from the manifest.
    Update,
    /// Tags an existing resource as the pair's.
    Adopt,
    /// Deletes the resource.
    Delete,
    /// Keeps a resource of the pair that the manifest no longer names.
    Orphan,
    /// Keeps a resource that matches the manifest.
    None,
}

impl Verb {
    /// Returns the verb's name in the output contract.
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

    /// Returns whether a step with this verb calls AWS to change a resource.
    pub fn changes(self) -> bool {
        !matches!(self, Self::Orphan | Self::None)
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The id of a step, such as `s3:versioning/demo-111122223333-us-east-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(transparent)]
pub struct StepId(String);

impl StepId {
    /// Returns the id of the step for the resource `name` of `kind`.
    pub fn new(kind: Kind, name: &str) -> Self {
        Self(format!("{kind}/{name}"))
    }

    /// Returns the id of the step that follows the batch job `id`.
    pub fn job(id: &str) -> Self {
        Self(format!("s3:batch-job/{id}"))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for StepId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// An event of a run. Durations are in milliseconds. `report::Ndjson` says what is printed of it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the contract names the fields")]
pub enum Event {
    RunStart {
        command: &'static str,
        pair: String,
    },
    Pair(PairOf),
    Observed {
        reads: u64,
        elapsed_ms: u64,
        round_trip_ms: Option<u64>,
    },
    /// How far a search of the account is.
    Search {
        read: usize,
        known: usize,
    },
    Proof {
        calls: Vec<CallOf>,
    },
    StepStart {
        step: StepId,
        kind: Kind,
        region: Region,
        name: String,
        action: Verb,
        needs: Vec<StepId>,
    },
    StepWait {
        step: StepId,
        reason: String,
        waited_ms: u64,
    },
    StepRetry {
        step: StepId,
        code: String,
        reason: String,
    },
    StepNote {
        step: StepId,
        note: String,
    },
    StepDone {
        step: StepId,
        action: Verb,
        arn: Option<Arn>,
        elapsed_ms: u64,
    },
    StepFailed {
        step: StepId,
        failure: Failure,
    },
    ProbeStatus {
        rule: String,
        key: String,
        status: String,
        elapsed_ms: u64,
    },
    ProbeRetry {
        rule: String,
        key: String,
        reason: String,
    },
    ProbeDone(ProbeDone),
    CheckDone(CheckDone),
    WatchRound {
        ok: bool,
        failure: Option<Failure>,
        /// Metrics of the rules that have S3 Replication metrics enabled.
        metrics: Vec<RuleMetrics>,
        elapsed_ms: u64,
    },
    BackfillStatus {
        job: String,
        status: String,
        total: Option<u64>,
        succeeded: u64,
        failed: u64,
    },
    Error {
        failure: Failure,
    },
    PairStart {
        pairs: usize,
    },
    PairDone {
        ok: bool,
        exit_code: u8,
        failure: Option<Failure>,
        elapsed_ms: u64,
    },
    RunDone {
        ok: bool,
        changed: bool,
        elapsed_ms: u64,
    },
}

/// The outcome of one probe at one destination.
#[derive(Debug, Clone)]
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
    /// Whether every check of the replica passed.
    pub checked: bool,
    /// The failed checks, each with the expected and the actual value.
    pub differences: Vec<String>,
}

impl ProbeDone {
    /// Returns whether the probe proves that replication works.
    pub fn ok(&self) -> bool {
        self.status == "COMPLETED" && self.checked
    }

    /// Returns the outcome in a few words.
    pub fn says(&self) -> String {
        match (self.ok(), self.differences.is_empty()) {
            (true, _) => "all checks hold".to_owned(),
            (false, false) => self.differences.join("; "),
            (false, true) if self.attempts == 1 => format!("{} after 1 attempt", self.status),
            (false, true) => format!("{} after {} attempts", self.status, self.attempts),
        }
    }
}

/// The outcome of one check in one Region.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct CheckDone {
    pub name: &'static str,
    pub result: &'static str,
    pub region: Option<Region>,
    pub detail: String,
    pub remedy: Option<String>,
    /// The place in a list for people: the likeliest causes first.
    #[serde(skip)]
    pub place: u8,
}

/// Receives events as they happen. Many tasks call it concurrently.
pub trait Sink: Send + Sync {
    /// Receives one event. Must not block.
    fn take(&self, event: &Event);

    /// Receives one event of the pair `pair`, in a run of many pairs.
    fn take_of(&self, pair: &str, event: &Event) {
        let _ = pair;
        self.take(event);
    }
}

/// Forwards the events of one pair to the sink of all pairs.
struct OfPair {
    all: Arc<dyn Sink>,
    pair: String,
}

impl Sink for OfPair {
    fn take(&self, event: &Event) {
        self.all.take_of(&self.pair, event);
    }
}

/// A handle to the event sink. Cheap to clone.
#[derive(Clone)]
pub struct Events(Arc<dyn Sink>);

impl Events {
    /// Returns a handle that sends events to `sink`.
    pub fn to(sink: Arc<dyn Sink>) -> Self {
        Self(sink)
    }

    /// Returns a handle that labels events with the pair's name, for a run of many pairs.
    #[must_use]
    pub fn of_pair(&self, pair: &str) -> Self {
        Self(Arc::new(OfPair { all: Arc::clone(&self.0), pair: pair.to_owned() }))
    }

    /// Sends `event` to the sink.
    pub fn say(&self, event: &Event) {
        self.0.take(event);
    }

    /// Returns a handle that reports the progress of `step`.
    pub fn step(&self, step: &StepId) -> Progress {
        Progress { events: self.clone(), step: step.clone() }
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

/// Reports the progress of one step.
#[derive(Debug, Clone)]
pub struct Progress {
    events: Events,
    step: StepId,
}

impl Progress {
    /// Reports that the step is waiting, the reason, and the time waited so far.
    pub fn waiting(&self, reason: impl Into<String>, waited: Duration) {
        self.events.say(&Event::StepWait {
            step: self.step.clone(),
            reason: reason.into(),
            waited_ms: millis(waited),
        });
    }

    /// Reports that AWS returned the error `code` and that the call is retried.
    pub fn retrying(&self, code: &str, reason: &str) {
        let (code, reason) = (code.to_owned(), reason.to_owned());
        self.events.say(&Event::StepRetry { step: self.step.clone(), code, reason });
    }

    /// Reports a note for the user.
    pub fn note(&self, note: impl Into<String>) {
        self.events.say(&Event::StepNote { step: self.step.clone(), note: note.into() });
    }
}

/// Returns the duration in whole milliseconds.
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
