//! Drafts a manifest of a pair of which parts are missing or changed: from the tags of what is left,
//! the rules that are left, and the names that crrctl gives.
//! Not for: a pair that stands whole, of which each setting is read (see `import`).

use super::keys::{self, Keys, Kind, kms, leads_to};
use super::rules::{Entry, RuleIds, distinct_priorities};
use super::{Draft, OwnSettings, Place, Roles, Settings, alerts, has, own_role};
use super::{path_and_name, usual_role};
use crate::failure::{Failure, Kind as FailureKind};
use crate::manifest::Topology;
use crate::names::{Arn, BucketName, PairName, Region, RoleName};
use crate::world::{Key, KeyState, Live, LiveBucket, Rule};

/// What the tags of the account's resources say of a pair.
#[derive(Debug, Clone)]
pub struct Tagged {
    /// The pair's name.
    pub name: PairName,
    /// The Regions of its destinations, each with the bucket if that stands.
    pub destinations: Vec<(Region, Option<BucketName>)>,
    /// Its keys that are not pending deletion, or else those that are; the source's first.
    pub keys: Vec<Key>,
    /// An alias of its keys.
    pub alias: Option<String>,
    /// Its replication roles.
    pub roles: Vec<Arn>,
}

/// Returns whether nothing of a pair that crrctl made is known to be missing: then what is live
/// describes it. `true` for a pair that crrctl did not make.
pub fn is_whole(live: &Live, tagged: Option<&Tagged>) -> bool {
    let source = &live.source;
    let tags = &source.bucket.tags;
    let name = match tagged {
        Some(tagged) => Some(&tagged.name),
        None if tags.get(Topology::ID_TAG) == Some(&super::id(live)) => None,
        // Rules of crrctl's without its tags.
        None => {
            let rules = source.bucket.replication.iter().flat_map(|it| &it.rules);
            return !rules.into_iter().any(|rule| rule.id.starts_with("crrctl."));
        }
    };
    let own_name = tags.get(Topology::PAIR_TAG).and_then(|it| PairName::new(it.as_str()).ok());
    let Some(name) = name.or(own_name.as_ref()) else { return true };
    let own = OwnSettings { name, live };
    let Some(replication) = &source.bucket.replication else { return false };
    let leads = |bucket: &BucketName| {
        own.rules().iter().any(|rule| rule.bucket().is_ok_and(|it| it == *bucket))
    };
    let to_own = |it: &&LiveBucket| {
        own.rules().iter().any(|rule| own.is_marked(rule) && leads_to(&rule.destination, it))
    };
    let mut buckets = tagged.into_iter().flat_map(|it| &it.destinations);
    own.is_ours(tags)
        && live.roles.contains_key(&replication.role)
        && live.destinations.iter().filter(to_own).all(|it| own.is_ours(&it.bucket.tags))
        && buckets.all(|(_, bucket)| bucket.as_ref().is_none_or(leads))
}

/// Drafts a manifest of what is left of a pair. `live` has the buckets that stand; of a source that is
/// gone (`stands` is false) it has the place alone.
///
/// # Errors
/// Too little is left to say what the pair was (`pair-in-part`).
pub fn damaged(live: &Live, stands: bool, tagged: Option<&Tagged>) -> Result<Draft, Failure> {
    let name = match tagged {
        Some(tagged) => tagged.name.clone(),
        None => super::name(live, &super::Wish::default())?,
    };
    let own = OwnSettings { name: &name, live };
    let pair = Damaged { own: &own, stands, tagged };
    let keys = pair.keys()?;
    let mut entries = pair.entries(&keys)?;
    distinct_priorities(&mut entries, |entry| &mut entry.priority);
    let two_way = pair.is_two_way(&entries);
    let mut notes = Vec::new();
    let place = Place {
        region: live.source.region.clone(),
        bucket: live.source.name.to_string(),
        adopt: if stands { pair.adopts(&live.source, true) } else { tagged.is_none() },
    };
    Ok(Draft {
        strict: false,
        source: place,
        two_way,
        replica_modifications: entries.first().is_some_and(|entry| entry.replica_modifications)
            || (two_way && pair.rules().is_empty()),
        alerts: alerts::alerts(&own, &entries, two_way, &mut notes),
        alarm: alerts::alarm(&own, &entries, two_way, &mut notes),
        keys,
        roles: pair.roles(),
        settings: pair.settings(),
        notes,
        entries,
        name: name.clone(),
    })
}

/// A pair of which parts may be missing.
struct Damaged<'a> {
    own: &'a OwnSettings<'a>,
    stands: bool,
    tagged: Option<&'a Tagged>,
}

