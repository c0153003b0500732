//! Finds KMS keys: by key id, ARN or alias, or by tags if no alias names them.
//! Not for: creating or changing keys (see `key`).

use super::super::Scheduled;
use crate::aws::settle::shown;
use crate::aws::{At, Aws, Error};
use crate::joined;
use crate::manifest::KeyKind;
use crate::names::{Arn, KeyAlias, KeyId, Region};
use crate::world::{Key, KeyState, LastUse, MultiRegion, Tags};
use aws_sdk_kms::operation::schedule_key_deletion::ScheduleKeyDeletionOutput;
use aws_sdk_kms::types::{
    KeyMetadata, KeySpec, KeyState as AwsKeyState, KeyUsageType, MultiRegionKeyType,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// Finds the key that `id` names: a key id, an ARN or an alias. Policy, tags and rotation are not
/// read (see [`details`]).
pub(crate) async fn describe(aws: &Aws, region: &Region, id: &str) -> Result<Option<Key>, Error> {
    let answer =
        aws.kms(region).describe_key().key_id(id).send().await.at("kms:DescribeKey", region);
    match answer {
        Ok(output) => {
            output.key_metadata().map(|metadata| from_metadata(metadata, region)).transpose()
        }
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

fn exact(date: &aws_smithy_types::DateTime) -> Option<Timestamp> {
    Timestamp::new(date.secs(), i32::try_from(date.subsec_nanos()).ok()?).ok()
}

fn to_the_second(date: Option<&aws_smithy_types::DateTime>) -> Option<Timestamp> {
    date.and_then(|date| Timestamp::from_second(date.secs()).ok())
}

fn state(state: Option<&AwsKeyState>) -> Option<KeyState> {
    Some(match state?.as_str() {
        "Creating" => KeyState::Creating,
        "Enabled" => KeyState::Enabled,
        "Disabled" => KeyState::Disabled,
        "PendingDeletion" => KeyState::PendingDeletion,
        "PendingReplicaDeletion" => KeyState::PendingReplicaDeletion,
        other => KeyState::Other(other.to_owned()),
    })
}

/// Returns the state of a key in the response to `ScheduleKeyDeletion` (KMS API Reference: a
/// primary with replicas has no date).
pub(super) fn scheduled(output: &ScheduleKeyDeletionOutput) -> Option<Scheduled> {
    Some(Scheduled {
        state: state(output.key_state())?,
        deletion_date: to_the_second(output.deletion_date()),
        window_days: output.pending_window_in_days(),
    })
}

pub(super) fn from_metadata(metadata: &KeyMetadata, region: &Region) -> Result<Key, Error> {
    let unreadable = |what: &str| Error::unreadable("kms:DescribeKey", region, what);
    let state = state(metadata.key_state()).unwrap_or(KeyState::Enabled);
    let place = metadata.multi_region_configuration().map(|place| {
        let primary_region = place.primary_key().and_then(|key| key.region()).unwrap_or_default();
        Ok(MultiRegion {
            primary: place.multi_region_key_type() == Some(&MultiRegionKeyType::Primary),
            primary_region: Region::new(primary_region)
                .map_err(|_| unreadable("primary Region"))?,
            replica_regions: place
                .replica_keys()
                .iter()
                .filter_map(|key| key.region())
                .map(|region| Region::new(region).map_err(|_| unreadable("replica Regions")))
                .collect::<Result<_, Error>>()?,
        })
    });
    Ok(Key {
        id: KeyId::new(metadata.key_id()).map_err(|_| unreadable("key id"))?,
        arn: Arn::new(metadata.arn().unwrap_or_default()).map_err(|_| unreadable("ARN"))?,
        region: region.clone(),
        state,
        multi_region: place.transpose()?,
        tags: Tags::new(),
        policy: Value::Null,
        rotation_days: None,
        encrypts: metadata.key_usage().is_none_or(|usage| usage == &KeyUsageType::EncryptDecrypt)
            && metadata.key_spec().is_none_or(|spec| spec == &KeySpec::SymmetricDefault),
        // Including the fraction of the second: the older of two keys is the pair's key.
        created: metadata.creation_date().and_then(exact).unwrap_or_default(),
        deletion_date: to_the_second(metadata.deletion_date()),
        pending_window_days: metadata.pending_deletion_window_in_days(),
    })
}

/// Reads only the policy, for a key that is not crrctl's.
pub(crate) async fn with_policy(aws: &Aws, key: Key) -> Result<Key, Error> {
    let policy = policy(aws, &key).await?;
    Ok(Key { policy, ..key })
}

/// How long the tags of a new key may take to appear (KMS API Reference, `ListResourceTags`:
/// eventually consistent).
const TAGS_SHOW_WITHIN: Duration = Duration::from_secs(30);
/// The age in seconds above which a key that shows no tags has none.
const YOUNG: i64 = 600;

/// Reads a key's policy and tags and, except for a replica, its rotation. The tags of a new key are
/// read again while none appear.
pub(crate) async fn details(aws: &Aws, key: Key) -> Result<Key, Error> {
    let is_young = Timestamp::now().duration_since(key.created).as_secs() < YOUNG;
    read(aws, key, if is_young { TAGS_SHOW_WITHIN } else { Duration::ZERO }).await
}

/// Like [`details`], for a key that may be anybody's: it may have no tags.
pub(crate) async fn details_of_others(aws: &Aws, key: Key) -> Result<Key, Error> {
    read(aws, key, Duration::ZERO).await
}

async fn read(aws: &Aws, key: Key, tags_within: Duration) -> Result<Key, Error> {
    // A replica has the rotation of its primary (KMS Developer Guide, "Rotate AWS KMS keys").
    let is_primary = key.multi_region.as_ref().is_none_or(|place| place.primary);
    let (policy, tags, rotation_days) =
        joined::three(policy(aws, &key), shown_tags(aws, &key, tags_within), async {
            if is_primary { rotation(aws, &key).await } else { Ok(None) }
        })
        .await?;
    Ok(Key { tags, policy, rotation_days, ..key })
}

async fn shown_tags(aws: &Aws, key: &Key, within: Duration) -> Result<Tags, Error> {
    let look = || tags(aws, &key.region, key.id.as_str());
    shown(within, |tags: &Tags| !tags.is_empty(), look).await
}

async fn policy(aws: &Aws, key: &Key) -> Result<Value, Error> {
    let request =
        aws.kms(&key.region).get_key_policy().key_id(key.id.as_str()).policy_name("default");
    let output = request.send().await.at("kms:GetKeyPolicy", &key.region)?;
    // Text that is not JSON differs from the wanted policy, so it is overwritten.
    Ok(serde_json::from_str(output.policy().unwrap_or_default()).unwrap_or(Value::Null))
}

async fn rotation(aws: &Aws, key: &Key) -> Result<Option<u32>, Error> {
    let request = aws.kms(&key.region).get_key_rotation_status().key_id(key.id.as_str());
    match request.send().await.at("kms:GetKeyRotationStatus", &key.region) {
        Ok(output) if output.key_rotation_enabled() => Ok(output
            .rotation_period_in_days()
            .and_then(|days| u32::try_from(days).ok())
            .or(Some(365))),
        Ok(_) => Ok(None),
        // KMS returns no rotation status for a key that is pending deletion.
        Err(error) if error.is("KMSInvalidStateException") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the tags of the key `id`.
pub(crate) async fn tags(aws: &Aws, region: &Region, id: &str) -> Result<Tags, Error> {
    let mut tags = Tags::new();
    let mut marker = None;
    loop {
        let request = aws.kms(region).list_resource_tags().key_id(id).set_marker(marker);
        let output = request.send().await.at("kms:ListResourceTags", region)?;
        tags.extend(
            output.tags().iter().map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned())),
        );
        marker = output.next_marker().map(str::to_owned);
        if !output.truncated() || marker.is_none() {
            return Ok(tags);
        }
    }
}

/// The most keys whose tags are read one by one where an index can be asked in their place.
const FEW: usize = 50;

/// Returns the keys in `region`, except `known`, that can be of `kind` and whose tags include
/// `wanted`. Keys whose tags the caller may not read are skipped. If this applies to all keys, the
/// refusal is returned.
///
/// Without a known key, the tags of every key are read: whether a key is to be created depends on
/// it. Beside a known key only keys that an interrupted run left are looked for, so that in an
/// account with many keys the index of tags is asked, if the caller may.
pub(crate) async fn by_tags(
    aws: &Aws,
    region: &Region,
    wanted: &[(&str, String)],
    kind: KeyKind,
    known: Option<&KeyId>,
) -> Result<Vec<Key>, Error> {
    let mut ids = ids_of(aws, region, kind).await?;
    let mut least_refused = ids.len().max(1);
    if let Some(known) = known {
        ids.retain(|id| id != known.as_str());
        if ids.len() > FEW
            && let Ok(indexed) = aws.keys_in_tag_index(region, wanted).await
        {
            ids.retain(|id| indexed.contains(id));
            // The index names them as keys of the pair, so that none may be skipped.
            least_refused = 1;
        }
    }
    let (found, mut refused) = tagged(aws, region, ids, wanted).await?;
    let is_blind = refused.len() >= least_refused;
    match refused.pop() {
        Some(error) if is_blind => Err(error),
        _ => Ok(found),
    }
}

/// Lists the keys in `region` that can be of `kind`.
pub(crate) async fn ids_of(
    aws: &Aws,
    region: &Region,
    kind: KeyKind,
) -> Result<Vec<String>, Error> {
    let mut ids = all_ids(aws, region).await?;
    ids.retain(|id| id.starts_with("mrk-") == (kind == KeyKind::MultiRegion));
    Ok(ids)
}

/// Returns the keys of `ids` whose tags include `wanted`, oldest first, and a refusal for each key
/// whose tags the caller may not read.
pub(crate) async fn tagged(
    aws: &Aws,
    region: &Region,
    ids: Vec<String>,
    wanted: &[(&str, String)],
) -> Result<(Vec<Key>, Vec<Error>), Error> {
    let read = |id: String| async move {
        let read = async || match tags(aws, region, &id).await {
            Err(error) if error.class == crate::aws::Class::Denied => Ok(Err(error)),
            Err(error) if error.is_absent() => Ok(Ok(Tags::new())),
            other => other.map(Ok),
        };
        let seen = aws.key_tags((region, &id), wanted, read).await?;
        Ok::<_, Error>(seen.map(|tags| (id, tags)))
    };
    let read: Vec<_> = stream::iter(ids).map(read).buffered(8).try_collect().await?;
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for read in read {
        let (id, tags) = match read {
            Ok(read) => read,
            Err(error) => {
                refused.push(error);
                continue;
            }
        };
        if wanted.iter().all(|(key, value)| tags.get(*key) == Some(value))
            && let Some(key) = describe(aws, region, &id).await?
        {
            found.push(Key { tags, ..key });
        }
    }
    found.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
    Ok((found, refused))
}

/// Lists the keys in `region`.
pub(crate) async fn all_ids(aws: &Aws, region: &Region) -> Result<Vec<String>, Error> {
    let mut ids = Vec::new();
    let mut marker = None;
    loop {
        let request = aws.kms(region).list_keys().limit(1000).set_marker(marker);
        let output = request.send().await.at("kms:ListKeys", region)?;
        ids.extend(output.keys().iter().filter_map(|key| key.key_id()).map(str::to_owned));
        marker = output.next_marker().map(str::to_owned);
        if !output.truncated() || marker.is_none() {
            return Ok(ids);
        }
    }
}

/// Lists the aliases that name the key `id`, crrctl's default aliases first.
pub(crate) async fn aliases(aws: &Aws, region: &Region, id: &str) -> Result<Vec<KeyAlias>, Error> {
    let (mut aliases, mut marker) = (Vec::new(), None);
    loop {
        let request = aws.kms(region).list_aliases().key_id(id).set_marker(marker);
        let output = request.send().await.at("kms:ListAliases", region)?;
        let names = output.aliases().iter().filter_map(|alias| alias.alias_name());
        aliases.extend(names.filter_map(|name| KeyAlias::new(name).ok()));
        marker = output.next_marker().map(str::to_owned);
        if !output.truncated() || marker.is_none() {
            aliases.sort_by_key(|alias| !alias.as_str().starts_with("alias/crrctl/"));
            return Ok(aliases);
        }
    }
}

/// Returns when the key `id` was last used in `region`: each key of a multi-Region key has its own
/// (KMS API Reference, `GetKeyLastUsage`). `None` if KMS does not say.
pub(crate) async fn last_use(
    aws: &Aws,
    region: &Region,
    id: &str,
) -> Result<Option<LastUse>, Error> {
    let request = aws.kms(region).get_key_last_usage().key_id(id);
    let output = request.send().await.at("kms:GetKeyLastUsage", region)?;
    Ok(output.key_last_usage().and_then(|usage| {
        let at = to_the_second(usage.timestamp())?;
        let operation = usage.operation()?.as_str().to_owned();
        Some(LastUse { operation, at })
    }))
}

/// Lists the grantees of the key `id` in `region` only: grants are not shared with replicas.
pub(crate) async fn grants(aws: &Aws, region: &Region, id: &str) -> Result<Vec<String>, Error> {
    let (mut grantees, mut marker) = (Vec::new(), None);
    loop {
        let request = aws.kms(region).list_grants().key_id(id).set_marker(marker);
        let output = request.send().await.at("kms:ListGrants", region)?;
        let names = output.grants().iter().map(|grant| grant.grantee_principal());
        grantees.extend(names.map(|name| name.unwrap_or("somebody").to_owned()));
        marker = output.next_marker().map(str::to_owned);
        if !output.truncated() || marker.is_none() {
            return Ok(grantees);
        }
    }
}
