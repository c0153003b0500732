//! The server that is left running: what it takes on before it knows the caller, what it keeps, and
//! whom its control endpoints answer. The quotas are those of the User Guides of S3, KMS and IAM.
//! Not for: what slow clients and full buckets are told (see `limits`).

use super::raw::Raw;
use super::{EAST, POLICY, Stand, TRUST, WEST, refusal, refused, rule};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ReplicationConfiguration, ReplicationRuleFilter};
use crrctl_sandbox::{Limits, Options, Patience, Quirk, QuirkSpec, ResourceQuotas};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;
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
    let head = |request: &str| {
        format!("{request}host: x\r\nconnection: close\r\ncontent-length: 786432\r\n\r\n")
    };
    let put = head("PUT /shared/k HTTP/1.1\r\n");
    let kms = head("POST / HTTP/1.1\r\nx-amz-target: TrentService.ListKeys\r\n");
    let iam = "POST / HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    // A body of 768 KiB comes slowly. A second does not fit into the 1 MiB for small ones.
    let slow = tokio::spawn(trickle(stand.sandbox.address(), put.clone(), stall / 10));
    for (request, code) in [
        (put, "<Code>SandboxFull</Code>"),
        (kms, r#""__type":"SandboxFull""#),
        (head(iam), "<Code>SandboxFull</Code>"),
    ] {
        let answer = until_full(&stand, &request).await;
        assert!(answer.contains(code) && answer.contains("4194304"), "{answer}");
        let in_query = request.contains("form-urlencoded");
        assert_eq!(answer.contains("<ErrorResponse"), in_query, "{answer}");
    }
    // A large body fits all the same; it is the second of its kind that does not.
    let large = || {
        let put = stand.s3(EAST).put_object().bucket("shared").key("k");
        put.body(ByteStream::from(vec![7; LARGE])).send()
    };
    large().await.unwrap();
    slow.abort();
    assert!(slow.await.is_err_and(|error| error.is_cancelled()));
    let mut one = Raw::s3("PUT", "/shared/slow");
    one.body = vec![7; LARGE];
    let one = one.signed().unwrap();
    let (began, rest) = one.split_at(one.len() - LARGE);
    let address = stand.sandbox.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(began).await.unwrap();
    stream.write_all(&rest[..1]).await.unwrap();
    let mut waits = false;
    for _ in 0..20 {
        let second = tokio::spawn(sent(address, one.clone()));
        // Small ones pass by the large one that waits.
        let mut passed = 0;
        while !second.is_finished() {
            stand.put("shared", "small").await;
            passed += 1;
            let _ = stream.write_all(b"x").await;
        }
        if second.await.unwrap().starts_with("HTTP/1.1 503") {
            assert!(passed > 2, "{passed}");
            waits = true;
            break;
        }
    }
    assert!(waits, "there is room");
    drop(stream);
    // What those held is free again.
    large().await.unwrap();
}

