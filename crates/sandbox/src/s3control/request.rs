//! The XML of a `CreateJob` request, element for element; written back by `DescribeJob`. Not for: judging it (see `create`).
//! Source: S3 API Reference, `CreateJob` and its data types. What is not named here is refused, never passed over.

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// S3 API Reference, `CreateJob`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CreateJob {
    #[serde(rename = "@xmlns")]
    _xmlns: Option<String>,
    pub(super) confirmation_required: Option<bool>,
    /// By name; exactly one.
    #[expect(clippy::zero_sized_map_values, reason = "what is in it is not looked at")]
    pub(super) operation: Option<BTreeMap<String, IgnoredAny>>,
    pub(super) report: Option<JobReport>,
    pub(super) client_request_token: Option<String>,
    pub(super) manifest: Option<JobManifest>,
    pub(super) description: Option<String>,
    pub(super) priority: Option<i32>,
    pub(super) role_arn: Option<String>,
    pub(super) tags: Option<Members<JobTag>>,
    pub(super) manifest_generator: Option<ManifestGenerator>,
}

/// A list as S3 Control writes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Members<T> {
    #[serde(default = "Vec::new")]
    pub(super) member: Vec<T>,
}

/// A tag of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct JobTag {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

/// S3 API Reference, `JobReport`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct JobReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bucket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    pub(super) enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(clippy::struct_field_names, reason = "AWS's name")]
    pub(super) report_scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expected_bucket_owner: Option<String>,
}

/// S3 API Reference, `JobManifest`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct JobManifest {
    pub(super) spec: Spec,
    pub(super) location: Location,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Spec {
    pub(super) format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fields: Option<Members<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Location {
    pub(super) object_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) object_version_id: Option<String>,
    #[serde(rename = "ETag")]
    pub(super) etag: String,
}

/// S3 API Reference, `JobManifestGenerator`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManifestGenerator {
    #[serde(rename = "S3JobManifestGenerator")]
    pub(super) s3: S3Generator,
}

/// S3 API Reference, `S3JobManifestGenerator`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct S3Generator {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expected_bucket_owner: Option<String>,
    pub(super) source_bucket: String,
    #[serde(skip_serializing)]
    pub(super) manifest_output_location: Option<IgnoredAny>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filter: Option<Filter>,
    pub(super) enable_manifest_output: bool,
}

/// S3 API Reference, `JobManifestGeneratorFilter`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) eligible_for_replication: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) object_replication_statuses: Option<Members<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) key_name_constraint: Option<KeyName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) object_size_greater_than_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) object_size_less_than_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) match_any_storage_class: Option<Members<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) match_any_object_encryption: Option<Encryptions>,
}

/// S3 API Reference, `KeyNameConstraint`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "AWS's names")]
pub(super) struct KeyName {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) match_any_prefix: Option<Members<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) match_any_suffix: Option<Members<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) match_any_substring: Option<Members<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Encryptions {
    #[serde(rename = "ObjectEncryption", default)]
    pub(super) any: Vec<Encryption>,
}

/// S3 API Reference, `ObjectEncryptionFilter`: one of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Encryption {
    #[serde(rename = "SSE-S3", skip_serializing_if = "Option::is_none")]
    pub(super) s3: Option<Nothing>,
    #[serde(rename = "SSE-KMS", skip_serializing_if = "Option::is_none")]
    pub(super) kms: Option<KmsFilter>,
    #[serde(rename = "DSSE-KMS", skip_serializing_if = "Option::is_none")]
    pub(super) dsse: Option<KmsFilter>,
    #[serde(rename = "SSE-C", skip_serializing_if = "Option::is_none")]
    pub(super) customer: Option<Nothing>,
    #[serde(rename = "NOT-SSE", skip_serializing_if = "Option::is_none")]
    pub(super) none: Option<Nothing>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct KmsFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kms_key_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bucket_key_enabled: Option<bool>,
}

/// S3 API Reference, `TagResource`; its list names its members otherwise than a job's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct TagResource {
    #[serde(rename = "@xmlns")]
    _xmlns: Option<String>,
    pub(super) tags: TagList,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagList {
    #[serde(rename = "Tag", default)]
    pub(super) tags: Vec<JobTag>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_back() {
        let xml = "<ManifestGenerator><S3JobManifestGenerator><SourceBucket>arn:aws:s3:::b</SourceBucket><Filter>\
            <EligibleForReplication>true</EligibleForReplication><CreatedAfter>2026-01-02T03:04:05Z</CreatedAfter>\
            <ObjectReplicationStatuses><member>NONE</member><member>FAILED</member></ObjectReplicationStatuses>\
            <KeyNameConstraint><MatchAnyPrefix><member>a&amp;b/</member></MatchAnyPrefix></KeyNameConstraint>\
            <ObjectSizeGreaterThanBytes>5</ObjectSizeGreaterThanBytes><MatchAnyObjectEncryption><ObjectEncryption><SSE-KMS>\
            <BucketKeyEnabled>true</BucketKeyEnabled></SSE-KMS></ObjectEncryption></MatchAnyObjectEncryption></Filter>\
            <EnableManifestOutput>false</EnableManifestOutput></S3JobManifestGenerator></ManifestGenerator>";
        let read: ManifestGenerator = quick_xml::de::from_str(xml).unwrap();
        let written = quick_xml::se::to_string_with_root("ManifestGenerator", &read).unwrap();
        assert_eq!(written, xml);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let job = |inner: &str| {
            let xml = format!("<CreateJobRequest xmlns=\"x\">{inner}</CreateJobRequest>");
            quick_xml::de::from_str::<CreateJob>(&xml)
        };
        let operation = "<Operation><S3ReplicateObject/></Operation>";
        assert_eq!(job(operation).unwrap().operation.unwrap().len(), 1);
        assert!(job("<Surprise>1</Surprise>").is_err());
        assert!(job("<Priority>high</Priority>").is_err());
        assert!(job("<Manifest><Spec/></Manifest>").is_err());
        assert!(job("<Report>").is_err());
    }
}
