//! Object ownership: ACLs are disabled, and the bucket owner owns every object.
//! Not for: the owner of replicas (a setting of a rule).

use super::document::{Actions, Document, Setting};
use super::wish::{BucketSettings, Wish};
use crate::events::Kind;
use crate::hcl::{self, Body};
use crate::names::Arn;
use serde::Serialize;
use serde_json::{Value, json};

/// The object ownership of a bucket, such as `BucketOwnerEnforced`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Ownership(pub String);

impl Ownership {
    /// ACLs are disabled, and the bucket owner owns every object.
    pub const ENFORCED: &'static str = "BucketOwnerEnforced";
}

impl Document for Ownership {
    const KIND: Kind = Kind::Ownership;
    const PART: &'static str = "object-ownership";
    const ACTIONS: Actions =
        Actions { read: "s3:GetBucketOwnershipControls", write: "s3:PutBucketOwnershipControls" };

    fn is_managed(settings: &BucketSettings, adopted: bool) -> bool {
        settings.ownership.unwrap_or(!adopted)
    }

    fn change(_: &Wish<'_>, live: Option<&Self>) -> Option<Setting<Self>> {
        Some(Setting::of(live.cloned(), Self(Self::ENFORCED.to_owned())))
    }

    fn differs(&self, to: &Self) -> Vec<&'static str> {
        if self == to { Vec::new() } else { vec!["ownership"] }
    }

    fn detail(&self) -> Value {
        json!(self)
    }

    fn example() -> Option<&'static str> {
        Some(
            "ownership: enforced                     # enforced | keep (the default for adopted buckets)",
        )
    }

    const STAYS: &'static str = "stays, since without it ACLs grant access again";

    /// A bucket without ownership controls keeps ACLs in force, as `ObjectWriter` does (S3 User
    /// Guide, "Controlling ownership of objects").
    fn remembered(was: Option<&Self>, _: &Self) -> Option<String> {
        Some(was.map_or_else(|| "ObjectWriter".to_owned(), |was| was.0.clone()))
    }

    fn recalled(value: &str) -> Option<Self> {
        Some(Self(value.to_owned()))
    }

    fn is_ours(&self, _: &Self, _: (Option<&Arn>, &str)) -> bool {
        self.0 == Self::ENFORCED
    }

    fn body(&self) -> Option<Value> {
        Some(json!({"Rules": [{"ObjectOwnership": self}]}))
    }

    fn terraform(&self, _: &dyn Fn(&str) -> hcl::Value) -> Option<(&'static str, Body)> {
        let rule = Body::default().set("object_ownership", hcl::Value::text(&self.0));
        let body = Body::default().block("rule", &[], rule);
        Some(("aws_s3_bucket_ownership_controls", body))
    }

    fn cloudformation(&self, _: &dyn Fn(&str) -> Value) -> Vec<(&'static str, Value)> {
        self.body().map(|body| ("OwnershipControls", body)).into_iter().collect()
    }
}
