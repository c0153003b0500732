//! Random ids and texts. Not for: key material (see `world::kms::cipher`).

/// Returns a new unique id: a prefix and 17 letters or digits (IAM User Guide, "IAM identifiers").
pub(crate) fn unique_id(prefix: &str) -> String {
    prefix.to_owned() + &letters(17)
}

pub(crate) fn letters(count: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    (0..count).map(|_| char::from(ALPHABET[fastrand::usize(..ALPHABET.len())])).collect()
}
