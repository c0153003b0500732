//! Members as a request again, for the sandbox: the reverse of `wire`.
//! Not for: signing and sending it (see `aws::replay`).

use super::members::Service;
use super::rest::{self, Body};
use super::{Members, xml};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A request to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query, encoded.
    pub target: String,
    /// Headers, without those of the signature.
    pub headers: Vec<(String, String)>,
    /// The body. The data of objects is zeros.
    pub body: String,
}

/// What stays as it is in a path or a query (RFC 3986, "Unreserved Characters").
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &ENCODED.remove(b'/');
const S3: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const S3_CONTROL: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";
/// The longest body that is made up.
const LONGEST: u64 = 64 << 20;

/// Returns the request; `None` for an operation whose form is not known.
pub fn written(service: Service, operation: &str, members: &Members) -> Option<Written> {
    match service {
        Service::Kms => Some(json(&format!("TrentService.{operation}"), "1.1", members)),
        Service::CloudTrail => Some(json(
            &format!("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{operation}"),
            "1.1",
            members,
        )),
        Service::Iam => Some(query(operation, "2010-05-08", members)),
        Service::Sts => Some(query(operation, "2011-06-15", members)),
        Service::CloudWatch => Some(query(operation, "2010-08-01", members)),
        Service::S3 => s3(operation, members),
        Service::S3Control => s3control(operation, members),
    }
}

fn json(target: &str, version: &str, members: &Members) -> Written {
    let mut members = members.clone();
    for value in members.values_mut() {
        if let Some(length) = value.get("length").and_then(Value::as_u64) {
            *value = Value::String(base64_of_zeros(length));
        }
    }
    Written {
        method: "POST",
        target: "/".to_owned(),
        headers: vec![
            ("content-type".to_owned(), format!("application/x-amz-json-{version}")),
            ("x-amz-target".to_owned(), target.to_owned()),
        ],
        body: Value::Object(members).to_string(),
    }
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn base64_of_zeros(length: u64) -> String {
    let zeros = vec![0; usize::try_from(length.min(LONGEST)).unwrap_or_default()];
    aws_smithy_types::base64::encode(zeros)
}

fn query(operation: &str, version: &str, members: &Members) -> Written {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", operation).append_pair("Version", version);
    members.iter().for_each(|(name, value)| append(&mut form, name, value));
    Written {
        method: "POST",
        target: "/".to_owned(),
        headers: vec![header("content-type", "application/x-www-form-urlencoded")],
        body: form.finish(),
    }
}

fn append(form: &mut form_urlencoded::Serializer<'_, String>, name: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(inner, it)| append(form, &format!("{name}.{inner}"), it));
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                append(form, &format!("{name}.member.{}", at + 1), item);
            }
        }
        value => {
            form.append_pair(name, &text(value));
        }
    }
}

/// Returns a value as a header or a query holds it.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

fn s3(operation: &str, members: &Members) -> Option<Written> {
    let form = rest::s3(operation)?;
    let part = |name: &str| {
        let text = members.get(name).and_then(Value::as_str).unwrap_or_default();
        utf8_percent_encode(text, PATH).to_string()
    };
    let (bucket, key) = (part("Bucket"), part("Key"));
    let path = if key.is_empty() { format!("/{bucket}") } else { format!("/{bucket}/{key}") };
    let mut pairs = parameters(members);
    if !form.sub_resource.is_empty() {
        pairs.insert(0, form.sub_resource.to_owned());
    }
    let mut headers = headers(members);
    let body = match form.body {
        Body::None => String::new(),
        Body::Policy => members.get("Policy").map(text).unwrap_or_default(),
        Body::Data => {
            let length =
                members.get("Body").and_then(|it| it.get("length")).and_then(Value::as_u64);
            "\0".repeat(
                usize::try_from(length.unwrap_or_default().min(LONGEST)).unwrap_or_default(),
            )
        }
        Body::Xml(element, member) => {
            members.get(member).map(|it| xml::text_of(element, it, S3)).unwrap_or_default()
        }
    };
    // S3 wants a checksum of some bodies (S3 User Guide, "Checking object integrity"). That of a
    // completion is the object's.
    let is_document = matches!(form.body, Body::Xml(..) | Body::Policy) && !body.is_empty();
    let is_wanted = is_document && operation != "CompleteMultipartUpload";
    if is_wanted || members.contains_key("ChecksumSHA256") {
        let hash = aws_smithy_types::base64::encode(Sha256::digest(&body));
        headers.push(header("x-amz-checksum-sha256", &hash));
    }
    let target = if pairs.is_empty() { path } else { format!("{path}?{}", pairs.join("&")) };
    Some(Written { method: form.method, target, headers, body })
}

