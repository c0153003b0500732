//! A failure as the user sees it: kind, step, AWS's error message, resources left behind, next
//! steps.
//! Modules have their own typed errors. Each error is converted to a [`Failure`] once, where it
//! leaves its module.
//! Not for: printing (see `report`).

mod denied;

pub use denied::{Denied, DeniedBecause, PolicyKind};

use crate::joined::Beside;
use crate::names::{InvalidName, Region};
use serde::Serialize;

/// The class of a failure. Each class has one exit code (README, "Exit codes").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An error that matches no other class.
    Unexpected,
    /// The manifest, a flag, or a template is invalid, and AWS was not called; or there is no such
    /// pair or object, or a file can't be written.
    Manifest,
    /// No usable credentials.
    Credentials,
    /// An endpoint can't be reached.
    Unreachable,
    /// AWS denied a call because of missing permissions.
    Denied,
    /// The replication status of an object is FAILED.
    ReplicationFailed,
    /// A resource or an object did not reach a state in time.
    TooLate,
    /// A replica differs from its source object.
    ReplicaDiffers,
    /// A removal left resources behind.
    LeftBehind,
    /// A resource with a required name, or an object in a bucket, does not belong to this pair.
    InTheWay,
    /// The user stopped the run.
    Interrupted,
}

impl Kind {
    /// Every kind with its exit code and the code's meaning, sorted by exit code.
    pub const TABLE: [(Self, u8, &'static str); 11] = [
        (Self::Unexpected, 1, "unexpected error"),
        (Self::Manifest, 3, "manifest or usage; no such pair or object; a file can't be written"),
        (Self::Credentials, 4, "no usable credentials"),
        (Self::Unreachable, 4, "an endpoint can't be reached"),
        (Self::Denied, 5, "permission denied"),
        (Self::ReplicationFailed, 6, "replication FAILED"),
        (Self::TooLate, 7, "too late: still PENDING, or a state not reached in time"),
        (Self::ReplicaDiffers, 8, "the replica differs from its source"),
        (Self::LeftBehind, 9, "something is left behind"),
        (Self::InTheWay, 10, "in the way: a resource or object is not ours"),
        (Self::Interrupted, 130, "interrupted"),
    ];

    /// Returns the kind's name in JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unexpected => "unexpected",
            Self::Manifest => "manifest",
            Self::Credentials => "credentials",
            Self::Unreachable => "unreachable",
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

    /// Returns the meaning of the exit code of this kind.
    pub fn meaning(self) -> &'static str {
        Self::TABLE.iter().find(|row| row.0 == self).map_or("unexpected error", |row| row.2)
    }
}

/// A failure with the information needed to understand it and to continue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "failure"))]
#[error("{message}")]
pub struct Failure {
    /// Determines the exit code.
    pub kind: Kind,
    /// A short, stable code, such as `replica-key-timeout` or AWS's error code; `crrctl explain CODE`
    /// says more.
    pub code: String,
    /// Error message: one sentence in plain language.
    pub message: String,
    /// The failed step, such as `s3:versioning/demo-111122223333-us-east-1`.
    pub step: Option<String>,
    /// Region of the failed call.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub region: Option<Region>,
    /// AWS's error code.
    pub aws_code: Option<String>,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// Resources that exist now and were not removed. `None` if the run changed nothing.
    pub left_behind: Option<String>,
    /// Possible causes of a FAILED replication, derived from the live policies and settings, the
    /// most likely first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// AWS's replication failure reasons that match the causes, ranked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failure_reasons: Vec<String>,
    /// Next steps, one command or action each.
    pub hints: Vec<String>,
    /// The missing permissions: the denied action, its resource, and the principal of each.
    #[serde(skip)]
    pub denied: Vec<Denied>,
    /// The operation whose resource AWS did not find, such as `kms:CreateAlias`.
    #[serde(skip)]
    pub not_found_by: Option<&'static str>,
}

impl Failure {
    /// Creates the failure for a state that should be impossible.
    pub fn bug(message: &str) -> Self {
        Self::new(Kind::Unexpected, "bug", format!("{message}: this is a bug in crrctl"))
    }

