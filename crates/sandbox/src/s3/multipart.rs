//! Multipart uploads, from creation to completion. Not for: listing them (see `uploads`), or the
//! steps that every write shares (see `writes`).

use super::checksum::with_checksum;
use super::details::{Details, invalid_argument};
use super::encryption::{EncryptionHeaders, decide};
use super::errors::{full, malformed, not_implemented, too_large};
use super::lock::{for_upload, lock_headers};
use super::object_tags::from_header;
use super::reads::{check_write, etag};
use super::writes::{check_acl, check_storage_class, etag_of, permit_tags, store, stored_encoding};
use crate::s3::call::{S3Call, nothing, owner};
use crate::world::buckets::{
    Algorithm, Bucket, Checksum, Content, Described, Object, ObjectPart, Replicated, Sse, Upload,
    UploadedPart, new_upload_id, random_etag, weight_of,
};
use crate::world::{Caller, State};
use bytes::{Bytes, BytesMut};
use crrctl_iam::Principal;
use md5::{Digest, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Result, s3_error};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// The minimum size in bytes of every part but the last (S3 User Guide, "Multipart upload limits").
const MIN_PART: usize = 5 * 1024 * 1024;

/// S3 API Reference, `CreateMultipartUpload`.
pub(super) fn create(
    call: &mut S3Call<'_>,
    input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    let bucket = call.bucket_of(&input.bucket, &input.key, "s3:PutObject")?;
    let grants = [
        &input.grant_full_control,
        &input.grant_read,
        &input.grant_read_acp,
        &input.grant_write_acp,
    ];
    check_acl(bucket, input.acl.as_ref(), grants.iter().any(|grant| grant.is_some()))?;
    let lock = for_upload(call, &input.bucket, &input.key, &lock_headers!(input))?;
    if input.website_redirect_location.is_some() {
        return Err(not_implemented("website redirects"));
    }
    let asked = EncryptionHeaders {
        algorithm: input.server_side_encryption.as_ref(),
        key: input.ssekms_key_id.as_deref(),
        bucket_key: input.bucket_key_enabled,
        beyond: input.sse_customer_algorithm.is_some() || input.ssekms_encryption_context.is_some(),
    };
    let sse = decide(call, &input.bucket, &asked)?;
    call.check_key(&sse, "kms:GenerateDataKey", &input.bucket, &input.key)?;
    let (algorithm, composite) =
        checksum_of(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
    let tags = from_header(input.tagging.as_deref())?;
    permit_tags(call, &input.bucket, &input.key, &tags)?;
    let upload = Upload {
        created: call.state.now(),
        initiator: initiator(&call.caller),
        described: Described {
            content_type: input.content_type,
            cache_control: input.cache_control,
            content_disposition: input.content_disposition,
            content_encoding: stored_encoding(input.content_encoding),
            content_language: input.content_language,
            expires: input.expires,
            metadata: input.metadata.unwrap_or_default(),
            storage_class: check_storage_class(input.storage_class.as_ref())?,
        },
        tags,
        algorithm,
        chosen: input.checksum_algorithm.is_some(),
        composite,
        parts: BTreeMap::new(),
        sse,
        lock,
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
    let bucket = call.bucket_of(&input.bucket, &input.key, "s3:PutObject")?;
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
    let part = UploadedPart { data, etag: etag.clone(), checksum: checksum.clone(), written };
    let gone = upload.parts.insert(number, part).map_or(0, |part| weight_of(part.data.len()));
    bucket.held = bucket.held.saturating_sub(gone).saturating_add(more);
    Ok((etag, checksum))
}

/// S3 API Reference, `UploadPart`.
pub(super) fn upload_part(
    call: &mut S3Call<'_>,
    input: &UploadPartInput,
    data: Bytes,
) -> S3Result<UploadPartOutput> {
    check_part_number(input.part_number)?;
    let (now, sent) = (call.state.now(), Algorithm::sent_in(&call.headers));
    let explicit = call.headers.contains_key("x-amz-sdk-checksum-algorithm");
    let bucket = call.bucket_of(&input.bucket, &input.key, "s3:PutObject")?;
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
    let output = UploadPartOutput {
        e_tag: Some(etag(&tag)),
        server_side_encryption: Some(upload.sse.algorithm()),
        ssekms_key_id: upload.sse.key(),
        bucket_key_enabled: upload.sse.bucket_key(),
        ..nothing()
    };
    Ok(if upload.chosen { with_checksum!(output, &checksum) } else { output })
}

/// S3 API Reference, `CompleteMultipartUpload`.
pub(super) fn complete(
    call: &mut S3Call<'_>,
    input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let (name, key) = (&input.bucket, &input.key);
    let bucket = call.bucket_of(name, key, "s3:PutObject")?;
    find(bucket, key, &input.upload_id)?;
    check_write(bucket, key, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let named = input.multipart_upload.as_ref().and_then(|m| m.parts.clone()).unwrap_or_default();
    let most = call.state.limits.object;
    let bucket = call.find_mut(name)?;
    let object = assemble(&input.upload_id, find(bucket, key, &input.upload_id)?, &named, most)?;
    check_whole(&input, &object)?;
    // S3 reads the parts again to join them, which requires `kms:Decrypt` (S3 User Guide,
    // "Multipart upload API and permissions").
    call.check_key(&object.sse, "kms:Decrypt", name, key)?;
    let output = CompleteMultipartUploadOutput {
        bucket: Some(name.clone()),
        key: Some(key.clone()),
        location: Some(format!("/{name}/{key}")),
        e_tag: Some(etag(&object.etag)),
        server_side_encryption: Some(object.sse.algorithm()),
        ssekms_key_id: object.sse.key(),
        bucket_key_enabled: object.sse.bucket_key(),
        checksum_type: Some(ChecksumType::from_static(object.checksum.kind())),
        ..nothing()
    };
    let output = with_checksum!(output, &object.checksum);
    let version_id = store(call.state, name, key, Content::Object(Box::new(object)))?;
    let bucket = call.bucket_of(name, key, "s3:PutObject")?;
    bucket.end_upload(key, &input.upload_id);
    Ok(CompleteMultipartUploadOutput { version_id, ..output })
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
        if !same_tag || !same_checksum(wanted, &part.checksum) {
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
        checksum,
        parts: kept,
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

/// S3 API Reference, `AbortMultipartUpload`.
pub(super) fn abort(
    call: &mut S3Call<'_>,
    input: AbortMultipartUploadInput,
) -> S3Result<AbortMultipartUploadOutput> {
    let bucket = call.bucket_of(&input.bucket, &input.key, "s3:AbortMultipartUpload")?;
    bucket
        .end_upload(&input.key, &input.upload_id)
        .map(|_| nothing())
        .ok_or_else(|| s3_error!(NoSuchUpload))
}
