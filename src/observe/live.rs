//! Reads a bucket that replicates and everything that its rules lead to, for a draft of a manifest.
//! Only the bucket's name is known in advance.
//! Not for: the buckets of a known pair (see `observe`).

use super::Aws;
use crate::failure::{Failure, Kind};
use crate::joined;
use crate::manifest::{BucketPlace, Topology};
use crate::names::{AccountId, Arn, BucketName, Region};
use crate::settings::Optional;
use crate::steps::find;
use crate::world::{Alarm, Bucket, Key, Live, LiveBucket, Replication, Role};
use std::collections::{BTreeMap, BTreeSet};

/// The AWS managed key that S3 creates in each account that uses KMS without naming a key.
const MANAGED: &str = "alias/aws/s3";

/// Returns the Region of a bucket of which only the name is known.
pub async fn place(aws: &Aws, bucket: &BucketName) -> Result<Region, Failure> {
    find::bucket_region(aws, bucket).await
}

/// Returns the Region of a bucket of which only the name is known; `None` if there is no such bucket.
pub async fn place_if_there(aws: &Aws, bucket: &BucketName) -> Result<Option<Region>, Failure> {
    Ok(find::bucket_region_if_there(aws, bucket).await?.ok())
}

/// Finds the source bucket, which must have a replication configuration.
pub async fn live_source(aws: &Aws, side: &BucketPlace) -> Result<LiveBucket, Failure> {
    let Some(source) = source_if_there(aws, side).await? else {
        let message = format!("there is no bucket `{}` in {}", side.bucket, side.region);
        return Err(Failure::new(Kind::Manifest, "bucket-missing", message));
    };
    if source.bucket.replication.is_none() {
        let message = format!("the bucket `{}` has no replication configuration", side.bucket);
        return Err(Failure::new(Kind::Manifest, "not-replicated", message)
            .in_region(&side.region)
            .hint("name the source bucket; `crrctl init` writes a manifest for one that does not replicate yet"));
    }
    Ok(source)
}

