//! Public access blocks, of a bucket or of an account (S3 User Guide, "Blocking public access to
//! your Amazon S3 storage"). Not for: what they block (see `gate::bucket_policy`).

use s3s::dto::PublicAccessBlockConfiguration;

/// The code and message of the error for a bucket or an account without a public access block
/// (404).
pub(crate) const NO_PUBLIC_ACCESS_BLOCK: (&str, &str) =
    ("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found");

/// Returns the public access block that a request puts: an omitted setting is off.
pub(crate) fn with_all_settings(
    given: &PublicAccessBlockConfiguration,
) -> PublicAccessBlockConfiguration {
    let explicit = |setting: Option<bool>| Some(setting.unwrap_or(false));
    PublicAccessBlockConfiguration {
        block_public_acls: explicit(given.block_public_acls),
        block_public_policy: explicit(given.block_public_policy),
        ignore_public_acls: explicit(given.ignore_public_acls),
        restrict_public_buckets: explicit(given.restrict_public_buckets),
    }
}
