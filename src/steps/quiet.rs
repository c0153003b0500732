//! Waits after the rules of a source are removed. S3 applies them for a while (S3 API Reference,
//! `DeleteBucketReplication`), and objects written in that time end FAILED once the role is
//! deleted. The step waits until fresh objects have no replication status.
//! Not for: removing the rules (see `replication`).

use super::Run;
use super::hold::{EncryptionHeaders, bypass, retention};
use super::meanwhile::changed;
use super::recent::{self, Recent};
use crate::aws::At;
use crate::aws::settle::{Look, Wait};
use crate::failure::Failure;
use crate::manifest::{BucketPlace, Topology};
use aws_sdk_s3::primitives::ByteStream;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long fresh objects must have no replication status, by S3's clock.
pub(super) const QUIET: Duration = Duration::from_mins(2);
/// The time limit for PENDING objects. Most objects replicate within 15 minutes (S3 User Guide,
/// "Troubleshooting replication").
const UNDER_WAY: Duration = Duration::from_mins(15);
/// How many PENDING objects are named.
const NAMED: usize = 5;

/// The result of uploading a fresh object.
pub(super) struct Fresh {
    pub(super) version_id: String,
    has_status: bool,
    /// When S3 stored the object, in seconds.
    pub(super) at: i64,
}

/// Waits until S3 no longer applies the pair's rules, then for PENDING objects, up to the time
/// limit.
pub(super) async fn until_forgotten(run: Run<'_>, direction: &Topology) -> Result<(), Failure> {
    let source = &direction.source;
    let round: String = std::iter::repeat_with(fastrand::lowercase).take(8).collect();
    let quiet = until_quiet(run, direction, &round).await;
    // Runs after a failed wait too: crrctl leaves no object in a bucket that stays.
    for rule in &direction.rules {
        let prefix = format!("{}{round}/", direction.wanted.probe_prefix(&rule.settings));
        match recent::purge_own(&run.aws, source, &prefix, bypass(&run.scope.topology)).await {
            Err(error) if error.is_absent() => {}
            purged => purged?,
        }
    }
    let now = quiet?;
    until_none_pending(run, source, now).await
}

/// Waits until fresh objects have no replication status. Returns that time by S3's clock.
async fn until_quiet(run: Run<'_>, direction: &Topology, round: &str) -> Result<i64, Failure> {
    let wait = Wait {
        what: format!(
            "S3 to forget the rules of `{}`, which stays: fresh objects must bear no status for two minutes",
            direction.source.bucket
        ),
        every: Duration::from_secs(1),
        at_most_every: Duration::from_secs(10),
        at_most: Duration::from_mins(30),
        in_a_row: 1,
        hint: "run `crrctl destroy` again to go on; `crrctl plan --destroy` shows what is left"
            .to_owned(),
    };
    let state = std::sync::Mutex::new((0_u32, None::<i64>));
    let look = || async {
        let n = {
            let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            state.0 += 1;
            state.0
        };
        let fresh = fresh(run, direction, &format!("{round}/{n}")).await?;
        let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if fresh.has_status {
            state.1 = None;
            return Ok(Look::NotYet(format!("version {} still bears one", fresh.version_id)));
        }
        let quiet = fresh.at - *state.1.get_or_insert(fresh.at);
        Ok(if quiet >= i64::try_from(QUIET.as_secs()).unwrap_or(i64::MAX) {
            Look::There(fresh.at)
        } else {
            Look::NotYet(format!("none for {quiet} s"))
        })
    };
    run.until(&wait, look).await
}

/// Uploads a fresh object under the probe prefix of each rule, ending in `name`. Returns the
/// first object with a replication status, else the last one.
async fn fresh(run: Run<'_>, direction: &Topology, name: &str) -> Result<Fresh, Failure> {
    let mut last = Fresh { version_id: String::new(), has_status: false, at: 0 };
    for rule in &direction.rules {
        let key = format!("{}{name}", direction.wanted.probe_prefix(&rule.settings));
        let fresh = fresh_one(run, &direction.source, &key, &rule.settings.tags).await?;
        if fresh.has_status {
            return Ok(fresh);
        }
        last = fresh;
    }
    Ok(last)
}

