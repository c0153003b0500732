//! The proof of the documents in force: each call that S3 makes, with the policy that decides it.
//! If a policy depends on a condition key whose value is not known outside S3, the outcome is
//! reported as unknown, neither as allowed nor as denied.
//! Not for: reading the documents (see `check`).

use super::call::{Call, ResourcePolicyOf};
use super::judge::Judge;
use super::object::{self, CallsOfObject, ObjectShape};
use super::scene::{Scene, VIA};
use super::{Document, Documents, Organisation, Row, replication};
use crate::manifest::{PairKeys, Side, Topology};
use crate::names::{BucketName, Region};
use crrctl_iam::document::{Condition, Effect, Scope, Statement};
use crrctl_iam::{self as iam, Context, Decision, Layer};
use std::collections::BTreeSet;

/// The policy that decides a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The role's own policies.
    Role,
    /// The role's permissions boundary.
    Boundary,
    /// The role's trust policy.
    Trust,
    /// The policy of the key in a Region.
    Key(Region),
    /// The policy of the source bucket.
    SourceBucket,
    /// The policy of the destination bucket in a Region, by its name where the Region has several.
    DestinationBucket(Region, Option<BucketName>),
    /// A service or resource control policy.
    Organisation,
}

/// A call of S3 under the documents in force.
#[derive(Debug, Clone)]
pub struct LiveRow {
    /// The call and its outcome.
    pub row: Row,
    /// The policy that denies the call; `None` for a call that is allowed.
    pub place: Option<Place>,
    /// Condition keys that the outcome depends on and whose values are not known outside S3; empty
    /// if the outcome is certain.
    pub unknown: Vec<String>,
    /// Why S3 may do without this call; `None` if it certainly needs it.
    pub doubt: Option<Doubt>,
}

/// Why S3 may do without a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Whether S3 needs it for objects that were uploaded in parts, the sources do not agree.
    Parts,
    /// Another form of S3's service name is allowed, and which one S3 has, no source says.
    ServiceName,
    /// S3 needs it only for some objects, and replicates others without it.
    SomeObjects,
}

impl LiveRow {
    /// Returns whether the call is certainly denied, and S3 certainly needs it.
    pub fn is_denied(&self) -> bool {
        self.place.is_some() && self.unknown.is_empty() && self.doubt.is_none()
    }

    /// Returns whether S3 certainly makes the call and needs an `Allow` for it.
    pub fn is_asked(&self) -> bool {
        self.doubt.is_none() && !replication::LOCK_WRITES.contains(&self.row.action.as_str())
    }
}

/// Evaluates every call that S3 makes to replicate under `documents`, which are in force. Of a role
/// that crrctl did not make, only what S3 needs for what the rules select is demanded.
pub fn prove_live(
    topology: &Topology,
    keys: &PairKeys,
    documents: &Documents,
    organisation: &Organisation,
) -> Vec<LiveRow> {
    let scene = Scene::new(topology, keys, documents);
    let mut needed = replication::calls(&scene);
    needed.retain(Call::must_be_allowed);
    let locks = replication::lock_writes(&scene);
    let doubted = replication::in_doubt(&scene);
    let calls = CallsOfObject { needed, locks, doubted };
    let mut rows = judged(topology, documents, organisation, &calls);
    if topology.shared_role().is_some() {
        for row in rows.iter_mut().filter(|row| is_good_to_have(topology, &row.row)) {
            row.doubt = Some(Doubt::SomeObjects);
        }
    }
    rows
}

/// Evaluates every call that S3 makes to replicate one object to `destinations`. The source of
/// `topology` has the object's key.
pub fn prove_object(
    topology: &Topology,
    keys: &PairKeys,
    documents: &Documents,
    organisation: &Organisation,
    object: &ObjectShape,
    destinations: &[Side],
) -> Vec<LiveRow> {
    let scene = Scene::new(topology, keys, documents);
    judged(topology, documents, organisation, &object::calls(&scene, object, destinations))
}

/// Returns whether S3 replicates without the call what the rules select. Without the permissions for
/// tags, objects replicate without their tags, or with them; listing the source is for delete
/// markers; nothing of the destination bucket itself is read (S3 User Guide, "Setting up permissions
/// for live replication" and "Configuring replication for buckets in different accounts").
fn is_good_to_have(topology: &Topology, row: &Row) -> bool {
    let source = topology.source.bucket.arn(topology.wanted.partition());
    let mut rules = topology.rules.iter().map(|rule| &rule.settings);
    match row.action.as_str() {
        "s3:GetObjectVersionTagging" | "s3:ReplicateTags" => rules.all(|it| it.tags.is_empty()),
        "s3:ListBucket" if row.resource == source.as_str() => rules.all(|it| !it.delete_markers),
        "s3:ListBucket" | "s3:GetBucketVersioning" => true,
        _ => false,
    }
}

