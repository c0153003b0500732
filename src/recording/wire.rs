//! Requests and answers as members, by the protocol of their service: AWS JSON, Query, or REST with
//! XML. Bodies become their length and hash here, so that no later code holds them.
//! Not for: replacing names (see `stand_ins`).

use super::members::Service;
use super::rest::{self, Body};
use super::xml;
use super::{Members, Said};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A request or an answer, as it goes over the wire.
#[derive(Debug, Clone, Default)]
pub struct Message<'a> {
    /// The URI of a request.
    pub uri: &'a str,
    /// The headers, with small letters.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The body, where it is in memory.
    pub body: Option<&'a [u8]>,
}

impl Message<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| *it == name).map(|(_, value)| *value)
    }

    fn text(&self) -> &str {
        self.body.and_then(|body| std::str::from_utf8(body).ok()).unwrap_or_default()
    }
}

/// Returns the length and the hash of a body.
pub fn blob(body: &[u8]) -> Value {
    json!({"length": body.len(), "sha256": hex::encode(Sha256::digest(body))})
}

/// Returns the length of a body that is not in memory.
pub fn blob_of_length(length: u64) -> Value {
    json!({"length": length})
}

/// Returns the members of a request.
pub fn request(service: Service, operation: &str, message: &Message<'_>) -> Members {
    let mut members = match service {
        Service::Kms | Service::CloudTrail => json_members(message.text()),
        Service::Iam | Service::Sts | Service::CloudWatch => form(message.text()),
        Service::S3 => s3_request(operation, message),
        Service::S3Control => s3control_request(operation, message),
    };
    data(&mut members);
    members
}

/// Returns what a service said.
pub fn answer(service: Service, operation: &str, status: u16, message: &Message<'_>) -> Said {
    let is_refusal = !(200..300).contains(&status);
    let mut said = match service {
        Service::Kms | Service::CloudTrail => json_answer(is_refusal, message),
        Service::Iam | Service::Sts | Service::CloudWatch => query_answer(is_refusal, message),
        Service::S3 | Service::S3Control => rest_answer(operation, is_refusal, message),
    };
    data(&mut said.members);
    let of_header =
        ["x-amzn-requestid", "x-amz-request-id"].iter().find_map(|it| message.header(it));
    said.request_id =
        of_header.map(str::to_owned).or(said.request_id).filter(|id| is_request_id(id));
    if is_refusal && said.code.is_none() {
        said.code = Some(status.to_string());
    }
    said
}

/// Returns whether `id` has a form in which AWS gives out ids of requests.
fn is_request_id(id: &str) -> bool {
    let is_form = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let is_uuid = id.len() == 36 && id.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    is_uuid || (id.len() == 16 && id.chars().all(is_form))
}

/// Replaces data by its length, and decodes policies that are in URL encoding.
fn data(members: &mut Members) {
    for (name, value) in members.iter_mut() {
        match value {
            Value::Object(inner) => data(inner),
            Value::Array(items) => {
                items.iter_mut().filter_map(Value::as_object_mut).for_each(data);
            }
            Value::String(text) if ["Plaintext", "CiphertextBlob"].contains(&name.as_str()) => {
                // Of four characters in Base64 three bytes come.
                *value = blob_of_length((text.trim_end_matches('=').len() * 3 / 4) as u64);
            }
            Value::String(text) if text.starts_with("%7B") => {
                *text = percent_decode_str(text).decode_utf8_lossy().into_owned();
            }
            _ => {}
        }
    }
}

fn json_members(text: &str) -> Members {
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => members,
        _ => Members::new(),
    }
}

fn json_answer(is_refusal: bool, message: &Message<'_>) -> Said {
    let mut members = json_members(message.text());
    if members.is_empty() && !message.text().trim_matches(['{', '}']).is_empty() {
        members.insert("Body".to_owned(), blob(message.body.unwrap_or_default()));
    }
    if !is_refusal {
        return Said { members, ..Said::default() };
    }
    let mut take = |name: &str| match members.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    // The code may have a namespace before it (Smithy, "AWS JSON 1.1 protocol").
    let code = take("__type").map(|code| code.rsplit('#').next().unwrap_or_default().to_owned());
    let text = take("message").or_else(|| take("Message"));
    Said { code, message: text, members, request_id: None }
}

