//! Names of general purpose buckets.
//! Not for: whether a bucket exists.

use super::{Arn, Partition, checked_name};
use std::sync::Arc;

/// A name of a general purpose bucket.
/// Rules: S3 User Guide, "General purpose bucket naming rules".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(Arc<str>);

checked_name!(BucketName, "bucket name", check);

fn check(text: &str) -> Result<(), &'static str> {
    const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
    const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    if !(3..=63).contains(&text.len()) {
        return Err("it must be 3 to 63 characters long");
    }
    let is_allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if !text.chars().all(is_allowed) {
        return Err("only lower-case letters, digits, hyphens and dots are allowed");
    }
    let ends = [text.chars().next(), text.chars().last()];
    if ends.iter().flatten().any(|c| matches!(c, '-' | '.')) {
        return Err("it must begin and end with a letter or a digit");
    }
    if text.contains("..") {
        return Err("two dots in a row are not allowed");
    }
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err("it must not look like an IP address");
    }
    if RESERVED_PREFIXES.iter().any(|p| text.starts_with(p)) {
        return Err("the prefixes `xn--`, `sthree-` and `amzn-s3-demo-` are reserved");
    }
    if RESERVED_SUFFIXES.iter().any(|s| text.ends_with(s)) {
        return Err(
            "the suffixes `-s3alias`, `--ol-s3`, `.mrap`, `--x-s3` and `--table-s3` are reserved",
        );
    }
    Ok(())
}

impl BucketName {
    /// Returns the bucket's ARN in `partition`. ARNs in S3 contain neither Region nor account.
    pub fn arn(&self, partition: Partition) -> Arn {
        Arn::known(partition, "s3", "", "", self.as_str())
    }

    /// Returns the ARN of the object `key` in this bucket.
    pub fn object_arn(&self, partition: Partition, key: &str) -> Arn {
        Arn::known(partition, "s3", "", "", &format!("{self}/{key}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_naming_rules() {
        for good in ["abc", "orders-src-111122223333", "a.b.c", "1-2", &"a".repeat(63)] {
            assert!(BucketName::new(good).is_ok(), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in [
            "ab",
            &too_long,
            "Abc",
            "a_b",
            "-abc",
            "abc-",
            ".abc",
            "a..b",
            "192.168.5.4",
            "xn--abc",
            "abc-s3alias",
            "abc--x-s3",
        ] {
            assert!(BucketName::new(bad).is_err(), "{bad}");
        }
    }
}
