//! The caller: an authenticated principal, or an anonymous one.
//! Not for: authenticating it (see `gate::signature`).

use crate::world::iam::{Temporary, Who};
use crrctl_iam::names::{AccountId, Partition, Region};
use crrctl_iam::{Document, Principal};
use std::sync::Arc;

/// A caller, and the Region that the request was signed for.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The account of the principal; [`AccountId::nobody`] for an anonymous one.
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) principal: Principal,
    /// The session policy.
    pub(crate) session: Option<Arc<Document>>,
    /// What the credentials carry if they are temporary.
    pub(crate) temporary: Option<Arc<Temporary>>,
    /// Whether the request counts as sent over TLS.
    pub(crate) secure: bool,
}

impl Caller {
    /// Creates the root user of an account. It is also used for lookups within an account.
    pub(crate) fn root(account: AccountId, region: Region) -> Self {
        let partition = region.partition();
        let principal = Principal::Root { account: account.clone(), partition };
        Self { account, region, principal, session: None, temporary: None, secure: true }
    }

    /// Creates the caller that a credential belongs to.
    pub(crate) fn new(who: Who, region: Region, secure: bool) -> Self {
        match who {
            Who::Anonymous => Self {
                principal: Principal::Anonymous,
                secure,
                ..Self::root(AccountId::nobody(), region)
            },
            Who::Root { account, temporary } => {
                Self { temporary, secure, ..Self::root(account, region) }
            }
            Who::User { account, arn, id, temporary } => {
                let principal = Principal::User { arn, id: Some(id) };
                Self { account, region, principal, session: None, temporary, secure }
            }
            Who::Session { account, role, name, id, policy, temporary } => {
                let principal = Principal::RoleSession { role, session: name, id: Some(id) };
                let temporary = Some(temporary);
                Self { account, region, principal, session: policy, temporary, secure }
            }
        }
    }

    /// Returns the partition of the Region that the request was signed for.
    pub(crate) fn partition(&self) -> Partition {
        self.region.partition()
    }

    /// Returns whether the credentials are temporary credentials of a user or of the root user, as
    /// `sts:GetSessionToken` returns them.
    pub(crate) fn is_session_of_user(&self) -> bool {
        let user = matches!(self.principal, Principal::User { .. } | Principal::Root { .. });
        user && self.temporary.is_some()
    }

    /// Returns the ARN of the caller, as `sts:GetCallerIdentity` returns it.
    pub(crate) fn arn(&self) -> String {
        self.principal.arn().unwrap_or_default()
    }
}
