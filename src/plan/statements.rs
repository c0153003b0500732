//! Which statements of a policy a plan adds, changes and removes.
//! Not for: comparing documents by meaning (see `policy::meaning`).

use crate::policy::meaning;
use serde_json::{Value, json};

/// A statement of a policy that is added, changed or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementChange {
    /// The statement that is found.
    pub from: Option<Value>,
    /// The statement that is written. It has a placeholder in place of the id of a key that the run
    /// makes (see [`PairKeys::without_placeholders`](crate::manifest::PairKeys)).
    pub to: Option<Value>,
}

impl StatementChange {
    /// Returns the Sid of the statement.
    pub fn sid(&self) -> Option<&str> {
        let statement = self.to.as_ref().or(self.from.as_ref())?;
        statement["Sid"].as_str()
    }
}

/// Returns the statements in which `live` differs from `wanted`, by meaning. Statements of the same
/// Sid are one statement that changes.
pub(super) fn changes(live: Option<&Value>, wanted: Option<&Value>) -> Vec<StatementChange> {
    let (mut live, mut wanted) = (of(live), of(wanted));
    wanted.retain(|it| match live.iter().position(|other| meaning::same(it, other)) {
        Some(place) => {
            live.remove(place);
            false
        }
        None => true,
    });
    let mut changes = Vec::new();
    for to in wanted {
        let sid = &to["Sid"];
        let place = live.iter().position(|from| sid.is_string() && &from["Sid"] == sid);
        let from = place.map(|place| live.remove(place));
        changes.push(StatementChange { from, to: Some(to) });
    }
    changes.extend(live.into_iter().map(|from| StatementChange { from: Some(from), to: None }));
    changes
}

fn of(document: Option<&Value>) -> Vec<Value> {
    meaning::statements(document.unwrap_or(&json!(null)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_matched_by_meaning_and_then_by_sid() {
        let live = json!({"Statement": [
            {"Sid": "Same", "Action": ["b", "a"]},
            {"Sid": "Changes", "Action": "old"},
            {"Sid": "Goes", "Action": "x"},
            {"Action": "nameless"},
        ]});
        let wanted = json!({"Statement": [
            {"Sid": "Comes", "Action": "x"},
            {"Sid": "Changes", "Action": "new"},
            {"Sid": "Same", "Action": ["a", "b"]},
            {"Action": "another"},
        ]});
        let changes = changes(Some(&live), Some(&wanted));
        let told: Vec<_> =
            changes.iter().map(|it| (it.sid(), it.from.is_some(), it.to.is_some())).collect();
        assert_eq!(
            told,
            [
                (Some("Comes"), false, true),
                (Some("Changes"), true, true),
                (None, false, true),
                (Some("Goes"), true, false),
                (None, true, false),
            ]
        );
        assert_eq!(super::changes(Some(&live), Some(&live)), []);
        assert_eq!(super::changes(None, Some(&live)).len(), 4);
        assert_eq!(super::changes(Some(&live), None).len(), 4);
    }
}
