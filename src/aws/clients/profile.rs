//! What the shared configuration files say of a profile beside credentials.
//! Source: AWS SDKs and Tools Reference Guide, "Settings reference".
//! Not for: credentials (see `configuration`).

use super::log_in::LogIn;
use super::mfa::MfaRole;
use crate::failure::{Failure, Kind};
use aws_config::profile::load;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use std::error::Error;
use std::iter::successors;
use std::path::PathBuf;

/// What a profile says.
#[derive(Debug, Default)]
pub struct ProfileSettings {
    /// The file of certificates that it trusts (`ca_bundle`).
    pub ca_bundle: Option<PathBuf>,
    /// The role that it assumes with an MFA device (`mfa_serial`).
    pub mfa: Option<MfaRole>,
    /// The profile that a person logs in for, if the credentials come from one.
    pub log_in: Option<LogIn>,
    /// Why the files can't be read; only who takes credentials from them needs to know.
    pub unreadable: Option<Failure>,
}

impl ProfileSettings {
    /// Reads `profile`, or the profile of the environment.
    ///
    /// # Errors
    /// The profile assumes a role with an MFA device, by credentials that crrctl can't have.
    pub async fn read(profile: Option<&str>) -> Result<Self, Failure> {
        let files = EnvConfigFiles::default();
        let selected = profile.map(|profile| profile.to_owned().into());
        let profiles = match load(&Fs::real(), &Env::real(), &files, selected).await {
            Ok(profiles) => profiles,
            Err(error) => {
                let causes: Vec<String> =
                    successors(Some(&error as &(dyn Error + 'static)), |it| (*it).source())
                        .map(ToString::to_string)
                        .collect();
                let causes = causes.join(": ");
                let causes: Vec<&str> = causes.split_whitespace().collect();
                let message =
                    format!("the shared configuration can't be read: {}", causes.join(" "));
                let unreadable = Failure::new(Kind::Credentials, "NoCredentials", message)
                    .hint("correct the file, or name another in AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE");
                return Ok(Self { unreadable: Some(unreadable), ..Self::default() });
            }
        };
        let ca_bundle = profiles.get("ca_bundle").filter(|path| !path.is_empty());
        let ca_bundle = ca_bundle.map(PathBuf::from);
        let (mfa, log_in) = (MfaRole::of(&profiles)?, LogIn::of(&profiles));
        Ok(Self { ca_bundle, mfa, log_in, unreadable: None })
    }
}
