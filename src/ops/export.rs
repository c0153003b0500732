//! What stands of a pair, as a whole, for a handover to another tool.
//! Not for: the text of the other tool (see `crate::export`).

use super::{Planned, Session, plan_at};
use crate::events::Verb;
use crate::failure::{Failure, Kind};
use crate::observe::{self, Depth};

/// Reads every resource of the pair with all settings, its batch role and its bucket of reports included. The plan says
/// in what the pair differs from its manifest.
///
/// # Errors
///
/// A resource of the pair is missing, since only existing resources can be handed over; a read fails; or the run is to
/// end.
pub async fn standing(session: &Session) -> Result<Planned, Failure> {
    let mut planned = plan_at(session, Depth::Settings).await?;
    let missing = planned.plan.count(Verb::Create) + planned.plan.count(Verb::Adopt);
    if missing > 0 {
        let message = format!(
            "{missing} resources of the pair are missing: only what stands can be exported"
        );
        return Err(
            Failure::new(Kind::InTheWay, "not-applied", message).hint("`crrctl apply` first")
        );
    }
    let batch = observe::batch(&session.aws, &planned.topology, true);
    planned.world.batch = session.unless_ending(Box::pin(batch)).await?;
    Ok(planned)
}
