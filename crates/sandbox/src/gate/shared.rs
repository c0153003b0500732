//! The state behind its lock, how requests of the Query protocol reach it, and the notifications
//! that wake the workers. Not for: the state itself (see `world`).

use crate::gate::{Faults, Turns, refused_in_query, verify};
use crate::wire::Fault;
use crate::world::{Caller, Settings, State};
use http::request::Parts;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The names of a service with the Query protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueryService {
    /// The name in signatures.
    pub(crate) signed: &'static str,
    /// The name under which calls are counted.
    pub(crate) counted: &'static str,
}

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

    /// Answers a request of a service with the Query protocol: verifies its signature, counts the
    /// call, and lets `perform` answer it.
    pub(crate) fn query<T>(
        &self,
        (parts, body): (&Parts, &[u8]),
        service: QueryService,
        operation: &str,
        perform: impl FnOnce(&mut State, &Caller) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let caller = verify(self, parts, body, service.signed).map_err(refused_in_query)?;
        let mut state = self.lock();
        state.calls.count(service.counted, operation);
        perform(&mut state, &caller)
    }

    /// Resets everything: clock, counters, resources, work in progress.
    pub(crate) fn reset(&self) {
        *self.lock() = State::new(&self.settings);
    }
}
