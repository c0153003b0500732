//! What Object Lock refuses.

use super::versioning;
use crate::sandbox::{EAST, Stand, refused};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    BucketVersioningStatus, DefaultRetention, Delete, EventHoldDuration, ObjectIdentifier,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectLockEventHold, ObjectLockLegalHold,
    ObjectLockLegalHoldStatus, ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode,
    ObjectLockRule,
};
use std::time::{Duration, SystemTime};

/// Reads, writes and deletes, but never past governance.
const NO_BYPASS: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"s3:*","Resource":"*"},
    {"Effect":"Deny","Action":["s3:BypassGovernanceRetention","s3:GetObjectLegalHold"],"Resource":"*"}]}"#;
/// Uploads, but sets no locks.
const PUT_ONLY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","s3:CreateBucket"],"Resource":"*"}]}"#;

fn days(n: u64) -> DateTime {
    DateTime::from(SystemTime::now() + Duration::from_hours(24 * n))
}

fn retention(mode: ObjectLockRetentionMode, until: DateTime) -> ObjectLockRetention {
    ObjectLockRetention::builder().mode(mode).retain_until_date(until).build()
}

fn hold(status: &str) -> ObjectLockLegalHold {
    ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::from(status)).build()
}

fn event(
    mode: Option<ObjectLockRetentionMode>,
    status: ObjectLockEventHold,
) -> ObjectLockRetention {
    let duration = EventHoldDuration::builder().days(3).build();
    ObjectLockRetention::builder()
        .set_mode(mode)
        .event_hold(status)
        .event_hold_duration(duration)
        .build()
}

fn default_hold() -> ObjectLockConfiguration {
    let hold = EventHoldDuration::builder().days(1).build();
    let default = DefaultRetention::builder()
        .mode(ObjectLockRetentionMode::Compliance)
        .default_event_hold(hold)
        .build();
    ObjectLockConfiguration::builder()
        .object_lock_enabled(ObjectLockEnabled::Enabled)
        .rule(ObjectLockRule::builder().default_retention(default).build())
        .build()
}

