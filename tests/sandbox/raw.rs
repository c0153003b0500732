//! Bad bytes: requests that no client would send, signed rightly, over each of the protocols.
//! None ends in a panic or a 500.

use super::{ACCOUNT, EAST, Stand};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use crrctl_sandbox::SECRET;
use proptest::prelude::*;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::SystemTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A request, before it is signed.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub(super) service: &'static str,
    pub(super) method: &'static str,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Raw {
    /// A request to S3 without headers and body.
    pub(super) fn s3(method: &'static str, target: &str) -> Self {
        let (headers, body) = (Vec::new(), Vec::new());
        Self { service: "s3", method, target: target.to_owned(), headers, body }
    }

    /// Signs and sends the request, and returns the whole response as text.
    pub(super) async fn answer(&self, address: SocketAddr) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(&self.signed().unwrap()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Returns the bytes of the request, signed.
    pub(super) fn signed(&self) -> Option<Vec<u8>> {
        let identity = Credentials::new(ACCOUNT, SECRET, None, None, "test").into();
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(EAST)
            .name(self.service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .unwrap();
        let host = self.headers.iter().find(|(name, _)| name == "host");
        let host = host.map_or("sandbox", |(_, host)| host);
        let url = format!("http://{host}{}", self.target);
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let headers: Vec<_> = headers.into_iter().filter(|(name, _)| *name != "host").collect();
        let all = [("host", host)].into_iter().chain(headers.iter().copied());
        let body = if headers.iter().any(|(name, _)| *name == "x-amz-trailer") {
            SignableBody::StreamingUnsignedPayloadTrailer
        } else {
            SignableBody::Bytes(&self.body)
        };
        let request = SignableRequest::new(self.method, &url, all, body).ok()?;
        let (instructions, _) = sign(request, &params.into()).ok()?.into_parts();
        let mut text = format!(
            "{} {} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n",
            self.method, self.target
        );
        for (name, value) in headers.into_iter().chain(instructions.headers()) {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let _ = write!(text, "content-length: {}\r\n\r\n", self.body.len());
        Some([text.as_bytes(), self.body.as_slice()].concat())
    }
}

/// Sends bytes and returns the status of the answer; 0 where the connection ended without one.
async fn status(address: SocketAddr, bytes: &[u8]) -> u16 {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer);
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,40}",
        "[a-z0-9-]{1,20}",
        Just("arn:aws:kms:us-east-1:111122223333:key/x".to_owned()),
        Just("alias/x".to_owned()),
        Just("raw-bucket".to_owned()),
        Just("-1".to_owned())
    ]
}

