//! The previous content of shared documents that a run overwrote, in the form that S3 accepts.
//! Not for: restoring it, which is the task of its owner.

use super::Steps;
use crate::events::StepId;
use crate::names::BucketName;
use crate::plan::{Action, Work};
use crate::world::{Bucket, Lock};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::PoisonError;

/// A shared document as it was before this run overwrote it.
#[derive(Debug, Clone, Serialize)]
pub struct Replaced {
    /// The step that overwrote the document.
    pub step: StepId,
    /// The previous content, as the body of the call that would restore it.
    pub document: Value,
}

impl Steps {
    /// Returns the shared documents that this run overwrote.
    pub fn replaced(&self) -> Vec<Replaced> {
        let all = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        let was = |(step, document): &(StepId, Option<Value>)| {
            Some(Replaced { step: step.clone(), document: document.clone()? })
        };
        all.iter().filter_map(was).collect()
    }

    /// Records the content that `action` is about to overwrite, if the content `is_there`. If a
    /// step writes twice, the content before the first write is kept.
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

    /// Records a setting of a bucket that existed before the pair. The other steps read their
    /// document again before they write, and record it themselves.
    pub(super) fn replaces_setting(&self, action: &Action) {
        let Ok(bucket) = BucketName::new(&action.name) else { return };
        if let Some(said) = self.adopted.get(&bucket).and_then(|was| setting(&action.work, was)) {
            self.replaces(action, true, || said);
        }
    }
}

/// Returns the setting that `work` writes over, as it `was`.
fn setting(work: &Work, was: &Bucket) -> Option<Value> {
    match work {
        Work::Encryption(_) => was.encryption.as_ref().map(|it| {
            let mut default = json!({"SSEAlgorithm": it.algorithm});
            if let Some(key) = &it.key {
                default["KMSMasterKeyID"] = json!(key);
            }
            json!({"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": it.bucket_key}]})
        }),
        Work::Ownership(_) => {
            was.ownership.as_ref().map(|it| json!({"Rules": [{"ObjectOwnership": it}]}))
        }
        Work::PublicAccessBlock(_) => was.public_access_block.map(|it| {
            json!({"BlockPublicAcls": it.block_acls, "IgnorePublicAcls": it.ignore_acls,
                "BlockPublicPolicy": it.block_policy, "RestrictPublicBuckets": it.restrict_buckets})
        }),
        Work::Versioning(_) => was.versioning.as_ref().map(|it| json!({"Status": it})),
        Work::ObjectLock(_) => was.lock.as_ref().map(lock),
        Work::Key(_)
        | Work::SharedKey(_)
        | Work::ReplicaKey(_)
        | Work::Alias(_)
        | Work::Rotation(_)
        | Work::Bucket(_)
        | Work::BucketTags(_)
        | Work::BucketPolicy(_)
        | Work::Lifecycle(_)
        | Work::Role(_)
        | Work::RolePolicy(_)
        | Work::Rules(_)
        | Work::DroppedRule(_) => None,
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
