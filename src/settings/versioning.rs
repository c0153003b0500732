//! Versioning, which replication requires on both sides.
//! Not for: Object Lock (see `object_lock`).

use super::document::{Actions, Document, Setting};
use super::wish::Wish;
use crate::events::Kind;
use crate::hcl::{self, Body};
use crate::names::Arn;
use serde_json::{Value, json};

/// The versioning of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versioning {
    /// `Enabled`, `Suspended`, or `None` if versioning was never enabled.
    pub status: Option<String>,
    /// Whether MFA delete is on, so that only the root user with the MFA device can delete
    /// versions. crrctl never sets it.
    pub mfa_delete: bool,
}

impl Versioning {
    /// The status that replication requires.
    pub const ENABLED: &'static str = "Enabled";
}

/// In the place of a status, for a bucket that never had versioning.
const NEVER: &str = "none";

impl Document for Versioning {
    const KIND: Kind = Kind::Versioning;
    const PART: &'static str = "versioning";
    const ACTIONS: Actions =
        Actions { read: "s3:GetBucketVersioning", write: "s3:PutBucketVersioning" };

    fn change(_: &Wish<'_>, live: Option<&Self>) -> Option<Setting<Self>> {
        let to = Self { status: Some(Self::ENABLED.to_owned()), mfa_delete: false };
        Some(match live {
            Some(live) if live.status == to.status => Setting::Unchanged,
            Some(live) if live.status.is_some() => Setting::Update { from: live.clone(), to },
            _ => Setting::Create(to),
        })
    }

    fn differs(&self, to: &Self) -> Vec<&'static str> {
        if self.status == to.status { Vec::new() } else { vec!["status"] }
    }

    const STAYS: &'static str = "stays on, since without it new objects lose their versions";

    /// It is recorded and never put back: new objects would have no versions.
    fn remembered(was: Option<&Self>, _: &Self) -> Option<String> {
        let status = was.and_then(|was| was.status.clone());
        Some(status.unwrap_or_else(|| NEVER.to_owned()))
    }

    fn recalled(value: &str) -> Option<Self> {
        let status = Some(value.to_owned()).filter(|value| value != NEVER);
        Some(Self { status, mfa_delete: false })
    }

    fn is_ours(&self, _: &Self, _: (Option<&Arn>, &str)) -> bool {
        self.status.as_deref() == Some(Self::ENABLED)
    }

    /// A bucket that had versioning once can't be without it again, but suspend it (S3 User Guide, "Using versioning").
    fn told(&self) -> String {
        let body = self.body().map(|body| body.to_string());
        body.unwrap_or_else(|| "it was never enabled".to_owned())
    }

    fn detail(&self) -> Value {
        json!(self.status)
    }

    fn body(&self) -> Option<Value> {
        self.status.as_ref().map(|status| json!({"Status": status}))
    }

    fn terraform(&self, _: &dyn Fn(&str) -> hcl::Value) -> Option<(&'static str, Body)> {
        let status = Body::default().set("status", hcl::Value::text(self.status.as_ref()?));
        let body = Body::default().block("versioning_configuration", &[], status);
        Some(("aws_s3_bucket_versioning", body))
    }

    fn cloudformation(&self, _: &dyn Fn(&str) -> Value) -> Vec<(&'static str, Value)> {
        self.body().map(|body| ("VersioningConfiguration", body)).into_iter().collect()
    }
}
