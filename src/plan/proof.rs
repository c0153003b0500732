//! The proof of what a plan would write: the rendered documents by themselves, and then beside what others have put into the
//! bucket policies that are live.
//! Not for: the calls and their evaluation (see `policy::proof`).

use super::known_keys;
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::policy::proof::{Expectation, Organisation, Proof, prove as proof_of};
use crate::policy::{Document, Documents, Templates, meaning};
use crate::world::World;

/// Proves the documents that `apply` would write for `topology` into `world`; the failure of a proof that does not hold has
/// exit code 5.
pub fn prove(topology: &Topology, world: &World, templates: &Templates) -> Result<(), Failure> {
    let keys = topology.or_some_keys(&known_keys(topology, world));
    let wanted = Document::written(topology);
    let mut documents = Documents::render(wanted, topology, &keys, templates)?;
    for side in topology.sides() {
        if let Some(key) = world.keys.existing.get(&side.bucket) {
            // What KMS took and we can't read is left to the probe.
            let _ = documents.put(&Document::of_key(side, topology), key.policy.clone());
        }
    }
    let nobody = Organisation::default();
    let by_themselves = proof_of(topology, &keys, &documents, &nobody);
    if let Some(failure) = by_themselves.failure() {
        return Err(failure);
    }
    if !merge(topology, world, &mut documents) {
        return Ok(());
    }
    // What others let through beside ours is theirs to answer for; what they forbid stops replication.
    let Proof { mut rows } = proof_of(topology, &keys, &documents, &nobody);
    rows.retain(|row| row.expected == Expectation::Allow);
    Proof { rows }.failure().map_or(Ok(()), |failure| {
        Err(failure
            .hint("the bucket's policy has statements of others, which crrctl leaves as they are"))
    })
}

/// Puts bucket policies in place as they would be written: beside the statements of others. Returns whether there are any.
fn merge(topology: &Topology, world: &World, documents: &mut Documents) -> bool {
    let mut merged = false;
    for side in topology.sides() {
        let document = Document::of_bucket(side, topology);
        let live = world.buckets.get(&side.bucket).and_then(|bucket| bucket.policy.as_ref());
        let (Some(live), Some(ours)) = (live, documents.get(&document)) else { continue };
        let Some(both) = meaning::merged_bucket_policy(Some(live), ours) else { continue };
        // A statement that can't be read can't be judged; S3 took it, so it is left to the probe.
        merged |= !meaning::same(&both, ours) && documents.put(&document, both).is_ok();
    }
    merged
}
