//! A bucket's ownership controls and tags. Not for: the other settings, each of which has a file of
//! its own.

use super::abac::tags_by_s3_control;
use super::acls::not_with_ownership;
use super::call::ResponseStatus;
use super::details::Details;
use super::errors::malformed;
use super::object_tags::MOST;
use crate::s3::call::{S3Call, nothing};
use crate::world::Slow;
use crate::world::buckets::Tags;
use crate::world::buckets::acl::disables_acls;
use bytes::Bytes;
use http::StatusCode;
use s3s::dto::{
    DeleteBucketOwnershipControlsInput, DeleteBucketOwnershipControlsOutput,
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, GetBucketOwnershipControlsInput,
    GetBucketOwnershipControlsOutput, GetBucketTaggingInput, GetBucketTaggingOutput,
    ObjectOwnership, OwnershipControls, OwnershipControlsRule, PutBucketOwnershipControlsInput,
    PutBucketOwnershipControlsOutput, Tag,
};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use serde::Deserialize;

/// Refuses an unknown `ObjectOwnership` value.
pub(super) fn check_ownership(given: &ObjectOwnership) -> S3Result<()> {
    match given.as_str() {
        ObjectOwnership::BUCKET_OWNER_ENFORCED
        | ObjectOwnership::BUCKET_OWNER_PREFERRED
        | ObjectOwnership::OBJECT_WRITER => Ok(()),
        _ => Err(malformed()),
    }
}

/// S3 API Reference, `GetBucketOwnershipControls`.
pub(super) fn get_ownership(
    call: &mut S3Call<'_>,
    input: GetBucketOwnershipControlsInput,
) -> S3Result<GetBucketOwnershipControlsOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetBucketOwnershipControls")?;
    let object_ownership = bucket
        .ownership
        .clone()
        .ok_or_else(|| S3Error::new(S3ErrorCode::OwnershipControlsNotFoundError))?;
    let rules = vec![OwnershipControlsRule { object_ownership }];
    Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules }) })
}

/// S3 API Reference, `PutBucketOwnershipControls`.
pub(super) fn put_ownership(
    call: &mut S3Call<'_>,
    input: PutBucketOwnershipControlsInput,
) -> S3Result<PutBucketOwnershipControlsOutput> {
    let bucket = call.bucket(&input.bucket, "s3:PutBucketOwnershipControls")?;
    let [rule] = <[_; 1]>::try_from(input.ownership_controls.rules).map_err(|_| malformed())?;
    check_ownership(&rule.object_ownership)?;
    // ACLs can be disabled only where the bucket's ACL grants nothing to others (S3 User Guide,
    // "Prerequisites for disabling ACLs").
    if disables_acls(Some(&rule.object_ownership)) && bucket.acl.names_others() {
        return Err(not_with_ownership());
    }
    bucket.ownership = Some(rule.object_ownership);
    Ok(nothing())
}

/// S3 API Reference, `DeleteBucketOwnershipControls`.
pub(super) fn delete_ownership(
    call: &mut S3Call<'_>,
    input: DeleteBucketOwnershipControlsInput,
) -> S3Result<DeleteBucketOwnershipControlsOutput> {
    call.bucket(&input.bucket, "s3:PutBucketOwnershipControls")?.ownership = None;
    Ok(nothing())
}

/// Converts tags to the tag set of a response.
pub(super) fn rendered(tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value): &(String, String)| Tag {
        key: Some(key.clone()),
        value: Some(value.clone()),
    };
    tags.iter().map(tag).collect()
}

/// The body of `PutBucketTagging` and `PutObjectTagging`. S3 takes it without a tag set (recorded:
/// `LocalStack`'s snapshots `test_put_bucket_tagging_none_value` and
/// `test_put_object_tagging_none_value`).
#[derive(Deserialize)]
struct Tagging {
    #[serde(rename = "TagSet")]
    set: Option<TagSet>,
}

