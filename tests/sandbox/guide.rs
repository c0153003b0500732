//! Replication as the S3 User Guide describes it (read 2026-11): "Setting up permissions for live
//! replication" for reading objects and tags, "Replicating encrypted objects (SSE-S3, SSE-KMS,
//! DSSE-KMS, SSE-C)" for keys, and "Amazon S3 replication failure reasons" for the texts. Where the
//! Guide leaves a doubt, a quirk gives the stricter reading.
//! Not for: the walk of a whole pair (see `walk`).

use super::{EAST, Stand, TRUST, WEST, rule};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use crrctl_sandbox::{Options, QuirkSpec};

/// What the role may do beyond reading the configuration and replicating objects.
struct Row {
    page: &'static str,
    /// The actions of the role, on everything.
    actions: &'static [&'static str],
    object: Uploaded,
    /// Whether the destination's bucket policy denies `s3:ReplicateTags`.
    denies_tags: bool,
    quirk: Option<&'static str>,
    /// The replication status, the failure reason, and the tags and the encryption of the replica.
    expected: (&'static str, Option<&'static str>, Option<(i32, ServerSideEncryption)>),
}

#[derive(Clone, Copy, PartialEq)]
enum Uploaded {
    SseS3,
    SseS3Tagged,
    Kms,
    KmsInParts,
}

const BASE: &[&str] = &[
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:GetObjectVersionAcl",
    "s3:ReplicateObject",
    "s3:ReplicateDelete",
];
const PERMISSIONS: &str = "Setting up permissions for live replication";
const ENCRYPTED: &str = "Replicating encrypted objects";

fn rows() -> Vec<Row> {
    const READ: &str = "s3:GetObjectVersionForReplication";
    const READ_TAGS: &str = "s3:GetObjectVersionTagging";
    let aes = |tags| Some((tags, ServerSideEncryption::Aes256));
    let kms = Some((0, ServerSideEncryption::AwsKms));
    let row = |page, actions, object, expected| Row {
        page,
        actions,
        object,
        denies_tags: false,
        quirk: None,
        expected,
    };
    let completed = |replica| ("COMPLETED", None, replica);
    let failed = |reason| ("FAILED", Some(reason), None);
    let strict = Some("strict-tags");
    let denied = |row| Row { denies_tags: true, ..row };
    let quirky = |quirk, row| Row { quirk, ..row };
    let tags: &[&str] = &[READ, READ_TAGS, "s3:ReplicateTags"];
    let parts: &[&str] = &[READ, "kms:Decrypt@source", "kms:Encrypt@destination"];
    vec![
        row(ENCRYPTED, &[READ], Uploaded::SseS3, completed(aes(0))),
        row(ENCRYPTED, &[READ, "kms:*"], Uploaded::SseS3, completed(aes(0))),
        row(PERMISSIONS, &["s3:GetObjectVersion"], Uploaded::SseS3, completed(aes(0))),
        row(
            ENCRYPTED,
            &["s3:GetObjectVersion", "kms:*"],
            Uploaded::Kms,
            failed("SrcGetObjectNotPermitted"),
        ),
        row(PERMISSIONS, &[READ], Uploaded::SseS3Tagged, completed(aes(0))),
        row(PERMISSIONS, &[READ, READ_TAGS], Uploaded::SseS3Tagged, completed(aes(1))),
        row(PERMISSIONS, tags, Uploaded::SseS3Tagged, completed(aes(1))),
        denied(row(PERMISSIONS, tags, Uploaded::SseS3Tagged, completed(aes(0)))),
        quirky(
            strict,
            row(PERMISSIONS, &[READ], Uploaded::SseS3Tagged, failed("SrcGetTaggingNotPermitted")),
        ),
        quirky(
            strict,
            row(
                PERMISSIONS,
                &[READ, READ_TAGS],
                Uploaded::SseS3Tagged,
                failed("DstPutTaggingNotPermitted"),
            ),
        ),
        quirky(
            strict,
            denied(row(
                PERMISSIONS,
                tags,
                Uploaded::SseS3Tagged,
                failed("DstPutTaggingNotPermitted"),
            )),
        ),
        quirky(strict, row(PERMISSIONS, tags, Uploaded::SseS3Tagged, completed(aes(1)))),
        row(ENCRYPTED, parts, Uploaded::Kms, completed(kms.clone())),
        row(ENCRYPTED, parts, Uploaded::KmsInParts, completed(kms)),
        quirky(
            Some("parts-need-decrypt"),
            row(ENCRYPTED, parts, Uploaded::KmsInParts, failed("DstMultipartInitNotPermitted")),
        ),
    ]
}

