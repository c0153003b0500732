//! The public access block of a bucket: all four settings are on.
//! Not for: that of an account.

use super::document::{Actions, Document, Setting};
use super::wish::{BucketSettings, Wish};
use crate::events::Kind;
use crate::hcl::{self, Body};
use crate::names::Arn;
use serde::Serialize;
use serde_json::{Value, json};

/// The four settings of a public access block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "S3 has four")]
pub struct PublicAccessBlock {
    /// `BlockPublicAcls`.
    pub block_acls: bool,
    /// `IgnorePublicAcls`.
    pub ignore_acls: bool,
    /// `BlockPublicPolicy`.
    pub block_policy: bool,
    /// `RestrictPublicBuckets`.
    pub restrict_buckets: bool,
}

impl PublicAccessBlock {
    /// All four settings on.
    pub const WHOLE: Self =
        Self { block_acls: true, ignore_acls: true, block_policy: true, restrict_buckets: true };
}

/// The settings, as S3 names them.
const NAMES: [&str; 4] =
    ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
/// In the place of the names, where no setting is on.
const NONE: &str = "none";

impl PublicAccessBlock {
    fn settings(self) -> [bool; 4] {
        [self.block_acls, self.ignore_acls, self.block_policy, self.restrict_buckets]
    }
}

impl Document for PublicAccessBlock {
    const KIND: Kind = Kind::PublicAccessBlock;
    const PART: &'static str = "public-access-block";
    const ACTIONS: Actions =
        Actions { read: "s3:GetBucketPublicAccessBlock", write: "s3:PutBucketPublicAccessBlock" };

    fn is_managed(settings: &BucketSettings, adopted: bool) -> bool {
        settings.public_access_block.unwrap_or(!adopted)
    }

    fn change(wish: &Wish<'_>, live: Option<&Self>) -> Option<Setting<Self>> {
        // A bucket without the block blocks nothing.
        let live = wish.exists.then(|| live.copied().unwrap_or_default());
        Some(Setting::of(live, Self::WHOLE))
    }

    fn differs(&self, to: &Self) -> Vec<&'static str> {
        if self == to { Vec::new() } else { vec!["settings"] }
    }

    fn detail(&self) -> Value {
        json!(self)
    }

    fn example() -> Option<&'static str> {
        Some(
            "public_access: block                    # block | keep (the default for adopted buckets)",
        )
    }

    const STAYS: &'static str = "stays on, since without it the bucket may become public";

    fn remembered(was: Option<&Self>, _: &Self) -> Option<String> {
        let was = was.copied().unwrap_or_default();
        let on = NAMES.iter().zip(was.settings()).filter(|(_, is_on)| *is_on);
        let on: Vec<&str> = on.map(|(name, _)| *name).collect();
        Some(if on.is_empty() { NONE.to_owned() } else { on.join(" ") })
    }

    fn recalled(value: &str) -> Option<Self> {
        let has = |name: &str| value.split(' ').any(|it| it == name);
        let [block_acls, ignore_acls, block_policy, restrict_buckets] = NAMES.map(has);
        Some(Self { block_acls, ignore_acls, block_policy, restrict_buckets })
    }

    fn is_ours(&self, _: &Self, _: (Option<&Arn>, &str)) -> bool {
        *self == Self::WHOLE
    }

    fn body(&self) -> Option<Value> {
        Some(json!({
            "BlockPublicAcls": self.block_acls,
            "IgnorePublicAcls": self.ignore_acls,
            "BlockPublicPolicy": self.block_policy,
            "RestrictPublicBuckets": self.restrict_buckets,
        }))
    }

    fn terraform(&self, _: &dyn Fn(&str) -> hcl::Value) -> Option<(&'static str, Body)> {
        let settings = [
            ("block_public_acls", self.block_acls),
            ("block_public_policy", self.block_policy),
            ("ignore_public_acls", self.ignore_acls),
            ("restrict_public_buckets", self.restrict_buckets),
        ];
        let set =
            |body: Body, (name, is_on): (&str, bool)| body.set(name, hcl::Value::bare(&is_on));
        let body = settings.into_iter().fold(Body::default(), set);
        Some(("aws_s3_bucket_public_access_block", body))
    }

    fn cloudformation(&self, _: &dyn Fn(&str) -> Value) -> Vec<(&'static str, Value)> {
        let block = json!({
            "BlockPublicAcls": self.block_acls,
            "BlockPublicPolicy": self.block_policy,
            "IgnorePublicAcls": self.ignore_acls,
            "RestrictPublicBuckets": self.restrict_buckets,
        });
        vec![("PublicAccessBlockConfiguration", block)]
    }
}
