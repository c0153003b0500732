//! Everything the sandbox remembers, as plain data with the rules that hold of it whatever the request. Time passes here, keys and versions
//! are found here. Not for: requests and answers (see `wire`), and not for who may do what (see `gate`).

pub(crate) mod state;
pub(crate) mod replication;
pub(crate) mod jobs;
pub(crate) mod buckets;
pub(crate) mod kms;
pub(crate) mod quotas;
pub(crate) mod caller;
pub(crate) mod iam;
pub(crate) mod documents;
pub(crate) mod random;
pub(crate) mod lag;
pub(crate) mod limits;
pub(crate) mod calls;
pub(crate) mod clock;

pub(crate) use caller::Caller;
pub(crate) use calls::Calls;
pub(crate) use clock::Clock;
pub(crate) use documents::{Flaw, Stored};
pub use lag::Lag;
pub(crate) use lag::{Delays, Slow, Spreading};
pub use limits::{Limits, Patience};
pub(crate) use quotas::Quotas;
pub(crate) use state::{Settings, State};
