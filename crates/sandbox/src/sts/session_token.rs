//! `GetSessionToken`: temporary credentials of a user or of the root user.
//! Not for: what these credentials can't call (see `iam` and this operation itself), and MFA, which
//! is modelled for `AssumeRole` alone.

use super::{begin, denied};
use crate::wire::query::in_bounds;
use crate::wire::{Fault, Params};
use crate::world::iam::{Temporary, Who};
use crate::world::{Caller, State};
use crrctl_iam::Principal;
use std::sync::Arc;

/// The default duration of a user's session, in seconds: twelve hours.
const USER: u32 = 43_200;
/// The default and longest duration of the root user's session: one hour.
const ROOT: u32 = 3600;

/// STS API Reference, `GetSessionToken`: no permission is required, and the credentials have the
/// permissions of the user.
pub(super) fn get(state: &mut State, caller: &Caller, params: &Params) -> Result<String, Fault> {
    for unmodelled in ["SerialNumber", "TokenCode"] {
        if params.get(unmodelled).is_some() {
            return Err(Fault::not_implemented(unmodelled));
        }
    }
    if caller.temporary.is_some() {
        return Err(denied("Cannot call GetSessionToken with session credentials"));
    }
    let given = params.get("DurationSeconds");
    let given = given.map(|text| in_bounds(text, "durationSeconds", (900, 129_600))).transpose()?;
    let temporary = Some(Arc::new(Temporary::plain(state.now())));
    let account = caller.account.clone();
    let (who, seconds) = match &caller.principal {
        Principal::User { arn, id: Some(id) } => {
            let (arn, id) = (arn.clone(), id.clone());
            (Who::User { account, arn, id, temporary }, given.unwrap_or(USER))
        }
        _ => (Who::Root { account, temporary }, given.unwrap_or(ROOT).min(ROOT)),
    };
    Ok(begin(state, who, seconds))
}
