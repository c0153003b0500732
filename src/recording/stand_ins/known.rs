//! Names that are looked for in messages, because members had them.
//! Not for: what takes their place (see `stand_ins`).

use super::super::dictionary::{is_common, is_plain};
use super::{BETWEEN, StandIns};
use std::sync::PoisonError;

/// How many names are looked for in messages.
const MOST_NAMES: usize = 256;
/// The shortest name that is looked for in messages.
const SHORTEST: usize = 3;

/// A name that is looked for in messages.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) text: String,
    /// Whether it is the key of an object or a prefix.
    pub(super) is_key: bool,
}

impl Known {
    /// Returns where the name stands in a message by itself. Within an ARN, which is replaced as a
    /// whole, it is looked for only if it is longer than a word.
    pub(super) fn place_in(&self, text: &str) -> Option<usize> {
        let name = self.text.as_str();
        let is_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let (first, last) = (is_of_word(name.chars().next()), is_of_word(name.chars().next_back()));
        text.match_indices(name).map(|(at, _)| at).find(|at| {
            let (before, after) = (&text[..*at], &text[*at + name.len()..]);
            let is_part = first && is_of_word(before.chars().next_back())
                || last && is_of_word(after.chars().next());
            !is_part && (is_several(name) || !within_arn(before))
        })
    }
}

impl StandIns {
    /// Looks for `name` in messages from now on, of an ARN for what it names in IAM. A common word tells
    /// nothing.
    pub(super) fn remember(&self, name: &str, is_key: bool) {
        if name.starts_with("arn:") {
            return self.remember_arn(name);
        }
        if name.len() < SHORTEST || is_common(name) {
            return;
        }
        let is_known = |known: &Vec<Known>| {
            known.len() >= MOST_NAMES || known.iter().any(|it| it.text == name)
        };
        if is_known(&self.known.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if !is_known(&known) {
            known.push(Known { text: name.to_owned(), is_key });
            known.sort_by_key(|it| std::cmp::Reverse(it.text.len()));
        }
    }

    fn remember_arn(&self, arn: &str) {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, _, "iam" | "sts", _, account, resource] = parts.as_slice() else { return };
        if *account == "aws" || resource.contains("/aws-service-role/") {
            return;
        }
        resource.split('/').skip(1).for_each(|name| self.remember(name, false));
    }

    /// Looks for a key or a prefix in messages from now on, if its words would not be replaced there one
    /// by one. Of keys there may be many: they leave room for names.
    pub(super) fn remember_key(&self, key: &str) {
        if !is_several(key) && !key.split(['/', ':']).all(is_plain) {
            return;
        }
        let keys = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.iter().filter(|it| it.is_key).count()
        };
        if keys < MOST_NAMES / 2 {
            self.remember(key, true);
        }
    }
}

/// Returns whether a name is more than a word of a text.
fn is_several(name: &str) -> bool {
    name.contains(|c: char| BETWEEN.contains(c))
}

/// Returns whether the text ends within an ARN, which is replaced as a whole.
fn within_arn(before: &str) -> bool {
    let start = before.rfind(|c| BETWEEN.contains(c)).map_or(0, |at| at + 1);
    before[start..].starts_with("arn:")
}
