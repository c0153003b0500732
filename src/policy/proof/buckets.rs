//! The calls that the bucket policies allow, and the calls that they deny whatever other policies
//! allow.
//! Sections: S3 User Guide, "Security best practices" (TLS) and "Using server-side encryption with
//! AWS KMS keys" (condition keys of uploads).
//! Not for: calls of replication (see `replication`).

use super::call::{Call, Element, Expected, OwnPolicies, PolicyCaller};
use super::judge::Judge;
use super::scene::{Scene, TLS};
use super::{Document, Documents, Organisation};
use crate::manifest::{PairKeys, Side, Topology};
use crate::settings::Encryption;
use serde_json::Value;

const SECTION: &str = "uploads";
/// The header that sets the encryption.
const HOW: &str = "s3:x-amz-server-side-encryption";
/// The header that names the key.
const KEY: &str = "s3:x-amz-server-side-encryption-aws-kms-key-id";
const TLS_SPARED: Element = Element::Condition("Bool", TLS, Some("false"));

/// Returns the calls on each bucket.
pub(super) fn calls(scene: &Scene<'_>) -> Vec<Call> {
    scene.topology.sides().flat_map(|side| of_bucket(scene, side)).collect()
}

/// How objects can be uploaded under a bucket policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploads {
    /// With or without encryption headers.
    Plain,
    /// Only with encryption headers.
    WithHeaders,
    /// Not at all by a caller that the policy does not except.
    Denied,
}

/// Returns how objects can be uploaded to the source of `topology` under `policy`, the live policy
/// of its bucket. A policy that can't be parsed is left to the upload.
pub fn uploads(topology: &Topology, keys: &PairKeys, policy: &Value) -> Uploads {
    let mut documents = Documents::default();
    let side = &topology.source;
    if documents.put(&Document::of_bucket(side, topology), policy.clone()).is_err() {
        return Uploads::Plain;
    }
    let (scene, nobody) = (Scene::new(topology, keys, &documents), Organisation::default());
    let judge = Judge::new(&documents, &nobody, Vec::new());
    let caller = scene.session(scene.owner(side), "uploader");
    let uploader = PolicyCaller { section: SECTION, caller, own: OwnPolicies::Everything };
    let plain = upload(&scene, &uploader, side, "true");
    let named = with_headers(&scene, side, plain.clone());
    match (judge.decision(&plain).is_allowed(), judge.decision(&named).is_allowed()) {
        (true, _) => Uploads::Plain,
        (false, true) => Uploads::WithHeaders,
        (false, false) => Uploads::Denied,
    }
}

/// Returns an upload with the headers of the encryption that the manifest names for `side`.
fn with_headers(scene: &Scene<'_>, side: &Side, put: Call) -> Call {
    if !side.has_key() {
        return put.with(HOW, Encryption::SSE_S3);
    }
    let algorithm = scene.topology.wanted.key.algorithm.as_str();
    put.with(HOW, algorithm).with(KEY, scene.key_arn(side))
}

fn of_bucket(scene: &Scene<'_>, side: &Side) -> Vec<Call> {
    let caller = scene.session(scene.owner(side), "uploader");
    let uploader = PolicyCaller { section: SECTION, caller, own: OwnPolicies::Everything };
    let everybody = [uploader.clone(), scene.stranger(SECTION)];
    let mut calls = allowed(scene, &uploader, side);
    let document = Document::of_bucket(side, scene.topology);
    let mut forbid = |by: Element, call: Call| {
        calls.extend(everybody.iter().map(|who| {
            let expected = Expected::DenyBy(document.clone(), by.clone());
            Call { who: who.clone(), ..call.clone() }.expecting(expected)
        }));
    };
    let put = |tls: &str| upload(scene, &uploader, side, tls);
    if scene.topology.wanted.tls_only {
        let get = Call { action: "s3:GetObject".to_owned(), ..put("false") };
        forbid(TLS_SPARED, get);
        forbid(TLS_SPARED, put("false"));
        forbid(TLS_SPARED, list(scene, &uploader, side, "false"));
    }
    if scene.topology.wanted.deny_other_keys {
        let other = format!("{}0", scene.key_arn(side));
        let named = Element::Condition("StringNotEquals", KEY, None);
        forbid(named, put("true").with(HOW, "aws:kms").with(KEY, other));
        // Without a key id S3 uses the account's AWS managed key, which replication can't use.
        let unnamed = Element::Condition("Null", HOW, None);
        forbid(unnamed.clone(), put("true").with(HOW, "aws:kms"));
        forbid(unnamed, put("true").with(HOW, "AES256"));
    }
    calls
}

/// Returns the calls that must be allowed: a listing, an upload without encryption headers, and an
/// upload that names the pair's key.
fn allowed(scene: &Scene<'_>, uploader: &PolicyCaller, side: &Side) -> Vec<Call> {
    let spared = |elements: &[Element]| {
        Expected::Allow(elements.iter().cloned().chain([TLS_SPARED]).collect())
    };
    let without = [
        Element::Condition("Null", HOW, Some("false")),
        Element::Condition("Null", KEY, Some("false")),
    ];
    let named = [
        Element::Condition("Null", KEY, Some("true")),
        Element::Condition("StringNotEquals", KEY, None),
    ];
    let put = || upload(scene, uploader, side, "true");
    let mut calls = vec![
        list(scene, uploader, side, "true").expecting(spared(&[])),
        put().expecting(spared(&without)),
    ];
    if side.has_key() {
        let ours = with_headers(scene, side, put());
        calls.push(ours.expecting(spared(&named)));
    }
    calls
}

fn upload(scene: &Scene<'_>, who: &PolicyCaller, side: &Side, tls: &str) -> Call {
    let object = scene.object_arn(side, scene.topology.prefixes(side)[0]);
    Call::new(who, "s3:PutObject", object, scene.owner(side))
        .at(scene.bucket_policy(side))
        .with(TLS, tls)
}

fn list(scene: &Scene<'_>, who: &PolicyCaller, side: &Side, tls: &str) -> Call {
    Call::new(who, "s3:ListBucket", scene.bucket_arn(side), scene.owner(side))
        .at(scene.bucket_policy(side))
        .with(TLS, tls)
}
