//! What is wrong with a manifest, and where.

use crate::failure::{Failure, Kind};
use serde_saphyr::Location;

/// A manifest that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The text is wrong at one place.
    #[error("{origin}{error}")]
    Invalid {
        /// The manifest's name, as the user gave it.
        origin: String,
        /// What is wrong, and where.
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

/// A finding in a manifest: the place, the key, what is wrong or allowed, and how to mend it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Located {
    /// 1-based line and column; `None` for what is missing altogether.
    pub at: Option<(u64, u64)>,
    /// The key's path, such as `destinations[1].region`; empty for the whole document.
    pub key: String,
    /// What is wrong and what is allowed.
    pub message: String,
    /// What to do; `did you mean` goes here.
    pub hint: Option<String>,
}

impl Located {
    /// Makes a finding about `key` at `location`.
    pub(super) fn at(
        location: Location,
        key: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let at = (location != Location::UNKNOWN).then(|| (location.line(), location.column()));
        Self { at, key: key.into(), message: message.into(), hint: None }
    }

    /// Adds what to do.
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

/// Returns the candidate that `given` was probably meant to be.
pub(super) fn nearest<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(given, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 4))
        .min()
        .map(|(_, candidate)| candidate)
}
