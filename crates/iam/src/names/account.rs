//! Ids of AWS accounts.
//! Not for: whether an account exists.

use super::checked_name;
use std::sync::Arc;

/// A 12-digit AWS account id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Arc<str>);

checked_name!(AccountId, "account id", check_account);

impl AccountId {
    /// Returns twelve zeros, an id that no account has.
    pub fn nobody() -> Self {
        Self("0".repeat(12).into())
    }
}

fn check_account(text: &str) -> Result<(), &'static str> {
    let digits = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { Ok(()) } else { Err("an account id is 12 digits") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_checked() {
        assert!(AccountId::new("111122223333").is_ok());
        assert!(AccountId::new("11112222333").is_err());
    }
}
