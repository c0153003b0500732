//! `Encrypt`, `Decrypt`, `GenerateDataKey` and `ReEncrypt`. A ciphertext blob of a multi-Region key
//! can be decrypted in every Region of the key.
//! Not for: asymmetric keys and MACs, which are not modelled; grant tokens, which are accepted and
//! not needed, since grants take effect at once; S3 objects, whose data the sandbox stores
//! unencrypted.

use super::find::enabled;
use crate::gate::KeyRequest;
use crate::kms::call::{KmsCall, in_bounds, invalid, not_in_set, unless_dry_run};
use crate::kms::conditions;
use crate::wire::Fault;
use crate::world::Caller;
use crate::world::kms::Wanted;
use crate::world::kms::cipher::{Blob, EncryptionContext, random};
use aws_smithy_types::base64;
use crrctl_iam::Context;
use crrctl_iam::names::KeyId;
use serde::Deserialize;
use serde_json::{Value, json};

/// Maximum size of a plaintext, in bytes (KMS API Reference, `Encrypt`).
const MAX_PLAINTEXT: usize = 4096;
/// Maximum size of an encryption context, in bytes (KMS API Reference, `Encrypt`).
const MAX_CONTEXT: usize = 8192;
/// Maximum size of a ciphertext blob, in bytes (KMS API Reference, `Decrypt`).
const MAX_BLOB: usize = 6144;
const ALGORITHM: &str = "SYMMETRIC_DEFAULT";

/// Decodes a base64 blob of AWS JSON and checks that it has 1 to `most` bytes.
fn decoded(text: &str, most: usize, name: &str) -> Result<Vec<u8>, Fault> {
    let bytes = base64::decode(text)
        .map_err(|_| Fault::bad("SerializationException", "a blob is not in base64"))?;
    if (1..=most).contains(&bytes.len()) {
        return Ok(bytes);
    }
    Err(invalid(format!(
        "1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must have length less than or equal to {most} and greater than or equal to 1"
    )))
}

fn check_algorithm(given: Option<&str>) -> Result<(), Fault> {
    match given {
        None | Some(ALGORITHM) => Ok(()),
        Some(other) => Err(Fault::not_implemented(other)),
    }
}

/// Returns the condition keys of a cryptographic operation (KMS Developer Guide, "AWS KMS condition
/// keys").
fn keys_of(context: &EncryptionContext, reference: Option<&str>) -> Result<Context, Fault> {
    let size: usize = context.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > MAX_CONTEXT {
        return Err(invalid("The encryption context is too large."));
    }
    let mut keys = Context::new().with("kms:EncryptionAlgorithm", ALGORITHM);
    for (key, value) in context {
        keys.set(&format!("kms:EncryptionContext:{key}"), value);
    }
    if !context.is_empty() {
        keys.set_all("kms:EncryptionContextKeys", context.keys());
    }
    Ok(keys.overlaid(reference.map(conditions::of_reference).unwrap_or_default()))
}

/// Returns the request to perform a cryptographic operation with an encryption context.
fn request<'a>(
    action: &'a str,
    context: &'a EncryptionContext,
    reference: Option<&str>,
) -> Result<KeyRequest<'a>, Fault> {
    let wanted = Wanted::Cryptography(context);
    Ok(KeyRequest { action, context: keys_of(context, reference)?, wanted })
}

/// Finds the key, checks that the caller may perform `action` on it with this encryption context,
/// and checks that the key is enabled.
fn usable(
    call: &KmsCall<'_>,
    action: &str,
    reference: &str,
    context: &EncryptionContext,
) -> Result<(Caller, KeyId), Fault> {
    let (at, id) = call.any_key(reference, request(action, context, Some(reference))?)?;
    enabled(call.state.kms.key(&at, &id)?, id.arn(&at.region, &at.account).as_str())?;
    Ok((at, id))
}

/// Notes a use of a key.
fn used(call: &KmsCall<'_>, (at, id): &(Caller, KeyId), action: &str) {
    call.state.kms.uses.note(&id.arn(&at.region, &at.account), action, call.state.now());
}

