//! The Resource Groups Tagging API's `GetResources`, which finds keys by their tags without reading
//! the tags of each key. It is an index of its own: a key that it shows still has to be read, and a
//! key that it does not show may exist.
//! Sections: Resource Groups Tagging API Reference, `GetResources`, in the AWS JSON 1.1 protocol.
//! Not for: the tags of a known key (see `steps::find`).

use super::raw_request::{Json, Service, host};
use super::{Aws, Error};
use crate::names::{Arn, Region};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;

/// The header `X-Amz-Target`.
const TARGET: &str = "ResourceGroupsTaggingAPI_20170126.GetResources";
/// The most resources of one page (Resource Groups Tagging API Reference, `GetResources`).
const PAGE: u32 = 100;

impl Aws {
    /// Returns the ids of the keys in `region` that the index shows with all of `tags`.
    ///
    /// # Errors
    /// The caller may not ask, or the service can't be reached: nothing is known of the keys then.
    pub async fn keys_in_tag_index(
        &self,
        region: &Region,
        tags: &[(&str, String)],
    ) -> Result<BTreeSet<String>, Error> {
        const OPERATION: &str = "tag:GetResources";
        let caller = self.caller(region);
        let service = Service {
            id: "Resource Groups Tagging API",
            signing_name: "tagging",
            given: None,
            endpoint: host("tagging", region, &caller.config),
        };
        let filters = tags.iter().map(|(key, value)| json!({"Key": key, "Values": [value]}));
        let mut body = json!({
            "ResourceTypeFilters": ["kms:key"],
            "ResourcesPerPage": PAGE,
            "TagFilters": filters.collect::<Vec<_>>(),
        });
        let mut found = BTreeSet::new();
        loop {
            let asked = Json { version: "1.1", target: TARGET, body: &body };
            let page: Page = caller.send_json(region, &service, OPERATION, asked).await?;
            found.extend(page.resources.iter().filter_map(|it| key_id(&it.arn)));
            match page.next.filter(|token| !token.is_empty()) {
                Some(token) => body["PaginationToken"] = json!(token),
                None => return Ok(found),
            }
        }
    }
}

fn key_id(arn: &str) -> Option<String> {
    Arn::new(arn).ok()?.resource().strip_prefix("key/").map(str::to_owned)
}

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(rename = "ResourceTagMappingList", default)]
    resources: Vec<Resource>,
    #[serde(rename = "PaginationToken")]
    next: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resource {
    #[serde(rename = "ResourceARN")]
    arn: String,
}
