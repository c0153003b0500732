//! What stood where a run wrote over what others have a share in, in the shape that S3 takes back.
//! Not for: writing it back, which is for whoever knows whose it was.

use super::Steps;
use crate::events::{Kind, StepId};
use crate::names::BucketName;
use crate::plan::Action;
use crate::world::{Bucket, Lock};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::PoisonError;

/// A document that others have a share in, as it was before this run wrote over it.
#[derive(Debug, Clone, Serialize)]
pub struct Replaced {
    /// The step that wrote over it.
    pub step: StepId,
    /// What it said, as the body of the call that would put it back.
    pub document: Value,
}

impl Steps {
    /// Returns the shared documents that were written over.
    pub fn replaced(&self) -> Vec<Replaced> {
        let all = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        let was = |(step, document): &(StepId, Option<Value>)| {
            Some(Replaced { step: step.clone(), document: document.clone()? })
        };
        all.iter().filter_map(was).collect()
    }

    /// Keeps what `action` is about to write over, where something `is_there`. A step that writes twice replaces what was there
    /// before the first time.
    pub(super) fn replaces(
        &self,
        action: &Action,
        is_there: bool,
        document: impl FnOnce() -> Value,
    ) {
        let mut all = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        if all.iter().all(|(step, _)| *step != action.id) {
            all.push((action.id.clone(), is_there.then(document)));
        }
    }

    /// Keeps what a setting said of a bucket that was there before the pair; the other steps look again before they write.
    pub(super) fn replaces_setting(&self, action: &Action) {
        let Ok(bucket) = BucketName::new(&action.name) else { return };
        if let Some(said) = self.adopted.get(&bucket).and_then(|was| setting(action.kind, was)) {
            self.replaces(action, true, || said);
        }
    }
}

fn setting(kind: Kind, was: &Bucket) -> Option<Value> {
    match kind {
        Kind::Encryption => was.encryption.as_ref().map(|it| {
            let mut default = json!({"SSEAlgorithm": it.algorithm});
            if let Some(key) = &it.key {
                default["KMSMasterKeyID"] = json!(key);
            }
            json!({"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": it.bucket_key}]})
        }),
        Kind::Ownership => {
            was.ownership.as_ref().map(|it| json!({"Rules": [{"ObjectOwnership": it}]}))
        }
        Kind::PublicAccessBlock => was.public_access_block.map(|it| {
            json!({"BlockPublicAcls": it.block_acls, "IgnorePublicAcls": it.ignore_acls,
                "BlockPublicPolicy": it.block_policy, "RestrictPublicBuckets": it.restrict_buckets})
        }),
        Kind::Versioning => was.versioning.as_ref().map(|it| json!({"Status": it})),
        Kind::ObjectLock => was.lock.as_ref().map(lock),
        _ => None,
    }
}

fn lock(was: &Lock) -> Value {
    let mut all = Map::from_iter([("ObjectLockEnabled".to_owned(), json!("Enabled"))]);
    if let Some(retention) = &was.retention {
        let mut default = json!({"Mode": retention.mode});
        for (name, length) in [("Days", retention.days), ("Years", retention.years)] {
            if let Some(length) = length {
                default[name] = json!(length);
            }
        }
        all.insert("Rule".to_owned(), json!({"DefaultRetention": default}));
    }
    Value::Object(all)
}
