//! Finds a pair by its name alone: by the tags of its resources, and by what is live of it.
//! Not for: pairs that a manifest or flags describe (see `input`).

use super::super::Global;
use super::input::Inputs;
use super::{connect, unless_ending};
use crate::aws::{self, Aws};
use crate::failure::{Failure, Kind};
use crate::import::{self, Draft, Tagged, Wish};
use crate::joined;
use crate::manifest::{self, BucketPlace, Origin, Topology};
use crate::names::{Arn, BucketName, PairName, Region};
use crate::observe::{self, Scope};
use crate::ops::Input;
use crate::plan::fleet::{Pair, pairs};
use crate::plan::rules::ACCOUNT;
use crate::world::{Live, LiveBucket, Rule};
use std::collections::{BTreeMap, BTreeSet};

/// What is done while no run has begun.
const LOOKING: &str = "looking for the pair";

/// Reads the input, or, if the flags give a name alone, finds the pair of this name.
pub(in crate::cli) async fn read_or_find(
    global: &Global,
    in_sandbox: bool,
) -> Result<Inputs, Failure> {
    let alone = global.file.is_none() && global.source.is_none() && global.destination.is_empty();
    match &global.name {
        Some(name) if alone => {
            let name = PairName::new(name.as_str())?;
            let found = find(global, in_sandbox || global.sandbox, &name);
            let found = unless_ending(global, LOOKING, found).await?;
            Ok(Inputs::One(Box::new(found)))
        }
        _ => Inputs::read(global, in_sandbox),
    }
}

async fn find(global: &Global, in_sandbox: bool, name: &PairName) -> Result<Input, Failure> {
    if in_sandbox {
        let message = format!("there is no pair `{name}`: a fresh sandbox is empty");
        return Err(Failure::new(Kind::Manifest, "pair-not-found", message)
            .hint("`crrctl sandbox -- sh` gives a sandbox that lasts as long as the shell"));
    }
    let pair = the_one(tagged_pairs(global).await?, name)?;
    let aws = connect(global, &pair.source.region, None, None).await?;
    described(global, &aws, &pair.source.clone(), Some(pair)).await
}

/// Returns the pairs of the account, by their tags.
async fn tagged_pairs(global: &Global) -> Result<Vec<Pair>, Failure> {
    let home = match aws::region(global.profile.as_deref()).await {
        Some(home) => home,
        None => Region::new("us-east-1")?,
    };
    let aws = connect(global, &home, None, None).await?;
    let scope = Scope { also: [home].into(), ..Scope::default() };
    Ok(pairs(observe::fleet(&aws, &scope, &|_, _| {}).await?.things).0)
}

/// Finds the pair that `bucket` is the source of, by what is live of it, or by the tags of what is
/// left.
pub(in crate::cli) async fn find_by_bucket(
    global: &Global,
    bucket: &BucketName,
) -> Result<Input, Failure> {
    let found = async {
        let aws = connect(global, &Region::us_east_1(), None, None).await?;
        let is_its = |pair: &Pair| pair.source.bucket == *bucket;
        let (region, pair) = match observe::place_if_there(&aws, bucket).await? {
            Some(region) => (region, None),
            None => match tagged_pairs(global).await?.into_iter().find(is_its) {
                Some(pair) => (pair.source.region.clone(), Some(pair)),
                None => (observe::place(&aws, bucket).await?, None),
            },
        };
        let aws = connect(global, &region, None, None).await?;
        described(global, &aws, &BucketPlace { region, bucket: bucket.clone() }, pair).await
    };
    unless_ending(global, LOOKING, found).await
}

/// Returns the pair of this name, if there is one alone.
fn the_one(all: Vec<Pair>, name: &PairName) -> Result<Pair, Failure> {
    let mut named: Vec<Pair> = all.into_iter().filter(|pair| pair.name == *name).collect();
    match (named.pop(), named.as_slice()) {
        (Some(pair), []) => Ok(pair),
        (None, _) => {
            let message = format!("no resource of the account has the tags of a pair `{name}`");
            Err(Failure::new(Kind::Manifest, "pair-not-found", message)
                .hint("`crrctl list` lists the pairs; the account or the profile may be another"))
        }
        (Some(last), others) => {
            let sources = others.iter().chain([&last]).map(|pair| &pair.source);
            let sources: Vec<String> =
                sources.map(|it| format!("`{}` in {}", it.bucket, it.region)).collect();
            let message =
                format!("there are {} pairs `{name}`: {}", sources.len(), sources.join(", "));
            Err(Failure::new(Kind::Manifest, "pair-ambiguous", message)
                .hint("say which: `--source REGION:BUCKET --destination REGION`, or a manifest"))
        }
    }
}

/// What to do where a pair can't be described.
const HINT: &str = "give its manifest with `--file`, or `--source` and `--destination`";

