//! Writes live resources as a manifest: `Live -> Draft -> text`. Pure. A setting that a manifest
//! can't express becomes a note or an error, so no setting is lost silently.
//! Not for: reading the live resources (see `observe`), or comparing the draft with `plan` (see
//! `cli`).

mod alerts;
mod damaged;
mod keys;
mod rules;
mod text;

pub use damaged::{Tagged, damaged, is_whole};

use crate::failure::{Failure, Kind};
use crate::manifest::{Login, Topology};
use crate::names::{Arn, BucketName, PairName, Region, RoleName};
use crate::world::{Live, LiveBucket, Tags};
use alerts::AlarmTopics;
use keys::Keys;
use rules::Entry;
use std::collections::BTreeMap;

/// What the user specifies in addition to the bucket.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The pair's name. By default it comes from the tags, the rules or the bucket name.
    pub name: Option<PairName>,
    /// The credentials of destinations, where they differ from the source's.
    pub logins: BTreeMap<Region, Login>,
}

/// A manifest that is not written yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The pair's name.
    pub name: PairName,
    /// Notes on live settings that the manifest does not express.
    pub notes: Vec<String>,
    /// Whether the proof accepts the minimum permissions that AWS documents
    /// (`policy.profile: strict`).
    pub strict: bool,
    source: Place,
    entries: Vec<Entry>,
    two_way: bool,
    replica_modifications: bool,
    /// The topic or queue of `replication.alerts`.
    alerts: Option<String>,
    /// The topics of `replication.alarm`.
    alarm: Option<AlarmTopics>,
    keys: Keys,
    roles: Roles,
    settings: Settings,
}

/// A bucket of the manifest.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    region: Region,
    bucket: String,
    adopt: bool,
}

/// Settings that apply to all buckets.
#[derive(Debug, Clone, Default)]
struct Settings {
    tls_only: bool,
    deny_other_keys: bool,
    /// Whether bucket names are in the account-regional namespace; adopted buckets don't count.
    account_regional: bool,
    /// What the source's documents say, as keys of `buckets`.
    documents: Vec<String>,
    noncurrent_days: Option<i32>,
    incomplete_upload_days: Option<i32>,
}

/// Who owns the roles.
#[derive(Debug, Clone)]
enum Roles {
    /// The roles exist, and crrctl does not change them.
    Given(String),
    /// crrctl made them.
    OwnSettings { name: Option<String>, path: Option<String>, boundary: Option<String> },
}

/// Drafts a manifest of the live resources.
pub fn draft(live: &Live, wish: &Wish) -> Result<Draft, Failure> {
    let source = &live.source;
    let name = name(live, wish)?;
    let own = OwnSettings { name: &name, live };
    let mut notes = Vec::new();
    if own.rules().iter().any(|rule| rule.is_v1) {
        notes.push(
            "its rules are of the older form (schema V1), without Filter and Priority, and stay so; what needs another rule wants \
             `replication: {v1_rules: convert}`"
                .to_owned(),
        );
    }
    let keys = keys::keys(&own)?;
    let mut entries = rules::entries(&own, &keys, wish, &mut notes)?;
    let two_way = rules::reverse_directions(&own, &mut entries, &mut notes);
    let replica_modifications = entries.first().is_some_and(|entry| entry.replica_modifications);
    let alerts = alerts::alerts(&own, &entries, two_way, &mut notes);
    let alarm = alerts::alarm(&own, &entries, two_way, &mut notes);
    let roles = roles(&own, &mut entries, two_way);
    Ok(Draft {
        notes,
        strict: false,
        source: own.place(source),
        two_way,
        replica_modifications,
        alerts,
        alarm,
        keys,
        roles,
        settings: settings(&own)?,
        entries,
        name,
    })
}

/// Distinguishes the pair's own resources from other resources.
struct OwnSettings<'a> {
    name: &'a PairName,
    live: &'a Live,
}

impl<'a> OwnSettings<'a> {
    fn rules(&self) -> &'a [crate::world::Rule] {
        self.live.source.bucket.replication.as_ref().map_or(&[], |it| &it.rules)
    }

    /// Returns whether a resource with `tags` is the pair's.
    fn is_ours(&self, tags: &Tags) -> bool {
        let id = id(self.live);
        tags.get(Topology::PAIR_TAG).is_some_and(|name| name == self.name.as_str())
            && tags.get(Topology::ID_TAG) == Some(&id)
    }

    /// Returns whether a rule has an id that crrctl gives the pair's rules.
    fn is_marked(&self, rule: &crate::world::Rule) -> bool {
        rule.id.starts_with(&self.name.rule_prefix())
    }

    /// Returns the id of the pair's lifecycle rule.
    fn lifecycle_id(&self) -> String {
        format!("crrctl.{}.lifecycle", self.name)
    }

    /// crrctl may delete a bucket that it made; any other bucket is adopted.
    fn place(&self, it: &LiveBucket) -> Place {
        let tags = &it.bucket.tags;
        let adopt = !self.is_ours(tags) || tags.contains_key(Topology::ADOPTED_TAG);
        Place { region: it.region.clone(), bucket: it.name.to_string(), adopt }
    }

    fn all(&self) -> impl Iterator<Item = &'a LiveBucket> {
        std::iter::once(&self.live.source).chain(&self.live.destinations)
    }
}

fn id(live: &Live) -> String {
    format!("{}/{}/{}", live.account, live.source.region, live.source.name)
}

