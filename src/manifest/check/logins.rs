//! Validates the credentials of each side and the combinations that are impossible across accounts.
//! Not for: reading which account the credentials belong to (see `observe`).

use super::super::error::Located;
use super::super::keys::KeyKind;
use super::super::login::{Away, Login};
use super::super::raw::{At, Raw, RawDestination};
use super::super::role::RoleSettings;
use super::super::topology::Placed;
use super::{Checked, named};
use crate::names::{AccountId, Arn, Region};
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;

/// The credentials of the source and of the Regions with other credentials.
pub(super) struct Logins {
    pub(super) login: Login,
    pub(super) home: Option<AccountId>,
    pub(super) away: BTreeMap<Region, Away>,
}

/// The credential settings of one side.
struct Given {
    login: Login,
    account: Option<AccountId>,
    at: Location,
    key: &'static str,
}

type Texts<'a> = (&'a At<String>, &'a At<String>, &'a At<String>);

fn given(path: &str, (profile, role, account): Texts<'_>) -> Checked<Option<Given>> {
    let Some((first, key)) = [(profile, "profile"), (role, "assume_role"), (account, "account")]
        .into_iter()
        .find_map(|(given, key)| Some((given.as_ref()?, key)))
    else {
        return Ok(None);
    };
    if let Some(empty) = profile.as_ref().filter(|profile| profile.value.trim().is_empty()) {
        let message = "the name of a profile of the shared AWS configuration is wanted";
        return Err(Located::at(empty.referenced, format!("{path}.profile"), message));
    }
    let assume_role = role.as_ref().map(|role| role_arn(path, role)).transpose()?;
    let named_account = account
        .as_ref()
        .map(|account| named(&format!("{path}.account"), account, AccountId::new))
        .transpose()?;
    let of_role = assume_role.as_ref().and_then(|role| AccountId::new(role.account()).ok());
    if let (Some(at), Some(own), Some(of_role)) = (account, &named_account, &of_role)
        && own != of_role
    {
        let message = format!("`{own}` is not the account of the role, which is in {of_role}");
        return Err(Located::at(at.referenced, format!("{path}.account"), message));
    }
    let profile = profile.as_ref().map(|profile| profile.value.clone());
    let login = Login { profile, assume_role };
    Ok(Some(Given { login, account: of_role.or(named_account), at: first.referenced, key }))
}

fn role_arn(path: &str, given: &Spanned<String>) -> Checked<Arn> {
    let key = format!("{path}.assume_role");
    let arn = named(&key, given, Arn::new)?;
    let is_role = arn.service() == "iam" && arn.resource().starts_with("role/");
    if is_role && AccountId::new(arn.account()).is_ok() {
        return Ok(arn);
    }
    let message = format!("`{arn}` is not a role: `arn:aws:iam::ACCOUNT:role/NAME` is wanted");
    Err(Located::at(given.referenced, key, message))
}

/// Reads the credentials of each side. A destination without credentials uses the source's. A
/// destination that only assumes a role assumes it with the source's profile.
pub(super) fn logins(raw: &Raw, source: &Placed, destinations: &[Placed]) -> Checked<Logins> {
    let own = (&raw.source.profile, &raw.source.assume_role, &raw.source.account);
    let home = given("source", own)?;
    let (login, home) = home.map_or_else(Default::default, |given| (given.login, given.account));
    let mut away: BTreeMap<Region, Away> = BTreeMap::new();
    let mut first: BTreeMap<&Region, (usize, &Placed, Option<Away>)> = BTreeMap::new();
    for (index, (entry, place)) in raw.destinations.value.iter().zip(destinations).enumerate() {
        let path = format!("destinations[{index}]");
        let given = given(&path, (&entry.profile, &entry.assume_role, &entry.account))?;
        let (at, key) = given
            .as_ref()
            .map_or((entry.region.referenced, "profile"), |given| (given.at, given.key));
        let refuse = |message: String| Err(Located::at(at, format!("{path}.{key}"), message));
        let other = given.and_then(|given| elsewhere(given, &login, home.as_ref()));
        let (before, there, same) =
            first.entry(&place.region).or_insert((index, place, other.clone()));
        if *same != other {
            return refuse(if *there == place {
                format!(
                    "it leads to the bucket of `destinations[{before}]`, so it has the credentials of that one"
                )
            } else {
                format!(
                    "`destinations[{before}]` is in {} too, with other credentials: crrctl works each Region of a pair with one \
                     account's credentials",
                    place.region
                )
            });
        }
        let Some(other) = other else { continue };
        if place.region == source.region {
            return refuse(format!(
                "the source is in {} too: crrctl works each Region of a pair with one account's credentials",
                source.region
            ));
        }
        away.insert(place.region.clone(), other);
    }
    check_overrides(raw, &away, destinations)?;
    Ok(Logins { login, home, away })
}

/// Returns the credentials of a destination, or `None` if they are the source's.
fn elsewhere(given: Given, source: &Login, home: Option<&AccountId>) -> Option<Away> {
    let names_login = given.login != Login::default();
    let profile = given.login.profile.or_else(|| source.profile.clone());
    let assume_role = match given.login.assume_role {
        None if !names_login => source.assume_role.clone(),
        role => role,
    };
    let login = Login { profile, assume_role };
    let same_account = given.account.is_none() || given.account.as_ref() == home;
    (login != *source || !same_account).then_some(Away { login, account: given.account })
}

