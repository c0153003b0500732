//! Reads the topic or queue of `replication.alerts` and the topics of `replication.alarm`, and the keys
//! of their messages.
//! Not for: judging them (see `plan::alert_target`).

use crate::aws::{At, Aws, Class, Error};
use crate::failure::Failure;
use crate::joined;
use crate::manifest::Topology;
use crate::names::{Arn, Region};
use crate::plan::alarms::{self, AlarmWanted};
use crate::plan::alerts;
use crate::world::{AlertKey, AlertTarget, World};
use serde_json::Value;
use std::collections::BTreeMap;

/// Reads the target where the entry of a bucket is about to change. A removal needs it not.
pub(super) async fn about_to_change(
    aws: &Aws,
    topology: &Topology,
    world: &World,
    removal: bool,
) -> Result<Option<AlertTarget>, Failure> {
    let Some(arn) = topology.wanted.alerts.as_ref().filter(|_| !removal) else { return Ok(None) };
    let changes = topology.reached().any(|side| {
        let live = world.buckets.get(&side.bucket).map(|bucket| &bucket.notifications);
        let live = live.and_then(|live| alerts::ours(topology, live));
        let wanted = alerts::wanted(topology, side);
        wanted.is_some_and(|wanted| !live.is_some_and(|live| live.is_same(&wanted)))
    });
    if !changes {
        return Ok(None);
    }
    Ok(Some(target(aws, &topology.wanted.home().region, arn).await?))
}

/// Reads the topics of the directions in which an alarm is about to change. A removal needs none.
pub(super) async fn of_alarms(
    aws: &Aws,
    topology: &Topology,
    world: &World,
    removal: bool,
) -> Result<BTreeMap<Arn, AlertTarget>, Failure> {
    let mut topics: BTreeMap<Arn, Region> = BTreeMap::new();
    for direction in topology.directions().into_iter().filter(|_| !removal) {
        let is_there = |wanted: &AlarmWanted| {
            let mut live = world.alarms.iter().filter(|it| it.region == wanted.region);
            live.any(|it| it.name == wanted.name && it.says == wanted.says)
        };
        let changes = !alarms::wanted(&direction).iter().all(is_there);
        let topic = direction.alarm_topic().filter(|_| changes);
        topics.extend(topic.map(|topic| (topic.clone(), direction.source.region.clone())));
    }
    let read = topics.into_iter().map(|(topic, region)| async move {
        let found = target(aws, &region, &topic).await?;
        Ok::<_, Failure>((topic, found))
    });
    Ok(joined::all(read).await?.into_iter().collect())
}

/// Reads the target. That the caller may not read it, or its key, says nothing about it.
///
/// # Errors
/// A read fails for another reason.
pub async fn target(aws: &Aws, region: &Region, arn: &Arn) -> Result<AlertTarget, Error> {
    let attributes = match aws.alert_attributes(region, arn).await {
        Ok(attributes) => attributes,
        Err(error) if error.is_absent() => return Ok(AlertTarget::Missing),
        Err(error) if error.class == Class::Denied => {
            return Ok(AlertTarget::Unread(error.to_string()));
        }
        Err(error) => return Err(error),
    };
    let policy = attributes.get("Policy").and_then(|text| serde_json::from_str(text).ok());
    let key = match attributes.get("KmsMasterKeyId").filter(|key| !key.is_empty()) {
        None => AlertKey::None,
        Some(key) => key_of(aws, region, (arn, key)).await?,
    };
    Ok(AlertTarget::Found { policy, key })
}

/// Reads the policy of a key: an id, an ARN, or an alias in the account of the target.
async fn key_of(
    aws: &Aws,
    region: &Region,
    (target, reference): (&Arn, &str),
) -> Result<AlertKey, Error> {
    if reference.contains("alias/aws/") {
        return Ok(AlertKey::ManagedByAws(reference.to_owned()));
    }
    let reference = if reference.starts_with("arn:") {
        reference.to_owned()
    } else {
        let what = if reference.starts_with("alias/") { "" } else { "key/" };
        format!(
            "arn:{}:kms:{}:{}:{what}{reference}",
            target.partition(),
            target.region(),
            target.account()
        )
    };
    let kms = aws.kms(region);
    let described = kms.describe_key().key_id(&reference).send().await;
    let described = match described.at("kms:DescribeKey", region) {
        Err(error) if error.class == Class::Denied => {
            return Ok(AlertKey::Unread(error.to_string()));
        }
        described => described?,
    };
    let metadata = described.key_metadata();
    let manager = metadata.and_then(|it| it.key_manager()).map(|it| it.as_str().to_owned());
    if manager.as_deref() == Some("AWS") {
        return Ok(AlertKey::ManagedByAws(reference));
    }
    let arn = metadata.and_then(|it| it.arn()).unwrap_or(&reference).to_owned();
    match kms.get_key_policy().key_id(&arn).send().await.at("kms:GetKeyPolicy", region) {
        Ok(output) => {
            let policy: Option<Value> =
                output.policy().and_then(|text| serde_json::from_str(text).ok());
            let unreadable = || Error::unreadable("kms:GetKeyPolicy", region, "policy");
            Ok(AlertKey::Own { arn, policy: policy.ok_or_else(unreadable)? })
        }
        Err(error) if error.class == Class::Denied => Ok(AlertKey::Unread(error.to_string())),
        Err(error) => Err(error),
    }
}
