//! The XML elements of a `CreateJob` request. `DescribeJob` returns the same elements in its
//! response. Not for: validating the request (see `s3control::create`).
//! Source: S3 API Reference, `CreateJob` and its data types. Elements that are not declared here
//! are refused, never ignored.

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// S3 API Reference, `CreateJob`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct CreateJob {
    #[serde(rename = "@xmlns")]
    _xmlns: Option<String>,
    pub(crate) confirmation_required: Option<bool>,
    /// The operation by name; exactly one.
    #[expect(clippy::zero_sized_map_values, reason = "what is in it is not looked at")]
    pub(crate) operation: Option<BTreeMap<String, IgnoredAny>>,
    pub(crate) report: Option<JobReport>,
    pub(crate) client_request_token: Option<String>,
    pub(crate) manifest: Option<JobManifest>,
    pub(crate) description: Option<String>,
    pub(crate) priority: Option<i32>,
    pub(crate) role_arn: Option<String>,
    pub(crate) tags: Option<Members<JobTag>>,
    pub(crate) manifest_generator: Option<ManifestGenerator>,
}

/// A list in the XML format of S3 Control.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Members<T> {
    #[serde(default = "Vec::new")]
    pub(crate) member: Vec<T>,
}

/// A tag of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct JobTag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// S3 API Reference, `JobReport`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct JobReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bucket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<String>,
    pub(crate) enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) report_scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected_bucket_owner: Option<String>,
}

/// S3 API Reference, `JobManifest`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct JobManifest {
    pub(crate) spec: Spec,
    pub(crate) location: Location,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Spec {
    pub(crate) format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fields: Option<Members<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Location {
    pub(crate) object_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object_version_id: Option<String>,
    #[serde(rename = "ETag")]
    pub(crate) etag: String,
}

/// S3 API Reference, `JobManifestGenerator`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManifestGenerator {
    #[serde(rename = "S3JobManifestGenerator")]
    pub(crate) s3: S3Generator,
}

/// S3 API Reference, `S3JobManifestGenerator`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct S3Generator {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected_bucket_owner: Option<String>,
    pub(crate) source_bucket: String,
    #[serde(skip_serializing)]
    pub(crate) manifest_output_location: Option<IgnoredAny>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<Filter>,
    pub(crate) enable_manifest_output: bool,
}

/// S3 API Reference, `JobManifestGeneratorFilter`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) eligible_for_replication: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object_replication_statuses: Option<Members<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_name_constraint: Option<KeyName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object_size_greater_than_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) object_size_less_than_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) match_any_storage_class: Option<Members<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) match_any_object_encryption: Option<Encryptions>,
}

/// S3 API Reference, `KeyNameConstraint`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "AWS's names")]
pub(crate) struct KeyName {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) match_any_prefix: Option<Members<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) match_any_suffix: Option<Members<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) match_any_substring: Option<Members<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Encryptions {
    #[serde(rename = "ObjectEncryption", default)]
    pub(crate) any: Vec<Encryption>,
}

/// S3 API Reference, `ObjectEncryptionFilter`: one member is set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Encryption {
    #[serde(rename = "SSE-S3", skip_serializing_if = "Option::is_none")]
    pub(crate) s3: Option<Nothing>,
    #[serde(rename = "SSE-KMS", skip_serializing_if = "Option::is_none")]
    pub(crate) kms: Option<KmsFilter>,
    #[serde(rename = "DSSE-KMS", skip_serializing_if = "Option::is_none")]
    pub(crate) dsse: Option<KmsFilter>,
    #[serde(rename = "SSE-C", skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<Nothing>,
    #[serde(rename = "NOT-SSE", skip_serializing_if = "Option::is_none")]
    pub(crate) none: Option<Nothing>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct KmsFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bucket_key_enabled: Option<bool>,
}

/// S3 API Reference, `TagResource`. The members of its list have another element name than those of
/// the tag list of a job.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct TagResource {
    #[serde(rename = "@xmlns")]
    _xmlns: Option<String>,
    pub(crate) tags: TagList,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagList {
    #[serde(rename = "Tag", default)]
    pub(crate) tags: Vec<JobTag>,
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
