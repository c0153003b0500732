//! Lists of multipart uploads in progress and of their parts. Not for: creating or completing an
//! upload (see `multipart`).

use super::checksum::with_checksum;
use super::errors::not_implemented;
use super::multipart::find;
use super::reads::etag;
use crate::s3::call::{S3Call, nothing, owner};
use crate::world::buckets::Upload;
use s3s::dto::{
    Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
    ListPartsOutput, MultipartUpload, Part, StorageClass, Timestamp,
};
use s3s::{S3Result, s3_error};

/// S3 API Reference, `ListMultipartUploads`; delimiters are not modelled.
pub(super) fn list(
    call: &mut S3Call<'_>,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    if input.delimiter.as_deref().is_some_and(|delimiter| !delimiter.is_empty()) {
        return Err(not_implemented("delimiters in lists of uploads"));
    }
    let limit = limit(input.max_uploads)?;
    let bucket = call.bucket(&input.bucket, "s3:ListBucketMultipartUploads")?;
    let account = owner(&bucket.owner);
    let prefix = input.prefix.as_deref().unwrap_or_default();
    // S3 ignores an upload id marker without a key marker (S3 API Reference,
    // `ListMultipartUploads`).
    let key_marker = input.key_marker.as_deref().filter(|marker| !marker.is_empty());
    let id_marker = input.upload_id_marker.as_deref().filter(|id| !id.is_empty());
    let marker = (key_marker.unwrap_or_default(), id_marker.filter(|_| key_marker.is_some()));
    let behind = |key: &str, id: &str| match marker.1 {
        None => key > marker.0,
        Some(upload) => (key, id) > (marker.0, upload),
    };
    let mut found = bucket
        .uploads
        .iter()
        .filter(|((key, id), _)| key.starts_with(prefix) && behind(key, id))
        .peekable();
    let mut uploads = Vec::new();
    while uploads.len() < limit
        && let Some(((key, id), upload)) = found.next()
    {
        uploads.push(MultipartUpload {
            initiated: Some(Timestamp::from(upload.created)),
            initiator: Some(initiator(upload)),
            key: Some(key.clone()),
            owner: Some(account.clone()),
            storage_class: Some(storage_class(upload)),
            upload_id: Some(id.clone()),
            checksum_algorithm: upload.shown_algorithm(),
            checksum_type: upload.shown_type(),
        });
    }
    // S3 returns the markers on the last page too, empty where there is nothing to name.
    let last = uploads.last();
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket.clone()),
        is_truncated: Some(found.peek().is_some()),
        next_key_marker: Some(last.and_then(|it| it.key.clone()).unwrap_or_default()),
        next_upload_id_marker: Some(last.and_then(|it| it.upload_id.clone()).unwrap_or_default()),
        key_marker: Some(marker.0.to_owned()),
        upload_id_marker: Some(marker.1.unwrap_or_default().to_owned()),
        prefix: input.prefix.clone(),
        max_uploads: i32::try_from(limit).ok(),
        uploads: Some(uploads),
        ..nothing()
    })
}

/// S3 API Reference, `ListParts`.
pub(super) fn list_parts(
    call: &mut S3Call<'_>,
    input: ListPartsInput,
) -> S3Result<ListPartsOutput> {
    let limit = limit(input.max_parts)?;
    let bucket = call.bucket_of(&input.bucket, &input.key, "s3:ListMultipartUploadParts")?;
    let account = owner(&bucket.owner);
    let upload = find(bucket, &input.key, &input.upload_id)?;
    let marker = input.part_number_marker.unwrap_or(0);
    let mut found = upload.parts.iter().filter(|(number, _)| **number > marker).peekable();
    let mut parts = Vec::new();
    while parts.len() < limit
        && let Some((number, part)) = found.next()
    {
        let shown = Part {
            e_tag: Some(etag(&part.etag)),
            last_modified: Some(Timestamp::from(part.written)),
            part_number: Some(*number),
            size: i64::try_from(part.data.len()).ok(),
            ..nothing()
        };
        let shown = if upload.chosen { with_checksum!(shown, &part.checksum) } else { shown };
        parts.push(shown);
    }
    let last = parts.last().and_then(|part| part.part_number);
    Ok(ListPartsOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        upload_id: Some(input.upload_id.clone()),
        checksum_algorithm: upload.shown_algorithm(),
        checksum_type: upload.shown_type(),
        initiator: Some(initiator(upload)),
        owner: Some(account),
        is_truncated: Some(found.peek().is_some()),
        max_parts: i32::try_from(limit).ok(),
        next_part_number_marker: Some(last.unwrap_or(0)),
        part_number_marker: Some(marker),
        storage_class: Some(storage_class(upload)),
        parts: Some(parts),
        ..nothing()
    })
}

fn initiator(upload: &Upload) -> Initiator {
    let (id, name) = upload.initiator.clone();
    Initiator { display_name: Some(name), id: Some(id) }
}

fn storage_class(upload: &Upload) -> StorageClass {
    StorageClass::from(
        upload.described.storage_class.clone().unwrap_or_else(|| "STANDARD".to_owned()),
    )
}

fn limit(given: Option<i32>) -> S3Result<usize> {
    let limit = usize::try_from(given.unwrap_or(1000))
        .map_err(|_| s3_error!(InvalidArgument, "Argument max must not be negative"))?;
    Ok(limit.min(1000))
}