/// Sends the head of a request, and then a body that does not end; again, if it is refused.
async fn trickle(address: std::net::SocketAddr, head: String, pause: Duration) {
    loop {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Sends bytes and returns what is answered, which may come before all is sent.
async fn sent(address: std::net::SocketAddr, bytes: Vec<u8>) -> String {
    let (mut answer, mut out) = TcpStream::connect(address).await.unwrap().into_split();
    let out = tokio::spawn(async move {
        let _ = out.write_all(&bytes).await;
        out
    });
    let mut text = Vec::new();
    let _ = answer.read_to_end(&mut text).await;
    out.abort();
    String::from_utf8(text).unwrap()
}

/// Sends the head of a request until the sandbox has no memory for its body, and returns the answer.
async fn until_full(stand: &Stand, head: &str) -> String {
    for _ in 0..20 {
        let mut stream = TcpStream::connect(stand.sandbox.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        if answer.starts_with("HTTP/1.1 503") {
            return answer;
        }
    }
    panic!("there is room");
}

/// A fault that never answers holds no memory for a body.
#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_request_does_not_hold_its_body() {
    let limits = Limits { object: 4 << 20, bodies: 4 << 20, ..Limits::default() };
    let patience = Patience { stall: Duration::from_secs(2), ..Patience::default() };
    let faults = vec!["s3:PutObject:hang:times=1".parse().unwrap()];
    let stand = Stand::with(Options { limits, patience, faults, ..Options::default() }).await;
    stand.bucket("shared", EAST, false).await;
    let put = || {
        let put = stand.s3(EAST).put_object().bucket("shared").key("k");
        put.body(ByteStream::from(vec![7; LARGE])).send()
    };
    let hanging = tokio::spawn(put());
    let calls = || async { stand.control("GET", "calls", "").await.1["by_operation"].clone() };
    while calls().await.get("s3:PutObject").is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    put().await.unwrap();
    assert!(!hanging.is_finished());
    hanging.abort();
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
    let request = format!(
        "POST /_crrctl/reset HTTP/1.1\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n"
    );
    stand.json_of(&request).await
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

    // S3 takes no rules before versioning is in effect, so versioning is never what they wait for.
    let quirks = vec![QuirkSpec::from(Quirk::LateVersioning)];
    let stand = Stand::with(Options { quirks, clock_stands: true, ..Options::default() }).await;
    for (name, region) in [("eff-src", EAST), ("eff-dst", WEST)] {
        stand.bucket(name, region, true).await;
    }
    let rules = ReplicationConfiguration::builder()
        .role(super::ROLE)
        .rules(rule("one", 1, "eff-dst", None).build().unwrap())
        .build()
        .unwrap();
    let put = || {
        let put = stand.s3(EAST).put_bucket_replication().bucket("eff-src");
        put.replication_configuration(rules.clone())
    };
    let advance = async |by: &str| {
        let body = format!(r#"{{"advance": "{by}"}}"#);
        stand.control("POST", "clock", &body).await.1["now"].clone()
    };
    advance("899s").await;
    refused! { "InvalidRequest" 400 "Versioning must be 'Enabled'" put(); }
    let start = advance("1s").await;
    put().send().await.unwrap();
    let effective = async || stand.control("GET", "effective", "").await.1[0].clone();
    let rule = effective().await;
    assert_eq!((&rule["waited_for"], &rule["at"]), (&json!("role"), &Value::Null));
    stand.role().await;
    let rule = effective().await;
    assert_eq!(rule["waited_for"], "rule");
    // The clock is told in whole seconds.
    assert_eq!(rule["at"].as_str().unwrap()[..19], start.as_str().unwrap()[..19]);
}

/// A rule that waits for its role: the first upload from then on is the one whose replica is told.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_when_the_first_replica_of_a_rule_was_there() {
    let quirks = [(Quirk::LateRole, 20), (Quirk::SlowReplication, 60)];
    let quirks = quirks
        .map(|(quirk, seconds)| QuirkSpec::from(quirk).lasting(Duration::from_secs(seconds)))
        .to_vec();
    let stand = Stand::with(Options { quirks, clock_stands: true, ..Options::default() }).await;
    for (name, region) in [("eff-src", EAST), ("eff-dst", WEST), ("eff-far", WEST)] {
        stand.bucket(name, region, true).await;
    }
    stand.role().await;
    let rules = [
        rule("one", 1, "eff-dst", None).build().unwrap(),
        rule("two", 2, "eff-far", None)
            .filter(ReplicationRuleFilter::builder().prefix("far/").build())
            .build()
            .unwrap(),
    ];
    stand.replicate("eff-src", rules).await;
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let effective = async || stand.control("GET", "effective", "").await.1;
    let advance = async |by: &str| {
        stand.control("POST", "clock", &format!(r#"{{"advance": "{by}"}}"#)).await;
    };
    advance("30s").await;
    let version = stand.put("eff-src", "k").await;
    assert_eq!(effective().await[0]["replica_at"], Value::Null);
    advance("60s").await;
    assert_eq!(stand.settled("eff-src", "k", &version).await.as_deref(), Some("COMPLETED"));
    let first = effective().await;
    // In force after 20 s, uploaded 10 s later, and a minute on its way.
    let took = time(&first[0]["replica_at"]).duration_since(time(&first[0]["at"]));
    assert!((69.5..70.5).contains(&took.as_secs_f64()), "{first:#}");
    assert_eq!(first[1]["replica_at"], Value::Null);

    // A later replica is not the first.
    let version = stand.put("eff-src", "later").await;
    advance("60s").await;
    assert_eq!(stand.settled("eff-src", "later", &version).await.as_deref(), Some("COMPLETED"));
    assert_eq!(effective().await, first);
}
