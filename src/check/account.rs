//! Who calls, and whether every Region answers.

use super::Finding;
use super::seen::Seen;
use crate::aws::{Aws, Class};
use crate::failure::Failure;
use crate::manifest::{Manifest, Topology};
use crate::observe;

pub(super) async fn identity(
    aws: &Aws,
    manifest: &Manifest,
) -> Result<(Topology, Finding), Failure> {
    let account = observe::account(aws).await?;
    aws.expect_owner(&account);
    let detail = format!("account {account}");
    Ok((manifest.topology(&account)?, Finding::pass("identity", detail)))
}

/// In a Region that is not enabled, AWS does not know the account's credentials, which are good elsewhere.
pub(super) fn regions(seen: &Seen) -> Vec<Finding> {
    let enable = "enable the Region for the account (AWS Account Management, \"Enable or disable AWS Regions\")";
    let of_region = |(region, key): (&_, &super::seen::KeySeen)| {
        let finding = match &key.named {
            Err(error) if error.class == Class::Credentials => {
                Finding::fail("region.enabled", error.to_string(), enable)
            }
            Err(error) if matches!(error.code.as_str(), "ConnectionFailed" | "TimedOut") => {
                let remedy = "check the Region's name, the network and the endpoint";
                Finding::fail("region.enabled", error.to_string(), remedy)
            }
            _ => Finding::pass("region.enabled", "it answers"),
        };
        finding.at(region)
    };
    seen.keys.iter().map(of_region).collect()
}
