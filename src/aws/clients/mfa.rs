//! Credentials of a role that a profile assumes with an MFA device. Its code is good for one session,
//! which lasts for the run.
//! Sources: STS API Reference, `AssumeRole`; AWS SDKs and Tools Reference Guide, "Assume role
//! credential provider".
//! Not for: asking for the code (see `cli`).

use crate::failure::{Failure, Kind};
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::OnceCell;

/// A role that a profile assumes with an MFA device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaRole {
    /// The profile.
    pub profile: String,
    /// The device: a serial number, or the ARN of a virtual device.
    pub serial: String,
    role: String,
    base: Base,
    external_id: Option<String>,
    session_name: String,
    /// In seconds.
    duration: Option<i32>,
}

/// The credentials that the role is assumed with.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Base {
    /// Those of another profile.
    Profile(String),
    /// Keys in the profile itself: access key and secret.
    Own(Key),
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    Environment,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
struct Hidden(String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    id: String,
    secret: Hidden,
}

/// A role with the code of its device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MfaLogin {
    role: MfaRole,
    code: Hidden,
}

impl MfaRole {
    /// Reads the role of the selected profile, if it is assumed with an MFA device.
    ///
    /// # Errors
    /// crrctl can't have the credentials that it is assumed with.
    pub(super) fn of(profiles: &ProfileSet) -> Result<Option<Self>, Failure> {
        let get = |key: &str| profiles.get(key).filter(|it| !it.is_empty()).map(str::to_owned);
        let (Some(serial), Some(role)) = (get("mfa_serial"), get("role_arn")) else {
            return Ok(None);
        };
        let profile = profiles.selected_profile().to_owned();
        let base = match (get("source_profile"), get("credential_source")) {
            (Some(source), _) if source == profile => {
                let key = get("aws_access_key_id").zip(get("aws_secret_access_key"));
                key.map(|(id, secret)| Base::Own(Key { id, secret: Hidden(secret) }))
            }
            (Some(source), _) => {
                let has_a_device =
                    profiles.get_profile(&source).is_some_and(|it| it.get("mfa_serial").is_some());
                (!has_a_device).then_some(Base::Profile(source))
            }
            (None, Some(source)) if source == "Environment" => Some(Base::Environment),
            (None, _) => None,
        };
        let Some(base) = base else {
            let message = format!(
                "the profile `{profile}` assumes a role with the MFA device `{serial}`, and crrctl found no credentials that may assume it"
            );
            return Err(
                Failure::new(Kind::Credentials, "mfa-required", message).hint(by_cli(&profile))
            );
        };
        Ok(Some(Self {
            profile,
            serial,
            role,
            base,
            external_id: get("external_id"),
            session_name: get("role_session_name").unwrap_or_else(|| "crrctl".to_owned()),
            duration: get("duration_seconds").and_then(|it| it.parse().ok()),
        }))
    }

    /// Returns the role with the code of its device.
    ///
    /// # Errors
    /// It is no such code.
    pub fn with_code(&self, code: &str) -> Result<MfaLogin, Failure> {
        if code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()) {
            return Ok(MfaLogin { role: self.clone(), code: Hidden(code.to_owned()) });
        }
        let message = format!("the code of the MFA device `{}` has six digits", self.serial);
        Err(Failure::new(Kind::Credentials, "mfa-required", message).hint("run the command again"))
    }

    /// Returns the failure of a run that can't ask for the code.
    pub fn wants_terminal(&self) -> Failure {
        let message = format!(
            "the profile `{}` assumes a role with the MFA device `{}`, and there is no terminal to ask for its code on",
            self.profile, self.serial
        );
        Failure::new(Kind::Credentials, "mfa-required", message).hint(by_cli(&self.profile))
    }
}

fn by_cli(profile: &str) -> String {
    format!(
        "let the AWS CLI ask for it: `eval \"$(aws configure export-credentials --profile {profile} --format env)\"`, then leave the profile out"
    )
}

impl MfaLogin {
    /// Returns the credentials that the role is assumed with.
    pub(super) fn base(&self, provider: &ProviderConfig) -> SharedCredentialsProvider {
        match &self.role.base {
            Base::Profile(name) => SharedCredentialsProvider::new(
                ProfileFileCredentialsProvider::builder()
                    .profile_name(name)
                    .configure(provider)
                    .build(),
            ),
            Base::Own(Key { id, secret }) => SharedCredentialsProvider::new(Credentials::new(
                id,
                secret.0.as_str(),
                None,
                None,
                "profile",
            )),
            Base::Environment => {
                SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new())
            }
        }
    }
}

/// How STS begins what it says of a device and its code.
const NOT_THE_CODE: &str = "MultiFactorAuthentication failed";

/// STS did not take the code.
#[derive(Debug, thiserror::Error)]
#[error(
    "STS does not take the code of the MFA device `{serial}`, which is good once and for half a minute: {}",
    message.trim()
)]
struct WrongCode {
    serial: String,
    message: String,
}

/// The session of a role.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) login: MfaLogin,
    /// A code is good for one session.
    credentials: OnceCell<Credentials>,
}

impl Session {
    pub(super) fn new(sts: aws_sdk_sts::Client, login: MfaLogin) -> Self {
        Self { sts, login, credentials: OnceCell::new() }
    }