/// Returns the manifest of a pair: of what is live, or, where parts are missing, of what its tags,
/// its rules and its names tell.
async fn described(
    global: &Global,
    aws: &Aws,
    place: &BucketPlace,
    pair: Option<Pair>,
) -> Result<Input, Failure> {
    let source = Box::pin(observe::source_if_there(aws, place)).await?;
    let replicates = source.as_ref().is_some_and(|it| it.bucket.replication.is_some());
    if let Some(source) = source.as_ref().filter(|_| replicates) {
        let tagged = pair.as_ref().map(Pair::tagged);
        if let Some(input) = Box::pin(of_live(aws, source.clone(), tagged.as_ref())).await? {
            return Ok(input);
        }
    }
    let pair = match pair {
        Some(pair) => Some(pair),
        None => tagged_pairs(global).await?.into_iter().find(|pair| pair.source == *place),
    };
    if pair.is_none() && !replicates {
        // No tag tells of a pair: this is the error that says so.
        Box::pin(observe::live_source(aws, place)).await.map_err(|it| it.hint(HINT))?;
    }
    of_remains(aws, place, source, pair.as_ref()).await
}

/// Returns the manifest of a pair that is live as a whole; `None` if parts of it are missing.
async fn of_live(
    aws: &Aws,
    source: LiveBucket,
    tagged: Option<&Tagged>,
) -> Result<Option<Input>, Failure> {
    let mut sides = Vec::new();
    for (rule, side) in destinations(aws, &source).await? {
        let Some(side) = side else { return Ok(None) };
        if sides.contains(&side) {
            continue;
        }
        if !observe::foreign(aws, std::slice::from_ref(&side)).await?.is_empty() {
            return if is_away(rule, &side, &source) {
                Err(in_part(&side, &source))
            } else {
                Ok(None)
            };
        }
        sides.push(side);
    }
    let live = Box::pin(observe::live_all(aws, source, &sides, &BTreeMap::new())).await?;
    if !import::is_whole(&live, tagged) {
        return Ok(None);
    }
    let wish = Wish { name: tagged.map(|it| it.name.clone()), ..Wish::default() };
    match import::draft(&live, &wish) {
        Ok(draft) => input(&draft).map(Some),
        // Its tags tell more than its settings.
        Err(_) if tagged.is_some() || live.source.bucket.tags.contains_key(Topology::ID_TAG) => {
            Ok(None)
        }
        Err(failure) => Err(failure.hint(HINT)),
    }
}

/// Returns the rules of `source`, each with its destination if that stands.
async fn destinations<'a>(
    aws: &Aws,
    source: &'a LiveBucket,
) -> Result<Vec<(&'a Rule, Option<BucketPlace>)>, Failure> {
    let rules = source.bucket.replication.iter().flat_map(|it| &it.rules);
    let placed = rules.map(|rule| async move {
        let bucket = rule.bucket()?;
        let region = observe::place_if_there(aws, &bucket).await?;
        Ok::<_, Failure>((rule, region.map(|region| BucketPlace { region, bucket })))
    });
    joined::all(placed).await
}

/// Returns whether a rule leads to another account on purpose: it names the account, or the key for
/// its replicas is there, or there is no key and the bucket is not named after the account of the
/// source.
fn is_away(rule: &Rule, side: &BucketPlace, source: &LiveBucket) -> bool {
    let key = rule.replica_key.as_ref().and_then(|key| Arn::new(key.as_str()).ok());
    let is_elsewhere = match key {
        Some(key) => key.account() != source.account.as_str(),
        None => !side.bucket.as_str().contains(source.account.as_str()),
    };
    is_elsewhere || rule.new_owner.is_some() || rule.others.iter().any(|it| it == ACCOUNT)
}

fn in_part(side: &BucketPlace, source: &LiveBucket) -> Failure {
    let message = format!(
        "`{}`, a destination of `{}`, is in another account, whose credentials no tag names",
        side.bucket, source.name
    );
    Failure::new(Kind::Manifest, "pair-in-part", message).hint(HINT)
}

/// Returns the manifest of what is left of a pair.
async fn of_remains(
    aws: &Aws,
    place: &BucketPlace,
    source: Option<LiveBucket>,
    pair: Option<&Pair>,
) -> Result<Input, Failure> {
    let account = observe::account(aws).await?;
    let mut tagged = pair.map(Pair::tagged);
    if let Some(key) = tagged.as_mut().and_then(|it| it.keys.first_mut()) {
        *key = observe::whole_key(aws, key.clone()).await?;
    }
    let mut sides: BTreeSet<BucketPlace> = BTreeSet::new();
    if let Some(source) = &source {
        sides.extend(destinations(aws, source).await?.into_iter().filter_map(|(_, side)| side));
    }
    let of_tags = tagged.iter().flat_map(|it| it.destinations.clone());
    let of_tags =
        of_tags.filter_map(|(region, bucket)| Some(BucketPlace { region, bucket: bucket? }));
    sides.extend(of_tags);
    let mut destinations = Vec::new();
    for side in sides {
        destinations.extend(Box::pin(observe::bucket_if_ours(aws, &side, &account)).await?);
    }
    let stands = source.is_some();
    let live = Live {
        source: source.unwrap_or_else(|| observe::without_source(place, &account)),
        account,
        destinations,
        keys: BTreeMap::new(),
        aliases: BTreeMap::new(),
        roles: BTreeMap::new(),
    };
    input(&import::damaged(&live, stands, tagged.as_ref())?)
}

fn input(draft: &Draft) -> Result<Input, Failure> {
    Input::of(manifest::parse(&draft.text(), &Origin::Flags, None)?)
}
