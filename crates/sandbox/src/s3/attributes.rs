//! `GetObjectAttributes` (S3 API Reference). Not for: `HeadObject` (see `objects`).

use super::call::{ExtraXml, S3Call, nothing};
use super::checksum::with_checksum;
use super::errors::not_implemented;
use super::objects::hidden;
use super::permit::refused;
use super::reads::{action_for, find};
use crate::wire::query::element;
use crate::world::buckets::{Checksum, Object, ObjectPart, Versioning};
use s3s::dto::{
    ChecksumType, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts,
    ObjectAttributes, StorageClass, Timestamp,
};
use s3s::{S3Result, dto};

/// The default and the maximum of `x-amz-max-parts`.
const MAX_PARTS: i32 = 1000;

/// S3 API Reference, `GetObjectAttributes`: the caller needs the permission to read the object and
/// that to read its attributes, and `kms:Decrypt` on its key.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetObjectAttributesInput,
) -> S3Result<GetObjectAttributesOutput> {
    if input.sse_customer_algorithm.is_some() {
        return Err(not_implemented("SSE-C"));
    }
    let (name, key, version) = (&input.bucket, &input.key, input.version_id.as_deref());
    call.bucket_of(
        name,
        (key, version),
        action_for(version, "s3:GetObject", "s3:GetObjectVersion"),
    )?;
    let action = action_for(version, "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes");
    call.permitted(name, Some((key, version)), action).map_err(refused)?;
    let bucket = call.visit(name)?;
    let is_versioned = *bucket.versioning != Versioning::Never;
    let (found, object) = find(bucket, key, version).map_err(|error| hidden(call, name, error))?;
    call.check_key(&object.sse, "kms:Decrypt", name, key)?;
    // One header may name several attributes.
    let named = input.object_attributes.iter().flat_map(|it| it.as_str().split(','));
    let named: Vec<&str> = named.map(str::trim).collect();
    let asks = |attribute: &str| named.contains(&attribute);
    let output = GetObjectAttributesOutput {
        checksum: asks(ObjectAttributes::CHECKSUM).then(|| checksum(object)),
        last_modified: Some(Timestamp::from(found.written)),
        object_parts: parts(object, &input).filter(|_| asks(ObjectAttributes::OBJECT_PARTS)),
        object_size: size(object.data.len()).filter(|_| asks(ObjectAttributes::OBJECT_SIZE)),
        storage_class: asks(ObjectAttributes::STORAGE_CLASS).then(|| storage_class(object)),
        version_id: is_versioned.then(|| found.id.clone()),
        ..nothing()
    };
    // S3 returns this `ETag` without quotation marks, which `s3s` would write.
    if asks(ObjectAttributes::ETAG) {
        let xml = element("ETag", &object.etag);
        let before = "</GetObjectAttributesResponse>".to_owned();
        call.extra.extensions.insert(vec![ExtraXml { before, xml }]);
    }
    Ok(output)
}

fn size(bytes: usize) -> Option<i64> {
    i64::try_from(bytes).ok()
}

fn storage_class(object: &Object) -> StorageClass {
    let class = object.described.storage_class.clone();
    StorageClass::from(class.unwrap_or_else(|| StorageClass::STANDARD.to_owned()))
}

/// Returns the checksum of an object; that of a composite one without the number of its parts (S3
/// User Guide, "Tutorial: Checking the integrity of data in Amazon S3 with additional checksums").
fn checksum(object: &Object) -> dto::Checksum {
    let value = object.checksum.value.split('-').next().unwrap_or_default().to_owned();
    let bare = Checksum { value, ..object.checksum.clone() };
    let kind = Some(ChecksumType::from_static(object.checksum.kind()));
    let output = dto::Checksum { checksum_type: kind, ..nothing() };
    with_checksum!(output, &bare)
}

/// Returns the parts of an object that was uploaded in parts. Only parts with a checksum that the
/// client chose are listed; of others there is the number alone.
fn parts(object: &Object, input: &GetObjectAttributesInput) -> Option<GetObjectAttributesParts> {
    if object.parts.is_empty() {
        return None;
    }
    let total_parts_count = i32::try_from(object.parts.len()).ok();
    if object.parts.iter().any(|part| part.checksum.is_none()) {
        return Some(GetObjectAttributesParts { total_parts_count, ..nothing() });
    }
    let marker = input.part_number_marker.unwrap_or(0);
    let limit = input.max_parts.unwrap_or(MAX_PARTS).clamp(0, MAX_PARTS);
    let behind: Vec<&ObjectPart> = object.parts.iter().filter(|it| it.number > marker).collect();
    let page: Vec<&ObjectPart> =
        behind.iter().take(usize::try_from(limit).unwrap_or(0)).copied().collect();
    Some(GetObjectAttributesParts {
        is_truncated: Some(page.len() < behind.len()),
        max_parts: Some(limit),
        next_part_number_marker: Some(page.last().map_or(0, |part| part.number)),
        part_number_marker: Some(marker),
        parts: Some(page.into_iter().map(shown).collect()),
        total_parts_count,
    })
}

fn shown(part: &ObjectPart) -> dto::ObjectPart {
    let output =
        dto::ObjectPart { part_number: Some(part.number), size: size(part.size), ..nothing() };
    match &part.checksum {
        Some(checksum) => with_checksum!(output, checksum),
        None => output,
    }
}
