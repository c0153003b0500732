//! The alarms that the run did not make, as its first reads showed them.
//! Not for: their states, which the sandbox finds by itself.

use super::{Furnished, Scene, items, text};
use crate::recording::Exchange;
use serde_json::Value;

/// What an alarm is told by that no request sets.
const SHOWN: [&str; 6] = [
    "AlarmArn",
    "AlarmConfigurationUpdatedTimestamp",
    "StateReason",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "StateValue",
];

impl Scene {
    pub(super) fn alarms(&mut self, exchange: &Exchange) {
        if !exchange.succeeded() {
            return;
        }
        let place = |name: &str| format!("{} {name}", exchange.region);
        match exchange.operation.as_str() {
            "PutMetricAlarm" => {
                self.is_new("alarm", &place(text(&exchange.request, "AlarmName")));
            }
            "DescribeAlarms" => {
                for shown in items(&exchange.answer, "MetricAlarms") {
                    if self.is_new("alarm", &place(text(shown, "AlarmName"))) {
                        let mut members = shown.clone();
                        members.retain(|name, _| !SHOWN.contains(&name.as_str()));
                        self.call(exchange, "PutMetricAlarm", Value::Object(members));
                    }
                }
            }
            "ListTagsForResource" => self.alarm_tags(exchange),
            _ => {}
        }
    }

    /// Gives an alarm the tags that the first read showed, in the request that makes it.
    fn alarm_tags(&mut self, exchange: &Exchange) {
        let arn = text(&exchange.request, "ResourceARN");
        let name = arn.rsplit(':').next().unwrap_or_default();
        let tags = exchange.answer.get("Tags").cloned().unwrap_or_default();
        if !self.is_new("tags of an alarm", arn) {
            return;
        }
        for made in &mut self.made {
            if let Furnished::Call { operation: "PutMetricAlarm", region, members, .. } = made
                && *region == exchange.region
                && text(members, "AlarmName") == name
            {
                members.insert("Tags".to_owned(), tags.clone());
            }
        }
    }
}
