//! Compares a replica with the uploaded object: six checks, including a hash of the whole body.
//! Not for: the verdict on the probe (see `verdict`).

use super::upload::Uploaded;
use super::{Checks, Difference, Likeness, Probe, Prober, Status};
use crate::aws::settle::pause;
use crate::aws::{At, Class, Error};
use crate::failure::{Failure, Kind};
use crate::manifest::Side;
use crate::names::Arn;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ReplicationStatus};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A replica may become readable a moment after its source is COMPLETED.
const READABLE_WITHIN: Duration = Duration::from_secs(30);

/// The values of a replica, and how they compare with its source.
pub(super) struct Replica {
    pub(super) version_id: String,
    status: Option<Cow<'static, str>>,
    kms_key: Option<Arc<str>>,
    checks: Checks,
    differences: Vec<Difference>,
    etag: Likeness,
    checksum: Likeness,
}

impl Replica {
    /// Writes the comparison into `probe`.
    pub(super) fn enter(self, probe: &mut Probe) {
        probe.replica_status = self.status;
        probe.kms_key_arn = self.kms_key;
        probe.checks = self.checks;
        probe.differences = self.differences;
        probe.etag = self.etag;
        probe.checksum = self.checksum;
    }
}

impl Prober {
    /// Reads the replica at `side`. Returns `None` if the source is not COMPLETED and there is no
    /// replica.
    ///
    /// A probe's key is new, so the current version under it is the replica, whatever its version
    /// id. If a stand-in for S3 assigns another version id, the check reports that.
    pub(super) async fn compare(
        &self,
        side: &Side,
        object: &Uploaded,
        status: Status,
    ) -> Result<Option<Replica>, Failure> {
        let started = Instant::now();
        loop {
            let s3 = self.aws.s3(&side.region);
            let get = s3
                .get_object()
                .bucket(side.bucket.as_str())
                .key(&object.key)
                .checksum_mode(ChecksumMode::Enabled);
            match get.send().await.at("s3:GetObject", &side.region) {
                Ok(output) => return Ok(Some(self.examine(side, object, output).await?)),
                Err(error) if error.is_absent() && status != Status::Completed => return Ok(None),
                // A caller that may not list another account's bucket receives `AccessDenied` for a
                // missing object.
                Err(error)
                    if error.class == Class::Denied
                        && self.topology.wanted.is_handed_over(&side.region)
                        && status != Status::Completed =>
                {
                    return Ok(None);
                }
                Err(error)
                    if error.is_absent()
                        && started.elapsed() < READABLE_WITHIN
                        && !self.stop.is_ending() =>
                {
                    pause(&self.stop, Duration::from_millis(500)).await;
                }
                Err(error) if error.is_absent() => return Err(missing(side, object, &error)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn examine(
        &self,
        side: &Side,
        object: &Uploaded,
        mut output: GetObjectOutput,
    ) -> Result<Replica, Failure> {
        let (length, sha256) = digest(&mut output, side).await?;
        let version_id = output.version_id().unwrap_or("null").to_owned();
        let status = output.replication_status().map(|status| match status {
            ReplicationStatus::Replica => Cow::Borrowed("REPLICA"),
            other => Cow::Owned(other.as_str().to_owned()),
        });
        // The replica of an object without a KMS key has none.
        let is_kms = self.topology.source.has_key();
        let expected_key = self.key(side).filter(|_| is_kms);
        let expected_key = expected_key.map(Arn::into_text);
        // Whether a replica takes the Bucket Key of its source object, or that of a default which
        // others gave the bucket, is not the pair's to say.
        let topology = &self.topology;
        let keeps = |side: &Side| topology.kept_encryption(side).is_some();
        let is_judged = !(keeps(side) || keeps(&topology.source) && object.bucket_key);
        let wanted_bucket_key = is_kms && topology.has_bucket_key(side);
        let kms_key = output.ssekms_key_id().map(|found| {
            let expected = expected_key.clone().filter(|key| **key == *found);
            expected.unwrap_or_else(|| found.into())
        });
        let bucket_key = output.bucket_key_enabled() == Some(true);
        let expected_bucket_key = if is_judged { wanted_bucket_key } else { bucket_key };
        let mut differences = Vec::new();
        let mut same = |check, source: &str, replica: Option<&str>| {
            let holds = replica == Some(source);
            if !holds {
                let replica = replica.unwrap_or("absent").to_owned();
                differences.push(Difference { check, source: source.to_owned(), replica });
            }
            holds
        };
        let checks = Checks {
            version_id: same("version_id", &object.version_id, Some(&version_id)),
            size: same("size", &object.size.to_string(), Some(&length.to_string())),
            body: same("body", &sha(&object.sha256), Some(&sha(&sha256))),
            kms_key: same("kms_key", named(expected_key.as_ref()), Some(named(kms_key.as_ref()))),
            bucket_key: same(
                "bucket_key",
                &expected_bucket_key.to_string(),
                Some(&bucket_key.to_string()),
            ),
            status: same("status", "REPLICA", status.as_deref()),
        };
        Ok(Replica {
            etag: likeness(object.etag.as_deref(), output.e_tag()),
            checksum: likeness(object.checksum.as_deref(), output.checksum_sha256()),
            version_id,
            status,
            kms_key,
            checks,
            differences,
        })
    }
}

/// Hashes the whole body without storing it.
async fn digest(output: &mut GetObjectOutput, side: &Side) -> Result<(u64, [u8; 32]), Failure> {
    let (mut length, mut hash) = (0, Sha256::new());
    while let Some(chunk) = output.body.next().await {
        let chunk = chunk.map_err(|error| {
            let message =
                format!("the replica in `{}` can't be read to its end: {error}", side.bucket);
            Failure::new(Kind::Unexpected, "replica-unreadable", message).in_region(&side.region)
        })?;
        length += chunk.len() as u64;
        hash.update(&chunk);
    }
    Ok((length, hash.finalize().into()))
}

fn named(key: Option<&Arc<str>>) -> &str {
    key.map_or("none", |key| key)
}

fn sha(hash: &[u8; 32]) -> String {
    format!("sha256:{}", hex::encode(hash))
}

fn likeness(source: Option<&str>, replica: Option<&str>) -> Likeness {
    match (source, replica) {
        (Some(source), Some(replica)) if source == replica => Likeness::Same,
        (Some(_), Some(_)) => Likeness::Differs,
        _ => Likeness::Absent,
    }
}

fn missing(side: &Side, object: &Uploaded, error: &Error) -> Failure {
    let message =
        format!("`{}` is COMPLETED, but `{}` has no such object: {error}", object.key, side.bucket);
    Failure::new(Kind::ReplicaDiffers, "replica-missing", message).in_region(&side.region)
}
