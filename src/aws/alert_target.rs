//! The attributes of an SNS topic or an SQS queue. These are the only calls to SNS and SQS that
//! crrctl needs, so it links neither SDK crate.
//! Sections: SNS API Reference, `GetTopicAttributes`, in the Query protocol; SQS API Reference,
//! `GetQueueUrl` and `GetQueueAttributes`, in the AWS JSON 1.0 protocol.
//! Not for: whether S3 or CloudWatch can publish to it (see `plan::alert_target`).

use super::raw_request::{Form, Json, Service, host};
use super::{Aws, Error};
use crate::names::{Arn, Region};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// The API version of SNS. Every request of the Query protocol contains it.
const VERSION: &str = "2010-03-31";
/// The attributes of a queue that are read.
const ATTRIBUTES: [&str; 3] = ["Policy", "KmsMasterKeyId", "SqsManagedSseEnabled"];

impl Aws {
    /// Returns the attributes of the topic or queue `arn` by name: at least `Policy` and
    /// `KmsMasterKeyId`, where it has them.
    ///
    /// # Errors
    /// It does not exist, the caller may not read it, or the service can't be reached.
    pub async fn alert_attributes(
        &self,
        region: &Region,
        arn: &Arn,
    ) -> Result<BTreeMap<String, String>, Error> {
        if arn.service() == "sns" {
            self.topic_attributes(region, arn).await
        } else {
            self.queue_attributes(region, arn).await
        }
    }

    async fn topic_attributes(
        &self,
        region: &Region,
        arn: &Arn,
    ) -> Result<BTreeMap<String, String>, Error> {
        const OPERATION: &str = "sns:GetTopicAttributes";
        let caller = self.caller(region);
        let endpoint = host("sns", region, &caller.config);
        let service = Service { id: "SNS", signing_name: "sns", given: None, endpoint };
        let mut form = Form::of("GetTopicAttributes", VERSION);
        form.set("TopicArn", arn.as_str());
        let answer: Topic = caller.send_form(region, &service, OPERATION, form).await?;
        let entries = answer.result.attributes.entry.into_iter();
        Ok(entries.map(|Entry { key, value }| (key, value.unwrap_or_default())).collect())
    }

    async fn queue_attributes(
        &self,
        region: &Region,
        arn: &Arn,
    ) -> Result<BTreeMap<String, String>, Error> {
        let caller = self.caller(region);
        let endpoint = host("sqs", region, &caller.config);
        let service = Service { id: "SQS", signing_name: "sqs", given: None, endpoint };
        let body = json!({"QueueName": arn.resource(), "QueueOwnerAWSAccountId": arn.account()});
        let asked = Json { version: "1.0", target: "AmazonSQS.GetQueueUrl", body: &body };
        let found: Found = caller.send_json(region, &service, "sqs:GetQueueUrl", asked).await?;
        let body = json!({"QueueUrl": found.url, "AttributeNames": ATTRIBUTES});
        let asked = Json { version: "1.0", target: "AmazonSQS.GetQueueAttributes", body: &body };
        let operation = "sqs:GetQueueAttributes";
        let queue: Queue = caller.send_json(region, &service, operation, asked).await?;
        Ok(queue.attributes)
    }
}

#[derive(Debug, Deserialize)]
struct Topic {
    #[serde(rename = "GetTopicAttributesResult")]
    result: TopicResult,
}

#[derive(Debug, Deserialize)]
struct TopicResult {
    #[serde(rename = "Attributes")]
    attributes: Entries,
}

#[derive(Debug, Deserialize)]
struct Entries {
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    key: String,
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Found {
    #[serde(rename = "QueueUrl")]
    url: String,
}

#[derive(Debug, Deserialize)]
struct Queue {
    #[serde(rename = "Attributes", default)]
    attributes: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_sns_is_read() {
        let text = "<GetTopicAttributesResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">
            <GetTopicAttributesResult><Attributes>
            <entry><key>Owner</key><value>111122223333</value></entry>
            <entry><key>Policy</key><value>{&quot;Version&quot;:&quot;2008-10-17&quot;}</value></entry>
            <entry><key>DisplayName</key><value/></entry>
            </Attributes></GetTopicAttributesResult>
            <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetTopicAttributesResponse>";
        let topic: Topic = quick_xml::de::from_str(text).unwrap();
        let entries = topic.result.attributes.entry;
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[1].value.as_deref(), Some("{\"Version\":\"2008-10-17\"}"));
    }
}