fn escaped() -> impl Strategy<Value = String> {
    text().prop_map(|text| form_urlencoded::byte_serialize(text.as_bytes()).collect())
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        text().prop_map(Into::into)
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec(
                (
                    prop_oneof![text(), Just("Statement".to_owned()), Just("Condition".to_owned())],
                    inner
                ),
                0..4
            )
            .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

const KMS: [&str; 16] = [
    "CreateKey",
    "ReplicateKey",
    "DescribeKey",
    "ListKeys",
    "CreateAlias",
    "PutKeyPolicy",
    "Encrypt",
    "Decrypt",
    "GenerateDataKey",
    "ReEncrypt",
    "ScheduleKeyDeletion",
    "TagResource",
    "EnableKeyRotation",
    "UpdatePrimaryRegion",
    "ListAliases",
    "Nonsense",
];
const KMS_FIELDS: [&str; 16] = [
    "KeyId",
    "Policy",
    "Tags",
    "AliasName",
    "TargetKeyId",
    "ReplicaRegion",
    "Limit",
    "Marker",
    "CiphertextBlob",
    "Plaintext",
    "EncryptionContext",
    "KeySpec",
    "NumberOfBytes",
    "PendingWindowInDays",
    "RotationPeriodInDays",
    "DestinationKeyId",
];

fn kms() -> impl Strategy<Value = Raw> {
    let fields = prop::collection::vec((prop::sample::select(&KMS_FIELDS[..]), json_value()), 0..5);
    let body = prop_oneof![
        fields.prop_map(|pairs| serde_json::Value::Object(
            pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
        )
        .to_string()
        .into_bytes()),
        prop::collection::vec(any::<u8>(), 0..200),
    ];
    (prop::sample::select(&KMS[..]), body).prop_map(|(operation, body)| Raw {
        service: "kms",
        method: "POST",
        target: "/".into(),
        headers: vec![("x-amz-target".into(), format!("TrentService.{operation}"))],
        body,
    })
}

const QUERY: [&str; 17] = [
    "CreateServiceLinkedRole",
    "CreateRole",
    "PutRolePolicy",
    "GetRole",
    "ListRoles",
    "CreateUser",
    "CreateAccessKey",
    "CreatePolicy",
    "AttachRolePolicy",
    "SimulateCustomPolicy",
    "SimulatePrincipalPolicy",
    "UpdateAssumeRolePolicy",
    "TagRole",
    "AssumeRole",
    "GetCallerIdentity",
    "PutUserPermissionsBoundary",
    "Nonsense",
];
const PARAMETERS: [&str; 18] = [
    "RoleName",
    "UserName",
    "Path",
    "PolicyName",
    "PolicyDocument",
    "PolicyArn",
    "AssumeRolePolicyDocument",
    "MaxItems",
    "Marker",
    "Tags.member.1.Key",
    "ActionNames.member.1",
    "PolicyInputList.member.1",
    "PolicySourceArn",
    "ResourceArns.member.1",
    "RoleArn",
    "RoleSessionName",
    "DurationSeconds",
    "CallerArn",
];

fn query() -> impl Strategy<Value = Raw> {
    let value = prop_oneof![
            escaped(),
            json_value()
                .prop_map(
                    |json| form_urlencoded::byte_serialize(json.to_string().as_bytes()).collect()
                )
        ];
    let pairs = prop::collection::vec((prop::sample::select(&PARAMETERS[..]), value), 0..6);
    (prop::sample::select(&["iam", "sts"][..]), prop::sample::select(&QUERY[..]), pairs).prop_map(
        |(service, action, pairs)| {
            let version = if service == "iam" { "2010-05-08" } else { "2011-06-15" };
            let mut body = format!("Action={action}&Version={version}");
            for (name, value) in pairs {
                let _ = write!(body, "&{name}={value}");
            }
            let headers = vec![("content-type".into(), "application/x-www-form-urlencoded".into())];
            Raw { service, method: "POST", target: "/".into(), headers, body: body.into_bytes() }
        },
    )
}

const SNS: [&str; 7] = [
    "CreateTopic",
    "DeleteTopic",
    "GetTopicAttributes",
    "ListTagsForResource",
    "ListTopics",
    "SetTopicAttributes",
    "Nonsense",
];
const SQS: [&str; 8] = [
    "CreateQueue",
    "DeleteMessage",
    "DeleteQueue",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ReceiveMessage",
    "SetQueueAttributes",
    "Nonsense",
];

fn topics() -> impl Strategy<Value = Raw> {
    let names = ["Name", "TopicArn", "AttributeName", "AttributeValue", "Attributes.entry.1.key"];
    let value = prop_oneof![escaped(), Just("Policy".to_owned()), Just("raw".to_owned())];
    let pairs = prop::collection::vec((prop::sample::select(names.to_vec()), value), 0..6);
    (prop::sample::select(&SNS[..]), pairs).prop_map(|(action, pairs)| {
        let mut body = format!("Action={action}&Version=2010-03-31");
        for (name, value) in pairs {
            let _ = write!(body, "&{name}={value}");
        }
        let headers = vec![("content-type".into(), "application/x-www-form-urlencoded".into())];
        let (service, target, body) = ("sns", "/".into(), body.into_bytes());
        Raw { service, method: "POST", target, headers, body }
    })
}

fn queues() -> impl Strategy<Value = Raw> {
    let names = ["QueueName", "QueueUrl", "Attributes", "AttributeNames", "MaxNumberOfMessages"];
    let value =
        prop_oneof![json_value(), Just("http://x/111122223333/raw".into()), Just("raw".into())];
    let fields = prop::collection::vec((prop::sample::select(names.to_vec()), value), 0..4);
    (prop::sample::select(&SQS[..]), fields).prop_map(|(operation, fields)| {
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
        let body = serde_json::Value::Object(fields.collect());
        let body = match (operation, body.as_object().is_none_or(serde_json::Map::is_empty)) {
            ("CreateQueue" | "GetQueueUrl", true) => serde_json::json!({"QueueName": "raw"}),
            _ => body,
        };
        let body = body.to_string().into_bytes();
        let headers = vec![("x-amz-target".into(), format!("AmazonSQS.{operation}"))];
        Raw { service: "sqs", method: "POST", target: "/".into(), headers, body }
    })
}

const CLOUDWATCH: [&str; 11] = [
    "DeleteAlarms",
    "DescribeAlarms",
    "DisableAlarmActions",
    "EnableAlarmActions",
    "GetMetricData",
    "ListTagsForResource",
    "PutMetricAlarm",
    "SetAlarmState",
    "TagResource",
    "UntagResource",
    "Nonsense",
];
const CLOUDWATCH_FIELDS: [&str; 14] = [
    "AlarmName",
    "AlarmNames",
    "AlarmNamePrefix",
    "AlarmActions",
    "Dimensions",
    "MaxRecords",
    "MetricDataQueries",
    "NextToken",
    "Period",
    "ResourceARN",
    "StartTime",
    "StateValue",
    "Tags",
    "Threshold",
];

/// Over JSON, and over CBOR with bytes that are rarely any.
fn cloudwatch() -> impl Strategy<Value = Raw> {
    let field = (prop::sample::select(&CLOUDWATCH_FIELDS[..]), json_value());
    let fields = prop::collection::vec(field, 0..6).prop_map(|pairs| {
        let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value));
        serde_json::Value::Object(pairs.collect()).to_string().into_bytes()
    });
    let bytes = prop::collection::vec(any::<u8>(), 0..60);
    let body = prop_oneof![3 => fields, 1 => bytes];
    (prop::sample::select(&CLOUDWATCH[..]), any::<bool>(), body).prop_map(
        |(operation, is_json, body)| {
            let shape = "GraniteServiceVersion20100801";
            let (target, headers) = if is_json {
                ("/".to_owned(), vec![("x-amz-target".into(), format!("{shape}.{operation}"))])
            } else {
                let headers = vec![("smithy-protocol".into(), "rpc-v2-cbor".into())];
                (format!("/service/{shape}/operation/{operation}"), headers)
            };
            Raw { service: "monitoring", method: "POST", target, headers, body }
        },
    )
}

