//! The proof of replication rules that are not live yet: uploads fresh probes, in two rounds, through rules that cover only the prefix of probes.
//! Not for: the probes at the end of a run (see `apply`).

use super::Session;
use crate::aws::Aws;
use crate::aws::settle::pause;
use crate::events::{Events, Progress};
use crate::failure::{Failure, Kind};
use crate::manifest::{PairKeys, Topology};
use crate::names::BucketName;
use crate::probe::{self, Patience, Probe, Settings};
use crate::steps::Prover;
use crate::stop::Stop;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The objects of each rule: a small one, and after it another and one in two parts. A new role may not
/// be visible everywhere at the same time, so what one object shows is looked at again later.
const ROUNDS: [bool; 2] = [false, true];

/// The settings of a round, with an object in two parts or without.
const fn settings(patience: Patience, multipart: bool) -> Settings {
    Settings {
        count: 1,
        size: 64 << 10,
        multipart,
        concurrency: 8,
        keep: false,
        patience,
        at_most: Duration::from_mins(20),
    }
}

/// Makes the proof and stores its evidence; clones share the evidence.
#[derive(Clone)]
pub(super) struct RuleProof {
    aws: Arc<Aws>,
    events: Events,
    stop: Stop,
    patience: Patience,
    /// The probes, by the bucket that they were written to.
    probes: Arc<Mutex<BTreeMap<BucketName, Vec<Probe>>>>,
}

impl std::fmt::Debug for RuleProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RuleProof")
    }
}

impl RuleProof {
    pub(super) fn new(session: &Session) -> Self {
        Self {
            aws: Arc::clone(&session.aws),
            events: session.events.clone(),
            stop: session.stop.clone(),
            patience: Patience::of(session.patience, Some(Duration::ZERO)),
            probes: Arc::default(),
        }
    }

    /// Returns the evidence of the last attempt.
    pub(super) fn probes(&self) -> Vec<Probe> {
        self.of_buckets().values().flatten().cloned().collect()
    }

    /// Probes in rounds, until one fails. Returns its failure.
    async fn tried(&self, direction: &Topology, keys: &PairKeys) -> Option<Failure> {
        let bucket = &direction.source.bucket;
        self.of_buckets().remove(bucket);
        for multipart in ROUNDS {
            let settings = settings(self.patience, multipart);
            let (events, stop) = (self.events.clone(), self.stop.clone());
            let (aws, topology) = (Arc::clone(&self.aws), direction.clone());
            let evidence = probe::run(aws, topology, keys.clone(), settings, events, stop).await;
            self.of_buckets().entry(bucket.clone()).or_default().extend(evidence.probes);
            if evidence.failure.is_some() {
                return evidence.failure;
            }
        }
        None
    }

    fn of_buckets(&self) -> MutexGuard<'_, BTreeMap<BucketName, Vec<Probe>>> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the proof, and repeats it if a replica differs: the replica may result from the rule
    /// that was live before, since the temporary rule beside it may not have propagated.
    async fn made(
        &self,
        direction: &Topology,
        keys: &PairKeys,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let (began, mut tries) = (Instant::now(), 0);
        loop {
            tries += 1;
            match self.tried(direction, keys).await {
                None => return Ok(()),
                Some(failure)
                    if failure.kind == Kind::ReplicaDiffers
                        && began.elapsed() < self.patience.lasts()
                        && !self.stop.is_ending() =>
                {
                    progress.retrying(&failure.code, "the rule may not have spread: fresh probes");
                    pause(&self.stop, Duration::from_secs(1 << tries.min(5))).await;
                }
                Some(failure) => return Err(failure),
            }
        }
    }
}

impl Prover for RuleProof {
    fn prove<'a>(
        &'a self,
        direction: &'a Topology,
        keys: &'a PairKeys,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(self.made(direction, keys, progress))
    }
}