/// Returns the policy of the role. `@source` and `@destination` limit an action to that key.
fn policy(actions: &[&str], source: &str, destination: &str) -> String {
    let statement = |action: &&str| {
        let (action, key) = match action.split_once('@') {
            Some((action, "source")) => (action, source),
            Some((action, _)) => (action, destination),
            None => (*action, "*"),
        };
        serde_json::json!({"Effect": "Allow", "Action": action, "Resource": key})
    };
    let statements: Vec<_> = BASE.iter().chain(actions).map(statement).collect();
    serde_json::json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

async fn upload(stand: &Stand, object: Uploaded, key: &str) -> String {
    let s3 = stand.s3(EAST);
    let kms = Some(ServerSideEncryption::AwsKms);
    if object == Uploaded::KmsInParts {
        let create = s3.create_multipart_upload().bucket("guide-src").key("k");
        let create = create.set_server_side_encryption(kms).ssekms_key_id(key);
        let upload = create.send().await.unwrap();
        let id = upload.upload_id().unwrap();
        let part = s3.upload_part().bucket("guide-src").key("k").upload_id(id).part_number(1);
        let part = part.body(ByteStream::from_static(b"hello")).send().await.unwrap();
        let part = CompletedPart::builder().part_number(1).e_tag(part.e_tag().unwrap()).build();
        let parts = CompletedMultipartUpload::builder().parts(part).build();
        let complete = s3.complete_multipart_upload().bucket("guide-src").key("k").upload_id(id);
        let done = complete.multipart_upload(parts).send().await.unwrap();
        return done.version_id().unwrap().to_owned();
    }
    let put = s3.put_object().bucket("guide-src").key("k").body(ByteStream::from_static(b"hello"));
    let put = match object {
        Uploaded::SseS3Tagged => put.tagging("team=storage"),
        Uploaded::Kms => put.set_server_side_encryption(kms).ssekms_key_id(key),
        Uploaded::SseS3 | Uploaded::KmsInParts => put,
    };
    put.send().await.unwrap().version_id().unwrap().to_owned()
}

async fn check(row: &Row) -> Result<(), String> {
    let quirks: Vec<QuirkSpec> = row.quirk.iter().map(|quirk| quirk.parse().unwrap()).collect();
    let stand = Stand::with(Options { quirks, ..Options::default() }).await;
    let (primary, replica) = stand.keys().await;
    stand.bucket("guide-src", EAST, true).await;
    stand.bucket("guide-dst", WEST, true).await;
    // The default encryption would bring a Bucket Key, for which the role needs more.
    if matches!(row.object, Uploaded::SseS3 | Uploaded::SseS3Tagged) {
        stand.encrypt("guide-dst", WEST, &replica).await;
    }
    let (iam, role) = (stand.iam(), "replication");
    let create = iam.create_role().path("/crrctl/").role_name(role);
    create.assume_role_policy_document(TRUST).send().await.unwrap();
    let put = iam.put_role_policy().role_name(role).policy_name(role);
    put.policy_document(policy(row.actions, &primary, &replica)).send().await.unwrap();
    if row.denies_tags {
        let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:ReplicateTags","Resource":"arn:aws:s3:::guide-dst/*"}]}"#;
        let put = stand.s3(WEST).put_bucket_policy().bucket("guide-dst").policy(deny);
        put.send().await.unwrap();
    }
    let only = rule("one", 1, "guide-dst", Some(&replica)).build().unwrap();
    stand.replicate("guide-src", [only]).await;
    let version = upload(&stand, row.object, &primary).await;
    let status = stand.settled("guide-src", "k", &version).await;
    let reason = stand.reason(&version).await;
    let head = stand.s3(WEST).get_object().bucket("guide-dst").key("k").send().await.ok();
    let replica = head.map(|head| {
        (head.tag_count().unwrap_or(0), head.server_side_encryption().unwrap().clone())
    });
    let got = (status.as_deref().unwrap_or_default(), reason.as_deref(), replica);
    stand.sandbox.stop().await;
    if got == row.expected { Ok(()) } else { Err(format!("{got:?}")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_and_encryption_are_those_of_the_guide() {
    let mut wrong = Vec::new();
    for row in rows() {
        if let Err(got) = check(&row).await {
            let Row { page, actions, expected, quirk, .. } = row;
            wrong.push(format!(
                "{page}: {actions:?} {quirk:?}\n  wanted {expected:?}\n  got    {got}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// S3 sends the event of a failure only where the rule has metrics on ("Receiving replication
/// failure events with Amazon S3 Event Notifications").
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_an_event_for_whoever_wants_it() {
    use aws_sdk_s3::types::{
        Destination, Event, EventBridgeConfiguration, Metrics, MetricsStatus,
        NotificationConfiguration, QueueConfiguration,
    };
    let stand = Stand::start().await;
    stand.bucket("guide-src", EAST, true).await;
    stand.bucket("guide-dst", WEST, true).await;
    // A role without permissions.
    let create = stand.iam().create_role().path("/crrctl/").role_name("replication");
    create.assume_role_policy_document(TRUST).send().await.unwrap();
    let queue = "arn:aws:sqs:us-east-1:111122223333:failures";
    let wanted = QueueConfiguration::builder().queue_arn(queue);
    let wanted = wanted.events(Event::S3ReplicationOperationFailedReplication).build().unwrap();
    let configuration = NotificationConfiguration::builder().queue_configurations(wanted);
    let bridge = EventBridgeConfiguration::builder().build();
    let configuration = configuration.event_bridge_configuration(bridge).build();
    let put = stand.s3(EAST).put_bucket_notification_configuration().bucket("guide-src");
    let put = put.notification_configuration(configuration).skip_destination_validation(true);
    put.send().await.unwrap();
    let metrics = Metrics::builder().status(MetricsStatus::Enabled).build().unwrap();
    let measured = Destination::builder().bucket("arn:aws:s3:::guide-dst").metrics(metrics);
    let measured = rule("one", 1, "guide-dst", None).destination(measured.build().unwrap());
    let plain = rule("one", 1, "guide-dst", None);
    for (one, notified) in [(measured, vec![queue]), (plain, vec![])] {
        stand.replicate("guide-src", [one.build().unwrap()]).await;
        let version = stand.put("guide-src", "k").await;
        assert_eq!(stand.settled("guide-src", "k", &version).await.as_deref(), Some("FAILED"));
        let (_, records) = stand.control("GET", "replication", "").await;
        let record = records.as_array().unwrap().last().unwrap();
        assert_eq!(record["notified"], serde_json::json!(notified));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_has_the_text_of_the_guide() {
    let stand = Stand::start().await;
    stand.bucket("guide-src", EAST, true).await;
    stand.bucket("guide-dst", WEST, true).await;
    stand.role().await;
    let rule = rule("one", 1, "guide-dst", None).build().unwrap();
    stand.replicate("guide-src", [rule]).await;
    stand.s3(WEST).delete_bucket().bucket("guide-dst").send().await.unwrap();
    let version = stand.put("guide-src", "k").await;
    assert_eq!(stand.settled("guide-src", "k", &version).await.as_deref(), Some("FAILED"));
    let (_, records) = stand.control("GET", "replication", "").await;
    assert_eq!(records[0]["failure_reason"], "DstBucketNotFound");
    assert_eq!(
        records[0]["failure_description"],
        "Amazon S3 is unable to find the destination bucket that's specified in the replication configuration."
    );
}
