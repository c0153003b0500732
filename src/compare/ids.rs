//! Which id of the sandbox stands for which id of the recording: both give out their own.
//! Not for: which members hold ids (see `recording::members`).

use crate::recording::{Members, hex_ids};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// The ids that are known so far.
#[derive(Debug, Clone, Default)]
pub struct Ids {
    /// Whole values.
    whole: HashMap<String, String>,
    /// UUIDs and ids of keys, which occur within ARNs and policies too.
    within: HashMap<String, String>,
    /// What was learned, in its order: whether a whole value, and which.
    learned: Vec<(bool, String)>,
}

/// A point in time to go back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark(usize);

impl Ids {
    /// Returns a text of the recording as the sandbox says it.
    pub fn translated<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if let Some(known) = self.whole.get(text) {
            return Cow::Owned(known.clone());
        }
        let mut out = Cow::Borrowed(text);
        for id in hex_ids(text) {
            if let Some(known) = self.within.get(id) {
                out = Cow::Owned(out.replace(id, known));
            }
        }
        out
    }

    /// Returns the members of a recorded request as they are sent to the sandbox.
    pub fn request(&self, members: &Members) -> Members {
        members.iter().map(|(name, value)| (name.clone(), self.value(value))).collect()
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.translated(text).into_owned()),
            Value::Array(items) => items.iter().map(|it| self.value(it)).collect(),
            Value::Object(members) => Value::Object(self.request(members)),
            value => value.clone(),
        }
    }

    /// Returns a point to go back to.
    pub fn mark(&self) -> Mark {
        Mark(self.learned.len())
    }

    /// Forgets what was learned since `mark`.
    pub fn back_to(&mut self, mark: Mark) {
        for (is_whole, recorded) in self.learned.drain(mark.0.min(self.learned.len())..) {
            if is_whole {
                self.whole.remove(&recorded)
            } else {
                self.within.remove(&recorded)
            };
        }
    }

    /// Returns whether an id of the recording has a counterpart.
    pub(super) fn knows(&self, recorded: &str) -> bool {
        self.whole.contains_key(recorded)
    }

    /// Takes `sandbox` for the counterpart of `recorded`.
    pub(super) fn learn(&mut self, recorded: &str, sandbox: &str) {
        if !self.knows(recorded) {
            self.whole.insert(recorded.to_owned(), sandbox.to_owned());
            self.learned.push((true, recorded.to_owned()));
        }
    }

    /// Takes the ids within `sandbox` for the counterparts of those in `recorded`, if the texts differ
    /// in nothing else. Returns whether they do.
    pub(super) fn learn_within(&mut self, recorded: &str, sandbox: &str) -> bool {
        let (theirs, ours) = (hex_ids(recorded), hex_ids(sandbox));
        let bare = |text: &str, ids: &[&str]| {
            ids.iter().fold(text.to_owned(), |text, id| text.replace(id, "…"))
        };
        if theirs.len() != ours.len() || bare(recorded, &theirs) != bare(sandbox, &ours) {
            return false;
        }
        let agrees = |(recorded, sandbox): (&&str, &&str)| {
            self.within.get(*recorded).is_none_or(|known| known == sandbox)
        };
        if !theirs.iter().zip(&ours).all(agrees) {
            return false;
        }
        for (recorded, sandbox) in theirs.into_iter().zip(ours) {
            if self.within.insert(recorded.to_owned(), sandbox.to_owned()).is_none() {
                self.learned.push((false, recorded.to_owned()));
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_learned_once_and_translated_everywhere() {
        let mut ids = Ids::default();
        let (a, b, c) = ("1".repeat(32), "2".repeat(32), "3".repeat(32));
        let arn = |id: &str| format!("arn:aws:kms:us-east-1:1:key/mrk-{id}");
        assert!(ids.learn_within(&arn(&a), &arn(&b)));
        assert_eq!(
            ids.translated(&format!("{{\"Resource\":\"{}\"}}", arn(&a))),
            format!("{{\"Resource\":\"{}\"}}", arn(&b))
        );
        assert!(!ids.learn_within(&arn(&a), &arn(&c)));
        assert!(!ids.learn_within("one", "two"));
        ids.learn("v1", "w1");
        ids.learn("v1", "w2");
        assert_eq!(ids.translated("v1"), "w1");
        let mark = ids.mark();
        ids.learn("v2", "w2");
        ids.back_to(mark);
        assert_eq!((ids.translated("v1"), ids.translated("v2")), ("w1".into(), "v2".into()));
    }
}
