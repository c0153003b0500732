//! Evaluates the documents in force: one finding per policy, with the statement that decides. If
//! nothing of the pair exists yet, the documents are those that `apply` would write.
//! Not for: the evaluation itself (see `policy::proof`).

use super::doubts;
use super::object::Found;
use super::seen::{Read, Seen};
use super::{Finding, Settings, Verdict};
use crate::failure::Failure;
use crate::manifest::{PairKeys, Side, Topology};
use crate::policy::proof::{LiveRow, Outcome, Place, Row, prove_live, prove_object};
use crate::policy::{self, Document, Documents, Templates};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The documents of a pair, and the documents that could not be read.
struct Gathered {
    documents: Documents,
    /// Places whose document, or its absence, was read.
    read: BTreeSet<Place>,
    unread: BTreeMap<Place, Finding>,
    /// The deleted principals that each document still names.
    stale: BTreeMap<Place, Vec<String>>,
}

/// Evaluates the calls that S3 makes for one object. The source of `seen` has the object's key.
pub(super) fn of_object(
    seen: &Seen,
    templates: &Templates,
    settings: &Settings,
    object: &Found,
) -> Result<(Vec<Finding>, Vec<Row>), Failure> {
    let keys = seen.topology.or_some_keys(&seen.pair_keys);
    let gathered = if seen.stands() {
        gather(seen, Documents::default())
    } else {
        to_be_written(&seen.topology, &keys, templates)?
    };
    let Found { destinations, shape, .. } = object;
    let (documents, organisation) = (&gathered.documents, &settings.organisation);
    let rows = prove_object(&seen.topology, &keys, documents, organisation, shape, destinations);
    let mut findings: Vec<Finding> =
        gathered.read.iter().map(|place| judged(seen, place, &rows)).collect();
    let by_organisation =
        rows.iter().any(|row| row.place == Some(Place::Organisation) && row.is_denied());
    findings.extend(by_organisation.then(|| self::organisation(seen, &rows, settings)));
    Ok((findings, rows.into_iter().filter(LiveRow::is_asked).map(|it| it.row).collect()))
}

pub(super) fn check(
    seen: &Seen,
    templates: &Templates,
    settings: &Settings,
    is_partial: bool,
) -> Result<(Vec<Finding>, Vec<Row>), Failure> {
    let keys = seen.topology.or_some_keys(&seen.pair_keys);
    // If the source's account is out of reach, its documents are assumed to be those that `apply`
    // writes.
    let known = if is_partial {
        Documents::render(of_source(&seen.topology), &seen.topology, &keys, templates)?
    } else {
        Documents::default()
    };
    let gathered = if seen.stands() {
        gather(seen, known)
    } else {
        to_be_written(&seen.topology, &keys, templates)?
    };
    let rows = prove_live(&seen.topology, &keys, &gathered.documents, &settings.organisation);
    let mut findings: Vec<Finding> = gathered.unread.values().cloned().collect();
    for place in &gathered.read {
        findings.push(judged(seen, place, &rows));
    }
    findings.extend(stale(&seen.topology, &gathered.stale));
    findings.push(organisation(seen, &rows, settings));
    Ok((findings, rows.into_iter().filter(LiveRow::is_asked).map(|it| it.row).collect()))
}

/// Returns the documents in the source's account: the role's documents in the forward direction,
/// the bucket policy and the key policy in a reverse direction.
fn of_source(direction: &Topology) -> Vec<Document> {
    if !direction.is_back() {
        return vec![Document::ReplicationRoleTrust, Document::ReplicationRole];
    }
    let home = &direction.wanted.home();
    let key = home.has_own_key().then(|| Document::of_key(home));
    key.into_iter().chain([Document::of_bucket(home, direction)]).collect()
}

