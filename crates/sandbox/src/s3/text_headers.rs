//! Headers of objects with other characters than ASCII, and metadata with encoded words (RFC 2047),
//! which `s3s` refuses or rewrites. S3 keeps them as they were sent. It returns metadata that is not
//! ASCII as encoded words, and other headers in ISO-8859-1, with a space for a character that this
//! does not have (S3 API Reference, `GetObject`; S3 User Guide, "Working with object metadata"; the
//! forms are as recorded from S3: localstack's tests `test_system_metadata_with_unicode`,
//! `test_user_metadata_rfc2047_…` and `test_post_object_…unicode…`, 2025 and 2026).
//! Not for: verifying the signature of such a request (see `rewrites`).

use crate::world::buckets::Described;
use aws_smithy_types::base64;
use http::Extensions;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::fmt::Write;

/// The prefix of the headers with metadata.
const METADATA: &str = "x-amz-meta-";
/// The headers of an object that may have other characters.
const TEXTS: [&str; 4] =
    ["cache-control", "content-disposition", "content-encoding", "content-language"];
/// The most characters of an encoded word, without its delimiters and the name of the encoding.
const WORD: usize = 63;

/// The headers that were taken out of a request, with their values.
#[derive(Debug, Clone, Default)]
pub(super) struct TextHeaders(Vec<(HeaderName, String)>);

/// Returns whether a request has a header that `s3s` does not decode as S3 does.
pub(super) fn has_any(headers: &HeaderMap) -> bool {
    headers.iter().any(|(name, value)| is_odd(name, value))
}

fn is_odd(name: &HeaderName, value: &HeaderValue) -> bool {
    let (name, value) = (name.as_str(), value.as_bytes());
    if name.starts_with(METADATA) {
        !value.is_ascii() || value.windows(2).any(|pair| pair == b"=?")
    } else {
        !value.is_ascii() && TEXTS.contains(&name)
    }
}

/// Takes these headers out of a request.
pub(super) fn take(headers: &mut HeaderMap) -> TextHeaders {
    let taken = headers.iter().filter(|(name, value)| is_odd(name, value));
    let taken: Vec<_> = taken
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    for (name, _) in &taken {
        headers.remove(name);
    }
    TextHeaders(taken)
}

/// Takes what an upload specifies in its headers from the input of an operation.
macro_rules! described {
    ($call:expr, $input:ident, $storage_class:ident) => {{
        let mut described = $crate::world::buckets::Described {
            content_type: $input.content_type,
            cache_control: $input.cache_control,
            content_disposition: $input.content_disposition,
            content_encoding: $crate::s3::writes::stored_encoding($input.content_encoding),
            content_language: $input.content_language,
            expires: $input.expires,
            metadata: $input.metadata.unwrap_or_default(),
            storage_class: $storage_class,
        };
        $crate::s3::text_headers::describe(&mut described, &$call.extensions);
        described
    }};
}
pub(super) use described;

/// Adds the headers that were taken out of a request to what they describe.
pub(super) fn describe(described: &mut Described, extensions: &Extensions) {
    let Some(TextHeaders(taken)) = extensions.get() else { return };
    for (name, value) in taken {
        let value = value.clone();
        match name.as_str() {
            "cache-control" => described.cache_control = Some(value),
            "content-disposition" => described.content_disposition = Some(value),
            "content-encoding" => described.content_encoding = Some(value),
            "content-language" => described.content_language = Some(value),
            name => {
                let key = name.strip_prefix(METADATA).unwrap_or(name);
                described.metadata.insert(key.to_owned(), value);
            }
        }
    }
}

/// Moves what `s3s` does not write as S3 does from a description to the headers of a response.
pub(super) fn show(described: &mut Described, headers: &mut HeaderMap) {
    let texts = [
        ("cache-control", &mut described.cache_control),
        ("content-disposition", &mut described.content_disposition),
        ("content-encoding", &mut described.content_encoding),
        ("content-language", &mut described.content_language),
    ];
    for (name, value) in texts {
        if value.as_ref().is_some_and(|value| !value.is_ascii())
            && let Ok(value) = HeaderValue::from_bytes(&latin_1(&value.take().unwrap_or_default()))
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    described.metadata.retain(|key, value| {
        if value.chars().all(is_plain) {
            return true;
        }
        let name = HeaderName::try_from(format!("{METADATA}{key}"));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(encoded(value))) {
            headers.insert(name, value);
        }
        false
    });
}

/// Returns a text in ISO-8859-1.
fn latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b' ')).collect()
}

fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~' | '\t')
}

/// Returns a text as encoded words: with `Q` where most of its characters are ASCII, else with `B`.
pub(super) fn encoded(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let plain = chars.iter().filter(|c| is_plain(**c)).count();
    let mut words = Vec::new();
    split(&chars, plain > chars.len() - plain, &mut words);
    words.join(" ")
}

/// Encodes characters as words, none of which is too long.
fn split(chars: &[char], quoted: bool, words: &mut Vec<String>) {
    let text: String = chars.iter().collect();
    let word = if quoted { q_encoded(&text) } else { base64::encode(&text) };
    if word.len() > WORD && chars.len() > 1 {
        let (first, second) = chars.split_at(chars.len() / 2);
        split(first, quoted, words);
        split(second, quoted, words);
    } else {
        words.push(format!("=?UTF-8?{}?{word}?=", if quoted { 'Q' } else { 'B' }));
    }
}

fn q_encoded(text: &str) -> String {
    let mut word = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => word.push('_'),
            b'!'..=b'~' if !b"=_?".contains(&byte) => word.push(char::from(byte)),
            _ => {
                let _ = write!(word, "={byte:02X}");
            }
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_becomes_encoded_words() {
        assert_eq!(encoded("Grüße aus_Köln"), "=?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus=5FK=C3=B6ln?=");
        assert_eq!(encoded("日本"), "=?UTF-8?B?5pel5pys?=");
        assert_eq!(encoded("\u{1}\u{2}"), "=?UTF-8?B?AQI=?=");
        let long = encoded(&format!("{}ü", "a".repeat(100)));
        let words: Vec<&str> = long.split(' ').collect();
        assert_eq!(words.len(), 2);
        assert!(words.iter().all(|word| word.len() <= 75 && word.starts_with("=?UTF-8?Q?")));
    }

    #[test]
    fn odd_headers_are_taken_and_shown() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("cache-control", "für —".as_bytes()),
            ("x-amz-meta-word", b"=?UTF-8?B?=GGG?="),
            ("x-amz-meta-plain", b"plain"),
            ("content-language", b"de"),
        ] {
            headers.insert(name, HeaderValue::from_bytes(value).unwrap());
        }
        assert!(has_any(&headers));
        let taken = take(&mut headers);
        assert!(!has_any(&headers) && headers.len() == 2);
        let (mut described, mut extensions) = (Described::default(), Extensions::new());
        extensions.insert(taken);
        describe(&mut described, &extensions);
        assert_eq!(described.cache_control.as_deref(), Some("für —"));
        described.metadata.insert("city".into(), "Köln".into());
        let mut shown = HeaderMap::new();
        show(&mut described, &mut shown);
        assert_eq!(shown["cache-control"].as_bytes(), b"f\xfcr  ");
        assert_eq!(shown["x-amz-meta-city"], "=?UTF-8?Q?K=C3=B6ln?=");
        // An encoded word is returned as it was sent.
        assert_eq!(described.metadata["word"], "=?UTF-8?B?=GGG?=");
    }
}
