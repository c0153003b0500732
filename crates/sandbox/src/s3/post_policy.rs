//! The policy of a POST upload: which values the fields of its form may have (S3 API Reference,
//! "Creating a POST Policy"). The errors are as recorded from S3 (the snapshots of localstack's
//! tests `TestS3PresignedPost`, 2022 to 2026; for a policy that can't be read, public bug reports
//! that quote S3).
//! Not for: the signature of the policy (see `posts`).

use super::details::Details;
use super::errors::custom;
use super::form::Form;
use s3s::{S3Error, S3Result, s3_error};
use serde_json::Value;
use std::time::SystemTime;

/// A policy that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PostPolicy {
    expiration: SystemTime,
    conditions: Vec<Condition>,
}

#[derive(Debug, PartialEq, Eq)]
enum Condition {
    /// The field has the value. The name of the field is as in the policy, with its `$`.
    Eq { field: String, value: String },
    /// The value of the field starts with the prefix.
    StartsWith { field: String, prefix: String },
    /// The bounds of the size of the file, which count as well.
    Size { min: u64, max: u64 },
    /// No form meets it. The text is the condition.
    Never(String),
}

impl PostPolicy {
    /// Reads a policy from its base64.
    ///
    /// # Errors
    /// `InvalidPolicyDocument`.
    pub(super) fn read(encoded: &str) -> S3Result<Self> {
        let decoded = aws_smithy_types::base64::decode(encoded).ok();
        let json = decoded.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        let json = json.filter(Value::is_object).ok_or_else(|| invalid("Invalid JSON."))?;
        let expiration = json["expiration"].as_str();
        let expiration = expiration.ok_or_else(|| invalid("Missing expiration."))?;
        let expiration: jiff::Timestamp =
            expiration.parse().map_err(|_| invalid("Invalid expiration."))?;
        let conditions = json["conditions"].as_array();
        let conditions = conditions.ok_or_else(|| invalid("Missing conditions."))?;
        let conditions = conditions.iter().map(Condition::read).collect::<S3Result<_>>()?;
        Ok(Self { expiration: expiration.into(), conditions })
    }

    /// Checks that a form meets the policy.
    ///
    /// # Errors
    /// `AccessDenied`, `EntityTooLarge`, `EntityTooSmall`.
    pub(super) fn check(&self, form: &Form, bucket: &str, now: SystemTime) -> S3Result<()> {
        if now >= self.expiration {
            return Err(refused("Policy expired."));
        }
        for condition in &self.conditions {
            condition.check(form, bucket)?;
        }
        let is_extra = |name: &&str| !is_exempt(name) && !self.names(name);
        let fields = form.fields.iter().map(|(name, _)| name.as_str());
        let extra: Vec<&str> = fields.filter(is_extra).collect();
        if extra.is_empty() {
            Ok(())
        } else {
            Err(refused(&format!("Extra input fields: {}", extra.join(", "))))
        }
    }

    fn names(&self, name: &str) -> bool {
        self.conditions.iter().any(|condition| condition.field().as_deref() == Some(name))
    }
}

