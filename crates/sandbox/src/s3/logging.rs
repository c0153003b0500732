//! Server access logging: the configuration is stored, checked and returned. The sandbox writes no
//! logs. Not for: the log of the sandbox's own requests (see `wire::journal`).

use super::acl_requests::by_email;
use super::details::Details;
use super::errors::{custom, malformed};
use crate::s3::call::{S3Call, nothing};
use crate::world::buckets::Bucket;
use crate::world::buckets::acl::{AclGrantee, AclGroup, AclPermission};
use s3s::dto::{
    GetBucketLoggingInput, GetBucketLoggingOutput, LoggingEnabled, PutBucketLoggingInput,
    PutBucketLoggingOutput, Type,
};
use s3s::{S3Error, S3Result, s3_error};

/// S3 API Reference, `GetBucketLogging`: empty where logging is off.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetBucketLoggingInput,
) -> S3Result<GetBucketLoggingOutput> {
    let bucket = call.bucket(&input.bucket, "s3:GetBucketLogging")?;
    Ok(GetBucketLoggingOutput { logging_enabled: bucket.logging.clone() })
}

/// S3 API Reference, `PutBucketLogging`: without `LoggingEnabled`, logging is turned off.
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutBucketLoggingInput,
) -> S3Result<PutBucketLoggingOutput> {
    call.bucket(&input.bucket, "s3:PutBucketLogging")?;
    let logging = input.bucket_logging_status.logging_enabled;
    if let Some(logging) = &logging {
        check(call, &input.bucket, logging)?;
    }
    call.find_mut(&input.bucket)?.logging = logging;
    Ok(nothing())
}

/// Checks the target bucket: it has the owner and the Region of the bucket, and lets S3 deliver
/// logs (S3 API Reference, `PutBucketLogging`; S3 User Guide, "Enabling Amazon S3 server access
/// logging"). The code for another Region is spelled as clients report it from S3; no source that
/// was read has its details, or the messages for the owner and the grants.
fn check(call: &S3Call<'_>, name: &str, logging: &LoggingEnabled) -> S3Result<()> {
    let bucket = call.visit(name)?;
    let target = call.state.buckets.0.get(&logging.target_bucket).ok_or_else(|| {
        invalid_target("The target bucket for logging does not exist", &logging.target_bucket)
    })?;
    if target.owner != bucket.owner {
        let text = "The owner for the bucket to be logged and the target bucket must be the same.";
        return Err(invalid_target(text, &logging.target_bucket));
    }
    if target.region != bucket.region {
        let text = "Cross S3 location logging not allowed. ".to_owned();
        let error = custom(403, "CrossLocationLoggingProhibitted", text);
        let there = ("TargetBucketLocation", target.region.to_string());
        let here = ("SourceBucketLocation", bucket.region.to_string());
        return Err(match bucket.region.as_str() {
            "us-east-1" => Details::on(error, [there]),
            _ => Details::on(error, [here, there]),
        });
    }
    if target.requester_pays {
        let text = "The target bucket for logging can't be a Requester Pays bucket.";
        return Err(invalid_target(text, &logging.target_bucket));
    }
    let grants = logging.target_grants.as_deref().unwrap_or_default();
    if !target.has_acls() && !grants.is_empty() {
        return Err(s3_error!(AccessControlListNotSupported, "The bucket does not allow ACLs"));
    }
    let known = ["FULL_CONTROL", "READ", "WRITE"];
    for grant in grants {
        let permission = grant.permission.as_ref().map_or("", |permission| permission.as_str());
        let Some(grantee) = &grant.grantee else { return Err(malformed()) };
        if grantee.type_.as_str() == Type::AMAZON_CUSTOMER_BY_EMAIL {
            return Err(by_email());
        }
        if !known.contains(&permission) {
            return Err(malformed());
        }
    }
    if target.has_acls() && target.policy.is_none() && !grants_log_delivery(target) {
        let text = "You must give the log-delivery group WRITE and READ_ACP permissions to the target bucket";
        return Err(invalid_target(text, &logging.target_bucket));
    }
    Ok(())
}

/// Returns whether the bucket's ACL lets the log delivery group write.
fn grants_log_delivery(target: &Bucket) -> bool {
    let group = AclGrantee::Group(AclGroup::LogDelivery);
    let gives = |permission| {
        let mut grants = target.acl.grants.iter();
        grants.any(|grant| grant.grantee == group && grant.gives(permission))
    };
    gives(AclPermission::Write) && gives(AclPermission::ReadAcp)
}

fn invalid_target(text: &str, bucket: &str) -> S3Error {
    let error = custom(400, "InvalidTargetBucketForLogging", text.to_owned());
    Details::on(error, [("TargetBucket", bucket.to_owned())])
}
