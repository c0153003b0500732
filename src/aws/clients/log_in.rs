//! Credentials of a profile that a person logs in for. Where they can't be had, the error tells the
//! command that logs in.
//! Sources: AWS SDKs and Tools Reference Guide, "Login credentials provider" and "IAM Identity Center
//! credential provider".
//! Not for: logging in, which the AWS CLI does.

use aws_config::profile::ProfileSet;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

/// A profile that a person logs in for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogIn {
    profile: String,
    command: &'static str,
}

/// The settings of a profile that a person logs in for, and the command that logs in.
const SETTINGS: [(&str, &str); 3] = [
    ("login_session", "aws login"),
    ("sso_session", "aws sso login"),
    ("sso_start_url", "aws sso login"),
];

/// How many profiles a chain of `source_profile` has at most. One that goes around ends too.
const LONGEST: usize = 10;

impl LogIn {
    /// Returns the profile that a person logs in for: the selected one, or the one that it takes its
    /// credentials from.
    pub(super) fn of(profiles: &ProfileSet) -> Option<Self> {
        let mut name = profiles.selected_profile();
        for _ in 0..LONGEST {
            let profile = profiles.get_profile(name)?;
            let has = |setting: &str| profile.get(setting).is_some_and(|it| !it.is_empty());
            if let Some((_, command)) = SETTINGS.iter().find(|(setting, _)| has(setting)) {
                return Some(Self { profile: name.to_owned(), command });
            }
            name = profile.get("source_profile")?;
        }
        None
    }
}

/// The credentials of such a profile.
#[derive(Debug)]
pub(super) struct OfLogIn {
    pub(super) credentials: SharedCredentialsProvider,
    pub(super) log_in: LogIn,
}

/// The credentials of a log-in can't be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "the profile `{}` has no log-in that can be used (`{} --profile {}` logs in)",
    log_in.profile, log_in.command, log_in.profile
)]
struct NoLogIn {
    log_in: LogIn,
    source: CredentialsError,
}

impl ProvideCredentials for OfLogIn {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.credentials.provide_credentials().await.map_err(|source| {
                let log_in = self.log_in.clone();
                CredentialsError::provider_error(NoLogIn { log_in, source })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::profile::load;
    use aws_runtime::env_config::file::EnvConfigFiles;
    use aws_types::os_shim_internal::{Env, Fs};

    #[tokio::test]
    async fn the_profile_that_is_logged_in_for_is_found_through_others() {
        for (profile, found) in [
            ("a", Some(("a", "aws login"))),
            ("b", Some(("a", "aws login"))),
            ("c", Some(("c", "aws sso login"))),
            ("d", Some(("d", "aws sso login"))),
            ("keys", None),
            ("round", None),
            ("none", None),
        ] {
            let env = Env::from_slice(&[("HOME", "/home")]);
            let config = "[profile a]\nlogin_session = arn:aws:iam::111122223333:user/ann\n\
                [profile b]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = a\n\
                [profile c]\nsso_session = s\n[profile d]\nsso_start_url = https://d\n\
                [profile keys]\naws_access_key_id = k\n\
                [profile round]\nsource_profile = round\n";
            let fs = Fs::from_slice(&[("/home/.aws/config", config)]);
            let selected = Some(profile.to_owned().into());
            let profiles = load(&fs, &env, &EnvConfigFiles::default(), selected).await.unwrap();
            let found = found.map(|(profile, command)| LogIn { profile: profile.into(), command });
            assert_eq!(LogIn::of(&profiles), found, "{profile}");
        }
    }
}
