//! Retention and legal hold of single versions. Not for: refusing to delete a protected version
//! (see `deletes`).

use super::errors::{custom, malformed};
use super::event_hold;
use super::lock::{bypasses, future, missing, protected};
use super::object_tags::{find_mut, follow};
use crate::s3::call::S3Call;
use crate::world::buckets::{Lock, Mode, Object, Retention};
use crate::world::replication::MetadataChange;
use s3s::dto::{
    GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectRetentionInput,
    GetObjectRetentionOutput, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention,
    ObjectLockRetentionMode, PutObjectLegalHoldInput, PutObjectLegalHoldOutput,
    PutObjectRetentionInput, PutObjectRetentionOutput, Timestamp,
};
use s3s::{S3Error, S3Result};
use std::time::SystemTime;

/// Finds a version in a bucket, which must have Object Lock.
fn find<'a>(
    call: &'a mut S3Call<'_>,
    action: &str,
    at: (&str, &str, Option<&str>),
) -> S3Result<&'a mut Object> {
    if call.bucket_of(at.0, (at.1, at.2), action)?.object_lock.is_none() {
        return Err(missing());
    }
    Ok(find_mut(call, action, at)?.0)
}

fn none() -> S3Error {
    let text = "The specified object does not have a ObjectLock configuration";
    custom(404, "NoSuchObjectLockConfiguration", text.into())
}

/// S3 API Reference, `GetObjectRetention`.
pub(super) fn get(
    call: &mut S3Call<'_>,
    input: GetObjectRetentionInput,
) -> S3Result<GetObjectRetentionOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let now = call.state.now();
    let lock = find(call, "s3:GetObjectRetention", at)?.lock;
    let retention = lock.retained(now).ok_or_else(none)?;
    if let Some(hold) = lock.event_hold {
        event_hold::tell(hold, &mut call.extra.extensions);
    }
    Ok(GetObjectRetentionOutput {
        retention: Some(ObjectLockRetention {
            mode: Some(ObjectLockRetentionMode::from_static(retention.mode.name())),
            retain_until_date: Some(Timestamp::from(retention.until)),
        }),
    })
}

/// S3 API Reference, `PutObjectRetention`: a retention period can always be extended. Shortening
/// it, removing it or changing its mode requires the bypass of governance mode, and is refused in
/// compliance mode. When an event hold is released, the version is retained for the hold's period
/// from then on.
pub(super) fn put(
    call: &mut S3Call<'_>,
    input: PutObjectRetentionInput,
) -> S3Result<PutObjectRetentionOutput> {
    let now = call.state.now();
    let given = input.retention.ok_or_else(malformed)?;
    let hold = event_hold::in_body(&call.extensions);
    let mode = given.mode.as_ref().map(|mode| Mode::named(mode.as_str()).ok_or_else(malformed));
    let mode = mode.transpose()?;
    let date = given.retain_until_date.as_ref().map(|until| future(until, now)).transpose()?;
    Lock {
        retention: mode.zip(date).map(|(mode, until)| Retention { mode, until }),
        legal_hold: None,
        event_hold: hold.and_then(event_hold::EventHoldChange::period),
    }
    .describe(&mut call.asked, now);
    if hold == Some(event_hold::EventHoldChange::Off) {
        call.asked.set("s3:object-lock-event-hold", "OFF");
    }
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let lock = find(call, "s3:PutObjectRetention", at)?.lock;
    let current = lock.retained(now);
    let new = changed(&lock, mode, date, hold, now)?;
    if current.is_some_and(|current| current.is_loosened_by(new.retained(now), now)) {
        let governed = current.is_some_and(|current| current.mode == Mode::Governance);
        let bypass = bypasses(call, input.bypass_governance_retention, at.0, (at.1, at.2))?;
        if !(governed && bypass) {
            return Err(protected());
        }
    }
    find(call, "s3:PutObjectRetention", at)?.lock = new;
    follow(call, at, MetadataChange::Retention)?;
    Ok(PutObjectRetentionOutput::default())
}

/// Returns the version's new lock after the requested change.
fn changed(
    lock: &Lock,
    mode: Option<Mode>,
    date: Option<SystemTime>,
    hold: Option<event_hold::EventHoldChange>,
    now: SystemTime,
) -> S3Result<Lock> {
    let current = lock.retained(now);
    let (mode, until, event_hold) = match (hold, mode, date) {
        (None, None, None) => return Ok(Lock { retention: None, event_hold: None, ..*lock }),
        (None, Some(mode), Some(until)) => (mode, until, lock.event_hold),
        (Some(event_hold::EventHoldChange::On(period)), mode, date) => {
            let mode = mode.or_else(|| Some(current?.mode));
            let mode =
                mode.ok_or_else(|| event_hold::invalid("An event hold needs a retention mode."))?;
            let until = date.max(period.after_hold(now)).max(current.map(|current| current.until));
            (mode, until.ok_or_else(malformed)?, Some(period))
        }
        (Some(event_hold::EventHoldChange::Off), mode, date) => {
            let current = current.filter(|_| lock.event_hold.is_some()).ok_or_else(|| {
                event_hold::invalid("The object version is not under an event hold.")
            })?;
            let until = date.map_or(current.until, |date| date.max(current.until));
            (mode.unwrap_or(current.mode), until, None)
        }
        _ => return Err(malformed()),
    };
    Ok(Lock { retention: Some(Retention { mode, until }), event_hold, ..*lock })
}

/// S3 API Reference, `GetObjectLegalHold`.
pub(super) fn get_legal_hold(
    call: &mut S3Call<'_>,
    input: GetObjectLegalHoldInput,
) -> S3Result<GetObjectLegalHoldOutput> {
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    let on = find(call, "s3:GetObjectLegalHold", at)?.lock.legal_hold.ok_or_else(none)?;
    let status = Some(ObjectLockLegalHoldStatus::from_static(if on { "ON" } else { "OFF" }));
    Ok(GetObjectLegalHoldOutput { legal_hold: Some(ObjectLockLegalHold { status }) })
}

/// S3 API Reference, `PutObjectLegalHold`.
pub(super) fn put_legal_hold(
    call: &mut S3Call<'_>,
    input: PutObjectLegalHoldInput,
) -> S3Result<PutObjectLegalHoldOutput> {
    let status = input.legal_hold.and_then(|hold| hold.status).ok_or_else(malformed)?;
    let on = match status.as_str() {
        "ON" => true,
        "OFF" => false,
        _ => return Err(malformed()),
    };
    let now = call.state.now();
    Lock { legal_hold: Some(on), ..Lock::default() }.describe(&mut call.asked, now);
    let at = (&*input.bucket, &*input.key, input.version_id.as_deref());
    find(call, "s3:PutObjectLegalHold", at)?.lock.legal_hold = Some(on);
    follow(call, at, MetadataChange::LegalHold)?;
    Ok(PutObjectLegalHoldOutput::default())
}