/// Reads a form in which `.` separates the parts of a name (AWS Query protocol).
fn form(text: &str) -> Members {
    let mut members = Value::Object(Members::new());
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        if !["Action", "Version"].contains(&name.as_ref()) {
            put(&mut members, &name.split('.').collect::<Vec<_>>(), &value);
        }
    }
    match members {
        Value::Object(members) => members,
        _ => Members::new(),
    }
}

/// Puts a value at its place: `Tags.member.1.Key` is the key of the first of `Tags`.
fn put(into: &mut Value, path: &[&str], text: &str) {
    match path {
        [] => *into = Value::String(text.to_owned()),
        ["member", place, rest @ ..] => {
            let place = place.parse::<usize>().unwrap_or(1).clamp(1, 1_000) - 1;
            if !into.is_array() {
                *into = Value::Array(Vec::new());
            }
            let Some(items) = into.as_array_mut() else { return };
            if items.len() <= place {
                items.resize(place + 1, Value::Null);
            }
            put(&mut items[place], rest, text);
        }
        [name, rest @ ..] => {
            if !into.is_object() {
                *into = Value::Object(Members::new());
            }
            let Some(members) = into.as_object_mut() else { return };
            put(members.entry((*name).to_owned()).or_insert(Value::Null), rest, text);
        }
    }
}

fn query_answer(is_refusal: bool, message: &Message<'_>) -> Said {
    let Some((name, value)) = xml::element(message.text()) else {
        return unreadable(message);
    };
    let Value::Object(mut members) = value else { return Said::default() };
    let of = |members: &Members, part: &str| {
        let meta = members.get("ResponseMetadata").and_then(|it| it.get("RequestId"));
        let id = meta.or_else(|| members.get("RequestId")).or_else(|| members.get("RequestID"));
        let id = id.and_then(Value::as_str).map(str::to_owned);
        let result = name.strip_suffix("Response").map(|name| format!("{name}{part}"));
        (id, result)
    };
    let (request_id, result) = of(&members, "Result");
    if is_refusal {
        let error = members.remove("Error").unwrap_or_default();
        return refusal(error, request_id);
    }
    let members = match result.and_then(|result| members.remove(&result)) {
        Some(Value::Object(result)) => result,
        _ => Members::new(),
    };
    Said { members, request_id, ..Said::default() }
}

/// Returns a refusal in XML: code and message apart, what else it names as members.
fn refusal(error: Value, request_id: Option<String>) -> Said {
    let Value::Object(mut members) = error else { return Said { request_id, ..Said::default() } };
    let mut take = |name: &str| match members.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (code, message) = (take("Code"), take("Message"));
    let of_body = take("RequestId").or_else(|| take("RequestID"));
    for dropped in ["HostId", "Type"] {
        members.remove(dropped);
    }
    Said { code, message, members, request_id: request_id.or(of_body) }
}

/// What is not in the service's protocol: a page of a proxy, a broken answer.
fn unreadable(message: &Message<'_>) -> Said {
    let mut members = Members::new();
    let body = message.body.unwrap_or_default();
    if !body.is_empty() {
        members.insert("Body".to_owned(), blob(body));
    }
    Said { members, ..Said::default() }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Returns the host, the path and the query of a URI.
fn parts(uri: &str) -> (&str, &str, &str) {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, target) = rest.split_at(at);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (host, path, query)
}

/// Returns the bucket in the host, if AWS is called in virtual-hosted style (S3 User Guide, "Virtual
/// hosting of general purpose buckets").
fn bucket_of(host: &str) -> Option<&str> {
    let host = host.split(':').next().unwrap_or_default();
    let is_aws = ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws"]
        .iter()
        .any(|suffix| host.ends_with(suffix));
    let at = host.rfind(".s3.").or_else(|| host.rfind(".s3-")).filter(|_| is_aws)?;
    Some(&host[..at])
}

fn s3_request(operation: &str, message: &Message<'_>) -> Members {
    let (host, path, query) = parts(message.uri);
    let mut members = Members::new();
    let path = path.trim_start_matches('/');
    let (bucket, key) = match bucket_of(host) {
        Some(bucket) => (bucket, path),
        None => path.split_once('/').unwrap_or((path, "")),
    };
    for (name, value) in [("Bucket", decoded(bucket)), ("Key", decoded(key))] {
        if !value.is_empty() {
            members.insert(name.to_owned(), Value::String(value));
        }
    }
    add_query(&mut members, query);
    add_headers(&mut members, message);
    add_body(&mut members, rest::s3(operation).map_or(Body::None, |it| it.body), message);
    members
}

