//! Completing a multipart upload: the parts are joined into an object. Not for: creating uploads
//! and uploading parts (see `multipart`).

use super::checksum::with_checksum;
use super::details::Details;
use super::errors::{custom, malformed, too_large};
use super::multipart::find;
use super::reads::{check_write, etag};
use super::writes::store;
use crate::s3::call::{S3Call, nothing};
use crate::world::buckets::{
    Algorithm, Bucket, Checksum, Content, NULL, Object, ObjectPart, Replicated, Sse, Upload,
    UploadedPart, random_etag,
};
use bytes::BytesMut;
use md5::{Digest, Md5};
use s3s::dto::{
    ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
};
use s3s::{S3Error, S3Result, s3_error};

/// The minimum size in bytes of every part but the last (S3 User Guide, "Multipart upload limits").
const MIN_PART: usize = 5 * 1024 * 1024;

/// S3 API Reference, `CompleteMultipartUpload`.
pub(super) fn complete(
    call: &mut S3Call<'_>,
    input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let (name, key) = (&input.bucket, &input.key);
    let bucket = call.bucket_of(name, (key, None), "s3:PutObject")?;
    if let Some(done) = completed(bucket, name, key, &input.upload_id) {
        return Ok(done);
    }
    let is_disturbed = find(bucket, key, &input.upload_id)?.is_disturbed;
    check_write(bucket, key, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    if is_disturbed && (input.if_match.is_some() || input.if_none_match.is_some()) {
        return Err(conflict(key, input.if_match.is_some()));
    }
    let named = input.multipart_upload.as_ref().and_then(|m| m.parts.clone()).unwrap_or_default();
    let most = call.state.limits.object;
    let bucket = call.find_mut(name)?;
    let object = assemble(&input.upload_id, find(bucket, key, &input.upload_id)?, &named, most)?;
    check_whole(&input, &object)?;
    // S3 reads the parts again to join them, which requires `kms:Decrypt` (S3 User Guide,
    // "Multipart upload API and permissions").
    call.check_key(&object.sse, "kms:Decrypt", name, key)?;
    let output = completion(name, key, &object);
    let version_id = store(call.state, name, key, Content::Object(Box::new(object)))?;
    let bucket = call.bucket_of(name, (key, None), "s3:PutObject")?;
    bucket.end_upload(key, &input.upload_id);
    Ok(CompleteMultipartUploadOutput { version_id, ..output })
}

fn completion(bucket: &str, key: &str, object: &Object) -> CompleteMultipartUploadOutput {
    let output = CompleteMultipartUploadOutput {
        bucket: Some(bucket.to_owned()),
        key: Some(key.to_owned()),
        location: Some(format!("/{bucket}/{key}")),
        e_tag: Some(etag(&object.etag)),
        server_side_encryption: Some(object.sse.algorithm()),
        ssekms_key_id: object.sse.key(),
        bucket_key_enabled: object.sse.bucket_key(),
        checksum_type: Some(ChecksumType::from_static(object.checksum.kind())),
        ..nothing()
    };
    with_checksum!(output, &object.checksum)
}

/// Returns the response to a repeated completion: S3 answers it like the first (S3 API Reference,
/// `CompleteMultipartUpload`), as long as the object exists.
fn completed(
    bucket: &Bucket,
    name: &str,
    key: &str,
    upload: &str,
) -> Option<CompleteMultipartUploadOutput> {
    bucket.objects.get(key)?.iter().find_map(|version| match &version.content {
        Content::Object(object) if object.upload.as_deref() == Some(upload) => {
            let version_id = Some(version.id.clone()).filter(|id| id != NULL);
            Some(CompleteMultipartUploadOutput { version_id, ..completion(name, key, object) })
        }
        _ => None,
    })
}

/// The key was written or deleted during a conditional upload (S3 User Guide, "How to prevent
/// object overwrites with conditional writes"; recorded from S3: localstack's tests
/// `TestS3ObjectWritePrecondition::test_multipart_if_…`).
fn conflict(key: &str, is_match: bool) -> S3Error {
    let text = "The conditional request cannot succeed due to a conflicting operation against this resource.";
    let condition = if is_match { "If-Match" } else { "If-None-Match" };
    let error = custom(409, "ConditionalRequestConflict", text.into());
    Details::on(error, [("Condition", condition.to_owned()), ("Key", key.to_owned())])
}

/// Joins the named parts of an upload into an object.
fn assemble(id: &str, upload: &Upload, named: &[CompletedPart], most: u64) -> S3Result<Object> {
    if named.is_empty() {
        return Err(s3_error!(InvalidRequest, "You must specify at least one part"));
    }
    let mut parts = Vec::with_capacity(named.len());
    let mut last = 0;
    for wanted in named {
        let number = wanted.part_number.ok_or_else(malformed)?;
        if number <= last {
            return Err(s3_error!(InvalidPartOrder));
        }
        last = number;
        let invalid = || {
            let etag = wanted.e_tag.as_ref().map(|tag| tag.value().to_owned());
            let number = ("PartNumber", number.to_string());
            let etag = ("ETag", etag.unwrap_or_default());
            let upload = ("UploadId", id.to_owned());
            Details::on(s3_error!(InvalidPart), [upload, number, etag])
        };
        let part = upload.parts.get(&number).ok_or_else(invalid)?;
        let same_tag = wanted.e_tag.as_ref().is_some_and(|tag| tag.value() == part.etag);
        let sums = [Some(&part.checksum), part.sent.as_ref()];
        let same_sum = sums.into_iter().flatten().any(|sum| same_checksum(wanted, sum));
        if !same_tag || !same_sum {
            return Err(invalid());
        }
        parts.push((number, part));
    }
    let small = parts[..parts.len() - 1].iter().find(|(_, part)| part.data.len() < MIN_PART);
    if let Some((number, part)) = small {
        let details = [
            ("ETag", part.etag.clone()),
            ("MinSizeAllowed", MIN_PART.to_string()),
            ("ProposedSize", part.data.len().to_string()),
            ("PartNumber", number.to_string()),
        ];
        return Err(Details::on(s3_error!(EntityTooSmall), details));
    }
    let kept = parts.iter().map(|(number, part)| ObjectPart {
        number: *number,
        size: part.data.len(),
        checksum: upload.chosen.then(|| part.checksum.clone()),
    });
    let kept: Vec<ObjectPart> = kept.collect();
    let parts: Vec<&UploadedPart> = parts.into_iter().map(|(_, part)| part).collect();
    if parts.iter().map(|part| part.data.len() as u64).sum::<u64>() > most {
        return Err(too_large(most));
    }
    let mut data = BytesMut::new();
    for part in &parts {
        data.extend_from_slice(&part.data);
    }
    let data = data.freeze();
    let checksums: Vec<&Checksum> = parts.iter().map(|part| &part.checksum).collect();
    let checksum = if upload.composite {
        Checksum::of_parts(upload.algorithm, &checksums)
    } else {
        Checksum::of(upload.algorithm, &data)
    };
    Ok(Object {
        etag: format!("{}-{}", joined_etag(&upload.sse, &parts), parts.len()),
        data,
        described: upload.described.clone(),
        tags: upload.tags.clone(),
        sse: upload.sse.clone(),
        lock: upload.lock,
        acl: upload.acl.clone(),
        checksum,
        parts: kept,
        upload: Some(id.to_owned()),
        replicated: Replicated::No,
    })
}

/// Returns the MD5 of the parts' MD5s under SSE-S3, a random value under KMS.
fn joined_etag(sse: &Sse, parts: &[&UploadedPart]) -> String {
    match sse {
        Sse::Kms { .. } => random_etag(),
        Sse::S3 => {
            let joined: Vec<u8> =
                parts.iter().flat_map(|part| Md5::digest(&part.data).to_vec()).collect();
            hex::encode(Md5::digest(joined))
        }
    }
}

fn same_checksum(wanted: &CompletedPart, checksum: &Checksum) -> bool {
    let given = [
        (Algorithm::Crc32, &wanted.checksum_crc32),
        (Algorithm::Crc32c, &wanted.checksum_crc32c),
        (Algorithm::Crc64Nvme, &wanted.checksum_crc64nvme),
        (Algorithm::Sha1, &wanted.checksum_sha1),
        (Algorithm::Sha256, &wanted.checksum_sha256),
    ];
    given
        .iter()
        .all(|(algorithm, value)| value.is_none() || **value == checksum.value_of(*algorithm))
}

/// Compares the checksum and size that the client sends for the whole object with those of the
/// object.
fn check_whole(input: &CompleteMultipartUploadInput, object: &Object) -> S3Result<()> {
    let given = CompletedPart {
        checksum_crc32: input.checksum_crc32.clone(),
        checksum_crc32c: input.checksum_crc32c.clone(),
        checksum_crc64nvme: input.checksum_crc64nvme.clone(),
        checksum_sha1: input.checksum_sha1.clone(),
        checksum_sha256: input.checksum_sha256.clone(),
        ..CompletedPart::default()
    };
    if !same_checksum(&given, &object.checksum) {
        return Err(s3_error!(
            BadDigest,
            "The checksum you specified did not match the calculated checksum."
        ));
    }
    let size = i64::try_from(object.data.len()).ok();
    if input.mpu_object_size.is_some() && input.mpu_object_size != size {
        return Err(s3_error!(
            InvalidRequest,
            "The provided 'x-amz-mp-object-size' header value {} does not match what was computed: {}",
            input.mpu_object_size.unwrap_or_default(),
            object.data.len()
        ));
    }
    Ok(())
}