    /// Returns the error of a refused call. STS refuses a code, a device that is not the user's, and
    /// what a policy denies by the same error code.
    fn refused(&self, error: SdkError<AssumeRoleError, HttpResponse>) -> CredentialsError {
        let refused = error.as_service_error().and_then(ProvideErrorMetadata::message);
        match refused.filter(|message| message.starts_with(NOT_THE_CODE)) {
            Some(message) => {
                let (serial, message) = (self.login.role.serial.clone(), message.to_owned());
                CredentialsError::provider_error(WrongCode { serial, message })
            }
            None => CredentialsError::provider_error(error),
        }
    }

    async fn begin(&self) -> provider::Result {
        let MfaLogin { role, code } = &self.login;
        let assume = self.sts.assume_role().role_arn(&role.role).serial_number(&role.serial);
        let assume = assume.token_code(&code.0).role_session_name(&role.session_name);
        let assume =
            assume.set_external_id(role.external_id.clone()).set_duration_seconds(role.duration);
        let session = assume.send().await.map_err(|error| self.refused(error))?;
        let keys = session
            .credentials
            .ok_or_else(|| CredentialsError::unhandled("the answer of STS holds no credentials"))?;
        let expires = keys.expiration.try_into().ok();
        Ok(Credentials::new(
            keys.access_key_id,
            keys.secret_access_key,
            Some(keys.session_token),
            expires,
            "mfa",
        ))
    }
}

impl ProvideCredentials for Session {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.credentials.get_or_try_init(|| self.begin()).await.cloned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::profile::load;
    use aws_runtime::env_config::file::EnvConfigFiles;
    use aws_types::os_shim_internal::{Env, Fs};
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;

    const ROLE: &str = "[default]\nrole_arn = arn:aws:iam::111122223333:role/a\nmfa_serial = arn:aws:iam::111122223333:mfa/ann\n";

    async fn role(config: &str) -> Result<Option<MfaRole>, Failure> {
        let env = Env::from_slice(&[("HOME", "/home")]);
        let fs = Fs::from_slice(&[("/home/.aws/config", config)]);
        MfaRole::of(&load(&fs, &env, &EnvConfigFiles::default(), None).await.unwrap())
    }

    #[tokio::test]
    async fn what_comes_before_the_device_is_had_or_refused() {
        let other = "[profile b]\naws_access_key_id = B\naws_secret_access_key = hush\n";
        for (more, base) in [
            (format!("source_profile = b\n{other}"), Base::Profile("b".to_owned())),
            ("credential_source = Environment\n".to_owned(), Base::Environment),
            (
                "source_profile = default\naws_access_key_id = B\naws_secret_access_key = hush\n"
                    .to_owned(),
                Base::Own(Key { id: "B".to_owned(), secret: Hidden("hush".to_owned()) }),
            ),
        ] {
            let role = role(&format!("{ROLE}{more}")).await.unwrap().unwrap();
            assert_eq!(role.base, base);
            assert!(!format!("{role:?}").contains("hush"));
        }
        for more in [
            "credential_source = Ec2InstanceMetadata\n",
            "source_profile = default\n",
            "source_profile = b\n[profile b]\nmfa_serial = arn:aws:iam::111122223333:mfa/bob\n",
        ] {
            let refused = role(&format!("{ROLE}{more}")).await.unwrap_err();
            assert!(refused.message.contains("`default`") && refused.message.contains("mfa/ann"));
        }
        let none = role("[default]\nmfa_serial = arn:aws:iam::111122223333:mfa/ann\n").await;
        assert_eq!(none, Ok(None));
    }

    /// Answers one call of STS; a second one would hang.
    fn sts() -> (String, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let (mut request, mut piece) = (String::new(), [0; 4096]);
            while !request.contains("Version=2011-06-15") {
                let length = client.read(&mut piece).unwrap();
                request.push_str(&String::from_utf8_lossy(&piece[..length]));
            }
            sender.send(request).unwrap();
            let body = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>cret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2126-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
            let status = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            client.write_all(format!("{status}{body}").as_bytes()).unwrap();
        });
        (url, receiver)
    }

    #[tokio::test]
    async fn the_role_is_assumed_once_with_the_code() {
        let more = "source_profile = default\naws_access_key_id = B\naws_secret_access_key = hush\nexternal_id = x\nduration_seconds = 7200\n";
        let role = role(&format!("{ROLE}{more}")).await.unwrap().unwrap();
        for wrong in ["", "12345", "12345a", "1234567"] {
            assert!(role.with_code(wrong).is_err(), "{wrong}");
        }
        let login = role.with_code("123456").unwrap();
        assert!(!format!("{login:?}").contains("123456"));
        let (url, receiver) = sts();
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .http_client(crate::aws::transport::plain())
            .region(aws_config::Region::new("us-east-1"))
            .credentials_provider(login.base(&ProviderConfig::empty()))
            .endpoint_url(url)
            .build();
        let session = Session::new(aws_sdk_sts::Client::new(&config), login);
        for _ in 0..2 {
            let credentials = session.provide_credentials().await.unwrap();
            assert_eq!(credentials.access_key_id(), "ASIA");
            assert_eq!(credentials.session_token(), Some("token"));
        }
        let asked = receiver.recv().unwrap();
        for part in [
            "Action=AssumeRole",
            "SerialNumber=arn%3Aaws%3Aiam%3A%3A111122223333%3Amfa%2Fann",
            "TokenCode=123456",
            "ExternalId=x",
            "DurationSeconds=7200",
            "Credential=B/",
        ] {
            assert!(asked.contains(part), "no {part}: {asked}");
        }
    }
}
