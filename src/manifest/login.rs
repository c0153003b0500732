//! The credentials and the account of each side of a pair.
//! Not for: reading which account the credentials belong to (see `observe`).

use super::conflicts::is_filled_in;
use super::keys::PairKeys;
use super::side::Side;
use super::topology::{Manifest, Placed, Topology};
use crate::names::{AccountId, Arn, Region};
use std::collections::{BTreeMap, BTreeSet};

/// The credentials of a side. Without any setting, the credentials are those of `--profile` or of
/// the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Login {
    /// Profile of the shared AWS configuration.
    pub profile: Option<String>,
    /// Role to assume with the credentials of the profile or of the environment.
    pub assume_role: Option<Arn>,
}

impl std::fmt::Display for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.profile, &self.assume_role) {
            (None, None) => write!(f, "the usual credentials"),
            (Some(profile), None) => write!(f, "profile `{profile}`"),
            (None, Some(role)) => write!(f, "role `{role}`"),
            (Some(profile), Some(role)) => write!(f, "role `{role}` by profile `{profile}`"),
        }
    }
}

/// A Region with other credentials or another account than the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// Credentials of the Region.
    pub login: Login,
    /// Account that the manifest names, or the account in the ARN of the assumed role.
    pub account: Option<AccountId>,
}

/// The accounts of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// Account of the source and the role.
    pub home: AccountId,
    /// Accounts of the Regions with other credentials.
    pub away: BTreeMap<Region, AccountId>,
}

impl Accounts {
    /// Returns the account of the pair's resources in `region`.
    pub fn of(&self, region: &Region) -> &AccountId {
        self.away.get(region).unwrap_or(&self.home)
    }
}

impl From<&AccountId> for Accounts {
    fn from(home: &AccountId) -> Self {
        Self { home: home.clone(), away: BTreeMap::new() }
    }
}

/// First placeholder id for accounts that only their credentials identify.
const SOME_OTHER_ACCOUNT: u64 = 999_900_000_000;

impl Manifest {
    /// Returns the credentials of the source.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// Returns the account that the manifest names for the source.
    pub fn home_account(&self) -> Option<&AccountId> {
        self.home_account.as_ref()
    }

    /// Returns the account that the manifest tells of the sides in `region`: by an existing key's ARN
    /// or, of the source, by the ARN of its role.
    pub fn told_account(&self, region: &Region) -> Option<AccountId> {
        let role = self.role_settings.given.as_ref().filter(|_| region == &self.source.region);
        let keys = self.existing_keys.iter().filter(|(placed, _)| &placed.region == region);
        let arns = role.cloned().into_iter().chain(keys.filter_map(|(_, key)| key.key_arn()));
        arns.into_iter().find_map(|arn| AccountId::new(arn.account()).ok())
    }

    /// Returns the account of a handed-over side: a side with an account but without credentials of
    /// its own. An operator of that account creates its resources.
    pub fn handed_over_to<'a>(&self, away: &'a Away) -> Option<&'a AccountId> {
        away.account.as_ref().filter(|_| away.login == self.login)
    }

    /// Returns the Regions with other credentials or another account than the source.
    pub fn away(&self) -> &BTreeMap<Region, Away> {
        &self.away
    }

    /// Returns the Regions of handed-over sides, as far as the manifest names the accounts.
    pub(super) fn handed_over(&self, accounts: &Accounts) -> BTreeSet<Region> {
        let is_foreign = |region: &Region| accounts.of(region) != &accounts.home;
        let over = self.away.iter().filter(|(_, away)| self.handed_over_to(away).is_some());
        over.map(|(region, _)| region).filter(|it| is_foreign(it)).cloned().collect()
    }

    /// Returns the accounts that the manifest names, with `home` as the source's. Accounts that
    /// only their credentials identify get well-formed placeholder ids.
    pub fn some_accounts(&self, home: &AccountId) -> Accounts {
        let logins: Vec<&Login> = self.away.values().map(|away| &away.login).collect();
        let some = |away: &Away| {
            let place = logins.iter().position(|login| **login == away.login).unwrap_or_default();
            let id = SOME_OTHER_ACCOUNT + u64::try_from(place).unwrap_or_default();
            AccountId::new(id.to_string()).unwrap_or_else(|_| home.clone())
        };
        let account = |away: &Away| away.account.clone().unwrap_or_else(|| some(away));
        let away = self.away.iter().map(|(region, it)| (region.clone(), account(it)));
        Accounts { home: home.clone(), away: away.collect() }
    }

    /// Returns the Region of the side whose bucket is `name`. `{account}` in a bucket name matches
    /// any account id.
    pub fn region_of_bucket(&self, name: &str) -> Option<&Region> {
        let is_meant =
            |placed: &&Placed| placed.bucket == name || is_filled_in(&placed.bucket, name);
        let mut places = std::iter::once(&self.source).chain(&self.destinations);
        places.find(is_meant).map(|placed| &placed.region)
    }

    /// Returns the Regions whose account is neither in the manifest nor in a role ARN.
    pub fn unknown_accounts(&self) -> impl Iterator<Item = &Region> {
        self.away.iter().filter(|(_, away)| away.account.is_none()).map(|(region, _)| region)
    }
}

impl Topology {
    /// Returns the sides that are not handed over.
    pub fn reached(&self) -> impl Iterator<Item = &Side> {
        self.sides().filter(|side| !self.wanted.is_handed_over(&side.region))
    }

    /// Returns the sides that are handed over.
    pub fn handed_over(&self) -> impl Iterator<Item = &Side> {
        let destinations = self.destinations.iter();
        destinations.filter(|side| self.wanted.is_handed_over(&side.region))
    }

    /// Returns the first handed-over side whose key ARN the manifest does not give yet. No rule can
    /// name that key.
    pub fn waits_for_key(&self) -> Option<&Side> {
        let is_unknown = |side: &&Side| {
            let has_key = side.has_key();
            has_key && self.wanted.key_arn(&PairKeys::default(), side).is_none()
        };
        self.handed_over().find(is_unknown)
    }
}
