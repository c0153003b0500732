//! Multipart uploads: creating them, uploading parts, and aborting them. Not for: completing them
//! (see `completion`), listing them (see `uploads`), or the steps that every write shares (see
//! `writes`).

use super::acls::for_new_object;
use super::checksum::with_checksum;
use super::details::invalid_argument;
use super::encryption::{decide, encryption_headers};
use super::errors::{full, not_implemented};
use super::lock::{for_upload, lock_headers};
use super::object_tags::from_header;
use super::reads::etag;
use super::text_headers::described;
use super::writes::{check_storage_class, etag_of, permit_tags};
use crate::s3::call::{S3Call, nothing, owner};
use crate::world::buckets::{
    Algorithm, Bucket, Checksum, Upload, UploadedPart, new_upload_id, weight_of,
};
use crate::world::{Caller, State};
use bytes::Bytes;
use crrctl_iam::Principal;
use md5::{Digest, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Result, s3_error};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// S3 API Reference, `CreateMultipartUpload`.
pub(super) fn create(
    call: &mut S3Call<'_>,
    input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    call.bucket_of(&input.bucket, (&input.key, None), "s3:PutObject")?;
    let acl = for_new_object(call, &input.bucket, &input.key)?;
    let lock = for_upload(call, &input.bucket, &input.key, &lock_headers!(input))?;
    if input.website_redirect_location.is_some() {
        return Err(not_implemented("website redirects"));
    }
    let sse = decide(call, &input.bucket, &encryption_headers!(input))?;
    call.check_key(&sse, "kms:GenerateDataKey", &input.bucket, &input.key)?;
    let (algorithm, composite) =
        checksum_of(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
    let tags = from_header(input.tagging.as_deref())?;
    permit_tags(call, &input.bucket, &input.key, &tags)?;
    let storage_class = check_storage_class(input.storage_class.as_ref())?;
    let described = described!(call, input, storage_class);
    let upload = Upload {
        created: call.state.now(),
        initiator: initiator(&call.caller),
        described,
        tags,
        algorithm,
        chosen: input.checksum_algorithm.is_some(),
        composite,
        is_disturbed: false,
        parts: BTreeMap::new(),
        sse,
        lock,
        acl,
    };
    let id = new_upload_id(upload.created);
    let output = CreateMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        upload_id: Some(id.clone()),
        server_side_encryption: Some(upload.sse.algorithm()),
        ssekms_key_id: upload.sse.key(),
        bucket_key_enabled: upload.sse.bucket_key(),
        checksum_algorithm: upload.shown_algorithm(),
        checksum_type: upload.shown_type(),
        ..nothing()
    };
    let more = upload.weight(&input.key);
    call.state.buckets.check_room(&call.state.limits, &input.bucket, more).map_err(full)?;
    let bucket = call.bucket_of(&input.bucket, (&input.key, None), "s3:PutObject")?;
    bucket.held = bucket.held.saturating_add(more);
    bucket.uploads.insert((input.key, id), upload);
    Ok(output)
}

/// Returns a caller as lists of uploads show it: an IAM user or a role session by its ARN and name,
/// an account by its canonical id (S3 API Reference, `Initiator`). The display name of an account
/// is not documented for new accounts; here it is the account id.
fn initiator(caller: &Caller) -> (String, String) {
    let canonical = owner(&caller.account).id.unwrap_or_default();
    match &caller.principal {
        Principal::Root { .. } => (canonical, caller.account.to_string()),
        other => {
            let arn = other.arn().unwrap_or_default();
            let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
            (arn, name)
        }
    }
}

