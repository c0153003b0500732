//! Topics and queues: their operations, when S3 may publish to them, and the events that they get.
//! Not for: the notification configurations themselves (see `settings`).

use super::raw::Raw;
use super::{EAST, Stand, TRUST, WEST, refusal, rule};
use aws_sdk_s3::types::{
    Destination, Event, Metrics, MetricsStatus, NotificationConfiguration, QueueConfiguration,
    TopicConfiguration,
};
use serde_json::{Value, json};

const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:alerts";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:alerts";
const URL: &str = "http://sandbox/111122223333/alerts";
const FAILED: &str = "s3:Replication:OperationFailedReplication";

/// Sends a request to SQS and returns the status, and the JSON of the response.
pub(super) async fn sqs(stand: &Stand, operation: &str, body: Value) -> (u16, Value) {
    let headers = vec![
        ("content-type".to_owned(), "application/x-amz-json-1.0".to_owned()),
        ("x-amz-target".to_owned(), format!("AmazonSQS.{operation}")),
    ];
    let (target, body) = ("/".to_owned(), body.to_string().into_bytes());
    let raw = Raw { service: "sqs", method: "POST", target, headers, body };
    let answer = raw.answer(stand.sandbox.address()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

/// Sends a request to SNS and returns the whole response.
async fn sns(stand: &Stand, pairs: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Version", "2010-03-31").extend_pairs(pairs);
    let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let (target, body) = ("/".to_owned(), form.finish().into_bytes());
    let raw = Raw { service: "sns", method: "POST", target, headers, body };
    raw.answer(stand.sandbox.address()).await
}

/// A policy that lets S3 publish the events of the bucket `source`.
fn lets_s3(action: &str, arn: &str, source: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": action,
        "Resource": arn,
        "Condition": {
            "ArnLike": {"aws:SourceArn": format!("arn:aws:s3:::{source}")},
            "StringEquals": {"aws:SourceAccount": "111122223333"},
        },
    }]})
    .to_string()
}

fn to_queue(arn: &str) -> NotificationConfiguration {
    let queue = QueueConfiguration::builder().id("mine").queue_arn(arn).events(Event::from(FAILED));
    NotificationConfiguration::builder().queue_configurations(queue.build().unwrap()).build()
}

fn to_topic(arn: &str) -> NotificationConfiguration {
    let topic = TopicConfiguration::builder().topic_arn(arn).events(Event::from(FAILED));
    NotificationConfiguration::builder().topic_configurations(topic.build().unwrap()).build()
}

/// Writes the configuration of `source`. Returns the code and the message of the refusal.
pub(super) async fn notify(
    stand: &Stand,
    source: &str,
    wanted: NotificationConfiguration,
) -> Result<(), (String, String)> {
    let put = stand.s3(EAST).put_bucket_notification_configuration().bucket(source);
    let put = put.notification_configuration(wanted).send().await;
    if put.is_ok() {
        return Ok(());
    }
    let (code, _, message) = refusal(put);
    Err((code, message))
}

/// Makes a queue that lets S3 publish the events of `source`.
pub(super) async fn queue_for(stand: &Stand, source: &str) -> NotificationConfiguration {
    let policy = lets_s3("sqs:SendMessage", QUEUE, source);
    let create = json!({"QueueName": "alerts", "Attributes": {"Policy": policy}});
    assert_eq!(sqs(stand, "CreateQueue", create).await.0, 200);
    to_queue(QUEUE)
}

const UNABLE: &str = "Unable to validate the following destination configurations";

