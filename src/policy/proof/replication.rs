//! The calls that S3 makes to replicate, as the replication role.
//! Sections: S3 User Guide, "Setting up permissions for live replication" and "Replicating
//! encrypted objects"; its failure reasons ("Receiving replication failure events") name the
//! missing actions.
//! Not for: the calls of batch jobs (see `batch`).

use super::Document;
use super::call::{Call, Element, Expected, OwnPolicies, PolicyCaller, ResourcePolicyOf};
use super::reverse::{by_others, with_reverse};
use super::scene::{Scene, other_key, outside, through_s3};
use crate::manifest::{Profile, Side};
use crate::names::AccountId;
use crrctl_iam::{Principal, ResourceKind};

mod foreign;

const SECTION: &str = "replication";

/// The reads of a source object: the version, its ACL, its tags.
const READS: [&str; 3] =
    ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"];
/// The read of a source object's annotations, without which they don't replicate (S3 User Guide,
/// "Setting up permissions for live replication").
const ANNOTATIONS: &str = "s3:GetObjectVersionAnnotationForReplication";
/// The reads of the legal hold and the retention, if the bucket has Object Lock.
pub(super) const LOCK_READS: [&str; 2] = ["s3:GetObjectLegalHold", "s3:GetObjectRetention"];
/// The writes of the legal hold and the retention at a destination.
pub(super) const LOCK_WRITES: [&str; 2] = ["s3:PutObjectLegalHold", "s3:PutObjectRetention"];
const NOT_ON_LOCKS: [&str; 3] =
    ["s3:BypassGovernanceRetention", "s3:PutObjectLegalHold", "s3:PutObjectRetention"];
const NOT_ON_BUCKETS: [&str; 3] =
    ["s3:DeleteBucket", "s3:PutBucketPolicy", "s3:PutReplicationConfiguration"];
const NOT_ON_OBJECTS: [&str; 4] =
    ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"];
const NOT_ON_KEYS: [&str; 3] = ["kms:CreateGrant", "kms:ReEncryptFrom", "kms:ScheduleKeyDeletion"];

/// Returns every call of S3 for the pair, and the related calls that must be denied.
pub(super) fn calls(scene: &Scene<'_>) -> Vec<Call> {
    let who = role(scene);
    let trust = Document::of_role_trust(scene.topology);
    let assumed = scene.topology.assumed_role();
    let mut calls = assumption(scene, SECTION, "s3.amazonaws.com", assumed.as_str(), &trust);
    let mut as_role = source(scene, &who);
    for side in &scene.topology.destinations {
        as_role.extend(destination(scene, &who, side));
    }
    calls.extend(with_reverse(as_role));
    for side in &scene.topology.destinations {
        let prefix = scene.topology.prefixes(side)[0];
        let write = to_a_strangers_bucket(scene, &who, "s3:ReplicateObject", side, prefix);
        calls.push(encrypted(scene, side, write));
        calls.extend(
            scene.topology.marker_prefixes(side).first().map(|prefix| {
                to_a_strangers_bucket(scene, &who, "s3:ReplicateDelete", side, prefix)
            }),
        );
        calls.extend(foreign::calls(scene, &who, side));
    }
    calls
}

/// Returns the assumption of a role by `service`, and by callers that must be denied.
pub(super) fn assumption(
    scene: &Scene<'_>,
    section: &'static str,
    service: &str,
    role: &str,
    trust: &Document,
) -> Vec<Call> {
    let by = |caller| PolicyCaller { section, caller, own: OwnPolicies::Everything };
    let at = ResourcePolicyOf::Document(ResourceKind::Trust, trust.clone());
    let who = by(Principal::Service(service.to_owned()));
    let assume = Call::new(&who, "sts:AssumeRole", role, &scene.topology.source.account)
        .at(at)
        .forbidden_actions(&["sts:SetSourceIdentity", "sts:TagSession"]);
    let services = ["batchoperations.s3.amazonaws.com", "s3.amazonaws.com", "lambda.amazonaws.com"];
    let others = services.iter().filter(|other| **other != service);
    let mut others: Vec<PolicyCaller> =
        others.map(|other| by(Principal::Service((*other).to_owned()))).collect();
    others.push(by(scene.session(&scene.topology.source.account, "colleague")));
    others.push(scene.stranger(section));
    others.push(by(Principal::Anonymous));
    let refused = by_others(&assume, &others);
    with_reverse(vec![assume]).into_iter().chain(refused).collect()
}

