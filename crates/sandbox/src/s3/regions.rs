//! The Regions that S3 takes where a request names one.
//! Not for: the Regions in which the sandbox has buckets, which may have any name.

use crrctl_iam::names::{KNOWN_REGIONS, Partition, Region};

/// Returns whether S3 knows this Region. Outside of the isolated partitions it knows none of theirs.
pub(super) fn is_region(name: &str) -> bool {
    use Partition::{Aws, AwsCn, AwsEusc, AwsUsGov};
    let is_isolated =
        |region: Region| !matches!(region.partition(), Aws | AwsCn | AwsEusc | AwsUsGov);
    KNOWN_REGIONS.contains(&name) && !Region::new(name).is_ok_and(is_isolated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_of_isolated_partitions_are_not_among_them() {
        assert!(is_region("eu-central-1") && !is_region("eu-east-1"));
        assert!(is_region("us-gov-west-1") && !is_region("us-iso-east-1"));
        assert_eq!(KNOWN_REGIONS.iter().filter(|it| is_region(it)).count(), 39);
    }
}
