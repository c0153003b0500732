//! Uploads a probe: random bytes with a checksum and identifying metadata, in one part or in two.
//! Not for: waiting for the replication of the probe (see `poll`).

use super::{Prober, Target};
use crate::aws::settle::retry;
use crate::aws::{At, Error};
use crate::failure::Failure;
use crate::joined;
use crate::steps::hold::{EncryptionHeaders, retention};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::base64;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use tokio::time::Instant;

/// Every part but the last has at least 5 MiB (S3 User Guide, "Amazon S3 multipart upload limits").
const FIRST_PART: usize = 5 << 20;
/// An object has at most 10 tags (S3 User Guide, "Categorizing your objects using tags").
const MOST_TAGS: usize = 10;
/// The last part may be smaller.
const LAST_PART: usize = 64 << 10;

/// An uploaded object, with the values that its replica is compared with.
#[derive(Debug, Clone)]
pub(super) struct Uploaded {
    pub(super) key: String,
    pub(super) version_id: String,
    pub(super) size: u64,
    pub(super) sha256: [u8; 32],
    pub(super) etag: Option<String>,
    pub(super) checksum: Option<String>,
    /// The key that encrypts the object, as S3 returned it.
    pub(super) kms_key: Option<String>,
    /// Whether the object uses a Bucket Key, as S3 returned it.
    pub(super) bucket_key: bool,
    /// When the upload ended.
    pub(super) at: Instant,
}

impl Uploaded {
    /// Describes an object of `size` bytes, which S3 has just stored under `key`; the caller adds the
    /// values of the response.
    fn sent(key: &str, size: usize, sha256: [u8; 32]) -> Self {
        let at = Instant::now();
        Self {
            key: key.to_owned(),
            version_id: String::new(),
            size: size as u64,
            sha256,
            etag: None,
            checksum: None,
            kms_key: None,
            bucket_key: false,
            at,
        }
    }
}

impl Prober {
    /// Uploads an object as `key` that `target` selects: `size` random bytes, or two parts if there
    /// is no size.
    pub(super) async fn upload(
        &self,
        key: &str,
        target: &Target,
        size: Option<u64>,
    ) -> Result<Uploaded, Failure> {
        let tags = &target.filter.tags;
        if let Some(size) = size {
            let body = random(usize::try_from(size).unwrap_or(usize::MAX));
            return self.upload_whole(key, self.tagging(tags), body).await;
        }
        // A multipart upload requires other permissions. It omits the pair's tag if the rule
        // filters by no tags.
        let tagging = (!tags.is_empty()).then(|| self.tagging(tags));
        self.upload_parts(key, tagging, random(FIRST_PART + LAST_PART)).await
    }

    fn metadata(&self) -> HashMap<String, String> {
        self.topology.wanted.probe_metadata().map(|(key, value)| (key.to_owned(), value)).into()
    }

