//! Errors in a manifest, with their positions.
//! Not for: finding them (see `raw` and `check`).

use crate::failure::{Failure, Kind, shortened};
use serde_saphyr::Location;

/// An error that makes a manifest unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The text is invalid at one position.
    #[error("{origin}{error}")]
    Invalid {
        /// The manifest's name, as the user gave it.
        origin: String,
        /// The error and its position.
        error: Located,
    },
    /// The file can't be read.
    #[error("can't read the manifest `{origin}`: {reason}")]
    Unreadable {
        /// The manifest's name, as the user gave it.
        origin: String,
        /// The operating system's reason.
        reason: String,
    },
}

/// An error in a manifest: position, key, message, and hint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Located {
    /// 1-based line and column. `None` if no position in the text applies.
    pub at: Option<(u64, u64)>,
    /// Path of the key, such as `destinations[1].region`. Empty for the whole document.
    pub key: String,
    /// What is wrong, and what is allowed.
    pub message: String,
    /// How to fix it, or a `did you mean` suggestion.
    pub hint: Option<String>,
}

impl Located {
    /// Creates an error about `key` at `location`.
    pub(super) fn at(
        location: Location,
        key: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let at = (location != Location::UNKNOWN).then(|| (location.line(), location.column()));
        let (key, message) = (shortened(key.into(), 300), shortened(message.into(), 3000));
        Self { at, key, message, hint: None }
    }

    /// Adds the hint.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::fmt::Display for Located {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        if self.key.is_empty() {
            write!(f, ": {}", self.message)
        } else {
            write!(f, ": `{}`: {}", self.key, self.message)
        }
    }
}

impl From<ManifestError> for Failure {
    fn from(error: ManifestError) -> Self {
        let failure = Self::new(Kind::Manifest, "manifest-invalid", error.to_string());
        match error {
            ManifestError::Invalid { error: Located { hint: Some(hint), .. }, .. } => {
                failure.hint(hint)
            }
            ManifestError::Invalid { .. } => failure,
            ManifestError::Unreadable { .. } => failure.hint(
                "name a manifest with `--file`, or give `--name`, `--source` and `--destination`",
            ),
        }
    }
}

/// Returns the candidate most similar to `given`, if any is similar enough.
pub(super) fn nearest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // The distance takes as many steps as the product of the lengths.
    if given.len() > 100 {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(given, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 4))
        .min()
        .map(|(_, candidate)| candidate)
}
