//! Lifecycle: the pair's rule for noncurrent versions and incomplete multipart uploads.
//! Not for: which rules of a bucket are the pair's (see `plan::lifecycle`).

use crate::hcl::{self, Body};
use serde::Serialize;
use serde_json::{Value, json};

/// A lifecycle rule, reduced to the actions that affect a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expiry {
    /// The rule's id.
    pub id: String,
    /// Whether the rule's status is `Enabled`.
    pub enabled: bool,
    /// Days after which noncurrent versions expire.
    pub noncurrent_days: Option<i32>,
    /// Days after which incomplete multipart uploads are aborted.
    pub incomplete_upload_days: Option<i32>,
    /// Storage class of a transition after which objects must be restored before they can be read,
    /// if the rule has such a transition.
    pub archive: Option<String>,
    /// Whether the rule has a filter or an action that crrctl never sets.
    pub has_more: bool,
}

/// The lifecycle rules of a bucket for an export. There are none if one of them can't be exported in
/// full.
#[derive(Debug, Clone, Copy)]
pub struct Exported<'a>(&'a [Expiry]);

impl<'a> Exported<'a> {
    /// Returns the rules of a bucket, if there are any and all of them can be exported in full.
    pub fn of(rules: &'a [Expiry]) -> Option<Self> {
        (!rules.is_empty() && rules.iter().all(|rule| !rule.has_more)).then_some(Self(rules))
    }

    /// Returns Terraform's resource.
    pub fn terraform(self) -> (&'static str, Body) {
        let rules = self.0.iter().map(Expiry::terraform);
        let body = rules.fold(Body::default(), |body, rule| body.block("rule", &[], rule));
        ("aws_s3_bucket_lifecycle_configuration", body)
    }

    /// Returns the property of CloudFormation's bucket.
    pub fn cloudformation(self) -> (&'static str, Value) {
        let rules: Vec<Value> = self.0.iter().map(Expiry::cloudformation).collect();
        ("LifecycleConfiguration", json!({"Rules": rules}))
    }
}

impl Expiry {
    fn status(&self) -> &'static str {
        if self.enabled { "Enabled" } else { "Disabled" }
    }

    fn terraform(&self) -> Body {
        let all_objects = Body::default().set("prefix", hcl::Value::text(""));
        let mut body = Body::default()
            .set("id", hcl::Value::text(&self.id))
            .set("status", hcl::Value::text(self.status()))
            .block("filter", &[], all_objects);
        if let Some(days) = self.noncurrent_days {
            let days = Body::default().set("noncurrent_days", hcl::Value::bare(&days));
            body = body.block("noncurrent_version_expiration", &[], days);
        }
        if let Some(days) = self.incomplete_upload_days {
            let days = Body::default().set("days_after_initiation", hcl::Value::bare(&days));
            body = body.block("abort_incomplete_multipart_upload", &[], days);
        }
        body
    }

    fn cloudformation(&self) -> Value {
        let mut value = json!({"Id": self.id, "Status": self.status()});
        if let Some(days) = self.noncurrent_days {
            value["NoncurrentVersionExpiration"] = json!({"NoncurrentDays": days});
        }
        if let Some(days) = self.incomplete_upload_days {
            value["AbortIncompleteMultipartUpload"] = json!({"DaysAfterInitiation": days});
        }
        value
    }
}
