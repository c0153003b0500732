//! Bucket operations that `s3s` does not have, or whose body it can't decode. They are decoded here,
//! from the body as it was sent.
//! Not for: what they do (see `abac` and `encryption`).

use super::{Authorizer, Dispatcher, abac, encryption, turns, upload};
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
}

impl OwnOperation {
    fn of(method: &Method, uri: &Uri) -> Option<Self> {
        let query = uri.query().unwrap_or_default();
        let names =
            |name: &str| form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name);
        if uri.path().trim_matches('/').contains('/') {
            return None;
        }
        match *method {
            Method::GET if names("abac") => Some(Self::GetBucketAbac),
            Method::PUT if names("abac") => Some(Self::PutBucketAbac),
            Method::PUT if names("encryption") => Some(Self::PutBucketEncryption),
            _ => None,
        }
    }

    /// Returns the name of the operation, and its name as a function of `s3s`.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::GetBucketAbac => ("GetBucketAbac", "get_bucket_abac"),
            Self::PutBucketAbac => ("PutBucketAbac", "put_bucket_abac"),
            Self::PutBucketEncryption => ("PutBucketEncryption", "put_bucket_encryption"),
        }
    }
}

#[async_trait::async_trait]
impl S3Route for OwnRoutes {
    fn is_match(&self, method: &Method, uri: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        OwnOperation::of(method, uri).is_some()
    }

    async fn check_access(&self, request: &mut S3Request<Body>) -> S3Result<()> {
        let name = operation(request)?.names().0;
        let credentials = request.credentials.as_ref();
        let who = self.authorizer.who(credentials, &request.headers, &request.uri)?;
        self.authorizer.admit(name, who, &mut request.extensions).await
    }

    async fn call(&self, mut request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let operation = operation(&request)?;
        let path = request.uri.path().to_owned();
        let _turn = turns::take(&self.dispatcher.shared, operation.names().1, &path).await?;
        let body = StreamingBlob::from(std::mem::take(&mut request.input));
        let data = upload(&mut request, Some(body)).await?;
        let bucket = path.trim_matches('/').to_owned();
        let request = request.map_input(|_| data);
        let mut response = self.dispatcher.run(request, |call, data| match operation {
            OwnOperation::GetBucketAbac => abac::get(call, &bucket).map(Body::from),
            OwnOperation::PutBucketAbac => abac::put(call, &bucket, &data).map(|()| Body::empty()),
            OwnOperation::PutBucketEncryption => {
                encryption::put(call, &bucket, &data).map(|()| Body::empty())
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
    let operation = OwnOperation::of(&request.method, &request.uri);
    operation.ok_or_else(|| s3_error!(NotImplemented))
}
