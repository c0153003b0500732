//! The lines of a recording. The schema (`schemas/recording.schema.json`) is generated from these
//! types.
//! Not for: writing them (see `file`).

use super::Members;
use super::members::Service;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the first line of a run says that it is.
pub const SCHEMA: &str = "crrctl/recording/v1";

/// A line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "record", rename_all = "lowercase")]
pub enum Line {
    /// The first line of a run
    Header(Header),
    /// A request, and what was answered
    Exchange(Box<Exchange>),
    /// An event of the run, as `-o ndjson` prints it, with stand-ins
    Event {
        /// The event
        event: Value,
    },
}

/// The first line of a run. A file that runs were appended to has one for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct Header {
    /// The version of this format, `crrctl/recording/v1`
    pub schema: String,
    /// The version of crrctl
    pub version: String,
    /// The command
    pub command: String,
    /// Whether names were replaced
    pub names: Names,
    /// When the run began
    pub at: Timestamp,
}

/// What became of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum Names {
    /// Stand-ins take their place
    Replaced,
    /// They are as they were (`--record-names`)
    Kept,
}

/// One attempt of a request, and what was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct Exchange {
    /// When the request was sent
    pub at: Timestamp,
    /// The service, as policies name it
    pub service: Service,
    /// The operation, such as `CreateBucket`
    pub operation: String,
    /// The Region that was called
    pub region: String,
    /// Which of the run's credentials signed it, from 0
    pub caller: u32,
    /// Which attempt of the call this was, from 1
    pub attempt: u32,
    /// The members of the request
    pub request: Members,
    /// The HTTP status; none where there was no answer
    pub status: Option<u16>,
    /// The error code, if AWS refused
    pub code: Option<String>,
    /// AWS's sentence, if it refused
    pub message: Option<String>,
    /// The members of the answer
    pub answer: Members,
    /// AWS's id of the request
    pub request_id: Option<String>,
    /// How long it took
    pub duration_ms: u64,
}

/// What a service said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// The error code, if it refused.
    pub code: Option<String>,
    /// Its sentence, if it refused.
    pub message: Option<String>,
    /// The members of the answer.
    pub members: Members,
    /// The id of the request.
    pub request_id: Option<String>,
}

impl Exchange {
    /// Returns whether AWS did what was asked.
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status)) && self.code.is_none()
    }

    /// Returns whether an alias was to be changed that KMS did not find.
    pub fn is_of_no_alias(&self) -> bool {
        self.operation == "UpdateAlias" && self.code.as_deref() == Some("NotFoundException")
    }

    /// Returns whether the operation only reads.
    pub fn reads(&self) -> bool {
        ["Get", "Head", "List", "Describe", "Lookup"]
            .iter()
            .any(|verb| self.operation.starts_with(verb))
    }
}
