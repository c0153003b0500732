//! Encryption under a key's material: AES-256-GCM, with the encryption context as additional data.
//! The ciphertext blob contains the name of its key. AWS does not publish its blob format; this
//! format is the sandbox's own. Not for: permissions.

use crrctl_iam::names::{AccountId, KeyId};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The first byte of a blob.
const FORMAT: u8 = 1;

/// An encryption context: names and values that must be the same for encryption and decryption (KMS
/// Developer Guide, "Encryption context").
pub(crate) type EncryptionContext = BTreeMap<String, String>;

/// The key material of a key. It is never exposed.
#[derive(Clone)]
pub(crate) struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Fills a buffer with random bytes.
pub(crate) fn random(buffer: &mut [u8]) {
    // If the random source of the system fails, weaker bytes are sufficient: the sandbox protects
    // no real data.
    if SystemRandom::new().fill(buffer).is_err() {
        buffer.fill_with(|| fastrand::u8(..));
    }
}

impl Secret {
    /// Generates new key material.
    pub(crate) fn random() -> Self {
        let mut bytes = [0; 32];
        random(&mut bytes);
        Self(bytes)
    }

    /// Returns the id of the material: 64 hex digits, which tell nothing of it (KMS API Reference,
    /// `KeyMetadata`, `CurrentKeyMaterialId`).
    pub(crate) fn material_id(&self) -> String {
        hex::encode(Sha256::digest([b"id".as_slice(), &self.0].concat()))
    }

    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &self.0).ok().map(LessSafeKey::new)
    }

    /// Encrypts `plaintext`. The blob contains the name of the key, so that decryption needs no key
    /// id.
    pub(crate) fn seal(
        &self,
        (account, id): (&AccountId, &KeyId),
        plaintext: &[u8],
        context: &EncryptionContext,
    ) -> Option<Vec<u8>> {
        let name = format!("{account}/{id}");
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce);
        let mut sealed = plaintext.to_vec();
        let aad = Aad::from(canonical(&name, context));
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.key()?.seal_in_place_append_tag(nonce_used, aad, &mut sealed).ok()?;
        let mut blob = vec![FORMAT, u8::try_from(name.len()).ok()?];
        blob.extend_from_slice(name.as_bytes());
        blob.extend_from_slice(&nonce);
        blob.extend_from_slice(&sealed);
        Some(blob)
    }

    /// Decrypts a blob that was encrypted under the same encryption context.
    pub(crate) fn open(&self, blob: &Blob<'_>, context: &EncryptionContext) -> Option<Vec<u8>> {
        let aad = Aad::from(canonical(blob.name, context));
        let nonce = Nonce::try_assume_unique_for_key(blob.nonce).ok()?;
        let mut sealed = blob.sealed.to_vec();
        let length = self.key()?.open_in_place(nonce, aad, &mut sealed).ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }
}

/// A parsed ciphertext blob.
pub(crate) struct Blob<'a> {
    name: &'a str,
    pub(crate) account: AccountId,
    pub(crate) id: KeyId,
    nonce: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Blob<'a> {
    /// Parses a blob; `None` if the format is invalid.
    pub(crate) fn parse(blob: &'a [u8]) -> Option<Self> {
        let (&[format, length], rest) = blob.split_first_chunk::<2>()?;
        let (name, rest) = rest.split_at_checked(length.into())?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
        let name = std::str::from_utf8(name).ok().filter(|_| format == FORMAT)?;
        let (account, id) = name.split_once('/')?;
        let (account, id) = (AccountId::new(account).ok()?, KeyId::new(id).ok()?);
        Some(Self { name, account, id, nonce, sealed })
    }
}

/// Encodes the name of the key and the encryption context unambiguously: the length of each text
/// precedes the text.
fn canonical(name: &str, context: &EncryptionContext) -> Vec<u8> {
    let mut bytes = Vec::new();
    let texts = context.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    for text in [name].into_iter().chain(texts) {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_under_the_same_context_only() {
        let (account, id) = (AccountId::new("111122223333").unwrap(), super::super::new_id(true));
        let secret = Secret::random();
        let context = |value: &str| EncryptionContext::from([("k".to_owned(), value.to_owned())]);
        let blob = secret.seal((&account, &id), b"hello", &context("v")).unwrap();
        let parsed = Blob::parse(&blob).unwrap();
        assert_eq!((&parsed.account, &parsed.id), (&account, &id));
        assert_eq!(secret.open(&parsed, &context("v")).as_deref(), Some(&b"hello"[..]));
        assert_eq!(secret.open(&parsed, &context("w")), None);
        assert_eq!(Secret::random().open(&parsed, &context("v")), None);
        for length in 0..blob.len() {
            let cut = Blob::parse(&blob[..length]);
            assert!(cut.is_none_or(|cut| secret.open(&cut, &context("v")).is_none()));
        }
    }
}
