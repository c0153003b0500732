//! Names of pairs.
//! Not for: reading manifests (see `manifest`).

use super::checked_name;
use std::sync::Arc;

/// The name of a pair. The names of the pair's resources derive from it, and their tags contain it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairName(Arc<str>);

checked_name!(PairName, "pair name", check_pair);

impl PairName {
    /// Returns the prefix of the ids of all rules that crrctl creates for the pair. A pair's name has no
    /// dot, so the rules of other pairs have other prefixes.
    pub fn rule_prefix(&self) -> String {
        format!("crrctl.{self}.")
    }
}

fn check_pair(text: &str) -> Result<(), &'static str> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !(1..=32).contains(&text.len()) || !text.chars().all(is_allowed) {
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
    fn pair_names_are_checked() {
        assert!(PairName::new("orders-2").is_ok());
        for bad in ["", "Orders", "a_b", "-a", "a-", &"a".repeat(33)] {
            assert!(PairName::new(bad).is_err(), "{bad}");
        }
    }
}
