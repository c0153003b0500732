//! Lets multipart probes wait until a single-part probe has a replication status.
//! Not for: how long fresh objects are uploaded (see `patience`).

use crate::aws::settle::pause;
use crate::stop::Stop;
use std::time::Duration;
use tokio::sync::watch;

/// Whether an object in one part has had a replication status, or its last word.
#[derive(Debug)]
pub(super) struct Eligible(watch::Sender<bool>);

impl Eligible {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets the objects in parts go on.
    pub(super) fn show(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it is shown, until the run is ending, and at most for `at_most`.
    pub(super) async fn wait(&self, stop: &Stop, at_most: Duration) {
        let mut shown = self.0.subscribe();
        tokio::select! {
            _ = shown.wait_for(|is_shown| *is_shown) => {}
            () = pause(stop, at_most) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn it_is_waited_for_no_longer_than_needed() {
        let (eligible, stop, began) = (Eligible::new(), Stop::default(), Instant::now());
        eligible.wait(&stop, Duration::from_secs(9)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(9));
        eligible.show();
        eligible.wait(&stop, Duration::from_secs(9)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(9));
    }
}
