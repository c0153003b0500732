//! `(Topology, World) -> Plan`: what is to be done and what each action needs first. Pure: the plan that is printed is the one
//! that is run.
//! Not for: doing it (see `engine` and `steps`).

mod build;
mod cost;
mod pending;
pub mod expiry;
pub mod fleet;
mod keys;
pub mod lifecycle;
pub mod others;
mod proof;
mod removal;
pub mod rules;
#[cfg(test)]
mod tests;

pub use build::{FRESH, PRUNED, SHARED, Wish, batch, build, build_as};
pub use cost::{Cost, cost};
pub use keys::known_keys;
pub use pending::let_go;
pub use proof::prove;
pub use removal::{EMPTY, GOES_ALONG, Kept, Removal, STAYS, Why, removal};

use crate::events::{Kind, StepId, Verb};
use crate::names::{Arn, Region};
use serde::Serialize;

/// Says of an action about rules that they are proven before they meet what others write.
pub const PROVEN_FIRST: &str = "proven first";

/// One thing to do, or to leave as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Names the action; unique in a plan.
    pub id: StepId,
    /// The kind of its resource.
    pub kind: Kind,
    /// The Region of its resource; for IAM the source's.
    pub region: Region,
    /// The resource's name: a bucket, an alias, a role.
    pub name: String,
    /// The resource's ARN, a sub-resource's parent's; `None` for a key that does not exist yet.
    pub arn: Option<Arn>,
    /// What is done.
    pub verb: Verb,
    /// Why, for people.
    pub reason: String,
    /// For an update: what differs.
    pub fields: Vec<&'static str>,
    /// What must be done before.
    pub needs: Vec<StepId>,
}

/// All actions, in an order in which each comes after what it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The actions, those with nothing to do included.
    pub actions: Vec<Action>,
    /// Whether the rules are proven before they meet what others write.
    pub proven_first: bool,
    /// What is allowed and dangerous.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Returns whether any action changes something on AWS.
    pub fn has_changes(&self) -> bool {
        self.actions.iter().any(|action| action.verb.changes())
    }

    /// Returns how many actions have `verb`.
    pub fn count(&self, verb: Verb) -> usize {
        self.actions.iter().filter(|action| action.verb == verb).count()
    }

    /// Returns the plan as the contract shows it.
    pub fn changes(&self) -> Vec<Change<'_>> {
        self.actions.iter().map(Change::of).collect()
    }

    /// Returns what would change beside tags and the taking on of what exists, which is recorded by tags alone.
    pub fn changes_beside_tags(&self) -> Vec<Change<'_>> {
        let is_tags = |action: &Action| {
            action.kind == Kind::BucketTags
                || (action.kind == Kind::Bucket && action.verb == Verb::Adopt)
                || (action.verb == Verb::Update && action.fields == ["tags"])
        };
        let changes = self.actions.iter().filter(|it| it.verb.changes() && !is_tags(it));
        changes.map(Change::of).collect()
    }
}

/// A line of `changes` in `crrctl/plan/v1`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the contract names the fields")]
pub struct Change<'a> {
    pub step: &'a StepId,
    pub kind: Kind,
    pub region: &'a Region,
    pub name: &'a str,
    pub action: Verb,
    pub reason: &'a str,
}

impl<'a> Change<'a> {
    fn of(action: &'a Action) -> Self {
        Self {
            step: &action.id,
            kind: action.kind,
            region: &action.region,
            name: &action.name,
            action: action.verb,
            reason: &action.reason,
        }
    }
}
