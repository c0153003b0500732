//! The caller's identity, and whether every Region answers.
//! Not for: permissions (see `proof`).

use super::Finding;
use super::seen::Seen;
use crate::aws::{Aws, Class, Error};
use crate::failure::Failure;
use crate::manifest::{Manifest, Topology};
use crate::names::{AccountId, Region};
use crate::observe;
use std::collections::BTreeMap;

pub(super) async fn identity(
    aws: &Aws,
    manifest: &Manifest,
    home: Option<&AccountId>,
) -> Result<(Topology, Finding), Failure> {
    let topology = match home {
        Some(home) => observe::identified_without(aws, manifest, home).await?,
        None => observe::identified(aws, manifest).await?,
    };
    let accounts: Vec<String> = topology.accounts().iter().map(ToString::to_string).collect();
    let word = if accounts.len() > 1 { "accounts" } else { "account" };
    let detail = format!("{word} {}", accounts.join(", "));
    Ok((topology, Finding::pass("identity", detail)))
}

/// In a Region that is not enabled, AWS rejects credentials that are valid in other Regions.
pub(super) fn regions(seen: &Seen) -> Vec<Finding> {
    let enable = "enable the Region for the account (AWS Account Management, \"Enable or disable AWS Regions\")";
    let of_region = |(region, error): (&Region, Option<&Error>)| {
        let finding = match error {
            Some(error) if error.class == Class::Credentials => {
                Finding::fail("region.enabled", error.to_string(), enable)
            }
            Some(error) if error.is_unreachable() => {
                let remedy = "check the Region's name, the network and the endpoint";
                Finding::fail("region.enabled", error.to_string(), remedy)
            }
            _ => Finding::pass("region.enabled", "it answers"),
        };
        finding.at(region)
    };
    let mut regions: BTreeMap<&Region, Option<&Error>> = BTreeMap::new();
    for (side, bucket) in &seen.buckets {
        let key = seen.keys.get(&side.bucket).and_then(|key| key.named.as_ref().err());
        let error = key.or_else(|| bucket.head.as_ref().err());
        let known = regions.entry(&side.region).or_default();
        *known = known.or(error);
    }
    regions.into_iter().map(of_region).collect()
}