impl<'a> Damaged<'a> {
    /// Returns the rules that are the pair's: those with its ids, or all if there are none.
    fn rules(&self) -> Vec<&'a Rule> {
        let marked: Vec<&Rule> =
            self.own.rules().iter().filter(|rule| self.own.is_marked(rule)).collect();
        if marked.is_empty() || self.tagged.is_none() {
            self.own.rules().iter().collect()
        } else {
            marked
        }
    }

    /// Returns whether the pair adopted a bucket that stands. `is_named` says whether the tags of
    /// others or the id of a rule name it as the pair's: it may have lost its own tags.
    fn adopts(&self, it: &LiveBucket, is_named: bool) -> bool {
        let tags = &it.bucket.tags;
        match self.tagged {
            Some(_) if is_named => tags.contains_key(Topology::ADOPTED_TAG),
            _ => !self.own.is_ours(tags) || tags.contains_key(Topology::ADOPTED_TAG),
        }
    }

    fn entries(&self, keys: &Keys) -> Result<Vec<Entry>, Failure> {
        let takes_key = matches!(keys.kind, Kind::Existing(_));
        let mut ids = RuleIds::new(self.own.name);
        let mut entries = Vec::new();
        for rule in self.rules() {
            let bucket = rule.bucket()?;
            let is_named = self.own.is_marked(rule);
            let found =
                self.own.live.destinations.iter().find(|it| leads_to(&rule.destination, it));
            let (region, adopt) = match found {
                Some(it) => (it.region.clone(), self.adopts(it, is_named)),
                None => (self.region_of(&bucket, rule)?, !(is_named && self.tagged.is_some())),
            };
            let usual = ids.usual(&rule.id, &bucket, &region);
            let place = Place { region, bucket: bucket.to_string(), adopt };
            let key = rule.replica_key.clone().filter(|_| takes_key);
            entries.push(Entry { key, ..Entry::of(rule, place, &usual) });
        }
        self.add_unruled(&mut entries);
        if entries.is_empty() {
            return Err(self.too_little("no rule and no tag names a destination"));
        }
        match entries.iter().find(|entry| takes_key && entry.key.is_none()) {
            Some(entry) => {
                let what = format!("nothing names the key of `{}`", entry.place.bucket);
                Err(self.too_little(&what))
            }
            None => Ok(entries),
        }
    }

    /// Adds the destinations that tags name and no rule.
    fn add_unruled(&self, entries: &mut Vec<Entry>) {
        let source = &self.own.live.source;
        for (region, bucket) in self.tagged.iter().flat_map(|it| &it.destinations) {
            let has = |entry: &Entry| match bucket {
                Some(bucket) => entry.place.bucket == bucket.as_str(),
                None => entry.place.region == *region,
            };
            if entries.iter().any(has) {
                continue;
            }
            let usual = format!("{}-{}-{region}", self.own.name, self.own.live.account);
            let back = if *region == source.region { "-r" } else { "" };
            let bucket = bucket.as_ref().map_or(format!("{usual}{back}"), ToString::to_string);
            let stands = self.own.live.destinations.iter().find(|it| it.name.as_str() == bucket);
            let adopt = stands.is_some_and(|it| self.adopts(it, true));
            entries.push(Entry::plain(Place { region: region.clone(), bucket, adopt }));
        }
    }

    /// Returns the Region of a destination that is gone: that of the key for its replicas, or the one
    /// that its name ends in.
    fn region_of(&self, bucket: &BucketName, rule: &Rule) -> Result<Region, Failure> {
        let key = rule.replica_key.as_ref().and_then(|key| Arn::new(key.as_str()).ok());
        if let Some(region) = key.and_then(|arn| Region::new(arn.region()).ok()) {
            return Ok(region);
        }
        let of_tags = self.tagged.iter().flat_map(|it| &it.destinations).map(|(region, _)| region);
        if let Some(region) = of_tags.clone().find(|it| bucket.as_str().contains(it.as_str())) {
            return Ok(region.clone());
        }
        // A Region has three words or more.
        let words: Vec<&str> = bucket.as_str().split('-').collect();
        let starts = 0..words.len().saturating_sub(2);
        let mut ends = starts.filter_map(|at| Region::new(words[at..].join("-")).ok());
        ends.next_back().ok_or_else(|| {
            let what = format!(
                "the destination `{bucket}` of the rule `{}` does not exist, and nothing says in which Region it was",
                rule.id
            );
            self.too_little(&what)
        })
    }

    fn too_little(&self, what: &str) -> Failure {
        let live = self.own.live;
        let of_source = if self.stands {
            String::new()
        } else {
            format!("; its source `{}` does not exist", live.source.name)
        };
        let message =
            format!("parts of the pair `{}` are missing: {what}{of_source}", self.own.name);
        Failure::new(FailureKind::Manifest, "pair-in-part", message)
            .in_region(&live.source.region)
            .hint("the manifest says what the pair was: give it with `--file`")
    }

    fn keys(&self) -> Result<Keys, Failure> {
        let encryption = kms(self.own.live.source.bucket.encryption());
        let dsse = encryption.is_some_and(|it| it.algorithm == "aws:kms:dsse");
        let bucket_key = encryption.is_none_or(|it| it.bucket_key);
        if let Some(key) = self.tagged.and_then(|it| it.keys.first()) {
            let usual = format!("alias/crrctl/{}", self.own.name);
            let is_primary = key.multi_region.as_ref().is_none_or(|place| place.primary);
            let kind = Kind::OwnSettings {
                multi_region: key.id.is_multi_region(),
                alias: self.tagged.and_then(|it| it.alias.clone()).filter(|it| *it != usual),
                rotation_days: if is_primary && key.state != KeyState::PendingDeletion {
                    key.rotation_days
                } else {
                    Some(USUAL_ROTATION)
                },
                administrators: keys::principals(&key.policy, "Administrators"),
                usable_by_accounts: keys::accounts(&key.policy),
            };
            return Ok(Keys { kind, dsse, bucket_key });
        }
        let kind = match encryption {
            Some(encryption) => Kind::Existing(Some(match encryption.key() {
                Some(key) => key.to_owned(),
                None => keys::MANAGED.to_owned(),
            })),
            None if self.rules().iter().any(|rule| rule.kms_objects) => Kind::Existing(None),
            None if !self.stands && self.has_kms_destination() => {
                return Err(self.too_little("no tag and no bucket names the key of the source"));
            }
            None => Kind::None,
        };
        Ok(Keys { kind, dsse, bucket_key })
    }

    fn has_kms_destination(&self) -> bool {
        self.own.live.destinations.iter().any(|it| kms(it.bucket.encryption()).is_some())
    }

    /// Returns the role of which tags or the name say that the pair made it, or else the one that the
    /// rules name.
    fn roles(&self) -> Roles {
        let source = &self.own.live.source;
        let tagged = || self.tagged.iter().flat_map(|it| &it.roles);
        let end = format!("-{}", source.region);
        let own = tagged().find(|role| role.as_str().ends_with(&end)).or_else(|| tagged().next());
        if let Some(role) = own {
            return own_role(self.own, role, None);
        }
        let given = source.bucket.replication.as_ref().map(|it| it.role.clone());
        let arn = given.as_ref().and_then(|role| Arn::new(role.as_str()).ok());
        match (arn, given.filter(|it| !it.is_empty())) {
            (Some(arn), _) if self.tagged.is_some() && self.is_named_as_ours(&arn) => {
                own_role(self.own, &arn, None)
            }
            (_, Some(given)) => Roles::Given(given),
            (_, None) => Roles::OwnSettings { name: None, path: None, boundary: None },
        }
    }

    fn is_named_as_ours(&self, role: &Arn) -> bool {
        let (path, name) = path_and_name(role);
        path == RoleName::PATH || name == usual_role(self.own)
    }

    /// Returns whether each destination replicates back, or did: a role of the reverse direction is
    /// named after its Region.
    fn is_two_way(&self, entries: &[Entry]) -> bool {
        let source = &self.own.live.source;
        let has_role = |region: &Region| {
            let end = format!("-{region}");
            let mut roles = self.tagged.iter().flat_map(|it| &it.roles);
            *region != source.region && roles.any(|role| role.as_str().ends_with(&end))
        };
        let replicates_back = |bucket: &str| {
            let it = self.own.live.destinations.iter().find(|it| it.name.as_str() == bucket);
            let rules = it.and_then(|it| it.bucket.replication.as_ref()).map(|it| &it.rules);
            rules
                .into_iter()
                .flatten()
                .any(|rule| self.own.is_marked(rule) && leads_to(&rule.destination, source))
        };
        entries.iter().all(|it| has_role(&it.place.region) || replicates_back(&it.place.bucket))
    }

    fn settings(&self) -> Settings {
        let live = self.own.live;
        let source = Some(&live.source).filter(|_| self.stands);
        let all: Vec<&LiveBucket> = source.into_iter().chain(&live.destinations).collect();
        let any_has = |sid: &str| all.iter().any(|it| has(it, sid));
        let id = self.own.lifecycle_id();
        let mut lifecycle = all.first().into_iter().flat_map(|it| &it.bucket.lifecycle);
        let lifecycle = lifecycle.rfind(|rule| rule.id == id && !rule.has_more);
        // What no manifest can say is left as it is.
        let documents = all.first().and_then(|it| it.bucket.documents.imported().ok());
        let is_regional = |it: &&LiveBucket| {
            it.name.as_str().ends_with(&format!("-{}-{}-an", it.account, it.region))
        };
        Settings {
            account_regional: all.iter().any(is_regional),
            tls_only: all.is_empty() || any_has("CrrctlTlsOnly"),
            deny_other_keys: any_has("CrrctlOtherKey"),
            documents: documents.unwrap_or_default(),
            noncurrent_days: lifecycle.and_then(|rule| rule.noncurrent_days),
            incomplete_upload_days: lifecycle.and_then(|rule| rule.incomplete_upload_days),
        }
    }
}

/// The days of rotation that a manifest has by default, where no primary key tells them.
const USUAL_ROTATION: u32 = 365;