/// Adds every live document to `documents`, under the place where the evaluation reads it.
fn gather(seen: &Seen, documents: Documents) -> Gathered {
    let is_partial = documents.has(&Document::ReplicationRole);
    let mut it = Gathered {
        documents,
        read: BTreeSet::new(),
        unread: BTreeMap::new(),
        stale: BTreeMap::new(),
    };
    if let (Ok(Some(role)), false) = (&seen.role, is_partial) {
        let trust = Document::of_role_trust(&seen.topology);
        it.put(Place::Trust, &trust, "trust policy", &role.trust, seen);
        match &role.policies {
            Err(error) => it.cannot(Place::Role, Finding::unread("role.policy", error), seen),
            Ok(policies) => {
                it.read.insert(Place::Role);
                for (name, value) in policies {
                    let beside = it.documents.put_beside(
                        &Document::of_role(&seen.topology),
                        name.clone(),
                        value.clone(),
                    );
                    if let Err(error) = beside {
                        it.cannot(
                            Place::Role,
                            unclear("role.policy", name, &error.to_string()),
                            seen,
                        );
                    }
                }
            }
        }
        match &role.boundary {
            Err(error) => it.cannot(Place::Boundary, Finding::unread("role.boundary", error), seen),
            Ok(None) => {}
            Ok(Some((name, value))) => match it.documents.put_boundary(name.clone(), value.clone())
            {
                Ok(()) => drop(it.read.insert(Place::Boundary)),
                Err(error) => {
                    it.cannot(
                        Place::Boundary,
                        unclear("role.boundary", name, &error.to_string()),
                        seen,
                    );
                }
            },
        }
    }
    for side in seen.topology.sides() {
        let place = Place::Key(side.region.clone());
        let document = Document::of_key(side);
        match seen.keys.get(&side.bucket).and_then(|key| key.details.as_ref()) {
            Some(Ok(key)) => {
                it.put(
                    place,
                    &document,
                    &format!("key policy in {}", side.region),
                    &key.policy,
                    seen,
                );
            }
            Some(Err(error)) => it.cannot(place, Finding::unread("key.policy", error), seen),
            None => {}
        }
    }
    for (side, bucket) in &seen.buckets {
        let (place, document) =
            (of_bucket(&seen.topology, side), Document::of_bucket(side, &seen.topology));
        it.put_bucket(place, &document, side, &bucket.policy, seen);
    }
    it
}

impl Gathered {
    fn put(&mut self, place: Place, document: &Document, name: &str, value: &Value, seen: &Seen) {
        self.note_stale(&place, value);
        match self.documents.put_live(document, name.to_owned(), value.clone()) {
            Ok(()) => drop(self.read.insert(place)),
            Err(error) => {
                let finding = unclear(check_of(&place), name, &error.to_string());
                self.cannot(place, finding, seen);
            }
        }
    }

    fn put_bucket(
        &mut self,
        place: Place,
        document: &Document,
        side: &Side,
        policy: &Read<Option<Value>>,
        seen: &Seen,
    ) {
        match policy {
            Ok(Some(value)) => {
                self.put(place, document, &format!("policy of {}", side.bucket), value, seen);
            }
            Ok(None) => drop(self.read.insert(place)),
            Err(error) if error.is_absent() => {}
            Err(error) => self.cannot(place, Finding::unread("bucket.policy", error), seen),
        }
    }

    fn cannot(&mut self, place: Place, finding: Finding, seen: &Seen) {
        let finding = placed(&seen.topology, &place, finding);
        self.read.remove(&place);
        self.unread.insert(place, finding);
    }

    fn note_stale(&mut self, place: &Place, value: &Value) {
        let gone = policy::meaning::gone_principals(value);
        self.stale.entry(place.clone()).or_default().extend(gone);
    }
}

fn to_be_written(
    topology: &Topology,
    keys: &PairKeys,
    templates: &Templates,
) -> Result<Gathered, Failure> {
    let documents = Documents::render(Document::written(topology), topology, keys, templates)?;
    let regions = topology.key_regions().into_iter().map(|region| Place::Key(region.clone()));
    let buckets = topology.sides().map(|side| of_bucket(topology, side));
    let read = [Place::Trust, Place::Role].into_iter().chain(regions).chain(buckets).collect();
    Ok(Gathered { documents, read, unread: BTreeMap::new(), stale: BTreeMap::new() })
}

fn of_bucket(topology: &Topology, side: &Side) -> Place {
    if side == topology.wanted.home() {
        Place::SourceBucket
    } else {
        Place::DestinationBucket(side.region.clone(), topology.wanted.told_apart(side))
    }
}

fn check_of(place: &Place) -> &'static str {
    match place {
        Place::Role => "role.policy",
        Place::Boundary => "role.boundary",
        Place::Trust => "role.trust",
        Place::Key(_) => "key.policy",
        Place::SourceBucket | Place::DestinationBucket(..) => "bucket.policy",
        Place::Organisation => "organisation",
    }
}

