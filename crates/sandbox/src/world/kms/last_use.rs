//! The last successful cryptographic use of each key (KMS API Reference, `GetKeyLastUsage`): each key
//! of a multi-Region key has its own.
//! Not for: whether a use is allowed (see `gate::keys`).

use crrctl_iam::names::Arn;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::SystemTime;

/// A use of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastUse {
    /// The operation, such as `Decrypt`.
    pub(crate) operation: String,
    pub(crate) at: SystemTime,
}

/// The last use of each key, by its ARN. Uses are noted where a key is only read, so the map is in a
/// cell; the lock of the whole state guards it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uses(RefCell<BTreeMap<Arn, LastUse>>);

impl Uses {
    /// Notes a use of `key` by `action`, such as `kms:Decrypt`. KMS tells one operation for both
    /// sides of `ReEncrypt`.
    pub(crate) fn note(&self, key: &Arn, action: &str, at: SystemTime) {
        let name = action.strip_prefix("kms:").unwrap_or(action);
        let operation = if name.starts_with("ReEncrypt") { "ReEncrypt" } else { name }.to_owned();
        self.0.borrow_mut().insert(key.clone(), LastUse { operation, at });
    }

    pub(crate) fn of(&self, key: &Arn) -> Option<LastUse> {
        self.0.borrow().get(key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_key_has_its_last_use() {
        let key = |region: &str| {
            Arn::new(format!("arn:aws:kms:{region}:111122223333:key/mrk-1")).unwrap()
        };
        let (uses, at) = (Uses::default(), SystemTime::UNIX_EPOCH);
        uses.note(&key("us-east-1"), "kms:Decrypt", at);
        uses.note(&key("us-east-1"), "kms:ReEncryptFrom", at + Duration::from_secs(1));
        let last = uses.of(&key("us-east-1")).unwrap();
        assert_eq!((last.operation.as_str(), last.at), ("ReEncrypt", at + Duration::from_secs(1)));
        assert_eq!(uses.of(&key("us-west-2")), None);
    }
}