fn source(scene: &Scene<'_>, who: &PolicyCaller) -> Vec<Call> {
    let (topology, side) = (scene.topology, &scene.topology.source);
    let prefixes = topology.prefixes(side);
    let on_bucket = ["s3:GetReplicationConfiguration", "s3:ListBucket"];
    let mut calls: Vec<Call> = on_bucket
        .iter()
        .map(|action| scene.on_bucket(who, action, side).forbidden_actions(&NOT_ON_BUCKETS))
        .collect();
    for prefix in &prefixes {
        let read = |action: &&str| scene.on_object(who, action, side, prefix, &prefixes);
        calls.extend(READS.iter().map(|action| read(action).forbidden_actions(&NOT_ON_OBJECTS)));
        if topology.wanted.annotations {
            calls.push(read(&ANNOTATIONS).forbidden_actions(&NOT_ON_OBJECTS));
        }
        if topology.wanted.buckets.lock.is_some() {
            calls.extend(
                LOCK_READS.iter().map(|action| read(action).forbidden_actions(&NOT_ON_LOCKS)),
            );
        }
    }
    calls.extend(kept_key(scene, who));
    if !side.has_key() {
        return calls;
    }
    let mut forbidden_actions = NOT_ON_KEYS.to_vec();
    forbidden_actions.extend(["kms:Encrypt", "kms:GenerateDataKey"]);
    let decrypt = scene.on_key(who, "kms:Decrypt", side).forbidden_actions(&forbidden_actions);
    let (contexts, not_for) = contexts(scene, side);
    calls.extend(through_s3(&decrypt, side, &contexts, &not_for));
    calls
}

/// Returns the decryption of objects that the source's own default encryption puts under another
/// key than the manifest's. The policy of that key is not read, and counts as the default one.
fn kept_key(scene: &Scene<'_>, who: &PolicyCaller) -> Vec<Call> {
    let (topology, side) = (scene.topology, &scene.topology.source);
    let Some(arn) = topology.kept_source_key(&scene.keys) else { return Vec::new() };
    let owner = AccountId::new(arn.account()).unwrap_or_else(|_| side.account.clone());
    let at = if owner == side.account {
        ResourcePolicyOf::LeftToIam
    } else {
        ResourcePolicyOf::Everything(ResourceKind::Key)
    };
    let mut forbidden_actions = NOT_ON_KEYS.to_vec();
    forbidden_actions.extend(["kms:Encrypt", "kms:GenerateDataKey"]);
    let decrypt = Call::new(who, "kms:Decrypt", &arn, &owner)
        .at(at.clone())
        .foreign_resources([(other_key(arn.as_str()), at)])
        .forbidden_actions(&forbidden_actions);
    let (contexts, not_for) = contexts(scene, side);
    through_s3(&decrypt, side, &contexts, &not_for)
}

/// Returns the writes of retention and legal hold at the destinations. The list of the role's
/// permissions names no action for them, but a failure reason exists for each: no `Allow` is
/// needed, but a `Deny` applies.
pub(super) fn lock_writes(scene: &Scene<'_>) -> Vec<Call> {
    if scene.topology.wanted.buckets.lock.is_none() {
        return Vec::new();
    }
    let who = role(scene);
    let of_side = |side: &Side| {
        let prefixes = scene.topology.prefixes(side);
        LOCK_WRITES.map(|action| scene.on_object(&who, action, side, prefixes[0], &prefixes))
    };
    scene.topology.destinations.iter().flat_map(of_side).collect()
}

/// Returns the calls that the strict profile does not allow and that S3 may make for an object that
/// was uploaded in parts. The sources contradict each other.
pub(super) fn in_doubt(scene: &Scene<'_>) -> Vec<Call> {
    if scene.topology.wanted.profile != Profile::Strict {
        return Vec::new();
    }
    let who = role(scene);
    let of_side = |side: &Side| {
        let context = scene.object_arn(side, scene.topology.prefixes(side)[0]);
        let uses = ["kms:GenerateDataKey", "kms:Decrypt"];
        let call = |action| scene.on_key(&who, action, side);
        uses.into_iter()
            .flat_map(|action| through_s3(&call(action), side, std::slice::from_ref(&context), &[]))
            .collect::<Vec<_>>()
    };
    let has_key = |side: &&Side| side.has_key();
    scene.topology.destinations.iter().filter(has_key).flat_map(of_side).collect()
}

/// Returns a session of the replication role.
pub(super) fn role(scene: &Scene<'_>) -> PolicyCaller {
    let role = scene.topology.assumed_role();
    let caller = Principal::RoleSession { role, session: "s3-replication".to_owned(), id: None };
    let own = OwnPolicies::Document(Document::of_role(scene.topology));
    PolicyCaller { section: SECTION, caller, own }
}

