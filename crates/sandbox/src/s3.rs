//! S3 on `s3s`, which decodes requests and verifies signatures. The table at the end of this file
//! maps each operation to the function that performs it; `own_routes` has those that `s3s` can't
//! decode, and `s3s` returns `NotImplemented` for any other. Not for: replication, which runs
//! asynchronously (see `replication`).

mod abac;
mod acceleration;
mod acl_requests;
mod acls;
mod answers;
mod attributes;
mod authorizer;
mod blocked_encryption;
mod buckets;
mod call;
mod checksum;
mod completion;
mod copies;
mod deletes;
mod details;
mod encryption;
mod errors;
mod event_hold;
mod form;
mod host;
mod internal_writes;
mod lifecycle;
mod lifecycle_rules;
mod listing;
mod lock;
mod lock_settings;
mod mismatch;
mod logging;
mod multipart;
mod notifications;
mod object_tags;
mod objects;
mod own_routes;
mod payment;
mod permit;
mod policies;
mod post_policy;
mod posts;
mod public_access;
mod reads;
mod regions;
mod retention;
mod rewrites;
mod rules;
mod settings;
mod signature_v2;
mod signed;
mod sub_resources;
mod text_headers;
mod tokens;
mod turns;
mod uploads;
mod versioning;
mod writes;

pub(crate) use answers::refuse;
use errors::wrong_region;
pub(crate) use errors::{bodies_full, error_of, fault_of, too_large, unauthenticated};
pub(crate) use internal_writes::deliver;
pub(crate) use signed::version_2_key;

use crate::gate::{Shared, verify_headers};
use crate::s3::authorizer::{Authorizer, Secrets};
use crate::s3::call::{ExtraOutput, S3Call};
use crate::s3::checksum::DigestFormat;
use crate::s3::details::{DetailsSlot, Subject, stored};
use crate::s3::host::{Hosts, Target};
use crate::s3::rewrites::Verified;
use crate::s3::signed::Mechanism;
use crate::wire::{Answer, Note};
use crate::world::iam::Who;
use crate::world::{Caller, State};
use bytes::Bytes;
use crrctl_iam::Context;
use crrctl_iam::names::Region;
use futures::TryStreamExt;
use http::request::Parts;
use s3s::dto::{PutObjectInput, PutObjectOutput, StreamingBlob, UploadPartInput, UploadPartOutput};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use std::sync::Arc;

/// The S3 service: `s3s`, with the sandbox's own layers before and after it (see `answers`).
pub(crate) struct Service {
    inner: S3Service,
    shared: Arc<Shared>,
    hosts: Hosts,
}

impl Service {
    /// Creates the service on the state in `shared`.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let mut builder = S3ServiceBuilder::new(Dispatcher { shared: shared.clone() });
        builder.set_auth(Secrets { shared: shared.clone() });
        let hosts = Hosts::new(&shared.settings.hostnames);
        builder.set_host(hosts.clone());
        builder.set_access(Authorizer { shared: shared.clone() });
        let authorizer = Authorizer { shared: shared.clone() };
        let dispatcher = Dispatcher { shared: shared.clone() };
        builder.set_route(own_routes::OwnRoutes { authorizer, dispatcher });
        Self { inner: builder.build(), shared, hosts }
    }

    /// Handles one request: runs the checks that `s3s` omits, passes the request to `s3s`, and
    /// completes the response.
    pub(crate) async fn answer(&self, parts: Parts, body: Bytes, id: &str) -> Answer {
        let mut target = self.hosts.target(&parts);
        let (mut parts, mut body) = (parts, body);
        let reply = match posts::take(&self.shared, &mut parts, &mut body, &mut target) {
            Ok(reply) => reply,
            Err(error) => {
                return answers::refuse_request(error, id, &Subject::of(&parts, &target));
            }
        };
        let (subject, slot) = (Subject::of(&parts, &target), DetailsSlot::default());
        parts.extensions.insert(slot.clone());
        let checked = self.check_bucket(&parts, &target);
        let checked = checked.and_then(|()| self.check_region(&parts, &target));
        let checked = checked.and_then(|()| answers::prepare(&mut parts, &body, &target));
        if let Err(error) = checked {
            return answers::refuse_request(error, id, &subject);
        }
        parts.extensions.insert(target);
        rewrites::apply(&self.shared, &mut parts, &mut body);
        let note = Note::of(&parts.extensions).cloned();
        let request = http::Request::from_parts(parts, s3s::Body::from(body));
        let Ok(answer) = self.inner.call(request).await else {
            return refuse(s3_error!(InternalError), id);
        };
        let mut answer = answers::complete(answer, id, &subject, slot.get());
        let operation = note.as_ref().and_then(|note| note.operation.get());
        if operation.is_some_and(|operation| operation != "GetObject") {
            answers::break_line(&mut answer);
        }
        if let Some(reply) = reply.filter(|_| answer.status().is_success()) {
            reply.complete(&mut answer);
        }
        answer
    }
}

