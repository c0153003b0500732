//! AWS's quotas of resources: how many an account may have. A request beyond one fails with AWS's
//! error.
//! Not for: request quotas (see `quotas`), or the sandbox's own memory limits (see `limits`).

use super::State;
use crate::world::Caller;
use crrctl_iam::names::KeyId;

/// The maximum number of resources. The defaults are AWS's; most can be raised with Service Quotas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceQuotas {
    /// General purpose buckets in an account. Default 10,000 (S3 User Guide, "General purpose
    /// bucket quotas, restrictions, and limitations").
    pub buckets: usize,
    /// Customer managed keys in an account and Region, whatever their state. Default 100,000 (KMS
    /// Developer Guide, "Resource quotas").
    pub keys: usize,
    /// Aliases of a key. Default 50 (the same page).
    pub aliases_of_key: usize,
    /// Grants of a key. Default 50,000 (the same page).
    pub grants_of_key: usize,
    /// Roles in an account. Default 1,000 (IAM User Guide, "IAM and AWS STS quotas").
    pub roles: usize,
    /// Users in an account. Default 5,000 (the same page).
    pub users: usize,
    /// Customer managed policies in an account. Default 1,500 (the same page).
    pub policies: usize,
}

impl Default for ResourceQuotas {
    fn default() -> Self {
        Self {
            buckets: 10_000,
            keys: 100_000,
            aliases_of_key: 50,
            grants_of_key: 50_000,
            roles: 1_000,
            users: 5_000,
            policies: 1_500,
        }
    }
}

/// A quota, and its value, that one more resource would exceed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exceeded {
    pub(crate) quota: usize,
}

fn one_more(count: usize, quota: usize) -> Result<(), Exceeded> {
    if count < quota { Ok(()) } else { Err(Exceeded { quota }) }
}

impl State {
    /// Checks that the caller's account may have one more bucket.
    pub(crate) fn one_more_bucket(&self, caller: &Caller) -> Result<(), Exceeded> {
        let own = self.buckets.0.values().filter(|bucket| bucket.owner == caller.account);
        one_more(own.count(), self.resource_quotas.buckets)
    }

    /// Checks that the account and Region of `at` may have one more customer managed key.
    pub(crate) fn one_more_key(&self, at: &Caller) -> Result<(), Exceeded> {
        let is_here =
            |((account, region), _): &(_, KeyId)| (account, region) == (&at.account, &at.region);
        let keys = self.kms.keys.iter().filter(|(place, key)| is_here(place) && !key.aws_managed);
        one_more(keys.count(), self.resource_quotas.keys)
    }

    /// Checks that a key of the caller may have one more alias.
    pub(crate) fn one_more_alias(&self, caller: &Caller, key: &KeyId) -> Result<(), Exceeded> {
        let is_its = |((account, region), target): (&(_, _), &KeyId)| {
            (account, region, target) == (&caller.account, &caller.region, key)
        };
        let aliases = self.kms.aliases.iter();
        let aliases = aliases.filter(|((place, _), alias)| is_its((place, &alias.target)));
        one_more(aliases.count(), self.resource_quotas.aliases_of_key)
    }

    /// Checks that a key of the caller may have one more grant.
    pub(crate) fn one_more_grant(&self, caller: &Caller, key: &KeyId) -> Result<(), Exceeded> {
        let place = ((caller.account.clone(), caller.region.clone()), key.clone());
        let count = self.kms.grants.get(&place).map_or(0, Vec::len);
        one_more(count, self.resource_quotas.grants_of_key)
    }

    /// Checks that the caller's account may have one more role.
    pub(crate) fn one_more_role(&self, caller: &Caller) -> Result<(), Exceeded> {
        let own = self.iam.roles.keys().filter(|(account, _)| *account == caller.account);
        one_more(own.count(), self.resource_quotas.roles)
    }

    /// Checks that the caller's account may have one more user.
    pub(crate) fn one_more_user(&self, caller: &Caller) -> Result<(), Exceeded> {
        let own = self.iam.users.keys().filter(|(account, _)| *account == caller.account);
        one_more(own.count(), self.resource_quotas.users)
    }

    /// Checks that the caller's account may have one more managed policy.
    pub(crate) fn one_more_policy(&self, caller: &Caller) -> Result<(), Exceeded> {
        let account = format!("::{}:", caller.account);
        let own = self.iam.managed.keys().filter(|arn| arn.contains(&account));
        one_more(own.count(), self.resource_quotas.policies)
    }

    /// Checks that the sandbox can keep one more resource of any kind.
    ///
    /// # Errors
    /// The sentence of the error `SandboxFull`.
    pub(crate) fn one_more_resource(&self) -> Result<(), String> {
        // A grant can have many tokens: each request for it makes one.
        let grants = self.kms.grants.values().flatten();
        let grants: usize = grants.map(|grant| grant.tokens.len()).sum();
        let (kms, iam, most) = (&self.kms, &self.iam, self.limits.resources);
        let count = self.buckets.0.len()
            + self.messaging.0.len()
            + kms.keys.len()
            + kms.aliases.len()
            + grants
            + self.alarms.all.len()
            + iam.roles.len()
            + iam.users.len()
            + iam.managed.len()
            + iam.keys.len()
            + iam.service_credentials.len();
        if count < most {
            return Ok(());
        }
        Err(format!(
            "The sandbox keeps resources in memory: all accounts together would have more than {most}. \
             Delete some, or raise the limit (`--max-resources`, `Options::limits`)."
        ))
    }
}
