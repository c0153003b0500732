//! Finds every resource in an account with crrctl's tags, Region by Region, without a manifest. A
//! resource that can't be read is reported, never dropped.
//! Not for: the resources of one known pair (see `observe`).

use super::account;
use crate::aws::{At, Aws, Error};
use crate::events::Kind;
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::names::{Arn, BucketName, Region, RoleName};
use crate::steps::find;
use crate::world::{Alarm, Found, Tags, Thing, Unread};
use futures::future::{join, join_all};
use futures::stream::{self, StreamExt};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many names of unread resources are kept.
const NAMED: usize = 5;
/// How many resources are read between two reports of the progress.
const REPORTED: usize = 250;

/// Takes how many resources have been read, and how many are known to be there to read.
pub type SearchReport<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// How far a search is. A Region that is found late adds resources to read.
struct Progress<'a> {
    read: AtomicUsize,
    known: AtomicUsize,
    report: SearchReport<'a>,
}

impl Progress<'_> {
    fn to_read(&self, count: usize) {
        self.known.fetch_add(count, Ordering::Relaxed);
    }

    fn read_one(&self) {
        let read = self.read.fetch_add(1, Ordering::Relaxed) + 1;
        if read.is_multiple_of(REPORTED) {
            (self.report)(read, self.known.load(Ordering::Relaxed));
        }
    }
}

/// The Regions to search.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Only these Regions. If empty, every Region that a bucket or a role of the account names.
    pub only: BTreeSet<Region>,
    /// These Regions too, if `only` is empty.
    pub also: BTreeSet<Region>,
}

/// Searches the whole account. A pair that is found is followed to its other Regions, whatever the
/// scope. `report` is called as the search goes on.
///
/// Fails if the caller can't be identified. Calls that AWS refuses are in [`Found::unread`].
pub async fn fleet(aws: &Aws, scope: &Scope, report: SearchReport<'_>) -> Result<Found, Failure> {
    let progress = Progress { read: 0.into(), known: 0.into(), report };
    let account = account(aws).await?;
    aws.expect_owner(aws.home(), &account);
    let mut found =
        Found { account, things: Vec::new(), unread: Vec::new(), regions: BTreeSet::new() };
    let (buckets, roles) = join(buckets(aws), roles(aws, &progress)).await;
    let buckets = kept(&mut found, buckets)?;
    let (roles, unread) = kept(&mut found, roles)?;
    found.unread.extend(unread);
    let mut ahead: BTreeSet<Region> = if scope.only.is_empty() {
        let regions =
            buckets.iter().map(|(region, _)| region.clone()).chain(source_regions(&roles));
        regions.chain(scope.also.clone()).collect()
    } else {
        scope.only.clone()
    };
    while !ahead.is_empty() {
        let looks = ahead.iter().map(|region| {
            let here = buckets.iter().filter(move |(place, _)| place == region);
            in_region(aws, region, here.map(|(_, bucket)| bucket.clone()).collect(), &progress)
        });
        let seen = join_all(looks).await;
        found.regions.append(&mut ahead);
        for seen in seen {
            let (things, unread) = seen?;
            ahead.extend(things.iter().flat_map(related_key_regions));
            found.things.extend(things);
            found.unread.extend(unread);
        }
        ahead.retain(|region| !found.regions.contains(region));
    }
    let is_meant = |role: &Thing| {
        scope.only.is_empty()
            || source_regions(std::slice::from_ref(role)).any(|it| found.regions.contains(&it))
    };
    found.things.extend(roles.into_iter().filter(is_meant));
    Ok(found)
}

type Things = (Vec<Thing>, Vec<Unread>);

/// Returns the source Regions in the id tags of `things`.
fn source_regions(things: &[Thing]) -> impl Iterator<Item = Region> {
    things
        .iter()
        .filter_map(|thing| Region::new(thing.tags.get(Topology::ID_TAG)?.split('/').nth(1)?).ok())
}

/// Returns the Regions that may have more resources of the pair of `thing`.
fn related_key_regions(thing: &Thing) -> Vec<Region> {
    let place = thing.key.as_ref().and_then(|key| key.multi_region.as_ref());
    let keys = place.into_iter().flat_map(|place| {
        place.replica_regions.iter().cloned().chain([place.primary_region.clone()])
    });
    keys.chain(source_regions(std::slice::from_ref(thing))).collect()
}

