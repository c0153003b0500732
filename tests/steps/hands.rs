//! What others do to the things of a pair, and the things that they own.
//! Not for: what crrctl does (see `table`).

use super::stand::{DESTINATION, SOURCE, StepTest};
use aws_sdk_kms::types as k;
use aws_sdk_s3::types as t;
use crrctl::names::Region;
use serde_json::{Value, json};
use std::pin::Pin;

/// Something that is done by hand.
pub(super) type Hand = for<'a> fn(&'a StepTest) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

macro_rules! hands {
    ($($(#[$doc:meta])* $name:ident($test:ident) $body:block)*) => {$(
        $(#[$doc])*
        pub(super) fn $name($test: &StepTest) -> Pin<Box<dyn Future<Output = ()> + '_>> {
            Box::pin(async move $body)
        }
    )*};
}

const ALIAS: &str = "alias/crrctl/demo";
const ROLE: &str = "crrctl-demo-us-east-1";

fn home() -> Region {
    Region::new("us-east-1").unwrap()
}

fn away() -> Region {
    Region::new("us-west-2").unwrap()
}

fn region_of(bucket: &str) -> Region {
    if bucket.ends_with("us-west-2") { away() } else { home() }
}

async fn key(test: &StepTest, region: &Region) -> String {
    let key = test.aws.kms(region).describe_key().key_id(ALIAS).send().await.unwrap();
    key.key_metadata().unwrap().key_id().to_owned()
}

async fn put_key_policy(test: &StepTest, region: &Region) {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Root", "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"}]});
    let put = test.aws.kms(region).put_key_policy().key_id(key(test, region).await);
    put.policy_name("default").policy(policy.to_string()).send().await.unwrap();
}

/// Returns the tags by which a key is the pair's.
fn pair_tags() -> Vec<k::Tag> {
    let tag =
        |key: &str, value: &str| k::Tag::builder().tag_key(key).tag_value(value).build().unwrap();
    let id = format!("111122223333/us-east-1/{SOURCE}");
    vec![tag("crrctl:pair", "demo"), tag("crrctl:id", &id)]
}

async fn make_bucket(test: &StepTest, region: &Region, bucket: &str) {
    let place = (region.as_str() != "us-east-1")
        .then(|| t::BucketLocationConstraint::from(region.as_str()));
    let made = t::CreateBucketConfiguration::builder().set_location_constraint(place).build();
    let create = test.aws.s3(region).create_bucket().bucket(bucket);
    create.create_bucket_configuration(made).send().await.unwrap();
}

async fn put_policy(test: &StepTest, bucket: &str, sid: &str) {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Deny",
        "Principal": "*", "Action": "s3:PutObjectAcl", "Resource": format!("arn:aws:s3:::{bucket}/*")}]});
    let put = test.aws.s3(&region_of(bucket)).put_bucket_policy().bucket(bucket);
    put.policy(policy.to_string()).send().await.unwrap();
}

async fn put_versioning(test: &StepTest, bucket: &str, status: t::BucketVersioningStatus) {
    let versioning = t::VersioningConfiguration::builder().status(status).build();
    let put = test.aws.s3(&region_of(bucket)).put_bucket_versioning().bucket(bucket);
    put.versioning_configuration(versioning).send().await.unwrap();
}

async fn put_encryption(test: &StepTest, bucket: &str, blocked: Option<t::BlockedEncryptionTypes>) {
    let default = t::ServerSideEncryptionByDefault::builder();
    let default = default.sse_algorithm(t::ServerSideEncryption::Aes256).build().unwrap();
    let rule = t::ServerSideEncryptionRule::builder();
    let rule = rule.apply_server_side_encryption_by_default(default);
    let rule = rule.set_blocked_encryption_types(blocked).build();
    let all = t::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    let put = test.aws.s3(&region_of(bucket)).put_bucket_encryption().bucket(bucket);
    put.server_side_encryption_configuration(all).send().await.unwrap();
}

async fn put_ownership(test: &StepTest, bucket: &str) {
    let rule = t::OwnershipControlsRule::builder();
    let rule = rule.object_ownership(t::ObjectOwnership::ObjectWriter).build().unwrap();
    let controls = t::OwnershipControls::builder().rules(rule).build().unwrap();
    let put = test.aws.s3(&region_of(bucket)).put_bucket_ownership_controls().bucket(bucket);
    put.ownership_controls(controls).send().await.unwrap();
}

