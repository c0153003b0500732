//! Exports the live pair as a Terraform configuration or CloudFormation templates:
//! `(Topology, World) -> text`. Pure.
//! Not for: the wanted state (see `plan`): an export describes the live state, so that the other
//! tool finds nothing to change.

mod cloudformation;
mod pair;
mod terraform;

pub use cloudformation::cloudformation;
pub use terraform::terraform;

use crate::failure::{Failure, Kind};
use crate::world::Rule;

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The file's name, such as `orders.tf`.
    pub name: String,
    /// The file's content.
    pub text: String,
}

/// Refuses a rule with settings that crrctl can't export: an export without them would remove them.
fn known(rule: &Rule) -> Result<(), Failure> {
    let old = rule.is_v1.then_some("a filter of the old schema");
    let beyond: Vec<&str> = rule.others.iter().map(String::as_str).chain(old).collect();
    if beyond.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the rule `{}` has settings that can't be exported: {}",
        rule.id,
        beyond.join(", ")
    );
    Err(Failure::new(Kind::InTheWay, "rule-not-exportable", message))
}
