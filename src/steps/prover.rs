//! What proves a rule before it goes live, as far as the steps know of it: they call it between two writes.
//! Not for: how a proof is made (see `probe`).

use crate::events::Progress;
use crate::failure::Failure;
use crate::manifest::{PairKeys, Topology};
use futures::future::BoxFuture;

/// Proves, by objects that are nobody's, that what stands replicates.
pub trait Prover: std::fmt::Debug + Send + Sync {
    /// Proves the rules of one direction that cover the place of probes; the pair's keys are `keys`.
    fn prove<'a>(
        &'a self,
        direction: &'a Topology,
        keys: &'a PairKeys,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<(), Failure>>;
}
