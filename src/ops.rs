//! What the tool does: plan, apply, probe, check, status, backfill, destroy. Each operation is a function of a
//! [`Session`] that returns a typed outcome. The command line calls these functions, and so can any other program.
//! Not for: arguments, questions and output (see `cli` and `report`).

mod activation;
mod apply;
mod ask;
mod backfill;
mod check;
mod destroy;
mod drawn;
mod export;
mod fleet;
mod input;
mod missing;
mod other_side;
mod plan;
mod probe;
mod session;
mod smoke;
mod status;
mod watch;

pub use apply::{Applied, Probing, apply, refused, uncovered};
pub use ask::{Question, add_said, add_unasked, question};
pub use backfill::{Backfill, JobEnd, backfill};
pub use check::{check, diagnosed};
pub use destroy::{Destroyed, Going, PlannedRemoval, Removed, destroy, job_under_way, removal};
pub use drawn::calls;
pub use export::standing;
pub use fleet::{Fleet, Swept, fleet, sweep};
pub use input::Input;
pub use missing::missing;
pub use other_side::{documents_handed_over, documents_of_others};
pub use plan::{Planned, plan, plan_at};
pub use probe::{Probed, probe, standing_keys};
pub use session::{AT_ONCE, RunContext, Session};
pub use smoke::take_away;
pub use status::{Status, status};
pub use watch::{Round, Watched, round, watched};