fn configuration(
    mode: Option<&str>,
    days: Option<i32>,
    years: Option<i32>,
) -> ObjectLockConfiguration {
    let default = DefaultRetention::builder()
        .set_mode(mode.map(ObjectLockRetentionMode::from))
        .set_days(days)
        .set_years(years)
        .build();
    ObjectLockConfiguration::builder()
        .object_lock_enabled(ObjectLockEnabled::Enabled)
        .rule(ObjectLockRule::builder().default_retention(default).build())
        .build()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_buckets_and_uploads() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.bucket("open", EAST, false).await;
    stand.locked_bucket("locked", EAST).await;
    stand.put("open", "k").await;
    stand.put("locked", "k").await;
    let (id, secret) = stand.user("uploader", PUT_ONLY).await;
    let uploader = stand.s3_as(&id, &secret, EAST);
    let configure = |bucket: &str, configuration| {
        s3.put_object_lock_configuration().bucket(bucket).object_lock_configuration(configuration)
    };
    let put = || s3.put_object().bucket("locked").key("n");
    let governed = || put().object_lock_mode(ObjectLockMode::Governance);
    let on = || {
        let held = governed().object_lock_event_hold(ObjectLockEventHold::On);
        held.object_lock_event_hold_duration_days(1)
    };
    let denied = || uploader.put_object().bucket("locked").key("n");
    refused! {
        "InvalidBucketState" 409 "Object Lock configuration is present" s3.put_bucket_versioning().bucket("locked").versioning_configuration(versioning(BucketVersioningStatus::Suspended));
        "InvalidBucketState" 409 "Versioning must be 'Enabled'" configure("open", configuration(Some("GOVERNANCE"), Some(1), None));
        "MalformedXML" 400 "" configure("locked", configuration(None, Some(1), None));
        "MalformedXML" 400 "" configure("locked", configuration(Some("LOOSE"), Some(1), None));
        "MalformedXML" 400 "" configure("locked", configuration(Some("GOVERNANCE"), None, None));
        "MalformedXML" 400 "" configure("locked", configuration(Some("GOVERNANCE"), Some(1), Some(1)));
        "InvalidArgument" 400 "positive" configure("locked", configuration(Some("GOVERNANCE"), Some(0), None));
        "InvalidArgument" 400 "too large" configure("locked", configuration(Some("COMPLIANCE"), Some(36_501), None));
        "InvalidArgument" 400 "too large" configure("locked", configuration(Some("COMPLIANCE"), None, Some(101)));
        "MalformedXML" 400 "" configure("locked", ObjectLockConfiguration::builder().build());
        "InvalidRequest" 400 "missing Object Lock" s3.put_object().bucket("open").key("n").object_lock_legal_hold_status("ON".into());
        "InvalidRequest" 400 "missing Object Lock" s3.create_multipart_upload().bucket("open").key("n").object_lock_legal_hold_status("ON".into());
        "InvalidRequest" 400 "missing Object Lock" s3.put_object_retention().bucket("open").key("k").retention(retention(ObjectLockRetentionMode::Governance, days(1)));
        "InvalidRequest" 400 "missing Object Lock" s3.get_object_legal_hold().bucket("open").key("k");
        "NoSuchObjectLockConfiguration" 404 "does not have a ObjectLock configuration" s3.get_object_retention().bucket("locked").key("k");
        "NoSuchObjectLockConfiguration" 404 "does not have a ObjectLock configuration" s3.get_object_legal_hold().bucket("locked").key("k");
        "InvalidArgument" 400 "must both be supplied" governed();
        "InvalidArgument" 400 "must both be supplied" put().object_lock_retain_until_date(days(1));
        "InvalidArgument" 400 "in the future" governed().object_lock_retain_until_date(DateTime::from_secs(1));
        "InvalidArgument" 400 "wormMode" put().object_lock_mode("LOOSE".into()).object_lock_retain_until_date(days(1));
        "InvalidArgument" 400 "Legal Hold" put().object_lock_legal_hold_status("MAYBE".into());
        "MalformedXML" 400 "" s3.put_object_legal_hold().bucket("locked").key("k").legal_hold(hold("MAYBE"));
        "MalformedXML" 400 "" s3.put_object_retention().bucket("locked").key("k").retention(ObjectLockRetention::builder().mode(ObjectLockRetentionMode::Governance).build());
        "NoSuchKey" 404 "" s3.put_object_legal_hold().bucket("locked").key("absent").legal_hold(hold("ON"));
        "AccessDenied" 403 "s3:PutObjectRetention" denied().object_lock_mode(ObjectLockMode::Governance).object_lock_retain_until_date(days(1));
        "AccessDenied" 403 "s3:PutObjectLegalHold" denied().object_lock_legal_hold_status("ON".into());
        "AccessDenied" 403 "s3:PutObjectTagging" denied().tagging("a=b");
        "AccessDenied" 403 "s3:PutBucketObjectLockConfiguration" uploader.create_bucket().bucket("theirs").object_lock_enabled_for_bucket(true);
        "InvalidArgument" 400 "either days or years" governed().object_lock_event_hold(ObjectLockEventHold::On);
        "InvalidArgument" 400 "either days or years" on().object_lock_event_hold_duration_years(1);
        "InvalidArgument" 400 "1 to 36500 days" governed().object_lock_event_hold(ObjectLockEventHold::On).object_lock_event_hold_duration_days(0);
        "InvalidArgument" 400 "1 to 36500 days" governed().object_lock_event_hold(ObjectLockEventHold::On).object_lock_event_hold_duration_years(101);
        "InvalidArgument" 400 "needs a retention mode" put().object_lock_event_hold(ObjectLockEventHold::On).object_lock_event_hold_duration_days(1);
        "InvalidArgument" 400 "needs an event hold" governed().object_lock_event_hold_duration_days(1);
        "InvalidArgument" 400 "'ON' or 'OFF'" governed().object_lock_event_hold("MAYBE".into()).object_lock_event_hold_duration_days(1);
        "InvalidRequest" 400 "missing Object Lock" on().bucket("open");
        "AccessDenied" 403 "s3:PutObjectRetention" denied().object_lock_mode(ObjectLockMode::Governance).object_lock_event_hold(ObjectLockEventHold::On).object_lock_event_hold_duration_days(1);
        "InvalidArgument" 400 "either days or years" s3.put_object_retention().bucket("locked").key("k").retention(ObjectLockRetention::builder().event_hold(ObjectLockEventHold::On).build());
        "InvalidArgument" 400 "needs a retention mode" s3.put_object_retention().bucket("locked").key("k").retention(event(None, ObjectLockEventHold::On));
        "InvalidArgument" 400 "not under an event hold" s3.put_object_retention().bucket("locked").key("k").retention(ObjectLockRetention::builder().event_hold(ObjectLockEventHold::Off).build());
        "InvalidArgument" 400 "needs an event hold" s3.put_object_retention().bucket("locked").key("k").retention(event(None, ObjectLockEventHold::Off));
        "NotImplemented" 501 "default event holds" configure("locked", default_hold());
    }
    // Without a checksum no upload can be locked; the SDK always sends one, so it is taken away
    // here.
    let bare = aws_sdk_s3::Client::from_conf(
        s3.config()
            .to_builder()
            .request_checksum_calculation(
                aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired,
            )
            .build(),
    );
    let bare = bare.put_object().bucket("locked").key("n");
    refused! {
        "InvalidRequest" 400 "Content-MD5 OR x-amz-checksum-" bare.object_lock_mode(ObjectLockMode::Governance).object_lock_retain_until_date(days(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_changes_to_protected_versions() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.locked_bucket("kept", EAST).await;
    let (id, secret) = stand.user("clerk", NO_BYPASS).await;
    let clerk = stand.s3_as(&id, &secret, EAST);
    let upload = |key: &str, mode: ObjectLockMode| {
        let put = s3.put_object().bucket("kept").key(key).object_lock_mode(mode);
        let put = put.object_lock_retain_until_date(days(10));
        async move {
            let put = put.body(ByteStream::from_static(b"x")).send().await.unwrap();
            put.version_id().unwrap().to_owned()
        }
    };
    let governed = upload("governed", ObjectLockMode::Governance).await;
    let complied = upload("complied", ObjectLockMode::Compliance).await;
    let held = stand.put("kept", "held").await;
    let keep = s3.put_object_legal_hold().bucket("kept").key("held");
    keep.legal_hold(hold("ON")).send().await.unwrap();

    let delete =
        |key: &str, version: &str| s3.delete_object().bucket("kept").key(key).version_id(version);
    let retain = |key: &str, mode, until| {
        s3.put_object_retention().bucket("kept").key(key).retention(retention(mode, until))
    };
    let release = |key: &str| {
        let nothing = ObjectLockRetention::builder().build();
        s3.put_object_retention().bucket("kept").key(key).retention(nothing)
    };
    let (governance, compliance) =
        (ObjectLockRetentionMode::Governance, ObjectLockRetentionMode::Compliance);
    refused! {
        "AccessDenied" 403 "protected by object lock" delete("governed", &governed);
        "AccessDenied" 403 "protected by object lock" delete("complied", &complied);
        "AccessDenied" 403 "protected by object lock" delete("complied", &complied).bypass_governance_retention(true);
        "AccessDenied" 403 "protected by object lock" delete("held", &held).bypass_governance_retention(true);
        "AccessDenied" 403 "s3:BypassGovernanceRetention" clerk.delete_object().bucket("kept").key("governed").version_id(&governed).bypass_governance_retention(true);
        "AccessDenied" 403 "protected by object lock" retain("governed", governance.clone(), days(1));
        "AccessDenied" 403 "protected by object lock" release("governed");
        "AccessDenied" 403 "protected by object lock" retain("complied", compliance.clone(), days(1)).bypass_governance_retention(true);
        "AccessDenied" 403 "protected by object lock" retain("complied", governance.clone(), days(20)).bypass_governance_retention(true);
        "AccessDenied" 403 "protected by object lock" release("complied").bypass_governance_retention(true);
        "InvalidArgument" 400 "in the future" retain("governed", governance.clone(), DateTime::from_secs(1)).bypass_governance_retention(true);
    }
    // Many at once: each is refused on its own.
    let object = |key: &str, version: &str| {
        ObjectIdentifier::builder().key(key).version_id(version).build().unwrap()
    };
    let objects = vec![object("governed", &governed), object("held", &held)];
    let many = s3.delete_objects().bucket("kept");
    let many = many.delete(Delete::builder().set_objects(Some(objects)).build().unwrap());
    let answer = many.clone().send().await.unwrap();
    let codes: Vec<_> = answer.errors().iter().map(|error| error.code().unwrap()).collect();
    assert_eq!(codes, ["AccessDenied", "AccessDenied"]);
    let answer = many.bypass_governance_retention(true).send().await.unwrap();
    assert_eq!((answer.deleted().len(), answer.errors().len()), (1, 1));

    // Longer is always allowed, and a plain delete only puts a marker on top.
    retain("complied", compliance, days(20)).send().await.unwrap();
    s3.delete_object().bucket("kept").key("complied").send().await.unwrap();
    keep_off(&s3).await;
    delete("held", &held).send().await.unwrap();

    // Time passes, by the sandbox's own clock.
    let shown = clerk.head_object().bucket("kept").key("complied").version_id(&complied);
    let shown = shown.send().await.unwrap();
    assert_eq!(shown.object_lock_mode(), Some(&ObjectLockMode::Compliance));
    stand.control("POST", "clock", r#"{"advance": "21d"}"#).await;
    delete("complied", &complied).send().await.unwrap();
}

async fn keep_off(s3: &aws_sdk_s3::Client) {
    let off = s3.put_object_legal_hold().bucket("kept").key("held").legal_hold(hold("OFF"));
    off.send().await.unwrap();
    let shown = s3.get_object_legal_hold().bucket("kept").key("held").send().await.unwrap();
    assert_eq!(shown.legal_hold().unwrap().status().unwrap().as_str(), "OFF");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_refused_is_kept() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.locked_bucket("vault", EAST).await;
    let shown = s3.get_bucket_versioning().bucket("vault").send().await.unwrap();
    assert_eq!(shown.status().unwrap().as_str(), "Enabled");
    let put = s3.put_object_lock_configuration().bucket("vault");
    let put = put.object_lock_configuration(configuration(Some("GOVERNANCE"), None, Some(2)));
    put.send().await.unwrap();
    let got = s3.get_object_lock_configuration().bucket("vault").send().await.unwrap();
    let rule =
        got.object_lock_configuration().unwrap().rule().unwrap().default_retention().unwrap();
    assert_eq!((rule.mode().unwrap().as_str(), rule.years()), ("GOVERNANCE", Some(2)));

    // The default, and what overrides it.
    let version = stand.put("vault", "plain").await;
    let head = s3.head_object().bucket("vault").key("plain").send().await.unwrap();
    assert_eq!(head.object_lock_mode(), Some(&ObjectLockMode::Governance));
    let far = head.object_lock_retain_until_date().unwrap().secs() - days(729).secs();
    assert!(far > 0, "{far}");
    let until = days(3);
    let own = s3.put_object().bucket("vault").key("own").body(ByteStream::from_static(b"x"));
    let own = own.object_lock_mode(ObjectLockMode::Compliance).object_lock_retain_until_date(until);
    own.object_lock_legal_hold_status("ON".into()).send().await.unwrap();
    let got = s3.get_object_retention().bucket("vault").key("own").send().await.unwrap();
    let got = got.retention().unwrap();
    assert_eq!(got.mode().unwrap().as_str(), "COMPLIANCE");
    assert_eq!(got.retain_until_date().unwrap().secs(), until.secs());

    // Whoever may not ask is not told.
    let (id, secret) = stand.user("clerk", NO_BYPASS).await;
    let clerk = stand.s3_as(&id, &secret, EAST);
    let seen = clerk.head_object().bucket("vault").key("own").send().await.unwrap();
    assert_eq!(
        (seen.object_lock_mode().is_some(), seen.object_lock_legal_hold_status()),
        (true, None)
    );
    let gone = s3.delete_object().bucket("vault").key("plain").version_id(version);
    gone.bypass_governance_retention(true).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_hold_lasts_until_it_is_released_and_then_for_its_duration() {
    let stand = Stand::start().await;
    let s3 = stand.s3(EAST);
    stand.locked_bucket("held", EAST).await;
    let put = s3.put_object().bucket("held").key("k").object_lock_mode(ObjectLockMode::Compliance);
    let put = put.object_lock_event_hold(ObjectLockEventHold::On);
    let put = put.object_lock_event_hold_duration_days(2).body(ByteStream::from_static(b"x"));
    let version = put.send().await.unwrap().version_id.unwrap();
    let head = || s3.head_object().bucket("held").key("k").send();
    let advance = async |by: &str| {
        stand.control("POST", "clock", &format!(r#"{{"advance": "{by}"}}"#)).await;
    };
    let delete = || s3.delete_object().bucket("held").key("k").version_id(&version);
    let retain = |retention| s3.put_object_retention().bucket("held").key("k").retention(retention);
    let asked = head().await.unwrap();
    assert_eq!(asked.object_lock_event_hold(), Some(&ObjectLockEventHold::On));
    assert_eq!(asked.object_lock_event_hold_duration_days(), Some(2));
    // The date moves on with the time as long as the hold is on.
    let first = asked.object_lock_retain_until_date().unwrap().secs();
    advance("9d").await;
    let later = head().await.unwrap().object_lock_retain_until_date().unwrap().secs();
    assert_eq!((later - first + 43_200) / 86_400, 9);
    refused! {
        "AccessDenied" 403 "protected by object lock" delete();
        "AccessDenied" 403 "protected by object lock" delete().bypass_governance_retention(true);
        "AccessDenied" 403 "protected by object lock" retain(ObjectLockRetention::builder().build());
    }
    // A longer one may take its place; then it is released.
    let longer = event(None, ObjectLockEventHold::On);
    retain(longer).send().await.unwrap();
    let read = s3.get_object_retention().bucket("held").key("k").send().await.unwrap();
    let retention = read.retention().unwrap();
    assert_eq!(retention.event_hold(), Some(&ObjectLockEventHold::On));
    assert_eq!(retention.event_hold_duration().unwrap().days(), Some(3));
    let off = ObjectLockRetention::builder().event_hold(ObjectLockEventHold::Off).build();
    retain(off).send().await.unwrap();
    assert_eq!(head().await.unwrap().object_lock_event_hold(), None);
    advance("2d").await;
    refused! { "AccessDenied" 403 "protected by object lock" delete(); }
    advance("25h").await;
    delete().send().await.unwrap();
}
