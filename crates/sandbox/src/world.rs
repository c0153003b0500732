//! The state of the sandbox as plain data, with the rules that hold for every request: due changes
//! take effect here, and keys and versions are looked up here. Not for: requests and responses (see
//! `wire`), or permissions (see `gate`).

pub(crate) mod state;
pub(crate) mod alarms;
pub(crate) mod replication;
pub(crate) mod jobs;
pub(crate) mod buckets;
pub(crate) mod kms;
pub(crate) mod messaging;
pub(crate) mod quotas;
pub(crate) mod quirks;
pub(crate) mod resource_quotas;
pub(crate) mod trail;
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
pub use quirks::{Quirk, QuirkSpec};
pub(crate) use quirks::{Quirks, Recent};
pub(crate) use quotas::Quotas;
pub use resource_quotas::ResourceQuotas;
pub(crate) use state::{Settings, State};
pub(crate) use trail::{Trail, TrailEvent};
