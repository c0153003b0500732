//! Service roles: S3 replication and S3 Batch Operations assume a role that a caller passed to the
//! service.
//! Not for: what the service does with the role (see `replication` and `s3control`).

use crate::gate::{AccessRequest, Denied, authorize};
use crate::world::{Caller, State};
use crrctl_iam::names::{AccountId, Region};
use crrctl_iam::{Context, Principal, ResourceKind};

/// Checks that the caller may pass a role of `owner` to a service, which requires `iam:PassRole`
/// (IAM User Guide, "Grant a user permissions to pass a role").
pub(crate) fn may_pass(
    state: &State,
    caller: &Caller,
    (role, owner): (&str, &AccountId),
    service: &str,
) -> Result<(), Denied> {
    let request = AccessRequest::plain("iam:PassRole", role, owner);
    let context = || Context::new().with("iam:PassedToService", service);
    authorize(&state.iam, caller, request, context)
}

/// Assumes a role of `account` for a service, and returns the session as the caller. Returns `None`
/// if the role does not exist, if it can't be used yet, or if its trust policy does not allow the
/// service. No source says that S3 sends `aws:SourceArn` or `aws:SourceAccount` here, so a trust
/// policy that requires these keys does not allow the service.
pub(crate) fn assume(
    state: &State,
    arn: &str,
    (service, session): (&str, &str),
    account: &AccountId,
    region: &Region,
) -> Option<Caller> {
    let role = state.iam.role(arn).filter(|role| role.usable <= state.now())?;
    let service = Caller {
        principal: Principal::Service(service.to_owned()),
        ..Caller::root(account.clone(), region.clone())
    };
    let request = AccessRequest {
        on: Some((ResourceKind::Trust, &role.trust.document)),
        ..AccessRequest::plain("sts:AssumeRole", arn, account)
    };
    if role.arn.account() != account.as_str() {
        return None;
    }
    authorize(&state.iam, &service, request, Context::new).ok()?;
    let principal = Principal::RoleSession {
        role: role.arn.clone(),
        session: session.to_owned(),
        id: Some(role.id.clone()),
    };
    Some(Caller { principal, ..service })
}
