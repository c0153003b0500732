//! What the shared configuration files say of a profile beside credentials.
//! Source: AWS SDKs and Tools Reference Guide, "Settings reference".
//! Not for: credentials (see `configuration`).

use super::mfa::MfaRole;
use crate::failure::Failure;
use aws_config::profile::load;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use std::path::PathBuf;

/// What a profile says.
#[derive(Debug, Default)]
pub struct ProfileSettings {
    /// The file of certificates that it trusts (`ca_bundle`).
    pub ca_bundle: Option<PathBuf>,
    /// The role that it assumes with an MFA device (`mfa_serial`).
    pub mfa: Option<MfaRole>,
}

impl ProfileSettings {
    /// Reads `profile`, or the profile of the environment.
    ///
    /// # Errors
    /// The profile assumes a role with an MFA device, by credentials that crrctl can't have.
    pub async fn read(profile: Option<&str>) -> Result<Self, Failure> {
        let files = EnvConfigFiles::default();
        let selected = profile.map(|profile| profile.to_owned().into());
        // Files that can't be read are told where credentials are wanted of them.
        let Ok(profiles) = load(&Fs::real(), &Env::real(), &files, selected).await else {
            return Ok(Self::default());
        };
        let ca_bundle = profiles.get("ca_bundle").filter(|path| !path.is_empty());
        Ok(Self { ca_bundle: ca_bundle.map(PathBuf::from), mfa: MfaRole::of(&profiles)? })
    }
}
