//! The state behind its lock, and the notifications that wake the workers. Not for: the state
//! itself (see `world`).

use crate::gate::{Faults, Turns};
use crate::world::{Settings, State};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The state behind its lock, the settings, the faults, and the notifications that wake the
/// workers.
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
    /// Creates an empty state.
    pub(crate) fn new(settings: Settings, faults: Faults) -> Self {
        let state = Mutex::new(State::new(&settings));
        Self { state, settings, faults, ..Self::default() }
    }

    /// Locks the state and applies the changes that are due. Never hold the guard across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // Where panics unwind (not in the binary), a panic in one request must not stop the sandbox
        // for all others.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.pass_time();
        state
    }

    /// Resets everything: clock, counters, resources, work in progress.
    pub(crate) fn reset(&self) {
        *self.lock() = State::new(&self.settings);
    }
}
