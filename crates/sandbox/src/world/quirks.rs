//! Quirks: each is one behaviour of AWS that a client rarely meets and must survive. A quirk is off
//! unless the options ask for it; `Lag::Aws` draws some of them.
//! Not for: the effect of a quirk (see the operation that it changes).

mod recent;
mod spec;
mod table;

pub(crate) use recent::Recent;
pub use spec::QuirkSpec;
pub use table::Quirk;

use crate::world::Lag;
use std::collections::BTreeMap;
use std::time::Duration;

/// The quirks that are on, and the generator of the times that [`Lag::Aws`] draws.
#[derive(Debug, Clone)]
pub(crate) struct Quirks {
    /// The quirks that the options ask for, with their times. A quirk without a time has zero.
    on: BTreeMap<Quirk, Duration>,
    lag: Lag,
    /// The divisor of all drawn times.
    hurry: u32,
    random: fastrand::Rng,
}

impl Default for Quirks {
    fn default() -> Self {
        Self::new(&[], Lag::None, 1, None)
    }
}

impl Quirks {
    /// Creates the set of the quirks `specs`. A later spec of the same quirk replaces an earlier
    /// one.
    pub(crate) fn new(specs: &[QuirkSpec], lag: Lag, hurry: u32, seed: Option<u64>) -> Self {
        Self {
            on: specs.iter().map(|spec| (spec.quirk(), spec.lasts())).collect(),
            lag,
            hurry: hurry.max(1),
            random: seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
        }
    }

    /// Returns whether the options ask for a quirk.
    pub(crate) fn is_on(&self, quirk: Quirk) -> bool {
        self.on.contains_key(&quirk)
    }

    /// Returns the time of a quirk that the options ask for.
    pub(crate) fn time(&self, quirk: Quirk) -> Option<Duration> {
        self.on.get(&quirk).copied()
    }

    /// Returns how long a quirk lasts after a change that happens now: its time if the options ask
    /// for it, otherwise a random time under [`Lag::Aws`], otherwise zero.
    pub(crate) fn draw(&mut self, quirk: Quirk) -> Duration {
        match (self.time(quirk), self.lag, quirk.drawn()) {
            (Some(time), ..) => time,
            (None, Lag::Aws, Some((least, most))) => {
                Duration::from_millis(self.random.u64(least..=most)) / self.hurry
            }
            _ => Duration::ZERO,
        }
    }
}
