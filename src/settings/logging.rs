//! Server access logging: S3 writes a record of each request to a target bucket (S3 User Guide,
//! "Logging requests with server access logging"). The target has the bucket's Region and account,
//! so its name has a placeholder where a pair spans Regions.
//! Not for: the policy of the target bucket (see `policy`).

mod record;

use super::document::{Actions, Document, Setting};
use super::wish::{BucketSettings, LogTarget, LoggingWish, Wish};
use crate::events::Kind;
use crate::hcl::{self, Body};
use crate::names::Arn;
use serde::Serialize;
use serde_json::{Value, json};

/// The logging of a bucket, as it is found or written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logging {
    /// Where logs go. `None` turns logging off.
    pub target: Option<LogTarget>,
    /// The format of the keys, as `TargetObjectKeyFormat` of the AWS CLI. crrctl keeps it.
    pub key_format: Option<Value>,
    /// The grants on the logs, as `TargetGrants` of the AWS CLI. A target without ACLs takes none,
    /// so crrctl writes only those that a bucket had before the pair.
    pub grants: Vec<Value>,
}

/// What `detail` shows.
#[derive(Serialize)]
struct Shown<'a> {
    bucket: &'a str,
    prefix: &'a str,
}

impl Document for Logging {
    const KIND: Kind = Kind::Logging;
    const PART: &'static str = "logging";
    const ACTIONS: Actions = Actions { read: "s3:GetBucketLogging", write: "s3:PutBucketLogging" };
    const RECORD: Option<&'static str> = Some("logging");

    fn is_managed(settings: &BucketSettings, _: bool) -> bool {
        settings.logging != LoggingWish::Keep
    }

    fn change(wish: &Wish<'_>, live: Option<&Self>) -> Option<Setting<Self>> {
        let target = wish.settings.logging.target(wish.account, wish.region);
        let Some(live) = live.filter(|live| live.target.is_some()) else {
            let to = Self { target, ..Self::default() };
            return Some(if to.target.is_some() {
                Setting::Create(to)
            } else {
                Setting::Unchanged
            });
        };
        if live.target == target {
            return Some(Setting::Unchanged);
        }
        let key_format = live.key_format.clone().filter(|_| target.is_some());
        let to = Self { target, key_format, grants: Vec::new() };
        Some(Setting::Update { from: live.clone(), to })
    }

