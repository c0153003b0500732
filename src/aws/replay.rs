//! Sends a request of a recording to a stand-in for AWS, and returns its answer as it came.
//! Not for: which requests are sent (see `cli::compare`).

use super::Aws;
use super::raw_request::Service as Endpoint;
use crate::names::Region;
use crate::recording::{Service, encode::Written};

/// An answer, as it came over the wire.
#[derive(Debug, Clone, Default)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Aws {
    /// Sends a request once, with the credentials of the source. Refusals are answers too.
    ///
    /// # Errors
    /// There is no answer; the text says why.
    pub async fn replayed(
        &self,
        region: &Region,
        service: Service,
        request: Written,
    ) -> Result<Answered, String> {
        let (id, signing_name) = match service {
            Service::S3 => ("S3", "s3"),
            Service::S3Control => ("S3 Control", "s3"),
            Service::Kms => ("KMS", "kms"),
            Service::Iam => ("IAM", "iam"),
            Service::Sts => ("STS", "sts"),
            Service::CloudWatch => ("CloudWatch", "monitoring"),
            Service::CloudTrail => ("CloudTrail", "cloudtrail"),
        };
        let endpoint = self.endpoint().unwrap_or_default().to_owned();
        let service = Endpoint { id, signing_name, given: Some(endpoint.clone()), endpoint };
        self.caller(self.home()).answer(region, &service, request).await
    }
}
