//! The clients of a run: the source of each side's credentials and, in the sandbox, the account of
//! each side.
//! Not for: the clients themselves (see `aws`).

use super::super::Global;
use super::super::{hidden, output::can_ask};
use crate::aws::{
    Aws, CaBundle, Connection, Credentials, MfaLogin, MfaRole, ProfileSettings, QuotaFactor,
};
use crate::failure::Failure;
use crate::manifest::{Away, Login, Manifest};
use crate::names::Region;
use crrctl_sandbox::{self as sandbox, Sandbox};
use std::collections::BTreeMap;

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
    let is_of_sandbox = stand_in.is_some() || global.credentials.is_some();
    let aws = Aws::new(home, connection).await.ending_with(&global.stop);
    if is_of_sandbox { Ok(aws) } else { aws.with_valid_endpoints() }
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
///
/// # Errors
/// `--sandbox` is given and there is no sandbox; a profile can't be read.
pub(in crate::cli) async fn connection(
    global: &Global,
    manifest: Option<&Manifest>,
    stand_in: Option<&Sandbox>,
) -> Result<Connection, Failure> {
    if global.sandbox && stand_in.is_none() {
        // With `--sandbox`, nothing but the sandbox of this process is ever called.
        return Err(Failure::bug("`--sandbox` is given, and a call would go elsewhere"));
    }
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
        let (away, endpoints) = (away.collect(), BTreeMap::new());
        let recorder = global.recorder.clone();
        let ca_bundle = None;
        Ok(Connection { usual, endpoint_url, endpoints, ca_bundle, away, recorder, quota_factor })
    } else {
        let with_flag = |login: &Login| {
            let profile = login.profile.clone().or_else(|| global.profile.clone());
            Credentials { login: Login { profile, ..login.clone() }, ..Credentials::default() }
        };
        let mut usual = with_flag(manifest.map_or(&Login::default(), Manifest::login));
        let with_account = |away: &Away| Credentials {
            guest_of: manifest.and_then(|it| it.handed_over_to(away)).cloned(),
            ..with_flag(&away.login)
        };
        let mut away: BTreeMap<Region, Credentials> =
            away.map(|(region, away)| (region.clone(), with_account(away))).collect();
        for credentials in away.values_mut() {
            let profile = ProfileSettings::read(credentials.login.profile.as_deref()).await?;
            let is_of_profile = is_of_profile(&credentials.login);
            credentials.log_in = profile.log_in.filter(|_| is_of_profile);
            credentials.mfa = code(global, profile.mfa.filter(|_| is_of_profile)).await?;
        }
        // All connections of a run trust the same certificates.
        let profile = ProfileSettings::read(usual.login.profile.as_deref()).await?;
        let is_of_profile = is_of_profile(&usual.login);
        usual.log_in = profile.log_in.filter(|_| is_of_profile);
        usual.mfa = code(global, profile.mfa.filter(|_| is_of_profile)).await?;
        if let Some(failure) = profile.unreadable.filter(|_| is_of_profile) {
            return Err(failure);
        }
        let ca_bundle = CaBundle::configured(profile.ca_bundle.as_deref())?;
        let endpoints = manifest.map(Manifest::endpoints).cloned().unwrap_or_default();
        let recorder = global.recorder.clone();
        Ok(Connection { usual, endpoint_url, endpoints, ca_bundle, away, recorder, quota_factor })
    }
}

/// Returns whether the credentials are those of a profile: keys of the environment come before a
/// profile that is not named in words.
fn is_of_profile(login: &Login) -> bool {
    login.profile.is_some() || std::env::var_os("AWS_ACCESS_KEY_ID").is_none()
}

/// Asks for the code of an MFA device on the terminal, once for each profile of a run: a code is good
/// for one session.
async fn code(global: &Global, role: Option<MfaRole>) -> Result<Option<MfaLogin>, Failure> {
    let Some(role) = role else { return Ok(None) };
    let mut codes = global.codes.lock().await;
    let code = match codes.get(&role.profile) {
        Some(code) => code.clone(),
        None if !can_ask() => return Err(role.wants_terminal()),
        None => {
            let question = format!(
                "the code of the MFA device {}, for the profile `{}`:",
                role.serial, role.profile
            );
            hidden::ask(&question, &global.stop).await?
        }
    };
    let login = role.with_code(&code)?;
    codes.insert(role.profile, code);
    Ok(Some(login))
}

/// Returns the root credentials of the account that the manifest names for the source's side, or
/// that the ARNs of its role and key tell.
fn own_account(manifest: Option<&Manifest>) -> Option<(String, String)> {
    let manifest = manifest?;
    let told = || manifest.told_account(manifest.source_region());
    let account = manifest.home_account().cloned().or_else(told)?;
    Some((account.to_string(), sandbox::SECRET.to_owned()))
}