const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];
const SUBRESOURCES: [&str; 22] = [
    "",
    "versioning",
    "replication",
    "encryption",
    "policy",
    "tagging",
    "lifecycle",
    "publicAccessBlock",
    "ownershipControls",
    "object-lock",
    "versions",
    "uploads",
    "delete",
    "location",
    "acl",
    "list-type=2",
    "uploadId=x&partNumber=1",
    "retention",
    "legal-hold",
    "partNumber=1",
    "versionId=x",
    "max-keys=-1",
];
const S3_HEADERS: [&str; 14] = [
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-tagging",
    "x-amz-copy-source",
    "x-amz-acl",
    "x-amz-storage-class",
    "range",
    "if-match",
    "if-none-match",
    "x-amz-checksum-crc32",
    "content-md5",
    "x-amz-expected-bucket-owner",
    "x-amz-object-lock-mode",
    "x-amz-security-token",
];
const ROOTS: [&str; 8] = [
    "CreateBucketConfiguration",
    "VersioningConfiguration",
    "ReplicationConfiguration",
    "ServerSideEncryptionConfiguration",
    "Tagging",
    "Delete",
    "LifecycleConfiguration",
    "CompleteMultipartUpload",
];

fn s3() -> impl Strategy<Value = Raw> {
    let path = prop_oneof![
        Just("/".to_owned()),
        Just("/raw-bucket".to_owned()),
        escaped().prop_map(|key| format!("/raw-bucket/{key}")),
        escaped().prop_map(|name| format!("/{name}"))
    ];
    let element = (
        prop::sample::select(
            &[
                "Rule",
                "Status",
                "Role",
                "Tag",
                "Key",
                "Value",
                "Object",
                "Part",
                "Filter",
                "Destination",
                "Tags",
                "LocationConstraint",
                "Priority",
            ][..],
        ),
        "[ -%'-;=?-~]{0,12}",
    )
        .prop_map(|(name, text)| format!("<{name}>{text}</{name}>"));
    let body = prop_oneof![
        (prop::sample::select(&ROOTS[..]), prop::collection::vec(element, 0..5))
            .prop_map(|(root, inner)| format!("<{root}>{}</{root}>", inner.concat()).into_bytes()),
        json_value().prop_map(|json| json.to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..200),
        Just(Vec::new()),
    ];
    let headers =
        prop::collection::vec((prop::sample::select(&S3_HEADERS[..]), "[!-~]{1,20}"), 0..3);
    (
        prop::sample::select(&METHODS[..]),
        path,
        prop::sample::select(&SUBRESOURCES[..]),
        headers,
        body,
        any::<bool>(),
    )
        .prop_map(|(method, path, sub, headers, body, checked)| {
            let mut headers: Vec<(String, String)> =
                headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            headers.sort();
            headers.dedup_by(|one, other| one.0 == other.0);
            if checked && !headers.iter().any(|(name, _)| name == "content-md5") {
                use aws_smithy_types::base64::encode;
                let digest = <md5::Md5 as md5::Digest>::digest(&body);
                headers.push(("content-md5".to_owned(), encode(digest)));
            }
            let target = if sub.is_empty() { path } else { format!("{path}?{sub}") };
            Raw { service: "s3", method, target, headers, body }
        })
}

