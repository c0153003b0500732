//! A bucket's settings: public access block, ownership, policy, tags, lifecycle. Not for:
//! versioning (see `versioning`), encryption (see `encryption`), replication (see `rules`) or
//! Object Lock (see `lock_settings`).

use super::call::ResponseStatus;
use super::errors::malformed;
use crate::gate::is_public;
use crate::s3::call::{S3Call, nothing};
use crate::world::buckets::{Tags, random_text};
use crate::world::documents::read;
use crate::world::{Flaw, Slow};
use crrctl_iam::document::Scope;
use crrctl_iam::{Document, DocumentKind};
use http::StatusCode;
use s3s::dto::{
    DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput, DeleteBucketOwnershipControlsInput,
    DeleteBucketOwnershipControlsOutput, DeleteBucketPolicyInput, DeleteBucketPolicyOutput,
    DeleteBucketTaggingInput, DeleteBucketTaggingOutput, DeletePublicAccessBlockInput,
    DeletePublicAccessBlockOutput, ExpirationStatus, GetBucketLifecycleConfigurationInput,
    GetBucketLifecycleConfigurationOutput, GetBucketOwnershipControlsInput,
    GetBucketOwnershipControlsOutput, GetBucketPolicyInput, GetBucketPolicyOutput,
    GetBucketTaggingInput, GetBucketTaggingOutput, GetPublicAccessBlockInput,
    GetPublicAccessBlockOutput, LifecycleRule, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, PublicAccessBlockConfiguration, PutBucketLifecycleConfigurationInput,
    PutBucketLifecycleConfigurationOutput, PutBucketOwnershipControlsInput,
    PutBucketOwnershipControlsOutput, PutBucketPolicyInput, PutBucketPolicyOutput,
    PutBucketTaggingInput, PutBucketTaggingOutput, PutPublicAccessBlockInput,
    PutPublicAccessBlockOutput, Tag, TransitionDefaultMinimumObjectSize,
};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

/// Returns the public access block of a new bucket (S3 User Guide, "Blocking public access": all on
/// since April 2023).
pub(super) fn all_blocked() -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration {
        block_public_acls: Some(true),
        block_public_policy: Some(true),
        ignore_public_acls: Some(true),
        restrict_public_buckets: Some(true),
    }
}

/// S3 API Reference, `GetPublicAccessBlock`.
pub(super) fn get_public_access_block(
    call: &mut S3Call<'_>,
    input: GetPublicAccessBlockInput,
) -> S3Result<GetPublicAccessBlockOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetBucketPublicAccessBlock")?;
    let block = bucket.public_access_block.clone().ok_or_else(|| {
        super::errors::custom(
            404,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found".into(),
        )
    })?;
    Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(block) })
}

/// S3 API Reference, `PutPublicAccessBlock`: an omitted setting is off.
pub(super) fn put_public_access_block(
    call: &mut S3Call<'_>,
    input: PutPublicAccessBlockInput,
) -> S3Result<PutPublicAccessBlockOutput> {
    let given = input.public_access_block_configuration;
    let explicit = |setting: Option<bool>| Some(setting.unwrap_or(false));
    let bucket = call.bucket(&input.bucket, "s3:PutBucketPublicAccessBlock")?;
    bucket.public_access_block = Some(PublicAccessBlockConfiguration {
        block_public_acls: explicit(given.block_public_acls),
        block_public_policy: explicit(given.block_public_policy),
        ignore_public_acls: explicit(given.ignore_public_acls),
        restrict_public_buckets: explicit(given.restrict_public_buckets),
    });
    Ok(nothing())
}

/// S3 API Reference, `DeletePublicAccessBlock`.
pub(super) fn delete_public_access_block(
    call: &mut S3Call<'_>,
    input: DeletePublicAccessBlockInput,
) -> S3Result<DeletePublicAccessBlockOutput> {
    call.bucket(&input.bucket, "s3:PutBucketPublicAccessBlock")?.public_access_block = None;
    Ok(nothing())
}

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

