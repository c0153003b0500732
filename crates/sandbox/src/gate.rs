//! The layer between a request and the state: the lock, signatures, authorization by policies, the
//! roles that services assume, and injected faults. Not for: what an operation does once it is
//! authorized.

mod inject;
mod headers;
mod signature;
mod keys;
mod bucket_policy;
mod grants;
mod publish;
mod target;
mod roles;
mod access;
mod shared;
mod turns;
pub(crate) mod faults;

pub(crate) use access::{AccessRequest, Denied, authorize, context_of};
pub(crate) use bucket_policy::is_public;
pub use faults::FaultSpec;
pub(crate) use faults::Faults;
pub(crate) use headers::{canonical_path, verify_headers};
pub(crate) use inject::inject;
pub(crate) use keys::{KeyRequest, ThroughS3};
pub(crate) use roles::{assume, may_pass};
pub(crate) use shared::{QueryService, Shared};
pub(crate) use signature::{Refusal, check_token, refused_in_query, verify};
pub(crate) use target::AccessTarget;
pub(crate) use turns::{Turn, Turns};
