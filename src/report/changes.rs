//! The actions of a plan in the format of the output contract.
//! Not for: the table of a plan (see `tables`).

use super::detail::{Detail, detail};
use super::words;
use crate::events::{Kind, StepId, Verb};
use crate::names::Region;
use crate::plan::{Action, Plan};
use serde::Serialize;

/// What is planned for one resource
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "change"))]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct Change {
    pub step: StepId,
    pub kind: Kind,
    #[cfg_attr(test, schemars(with = "String"))]
    pub region: Region,
    pub name: String,
    pub action: Verb,
    pub reason: String,
    /// What is written; empty where nothing is, and where a thing is removed
    pub detail: Vec<Detail>,
}

impl Change {
    fn of(action: &Action) -> Self {
        Self {
            step: action.id.clone(),
            kind: action.kind(),
            region: action.region.clone(),
            name: action.name.clone(),
            action: action.verb(),
            reason: words::reason(&action.work),
            detail: detail(&action.work),
        }
    }
}

/// Returns every action of `plan`, including those with nothing to change.
pub fn changes(plan: &Plan) -> Vec<Change> {
    plan.actions.iter().map(Change::of).collect()
}

/// Returns the changes other than those of tags alone.
pub fn changes_beside_tags(plan: &Plan) -> Vec<Change> {
    let changes = plan.actions.iter().filter(|it| it.changes() && !it.work.is_only_tags());
    changes.map(Change::of).collect()
}
