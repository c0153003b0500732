//! Names of IAM roles.
//! Not for: whether a role exists (see `observe`).

use super::{AccountId, Arn, Partition, checked_name};
use std::sync::Arc;

/// The name of an IAM role, without its path.
/// Rules: IAM User Guide, "IAM and AWS STS quotas, name requirements, and character limits".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(Arc<str>);

checked_name!(RoleName, "role name", check);

fn check(text: &str) -> Result<(), &'static str> {
    if !(1..=64).contains(&text.len()) {
        return Err("it must be 1 to 64 characters long");
    }
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)) {
        return Err("letters, digits and `_+=,.@-` are allowed");
    }
    Ok(())
}

impl RoleName {
    /// The path under which crrctl creates its roles.
    pub const PATH: &'static str = "/crrctl/";

    /// Returns the ARN of the role of this name under [`Self::PATH`].
    pub fn arn(&self, partition: Partition, account: &AccountId) -> Arn {
        Arn::known(partition, "iam", "", account.as_str(), &format!("role{}{self}", Self::PATH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_names_are_checked() {
        assert!(RoleName::new("crrctl-demo-us-east-1").is_ok());
        for bad in ["", "a b", "a/b", &"a".repeat(65)] {
            assert!(RoleName::new(bad).is_err(), "{bad}");
        }
        let arn = RoleName::new("r")
            .unwrap()
            .arn(Partition::Aws, &AccountId::new("111122223333").unwrap());
        assert_eq!(arn.as_str(), "arn:aws:iam::111122223333:role/crrctl/r");
    }
}
