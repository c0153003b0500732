//! The objects of a batch job: those that a filter selects, or those of a list that crrctl writes
//! into the place of the reports.
//! Source: S3 User Guide, "Specifying a manifest": lines of bucket, key in URL encoding, version id.
//! Not for: the job itself (see `job`).

use super::job::Wish;
use crate::aws::{At, Aws, Error};
use crate::failure::Failure;
use crate::manifest::{PairKeys, Topology};
use crate::names::Arn;
use crate::steps::built;
use crate::steps::hold::EncryptionHeaders;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectVersion;
use aws_sdk_s3control::types::{
    JobManifest, JobManifestFieldName, JobManifestFormat, JobManifestGenerator,
    JobManifestGeneratorFilter, JobManifestLocation, JobManifestSpec, KeyNameConstraint,
    ReplicationStatus, S3JobManifestGenerator, S3StorageClass,
};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

/// A list of objects for a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectList {
    /// Its key, in the place of the reports.
    pub key: String,
    /// Its entity tag, which the job checks.
    pub etag: String,
}

/// The characters that need no encoding in a key.
const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');

pub(super) fn bucket_arn(topology: &Topology, bucket: &str) -> String {
    Arn::known(topology.wanted.partition(), "s3", "", "", bucket).to_string()
}

/// Writes a list of one version of an object of the source. Its name is new each time, and so is a
/// job for it.
pub async fn write_list(
    aws: &Aws,
    topology: &Topology,
    keys: &PairKeys,
    (key, version_id): (&str, &str),
) -> Result<ObjectList, Failure> {
    let (reports, region) = (topology.reports(), &topology.source.region);
    let id: String = std::iter::repeat_with(|| fastrand::digit(16)).take(16).collect();
    let list = topology.job_list(&id);
    let line =
        format!("{},{},{version_id}\n", topology.source.bucket, utf8_percent_encode(key, &KEPT));
    let named = reports.with_data.then(|| topology.named_encryption(keys)).flatten();
    let headers = EncryptionHeaders::of(named);
    let put = aws.s3(region).put_object().bucket(&reports.bucket).key(&list);
    let put = put
        .set_server_side_encryption(headers.algorithm)
        .set_ssekms_key_id(headers.key)
        .set_bucket_key_enabled(headers.bucket_key)
        .body(ByteStream::from(line.into_bytes()));
    let output = put.send().await.at("s3:PutObject", region)?;
    let unreadable = || Error::unreadable("s3:PutObject", region, "ETag");
    let etag = output.e_tag().ok_or_else(unreadable)?.trim_matches('"').to_owned();
    Ok(ObjectList { key: list, etag })
}

/// Deletes every version of a list and of the report of the job `id`.
pub async fn delete_files(
    aws: &Aws,
    topology: &Topology,
    list: &ObjectList,
    id: &str,
) -> Result<(), Failure> {
    let (reports, region) = (topology.reports(), &topology.source.region);
    let report = format!("{}job-{id}/", reports.prefix);
    let s3 = aws.s3(region);
    for prefix in [list.key.as_str(), &report] {
        let find = s3.list_object_versions().bucket(&reports.bucket).prefix(prefix);
        // A report of one object has three files.
        let page = find.send().await.at("s3:ListObjectVersions", region)?;
        let versions = page.versions().iter().map(|it| (it.key(), it.version_id()));
        let markers = page.delete_markers().iter().map(|it| (it.key(), it.version_id()));
        for (key, version) in versions.chain(markers) {
            let delete = s3.delete_object().bucket(&reports.bucket);
            let delete = delete.key(key.unwrap_or_default()).version_id(version.unwrap_or("null"));
            match delete.send().await.at("s3:DeleteObject", region) {
                Err(error) if !error.is_absent() => return Err(error.into()),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Returns the manifest of a job over the objects of `list`.
pub(super) fn listed(topology: &Topology, list: &ObjectList) -> Result<JobManifest, Failure> {
    let fields =
        [JobManifestFieldName::Bucket, JobManifestFieldName::Key, JobManifestFieldName::VersionId];
    let spec = JobManifestSpec::builder()
        .format(JobManifestFormat::S3BatchOperationsCsv20180820)
        .set_fields(Some(fields.to_vec()))
        .build();
    let arn = format!("{}/{}", bucket_arn(topology, &topology.reports().bucket), list.key);
    let location = JobManifestLocation::builder().object_arn(arn).e_tag(&list.etag).build();
    Ok(JobManifest::builder().spec(built(spec)?).location(built(location)?).build())
}

/// Returns the manifest that S3 makes itself of the objects that the filter of `wish` selects.
pub(super) fn generated(topology: &Topology, wish: &Wish) -> Result<JobManifestGenerator, Failure> {
    let generator = S3JobManifestGenerator::builder()
        .expected_bucket_owner(topology.source.account.as_str())
        .source_bucket(bucket_arn(topology, topology.source.bucket.as_str()))
        .filter(filter(wish))
        .enable_manifest_output(false);
    Ok(JobManifestGenerator::S3JobManifestGenerator(built(generator.build())?))
}

impl Wish {
    /// Returns whether a job selects a version, whatever its replication status.
    pub(super) fn selects(&self, version: &ObjectVersion) -> bool {
        let (key, size) = (version.key().unwrap_or_default(), version.size().unwrap_or_default());
        let size = u64::try_from(size).unwrap_or_default();
        let written = version.last_modified().map(DateTime::as_nanos);
        let at = |time: &Timestamp| i128::from(time.as_second()) * 1_000_000_000;
        let is_after = |time: &Timestamp| written.is_none_or(|it| it >= at(time));
        let is_before = |time: &Timestamp| written.is_none_or(|it| it <= at(time));
        let class =
            version.storage_class().map(aws_sdk_s3::types::ObjectVersionStorageClass::as_str);
        let classes = &self.storage_classes;
        self.prefix.as_ref().is_none_or(|prefix| key.starts_with(prefix))
            && self.since.as_ref().is_none_or(is_after)
            && self.until.as_ref().is_none_or(is_before)
            && self.larger_than.is_none_or(|than| size > than)
            && self.smaller_than.is_none_or(|than| size < than)
            && (classes.is_empty()
                || class.is_none_or(|class| classes.iter().any(|wanted| wanted == class)))
    }
}

fn filter(wish: &Wish) -> JobManifestGeneratorFilter {
    // Job filters take whole seconds.
    let time = |time: &Timestamp| DateTime::from_secs(time.as_second());
    let size = |size: Option<u64>| size.map(|it| i64::try_from(it).unwrap_or(i64::MAX));
    let prefix = |it: &String| KeyNameConstraint::builder().match_any_prefix(it).build();
    let statuses = wish.statuses.iter().map(|it| ReplicationStatus::from(it.as_str()));
    let classes = wish.storage_classes.iter().map(|it| S3StorageClass::from(it.as_str()));
    JobManifestGeneratorFilter::builder()
        .eligible_for_replication(true)
        .set_created_after(wish.since.as_ref().map(time))
        .set_created_before(wish.until.as_ref().map(time))
        .set_object_replication_statuses(Some(statuses.collect()))
        .set_key_name_constraint(wish.prefix.as_ref().map(prefix))
        .set_object_size_greater_than_bytes(size(wish.larger_than))
        .set_object_size_less_than_bytes(size(wish.smaller_than))
        .set_match_any_storage_class(Some(classes.collect()).filter(|it: &Vec<_>| !it.is_empty()))
        .build()
}
