//! The signals that end a run.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C and SIGTERM.
pub(in crate::cli) struct Signals(Option<(Signal, Signal)>);

impl Signals {
    /// Listens from now on. Where that can't be, the signals keep their usual meaning: the process ends.
    pub(in crate::cli) fn listen() -> Self {
        let both = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        Self(if let (Ok(interrupt), Ok(terminate)) = both {
            Some((interrupt, terminate))
        } else {
            None
        })
    }

    /// Waits for the next one.
    pub(in crate::cli) async fn next(&mut self) {
        let Some((interrupt, terminate)) = &mut self.0 else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
