//! What `PutBucketReplication` refuses.

use super::versioning;
use crate::sandbox::{EAST, OTHER, ROLE, Stand, WEST, refused, rule};
use aws_sdk_s3::types::{
    AccessControlTranslation, BucketVersioningStatus, DeleteMarkerReplication,
    DeleteMarkerReplicationStatus, Destination, EncryptionConfiguration, ExistingObjectReplication,
    ExistingObjectReplicationStatus, Metrics, MetricsStatus, OwnerOverride, ReplicaModifications,
    ReplicaModificationsStatus, ReplicationConfiguration, ReplicationRule, ReplicationRuleFilter,
    ReplicationRuleStatus, ReplicationTime, ReplicationTimeStatus, ReplicationTimeValue,
    StorageClass, Tag,
};

/// Whoever may put a configuration but not hand over its role.
const PUT_ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutReplicationConfiguration","Resource":"*"}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn replication_configurations() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    for (name, region, versioned) in [
        ("rules-src", EAST, true),
        ("rules-off", EAST, false),
        ("rules-dst", WEST, true),
        ("rules-old", WEST, false),
    ] {
        stand.bucket(name, region, versioned).await;
    }
    let key = Some("not-even-a-key");
    let ok = |id: &str, priority| rule(id, priority, "rules-dst", key).build().unwrap();
    let to = |bucket: &str| rule("r", 1, bucket, None).build().unwrap();
    let configuration = |role: &str, rules: Vec<ReplicationRule>| {
        ReplicationConfiguration::builder().role(role).set_rules(Some(rules)).build().unwrap()
    };
    let put_to = |bucket: &str, role: &str, rules: Vec<ReplicationRule>| {
        let put = s3.put_bucket_replication().bucket(bucket);
        put.replication_configuration(configuration(role, rules))
    };
    let put = |rules: Vec<ReplicationRule>| put_to("rules-src", ROLE, rules);
    let edited = |edit: &dyn Fn(&mut ReplicationRule)| {
        let mut rule = ok("r", 1);
        edit(&mut rule);
        put(vec![rule])
    };
    let destination =
        |edit: &dyn Fn(&mut Destination)| edited(&|rule| edit(rule.destination.as_mut().unwrap()));
    let minutes = |n| ReplicationTimeValue::builder().minutes(n).build();
    let time = |n| {
        let status = ReplicationTimeStatus::Enabled;
        ReplicationTime::builder().status(status).time(minutes(n)).build().unwrap()
    };
    let metrics = |n: Option<i32>| {
        let status = MetricsStatus::Enabled;
        let threshold = n.map(minutes);
        Metrics::builder().status(status).set_event_threshold(threshold).build().unwrap()
    };
    let markers = |status| Some(DeleteMarkerReplication::builder().status(status).build());
    let tag = Tag::builder().key("a").value("b").build().unwrap();
    refused! {
        "InvalidRequest" 400 "Versioning must be 'Enabled' on the bucket to apply a replication configuration" put_to("rules-off", ROLE, vec![ok("r", 1)]);
        "InvalidRequest" 400 "Destination bucket must have versioning enabled." put(vec![to("rules-old")]);
        "InvalidRequest" 400 "Destination bucket must exist." put(vec![to("absent")]);
        "InvalidRequest" 400 "same as the source" put(vec![to("rules-src")]);
        "InvalidArgument" 400 "ARN" destination(&|d| d.bucket = "rules-dst".into());
        "InvalidArgument" 400 "role" put_to("rules-src", "replication", vec![ok("r", 1)]);
        "InvalidArgument" 400 "Id" put(vec![ok("r", 1), ok("r", 2)]);
        "InvalidArgument" 400 "riority" put(vec![ok("a", 1), ok("b", 1)]);
        "MalformedXML" 400 "" put(vec![]);
        "MalformedXML" 400 "" edited(&|rule| rule.status = ReplicationRuleStatus::from("On"));
        "InvalidRequest" 400 "Priority" edited(&|rule| rule.priority = None);
        "InvalidRequest" 400 "DeleteMarkerReplication must be" edited(&|rule| rule.delete_marker_replication = None);
        "InvalidRequest" 400 "Tag filter" edited(&|rule| {
            rule.filter = Some(ReplicationRuleFilter::builder().tag(tag.clone()).build());
            rule.delete_marker_replication = markers(DeleteMarkerReplicationStatus::Enabled);
        });
        "MalformedXML" 400 "" edited(&|rule| rule.filter = None);
        "InvalidRequest" 400 "cannot be used for this version" edited(&|rule| {
            rule.filter = None;
            #[expect(deprecated, reason = "the old schema")]
            { rule.prefix = Some(String::new()); }
        });
        "InvalidRequest" 400 "EncryptionConfiguration" destination(&|d| d.encryption_configuration = None);
        "InvalidRequest" 400 "SseKmsEncryptedObjects" edited(&|rule| rule.source_selection_criteria = None);
        "InvalidArgument" 400 "event threshold" destination(&|d| d.metrics = Some(metrics(Some(15))));
        "InvalidRequest" 400 "Metrics" destination(&|d| d.replication_time = Some(time(15)));
        "InvalidArgument" 400 "15" destination(&|d| {
            d.replication_time = Some(time(10));
            d.metrics = Some(metrics(Some(15)));
        });
        "MalformedXML" 400 "" destination(&|d| d.storage_class = Some("WARM".into()));
        "InvalidRequest" 400 "Account" destination(&|d| d.account = Some(OTHER.into()));
        "InvalidArgument" 400 "255" edited(&|rule| rule.id = Some("r".repeat(256)));
    }
    // A bad key, a role that does not exist, RTC and metrics as they should be: all of it is taken.
    let full = |d: &mut Destination| {
        d.replication_time = Some(time(15));
        d.metrics = Some(metrics(Some(15)));
        d.encryption_configuration =
            Some(EncryptionConfiguration::builder().replica_kms_key_id("alias/none").build());
    };
    destination(&full).send().await.unwrap();
    let got = s3.get_bucket_replication().bucket("rules-src").send().await.unwrap();
    let got = got.replication_configuration().unwrap();
    assert_eq!((got.role(), got.rules().len(), got.rules()[0].id()), (ROLE, 1, Some("r")));
    refused! {
        "InvalidBucketState" 409 "replication configuration" s3.put_bucket_versioning().bucket("rules-src").versioning_configuration(versioning(BucketVersioningStatus::Suspended));
    }
    for _ in 0..2 {
        s3.delete_bucket_replication().bucket("rules-src").send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_locks_and_limits() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    for (name, region) in [("rules-src", EAST), ("rules-dst", WEST), ("rules-two", WEST)] {
        stand.bucket(name, region, true).await;
    }
    stand.locked_bucket("rules-lock", EAST).await;
    let (id, secret) = stand.user("limited", PUT_ONLY).await;
    let limited = stand.s3_as(&id, &secret, EAST);
    let ok = |id: &str, priority| rule(id, priority, "rules-dst", Some("k")).build().unwrap();
    // The old schema: a prefix in place of filter, priority and delete markers.
    #[expect(deprecated, reason = "the old schema")]
    let old = |bucket: &str| {
        let mut rule = rule(bucket, 1, bucket, None).build().unwrap();
        (rule.filter, rule.priority, rule.delete_marker_replication) = (None, None, None);
        rule.prefix = Some(String::new());
        rule
    };
    let configuration = |rules: Vec<ReplicationRule>| {
        ReplicationConfiguration::builder().role(ROLE).set_rules(Some(rules)).build().unwrap()
    };
    let put_to = |bucket: &str, rules: Vec<ReplicationRule>| {
        let put = s3.put_bucket_replication().bucket(bucket);
        put.replication_configuration(configuration(rules))
    };
    let put = |rules: Vec<ReplicationRule>| put_to("rules-src", rules);
    let edited = |edit: &dyn Fn(&mut ReplicationRule)| {
        let mut rule = ok("r", 1);
        edit(&mut rule);
        put(vec![rule])
    };
    let destination =
        |edit: &dyn Fn(&mut Destination)| edited(&|rule| edit(rule.destination.as_mut().unwrap()));
    refused! {
        "InvalidArgument" 400 "1024" edited(&|rule| {
            rule.filter = Some(ReplicationRuleFilter::builder().prefix("p".repeat(1025)).build());
        });
        "InvalidRequest" 400 "Account must be specified" destination(&|d| {
            let owner = AccessControlTranslation::builder().owner(OwnerOverride::Destination);
            d.access_control_translation = Some(owner.build().unwrap());
        });
        "MalformedXML" 400 "" edited(&|rule| {
            let status = ExistingObjectReplicationStatus::Enabled;
            let existing = ExistingObjectReplication::builder().status(status).build().unwrap();
            rule.existing_object_replication = Some(existing);
        });
        "MalformedXML" 400 "" destination(&|d| d.storage_class = Some(StorageClass::FsxOpenzfs));
        "MalformedXML" 400 "" edited(&|rule| {
            let opted = rule.source_selection_criteria.as_mut().unwrap();
            let status = ReplicaModificationsStatus::from("On");
            opted.replica_modifications =
                Some(ReplicaModifications::builder().status(status).build().unwrap());
        });
        "InvalidRequest" 400 "Number of distinct destination bucket ARNs cannot exceed 1" put(vec![old("rules-dst"), old("rules-two")]);
        "InvalidRequest" 400 "Object Lock" put_to("rules-lock", vec![ok("r", 1)]);
        "MaxMessageLengthExceeded" 400 "too big" put((0..1000).map(|n| {
            let mut rule = ok(&n.to_string(), n);
            rule.filter = Some(ReplicationRuleFilter::builder().prefix("ü".repeat(1024)).build());
            rule
        }).collect());
        "InvalidRequest" 400 "1000 rules" put((0..1001).map(|n| ok(&n.to_string(), n)).collect());
        "AccessDenied" 403 "iam:PassRole" limited.put_bucket_replication().bucket("rules-src").replication_configuration(configuration(vec![ok("r", 1)]));
    }
    // The old schema with one destination is taken.
    put(vec![old("rules-dst")]).send().await.unwrap();
}