fn seal(
    call: &KmsCall<'_>,
    (at, id): &(Caller, KeyId),
    plaintext: &[u8],
    context: &EncryptionContext,
) -> Result<String, Fault> {
    let material = call.state.kms.material(at, id)?;
    let blob = material.secret.seal((&at.account, id), plaintext, context);
    let blob = blob.ok_or_else(|| Fault::not_implemented("encryption on this machine"))?;
    Ok(base64::encode(blob))
}

/// A decrypted ciphertext blob.
struct Opened {
    key: (Caller, KeyId),
    plaintext: Vec<u8>,
    /// The id of the key material that encrypted it.
    material: String,
}

/// Decrypts a ciphertext blob for the caller. `reference` is the key that the request names, if
/// any.
fn open(
    call: &KmsCall<'_>,
    action: &str,
    blob: &str,
    reference: Option<&str>,
    context: &EncryptionContext,
) -> Result<Opened, Fault> {
    let unreadable = || Fault::bad("InvalidCiphertextException", "");
    let bytes = decoded(blob, MAX_BLOB, "ciphertextBlob")?;
    let blob = Blob::parse(&bytes).ok_or_else(unreadable)?;
    let at = Caller::root(blob.account.clone(), call.caller.region.clone());
    if let Some(reference) = reference {
        let (owner, id) = call.state.kms.find_any(call.caller, reference, true)?;
        if (&owner.account, &id) != (&blob.account, &blob.id) {
            return Err(Fault::bad(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.",
            ));
        }
    }
    if call.state.kms.key(&at, &blob.id).is_err() {
        // The key does not exist, or it exists only in another Region. KMS does not distinguish
        // these cases.
        let user = call.caller.arn();
        return Err(Fault::bad(
            "AccessDeniedException",
            format!(
                "User: {user} is not authorized to perform: {action} on the resource associated with this ciphertext because the resource \
             does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
            ),
        ));
    }
    call.permit_request(&at, &blob.id, request(action, context, reference)?)?;
    let arn = blob.id.arn(&at.region, &at.account);
    enabled(call.state.kms.key(&at, &blob.id)?, arn.as_str())?;
    let opened = call.state.kms.material(&at, &blob.id)?.open(&blob, context);
    let (plaintext, material) = opened.ok_or_else(unreadable)?;
    Ok(Opened { key: (at, blob.id.clone()), plaintext, material })
}

