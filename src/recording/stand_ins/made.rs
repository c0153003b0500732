//! Stand-ins that were made before: most names of a run occur in each of its exchanges.
//! Not for: making them (see `stand_ins`).

use super::Kind;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How many stand-ins of each kind are kept; then they are made again. A run has few names and many object keys.
const MOST: usize = 1_024;

/// Stand-ins by the kind of what they replace; `None` for the names that events hold.
#[derive(Debug, Default)]
pub(super) struct Made(Mutex<HashMap<Option<Kind>, HashMap<String, String>>>);

impl Made {
    /// Returns the stand-in of `text`, by `make` if it is new. It must depend on nothing but the text.
    pub(super) fn of(
        &self,
        kind: Option<Kind>,
        text: &str,
        make: impl FnOnce() -> String,
    ) -> String {
        let locked = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = locked().get(&kind).and_then(|it| it.get(text)) {
            return known.clone();
        }
        let new = make();
        let mut known = locked();
        let of_kind = known.entry(kind).or_default();
        if of_kind.len() >= MOST {
            of_kind.clear();
        }
        of_kind.insert(text.to_owned(), new.clone());
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_made_once_and_little_is_kept() {
        let made = Made::default();
        let of = |text: &str| made.of(Some(Kind::Name), text, || format!("for {text}"));
        assert_eq!((of("a"), of("a")), ("for a".to_owned(), "for a".to_owned()));
        assert_eq!(made.of(Some(Kind::Name), "a", || unreachable!()), "for a");
        assert_eq!(made.of(None, "a", || "another".to_owned()), "another");
        (0..5_000).for_each(|n| assert_eq!(of(&n.to_string()), format!("for {n}")));
        assert!(made.0.lock().unwrap()[&Some(Kind::Name)].len() <= MOST);
    }
}
