//! Listings of objects and of versions, with prefixes, delimiters and pages. Not for: lists of
//! buckets (see `buckets`) and of multipart uploads (see `uploads`).

use super::details::invalid_argument;
use super::reads::{etag, whole_seconds};
use super::tokens::{read_token, token_of};
use crate::s3::call::{S3Call, nothing, owner};
use crate::world::buckets::{Acl, Bucket, Content, NULL, Object, Version};
use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CommonPrefix, DeleteMarkerEntry, EncodingType,
    ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, ObjectStorageClass, ObjectVersion,
    ObjectVersionStorageClass,
};
use s3s::{S3Result, dto, s3_error};

/// The listing parameters of a request.
pub(super) struct Query<'a> {
    pub(super) prefix: &'a str,
    pub(super) delimiter: Option<&'a str>,
    pub(super) limit: usize,
    /// Whether keys are URL-encoded in the response.
    encoded: bool,
}

impl<'a> Query<'a> {
    pub(super) fn new(
        prefix: Option<&'a String>,
        delimiter: Option<&'a String>,
        max_keys: Option<i32>,
        encoding: Option<&EncodingType>,
    ) -> S3Result<Self> {
        let limit = usize::try_from(max_keys.unwrap_or(1000)).map_err(|_| {
            s3_error!(
                InvalidArgument,
                "Argument maxKeys must be an integer between 0 and 2147483647"
            )
        })?;
        let encoded = match encoding.map(EncodingType::as_str) {
            None => false,
            Some(EncodingType::URL) => true,
            Some(other) => {
                let text = "Invalid Encoding Method specified in Request";
                return Err(invalid_argument("encoding-type", other, text));
            }
        };
        Ok(Self {
            prefix: prefix.map_or("", String::as_str),
            delimiter: delimiter.map(String::as_str).filter(|d| !d.is_empty()),
            limit: limit.min(1000),
            encoded,
        })
    }

    /// Returns the common prefix that a key is rolled up into.
    pub(super) fn rolled_up<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter?;
        let rest = key.strip_prefix(self.prefix)?;
        let end = self.prefix.len() + rest.find(delimiter)? + delimiter.len();
        Some(&key[..end])
    }

    /// Returns a key or prefix as the response shows it.
    pub(super) fn show(&self, text: &str) -> String {
        if !self.encoded {
            return text.to_owned();
        }
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        encoded.replace('+', "%20").replace("%2F", "/")
    }

    pub(super) fn encoding(&self) -> Option<EncodingType> {
        self.encoded.then(|| EncodingType::from_static(EncodingType::URL))
    }
}

/// The owners of objects and uploads, as a listing shows them. Where ACLs are disabled, the
/// bucket's owner owns all.
pub(super) struct Owners<'a> {
    bucket: &'a Bucket,
    bucket_owner: dto::Owner,
}

impl<'a> Owners<'a> {
    pub(super) fn of(bucket: &'a Bucket) -> Self {
        Self { bucket, bucket_owner: owner(&bucket.owner) }
    }

    pub(super) fn by(&self, acl: &Acl) -> dto::Owner {
        if self.bucket.has_acls() && acl.owner != self.bucket.owner {
            owner(&acl.owner)
        } else {
            self.bucket_owner.clone()
        }
    }
}

/// One line of a listing: a common prefix, or a version of a key.
enum Line<'a> {
    Prefix(&'a str),
    Version { key: &'a str, version: &'a Version, newest: bool },
}

/// The end of a page: the last key or prefix, and the version id if the last line was a version.
type End = (String, Option<String>);

/// Collects the lines of one page after `start`. The second value is the end of the page, if there
/// are more lines.
fn gather<'a>(
    bucket: &'a Bucket,
    query: &Query<'_>,
    start: Option<(&str, Option<&str>)>,
    all_versions: bool,
) -> (Vec<Line<'a>>, Option<End>) {
    let mut lines: Vec<Line<'a>> = Vec::new();
    let mut last_prefix: Option<&str> = None;
    for (key, versions) in &bucket.objects {
        let rolled_up = query.rolled_up(key);
        if !key.starts_with(query.prefix) || (rolled_up.is_some() && rolled_up == last_prefix) {
            continue;
        }
        let mut behind = None;
        match start {
            Some((marker, _)) if key.as_str() < marker => continue,
            // The page after one that ended with a common prefix skips all keys with that prefix.
            // A marker below a common prefix skips the prefix too.
            Some((marker, _)) if rolled_up.is_some_and(|prefix| marker.starts_with(prefix)) => {
                continue;
            }
            Some((marker, version)) if key == marker => match version {
                None => continue,
                Some(version) => behind = Some(version),
            },
            _ => {}
        }
        let skipped = behind.map_or(0, |id| seen(versions, id));
        for (back, version) in versions.iter().rev().enumerate().skip(skipped) {
            let newest = back == 0;
            let visible = all_versions || (newest && matches!(version.content, Content::Object(_)));
            if !visible {
                continue;
            }
            if lines.len() == query.limit {
                let end = end_of(&lines);
                return (lines, end);
            }
            if let Some(prefix) = rolled_up {
                last_prefix = Some(prefix);
                lines.push(Line::Prefix(prefix));
                break;
            }
            lines.push(Line::Version { key, version, newest });
        }
    }
    (lines, None)
}

