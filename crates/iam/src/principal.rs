//! Who makes a request, and which names in a policy mean that principal.
//! Sections: "AWS JSON policy elements: Principal" and "AWS JSON policy elements: `NotPrincipal`".
//! Not for: federated users (`GetFederationToken`) and canonical user ids: no call of this program is made by them, and
//! such names in a policy match nobody here.

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
    /// An AWS service in its own name, such as `s3.amazonaws.com`.
    Service(String),
    /// Nobody in particular: an unsigned request.
    Anonymous,
}

/// How closely a policy names the caller. Section: "Policy evaluation logic", "Resource-based policies": it decides which
/// other policies still limit the permission. In rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// The caller's account: the permission is delegated to that account's own policies.
    Account,
    /// The caller's role: limited by its boundary and session policies.
    Role,
    /// The user, the session, the service, the root user itself, or everyone.
    Direct,
}

impl Principal {
    /// Returns the account the caller belongs to; none for services and anonymous requests.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Root { account, .. } => Some(account.as_str()),
            Self::User { arn, .. } | Self::RoleSession { role: arn, .. } => Some(arn.account()),
            Self::Service(_) | Self::Anonymous => None,
        }
    }

    /// Returns the ARN that `sts:GetCallerIdentity` would show: a session's own, not its role's.
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

    /// Returns the value of `aws:PrincipalType` ("Principal key values"); services have none.
    pub(super) fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Root { .. } => Some("Account"),
            Self::User { .. } => Some("User"),
            Self::RoleSession { .. } => Some("AssumedRole"),
            Self::Anonymous => Some("Anonymous"),
            Self::Service(_) => None,
        }
    }

    /// Returns the value of `aws:userid`, where the unique ids are known ("Principal key values").
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

    /// Returns whether the caller is a session of a service-linked role, which SCPs and RCPs leave alone.
    /// Sections: AWS Organizations User Guide, "Service control policies" and "Resource control policies".
    pub(super) fn is_service_linked(&self) -> bool {
        let Self::RoleSession { role, .. } = self else { return false };
        role.resource().starts_with("role/aws-service-role/")
    }

    /// Returns how closely `principals` name this caller, if they do.
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

    /// Returns whether `NotPrincipal` with `Deny` spares this caller.
    ///
    /// Section: "`NotPrincipal` with Deny": AWS may check the account first, then the role, then the session, so each of them
    /// has to be listed; and who has a permissions boundary is denied whatever is listed ("Permissions boundaries for IAM entities").
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

    /// Returns how closely one name means this caller. Names are compared as they are: wildcards in them mean nothing.
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

/// Returns whether `name` is the account: bare, or as the ARN of its root. Section: "AWS account principals".
fn names_account(name: &str, account: &str, partition: &str) -> bool {
    name == account || name == format!("arn:{partition}:iam::{account}:root")
}

/// Returns a user's or role's name without its path.
pub(super) fn last_segment(arn: &Arn) -> &str {
    arn.resource().rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