const CONTROL_ELEMENTS: [&str; 22] = [
    "Priority",
    "Operation",
    "S3ReplicateObject",
    "Report",
    "Enabled",
    "Bucket",
    "Format",
    "ReportScope",
    "ClientRequestToken",
    "RoleArn",
    "ManifestGenerator",
    "S3JobManifestGenerator",
    "SourceBucket",
    "EnableManifestOutput",
    "Filter",
    "CreatedAfter",
    "ObjectReplicationStatuses",
    "member",
    "Manifest",
    "Tags",
    "Tag",
    "Key",
];

/// XML whose elements know S3 Control's names and stand in each other anyhow.
fn control_xml() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(String::new()),
        Just("true".to_owned()),
        Just("arn:aws:s3:::raw-bucket".to_owned()),
        Just("arn:aws:iam::111122223333:role/x".to_owned()),
        "[ -%'-;=?-~]{0,12}",
        "-?[0-9]{1,20}",
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop::collection::vec((prop::sample::select(&CONTROL_ELEMENTS[..]), inner), 0..6).prop_map(
            |elements| {
                let element = |(name, inner): (&str, String)| format!("<{name}>{inner}</{name}>");
                elements.into_iter().map(element).collect()
            },
        )
    })
}

/// A job that S3 Control takes, but for one part that is put anyhow.
fn near_job() -> impl Strategy<Value = String> {
    let parts = [
        "<Operation><S3ReplicateObject/></Operation>",
        "<Report><Enabled>false</Enabled></Report>",
        "<ClientRequestToken>t</ClientRequestToken>",
        "<Priority>1</Priority>",
        "<RoleArn>arn:aws:iam::111122223333:role/x</RoleArn>",
        "<ManifestGenerator><S3JobManifestGenerator><SourceBucket>arn:aws:s3:::raw-bucket</SourceBucket>\
         <EnableManifestOutput>false</EnableManifestOutput></S3JobManifestGenerator></ManifestGenerator>",
    ];
    (0..parts.len() + 1, control_xml()).prop_map(move |(at, other)| {
        let part = |(index, part): (usize, &&str)| {
            if index == at { other.clone() } else { (*part).to_owned() }
        };
        parts.iter().enumerate().map(part).collect()
    })
}

