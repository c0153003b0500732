//! `GenerateRandom`. Not for: random data keys (see `crypto`).

use crate::kms::call::{KmsCall, in_bounds, invalid};
use crate::wire::Fault;
use crate::world::kms::cipher;
use aws_smithy_types::base64;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GenerateRandom {
    number_of_bytes: Option<i64>,
}

/// KMS API Reference, `GenerateRandom`. The errors are recorded (`LocalStack`'s snapshot
/// `test_generate_random_invalid_number_of_bytes`).
pub(super) fn generate(call: &mut KmsCall<'_>) -> Result<Value, Fault> {
    let input: GenerateRandom = call.input()?;
    let number = input.number_of_bytes.ok_or_else(|| invalid("NumberOfBytes is required."))?;
    let length = in_bounds(number, "numberOfBytes", (1, 1024))?;
    call.authorize("kms:GenerateRandom", "*".into())?;
    let mut bytes = vec![0; length];
    cipher::random(&mut bytes);
    Ok(json!({"Plaintext": base64::encode(bytes)}))
}
