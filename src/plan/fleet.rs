//! Groups the tagged resources of an account into pairs: state, expiry, and how to remove a pair
//! without its manifest.
//! Not for: reading tags (see `observe::fleet`).

use super::expiry::Expiry;
use crate::events::Kind;
use crate::failure::Failure;
use crate::import::Tagged;
use crate::manifest::{
    self, BucketPlace, KeyKind, Manifest, Origin, Remains, SideFlag, Topology, report_bucket,
};
use crate::names::{AccountId, BucketName, PairName, Region, RoleName};
use crate::world::{Key, Tags, Thing};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// A pair, reconstructed from tags.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The pair's name.
    pub name: PairName,
    /// Account in the pair's id.
    pub account: AccountId,
    /// Source in the pair's id. The bucket may not exist.
    pub source: BucketPlace,
    /// The resources that have the pair's two tags.
    pub things: Vec<Thing>,
}

/// The state of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Permanent: at least one resource has no expiry date.
    Live,
    /// Has an expiry date in the future.
    Ephemeral,
    /// Past its expiry date: `gc` may remove it.
    Expired,
    /// Only keys that are pending deletion remain.
    Going,
}

impl State {
    /// Returns the state's name in the output contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ephemeral => "ephemeral",
            Self::Expired => "expired",
            Self::Going => "going",
        }
    }
}

/// Groups `things` into pairs. Also returns the resources whose tags name no pair.
pub fn pairs(things: Vec<Thing>) -> (Vec<Pair>, Vec<Thing>) {
    let mut pairs: BTreeMap<(String, String), Pair> = BTreeMap::new();
    let mut strays = Vec::new();
    for thing in things {
        let Some((name, account, source)) = named(&thing.tags) else {
            strays.push(thing);
            continue;
        };
        let id = (name.to_string(), format!("{account}/{}/{}", source.region, source.bucket));
        let empty = || Pair { name, account, source, things: Vec::new() };
        pairs.entry(id).or_insert_with(empty).things.push(thing);
    }
    (pairs.into_values().collect(), strays)
}

/// Parses the two tags that assign a resource to a pair.
fn named(tags: &Tags) -> Option<(PairName, AccountId, BucketPlace)> {
    let name = PairName::new(tags.get(Topology::PAIR_TAG)?.as_str()).ok()?;
    let mut id = tags.get(Topology::ID_TAG)?.splitn(3, '/');
    let account = AccountId::new(id.next()?).ok()?;
    let region = Region::new(id.next()?).ok()?;
    let bucket = BucketName::new(id.next()?).ok()?;
    Some((name, account, BucketPlace { region, bucket }))
}

impl Pair {
    /// Returns whether the source bucket exists.
    pub fn has_source(&self) -> bool {
        self.buckets().any(|side| side == self.source)
    }

    /// Returns the pair's id, in the format of its tag.
    pub fn id(&self) -> String {
        format!("{}/{}/{}", self.account, self.source.region, self.source.bucket)
    }

