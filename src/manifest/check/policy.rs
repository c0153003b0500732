//! Validates the manifest's `policy.profile`.
//! Not for: what a profile allows (see `policies/README.md`).

use super::{Checked, meant};
use crate::manifest::error::{Located, nearest};
use crate::manifest::raw::Raw;
use crate::manifest::topology::Profile;

/// Parses `policy.profile`. With Bucket Keys, S3 also calls `kms:Decrypt` with the bucket as the
/// encryption context (S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys"),
/// so `strict` requires that they are explicitly off.
pub(super) fn profile(raw: &Raw) -> Checked<Profile> {
    let Some(given) = &raw.policy.profile else { return Ok(Profile::Compatible) };
    let refuse = |message: String| Located::at(given.referenced, "policy.profile", message);
    let off = raw.buckets.bucket_key.as_ref().is_some_and(|flag| !flag.value);
    match given.value.as_str() {
        "compatible" => Ok(Profile::Compatible),
        "strict" if off => Ok(Profile::Strict),
        "strict" => Err(refuse(
            "`strict` is allowed only beside `buckets.bucket_key: false`: with Bucket Keys S3 also decrypts under the \
             destination's key, which this profile does not allow"
                .to_owned(),
        )
        .hint("set `buckets.bucket_key: false`, or leave `policy.profile` at `compatible`")),
        other => {
            let known = ["compatible", "strict"];
            let found =
                refuse(format!("`{other}` is not known; `compatible` and `strict` are allowed"));
            Err(meant(found, nearest(other, known)))
        }
    }
}
