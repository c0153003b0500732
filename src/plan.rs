//! Builds the plan: `(Topology, World) -> Plan`, the actions to take and the order between them.
//! Pure: `plan` prints the same value that `apply` runs.
//! Not for: running actions (see `engine` and `steps`), or the text for people (see `report`).

#![deny(clippy::wildcard_enum_match_arm)]

pub mod alarms;
mod build;
mod cost;
mod pending;
pub mod expiry;
pub mod fleet;
mod kept;
mod keys;
pub mod lifecycle;
pub mod alerts;
pub mod alert_target;
mod log_targets;
pub mod others;
mod proof;
mod removal;
pub mod rules;
mod statements;
#[cfg(test)]
pub(crate) mod tests;
pub mod work;

pub use build::{Wish, batch, build, build_as};
pub use cost::{Cost, cost, cost_of_many};
pub use kept::notice;
pub use keys::known_keys;
pub use pending::let_go;
pub use proof::prove;
pub use removal::{Kept, Removal, Why, batch_removal, removal};
pub use statements::StatementChange;
pub use work::Work;

use crate::events::{Kind, StepId, Verb};
use crate::names::{Arn, Region};

/// One planned change of one resource, or the decision to leave the resource as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Id of the action, unique in a plan.
    pub id: StepId,
    /// Region of the resource. For an IAM role, the Region whose credentials call IAM.
    pub region: Region,
    /// Name of the resource: a bucket, an alias, or a role.
    pub name: String,
    /// ARN of the resource, or of the parent of a subresource. `None` for a key that does not exist
    /// yet.
    pub arn: Option<Arn>,
    /// What is done.
    pub work: Work,
    /// Actions that must finish first.
    pub needs: Vec<StepId>,
}

impl Action {
    /// Returns an action whose id is made of the kind of its thing and `id`.
    fn new(
        work: Work,
        id: &str,
        region: &Region,
        name: &str,
        arn: Option<Arn>,
        needs: Vec<StepId>,
    ) -> Self {
        let id = StepId::new(work.kind(), id);
        Self { id, region: region.clone(), name: name.to_owned(), arn, work, needs }
    }

    /// Returns the kind of the resource.
    pub fn kind(&self) -> Kind {
        self.work.kind()
    }

    /// Returns the operation.
    pub fn verb(&self) -> Verb {
        self.work.verb()
    }

    /// Returns whether the action changes something on AWS.
    pub fn changes(&self) -> bool {
        self.verb().changes()
    }
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
        self.actions.iter().any(Action::changes)
    }

    /// Returns the number of actions with `verb`.
    pub fn count(&self, verb: Verb) -> usize {
        self.actions.iter().filter(|action| action.verb() == verb).count()
    }
}