    /// Returns the Regions of the pair's resources. May contain duplicates.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        let things = self.things.iter().filter_map(|thing| thing.region.as_ref());
        things.chain([&self.source.region])
    }

    fn standing(&self) -> impl Iterator<Item = &Thing> {
        self.things.iter().filter(|thing| !thing.is_going())
    }

    /// Returns the pair's expiry, from the tags of all its resources that are not pending deletion.
    pub fn expiry(&self) -> Expiry {
        Expiry::of(self.standing().map(|thing| &thing.tags))
    }

    /// Returns the pair's state at `now`.
    pub fn state(&self, now: Timestamp) -> State {
        let expiry = self.expiry();
        if self.standing().next().is_none() {
            State::Going
        } else if expiry.is_over(now) {
            State::Expired
        } else if expiry == Expiry::Stays {
            State::Live
        } else {
            State::Ephemeral
        }
    }

    /// Returns the destinations, derived from buckets and replica keys. A Region with a replica key
    /// may have no bucket.
    pub fn destinations(&self) -> Vec<(Region, Option<BucketName>)> {
        // The bucket for the reports of batch jobs is the pair's, and nothing replicates to it.
        let reports = report_bucket(&self.name, &self.account, &self.source.region);
        let is_side = |side: &BucketPlace| side != &self.source && side.bucket.as_str() != reports;
        let buckets = self.buckets().filter(is_side);
        let mut places: Vec<(Region, Option<BucketName>)> =
            buckets.map(|side| (side.region, Some(side.bucket))).collect();
        let replicas = self.things.iter().filter(|thing| thing.kind == Kind::ReplicaKey);
        for region in replicas.filter_map(|thing| thing.region.clone()) {
            if !places.iter().any(|(place, _)| place == &region) {
                places.push((region, None));
            }
        }
        places.sort();
        places
    }

    /// Returns what the tags say of the pair, for a draft of its manifest.
    pub fn tagged(&self) -> Tagged {
        let of_keys = |kinds: [Kind; 2], is_going: bool| {
            let things = self.things.iter().filter(move |it| kinds.contains(&it.kind));
            things.filter(move |it| it.is_going() == is_going).filter_map(|it| it.key.clone())
        };
        let both = [Kind::Key, Kind::ReplicaKey];
        let mut keys: Vec<Key> = of_keys(both, false).collect();
        if keys.is_empty() {
            keys = of_keys(both, true).collect();
        }
        keys.sort_by_key(|key| key.region != self.source.region);
        let mut destinations = self.destinations();
        for key in keys.iter().filter(|key| !key.id.is_multi_region()) {
            if key.region != self.source.region
                && !destinations.iter().any(|(region, _)| *region == key.region)
            {
                destinations.push((key.region.clone(), None));
            }
        }
        let roles = self.things.iter().filter(|thing| thing.kind == Kind::Role);
        let roles = roles.map(|thing| thing.arn.clone());
        let aliases = self.things.iter().flat_map(|thing| &thing.aliases);
        Tagged {
            name: self.name.clone(),
            destinations,
            keys,
            alias: aliases.map(ToString::to_string).min(),
            roles: roles.filter(|arn| !arn.as_str().ends_with("-batch")).collect(),
        }
    }

    /// Returns the names of the pair's roles. Roles of batch jobs are last.
    fn roles(&self) -> Vec<RoleName> {
        let roles = self.things.iter().filter(|thing| thing.kind == Kind::Role);
        let name = |thing: &Thing| thing.arn.resource().rsplit('/').next().map(RoleName::new);
        let mut names: Vec<RoleName> = roles.filter_map(name).filter_map(Result::ok).collect();
        names.sort_by_key(|name| (name.as_str().ends_with("-batch"), name.clone()));
        names
    }

    fn buckets(&self) -> impl Iterator<Item = BucketPlace> {
        let buckets = self.things.iter().filter(|thing| thing.kind == Kind::Bucket);
        buckets.filter_map(|thing| {
            let bucket = BucketName::new(thing.arn.resource()).ok()?;
            Some(BucketPlace { region: thing.region.clone()?, bucket })
        })
    }

    /// Returns a manifest and topology for removing what remains of the pair. Names are those of
    /// the existing resources. Settings that tags don't record have defaults, which a removal does
    /// not use.
    pub fn remains(&self) -> Result<(Manifest, Topology), Failure> {
        let flag = |side: &BucketPlace| {
            SideFlag::from(format!("{}:{}", side.region, side.bucket).as_str())
        };
        let beside = BucketPlace {
            region: Region::new(beside(&self.source.region))?,
            bucket: BucketName::new("crrctl-none")?,
        };
        let manifest = manifest::from_flags(
            self.name.as_str(),
            &flag(&self.source),
            &[flag(&beside)],
            &Origin::Flags,
            None,
        )?;
        let mut destinations: Vec<BucketPlace> =
            self.buckets().filter(|place| place != &self.source).collect();
        let keys = || self.things.iter().filter(|thing| thing.kind == Kind::Key);
        let is_single = |thing: &Thing| !thing.arn.resource().starts_with("key/mrk-");
        let mut key_kind = KeyKind::MultiRegion;
        if keys().next().is_some() && keys().all(is_single) {
            key_kind = KeyKind::PerRegion;
            // A single-Region key is looked up in the Regions of the sides, so a Region without a
            // bucket gets a destination with the default bucket name.
            for region in keys().filter_map(|thing| thing.region.clone()) {
                let is_here = |place: &BucketPlace| place.region == region;
                if !is_here(&self.source) && !destinations.iter().any(is_here) {
                    let bucket = format!("{}-{}-{region}", self.name, self.account);
                    destinations.push(BucketPlace { region, bucket: BucketName::new(bucket)? });
                }
            }
        }
        let names = self.roles();
        let ends_in = |region: &Region| {
            let end = format!("-{region}");
            names.iter().find(|name| name.as_str().ends_with(&end)).cloned()
        };
        // A two-way pair has one role per direction. A role's name ends in the Region it replicates
        // from.
        let role = ends_in(&self.source.region).or_else(|| names.first().cloned());
        let back = |place: &BucketPlace| {
            let name = ends_in(&place.region).filter(|name| Some(name) != role.as_ref());
            name.filter(|_| place.region != self.source.region).map(|name| (place.clone(), name))
        };
        let reverse_roles = destinations.iter().filter_map(back).collect();
        let aliases = || self.things.iter().flat_map(|thing| &thing.aliases);
        let is_usual = aliases().any(|alias| alias == manifest.alias());
        let alias = aliases().next().filter(|_| !is_usual).cloned();
        let remains = Remains { destinations, key_kind, alias, role, reverse_roles };
        let topology = manifest.topology_of_remains(&self.account, remains)?;
        Ok((manifest, topology))
    }
}

