//! The end of a smoke test: removes all of a pair that this run made, although not all of it may show yet.
//! Not for: building the pair (see `apply`).

use super::{Destroyed, PlannedRemoval, Session, destroy, removal};
use crate::aws::settle::pause;
use crate::events::{Kind, StepId};
use crate::failure::{self, Failure};
use crate::names::Arn;
use crate::plan::Removal;
use std::time::{Duration, Instant};

/// How long the tags of a new resource may take to show, and the interval between reads. Bucket
/// configurations are eventually consistent (S3 User Guide, "Amazon S3 data consistency model"). No
/// other run has resources with such names.
const SPREADS: Duration = Duration::from_mins(2);
const LOOKS: Duration = Duration::from_secs(2);

/// Removes every resource of the pair that reads show. Reads again until the plan includes the keys
/// that this run created (`made`), or `SPREADS` is over.
///
/// # Errors
///
/// The pair can't be read, or something is in the way. A resource that stays is in the result.
pub async fn take_away(session: &Session, made: &[Arn]) -> Result<Destroyed, Failure> {
    let wish = Removal { purge_keys: true, ..Removal::default() };
    let began = Instant::now();
    let progress = session.events.step(&StepId::new(Kind::Key, session.aws.home().as_str()));
    let mut is_told = false;
    loop {
        let planned = removal(session, wish, None).await;
        if is_whole(&planned, made) || began.elapsed() > SPREADS || session.stop.is_ending() {
            return Ok(destroy(session, planned?).await);
        }
        if !is_told {
            progress.note(
                "some new resources do not show their tags yet: they are read again until they do",
            );
            is_told = true;
        }
        pause(&session.stop, LOOKS).await;
    }
}

/// Returns whether a removal takes all: reading again would change nothing.
fn is_whole(planned: &Result<PlannedRemoval, Failure>, made: &[Arn]) -> bool {
    match planned {
        Ok(PlannedRemoval { plan, kept, .. }) => {
            let goes = |key: &Arn| plan.actions.iter().any(|it| it.arn.as_ref() == Some(key));
            kept.is_empty() && made.iter().all(goes)
        }
        Err(failure) => failure.kind != failure::Kind::InTheWay,
    }
}
