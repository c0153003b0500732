//! The text of a replication configuration, as `aws s3api put-bucket-replication` takes it: whoever wants back what
//! crrctl wrote over has it there, whole.
//! Not for: what a pair needs to know of a rule (see `rule`).

use aws_sdk_s3::types::{
    Destination, Metrics, ReplicationConfiguration, ReplicationRule, ReplicationRuleFilter,
    ReplicationTime, ReplicationTimeValue, SourceSelectionCriteria, Tag,
};
use serde_json::{Map, Value, json};

/// Returns the text of a configuration.
pub(super) fn text(live: &ReplicationConfiguration) -> Value {
    let rules: Vec<Value> = live.rules().iter().map(rule).collect();
    json!({"Role": live.role(), "Rules": rules})
}

/// Returns an object of the members that are there.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<String, Value>>())
}

fn status(status: &str) -> Value {
    json!({"Status": status})
}

/// S3 API Reference, `ReplicationRule`.
fn rule(live: &ReplicationRule) -> Value {
    #[expect(deprecated, reason = "a rule of schema V1 has its prefix there")]
    let prefix = live.prefix();
    let markers = live.delete_marker_replication().and_then(|it| it.status());
    let existing = live.existing_object_replication().map(|it| status(it.status().as_str()));
    object([
        ("ID", live.id().map(Value::from)),
        ("Priority", live.priority().map(Value::from)),
        ("Prefix", prefix.map(Value::from)),
        ("Filter", live.filter().map(filter)),
        ("Status", Some(live.status().as_str().into())),
        ("SourceSelectionCriteria", live.source_selection_criteria().map(criteria)),
        ("ExistingObjectReplication", existing),
        ("Destination", live.destination().map(destination)),
        ("DeleteMarkerReplication", markers.map(|it| status(it.as_str()))),
    ])
}

fn tag(tag: &Tag) -> Value {
    json!({"Key": tag.key(), "Value": tag.value()})
}

fn filter(live: &ReplicationRuleFilter) -> Value {
    let and = live.and().map(|and| {
        let tags: Vec<Value> = and.tags().iter().map(tag).collect();
        object([("Prefix", and.prefix().map(Value::from)), ("Tags", Some(tags.into()))])
    });
    let prefix = live.prefix().map(Value::from);
    object([("Prefix", prefix), ("Tag", live.tag().map(tag)), ("And", and)])
}

fn criteria(live: &SourceSelectionCriteria) -> Value {
    let kms = live.sse_kms_encrypted_objects().map(|it| status(it.status().as_str()));
    let modifications = live.replica_modifications().map(|it| status(it.status().as_str()));
    object([("SseKmsEncryptedObjects", kms), ("ReplicaModifications", modifications)])
}

fn destination(live: &Destination) -> Value {
    let key = live.encryption_configuration().and_then(|it| it.replica_kms_key_id());
    let owner = live.access_control_translation();
    object([
        ("Bucket", Some(live.bucket().into())),
        ("Account", live.account().map(Value::from)),
        ("StorageClass", live.storage_class().map(|it| it.as_str().into())),
        ("AccessControlTranslation", owner.map(|it| json!({"Owner": it.owner().as_str()}))),
        ("EncryptionConfiguration", key.map(|it| json!({"ReplicaKmsKeyID": it}))),
        ("ReplicationTime", live.replication_time().map(time)),
        ("Metrics", live.metrics().map(metrics)),
    ])
}

fn minutes(value: Option<&ReplicationTimeValue>) -> Option<Value> {
    value.map(|it| object([("Minutes", it.minutes().map(Value::from))]))
}

fn time(live: &ReplicationTime) -> Value {
    object([("Status", Some(live.status().as_str().into())), ("Time", minutes(live.time()))])
}

