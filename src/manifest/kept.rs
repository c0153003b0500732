//! The default encryption that a bucket of others keeps, and the encryption that crrctl's own
//! uploads ask for by name where that default, or the bucket's policy, needs it.
//! Not for: reading the default encryption (see `steps::settings`), or writing it (see `plan`).

use super::keys::PairKeys;
use super::side::Side;
use super::topology::Topology;
use crate::names::Arn;
use crate::settings::{DefaultKey, Encryption};

/// The encryption that an upload asks for by its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEncryption {
    /// The algorithm, such as `aws:kms`.
    pub algorithm: String,
    /// ARN of the key; `None` for SSE-S3.
    pub key: Option<Arn>,
    /// Whether the object uses a Bucket Key; `None` for SSE-S3, which has none.
    pub bucket_key: Option<bool>,
}

impl Topology {
    /// Returns the default encryption that the bucket of `side` keeps, if the pair does not manage
    /// it.
    pub fn kept_encryption(&self, side: &Side) -> Option<&Encryption> {
        self.found.kept_encryption.get(&side.bucket)
    }

    /// Returns whether objects that are written to `side` without encryption headers use a Bucket
    /// Key.
    pub fn has_bucket_key(&self, side: &Side) -> bool {
        let kept = self.kept_encryption(side);
        side.has_key() && kept.map_or(self.wanted.bucket_key, |kept| kept.bucket_key)
    }

    /// Returns whether the default encryption that `side` keeps is the one that the manifest names.
    /// It is also true where the pair manages the default.
    pub fn keeps_what_is_wanted(&self, keys: &PairKeys, side: &Side) -> bool {
        let Some(kept) = self.kept_encryption(side) else { return true };
        let wanted = self.wanted.key_arn(keys, side);
        match (&wanted, &kept.key) {
            _ if !side.has_key() => !kept.is_kms(),
            _ if kept.algorithm != self.wanted.key.algorithm.as_str() => false,
            _ if kept.is_managed_by_aws() => side.key.is_managed_by_aws(),
            (Some(arn), DefaultKey::Known(named)) => {
                named == arn.as_str() || arn.resource() == format!("key/{named}")
            }
            (_, DefaultKey::Known(_) | DefaultKey::New | DefaultKey::None) => false,
        }
    }

    /// Returns the ARN of the key that new objects of the source are under, where that is another
    /// one than the manifest names and rules select such objects. A key that is named by an alias
    /// is not known. The AWS managed key needs no permission in the role's policies: its key policy
    /// allows every principal of the account (KMS Developer Guide, "AWS managed keys").
    pub fn kept_source_key(&self, keys: &PairKeys) -> Option<Arn> {
        let source = &self.source;
        let selects = self.destinations.iter().any(Side::has_key);
        if !selects || self.keeps_what_is_wanted(keys, source) {
            return None;
        }
        let named = self.kept_encryption(source).filter(|kept| kept.is_kms())?.key()?;
        let (region, account) = (source.region.as_str(), source.account.as_str());
        let partition = source.region.partition();
        let bare = || Arn::known(partition, "kms", region, account, &format!("key/{named}"));
        let arn = if named.starts_with("arn:") { Arn::new(named).ok()? } else { bare() };
        arn.resource().starts_with("key/").then_some(arn)
    }

    /// Returns the encryption that an upload to the source must name: the bucket keeps another
    /// default than the manifest's, or its policy demands the headers.
    pub fn named_encryption(&self, keys: &PairKeys) -> Option<NamedEncryption> {
        let source = &self.source;
        let is_demanded = self.found.demands_headers.contains(&source.bucket);
        if !is_demanded && self.keeps_what_is_wanted(keys, source) {
            return None;
        }
        if !source.has_key() {
            let algorithm = Encryption::SSE_S3.to_owned();
            return Some(NamedEncryption { algorithm, key: None, bucket_key: None });
        }
        let algorithm = self.wanted.key.algorithm.as_str().to_owned();
        let key = self.wanted.key_arn(keys, source);
        let bucket_key = Some(self.has_bucket_key(source));
        Some(NamedEncryption { algorithm, key, bucket_key })
    }
}