impl Condition {
    fn read(given: &Value) -> S3Result<Self> {
        if let Some(members) = given.as_object() {
            let mut members = members.iter();
            let (Some((name, value)), None) = (members.next(), members.next()) else {
                return Err(invalid(
                    "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
                ));
            };
            let Some(value) = value.as_str() else {
                return Err(invalid("Invalid Simple-Condition: value must be a string."));
            };
            return Ok(Self::Eq { field: format!("${name}"), value: value.to_owned() });
        }
        let Some([Value::String(operator), first, second]) = given.as_array().map(Vec::as_slice)
        else {
            return Err(invalid("Invalid Condition."));
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match (&*operator.to_ascii_lowercase(), text(first), text(second)) {
            ("eq", Some(field), Some(value)) => Ok(Self::Eq { field, value }),
            ("starts-with", Some(field), Some(prefix)) => Ok(Self::StartsWith { field, prefix }),
            ("content-length-range", ..) => Ok(match (size(first), size(second)) {
                (Some(min), Some(max)) => Self::Size { min, max },
                _ => Self::Never(format!("[\"{operator}\", {first}, {second}]")),
            }),
            _ => Err(invalid("Invalid Condition.")),
        }
    }

    /// Returns the name of the field in lower case.
    fn field(&self) -> Option<String> {
        match self {
            Self::Eq { field, .. } | Self::StartsWith { field, .. } => {
                Some(field.strip_prefix('$')?.to_ascii_lowercase())
            }
            Self::Size { .. } | Self::Never(_) => None,
        }
    }

    fn check(&self, form: &Form, bucket: &str) -> S3Result<()> {
        let value = || match &*self.field()? {
            "bucket" => Some(bucket),
            field => form.get(field),
        };
        match self {
            Self::Eq { field, value: wanted } if value() != Some(wanted) => {
                Err(failed(&format!("[\"eq\", \"{field}\", \"{wanted}\"]")))
            }
            Self::StartsWith { field, prefix }
                if !value().is_some_and(|value| value.starts_with(prefix.as_str())) =>
            {
                Err(failed(&format!("[\"starts-with\", \"{field}\", \"{prefix}\"]")))
            }
            Self::Size { min, max } => {
                let size = form.file.as_ref().map_or(0, |file| file.data.len() as u64);
                check_size(size, *min, *max)
            }
            Self::Never(condition) => Err(failed(condition)),
            Self::Eq { .. } | Self::StartsWith { .. } => Ok(()),
        }
    }
}

/// Reads a size, which may be a number or a text.
fn size(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Returns whether a field needs no condition in the policy.
fn is_exempt(field: &str) -> bool {
    ["x-amz-signature", "signature", "awsaccesskeyid", "policy", "submit"].contains(&field)
        || field.starts_with("x-ignore-")
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

fn failed(condition: &str) -> S3Error {
    refused(&format!("Policy Condition failed: {condition}"))
}

fn refused(why: &str) -> S3Error {
    s3_error!(AccessDenied, "Invalid according to Policy: {why}")
}

fn invalid(why: &str) -> S3Error {
    custom(400, "InvalidPolicyDocument", format!("Invalid Policy: {why}"))
}

#[cfg(test)]
mod tests {
    use super::super::form::File;
    use super::*;
    use bytes::Bytes;
    use std::time::Duration;

    fn read(json: &str) -> Result<PostPolicy, String> {
        PostPolicy::read(&aws_smithy_types::base64::encode(json))
            .map_err(|error| error.message().unwrap_or_default().to_owned())
    }

    fn checked(conditions: &str, fields: &[(&str, &str)], file: usize) -> Result<(), String> {
        let json =
            format!(r#"{{"expiration":"2030-01-01T00:00:00.000Z","conditions":[{conditions}]}}"#);
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let data = Bytes::from(vec![b'a'; file]);
        let file = Some(File { name: None, data });
        let form = Form { fields: fields.iter().map(owned).collect(), file };
        read(&json)
            .unwrap()
            .check(&form, "orders", SystemTime::UNIX_EPOCH)
            .map_err(|error| error.message().unwrap_or_default().to_owned())
    }

    #[test]
    fn a_policy_is_met_or_names_the_condition() {
        let key = [("key", "in/a")];
        for met in [
            r#"["eq","$key","in/a"],{"bucket":"orders"}"#,
            r#"["starts-with","$KEY","in/"]"#,
            r#"["starts-with","$key",""],["content-length-range",3,"3"]"#,
        ] {
            assert_eq!(checked(met, &key, 3), Ok(()), "{met}");
        }
        for (failed, named) in [
            (r#"["eq","$key","other"]"#, r#"["eq", "$key", "other"]"#),
            (r#"{"bucket":"other"},["eq","$key","in/a"]"#, r#"["eq", "$bucket", "other"]"#),
            (r#"["eq","key","in/a"]"#, r#"["eq", "key", "in/a"]"#),
            (r#"["starts-with","$key","out"]"#, r#"["starts-with", "$key", "out"]"#),
            // A field that is not there has no value, and no empty one.
            (r#"["starts-with","$acl",""]"#, r#"["starts-with", "$acl", ""]"#),
            (
                r#"["eq","$key","in/a"],["content-length-range","x","10"]"#,
                r#"["content-length-range", "x", "10"]"#,
            ),
        ] {
            let text = format!("Invalid according to Policy: Policy Condition failed: {named}");
            assert_eq!(checked(failed, &key, 3), Err(text));
        }
        let size = r#"["eq","$key","in/a"],["content-length-range",2,4]"#;
        assert!(checked(size, &key, 5).unwrap_err().contains("exceeds the maximum allowed size"));
        assert!(checked(size, &key, 1).is_err());
        let extra = checked(r#"{"bucket":"orders"}"#, &[("x-ignore-a", ""), ("key", "k")], 3);
        assert_eq!(extra.unwrap_err(), "Invalid according to Policy: Extra input fields: key");
        let policy = read(r#"{"expiration":"2030-01-01T00:00:00Z","conditions":[]}"#).unwrap();
        let late = SystemTime::UNIX_EPOCH + Duration::from_secs(61 * 31_556_952);
        assert!(policy.check(&Form::default(), "orders", late).is_err());
    }

    #[test]
    fn a_policy_that_is_none_says_why() {
        let expires = r#""expiration":"2030-01-01T00:00:00Z""#;
        for (json, why) in [
            ("x".to_owned(), "Invalid JSON."),
            ("[]".to_owned(), "Invalid JSON."),
            (r#"{"conditions":[]}"#.to_owned(), "Missing expiration."),
            (r#"{"expiration":"soon","conditions":[]}"#.to_owned(), "Invalid expiration."),
            (format!("{{{expires}}}"), "Missing conditions."),
            (
                format!(r#"{{{expires},"conditions":[{{"a":"b","c":"d"}}]}}"#),
                "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
            ),
            (
                format!(r#"{{{expires},"conditions":[{{"a":1}}]}}"#),
                "Invalid Simple-Condition: value must be a string.",
            ),
            (format!(r#"{{{expires},"conditions":[["eq","$a"]]}}"#), "Invalid Condition."),
        ] {
            assert_eq!(read(&json), Err(format!("Invalid Policy: {why}")), "{json}");
        }
    }
}