impl Service {
    /// Refuses a bucket whose name has a slash, which is encoded in the path. The signature of such
    /// a request comes first: it covers the slash as such.
    fn check_bucket(&self, parts: &Parts, target: &Target) -> S3Result<()> {
        let is_signed = Mechanism::of(&parts.uri, &parts.headers) != Mechanism::None;
        let odd = target.bucket.contains('/') && is_signed;
        if odd && verify_headers(&self.shared, parts).is_err() {
            return Err(s3_error!(SignatureDoesNotMatch));
        }
        Ok(())
    }

    /// Refuses a signature for something that is no Region, such as `US`.
    fn check_region(&self, parts: &Parts, target: &Target) -> S3Result<()> {
        let mechanism = Mechanism::of(&parts.uri, &parts.headers);
        let Some(given) = signed::region(parts, mechanism) else { return Ok(()) };
        if Region::new(&*given).is_ok() {
            return Ok(());
        }
        let state = self.shared.lock();
        let bucket = state.buckets.0.get(&target.bucket);
        let expected = bucket.map_or_else(Region::us_east_1, |bucket| bucket.region.clone());
        Err(wrong_region(mechanism, &given, &expected))
    }
}

/// Runs each operation on the locked state.
struct Dispatcher {
    shared: Arc<Shared>,
}

