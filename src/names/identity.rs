//! Whose things are: the account, and the pair that crrctl manages.

use super::{checked_name, lower_alphanumeric_or};

/// A 12-digit AWS account id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);

checked_name!(AccountId, "account id", check_account);

fn check_account(text: &str) -> Result<(), &'static str> {
    let digits = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { Ok(()) } else { Err("an account id is 12 digits") }
}

/// The name of a pair: what its resources are named after and tagged with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairName(String);

checked_name!(PairName, "pair name", check_pair);

fn check_pair(text: &str) -> Result<(), &'static str> {
    if !(1..=32).contains(&text.len()) || !lower_alphanumeric_or(text, &['-']) {
        return Err("1 to 32 lower-case letters, digits and hyphens are allowed");
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err("it must begin and end with a letter or a digit");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_and_pairs_are_checked() {
        assert!(AccountId::new("111122223333").is_ok());
        assert!(AccountId::new("11112222333").is_err());
        assert!(PairName::new("orders-2").is_ok());
        for bad in ["", "Orders", "a_b", "-a", "a-", &"a".repeat(33)] {
            assert!(PairName::new(bad).is_err(), "{bad}");
        }
    }
}
