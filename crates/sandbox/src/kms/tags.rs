//! Tags of KMS keys. A replica key has its own tags.
//! Not for: tags of other resources (see `iam::tags`, `s3control::tags`).

use super::find::{managed, not_pending};
use super::lists::{clip, truncated};
use crate::kms::call::{KmsCall, invalid};
use crate::wire::Fault;
use crate::wire::paging::page;
use crate::world::Slow;
use crrctl_iam::Context;
use serde::Deserialize;
use serde_json::{Value, json};

/// A tag with the member names that KMS uses.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tag {
    pub(super) tag_key: String,
    pub(super) tag_value: String,
}

/// Merges `new` into `current`: a tag whose key exists replaces the value (KMS API Reference,
/// `Tag`; 50 tags per key). A reserved key, a duplicate and too many tags are a `TagException`, a
/// length out of bounds a `ValidationException`.
pub(super) fn checked(
    new: Vec<Tag>,
    current: &[(String, String)],
) -> Result<Vec<(String, String)>, Fault> {
    let mut tags = current.to_vec();
    for (index, tag) in new.iter().enumerate() {
        check_lengths(index + 1, tag)?;
    }
    for (index, Tag { tag_key, .. }) in new.iter().enumerate() {
        if tag_key.to_lowercase().starts_with("aws:") {
            return Err(Fault::bad("TagException", "Tags beginning with aws: are reserved"));
        }
        // The text is our own.
        if new[..index].iter().any(|other| other.tag_key == *tag_key) {
            return Err(Fault::bad("TagException", format!("Duplicate tag key {tag_key}")));
        }
    }
    for Tag { tag_key, tag_value } in new {
        match tags.iter_mut().find(|(key, _)| *key == tag_key) {
            Some((_, value)) => *value = tag_value,
            None => tags.push((tag_key, tag_value)),
        }
    }
    if tags.len() > 50 {
        return Err(Fault::bad("TagException", "Too many tags"));
    }
    Ok(tags)
}

fn check_lengths(number: usize, tag: &Tag) -> Result<(), Fault> {
    let refused = |text: &str, member: &str, bound: &str| {
        invalid(format!(
            "1 validation error detected: Value '{text}' at 'tags.{number}.member.{member}' failed to satisfy constraint: Member must have length {bound}"
        ))
    };
    match tag.tag_key.chars().count() {
        0 => return Err(refused("", "tagKey", "greater than or equal to 1")),
        1..=128 => {}
        _ => return Err(refused(&tag.tag_key, "tagKey", "less than or equal to 128")),
    }
    if tag.tag_value.chars().count() > 256 {
        return Err(refused(&tag.tag_value, "tagValue", "less than or equal to 256"));
    }
    Ok(())
}

/// Returns tags with the member names that KMS uses.
pub(super) fn rendered(tags: &[(String, String)]) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({"TagKey": key, "TagValue": value})).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagResource {
    key_id: String,
    tags: Vec<Tag>,
}

/// KMS API Reference, `TagResource`: adds tags and overwrites the values of existing tag keys.
pub(super) fn add(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: TagResource = call.input()?;
    let context = super::conditions::of_tags(&input.tags);
    let id = call.key_with("kms:TagResource", &input.key_id, context)?;
    let arn = call.arn(&id);
    let (now, listed) = (call.state.now(), call.state.done_at(Slow::List));
    let key = call.state.kms.key_mut(call.caller, &id)?;
    not_pending(key, &arn)?;
    if key.aws_managed {
        return Err(managed(&arn));
    }
    let tags = checked(input.tags, &key.tags)?;
    key.tags.set(tags, now, listed);
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UntagResource {
    key_id: String,
    tag_keys: Vec<String>,
}

/// KMS API Reference, `UntagResource`.
pub(super) fn remove(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: UntagResource = call.input()?;
    let mut context = Context::new();
    if !input.tag_keys.is_empty() {
        context.set_all("aws:TagKeys", input.tag_keys.iter());
    }
    let id = call.key_with("kms:UntagResource", &input.key_id, context)?;
    let arn = call.arn(&id);
    let (now, listed) = (call.state.now(), call.state.done_at(Slow::List));
    let key = call.state.kms.key_mut(call.caller, &id)?;
    not_pending(key, &arn)?;
    let mut tags = (*key.tags).clone();
    tags.retain(|(name, _)| !input.tag_keys.contains(name));
    key.tags.set(tags, now, listed);
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListResourceTags {
    key_id: String,
    limit: Option<i64>,
    marker: Option<String>,
}

/// KMS API Reference, `ListResourceTags`.
pub(super) fn list(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: ListResourceTags = call.input()?;
    let id = call.key("kms:ListResourceTags", &input.key_id)?;
    let tags = call.state.kms.key(call.caller, &id)?.tags.at(call.state.now()).clone();
    let limit = clip(input.limit, 50, 50)?;
    let page = page(tags, input.marker.as_deref(), limit, |(name, _)| name.clone());
    Ok(truncated(json!({"Tags": rendered(&page.items)}), page.next))
}
