//! What the shared configuration files say of a profile beside credentials.
//! Source: AWS SDKs and Tools Reference Guide, "Settings reference".
//! Not for: credentials (see `configuration`).

use crate::failure::{Failure, Kind};
use aws_config::profile::{ProfileSet, load};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};
use std::path::PathBuf;

/// Returns the file of certificates that a profile trusts (`ca_bundle`), after checking that its
/// credentials are to be had without a question.
///
/// # Errors
/// The profile assumes a role with an MFA device (`mfa_serial`).
pub async fn ca_bundle(profile: Option<&str>) -> Result<Option<PathBuf>, Failure> {
    let files = EnvConfigFiles::default();
    let selected = profile.map(|profile| profile.to_owned().into());
    // Files that can't be read are told where credentials are wanted of them.
    let Ok(profiles) = load(&Fs::real(), &Env::real(), &files, selected).await else {
        return Ok(None);
    };
    wants_no_code(&profiles)?;
    Ok(profiles.get("ca_bundle").filter(|path| !path.is_empty()).map(PathBuf::from))
}

/// A role that is assumed with an MFA device takes a code each time, which the SDK does not ask for:
/// `AssumeRole` without it is only denied.
fn wants_no_code(profiles: &ProfileSet) -> Result<(), Failure> {
    let name = profiles.selected_profile();
    let Some(serial) = profiles.get("mfa_serial").filter(|_| profiles.get("role_arn").is_some())
    else {
        return Ok(());
    };
    let message = format!(
        "the profile `{name}` assumes a role with the MFA device `{serial}`, whose code crrctl does not ask for"
    );
    Err(Failure::new(Kind::Credentials, "mfa-required", message).hint(format!(
        "let the AWS CLI ask for it: `eval \"$(aws configure export-credentials --profile {name} --format env)\"`, then leave the profile out"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_types::os_shim_internal::Env;

    async fn of(config: &str) -> Result<(), Failure> {
        let env = Env::from_slice(&[("HOME", "/home")]);
        let fs = Fs::from_slice(&[("/home/.aws/config", config)]);
        wants_no_code(&load(&fs, &env, &EnvConfigFiles::default(), None).await.unwrap())
    }

    #[tokio::test]
    async fn a_role_with_an_mfa_device_is_refused_by_name() {
        let role = "[default]\nrole_arn = arn:aws:iam::111122223333:role/a\nsource_profile = b\n";
        assert_eq!(of(role).await, Ok(()));
        assert_eq!(of("[default]\nmfa_serial = arn:aws:iam::1:mfa/ann\n").await, Ok(()));
        let refused = of(&format!("{role}mfa_serial = arn:aws:iam::111122223333:mfa/ann\n"))
            .await
            .unwrap_err();
        assert_eq!(refused.code, "mfa-required");
        assert!(refused.message.contains("`default`") && refused.message.contains("mfa/ann"));
    }
}
