//! What goes over the wire, whatever the service: answers, errors, the Query protocol, pages of lists, and the log of requests.
//! Not for: what a request does.

pub(crate) mod answer;
mod fault;
mod journal;
pub(crate) mod paging;
pub(crate) mod query;

pub(crate) use answer::Answer;
pub(crate) use fault::Fault;
pub(crate) use journal::{Code, FaultKind, Journal, Note};
pub(crate) use query::Params;
