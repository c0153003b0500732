//! Names of AWS accounts, Regions and resources. The constructor of each type checks the name, so
//! that a value of the type needs no further check.
//! Not for: whether the account, Region or resource exists on AWS.

mod account;
mod arn;
mod bucket;
mod channel;
mod kms;
mod known_regions;
mod region;

pub use account::AccountId;
pub use arn::Arn;
pub use bucket::BucketName;
pub use channel::is_channel_name;
pub use kms::{KeyAlias, KeyId};
pub use known_regions::KNOWN_REGIONS;
pub use region::{Partition, Region};

/// The error for a text that is not a valid name: the kind of name, the text and the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a valid {what}: {rule}")]
pub struct InvalidName {
    /// The kind of name, such as `bucket name`.
    pub what: &'static str,
    /// The text as given.
    pub given: String,
    /// The rule for such names.
    pub rule: &'static str,
}

/// Defines the constructor of a newtype over `Arc<str>` from a check function, and the conversions
/// that every name has. Names are shared: a run of many probes has each in thousands of places.
/// The crate that uses the macro must depend on `serde`.
#[macro_export]
macro_rules! checked_name {
    ($name:ident, $what:literal, $check:path) => {
        impl $name {
            /// Checks `text` and stores it unchanged.
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::names::InvalidName> {
                let given = text.into();
                match $check(&given) {
                    Ok(()) => Ok(Self(given.into())),
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
