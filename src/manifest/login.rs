//! Whose credentials each side of a pair is worked with, and which account that is.
//! Not for: finding out what account credentials belong to (see `observe`).

use super::topology::{Manifest, Placed, Side, Topology};
use crate::names::{AccountId, Arn, Region};
use std::collections::{BTreeMap, BTreeSet};

/// What a side's credentials come from. One that names nothing has those of `--profile` or of the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Login {
    /// A profile of the shared configuration.
    pub profile: Option<String>,
    /// A role that is assumed with the credentials of the profile or of the environment.
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

/// A Region that is worked with other credentials than the source's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// What the credentials come from.
    pub login: Login,
    /// The account that the manifest names, or the ARN of the role that is assumed there.
    pub account: Option<AccountId>,
}

/// The accounts of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// The source's, which the role is in too.
    pub home: AccountId,
    /// Those of the Regions that are worked with other credentials.
    pub away: BTreeMap<Region, AccountId>,
}

impl Accounts {
    /// Returns the account of what the pair has in `region`.
    pub fn of(&self, region: &Region) -> &AccountId {
        self.away.get(region).unwrap_or(&self.home)
    }
}

impl From<&AccountId> for Accounts {
    fn from(home: &AccountId) -> Self {
        Self { home: home.clone(), away: BTreeMap::new() }
    }
}

/// Stands for an account that only its credentials tell, beside the source's.
const SOME_OTHER_ACCOUNT: u64 = 999_900_000_000;

impl Manifest {
    /// Returns what the source's credentials come from.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// Returns the account that the source's side names.
    pub fn home_account(&self) -> Option<&AccountId> {
        self.home_account.as_ref()
    }

    /// Returns the account of a side that names it and no credentials: they are not at hand, so whoever has them makes what lies
    /// there.
    pub fn handed_over_to<'a>(&self, away: &'a Away) -> Option<&'a AccountId> {
        away.account.as_ref().filter(|_| away.login == self.login)
    }

    /// Returns the Regions that are worked with other credentials than the source's.
    pub fn away(&self) -> &BTreeMap<Region, Away> {
        &self.away
    }

    /// Returns the Regions whose side is handed over, as far as the manifest tells.
    pub(super) fn handed_over(&self, accounts: &Accounts) -> BTreeSet<Region> {
        let is_foreign = |region: &Region| accounts.of(region) != &accounts.home;
        let over = self.away.iter().filter(|(_, away)| self.handed_over_to(away).is_some());
        over.map(|(region, _)| region).filter(|it| is_foreign(it)).cloned().collect()
    }

    /// Returns the accounts as far as the manifest tells them, with `home` as the source's; one that only its credentials tell
    /// has an id of the right shape in its place.
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

    /// Returns the Region of the side whose bucket `name` is; one with `{account}` in its name may be any account's.
    pub fn region_of_bucket(&self, name: &str) -> Option<&Region> {
        let is_meant = |placed: &&Placed| match placed.bucket.split_once("{account}") {
            None => placed.bucket == name,
            Some((head, tail)) => {
                let account = name.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
                account.is_some_and(|it| AccountId::new(it).is_ok())
            }
        };
        let mut places = std::iter::once(&self.source).chain(&self.destinations);
        places.find(is_meant).map(|placed| &placed.region)
    }

    /// Returns the Regions whose account neither the manifest nor a role's ARN tells.
    pub fn unknown_accounts(&self) -> impl Iterator<Item = &Region> {
        self.away.iter().filter(|(_, away)| away.account.is_none()).map(|(region, _)| region)
    }
}

impl Topology {
    /// Returns the account of what the pair has in `region`.
    pub fn account_of(&self, region: &Region) -> &AccountId {
        self.away.get(region).unwrap_or(&self.base)
    }

    /// Returns what the credentials of `region` come from.
    pub fn login_of(&self, region: &Region) -> &Login {
        self.logins.1.get(region).unwrap_or(&self.logins.0)
    }

    /// Notes the Regions whose side is in an account whose credentials are not at hand.
    pub fn hand_over(&mut self, regions: impl IntoIterator<Item = Region>) {
        self.handed_over = regions.into_iter().filter(|it| self.away.contains_key(it)).collect();
    }

    /// Returns whether the side in `region` is made by whoever has the credentials of its account.
    pub fn is_handed_over(&self, region: &Region) -> bool {
        self.handed_over.contains(region)
    }

    /// Returns the sides that are not handed over.
    pub fn reached(&self) -> impl Iterator<Item = &Side> {
        self.sides().filter(|side| !self.is_handed_over(&side.region))
    }

    /// Returns the sides that are handed over.
    pub fn handed_over(&self) -> impl Iterator<Item = &Side> {
        self.destinations.iter().filter(|side| self.is_handed_over(&side.region))
    }

    /// Returns the first side that is handed over and whose key nobody has named yet: no rule can name it either.
    pub fn waits_for_key(&self) -> Option<&Side> {
        let is_unknown = |side: &&Side| {
            let nothing = self.key_wish(side) == super::keys::KeyWish::Nothing;
            !nothing && self.key_arn(&super::keys::PairKeys::default(), side).is_none()
        };
        self.handed_over().find(is_unknown)
    }

    /// Returns whether `side` is in another account than the source and the role.
    pub fn is_foreign(&self, side: &Side) -> bool {
        self.account_of(&side.region) != &self.account
    }

    /// Returns the Region by whose credentials the role is reached: each account's IAM is called in one alone.
    pub fn role_region(&self) -> &Region {
        if self.account == self.base { &self.home.region } else { &self.source.region }
    }

    /// Returns the directions whose role is in `account`.
    pub fn directions_of(&self, account: &AccountId) -> Vec<Self> {
        let mut all = self.directions();
        all.retain(|direction| &direction.account == account);
        all
    }

    /// Returns the directions in which roles of other accounts write replicas to `side`.
    pub fn across_to(&self, side: &Side) -> Vec<Self> {
        let mut all = self.directions();
        all.retain(|it| it.destinations.contains(side) && it.is_foreign(side));
        all
    }

    /// Returns the sides that are in `account`.
    pub fn sides_in<'a>(&'a self, account: &'a AccountId) -> impl Iterator<Item = &'a Side> {
        self.sides().filter(move |side| self.account_of(&side.region) == account)
    }

    /// Returns the accounts by Region.
    pub fn known_accounts(&self) -> Accounts {
        Accounts { home: self.base.clone(), away: self.away.clone() }
    }

    /// Returns every account of the pair, the source's first.
    pub fn accounts(&self) -> Vec<&AccountId> {
        let mut accounts = vec![&self.account];
        for side in self.sides() {
            let account = self.account_of(&side.region);
            if !accounts.contains(&account) {
                accounts.push(account);
            }
        }
        accounts
    }
}