fn arn((at, id): &(Caller, KeyId)) -> String {
    id.arn(&at.region, &at.account).to_string()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Encrypt {
    key_id: String,
    plaintext: String,
    #[serde(default)]
    encryption_context: EncryptionContext,
    encryption_algorithm: Option<String>,
    dry_run: Option<bool>,
    #[serde(default, rename = "GrantTokens")]
    _grant_tokens: Vec<String>,
}

/// Returns the id of the key material in use (KMS API Reference, `GenerateDataKey`,
/// `KeyMaterialId`).
fn material_id(call: &KmsCall<'_>, (at, id): &(Caller, KeyId)) -> Result<String, Fault> {
    Ok(call.state.kms.material(at, id)?.secret.material_id())
}

/// KMS API Reference, `Encrypt`.
pub(super) fn encrypt(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: Encrypt = call.input()?;
    check_algorithm(input.encryption_algorithm.as_deref())?;
    let plaintext = decoded(&input.plaintext, MAX_PLAINTEXT, "plaintext")?;
    let key = usable(call, "kms:Encrypt", &input.key_id, &input.encryption_context)?;
    unless_dry_run(input.dry_run)?;
    let blob = seal(call, &key, &plaintext, &input.encryption_context)?;
    used(call, &key, "kms:Encrypt");
    Ok(json!({"CiphertextBlob": blob, "KeyId": arn(&key), "EncryptionAlgorithm": ALGORITHM}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Decrypt {
    ciphertext_blob: String,
    key_id: Option<String>,
    #[serde(default)]
    encryption_context: EncryptionContext,
    encryption_algorithm: Option<String>,
    dry_run: Option<bool>,
    #[serde(default, rename = "GrantTokens")]
    _grant_tokens: Vec<String>,
}

/// KMS API Reference, `Decrypt`: the ciphertext blob identifies its key.
pub(super) fn decrypt(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: Decrypt = call.input()?;
    check_algorithm(input.encryption_algorithm.as_deref())?;
    let (blob, reference) = (&input.ciphertext_blob, input.key_id.as_deref());
    let opened = open(call, "kms:Decrypt", blob, reference, &input.encryption_context)?;
    unless_dry_run(input.dry_run)?;
    used(call, &opened.key, "kms:Decrypt");
    Ok(json!({
        "Plaintext": base64::encode(opened.plaintext),
        "KeyId": arn(&opened.key),
        "KeyMaterialId": opened.material,
        "EncryptionAlgorithm": ALGORITHM,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DataKey {
    key_id: String,
    key_spec: Option<String>,
    number_of_bytes: Option<i64>,
    #[serde(default)]
    encryption_context: EncryptionContext,
    dry_run: Option<bool>,
    #[serde(default, rename = "GrantTokens")]
    _grant_tokens: Vec<String>,
}

/// KMS API Reference, `GenerateDataKey` and `GenerateDataKeyWithoutPlaintext`.
pub(super) fn data_key(call: &mut KmsCall<'_>, shown: bool) -> Result<Value, Fault> {
    let input: DataKey = call.input()?;
    let length = match (input.key_spec.as_deref(), input.number_of_bytes) {
        (Some("AES_256"), None) => 32,
        (Some("AES_128"), None) => 16,
        (None, Some(bytes)) => in_bounds(bytes, "numberOfBytes", (1, 1024))?,
        (Some(other), None) => {
            return Err(not_in_set(other, "keySpec", &["AES_256", "AES_128"]));
        }
        _ => return Err(invalid("Please specify either number of bytes or key spec.")),
    };
    let action = if shown { "kms:GenerateDataKey" } else { "kms:GenerateDataKeyWithoutPlaintext" };
    let key = usable(call, action, &input.key_id, &input.encryption_context)?;
    unless_dry_run(input.dry_run)?;
    let mut plaintext = vec![0; length];
    random(&mut plaintext);
    let blob = seal(call, &key, &plaintext, &input.encryption_context)?;
    let material = material_id(call, &key)?;
    used(call, &key, action);
    let mut answer = json!({"CiphertextBlob": blob, "KeyId": arn(&key), "KeyMaterialId": material});
    if shown {
        answer["Plaintext"] = json!(base64::encode(plaintext));
    }
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ReEncrypt {
    ciphertext_blob: String,
    source_key_id: Option<String>,
    destination_key_id: String,
    #[serde(default)]
    source_encryption_context: EncryptionContext,
    #[serde(default)]
    destination_encryption_context: EncryptionContext,
    source_encryption_algorithm: Option<String>,
    destination_encryption_algorithm: Option<String>,
    dry_run: Option<bool>,
    #[serde(default, rename = "GrantTokens")]
    _grant_tokens: Vec<String>,
}

/// KMS API Reference, `ReEncrypt`: the caller needs `kms:ReEncryptFrom` on the source key and
/// `kms:ReEncryptTo` on the destination key.
pub(super) fn re_encrypt(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: ReEncrypt = call.input()?;
    check_algorithm(input.source_encryption_algorithm.as_deref())?;
    check_algorithm(input.destination_encryption_algorithm.as_deref())?;
    let (blob, reference) = (&input.ciphertext_blob, input.source_key_id.as_deref());
    let context = &input.source_encryption_context;
    let source = open(call, "kms:ReEncryptFrom", blob, reference, context)?;
    let context = &input.destination_encryption_context;
    let destination = usable(call, "kms:ReEncryptTo", &input.destination_key_id, context)?;
    unless_dry_run(input.dry_run)?;
    let blob = seal(call, &destination, &source.plaintext, context)?;
    used(call, &source.key, "kms:ReEncryptFrom");
    used(call, &destination, "kms:ReEncryptTo");
    Ok(json!({
        "CiphertextBlob": blob,
        "SourceKeyId": arn(&source.key),
        "SourceKeyMaterialId": source.material,
        "KeyId": arn(&destination),
        "DestinationKeyMaterialId": material_id(call, &destination)?,
        "SourceEncryptionAlgorithm": ALGORITHM,
        "DestinationEncryptionAlgorithm": ALGORITHM,
    }))
}