impl Dispatcher {
    fn run<I, O>(
        &self,
        request: S3Request<I>,
        perform: impl FnOnce(&mut S3Call<'_>, I) -> S3Result<O>,
    ) -> S3Result<S3Response<O>> {
        let slot = DetailsSlot::of(&request.extensions);
        let mechanism = Mechanism::verified(&request);
        let mut state = self.shared.lock();
        let caller = caller(&request, mechanism, &state, self.shared.settings.secure);
        let caller = stored(slot.as_ref(), caller)?;
        if let Some(note) = Note::of(&request.extensions) {
            note.set_caller(&caller);
        }
        let (headers, uri, extensions) = (request.headers, request.uri, request.extensions);
        let mut call = S3Call {
            state: &mut state,
            caller,
            mechanism,
            headers,
            uri,
            extensions,
            asked: Context::new(),
            extra: ExtraOutput::default(),
        };
        let done = perform(&mut call, request.input);
        let ExtraOutput { headers, extensions } = std::mem::take(&mut call.extra);
        if state.replication.has_work() {
            self.shared.replicate.notify_one();
        }
        let done = stored(slot.as_ref(), done);
        done.map(|output| S3Response { headers, extensions, ..S3Response::new(output) })
    }
}

/// Returns the caller of a request, with the Region of its signature. Without a Region, a Signature
/// Version 2 is one for us-east-1, the only Region of the sandbox that accepts it, and an anonymous
/// request is one for the Region of the bucket.
fn caller<I>(
    request: &S3Request<I>,
    mechanism: Mechanism,
    state: &State,
    secure: bool,
) -> S3Result<Caller> {
    let who = request.extensions.get::<Who>().cloned();
    let who = who.ok_or_else(|| s3_error!(InvalidAccessKeyId))?;
    let target = request.extensions.get::<Target>();
    let bucket = target.and_then(|target| state.buckets.0.get(&target.bucket));
    let of_bucket = bucket.map(|bucket| &bucket.region);
    let verified = request.extensions.get::<Verified>();
    let region = match (&request.region, of_bucket) {
        (None, _) if verified.is_some() => {
            verified.map_or_else(Region::us_east_1, |verified| verified.region.clone())
        }
        (None, Some(region)) if mechanism == Mechanism::None => region.clone(),
        (None, _) => Region::us_east_1(),
        (Some(given), _) => Region::new(given.as_str()).map_err(|_| {
            let expected = of_bucket.cloned().unwrap_or_else(Region::us_east_1);
            wrong_region(mechanism, given.as_str(), &expected)
        })?,
    };
    Ok(Caller::new(who, region, secure))
}

/// Reads the whole body of an upload, verifies the checksums in its trailing headers, and adds the
/// trailing headers to the request headers.
async fn upload<I>(request: &mut S3Request<I>, body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let mut data = bytes::BytesMut::new();
    if let Some(mut body) = body {
        while let Some(chunk) = body.try_next().await.map_err(|error| {
            tracing::info!(%error, "an upload could not be decoded");
            s3_error!(
                IncompleteBody,
                "You did not provide the number of bytes specified by the Content-Length HTTP header."
            )
        })? {
            data.extend_from_slice(&chunk);
        }
    }
    checksum::check_length(&request.headers, data.len())?;
    let trailers = request.trailing_headers.take().and_then(|t| t.take()).unwrap_or_default();
    checksum::check_trailers(&request.headers, &trailers)?;
    let slot = DetailsSlot::of(&request.extensions);
    stored(slot.as_ref(), checksum::verify(&trailers, &data, DigestFormat::Hex))?;
    request.headers.extend(trailers);
    Ok(data.freeze())
}

/// Implements the `S3` trait of `s3s` from a table that maps each operation to its function.
macro_rules! operations {
    ($($method:ident($input:ident) -> $output:ident = $perform:path;)*) => {
        #[async_trait::async_trait]
        impl S3 for Dispatcher {
            $(async fn $method(
                &self,
                request: S3Request<s3s::dto::$input>,
            ) -> S3Result<S3Response<s3s::dto::$output>> {
                let target = request.extensions.get::<Target>();
                let bucket = target.map_or("", |target| &target.bucket);
                let _turn = turns::take(&self.shared, stringify!($method), bucket).await?;
                self.run(request, $perform)
            })*

            async fn put_object(
                &self,
                mut request: S3Request<PutObjectInput>,
            ) -> S3Result<S3Response<PutObjectOutput>> {
                let body = request.input.body.take();
                let data = upload(&mut request, body).await?;
                self.run(request, |call, input| writes::put(call, input, data))
            }

            async fn upload_part(
                &self,
                mut request: S3Request<UploadPartInput>,
            ) -> S3Result<S3Response<UploadPartOutput>> {
                let body = request.input.body.take();
                let data = upload(&mut request, body).await?;
                self.run(request, |call, input| multipart::upload_part(call, &input, data))
            }
        }
    };
}

operations! {
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = multipart::abort;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = completion::complete;
    copy_object(CopyObjectInput) -> CopyObjectOutput = copies::copy;
    create_bucket(CreateBucketInput) -> CreateBucketOutput = buckets::create;
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = multipart::create;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = buckets::delete;
    delete_bucket_encryption(DeleteBucketEncryptionInput) -> DeleteBucketEncryptionOutput = encryption::delete;
    delete_bucket_lifecycle(DeleteBucketLifecycleInput) -> DeleteBucketLifecycleOutput = lifecycle::delete;
    delete_bucket_ownership_controls(DeleteBucketOwnershipControlsInput) -> DeleteBucketOwnershipControlsOutput = settings::delete_ownership;
    delete_bucket_policy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput = policies::delete;
    delete_bucket_replication(DeleteBucketReplicationInput) -> DeleteBucketReplicationOutput = rules::delete;
    delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput = settings::delete_tagging;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = deletes::one;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = object_tags::delete;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = deletes::many;
    delete_public_access_block(DeletePublicAccessBlockInput) -> DeletePublicAccessBlockOutput = public_access::delete;
    get_bucket_accelerate_configuration(GetBucketAccelerateConfigurationInput) -> GetBucketAccelerateConfigurationOutput = acceleration::get;
    get_bucket_acl(GetBucketAclInput) -> GetBucketAclOutput = acls::get_bucket;
    get_bucket_encryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput = encryption::get;
    get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput) -> GetBucketLifecycleConfigurationOutput = lifecycle::get;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;
    get_bucket_logging(GetBucketLoggingInput) -> GetBucketLoggingOutput = logging::get;
    get_bucket_notification_configuration(GetBucketNotificationConfigurationInput) -> GetBucketNotificationConfigurationOutput = notifications::get;
    get_bucket_ownership_controls(GetBucketOwnershipControlsInput) -> GetBucketOwnershipControlsOutput = settings::get_ownership;
    get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput = policies::get;
    get_bucket_policy_status(GetBucketPolicyStatusInput) -> GetBucketPolicyStatusOutput = policies::status;
    get_bucket_replication(GetBucketReplicationInput) -> GetBucketReplicationOutput = rules::get;
    get_bucket_request_payment(GetBucketRequestPaymentInput) -> GetBucketRequestPaymentOutput = payment::get;
    get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput = settings::get_tagging;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = versioning::get;
    get_object(GetObjectInput) -> GetObjectOutput = objects::get;
    get_object_lock_configuration(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput = lock_settings::get;
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = attributes::get;
    get_object_acl(GetObjectAclInput) -> GetObjectAclOutput = acls::get_object;
    get_object_legal_hold(GetObjectLegalHoldInput) -> GetObjectLegalHoldOutput = retention::get_legal_hold;
    get_object_retention(GetObjectRetentionInput) -> GetObjectRetentionOutput = retention::get;
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = object_tags::get;
    get_public_access_block(GetPublicAccessBlockInput) -> GetPublicAccessBlockOutput = public_access::get;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
    head_object(HeadObjectInput) -> HeadObjectOutput = objects::head;
    list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = uploads::list;
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = listing::versions;
    list_objects(ListObjectsInput) -> ListObjectsOutput = listing::objects_v1;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = listing::objects;
    list_parts(ListPartsInput) -> ListPartsOutput = uploads::list_parts;
    put_bucket_accelerate_configuration(PutBucketAccelerateConfigurationInput) -> PutBucketAccelerateConfigurationOutput = acceleration::put;
    put_bucket_acl(PutBucketAclInput) -> PutBucketAclOutput = acls::put_bucket;
    put_bucket_lifecycle_configuration(PutBucketLifecycleConfigurationInput) -> PutBucketLifecycleConfigurationOutput = lifecycle::put;
    put_bucket_logging(PutBucketLoggingInput) -> PutBucketLoggingOutput = logging::put;
    put_bucket_notification_configuration(PutBucketNotificationConfigurationInput) -> PutBucketNotificationConfigurationOutput = notifications::put;
    put_bucket_ownership_controls(PutBucketOwnershipControlsInput) -> PutBucketOwnershipControlsOutput = settings::put_ownership;
    put_bucket_policy(PutBucketPolicyInput) -> PutBucketPolicyOutput = policies::put;
    put_bucket_replication(PutBucketReplicationInput) -> PutBucketReplicationOutput = rules::put;
    put_bucket_request_payment(PutBucketRequestPaymentInput) -> PutBucketRequestPaymentOutput = payment::put;
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = versioning::put;
    put_object_acl(PutObjectAclInput) -> PutObjectAclOutput = acls::put_object;
    put_object_legal_hold(PutObjectLegalHoldInput) -> PutObjectLegalHoldOutput = retention::put_legal_hold;
    put_object_lock_configuration(PutObjectLockConfigurationInput) -> PutObjectLockConfigurationOutput = lock_settings::put;
    put_object_retention(PutObjectRetentionInput) -> PutObjectRetentionOutput = retention::put;
    put_public_access_block(PutPublicAccessBlockInput) -> PutPublicAccessBlockOutput = public_access::put;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = copies::copy_part;
}
