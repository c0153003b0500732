//! Groups the rules that select the same objects: one object proves all of them.
//! Not for: uploading the object (see `upload`).

use crate::manifest::{RuleSettings, RuleWish, Topology};
use std::sync::Arc;

/// Rules that select the same objects. One object proves all of them.
pub(super) struct Target {
    pub(super) filter: RuleSettings,
    pub(super) rules: Vec<RuleWish>,
}

impl Target {
    /// Returns the ids of the rules.
    pub(super) fn names(&self) -> String {
        self.rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// Returns the rules of `topology`, grouped by filter.
pub(super) fn targets(topology: &Topology) -> Vec<Arc<Target>> {
    let mut targets: Vec<Target> = Vec::new();
    for rule in &topology.rules {
        let selects = (&rule.settings.prefix, &rule.settings.tags);
        match targets.iter_mut().find(|it| (&it.filter.prefix, &it.filter.tags) == selects) {
            Some(target) => target.rules.push(rule.clone()),
            None => {
                targets.push(Target { filter: rule.settings.clone(), rules: vec![rule.clone()] });
            }
        }
    }
    targets.into_iter().map(Arc::new).collect()
}