#[derive(Deserialize)]
struct TagSet {
    #[serde(rename = "Tag", default)]
    tags: Vec<GivenTag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GivenTag {
    key: String,
    value: String,
}

/// Decodes and checks the tag set in the body of a request.
pub(super) fn read_tags(body: &Bytes, most: usize) -> S3Result<Tags> {
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let given: Tagging = quick_xml::de::from_str(text).map_err(|_| malformed())?;
    let tags = given.set.into_iter().flat_map(|set| set.tags);
    let tags = tags.map(|tag| (tag.key, tag.value)).collect();
    check_tags(&tags, most)?;
    Ok(tags)
}

/// Refuses tags that S3 does not allow (S3 User Guide, "Categorizing your storage using tags"). The
/// limit is that of objects or of buckets.
pub(super) fn check_tags(tags: &Tags, most: usize) -> S3Result<()> {
    if tags.len() > most {
        let text = match most {
            MOST => format!("Object tags cannot be greater than {most}"),
            _ => format!("Bucket tag count cannot be greater than {most}"),
        };
        return Err(super::errors::custom(400, "BadRequest", text));
    }
    for (at, (key, value)) in tags.iter().enumerate() {
        let named =
            |text: &str| Details::on(s3_error!(InvalidTag, "{text}"), [("TagKey", key.clone())]);
        if tags[..at].iter().any(|(other, _)| other == key) {
            return Err(named("Cannot provide multiple Tags with the same key"));
        }
        if key.starts_with("aws:") {
            return Err(named(match most {
                MOST => "Your TagKey cannot be prefixed with aws:",
                _ => "System tags cannot be added/updated by requester",
            }));
        }
        if !is_key(key) {
            return Err(named("The TagKey you have provided is invalid"));
        }
        if !is_value(value) {
            let error = s3_error!(InvalidTag, "The TagValue you have provided is invalid");
            let value = ("TagValue", value.clone());
            return Err(Details::on(error, [("TagKey", key.clone()), value]));
        }
    }
    Ok(())
}

/// Refuses tags that `CreateBucket` and S3 Control's `TagResource` do not allow (S3 API Reference,
/// "Error responses", S3 Tagging error codes; S3 was recorded not to name a reserved key).
pub(super) fn check_new_tags(tags: &Tags) -> S3Result<()> {
    const DUPLICATE: &str = "There are duplicate tag keys in your request. Remove the duplicate tag keys and try again.";
    const RESERVED: &str = "User-defined tag keys can't start with \"aws:\". This prefix is reserved for system tags. Remove \"aws:\" from your tag keys and try again.";
    const INVALID: &str = "This request contains a tag key or value that isn't valid. Valid characters include the following: [a-zA-Z+-=._:/]. Tag keys can contain up to 128 characters. Tag values can contain up to 256 characters.";
    for (at, (key, value)) in tags.iter().enumerate() {
        if tags[..at].iter().any(|(other, _)| other == key) {
            return Err(s3_error!(InvalidTag, "{DUPLICATE}"));
        }
        if key.starts_with("aws:") {
            return Err(s3_error!(InvalidTag, "{RESERVED}"));
        }
        let named = ("TagKey", key.clone());
        if !is_key(key) {
            return Err(Details::on(s3_error!(InvalidTag, "{INVALID}"), [named]));
        }
        if !is_value(value) {
            let details = [named, ("TagValue", value.clone())];
            return Err(Details::on(s3_error!(InvalidTag, "{INVALID}"), details));
        }
    }
    check_tags(tags, 50)
}

fn is_key(key: &str) -> bool {
    (1..=128).contains(&key.chars().count()) && key.chars().all(is_in_tags)
}

fn is_value(value: &str) -> bool {
    value.chars().count() <= 256 && value.chars().all(is_in_tags)
}

/// Returns whether a tag may contain a character: letters, digits, spaces and `_ . : / = + - @`.
fn is_in_tags(letter: char) -> bool {
    letter.is_alphanumeric() || letter.is_whitespace() || "_.:/=+-@".contains(letter)
}

/// S3 API Reference, `GetBucketTagging`.
pub(super) fn get_tagging(
    call: &mut S3Call<'_>,
    input: GetBucketTaggingInput,
) -> S3Result<GetBucketTaggingOutput> {
    let now = call.state.now();
    let tags = call.bucket(&input.bucket, "s3:GetBucketTagging")?.tags.at(now);
    if tags.is_empty() {
        return Err(s3_error!(NoSuchTagSet));
    }
    Ok(GetBucketTaggingOutput { tag_set: rendered(tags) })
}

/// S3 API Reference, `PutBucketTagging`: replaces the whole tag set.
pub(super) fn put_tagging(call: &mut S3Call<'_>, bucket: &str, body: &Bytes) -> S3Result<()> {
    if call.bucket(bucket, "s3:PutBucketTagging")?.abac {
        return Err(tags_by_s3_control());
    }
    set_tags(call, bucket, read_tags(body, 50)?)?;
    call.extra.extensions.insert(ResponseStatus(StatusCode::NO_CONTENT));
    Ok(())
}

fn set_tags(call: &mut S3Call<'_>, name: &str, tags: Tags) -> S3Result<()> {
    let (now, listed) = (call.state.now(), call.state.done_at(Slow::BucketTags));
    call.find_mut(name)?.tags.set(tags, now, listed);
    Ok(())
}

/// S3 API Reference, `DeleteBucketTagging`.
pub(super) fn delete_tagging(
    call: &mut S3Call<'_>,
    input: DeleteBucketTaggingInput,
) -> S3Result<DeleteBucketTaggingOutput> {
    if call.bucket(&input.bucket, "s3:PutBucketTagging")?.abac {
        return Err(tags_by_s3_control());
    }
    set_tags(call, &input.bucket, Tags::new())?;
    Ok(nothing())
}
