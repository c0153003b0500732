//! Object Lock and its default retention. It can't be disabled (S3 User Guide, "Locking objects
//! with Object Lock"), and it takes versioning, so `plan::build::lock` decides when it is set.
//! Not for: what holds single versions (see `steps::objects`).

use super::document::{Actions, Document, Inexpressible, Setting};
use super::wish::{BucketSettings, Wish};
use crate::events::Kind;
use crate::hcl::{self, Body};
use crate::units::counted;
use serde::Serialize;
use serde_json::{Value, json};

/// The Object Lock configuration of a bucket that has Object Lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// Default retention of new versions whose request sets no retention.
    pub retention: Option<DefaultRetention>,
}

/// The default retention that S3 returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefaultRetention {
    /// Retention mode: `GOVERNANCE` or `COMPLIANCE`.
    pub mode: String,
    /// Retention period in days, if given in days.
    pub days: Option<i32>,
    /// Retention period in years, if given in years.
    pub years: Option<i32>,
}

impl std::fmt::Display for DefaultRetention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.days, self.years) {
            (Some(days), _) => write!(f, "{} for {}", self.mode, counted(days, "day")),
            (_, Some(years)) => write!(f, "{} for {}", self.mode, counted(years, "year")),
            _ => f.write_str(&self.mode),
        }
    }
}

impl DefaultRetention {
    fn body(&self) -> Value {
        let mut body = json!({"Mode": self.mode});
        for (name, length) in [("Days", self.days), ("Years", self.years)] {
            if let Some(length) = length {
                body[name] = json!(length);
            }
        }
        body
    }
}

/// What `detail` shows.
#[derive(Serialize)]
struct Shown<'a> {
    enabled: bool,
    default_retention: Option<&'a DefaultRetention>,
}

impl Document for Lock {
    const KIND: Kind = Kind::ObjectLock;
    const PART: &'static str = "object-lock";
    const ACTIONS: Actions = Actions {
        read: "s3:GetBucketObjectLockConfiguration",
        write: "s3:PutBucketObjectLockConfiguration",
    };
    const RECORD: Option<&'static str> = Some("object-lock");

    fn is_managed(settings: &BucketSettings, _: bool) -> bool {
        settings.lock.is_some()
    }

    fn change(_: &Wish<'_>, _: Option<&Self>) -> Option<Setting<Self>> {
        None
    }

    fn differs(&self, _: &Self) -> Vec<&'static str> {
        vec!["default retention"]
    }

    fn detail(&self) -> Value {
        json!(Shown { enabled: true, default_retention: self.retention.as_ref() })
    }

    fn body(&self) -> Option<Value> {
        let mut body = json!({"ObjectLockEnabled": "Enabled"});
        if let Some(retention) = &self.retention {
            body["Rule"] = json!({"DefaultRetention": retention.body()});
        }
        Some(body)
    }

    fn example() -> Option<&'static str> {
        Some("object_lock: false                      # true, or {mode: governance, days: 1}")
    }

    fn imported(&self) -> Result<Option<String>, Inexpressible> {
        let Some(retention) = &self.retention else {
            return Ok(Some("object_lock: true".to_owned()));
        };
        let Some(days) = retention.days else {
            return Err(Inexpressible {
                what: format!(
                    "the default retention of the source is {retention}, and a manifest has days"
                ),
                hint: "put the retention in days first",
            });
        };
        let mode = retention.mode.to_lowercase();
        Ok(Some(format!("object_lock: {{mode: {mode}, days: {days}}}")))
    }

    fn terraform(&self, _: &dyn Fn(&str) -> hcl::Value) -> Option<(&'static str, Body)> {
        let DefaultRetention { mode, days, years } = self.retention.as_ref()?;
        let mut default = Body::default().set("mode", hcl::Value::text(mode));
        for (name, length) in [("days", days), ("years", years)] {
            if let Some(length) = length {
                default = default.set(name, hcl::Value::bare(length));
            }
        }
        let rule = Body::default().block("default_retention", &[], default);
        let body = Body::default().block("rule", &[], rule);
        Some(("aws_s3_bucket_object_lock_configuration", body))
    }

    fn cloudformation(&self, _: &dyn Fn(&str) -> Value) -> Vec<(&'static str, Value)> {
        let mut all = vec![("ObjectLockEnabled", json!(true))];
        all.extend(
            self.retention
                .is_some()
                .then(|| self.body())
                .flatten()
                .map(|body| ("ObjectLockConfiguration", body)),
        );
        all
    }
}
