//! Recordings of runs: what was asked and what AWS answered, an exchange a line, with stand-ins in
//! place of all that names somebody or something. The members of requests and answers are read from
//! what went over the wire; a member that `members` does not list is replaced.
//! Not for: where the exchanges are seen (see `aws::recorder`), or comparing a recording with the
//! sandbox (see `cli::compare`).

mod dictionary;
pub mod encode;
mod file;
mod line;
pub mod members;
mod pieces;
pub mod rest;
mod stand_ins;
pub mod wire;
mod xml;

pub use file::Recorder;
pub use line::{Exchange, Header, Line, Names, SCHEMA, Said};
pub use members::{Kind, Service};
pub use pieces::hex_ids;
pub use stand_ins::{StandIns, shape};
pub use xml::{element, text_of};

use serde_json::{Map, Value};

/// Members by name, as the service's model calls them.
pub type Members = Map<String, Value>;
