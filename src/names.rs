//! Names of AWS accounts, Regions and resources, which `crrctl-iam` defines, and names that crrctl
//! gives. The constructor of each type checks the name, so that a value of the type needs no
//! further check.
//! Not for: reading manifests (see `manifest`) or asking AWS whether a resource exists (see
//! `observe`).

mod endpoint;
mod pair;
mod role;

pub use crrctl_iam::names::{
    AccountId, Arn, BucketName, InvalidName, KNOWN_REGIONS, KeyAlias, KeyId, Partition, Region,
    checked_name, is_channel_name,
};
pub use endpoint::EndpointUrl;
pub use pair::PairName;
pub use role::RoleName;