/// Returns the parameters of the query, encoded.
fn parameters(members: &Members) -> Vec<String> {
    let mut pairs = Vec::new();
    for (parameter, member) in rest::QUERY {
        let Some(value) = members.get(*member) else { continue };
        let values = match value {
            Value::Array(items) => items.iter().collect(),
            one => vec![one],
        };
        let encoded = |value: &Value| utf8_percent_encode(&text(value), ENCODED).to_string();
        pairs.extend(values.into_iter().map(|it| format!("{parameter}={}", encoded(it))));
    }
    pairs
}

/// Returns the headers that hold members. A checksum is that of a body that is gone.
fn headers(members: &Members) -> Vec<(String, String)> {
    let is_checksum = |member: &str| {
        let others = ["ChecksumAlgorithm", "ChecksumMode", "ChecksumType"];
        member.starts_with("Checksum") && !others.contains(&member)
    };
    let mut headers = Vec::new();
    for (header, member) in rest::HEADERS {
        match members.get(*member) {
            Some(_) if is_checksum(member) => {}
            Some(Value::Array(tags)) => headers.push(((*header).to_owned(), tagging(tags))),
            Some(Value::Object(_)) | None => {}
            Some(value) => headers.push(((*header).to_owned(), text(value))),
        }
    }
    let metadata = members.get("Metadata").and_then(Value::as_object).into_iter().flatten();
    headers.extend(metadata.map(|(name, it)| (format!("{}{name}", rest::METADATA), text(it))));
    headers
}

/// Writes the tags of an object as a query.
fn tagging(tags: &[Value]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for tag in tags {
        let part = |name: &str| tag.get(name).map(text).unwrap_or_default();
        form.append_pair(&part("Key"), &part("Value"));
    }
    form.finish()
}

fn s3control(operation: &str, members: &Members) -> Option<Written> {
    let form = rest::s3control(operation)?;
    let mut body = members.clone();
    let mut segments = Vec::new();
    for segment in form.sub_resource.split('/') {
        let name = segment.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        let value = name.and_then(|name| body.shift_remove(name));
        let part = value.map_or_else(|| segment.to_owned(), |it| text(&it));
        segments.push(utf8_percent_encode(&part, ENCODED).to_string());
    }
    let (mut path, pairs) = (segments.join("/"), parameters(members));
    if !pairs.is_empty() {
        path = format!("{path}?{}", pairs.join("&"));
    }
    let account = body.shift_remove("AccountId").map(|it| text(&it)).unwrap_or_default();
    let body = match form.body {
        Body::Xml(element, _) => {
            body.retain(|name, _| rest::QUERY.iter().all(|(_, member)| member != name));
            body.shift_remove("ContentType");
            xml::text_of(element, &Value::Object(body), S3_CONTROL)
        }
        _ => String::new(),
    };
    let headers = vec![header("x-amz-account-id", &account)];
    Some(Written { method: form.method, target: path, headers, body })
}

#[cfg(test)]
mod tests {
    use super::super::wire::{self, Message};
    use super::*;
    use serde_json::{Map, json};

    /// What is written is read as the same members.
    #[test]
    fn requests_are_written_as_they_were_read() {
        for (service, operation, members) in [
            (Service::Kms, "CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": "1"})),
            (
                Service::Iam,
                "CreateRole",
                json!({"RoleName": "r", "Tags": [{"Key": "k", "Value": "v"}]}),
            ),
            (
                Service::S3,
                "PutBucketTagging",
                json!({"Bucket": "b", "ExpectedBucketOwner": "1", "Tagging": {"TagSet": [{"Key": "a b", "Value": "&"}]}}),
            ),
            (
                Service::S3,
                "ListObjectVersions",
                json!({"Bucket": "b", "EncodingType": "url", "Prefix": "a b/"}),
            ),
            (Service::S3, "HeadObject", json!({"Bucket": "b", "Key": "a b/c", "VersionId": "v+1"})),
            (Service::S3, "PutBucketPolicy", json!({"Bucket": "b", "Policy": "{}"})),
            (
                Service::S3Control,
                "TagResource",
                json!({"ResourceArn": "arn:aws:s3:::b", "AccountId": "1", "Tags": [{"Key": "k", "Value": "v"}]}),
            ),
        ] {
            let members: Map<String, Value> = members.as_object().unwrap().clone();
            let written = written(service, operation, &members).unwrap();
            let headers =
                written.headers.iter().filter(|(name, _)| *name != "x-amz-checksum-sha256");
            let headers = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let message =
                Message { uri: &written.target, headers, body: Some(written.body.as_bytes()) };
            let mut read = wire::request(service, operation, &message);
            read.remove("ContentType");
            assert_eq!(Value::Object(read), Value::Object(members), "{operation}: {written:?}");
        }
    }
}