    /// Returns the tags of a probe: those that its rule filters by and, if there is room, the
    /// pair's tag.
    fn tagging(&self, tags: &BTreeMap<String, String>) -> String {
        let ours = ("crrctl:pair", self.topology.wanted.name.as_str());
        let ours = (tags.len() < MOST_TAGS && !tags.contains_key(ours.0)).then_some(ours);
        let tags = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).chain(ours);
        form_urlencoded::Serializer::new(String::new()).extend_pairs(tags).finish()
    }

    async fn upload_whole(
        &self,
        key: &str,
        tagging: String,
        body: Bytes,
    ) -> Result<Uploaded, Failure> {
        let (source, s3) = (&self.topology.source, self.aws.s3(&self.topology.source.region));
        let progress = self.events.step(&self.step());
        let encryption = EncryptionHeaders::of(self.topology.named_encryption(&self.keys));
        // Hashed once: the client does not compute a checksum that it is given.
        let sha256: [u8; 32] = Sha256::digest(&body).into();
        let output = retry(&self.stop, &progress, || async {
            let (mode, until) = retention(&self.aws, &self.topology).unzip();
            s3.put_object()
                .set_object_lock_mode(mode)
                .set_object_lock_retain_until_date(until)
                .set_server_side_encryption(encryption.algorithm.clone())
                .set_ssekms_key_id(encryption.key.clone())
                .set_bucket_key_enabled(encryption.bucket_key)
                .bucket(source.bucket.as_str())
                .key(key)
                .set_metadata(Some(self.metadata()))
                .tagging(tagging.clone())
                .checksum_sha256(base64::encode(sha256))
                .body(ByteStream::from(body.clone()))
                .send()
                .await
                .at("s3:PutObject", &source.region)
        })
        .await?;
        Ok(Uploaded {
            version_id: output.version_id().unwrap_or("null").to_owned(),
            etag: output.e_tag().map(str::to_owned),
            checksum: output.checksum_sha256().map(str::to_owned),
            kms_key: output.ssekms_key_id().map(str::to_owned),
            bucket_key: output.bucket_key_enabled() == Some(true),
            ..Uploaded::sent(key, body.len(), sha256)
        })
    }

    async fn upload_parts(
        &self,
        key: &str,
        tagging: Option<String>,
        body: Bytes,
    ) -> Result<Uploaded, Failure> {
        let (source, s3) = (&self.topology.source, self.aws.s3(&self.topology.source.region));
        let progress = self.events.step(&self.step());
        let (mode, until) = retention(&self.aws, &self.topology).unzip();
        let encryption = EncryptionHeaders::of(self.topology.named_encryption(&self.keys));
        let create = s3
            .create_multipart_upload()
            .set_object_lock_mode(mode)
            .set_object_lock_retain_until_date(until)
            .set_server_side_encryption(encryption.algorithm)
            .set_ssekms_key_id(encryption.key)
            .set_bucket_key_enabled(encryption.bucket_key)
            .bucket(source.bucket.as_str())
            .key(key)
            .set_metadata(Some(self.metadata()))
            .set_tagging(tagging)
            .checksum_algorithm(ChecksumAlgorithm::Sha256);
        let created = retry(&self.stop, &progress, || async {
            create.clone().send().await.at("s3:CreateMultipartUpload", &source.region)
        })
        .await?;
        let upload = created.upload_id().unwrap_or_default();
        let parts = [(1, body.slice(..FIRST_PART)), (2, body.slice(FIRST_PART..))];
        let sent = joined::all(
            parts.into_iter().map(|(number, part)| self.upload_part(key, upload, number, part)),
        );
        let parts = match sent.await {
            Ok(parts) => parts,
            Err(failure) => {
                let abort = s3
                    .abort_multipart_upload()
                    .bucket(source.bucket.as_str())
                    .key(key)
                    .upload_id(upload);
                // The first failure is the one to report; `destroy` aborts uploads that remain.
                let _ = abort.send().await;
                return Err(failure);
            }
        };
        let completed = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = s3
            .complete_multipart_upload()
            .bucket(source.bucket.as_str())
            .key(key)
            .upload_id(upload)
            .multipart_upload(completed);
        let output = complete.send().await.at("s3:CompleteMultipartUpload", &source.region);
        let output = match output {
            Ok(output) => output,
            // The response to the first attempt was lost. The object exists, under a key that only
            // this probe uses.
            Err(error) if error.is("NoSuchUpload") => {
                return self.completed_before(key, &body).await.map_err(|absent| {
                    if absent.is_absent() { error.into() } else { absent.into() }
                });
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Uploaded {
            version_id: output.version_id().unwrap_or("null").to_owned(),
            etag: output.e_tag().map(str::to_owned),
            checksum: output.checksum_sha256().map(str::to_owned),
            kms_key: output.ssekms_key_id().map(str::to_owned),
            bucket_key: output.bucket_key_enabled() == Some(true),
            ..Uploaded::sent(key, body.len(), Sha256::digest(&body).into())
        })
    }

    /// Reads an object whose `CompleteMultipartUpload` response was lost.
    async fn completed_before(&self, key: &str, body: &Bytes) -> Result<Uploaded, Error> {
        let source = &self.topology.source;
        let head = self.aws.s3(&source.region).head_object().bucket(source.bucket.as_str());
        let head = head.key(key).checksum_mode(ChecksumMode::Enabled).send().await;
        let output = head.at("s3:HeadObject", &source.region)?;
        Ok(Uploaded {
            version_id: output.version_id().unwrap_or("null").to_owned(),
            etag: output.e_tag().map(str::to_owned),
            checksum: output.checksum_sha256().map(str::to_owned),
            kms_key: output.ssekms_key_id().map(str::to_owned),
            bucket_key: output.bucket_key_enabled() == Some(true),
            ..Uploaded::sent(key, body.len(), Sha256::digest(body).into())
        })
    }

    async fn upload_part(
        &self,
        key: &str,
        upload: &str,
        number: i32,
        part: Bytes,
    ) -> Result<CompletedPart, Failure> {
        let source = &self.topology.source;
        let request = self
            .aws
            .s3(&source.region)
            .upload_part()
            .bucket(source.bucket.as_str())
            .key(key)
            .upload_id(upload)
            .part_number(number)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .body(ByteStream::from(part));
        let output = request.send().await.at("s3:UploadPart", &source.region)?;
        Ok(CompletedPart::builder()
            .part_number(number)
            .set_e_tag(output.e_tag().map(str::to_owned))
            .set_checksum_sha256(output.checksum_sha256().map(str::to_owned))
            .build())
    }
}

fn random(size: usize) -> Bytes {
    let mut body = vec![0; size];
    fastrand::fill(&mut body);
    body.into()
}
