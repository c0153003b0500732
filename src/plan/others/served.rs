//! Proves by the policies in force what a role can serve: the role of a shared configuration for
//! the pair's rules, and the pair's role for foreign rules.
//! Not for: reading the policies (see `observe`).

use super::super::{proof, rules};
use super::{as_wish, served_by_ours};
use crate::failure::{self, Failure};
use crate::manifest::{PairKeys, Topology};
use crate::names::Arn;
use crate::policy::proof::{LiveRow, Organisation, Outcome, Place, Row, prove_live};
use crate::policy::{Document, Documents, Templates, meaning};
use crate::world::{Rule, SharedRole, World};
use serde_json::Value;
use std::collections::BTreeSet;

/// Proves that the shared role can serve the pair's rules. Calls on keys that don't exist yet are
/// skipped; they are proven once the keys exist.
pub fn prove_shared_role(
    topology: &Topology,
    world: &World,
    keys: &PairKeys,
    templates: &Templates,
) -> Result<(), Failure> {
    let own = topology.with_own_role();
    let all_keys = topology.or_some_keys(keys);
    let (rendered, in_force) = in_force(topology, world, &all_keys, templates)?;
    let unmade: BTreeSet<Arn> = topology
        .sides()
        .filter(|side| topology.wanted.key_arn(keys, side).is_none())
        .filter_map(|side| topology.wanted.key_arn(&all_keys, side))
        .collect();
    let nobody = Organisation::default();
    let rows = prove_live(topology, &all_keys, &in_force, &nobody);
    // Calls whose result depends on condition keys known only to S3 are left to the probes.
    let is_denied = |row: &&LiveRow| {
        row.is_denied() && !unmade.iter().any(|key| row.row.resource == key.as_str())
    };
    let denied: Vec<&LiveRow> = rows.iter().filter(is_denied).collect();
    let Some(first) = denied.first() else { return Ok(()) };
    let actions: BTreeSet<&str> = denied.iter().map(|it| it.row.action.as_str()).collect();
    let actions: Vec<&str> = actions.into_iter().collect();
    let message = format!(
        "it would be denied `{}` on `{}`; in all {} calls: `{}`",
        first.row.action,
        first.row.resource,
        denied.len(),
        actions.join("`, `")
    );
    let allowed = prove_live(&own, &all_keys, &rendered, &nobody);
    let mut failure = refused(topology, world, &message);
    for hint in missing(topology, &denied, &allowed, &rendered) {
        failure = failure.hint(hint);
    }
    if topology.role_settings.given.is_some() {
        return Err(failure);
    }
    Err(failure.hint("to give all rules the pair's own role, once it is proven for those of others too: `role.take_over: true`"))
}

/// Returns the documents that `apply` would write, and the same with the policies of the shared role
/// in place of the pair's own.
///
/// # Errors
/// The role does not exist, or a policy of it can't be parsed.
pub fn in_force(
    topology: &Topology,
    world: &World,
    keys: &PairKeys,
    templates: &Templates,
) -> Result<(Documents, Documents), Failure> {
    let own = topology.with_own_role();
    let mut rendered = proof::rendered(&own, world, keys, templates)?;
    proof::merge(&own, world, &mut rendered);
    let shared = if topology.is_back() {
        world.reverse_shared_roles.get(&topology.source.bucket)
    } else {
        world.shared_role.as_ref()
    };
    let Some(shared) = shared else {
        let message = format!("the role {} does not exist", topology.assumed_role());
        return Err(refused(topology, world, &message));
    };
    let in_force = with_role(topology, rendered.clone(), shared)
        .map_err(|what| refused(topology, world, &format!("{what} can't be read")))?;
    Ok((rendered, in_force))
}

/// Replaces the policies of the pair's role with those of `shared`.
fn with_role(
    topology: &Topology,
    mut documents: Documents,
    shared: &SharedRole,
) -> Result<Documents, String> {
    let role = Document::of_role(topology);
    documents.remove(&role);
    let trust = Document::of_role_trust(topology);
    let unread = |name: &str| format!("its {name}");
    documents
        .put_live(&trust, "trust policy".to_owned(), shared.trust.clone())
        .map_err(|_| unread("trust policy"))?;
    for (name, value) in &shared.policies {
        documents.put_beside(&role, name.clone(), value.clone()).map_err(|_| unread(name))?;
    }
    if let Some((name, value)) = &shared.boundary {
        documents.put_boundary(name.clone(), value.clone()).map_err(|_| unread(name))?;
    }
    Ok(documents)
}

fn refused(topology: &Topology, world: &World, why: &str) -> Failure {
    let source = &topology.source;
    if let Some(given) = &topology.role_settings.given {
        let way = format!("from `{}`", source.bucket);
        let message = format!("the role {given} of `role.arn` can't replicate {way}: {why}");
        return Failure::new(failure::Kind::Denied, "role-lacks", message)
            .in_region(&topology.wanted.home().region)
            .hint("crrctl never changes a role that it was given");
    }
    let live = world.buckets.get(&source.bucket).and_then(|bucket| bucket.replication.as_ref());
    let strangers = live.map_or(0, |live| rules::foreign(topology, live).count());
    let message = format!(
        "the replication configuration of `{}` has {strangers} rules of others and their role {}, which can't serve this pair: {why}",
        source.bucket,
        topology.assumed_role()
    );
    Failure::new(failure::Kind::InTheWay, "replication-not-ours", message).in_region(&source.region)
}

