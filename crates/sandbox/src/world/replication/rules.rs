//! Matches replication rules to objects. Not for: checking a replication configuration in a request
//! (see `s3::rules`).

use crate::world::buckets::Object;
use s3s::dto::{ReplicationRule, ReplicationRuleFilter, ReplicationRuleStatus, Tag};

/// Returns whether a rule uses the old schema, which has a Prefix instead of a Filter. Delete
/// markers replicate under the old schema.
pub(crate) fn is_v1(rule: &ReplicationRule) -> bool {
    rule.filter.is_none()
}

pub(crate) fn tags_of(filter: &ReplicationRuleFilter) -> impl Iterator<Item = &Tag> {
    let joined = filter.and.as_ref().and_then(|and| and.tags.as_ref()).into_iter().flatten();
    filter.tag.iter().chain(joined)
}

/// Returns whether a rule is enabled and applies to a version. `object` is `None` for a delete
/// marker, which has no tags.
pub(crate) fn matches(rule: &ReplicationRule, key: &str, object: Option<&Object>) -> bool {
    if rule.status.as_str() != ReplicationRuleStatus::ENABLED {
        return false;
    }
    let Some(filter) = &rule.filter else {
        return key.starts_with(rule.prefix.as_deref().unwrap_or_default());
    };
    let joined = filter.and.as_ref().and_then(|and| and.prefix.as_deref());
    let prefix = filter.prefix.as_deref().or(joined).unwrap_or_default();
    let has = |tag: &Tag| {
        object.is_some_and(|object| {
            object.tags.iter().any(|(key, value)| {
                tag.key.as_ref() == Some(key) && tag.value.as_deref().unwrap_or_default() == value
            })
        })
    };
    key.starts_with(prefix) && tags_of(filter).all(has)
}
