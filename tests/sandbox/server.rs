//! The server that is left running: what it takes on before it knows the caller, what it keeps, and
//! whom its control endpoints answer. The quotas are those of the User Guides of S3, KMS and IAM.
//! Not for: what slow clients and full buckets are told (see `limits`).

use super::raw::Raw;
use super::{EAST, POLICY, Stand, TRUST, WEST, refusal, refused, rule};
use aws_sdk_s3::primitives::ByteStream;
use crrctl_sandbox::{Limits, Options, Patience, Quirk, QuirkSpec, ResourceQuotas};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// More than a request whose caller is unknown may send.
const LARGE: usize = 3 << 20;

/// Sends the head of a request that announces a large body, and returns the answer. The body is
/// never sent: whoever waits for it does not answer.
async fn announce(stand: &Stand, request: &str, headers: &[(&str, &str)]) -> String {
    let mut stream = TcpStream::connect(stand.sandbox.address()).await.unwrap();
    let mut head = format!("{request} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {LARGE}\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let ended = tokio::time::timeout(Duration::from_secs(10), read).await;
    assert!(ended.is_ok(), "no answer to {request}");
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_is_read_only_for_a_known_caller() {
    let stand = Stand::start().await;
    stand.bucket("large", EAST, false).await;
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let signed = |key: &str, stamp: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/{}/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00",
            &stamp[..8]
        )
    };
    let old = "20200101T000000Z";
    for (authorization, date, code) in [
        (None, &*now, "AccessDenied"),
        (Some(signed("AKIAUNKNOWN", &now)), &*now, "InvalidAccessKeyId"),
        (Some(signed("111122223333", &now)), &*now, "SignatureDoesNotMatch"),
        (Some(signed("111122223333", old)), old, "SignatureDoesNotMatch"),
        (Some("rubbish".to_owned()), &*now, "AuthorizationHeaderMalformed"),
    ] {
        let mut headers = vec![("x-amz-date", date)];
        headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
        for request in ["PUT /large/k", "POST /large/k?uploads", "PUT /large/k?partNumber=1"] {
            let answer = announce(&stand, request, &headers).await;
            assert!(answer.contains(&format!("<Code>{code}</Code>")), "{request} {answer}");
        }
    }
    for (request, header) in [
        ("POST /", ("x-amz-target", "TrentService.CreateKey")),
        ("POST /", ("content-type", "application/x-www-form-urlencoded")),
        ("POST /v20180820/jobs", ("x-amz-account-id", "111122223333")),
        ("POST /_crrctl/clock", ("content-type", "application/json")),
    ] {
        let answer = announce(&stand, request, &[header]).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{request} {answer}");
    }

    // Keys whose canonical form is another than what the client sent, and a presigned request.
    let body = || ByteStream::from(vec![7; LARGE]);
    let s3 = stand.s3(EAST);
    for key in ["k", "a b+c=d", "ü/(1)*~'!", "a//b/../c", "%41"] {
        let put = s3.put_object().bucket("large").key(key).metadata("note", "a  b");
        put.body(body()).send().await.unwrap_or_else(|error| panic!("{key}: {error:?}"));
    }
    let expiry = aws_sdk_s3::presigning::PresigningConfig::expires_in(Duration::from_mins(1));
    let presigned =
        s3.put_object().bucket("large").key("a b").presigned(expiry.unwrap()).await.unwrap();
    let target = presigned.uri().split_once("://").unwrap().1;
    let target = &target[target.find('/').unwrap()..];
    let mut stream = TcpStream::connect(stand.sandbox.address()).await.unwrap();
    let head = format!(
        "PUT {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {LARGE}\r\n\r\n",
        stand.sandbox.address()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![7; LARGE]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bodies_of_all_requests_share_their_memory() {
    let limits = Limits { object: 4 << 20, bodies: 4 << 20, ..Limits::default() };
    let stall = Duration::from_secs(1);
    let patience = Patience { stall, ..Patience::default() };
    let stand = Stand::with(Options { limits, patience, ..Options::default() }).await;
    stand.bucket("shared", EAST, false).await;
    let head = b"PUT /shared/k HTTP/1.1\r\nhost: x\r\ncontent-length: 921600\r\n\r\n";
    // Four bodies of 900 KiB come slowly. A fifth does not fit beside them.
    let mut slow = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let address = stand.sandbox.address();
        slow.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(head).await.unwrap();
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(stall / 10).await;
            }
        });
    }
    tokio::time::sleep(stall / 4).await;
    let mut fifth = TcpStream::connect(stand.sandbox.address()).await.unwrap();
    fifth.write_all(head).await.unwrap();
    let mut answer = String::new();
    let _ = fifth.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("<Code>SandboxFull</Code>") && answer.contains("4194304"), "{answer}");
    drop(slow);
    // What those held is free again.
    let began = Instant::now();
    let put = stand.s3(EAST).put_object().bucket("shared").key("k");
    put.body(ByteStream::from(vec![7; LARGE])).send().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quotas_of_aws_hold() {
    let resource_quotas = ResourceQuotas {
        buckets: 1,
        keys: 1,
        aliases_of_key: 1,
        grants_of_key: 1,
        // One of them is KMS's service-linked role for multi-Region keys.
        roles: 2,
        users: 1,
        policies: 1,
    };
    let stand = Stand::with(Options { resource_quotas, ..Options::default() }).await;
    let (s3, kms, iam) = (stand.s3(EAST), stand.kms(EAST), stand.iam());
    s3.create_bucket().bucket("quota-one").send().await.unwrap();
    let key = kms.create_key().multi_region(true).send().await.unwrap();
    let key = key.key_metadata().unwrap().key_id().to_owned();
    let alias = |name: &str| kms.create_alias().alias_name(name).target_key_id(&key);
    alias("alias/one").send().await.unwrap();
    let grant = || {
        kms.create_grant()
            .key_id(&key)
            .grantee_principal("arn:aws:iam::111122223333:root")
            .operations(aws_sdk_kms::types::GrantOperation::Decrypt)
    };
    grant().name("one").send().await.unwrap();
    let role = |name: &str| iam.create_role().role_name(name).assume_role_policy_document(TRUST);
    role("one").send().await.unwrap();
    iam.create_user().user_name("one").send().await.unwrap();
    let policy = |name: &str| iam.create_policy().policy_name(name).policy_document(POLICY);
    policy("one").send().await.unwrap();
    refused! {
        "TooManyBuckets" 400 "more buckets than allowed" s3.create_bucket().bucket("quota-two");
        "LimitExceededException" 400 "" kms.create_key();
        "LimitExceededException" 400 "" alias("alias/two");
        "LimitExceededException" 400 "" grant();
        "LimitExceededException" 400 "" grant().name("two").dry_run(true);
        "DryRunOperationException" 412 "" grant().name("one").dry_run(true);
        "LimitExceeded" 409 "Cannot exceed quota for RolesPerAccount: 2" role("two");
        "LimitExceeded" 409 "Cannot exceed quota for UsersPerAccount: 1" iam.create_user().user_name("two");
        "LimitExceeded" 409 "Cannot exceed quota" policy("two");
    }
    // A grant that exists is returned again, and a service-linked role can exceed the quota.
    grant().name("one").send().await.unwrap();
    let linked = iam.create_service_linked_role().aws_service_name("backup.amazonaws.com");
    linked.send().await.unwrap();

    // Another Region and another account have their own.
    kms.replicate_key().key_id(&key).replica_region(WEST).send().await.unwrap();
    refused! { "LimitExceededException" 400 "" stand.kms(WEST).create_key(); }
    let other = stand.s3_as(super::OTHER, crrctl_sandbox::SECRET, EAST);
    other.create_bucket().bucket("quota-two").send().await.unwrap();

    // The name that exists is told before the quota.
    let (code, ..) = refusal(alias("alias/one").send().await);
    assert_eq!(code, "AlreadyExistsException");
    let usual = ResourceQuotas::default();
    assert_eq!((usual.buckets, usual.keys, usual.roles), (10_000, 100_000, 1_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sandbox_says_which_limit_and_how_to_raise_it() {
    let limits = Limits { resources: 2, ..Limits::default() };
    let stand = Stand::with(Options { limits, ..Options::default() }).await;
    let kms = stand.kms(EAST);
    let key = kms.create_key().send().await.unwrap();
    let key = key.key_metadata().unwrap().key_id().to_owned();
    stand.bucket("full-one", EAST, false).await;
    refused! {
        "SandboxFull" 507 "--max-resources" kms.create_key();
        "SandboxFull" 507 "more than 2" kms.create_alias().alias_name("alias/a").target_key_id(&key);
        "SandboxFull" 507 "more than 2" stand.s3(EAST).create_bucket().bucket("full-two");
        "SandboxFull" 507 "more than 2" stand.iam().create_user().user_name("a");
    }
    stand.s3(EAST).delete_bucket().bucket("full-one").send().await.unwrap();
    stand.bucket("full-two", EAST, false).await;
}

/// Sends a control request with these headers, and returns the status and the body.
async fn control(stand: &Stand, headers: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(stand.sandbox.address()).await.unwrap();
    let request = format!(
        "POST /_crrctl/reset HTTP/1.1\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn control_endpoints_answer_this_machine_alone() {
    let stand = Stand::start().await;
    stand.bucket("kept", EAST, false).await;
    for headers in [
        "host: sandbox\r\n",
        "host: example.com:4700\r\n",
        "host: localhost.example.com\r\n",
        "host: localhost\r\norigin: https://example.com\r\n",
        "host: localhost\r\norigin: null\r\n",
    ] {
        let (status, body) = control(&stand, headers).await;
        assert_eq!(status, 403, "{headers}");
        assert!(body["error"].as_str().unwrap().contains("control endpoints"), "{body}");
    }
    assert_eq!(stand.sandbox.leftovers().len(), 1);
    for headers in
        ["host: [::1]:4700\r\n", "host: 127.0.0.1:1\r\norigin: http://localhost:3000\r\n"]
    {
        assert_eq!(control(&stand, headers).await.0, 200, "{headers}");
    }
    assert!(stand.sandbox.leftovers().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_counted_calls_are_bounded() {
    let stand = Stand::start().await;
    for n in 0..1100 {
        let mut call = Raw::s3("POST", "/");
        call.service = "kms";
        call.headers = vec![("x-amz-target".into(), format!("TrentService.Nothing{n}"))];
        call.answer(stand.sandbox.address()).await;
    }
    let (_, calls) = stand.control("GET", "calls", "").await;
    let names = calls["by_operation"].as_object().unwrap();
    assert_eq!((names.len(), &names["other"]), (1001, &json!(100)));
}

/// Builds a pair under these quirks with a clock that stands, and returns when its rule is in
/// effect, in seconds after the start, and what it waited for.
async fn effective(quirks: &[(Quirk, u64)]) -> (Option<f64>, String) {
    let quirks = quirks
        .iter()
        .map(|(quirk, seconds)| QuirkSpec::from(*quirk).lasting(Duration::from_secs(*seconds)));
    let quirks = quirks.collect();
    let stand = Stand::with(Options { quirks, clock_stands: true, ..Options::default() }).await;
    assert_eq!(stand.control("GET", "effective", "").await, (200, json!([])));
    stand.bucket("eff-src", EAST, true).await;
    stand.bucket("eff-dst", WEST, true).await;
    assert_eq!(stand.control("POST", "clock", r#"{"advance": "1h"}"#).await.0, 200);
    stand.role().await;
    let (_, replica) = stand.keys().await;
    let start = stand.control("POST", "clock", r#"{"advance": "0s"}"#).await.1["now"].clone();
    let one = rule("one", 1, "eff-dst", Some(&replica)).build().unwrap();
    stand.replicate("eff-src", [one]).await;
    let (_, rules) = stand.control("GET", "effective", "").await;
    assert_eq!((&rules[0]["bucket"], &rules[0]["rule"]), (&json!("eff-src"), &json!("one")));
    let start: jiff::Timestamp = start.as_str().unwrap().parse().unwrap();
    let at = rules[0]["at"].as_str().map(|at| at.parse::<jiff::Timestamp>().unwrap());
    let at = at.map(|at| at.duration_since(start).as_secs_f64().floor());
    (at, rules[0]["waited_for"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_when_a_rule_takes_effect_and_what_it_waited_for() {
    for (quirks, at, waited_for) in [
        (&[][..], 0.0, "rule"),
        (&[(Quirk::LateRules, 30), (Quirk::LateRole, 20)], 30.0, "rule"),
        (&[(Quirk::LateRules, 30), (Quirk::LateRole, 40)], 40.0, "role"),
        (&[(Quirk::LatePolicy, 50), (Quirk::LateRole, 40)], 50.0, "role policy"),
        (&[(Quirk::SlowReplicaKey, 60)], 60.0, "replica key"),
        (&[(Quirk::LateKeyPolicy, 25)], 25.0, "replica key policy"),
    ] {
        assert_eq!(effective(quirks).await, (Some(at), waited_for.to_owned()), "{quirks:?}");
    }

    // Versioning that is a quarter of an hour late is later than the rules.
    let quirks = vec![QuirkSpec::from(Quirk::LateVersioning)];
    let stand = Stand::with(Options { quirks, clock_stands: true, ..Options::default() }).await;
    for (name, region) in [("eff-src", EAST), ("eff-dst", WEST)] {
        stand.locked_bucket(name, region).await;
    }
    stand.replicate("eff-src", [rule("one", 1, "eff-dst", None).build().unwrap()]).await;
    let (_, rules) = stand.control("GET", "effective", "").await;
    assert_eq!(rules[0]["waited_for"], "role");
    assert_eq!(rules[0]["at"], Value::Null, "the role does not exist");
}
