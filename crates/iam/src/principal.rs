//! The principal that makes a request, and the names in a policy that match it.
//! Sections: "AWS JSON policy elements: Principal" and "AWS JSON policy elements: `NotPrincipal`".
//! Not for: federated users (`GetFederationToken`) and canonical user ids. crrctl makes no call as
//! such a principal, and such names in a policy match no caller here.

use super::document::{PrincipalKind, Principals};
use crate::names::{AccountId, Arn, Partition};

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The root user of an account.
    Root {
        /// The account.
        account: AccountId,
        /// Its partition.
        partition: Partition,
    },
    /// An IAM user.
    User {
        /// The user's ARN with its path, such as `arn:aws:iam::111122223333:user/ops/ann`.
        arn: Arn,
        /// The unique id (`AIDA…`), where known.
        id: Option<String>,
    },
    /// A session of an assumed role.
    RoleSession {
        /// The role's ARN with its path, such as `arn:aws:iam::111122223333:role/crrctl/demo`.
        role: Arn,
        /// The session's name.
        session: String,
        /// The role's unique id (`AROA…`), where known.
        id: Option<String>,
    },
    /// An AWS service principal, such as `s3.amazonaws.com`.
    Service(String),
    /// An anonymous caller: an unsigned request.
    Anonymous,
}

/// How closely a policy names the caller, in ascending order. Section: "Policy evaluation logic",
/// "Resource-based policies". It decides which other policies still limit the permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// The caller's account: the permission is delegated to that account's own policies.
    Account,
    /// The caller's role: its permissions boundary and session policies limit the permission.
    Role,
    /// The user, the session, the service, the root user, or everyone.
    Direct,
}

impl Principal {
    /// Returns the caller's account; `None` for services and anonymous requests.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Root { account, .. } => Some(account.as_str()),
            Self::User { arn, .. } | Self::RoleSession { role: arn, .. } => Some(arn.account()),
            Self::Service(_) | Self::Anonymous => None,
        }
    }

    /// Returns the ARN that `sts:GetCallerIdentity` returns: for a session the session's ARN, not
    /// its role's.
    pub fn arn(&self) -> Option<String> {
        match self {
            Self::RoleSession { role, session, .. } => Some(format!(
                "arn:{}:sts::{}:assumed-role/{}/{session}",
                role.partition(),
                role.account(),
                last_segment(role)
            )),
            _ => self.policy_arn(),
        }
    }

    /// Returns the value of `aws:PrincipalArn`: for a session the ARN of its role.
    pub fn policy_arn(&self) -> Option<String> {
        match self {
            Self::Root { account, partition } => {
                Some(format!("arn:{partition}:iam::{account}:root"))
            }
            Self::User { arn, .. } | Self::RoleSession { role: arn, .. } => Some(arn.to_string()),
            Self::Service(_) | Self::Anonymous => None,
        }
    }

    /// Returns the value of `aws:PrincipalType` ("Principal key values"); `None` for services.
    pub(super) fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Root { .. } => Some("Account"),
            Self::User { .. } => Some("User"),
            Self::RoleSession { .. } => Some("AssumedRole"),
            Self::Anonymous => Some("Anonymous"),
            Self::Service(_) => None,
        }
    }

    /// Returns the value of `aws:userid`, if the unique id is known ("Principal key values").
    pub(super) fn user_id(&self) -> Option<String> {
        match self {
            Self::Root { account, .. } => Some(account.to_string()),
            Self::User { id, .. } => id.clone(),
            Self::RoleSession { id, session, .. } => {
                id.as_ref().map(|role| format!("{role}:{session}"))
            }
            Self::Service(_) | Self::Anonymous => None,
        }
    }

    /// Returns whether the caller is a session of a service-linked role. SCPs and RCPs do not apply
    /// to service-linked roles.
    /// Sections: AWS Organizations User Guide, "Service control policies" and "Resource control
    /// policies".
    pub(super) fn is_service_linked(&self) -> bool {
        let Self::RoleSession { role, .. } = self else { return false };
        role.resource().starts_with("role/aws-service-role/")
    }

    /// Returns how closely `principals` name this caller; `None` if they do not name it.
    pub(super) fn named_by(&self, principals: &Principals) -> Option<Link> {
        match principals {
            Principals::Everyone => Some(Link::Direct),
            Principals::Listed(listed) => listed
                .iter()
                .flat_map(|(kind, names)| names.iter().map(|name| (*kind, name.as_str())))
                .filter_map(|(kind, name)| self.link(kind, name))
                .max(),
        }
    }

    /// Returns whether a `Deny` with `NotPrincipal` does not apply to this caller.
    ///
    /// Section: "`NotPrincipal` with Deny": AWS may check the account first, then the role, then
    /// the session, so all of them must be listed. A caller with a permissions boundary is denied
    /// whatever is listed ("Permissions boundaries for IAM entities").
    pub(super) fn spared_by(&self, principals: &Principals, has_boundary: bool) -> bool {
        let Principals::Listed(listed) = principals else { return true };
        if has_boundary && matches!(self, Self::User { .. } | Self::RoleSession { .. }) {
            return false;
        }
        let names =
            || listed.iter().flat_map(|(kind, names)| names.iter().map(move |n| (*kind, n)));
        let has = |link| names().any(|(kind, name)| self.link(kind, name) == Some(link));
        let everyone = names().any(|(kind, name)| kind == PrincipalKind::Aws && name == "*");
        match self {
            Self::Root { .. } | Self::Service(_) => has(Link::Direct),
            Self::User { .. } => everyone || (has(Link::Account) && has(Link::Direct)),
            Self::RoleSession { .. } => {
                everyone || (has(Link::Account) && has(Link::Role) && has(Link::Direct))
            }
            Self::Anonymous => everyone,
        }
    }

    /// Returns how closely one name matches this caller. Names are compared literally: wildcards in
    /// them have no effect.
    fn link(&self, kind: PrincipalKind, name: &str) -> Option<Link> {
        match (kind, self) {
            (PrincipalKind::Service, Self::Service(own)) => (own == name).then_some(Link::Direct),
            (PrincipalKind::Aws, Self::Service(_)) => None,
            (PrincipalKind::Aws, _) if name == "*" => Some(Link::Direct),
            (PrincipalKind::Aws, Self::Root { account, partition }) => {
                names_account(name, account.as_str(), partition.as_str()).then_some(Link::Direct)
            }
            (PrincipalKind::Aws, Self::User { arn, id }) => {
                Self::entity_link(name, arn, id.as_deref(), Link::Direct)
            }
            (PrincipalKind::Aws, Self::RoleSession { role, id, .. }) => {
                let session = (self.arn().as_deref() == Some(name)).then_some(Link::Direct);
                session.or_else(|| Self::entity_link(name, role, id.as_deref(), Link::Role))
            }
            _ => None,
        }
    }

    fn entity_link(name: &str, arn: &Arn, id: Option<&str>, link: Link) -> Option<Link> {
        if name == arn.as_str() || Some(name) == id {
            return Some(link);
        }
        names_account(name, arn.account(), arn.partition()).then_some(Link::Account)
    }
}

/// Returns whether `name` is the account: its id, or the ARN of its root user. Section: "AWS
/// account principals".
fn names_account(name: &str, account: &str, partition: &str) -> bool {
    name == account || name == format!("arn:{partition}:iam::{account}:root")
}

/// Returns a user's or role's name without its path.
pub(super) fn last_segment(arn: &Arn) -> &str {
    arn.resource().rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
