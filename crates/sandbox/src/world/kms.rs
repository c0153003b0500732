//! The keys and aliases of all accounts and Regions as plain data: lookups, key states, and state
//! changes that come due.
//! Not for: decoding requests.

mod aws_managed;
pub(crate) mod cipher;
mod grant;
mod last_use;
mod material;

pub(crate) use aws_managed::predefined;
pub(crate) use grant::{Constraints, Grant, Wanted};
pub(crate) use last_use::Uses;
pub(crate) use material::{Material, Rotation, Schedule};

use crate::world::{Caller, Quirk, Recent, Spreading, Stored};
use crrctl_iam::names::{AccountId, Arn, KeyId, Region};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// The account and the Region of a key or an alias.
pub(crate) type AccountRegion = (AccountId, Region);

/// All keys, the key material and settings that the Regions of a multi-Region key share, all
/// aliases and all grants.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kms {
    pub(crate) keys: BTreeMap<(AccountRegion, KeyId), Key>,
    pub(crate) materials: BTreeMap<(AccountId, KeyId), Material>,
    pub(crate) aliases: BTreeMap<(AccountRegion, String), Alias>,
    pub(crate) grants: BTreeMap<(AccountRegion, KeyId), Vec<Grant>>,
    /// The keys and aliases on which a quirk lasts.
    pub(crate) recent: Recent,
    /// The deleted aliases that still name their key, each until the given time.
    pub(crate) stale_aliases: BTreeMap<(AccountRegion, String), (KeyId, SystemTime)>,
    /// The last use of each key for cryptography, directly and through S3.
    pub(crate) uses: Uses,
}

/// One key in one Region.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) description: String,
    /// The key policy, and the one that S3's use of the key is still decided by.
    pub(crate) policy: Spreading<Stored>,
    pub(crate) tags: Spreading<Vec<(String, String)>>,
    pub(crate) state: KeyState,
    pub(crate) created: SystemTime,
    pub(crate) aws_managed: bool,
    /// When the key was created, or when it was no longer `Creating`.
    pub(crate) usable: SystemTime,
    /// When lists first include the key.
    pub(crate) listed: SystemTime,
}

/// A key's state (KMS Developer Guide, "Key states of AWS KMS keys").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyState {
    Enabled,
    Disabled,
    /// A new replica key that can't be used yet.
    Creating {
        until: SystemTime,
    },
    /// The key is deleted at `due`.
    PendingDeletion {
        due: SystemTime,
    },
    /// A primary key whose own waiting period, in days, starts when its last replica key is
    /// deleted.
    PendingReplicaDeletion {
        window: u32,
    },
}

/// An alias of a key.
#[derive(Debug, Clone)]
pub(crate) struct Alias {
    pub(crate) target: KeyId,
    pub(crate) created: SystemTime,
    pub(crate) updated: SystemTime,
    /// When lists first include the alias.
    pub(crate) listed: SystemTime,
}

/// Returns whether a text has the format of a key id that KMS creates: a UUID, or `mrk-` and 32
/// hexadecimal digits (KMS Developer Guide, "Key identifiers"). KMS reports any other text as an
/// invalid key id and not as a key that does not exist (recorded from S3 by `LocalStack`'s snapshot
/// `test_s3_sse_validate_kms_key`).
fn has_key_id_format(text: &str) -> bool {
    let (digits, length) = text.strip_prefix("mrk-").map_or((text, 36), |digits| (digits, 32));
    digits.len() == length && uuid::Uuid::try_parse(digits).is_ok()
}

/// Why a key can't be found or used, with KMS's error message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// The key does not exist in the Region.
    NotFound(String),
    /// The key belongs to another account.
    Denied(String),
    /// The key is disabled.
    Disabled(String),
    /// The key is pending deletion or still being created.
    InvalidState(String),
}

impl Kms {
    /// Returns the ids of the keys that are pending deletion.
    pub(crate) fn pending(&self) -> impl Iterator<Item = String> {
        let is_pending = |key: &Key| {
            matches!(
                key.state,
                KeyState::PendingDeletion { .. } | KeyState::PendingReplicaDeletion { .. }
            )
        };
        self.keys.iter().filter(move |(_, key)| is_pending(key)).map(|((_, id), _)| id.to_string())
    }

