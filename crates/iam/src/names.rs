//! The names of things on AWS: each type checks itself in its constructor, so that whoever holds one need not check again.
//! Not for: asking AWS whether a thing exists.

mod account;
mod arn;
mod bucket;
mod kms;
mod region;

pub use account::AccountId;
pub use arn::Arn;
pub use bucket::BucketName;
pub use kms::{KeyAlias, KeyId};
pub use region::{Partition, Region};

/// Why a text is not the name it was meant to be: what it is for, what was given, what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a valid {what}: {rule}")]
pub struct InvalidName {
    /// What the text was meant to be, such as `bucket name`.
    pub what: &'static str,
    /// The text as it was given.
    pub given: String,
    /// What is allowed.
    pub rule: &'static str,
}

/// Gives a newtype over `String` its constructor from a `rule` function, and the conversions every name has.
/// Needs the crate `serde` where it is used.
#[macro_export]
macro_rules! checked_name {
    ($name:ident, $what:literal, $check:path) => {
        impl $name {
            /// Checks `text` and takes it as it is.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::names::InvalidName> {
                let given = text.into();
                match $check(&given) {
                    Ok(()) => Ok(Self(given)),
                    Err(rule) => Err($crate::names::InvalidName { what: $what, given, rule }),
                }
            }

            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::names::InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}
pub use crate::checked_name;