fn is_ours(tags: &Tags) -> bool {
    tags.contains_key(Topology::PAIR_TAG) || tags.contains_key(Topology::ID_TAG)
}

/// Returns a list, or records that it could not be read. Expired credentials end the search.
fn kept<T: Default>(found: &mut Found, list: Result<T, Error>) -> Result<T, Failure> {
    list.or_else(|error| {
        found.unread.push(unread(None, error, 0, Vec::new())?);
        Ok(T::default())
    })
}

fn unread(
    region: Option<&Region>,
    error: Error,
    count: usize,
    names: Vec<String>,
) -> Result<Unread, Failure> {
    // A Region that is not enabled rejects credentials that are valid elsewhere. Expired
    // credentials are valid nowhere.
    if error.code.starts_with("ExpiredToken") || error.is("NoCredentials") {
        return Err(error.into());
    }
    let (operation, code, message) = (error.operation, error.code.clone(), error.message.clone());
    let cause = error.into();
    Ok(Unread { region: region.cloned(), operation, code, message, count, names, cause })
}

/// Groups single failed reads by operation and code.
fn summed(region: Option<&Region>, failed: Vec<(String, Error)>) -> Result<Vec<Unread>, Failure> {
    let mut all: Vec<Unread> = Vec::new();
    for (name, error) in failed {
        let same = |it: &&mut Unread| it.operation == error.operation && it.code == error.code;
        if let Some(seen) = all.iter_mut().find(same) {
            seen.count += 1;
            if seen.names.len() < NAMED {
                seen.names.push(name);
            }
        } else {
            all.push(unread(region, error, 1, vec![name])?);
        }
    }
    Ok(all)
}

/// Lists the account's buckets with their Regions (S3 API Reference, `ListBuckets`: the Region is
/// returned if the request has a parameter).
async fn buckets(aws: &Aws) -> Result<Vec<(Region, BucketName)>, Error> {
    let (mut buckets, mut token) = (Vec::new(), None);
    loop {
        let request = aws.s3(aws.home()).list_buckets().max_buckets(1000);
        let request = request.set_continuation_token(token);
        let output = request.send().await.at("s3:ListBuckets", aws.home())?;
        for bucket in output.buckets() {
            let region = bucket.bucket_region().and_then(|region| Region::new(region).ok());
            let name = bucket.name().and_then(|name| BucketName::new(name).ok());
            let unreadable = || Error::unreadable("s3:ListBuckets", aws.home(), "bucket's Region");
            // crrctl never creates an old bucket name with capitals or underscores.
            let Some(name) = name else { continue };
            buckets.push((region.ok_or_else(unreadable)?, name));
        }
        token = output.continuation_token().map(str::to_owned);
        if token.is_none() {
            return Ok(buckets);
        }
    }
}

/// Lists the roles under crrctl's path, with their tags, which `ListRoles` does not return.
async fn roles(aws: &Aws, progress: &Progress<'_>) -> Result<Things, Error> {
    let home = aws.home();
    let (mut names, mut marker) = (Vec::new(), None);
    loop {
        let request =
            aws.iam(aws.home()).list_roles().path_prefix(RoleName::PATH).set_marker(marker);
        let output = request.send().await.at("iam:ListRoles", home)?;
        let role =
            |role: &aws_sdk_iam::types::Role| (role.role_name().to_owned(), role.arn().to_owned());
        names.extend(output.roles().iter().map(role));
        marker = output.marker().map(str::to_owned);
        if !output.is_truncated() || marker.is_none() {
            break;
        }
    }
    progress.to_read(names.len());
    let read = stream::iter(names).map(async |(name, arn)| {
        let tags = find::role_tags(aws, &name).await;
        progress.read_one();
        (name, arn, tags)
    });
    let mut things: Things = Default::default();
    let mut failed = Vec::new();
    for (name, arn, tags) in read.buffered(8).collect::<Vec<_>>().await {
        match tags {
            Ok(tags) if is_ours(&tags) => {
                let arn = Arn::new(arn)
                    .map_err(|_| Error::unreadable("iam:ListRoles", home, "role ARN"))?;
                things.0.push(Thing {
                    kind: Kind::Role,
                    arn,
                    region: None,
                    tags,
                    key: None,
                    aliases: Vec::new(),
                });
            }
            Ok(_) => {}
            Err(error) if error.is_absent() => {}
            Err(error) => failed.push((name, error)),
        }
    }
    things.1 = summed(None, failed).unwrap_or_default();
    Ok(things)
}