async fn put_logging(test: &StepTest, bucket: &str, prefix: &str) {
    let region = region_of(bucket);
    let enabled = t::LoggingEnabled::builder().target_bucket(format!("logs-{region}"));
    let enabled = enabled.target_prefix(prefix).build().unwrap();
    let status = t::BucketLoggingStatus::builder().logging_enabled(enabled).build();
    let put = test.aws.s3(&region).put_bucket_logging().bucket(bucket);
    put.bucket_logging_status(status).send().await.unwrap();
}

fn lifecycle_rule(id: &str, days: i32) -> t::LifecycleRule {
    let old = t::NoncurrentVersionExpiration::builder().noncurrent_days(days).build();
    let filter = t::LifecycleRuleFilter::builder().prefix("").build();
    let rule = t::LifecycleRule::builder().id(id).status(t::ExpirationStatus::Enabled);
    rule.filter(filter).noncurrent_version_expiration(old).build().unwrap()
}

async fn put_lifecycle(test: &StepTest, bucket: &str, rules: Vec<t::LifecycleRule>) {
    let all = t::BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
    let put = test.aws.s3(&region_of(bucket)).put_bucket_lifecycle_configuration().bucket(bucket);
    put.lifecycle_configuration(all).send().await.unwrap();
}

async fn put_tags(test: &StepTest, bucket: &str, tags: impl IntoIterator<Item = (String, String)>) {
    let tag = |(key, value)| t::Tag::builder().key(key).value(value).build().unwrap();
    let tags = tags.into_iter().map(tag).collect();
    let tagging = t::Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
    let put = test.aws.s3(&region_of(bucket)).put_bucket_tagging().bucket(bucket);
    put.tagging(tagging).send().await.unwrap();
}

/// Returns the tags of a bucket.
pub(super) async fn tags(test: &StepTest, bucket: &str) -> Vec<(String, String)> {
    let live = test.aws.s3(&region_of(bucket)).get_bucket_tagging().bucket(bucket).send().await;
    let pair = |tag: &t::Tag| (tag.key().to_owned(), tag.value().to_owned());
    live.map(|live| live.tag_set().iter().map(pair).collect()).unwrap_or_default()
}