/// Returns another Region of the same partition. The manifest requires a destination, but a removal
/// does not use it.
fn beside(region: &Region) -> String {
    let (words, number) = region.as_str().rsplit_once('-').unwrap_or((region.as_str(), ""));
    format!("{words}-{}", if number == "1" { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Arn;

    fn thing(kind: Kind, arn: &str, region: Option<&str>, id: &str) -> Thing {
        let tags = [(Topology::PAIR_TAG, "demo"), (Topology::ID_TAG, id)];
        Thing {
            kind,
            arn: Arn::new(arn).unwrap(),
            region: region.map(|region| Region::new(region).unwrap()),
            tags: tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            key: None,
            aliases: Vec::new(),
        }
    }

    const ID: &str = "111122223333/us-east-1/source";

    #[test]
    fn things_with_the_same_two_tags_are_one_pair() {
        let other = "111122223333/us-east-1/other";
        let (pairs, strays) = pairs(vec![
            thing(Kind::Bucket, "arn:aws:s3:::source", Some("us-east-1"), ID),
            thing(Kind::Bucket, "arn:aws:s3:::target", Some("us-west-2"), ID),
            thing(Kind::Role, "arn:aws:iam::111122223333:role/crrctl/mine", None, ID),
            thing(Kind::Bucket, "arn:aws:s3:::other", Some("us-east-1"), other),
            thing(Kind::Bucket, "arn:aws:s3:::stray", Some("us-east-1"), "no id"),
        ]);
        assert_eq!(pairs.iter().map(|pair| pair.things.len()).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(strays[0].arn.as_str(), "arn:aws:s3:::stray");
        let west = (Region::new("us-west-2").unwrap(), Some(BucketName::new("target").unwrap()));
        assert_eq!(pairs[1].destinations(), [west]);
    }

    #[test]
    fn what_remains_bears_the_names_that_were_found() {
        let role = "arn:aws:iam::111122223333:role/crrctl/mine";
        let (pairs, _) = pairs(vec![thing(Kind::Role, role, None, ID)]);
        let (_, topology) = pairs[0].remains().unwrap();
        assert_eq!(topology.wanted.id(), ID);
        assert_eq!(topology.role.as_str(), "mine");
        assert!(topology.destinations.is_empty());
        for (region, beside) in [("us-gov-west-1", "us-gov-west-2"), ("cn-north-2", "cn-north-1")] {
            assert_eq!(super::beside(&Region::new(region).unwrap()), beside);
        }
    }
}
