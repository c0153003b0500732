//! `probe`: uploads fresh objects to an existing pair and compares their replicas.
//! Not for: the upload and the comparison (see `crate::probe`).

use super::Session;
use crate::failure::{Failure, Kind};
use crate::manifest::{PairKeys, Topology};
use crate::observe::Depth;
use crate::plan::{self, Removal};
use crate::probe::{self, Evidence, Marker, Patience, Settings};
use crate::steps::{Steps, changed};
use crate::world::World;
use jiff::Timestamp;
use std::sync::Arc;

/// The result of a probe.
#[derive(Debug)]
pub struct Probed {
    /// What the probes show.
    pub evidence: Evidence,
    /// What was seen of delete markers, if they were probed.
    pub markers: Vec<Marker>,
}

/// Uploads probes as `settings` say, waits for their replicas and compares them; with `markers`, proves that delete
/// markers replicate, or that they do not, as the manifest says. Without any patience in `settings`, a pair that was
/// made a moment before is given time.
///
/// # Errors
///
/// The pair does not exist, or can't be read. A probe that fails is in the result.
pub async fn probe(
    session: &Session,
    settings: &Settings,
    markers: bool,
) -> Result<Probed, Failure> {
    let (topology, world) = session.observe(Depth::Wanted).await?;
    let keys = standing_keys(session, &topology, &world)?;
    let mut settings = settings.clone();
    if settings.patience == Patience::None {
        settings.patience = Patience::of(None, world.changed_ago(Timestamp::now()));
    }
    let steps = session.steps(&topology, &world, Removal::default());
    let mut evidence = proven(session, &steps, &topology, &keys, settings.clone()).await;
    let mut seen = Vec::new();
    if markers && evidence.failure.is_none() {
        let (aws, events, stop) =
            (Arc::clone(&session.aws), session.events.clone(), session.stop.clone());
        let marking = probe::markers(aws, topology.clone(), keys, settings, events, stop);
        let marked = tokio::select! {
            marked = session.unless_cut("probing delete markers", marking) => marked,
            failure = steps.until_going(None) => Err(failure),
        };
        (seen, evidence.failure) =
            marked.unwrap_or_else(|why| (Vec::new(), Evidence::cut_off(why, &topology).failure));
        evidence.failure = evidence.failure.map(changed);
    }
    Ok(Probed { evidence, markers: seen })
}

/// Probes a pair that is known to exist, until `steps` see that another run takes it away.
pub(super) async fn proven(
    session: &Session,
    steps: &Steps,
    topology: &Topology,
    keys: &PairKeys,
    settings: Settings,
) -> Evidence {
    let proof = session.upload_probes(topology, keys, settings);
    let proof = tokio::select! {
        proof = session.unless_cut("probing", proof) => proof,
        failure = steps.until_going(None) => Err(failure),
    };
    let evidence = proof.unwrap_or_else(|why| Evidence::cut_off(why, topology));
    Evidence { failure: evidence.failure.map(changed), ..evidence }
}

/// Returns the keys of an existing pair.
///
/// # Errors
///
/// The pair does not exist as a whole, so there is nothing to probe.
pub fn standing_keys(
    session: &Session,
    topology: &Topology,
    world: &World,
) -> Result<PairKeys, Failure> {
    let source = world.buckets.get(&topology.source.bucket);
    let keys = plan::known_keys(topology, world);
    let missing = match source {
        None => format!("there is no source bucket `{}`", topology.source.bucket),
        Some(bucket) if bucket.replication.is_none() => {
            format!("`{}` has no replication configuration", topology.source.bucket)
        }
        Some(_) if !topology.knows_keys(&keys) => "a key of it is missing".to_owned(),
        Some(_)
            if world.role.is_none()
                && topology.role_settings.given.is_none()
                && topology.shared_role().is_none() =>
        {
            format!("its role `{}` does not exist", topology.role)
        }
        Some(_) => return Ok(keys),
    };
    let message = format!(
        "the pair `{}` does not stand: {missing}, so there is nothing to probe",
        topology.wanted.name
    );
    let failure = Failure::new(Kind::Manifest, "pair-missing", message);
    Err(if session.is_new_sandbox {
        failure.hint("a fresh sandbox is empty: `crrctl sandbox -- sh` gives one that lasts as long as the shell")
    } else {
        failure.hint("`crrctl check` says what is missing; `crrctl apply` builds it")
    })
}
