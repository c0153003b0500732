//! Replication behind everybody's back: decides at the time of writing what goes where, then does it in the background.
//! It lists what S3 does by its own lights and must never share a list with what is tested against it.
//! Not for: checking configurations (see `s3::rules`).
//!
//! `changes` is what happens after an upload, `targets` says where a version goes, `role` what the role is asked for, `replica` what is made of it.

mod changes;
mod location;
mod on_demand;
mod replica;
mod role;
mod worker;

pub(crate) use location::Reason;
pub(crate) use on_demand::{is_eligible, replicate_on_demand};

pub(crate) use worker::work;
