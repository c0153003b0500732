//! Endpoints of a side: where each service is called in its Region.
//! Not for: endpoints of the environment or a profile, which the SDK reads (see `aws`).

use super::topology::{Manifest, Topology};
use crate::names::{EndpointUrl, Region};
use std::collections::BTreeMap;

/// A service that can have an endpoint of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is the service of that name")]
pub enum Service {
    CloudWatch,
    Iam,
    Kms,
    S3,
    S3Control,
    Sts,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 6] =
        [Self::CloudWatch, Self::Iam, Self::Kms, Self::S3, Self::S3Control, Self::Sts];

    /// Returns the key of the manifest. Terraform's provider has the same, without `_`.
    pub fn key(self) -> &'static str {
        match self {
            Self::CloudWatch => "cloudwatch",
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::S3 => "s3",
            Self::S3Control => "s3_control",
            Self::Sts => "sts",
        }
    }

    /// Returns whether the service is called once for each set of credentials, not in each Region.
    pub fn is_by_account(self) -> bool {
        matches!(self, Self::Iam | Self::Sts)
    }
}

/// The endpoints of the services in one Region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints(pub(super) BTreeMap<Service, EndpointUrl>);

impl Endpoints {
    /// Returns the endpoint of a service.
    pub fn of(&self, service: Service) -> Option<&EndpointUrl> {
        self.0.get(&service)
    }

    /// Returns every endpoint.
    pub fn all(&self) -> impl Iterator<Item = (Service, &EndpointUrl)> {
        self.0.iter().map(|(service, url)| (*service, url))
    }
}

impl Manifest {
    /// Returns the endpoints by Region.
    pub fn endpoints(&self) -> &BTreeMap<Region, Endpoints> {
        &self.endpoints
    }
}

impl Topology {
    /// Returns the endpoints in `region`, if the manifest names any.
    pub fn endpoints(&self, region: &Region) -> Option<&Endpoints> {
        self.wanted.endpoints.get(region)
    }
}
