//! Requests that S3 takes and `s3s` can't decode, rewritten so that it can. The signature covers
//! the request as it was sent, so it is verified here first, and `s3s` gets a request without it.
//! Sources: S3 API Reference, `GetObject` ("Range"); XML 1.0, 4.1; and what S3 was recorded to
//! answer (localstack's tests `test_list_parts_empty_part_number_marker`, `test_get_object_range`
//! and `test_multipart_no_such_upload`).
//! Not for: requests that S3 refuses too.

use super::host::Target;
use super::signed::{Mechanism, is_streamed, remove_signature};
use super::{signature_v2, text_headers};
use crate::gate::{Shared, verify_headers};
use crate::world::iam::Who;
use bytes::Bytes;
use crrctl_iam::names::Region;
use http::header::{AUTHORIZATION, HeaderValue, RANGE};
use http::request::Parts;
use http::{Method, Uri};
use s3s::dto::Range;

const COPY_SOURCE: &str = "x-amz-copy-source";
/// The sub-resources of objects whose body is XML.
const DOCUMENTS: [&str; 4] = ["acl", "legal-hold", "retention", "tagging"];

/// The caller of a request whose signature is already verified.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub(super) who: Who,
    pub(super) region: Region,
    pub(super) mechanism: Mechanism,
}

/// Rewrites a request where it has to be, and its signature is right.
pub(super) fn apply(shared: &Shared, parts: &mut Parts, body: &mut Bytes) {
    let (range, uri) = (has_bad_range(parts), without_empty(&parts.uri));
    let text = if is_data(parts) { None } else { characters(body) };
    let text = text.or_else(|| no_parts(parts, body));
    let odd = text_headers::has_any(&parts.headers) && !is_streamed(&parts.headers);
    let source = copy_source_of_url(parts);
    if !range && uri.is_none() && text.is_none() && !odd && source.is_none() {
        return;
    }
    let mechanism = Mechanism::of(&parts.uri, &parts.headers);
    if mechanism != Mechanism::None {
        let verified = if mechanism.is_version_2() {
            signature_v2::verify(shared, parts)
        } else {
            verify_headers(shared, parts)
        };
        // A signature that is wrong is left to `s3s`.
        let Ok((who, region)) = verified else { return };
        parts.extensions.insert(Verified { who, region, mechanism });
    }
    if odd {
        let taken = text_headers::take(&mut parts.headers);
        parts.extensions.insert(taken);
    }
    if range {
        parts.headers.remove(RANGE);
    }
    if let Some(uri) = uri {
        parts.uri = uri;
    }
    if let Some(source) = source {
        parts.headers.insert(COPY_SOURCE, source);
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
    range.is_some_and(|range| {
        range.to_str().map_or(true, |range| range == "bytes=-" || Range::parse(range).is_err())
    })
}

/// Returns whether the body is the data of an object, which stays as it is.
fn is_data(parts: &Parts) -> bool {
    let target = parts.extensions.get::<Target>();
    let is_object = target.is_some_and(|target| !target.key.is_empty());
    let query = parts.uri.query().unwrap_or_default();
    let mut names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    parts.method == Method::PUT && is_object && !names.any(|name| DOCUMENTS.contains(&name))
}

/// Returns the source of a copy that names it by its URL, which S3 takes too (recorded:
/// localstack's test `test_response_structure`).
fn copy_source_of_url(parts: &Parts) -> Option<HeaderValue> {
    let given = parts.headers.get(COPY_SOURCE)?.to_str().ok()?;
    let rest = given.strip_prefix("http://").or_else(|| given.strip_prefix("https://"))?;
    let (_, path) = rest.split_once('/')?;
    HeaderValue::from_str(path).ok()
}

/// Returns the body of a completion that has none and so names no part: S3 tells first whether the
/// upload exists.
fn no_parts(parts: &Parts, body: &Bytes) -> Option<String> {
    let query = parts.uri.query()?;
    let completes = parts.method == Method::POST && query.contains("uploadId=");
    (completes && body.is_empty()).then(|| "<CompleteMultipartUpload/>".to_owned())
}

/// Returns the URI without the numbers that are empty, which count as absent.
fn without_empty(uri: &Uri) -> Option<Uri> {
    const EMPTY: [&str; 4] = ["part-number-marker=", "max-parts=", "max-keys=", "max-uploads="];
    let query = uri.query()?;
    let has_empty = query.split('&').any(|pair| EMPTY.contains(&pair));
    has_empty.then(|| with_query(uri, |pair| !EMPTY.contains(&pair)))
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
        assert_eq!(without("/b?max-keys=&prefix=").unwrap(), "/b?prefix=");
        assert_eq!(without("/b/k?part-number-marker=1&uploadId=u"), None);
    }
}