fn metrics(live: &Metrics) -> Value {
    let threshold = minutes(live.event_threshold());
    object([("Status", Some(live.status().as_str().into())), ("EventThreshold", threshold)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::types as t;

    fn configuration(rule: ReplicationRule) -> ReplicationConfiguration {
        ReplicationConfiguration::builder().role("arn:role").rules(rule).build().unwrap()
    }

    #[test]
    fn a_rule_with_everything_loses_nothing() {
        let tag = |key: &str| Tag::builder().key(key).value("b").build().unwrap();
        let and =
            t::ReplicationRuleAndOperator::builder().prefix("p/").tags(tag("a")).tags(tag("c"));
        let minutes = |minutes| ReplicationTimeValue::builder().minutes(minutes).build();
        let disabled = t::SseKmsEncryptedObjectsStatus::Disabled;
        let kms = t::SseKmsEncryptedObjects::builder().status(disabled).build().unwrap();
        let time = ReplicationTime::builder().status(t::ReplicationTimeStatus::Disabled);
        let metrics = Metrics::builder().status(t::MetricsStatus::Disabled);
        let translation =
            t::AccessControlTranslation::builder().owner(t::OwnerOverride::Destination);
        let destination = Destination::builder()
            .bucket("arn:b")
            .account("444455556666")
            .storage_class(t::StorageClass::GlacierIr)
            .access_control_translation(translation.build().unwrap())
            .encryption_configuration(
                t::EncryptionConfiguration::builder().replica_kms_key_id("arn:k").build(),
            )
            .replication_time(time.time(minutes(15)).build().unwrap())
            .metrics(metrics.event_threshold(minutes(15)).build().unwrap())
            .build()
            .unwrap();
        let markers = t::DeleteMarkerReplicationStatus::Disabled;
        let rule = ReplicationRule::builder()
            .id("theirs")
            .priority(7)
            .status(t::ReplicationRuleStatus::Disabled)
            .filter(ReplicationRuleFilter::builder().and(and.build()).build())
            .source_selection_criteria(
                SourceSelectionCriteria::builder().sse_kms_encrypted_objects(kms).build(),
            )
            .delete_marker_replication(
                t::DeleteMarkerReplication::builder().status(markers).build(),
            )
            .destination(destination)
            .build()
            .unwrap();
        let tags = [json!({"Key": "a", "Value": "b"}), json!({"Key": "c", "Value": "b"})];
        let expected = json!({"Role": "arn:role", "Rules": [{
            "ID": "theirs", "Priority": 7, "Status": "Disabled",
            "Filter": {"And": {"Prefix": "p/", "Tags": tags}},
            "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Disabled"}},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {
                "Bucket": "arn:b", "Account": "444455556666", "StorageClass": "GLACIER_IR",
                "AccessControlTranslation": {"Owner": "Destination"},
                "EncryptionConfiguration": {"ReplicaKmsKeyID": "arn:k"},
                "ReplicationTime": {"Status": "Disabled", "Time": {"Minutes": 15}},
                "Metrics": {"Status": "Disabled", "EventThreshold": {"Minutes": 15}},
            },
        }]});
        assert_eq!(text(&configuration(rule)), expected);
    }

    #[test]
    fn a_rule_of_schema_v1_keeps_its_form_and_one_tag_stands_alone() {
        let to = || Destination::builder().bucket("arn:b").build().unwrap();
        let on = t::ReplicationRuleStatus::Enabled;
        #[expect(deprecated, reason = "a rule of schema V1 has its prefix there")]
        let old = ReplicationRule::builder().prefix("").status(on.clone()).destination(to());
        let old = text(&configuration(old.build().unwrap()));
        let expected =
            json!({"Prefix": "", "Status": "Enabled", "Destination": {"Bucket": "arn:b"}});
        assert_eq!(old["Rules"][0], expected);
        let tag = Tag::builder().key("a").value("b").build().unwrap();
        let filter = ReplicationRuleFilter::builder().tag(tag).build();
        let new = ReplicationRule::builder().filter(filter).status(on).destination(to());
        let new = text(&configuration(new.build().unwrap()));
        assert_eq!(new["Rules"][0]["Filter"], json!({"Tag": {"Key": "a", "Value": "b"}}));
    }
}
