//! Replication behind everybody's back: decides at the time of writing what goes where, then does it in the background.
//! It lists what S3 does by its own lights and must never share a list with what is tested against it.
//! Not for: checking configurations (see `s3::rules`).

use super::access::{Resource, authorize};
use super::auth::Caller;
use super::kms::Unusable;
use super::s3::{
    Bucket, Object, Outcome, Replicated, Sse, Version, Versioning, What, default_of, is_v1,
    matches, random_etag,
};
use super::state::{Shared, State};
use s3s::dto::{DeleteMarkerReplicationStatus, ReplicationRule};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The most records that are kept; the oldest go first.
const MAX_RECORDS: usize = 100_000;

/// Work that is waiting, and how all work went.
#[derive(Debug, Default)]
pub(crate) struct Replication {
    queue: VecDeque<Job>,
    records: VecDeque<Record>,
    /// The number of the oldest record that is kept.
    first: usize,
}

impl Replication {
    /// Returns whether anything waits.
    pub(crate) fn has_work(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Returns the records as `GET /_crrctl/replication` shows them.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let record = |record: &Record| {
            serde_json::json!({
                "bucket": record.bucket,
                "key": record.key,
                "version_id": record.version,
                "destination": record.destination,
                "status": record.status,
                "failure_reason": record.reason,
            })
        };
        self.records.iter().map(record).collect()
    }

    fn push(&mut self, job: Job) {
        self.records.push_back(Record {
            bucket: job.bucket.clone(),
            key: job.key.clone(),
            version: job.version.clone(),
            destination: job.target.bucket.clone(),
            status: "PENDING",
            reason: None,
        });
        if self.records.len() > MAX_RECORDS {
            self.records.pop_front();
            self.first += 1;
        }
        let record = self.first + self.records.len() - 1;
        self.queue.push_back(Job { record, ..job });
    }
}

/// How replicating one version to one destination stands.
#[derive(Debug)]
struct Record {
    bucket: String,
    key: String,
    version: String,
    destination: String,
    status: &'static str,
    reason: Option<&'static str>,
}

/// One version that is to go to one destination.
#[derive(Debug, Clone)]
struct Job {
    bucket: String,
    key: String,
    version: String,
    /// The configuration's role when the version was written.
    role: String,
    target: Target,
    record: usize,
}

/// What the rule that applied says of its destination.
#[derive(Debug, Clone)]
struct Target {
    bucket: String,
    key: Option<String>,
    storage_class: Option<String>,
}

/// Decides where a version that was just written goes, marks it PENDING and queues the work.
pub(crate) fn schedule(state: &mut State, bucket: &str, key: &str, version: &str) {
    let Some(source) = state.buckets.0.get_mut(bucket) else { return };
    if source.versioning != Versioning::Enabled {
        return;
    }
    let Some(configuration) = &source.replication else { return };
    let role = configuration.role.clone();
    let Some(written) = source.version(key, version) else { return };
    let targets = targets(&configuration.rules, key, &written.what);
    if targets.is_empty() {
        return;
    }
    let outcomes: BTreeMap<String, Outcome> =
        targets.iter().map(|target| (target.bucket.clone(), Outcome::Pending)).collect();
    if let Some(Version { what: What::Object(object), .. }) = source.version_mut(key, version) {
        object.replicated = Replicated::Source(outcomes);
    }
    for target in targets {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let (version, role) = (version.to_owned(), role.clone());
        state.replication.push(Job { bucket, key, version, role, target, record: 0 });
    }
}

/// Returns the destinations of a version: of the rules that apply, the one of highest priority for each
/// (S3 User Guide, "Replication configuration file elements").
fn targets(rules: &[ReplicationRule], key: &str, what: &What) -> Vec<Target> {
    let object = match what {
        What::Object(object) => Some(&**object),
        What::DeleteMarker => None,
    };
    let mut best: BTreeMap<&str, &ReplicationRule> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| matches(rule, key, object)) {
        let held = best.entry(&rule.destination.bucket).or_insert(rule);
        if rule.priority > held.priority {
            *held = rule;
        }
    }
    best.into_values()
        .filter(|rule| eligible(rule, object))
        .map(|rule| Target {
            bucket: rule.destination.bucket.rsplit(':').next().unwrap_or_default().to_owned(),
            key: rule
                .destination
                .encryption_configuration
                .as_ref()
                .and_then(|encryption| encryption.replica_kms_key_id.clone()),
            storage_class: rule.destination.storage_class.as_ref().map(|c| c.as_str().to_owned()),
        })
        .collect()
}

/// Delete markers and SSE-KMS objects go only where the rule says so.
fn eligible(rule: &ReplicationRule, object: Option<&Object>) -> bool {
    match object {
        None => {
            let markers = rule.delete_marker_replication.as_ref().and_then(|m| m.status.as_ref());
            is_v1(rule)
                || markers.is_some_and(|s| s.as_str() == DeleteMarkerReplicationStatus::ENABLED)
        }
        Some(object) if object.sse == Sse::S3 => true,
        Some(_) => rule
            .source_selection_criteria
            .as_ref()
            .and_then(|criteria| criteria.sse_kms_encrypted_objects.as_ref())
            .is_some_and(|opted| opted.status.as_str() == "Enabled"),
    }
}