/// Returns the Sids of the policy of a bucket.
pub(super) async fn sids(test: &StepTest, bucket: &str) -> Vec<String> {
    let live = test.aws.s3(&region_of(bucket)).get_bucket_policy().bucket(bucket).send().await;
    let Ok(live) = live else { return Vec::new() };
    let policy: Value = serde_json::from_str(live.policy().unwrap()).unwrap();
    let statements = policy["Statement"].as_array().unwrap().iter();
    statements.map(|it| it["Sid"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Returns the lifecycle rules of a bucket.
async fn lifecycle(test: &StepTest, bucket: &str) -> Vec<t::LifecycleRule> {
    let get = test.aws.s3(&region_of(bucket)).get_bucket_lifecycle_configuration();
    let live = get.bucket(bucket).send().await;
    live.map(|live| live.rules().to_vec()).unwrap_or_default()
}

/// Returns the ids of the lifecycle rules of a bucket.
pub(super) async fn lifecycle_ids(test: &StepTest, bucket: &str) -> Vec<String> {
    let rules = lifecycle(test, bucket).await;
    rules.iter().map(|rule| rule.id().unwrap().to_owned()).collect()
}

/// Returns the prefixes of their lifecycle rules, which stand in a filter.
pub(super) async fn lifecycle_prefixes(test: &StepTest) -> Vec<String> {
    let rules = lifecycle(test, SOURCE).await.into_iter();
    let theirs = rules.filter(|rule| rule.id() == Some("theirs"));
    // A rule of the older form has its prefix itself.
    #[expect(deprecated, reason = "a rule of the older form is theirs")]
    let prefix = |rule: &t::LifecycleRule| {
        rule.filter().map_or(rule.prefix(), |it| it.prefix()).map(str::to_owned)
    };
    theirs.filter_map(|rule| prefix(&rule)).collect()
}

/// Returns what the default encryption of the source blocks.
pub(super) async fn blocked_types(test: &StepTest) -> Vec<String> {
    let live = test.aws.s3(&home()).get_bucket_encryption().bucket(SOURCE).send().await.unwrap();
    let rules = live.server_side_encryption_configuration.unwrap().rules;
    let blocked = rules[0].blocked_encryption_types().map(|it| it.encryption_type().to_vec());
    blocked.unwrap_or_default().iter().map(|it| it.as_str().to_owned()).collect()
}

/// Returns the dates by which the logs of the source are named.
pub(super) async fn log_dates(test: &StepTest) -> Vec<String> {
    let live = test.aws.s3(&home()).get_bucket_logging().bucket(SOURCE).send().await.unwrap();
    let format = live.logging_enabled.and_then(|it| it.target_object_key_format);
    let prefix = format.and_then(|it| it.partitioned_prefix);
    let source = prefix.and_then(|it| it.partition_date_source);
    source.iter().map(|it| it.as_str().to_owned()).collect()
}

/// Returns the role and the rules of the source.
async fn replication(test: &StepTest) -> Option<(String, Vec<t::ReplicationRule>)> {
    let live = test.aws.s3(&home()).get_bucket_replication().bucket(SOURCE).send().await.ok()?;
    let live = live.replication_configuration.unwrap();
    Some((live.role, live.rules))
}

/// Returns the ids of the replication rules of the source.
pub(super) async fn rule_ids(test: &StepTest) -> Vec<String> {
    let rules = replication(test).await.map(|(_, rules)| rules).unwrap_or_default();
    rules.iter().map(|rule| rule.id().unwrap().to_owned()).collect()
}

async fn put_rules(test: &StepTest, role: &str, rules: Vec<t::ReplicationRule>) {
    let all = t::ReplicationConfiguration::builder().role(role).set_rules(Some(rules)).build();
    let put = test.aws.s3(&home()).put_bucket_replication().bucket(SOURCE);
    put.replication_configuration(all.unwrap()).send().await.unwrap();
}

/// Returns the key that the alias of the source's Region names.
pub(super) async fn named_key(test: &StepTest) -> String {
    key(test, &home()).await
}

hands! {
    nothing(_test) {}

    key_policy(test) { put_key_policy(test, &home()).await; }

    replica_policy(test) { put_key_policy(test, &away()).await; }

    /// Another run schedules the key and its replica, whose aliases stay.
    alias_to_a_key_that_goes(test) {
        let (home, away) = (home(), away());
        for bucket in [SOURCE, DESTINATION] {
            let region = region_of(bucket);
            test.aws.s3(&region).delete_bucket().bucket(bucket).send().await.unwrap();
        }
        for region in [&away, &home] {
            let id = key(test, region).await;
            let schedule = test.aws.kms(region).schedule_key_deletion().key_id(id);
            schedule.pending_window_in_days(7).send().await.unwrap();
        }
    }

    rotation(test) {
        let disable = test.aws.kms(&home()).disable_key_rotation();
        disable.key_id(key(test, &home()).await).send().await.unwrap();
    }

    /// Another run makes a key and names it.
    alias_of_another_run(test) {
        let create = test.aws.kms(&home()).create_key().multi_region(true).set_tags(Some(pair_tags()));
        let made = create.send().await.unwrap().key_metadata.unwrap();
        let create = test.aws.kms(&home()).create_alias().alias_name(ALIAS);
        create.target_key_id(made.key_id).send().await.unwrap();
    }

    /// Another run makes the replica.
    replica_of_another_run(test) {
        let replicate = test.aws.kms(&home()).replicate_key().replica_region("us-west-2");
        let replicate = replicate.set_tags(Some(pair_tags()));
        replicate.key_id(key(test, &home()).await).send().await.unwrap();
    }

    /// Another run makes the role.
    role_of_another_run(test) {
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Sid": "S3Replicates",
            "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sts:AssumeRole"}]});
        let tag = |key: &str, value: &str| {
            aws_sdk_iam::types::Tag::builder().key(key).value(value).build().unwrap()
        };
        let create = test.aws.iam(&home()).create_role().role_name(ROLE).path("/crrctl/");
        let create = create.assume_role_policy_document(trust.to_string());
        let create = create.tags(tag("crrctl:pair", "demo"));
        let id = format!("111122223333/us-east-1/{SOURCE}");
        create.tags(tag("crrctl:id", &id)).send().await.unwrap();
    }

    /// Somebody raises the threshold.
    alarm(test) {
        for alarm in test.aws.alarms(&home(), "crrctl.demo.").await.unwrap() {
            let says = crrctl::world::AlarmSays { threshold: 5.0, ..alarm.says };
            test.aws.put_alarm(&home(), &alarm.name, &says, &alarm.tags).await.unwrap();
        }
    }

    tag(test) {
        let mut tags = tags(test, SOURCE).await;
        tags.retain(|(key, _)| !key.starts_with("crrctl:setting/"));
        tags.push(("owner".to_owned(), "them".to_owned()));
        put_tags(test, SOURCE, tags).await;
    }

    versioning(test) {
        put_versioning(test, DESTINATION, t::BucketVersioningStatus::Suspended).await;
    }

    encryption(test) { put_encryption(test, SOURCE, None).await; }

    public_access_block(test) {
        let delete = test.aws.s3(&home()).delete_public_access_block();
        delete.bucket(SOURCE).send().await.unwrap();
    }

    ownership(test) { put_ownership(test, SOURCE).await; }

    object_lock(test) {
        let days = t::DefaultRetention::builder().mode(t::ObjectLockRetentionMode::Governance);
        let rule = t::ObjectLockRule::builder().default_retention(days.days(2).build()).build();
        let lock = t::ObjectLockConfiguration::builder().rule(rule);
        let lock = lock.object_lock_enabled(t::ObjectLockEnabled::Enabled).build();
        let put = test.aws.s3(&home()).put_object_lock_configuration().bucket(SOURCE);
        put.object_lock_configuration(lock).send().await.unwrap();
    }

    logging(test) { put_logging(test, SOURCE, "other/").await; }

    bucket_policy(test) { put_policy(test, SOURCE, "Theirs").await; }

    /// The pair's rule has other days, and somebody else has a rule of his own.
    lifecycle_rules(test) {
        let mut rules = lifecycle(test, SOURCE).await;
        for rule in &mut rules {
            *rule = lifecycle_rule(rule.id().unwrap(), 1);
        }
        rules.push(lifecycle_rule("theirs", 7));
        put_lifecycle(test, SOURCE, rules).await;
    }

    /// The pair's notification has another event, and somebody else has one of his own.
    notifications(test) {
        let ours = notification("crrctl.demo", "s3:Replication:OperationNotTracked");
        put_notifications(test, SOURCE, vec![ours, their_notification()]).await;
    }

    role_trust(test) {
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        let update = test.aws.iam(&home()).update_assume_role_policy().role_name(ROLE);
        update.policy_document(trust.to_string()).send().await.unwrap();
    }

    role_policy(test) {
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Action": "s3:ListBucket", "Resource": "*"}]});
        let put = test.aws.iam(&home()).put_role_policy().role_name(ROLE);
        let put = put.policy_name("replication").policy_document(policy.to_string());
        put.send().await.unwrap();
    }

    /// The pair's rule is disabled, and somebody else has a rule of his own.
    rules(test) {
        let (role, mut rules) = replication(test).await.unwrap();
        let status = t::ReplicationRuleStatus::Disabled;
        rules[0].status = status;
        rules.push(their_rule(DESTINATION));
        put_rules(test, &role, rules).await;
    }

    /// Only single tags may be set.
    abac(test) {
        let on = t::AbacStatus::builder().status(t::BucketAbacStatus::Enabled).build();
        let put = test.aws.s3(&home()).put_bucket_abac().bucket(SOURCE);
        put.abac_status(on).send().await.unwrap();
    }

    /// Somebody else has a rule in the older form.
    older_lifecycle_rule(test) {
        let mut rule = lifecycle_rule("theirs", 7);
        rule.filter = None;
        #[expect(deprecated, reason = "the older form is what is tested")]
        rule.prefix.replace("logs/".to_owned());
        put_lifecycle(test, SOURCE, vec![rule]).await;
    }

    /// Nothing is blocked, as somebody has it who needs SSE-C.
    no_blocked_types(test) {
        let none = t::BlockedEncryptionTypes::builder().encryption_type(t::EncryptionType::None);
        put_encryption(test, SOURCE, Some(none.build())).await;
    }

    /// The logs go to the bucket itself, in keys by date.
    logs_by_date(test) {
        let source = t::PartitionDateSource::EventTime;
        let prefix = t::PartitionedPrefix::builder().partition_date_source(source).build();
        let format = t::TargetObjectKeyFormat::builder().partitioned_prefix(prefix).build();
        let enabled = t::LoggingEnabled::builder().target_bucket(SOURCE).target_prefix("own/");
        let enabled = enabled.target_object_key_format(format).build().unwrap();
        let status = t::BucketLoggingStatus::builder().logging_enabled(enabled).build();
        let put = test.aws.s3(&home()).put_bucket_logging().bucket(SOURCE);
        put.bucket_logging_status(status).send().await.unwrap();
    }

    /// A run that was cut off left a probe. A bucket that is not empty does not take its rules along.
    probe(test) {
        let put = test.aws.s3(&home()).put_object().bucket(SOURCE).key("_crrctl/demo/left");
        let id = format!("111122223333/us-east-1/{SOURCE}");
        let put = put.metadata("crrctl-pair", "demo").metadata("crrctl-id", id);
        put.send().await.unwrap();
    }
}