fn placed(topology: &Topology, place: &Place, finding: Finding) -> Finding {
    match place {
        Place::DestinationBucket(region, Some(bucket)) => finding.of(bucket).at(region),
        Place::Key(region) | Place::DestinationBucket(region, None) => finding.at(region),
        Place::SourceBucket => finding.at(&topology.wanted.home().region),
        Place::Role | Place::Boundary | Place::Trust | Place::Organisation => finding,
    }
}

/// Returns the finding for one policy, from the calls that the policy decides.
fn judged(seen: &Seen, place: &Place, rows: &[LiveRow]) -> Finding {
    let name = check_of(place);
    let here: Vec<&LiveRow> = rows.iter().filter(|row| row.place.as_ref() == Some(place)).collect();
    let (in_doubt, here): (Vec<_>, Vec<_>) = here.into_iter().partition(|row| row.doubt.is_some());
    let (certain, open): (Vec<&LiveRow>, Vec<&LiveRow>) =
        here.into_iter().partition(|row| row.unknown.is_empty());
    let finding = match (certain.first(), open.first()) {
        (None, None) if seen.stands() && !in_doubt.is_empty() => {
            doubts::doubted(seen, name, &in_doubt)
        }
        (Some(first), _) => {
            // If no document of the role decides a denied call, the role policy is missing.
            let is_gone = *place == Place::Role && first.row.document.is_none();
            let remedy = match &first.row.mend {
                _ if is_gone && seen.topology.shared_role().is_none() => {
                    "`crrctl apply` puts the role's policy back".to_owned()
                }
                mend => mend.clone().unwrap_or_default(),
            };
            Finding::fail(name, denied(first, &certain), remedy).because(&reasons(seen, &certain))
        }
        (None, Some(first)) if is_of_objects(first) => {
            let detail = format!(
                "{} makes {} depend on `{}`, which is each object's own: one that has not what it wants is FAILED",
                first.row.statement.as_deref().unwrap_or("a statement"),
                actions(&open),
                first.unknown.join("`, `")
            );
            let remedy = "give objects such a retention at the source, or except the replication role by `aws:PrincipalArn`";
            Finding::unknown(name, detail, remedy).because(&reasons(seen, &open))
        }
        (None, Some(first)) => {
            let keys = first.unknown.join("`, `");
            let statement = first.row.statement.as_deref().unwrap_or("a statement");
            let detail = format!(
                "{statement} makes {} depend on `{keys}`, and nobody outside S3 knows what that is for its calls",
                actions(&open)
            );
            let remedy = "such conditions on source addresses, VPC endpoints, accounts and organisations are known to break replication: except the replication role by `aws:PrincipalArn`, then probe";
            Finding::unknown(name, detail, remedy).because(&reasons(seen, &open))
        }
        (None, None) if seen.stands() => {
            Finding::pass(name, "every call of S3 is allowed by the documents read")
        }
        (None, None) => {
            Finding::pass(name, "as `apply` would write it, every call of S3 is allowed")
        }
    };
    placed(&seen.topology, place, finding)
}

fn is_of_objects(row: &LiveRow) -> bool {
    row.unknown.iter().all(|key| key.to_lowercase().starts_with("s3:object-lock-"))
}

fn denied(first: &LiveRow, all: &[&LiveRow]) -> String {
    let row = &first.row;
    let by = match row.decision {
        Outcome::ExplicitDeny => format!(
            "a Deny, {} of `{}`",
            row.statement.as_deref().unwrap_or_default(),
            row.document.as_deref().unwrap_or_default()
        ),
        _ => "nothing allows it".to_owned(),
    };
    let more = match all.len() {
        1 => String::new(),
        _ => format!("; in all {} calls: {}", all.len(), actions(all)),
    };
    format!("`{}` on `{}` is denied: {by}{more}", row.action, row.resource)
}

pub(super) fn actions(rows: &[&LiveRow]) -> String {
    let actions: BTreeSet<&str> = rows.iter().map(|row| row.row.action.as_str()).collect();
    let actions: Vec<&str> = actions.into_iter().collect();
    format!("`{}`", actions.join("`, `"))
}

