//! Warns of a Region that this version does not know.
//! Not for: the Regions that it knows (see `names`), or whether a Region is enabled for an account (see
//! `check`).

use super::error::nearest;
use crate::names::{KNOWN_REGIONS, Region};

/// Returns a warning about a Region that this version does not know.
pub fn unknown_region(region: &Region) -> Option<String> {
    let name = region.as_str();
    if KNOWN_REGIONS.contains(&name) {
        return None;
    }
    let meant =
        nearest(name, KNOWN_REGIONS).map_or_else(String::new, |it| format!(": is `{it}` meant?"));
    Some(format!("this version of crrctl knows no Region `{name}`{meant}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_with_the_nearest_region() {
        let told = |name: &str| unknown_region(&Region::new(name).unwrap());
        assert_eq!(told("us-east-1"), None);
        assert!(told("us-esat-1").unwrap().contains("`us-east-1` meant"));
        assert!(!told("moon-base-9").unwrap().contains("meant"));
    }
}
