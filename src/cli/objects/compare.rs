//! What `crrctl compare` prints with `-o json`.
//! Not for: comparing (see `crate::compare`).

use super::object;
use crate::compare::{Kind, Known};
use crate::recording::Service;
use jiff::Timestamp;
use serde::Serialize;

object! {
    /// What `crrctl compare` prints.
    CompareObject, "compare", "compare-output", [[file, cut_off, runs, differences, lag, unknown]]
    {
        /// The recording
        file: String,
        /// Whether a line of it was cut off
        cut_off: bool,
        runs: Vec<Compared>,
        /// Where the sandbox answers otherwise: success against refusal first, then codes, members, texts
        differences: Vec<Difference>,
        /// How long AWS took to show what was written, the longest of each kind
        lag: Vec<LagOf>,
        /// How many differences are not known
        unknown: usize,
    }
}

/// A run of the recording.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct Compared {
    /// The command that was recorded
    pub(in crate::cli) command: String,
    /// The version of crrctl that recorded it
    pub(in crate::cli) version: String,
    pub(in crate::cli) at: Timestamp,
    /// How many exchanges it has
    pub(in crate::cli) exchanges: usize,
}

/// A difference between AWS and the sandbox.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct Difference {
    pub(in crate::cli) kind: Kind,
    /// The line of the recording, the first of those alike
    pub(in crate::cli) line: usize,
    /// How many exchanges differ in this way
    pub(in crate::cli) count: usize,
    pub(in crate::cli) service: Service,
    pub(in crate::cli) operation: String,
    pub(in crate::cli) region: String,
    /// The member of the answer that differs
    pub(in crate::cli) member: Option<String>,
    /// What AWS answered
    pub(in crate::cli) recorded: String,
    /// What the sandbox answered
    pub(in crate::cli) sandbox: String,
    /// Why it differs, if that is known
    pub(in crate::cli) known: Option<Known>,
}

impl Difference {
    /// Returns whether both tell of the same.
    pub(in crate::cli) fn is_like(&self, other: &Self) -> bool {
        let of = |it: &Self| {
            (it.kind, it.service, it.operation.clone(), it.member.clone(), it.known.clone())
        };
        let what = |it: &Self| match it.kind {
            Kind::Member => (String::new(), String::new()),
            Kind::Outcome | Kind::Code | Kind::Text => {
                let code = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
                (code(&it.recorded), code(&it.sandbox))
            }
        };
        of(self) == of(other) && what(self) == what(other)
    }
}

/// How long AWS took.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub(in crate::cli) struct LagOf {
    /// The operation that told, such as `s3:HeadObject`
    pub(in crate::cli) operation: String,
    /// What was late
    pub(in crate::cli) what: String,
    /// How many exchanges came too early
    pub(in crate::cli) count: usize,
    /// The longest
    pub(in crate::cli) took_ms: u64,
    /// For how long crrctl tries again what is refused for it
    pub(in crate::cli) bound_ms: Option<u64>,
    /// The shortest time that it takes with `--lag aws`
    pub(in crate::cli) sandbox_least_ms: Option<u64>,
    /// The longest time that it takes with `--lag aws`
    pub(in crate::cli) sandbox_most_ms: Option<u64>,
    /// The quirk of the sandbox that shows it
    pub(in crate::cli) quirk: Option<String>,
}
