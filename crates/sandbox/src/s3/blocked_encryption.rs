//! The XML of a bucket's default encryption with the encryption types that it blocks, a member that
//! is newer than `s3s` (S3 User Guide, "Blocking or unblocking SSE-C for a general purpose
//! bucket").
//! Not for: checking and storing them (see `encryption`).

use super::call::ExtraXml;
use super::errors::malformed;
use crate::wire::query::{element, wrapped};
use crate::world::buckets::BlockedEncryption;
use bytes::Bytes;
use s3s::S3Result;
use s3s::dto::{ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionRule};
use serde::Deserialize;

/// The body of `PutBucketEncryption`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Configuration {
    #[serde(rename = "@xmlns")]
    _xmlns: Option<String>,
    #[serde(rename = "Rule", default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Rule {
    apply_server_side_encryption_by_default: Option<DefaultEncryption>,
    bucket_key_enabled: Option<bool>,
    blocked_encryption_types: Option<Types>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DefaultEncryption {
    #[serde(rename = "SSEAlgorithm")]
    algorithm: String,
    #[serde(rename = "KMSMasterKeyID")]
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Types {
    #[serde(rename = "EncryptionType", default)]
    types: Vec<String>,
}

/// Reads the body of `PutBucketEncryption`, which has one rule: the default encryption, and what is
/// blocked, if the rule says so.
pub(super) fn read(
    body: &Bytes,
) -> S3Result<(ServerSideEncryptionRule, Option<BlockedEncryption>)> {
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let given: Configuration = quick_xml::de::from_str(text).map_err(|_| malformed())?;
    let [rule] = <[Rule; 1]>::try_from(given.rules).map_err(|_| malformed())?;
    let blocked = rule.blocked_encryption_types.map(|types| match &types.types[..] {
        [name] if name == BlockedEncryption::SseC.name() => Ok(BlockedEncryption::SseC),
        [name] if name == BlockedEncryption::None.name() => Ok(BlockedEncryption::None),
        _ => Err(malformed()),
    });
    let default = rule.apply_server_side_encryption_by_default;
    let default = default.map(|default| ServerSideEncryptionByDefault {
        kms_master_key_id: default.key,
        sse_algorithm: ServerSideEncryption::from(default.algorithm),
    });
    let rule = ServerSideEncryptionRule {
        apply_server_side_encryption_by_default: default,
        bucket_key_enabled: rule.bucket_key_enabled,
    };
    Ok((rule, blocked.transpose()?))
}

/// Returns the XML of the member, at the end of the rule.
pub(super) fn rendered(blocked: BlockedEncryption) -> ExtraXml {
    let types = element("EncryptionType", blocked.name());
    ExtraXml { before: "</Rule>".to_owned(), xml: wrapped("BlockedEncryptionTypes", &types) }
}
