//! The form and the policy of a POST upload, with the errors of S3 (S3 API Reference, "Creating a
//! POST Policy"; the texts are as recorded from S3, the snapshots of localstack's tests
//! `TestS3PresignedPost`, 2022 to 2026). `s3s` verifies the signature and performs the upload.
//! Not for: presigned URLs (see `signed`).

use super::details::{Details, invalid_argument};
use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use s3s::dto::Timestamp;
use s3s::post_policy::{PostPolicy, PostPolicyCondition};
use s3s::{S3Error, S3Result, s3_error};
use std::time::SystemTime;

/// The name of the file of a POST upload, which its key may name as `${filename}`.
#[derive(Debug, Clone)]
pub(super) struct PostedFile(pub(super) String);

/// A form: its fields in lower case with their values, and the size and name of its file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Form {
    fields: Vec<(String, String)>,
    file: u64,
    filename: String,
}

impl Form {
    /// Parses a body of `multipart/form-data`. Fields after the file do not count.
    fn parse(body: &[u8], boundary: &str) -> Self {
        let delimiter = format!("--{boundary}");
        let mut form = Self::default();
        let mut rest = body;
        while let Some(start) = find(rest, delimiter.as_bytes()) {
            let part = &rest[start + delimiter.len()..];
            let end = find(part, format!("\r\n{delimiter}").as_bytes()).unwrap_or(part.len());
            let (part, next) = part.split_at(end);
            rest = next;
            let Some(head) = find(part, b"\r\n\r\n") else { continue };
            let (head, value) = (String::from_utf8_lossy(&part[..head]), &part[head + 4..]);
            let Some(name) = attribute(&head, "name") else { continue };
            let name = name.to_ascii_lowercase();
            if name == "file" {
                form.file = value.len() as u64;
                form.filename = attribute(&head, "filename").unwrap_or_default();
                break;
            }
            form.fields.push((name, String::from_utf8_lossy(value).into_owned()));
        }
        form
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// Returns an attribute of `Content-Disposition` from the headers of a part.
fn attribute(head: &str, name: &str) -> Option<String> {
    let (_, rest) = head.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// Checks a POST upload: its form has a signature, and meets its policy. Keeps the name of its file
/// in the request's extensions.
///
/// # Errors
/// `InvalidArgument` for a missing field, `AccessDenied` for a policy that has expired or is not
/// met, `EntityTooLarge` and `EntityTooSmall`.
pub(super) fn check(parts: &mut Parts, body: &Bytes, bucket: &str) -> S3Result<()> {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(kind) = kind.filter(|kind| kind.starts_with("multipart/form-data")) else {
        return Ok(());
    };
    let Some((_, boundary)) = kind.split_once("boundary=").filter(|_| parts.method == Method::POST)
    else {
        return Ok(());
    };
    let boundary = boundary.split(';').next().unwrap_or_default().trim().trim_matches('"');
    let form = Form::parse(body, boundary);
    parts.extensions.insert(PostedFile(form.filename.clone()));
    let Some(policy) = form.get("policy") else { return Ok(()) };
    let signature =
        if form.get("x-amz-algorithm").is_some() || form.get("x-amz-credential").is_some() {
            "X-Amz-Signature"
        } else {
            "Signature"
        };
    if form.get(&signature.to_ascii_lowercase()).is_none() {
        let text = format!(
            "Bucket POST must contain a field named '{signature}'.  If it is specified, please check the order of the fields."
        );
        return Err(invalid_argument(signature, "", text));
    }
    // A policy that can't be parsed is refused by `s3s`.
    let Ok(policy) = PostPolicy::from_base64(policy) else { return Ok(()) };
    check_policy(&policy, &form, bucket, SystemTime::now())
}

fn check_policy(policy: &PostPolicy, form: &Form, bucket: &str, now: SystemTime) -> S3Result<()> {
    if Timestamp::from(now) >= policy.expiration {
        return Err(refused("Policy expired."));
    }
    let value = |field: &str| match field {
        "bucket" => bucket,
        _ => form.get(field).unwrap_or_default(),
    };
    for condition in &policy.conditions {
        match condition {
            PostPolicyCondition::Eq { field, value: wanted } if value(field) != wanted => {
                return Err(failed("eq", field, wanted));
            }
            PostPolicyCondition::StartsWith { field, prefix }
                if !value(field).starts_with(prefix.as_str()) =>
            {
                return Err(failed("starts-with", field, prefix));
            }
            PostPolicyCondition::ContentLengthRange { min, max } => {
                check_size(form.file, *min, *max)?;
            }
            PostPolicyCondition::Eq { .. } | PostPolicyCondition::StartsWith { .. } => {}
        }
    }
    let is_extra = |name: &&str| !is_exempt(name) && !names(policy, name);
    let fields = form.fields.iter().map(|(name, _)| name.as_str());
    let extra: Vec<&str> = fields.filter(is_extra).collect();
    if extra.is_empty() {
        Ok(())
    } else {
        Err(refused(&format!("Extra input fields: {}", extra.join(", "))))
    }
}

/// Returns whether a field needs no condition in the policy (S3 API Reference, "Creating a POST
/// Policy").
fn is_exempt(field: &str) -> bool {
    ["x-amz-signature", "signature", "awsaccesskeyid", "policy", "submit"].contains(&field)
        || field.starts_with("x-ignore-")
}

fn names(policy: &PostPolicy, name: &str) -> bool {
    policy.conditions.iter().any(|condition| match condition {
        PostPolicyCondition::Eq { field, .. } | PostPolicyCondition::StartsWith { field, .. } => {
            field == name
        }
        PostPolicyCondition::ContentLengthRange { .. } => false,
    })
}

fn check_size(size: u64, min: u64, max: u64) -> S3Result<()> {
    let proposed = ("ProposedSize", size.to_string());
    if size > max {
        let text = "Your proposed upload exceeds the maximum allowed size";
        let most = ("MaxSizeAllowed", max.to_string());
        return Err(Details::on(s3_error!(EntityTooLarge, "{text}"), [proposed, most]));
    }
    if size < min {
        let least = ("MinSizeAllowed", min.to_string());
        return Err(Details::on(s3_error!(EntityTooSmall), [proposed, least]));
    }
    Ok(())
}

fn failed(operator: &str, field: &str, value: &str) -> S3Error {
    refused(&format!("Policy Condition failed: [\"{operator}\", \"${field}\", \"{value}\"]"))
}

fn refused(why: &str) -> S3Error {
    s3_error!(AccessDenied, "Invalid according to Policy: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_its_fields_and_its_file() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"Key\"\r\n\r\na b\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\nContent-Type: x\r\n\r\n12\r\n3\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"late\"\r\n\r\n1\r\n--b--\r\n";
        let form = Form::parse(body.as_bytes(), "b");
        let fields = vec![("key".into(), "a b".into())];
        assert_eq!(form, Form { fields, file: 5, filename: "f".into() });
        assert_eq!(Form::parse(b"rubbish", "b"), Form::default());
    }

    #[test]
    fn a_policy_is_met_or_names_the_condition() {
        let policy = PostPolicy::from_json(
            r#"{"expiration":"2030-01-01T00:00:00.000Z","conditions":[{"bucket":"orders"},
                ["starts-with","$key","in/"],["eq","$acl","private"],["content-length-range",2,4]]}"#,
        )
        .unwrap();
        let check = |bucket: &str, key: &str, acl: &str, file: u64, year: u64| {
            let fields = [("key", key), ("acl", acl)];
            let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(year * 31_556_952);
            let checked =
                check_policy(&policy, &Form { fields, file, ..Form::default() }, bucket, now);
            checked.map_err(|error| error.message().unwrap_or_default().to_owned())
        };
        assert_eq!(check("orders", "in/a", "private", 3, 56), Ok(()));
        for (refused, text) in [
            (check("orders", "in/a", "private", 3, 61), "Policy expired."),
            (check("other", "in/a", "private", 3, 56), "$bucket"),
            (check("orders", "out", "private", 3, 56), "$key"),
            (check("orders", "in/a", "public-read", 3, 56), "$acl"),
            (check("orders", "in/a", "private", 5, 56), "exceeds"),
        ] {
            assert!(refused.unwrap_err().contains(text), "{text}");
        }
        assert!(check("orders", "in/a", "private", 1, 56).is_err());
    }
}