/// Uploads a fresh object with `tags` under `key`, and reads whether it has a replication
/// status.
pub(super) async fn fresh_one(
    run: Run<'_>,
    side: &BucketPlace,
    key: &str,
    tags: &BTreeMap<String, String>,
) -> Result<Fresh, Failure> {
    let BucketPlace { region, bucket } = side;
    let s3 = run.aws.s3(region);
    let tags = form_urlencoded::Serializer::new(String::new()).extend_pairs(tags).finish();
    let direction = run.scope.direction_from(side.bucket.as_str()).ok();
    let named = direction.and_then(|it| it.named_encryption(&run.keys()));
    let encryption = EncryptionHeaders::of(named);
    let put = || async {
        let put = s3.put_object().bucket(bucket.as_str()).key(key);
        let mut put = put.body(ByteStream::from_static(b"crrctl"));
        if !tags.is_empty() {
            put = put.tagging(&tags);
        }
        put = put.set_server_side_encryption(encryption.algorithm.clone());
        put = put.set_ssekms_key_id(encryption.key.clone());
        put = put.set_bucket_key_enabled(encryption.bucket_key);
        let (mode, until) = retention(&run.aws, &run.scope.topology).unzip();
        put = put.set_object_lock_mode(mode).set_object_lock_retain_until_date(until);
        for (name, value) in run.scope.topology.wanted.probe_metadata() {
            put = put.metadata(name, value);
        }
        match put.send().await.at("s3:PutObject", region) {
            // The bucket stood when the run began, so no wait brings it back.
            Err(error) if error.is("NoSuchBucket") => Ok(Err(error)),
            put => put.map(Ok),
        }
    };
    let put = run.retry(put).await?.map_err(|error| changed(error.into()))?;
    let version_id = put.version_id().unwrap_or("null").to_owned();
    let head = s3.head_object().bucket(bucket.as_str()).key(key).version_id(&version_id);
    let head = head.send().await.at("s3:HeadObject", region);
    let head = head.map_err(|error| changed(error.into()))?;
    Ok(Fresh {
        version_id,
        has_status: head.replication_status().is_some(),
        at: head.last_modified().map(aws_smithy_types::DateTime::secs).unwrap_or_default(),
    })
}

/// Waits for earlier objects that are PENDING: their replication needs the role and the keys.
/// Objects that stay PENDING are counted and named.
pub(super) async fn until_none_pending(
    run: Run<'_>,
    source: &BucketPlace,
    now: i64,
) -> Result<(), Failure> {
    let wait = Wait {
        what: format!("the objects of `{}` that are PENDING", source.bucket),
        every: Duration::from_secs(2),
        at_most_every: Duration::from_secs(30),
        at_most: UNDER_WAY,
        in_a_row: 1,
        hint: String::new(),
    };
    let named = std::sync::Mutex::new(String::new());
    let look = || async {
        let Recent { pending, seen_all } = recent::pending(&run.aws, source, now).await?;
        if pending.is_empty() {
            return Ok(Look::There(seen_all));
        }
        let some: Vec<&str> = pending.iter().take(NAMED).map(String::as_str).collect();
        let text = format!("{} objects are PENDING, such as {}", pending.len(), some.join(", "));
        named.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone_from(&text);
        Ok(Look::NotYet(text))
    };
    match run.until(&wait, look).await {
        Ok(true) => {}
        Ok(false) => run.progress.note(format!(
            "`{}` holds more recent objects than were looked at: some may be PENDING",
            source.bucket
        )),
        Err(failure) if failure.code == "too-late" => {
            let named = named.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
            run.progress.note(format!("{named}: they will not replicate any more"));
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}
