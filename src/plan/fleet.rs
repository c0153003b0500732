//! The pairs of an account, put together from what bears their tags: what each is, how long it stands, and how to take away
//! what remains of it without its manifest.
//! Not for: reading tags (see `observe::fleet`).

use super::expiry::Expiry;
use crate::events::Kind;
use crate::failure::Failure;
use crate::manifest::{self, KeyKind, Manifest, Origin, Side, SideFlag, Topology};
use crate::names::{AccountId, BucketName, PairName, Region, RoleName};
use crate::world::{Tags, Thing};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// A pair, as far as its tags tell.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The pair's name.
    pub name: PairName,
    /// The account that its id names.
    pub account: AccountId,
    /// The source that its id names, whether the bucket is there or not.
    pub source: Side,
    /// What bears both its tags.
    pub things: Vec<Thing>,
}

/// What a pair is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It stays.
    Live,
    /// It stands until its date.
    Ephemeral,
    /// Its date is over: `gc` may take it away.
    Expired,
    /// Nothing is left but keys that are pending deletion.
    Going,
}

impl State {
    /// Returns the state's name in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ephemeral => "ephemeral",
            Self::Expired => "expired",
            Self::Going => "going",
        }
    }
}

/// Sorts `things` into pairs, and returns those whose tags name none.
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

/// Reads the two tags that make a thing a pair's.
fn named(tags: &Tags) -> Option<(PairName, AccountId, Side)> {
    let name = PairName::new(tags.get(Topology::PAIR_TAG)?.as_str()).ok()?;
    let mut id = tags.get(Topology::ID_TAG)?.splitn(3, '/');
    let account = AccountId::new(id.next()?).ok()?;
    let region = Region::new(id.next()?).ok()?;
    let bucket = BucketName::new(id.next()?).ok()?;
    Some((name, account, Side { region, bucket }))
}

impl Pair {
    /// Returns whether its source bucket is there.
    pub fn has_source(&self) -> bool {
        self.buckets().any(|side| side == self.source)
    }

    /// Returns the pair's id, as its tag spells it.
    pub fn id(&self) -> String {
        format!("{}/{}/{}", self.account, self.source.region, self.source.bucket)
    }

    /// Returns the Regions that the pair is in, some of them more than once.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        let things = self.things.iter().filter_map(|thing| thing.region.as_ref());
        things.chain([&self.source.region])
    }

    fn standing(&self) -> impl Iterator<Item = &Thing> {
        self.things.iter().filter(|thing| !thing.is_going())
    }

    /// Returns until when the pair stands, by all that stands of it.
    pub fn expiry(&self) -> Expiry {
        Expiry::of(self.standing().map(|thing| &thing.tags))
    }

    /// Returns what the pair is up to at `now`.
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

    /// Returns where replicas go, as far as buckets and replica keys tell; a Region may have lost its bucket.
    pub fn destinations(&self) -> Vec<(Region, Option<BucketName>)> {
        let buckets = self.buckets().filter(|side| side != &self.source);
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

    /// Returns the names of the pair's roles, those of batch jobs last.
    fn roles(&self) -> Vec<RoleName> {
        let roles = self.things.iter().filter(|thing| thing.kind == Kind::Role);
        let name = |thing: &Thing| thing.arn.resource().rsplit('/').next().map(RoleName::new);
        let mut names: Vec<RoleName> = roles.filter_map(name).filter_map(Result::ok).collect();
        names.sort_by_key(|name| (name.as_str().ends_with("-batch"), name.clone()));
        names
    }

    fn buckets(&self) -> impl Iterator<Item = Side> {
        let buckets = self.things.iter().filter(|thing| thing.kind == Kind::Bucket);
        buckets.filter_map(|thing| {
            let bucket = BucketName::new(thing.arn.resource()).ok()?;
            Some(Side { region: thing.region.clone()?, bucket })
        })
    }

    /// Describes what remains of the pair for a removal: the names are those that were found, and what the tags do not tell
    /// has its default, which a removal makes no use of.
    pub fn remains(&self) -> Result<(Manifest, Topology), Failure> {
        let flag =
            |side: &Side| SideFlag::from(format!("{}:{}", side.region, side.bucket).as_str());
        let beside = Side {
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
        let mut topology = manifest.topology(&self.account)?;
        topology.destinations = self.buckets().filter(|side| side != &self.source).collect();
        let keys = || self.things.iter().filter(|thing| thing.kind == Kind::Key);
        let is_single = |thing: &Thing| !thing.arn.resource().starts_with("key/mrk-");
        if keys().next().is_some() && keys().all(is_single) {
            topology.key.kind = KeyKind::PerRegion;
            // Such a key is looked for where a bucket of the pair is, or was.
            for region in keys().filter_map(|thing| thing.region.clone()) {
                if !topology.sides().any(|side| side.region == region) {
                    let bucket = format!("{}-{}-{region}", self.name, self.account);
                    topology.destinations.push(Side { region, bucket: BucketName::new(bucket)? });
                }
            }
        }
        let names = self.roles();
        let ends_in = |region: &Region| {
            let end = format!("-{region}");
            names.iter().find(|name| name.as_str().ends_with(&end)).cloned()
        };
        // A pair that is two-way has a role for each way, named by the Region that it replicates from.
        let forward = ends_in(&self.source.region).or_else(|| names.first().cloned());
        for side in
            topology.destinations.clone().iter().filter(|side| side.region != self.source.region)
        {
            if let Some(back) = ends_in(&side.region).filter(|name| Some(name) != forward.as_ref())
            {
                topology.give_back_role(side.clone(), back);
            }
        }
        if let Some(role) = forward {
            topology.role = role;
        }
        let aliases = || self.things.iter().flat_map(|thing| &thing.aliases);
        if !aliases().any(|alias| alias == &topology.key.alias)
            && let Some(alias) = aliases().next()
        {
            topology.key.alias = alias.clone();
        }
        Ok((manifest, topology))
    }
}

/// Returns another Region of the same partition: a manifest wants a destination, and a removal makes no use of it.
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
        assert_eq!(topology.id(), ID);
        assert_eq!(topology.role.as_str(), "mine");
        assert!(topology.destinations.is_empty());
        for (region, beside) in [("us-gov-west-1", "us-gov-west-2"), ("cn-north-2", "cn-north-1")] {
            assert_eq!(super::beside(&Region::new(region).unwrap()), beside);
        }
    }
}