fn judged(
    topology: &Topology,
    documents: &Documents,
    organisation: &Organisation,
    calls: &CallsOfObject,
) -> Vec<LiveRow> {
    let open = Open::of(topology);
    let assume = |favourable: bool| {
        let change = |document: &iam::Document| assumed(document, &open, favourable);
        let all = |list: &[(String, iam::Document)]| {
            list.iter().map(|(name, document)| (name.clone(), change(document))).collect()
        };
        let (scps, rcps) = (all(&organisation.scps), all(&organisation.rcps));
        (documents.each(change), Organisation { scps, rcps })
    };
    let (best, worst) = (assume(true), assume(false));
    let owners = || vec![topology.source.account.to_string()];
    let (best, worst) =
        (Judge::new(&best.0, &best.1, owners()), Judge::new(&worst.0, &worst.1, owners()));
    let view = View { best, worst, documents, organisation, open };
    let is_refused = |decision: &Decision| !decision.is_allowed();
    let mut rows: Vec<LiveRow> = calls
        .needed
        .iter()
        .map(|call| {
            plain_read(topology, call, &view).unwrap_or_else(|| row(call, &view, is_refused))
        })
        .collect();
    either_service_name(&mut rows);
    let is_explicit = |decision: &Decision| matches!(decision, Decision::ExplicitDeny { .. });
    rows.extend(calls.locks.iter().map(|call| row(call, &view, is_explicit)));
    let doubted = calls.doubted.iter().map(|call| row(call, &view, is_refused));
    rows.extend(doubted.map(|live| {
        let is_of_key = live.row.action.starts_with("kms:");
        let doubt = if is_of_key { Doubt::Parts } else { Doubt::SomeObjects };
        LiveRow { doubt: Some(doubt), ..live }
    }));
    rows
}

/// Returns the row of the read of an object by `s3:GetObjectVersion`, if that is allowed. It is
/// enough for objects that are under no KMS key (S3 User Guide, "Setting up permissions for live
/// replication").
fn plain_read(topology: &Topology, call: &Call, view: &View<'_>) -> Option<LiveRow> {
    if call.action != "s3:GetObjectVersionForReplication" || topology.source.has_key() {
        return None;
    }
    let is_refused = |decision: &Decision| !decision.is_allowed();
    row(call, view, is_refused).place.as_ref()?;
    let plain = Call { action: "s3:GetObjectVersion".to_owned(), ..call.clone() };
    Some(row(&plain, view, is_refused)).filter(|row| row.place.is_none())
}

/// Makes a call through S3 optional that is allowed under another form of S3's service name: which
/// form S3 has outside `aws` and `aws-us-gov`, no source says.
fn either_service_name(rows: &mut [LiveRow]) {
    let but_name = |row: &Row| {
        let mut context = row.context.clone();
        let named = context.remove(VIA).is_some();
        named.then(|| (row.action.clone(), row.resource.clone(), context))
    };
    let allowed = rows.iter().filter(|row| row.place.is_none());
    let allowed: BTreeSet<_> = allowed.filter_map(|row| but_name(&row.row)).collect();
    for row in rows.iter_mut().filter(|row| row.place.is_some()) {
        if but_name(&row.row).is_some_and(|call| allowed.contains(&call)) {
            row.doubt = Some(Doubt::ServiceName);
        }
    }
}

/// The documents in force, once with every unknown condition assumed favorable to replication, once
/// unfavorable.
struct View<'a> {
    best: Judge<'a>,
    worst: Judge<'a>,
    documents: &'a Documents,
    organisation: &'a Organisation,
    open: Open,
}

