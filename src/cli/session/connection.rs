//! The clients of a run: the source of each side's credentials and, in the sandbox, the account of
//! each side.
//! Not for: the clients themselves (see `aws`).

use super::super::Global;
use crate::aws::{Aws, CaBundle, Connection, Credentials, QuotaFactor, profile_ca_bundle};
use crate::failure::Failure;
use crate::manifest::{Away, Login, Manifest};
use crate::names::Region;
use crrctl_sandbox::{self as sandbox, Sandbox};
use std::collections::{BTreeMap, BTreeSet};

/// Accounts of the sandbox for sides that name other credentials than the source's.
const OTHER_ACCOUNTS: [&str; 4] = ["444455556666", "555566667777", "666677778888", "777788889999"];

/// Creates the clients: for the sandbox if there is one, otherwise as the flags and `manifest` say.
pub(in crate::cli) async fn connect(
    global: &Global,
    home: &Region,
    manifest: Option<&Manifest>,
    stand_in: Option<&Sandbox>,
) -> Result<Aws, Failure> {
    let connection = connection(global, manifest, stand_in).await?;
    Ok(Aws::new(home, connection).await.ending_with(&global.stop))
}

/// Creates the clients for another pair of the same run.
pub(in crate::cli) async fn connect_beside(
    first: &Aws,
    manifest: &Manifest,
    connection: &Connection,
) -> Aws {
    first.beside(manifest.source_region(), connection).await
}

/// Returns the endpoint and the credentials for a pair: those of the sandbox if there is one,
/// otherwise as the flags and `manifest` say.
pub(in crate::cli) async fn connection(
    global: &Global,
    manifest: Option<&Manifest>,
    stand_in: Option<&Sandbox>,
) -> Result<Connection, Failure> {
    // The sandbox inside this process does not throttle.
    let quota_factor = match stand_in {
        Some(_) => QuotaFactor::Unlimited,
        None => QuotaFactor::Times(global.quota_factor),
    };
    let endpoint_url = stand_in.map(Sandbox::endpoint).or_else(|| global.endpoint_url.clone());
    let away = manifest.map(Manifest::away).into_iter().flatten();
    if stand_in.is_some() || global.credentials.is_some() {
        let default = || (sandbox::DEFAULT_ACCOUNT.to_owned(), sandbox::SECRET.to_owned());
        let usual = global.credentials.clone().filter(|_| stand_in.is_none());
        let usual = usual.unwrap_or_else(|| own_account(manifest).unwrap_or_else(default));
        let mut others: Vec<&Login> = Vec::new();
        let mut account = |region: &Region| {
            let away = manifest?.away().get(region)?;
            let place = others.iter().position(|it| **it == away.login).unwrap_or_else(|| {
                others.push(&away.login);
                others.len() - 1
            });
            let made_up = OTHER_ACCOUNTS[place % OTHER_ACCOUNTS.len()];
            let told = || manifest?.told_account(region);
            let account = away.account.clone().or_else(told);
            Some(account.map_or_else(|| made_up.to_owned(), |account| account.to_string()))
        };
        let away = away.filter_map(|(region, _)| {
            let account = account(region)?;
            Some((region.clone(), Credentials::of_stand_in(&account, sandbox::SECRET)))
        });
        let usual = Credentials::of_stand_in(&usual.0, &usual.1);
        Ok(Connection { endpoint_url, ca_bundle: None, away: away.collect(), usual, quota_factor })
    } else {
        let with_flag = |login: &Login| {
            let profile = login.profile.clone().or_else(|| global.profile.clone());
            Credentials { login: Login { profile, ..login.clone() }, ..Credentials::default() }
        };
        let usual = with_flag(manifest.map_or(&Login::default(), Manifest::login));
        let with_account = |away: &Away| Credentials {
            guest_of: manifest.and_then(|it| it.handed_over_to(away)).cloned(),
            ..with_flag(&away.login)
        };
        let away: BTreeMap<Region, Credentials> =
            away.map(|(region, away)| (region.clone(), with_account(away))).collect();
        let profiles = away.values().map(|it| it.login.profile.as_deref());
        for profile in profiles.collect::<BTreeSet<_>>() {
            profile_ca_bundle(profile).await?;
        }
        // All connections of a run trust the same certificates.
        let of_profile = profile_ca_bundle(usual.login.profile.as_deref()).await?;
        let ca_bundle = CaBundle::configured(of_profile.as_deref())?;
        Ok(Connection { usual, endpoint_url, ca_bundle, away, quota_factor })
    }
}

/// Returns the root credentials of the account that the manifest names for the source's side, or
/// that the ARNs of its role and key tell.
fn own_account(manifest: Option<&Manifest>) -> Option<(String, String)> {
    let manifest = manifest?;
    let told = || manifest.told_account(manifest.source_region());
    let account = manifest.home_account().cloned().or_else(told)?;
    Some((account.to_string(), sandbox::SECRET.to_owned()))
}
