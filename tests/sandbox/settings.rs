//! Settings of buckets: notifications, logging, lifecycle rules, and what S3 refuses of them. The
//! messages of notifications and logging are those that S3 was recorded to return; those of
//! lifecycle rules are the sandbox's own.
//! Not for: ACLs (see `acls`), or public access blocks (see `account_settings`).

use super::{EAST, OTHER, Stand, WEST, refusal, refused};
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketLoggingStatus, Event,
    EventBridgeConfiguration, ExpirationStatus, FilterRule, FilterRuleName, LifecycleExpiration,
    LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter, LoggingEnabled,
    NotificationConfiguration, NotificationConfigurationFilter, ObjectOwnership,
    QueueConfiguration, S3KeyFilter, Tag, TopicConfiguration, Transition, TransitionStorageClass,
};
use crrctl_sandbox::SECRET;

const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:events";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:events";

fn filter(rules: &[(&str, &str)]) -> NotificationConfigurationFilter {
    let rule = |(name, value): &(&str, &str)| {
        FilterRule::builder().name(FilterRuleName::from(*name)).value(*value).build()
    };
    let rules = rules.iter().map(rule).collect();
    let key = S3KeyFilter::builder().set_filter_rules(Some(rules)).build();
    NotificationConfigurationFilter::builder().key(key).build()
}

