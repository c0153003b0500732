//! The targets of alerts and of access logs: topics, queues and buckets that a recorded run did not make.
//! Not for: making them (see `cli::compare`).

use super::{Furnished, Scene, items, text};
use crate::names::{Partition, Region};
use crate::recording::Exchange;
use serde_json::{Value, json};

impl Scene {
    /// Makes the topics and queues of a notification configuration that S3 took or showed: it checked
    /// that it could publish to them.
    pub(super) fn channels(&mut self, exchange: &Exchange) {
        let configuration = match exchange.operation.as_str() {
            "PutBucketNotificationConfiguration" => {
                exchange.request.get("NotificationConfiguration").and_then(Value::as_object)
            }
            "GetBucketNotificationConfiguration" => Some(&exchange.answer),
            _ => None,
        };
        let Some(configuration) = configuration.filter(|_| exchange.succeeded()) else { return };
        for (list, target) in [("TopicConfigurations", "Topic"), ("QueueConfigurations", "Queue")] {
            for entry in items(configuration, list) {
                let arn = text(entry, target).to_owned();
                if self.is_new("channel", &arn) {
                    self.made.push(Furnished::Channel(arn));
                }
            }
        }
    }

    /// Makes the bucket that logs go to, with the policy that lets S3 write them.
    pub(super) fn log_target(&mut self, exchange: &Exchange, logging: &Value) {
        let target = logging["LoggingEnabled"]["TargetBucket"].as_str().unwrap_or_default();
        if !self.is_new("bucket", target) {
            return;
        }
        let place = (exchange.region != "us-east-1")
            .then(|| json!({"LocationConstraint": exchange.region}));
        let members = json!({"Bucket": target, "CreateBucketConfiguration": place});
        self.call(exchange, "CreateBucket", members);
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
}
