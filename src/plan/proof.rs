//! Proves the policies that a plan would write: first the rendered documents alone, then merged
//! with the foreign statements of the live bucket policies.
//! Not for: listing the calls or evaluating them (see `policy::proof`).

use super::{known_keys, others};
use crate::failure::Failure;
use crate::manifest::{PairKeys, Topology};
use crate::policy::proof::{Doubt, LiveRow, Organisation, Proof, prove as proof_of, prove_live};
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
    let nobody = Organisation::default();
    let own = Documents::render(Document::written(topology), topology, keys, templates)?;
    let by_themselves = proof_of(topology, keys, &own, &nobody);
    if let Some(failure) = by_themselves.failure() {
        return Err(failure.hint("`crrctl policy prove` lists every call"));
    }
    let mut documents = rendered(topology, world, keys, templates)?;
    let is_beside_others = merge(topology, world, &mut documents);
    if !is_beside_others && world.keys.existing.is_empty() {
        return Ok(by_themselves);
    }
    // Documents of others may allow more than the pair's do, which is the responsibility of their
    // owner. But what they deny stops replication. What nobody outside S3 knows is a warning.
    let rows = live_rows(topology, keys, &documents);
    let is_certain = |row: &LiveRow| row.row.holds() || row.is_denied();
    let rows = rows.into_iter().filter(is_certain).map(|live| live.row).collect();
    let proof = Proof { rows };
    match proof.failure() {
        None => Ok(proof),
        Some(failure) => Err(failure
            .hint("the bucket's policy has statements of others, which crrctl leaves as they are")
            .hint("`crrctl check` proves what is in force beside them")),
    }
}

fn live_rows(topology: &Topology, keys: &PairKeys, documents: &Documents) -> Vec<LiveRow> {
    let nobody = Organisation::default();
    let directions = topology.directions();
    directions.iter().flat_map(|it| prove_live(it, keys, documents, &nobody)).collect()
}

/// Returns what nobody can know of S3's calls before they are made, and what a role of others lacks
/// that S3 does not need.
pub(super) fn notes(
    topology: &Topology,
    world: &World,
    templates: &Templates,
) -> Result<Vec<String>, Failure> {
    let keys = topology.or_some_keys(&known_keys(topology, world));
    let mut notes = Vec::new();
    for direction in topology.directions() {
        let documents = if direction.shared_role().is_some() {
            // A role that is missing or can't be read is refused by the proof.
            let Ok((_, in_force)) = others::in_force(&direction, world, &keys, templates) else {
                continue;
            };
            in_force
        } else {
            let mut documents = rendered(&direction, world, &keys, templates)?;
            if !merge(&direction, world, &mut documents) && world.keys.existing.is_empty() {
                continue;
            }
            documents
        };
        let rows = prove_live(&direction, &keys, &documents, &Organisation::default());
        notes.extend(rows.iter().filter_map(|row| note(&direction, row)));
    }
    notes.sort();
    notes.dedup();
    Ok(notes)
}

fn note(direction: &Topology, live: &LiveRow) -> Option<String> {
    let LiveRow { row, place, unknown, doubt } = live;
    place.as_ref()?;
    let (action, source) = (&row.action, &direction.source.bucket);
    if !unknown.is_empty() {
        let document = row.document.as_deref().unwrap_or("a policy");
        return Some(format!(
            "whether S3 may `{action}` from `{source}` is not known: {document} makes it depend on `{}`",
            unknown.join("`, `")
        ));
    }
    // Every pair with the strict profile has the doubt about parts.
    (*doubt == Some(Doubt::SomeObjects)).then(|| {
        format!("replication from `{source}` may not `{action}`: S3 needs it only for some objects")
    })
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
        if meaning::same(&both, ours) {
            continue;
        }
        // A statement that can't be parsed can't be evaluated. S3 accepted it, so it is left to the
        // probe.
        let (judged, removed) = meaning::bucket_policy_in_place(live, ours);
        merged |= documents.put_without(&document, judged, &removed).is_ok();
    }
    merged
}