/// S3 API Reference, `GetBucketPolicy`.
pub(super) fn get_policy(
    call: &mut S3Call<'_>,
    input: GetBucketPolicyInput,
) -> S3Result<GetBucketPolicyOutput> {
    let policy = call.bucket(&input.bucket, "s3:GetBucketPolicy")?.policy.clone();
    match policy {
        Some(policy) => Ok(GetBucketPolicyOutput { policy: Some(policy.shown(&call.state.iam)) }),
        None => Err(s3_error!(NoSuchBucketPolicy)),
    }
}

/// S3 API Reference, `PutBucketPolicy`: the maximum size is 20 KB (S3 User Guide, "Bucket
/// policies").
pub(super) fn put_policy(
    call: &mut S3Call<'_>,
    input: PutBucketPolicyInput,
) -> S3Result<PutBucketPolicyOutput> {
    call.bucket(&input.bucket, "s3:PutBucketPolicy")?;
    let malformed = |text: &str| s3_error!(MalformedPolicy, "{text}");
    if input.policy.len() > 20 * 1024 {
        return Err(malformed("Policy exceeds the maximum allowed document size."));
    }
    let parsed: Option<serde_json::Value> = serde_json::from_str(&input.policy).ok();
    let parsed = parsed
        .filter(serde_json::Value::is_object)
        .ok_or_else(|| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    if parsed["Statement"].is_null() {
        return Err(malformed("Missing required field Statement"));
    }
    let policy = read(DocumentKind::BucketPolicy, &input.policy, &call.state.iam);
    let policy = policy.map_err(|flaw| match flaw {
        Flaw::NotJson(finding) | Flaw::Malformed(finding) => malformed(&finding),
        Flaw::Principal(_) => malformed("Invalid principal in policy"),
    })?;
    check_resources(&policy.document, &input.bucket)?;
    let denied = (call.caller.arn(), call.caller.partition());
    let bucket = call.bucket(&input.bucket, "s3:PutBucketPolicy")?;
    if bucket.blocks_public_policy() && is_public(&policy.document) {
        let ((user, partition), name) = (denied, &input.bucket);
        return Err(s3_error!(
            AccessDenied,
            "User: {user} is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:{partition}:s3:::{name}\" because public \
             policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
        ));
    }
    bucket.policy = Some(policy);
    Ok(nothing())
}

/// Refuses a bucket policy whose resources name another bucket (S3 User Guide, "Troubleshooting
/// bucket policies").
fn check_resources(document: &Document, bucket: &str) -> S3Result<()> {
    let resources = document.statements.iter().filter_map(|statement| statement.resource.as_ref());
    let strange = |resource: &&String| {
        let name = resource.splitn(6, ':').nth(5).unwrap_or_default();
        let name = name.split('/').next().unwrap_or_default();
        name != bucket && !name.contains(['*', '?', '$'])
    };
    if resources.flat_map(Scope::listed).any(|resource| strange(&resource)) {
        return Err(s3_error!(MalformedPolicy, "Policy has invalid resource"));
    }
    Ok(())
}

/// S3 API Reference, `DeleteBucketPolicy`.
pub(super) fn delete_policy(
    call: &mut S3Call<'_>,
    input: DeleteBucketPolicyInput,
) -> S3Result<DeleteBucketPolicyOutput> {
    call.bucket(&input.bucket, "s3:DeleteBucketPolicy")?.policy = None;
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

/// Converts and checks the tag set of a request.
pub(super) fn read_tags(set: Vec<Tag>, most: usize) -> S3Result<Tags> {
    let tags: Option<Tags> =
        set.into_iter().map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect();
    let tags = tags.ok_or_else(malformed)?;
    check_tags(&tags, most)?;
    Ok(tags)
}

/// Refuses tags that S3 does not allow (S3 User Guide, "Categorizing your storage using tags").
pub(super) fn check_tags(tags: &Tags, most: usize) -> S3Result<()> {
    if tags.len() > most {
        return Err(super::errors::custom(
            400,
            "BadRequest",
            format!("Object tags cannot be greater than {most}"),
        ));
    }
    for (at, (key, value)) in tags.iter().enumerate() {
        if !(1..=128).contains(&key.chars().count()) {
            return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
        }
        if value.chars().count() > 256 {
            return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
        }
        if key.starts_with("aws:") {
            return Err(s3_error!(InvalidTag, "System tags cannot be added/updated by requester"));
        }
        if tags[..at].iter().any(|(other, _)| other == key) {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(())
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
pub(super) fn put_tagging(
    call: &mut S3Call<'_>,
    input: PutBucketTaggingInput,
) -> S3Result<PutBucketTaggingOutput> {
    call.bucket(&input.bucket, "s3:PutBucketTagging")?;
    set_tags(call, &input.bucket, read_tags(input.tagging.tag_set, 50)?)?;
    call.extra.extensions.insert(ResponseStatus(StatusCode::NO_CONTENT));
    Ok(nothing())
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
    call.bucket(&input.bucket, "s3:PutBucketTagging")?;
    set_tags(call, &input.bucket, Tags::new())?;
    Ok(nothing())
}

/// S3 API Reference, `GetBucketLifecycleConfiguration`.
pub(super) fn get_lifecycle(
    call: &mut S3Call<'_>,
    input: GetBucketLifecycleConfigurationInput,
) -> S3Result<GetBucketLifecycleConfigurationOutput> {
    let lifecycle = call.bucket(&input.bucket, "s3:GetLifecycleConfiguration")?.lifecycle.clone();
    let (rules, least) = lifecycle.ok_or_else(|| s3_error!(NoSuchLifecycleConfiguration))?;
    Ok(GetBucketLifecycleConfigurationOutput {
        rules: Some(rules),
        transition_default_minimum_object_size: least,
    })
}

/// S3 API Reference, `PutBucketLifecycleConfiguration`: the rules are stored and returned, but the
/// sandbox expires no objects.
pub(super) fn put_lifecycle(
    call: &mut S3Call<'_>,
    input: PutBucketLifecycleConfigurationInput,
) -> S3Result<PutBucketLifecycleConfigurationOutput> {
    let bucket = call.bucket(&input.bucket, "s3:PutLifecycleConfiguration")?;
    let mut rules = input.lifecycle_configuration.ok_or_else(malformed)?.rules;
    let known = |status: &ExpirationStatus| {
        matches!(status.as_str(), ExpirationStatus::ENABLED | ExpirationStatus::DISABLED)
    };
    // Each rule has a Filter, which may be empty, or the older Prefix.
    let has_scope = |rule: &LifecycleRule| rule.filter.is_some() || rule.prefix.is_some();
    let is_valid = |rule: &LifecycleRule| known(&rule.status) && has_scope(rule);
    if rules.is_empty() || rules.len() > 1000 || !rules.iter().all(is_valid) {
        return Err(malformed());
    }
    if bucket.mfa_delete {
        // MFA delete excludes a lifecycle configuration (S3 User Guide, "Setting an S3 Lifecycle
        // configuration on a bucket"). The error code is not documented.
        return Err(s3_error!(
            InvalidBucketState,
            "Lifecycle configuration on MFA enabled buckets is not supported."
        ));
    }
    for rule in &mut rules {
        rule.id.get_or_insert_with(|| random_text(32));
    }
    // The value that S3 applies and returns where the request has none (S3 API Reference,
    // "x-amz-transition-default-minimum-object-size").
    let least = input.transition_default_minimum_object_size.unwrap_or_else(|| {
        TransitionDefaultMinimumObjectSize::from_static(
            TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K,
        )
    });
    let known = [
        TransitionDefaultMinimumObjectSize::ALL_STORAGE_CLASSES_128K,
        TransitionDefaultMinimumObjectSize::VARIES_BY_STORAGE_CLASS,
    ];
    if !known.contains(&least.as_str()) {
        return Err(s3_error!(
            InvalidArgument,
            "The transition default minimum object size is not known"
        ));
    }
    let least = Some(least);
    bucket.lifecycle = Some((rules, least.clone()));
    Ok(PutBucketLifecycleConfigurationOutput { transition_default_minimum_object_size: least })
}

/// S3 API Reference, `DeleteBucketLifecycle`.
pub(super) fn delete_lifecycle(
    call: &mut S3Call<'_>,
    input: DeleteBucketLifecycleInput,
) -> S3Result<DeleteBucketLifecycleOutput> {
    call.bucket(&input.bucket, "s3:PutLifecycleConfiguration")?.lifecycle = None;
    Ok(nothing())
}
