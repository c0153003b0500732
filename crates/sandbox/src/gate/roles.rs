//! An AWS service that acts as a role which somebody passed to it: S3 replication, S3 Batch Operations.
//! Not for: what it does then (see `replication` and `s3control`).

use crate::gate::AccessRequest;
use crate::gate::authorize;
use crate::world::Caller;
use crate::world::State;

use crrctl_iam::names::{AccountId, Region};
use crrctl_iam::{Principal, ResourceKind};

/// Has a service assume a role of `account`, in whose name it acts; `None` where there is no such role, it can't be used yet, or its
/// trust does not let the service in. No source says that S3 sends `aws:SourceArn` or `aws:SourceAccount` here, so a trust policy that
/// wants them does not.
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
    if role.arn.account() != account.as_str() || authorize(&state.iam, &service, request).is_err() {
        return None;
    }
    let principal = Principal::RoleSession {
        role: role.arn.clone(),
        session: session.to_owned(),
        id: Some(role.id.clone()),
    };
    Some(Caller { principal, ..service })
}
