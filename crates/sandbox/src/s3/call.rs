//! One S3 request, and the output helpers that operations share. Not for: checking the caller's
//! permission (see `permit`).

use crate::s3::signed::Mechanism;
use crate::world::buckets::acl::canonical_id;
use crate::world::{Caller, State};
use crrctl_iam::Context;
use crrctl_iam::names::AccountId;
use http::{Extensions, HeaderMap, StatusCode};
use s3s::dto::Owner;

/// One request: its caller and headers, and the state that it reads and changes.
pub(super) struct S3Call<'a> {
    pub(super) state: &'a mut State,
    pub(super) caller: Caller,
    /// How the request is signed.
    pub(super) mechanism: Mechanism,
    pub(super) headers: HeaderMap,
    pub(super) uri: http::Uri,
    pub(super) extensions: Extensions,
    /// Condition keys for what the request asks for, in addition to those of its headers.
    pub(super) asked: Context,
    pub(super) extra: ExtraOutput,
}

/// Headers and extensions that a response carries in addition to an operation's output.
#[derive(Default)]
pub(super) struct ExtraOutput {
    pub(super) headers: HeaderMap,
    pub(super) extensions: Extensions,
}

/// XML that a response contains in addition to the XML that `s3s` writes. The response has a
/// `Vec<ExtraXml>` in its extensions, in the order of the response.
#[derive(Debug, Clone)]
pub(super) struct ExtraXml {
    /// The text of the response that the XML is inserted before.
    pub(super) before: String,
    pub(super) xml: String,
}

/// The status of a response in its extensions, where it is another than `s3s` writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResponseStatus(pub(super) StatusCode);

/// Returns an empty output.
pub(super) fn nothing<T: Default>() -> T {
    T::default()
}

/// Returns an account as S3's `Owner`, with a canonical id of 64 hex digits.
pub(super) fn owner(account: &AccountId) -> Owner {
    Owner { display_name: None, id: Some(canonical_id(account)) }
}