fn s3control_request(operation: &str, message: &Message<'_>) -> Members {
    let (_, path, query) = parts(message.uri);
    let mut members = Members::new();
    let known = rest::s3control(operation);
    // A parameter of the path is a whole segment.
    let form = known.map_or("", |it| it.sub_resource);
    for (form, part) in form.split('/').zip(path.split('/')) {
        if let Some(name) = form.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            members.insert(name.to_owned(), Value::String(decoded(part)));
        }
    }
    add_query(&mut members, query);
    add_headers(&mut members, message);
    if let Some((_, Value::Object(body))) = xml::element(message.text()) {
        members.extend(body);
    }
    members
}

fn add_query(members: &mut Members, query: &str) {
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let Some((_, member)) = rest::QUERY.iter().find(|(it, _)| *it == name) else { continue };
        let value = Value::String(value.into_owned());
        match members.get_mut(*member) {
            Some(Value::Array(items)) => items.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
            None => {
                members.insert((*member).to_owned(), value);
            }
        }
    }
}

fn add_headers(members: &mut Members, message: &Message<'_>) {
    let mut metadata = Members::new();
    for (name, value) in &message.headers {
        if let Some(name) = name.strip_prefix(rest::METADATA) {
            metadata.insert(name.to_owned(), Value::String((*value).to_owned()));
        } else if let Some((_, member)) = rest::HEADERS.iter().find(|(it, _)| it == name) {
            let value = match *member {
                "Tagging" => tags(value),
                _ => Value::String((*value).to_owned()),
            };
            members.insert((*member).to_owned(), value);
        }
    }
    if !metadata.is_empty() {
        members.insert("Metadata".to_owned(), Value::Object(metadata));
    }
}

/// Reads the tags of an object, which a header holds as a query.
fn tags(text: &str) -> Value {
    let tag = |(key, value): (_, _)| json!({"Key": key, "Value": value});
    form_urlencoded::parse(text.as_bytes()).map(tag).collect()
}

fn add_body(members: &mut Members, body: Body, message: &Message<'_>) {
    match body {
        Body::None => {}
        Body::Data => {
            let length = || {
                let names = ["x-amz-decoded-content-length", "content-length"];
                names.iter().find_map(|it| message.header(it)?.parse().ok()).unwrap_or_default()
            };
            let value = message.body.map_or_else(|| blob_of_length(length()), blob);
            members.insert("Body".to_owned(), value);
        }
        Body::Policy => {
            members.insert("Policy".to_owned(), Value::String(message.text().to_owned()));
        }
        Body::Xml(_, member) => {
            if let Some((_, value)) = xml::element(message.text()) {
                members.insert(member.to_owned(), value);
            }
        }
    }
}

fn rest_answer(operation: &str, is_refusal: bool, message: &Message<'_>) -> Said {
    let mut members = Members::new();
    add_headers(&mut members, message);
    if is_refusal {
        let mut said = match xml::element(message.text()) {
            Some((name, Value::Object(mut around))) if name == "ErrorResponse" => {
                refusal(around.remove("Error").unwrap_or_default(), None)
            }
            Some((_, error)) => refusal(error, None),
            None => unreadable(message),
        };
        members.remove("ContentType");
        members.append(&mut said.members);
        return Said { members, ..said };
    }
    match operation {
        "GetObject" => {
            let length = message.header("content-length").and_then(|it| it.parse().ok());
            let value =
                message.body.map_or_else(|| blob_of_length(length.unwrap_or_default()), blob);
            members.insert("Body".to_owned(), value);
        }
        "HeadObject" => {
            if let Some(length) = message.header("content-length") {
                members.insert("ContentLength".to_owned(), Value::String(length.to_owned()));
            }
        }
        "GetBucketPolicy" => {
            members.remove("ContentType");
            members.insert("Policy".to_owned(), Value::String(message.text().to_owned()));
        }
        _ => {
            members.remove("ContentType");
            match xml::element(message.text()) {
                // Some succeed by their status and refuse in their body (CompleteMultipartUpload).
                Some((name, error)) if name == "Error" => {
                    let refused = refusal(error, None);
                    return Said { members, ..refused };
                }
                Some((name, value)) if rest::MEMBERS.contains(&name.as_str()) => {
                    members.insert(name, value);
                }
                Some((_, Value::Object(inner))) => {
                    let is_encoded = inner.get("EncodingType").is_some_and(|it| it == "url");
                    members.extend(inner);
                    if is_encoded {
                        decode_keys(&mut members);
                    }
                }
                Some((name, text @ Value::String(_))) if text != "" => {
                    members.insert(name, text);
                }
                Some(_) => {}
                None => members.extend(unreadable(message).members),
            }
        }
    }
    Said { members, ..Said::default() }
}

