//! Output for people and programs: each sink is a fold over the events, each table a view of plain
//! data.
//! Not for: decisions or calls to AWS.

mod canary;
mod chain;
mod changes;
mod checks;
mod codes;
mod detail;
pub mod fleet;
mod fold;
mod github;
mod html;
mod junit;
mod graph;
mod harmless;
mod layout;
mod line;
mod lines;
pub(crate) mod live;
mod ndjson;
mod proof;
mod screen;
mod status;
mod stdout;
pub(crate) mod style;
pub mod tables;
mod words;

pub use canary::{Canary, Totals};
pub use chain::{Chain, Ran, chain};
pub use changes::{Change, changes, changes_beside_tags};
pub use checks::checks;
pub use codes::{codes, explanation};
pub use github::Github;
pub use graph::{Language, graph};
pub use harmless::{harmless, inline};
pub use html::Html;
pub use junit::Junit;
pub use line::{Volume, explained};
pub use lines::Lines;
#[cfg(test)]
pub(crate) use ndjson::Line;
pub use ndjson::{Ndjson, Recorded};
pub use proof::proof;
pub use screen::Screen;
pub use status::{metrics, status};
pub use stdout::Stdout;
pub use words::reason;

use crate::events::{Event, Sink};
use crate::failure::Failure;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

/// A report of a whole run. It receives the run's events and is written when the run ends.
pub trait Report: Sink + std::fmt::Debug {
    /// Checks that the report can be written, before the run begins. The error names what can't.
    fn open(&self) -> Result<(), String> {
        Ok(())
    }

    /// Takes what a run found that is no failure and not as it should be, such as planned changes.
    fn headline(&self, _: &str) {}

    /// Writes the report of `command`, which failed with `failure` or succeeded. The error names
    /// what could not be written.
    fn end(&self, command: &str, failure: Option<&Failure>, about: &About) -> Result<(), String>;
}

/// What was run, by whom and where: every report says it. What a run did not learn is absent.
#[derive(Debug, Clone, Default, Serialize)]
pub struct About {
    /// The command line.
    pub line: String,
    /// The version of crrctl.
    pub version: &'static str,
    /// The account of the caller.
    pub account: Option<String>,
    /// The ARN of the caller.
    pub caller: Option<String>,
    /// The endpoint, if one was given.
    pub endpoint: Option<String>,
}

impl About {
    /// Returns what is known, each with its name.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let known = [
            ("command", Some(&self.line).filter(|line| !line.is_empty())),
            ("account", self.account.as_ref()),
            ("caller", self.caller.as_ref()),
            ("endpoint", self.endpoint.as_ref()),
        ];
        let known = known.into_iter().filter_map(|(name, it)| Some((name, harmless::shown(it?))));
        known.chain([("version", format!("crrctl {}", self.version))]).collect()
    }
}

/// Checks that a file can be written, and makes it if there is none. What it holds stays.
fn writable(file: &Path) -> Result<(), String> {
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
    opened.map(drop).map_err(|error| format!("can't write {}: {error}", file.display()))
}

/// Forwards each event to several sinks.
pub struct Several(pub Vec<Arc<dyn Sink>>);

impl Sink for Several {
    fn take(&self, event: &Event) {
        for sink in &self.0 {
            sink.take(event);
        }
    }

    fn take_of(&self, pair: &str, event: &Event) {
        for sink in &self.0 {
            sink.take_of(pair, event);
        }
    }
}