/// Returns the pair's name: from `wish`, from the tags, from the rules, or from the bucket name
/// without account and Region.
fn name(live: &Live, wish: &Wish) -> Result<PairName, Failure> {
    let tags = &live.source.bucket.tags;
    let tagged =
        tags.get(Topology::PAIR_TAG).filter(|_| tags.get(Topology::ID_TAG) == Some(&id(live)));
    if let Some(name) = &wish.name {
        return match tagged.filter(|own| *own != name.as_str()) {
            None => Ok(name.clone()),
            Some(own) => Err(taken(&live.source.name, own, name)),
        };
    }
    let rules = live.source.bucket.replication.iter().flat_map(|it| &it.rules);
    let mut of_rules = rules.filter_map(|rule| rule.id.strip_prefix("crrctl.")?.split('.').next());
    let known = tagged.map(String::as_str).or_else(|| of_rules.next());
    if let Some(name) = known.and_then(|name| PairName::new(name).ok()) {
        return Ok(name);
    }
    let bucket = live.source.name.as_str();
    let bare = bucket.replace(live.account.as_str(), "").replace(live.source.region.as_str(), "");
    let words: Vec<&str> = bare.split(['-', '.']).filter(|word| !word.is_empty()).collect();
    let stem: String = words.join("-").chars().take(32).collect();
    let stem = stem.trim_matches('-');
    Ok(PairName::new(if stem.is_empty() { "imported" } else { stem })?)
}

/// Returns the error for a name that is not that of the pair that crrctl made of the bucket.
fn taken(bucket: &BucketName, own: &str, wanted: &PairName) -> Failure {
    let message = format!(
        "`{bucket}` is the source of the pair `{own}`, which crrctl made, and not of a pair `{wanted}`"
    );
    Failure::new(Kind::Manifest, "not-expressible", message)
        .hint(format!("leave out `--name`, or give `--name {own}`: a pair keeps its name"))
}

/// Returns the error for a setting that no manifest can express.
fn inexpressible(what: &str) -> Failure {
    Failure::new(Kind::Manifest, "not-expressible", format!("no manifest can say this: {what}"))
}

/// The roles are crrctl's own only if crrctl made all of them.
fn roles(own: &OwnSettings<'_>, entries: &mut [Entry], two_way: bool) -> Roles {
    let live = own.live;
    let given =
        live.source.bucket.replication.as_ref().map(|it| it.role.clone()).unwrap_or_default();
    let backs: Vec<&String> = entries.iter().filter_map(|entry| entry.back_role.as_ref()).collect();
    let is_own = |role: &String| live.roles.get(role).is_some_and(|it| own.is_ours(&it.tags));
    if is_own(&given) && backs.into_iter().all(is_own) {
        for entry in entries {
            entry.back_role = None;
        }
        let role = &live.roles[&given];
        return own_role(own, &role.arn, role.boundary.clone());
    }
    for entry in entries.iter_mut().filter(|_| !two_way) {
        entry.back_role = None;
    }
    for entry in entries.iter_mut().filter(|entry| entry.back_role.as_ref() == Some(&given)) {
        entry.back_role = None;
    }
    Roles::Given(given)
}

/// Returns the path and the name of a role.
fn path_and_name(role: &Arn) -> (&str, &str) {
    let path = role.resource().strip_prefix("role");
    path.and_then(|it| it.rfind('/').map(|at| it.split_at(at + 1))).unwrap_or(("/", ""))
}

/// Returns the name of the role that a pair makes where its manifest names none.
fn usual_role(own: &OwnSettings<'_>) -> String {
    format!("crrctl-{}-{}", own.name, own.live.source.region)
}

/// Returns what a manifest says of a role that crrctl made.
fn own_role(own: &OwnSettings<'_>, role: &Arn, boundary: Option<String>) -> Roles {
    let (path, name) = path_and_name(role);
    Roles::OwnSettings {
        name: (name != usual_role(own)).then(|| name.to_owned()),
        path: (path != RoleName::PATH).then(|| path.to_owned()),
        boundary,
    }
}

/// Returns whether the policy of a bucket has the statement `sid`.
fn has(it: &LiveBucket, sid: &str) -> bool {
    let policy = it.bucket.policy.as_ref();
    policy.is_some_and(|policy| {
        crate::policy::meaning::statements(policy).iter().any(|it| it["Sid"] == sid)
    })
}

fn settings(own: &OwnSettings<'_>) -> Result<Settings, Failure> {
    let id = own.lifecycle_id();
    let source = &own.live.source.bucket;
    let lifecycle = source.lifecycle.iter().find(|rule| rule.id == id && !rule.has_more);
    let documents = source.documents.imported();
    let documents = documents.map_err(|it| inexpressible(&it.what).hint(it.hint))?;
    let form = |it: &LiveBucket| format!("-{}-{}-an", it.account, it.region);
    let is_of_form = |it: &LiveBucket| it.name.as_str().ends_with(&form(it));
    Ok(Settings {
        account_regional: own.all().any(|it| !own.place(it).adopt && is_of_form(it)),
        tls_only: own.all().all(|it| has(it, "CrrctlTlsOnly")),
        deny_other_keys: own.all().all(|it| has(it, "CrrctlOtherKey")),
        documents,
        noncurrent_days: lifecycle.and_then(|rule| rule.noncurrent_days),
        incomplete_upload_days: lifecycle.and_then(|rule| rule.incomplete_upload_days),
    })
}