/// Decodes the keys of a list whose keys are in URL encoding.
fn decode_keys(members: &mut Members) {
    for (name, value) in members.iter_mut() {
        let is_key = ["Key", "Prefix", "KeyMarker", "NextKeyMarker", "Delimiter", "StartAfter"];
        match value {
            Value::Object(inner) => decode_keys(inner),
            Value::Array(items) => {
                items.iter_mut().filter_map(Value::as_object_mut).for_each(decode_keys);
            }
            Value::String(text) if is_key.contains(&name.as_str()) => {
                *text = decoded(&text.replace('+', " "));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent<'a>(uri: &'a str, headers: &[(&'a str, &'a str)], body: &'a str) -> Message<'a> {
        Message { uri, headers: headers.to_vec(), body: Some(body.as_bytes()) }
    }

    #[test]
    fn requests_of_each_protocol_have_the_members_of_the_model() {
        let put = request(
            Service::S3,
            "PutObject",
            &sent(
                "http://127.0.0.1:1/acme/a%20b/c?x-id=PutObject",
                &[
                    ("x-amz-server-side-encryption", "aws:kms"),
                    ("x-amz-tagging", "a=b"),
                    ("authorization", "AWS4 s"),
                ],
                "text",
            ),
        );
        assert_eq!(put["Bucket"], "acme");
        assert_eq!(
            (&put["Key"], &put["Tagging"]),
            (&json!("a b/c"), &json!([{"Key": "a", "Value": "b"}]))
        );
        assert_eq!(put["Body"]["length"], 4);
        assert!(!Value::Object(put).to_string().contains("AWS4"));
        let virtual_host = sent("https://acme.com.s3.us-east-1.amazonaws.com/?versioning", &[], "");
        assert_eq!(
            request(Service::S3, "GetBucketVersioning", &virtual_host),
            *json!({"Bucket": "acme.com"}).as_object().unwrap()
        );
        let role =
            "Action=CreateRole&Version=1&RoleName=r&Tags.member.1.Key=k&Tags.member.1.Value=v";
        assert_eq!(
            Value::Object(request(Service::Iam, "CreateRole", &sent("/", &[], role))),
            json!({"RoleName": "r", "Tags": [{"Key": "k", "Value": "v"}]})
        );
        let job = sent(
            "http://h/v20180820/jobs/1-2/status?requestedJobStatus=Ready",
            &[("x-amz-account-id", "1")],
            "",
        );
        assert_eq!(
            Value::Object(request(Service::S3Control, "UpdateJobStatus", &job)),
            json!({"JobId": "1-2", "RequestedJobStatus": "Ready", "AccountId": "1"})
        );
    }

    #[test]
    fn answers_of_each_protocol_have_code_message_and_members() {
        let refused = "<Error><Code>NoSuchBucket</Code><Message>No</Message><BucketName>b</BucketName><HostId>h</HostId></Error>";
        let said = answer(
            Service::S3,
            "GetBucketVersioning",
            404,
            &sent("", &[("x-amz-request-id", "ABCDEFGHIJKLMNOP")], refused),
        );
        assert_eq!(
            (said.code.as_deref(), said.message.as_deref()),
            (Some("NoSuchBucket"), Some("No"))
        );
        assert_eq!(Value::Object(said.members), json!({"BucketName": "b"}));
        assert_eq!(said.request_id.as_deref(), Some("ABCDEFGHIJKLMNOP"));
        let got = "<GetRoleResponse><GetRoleResult><Role><AssumeRolePolicyDocument>%7B%22a%22%3A1%7D</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>";
        let said = answer(Service::Iam, "GetRole", 200, &sent("", &[], got));
        assert_eq!(
            Value::Object(said.members),
            json!({"Role": {"AssumeRolePolicyDocument": "{\"a\":1}"}})
        );
        let said = answer(
            Service::Kms,
            "CreateKey",
            400,
            &sent("", &[], r#"{"__type":"x#LimitExceededException","message":"No"}"#),
        );
        assert_eq!(said.code.as_deref(), Some("LimitExceededException"));
        let page = answer(Service::S3, "HeadBucket", 503, &sent("", &[], "<html>marked"));
        assert_eq!(page.code.as_deref(), Some("503"));
        assert!(!Value::Object(page.members).to_string().contains("marked"));
    }
}
