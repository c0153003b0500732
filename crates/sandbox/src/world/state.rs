//! Everything the sandbox remembers, as plain data. Not for: its lock (see `gate::shared`), deciding who may do what (see
//! `gate::access`) or how a protocol spells it.

use super::buckets::Buckets;
use super::iam::Iam;
use super::jobs::Jobs;
use super::kms::Kms;
use super::replication::Replication;
use super::{Calls, Clock, Delays, Lag, Limits, Patience, Quotas, Slow};
use std::time::{Duration, SystemTime};

/// The whole state of one sandbox.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) calls: Calls,
    pub(crate) kms: Kms,
    pub(crate) iam: Iam,
    pub(crate) buckets: Buckets,
    pub(crate) replication: Replication,
    pub(crate) jobs: Jobs,
    pub(crate) delays: Delays,
    pub(crate) limits: Limits,
    pub(crate) quotas: Quotas,
}

impl State {
    /// Returns the sandbox's present.
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Returns when something that begins now is done.
    pub(crate) fn done_at(&mut self, what: Slow) -> SystemTime {
        self.now() + self.delays.draw(what)
    }

    /// Returns the keys that are pending deletion and that something still names.
    pub(crate) fn pending_keys_in_use(&self) -> Vec<String> {
        let texts: Vec<String> = self.buckets.settings().chain(self.iam.role_policies()).collect();
        let is_named = |id: &String| texts.iter().any(|text| text.contains(id.as_str()));
        self.kms.pending().filter(is_named).collect()
    }

    pub(crate) fn new(settings: &Settings) -> Self {
        let delays = Delays::new(settings.lag, settings.hurry, settings.seed);
        let quotas = Quotas::new(settings.quotas);
        let clock = Clock::new(settings.clock_behind, settings.clock_stands);
        Self { clock, delays, limits: settings.limits, quotas, ..Self::default() }
    }

    /// Returns the ARNs of all that still exists and is not pending deletion.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let mut arns = self.buckets.arns();
        arns.extend(self.iam.arns());
        arns.extend(self.kms.arns());
        arns
    }
}

/// What a sandbox was started with and keeps until its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Whether requests count as sent over TLS (`aws:SecureTransport`).
    pub(crate) secure: bool,
    pub(crate) clock_stands: bool,
    pub(crate) clock_behind: Duration,
    pub(crate) lag: Lag,
    pub(crate) hurry: u32,
    pub(crate) seed: Option<u64>,
    pub(crate) quotas: Option<u32>,
    pub(crate) limits: Limits,
    pub(crate) patience: Patience,
}

impl Default for Settings {
    fn default() -> Self {
        let (limits, patience) = (Limits::default(), Patience::default());
        let (lag, quotas) = (Lag::None, None);
        Self {
            secure: true,
            clock_stands: false,
            clock_behind: Duration::ZERO,
            lag,
            hurry: 1,
            seed: None,
            quotas,
            limits,
            patience,
        }
    }
}