    /// Resolves a reference to a key: a key id or ARN, or an alias if `aliases` is set. Unlike
    /// [`Self::find`], this function accepts keys of other accounts, and returns the key's account
    /// and Region too.
    pub(crate) fn locate(
        &self,
        caller: &Caller,
        reference: &str,
        aliases: bool,
    ) -> Result<(Caller, KeyId), Unusable> {
        let not_found = Unusable::NotFound;
        let mut account = caller.account.clone();
        let resource = if reference.starts_with("arn:") {
            let arn = Arn::new(reference)
                .ok()
                .filter(|a| a.service() == "kms" && a.partition() == caller.partition().as_str())
                .ok_or_else(|| not_found(format!("Invalid arn {reference}")))?;
            if arn.region() != caller.region.as_str() {
                return Err(not_found(format!("Invalid arn {}", arn.region())));
            }
            account = AccountId::new(arn.account())
                .map_err(|_| not_found(format!("Invalid arn {reference}")))?;
            arn.resource().to_owned()
        } else {
            reference.to_owned()
        };
        let at = Caller::root(account.clone(), caller.region.clone());
        let strange = account != caller.account;
        let place = (account, caller.region.clone());
        if resource.starts_with("alias/") {
            if !aliases {
                return Err(not_found(format!("Invalid keyId '{reference}'")));
            }
            return match self.named(&(place, resource.clone())) {
                Some(target) => Ok((at, target.clone())),
                None if strange => Err(foreign(caller, reference)),
                None => {
                    Err(not_found(format!("Alias {} is not found.", arn_of(caller, &resource))))
                }
            };
        }
        let bare = resource.strip_prefix("key/").unwrap_or(&resource);
        let id = KeyId::new(bare).map_err(|_| not_found(format!("Invalid keyId '{reference}'")))?;
        let is_late = || {
            let arn = || id.arn(&at.region, &at.account).to_string();
            self.recent.lasts(Quirk::LateKey, arn)
        };
        if self.keys.contains_key(&(place, id.clone())) && !is_late() {
            return Ok((at, id));
        }
        if strange {
            return Err(foreign(caller, reference));
        }
        if !has_key_id_format(id.as_str()) {
            return Err(not_found(format!("Invalid keyId '{reference}'")));
        }
        let arn = id.arn(&caller.region, &caller.account);
        Err(not_found(format!("Key '{arn}' does not exist")))
    }

    /// Returns the key that an alias names: one that was just created names none yet, and one that
    /// was just deleted may still name its key.
    fn named(&self, place: &(AccountRegion, String)) -> Option<&KeyId> {
        let arn = || alias_arn(&place.0, &place.1);
        match self.aliases.get(place) {
            Some(alias) => (!self.recent.lasts(Quirk::LateAlias, arn)).then_some(&alias.target),
            None => self.stale_aliases.get(place).map(|(target, _)| target),
        }
    }

    /// Returns a key of the account and Region of `at`.
    pub(crate) fn stored_key(&self, at: &Caller, id: &KeyId) -> Option<&Key> {
        self.keys.get(&((at.account.clone(), at.region.clone()), id.clone()))
    }

    /// Returns the key material and settings that the Regions of a key share.
    pub(crate) fn stored_material(&self, at: &Caller, id: &KeyId) -> Option<&Material> {
        self.materials.get(&(at.account.clone(), id.clone()))
    }

    /// Returns the Regions that contain a key, in any key state, sorted.
    pub(crate) fn regions(&self, account: &AccountId, id: &KeyId) -> Vec<Region> {
        self.keys
            .keys()
            .filter(|((owner, _), other)| owner == account && other == id)
            .map(|((_, region), _)| region.clone())
            .collect()
    }

    /// Resolves a reference of `caller` to the ARN of a key in the caller's Region. Neither the key
    /// state nor permissions are checked.
    pub(crate) fn resolve(&self, caller: &Caller, reference: &str) -> Result<Arn, Unusable> {
        let (at, id) = self.locate(caller, reference, true)?;
        Ok(id.arn(&at.region, &at.account))
    }

    /// Checks that the key state allows encryption and decryption.
    pub(crate) fn check_state(&self, arn: &Arn) -> Result<(), Unusable> {
        let missing = || Unusable::NotFound(format!("Key '{arn}' does not exist"));
        let (at, id) = Self::parts(arn).ok_or_else(missing)?;
        let key = self.stored_key(&at, &id).ok_or_else(missing)?;
        match key.state {
            KeyState::Enabled => Ok(()),
            KeyState::Disabled => Err(Unusable::Disabled(format!("{arn} is disabled."))),
            pending => Err(Unusable::InvalidState(pending_text(arn.as_str(), pending))),
        }
    }

    /// Splits a key's ARN into its account and Region, and its key id.
    pub(crate) fn parts(arn: &Arn) -> Option<(Caller, KeyId)> {
        let (account, region) =
            (AccountId::new(arn.account()).ok()?, Region::new(arn.region()).ok()?);
        let id = KeyId::new(arn.resource().strip_prefix("key/")?).ok()?;
        Some((Caller::root(account, region), id))
    }