/// Works off the queue until `stop`.
pub(crate) async fn work(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.replicate.notified() => {}
        }
        // One job a lock, so that requests get their turn in between.
        while !stop.is_cancelled() && step(&mut shared.lock()) {
            tokio::task::yield_now().await;
        }
    }
}

/// Does one job; false where there is none.
fn step(state: &mut State) -> bool {
    let Some(job) = state.replication.queue.pop_front() else { return false };
    let outcome = replicate(state, &job);
    let (status, reason) = match outcome {
        Ok(()) => (Outcome::Completed, None),
        Err(reason) => (Outcome::Failed, Some(reason)),
    };
    tracing::debug!(bucket = job.bucket, key = job.key, ?status, reason, "replicated");
    let record = job.record.checked_sub(state.replication.first);
    if let Some(record) = record.and_then(|at| state.replication.records.get_mut(at)) {
        record.status = if reason.is_some() { "FAILED" } else { "COMPLETED" };
        record.reason = reason;
    }
    let source = state.buckets.0.get_mut(&job.bucket);
    if let Some(version) = source.and_then(|bucket| bucket.version_mut(&job.key, &job.version))
        && let What::Object(object) = &mut version.what
        && let Replicated::Source(outcomes) = &mut object.replicated
    {
        outcomes.insert(job.target.bucket.clone(), status);
    }
    true
}

/// Makes the replica of one version, or returns AWS's `failureReason`
/// (S3 User Guide, "Receiving replication failure events with Amazon S3 Event Notifications").
fn replicate(state: &mut State, job: &Job) -> Result<(), &'static str> {
    let now = state.now();
    let source = state.buckets.0.get(&job.bucket).ok_or("SrcBucketNotFound")?;
    let owner = source.owner.clone();
    if !state.iam.has_role(&owner, &job.role) {
        return Err("AssumeRoleNotPermitted");
    }
    let version = source.version(&job.key, &job.version).ok_or("SrcVersionNotFound")?.clone();
    let here = Caller { account: owner.clone(), region: source.region.clone() };
    if let What::Object(object) = &version.what {
        object.sse.check(&state.kms, &here).map_err(|_| "SrcKmsKeyInvalidState")?;
    }
    let destination = state.buckets.0.get(&job.target.bucket).ok_or("DstBucketNotFound")?;
    if destination.versioning != Versioning::Enabled {
        return Err("DstBucketUnversioned");
    }
    let there = Caller { account: owner, region: destination.region.clone() };
    permit(&there, destination, job, &version.what)?;
    let what = match version.what {
        What::DeleteMarker => What::DeleteMarker,
        What::Object(object) => {
            let sse = encrypt(&mut state.kms, &there, destination, job, &object, now)
                .map_err(|unusable| reason(&unusable))?;
            What::Object(Box::new(replica(*object, sse, job)))
        }
    };
    let destination = state.buckets.0.get_mut(&job.target.bucket).ok_or("DstBucketNotFound")?;
    // What is there already, as after a replication back and forth, stays as it is.
    if destination.version(&job.key, &job.version).is_none() {
        destination.insert(&job.key, Version { what, ..version });
    }
    Ok(())
}

/// Asks whether the source's account may write the replica.
fn permit(
    there: &Caller,
    destination: &Bucket,
    job: &Job,
    what: &What,
) -> Result<(), &'static str> {
    let partition = there.partition();
    let arn = format!("arn:{partition}:s3:::{}/{}", job.target.bucket, job.key);
    let resource = Resource { arn, owner: &destination.owner };
    let (action, reason) = match what {
        What::Object(_) => ("s3:ReplicateObject", "DstPutObjectNotPermitted"),
        What::DeleteMarker => ("s3:ReplicateDelete", "DstDelObjNotPermitted"),
    };
    authorize(there, action, &resource, &[]).map_err(|_| reason)
}

/// Decides how the replica is encrypted: an SSE-KMS source under the rule's key, another as the destination bucket has it by default
/// (S3 User Guide, "Replicating encrypted objects"). A Bucket Key is kept, and used where the destination has it on.
fn encrypt(
    kms: &mut super::kms::Kms,
    there: &Caller,
    destination: &Bucket,
    job: &Job,
    object: &Object,
    now: std::time::SystemTime,
) -> Result<Sse, Unusable> {
    let (Sse::Kms { dual, bucket_key, .. }, Some(key)) = (&object.sse, &job.target.key) else {
        return default_of(destination, kms, now, None);
    };
    let key = kms.usable(there, key)?;
    let bucket_key = !dual && (*bucket_key || destination.has_bucket_key());
    Ok(Sse::Kms { dual: *dual, key, bucket_key })
}

fn reason(unusable: &Unusable) -> &'static str {
    match unusable {
        Unusable::NotFound(_) => "DstKmsKeyNotFound",
        Unusable::Denied(_) => "DstPutObjectNotPermitted",
        Unusable::Disabled(_) | Unusable::InvalidState(_) => "DstKmsKeyInvalidState",
    }
}

/// Turns a source object into its replica. The `ETag` changes where plaintext becomes SSE-KMS.
fn replica(mut object: Object, sse: Sse, job: &Job) -> Object {
    if object.sse == Sse::S3 && sse != Sse::S3 {
        object.etag = random_etag();
    }
    object.sse = sse;
    object.replicated = Replicated::Replica;
    if let Some(class) = &job.target.storage_class {
        object.described.storage_class = Some(class.clone()).filter(|class| class != "STANDARD");
    }
    object
}