async fn in_region(
    aws: &Aws,
    region: &Region,
    buckets: Vec<BucketName>,
    progress: &Progress<'_>,
) -> Result<Things, Failure> {
    let buckets = tagged_buckets(aws, region, buckets, progress);
    let (buckets, keys) = join(buckets, keys(aws, region, progress)).await;
    let ((mut things, mut unread), (keys, unread_keys)) = (buckets?, keys?);
    let (alarms, unread_alarms) = alarms(aws, region, &things).await?;
    things.extend(keys);
    things.extend(alarms);
    unread.extend(unread_keys);
    unread.extend(unread_alarms);
    Ok((things, unread))
}

/// Reads the alarms of a Region, if the tags of a bucket there record alarms.
async fn alarms(aws: &Aws, region: &Region, buckets: &[Thing]) -> Result<Things, Failure> {
    if !buckets.iter().any(|bucket| bucket.tags.contains_key(Topology::ALARM_TAG)) {
        return Ok(Things::default());
    }
    let alarms = match find::every_alarm(aws, region).await {
        Ok(alarms) => alarms,
        Err(error) => return Ok((Vec::new(), vec![unread(Some(region), error, 0, Vec::new())?])),
    };
    let thing = |alarm: Alarm| Thing {
        kind: Kind::Alarm,
        arn: alarm.arn,
        region: Some(region.clone()),
        tags: alarm.tags,
        key: None,
        aliases: Vec::new(),
    };
    let ours = alarms.into_iter().filter(|alarm| is_ours(&alarm.tags));
    Ok((ours.map(thing).collect(), Vec::new()))
}

async fn tagged_buckets(
    aws: &Aws,
    region: &Region,
    buckets: Vec<BucketName>,
    progress: &Progress<'_>,
) -> Result<Things, Failure> {
    progress.to_read(buckets.len());
    let read = stream::iter(buckets).map(async |bucket| {
        let tags = find::bucket_tags(aws, &bucket, region).await;
        progress.read_one();
        (bucket, tags)
    });
    let (mut things, mut failed) = (Vec::new(), Vec::new());
    for (bucket, tags) in read.buffered(16).collect::<Vec<_>>().await {
        match tags {
            Ok(tags) if is_ours(&tags) => things.push(Thing {
                kind: Kind::Bucket,
                arn: bucket.arn(region.partition()),
                region: Some(region.clone()),
                tags,
                key: None,
                aliases: Vec::new(),
            }),
            Ok(_) => {}
            Err(error) => failed.push((bucket.to_string(), error)),
        }
    }
    Ok((things, summed(Some(region), failed)?))
}

/// Reads the tags of every key in a Region, and the state and aliases of the keys with crrctl's
/// tags.
async fn keys(aws: &Aws, region: &Region, progress: &Progress<'_>) -> Result<Things, Failure> {
    let ids = match find::key_ids(aws, region).await {
        Ok(ids) => ids,
        Err(error) => return Ok((Vec::new(), vec![unread(Some(region), error, 0, Vec::new())?])),
    };
    progress.to_read(ids.len());
    let read = stream::iter(ids).map(async |id| {
        let thing = tagged_key(aws, region, &id).await;
        progress.read_one();
        (id, thing)
    });
    let (mut things, mut failed) = (Vec::new(), Vec::new());
    for (id, thing) in read.buffered(8).collect::<Vec<_>>().await {
        match thing {
            Ok(thing) => things.extend(thing),
            Err(error) if error.is_absent() => {}
            Err(error) => failed.push((id, error)),
        }
    }
    Ok((things, summed(Some(region), failed)?))
}

async fn tagged_key(aws: &Aws, region: &Region, id: &str) -> Result<Option<Thing>, Error> {
    let tags = find::key_tags(aws, region, id).await?;
    if !is_ours(&tags) {
        return Ok(None);
    }
    let Some(key) = find::key(aws, region, id).await? else { return Ok(None) };
    let aliases = find::aliases(aws, region, id).await?;
    let is_replica = key.multi_region.as_ref().is_some_and(|place| !place.primary);
    Ok(Some(Thing {
        kind: if is_replica { Kind::ReplicaKey } else { Kind::Key },
        arn: key.arn.clone(),
        region: Some(region.clone()),
        tags,
        key: Some(key),
        aliases,
    }))
}
