//! Access control lists (ACLs) of buckets and objects (S3 User Guide, "Access control list (ACL)
//! overview"). Not for: reading ACLs from requests (see `s3::acl_requests`), or checking access by
//! them (see `gate::grants`).

use crrctl_iam::names::AccountId;
use s3s::dto::ObjectOwnership;
use sha2::{Digest, Sha256};

/// The owner of a bucket or object, and what the owner grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acl {
    pub(crate) owner: AccountId,
    pub(crate) grants: Vec<AclGrant>,
}

/// A permission that is granted to one grantee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AclGrant {
    pub(crate) grantee: AclGrantee,
    pub(crate) permission: AclPermission,
}

/// The grantee of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AclGrantee {
    /// An account, by its canonical user ID.
    Account(String),
    Group(AclGroup),
}

/// A predefined group of Amazon S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AclGroup {
    AllUsers,
    AuthenticatedUsers,
    LogDelivery,
}

/// A permission of an ACL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AclPermission {
    FullControl,
    Read,
    ReadAcp,
    Write,
    WriteAcp,
}

/// Returns the canonical user ID of an account: 64 hexadecimal digits.
pub(crate) fn canonical_id(account: &AccountId) -> String {
    hex::encode(Sha256::digest(account.as_str()))
}

impl AclGroup {
    const ALL: [Self; 3] = [Self::AllUsers, Self::AuthenticatedUsers, Self::LogDelivery];

    /// Returns the group with this URI.
    pub(crate) fn with_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.uri() == uri)
    }

    pub(crate) fn uri(self) -> &'static str {
        match self {
            Self::AllUsers => "http://acs.amazonaws.com/groups/global/AllUsers",
            Self::AuthenticatedUsers => "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
            Self::LogDelivery => "http://acs.amazonaws.com/groups/s3/LogDelivery",
        }
    }
}

impl AclPermission {
    const ALL: [Self; 5] =
        [Self::FullControl, Self::Read, Self::ReadAcp, Self::Write, Self::WriteAcp];

    /// Returns the permission with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FullControl => "FULL_CONTROL",
            Self::Read => "READ",
            Self::ReadAcp => "READ_ACP",
            Self::Write => "WRITE",
            Self::WriteAcp => "WRITE_ACP",
        }
    }
}

impl AclGrant {
    pub(crate) fn to_account(account: &AccountId, permission: AclPermission) -> Self {
        Self { grantee: AclGrantee::Account(canonical_id(account)), permission }
    }

    fn to_group(group: AclGroup, permission: AclPermission) -> Self {
        Self { grantee: AclGrantee::Group(group), permission }
    }

    /// Returns whether everybody, or everybody with an AWS account, has the permission (S3 User
    /// Guide, "The meaning of public").
    pub(crate) fn is_public(&self) -> bool {
        let public = [AclGroup::AllUsers, AclGroup::AuthenticatedUsers];
        matches!(self.grantee, AclGrantee::Group(group) if public.contains(&group))
    }

    /// Returns whether the grant gives a permission.
    pub(crate) fn gives(&self, permission: AclPermission) -> bool {
        self.permission == permission || self.permission == AclPermission::FullControl
    }
}

impl Acl {
    /// Creates the ACL that gives full control to the owner and nothing to anyone else.
    pub(crate) fn private(owner: AccountId) -> Self {
        let grants = vec![AclGrant::to_account(&owner, AclPermission::FullControl)];
        Self { owner, grants }
    }

    /// Creates the canned ACL with this name (S3 User Guide, "Canned ACL"); `None` for a name that
    /// has no grants of its own here.
    pub(crate) fn canned(name: &str, owner: &AccountId, bucket_owner: &AccountId) -> Option<Self> {
        use AclPermission::{FullControl, Read, ReadAcp, Write};
        let to_bucket_owner = |permission| {
            let other = owner != bucket_owner;
            other.then(|| AclGrant::to_account(bucket_owner, permission)).into_iter().collect()
        };
        let group = AclGrant::to_group;
        let more: Vec<AclGrant> = match name {
            "private" => Vec::new(),
            "public-read" => vec![group(AclGroup::AllUsers, Read)],
            "public-read-write" => {
                vec![group(AclGroup::AllUsers, Read), group(AclGroup::AllUsers, Write)]
            }
            "authenticated-read" => vec![group(AclGroup::AuthenticatedUsers, Read)],
            "log-delivery-write" => {
                vec![group(AclGroup::LogDelivery, ReadAcp), group(AclGroup::LogDelivery, Write)]
            }
            "bucket-owner-read" => to_bucket_owner(Read),
            "bucket-owner-full-control" => to_bucket_owner(FullControl),
            _ => return None,
        };
        let mut acl = Self::private(owner.clone());
        acl.grants.extend(more);
        Some(acl)
    }

    /// Returns whether the ACL gives access to everybody.
    pub(crate) fn is_public(&self) -> bool {
        self.grants.iter().any(AclGrant::is_public)
    }

    /// Returns whether the ACL gives full control to `account` and nothing to anyone else.
    pub(crate) fn is_full_control_of(&self, account: &AccountId) -> bool {
        let wanted = AclGrant::to_account(account, AclPermission::FullControl);
        self.grants.iter().all(|grant| *grant == wanted) && !self.grants.is_empty()
    }

    /// Returns whether the ACL grants anything to anyone but the owner.
    pub(crate) fn names_others(&self) -> bool {
        let own = AclGrantee::Account(canonical_id(&self.owner));
        self.grants.iter().any(|grant| grant.grantee != own)
    }
}

/// Returns whether the bucket owner owns every object, which disables ACLs. A bucket without
/// ownership controls behaves as with `ObjectWriter`.
pub(crate) fn disables_acls(ownership: Option<&ObjectOwnership>) -> bool {
    ownership.is_some_and(|own| own.as_str() == ObjectOwnership::BUCKET_OWNER_ENFORCED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canned_acls_give_what_they_say() {
        let (owner, other) = ("111122223333", "444455556666");
        let (owner, other) = (AccountId::new(owner).unwrap(), AccountId::new(other).unwrap());
        let of = |name: &str, bucket_owner| Acl::canned(name, &owner, bucket_owner).unwrap();
        assert!(of("public-read", &owner).is_public());
        assert!(of("authenticated-read", &owner).is_public());
        assert!(!of("log-delivery-write", &owner).is_public());
        assert!(of("bucket-owner-read", &other).names_others());
        assert!(of("bucket-owner-full-control", &owner).is_full_control_of(&owner));
        assert_eq!(of("public-read-write", &owner).grants.len(), 3);
        assert!(Acl::canned("unknown", &owner, &owner).is_none());
    }
}
