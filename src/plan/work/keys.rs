//! How keys and aliases are made and changed.
//! Not for: rotation, which is a setting.

use super::{PolicyDiffers, TagsDiffer};
use crate::names::KeyId;
use crate::plan::StatementChange;
use crate::world::{KeyState, Tags};

/// A key that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMade {
    /// The statements of its policy.
    pub policy: Vec<StatementChange>,
    /// Its tags.
    pub tags: Tags,
}

/// How a key differs from the one that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyDiffers {
    /// The state that it is in, if it is to be Enabled: it is brought back, or waited for.
    pub state: Option<KeyState>,
    /// How its policy differs.
    pub policy: Option<PolicyDiffers>,
    /// How its tags differ.
    pub tags: TagsDiffer,
}

/// An alias that gets another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retargeted {
    /// The key that it names.
    pub from: KeyId,
    /// The key that it will name, or `None` for a key that the run makes.
    pub to: Option<KeyId>,
}