    /// Applies the changes that are due: new keys become usable, enabled keys rotate, and keys are
    /// deleted, earliest first. A primary key's own waiting period starts when its last replica key
    /// is deleted.
    pub(crate) fn pass_time(&mut self, now: SystemTime) {
        self.recent.pass_time(now);
        self.stale_aliases.retain(|_, (_, until)| *until > now);
        for key in self.keys.values_mut() {
            if let KeyState::Creating { until } = key.state
                && until <= now
            {
                (key.state, key.usable) = (KeyState::Enabled, until);
            }
        }
        for ((account, id), material) in &mut self.materials {
            // KMS rotates neither disabled keys nor those that are pending deletion (KMS Developer
            // Guide, "Enable automatic key rotation").
            let is_enabled = |primary: &Region| {
                let place = ((account.clone(), primary.clone()), id.clone());
                self.keys.get(&place).is_some_and(|key| key.state == KeyState::Enabled)
            };
            if material.is_due(now) && is_enabled(&material.primary) {
                material.rotate_as_scheduled(now);
            }
        }
        loop {
            let due = self
                .keys
                .iter()
                .filter_map(|(place, key)| match key.state {
                    KeyState::PendingDeletion { due } if due <= now => Some((due, place.clone())),
                    _ => None,
                })
                .min_by_key(|(due, _)| *due);
            let Some((due, place)) = due else { return };
            self.remove(&place, due);
        }
    }

    fn remove(&mut self, place: &(AccountRegion, KeyId), at: SystemTime) {
        let ((account, region), id) = place;
        self.keys.remove(place);
        self.grants.remove(place);
        // AWS deletes the aliases of a key with the key (KMS API Reference, ScheduleKeyDeletion).
        self.aliases.retain(|((a, r), _), alias| (a, r, &alias.target) != (account, region, id));
        let left = self.regions(account, id);
        if left.is_empty() {
            self.materials.remove(&(account.clone(), id.clone()));
        }
        if let [last] = &left[..]
            && let Some(key) = self.keys.get_mut(&((account.clone(), last.clone()), id.clone()))
            && let KeyState::PendingReplicaDeletion { window } = key.state
        {
            key.state = KeyState::PendingDeletion { due: at + days(window) };
        }
    }

    /// Returns the Regions and ARNs of all multi-Region keys of an account.
    pub(crate) fn multi_region_keys(&self, account: &AccountId) -> Vec<(String, String)> {
        let own = self.keys.keys().filter(|((owner, _), _)| owner == account);
        let shared = own.filter(|(_, id)| {
            let material = self.materials.get(&(account.clone(), id.clone()));
            material.is_some_and(|material| material.multi_region)
        });
        let arn = |region: &Region, id: &KeyId| id.arn(region, account).to_string();
        shared.map(|((_, region), id)| (region.to_string(), arn(region, id))).collect()
    }

    /// Returns the ARNs of all customer aliases, and of all customer managed keys that are not
    /// pending deletion.
    pub(crate) fn arns(&self) -> Vec<String> {
        let ours = |alias: &str| !alias.starts_with("alias/aws/");
        let aliases = self.aliases.keys().filter(|(_, name)| ours(name));
        let aliases = aliases.map(|(place, name)| alias_arn(place, name));
        let is_kept = |key: &Key| {
            matches!(key.state, KeyState::Enabled | KeyState::Disabled | KeyState::Creating { .. })
        };
        let keys = self
            .keys
            .iter()
            .filter(|(_, key)| is_kept(key) && !key.aws_managed)
            .map(|(((account, region), id), _)| id.arn(region, account).to_string());
        aliases.chain(keys).collect()
    }
}

/// Returns KMS's error message for an operation on a key that is pending deletion or still being
/// created.
pub(crate) fn pending_text(arn: &str, state: KeyState) -> String {
    match state {
        KeyState::Creating { .. } => format!("{arn} is creating."),
        KeyState::PendingReplicaDeletion { .. } => format!("{arn} is pending replica deletion."),
        _ => format!("{arn} is pending deletion."),
    }
}

/// Returns a new key id: `mrk-` and 32 hex digits for a multi-Region key, otherwise a UUID.
#[expect(clippy::expect_used, reason = "a UUID and hex digits are what key ids are made of")]
pub(crate) fn new_id(multi_region: bool) -> KeyId {
    let uuid = uuid::Uuid::new_v4();
    let text = if multi_region { format!("mrk-{}", uuid.simple()) } else { uuid.to_string() };
    KeyId::new(text).expect("valid by construction")
}

pub(crate) fn days(count: u32) -> Duration {
    Duration::from_hours(24 * u64::from(count))
}

fn alias_arn((account, region): &AccountRegion, name: &str) -> String {
    Arn::known(region.partition(), "kms", region.as_str(), account.as_str(), name).to_string()
}

pub(crate) fn arn_of(caller: &Caller, resource: &str) -> Arn {
    Arn::known(caller.partition(), "kms", caller.region.as_str(), caller.account.as_str(), resource)
}

/// Returns the refusal for a key of another account, whether the key exists or not.
pub(crate) fn foreign(caller: &Caller, arn: &str) -> Unusable {
    let text = format!(
        "User: {} is not authorized to perform this operation on resource: {arn} because the resource does not exist in this \
         Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
        caller.arn()
    );
    Unusable::Denied(text)
}
