//! The actions of a plan in the format of the output contract.
//! Not for: the table of a plan (see `tables`).

use super::detail::{Detail, detail};
use super::words;
use crate::events::{Kind, StepId, Verb};
use crate::names::Region;
use crate::plan::{Action, Plan};
use serde::Serialize;

/// An entry of `changes` in `crrctl/plan/v1`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct Change<'a> {
    pub step: &'a StepId,
    pub kind: Kind,
    pub region: &'a Region,
    pub name: &'a str,
    pub action: Verb,
    pub reason: String,
    /// What is written, each part with the value that is found and the value that will be.
    pub detail: Vec<Detail>,
}

impl<'a> Change<'a> {
    fn of(action: &'a Action) -> Self {
        Self {
            step: &action.id,
            kind: action.kind(),
            region: &action.region,
            name: &action.name,
            action: action.verb(),
            reason: words::reason(&action.work),
            detail: detail(&action.work),
        }
    }
}

/// Returns every action of `plan`, including those with nothing to change.
pub fn changes(plan: &Plan) -> Vec<Change<'_>> {
    plan.actions.iter().map(Change::of).collect()
}

/// Returns the changes other than those of tags alone.
pub fn changes_beside_tags(plan: &Plan) -> Vec<Change<'_>> {
    let changes = plan.actions.iter().filter(|it| it.changes() && !it.work.is_only_tags());
    changes.map(Change::of).collect()
}