/// Returns how many versions of a key, newest first, the previous page has shown if it ended with
/// `id`. If that version no longer exists, as when a client deletes page by page, the versions with
/// a greater id count: version ids sort by the time of the write.
fn seen(versions: &[Version], id: &str) -> usize {
    let at = versions.iter().rev().position(|version| version.id == id);
    at.map_or_else(
        || versions.iter().rev().take_while(|v| v.id != NULL && *v.id > *id).count(),
        |at| at + 1,
    )
}

/// Returns the end of a page. With `max-keys=0` a page has no end, and S3 returns a listing that is
/// not truncated.
fn end_of(lines: &[Line<'_>]) -> Option<End> {
    match lines.last()? {
        Line::Prefix(prefix) => Some(((*prefix).to_owned(), None)),
        Line::Version { key, version, .. } => Some(((*key).to_owned(), Some(version.id.clone()))),
    }
}

/// S3 API Reference, `ListObjectsV2`.
pub(super) fn objects(
    call: &mut S3Call<'_>,
    input: ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    let bucket = call.bucket(&input.bucket, "s3:ListBucket")?;
    let query = Query::new(
        input.prefix.as_ref(),
        input.delimiter.as_ref(),
        input.max_keys,
        input.encoding_type.as_ref(),
    )?;
    let token = input.continuation_token.as_deref();
    // An empty token counts as none.
    let continued = token.filter(|token| !token.is_empty()).map(read_token).transpose()?;
    let start = continued.as_deref().or(input.start_after.as_deref());
    let (lines, end) = gather(bucket, &query, start.map(|key| (key, None)), false);
    let owners = (input.fetch_owner == Some(true)).then(|| Owners::of(bucket));
    let (contents, prefixes) = shown(&lines, &query, owners.as_ref());
    Ok(ListObjectsV2Output {
        name: Some(input.bucket.clone()),
        prefix: Some(query.show(query.prefix)),
        delimiter: query.delimiter.map(|d| query.show(d)),
        max_keys: i32::try_from(query.limit).ok(),
        key_count: i32::try_from(lines.len()).ok(),
        is_truncated: Some(end.is_some()),
        next_continuation_token: end.map(|(key, _)| token_of(&key)),
        encoding_type: query.encoding(),
        start_after: input
            .start_after
            .as_deref()
            .filter(|_| token.is_none())
            .map(|key| query.show(key)),
        contents: Some(contents),
        common_prefixes: Some(common(prefixes)),
        continuation_token: input.continuation_token.clone(),
        ..nothing()
    })
}

/// S3 API Reference, `ListObjects`: the older version of the operation, with a key as its page
/// marker.
pub(super) fn objects_v1(
    call: &mut S3Call<'_>,
    input: ListObjectsInput,
) -> S3Result<ListObjectsOutput> {
    let bucket = call.bucket(&input.bucket, "s3:ListBucket")?;
    let query = Query::new(
        input.prefix.as_ref(),
        input.delimiter.as_ref(),
        input.max_keys,
        input.encoding_type.as_ref(),
    )?;
    let marker = input.marker.as_deref().filter(|marker| !marker.is_empty());
    let (lines, end) = gather(bucket, &query, marker.map(|key| (key, None)), false);
    let (contents, prefixes) = shown(&lines, &query, Some(&Owners::of(bucket)));
    Ok(ListObjectsOutput {
        name: Some(input.bucket.clone()),
        prefix: Some(query.show(query.prefix)),
        delimiter: query.delimiter.map(|d| query.show(d)),
        marker: Some(query.show(marker.unwrap_or_default())),
        max_keys: i32::try_from(query.limit).ok(),
        is_truncated: Some(end.is_some()),
        // S3 returns NextMarker only with a delimiter; without a delimiter, the last key is the
        // marker for the next page.
        next_marker: end.filter(|_| query.delimiter.is_some()).map(|(key, _)| query.show(&key)),
        encoding_type: query.encoding(),
        contents: Some(contents),
        common_prefixes: Some(common(prefixes)),
        ..nothing()
    })
}

fn checksum_algorithm(object: &Object) -> ChecksumAlgorithm {
    ChecksumAlgorithm::from_static(object.checksum.algorithm.name())
}

fn checksum_type(object: &Object) -> ChecksumType {
    ChecksumType::from_static(object.checksum.kind())
}

/// Returns the objects and the common prefixes of a page.
fn shown(
    lines: &[Line<'_>],
    query: &Query<'_>,
    owners: Option<&Owners<'_>>,
) -> (Vec<dto::Object>, Vec<String>) {
    let (mut contents, mut prefixes) = (Vec::new(), Vec::new());
    for line in lines {
        match line {
            Line::Prefix(prefix) => prefixes.push(query.show(prefix)),
            Line::Version { key, version, .. } => {
                let Content::Object(object) = &version.content else { continue };
                contents.push(dto::Object {
                    checksum_algorithm: Some(vec![checksum_algorithm(object)]),
                    checksum_type: Some(checksum_type(object)),
                    e_tag: Some(etag(&object.etag)),
                    key: Some(query.show(key)),
                    last_modified: Some(whole_seconds(version.written)),
                    owner: owners.map(|owners| owners.by(&object.acl)),
                    size: size(object),
                    storage_class: Some(ObjectStorageClass::from(class(object))),
                    ..nothing()
                });
            }
        }
    }
    (contents, prefixes)
}

/// S3 API Reference, `ListObjectVersions`: sorted by key, newest version first.
pub(super) fn versions(
    call: &mut S3Call<'_>,
    input: ListObjectVersionsInput,
) -> S3Result<ListObjectVersionsOutput> {
    let bucket = call.bucket(&input.bucket, "s3:ListBucketVersions")?;
    let query = Query::new(
        input.prefix.as_ref(),
        input.delimiter.as_ref(),
        input.max_keys,
        input.encoding_type.as_ref(),
    )?;
    let (key_marker, id_marker) = (
        input.key_marker.as_deref().filter(|marker| !marker.is_empty()),
        input.version_id_marker.as_deref().filter(|marker| !marker.is_empty()),
    );
    if let (Some(id), None) = (id_marker, key_marker) {
        let text = "A version-id marker cannot be specified without a key marker.";
        return Err(invalid_argument("version-id-marker", id, text));
    }
    let (lines, end) = gather(bucket, &query, key_marker.map(|key| (key, id_marker)), true);
    let owners = Owners::of(bucket);
    let (mut versions, mut markers, mut prefixes) = (Vec::new(), Vec::new(), Vec::new());
    for line in &lines {
        let (key, version, newest) = match line {
            Line::Prefix(prefix) => {
                prefixes.push(query.show(prefix));
                continue;
            }
            Line::Version { key, version, newest } => (query.show(key), *version, *newest),
        };
        let (is_latest, last_modified) = (Some(newest), Some(whole_seconds(version.written)));
        let version_id = Some(version.id.clone());
        match &version.content {
            Content::Object(object) => versions.push(ObjectVersion {
                checksum_algorithm: Some(vec![checksum_algorithm(object)]),
                checksum_type: Some(checksum_type(object)),
                e_tag: Some(etag(&object.etag)),
                is_latest,
                key: Some(key),
                last_modified,
                owner: Some(owners.by(&object.acl)),
                size: size(object),
                storage_class: Some(ObjectVersionStorageClass::from(class(object))),
                version_id,
                ..nothing()
            }),
            Content::DeleteMarker => markers.push(DeleteMarkerEntry {
                is_latest,
                key: Some(key),
                last_modified,
                owner: Some(owners.bucket_owner.clone()),
                version_id,
            }),
        }
    }
    let truncated = end.is_some();
    let (next_key, next_id) = end.unzip();
    Ok(ListObjectVersionsOutput {
        name: Some(input.bucket.clone()),
        prefix: Some(query.show(query.prefix)),
        delimiter: query.delimiter.map(|d| query.show(d)),
        max_keys: i32::try_from(query.limit).ok(),
        key_marker: Some(query.show(key_marker.unwrap_or_default())),
        version_id_marker: Some(id_marker.unwrap_or_default().to_owned()),
        is_truncated: Some(truncated),
        next_key_marker: next_key.map(|key| query.show(&key)),
        next_version_id_marker: next_id.flatten(),
        encoding_type: query.encoding(),
        versions: Some(versions),
        delete_markers: Some(markers),
        common_prefixes: Some(common(prefixes)),
        ..nothing()
    })
}

pub(super) fn common(prefixes: Vec<String>) -> Vec<CommonPrefix> {
    let named = prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(prefix) });
    named.collect()
}

fn size(object: &Object) -> Option<i64> {
    i64::try_from(object.data.len()).ok()
}

fn class(object: &Object) -> String {
    object.described.storage_class.clone().unwrap_or_else(|| "STANDARD".into())
}
