//! Lists of multipart uploads in progress and of their parts. Not for: creating or completing an
//! upload (see `multipart`).

use super::checksum::with_checksum;
use super::details::invalid_argument;
use super::listing::{Owners, Query, common};
use super::multipart::find;
use super::reads::{etag, whole_seconds};
use crate::s3::call::{S3Call, nothing};
use crate::world::buckets::{Bucket, Upload};
use s3s::dto::{
    Initiator, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput,
    ListPartsOutput, MultipartUpload, Part, StorageClass,
};
use s3s::{S3Result, s3_error};

/// S3 API Reference, `ListMultipartUploads`.
pub(super) fn list(
    call: &mut S3Call<'_>,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    let query = Query::new(
        input.prefix.as_ref(),
        input.delimiter.as_ref(),
        input.max_uploads,
        input.encoding_type.as_ref(),
    )?;
    let bucket = call.bucket(&input.bucket, "s3:ListBucketMultipartUploads")?;
    // S3 ignores an upload id marker without a key marker (S3 API Reference,
    // `ListMultipartUploads`).
    let key_marker = input.key_marker.as_deref().filter(|marker| !marker.is_empty());
    let id_marker = input.upload_id_marker.as_deref().filter(|id| !id.is_empty());
    let marker = (key_marker.unwrap_or_default(), id_marker.filter(|_| key_marker.is_some()));
    check_marker(bucket, marker)?;
    let page = Page::of(bucket, &query, marker);
    let owners = Owners::of(bucket);
    let shown = |(key, id, upload): &(&String, &String, &Upload)| MultipartUpload {
        initiated: Some(whole_seconds(upload.created)),
        initiator: Some(initiator(upload)),
        key: Some(query.show(key)),
        owner: Some(owners.by(&upload.acl)),
        storage_class: Some(storage_class(upload)),
        upload_id: Some((*id).clone()),
        checksum_algorithm: upload.shown_algorithm(),
        checksum_type: upload.shown_type(),
    };
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket.clone()),
        is_truncated: Some(page.truncated),
        // S3 returns the markers on the last page too, empty where there is nothing to name.
        next_key_marker: Some(query.show(&page.end.0)),
        next_upload_id_marker: Some(page.end.1),
        key_marker: Some(query.show(marker.0)),
        upload_id_marker: Some(marker.1.unwrap_or_default().to_owned()),
        prefix: input.prefix.as_deref().map(|prefix| query.show(prefix)),
        delimiter: query.delimiter.map(|delimiter| query.show(delimiter)),
        encoding_type: query.encoding(),
        max_uploads: i32::try_from(query.limit).ok(),
        uploads: Some(page.uploads.iter().map(shown).collect()),
        common_prefixes: Some(common(page.prefixes.iter().map(|it| query.show(it)).collect())),
        ..nothing()
    })
}

/// Refuses an upload id marker that belongs to another key than the key marker.
fn check_marker(bucket: &Bucket, (key, id): (&str, Option<&str>)) -> S3Result<()> {
    let Some(id) = id else { return Ok(()) };
    if bucket.uploads.keys().any(|(other, upload)| upload == id && other != key) {
        return Err(invalid_argument("upload-id-marker", id, "Invalid uploadId marker"));
    }
    Ok(())
}

/// One page of the uploads of a bucket.
struct Page<'a> {
    uploads: Vec<(&'a String, &'a String, &'a Upload)>,
    prefixes: Vec<&'a str>,
    /// The key and upload id of the last upload, or the last common prefix.
    end: (String, String),
    truncated: bool,
}

impl<'a> Page<'a> {
    fn of(bucket: &'a Bucket, query: &Query<'_>, marker: (&str, Option<&str>)) -> Self {
        let (uploads, prefixes) = (Vec::new(), Vec::new());
        let mut page = Self { uploads, prefixes, end: Default::default(), truncated: false };
        let behind = |key: &str, id: &str| match marker.1 {
            None => key > marker.0,
            Some(upload) => (key, id) > (marker.0, upload),
        };
        for ((key, id), upload) in &bucket.uploads {
            let prefix = query.rolled_up(key);
            // The page after one that ended with a common prefix skips all uploads below it.
            let skipped = prefix.is_some_and(|prefix| marker.0.starts_with(prefix));
            let is_known = prefix.is_some() && prefix == page.prefixes.last().copied();
            if !key.starts_with(query.prefix) || !behind(key, id) || skipped || is_known {
                continue;
            }
            if page.uploads.len() + page.prefixes.len() == query.limit {
                page.truncated = query.limit > 0;
                break;
            }
            if let Some(prefix) = prefix {
                page.prefixes.push(prefix);
                page.end = (prefix.to_owned(), String::new());
            } else {
                page.uploads.push((key, id, upload));
                page.end = (key.clone(), id.clone());
            }
        }
        page
    }
}

/// S3 API Reference, `ListParts`.
pub(super) fn list_parts(
    call: &mut S3Call<'_>,
    input: ListPartsInput,
) -> S3Result<ListPartsOutput> {
    let limit = limit(input.max_parts)?;
    let bucket =
        call.bucket_of(&input.bucket, (&input.key, None), "s3:ListMultipartUploadParts")?;
    let acl = find(bucket, &input.key, &input.upload_id)?.acl.clone();
    let owner = Owners::of(bucket).by(&acl);
    let upload = find(bucket, &input.key, &input.upload_id)?;
    let marker = input.part_number_marker.unwrap_or(0);
    let mut found = upload.parts.iter().filter(|(number, _)| **number > marker).peekable();
    let mut parts = Vec::new();
    while parts.len() < limit
        && let Some((number, part)) = found.next()
    {
        let shown = Part {
            e_tag: Some(etag(&part.etag)),
            last_modified: Some(whole_seconds(part.written)),
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
        owner: Some(owner),
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
