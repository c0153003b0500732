//! Reads the bodies of requests within the limits of size, time and memory. A large body is read
//! only if the signature over the request's headers is right.
//! Not for: verifying a signature together with the body (see `gate::signature`).

use super::is_for_s3;
use crate::gate::{Refusal, Shared, verify_headers};
use crate::s3;
use crate::world::{Limits, Patience, Settings};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The maximum size of a body whose headers are not authenticated first, and of every request but
/// those to S3. The largest that another service accepts is far smaller: a key policy of 32 KiB.
const SMALL: u64 = 1 << 20;
/// The maximum size of a POST upload, whose signature is in the body itself.
const FORM: u64 = 16 << 20;
/// The part of the memory that is for bodies of up to [`SMALL`]: one of so many.
const SMALL_PART: u64 = 8;
/// The number of bytes that one permit stands for.
const UNIT: u64 = 1024;

/// The memory for the bodies of all requests in progress. Requests get it in the order in which they
/// came, so small bodies have a part of their own: a large one that waits does not block them.
pub(super) struct Bodies {
    small: Semaphore,
    large: Semaphore,
    /// The number of permits of `large`.
    most: u32,
}

/// A body, and the memory that is reserved for it until this value is dropped.
pub(super) struct Held<'a> {
    pub(super) body: Bytes,
    _permit: SemaphorePermit<'a>,
}

impl Bodies {
    pub(super) fn new(limits: &Limits) -> Self {
        let small = (limits.bodies / SMALL_PART).max(SMALL);
        // One body of the largest size always fits.
        let large = limits.bodies.saturating_sub(small).max(limits.object).max(SMALL);
        let semaphore = |bytes| Semaphore::new(usize::try_from(units(bytes)).unwrap_or(usize::MAX));
        Self { small: semaphore(small), large: semaphore(large), most: units(large) }
    }

    /// Reads a body. Waits for memory while the bodies of other requests hold it.
    pub(super) async fn read(
        &self,
        shared: &Shared,
        parts: &Parts,
        body: Incoming,
    ) -> Result<Held<'_>, s3s::S3Error> {
        let settings = &shared.settings;
        let most = largest(shared, parts, &body)?;
        let hint = body.size_hint();
        if hint.lower() > most {
            return Err(s3::too_large(most));
        }
        // The whole size is reserved at once: requests that each hold a part would block each
        // other.
        let wanted = hint.upper().unwrap_or(most).min(most);
        let memory = if wanted <= SMALL { &self.small } else { &self.large };
        let reserved = memory.acquire_many(units(wanted).min(self.most));
        let reserved = tokio::time::timeout(settings.patience.stall, reserved).await;
        let Ok(Ok(permit)) = reserved else {
            return Err(s3::bodies_full(settings.limits.bodies));
        };
        Ok(Held { body: in_time(body, most, settings).await?, _permit: permit })
    }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX >> 3)
}

/// Returns the maximum size of a request's body. A body that may be larger than [`SMALL`] must
/// belong to an S3 request whose headers are signed, or to a POST upload. A Signature Version 2 is
/// verified later: its access key must exist.
fn largest(shared: &Shared, parts: &Parts, body: &Incoming) -> Result<u64, s3s::S3Error> {
    let small = SMALL.min(shared.settings.limits.object);
    let fits = body.size_hint().upper().is_some_and(|size| size <= small);
    if fits || !is_for_s3(parts) {
        return Ok(small);
    }
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        return Ok(FORM.min(shared.settings.limits.object));
    }
    let verified = match s3::version_2_key(parts) {
        Some(key) if shared.lock().iam.credential(&key).is_some() => Ok(()),
        Some(_) => Err(Refusal::UnknownKey),
        None => verify_headers(shared, parts).map(|_| ()),
    };
    match verified {
        Ok(()) => Ok(shared.settings.limits.object),
        Err(refusal) if body.size_hint().lower() > small => Err(s3::unauthenticated(refusal)),
        Err(_) => Ok(small),
    }
}

/// Reads a whole body within the time limits.
async fn in_time(body: Incoming, most: u64, settings: &Settings) -> Result<Bytes, s3s::S3Error> {
    let slow = || {
        s3s::s3_error!(
            RequestTimeout,
            "Your socket connection to the server was not read from or written to within the timeout period."
        )
    };
    let Patience { stall, body: whole, .. } = settings.patience;
    let gathered = tokio::time::timeout(whole, gather(body, most, stall)).await;
    gathered.unwrap_or(Ok(None))?.ok_or_else(slow)
}

/// Reads a request body frame by frame; `None` if a frame took longer than `stall`.
async fn gather(
    mut body: Incoming,
    most: u64,
    stall: Duration,
) -> Result<Option<Bytes>, s3s::S3Error> {
    let mut data = BytesMut::new();
    loop {
        let Ok(frame) = tokio::time::timeout(stall, body.frame()).await else { return Ok(None) };
        let Some(frame) = frame else { return Ok(Some(data.freeze())) };
        let frame = frame.map_err(|_| {
            s3s::s3_error!(
                IncompleteBody,
                "You did not provide the number of bytes specified by the Content-Length HTTP header."
            )
        })?;
        let Ok(piece) = frame.into_data() else { continue };
        if (data.len() + piece.len()) as u64 > most {
            return Err(s3::too_large(most));
        }
        data.extend_from_slice(&piece);
    }
}