    /// Creates a failure of `kind` with a code and a message only. A message is at most 16 KiB long.
    pub fn new(kind: Kind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: shortened(message.into(), 16 << 10),
            step: None,
            region: None,
            aws_code: None,
            request_id: None,
            left_behind: None,
            causes: Vec::new(),
            failure_reasons: Vec::new(),
            hints: Vec::new(),
            denied: Vec::new(),
            not_found_by: None,
        }
    }

    /// Sets the missing permissions, and says first of all who needs them.
    #[must_use]
    pub fn needing(mut self, denied: Vec<Denied>) -> Self {
        self.hints.splice(0..0, denied::needs(&denied));
        self.denied = denied;
        self
    }

    /// Adds a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the Region.
    #[must_use]
    pub fn in_region(mut self, region: &Region) -> Self {
        self.region = Some(region.clone());
        self
    }

    /// Sets the failed step and its Region, unless they are already set closer to the cause.
    #[must_use]
    pub fn at_step(mut self, step: &str, region: &Region) -> Self {
        self.step.get_or_insert_with(|| step.to_owned());
        self.region.get_or_insert_with(|| region.clone());
        self
    }

    /// Sets the resources left behind.
    #[must_use]
    pub fn leaving(mut self, left_behind: impl Into<String>) -> Self {
        self.left_behind = Some(left_behind.into());
        self
    }
}

impl Beside for Failure {
    /// Adds to a denial what else was denied.
    fn beside(mut self, other: Self) -> Self {
        if self.kind != Kind::Denied || other.kind != Kind::Denied {
            return self;
        }
        let needs = denied::needs(&other.denied);
        let hints: Vec<String> = other.hints.into_iter().filter(|it| !needs.contains(it)).collect();
        let mut all = std::mem::take(&mut self.denied);
        let before = denied::needs(&all);
        self.hints.retain(|hint| !before.contains(hint));
        for denied in other.denied {
            if !all.contains(&denied) {
                all.push(denied);
            }
        }
        let mut both = self.needing(all);
        let new: Vec<String> = hints.into_iter().filter(|it| !both.hints.contains(it)).collect();
        both.hints.extend(new);
        both
    }
}

/// Returns a text with its middle left out if it is longer than `most` bytes: what was given is named
/// by its beginning, and what is wrong with it stands at the end.
pub fn shortened(text: String, most: usize) -> String {
    if text.len() <= most {
        return text;
    }
    let (begin, end) =
        (text.floor_char_boundary(most / 2), text.ceil_char_boundary(text.len() - most / 2));
    format!("{} … ({} bytes are left out) … {}", &text[..begin], end - begin, &text[end..])
}

/// Returns the failure that determines the exit code when there are several.
pub fn worst(failures: impl IntoIterator<Item = Failure>) -> Option<Failure> {
    const ORDER: [Kind; 11] = [
        Kind::Interrupted,
        Kind::Unexpected,
        Kind::Manifest,
        Kind::Credentials,
        Kind::Unreachable,
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
    fn each_kind_has_an_exit_code_and_a_rank() {
        let codes: std::collections::BTreeSet<u8> = Kind::TABLE.iter().map(|row| row.1).collect();
        // Two kinds keep crrctl from AWS: no credentials, and no connection.
        assert_eq!(codes.len(), Kind::TABLE.len() - 1);
        for (kind, ..) in Kind::TABLE {
            let failure = |kind| Failure::new(kind, "a", "b");
            let found = worst([failure(Kind::LeftBehind), failure(kind)]).unwrap();
            assert_eq!(found.kind, kind);
            assert_eq!(worst([failure(Kind::Interrupted), found]).unwrap().kind, Kind::Interrupted);
        }
        assert_eq!(Kind::ReplicaDiffers.exit_code(), 8);
    }

    #[test]
    fn a_long_text_keeps_its_ends() {
        let long = format!("begin{}end", "ä".repeat(1 << 20));
        let shown = shortened(long, 100);
        assert!(shown.starts_with("beginä") && shown.ends_with("äend"), "{shown}");
        assert!(shown.len() < 160 && shown.contains("bytes are left out"), "{shown}");
        assert_eq!(shortened("short".to_owned(), 5), "short");
    }

    #[test]
    fn kinds_are_named_as_they_are_serialized() {
        for (kind, ..) in Kind::TABLE {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
