//! Signature Version 2, where the sandbox verifies it itself (S3 User Guide, "Signing and
//! authenticating REST requests").
//! Not for: the requests whose signature `s3s` verifies.

use super::host::Target;
use super::mismatch::SignedParts;
use crate::gate::{Refusal, Shared, check_token};
use crate::world::iam::Who;
use aws_smithy_types::base64;
use crrctl_iam::names::Region;
use http::request::Parts;

/// Returns the signature of a text.
pub(super) fn sign(secret: &str, text: &str) -> String {
    let algorithm = ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY;
    let key = ring::hmac::Key::new(algorithm, secret.as_bytes());
    base64::encode(ring::hmac::sign(&key, text.as_bytes()))
}

/// Verifies the signature of a request, and returns its caller with the Region.
pub(super) fn verify(shared: &Shared, parts: &Parts) -> Result<(Who, Region), Refusal> {
    let target = parts.extensions.get::<Target>();
    let in_host = target.filter(|target| target.in_host).map(|target| &*target.bucket);
    let (key, signature, to_sign) =
        SignedParts::of(parts, in_host).version_2().ok_or(Refusal::Missing)?;
    let (credential, now) = {
        let state = shared.lock();
        (state.iam.credential(&key).ok_or(Refusal::UnknownKey)?, state.now())
    };
    let token = parts.headers.get("x-amz-security-token").and_then(|token| token.to_str().ok());
    check_token(&credential, token, now)?;
    if sign(&credential.secret, &to_sign) == signature {
        Ok((credential.who, Region::us_east_1()))
    } else {
        Err(Refusal::Mismatch(String::new()))
    }
}