/// Returns the failure reasons that S3 gives if these calls are denied.
pub(super) fn reasons(seen: &Seen, rows: &[&LiveRow]) -> Vec<&'static str> {
    let source = seen.topology.source.bucket.arn(seen.topology.wanted.partition());
    // Multipart uploads have failure reasons of their own.
    let in_parts = |row: &&LiveRow| match row.row.action.as_str() {
        "s3:ReplicateObject" | "kms:GenerateDataKey" => Some("DstMultipartInitNotPermitted"),
        "kms:Decrypt" => Some("DstMultipartCompleteNotPermitted"),
        _ => None,
    };
    let reason = |row: &&LiveRow| {
        let row = &row.row;
        let context = row.context.get("kms:EncryptionContext:aws:s3:arn");
        let of_source = context
            .is_some_and(|it| it == source.as_str() || it.starts_with(&format!("{source}/")));
        match row.action.as_str() {
            "sts:AssumeRole" => "AssumeRoleNotPermitted",
            "s3:GetReplicationConfiguration" => "SrcBucketReplicationConfigMissing",
            "s3:ListBucket" if row.resource == source.as_str() => "SrcHeadObjectNotPermitted",
            "s3:GetObjectVersionForReplication" => "SrcGetObjectNotPermitted",
            "s3:GetObjectVersionAcl" => "SrcGetAclNotPermitted",
            "s3:GetObjectVersionTagging" => "SrcGetTaggingNotPermitted",
            "s3:GetObjectRetention" => "SrcGetRetentionNotPermitted",
            "s3:GetObjectLegalHold" => "SrcGetLegalHoldNotPermitted",
            "s3:ReplicateTags" => "DstPutTaggingNotPermitted",
            "s3:ReplicateDelete" => "DstDelObjNotPermitted",
            "s3:PutObjectRetention" => "DstPutRetentionNotPermitted",
            "s3:PutObjectLegalHold" => "DstPutLegalHoldNotPermitted",
            action if action.starts_with("kms:") && of_source => "SrcGetObjectNotPermitted",
            _ => "DstPutObjectNotPermitted",
        }
    };
    let mut reasons: Vec<_> = rows.iter().map(reason).collect();
    let writes = rows.iter().filter(|row| reason(row) == "DstPutObjectNotPermitted");
    reasons.extend(writes.filter_map(in_parts));
    reasons.sort_by_key(|reason| super::catalogue::rank(reason));
    reasons.dedup();
    reasons
}

fn stale(topology: &Topology, stale: &BTreeMap<Place, Vec<String>>) -> Vec<Finding> {
    let name = "principals.stale";
    let found = |(place, gone): (&Place, &Vec<String>)| {
        let gone = gone.first()?;
        let document = check_of(place);
        let detail = format!("the {document} names `{gone}`, a user or role that was deleted");
        let remedy =
            "one of the same name does not match it: write the statement again with the ARN";
        Some(placed(topology, place, Finding::fail(name, detail, remedy)))
    };
    let found: Vec<Finding> = stale.iter().filter_map(found).collect();
    match stale.len() {
        0 => Vec::new(),
        count if found.is_empty() => {
            vec![Finding::pass(name, format!("none in {count} policies"))]
        }
        _ => found,
    }
}

/// The organization's policies bind the role too, and the caller has no permission to read them.
fn organisation(seen: &Seen, rows: &[LiveRow], settings: &Settings) -> Finding {
    if settings.organisation.is_known() {
        let finding = judged(seen, &Place::Organisation, rows);
        if finding.result == Verdict::Pass {
            return Finding::pass("organisation", "the policies given allow every call");
        }
        return finding;
    }
    let give =
        "give them with `--scp FILE` and `--rcp FILE`; the organization's administrators have them";
    if settings.failed {
        let detail = "an object FAILED: where every document allows it, a service or resource control policy of the organisation is the first suspect";
        return Finding::unknown("organisation", detail, give).because(&[
            "AssumeRoleNotPermitted",
            "SrcGetObjectNotPermitted",
            "DstPutObjectNotPermitted",
        ]);
    }
    Finding::unknown("organisation", "no service or resource control policies were given", give)
}

fn unclear(name: &'static str, document: &str, why: &str) -> Finding {
    Finding::unknown(
        name,
        format!("{document} can't be read: {why}"),
        "look at the document by hand",
    )
}
