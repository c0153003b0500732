//! Proves the policies that a plan would write: first the rendered documents alone, then merged
//! with the foreign statements of the live bucket policies.
//! Not for: listing the calls or evaluating them (see `policy::proof`).

use super::{known_keys, others};
use crate::failure::Failure;
use crate::manifest::{PairKeys, Topology};
use crate::policy::proof::{Expectation, Organisation, Proof, prove as proof_of};
use crate::policy::{Document, Documents, Templates, meaning};
use crate::world::World;

/// Proves the documents that `apply` would write for `topology` into `world`. A failed proof is a
/// failure with exit code 5.
pub fn prove(topology: &Topology, world: &World, templates: &Templates) -> Result<Proof, Failure> {
    let keys = known_keys(topology, world);
    if topology.shared_role().is_some() {
        others::prove_shared_role(topology, world, &keys, templates)?;
    }
    for back in topology.backward().filter(|back| back.shared_role().is_some()) {
        others::prove_shared_role(&back, world, &keys, templates)?;
    }
    let own = topology.with_own_role();
    others::prove_take_over(&own, world, &keys, templates)?;
    prove_own(&own, world, &topology.or_some_keys(&keys), templates)
}

fn prove_own(
    topology: &Topology,
    world: &World,
    keys: &PairKeys,
    templates: &Templates,
) -> Result<Proof, Failure> {
    let mut documents = rendered(topology, world, keys, templates)?;
    let nobody = Organisation::default();
    let by_themselves = proof_of(topology, keys, &documents, &nobody);
    if let Some(failure) = by_themselves.failure() {
        return Err(failure.hint("`crrctl policy prove` lists every call"));
    }
    if !merge(topology, world, &mut documents) {
        return Ok(by_themselves);
    }
    // Foreign statements may allow more than the pair's do, which is the responsibility of their
    // owner. But a foreign Deny stops replication.
    let Proof { mut rows } = proof_of(topology, keys, &documents, &nobody);
    rows.retain(|row| row.expected == Expectation::Allow);
    let proof = Proof { rows };
    match proof.failure() {
        None => Ok(proof),
        Some(failure) => Err(failure
            .hint("the bucket's policy has statements of others, which crrctl leaves as they are")
            .hint("`crrctl check` proves what is in force beside them")),
    }
}

/// Renders the documents that `apply` would write and adds the key policies of existing keys.
pub(super) fn rendered(
    topology: &Topology,
    world: &World,
    keys: &PairKeys,
    templates: &Templates,
) -> Result<Documents, Failure> {
    let wanted = Document::written(topology);
    let mut documents = Documents::render(wanted, topology, keys, templates)?;
    for side in topology.sides() {
        if let Some(key) = world.keys.existing.get(&side.bucket) {
            // A key policy that KMS accepted but crrctl can't parse is left to the probe.
            let _ = documents.put(&Document::of_key(side), key.policy.clone());
        }
    }
    Ok(documents)
}

/// Merges the pair's bucket policies with the foreign statements of the live bucket policies, as
/// `apply` would write them. Returns whether there are any foreign statements.
pub(super) fn merge(topology: &Topology, world: &World, documents: &mut Documents) -> bool {
    let mut merged = false;
    for side in topology.sides() {
        let document = Document::of_bucket(side, topology);
        let live = world.buckets.get(&side.bucket).and_then(|bucket| bucket.policy.as_ref());
        let (Some(live), Some(ours)) = (live, documents.get(&document)) else { continue };
        let Some(both) = meaning::merged_bucket_policy(Some(live), ours) else { continue };
        // A statement that can't be parsed can't be evaluated. S3 accepted it, so it is left to the
        // probe.
        merged |= !meaning::same(&both, ours) && documents.put(&document, both).is_ok();
    }
    merged
}
