//! Users, roles, policies, access keys and sessions of all accounts as plain data, and lookups for
//! the other services. Not for: decoding requests.

mod aws_managed;
mod entities;
mod store;

pub(crate) use aws_managed::aws_document;
pub(crate) use entities::{Entity, Managed, Role, User};
pub use store::SECRET;
pub(crate) use store::{AccessKey, Credential, Iam, Session, Who};
