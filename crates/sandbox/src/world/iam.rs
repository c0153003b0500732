//! Users, roles, policies, access keys and sessions of all accounts as plain data, and lookups for
//! the other services. Not for: decoding requests.

mod aws_managed;
mod entities;
mod linked_roles;
mod linked_services;
mod store;

pub(crate) use aws_managed::{AwsManaged, aws_document, aws_managed};
pub(crate) use entities::{
    Entity, LINKED_PATH, Managed, PolicyVersion, Role, ServiceCredential, User,
};
pub(crate) use linked_roles::{KMS_SERVICE, LinkedRoleDeletion, linked_role};
pub(crate) use linked_services::{LinkedService, linked_service};
pub use store::SECRET;
pub(crate) use store::{AccessKey, Credential, Iam, Organization, Session, Source, Temporary, Who};
