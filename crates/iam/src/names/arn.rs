//! Amazon Resource Names.
//! Not for: ARN patterns with wildcards (see `pattern`).

use super::{InvalidName, Partition};
use std::sync::Arc;

/// An ARN, `arn:partition:service:region:account:resource`, stored as text and split on access.
/// Format: IAM User Guide, "Identify AWS resources with Amazon Resource Names (ARNs)".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn(Arc<str>);

super::checked_name!(Arn, "ARN", check);

fn check(text: &str) -> Result<(), &'static str> {
    const RULE: &str = "an ARN looks like `arn:aws:kms:us-east-1:111122223333:key/mrk-0123`";
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [scheme, partition, service, _, account, resource] = parts[..] else { return Err(RULE) };
    let shaped = scheme == "arn"
        && Partition::from_name(partition).is_some()
        && !service.is_empty()
        && !resource.is_empty()
        && (account.is_empty()
            || account == "aws"
            || (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '"' || c == '\\');
    if shaped { Ok(()) } else { Err(RULE) }
}

impl Arn {
    /// Returns the ARN as text that is shared.
    pub fn into_text(self) -> Arc<str> {
        self.0
    }

    /// Builds an ARN from parts that are already valid.
    pub fn known(
        partition: Partition,
        service: &str,
        region: &str,
        account: &str,
        resource: &str,
    ) -> Self {
        Self(format!("arn:{partition}:{service}:{region}:{account}:{resource}").into())
    }

    /// Returns the name of the ARN's partition, such as `aws-cn`.
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// Returns the service, such as `kms`.
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// Returns the Region; empty for global services and for S3.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// Returns the account id; empty for S3.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// Returns everything after the fifth colon, such as `key/mrk-0123`.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    fn part(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }
}

impl TryFrom<&str> for Arn {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_split_at_the_first_five_colons() {
        let arn = Arn::new("arn:aws:iam::111122223333:role/a:b/c").unwrap();
        assert_eq!((arn.partition(), arn.service(), arn.region()), ("aws", "iam", ""));
        assert_eq!((arn.account(), arn.resource()), ("111122223333", "role/a:b/c"));
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for bad in [
            "",
            "arn",
            "arn:aws:s3",
            "arn:nope:s3:::b",
            "arn:aws:s3:::",
            "arn:aws:s3::12:b",
            "arn:aws:s3:::a b",
        ] {
            assert!(Arn::new(bad).is_err(), "{bad}");
        }
    }
}
