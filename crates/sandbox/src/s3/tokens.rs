//! Continuation tokens, which are opaque to clients: S3's name neither keys nor buckets.
//! Not for: markers, which are keys (`ListObjects`, `ListObjectVersions`).

use super::details::invalid_argument;
use aws_smithy_types::base64;
use s3s::S3Result;

/// Returns the token for the page after `name`.
pub(super) fn token_of(name: &str) -> String {
    base64::encode(format!("{PREFIX}{name}"))
}

/// Returns the name in a token.
///
/// # Errors
/// `InvalidArgument` for a token that no page returned.
pub(super) fn read_token(token: &str) -> S3Result<String> {
    let decoded = base64::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let name = decoded.as_deref().and_then(|text| text.strip_prefix(PREFIX));
    name.map(str::to_owned).ok_or_else(|| {
        let text = "The continuation token provided is incorrect";
        invalid_argument("continuation-token", token, text)
    })
}

const PREFIX: &str = "after:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_the_name_and_no_other_text_is_one() {
        let token = token_of("a/b c");
        assert!(!token.contains('/'));
        assert_eq!(read_token(&token).unwrap(), "a/b c");
        for wrong in ["", "a/b c", "YQ==", "ö"] {
            assert!(read_token(wrong).is_err(), "{wrong}");
        }
    }
}
