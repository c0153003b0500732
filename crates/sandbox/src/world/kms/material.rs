//! The key material of a key through its rotations, automatic and on demand, and the settings that
//! the Regions of a key share.
//! Not for: encryption (see `cipher`), and the rules of the operations (see `kms::rotation`).

use super::cipher::{Blob, EncryptionContext, Secret};
use super::days;
use crrctl_iam::names::Region;
use std::time::SystemTime;

/// The key material and settings that all Regions of a key share.
#[derive(Debug, Clone)]
pub(crate) struct Material {
    /// The current key material.
    pub(crate) secret: Secret,
    /// The earlier key materials, oldest first.
    earlier: Vec<Earlier>,
    pub(crate) multi_region: bool,
    pub(crate) primary: Region,
    /// The schedule of automatic rotations; `None` if rotation is off.
    pub(crate) rotation: Option<Schedule>,
}

/// An earlier key material, which decrypts what it encrypted.
#[derive(Debug, Clone)]
struct Earlier {
    secret: Secret,
    /// The rotation that replaced it.
    replaced: Rotation,
}

/// A rotation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rotation {
    pub(crate) date: SystemTime,
    /// Whether it was scheduled. Otherwise, it was on demand.
    pub(crate) automatic: bool,
}

/// The schedule of automatic rotations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    /// The rotation period, in days.
    pub(crate) period: u32,
    pub(crate) next: SystemTime,
}

impl Schedule {
    /// Creates a schedule that starts now.
    pub(crate) fn new(period: u32, now: SystemTime) -> Self {
        Self { period, next: now + days(period) }
    }
}

impl Material {
    /// Creates new key material.
    pub(crate) fn new(multi_region: bool, primary: Region) -> Self {
        let secret = Secret::random();
        Self { secret, earlier: Vec::new(), multi_region, primary, rotation: None }
    }

    /// Replaces the key material.
    pub(crate) fn rotate(&mut self, date: SystemTime, automatic: bool) {
        let secret = std::mem::replace(&mut self.secret, Secret::random());
        self.earlier.push(Earlier { secret, replaced: Rotation { date, automatic } });
    }

    /// Returns whether a scheduled rotation is due.
    pub(crate) fn is_due(&self, now: SystemTime) -> bool {
        self.rotation.is_some_and(|schedule| schedule.next <= now)
    }

    /// Makes the scheduled rotations that are due, each on its date.
    pub(crate) fn rotate_as_scheduled(&mut self, now: SystemTime) {
        while let Some(Schedule { period, next }) = self.rotation
            && next <= now
        {
            self.rotate(next, true);
            self.rotation = Some(Schedule::new(period, next));
        }
    }

    /// Makes the rotation that came due while the key was disabled. KMS makes it at once, and the
    /// schedule goes on from then (KMS Developer Guide, "Enable automatic key rotation", "Disabled
    /// KMS keys").
    pub(crate) fn rotate_overdue(&mut self, now: SystemTime) {
        if let Some(Schedule { period, .. }) = self.rotation.filter(|it| it.next <= now) {
            self.rotate(now, true);
            self.rotation = Some(Schedule::new(period, now));
        }
    }

    /// Returns how many rotations on demand there were.
    pub(crate) fn on_demand(&self) -> usize {
        self.earlier.iter().filter(|it| !it.replaced.automatic).count()
    }

    /// Returns the ids of all key materials, oldest first, each with the rotation that created it.
    /// The first was created with the key.
    pub(crate) fn all(&self) -> Vec<(String, Option<Rotation>)> {
        let secrets = self.earlier.iter().map(|it| &it.secret).chain([&self.secret]);
        let rotations = self.earlier.iter().map(|it| Some(it.replaced));
        secrets.map(Secret::material_id).zip([None].into_iter().chain(rotations)).collect()
    }

    /// Decrypts a blob with the key material that encrypted it. Also returns the material's id.
    pub(crate) fn open(
        &self,
        blob: &Blob<'_>,
        context: &EncryptionContext,
    ) -> Option<(Vec<u8>, String)> {
        let secrets = [&self.secret].into_iter().chain(self.earlier.iter().map(|it| &it.secret));
        let mut opened = secrets.filter_map(|it| Some((it.open(blob, context)?, it.material_id())));
        opened.next()
    }
}
