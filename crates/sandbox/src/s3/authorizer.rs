//! Who sends a request to S3: the secrets for the signatures that `s3s` verifies, session tokens, and
//! what happens before any operation. Not for: the caller's permissions (see `permit`).

use super::copies::check_source_header;
use super::details::{DetailsSlot, stored};
use super::errors::{custom, error_of};
use super::permit::parameter;
use super::rewrites::Verified;
use crate::gate::{Refusal, Shared, check_token, inject};
use crate::wire::Note;
use crate::world::State;
use crate::world::iam::Who;
use http::{HeaderMap, Uri};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{Credentials, S3Auth, SecretKey};
use s3s::{S3Error, S3Result, s3_error};
use std::sync::Arc;

/// Returns secret access keys to `s3s`, which verifies signatures with them.
pub(super) struct Secrets {
    pub(super) shared: Arc<Shared>,
}

#[async_trait::async_trait]
impl S3Auth for Secrets {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let credential = self.shared.lock().iam.credential(access_key);
        credential
            .map(|credential| SecretKey::from(credential.secret))
            .ok_or_else(|| s3_error!(InvalidAccessKeyId))
    }
}

/// Refuses invalid session tokens, stores the caller's identity in the
/// request, counts the request, and injects faults.
pub(super) struct Authorizer {
    pub(super) shared: Arc<Shared>,
}

#[async_trait::async_trait]
impl S3Access for Authorizer {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = context.s3_op().name().to_owned();
        if let Some(note) = Note::of(context.extensions_mut()) {
            let _ = note.operation.set(operation.clone());
        }
        let slot = DetailsSlot::of(context.extensions_mut());
        stored(slot.as_ref(), check_source_header(context.headers()))?;
        let verified = context.extensions_mut().get::<Verified>().cloned();
        let signed = (context.credentials(), context.headers(), context.uri());
        let who = self.count(&operation, verified.as_ref(), signed)?;
        self.admit(&operation, who, context.extensions_mut()).await
    }
}

impl Authorizer {
    /// Stores the caller of a request, and injects faults.
    pub(super) async fn admit(
        &self,
        operation: &str,
        who: Who,
        extensions: &mut http::Extensions,
    ) -> S3Result<()> {
        let note = Note::of(extensions).cloned();
        if let Some(note) = &note {
            let _ = note.operation.set(operation.to_owned());
        }
        extensions.insert(who);
        match note {
            Some(note) => match inject(&self.shared, "s3", operation, &note).await {
                Some(fault) => Err(error_of(&fault)),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// Returns the caller of a request, and counts the request.
    pub(super) fn count(
        &self,
        operation: &str,
        verified: Option<&Verified>,
        signed: (Option<&Credentials>, &HeaderMap, &Uri),
    ) -> S3Result<Who> {
        let mut state = self.shared.lock();
        let who = match verified {
            Some(verified) => verified.who.clone(),
            None => who(&state, signed)?,
        };
        state.calls.count("s3", operation);
        Ok(who)
    }
}

/// Returns the caller whose signature `s3s` has verified.
fn who(
    state: &State,
    (credentials, headers, uri): (Option<&Credentials>, &HeaderMap, &Uri),
) -> S3Result<Who> {
    let Some(credentials) = credentials else { return Ok(Who::Anonymous) };
    let credential = state
        .iam
        .credential(&credentials.access_key)
        .ok_or_else(|| s3_error!(InvalidAccessKeyId))?;
    let header = headers.get("x-amz-security-token");
    let token = match header {
        Some(value) => value.to_str().ok().map(String::from),
        None => parameter(uri, "X-Amz-Security-Token"),
    };
    check_token(&credential, token.as_deref(), state.now()).map_err(refused_token)?;
    Ok(credential.who)
}

/// Converts the refusal of a session token to S3's error.
pub(super) fn refused_token(refusal: Refusal) -> S3Error {
    match refusal {
        Refusal::Expired => custom(400, "ExpiredToken", "The provided token has expired.".into()),
        _ => s3_error!(InvalidToken),
    }
}
