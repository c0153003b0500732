//! Builds the plan: `(Topology, World) -> Plan`, the actions to take and the order between them.
//! Pure: `plan` prints the same value that `apply` runs.
//! Not for: running actions (see `engine` and `steps`).

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

/// Marks a replication action whose rules are proven on probes before they apply to other objects.
pub const PROVEN_FIRST: &str = "proven first";

/// One planned change of one resource, or the decision to leave the resource as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Id of the action, unique in a plan.
    pub id: StepId,
    /// Kind of the resource.
    pub kind: Kind,
    /// Region of the resource. For an IAM role, the Region whose credentials call IAM.
    pub region: Region,
    /// Name of the resource: a bucket, an alias, or a role.
    pub name: String,
    /// ARN of the resource, or of the parent of a subresource. `None` for a key that does not exist
    /// yet.
    pub arn: Option<Arn>,
    /// The operation.
    pub verb: Verb,
    /// Reason for the operation, in plain language.
    pub reason: String,
    /// Settings that an update changes, and markers such as [`PROVEN_FIRST`].
    pub fields: Vec<&'static str>,
    /// Actions that must finish first.
    pub needs: Vec<StepId>,
}

/// All actions, sorted so that each action follows the actions it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The actions, including those with nothing to change.
    pub actions: Vec<Action>,
    /// Whether the rules are proven on probes before they apply to other objects.
    pub proven_first: bool,
    /// Warnings about settings that are valid but dangerous.
    pub warnings: Vec<String>,
}

impl Plan {
    /// Returns whether any action changes something on AWS.
    pub fn has_changes(&self) -> bool {
        self.actions.iter().any(|action| action.verb.changes())
    }

    /// Returns the number of actions with `verb`.
    pub fn count(&self, verb: Verb) -> usize {
        self.actions.iter().filter(|action| action.verb == verb).count()
    }

    /// Returns the plan in the format of the output contract.
    pub fn changes(&self) -> Vec<Change<'_>> {
        self.actions.iter().map(Change::of).collect()
    }

    /// Returns the changes other than tag changes and bucket adoptions. An adoption is itself
    /// recorded only in tags.
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

/// An entry of `changes` in `crrctl/plan/v1`.
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