fn queue(arn: &str, event: &str, rules: &[(&str, &str)]) -> QueueConfiguration {
    let queue = QueueConfiguration::builder().queue_arn(arn).events(Event::from(event));
    queue.filter(filter(rules)).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_kept_whole() {
    let stand = Stand::start().await;
    stand.bucket("told", EAST, false).await;
    let s3 = stand.s3(EAST);
    let get = || s3.get_bucket_notification_configuration().bucket("told").send();
    let got = get().await.unwrap();
    assert!(got.queue_configurations().is_empty() && got.event_bridge_configuration().is_none());
    let put = |configuration| {
        let put = s3.put_bucket_notification_configuration().bucket("told");
        put.notification_configuration(configuration)
    };
    let topic = TopicConfiguration::builder()
        .id("mine")
        .topic_arn(TOPIC)
        .events(Event::from("s3:ObjectRemoved:*"))
        .build()
        .unwrap();
    let configuration = NotificationConfiguration::builder()
        .queue_configurations(queue(QUEUE, "s3:Replication:*", &[("Prefix", "in/")]))
        .topic_configurations(topic)
        .event_bridge_configuration(EventBridgeConfiguration::builder().build())
        .build();
    put(configuration).skip_destination_validation(true).send().await.unwrap();
    let got = get().await.unwrap();
    let queues = got.queue_configurations();
    assert_eq!((queues.len(), queues[0].queue_arn()), (1, QUEUE));
    assert_eq!(queues[0].events(), [Event::from("s3:Replication:*")]);
    let rules = queues[0].filter().unwrap().key().unwrap().filter_rules();
    assert_eq!(rules[0].value(), Some("in/"));
    assert!(queues[0].id().is_some_and(|id| !id.is_empty()));
    assert_eq!(got.topic_configurations()[0].id(), Some("mine"));
    assert!(got.event_bridge_configuration().is_some());
    put(NotificationConfiguration::builder().build()).send().await.unwrap();
    assert!(get().await.unwrap().topic_configurations().is_empty());

    let created = "s3:ObjectCreated:Put";
    for (part, queues) in [
        ("event is not supported", vec![queue(QUEUE, "s3:Odd", &[])]),
        ("either prefix or suffix", vec![queue(QUEUE, created, &[("middle", "a")])]),
        ("more than one prefix", vec![queue(QUEUE, created, &[("prefix", "a"), ("Prefix", "b")])]),
        ("not well formed", vec![queue("queue", created, &[])]),
        ("not well formed", vec![queue(TOPIC, created, &[])]),
        ("region", vec![queue("arn:aws:sqs:eu-west-1:111122223333:q", created, &[])]),
        (
            "cannot share a common event type",
            vec![
                QueueConfiguration::builder()
                    .queue_arn(QUEUE)
                    .set_events(Some(vec![Event::from(created); 2]))
                    .build()
                    .unwrap(),
            ],
        ),
        (
            "ambiguously defined",
            vec![
                queue(QUEUE, "s3:ObjectCreated:*", &[("prefix", "a")]),
                queue(QUEUE, created, &[("prefix", "ab"), ("suffix", ".csv")]),
            ],
        ),
    ] {
        let configuration =
            NotificationConfiguration::builder().set_queue_configurations(Some(queues));
        let (code, status, message) = refusal(put(configuration.build()).send().await);
        let right = (&*code, status) == ("InvalidArgument", 400) && message.contains(part);
        assert!(right, "{part}: {code} {message}");
    }
    for other in [
        queue(QUEUE, created, &[("prefix", "b")]),
        queue(QUEUE, "s3:ObjectRemoved:Delete", &[("prefix", "a")]),
    ] {
        let configuration = NotificationConfiguration::builder()
            .queue_configurations(queue(QUEUE, created, &[("prefix", "a")]))
            .queue_configurations(other);
        put(configuration.build()).skip_destination_validation(true).send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_go_to_a_bucket_of_the_same_owner_and_region() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("logged", EAST, false).await;
    stand.bucket("logs", EAST, false).await;
    stand.bucket("west", WEST, false).await;
    stand.s3_as(OTHER, SECRET, EAST).create_bucket().bucket("theirs").send().await.unwrap();
    let writers = s3.create_bucket().bucket("writers");
    writers.object_ownership(ObjectOwnership::ObjectWriter).send().await.unwrap();
    let put = |target: &str| {
        let on = LoggingEnabled::builder().target_bucket(target).target_prefix("log/");
        let status = BucketLoggingStatus::builder().logging_enabled(on.build().unwrap()).build();
        s3.put_bucket_logging().bucket("logged").bucket_logging_status(status)
    };
    let get = || async {
        let got = s3.get_bucket_logging().bucket("logged").send().await.unwrap();
        got.logging_enabled().map(|on| on.target_bucket().to_owned())
    };
    assert_eq!(get().await, None);
    refused! {
        "InvalidTargetBucketForLogging" 400 "does not exist" put("absent");
        "InvalidTargetBucketForLogging" 400 "owner" put("theirs");
        "InvalidTargetBucketForLogging" 400 "log-delivery group" put("writers");
        "CrossLocationLoggingProhibitted" 403 "Cross S3 location" put("west");
    }
    put("logs").send().await.unwrap();
    assert_eq!(get().await.as_deref(), Some("logs"));
    let acl = s3.put_bucket_acl().bucket("writers").acl("log-delivery-write".into());
    acl.send().await.unwrap();
    put("writers").send().await.unwrap();
    let off = s3.put_bucket_logging().bucket("logged");
    off.bucket_logging_status(BucketLoggingStatus::builder().build()).send().await.unwrap();
    assert_eq!(get().await, None);
}

fn expiring(days: i32) -> aws_sdk_s3::types::builders::LifecycleRuleBuilder {
    let expiration = LifecycleExpiration::builder().days(days).build();
    LifecycleRule::builder().status(ExpirationStatus::Enabled).expiration(expiration)
}

fn everything() -> LifecycleRuleFilter {
    LifecycleRuleFilter::builder().prefix("").build()
}

fn tagged() -> LifecycleRuleFilter {
    let tag = Tag::builder().key("a").value("b").build().unwrap();
    LifecycleRuleFilter::builder().tag(tag).build()
}

fn moving(days: i32, class: &str) -> Transition {
    Transition::builder().days(days).storage_class(TransitionStorageClass::from(class)).build()
}

#[tokio::test(flavor = "multi_thread")]
async fn lifecycle_rules_are_checked() {
    let stand = Stand::start().await;
    stand.bucket("aging", EAST, false).await;
    let s3 = stand.s3(EAST);
    let put = |rules: Vec<LifecycleRule>| {
        let configuration =
            BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
        let put = s3.put_bucket_lifecycle_configuration().bucket("aging");
        put.lifecycle_configuration(configuration).send()
    };
    let all = |rule: aws_sdk_s3::types::builders::LifecycleRuleBuilder| {
        rule.filter(everything()).build().unwrap()
    };
    let none = || LifecycleRule::builder().status(ExpirationStatus::Enabled);
    let at = |date: i64| LifecycleExpiration::builder().date(DateTime::from_secs(date)).build();
    let abort = AbortIncompleteMultipartUpload::builder().days_after_initiation(1).build();
    let marker = LifecycleExpiration::builder().expired_object_delete_marker(true).build();
    #[expect(deprecated, reason = "the older member of a rule")]
    let older = || expiring(1).prefix("old/").build().unwrap();
    let one = LifecycleRuleAndOperator::builder().prefix("a").build();
    let single = LifecycleRuleFilter::builder().and(one).build();
    for (code, part, rules) in [
        ("MalformedXML", "", vec![]),
        ("MalformedXML", "", vec![expiring(1).build().unwrap()]),
        ("MalformedXML", "", vec![expiring(1).filter(single).build().unwrap()]),
        ("MalformedXML", "", vec![all(expiring(1).status("On".into()))]),
        ("MalformedXML", "", vec![all(none().transitions(moving(40, "COLD")))]),
        ("InvalidArgument", "must be a positive integer", vec![all(expiring(0))]),
        ("InvalidRequest", "At least one action", vec![all(none())]),
        ("InvalidArgument", "allowed limit of 255", vec![all(expiring(1).id("x".repeat(256)))]),
        (
            "InvalidArgument",
            "Found same ID",
            vec![all(expiring(1).id("same")), all(expiring(2).id("same"))],
        ),
        (
            "InvalidArgument",
            "greater than or equal to 30",
            vec![all(none().transitions(moving(29, "STANDARD_IA")))],
        ),
        ("InvalidArgument", "midnight GMT", vec![all(none().expiration(at(86_400 * 20_000 + 1)))]),
        (
            "InvalidArgument",
            "greater than 'Days' in the Transition",
            vec![all(expiring(40).transitions(moving(40, "GLACIER")))],
        ),
        (
            "InvalidRequest",
            "cannot be specified with Tags",
            vec![none().filter(tagged()).abort_incomplete_multipart_upload(abort).build().unwrap()],
        ),
        (
            "InvalidRequest",
            "cannot be specified with Tags",
            vec![none().filter(tagged()).expiration(marker).build().unwrap()],
        ),
        ("InvalidRequest", "only be used in Lifecycle V2", vec![older(), all(expiring(2))]),
    ] {
        let shown = format!("{rules:?}");
        let (got, status, message) = refusal(put(rules).await);
        assert!(
            (got.as_str(), status) == (code, 400) && message.contains(part),
            "{code} {part}: {got} {message} {shown}"
        );
    }
    put(vec![older()]).await.unwrap();
    put(vec![all(expiring(41).transitions(moving(40, "STANDARD_IA")))]).await.unwrap();
    put(vec![all(none().expiration(at(86_400 * 20_000)))]).await.unwrap();
    let got = s3.get_bucket_lifecycle_configuration().bucket("aging").send().await.unwrap();
    assert_eq!(got.rules().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_says_when_it_expires() {
    let stand = Stand::start().await;
    stand.bucket("aging", EAST, true).await;
    let s3 = stand.s3(EAST);
    let small = LifecycleRuleFilter::builder().object_size_less_than(3).build();
    let rules = [
        expiring(7).id("by tag").filter(tagged()),
        expiring(9).id("small").filter(small),
        expiring(1).id("off").filter(everything()).status(ExpirationStatus::Disabled),
    ];
    let rules = rules.into_iter().map(|rule| rule.build().unwrap()).collect();
    let configuration =
        BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
    let put = s3.put_bucket_lifecycle_configuration().bucket("aging");
    put.lifecycle_configuration(configuration).send().await.unwrap();
    for (tagging, body, rule) in [
        ("", "hello", None),
        ("a=b", "hello", Some("by+tag")),
        ("a=b", "h", Some("by+tag")),
        ("a=c", "h", Some("small")),
    ] {
        let put = s3.put_object().bucket("aging").key("k").body(body.as_bytes().to_vec().into());
        let put = put.tagging(tagging).send().await.unwrap();
        let head = s3.head_object().bucket("aging").key("k").send().await.unwrap();
        let get = s3.get_object().bucket("aging").key("k").send().await.unwrap();
        let expiration = put.expiration().map(String::from);
        assert_eq!(head.expiration().map(String::from), expiration);
        assert_eq!(get.expiration().map(String::from), expiration);
        let Some(rule) = rule else {
            assert_eq!(expiration, None);
            continue;
        };
        let expiration = expiration.unwrap();
        let start = expiration.starts_with("expiry-date=\"");
        let end = expiration.ends_with(&format!(" 00:00:00 GMT\", rule-id=\"{rule}\""));
        assert!(start && end, "{expiration}");
    }
    // An older version does not expire by the rules for the newest.
    let versions = s3.list_object_versions().bucket("aging").send().await.unwrap();
    let older = versions.versions().iter().find(|version| version.is_latest() == Some(false));
    let id = older.unwrap().version_id().unwrap();
    let head = s3.head_object().bucket("aging").key("k").version_id(id).send().await.unwrap();
    assert_eq!(head.expiration(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn sse_c_is_blocked_until_it_is_allowed() {
    use aws_sdk_s3::types::{
        BlockedEncryptionTypes, EncryptionType, ServerSideEncryption,
        ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    };
    let stand = Stand::start().await;
    stand.bucket("sealed", EAST, false).await;
    let s3 = stand.s3(EAST);
    let get = || async {
        let got = s3.get_bucket_encryption().bucket("sealed").send().await.unwrap();
        let configuration = got.server_side_encryption_configuration().unwrap();
        configuration.rules()[0].blocked_encryption_types().unwrap().encryption_type().to_vec()
    };
    let put = |blocked: Option<&str>| {
        let aes = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::Aes256)
            .build()
            .unwrap();
        let types = blocked.map(|name| {
            BlockedEncryptionTypes::builder().encryption_type(EncryptionType::from(name)).build()
        });
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(aes)
            .set_blocked_encryption_types(types)
            .build();
        let configuration =
            ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
        let put = s3.put_bucket_encryption().bucket("sealed");
        put.server_side_encryption_configuration(configuration)
    };
    let upload = || {
        let put = s3.put_object().bucket("sealed").key("k").sse_customer_algorithm("AES256");
        put.sse_customer_key("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
            .sse_customer_key_md5("hRasmdxgYDKV3nvbahU1MA==")
    };
    assert_eq!(get().await, [EncryptionType::SseC]);
    refused! {
        "AccessDenied" 403 "" upload();
        "MalformedXML" 400 "" put(Some("SSE-S3"));
    }
    put(Some("NONE")).send().await.unwrap();
    assert_eq!(get().await, [EncryptionType::None]);
    put(None).send().await.unwrap();
    assert_eq!(get().await, [EncryptionType::None]);
    refused! { "NotImplemented" 501 "SSE-C" upload(); }
    s3.delete_bucket_encryption().bucket("sealed").send().await.unwrap();
    assert_eq!(get().await, [EncryptionType::SseC]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_a_bucket_with_abac_go_by_s3_control() {
    use aws_sdk_s3::types::{AbacStatus, BucketAbacStatus, Tagging};
    let stand = Stand::start().await;
    stand.bucket("tagged", EAST, false).await;
    let (s3, control) = (stand.s3(EAST), stand.s3control(super::ACCOUNT, SECRET, EAST));
    let get = || async {
        let got = s3.get_bucket_abac().bucket("tagged").send().await.unwrap();
        got.abac_status().unwrap().status().unwrap().clone()
    };
    let put = |status: &str| {
        let status = AbacStatus::builder().status(BucketAbacStatus::from(status)).build();
        s3.put_bucket_abac().bucket("tagged").abac_status(status)
    };
    let tag = |key: &str, value: &str| {
        let tag = Tag::builder().key(key).value(value).build().unwrap();
        let set = Tagging::builder().tag_set(tag).build().unwrap();
        s3.put_bucket_tagging().bucket("tagged").tagging(set)
    };
    assert_eq!(get().await, BucketAbacStatus::Disabled);
    refused! {
        "MalformedXML" 400 "" put("On");
        "NoSuchBucket" 404 "" s3.get_bucket_abac().bucket("absent");
        "InvalidTag" 400 "System tags" tag("aws:a", "b");
        "InvalidTag" 400 "TagKey you have provided is invalid" tag("a!", "b");
        "InvalidTag" 400 "TagValue you have provided is invalid" tag("a", "b!");
    }
    tag("team", "one").send().await.unwrap();
    // Without ABAC, the tags of a bucket are no condition keys.
    let own = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"one"}}}]}"#;
    let (id, secret) = stand.user("member", own).await;
    let member = stand.s3_as(&id, &secret, EAST);
    let list = || member.list_objects_v2().bucket("tagged").send();
    assert!(list().await.is_err());
    put("Enabled").send().await.unwrap();
    assert_eq!(get().await, BucketAbacStatus::Enabled);
    list().await.unwrap();
    refused! {
        "MethodNotAllowed" 405 "TagResource" tag("team", "two");
        "MethodNotAllowed" 405 "TagResource" s3.delete_bucket_tagging().bucket("tagged");
        "AccessDenied" 403 "s3:PutBucketABAC" stand.s3_as(OTHER, SECRET, EAST).put_bucket_abac().bucket("tagged").abac_status(AbacStatus::builder().build());
    }
    let two = aws_sdk_s3control::types::Tag::builder().key("team").value("two").build().unwrap();
    let arn = |name: &str| format!("arn:aws:s3:::{name}");
    let add = |name: &str| {
        let add = control.tag_resource().account_id(super::ACCOUNT).resource_arn(arn(name));
        add.tags(two.clone())
    };
    refused! { "NoSuchResource" 404 "doesn't exist" add("absent"); }
    add("tagged").send().await.unwrap();
    assert!(list().await.is_err());
    let tags = s3.get_bucket_tagging().bucket("tagged").send().await.unwrap();
    assert_eq!(tags.tag_set()[0].value(), "two");
    put("Disabled").send().await.unwrap();
    tag("team", "one").send().await.unwrap();
}

/// The sub-resources that a request names in its query (SDK model of S3).
const SUB_RESOURCES: &str = "abac accelerate acl analytics annotation attributes cors delete encryption \
    intelligent-tiering inventory legal-hold lifecycle location logging metadataAnnotationTable \
    metadataConfiguration metadataInventoryTable metadataJournalTable metadataTable metrics \
    notification object-lock ownershipControls policy policyStatus publicAccessBlock renameObject \
    replication requestPayment restore retention select session tagging torrent uploadId uploads \
    versioning versions website";

#[tokio::test(flavor = "multi_thread")]
async fn no_sub_resource_is_taken_for_the_bucket_or_object() {
    use super::raw::Raw;
    let stand = Stand::start().await;
    stand.bucket("whole", EAST, false).await;
    stand.put("whole", "k").await;
    let address = stand.sandbox.address();
    let s3 = stand.s3(EAST);
    let mut refused = 0;
    for name in SUB_RESOURCES.split_whitespace() {
        for method in ["GET", "PUT", "DELETE", "POST"] {
            for path in ["/whole", "/whole/k"] {
                let mut request = Raw::s3(method, &format!("{path}?{name}"));
                request.body = if method == "PUT" { b"other".to_vec() } else { Vec::new() };
                let answer = request.answer(address).await;
                let status = answer.split(' ').nth(1).unwrap();
                if status == "501" {
                    refused += 1;
                    assert!(answer.contains(name), "{method} {path}?{name}: {answer}");
                }
                // `GET` of a modelled one does not return the object.
                assert!(!answer.ends_with("\r\nhello"), "{method} {path}?{name}: {answer}");
            }
        }
        let got = s3.get_object().bucket("whole").key("k").send().await.unwrap();
        let body = got.body.collect().await.unwrap().into_bytes();
        assert_eq!(&body[..], b"hello", "{name}");
    }
    assert!(refused > 200, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checksum_is_wanted_where_s3_wants_one() {
    use super::raw::Raw;
    let stand = Stand::start().await;
    stand.bucket("summed", EAST, true).await;
    stand.put("summed", "k").await;
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    let aes = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>";
    let rules = "<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::summed/secret"}]}"#;
    let sha256 = |body: &str| {
        let sum = <sha2::Sha256 as sha2::Digest>::digest(body);
        aws_smithy_types::base64::encode(sum)
    };
    for (target, body, wanted) in [
        ("/summed?tagging", tags, true),
        ("/summed?lifecycle", rules, true),
        ("/summed/k?tagging", tags, false),
        ("/summed?encryption", aes, false),
        ("/summed?versioning", on, false),
        ("/summed?policy", policy, false),
    ] {
        let mut request = Raw::s3("PUT", target);
        request.body = body.as_bytes().to_vec();
        let answer = request.answer(stand.sandbox.address()).await;
        let status = answer.split(' ').nth(1).unwrap().to_owned();
        assert_eq!(status == "400", wanted, "{target}: {answer}");
        request.headers.push(("x-amz-checksum-sha256".into(), sha256(body)));
        let answer = request.answer(stand.sandbox.address()).await;
        let status = answer.split(' ').nth(1).unwrap().to_owned();
        assert!(["200", "204"].contains(&&*status), "{target}: {answer}");
    }
}

/// Recorded: `LocalStack`'s snapshots `test_put_bucket_tagging_none_value` and
/// `test_put_object_tagging_none_value`.
#[tokio::test(flavor = "multi_thread")]
async fn tags_need_no_tag_set_but_whole_tags() {
    use super::raw::Raw;
    let stand = Stand::start().await;
    stand.bucket("tagged", EAST, true).await;
    let version = stand.put("tagged", "a b/c").await;
    for (path, done) in [("/tagged?tagging", "204"), ("/tagged/a%20b/c?tagging", "200")] {
        for (body, expected) in [
            ("<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>", done),
            ("<Tagging><TagSet><Tag><Key>a</Key><Value/></Tag></TagSet></Tagging>", done),
            ("<Tagging><TagSet/></Tagging>", done),
            ("<Tagging/>", done),
            ("<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", "400"),
            ("<Tagging><TagSet><Tag><Value>a</Value></Tag></TagSet></Tagging>", "400"),
            ("<Tagging>", "400"),
        ] {
            let mut request = Raw::s3("PUT", path);
            request.body = body.as_bytes().to_vec();
            let sum = <md5::Md5 as md5::Digest>::digest(body);
            let sum = aws_smithy_types::base64::encode(sum);
            request.headers.push(("content-md5".into(), sum));
            let answer = request.answer(stand.sandbox.address()).await;
            let status = answer.split(' ').nth(1).unwrap();
            assert_eq!(status, expected, "{path} {body}: {answer}");
            if expected == "400" {
                assert!(answer.contains("MalformedXML"), "{answer}");
            }
            if expected == "200" {
                assert!(answer.contains(&version), "{answer}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acceleration_is_kept() {
    use aws_sdk_s3::types::{AccelerateConfiguration, BucketAccelerateStatus};
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    let put = |bucket: &str, status: &str| {
        let status = BucketAccelerateStatus::from(status);
        let configuration = AccelerateConfiguration::builder().status(status).build();
        let put = s3.put_bucket_accelerate_configuration().bucket(bucket);
        put.accelerate_configuration(configuration)
    };
    stand.bucket("fast", EAST, false).await;
    refused! { "MalformedXML" 400 "" put("fast", "enabled"); }
    // The SDK would put this bucket into the host.
    let raw = |target: &str, body: &str| {
        let mut request = super::raw::Raw::s3("PUT", target);
        request.body = body.as_bytes().to_vec();
        request
    };
    raw("/with.dots", "").answer(stand.sandbox.address()).await;
    let xml = "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>";
    let answer = raw("/with.dots?accelerate", xml).answer(stand.sandbox.address()).await;
    assert!(answer.contains("InvalidRequest") && answer.contains("periods"), "{answer}");
    let get = || s3.get_bucket_accelerate_configuration().bucket("fast").send();
    assert_eq!(get().await.unwrap().status(), None);
    for status in ["Enabled", "Suspended"] {
        put("fast", status).send().await.unwrap();
        let got = get().await.unwrap();
        assert_eq!(got.status().map(BucketAccelerateStatus::as_str), Some(status));
    }
}
