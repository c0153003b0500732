//! The IAM policy language: the policies that AWS accepts ([`grammar`]) and the requests that
//! policies allow ([`mod@evaluate`]).
//! Written from the public documentation: IAM User Guide, KMS Developer Guide, S3 User Guide. Each
//! rule names its section.
//! Not for: fetching or rendering policies, and not for access that no policy document grants (S3
//! ACLs, KMS grants, S3 Block Public Access); users of this crate must check those.
//!
//! The modules are in reading order. Each module uses only the modules below it.
#![doc = include_str!("../README.md")]

pub mod evaluate;
pub mod grammar;
mod condition;
mod pattern;
mod context;
mod principal;
pub mod document;
pub mod names;
#[cfg(test)]
mod seeded;

pub use condition::holds;
pub use context::Context;
pub use document::{Document, DocumentError, Effect, Finding};
pub use evaluate::{
    Decision, Layer, Named, Policies, Request, ResourceKind, ResourcePolicy, evaluate,
};
pub use grammar::{DocumentKind, check};
pub use principal::Principal;
