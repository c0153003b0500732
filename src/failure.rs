//! What went wrong, as the user sees it: kind, step, AWS's own words, what is left behind, how to go on.
//! Modules have typed errors of their own; each is turned into a [`Failure`] once, where it leaves its module.
//! Not for: printing (see `report`).

use crate::names::{InvalidName, Region};
use serde::Serialize;

/// The class of a failure; each has one exit code (`contract`: "Exit codes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Something that no rule of ours knows.
    Unexpected,
    /// The manifest, a flag or a template is not valid; nothing was called.
    Manifest,
    /// There are no usable credentials.
    Credentials,
    /// AWS refused a call for want of permission.
    Denied,
    /// S3 says that replication of an object FAILED.
    ReplicationFailed,
    /// A state was not reached in time.
    TooLate,
    /// The replica differs from its source.
    ReplicaDiffers,
    /// A removal left something behind.
    LeftBehind,
    /// A resource of that name, or an object in a bucket, is not ours.
    InTheWay,
    /// The user stopped the run.
    Interrupted,
}

impl Kind {
    /// Every kind with its exit code and what the code means, in the order of the codes.
    pub const TABLE: [(Self, u8, &'static str); 10] = [
        (Self::Unexpected, 1, "unexpected error"),
        (Self::Manifest, 3, "manifest or usage"),
        (Self::Credentials, 4, "no usable credentials"),
        (Self::Denied, 5, "permission denied"),
        (Self::ReplicationFailed, 6, "replication FAILED"),
        (Self::TooLate, 7, "too late: still PENDING, or a state not reached in time"),
        (Self::ReplicaDiffers, 8, "the replica differs from its source"),
        (Self::LeftBehind, 9, "something is left behind"),
        (Self::InTheWay, 10, "in the way: a resource or object is not ours"),
        (Self::Interrupted, 130, "interrupted"),
    ];

    /// Returns the kind's name, as JSON has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unexpected => "unexpected",
            Self::Manifest => "manifest",
            Self::Credentials => "credentials",
            Self::Denied => "denied",
            Self::ReplicationFailed => "replication-failed",
            Self::TooLate => "too-late",
            Self::ReplicaDiffers => "replica-differs",
            Self::LeftBehind => "left-behind",
            Self::InTheWay => "in-the-way",
            Self::Interrupted => "interrupted",
        }
    }

    /// Returns the exit code of this kind.
    pub fn exit_code(self) -> u8 {
        Self::TABLE.iter().find(|row| row.0 == self).map_or(1, |row| row.1)
    }

    /// Returns what the exit code of this kind means.
    pub fn meaning(self) -> &'static str {
        Self::TABLE.iter().find(|row| row.0 == self).map_or("unexpected error", |row| row.2)
    }
}

/// A failure with all that is needed to understand it and to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Decides the exit code.
    pub kind: Kind,
    /// A short, stable name of what happened, such as `replica-key-timeout` or AWS's own code.
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// The step that failed, such as `s3:versioning/demo-111122223333-us-east-1`.
    pub step: Option<String>,
    /// The Region that was called.
    pub region: Option<Region>,
    /// AWS's error code.
    pub aws_code: Option<String>,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// What exists now and was not taken away; `None` where the run changed nothing.
    pub left_behind: Option<String>,
    /// Why an object FAILED, as the live policies and settings tell it, the likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// AWS's failure reasons that go with the causes, ranked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failure_reasons: Vec<String>,
    /// What to do next, one command or action each.
    pub hints: Vec<String>,
    /// What was refused to whom, where permission is missing.
    #[serde(skip)]
    pub denied: Option<Denied>,
}

/// A permission that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Such as `kms:CreateKey`.
    pub action: String,
    /// What it was asked for, as AWS names it.
    pub resource: Option<String>,
    /// The ARN of who asked.
    pub principal: Option<String>,
}

impl Failure {
    /// Makes the failure of what can't happen.
    pub fn bug(message: &str) -> Self {
        Self::new(Kind::Unexpected, "bug", format!("{message}: this is a bug in crrctl"))
    }

    /// Makes a failure of `kind` that has nothing to say but `message`.
    pub fn new(kind: Kind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            step: None,
            region: None,
            aws_code: None,
            request_id: None,
            left_behind: None,
            causes: Vec::new(),
            failure_reasons: Vec::new(),
            hints: Vec::new(),
            denied: None,
        }
    }

    /// Adds the next thing to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says in which Region it happened.
    #[must_use]
    pub fn in_region(mut self, region: &Region) -> Self {
        self.region = Some(region.clone());
        self
    }

    /// Says which step failed, unless a step closer to the cause already did.
    #[must_use]
    pub fn at_step(mut self, step: &str, region: &Region) -> Self {
        self.step.get_or_insert_with(|| step.to_owned());
        self.region.get_or_insert_with(|| region.clone());
        self
    }

    /// Says what exists now.
    #[must_use]
    pub fn leaving(mut self, left_behind: impl Into<String>) -> Self {
        self.left_behind = Some(left_behind.into());
        self
    }
}

/// Returns the failure that decides the exit code of several.
pub fn worst(failures: impl IntoIterator<Item = Failure>) -> Option<Failure> {
    const ORDER: [Kind; 10] = [
        Kind::Interrupted,
        Kind::Unexpected,
        Kind::Manifest,
        Kind::Credentials,
        Kind::Denied,
        Kind::InTheWay,
        Kind::ReplicaDiffers,
        Kind::ReplicationFailed,
        Kind::TooLate,
        Kind::LeftBehind,
    ];
    let rank = |failure: &Failure| ORDER.iter().position(|kind| *kind == failure.kind);
    failures.into_iter().min_by_key(rank)
}

impl From<InvalidName> for Failure {
    fn from(error: InvalidName) -> Self {
        Self::new(Kind::Manifest, "name-invalid", error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_exit_code() {
        let codes: std::collections::BTreeSet<u8> = Kind::TABLE.iter().map(|row| row.1).collect();
        assert_eq!(codes.len(), Kind::TABLE.len());
        assert_eq!(Kind::ReplicaDiffers.exit_code(), 8);
    }

    #[test]
    fn kinds_are_named_as_they_are_serialized() {
        for (kind, ..) in Kind::TABLE {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
