//! One S3 request, and what the answers of operations have in common. Not for: whether its caller may (see `permit`).

use crate::world::{Caller, State};
use crrctl_iam::Context;
use crrctl_iam::names::AccountId;
use http::{Extensions, HeaderMap};
use s3s::dto::Owner;
use sha2::{Digest, Sha256};

/// One request: who asks, with which headers, of which state.
pub(super) struct S3Call<'a> {
    pub(super) state: &'a mut State,
    pub(super) caller: Caller,
    pub(super) headers: HeaderMap,
    pub(super) uri: http::Uri,
    pub(super) extensions: Extensions,
    /// Condition keys of what the request asks for, beside those of its headers.
    pub(super) asked: Context,
    pub(super) extra: ExtraOutput,
}

/// What goes into an answer beside an operation's output.
#[derive(Default)]
pub(super) struct ExtraOutput {
    pub(super) headers: HeaderMap,
    pub(super) extensions: Extensions,
}

/// Returns the output of an operation that answers nothing.
pub(super) fn nothing<T: Default>() -> T {
    T::default()
}

/// Returns an account as S3 names owners: by a canonical id of 64 hex digits.
pub(super) fn owner(account: &AccountId) -> Owner {
    let id = hex::encode(Sha256::digest(account.as_str()));
    Owner { display_name: None, id: Some(id) }
}
