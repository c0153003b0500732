//! Validates the tags of resources and the tags in rule filters.
//! Not for: crrctl's own tags (see `topology`).

use super::super::error::Located;
use super::super::raw::RawTags;
use super::Checked;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// Maximum number of user tags. A resource can have 50 tags, of which crrctl uses up to 5.
const MAX_TAGS: usize = 45;
/// An object can have at most 10 tags (S3 User Guide, "Categorizing your objects using tags").
const MAX_OBJECT_TAGS: usize = 10;

/// Validates the tags of resources against the limits that KMS, IAM, and S3 have in common
/// ("Tagging AWS resources", limits).
pub(super) fn of_resources(raw: &RawTags) -> Checked<BTreeMap<String, String>> {
    let tags = checked("tags", raw, &["aws:", "crrctl:"])?;
    if let Some((key, given)) = raw.iter().nth(MAX_TAGS) {
        let message = format!("{} tags: {MAX_TAGS} are allowed beside crrctl's own", raw.len());
        return Err(Located::at(given.referenced, format!("tags.{key}"), message));
    }
    Ok(tags)
}

/// Validates the tags of a filter. An object must have all of them.
pub(super) fn of_objects(
    path: &str,
    raw: Option<&Spanned<RawTags>>,
) -> Checked<BTreeMap<String, String>> {
    let Some(raw) = raw else { return Ok(BTreeMap::new()) };
    let tags = checked(path, &raw.value, &["aws:"])?;
    if tags.len() > MAX_OBJECT_TAGS {
        let message = format!(
            "{} tags: an object bears at most {MAX_OBJECT_TAGS}, so none would be selected",
            tags.len()
        );
        return Err(Located::at(raw.referenced, path, message));
    }
    Ok(tags)
}

fn checked(path: &str, raw: &RawTags, reserved: &[&str]) -> Checked<BTreeMap<String, String>> {
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " +-=._:/@".contains(c));
    let check = |(key, given): (&String, &Spanned<String>)| {
        let refuse =
            |message: String| Err(Located::at(given.referenced, format!("{path}.{key}"), message));
        if key.is_empty() || key.chars().count() > 128 || given.value.chars().count() > 256 {
            return refuse("a tag's key has 1 to 128 characters, its value at most 256".to_owned());
        }
        if !plain(key) || !plain(&given.value) {
            return refuse("letters, digits, spaces and `+-=._:/@` are allowed in tags".to_owned());
        }
        if reserved.iter().any(|reserved| key.to_ascii_lowercase().starts_with(reserved)) {
            let reserved = reserved.join("` or `");
            return refuse(format!("keys that begin with `{reserved}` are reserved"));
        }
        Ok((key.clone(), given.value.clone()))
    };
    raw.iter().map(check).collect()
}
