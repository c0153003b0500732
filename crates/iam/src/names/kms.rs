//! Names in KMS: key ids and aliases.
//! Not for: whether a key or an alias exists.

use super::{AccountId, Arn, Region, checked_name};
use std::sync::Arc;

/// A key id: `mrk-…` for multi-Region keys, otherwise a UUID. A multi-Region key has the same id in
/// all its Regions (KMS Developer Guide, "Multi-Region keys in AWS KMS").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Arc<str>);

checked_name!(KeyId, "key id", check_id);

fn check_id(text: &str) -> Result<(), &'static str> {
    let shaped = (1..=256).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if shaped {
        Ok(())
    } else {
        Err("a key id is letters, digits and hyphens, such as `mrk-0123…`")
    }
}

impl KeyId {
    /// Returns the ARN of this key in `region`. A multi-Region key has the same id in every Region.
    pub fn arn(&self, region: &Region, account: &AccountId) -> Arn {
        Arn::known(
            region.partition(),
            "kms",
            region.as_str(),
            account.as_str(),
            &format!("key/{self}"),
        )
    }

    /// Returns whether this is the id of a multi-Region key.
    pub fn is_multi_region(&self) -> bool {
        self.0.starts_with("mrk-")
    }
}

/// A key alias with its prefix, such as `alias/crrctl/orders`.
/// Rules: KMS API Reference, `CreateAlias`; `alias/aws/` is reserved for AWS managed keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyAlias(Arc<str>);

checked_name!(KeyAlias, "key alias", check_alias);

fn check_alias(text: &str) -> Result<(), &'static str> {
    let Some(rest) = text.strip_prefix("alias/") else { return Err("it must begin with `alias/`") };
    if rest.is_empty() || text.len() > 256 {
        return Err("it must be 1 to 256 characters long");
    }
    if rest.starts_with("aws/") || rest == "aws" {
        return Err("`alias/aws/` is reserved for AWS managed keys");
    }
    if !rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-')) {
        return Err("letters, digits, `/`, `_` and `-` are allowed after `alias/`");
    }
    Ok(())
}

impl KeyAlias {
    /// Returns the alias's ARN. An alias belongs to one Region; every Region can have an alias of
    /// the same name.
    pub fn arn(&self, region: &Region, account: &AccountId) -> Arn {
        Arn::known(region.partition(), "kms", region.as_str(), account.as_str(), self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_checked() {
        for good in ["alias/a", "alias/crrctl/demo", "alias/awsome"] {
            assert!(KeyAlias::new(good).is_ok(), "{good}");
        }
        for bad in ["", "crrctl", "alias/", "alias/aws/x", "alias/a b", "alias/ä"] {
            assert!(KeyAlias::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_multi_region_key_has_one_id_in_every_region() {
        let (id, account) =
            (KeyId::new("mrk-0123").unwrap(), AccountId::new("111122223333").unwrap());
        assert!(id.is_multi_region());
        for region in ["us-east-1", "cn-north-1"] {
            let region = Region::new(region).unwrap();
            let expected =
                format!("arn:{}:kms:{region}:111122223333:key/mrk-0123", region.partition());
            assert_eq!(id.arn(&region, &account).as_str(), expected);
        }
    }
}
