//! The interface to the proof of a rule before the rule goes live. The steps call it between two
//! writes.
//! Not for: how a proof is made (see `probe`).

use crate::events::Progress;
use crate::failure::Failure;
use crate::manifest::{PairKeys, Topology};
use futures::future::BoxFuture;

/// Proves that the pair replicates, with probes that are no user's objects.
pub trait Prover: std::fmt::Debug + Send + Sync {
    /// Proves the rules of one direction that cover the prefix of the probes. `keys` are the pair's
    /// keys.
    fn prove<'a>(
        &'a self,
        direction: &'a Topology,
        keys: &'a PairKeys,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<(), Failure>>;
}