fn row(call: &Call, view: &View<'_>, is_refused: impl Fn(&Decision) -> bool) -> LiveRow {
    let View { best, worst, documents, organisation, open } = view;
    let at_best = best.decision(call);
    let certain = best.row(call);
    if is_refused(&at_best) {
        let place = place(call, &at_best);
        return LiveRow { row: certain, place, unknown: Vec::new(), doubt: None };
    }
    let decision = worst.decision(call);
    if !is_refused(&decision) {
        return LiveRow { row: certain, place: None, unknown: Vec::new(), doubt: None };
    }
    let row = worst.row(call);
    let read = |name: &str| {
        let given = organisation.scps.iter().chain(&organisation.rcps);
        let given = given.filter(|(own, _)| own == name).map(|(_, document)| document);
        given.chain(documents.called(name)).flat_map(|it| &it.statements).collect::<Vec<_>>()
    };
    let statements: Vec<&Statement> = match &decision {
        Decision::ExplicitDeny { by } => {
            read(&by.document).into_iter().skip(by.statement).take(1).collect()
        }
        Decision::ImplicitDeny { why } => why.documents.iter().flat_map(|it| read(it)).collect(),
        Decision::Allow { .. } => Vec::new(),
    };
    let keys: BTreeSet<String> = statements
        .iter()
        .flat_map(|statement| &statement.condition)
        .filter(|condition| open.holds(condition))
        .map(|condition| condition.key.clone())
        .collect();
    let unknown = keys.into_iter().collect();
    LiveRow { row, place: place(call, &decision), unknown, doubt: None }
}

fn place(call: &Call, decision: &Decision) -> Option<Place> {
    let layer = match decision {
        Decision::Allow { .. } => return None,
        Decision::ImplicitDeny { why } => why.layer,
        Decision::ExplicitDeny { by } => by.layer,
    };
    Some(match (layer, &call.at) {
        (Layer::Boundary, _) => Place::Boundary,
        (Layer::Scp | Layer::Rcp, _) => Place::Organisation,
        (
            Layer::Resource,
            ResourcePolicyOf::Document(_, Document::Key(region) | Document::ExistingKey(region, _)),
        ) => Place::Key(region.clone()),
        (Layer::Resource, ResourcePolicyOf::Document(_, Document::SourceBucket)) => {
            Place::SourceBucket
        }
        (
            Layer::Resource,
            ResourcePolicyOf::Document(_, Document::DestinationBucket(region, bucket)),
        ) => Place::DestinationBucket(region.clone(), bucket.clone()),
        (
            Layer::Resource,
            ResourcePolicyOf::Document(
                _,
                Document::ReplicationRoleTrust | Document::BackRoleTrust(_),
            ),
        ) => Place::Trust,
        (Layer::Identity | Layer::Session | Layer::Resource, _) => Place::Role,
    })
}

/// Condition keys whose values are not known outside S3 for the calls that S3 makes by itself. S3
/// User Guide, "Troubleshooting replication", states that conditions on source addresses, VPC
/// endpoints and access points break replication; no page covers the others. A `/` at the end
/// stands for any name after it.
const UNKNOWN: [&str; 24] = [
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principaltag/",
    "aws:requestedregion",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:resourcetag/",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "aws:vpcsourceip",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
];

/// Prefix of the condition keys whose values depend on each object, if the buckets have Object
/// Lock.
const OF_OBJECTS: &str = "s3:object-lock-";

/// The unknown condition keys of a pair's calls.
struct Open {
    /// Condition keys that S3 either omits or sends with these values; no source states which.
    sent: Context,
    is_locked: bool,
}

impl Open {
    fn of(topology: &Topology) -> Self {
        let source = topology.source.bucket.arn(topology.wanted.partition());
        let sent = Context::new()
            .with("aws:SourceAccount", topology.source.account.as_str())
            .with("aws:SourceArn", source.as_str());
        Self { sent, is_locked: topology.wanted.buckets.lock.is_some() }
    }

    /// Returns whether the outcome of a condition is unknown.
    fn holds(&self, condition: &Condition) -> bool {
        let key = condition.key.to_lowercase();
        let is_it = |it: &str| it == key || (it.ends_with('/') && key.starts_with(it));
        let is_listed =
            UNKNOWN.iter().any(|it| is_it(it)) || (self.is_locked && key.starts_with(OF_OBJECTS));
        let is_sent = self.sent.get(&key).is_some();
        let holds = |context: &Context| iam::holds(condition, context, false);
        is_listed && (!is_sent || holds(&Context::new()) != holds(&self.sent))
    }
}

/// Returns `document` with every unknown condition assumed favorable to replication, or
/// unfavorable. The indices of the statements stay the same.
fn assumed(document: &iam::Document, open: &Open, favourable: bool) -> iam::Document {
    let mut assumed = document.clone();
    for statement in &mut assumed.statements {
        if !statement.condition.iter().any(|condition| open.holds(condition)) {
            continue;
        }
        if (statement.effect == Effect::Allow) == favourable {
            statement.condition.retain(|condition| !open.holds(condition));
        } else {
            statement.action = Some(Scope::Only(Vec::new()));
        }
    }
    assumed
}
