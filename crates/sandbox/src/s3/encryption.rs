//! Server-side encryption: a bucket's default encryption, and the encryption that a request asks
//! for. Not for: KMS keys (see `kms`), or checking that a key can be used (see `permit`).

use super::blocked_encryption;
use super::details::Details;
use super::errors::{malformed, not_implemented, unusable};
use crate::s3::call::{S3Call, nothing};
use crate::world::Slow;
use crate::world::buckets::{BlockedEncryption, Sse, default_of};
use bytes::Bytes;
use s3s::dto::{
    DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput, GetBucketEncryptionInput,
    GetBucketEncryptionOutput, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use s3s::{S3Result, s3_error};

/// The header of an upload that is to be encrypted with a key of the client's own (SSE-C).
const SSE_C: &str = "x-amz-server-side-encryption-customer-algorithm";

/// The encryption headers of an upload.
pub(super) struct EncryptionHeaders<'a> {
    pub(super) algorithm: Option<&'a ServerSideEncryption>,
    pub(super) key: Option<&'a str>,
    pub(super) bucket_key: Option<bool>,
    /// Whether the request carries a customer-provided key (SSE-C) or an encryption context, which
    /// are not modelled.
    pub(super) beyond: bool,
}

/// Reads the encryption headers from the input of an operation.
macro_rules! encryption_headers {
    ($input:expr) => {
        $crate::s3::encryption::EncryptionHeaders {
            algorithm: $input.server_side_encryption.as_ref(),
            key: $input.ssekms_key_id.as_deref(),
            bucket_key: $input.bucket_key_enabled,
            beyond: $input.sse_customer_algorithm.is_some()
                || $input.ssekms_encryption_context.is_some(),
        }
    };
}
pub(super) use encryption_headers;

/// Returns how an upload to a bucket is encrypted (S3 API Reference, `PutObject`, the
/// `x-amz-server-side-encryption` headers). `S3Call::check_key` then checks that the key can be
/// used, and that the caller may use it.
pub(super) fn decide(
    call: &mut S3Call<'_>,
    bucket: &str,
    asked: &EncryptionHeaders<'_>,
) -> S3Result<Sse> {
    let blocks = call.visit(bucket)?.blocked_encryption == BlockedEncryption::SseC;
    if blocks && call.headers.contains_key(SSE_C) {
        return Err(s3_error!(AccessDenied, "Access Denied"));
    }
    if asked.beyond {
        return Err(not_implemented("SSE-C and encryption contexts of the client's own"));
    }
    let now = call.state.now();
    let caller = call.caller.clone();
    let Some(found) = call.state.buckets.0.get(bucket) else { return Err(s3_error!(NoSuchBucket)) };
    let default_bucket_key = found.has_bucket_key(now);
    let kms = &mut call.state.kms;
    match (asked.algorithm.map(ServerSideEncryption::as_str), asked.key) {
        (None, None) => default_of(found, kms, &caller, now, asked.bucket_key).map_err(unusable),
        (Some(ServerSideEncryption::AES256), None) => Ok(Sse::S3),
        (
            Some(name @ (ServerSideEncryption::AWS_KMS | ServerSideEncryption::AWS_KMS_DSSE)),
            key,
        ) => {
            let key = match key {
                Some(key) => kms.resolve(&caller, key).map_err(unusable)?,
                None => kms.managed_for_s3(&caller, now),
            };
            let dual = name == ServerSideEncryption::AWS_KMS_DSSE;
            let bucket_key = !dual && asked.bucket_key.unwrap_or(default_bucket_key);
            Ok(Sse::Kms { dual, key, bucket_key })
        }
        (Some(ServerSideEncryption::AES256) | None, Some(_)) => Err(s3_error!(
            InvalidArgument,
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"
        )),
        (Some(_), _) => {
            Err(s3_error!(InvalidArgument, "The encryption method specified is not supported"))
        }
    }
}

/// Returns the default encryption of a bucket without a configuration of its own (S3 User Guide,
/// "Default encryption FAQ": SSE-S3 since January 2023).
fn initial() -> ServerSideEncryptionRule {
    let algorithm = ServerSideEncryption::from_static(ServerSideEncryption::AES256);
    ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
            kms_master_key_id: None,
            sse_algorithm: algorithm,
        }),
        bucket_key_enabled: Some(false),
    }
}

/// S3 API Reference, `GetBucketEncryption`.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetBucketEncryptionInput,
) -> S3Result<GetBucketEncryptionOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetEncryptionConfiguration")?;
    let rules = vec![(*bucket.encryption).clone().unwrap_or_else(initial)];
    let blocked = blocked_encryption::rendered(bucket.blocked_encryption);
    call.extra.extensions.insert(vec![blocked]);
    let configuration = ServerSideEncryptionConfiguration { rules };
    Ok(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) })
}

/// S3 API Reference, `PutBucketEncryption`: the KMS key is not checked. A request without the types
/// to block keeps what is blocked; AWS does not document what it does.
pub(super) fn put(call: &mut S3Call<'_>, bucket: &str, body: &Bytes) -> S3Result<()> {
    call.bucket(bucket, "s3:PutEncryptionConfiguration")?;
    let (mut rule, blocked) = blocked_encryption::read(body)?;
    let default = rule.apply_server_side_encryption_by_default.as_ref().ok_or_else(malformed)?;
    match (default.sse_algorithm.as_str(), &default.kms_master_key_id) {
        (ServerSideEncryption::AES256, Some(_)) => {
            let error = s3_error!(
                InvalidArgument,
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
            );
            let name = "ApplyServerSideEncryptionByDefault".to_owned();
            return Err(Details::on(error, [("ArgumentName", name)]));
        }
        (ServerSideEncryption::AES256, None)
        | (ServerSideEncryption::AWS_KMS | ServerSideEncryption::AWS_KMS_DSSE, _) => {}
        _ => return Err(malformed()),
    }
    rule.bucket_key_enabled = Some(rule.bucket_key_enabled.unwrap_or(false));
    set(call, bucket, Some(rule))?;
    if let Some(blocked) = blocked {
        call.find_mut(bucket)?.blocked_encryption = blocked;
    }
    Ok(())
}

/// S3 API Reference, `DeleteBucketEncryption`: resets the default encryption to SSE-S3.
pub(super) fn delete(
    call: &mut S3Call<'_>,
    input: DeleteBucketEncryptionInput,
) -> S3Result<DeleteBucketEncryptionOutput> {
    call.bucket(&input.bucket, "s3:PutEncryptionConfiguration")?;
    set(call, &input.bucket, None)?;
    call.find_mut(&input.bucket)?.blocked_encryption = BlockedEncryption::default();
    Ok(nothing())
}

fn set(call: &mut S3Call<'_>, name: &str, rule: Option<ServerSideEncryptionRule>) -> S3Result<()> {
    let (now, from) = (call.state.now(), call.state.done_at(Slow::Setting));
    call.find_mut(name)?.encryption.set(rule, now, from);
    Ok(())
}
