//! POST uploads: the fields of a form, its policy, and the answer. All is as recorded from S3
//! (localstack's tests `TestS3PresignedPost`, read 2026-11 and 2026-12).
//! Not for: presigned URLs (see `signed`).

use super::signed::{send, signature_v2};
use super::{ACCOUNT, EAST, Stand, assert_answer};
use std::fmt::Write;

const LATER: &str = "2100-01-01T00:00:00.000Z";

/// A form with a file.
struct Form {
    fields: Vec<(String, String)>,
    file: &'static str,
    filename: Option<&'static str>,
}

impl Form {
    /// A form that is signed with Signature Version 2. Its policy has a condition for each further
    /// field.
    fn signed(key: &str, further: &[(&str, &str)]) -> Self {
        let conditions: String = further
            .iter()
            .map(|(name, _)| format!(r#",["starts-with","${name}",""]"#))
            .collect::<Vec<_>>()
            .concat();
        let policy = format!(r#"{{"bucket":"posts"}},["starts-with","$key",""]{conditions}"#);
        Self::under(&policy, LATER, key, further)
    }

    /// A form under a policy with these conditions.
    fn under(conditions: &str, expires: &str, key: &str, further: &[(&str, &str)]) -> Self {
        let policy = format!(r#"{{"expiration":"{expires}","conditions":[{conditions}]}}"#);
        let policy = aws_smithy_types::base64::encode(policy);
        let signature = signature_v2(&policy);
        let fields = [
            ("key", key),
            ("AWSAccessKeyId", ACCOUNT),
            ("policy", &*policy),
            ("signature", &*signature),
        ];
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let fields = fields.iter().chain(further).map(owned).collect();
        Self { fields, file: "abc", filename: Some("f—x") }
    }

    fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(other, _)| other != name);
        self
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    fn get(&self, name: &str) -> &str {
        &self.fields.iter().find(|(other, _)| other == name).unwrap().1
    }

    async fn post(&self, stand: &Stand) -> String {
        let mut body = String::new();
        for (name, value) in &self.fields {
            let _ = write!(
                body,
                "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
        }
        let filename = self.filename.map(|name| format!("; filename=\"{name}\""));
        let _ = write!(
            body,
            "--b\r\nContent-Disposition: form-data; name=\"file\"{}\r\n\r\n{}\r\n--b--\r\n",
            filename.unwrap_or_default(),
            self.file
        );
        let kind = "content-type: multipart/form-data; boundary=b\r\n";
        send(stand, "POST", "/posts", kind, &body).await
    }
}

async fn stand() -> Stand {
    let stand = Stand::start().await;
    stand.bucket("posts", EAST, false).await;
    stand
}

#[tokio::test]
async fn a_form_meets_its_policy() {
    let stand = stand().await;
    let bounds =
        r#"{"bucket":"posts"},["starts-with","$key","in/"],["content-length-range","2",4]"#;
    let form = |expires: &str, key: &str| Form::under(bounds, expires, key, &[]);
    assert_answer(&form(LATER, "in/a").post(&stand).await, 204, &[]);
    let denied = "<Code>AccessDenied</Code>";
    let expired = "Invalid according to Policy: Policy expired.";
    let answer = form("2020-01-01T00:00:00.000Z", "in/a").post(&stand).await;
    assert_answer(&answer, 403, &[denied, expired]);
    let condition = "Policy Condition failed: [&quot;starts-with&quot;, &quot;$key&quot;";
    assert_answer(&form(LATER, "out").post(&stand).await, 403, &[denied, condition]);
    let extra = "Invalid according to Policy: Extra input fields: color";
    assert_answer(&form(LATER, "in/a").with("color", "red").post(&stand).await, 403, &[extra]);
    let large = "<ProposedSize>5</ProposedSize><MaxSizeAllowed>4</MaxSizeAllowed>";
    let answer = Form { file: "abcde", ..form(LATER, "in/a") }.post(&stand).await;
    assert_answer(&answer, 400, &["EntityTooLarge", "exceeds the maximum allowed size<", large]);
    let small = "<ProposedSize>1</ProposedSize><MinSizeAllowed>2</MinSizeAllowed>";
    let answer = Form { file: "a", ..form(LATER, "in/a") }.post(&stand).await;
    assert_answer(&answer, 400, &["EntityTooSmall", small]);
    let two = Form::under(r#"{"bucket":"posts","key":"k"}"#, LATER, "k", &[]).post(&stand).await;
    let text = "Simple-Conditions must have exactly one property specified.";
    assert_answer(&two, 400, &["<Code>InvalidPolicyDocument</Code>", text]);
}

#[tokio::test]
async fn the_fields_of_a_signature_are_all_there_and_right() {
    let stand = stand().await;
    let form = || Form::signed("k", &[]);
    let v4 = || {
        let date = ("x-amz-date", "20261201T000000Z");
        let credential = format!("{ACCOUNT}/20261201/us-east-1/s3/aws4_request");
        let form = form().without("signature").without("AWSAccessKeyId");
        let form = form.with("x-amz-algorithm", "AWS4-HMAC-SHA256").with(date.0, date.1);
        form.with("x-amz-credential", &credential).with("x-amz-signature", "00")
    };
    for (form, name) in [
        (form().without("signature"), "Signature"),
        (form().without("AWSAccessKeyId"), "AWSAccessKeyId"),
        (v4().without("x-amz-signature"), "X-Amz-Signature"),
        (v4().without("x-amz-algorithm").without("x-amz-credential"), "X-Amz-Algorithm"),
        (form().without("key"), "key"),
    ] {
        let text = format!("must contain a field named &apos;{name}&apos;.  If it is specified");
        let argument =
            format!("<ArgumentName>{name}</ArgumentName><ArgumentValue></ArgumentValue>");
        let answer = form.post(&stand).await;
        assert_answer(&answer, 400, &["<Code>InvalidArgument</Code>", &text, &argument]);
    }
    // Without any of them the request is anonymous.
    let anonymous = form().without("signature").without("AWSAccessKeyId").post(&stand).await;
    assert_answer(&anonymous, 403, &["<Code>AccessDenied</Code><Message>Access Denied<"]);
    // The signature covers the policy as it was sent, before it is read.
    let mut cut = form();
    let policy = cut.get("policy").trim_end_matches('=').to_owned();
    let policy = &policy[..policy.len() - 2];
    let signature = cut.get("signature").to_owned();
    cut = cut.without("policy").with("policy", policy);
    let parts = [
        "<Code>SignatureDoesNotMatch</Code>".to_owned(),
        format!("<AWSAccessKeyId>{ACCOUNT}</AWSAccessKeyId>"),
        format!("<StringToSign>{policy}</StringToSign>"),
        format!("<SignatureProvided>{signature}</SignatureProvided><StringToSignBytes>"),
    ];
    let parts = parts.each_ref().map(String::as_str);
    assert_answer(&cut.post(&stand).await, 403, &parts);
    assert_answer(&v4().post(&stand).await, 403, &["SignatureDoesNotMatch"]);
    let unknown = form().without("AWSAccessKeyId").with("AWSAccessKeyId", "AKIANOBODY");
    assert_answer(&unknown.post(&stand).await, 403, &["<Code>InvalidAccessKeyId</Code>"]);
}

#[tokio::test]
async fn the_form_says_how_it_is_answered() {
    let stand = stand().await;
    let with = |key: &str, further: &[(&str, &str)]| Form::signed(key, further);
    let created = with("a b/${filename}", &[("success_action_status", "201")]).post(&stand).await;
    let etag = "900150983cd24fb0d6963f7d28e17f72";
    let location = format!("http://{}/posts/a%20b%2Ff%E2%80%94x", stand.sandbox.address());
    let body = format!(
        "<PostResponse><Location>{location}</Location><Bucket>posts</Bucket><Key>a b/f—x</Key><ETag>&quot;{etag}&quot;</ETag></PostResponse>"
    );
    let headers = [format!("location: {location}\r\n"), format!("etag: \"{etag}\"\r\n"), body];
    assert_answer(&created, 201, &headers.each_ref().map(String::as_str));
    stand.s3(EAST).head_object().bucket("posts").key("a b/f—x").send().await.unwrap();
    let redirect = [("success_action_redirect", "http://example.com/done?x=1")];
    let answer = with("k", &redirect).post(&stand).await;
    let location =
        format!("location: http://example.com/done?x=1&bucket=posts&key=k&etag=%22{etag}%22");
    assert_answer(&answer, 303, &[&location]);
    // A URL that is not absolute does not count.
    let answer = with("k", &[("success_action_redirect", "/done")]).post(&stand).await;
    assert_answer(
        &answer,
        204,
        &["x-amz-checksum-crc64nvme: ", "x-amz-checksum-type: FULL_OBJECT"],
    );
    // Without a file name, the key is as it is.
    let unnamed = Form { filename: None, ..with("in/${filename}", &[]) };
    assert_answer(&unnamed.post(&stand).await, 204, &[]);
    stand.s3(EAST).head_object().bucket("posts").key("in/${filename}").send().await.unwrap();
    let kind = "content-type: text/html\r\n";
    let answer = send(&stand, "POST", "/posts", kind, "x").await;
    let condition = "<Condition>Bucket POST must be of the enclosure-type multipart/form-data<";
    assert_answer(&answer, 412, &["<Code>PreconditionFailed</Code>", condition]);
}

#[tokio::test]
async fn the_fields_describe_the_object() {
    let stand = stand().await;
    let one = "<Tagging><TagSet><Tag><Key>team</Key><Value>a b</Value></Tag></TagSet></Tagging>";
    let further = [
        ("tagging", one),
        ("x-amz-meta-Color", "red"),
        ("Content-Type", "text/plain"),
        ("x-amz-storage-class", "STANDARD_IA"),
    ];
    let form = Form::signed("k", &further);
    assert_answer(&form.post(&stand).await, 204, &[]);
    let s3 = stand.s3(EAST);
    let tags = || async {
        let got = s3.get_object_tagging().bucket("posts").key("k").send().await.unwrap();
        let pair = |tag: &aws_sdk_s3::types::Tag| format!("{}={}", tag.key(), tag.value());
        got.tag_set().iter().map(pair).collect::<Vec<_>>()
    };
    assert_eq!(tags().await, ["team=a b"]);
    let head = s3.head_object().bucket("posts").key("k").send().await.unwrap();
    assert_eq!(head.metadata().unwrap()["color"], "red");
    assert_eq!(head.content_type(), Some("text/plain"));
    assert_eq!(head.storage_class().unwrap().as_str(), "STANDARD_IA");
    let answer = Form::signed("k", &[("tagging", "<Other></Other>")]).post(&stand).await;
    assert_answer(&answer, 204, &[]);
    assert!(tags().await.is_empty());
    let answer = Form::signed("k", &[("tagging", "no-xml")]).post(&stand).await;
    assert_answer(&answer, 400, &["<Code>MalformedXML</Code>"]);
    let answer = Form::signed("k", &[("x-amz-storage-class", "OTHER")]).post(&stand).await;
    let asked = "<StorageClassRequested>OTHER</StorageClassRequested>";
    assert_answer(&answer, 400, &["<Code>InvalidStorageClass</Code>", asked]);
}
