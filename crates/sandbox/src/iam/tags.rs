//! Tags of users and roles.
//! Not for: tags of other resources (see `kms::tags`, `s3control::tags`).

use crate::iam::call::{IamCall, invalid, truncation};
use crate::wire::paging::page;
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};

/// The most tags that a request or a resource has.
const MOST: usize = 50;
/// The characters of a tag.
const PATTERN: &str = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]";

/// How keys of tags are compared (IAM User Guide, "Tags for AWS IAM resources").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Users and roles: a key is that of another case too.
    AnyCase,
    /// Customer managed policies.
    Exact,
}

impl Keys {
    fn are_same(self, one: &str, other: &str) -> bool {
        one == other || (self == Self::AnyCase && one.to_lowercase() == other.to_lowercase())
    }
}

/// Merges `new` into `current`: a tag whose key exists replaces that tag (IAM API Reference,
/// `TagRole`).
pub(super) fn merged(
    current: &[(String, String)],
    new: Vec<(String, String)>,
    keys: Keys,
) -> Result<Vec<(String, String)>, Fault> {
    check(&new, keys)?;
    let mut tags = current.to_vec();
    for (name, value) in new {
        match tags.iter_mut().find(|(key, _)| keys.are_same(key, &name)) {
            Some(old) => *old = (name, value),
            None => tags.push((name, value)),
        }
    }
    if tags.len() > MOST {
        let text = "The number of tags has reached the maximum limit.";
        return Err(Fault::new(409, "LimitExceeded", text));
    }
    Ok(tags)
}

/// Checks the tags of a request. The texts are recorded answers of IAM (2026), but for that of
/// reserved keys, of which only the refusal is documented.
fn check(tags: &[(String, String)], keys: Keys) -> Result<(), Fault> {
    if tags.len() > MOST {
        return Err(violation("tags", &format!("have length less than or equal to {MOST}")));
    }
    for (n, (name, value)) in tags.iter().enumerate() {
        let member = |part: &str| format!("tags.{}.member.{part}", n + 1);
        if let Some(bound) = bound_of(name, 1, 128, "+") {
            return Err(violation(&member("key"), &bound));
        }
        if let Some(bound) = bound_of(value, 0, 256, "*") {
            return Err(violation(&member("value"), &bound));
        }
        if name.to_ascii_lowercase().starts_with("aws:") {
            let text = "System tags cannot be added/updated by requester";
            return Err(Fault::bad("InvalidInput", text));
        }
        if tags[..n].iter().any(|(other, _)| keys.are_same(other, name)) {
            let hint = match keys {
                Keys::AnyCase => " Please note that Tag keys are case insensitive.",
                Keys::Exact => "",
            };
            return Err(Fault::bad("InvalidInput", format!("Duplicate tag keys found.{hint}")));
        }
    }
    Ok(())
}

/// Checks the keys of an `Untag…` request. The texts are recorded answers of IAM (2026).
pub(super) fn check_names(names: &[String]) -> Result<(), Fault> {
    if names.len() > MOST {
        return Err(violation("tagKeys", &format!("have length less than or equal to {MOST}")));
    }
    if names.iter().all(|name| bound_of(name, 1, 128, "+").is_none()) {
        return Ok(());
    }
    let bound = format!(
        "satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: {PATTERN}+, Member must not be null]"
    );
    Err(violation("tagKeys", &bound))
}

/// Returns the bound that a text violates.
fn bound_of(text: &str, least: usize, most: usize, times: &str) -> Option<String> {
    let allowed = |c: char| {
        c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
    };
    match text.chars().count() {
        length if length < least => Some(format!("have length greater than or equal to {least}")),
        length if length > most => Some(format!("have length less than or equal to {most}")),
        _ if !text.chars().all(allowed) => {
            Some(format!("satisfy regular expression pattern: {PATTERN}{times}"))
        }
        _ => None,
    }
}

fn violation(member: &str, bound: &str) -> Fault {
    invalid(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must {bound}"
    ))
}

/// Returns tags as the XML members of an IAM response.
pub(super) fn elements(tags: &[(String, String)]) -> String {
    let member = |(key, value): &(String, String)| {
        wrapped("member", &(element("Key", key) + &element("Value", value)))
    };
    tags.iter().map(member).collect()
}

/// Returns the member `Tags` of a user or role, which AWS omits where there are none.
pub(super) fn element_of(tags: &[(String, String)]) -> String {
    if tags.is_empty() { String::new() } else { wrapped("Tags", &elements(tags)) }
}

/// IAM API Reference, `TagRole` and `TagUser`.
pub(super) fn add(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let new = call.params.tags("Tags");
    let (_, entity) = call.entity(operation)?;
    entity.tags = merged(&entity.tags, new, Keys::AnyCase)?;
    Ok(None)
}

/// IAM API Reference, `UntagRole` and `UntagUser`.
pub(super) fn remove(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let names = call.params.list("TagKeys");
    let tags = &mut call.entity(operation)?.1.tags;
    check_names(&names)?;
    tags.retain(|(name, _)| !names.iter().any(|gone| Keys::AnyCase.are_same(gone, name)));
    Ok(None)
}

/// IAM API Reference, `ListRoleTags` and `ListUserTags`.
pub(super) fn list(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let (marker, limit) = (call.params.get("Marker"), call.limit()?);
    let tags = call.entity(operation)?.1.tags.clone();
    let page = page(tags, marker, limit, |(name, _)| name.clone());
    Ok(Some(wrapped("Tags", &elements(&page.items)) + &truncation(page.next.as_deref())))
}
