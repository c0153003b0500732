//! Who calls, and where: what a run says of itself.
//! Not for: finding out the account (see `observe`).

use super::{Aws, Caller};
use crate::failure::{Failure, Kind};
use crate::names::{AccountId, EndpointUrl, Region};
use aws_types::service_config::ServiceConfigKey;

/// The services that are called, by the ids that their endpoints are configured under.
const SERVICES: [&str; 8] = [
    "S3",
    "KMS",
    "IAM",
    "STS",
    "S3 Control",
    "CloudWatch",
    "CloudTrail",
    "Resource Groups Tagging API",
];

impl Caller {
    /// Returns whether S3 is called at an endpoint that the user gave. Names of buckets are then in
    /// the path: few of these endpoints have a host for each bucket.
    pub(super) fn is_given_an_endpoint(&self) -> bool {
        self.config.endpoint_url().is_some() || self.configured_endpoint("S3").is_some()
    }

    /// Returns the endpoint of a service that the environment or the profile names, by the id of the
    /// service, such as `CloudWatch`.
    pub(in crate::aws) fn configured_endpoint(&self, service: &'static str) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        self.config.service_config()?.load_config(key.ok()?)
    }
}

impl Aws {
    /// Returns the endpoint of every service, if one is given.
    pub fn endpoint(&self) -> Option<&str> {
        self.caller(&self.home).config.endpoint_url()
    }

    /// Refuses an endpoint of the environment or of a profile that is no URL: the SDK would tell it by
    /// a request that fails. What was given is not told: it may hold a password.
    ///
    /// # Errors
    /// The endpoint of a service is not a URL.
    pub fn with_valid_endpoints(self) -> Result<Self, Failure> {
        for service in SERVICES {
            let wrong = self.callers.iter().find_map(|(_, caller)| {
                let given = caller.config.endpoint_url().map(str::to_owned);
                let given = given.or_else(|| caller.configured_endpoint(service))?;
                EndpointUrl::new(&given).err()
            });
            if let Some(error) = wrong {
                let rule = error.rule;
                let message = format!("the endpoint of {service} is not a URL of one: {rule}");
                let name = service.to_uppercase().replace(' ', "_");
                return Err(Failure::new(Kind::Manifest, "usage", message).hint(format!(
                    "an endpoint looks like `http://127.0.0.1:4700`: correct AWS_ENDPOINT_URL, \
                     AWS_ENDPOINT_URL_{name} or `endpoint_url` of the profile"
                )));
            }
        }
        Ok(self)
    }

    /// Keeps the ARN that STS returned for the credentials of `region`.
    pub fn identified(&self, region: &Region, arn: Option<&str>) {
        if let Some(arn) = arn {
            self.caller(region).identity.get_or_init(|| arn.to_owned());
        }
    }

    /// Returns for whom and where a run works: the source's account, the caller, the endpoint.
    pub fn described(&self, account: &AccountId) -> String {
        let caller = self.identity().map_or_else(String::new, |arn| format!(" as {arn}"));
        let endpoint = self.endpoint().map_or_else(String::new, |url| format!(" at {url}"));
        format!("account {account}{caller}{endpoint}")
    }

    /// Returns the ARN of the source's credentials, once STS returned it.
    pub fn identity(&self) -> Option<&str> {
        self.caller(&self.home).identity.get().map(String::as_str)
    }
}