/// Finds the source bucket, if there is one, with all that a draft needs of it.
pub async fn source_if_there(aws: &Aws, side: &BucketPlace) -> Result<Option<LiveBucket>, Failure> {
    let account = super::account(aws).await?;
    aws.expect_owner(aws.home(), &account);
    let Some(mut bucket) = find::bucket(aws, side, &Optional::all()).await? else {
        return Ok(None);
    };
    let notifications_unread = match find::notifications(aws, &side.bucket, &side.region).await {
        Ok(notifications) => {
            bucket.notifications = notifications;
            None
        }
        Err(error) if error.class == crate::aws::Class::Denied => Some(error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let (alarms, alarms_unread) = alarms(aws, side, &bucket).await?;
    let live = live(side, account, bucket);
    Ok(Some(LiveBucket { notifications_unread, alarms, alarms_unread, ..live }))
}

/// Reads a bucket of the account that may be gone, or be another account's by now: then `None`.
pub async fn bucket_if_ours(
    aws: &Aws,
    side: &BucketPlace,
    account: &AccountId,
) -> Result<Option<LiveBucket>, Failure> {
    match find::stands(aws, side).await {
        Ok(true) => {}
        Ok(false) => return Ok(None),
        Err(error) if error.class == crate::aws::Class::Denied => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let bucket = find::bucket(aws, side, &Optional::all()).await?;
    Ok(bucket.map(|bucket| live(side, account.clone(), bucket)))
}

/// Reads the policy, the tags and the rotation of a key of a pair.
pub async fn whole_key(aws: &Aws, key: Key) -> Result<Key, Failure> {
    Ok(find::key_details_of_others(aws, key).await?)
}

/// Returns what stands of a pair without a source bucket.
pub fn without_source(place: &BucketPlace, account: &AccountId) -> LiveBucket {
    live(place, account.clone(), Bucket::default())
}

/// Returns the alarms that crrctl made in the Region of a bucket whose tags record alarms, or why
/// they were not read.
async fn alarms(
    aws: &Aws,
    side: &BucketPlace,
    bucket: &Bucket,
) -> Result<(Vec<Alarm>, Option<String>), Failure> {
    if !bucket.tags.contains_key(Topology::ALARM_TAG) {
        return Ok((Vec::new(), None));
    }
    match find::every_alarm(aws, &side.region).await {
        Ok(alarms) => Ok((alarms, None)),
        Err(error) if error.class == crate::aws::Class::Denied => {
            Ok((Vec::new(), Some(error.to_string())))
        }
        Err(error) => Err(error.into()),
    }
}

fn live(side: &BucketPlace, account: AccountId, bucket: Bucket) -> LiveBucket {
    let (region, name) = (side.region.clone(), side.bucket.clone());
    let (notifications_unread, alarms, alarms_unread) = (None, Vec::new(), None);
    LiveBucket { region, name, account, bucket, notifications_unread, alarms, alarms_unread }
}

/// Returns the destinations of the rules of `source`.
pub async fn live_destinations(
    aws: &Aws,
    source: &LiveBucket,
) -> Result<Vec<BucketPlace>, Failure> {
    let names = source.bucket.replication.iter().flat_map(|it| &it.rules);
    let names: BTreeSet<&str> = names.map(|rule| rule.destination.as_str()).collect();
    let sides = names.into_iter().map(|arn| async move {
        let bucket = BucketName::new(Arn::new(arn)?.resource())?;
        let region = find::bucket_region(aws, &bucket).await?;
        Ok::<_, Failure>(BucketPlace { region, bucket })
    });
    joined::all(sides).await
}

/// Returns those of `sides` whose bucket is not owned by the account of their Region's credentials.
pub async fn foreign(aws: &Aws, sides: &[BucketPlace]) -> Result<Vec<BucketPlace>, Failure> {
    let mut foreign = Vec::new();
    for side in sides {
        match find::stands(aws, side).await {
            Ok(_) => {}
            Err(error) if error.class == crate::aws::Class::Denied => foreign.push(side.clone()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(foreign)
}

/// Reads the destinations, keys and roles of the rules of `source`. `accounts` has the account of
/// each side.
pub async fn live_all(
    aws: &Aws,
    source: LiveBucket,
    sides: &[BucketPlace],
    accounts: &BTreeMap<Region, AccountId>,
) -> Result<Live, Failure> {
    let home = &source.account;
    let destinations = joined::all(sides.iter().map(|side| async move {
        let Some(bucket) = find::bucket(aws, side, &Optional::all()).await? else {
            let message = format!("a rule leads to `{}`, and there is no such bucket", side.bucket);
            return Err(Failure::new(Kind::Manifest, "bucket-missing", message)
                .in_region(&side.region)
                .hint("delete that rule first: it replicates nothing"));
        };
        let account = accounts.get(&side.region).unwrap_or(home);
        let (alarms, alarms_unread) = alarms(aws, side, &bucket).await?;
        Ok(LiveBucket { alarms, alarms_unread, ..live(side, account.clone(), bucket) })
    }))
    .await?;
    let made_by_crrctl = source.bucket.tags.contains_key(Topology::ID_TAG);
    let mut found = Live {
        account: source.account.clone(),
        source,
        destinations,
        keys: BTreeMap::new(),
        aliases: BTreeMap::new(),
        roles: BTreeMap::new(),
    };
    keys(aws, &mut found, made_by_crrctl).await?;
    roles(aws, &mut found).await?;
    Ok(found)
}

/// Finds every key that a bucket is encrypted under or that a rule names. Reads their tags only if
/// they may name a pair.
async fn keys(aws: &Aws, live: &mut Live, with_tags: bool) -> Result<(), Failure> {
    let mut named: BTreeSet<(Region, String)> = BTreeSet::new();
    for it in std::iter::once(&live.source).chain(&live.destinations) {
        let encryption = it.bucket.encryption().filter(|it| it.is_kms());
        let key = encryption.map(|it| it.key().unwrap_or(MANAGED).to_owned());
        named.extend(key.map(|key| (it.region.clone(), key)));
        for other in std::iter::once(&live.source).chain(&live.destinations) {
            let rules = other.bucket.replication.iter().flat_map(|it| &it.rules);
            let here = rules.filter(|rule| rule.destination.ends_with(&format!(":{}", it.name)));
            let keys = here.filter_map(|rule| rule.replica_key.clone());
            named.extend(keys.map(|key| (it.region.clone(), key)));
        }
    }
    for (region, name) in named {
        let Some(key) = find::key(aws, &region, &name).await? else { continue };
        let key = if with_tags { find::key_details_of_others(aws, key).await? } else { key };
        if key.tags.contains_key(Topology::PAIR_TAG) {
            let aliases = find::aliases(aws, &region, key.id.as_str()).await?;
            let first = aliases.into_iter().next();
            live.aliases.extend(first.map(|alias| (region.clone(), alias.to_string())));
        }
        live.keys.insert((region, name), key);
    }
    Ok(())
}

/// Finds the roles that the replication configurations name, each in the account of its bucket. S3
/// accepts no role of another account.
async fn roles(aws: &Aws, live: &mut Live) -> Result<(), Failure> {
    let mut named: BTreeMap<Arn, Region> = BTreeMap::new();
    for it in std::iter::once(&live.source).chain(&live.destinations) {
        let arn = it.bucket.replication.as_ref().and_then(Replication::role_arn);
        let is_home = it.account == live.account;
        let by = if is_home { aws.home() } else { &it.region };
        let own = arn.filter(|arn| arn.account() == it.account.as_str());
        named.extend(own.map(|arn| (arn, by.clone())));
    }
    for (arn, by) in named {
        let Some(name) = crate::manifest::RoleSettings::name_of(&arn) else { continue };
        let found: Option<Role> = find::role(aws, &name, &by, false).await?;
        live.roles.extend(found.filter(|role| role.arn == arn).map(|role| (arn.to_string(), role)));
    }
    Ok(())
}