/// Returns hints for denied calls: the statement that the role lacks, taken from the pair's own
/// documents, or, for an explicit Deny, what it denies and where it is.
fn missing(
    topology: &Topology,
    denied: &[&LiveRow],
    allowed: &[LiveRow],
    rendered: &Documents,
) -> Vec<String> {
    let mut hints = Vec::new();
    for row in denied {
        let (trust, own) = (Document::of_role_trust(topology), Document::of_role(topology));
        let (document, name) = match &row.place {
            Some(Place::Trust) => (Some(&trust), "its trust policy"),
            Some(Place::Role) => (Some(&own), "a policy of that role"),
            _ => (None, ""),
        };
        let is_silent = row.row.decision == Outcome::ImplicitDeny;
        let twin = allowed.iter().find(|it| is_same(&it.row, &row.row));
        let statement = document
            .filter(|_| is_silent)
            .and_then(|document| rendered.get(document))
            .and_then(|value| statement(value, twin?.row.statement.as_deref()?));
        let hint = match statement {
            Some(statement) => format!("add this statement to {name}: {statement}"),
            None => row.row.mend.clone().unwrap_or_default(),
        };
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    hints
}

/// Compares two calls. The resource of `sts:AssumeRole` is ignored, because the two roles differ.
fn is_same(one: &Row, other: &Row) -> bool {
    let is_assumption = one.action == "sts:AssumeRole";
    one.action == other.action
        && (is_assumption || (one.resource == other.resource && one.context == other.context))
}

/// Returns the statement with the proof's label, such as `Statement[2] (KmsSource)`.
fn statement(document: &Value, label: &str) -> Option<Value> {
    let index = label.strip_prefix("Statement[")?.split(']').next()?.parse::<usize>().ok()?;
    meaning::statements(document).into_iter().nth(index)
}

/// Proves that the pair's role can serve the foreign rules before it takes them over.
pub fn prove_take_over(
    topology: &Topology,
    world: &World,
    keys: &PairKeys,
    templates: &Templates,
) -> Result<(), Failure> {
    let source = world.buckets.get(&topology.source.bucket);
    let live = source.and_then(|bucket| bucket.replication.as_ref());
    if !topology.role_settings.take_over
        || live.is_none_or(|live| live.role == topology.role_arn().as_str())
    {
        return Ok(());
    }
    let served = rules::served(topology, world);
    let keys = served.or_some_keys(keys);
    let role = [Document::ReplicationRole, Document::ReplicationRoleTrust];
    let role = Documents::render(role, &served, &keys, templates)?;
    for rule in served_by_ours(topology, world) {
        prove_rule(topology, world, &keys, templates, rule, &role)
            .map_err(|why| untaken(topology, rule, &why))?;
    }
    Ok(())
}

fn untaken(topology: &Topology, rule: &Rule, why: &str) -> Failure {
    let source = &topology.source;
    let message = format!(
        "the pair's role can't take over the rule `{}` of others in the replication configuration of `{}`: {why}",
        rule.id, source.bucket
    );
    Failure::new(failure::Kind::InTheWay, "take-over-unproven", message)
        .in_region(&source.region)
        .hint("without `role.take_over` their role stays, and the pair's rules go by it as far as it can serve them")
}

/// Proves that the pair's role, with the documents `serving`, can serve a foreign rule. The error
/// is the reason why it can't.
fn prove_rule(
    topology: &Topology,
    world: &World,
    keys: &PairKeys,
    templates: &Templates,
    rule: &Rule,
    serving: &Documents,
) -> Result<(), String> {
    let beyond = ["account", "owner override"];
    if let Some(other) = rule.others.iter().find(|other| beyond.contains(&other.as_str())) {
        return Err(format!("it has {other}, which that role does not serve"));
    }
    let wish = as_wish(topology, rule)
        .ok_or("its destination, or the key of its replicas, is not named by an ARN")?;
    let side = wish.destination.clone();
    let mut alone = topology.clone();
    (alone.direction.destinations, alone.direction.rules) = (Vec::new(), Vec::new());
    if topology.sides().any(|known| known == &side) {
        let ours = topology.wanted.key_arn(keys, &side).map(|arn| arn.to_string());
        if ours != rule.replica_key {
            return Err("it has another key for replicas in a bucket of the pair".to_owned());
        }
    }
    alone.direction.serve(wish);
    let mut documents =
        proof::rendered(&alone, world, keys, templates).map_err(|failure| failure.message)?;
    proof::merge(&alone, world, &mut documents);
    for document in [Document::ReplicationRole, Document::ReplicationRoleTrust] {
        let value = serving.get(&document).cloned().unwrap_or_default();
        documents.put(&document, value).map_err(|error| error.to_string())?;
    }
    if let Some(policy) = world.others.buckets.get(&side.bucket) {
        let document = Document::of_bucket(&side, &alone);
        documents.put(&document, policy.clone()).map_err(|error| error.to_string())?;
    }
    let policy = rule.replica_key.as_ref().and_then(|key| world.others.keys.get(key));
    if let Some(policy) = policy {
        let document = Document::of_key(&side);
        documents.put(&document, policy.clone()).map_err(|error| error.to_string())?;
    }
    let rows = prove_live(&alone, keys, &documents, &Organisation::default());
    match rows.iter().find(|row| row.is_denied()) {
        None => Ok(()),
        Some(LiveRow { row, .. }) => Err(format!(
            "`{}` on `{}` would be denied: {}",
            row.action,
            row.resource,
            row.mend.clone().unwrap_or_default()
        )),
    }
}
