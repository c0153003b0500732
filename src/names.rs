//! The names of things on AWS, which `crrctl-iam` defines, and the names that crrctl gives. Each type checks itself in its constructor,
//! so that whoever holds one need not check again.
//! Not for: reading manifests (see `manifest`) or asking AWS whether a thing exists (see `observe`).

mod pair;
mod role;

pub use crrctl_iam::names::{
    AccountId, Arn, BucketName, InvalidName, KeyAlias, KeyId, Partition, Region, checked_name,
};
pub use pair::PairName;
pub use role::RoleName;
