//! The buckets that a run did not make: those of lists, those that logs or replicas go to, those with
//! Object Lock.
//! Not for: their documents and objects (see `furnish`).

use super::{Furnished, Scene, items, text};
use crate::names::{Partition, Region};
use crate::recording::Exchange;
use serde_json::{Value, json};

impl Scene {
    /// Takes note of the buckets of a list that the run has not made.
    pub(super) fn list_buckets(&mut self, list: &Exchange) {
        for listed in items(&list.answer, "Buckets") {
            let name = text(listed, "Name");
            let is_known = self.seen.contains(&("bucket".to_owned(), name.to_owned()));
            if !is_known && self.is_new("listed bucket", name) {
                self.listed.push((listed.clone(), list.clone()));
            }
        }
    }

    /// Makes the buckets that a list named and that no other call was about.
    pub(super) fn listed_buckets(&mut self) {
        for (listed, list) in std::mem::take(&mut self.listed) {
            let name = text(&listed, "Name");
            if self.is_new("bucket", name) {
                let region = text(&listed, "BucketRegion");
                let region = if region.is_empty() { list.region.as_str() } else { region };
                let of = Exchange { region: region.to_owned(), ..list.clone() };
                self.create_bucket(&of, name, json!({}));
            }
        }
    }

    /// Makes a bucket where `of` was called.
    pub(super) fn create_bucket(&mut self, of: &Exchange, name: &str, members: Value) {
        let mut members = members;
        members["Bucket"] = json!(name);
        if of.region != "us-east-1" {
            members["CreateBucketConfiguration"] = json!({"LocationConstraint": of.region});
        }
        self.call(of, "CreateBucket", members);
    }

    /// Makes the bucket that logs go to, with the policy that lets S3 write them.
    pub(super) fn log_target(&mut self, exchange: &Exchange, logging: &Value) {
        let target = logging["LoggingEnabled"]["TargetBucket"].as_str().unwrap_or_default();
        if !self.is_new("bucket", target) {
            return;
        }
        self.create_bucket(exchange, target, json!({}));
        let region = Region::new(exchange.region.as_str()).ok();
        let partition = region.map_or(Partition::Aws, |it| it.partition());
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject", "Resource": format!("arn:{partition}:s3:::{target}/*"),
        }]});
        self.call(
            exchange,
            "PutBucketPolicy",
            json!({"Bucket": target, "Policy": policy.to_string()}),
        );
    }

    /// Takes note of the buckets that replication rules name.
    pub(super) fn destinations(&mut self, exchange: &Exchange, replication: &Value) {
        for rule in replication["Rules"].as_array().into_iter().flatten() {
            let arn = rule["Destination"]["Bucket"].as_str().unwrap_or_default();
            let name = arn.rsplit(':').next().unwrap_or_default();
            self.destinations.push((name.to_owned(), exchange.clone()));
        }
    }

    /// Makes the buckets that rules of others name and that no other call was about, with versioning on.
    pub(super) fn unseen_destinations(&mut self) {
        for (name, of) in std::mem::take(&mut self.destinations) {
            if self.is_new("bucket", &name) {
                self.create_bucket(&of, &name, json!({}));
                let versioning = json!({"Status": "Enabled"});
                let members = json!({"Bucket": name, "VersioningConfiguration": versioning});
                self.call(&of, "PutBucketVersioning", members);
            }
        }
    }

    /// Has the bucket made with Object Lock, which none gets later without help.
    pub(super) fn with_lock(&mut self, bucket: &str) {
        for made in &mut self.made {
            if let Furnished::Call { operation: "CreateBucket", members, .. } = made
                && text(members, "Bucket") == bucket
            {
                members.insert("ObjectLockEnabledForBucket".to_owned(), json!("true"));
            }
        }
    }
}
