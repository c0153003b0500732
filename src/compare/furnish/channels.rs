//! The targets of alerts: topics and queues that a recorded run did not make.
//! Not for: making them (see `cli::compare`).

use super::{Furnished, Scene, items, text};
use crate::recording::Exchange;
use serde_json::Value;

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
}