fn destination(scene: &Scene<'_>, who: &PolicyCaller, side: &Side) -> Vec<Call> {
    let topology = scene.topology;
    let (prefixes, markers) = (topology.prefixes(side), topology.marker_prefixes(side));
    let mut forbidden_actions = NOT_ON_OBJECTS.to_vec();
    if markers.is_empty() {
        forbidden_actions.push("s3:ReplicateDelete");
    }
    if topology.owned_prefixes(side).is_empty() {
        forbidden_actions.push("s3:ObjectOwnerOverrideToBucketOwner");
    }
    let mut calls = Vec::new();
    for prefix in &prefixes {
        let write = |action| scene.on_object(who, action, side, prefix, &prefixes);
        let object = encrypted(scene, side, write("s3:ReplicateObject"));
        calls.extend(
            [object, write("s3:ReplicateTags")]
                .map(|call| call.forbidden_actions(&forbidden_actions)),
        );
    }
    // If delete markers of only some objects are replicated, those of other objects must be denied.
    let mark = |prefix: &&str| scene.on_object(who, "s3:ReplicateDelete", side, prefix, &markers);
    calls.extend(markers.iter().map(mark).map(|call| call.forbidden_actions(&NOT_ON_OBJECTS)));
    calls.extend(foreign::uses(scene, who, side));
    if !side.has_key() {
        return calls;
    }
    // AWS documents only `Encrypt` for objects without Bucket Keys; the failure reason
    // DstPutObjectNotPermitted also names `Decrypt` and `GenerateDataKey`.
    let (uses, mut forbidden_actions): (&[&str], _) = match topology.wanted.profile {
        Profile::Compatible => (&["kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"], vec![]),
        Profile::Strict => (&["kms:Encrypt"], vec!["kms:Decrypt", "kms:GenerateDataKey"]),
    };
    forbidden_actions.extend(NOT_ON_KEYS);
    let (contexts, not_for) = contexts(scene, side);
    for action in uses {
        let call = scene.on_key(who, action, side).forbidden_actions(&forbidden_actions);
        calls.extend(through_s3(&call, side, &contexts, &not_for));
    }
    calls
}

/// Adds the condition keys that describe the replica to a write: its encryption and its storage
/// class (Service Authorization Reference for S3, `ReplicateObject`).
fn encrypted(scene: &Scene<'_>, side: &Side, call: Call) -> Call {
    let algorithm = side.has_key().then(|| scene.topology.wanted.key.algorithm.as_str());
    written(scene, side, algorithm, call)
}

/// Like [`encrypted`], for a replica with the encryption `algorithm`; `None` is SSE-S3.
pub(super) fn written(scene: &Scene<'_>, side: &Side, algorithm: Option<&str>, call: Call) -> Call {
    const HOW: &str = "s3:x-amz-server-side-encryption";
    let class = class_of(scene, side).unwrap_or_else(|| "STANDARD".to_owned());
    let call = call.with("s3:x-amz-storage-class", class);
    match algorithm {
        None => call.with(HOW, "AES256"),
        Some(algorithm) => call
            .with(HOW, algorithm)
            .with("s3:x-amz-server-side-encryption-aws-kms-key-id", scene.key_arn(side)),
    }
}

/// Returns the storage class that the rules give to replicas at `side`. `None` is that of the source
/// object.
pub(super) fn class_of(scene: &Scene<'_>, side: &Side) -> Option<String> {
    scene.topology.rules_to(side).find_map(|rule| rule.settings.storage_class.clone())
}

/// Returns the encryption contexts that must be allowed on `side`, and those that must be denied.
fn contexts(scene: &Scene<'_>, side: &Side) -> (Vec<String>, Vec<String>) {
    let (prefixes, bucket) = (scene.topology.prefixes(side), scene.bucket_arn(side));
    let mut objects: Vec<String> =
        prefixes.iter().map(|prefix| scene.object_arn(side, prefix)).collect();
    let mut not_for = vec![format!("{bucket}-other/{}object", prefixes[0])];
    not_for.extend(outside(&prefixes).map(|key| format!("{bucket}/{key}")));
    match scene.topology.wanted.profile {
        Profile::Compatible => objects.push(bucket),
        Profile::Strict => not_for.push(bucket),
    }
    (objects, not_for)
}

/// Returns a write to a bucket that another account created again after its deletion, with a policy
/// that allows everyone. The write must be denied.
fn to_a_strangers_bucket(
    scene: &Scene<'_>,
    who: &PolicyCaller,
    action: &str,
    side: &Side,
    prefix: &str,
) -> Call {
    to_a_stranger(scene, who, action, &scene.object_arn(side, prefix))
}

fn to_a_stranger(scene: &Scene<'_>, who: &PolicyCaller, action: &str, resource: &str) -> Call {
    Call::new(who, action, resource, &scene.stranger)
        .at(ResourcePolicyOf::Everything(ResourceKind::Bucket))
        .expecting(Expected::Deny(Element::Condition("StringEquals", "s3:ResourceAccount", None)))
}
