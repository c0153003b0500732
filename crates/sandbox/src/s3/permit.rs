//! Access to a bucket: its existence, Region and owner, the caller's permission, and S3's condition
//! keys. Not for: Block Public Access (see `gate::bucket_policy`).

use super::errors::{redirect, version_2_refused, wrong_region};
use super::host::Target;
use super::signed::Mechanism;
use crate::gate::{AccessRequest, AccessTarget, Denied, ThroughS3, authorize};
use crate::s3::call::S3Call;
use crate::s3::errors::custom;
use crate::world::buckets::{Bucket, Object, Sse, bucket_arn, object_arn};
use crrctl_iam::names::{AccountId, Region};
use crrctl_iam::{Context, Principal};
use s3s::{S3Error, S3Result, s3_error};

/// Headers that are condition keys with the prefix `s3:` and their own names (Service Authorization
/// Reference, "Condition keys for Amazon S3").
const HEADERS: [&str; 15] = [
    "x-amz-acl",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-grant-read-acp",
    "x-amz-grant-write",
    "x-amz-grant-write-acp",
    "x-amz-metadata-directive",
    "x-amz-object-ownership",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
];

/// Actions with the headers `If-Match` and `If-None-Match` as condition keys.
const WRITES: [&str; 3] = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"];

/// The value of `s3:TlsVersion` of a request that counts as sent over TLS.
const TLS_VERSION: &str = "1.3";

/// Query parameters that are condition keys.
const PARAMETERS: [(&str, &str); 3] =
    [("delimiter", "s3:delimiter"), ("max-keys", "s3:max-keys"), ("prefix", "s3:prefix")];

/// The key of an object, and the version that an operation names. An operation that names none uses
/// the newest version.
pub(super) type KeyVersion<'a> = (&'a str, Option<&'a str>);