/// Returns an upload's checksum algorithm, and whether its checksum is composite (S3 User Guide,
/// "Checking object integrity": CRC64NVME is always full object, SHA is always composite, the
/// others are composite by default).
fn checksum_of(
    algorithm: Option<&ChecksumAlgorithm>,
    kind: Option<&ChecksumType>,
) -> S3Result<(Algorithm, bool)> {
    let Some(name) = algorithm.map(ChecksumAlgorithm::as_str) else {
        if kind.is_some() {
            return Err(s3_error!(
                InvalidRequest,
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            ));
        }
        return Ok((Algorithm::Crc64Nvme, false));
    };
    let algorithm = Algorithm::named(name).ok_or_else(|| {
        s3_error!(InvalidRequest, "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    })?;
    let composite = match kind.map(ChecksumType::as_str) {
        None => algorithm != Algorithm::Crc64Nvme,
        Some(ChecksumType::COMPOSITE) => true,
        Some(ChecksumType::FULL_OBJECT) => false,
        Some(_) => {
            return Err(s3_error!(
                InvalidRequest,
                "Value for x-amz-checksum-type header is invalid."
            ));
        }
    };
    let impossible = match algorithm {
        Algorithm::Crc64Nvme => composite,
        Algorithm::Sha1 | Algorithm::Sha256 => !composite,
        Algorithm::Crc32 | Algorithm::Crc32c => false,
    };
    if impossible {
        let kind = if composite { "COMPOSITE" } else { "FULL_OBJECT" };
        let name = name.to_lowercase();
        return Err(s3_error!(
            InvalidRequest,
            "The {kind} checksum type cannot be used with the {name} checksum algorithm."
        ));
    }
    Ok((algorithm, composite))
}

pub(super) fn find<'a>(bucket: &'a mut Bucket, key: &str, id: &str) -> S3Result<&'a mut Upload> {
    bucket.uploads.get_mut(&(key.to_owned(), id.to_owned())).ok_or_else(|| s3_error!(NoSuchUpload))
}

/// Refuses an invalid part number (S3 User Guide, "Multipart upload limits").
pub(super) fn check_part_number(number: i32) -> S3Result<()> {
    if !(1..=10_000).contains(&number) {
        let text = "Part number must be an integer between 1 and 10000, inclusive";
        return Err(invalid_argument("partNumber", &number.to_string(), text));
    }
    Ok(())
}

/// Stores a part and returns its `ETag` and checksum.
pub(super) fn keep_part(
    state: &mut State,
    (name, key, id): (&str, &str, &str),
    number: i32,
    data: Bytes,
    written: SystemTime,
) -> S3Result<(String, Checksum)> {
    let more = weight_of(data.len());
    state.buckets.check_room(&state.limits, name, more).map_err(full)?;
    let bucket = state.buckets.0.get_mut(name).ok_or_else(|| s3_error!(NoSuchBucket))?;
    let upload = find(bucket, key, id)?;
    let checksum = Checksum::of(upload.algorithm, &data);
    let etag = etag_of(&upload.sse, || hex::encode(Md5::digest(&data)));
    let part =
        UploadedPart { data, etag: etag.clone(), checksum: checksum.clone(), sent: None, written };
    let gone = upload.parts.insert(number, part).map_or(0, |part| weight_of(part.data.len()));
    bucket.held = bucket.held.saturating_sub(gone).saturating_add(more);
    Ok((etag, checksum))
}

/// S3 API Reference, `UploadPart`. It takes no header for SSE-S3 or SSE-KMS, and yet S3 refuses parts under a
/// policy that demands one of `s3:PutObject` (boto/botocore#471, aws/aws-cli#4251; boto/boto3#2675 saw the same
/// for tags).
pub(super) fn upload_part(
    call: &mut S3Call<'_>,
    input: &UploadPartInput,
    data: Bytes,
) -> S3Result<UploadPartOutput> {
    check_part_number(input.part_number)?;
    if input.sse_customer_algorithm.is_some() {
        // No upload is encrypted with a key of the client's own.
        return Err(s3_error!(
            InvalidRequest,
            "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters."
        ));
    }
    let (now, sent) = (call.state.now(), Algorithm::sent_in(&call.headers));
    // S3 returns the checksum that a client sends with a part also where the upload has none.
    let returned = Algorithm::TABLE.iter().any(|row| call.headers.contains_key(row.1));
    let returned = returned.then(|| Checksum::of(sent, &data));
    let explicit = call.headers.contains_key("x-amz-sdk-checksum-algorithm");
    let bucket = call.bucket_of(&input.bucket, (&input.key, None), "s3:PutObject")?;
    let upload = find(bucket, &input.key, &input.upload_id)?;
    if explicit && upload.chosen && sent != upload.algorithm {
        return Err(s3_error!(
            InvalidRequest,
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            upload.algorithm.name().to_lowercase(),
            sent.name().to_lowercase()
        ));
    }
    let at = (&*input.bucket, &*input.key, &*input.upload_id);
    let (tag, checksum) = keep_part(call.state, at, input.part_number, data, now)?;
    let upload = find(call.find_mut(&input.bucket)?, &input.key, &input.upload_id)?;
    let returned = if upload.chosen { Some(checksum) } else { returned };
    if let Some(part) = upload.parts.get_mut(&input.part_number) {
        part.sent.clone_from(&returned);
    }
    let output = UploadPartOutput {
        e_tag: Some(etag(&tag)),
        server_side_encryption: Some(upload.sse.algorithm()),
        ssekms_key_id: upload.sse.key(),
        bucket_key_enabled: upload.sse.bucket_key(),
        ..nothing()
    };
    Ok(match returned {
        Some(checksum) => with_checksum!(output, &checksum),
        None => output,
    })
}

/// S3 API Reference, `AbortMultipartUpload`.
pub(super) fn abort(
    call: &mut S3Call<'_>,
    input: AbortMultipartUploadInput,
) -> S3Result<AbortMultipartUploadOutput> {
    let bucket = call.bucket_of(&input.bucket, (&input.key, None), "s3:AbortMultipartUpload")?;
    bucket
        .end_upload(&input.key, &input.upload_id)
        .map(|_| nothing())
        .ok_or_else(|| s3_error!(NoSuchUpload))
}
