//! One round of a canary: a fresh probe, and what CloudWatch says of replication.
//! Not for: when the next round begins, or the totals over all rounds (see `report::Canary`).

use super::{Session, standing_keys};
use crate::check;
use crate::events::{Event, RuleMetrics, millis};
use crate::failure::Failure;
use crate::manifest::{PairKeys, Topology};
use crate::observe::Depth;
use crate::probe::{Evidence, Patience, Settings};
use crate::world::World;
use std::time::Duration;
use tokio::time::Instant;

/// How long an object may stay PENDING before a round counts it as late.
const AT_MOST: Duration = Duration::from_mins(15);

/// An existing pair that is probed again and again.
#[derive(Debug)]
pub struct Watched {
    /// The pair.
    pub topology: Topology,
    world: World,
    keys: PairKeys,
}

/// What one round shows.
#[derive(Debug)]
pub struct Round {
    /// What the probe shows.
    pub evidence: Evidence,
    /// The metrics of the rules that have S3 Replication metrics enabled.
    pub metrics: Vec<RuleMetrics>,
    /// How long the round took, in milliseconds.
    pub elapsed_ms: u64,
}

impl Round {
    /// Returns the event that tells of the round.
    pub fn event(&self) -> Event {
        let failure = self.evidence.failure.clone();
        let (metrics, elapsed_ms) = (self.metrics.clone(), self.elapsed_ms);
        Event::WatchRound { ok: failure.is_none(), failure, metrics, elapsed_ms }
    }
}

/// Reads the pair that is to be watched.
///
/// # Errors
///
/// The pair does not exist, or can't be read.
pub async fn watched(session: &Session) -> Result<Watched, Failure> {
    let (topology, world) = session.observe(Depth::Wanted).await?;
    let keys = standing_keys(session, &topology, &world)?;
    Ok(Watched { topology, world, keys })
}

/// Makes one round. Returns `None` where the run ends meanwhile: the round then only deletes its objects.
pub async fn round(session: &Session, watched: &Watched) -> Option<Round> {
    let began = Instant::now();
    let settings = Settings {
        count: 1,
        size: 64 << 10,
        multipart: false,
        concurrency: 1,
        keep: false,
        patience: Patience::of(session.patience, None),
        at_most: AT_MOST,
    };
    let evidence = session.upload_probes(&watched.topology, &watched.keys, settings).await;
    if session.stop.is_ending() {
        return None;
    }
    let look = async { Ok(check::metrics(&session.aws, &watched.topology, &watched.world).await) };
    let metrics = session.unless_ending(Box::pin(look)).await.ok()?;
    Some(Round { evidence, metrics, elapsed_ms: millis(began.elapsed()) })
}