/// Returns a query parameter.
pub(super) fn parameter(uri: &http::Uri, name: &str) -> Option<String> {
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Returns how long ago a request was signed, in milliseconds (`s3:signatureAge`).
fn age_of(stamp: &str) -> Option<i64> {
    let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
    let signed = signed.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(jiff::Timestamp::now().as_millisecond() - signed.as_millisecond())
}

impl S3Call<'_> {
    /// Returns a bucket for `action`. The bucket must exist, be in the Region that the request is
    /// signed for, and belong to the expected owner. The caller must be allowed to perform
    /// `action`, and must agree to pay if the bucket is a Requester Pays bucket.
    pub(super) fn bucket(&mut self, name: &str, action: &str) -> S3Result<&mut Bucket> {
        self.enter(name, None, action)
    }

    /// Like [`Self::bucket`], for an action on an object.
    pub(super) fn bucket_of(
        &mut self,
        name: &str,
        object: KeyVersion<'_>,
        action: &str,
    ) -> S3Result<&mut Bucket> {
        self.enter(name, Some(object), action)
    }

    /// Like [`Self::bucket`], for a bucket of any Region where the path names the bucket.
    pub(super) fn bucket_anywhere(&mut self, name: &str, action: &str) -> S3Result<&mut Bucket> {
        let in_path = self.extensions.get::<Target>().is_some_and(|target| !target.in_host);
        if in_path {
            self.owned_as_expected(name)?;
        } else {
            self.visit(name)?;
        }
        self.permitted(name, None, action).map_err(refused)?;
        self.pays(name)?;
        self.find_mut(name)
    }

    fn enter(
        &mut self,
        name: &str,
        object: Option<KeyVersion<'_>>,
        action: &str,
    ) -> S3Result<&mut Bucket> {
        self.visit(name)?;
        self.permitted(name, object, action).map_err(refused)?;
        self.pays(name)?;
        self.find_mut(name)
    }

    /// Returns a bucket whose access has already been checked.
    pub(super) fn find_mut(&mut self, name: &str) -> S3Result<&mut Bucket> {
        self.state.buckets.0.get_mut(name).ok_or_else(|| s3_error!(NoSuchBucket))
    }

    /// Returns a bucket after checking its Region and expected owner, but no permission.
    pub(super) fn visit(&self, name: &str) -> S3Result<&Bucket> {
        let bucket = self.state.found_bucket(name).ok_or_else(|| s3_error!(NoSuchBucket))?;
        if bucket.region != self.caller.region {
            return Err(self.elsewhere(&bucket.region));
        }
        self.owned_as_expected(name)
    }

    /// Returns a bucket after checking its expected owner only.
    fn owned_as_expected(&self, name: &str) -> S3Result<&Bucket> {
        let bucket = self.state.buckets.0.get(name).ok_or_else(|| s3_error!(NoSuchBucket))?;
        let expected = self.headers.get("x-amz-expected-bucket-owner");
        let given = expected.and_then(|owner| owner.to_str().ok()).unwrap_or_default();
        if expected.is_some() && AccountId::new(given).is_err() {
            let text = format!(
                "The value of the expected bucket owner parameter must be an AWS Account ID... [{given}]"
            );
            return Err(custom(400, "InvalidBucketOwnerAWSAccountID", text));
        }
        if expected.is_some_and(|owner| owner.as_bytes() != bucket.owner.as_str().as_bytes()) {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        Ok(bucket)
    }

    /// Returns the error for a bucket of another Region than that of the signature. A host name
    /// with the bucket leads to the bucket's Region; a path leads to the Region that the request
    /// is signed for, which redirects.
    fn elsewhere(&self, region: &Region) -> S3Error {
        let in_host = self.extensions.get::<Target>().is_some_and(|target| target.in_host);
        match self.mechanism {
            mechanism if mechanism.is_version_2() => version_2_refused(),
            _ if in_host => wrong_region(self.mechanism, self.caller.region.as_str(), region),
            _ => redirect(region),
        }
    }

    /// Checks whether the caller may perform `action` on a bucket, or on an object in it.
    pub(super) fn permitted(
        &self,
        name: &str,
        object: Option<KeyVersion<'_>>,
        action: &str,
    ) -> Result<(), Denied> {
        let found = self.state.buckets.0.get(name).zip(object);
        let existing = found.and_then(|(bucket, (key, version))| bucket.object(key, version));
        self.decide(name, object, action, existing)
    }

    /// Like [`Self::permitted`], for an action on an object that the request creates.
    pub(super) fn permitted_new(&self, name: &str, key: &str, action: &str) -> Result<(), Denied> {
        self.decide(name, Some((key, None)), action, None)
    }

    /// Checks whether the caller may perform `action`; `existing` is the object that it reads or
    /// changes.
    fn decide(
        &self,
        name: &str,
        object: Option<KeyVersion<'_>>,
        action: &str,
        existing: Option<&Object>,
    ) -> Result<(), Denied> {
        let partition = self.caller.partition();
        let arn = match object {
            Some((key, _)) => object_arn(partition, name, key),
            None => bucket_arn(partition, name),
        };
        let context = || {
            let mut context = self.context(action);
            if let Some((_, Some(version))) = object {
                context.set("s3:VersionId", version);
            }
            context
        };
        let Some(bucket) = self.state.buckets.0.get(name) else {
            let request = AccessRequest::plain(action, arn, &self.caller.account);
            return authorize(&self.state.iam, &self.caller, request, context);
        };
        if self.is_owners_way_back(bucket, action) {
            return Ok(());
        }
        let target = AccessTarget { bucket, object: existing, action, arn };
        target.authorize(self.state, &self.caller, context)
    }

    /// Returns whether the caller is the root user of the bucket owner's account and `action` gets,
    /// puts or deletes the bucket policy. This is always allowed, even where the policy denies it
    /// (S3 User Guide, "Bucket policies for Amazon S3", S3 API Reference, `PutBucketPolicy`).
    fn is_owners_way_back(&self, bucket: &Bucket, action: &str) -> bool {
        let policy = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];
        let root = matches!(self.caller.principal, Principal::Root { .. });
        root && self.caller.account == bucket.owner && policy.contains(&action)
    }

    /// Returns the condition keys of the request. A header without a value gives no key.
    pub(super) fn context(&self, action: &str) -> Context {
        let header = |name: &str| {
            let value = self.headers.get(name)?.to_str().ok()?;
            (!value.is_empty()).then_some(value)
        };
        let mut context = self.asked.clone();
        let signature = match self.mechanism {
            Mechanism::HeaderV4 => Some(("AWS4-HMAC-SHA256", "REST-HEADER")),
            Mechanism::QueryV4 => Some(("AWS4-HMAC-SHA256", "REST-QUERY-STRING")),
            Mechanism::HeaderV2 => Some(("AWS", "REST-HEADER")),
            Mechanism::QueryV2 => Some(("AWS", "REST-QUERY-STRING")),
            Mechanism::FormV4 => Some(("AWS4-HMAC-SHA256", "POST")),
            Mechanism::FormV2 => Some(("AWS", "POST")),
            Mechanism::None => None,
        };
        if let Some((version, kind)) = signature {
            context.set("s3:signatureversion", version);
            context.set("s3:authType", kind);
        }
        for name in self.headers.keys().filter(|name| HEADERS.contains(&name.as_str())) {
            if let Some(value) = header(name.as_str()) {
                context.set(&format!("s3:{name}"), value);
            }
        }
        for (name, key) in [("user-agent", "aws:UserAgent"), ("referer", "aws:Referer")] {
            if let Some(value) = header(name) {
                context.set(key, value);
            }
        }
        for name in ["if-match", "if-none-match"] {
            if let Some(value) = header(name).filter(|_| WRITES.contains(&action)) {
                context.set(&format!("s3:{name}"), value);
            }
        }
        if self.caller.secure {
            context.set("s3:TlsVersion", TLS_VERSION);
        }
        let stamp = parameter(&self.uri, "X-Amz-Date");
        if let Some(age) = stamp.as_deref().or_else(|| header("x-amz-date")).and_then(age_of) {
            context.set("s3:signatureAge", age.to_string());
        }
        for (name, key) in PARAMETERS {
            if let Some(value) = parameter(&self.uri, name) {
                context.set(key, value);
            }
        }
        if let Some(tags) = header("x-amz-tagging") {
            let tags: Vec<_> = form_urlencoded::parse(tags.as_bytes()).into_owned().collect();
            for (key, value) in &tags {
                context.set(&format!("s3:RequestObjectTag/{key}"), value);
            }
            context.set_all("s3:RequestObjectTagKeys", tags.iter().map(|(key, _)| key));
        }
        context
    }

    /// Checks whether S3 may use the object's KMS key for the caller, and whether the key can be
    /// used now.
    pub(super) fn check_key(
        &self,
        sse: &Sse,
        action: &str,
        bucket: &str,
        key: &str,
    ) -> S3Result<()> {
        self.check_key_in((&self.caller.region, bucket, key), sse, action)
    }

    /// Like [`Self::check_key`], for an object in any Region.
    pub(super) fn check_key_in(
        &self,
        (region, bucket, key): (&Region, &str, &str),
        sse: &Sse,
        action: &str,
    ) -> S3Result<()> {
        let Sse::Kms { key: arn, .. } = sse else { return Ok(()) };
        if self.mechanism.is_version_2() {
            return Err(s3_error!(
                InvalidArgument,
                "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
            ));
        }
        let bound_to = sse.context(self.caller.partition(), bucket, key);
        let wanted = ThroughS3 { action, key: arn, region, bound_to: &bound_to };
        let state = &self.state;
        state
            .kms
            .permit_s3(&state.iam, &self.caller, &wanted)
            .map_err(|denied| s3_error!(AccessDenied, "{}", denied.message()))?;
        state.kms.check_state(arn).map_err(super::errors::unusable)?;
        state.kms.uses.note(arn, action, state.now());
        Ok(())
    }
}

/// Converts a denial to S3's `AccessDenied` error, in S3's wording.
pub(super) fn refused(denied: Denied) -> S3Error {
    s3_error!(AccessDenied, "{}", denied.quoted())
}