fn is_unable(put: &Result<(), (String, String)>) -> bool {
    put.as_ref().is_err_and(|(code, text)| code == "InvalidArgument" && text == UNABLE)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_gets_a_test_event_and_each_failure() {
    let stand = Stand::start().await;
    stand.bucket("told-src", EAST, true).await;
    stand.bucket("told-dst", WEST, true).await;
    // A role without permissions.
    let create = stand.iam().create_role().path("/crrctl/").role_name("replication");
    create.assume_role_policy_document(TRUST).send().await.unwrap();
    assert!(is_unable(&notify(&stand, "told-src", to_queue(QUEUE)).await), "no queue");
    let (status, made) = sqs(&stand, "CreateQueue", json!({"QueueName": "alerts"})).await;
    assert_eq!((status, &made["QueueUrl"]), (200, &json!(URL)));
    assert!(is_unable(&notify(&stand, "told-src", to_queue(QUEUE)).await), "no policy");
    let other = lets_s3("sqs:SendMessage", QUEUE, "other");
    for (policy, is_taken) in
        [(other, false), (lets_s3("sqs:SendMessage", QUEUE, "told-src"), true)]
    {
        let set = json!({"QueueUrl": URL, "Attributes": {"Policy": policy}});
        assert_eq!(sqs(&stand, "SetQueueAttributes", set).await.0, 200);
        let put = notify(&stand, "told-src", to_queue(QUEUE)).await;
        assert_eq!(put.is_ok(), is_taken, "{put:?}");
    }
    let metrics = Metrics::builder().status(MetricsStatus::Enabled).build().unwrap();
    let measured = Destination::builder().bucket("arn:aws:s3:::told-dst").metrics(metrics);
    let measured = rule("one", 1, "told-dst", None).destination(measured.build().unwrap());
    stand.replicate("told-src", [measured.build().unwrap()]).await;
    let version = stand.put("told-src", "replication-test.png").await;
    let settled = stand.settled("told-src", "replication-test.png", &version).await;
    assert_eq!(settled.as_deref(), Some("FAILED"));

    let receive = json!({"QueueUrl": URL, "MaxNumberOfMessages": 10});
    let (_, received) = sqs(&stand, "ReceiveMessage", receive.clone()).await;
    let bodies: Vec<Value> = received["Messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| serde_json::from_str(it["Body"].as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(
        (&bodies[0]["Event"], &bodies[0]["Bucket"]),
        (&json!("s3:TestEvent"), &json!("told-src"))
    );
    let event = &bodies[1]["Records"][0];
    let replication = &event["replicationEventData"];
    assert_eq!(event["eventName"], FAILED);
    assert_eq!(event["s3"]["configurationId"], "mine");
    assert_eq!(event["s3"]["object"]["key"], "replication%2Dtest.png");
    assert_eq!(event["s3"]["object"]["versionId"], json!(version));
    assert_eq!(replication["replicationRuleId"], "one");
    assert_eq!(replication["destinationBucket"], "arn:aws:s3:::told-dst");
    assert_eq!(replication["s3Operation"], "OBJECT_PUT");
    assert!(replication["failureReason"].is_string(), "{event}");
    // The members of the guide's example, none more and none less.
    let names =
        |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let mut all = names(event).split(' ').map(str::to_owned).collect::<Vec<_>>();
    all.sort();
    assert_eq!(
        all.join(" "),
        "awsRegion eventName eventSource eventTime eventVersion replicationEventData requestParameters responseElements s3 userIdentity"
    );
    // What was received is hidden, and the control endpoint shows it all the same.
    assert_eq!(sqs(&stand, "ReceiveMessage", receive).await.1, json!({}));
    let (_, messages) = stand.control("GET", "messages", "").await;
    assert_eq!(messages.as_array().unwrap().len(), 2);
    assert_eq!((&messages[1]["target"], &messages[1]["body"]), (&json!(QUEUE), &bodies[1]));
    // The same configuration again is no news; a queue that is gone gets nothing.
    notify(&stand, "told-src", to_queue(QUEUE)).await.unwrap();
    assert_eq!(stand.control("GET", "messages", "").await.1.as_array().unwrap().len(), 2);
    assert_eq!(sqs(&stand, "DeleteQueue", json!({"QueueUrl": URL})).await.0, 200);
    let (status, gone) = sqs(&stand, "GetQueueUrl", json!({"QueueName": "alerts"})).await;
    assert_eq!((status, &gone["__type"]), (400, &json!("com.amazonaws.sqs#QueueDoesNotExist")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_published_to_by_its_policy_and_its_key() {
    let stand = Stand::start().await;
    stand.bucket("told-src", EAST, true).await;
    let made = sns(&stand, &[("Action", "CreateTopic"), ("Name", "alerts")]).await;
    assert!(made.contains(&format!("<TopicArn>{TOPIC}</TopicArn>")), "{made}");
    let set = async |name: &str, value: &str| {
        let pairs = [
            ("Action", "SetTopicAttributes"),
            ("TopicArn", TOPIC),
            ("AttributeName", name),
            ("AttributeValue", value),
        ];
        let answer = sns(&stand, &pairs).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    let get = [("Action", "GetTopicAttributes"), ("TopicArn", TOPIC)];
    assert!(sns(&stand, &get).await.contains("__default_policy_ID"));
    assert!(is_unable(&notify(&stand, "told-src", to_topic(TOPIC)).await), "the default policy");
    set("Policy", &lets_s3("sns:Publish", TOPIC, "told-src")).await;
    let (key, _) = stand.keys().await;
    let users = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"},
    ]});
    for (reference, policy, is_taken) in [
        ("alias/aws/sns", None, false),
        (&*key, None, false),
        (&*key, Some(users.to_string()), true),
        ("", None, true),
    ] {
        set("KmsMasterKeyId", reference).await;
        if let Some(policy) = policy {
            stand.kms(EAST).put_key_policy().key_id(&key).policy(policy).send().await.unwrap();
        }
        notify(&stand, "told-src", NotificationConfiguration::builder().build()).await.unwrap();
        let put = notify(&stand, "told-src", to_topic(TOPIC)).await;
        assert_eq!(put.is_ok(), is_taken, "{reference}: {put:?}");
    }
    for (name, fifo) in [("alerts.fifo", "false"), ("alerts", "true")] {
        let pairs = [
            ("Action", "CreateTopic"),
            ("Name", name),
            ("Attributes.entry.1.key", "FifoTopic"),
            ("Attributes.entry.1.value", fifo),
        ];
        assert!(sns(&stand, &pairs).await.contains("InvalidParameter"));
    }
    let fifo = format!("{TOPIC}.fifo");
    let pairs = [
        ("Action", "CreateTopic"),
        ("Name", "alerts.fifo"),
        ("Attributes.entry.1.key", "FifoTopic"),
        ("Attributes.entry.1.value", "true"),
        ("Attributes.entry.2.key", "Policy"),
        ("Attributes.entry.2.value", &lets_s3("sns:Publish", &fifo, "told-src")),
    ];
    assert!(sns(&stand, &pairs).await.starts_with("HTTP/1.1 200"));
    assert!(is_unable(&notify(&stand, "told-src", to_topic(&fifo)).await), "FIFO");
    for (action, part) in [("ListTopics", "alerts.fifo"), ("DeleteTopic", "RequestId")] {
        let answer = sns(&stand, &[("Action", action), ("TopicArn", TOPIC)]).await;
        assert!(answer.contains(part), "{answer}");
    }
    assert!(sns(&stand, &get).await.contains("<Code>NotFound</Code>"));
}
