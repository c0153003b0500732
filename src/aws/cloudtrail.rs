//! CloudTrail's `LookupEvents`, the only CloudTrail call that crrctl needs: what AWS logged of calls
//! that the replication role was denied. Event history keeps management events for 90 days, among
//! them KMS's and STS's calls but not S3's, and shows them minutes late.
//! Sections: CloudTrail API Reference, `LookupEvents`, in the AWS JSON 1.1 protocol; CloudTrail User
//! Guide, "CloudTrail record contents"; KMS Developer Guide, "Logging AWS KMS API calls".
//! Not for: comparing them with the proof (see `check`).

use super::raw_request::{Json, Service, host};
use super::{Aws, Error};
use crate::names::Region;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// The prefix of the header `X-Amz-Target`.
const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
/// The most events of one page (CloudTrail API Reference, `LookupEvents`).
const PAGE: u32 = 50;
/// The most pages to read. CloudTrail answers two calls a second.
const PAGES: usize = 4;

/// The one attribute that a lookup selects by.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'a> {
    /// The name of the event, such as `AssumeRole`.
    EventName(&'a str),
    /// The user; for a role it is the name of the session.
    Username(&'a str),
}

/// A call that was denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedCall {
    /// When it was made.
    pub at: Timestamp,
    /// The call as policies name it, such as `kms:Decrypt`.
    pub action: String,
    /// AWS's error code.
    pub code: String,
    /// AWS's sentence.
    pub message: String,
    /// ARN of the role: the caller's, or the one that was to be assumed.
    pub role: Option<String>,
    /// ARN of the key.
    pub key: Option<String>,
    /// The encryption context that S3 sends: the ARN of an object, or of a bucket.
    pub context: Option<String>,
}

impl Aws {
    /// Returns the calls in `region` since a time that `lookup` selects and that were denied, newest
    /// first, as far as the first pages show them.
    pub async fn denied_calls(
        &self,
        region: &Region,
        lookup: Lookup<'_>,
        since: Timestamp,
    ) -> Result<Vec<DeniedCall>, Error> {
        const OPERATION: &str = "cloudtrail:LookupEvents";
        let caller = self.caller(region);
        let endpoint = host("cloudtrail", region, &caller.config);
        let service =
            Service { id: "CloudTrail", signing_name: "cloudtrail", given: None, endpoint };
        let (key, value) = match lookup {
            Lookup::EventName(name) => ("EventName", name),
            Lookup::Username(name) => ("Username", name),
        };
        let mut body = json!({
            "LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}],
            "StartTime": since.as_second(),
            "MaxResults": PAGE,
        });
        let mut found = Vec::new();
        for _ in 0..PAGES {
            let asked = Json { version: "1.1", target: TARGET, body: &body };
            let page: Page = caller.send_json(region, &service, OPERATION, asked).await?;
            found.extend(page.events.iter().filter_map(|event| denied(&event.text)));
            match page.next_token.filter(|token| !token.is_empty()) {
                Some(token) => body["NextToken"] = json!(token),
                None => break,
            }
        }
        found.sort_by_key(|call| std::cmp::Reverse(call.at));
        Ok(found)
    }
}

/// Returns the call of a record if it was denied. A record without a message has only a code.
fn denied(record: &str) -> Option<DeniedCall> {
    let record: Value = serde_json::from_str(record).ok()?;
    let code = record["errorCode"].as_str()?;
    if !code.contains("AccessDenied") {
        return None;
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let asked = &record["requestParameters"];
    let service = record["eventSource"].as_str()?.split('.').next()?.to_owned();
    let keys = record["resources"].as_array().into_iter().flatten();
    let keys = keys.filter_map(|it| text(&it["ARN"]).or_else(|| text(&it["arn"])));
    let issuer = &record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"];
    Some(DeniedCall {
        at: record["eventTime"].as_str()?.parse().ok()?,
        action: format!("{service}:{}", record["eventName"].as_str()?),
        code: code.to_owned(),
        message: text(&record["errorMessage"]).unwrap_or_else(|| code.to_owned()),
        role: text(&asked["roleArn"]).or_else(|| text(issuer)),
        key: { keys }.find(|arn| arn.contains(":kms:")).or_else(|| text(&asked["keyId"])),
        context: text(&asked["encryptionContext"]["aws:s3:arn"]),
    })
}

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(rename = "Events", default)]
    events: Vec<Event>,
    #[serde(rename = "NextToken")]
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Event {
    /// The record, as JSON in a string.
    #[serde(rename = "CloudTrailEvent", default)]
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After the example of KMS Developer Guide, "Decrypt", with the error of an API that denies.
    #[test]
    fn a_record_of_a_denied_call_is_read_and_others_are_not() {
        let record = json!({
            "eventVersion": "1.08",
            "userIdentity": {"type": "AssumedRole", "invokedBy": "AWS Internal",
                "arn": "arn:aws:sts::111122223333:assumed-role/r/s3-replication",
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/r"}}},
            "eventTime": "2026-01-01T00:00:00Z", "eventSource": "kms.amazonaws.com", "eventName": "Decrypt",
            "errorCode": "AccessDenied", "errorMessage": "User: x is not authorized to perform: kms:Decrypt",
            "requestParameters": {"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::b/k"}},
            "resources": [{"ARN": "arn:aws:kms:us-east-1:111122223333:key/k", "type": "AWS::KMS::Key"}],
        });
        let call = denied(&record.to_string()).unwrap();
        assert_eq!((call.action.as_str(), call.code.as_str()), ("kms:Decrypt", "AccessDenied"));
        assert_eq!(call.role.as_deref(), Some("arn:aws:iam::111122223333:role/r"));
        assert_eq!(call.key.as_deref(), Some("arn:aws:kms:us-east-1:111122223333:key/k"));
        assert_eq!(call.context.as_deref(), Some("arn:aws:s3:::b/k"));
        for other in [Value::Null, json!("ThrottlingException")] {
            let mut allowed = record.clone();
            allowed["errorCode"] = other;
            assert_eq!(denied(&allowed.to_string()), None);
        }
        assert_eq!(denied("not JSON"), None);
    }
}