    fn differs(&self, to: &Self) -> Vec<&'static str> {
        let part = |logging: &Self, of: fn(&LogTarget) -> &String| {
            logging.target.as_ref().map(of).cloned()
        };
        let fields = [
            ("target", part(self, |it| &it.bucket) != part(to, |it| &it.bucket)),
            ("prefix", part(self, |it| &it.prefix) != part(to, |it| &it.prefix)),
        ];
        fields.iter().filter(|(_, differs)| *differs).map(|(label, _)| *label).collect()
    }

    fn detail(&self) -> Value {
        let target = self.target.as_ref();
        json!(target.map(|it| Shown { bucket: &it.bucket, prefix: &it.prefix }))
    }

    const GOES_BACK: bool = true;
    const STAYS: &'static str = "stays, since what it was did not fit in a tag";

    fn absent() -> Option<Self> {
        Some(Self::default())
    }

    fn remembered(was: Option<&Self>, to: &Self) -> Option<String> {
        Some(record::of(was.unwrap_or(&Self::default()), to))
    }

    fn remembered_still(record: &str, to: &Self) -> Option<String> {
        Some(record::written_now(record, to))
    }

    fn recalled(value: &str) -> Option<Self> {
        Some(record::recalled(value))
    }

    fn is_whole(record: &str) -> bool {
        record::is_whole(record)
    }

    fn is_ours(&self, _: &Self, (_, record): (Option<&Arn>, &str)) -> bool {
        record::says_written(record, self)
    }

    fn body(&self) -> Option<Value> {
        let LogTarget { bucket, prefix } = self.target.as_ref()?;
        let mut enabled = json!({"TargetBucket": bucket, "TargetPrefix": prefix});
        if let Some(format) = &self.key_format {
            enabled["TargetObjectKeyFormat"] = format.clone();
        }
        if !self.grants.is_empty() {
            enabled["TargetGrants"] = json!(self.grants);
        }
        Some(json!({"LoggingEnabled": enabled}))
    }

    fn example() -> Option<&'static str> {
        Some(
            "logging: keep                           # keep | none | {bucket: \"logs-{account}-{region}\", prefix: \"{name}/\"}",
        )
    }

    fn terraform(&self, _: &dyn Fn(&str) -> hcl::Value) -> Option<(&'static str, Body)> {
        let LogTarget { bucket, prefix } = self.target.as_ref()?;
        let mut body = Body::default()
            .set("target_bucket", hcl::Value::text(bucket))
            .set("target_prefix", hcl::Value::text(prefix));
        if let Some(format) = &self.key_format {
            let simple = Body::default().block("simple_prefix", &[], Body::default());
            let format = match format["PartitionedPrefix"]["PartitionDateSource"].as_str() {
                Some(source) => {
                    let source =
                        Body::default().set("partition_date_source", hcl::Value::text(source));
                    Body::default().block("partitioned_prefix", &[], source)
                }
                None => simple,
            };
            body = body.block("target_object_key_format", &[], format);
        }
        Some(("aws_s3_bucket_logging", body))
    }

    fn cloudformation(&self, _: &dyn Fn(&str) -> Value) -> Vec<(&'static str, Value)> {
        let Some(LogTarget { bucket, prefix }) = &self.target else { return Vec::new() };
        let mut logging = json!({"DestinationBucketName": bucket, "LogFilePrefix": prefix});
        if let Some(format) = &self.key_format {
            logging["TargetObjectKeyFormat"] = format.clone();
        }
        vec![("LoggingConfiguration", logging)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::wish::{DefaultKey, Encryption};
    use crate::settings::{Change, Documents};

    fn to(bucket: &str) -> Logging {
        let target = LogTarget { bucket: bucket.to_owned(), prefix: "p/".to_owned() };
        Logging { target: Some(target), ..Logging::default() }
    }

    fn change(wish: LoggingWish, live: Option<&Logging>) -> Option<Setting<Logging>> {
        let settings = BucketSettings { logging: wish, ..BucketSettings::default() };
        let encryption = Encryption {
            algorithm: Encryption::SSE_S3.to_owned(),
            key: DefaultKey::None,
            bucket_key: true,
            blocked: Vec::new(),
        };
        let (account, region) = ("111122223333", "us-east-1");
        let wish =
            Wish { settings: &settings, encryption, exists: true, adopted: false, account, region };
        let live = Documents { logging: live.cloned(), ..Documents::default() };
        Change::all(&wish, Some(&live)).into_iter().find_map(|change| match change {
            Change::Logging(change) => Some(change),
            _ => None,
        })
    }

    #[test]
    fn logging_is_changed_where_its_target_differs() {
        let wanted = || {
            LoggingWish::To(LogTarget {
                bucket: "logs-{account}-{region}".to_owned(),
                prefix: "p/".to_owned(),
            })
        };
        let here = to("logs-111122223333-us-east-1");
        assert_eq!(change(LoggingWish::Keep, Some(&here)), None);
        assert_eq!(change(LoggingWish::Off, None), Some(Setting::Unchanged));
        assert_eq!(change(wanted(), None), Some(Setting::Create(here.clone())));
        let format = Some(json!({"SimplePrefix": {}}));
        let grants = vec![json!({"Permission": "READ"})];
        let theirs = Logging { key_format: format.clone(), grants, ..here.clone() };
        assert_eq!(change(wanted(), Some(&theirs)), Some(Setting::Unchanged));
        let from = Logging { target: to("other").target, ..theirs };
        let written = Logging { key_format: format, ..here };
        let moved = Setting::Update { from: from.clone(), to: written };
        assert_eq!(change(wanted(), Some(&from)), Some(moved));
        let off = Setting::Update { from: from.clone(), to: Logging::default() };
        assert_eq!(change(LoggingWish::Off, Some(&from)), Some(off));
    }
}
