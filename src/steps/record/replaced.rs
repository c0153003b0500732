//! The previous content of shared documents that a run overwrote, in the form that S3 accepts.
//! Not for: restoring it, which is the task of its owner.

use crate::events::StepId;
use serde::Serialize;
use serde_json::Value;

/// A shared document as it was before this run overwrote it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "replaced"))]
pub struct Replaced {
    /// The step that overwrote the document.
    pub step: StepId,
    /// The previous content, as the body of the call that would restore it.
    #[cfg_attr(test, schemars(schema_with = "document"))]
    pub document: Value,
}

/// Returns the schema of a document of S3's.
#[cfg(test)]
fn document(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": ["object", "array"], "additionalProperties": true})
}

/// What each step found before it first overwrote a document that others share, in the order of the
/// writes. `None` if there was no document.
#[derive(Debug, Default)]
pub(in crate::steps) struct Overwritten(Vec<(StepId, Option<Value>)>);

impl Overwritten {
    /// Records what `step` is about to overwrite. If a step writes twice, the content before the
    /// first write is kept. Returns whether this is the step's first write.
    pub(in crate::steps) fn add(&mut self, step: &StepId, document: Option<Value>) -> bool {
        let is_first = self.0.iter().all(|(known, _)| known != step);
        if is_first {
            self.0.push((step.clone(), document));
        }
        is_first
    }

    /// Forgets what `step` was about to overwrite: it did not.
    pub(in crate::steps) fn take_back(&mut self, step: &StepId) {
        self.0.retain(|(known, _)| known != step);
    }

    /// Returns the documents that there were.
    pub(in crate::steps) fn replaced(&self) -> Vec<Replaced> {
        let was = |(step, document): &(StepId, Option<Value>)| {
            Some(Replaced { step: step.clone(), document: document.clone()? })
        };
        self.0.iter().filter_map(was).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Kind;
    use serde_json::json;

    #[test]
    fn the_content_before_the_first_write_of_each_step_is_kept() {
        let [rules, tags, policy] = [Kind::Replication, Kind::BucketTags, Kind::BucketPolicy]
            .map(|kind| StepId::new(kind, "demo"));
        let mut all = Overwritten::default();
        assert!(all.add(&policy, Some(json!({"refused": true}))));
        all.take_back(&policy);
        assert!(all.add(&rules, Some(json!({"rules": ["theirs"]}))));
        all.add(&tags, None);
        assert!(!all.add(&rules, Some(json!({"rules": ["ours"]}))));
        all.add(&tags, Some(json!({"written": "by this run"})));
        all.add(&policy, Some(json!({})));
        let expected = [(rules, json!({"rules": ["theirs"]})), (policy, json!({}))];
        let expected = expected.map(|(step, document)| Replaced { step, document });
        assert_eq!(all.replaced(), expected);
    }
}