/// Refuses owner overrides within one account: there the bucket owner owns the replicas anyway, and
/// S3 refuses the setting (S3 User Guide, "Changing the replica owner").
fn check_overrides(
    raw: &Raw,
    away: &BTreeMap<Region, Away>,
    destinations: &[Placed],
) -> Checked<()> {
    for (index, (entry, place)) in raw.destinations.value.iter().zip(destinations).enumerate() {
        let RawDestination { owner_override, .. } = entry;
        if let Some(given) = owner_override.as_ref().filter(|flag| flag.value)
            && !away.contains_key(&place.region)
        {
            let message =
                "replicas change their owner only where the destination is in another account";
            let path = format!("destinations[{index}].owner_override");
            return Err(Located::at(given.referenced, path, message).hint(
                "give the destination a `profile` or `assume_role` of its own, or leave this out",
            ));
        }
    }
    Ok(())
}

/// Refuses roles and permissions boundaries of reverse directions that are in the wrong account. S3
/// accepts only a role of the source bucket's account, because nobody can pass a role of another
/// account (IAM User Guide, "Grant a user permissions to pass a role to an AWS service"). A
/// permissions boundary is a policy of the role's account or an AWS managed policy.
pub(super) fn check_roles(
    raw: &Raw,
    logins: &Logins,
    roles: &RoleSettings,
    destinations: &[Placed],
) -> Checked<()> {
    if !raw.replication.two_way.as_ref().is_some_and(|flag| flag.value) {
        return Ok(());
    }
    for (index, (entry, place)) in raw.destinations.value.iter().zip(destinations).enumerate() {
        let Some(away) = logins.away.get(&place.region) else { continue };
        if away.account.is_some() && away.account == logins.home {
            continue;
        }
        let back = |key: &str| format!("destinations[{index}].back.{key}");
        let given = entry.back.as_ref().and_then(|back| back.role.as_ref());
        let own = roles.back.get(&place.region);
        if let (Some(arn), None) = (&roles.given, own) {
            let message = format!(
                "{} replicates back by a role of its own account, not by {arn}",
                place.region
            );
            return Err(Located::at(entry.region.referenced, back("role"), message).hint(
                "give the ARN of a role there as `back: {role: …}`, or leave out `role.arn`",
            ));
        }
        let is_elsewhere = |arn: &Arn| {
            let named = away.account.as_ref().is_some_and(|it| it.as_str() != arn.account());
            named || logins.home.as_ref().is_some_and(|it| it.as_str() == arn.account())
        };
        if let (Some(given), Some(arn)) = (given, own.filter(|arn| is_elsewhere(arn))) {
            let message = format!("{arn} is not a role of the destination's account");
            return Err(Located::at(given.referenced, back("role"), message));
        }
        let bound = raw.role.permissions_boundary.as_ref().filter(|_| roles.given.is_none());
        let is_of_aws = |arn: &Arn| arn.account() == "aws";
        let needs_own = roles.boundary.as_ref().is_some_and(|arn| !is_of_aws(arn));
        if let Some(bound) = bound.filter(|_| needs_own)
            && !roles.back_boundaries.contains_key(&place.region)
        {
            let message = format!(
                "it bounds no role of another account, by which {} replicates back",
                place.region
            );
            return Err(Located::at(bound.referenced, "role.permissions_boundary", message)
                .hint("give the ARN of a policy there as `back: {permissions_boundary: …}` of the destination"));
        }
    }
    Ok(())
}

/// Hint for a multi-Region key that would be shared across accounts.
const OTHER_KEYS: &str = "use `key: {kind: per-region}`, give this destination a `key` of its account, or use `key: {kind: none}`";

/// Refuses combinations that are impossible across accounts, as far as the accounts are known
/// before any call.
pub(super) fn check_keys(
    raw: &Raw,
    logins: &Logins,
    kind: KeyKind,
    destinations: &[Placed],
) -> Checked<()> {
    let strict = raw.policy.profile.as_ref().filter(|profile| profile.value == "strict");
    if let (Some(strict), false) = (strict, logins.away.is_empty()) {
        let message =
            "for a key of another account AWS names more than the least that `strict` allows";
        return Err(Located::at(strict.referenced, "policy.profile", message)
            .hint("leave it out: `compatible` is the default"));
    }
    for (index, (entry, place)) in raw.destinations.value.iter().zip(destinations).enumerate() {
        let Some(away) = logins.away.get(&place.region) else { continue };
        let (Some(home), Some(account)) = (&logins.home, &away.account) else { continue };
        if let Some(key) = entry.key.as_ref().filter(|key| key.value == "alias/aws/s3")
            && home != account
        {
            let message = "`alias/aws/s3` can't be used by another account";
            return Err(Located::at(key.referenced, format!("destinations[{index}].key"), message)
                .hint("give the destination a customer managed key of its account"));
        }
        if home != account && kind == KeyKind::MultiRegion && entry.key.is_none() {
            let message = format!(
                "{} is in account {account} and the source in {home}: a multi-Region key has its replicas in its own account",
                place.region
            );
            let path = format!("destinations[{index}]");
            return Err(Located::at(entry.region.referenced, path, message).hint(OTHER_KEYS));
        }
    }
    Ok(())
}