fn control() -> impl Strategy<Value = Raw> {
    let path = prop_oneof![
        Just("jobs".to_owned()),
        Just("jobs".to_owned()),
        Just("jobs/absent/status?requestedJobStatus=Ready".to_owned()),
        Just("jobs?jobStatuses=Active&maxResults=5".to_owned()),
        Just("tags/arn%3Aaws%3As3%3A%3A%3Araw-bucket".to_owned()),
        escaped(),
        escaped().prop_map(|id| format!("jobs/{id}")),
        escaped().prop_map(|id| format!("jobs/{id}/priority?priority={id}")),
        escaped().prop_map(|arn| format!("tags/{arn}?tagKeys={arn}")),
    ];
    let root = prop::sample::select(&["CreateJobRequest", "TagResourceRequest", "Nonsense"][..]);
    let inner = prop_oneof![control_xml(), near_job()];
    let body = prop_oneof![
        4 => (root, inner)
            .prop_map(|(root, xml)| format!("<{root} xmlns=\"x\">{xml}</{root}>").into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => Just(Vec::new()),
    ];
    let account = prop_oneof![9 => Just(ACCOUNT.to_owned()), 1 => "[!-~]{1,20}"];
    (prop::sample::select(&METHODS[..]), path, account, body).prop_map(
        |(method, path, account, body)| Raw {
            service: "s3",
            method,
            target: format!("/v20180820/{path}"),
            headers: vec![("x-amz-account-id".into(), account)],
            body,
        },
    )
}

#[test]
fn no_request_ends_in_a_panic_or_a_500() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let stand = runtime.block_on(Stand::start());
    runtime.block_on(stand.bucket("raw-bucket", EAST, true));
    let address = stand.sandbox.address();
    let config = ProptestConfig { failure_persistence: None, ..crate::common::cases(1800) };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let seen = std::cell::RefCell::new(std::collections::BTreeMap::<(&str, u16), usize>::new());
    let tried = runner.run(
        &prop_oneof![kms(), query(), cloudwatch(), s3(), s3(), control(), topics(), queues()],
        |raw| {
            let Some(bytes) = raw.signed() else { return Ok(()) };
            let status = runtime.block_on(status(address, &bytes));
            let control = raw.target.starts_with("/v20180820/");
            let service = if control { "s3control" } else { raw.service };
            *seen.borrow_mut().entry((service, status)).or_default() += 1;
            prop_assert!(status != 500 && status != 0, "{status}");
            Ok(())
        },
    );
    if let Err(error) = tried {
        panic!("{error}");
    }
    let seen = seen.into_inner();
    // Signatures were right, or all of this would have tried the door alone.
    for service in ["kms", "iam", "sts", "monitoring", "s3", "s3control", "sns", "sqs"] {
        assert!(seen.keys().any(|(name, status)| *name == service && *status == 200), "{seen:?}");
    }
    let (health, _) = runtime.block_on(stand.control("GET", "health", ""));
    assert_eq!(health, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_are_refused() {
    let stand = Stand::start().await;
    for bytes in [
        &b"\x00\x01\x02\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: AWS4-HMAC-SHA256 Credential=\xff\r\ncontent-length: 0\r\n\r\n",
    ] {
        let status = status(stand.sandbox.address(), bytes).await;
        assert!((400..500).contains(&status) || [0, 501].contains(&status), "{status} {bytes:?}");
    }
    assert_eq!(stand.control("GET", "health", "").await.0, 200);
}