fn their_rule(destination: &str) -> t::ReplicationRule {
    let markers = t::DeleteMarkerReplicationStatus::Disabled;
    let to = t::Destination::builder().bucket(format!("arn:aws:s3:::{destination}"));
    t::ReplicationRule::builder()
        .id("theirs")
        .priority(7)
        .status(t::ReplicationRuleStatus::Disabled)
        .filter(t::ReplicationRuleFilter::builder().prefix("logs/").build())
        .delete_marker_replication(t::DeleteMarkerReplication::builder().status(markers).build())
        .destination(to.build().unwrap())
        .build()
        .unwrap()
}

const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:alerts";

/// Makes the queue that alerts go to.
pub(super) fn make_queue(test: &StepTest) {
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": QUEUE, "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}});
    let arn = crrctl::names::Arn::new(QUEUE).unwrap();
    test.sandbox.put_channel(&arn, &[("Policy", &policy.to_string())]).unwrap();
}

fn notification(id: &str, event: &str) -> t::QueueConfiguration {
    let entry = t::QueueConfiguration::builder().id(id).queue_arn(QUEUE);
    entry.events(t::Event::from(event)).build().unwrap()
}

fn their_notification() -> t::QueueConfiguration {
    notification("theirs", "s3:ObjectRemoved:*")
}

