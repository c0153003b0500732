//! What people and machines see of a run: each sink is a fold over the events, each table a view of plain data.
//! Not for: deciding anything, or knowing AWS.

mod canary;
mod chain;
mod checks;
mod codes;
pub mod fleet;
mod fold;
mod github;
mod html;
mod junit;
mod graph;
mod line;
mod lines;
mod ndjson;
mod proof;
mod screen;
mod status;
mod stdout;
pub(crate) mod style;
pub mod tables;

pub use canary::Canary;
pub use chain::{Chain, Ran, chain};
pub use checks::{cause, checks};
pub use codes::{codes, explanation};
pub use github::Github;
pub use graph::{Language, graph};
pub use html::Html;
pub use junit::Junit;
pub use line::{Volume, explained};
pub use lines::Lines;
pub use ndjson::Ndjson;
pub use proof::proof;
pub use screen::Screen;
pub use status::{metrics, status};
pub use stdout::Stdout;

use crate::events::{Event, Sink};
use crate::failure::Failure;
use std::sync::Arc;

/// A report of a whole run: takes its events, and is written when it has ended.
pub trait Report: Sink + std::fmt::Debug {
    /// Writes the report of `command`, which ended with `failure` or well; the error says what could not be written.
    fn end(&self, command: &str, failure: Option<&Failure>) -> Result<(), String>;
}

/// Gives each event to more than one sink.
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
