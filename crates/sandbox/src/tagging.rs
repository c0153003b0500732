//! The Resource Groups Tagging API: `GetResources`, the index of tags, for KMS keys and S3 buckets.
//! Sources: Resource Groups Tagging API Reference, `GetResources`; KMS Developer Guide, "Eventual
//! consistency".
//! Not for: reading the tags of one resource (see `kms::tags` and `s3`), or writing tags.

use crate::gate::{AccessRequest, Shared, authorize, verify};
use crate::kms;
use crate::wire::paging::page;
use crate::wire::{Answer, Fault};
use crate::world::{Caller, State};
use crrctl_iam::Context;
use crrctl_iam::names::Arn;
use http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};

/// The start of the header `X-Amz-Target`.
pub(crate) const TARGET_PREFIX: &str = "ResourceGroupsTaggingAPI_20170126.";

/// Returns the operation of a request, if it is one for the tagging API.
pub(crate) fn operation(parts: &Parts) -> Option<&str> {
    parts.headers.get("x-amz-target")?.to_str().ok()?.strip_prefix(TARGET_PREFIX)
}

/// Handles one request of the tagging API.
pub(crate) fn answer(shared: &Shared, parts: &Parts, body: &[u8], id: &str) -> Answer {
    let operation = operation(parts).unwrap_or_default();
    let done = verify(shared, parts, body, "tagging").map_err(kms::refused).and_then(|caller| {
        let mut state = shared.lock();
        state.calls.count("tagging", operation);
        match operation {
            "GetResources" => resources(&state, &caller, body),
            _ => Err(Fault::not_implemented(&format!("tag:{operation}"))),
        }
    });
    kms::reply_with(done, id)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    tag_filters: Vec<TagFilter>,
    #[serde(default)]
    resource_type_filters: Vec<String>,
    resources_per_page: Option<usize>,
    #[serde(default)]
    pagination_token: String,
}

/// A tag that a resource must have; with values, one of these.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagFilter {
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

type Tags = Vec<(String, String)>;

fn resources(state: &State, caller: &Caller, body: &[u8]) -> Result<Value, Fault> {
    let request = AccessRequest::plain("tag:GetResources", "*", &caller.account);
    authorize(&state.iam, caller, request, Context::new)
        .map_err(|denied| Fault::bad("AccessDeniedException", denied.message()))?;
    let wanted: Wanted = serde_json::from_slice(body)
        .map_err(|error| Fault::bad("SerializationException", error.to_string()))?;
    // The texts of the bounds are our own.
    let invalid = |text: &str| Fault::bad("InvalidParameterException", text);
    if wanted.tag_filters.len() > 50 || wanted.tag_filters.iter().any(|it| it.values.len() > 20) {
        return Err(invalid("At most 50 tag filters with 20 values each are allowed."));
    }
    let limit = wanted.resources_per_page.unwrap_or(50);
    if !(1..=100).contains(&limit) {
        return Err(invalid("ResourcesPerPage must be 1 to 100."));
    }
    let mut found = Vec::new();
    for (arn, tags) in of_kind(state, caller, &wanted.resource_type_filters)? {
        if wanted.tag_filters.iter().all(|filter| fits(filter, &tags)) {
            found.push((arn, tags));
        }
    }
    let marker = Some(wanted.pagination_token.as_str()).filter(|token| !token.is_empty());
    let page = page(found, marker, limit, |(arn, _)| arn.clone());
    let shown: Vec<Value> = page.items.iter().map(|(arn, tags)| shown(arn, tags)).collect();
    Ok(json!({"PaginationToken": page.next.unwrap_or_default(), "ResourceTagMappingList": shown}))
}

/// Returns the caller's tagged resources in the Region, of the given types or of all.
fn of_kind(state: &State, caller: &Caller, types: &[String]) -> Result<Vec<(String, Tags)>, Fault> {
    for name in types {
        if !["kms", "kms:key", "s3", "s3:bucket"].contains(&name.as_str()) {
            return Err(Fault::not_implemented(&format!("the resource type {name}")));
        }
    }
    let is_meant = |service: &str| {
        types.is_empty() || types.iter().any(|it| it.split(':').next() == Some(service))
    };
    let now = state.now();
    let keys = state.kms.keys.iter().filter(|(((account, region), _), key)| {
        *account == caller.account && *region == caller.region && key.listed <= now
    });
    let keys = keys
        .map(|(((account, region), id), key)| (id.arn(region, account), key.tags.at(now).clone()));
    let buckets = state
        .buckets
        .0
        .iter()
        .filter(|(_, bucket)| bucket.owner == caller.account && bucket.region == caller.region);
    let buckets = buckets.map(|(name, bucket)| {
        let arn = Arn::known(bucket.region.partition(), "s3", "", "", name);
        (arn, bucket.tags.at(now).clone())
    });
    let keys = keys.filter(|_| is_meant("kms"));
    let all = keys.chain(buckets.filter(|_| is_meant("s3")));
    Ok(all
        .filter(|(_, tags)| !tags.is_empty())
        .map(|(arn, tags)| (arn.to_string(), tags))
        .collect())
}

fn fits(filter: &TagFilter, tags: &Tags) -> bool {
    tags.iter().any(|(key, value)| {
        *key == filter.key && (filter.values.is_empty() || filter.values.contains(value))
    })
}

fn shown(arn: &str, tags: &Tags) -> Value {
    let tags: Vec<Value> =
        tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    json!({"ResourceARN": arn, "Tags": tags})
}
