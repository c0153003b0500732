//! Tags of users and roles.
//! Not for: tags of other resources (see `kms::tags`, `s3control::tags`).

use crate::iam::call::{IamCall, invalid, truncation};
use crate::wire::paging::page;
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};

/// Merges `new` into `current`: a tag whose key exists replaces the value (IAM API Reference,
/// `TagRole`; 50 tags at most).
pub(super) fn merged(
    current: &[(String, String)],
    new: Vec<(String, String)>,
) -> Result<Vec<(String, String)>, Fault> {
    let mut tags = current.to_vec();
    for (name, value) in new {
        if !(1..=128).contains(&name.chars().count()) || value.chars().count() > 256 {
            return Err(invalid(format!("Invalid tag {name}")));
        }
        match tags.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => tags.push((name, value)),
        }
    }
    if tags.len() > 50 {
        let text = "The number of tags has reached the maximum limit.";
        return Err(Fault::new(409, "LimitExceeded", text));
    }
    Ok(tags)
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
    entity.tags = merged(&entity.tags, new)?;
    Ok(None)
}

/// IAM API Reference, `UntagRole` and `UntagUser`.
pub(super) fn remove(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let names = call.params.list("TagKeys");
    call.entity(operation)?.1.tags.retain(|(name, _)| !names.contains(name));
    Ok(None)
}

/// IAM API Reference, `ListRoleTags` and `ListUserTags`.
pub(super) fn list(call: &mut IamCall<'_>, operation: &str) -> XmlOutput {
    let (marker, limit) = (call.params.get("Marker"), call.limit()?);
    let tags = call.entity(operation)?.1.tags.clone();
    let page = page(tags, marker, limit, |(name, _)| name.clone());
    Ok(Some(wrapped("Tags", &elements(&page.items)) + &truncation(page.next.as_deref())))
}
