//! Operations that `s3s` does not have, or of whose bodies it refuses some that S3 takes. They are
//! decoded from the body as it was sent.
//! Not for: what they do (see `abac`, `encryption`, `settings` and `object_tags`).

use super::host::Target;
use super::rewrites::Verified;
use super::{Authorizer, Dispatcher, abac, encryption, object_tags, settings, turns, upload};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Extensions, HeaderMap, Method, Uri};
use s3s::dto::StreamingBlob;
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result, s3_error};

/// The route of these operations.
pub(super) struct OwnRoutes {
    pub(super) authorizer: Authorizer,
    pub(super) dispatcher: Dispatcher,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OwnOperation {
    GetBucketAbac,
    PutBucketAbac,
    PutBucketEncryption,
    PutBucketTagging,
    PutObjectTagging,
}

impl OwnOperation {
    fn of(method: &Method, uri: &Uri, extensions: &Extensions) -> Option<Self> {
        let query = uri.query().unwrap_or_default();
        let names =
            |name: &str| form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name);
        let is_object = extensions.get::<Target>().is_some_and(|target| !target.key.is_empty());
        match *method {
            Method::PUT if is_object && names("tagging") => Some(Self::PutObjectTagging),
            _ if is_object => None,
            Method::GET if names("abac") => Some(Self::GetBucketAbac),
            Method::PUT if names("abac") => Some(Self::PutBucketAbac),
            Method::PUT if names("encryption") => Some(Self::PutBucketEncryption),
            Method::PUT if names("tagging") => Some(Self::PutBucketTagging),
            _ => None,
        }
    }

    /// Returns the name of the operation, and its name as a function of `s3s`.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::GetBucketAbac => ("GetBucketAbac", "get_bucket_abac"),
            Self::PutBucketAbac => ("PutBucketAbac", "put_bucket_abac"),
            Self::PutBucketEncryption => ("PutBucketEncryption", "put_bucket_encryption"),
            Self::PutBucketTagging => ("PutBucketTagging", "put_bucket_tagging"),
            Self::PutObjectTagging => ("PutObjectTagging", "put_object_tagging"),
        }
    }
}

#[async_trait::async_trait]
impl S3Route for OwnRoutes {
    fn is_match(
        &self,
        method: &Method,
        uri: &Uri,
        _: &HeaderMap,
        extensions: &mut Extensions,
    ) -> bool {
        OwnOperation::of(method, uri, extensions).is_some()
    }

    async fn check_access(&self, request: &mut S3Request<Body>) -> S3Result<()> {
        let name = operation(request)?.names().0;
        let verified = request.extensions.get::<Verified>();
        let signed = (request.credentials.as_ref(), &request.headers, &request.uri);
        let who = self.authorizer.count(name, verified, signed)?;
        self.authorizer.admit(name, who, &mut request.extensions).await
    }

    async fn call(&self, mut request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let operation = operation(&request)?;
        let target = request.extensions.get::<Target>().cloned().unwrap_or_default();
        let Target { bucket, key, .. } = &target;
        let _turn = turns::take(&self.dispatcher.shared, operation.names().1, bucket).await?;
        let body = StreamingBlob::from(std::mem::take(&mut request.input));
        let data = upload(&mut request, Some(body)).await?;
        let request = request.map_input(|_| data);
        let nothing = |()| Body::empty();
        let mut response = self.dispatcher.run(request, |call, data| match operation {
            OwnOperation::GetBucketAbac => abac::get(call, bucket).map(Body::from),
            OwnOperation::PutBucketAbac => abac::put(call, bucket, &data).map(nothing),
            OwnOperation::PutBucketEncryption => encryption::put(call, bucket, &data).map(nothing),
            OwnOperation::PutBucketTagging => {
                settings::put_tagging(call, bucket, &data).map(nothing)
            }
            OwnOperation::PutObjectTagging => {
                object_tags::put(call, (bucket, key), &data).map(nothing)
            }
        })?;
        if operation == OwnOperation::GetBucketAbac {
            let xml = HeaderValue::from_static("application/xml");
            response.headers.insert(CONTENT_TYPE, xml);
        }
        Ok(response)
    }
}

fn operation(request: &S3Request<Body>) -> S3Result<OwnOperation> {
    let operation = OwnOperation::of(&request.method, &request.uri, &request.extensions);
    operation.ok_or_else(|| s3_error!(NotImplemented))
}
