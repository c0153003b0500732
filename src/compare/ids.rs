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
    whole: Counterparts,
    /// UUIDs and ids of keys, which occur within ARNs and policies too.
    within: Counterparts,
    /// What was learned, in its order: whether a whole value, and which.
    learned: Vec<(bool, String)>,
}

/// Counterparts, one for one.
#[derive(Debug, Clone, Default)]
struct Counterparts {
    of_recorded: HashMap<String, String>,
    /// Hashes are not among them.
    of_sandbox: HashMap<String, String>,
}

impl Counterparts {
    fn get(&self, recorded: &str) -> Option<&String> {
        self.of_recorded.get(recorded)
    }

    /// Returns whether the two are counterparts, or neither has another one.
    fn agrees(&self, recorded: &str, sandbox: &str) -> bool {
        self.get(recorded).is_none_or(|known| known == sandbox)
            && self.of_sandbox.get(sandbox).is_none_or(|known| known == recorded)
    }

    fn insert(&mut self, recorded: &str, sandbox: &str) {
        self.of_recorded.insert(recorded.to_owned(), sandbox.to_owned());
        self.of_sandbox.insert(sandbox.to_owned(), recorded.to_owned());
    }

    fn remove(&mut self, recorded: &str) {
        let sandbox = self.of_recorded.remove(recorded);
        if let Some(sandbox) =
            sandbox.filter(|it| self.of_sandbox.get(it).is_some_and(|it| it == recorded))
        {
            self.of_sandbox.remove(&sandbox);
        }
    }
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

    /// Returns a value of the recording as the sandbox says it.
    pub(super) fn value(&self, value: &Value) -> Value {
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
            let counterparts = if is_whole { &mut self.whole } else { &mut self.within };
            counterparts.remove(&recorded);
        }
    }

    /// Returns whether an id of the recording has a counterpart.
    pub(super) fn knows(&self, recorded: &str) -> bool {
        self.whole.get(recorded).is_some()
    }

    /// Takes `sandbox` for the counterpart of `recorded`. Returns false if one of them has another counterpart.
    pub(super) fn learn(&mut self, recorded: &str, sandbox: &str) -> bool {
        if !self.whole.agrees(recorded, sandbox) {
            return false;
        }
        if !self.knows(recorded) {
            self.whole.insert(recorded, sandbox);
            self.learned.push((true, recorded.to_owned()));
        }
        true
    }

    /// Takes the hash `sandbox` for the counterpart of `recorded`. Several may have one: in a replay all data is zeros. Returns
    /// false if the recorded one has another counterpart.
    pub(super) fn learn_hash(&mut self, recorded: &str, sandbox: &str) -> bool {
        if let Some(known) = self.whole.get(recorded) {
            return known == sandbox;
        }
        self.whole.of_recorded.insert(recorded.to_owned(), sandbox.to_owned());
        self.learned.push((true, recorded.to_owned()));
        true
    }

    /// Takes the ids within `sandbox` for the counterparts of those in `recorded`, if the texts differ
    /// in nothing else and none of the ids has another counterpart. Returns whether it is so.
    pub(super) fn learn_within(&mut self, recorded: &str, sandbox: &str) -> bool {
        let (theirs, ours) = (hex_ids(recorded), hex_ids(sandbox));
        let bare = |text: &str, ids: &[&str]| {
            ids.iter().fold(text.to_owned(), |text, id| text.replace(id, "…"))
        };
        if theirs.len() != ours.len() || bare(recorded, &theirs) != bare(sandbox, &ours) {
            return false;
        }
        let mark = self.mark();
        for (recorded, sandbox) in theirs.into_iter().zip(ours) {
            if !self.within.agrees(recorded, sandbox) {
                self.back_to(mark);
                return false;
            }
            if self.within.get(recorded).is_none() {
                self.within.insert(recorded, sandbox);
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
        assert!(ids.learn("v1", "w1") && ids.learn("v1", "w1") && !ids.learn("v1", "w2"));
        assert_eq!(ids.translated("v1"), "w1");
        let mark = ids.mark();
        assert!(ids.learn("v2", "w2"));
        ids.back_to(mark);
        assert_eq!((ids.translated("v1"), ids.translated("v2")), ("w1".into(), "v2".into()));
        assert!(ids.learn("v3", "w2"));
    }

    #[test]
    fn two_ids_have_no_counterpart_in_common() {
        let mut ids = Ids::default();
        assert!(ids.learn("v1", "w1") && !ids.learn("v2", "w1"));
        assert_eq!(ids.translated("v2"), "v2");
        let [first, second, third, fourth, fifth] =
            ["1", "2", "3", "4", "5"].map(|digit| digit.repeat(32));
        let key = |id: &str| format!("mrk-{id}");
        assert!(ids.learn_within(&key(&first), &key(&second)));
        assert!(!ids.learn_within(&key(&third), &key(&second)));
        // Neither in one text: nothing of it is learned.
        let two = |one: &str, other: &str| format!("mrk-{one} mrk-{other}");
        assert!(!ids.learn_within(&two(&third, &fourth), &two(&fifth, &fifth)));
        assert!(!ids.learn_within(&two(&fourth, &fourth), &two(&third, &fifth)));
        assert!(ids.learn_within(&key(&third), &key(&fifth)));
        // Data is zeros in a replay, so objects of one length have one hash.
        assert!(
            ids.learn_hash("h1", "z") && ids.learn_hash("h2", "z") && !ids.learn_hash("h1", "y")
        );
    }
}
