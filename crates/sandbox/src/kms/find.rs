//! Finds the key that a request names and checks its key state.
//! Not for: the caller's permissions on the key (see `gate::keys`).

use crate::wire::Fault;
use crate::world::Caller;
use crate::world::kms::{Key, KeyState, Kms, Material, Unusable, foreign, pending_text};
use crrctl_iam::names::KeyId;

impl Kms {
    /// Finds a key of the caller's account, in the Region of the request.
    ///
    /// # Errors
    /// `NotFoundException` with KMS's message texts, `AccessDeniedException` for a key of another
    /// account.
    pub(crate) fn find(&self, caller: &Caller, reference: &str) -> Result<KeyId, Fault> {
        let (at, id) = self.find_any(caller, reference, false)?;
        if at.account == caller.account {
            Ok(id)
        } else {
            Err(fault_of(foreign(caller, reference)))
        }
    }

    /// Like [`Self::find`], for operations that accept keys of other accounts, and aliases if
    /// `aliases` is true. Also returns the key's account and Region.
    pub(super) fn find_any(
        &self,
        caller: &Caller,
        reference: &str,
        aliases: bool,
    ) -> Result<(Caller, KeyId), Fault> {
        self.locate(caller, reference, aliases).map_err(fault_of)
    }

    pub(crate) fn key(&self, caller: &Caller, id: &KeyId) -> Result<&Key, Fault> {
        let place = (caller.account.clone(), caller.region.clone());
        self.keys.get(&(place, id.clone())).ok_or_else(|| gone(caller, id))
    }

    pub(crate) fn key_mut(&mut self, caller: &Caller, id: &KeyId) -> Result<&mut Key, Fault> {
        let place = (caller.account.clone(), caller.region.clone());
        self.keys.get_mut(&(place, id.clone())).ok_or_else(|| gone(caller, id))
    }

    pub(crate) fn material(&self, caller: &Caller, id: &KeyId) -> Result<&Material, Fault> {
        self.materials.get(&(caller.account.clone(), id.clone())).ok_or_else(|| gone(caller, id))
    }

    pub(crate) fn material_mut(
        &mut self,
        caller: &Caller,
        id: &KeyId,
    ) -> Result<&mut Material, Fault> {
        self.materials
            .get_mut(&(caller.account.clone(), id.clone()))
            .ok_or_else(|| gone(caller, id))
    }
}

/// Returns `KMSInvalidStateException` if the key is pending deletion or still `Creating`.
pub(crate) fn not_pending(key: &Key, arn: &str) -> Result<(), Fault> {
    match key.state {
        KeyState::Enabled | KeyState::Disabled => Ok(()),
        pending => Err(Fault::bad("KMSInvalidStateException", pending_text(arn, pending))),
    }
}

/// Returns `DisabledException` or `KMSInvalidStateException` if the key is not enabled.
pub(crate) fn enabled(key: &Key, arn: &str) -> Result<(), Fault> {
    not_pending(key, arn)?;
    match key.state {
        KeyState::Disabled => Err(Fault::bad("DisabledException", format!("{arn} is disabled."))),
        _ => Ok(()),
    }
}

/// Returns the error for a key that does not exist.
pub(super) fn gone(caller: &Caller, id: &KeyId) -> Fault {
    let arn = id.arn(&caller.region, &caller.account);
    Fault::bad("NotFoundException", format!("Key '{arn}' does not exist"))
}

fn fault_of(unusable: Unusable) -> Fault {
    match unusable {
        Unusable::Denied(text) => Fault::bad("AccessDeniedException", text),
        Unusable::NotFound(text) => Fault::bad("NotFoundException", text),
        Unusable::Disabled(text) => Fault::bad("DisabledException", text),
        Unusable::InvalidState(text) => Fault::bad("KMSInvalidStateException", text),
    }
}

/// Returns the error for a change to an AWS managed key.
pub(super) fn managed(arn: &str) -> Fault {
    Fault::bad("AccessDeniedException", format!("{arn} is an AWS managed key and can't be changed"))
}
