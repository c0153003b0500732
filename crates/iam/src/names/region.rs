//! Regions and their partitions. A new Region is accepted: only the shape of its name is checked.
//! Not for: whether a Region exists (see `known_regions`).

use super::checked_name;
use serde::Serialize;
use std::sync::Arc;

/// A Region such as `us-east-1`. Only its shape is checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);

checked_name!(Region, "Region", check);

fn check(text: &str) -> Result<(), &'static str> {
    const RULE: &str =
        "a Region looks like `us-east-1`: lower-case words and a number, joined by hyphens";
    let (words, number) = text.rsplit_once('-').ok_or(RULE)?;
    let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase());
    let shaped = text.len() <= 32
        && words.contains('-')
        && words.split('-').all(word)
        && (1..=2).contains(&number.len())
        && number.chars().all(|c| c.is_ascii_digit());
    if shaped { Ok(()) } else { Err(RULE) }
}

impl Region {
    /// Returns us-east-1, the Region of S3's global endpoint.
    pub fn us_east_1() -> Self {
        Self("us-east-1".into())
    }

    /// Returns the partition this Region's prefix belongs to.
    pub fn partition(&self) -> Partition {
        Partition::of_region(&self.0)
    }
}

/// An AWS partition. Accounts, ARNs, replication and multi-Region keys never span partitions.
/// Prefixes and DNS suffixes are those of botocore's `partitions.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[expect(missing_docs, reason = "each variant is the partition of that name")]
pub enum Partition {
    #[serde(rename = "aws")]
    Aws,
    #[serde(rename = "aws-cn")]
    AwsCn,
    #[serde(rename = "aws-us-gov")]
    AwsUsGov,
    #[serde(rename = "aws-eusc")]
    AwsEusc,
    #[serde(rename = "aws-iso")]
    AwsIso,
    #[serde(rename = "aws-iso-b")]
    AwsIsoB,
    #[serde(rename = "aws-iso-e")]
    AwsIsoE,
    #[serde(rename = "aws-iso-f")]
    AwsIsoF,
}

impl Partition {
    /// Each partition with its name in ARNs, the prefix of its Regions and its DNS suffix. Longer
    /// prefixes are first.
    const TABLE: [(Self, &'static str, &'static str, &'static str); 8] = [
        (Self::AwsIsoB, "aws-iso-b", "us-isob-", "sc2s.sgov.gov"),
        (Self::AwsIsoF, "aws-iso-f", "us-isof-", "csp.hci.ic.gov"),
        (Self::AwsIsoE, "aws-iso-e", "eu-isoe-", "cloud.adc-e.uk"),
        (Self::AwsIso, "aws-iso", "us-iso-", "c2s.ic.gov"),
        (Self::AwsUsGov, "aws-us-gov", "us-gov-", "amazonaws.com"),
        (Self::AwsEusc, "aws-eusc", "eusc-", "amazonaws.eu"),
        (Self::AwsCn, "aws-cn", "cn-", "amazonaws.com.cn"),
        (Self::Aws, "aws", "", "amazonaws.com"),
    ];

    fn of_region(region: &str) -> Self {
        Self::TABLE
            .iter()
            .find(|(_, _, prefix, _)| region.starts_with(prefix))
            .map_or(Self::Aws, |row| row.0)
    }

    /// Returns the partition with the name `name` in ARNs.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Returns the partition's name in ARNs, such as `aws-cn`.
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    /// Returns the suffix of the partition's service names, such as `amazonaws.com.cn`.
    pub fn dns_suffix(self) -> &'static str {
        self.row().3
    }

    fn row(self) -> (Self, &'static str, &'static str, &'static str) {
        Self::TABLE.into_iter().find(|row| row.0 == self).unwrap_or(Self::TABLE[7])
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_needs_only_the_right_shape() {
        for good in
            ["us-east-1", "xx-future-9", "us-gov-west-1", "eusc-de-east-1", "ap-southeast-12"]
        {
            assert!(Region::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "us-east",
            "us-1",
            "US-EAST-1",
            "us_east_1",
            "us-east-1a",
            "us--east-1",
            "-us-east-1",
            "us-east-123",
        ] {
            assert!(Region::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn partitions_come_from_the_longest_prefix() {
        for (region, partition) in [
            ("us-east-1", "aws"),
            ("xx-future-9", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("cn-north-1", "aws-cn"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(Region::new(region).unwrap().partition().as_str(), partition);
        }
        assert_eq!(Partition::from_name("aws-cn"), Some(Partition::AwsCn));
    }
}
