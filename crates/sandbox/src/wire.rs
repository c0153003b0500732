//! The parts of the protocols that the services share: responses, errors, the Query protocol,
//! pagination, and the request log. Not for: the operations themselves.

pub(crate) mod answer;
mod fault;
mod journal;
pub(crate) mod paging;
pub(crate) mod query;

pub(crate) use answer::Answer;
pub(crate) use fault::{Fault, XmlOutput};
pub(crate) use journal::{Code, FaultKind, Journal, Note};
pub(crate) use query::Params;
