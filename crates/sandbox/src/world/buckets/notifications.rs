//! Notification configurations of buckets: which destinations want an event (S3 User Guide, "Amazon
//! S3 Event Notifications"). Not for: the operations on them (see `s3::notifications`), or
//! delivery.

use super::Bucket;
use s3s::dto::{FilterRule, NotificationConfiguration, NotificationConfigurationFilter};

/// The events that S3 can notify of (SDK model of S3, `Event`).
pub(crate) const EVENTS: [&str; 31] = [
    "s3:IntelligentTiering",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:LifecycleTransition",
    "s3:ObjectAcl:Put",
    "s3:ObjectAnnotation:*",
    "s3:ObjectAnnotation:Delete",
    "s3:ObjectAnnotation:Put",
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Put",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:ObjectRestore:Post",
    "s3:ObjectRetention:Put",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Delete",
    "s3:ObjectTagging:Put",
    "s3:ReducedRedundancyLostObject",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationNotTracked",
    "s3:Replication:OperationReplicatedAfterThreshold",
];

/// One destination of a notification configuration.
#[derive(Debug, Clone)]
pub(crate) struct NotificationTarget<'a> {
    pub(crate) kind: TargetKind,
    pub(crate) arn: &'a str,
    pub(crate) id: Option<&'a str>,
    pub(crate) events: Vec<&'a str>,
    pub(crate) filter: Option<&'a NotificationConfigurationFilter>,
}

/// The kind of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TargetKind {
    Topic,
    Queue,
    Function,
}

/// A destination that wants an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventDestination {
    /// A topic, queue or function: its ARN, and the id of the configuration.
    Arn { arn: String, id: Option<String> },
    /// Amazon `EventBridge`, which gets all events of the bucket.
    EventBridge,
}

/// Returns the topics, queues and functions of a configuration.
pub(crate) fn targets(configuration: &NotificationConfiguration) -> Vec<NotificationTarget<'_>> {
    let mut targets = Vec::new();
    macro_rules! collect {
        ($list:ident, $arn:ident, $kind:ident) => {
            for one in configuration.$list.iter().flatten() {
                targets.push(NotificationTarget {
                    kind: TargetKind::$kind,
                    arn: &one.$arn,
                    id: one.id.as_deref(),
                    events: one.events.iter().map(|event| event.as_ref()).collect(),
                    filter: one.filter.as_ref(),
                });
            }
        };
    }
    collect!(topic_configurations, topic_arn, Topic);
    collect!(queue_configurations, queue_arn, Queue);
    collect!(lambda_function_configurations, lambda_function_arn, Function);
    targets
}

impl NotificationTarget<'_> {
    /// Returns the value of the filter rule `name`; empty if there is none. Names are not
    /// case-sensitive.
    pub(crate) fn filter(&self, name: &str) -> &str {
        let rules = self.filter.and_then(|filter| filter.key.as_ref()?.filter_rules.as_deref());
        let named = |rule: &&FilterRule| {
            rule.name.as_ref().is_some_and(|given| given.as_str().eq_ignore_ascii_case(name))
        };
        let rule = rules.unwrap_or_default().iter().find(named);
        rule.and_then(|rule| rule.value.as_deref()).unwrap_or_default()
    }

    fn wants(&self, event: &str, key: &str) -> bool {
        self.events.iter().any(|wanted| covers(wanted, event))
            && key.starts_with(self.filter("prefix"))
            && key.ends_with(self.filter("suffix"))
    }
}

/// Returns whether an event name of a configuration, which may end with `*`, covers an event.
pub(crate) fn covers(wanted: &str, event: &str) -> bool {
    wanted == event || wanted.strip_suffix('*').is_some_and(|start| event.starts_with(start))
}

impl Bucket {
    /// Returns the destinations that want `event`, such as
    /// `s3:Replication:OperationFailedReplication`, for an object with this key.
    pub(crate) fn event_destinations(&self, event: &str, key: &str) -> Vec<EventDestination> {
        let Some(configuration) = &self.notifications else { return Vec::new() };
        let mut destinations: Vec<EventDestination> = targets(configuration)
            .into_iter()
            .filter(|target| target.wants(event, key))
            .map(|target| EventDestination::Arn {
                arn: target.arn.to_owned(),
                id: target.id.map(String::from),
            })
            .collect();
        if configuration.event_bridge_configuration.is_some() {
            destinations.push(EventDestination::EventBridge);
        }
        destinations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3s::dto::{EventBridgeConfiguration, QueueConfiguration, S3KeyFilter};

    #[test]
    fn a_destination_gets_the_events_that_its_events_and_filter_cover() {
        let rule = |name: &str, value: &str| FilterRule {
            name: Some(name.to_owned().into()),
            value: Some(value.to_owned()),
        };
        let rules = vec![rule("Prefix", "in/"), rule("suffix", ".csv")];
        let key = S3KeyFilter { filter_rules: Some(rules) };
        let queue = QueueConfiguration {
            events: vec!["s3:Replication:*".to_owned().into()],
            filter: Some(NotificationConfigurationFilter { key: Some(key) }),
            id: Some("one".into()),
            queue_arn: "arn:aws:sqs:us-east-1:111122223333:q".into(),
        };
        let configuration = NotificationConfiguration {
            queue_configurations: Some(vec![queue]),
            event_bridge_configuration: Some(EventBridgeConfiguration {}),
            ..NotificationConfiguration::default()
        };
        let all = targets(&configuration);
        let failed = "s3:Replication:OperationFailedReplication";
        assert_eq!((all[0].kind, all[0].id), (TargetKind::Queue, Some("one")));
        assert!(all[0].wants(failed, "in/a.csv"));
        assert!(!all[0].wants(failed, "in/a.txt") && !all[0].wants(failed, "a.csv"));
        assert!(!all[0].wants("s3:ObjectCreated:Put", "in/a.csv"));
    }
}
