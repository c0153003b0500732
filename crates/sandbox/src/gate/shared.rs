//! The state behind its lock, with what wakes the workers. Not for: the state itself (see `world`).

use crate::gate::Faults;
use crate::gate::Turns;
use crate::world::Settings;
use crate::world::State;

use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The state, its lock, and the bells that wake the workers.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(crate) settings: Settings,
    pub(crate) faults: Faults,
    pub(crate) replicate: Notify,
    pub(crate) batch: Notify,
    pub(crate) turns: Turns,
}

impl Shared {
    /// An empty state.
    pub(crate) fn new(settings: Settings, faults: Faults) -> Self {
        let state = Mutex::new(State::new(&settings));
        Self { state, settings, faults, ..Self::default() }
    }

    /// Locks the state after letting what has come due happen. Never hold the guard across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // Where panics unwind (the binary's don't), one request's must not end the sandbox for all others.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = state.now();
        state.kms.pass_time(now);
        state.iam.pass_time(now);
        state
    }

    /// Forgets everything: clock, counters, resources, work under way.
    pub(crate) fn reset(&self) {
        *self.lock() = State::new(&self.settings);
    }
}
