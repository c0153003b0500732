//! The previous content of shared documents that a run overwrote, in the form that S3 accepts.
//! Not for: restoring it, which is the task of its owner.

use super::Steps;
use crate::events::StepId;
use crate::names::BucketName;
use crate::plan::{Action, Work};
use serde::Serialize;
use serde_json::Value;
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
        let Work::Document(change) = &action.work else { return };
        let was = self.adopted.get(&bucket).and_then(|was| change.restored(&was.documents));
        if let Some(was) = was {
            self.replaces(action, true, || was);
        }
    }
}
