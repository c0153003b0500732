//! Requests that S3 takes and `s3s` can't decode, rewritten so that it can. The signature covers
//! the request as it was sent, so it is verified here first, and `s3s` gets a request without it.
//! Sources: S3 API Reference, `GetObject` ("Range"); XML 1.0, 4.1; and what S3 was recorded to
//! answer (localstack's test `test_list_parts_empty_part_number_marker`).
//! Not for: requests that S3 refuses too.

use super::signed::{Mechanism, remove_signature};
use crate::gate::{Shared, verify_headers};
use crate::world::iam::Who;
use bytes::Bytes;
use crrctl_iam::names::Region;
use http::header::{AUTHORIZATION, RANGE};
use http::request::Parts;
use http::{Method, Uri};
use s3s::dto::Range;

/// The caller of a request whose signature is already verified.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub(super) who: Who,
    pub(super) region: Region,
    pub(super) mechanism: Mechanism,
}

/// Rewrites a request where it has to be, and its signature is right.
pub(super) fn apply(shared: &Shared, parts: &mut Parts, body: &mut Bytes) {
    let (range, uri, text) = (has_bad_range(parts), without_empty(&parts.uri), characters(body));
    if !range && uri.is_none() && text.is_none() {
        return;
    }
    let mechanism = Mechanism::of(&parts.uri, &parts.headers);
    if mechanism != Mechanism::None {
        // A signature that is wrong, or of version 2, is left to `s3s`.
        let Ok((who, region)) = verify_headers(shared, parts) else { return };
        parts.extensions.insert(Verified { who, region, mechanism });
    }
    if range {
        parts.headers.remove(RANGE);
    }
    if let Some(uri) = uri {
        parts.uri = uri;
    }
    if let Some(text) = text {
        *body = text.into();
        parts.headers.remove(http::header::CONTENT_LENGTH);
    }
    parts.headers.remove(AUTHORIZATION);
    parts.uri = remove_signature(&parts.uri);
}

/// Returns whether the range of a read can't be parsed, or is one of several. S3 ignores it.
fn has_bad_range(parts: &Parts) -> bool {
    let reads = parts.method == Method::GET || parts.method == Method::HEAD;
    let range = parts.headers.get(RANGE).filter(|_| reads);
    range.is_some_and(|range| range.to_str().map_or(true, |range| Range::parse(range).is_err()))
}

/// Returns the URI without a part number marker that is empty, which counts as absent.
fn without_empty(uri: &Uri) -> Option<Uri> {
    const EMPTY: &str = "part-number-marker=";
    let query = uri.query()?;
    let has_empty = query.split('&').any(|pair| pair == EMPTY);
    has_empty.then(|| with_query(uri, |pair| pair != EMPTY))
}

/// Returns a URI with the query parameters that `keeps` keeps.
pub(super) fn with_query(uri: &Uri, keeps: impl Fn(&str) -> bool) -> Uri {
    let query = uri.query().unwrap_or_default();
    let kept: Vec<&str> = query.split('&').filter(|pair| keeps(pair)).collect();
    let target = format!("{}?{}", uri.path(), kept.join("&"));
    target.trim_end_matches('?').parse().unwrap_or_else(|_| uri.clone())
}

/// Returns an XML body with the characters that it writes as references above U+FFFF, which `s3s`
/// refuses.
fn characters(body: &Bytes) -> Option<String> {
    let text = std::str::from_utf8(body).ok().filter(|text| text.trim_start().starts_with('<'))?;
    let (mut whole, mut rest, mut has_any) = (String::new(), text, false);
    while let Some((head, tail)) = rest.split_once("&#") {
        let character = tail.split_once(';').and_then(|(number, after)| {
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            Some((char::from_u32(code).filter(|_| code > 0xffff)?, after))
        });
        whole.push_str(head);
        if let Some((character, after)) = character {
            whole.push(character);
            rest = after;
            has_any = true;
        } else {
            whole.push_str("&#");
            rest = tail;
        }
    }
    whole.push_str(rest);
    has_any.then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_above_the_first_plane_become_characters() {
        let rewritten = |text: &'static str| characters(&Bytes::from_static(text.as_bytes()));
        assert_eq!(rewritten("<a>&#127881;&#x1F389;</a>").as_deref(), Some("<a>🎉🎉</a>"));
        assert_eq!(rewritten("<a>&#252;&#127881;&</a>").as_deref(), Some("<a>&#252;🎉&</a>"));
        for plain in ["<a>&#252;</a>", "&#127881;", "<a>&#1114112;</a>", "<a>&#</a>"] {
            assert_eq!(rewritten(plain), None, "{plain}");
        }
    }

    #[test]
    fn an_empty_marker_is_left_out() {
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        let without = |text: &str| without_empty(&uri(text)).map(|uri| uri.to_string());
        assert_eq!(without("/b/k?part-number-marker=&uploadId=u").unwrap(), "/b/k?uploadId=u");
        assert_eq!(without("/b/k?part-number-marker=").unwrap(), "/b/k");
        assert_eq!(without("/b/k?part-number-marker=1&uploadId=u"), None);
    }
}