async fn put_notifications(test: &StepTest, bucket: &str, all: Vec<t::QueueConfiguration>) {
    let all = t::NotificationConfiguration::builder().set_queue_configurations(Some(all));
    let put = test.aws.s3(&region_of(bucket)).put_bucket_notification_configuration();
    put.bucket(bucket).notification_configuration(all.build()).send().await.unwrap();
}

/// Returns the ids of the notifications of the source.
pub(super) async fn notification_ids(test: &StepTest) -> Vec<String> {
    let get = test.aws.s3(&home()).get_bucket_notification_configuration().bucket(SOURCE);
    let found = get.send().await.unwrap();
    found.queue_configurations().iter().map(|it| it.id().unwrap().to_owned()).collect()
}

/// Makes the buckets that access logs go to.
pub(super) async fn make_log_buckets(test: &StepTest) {
    for region in [home(), away()] {
        let bucket = format!("logs-{region}");
        make_bucket(test, &region, &bucket).await;
        let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
            "Resource": format!("arn:aws:s3:::{bucket}/*")}});
        let put = test.aws.s3(&region).put_bucket_policy().bucket(&bucket);
        put.policy(policy.to_string()).send().await.unwrap();
    }
}

/// Makes the two buckets of the pair as somebody else has them.
pub(super) async fn make_their_buckets(test: &StepTest) {
    for bucket in [SOURCE, DESTINATION] {
        make_bucket(test, &region_of(bucket), bucket).await;
        put_tags(test, bucket, [("owner".to_owned(), "them".to_owned())]).await;
        put_policy(test, bucket, "Theirs").await;
        put_ownership(test, bucket).await;
        let block = t::PublicAccessBlockConfiguration::builder().block_public_acls(true).build();
        let put = test.aws.s3(&region_of(bucket)).put_public_access_block().bucket(bucket);
        put.public_access_block_configuration(block).send().await.unwrap();
        put_versioning(test, bucket, t::BucketVersioningStatus::Suspended).await;
        put_encryption(test, bucket, None).await;
        put_lifecycle(test, bucket, vec![lifecycle_rule("theirs", 7)]).await;
        put_logging(test, bucket, "theirs/").await;
    }
    put_notifications(test, SOURCE, vec![their_notification()]).await;
}
