//! Whether the keys of the Regions share key material: each key decrypts what the source's key
//! encrypts.
//! Section: KMS Developer Guide, "Multi-Region keys in AWS KMS".
//! Not for: key state and rotation (see `keys`).

use super::Finding;
use super::seen::Seen;
use crate::aws::{At, Aws};
use crate::manifest::{KeyKind, Side};
use crate::names::KeyId;
use crate::world::{Key, KeyState};
use aws_sdk_kms::primitives::Blob;
use std::collections::BTreeSet;

const NAME: &str = "kms.shared-material";
const SECRET: &[u8] = b"crrctl: shared material?";

pub(super) async fn check(aws: &Aws, seen: &Seen) -> Vec<Finding> {
    let source = &seen.topology.source;
    let id = seen.pair_keys.id(&source.region);
    let Some(id) = id.filter(|_| seen.topology.wanted.key.kind == KeyKind::MultiRegion) else {
        return Vec::new();
    };
    let usable = |side: &Side| {
        let key = seen.keys.get(&side.bucket).and_then(|key| key.key.as_ref().ok()?.as_ref());
        key.is_some_and(|key: &Key| key.state == KeyState::Enabled)
    };
    if !id.is_multi_region() || !usable(source) {
        return vec![
            Finding::skip(NAME, "the source's key is not there, not Enabled or not multi-Region")
                .at(&source.region),
        ];
    }
    let encrypt =
        aws.kms(&source.region).encrypt().key_id(id.as_str()).plaintext(Blob::new(SECRET));
    let sealed = match encrypt.send().await.at("kms:Encrypt", &source.region) {
        Ok(output) => output.ciphertext_blob().cloned().unwrap_or_else(|| Blob::new([])),
        Err(error) => return vec![Finding::unread(NAME, &error).at(&source.region)],
    };
    let mut findings = Vec::new();
    // Destinations in one Region share the key there.
    let mut asked = BTreeSet::from([source.region.clone()]);
    let shares = |side: &&Side| side.has_own_key() && asked.insert(side.region.clone());
    for side in seen.topology.destinations.iter().filter(shares) {
        let finding = if usable(side) {
            opened(aws, side, id, &sealed).await
        } else {
            Finding::skip(NAME, "the key here is not there or not Enabled")
        };
        findings.push(finding.at(&side.region));
    }
    findings
}

/// KMS's answers where a key did not encrypt the ciphertext (KMS API Reference, `Decrypt`).
const OTHER_MATERIAL: [&str; 2] = ["IncorrectKeyException", "InvalidCiphertextException"];

async fn opened(aws: &Aws, side: &Side, id: &KeyId, sealed: &Blob) -> Finding {
    let decrypt =
        aws.kms(&side.region).decrypt().key_id(id.as_str()).ciphertext_blob(sealed.clone());
    match decrypt.send().await.at("kms:Decrypt", &side.region) {
        Ok(output) if output.plaintext().is_some_and(|it| it.as_ref() == SECRET) => {
            Finding::pass(NAME, "what the source's key encrypts, this one decrypts")
        }
        Ok(_) => different("it decrypts to something else"),
        Err(error) if OTHER_MATERIAL.iter().any(|code| error.is(code)) => {
            different(&error.to_string())
        }
        Err(error) => Finding::unread(NAME, &error),
    }
}

fn different(why: &str) -> Finding {
    let detail = format!("this key does not share the material of the source's: {why}");
    Finding::fail(
        NAME,
        detail,
        "only `ReplicateKey` shares material: `crrctl apply` makes the replica",
    )
    .because(&["DstKmsKeyInvalidState"])
}
