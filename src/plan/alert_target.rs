//! Refuses a topic or a queue for alerts that S3 can't publish to: S3 would refuse the notification
//! configuration without saying why.
//! Sources: S3 User Guide, "Granting permissions to publish event notification messages to a
//! destination"; SNS and SQS Developer Guides, "Key management".
//! Not for: the entry of the notification configuration (see `alerts`).

use crate::failure::{Failure, Kind};
use crate::manifest::{PairKeys, Topology};
use crate::names::Arn;
use crate::policy::proof::alerts::{may_encrypt, may_publish};
use crate::policy::{self, Document, Templates};
use crate::settings::TargetKind;
use crate::world::{AlertKey, AlertTarget, World};

/// What is wrong with a target.
#[derive(Debug, Clone, PartialEq)]
pub enum Wrong {
    /// It does not exist.
    Missing,
    /// Its policy does not let S3 publish.
    Denies,
    /// Its messages are under a key that AWS manages, with this name.
    ManagedKey(String),
    /// The policy of its key does not let S3 use the key.
    KeyDenies(String),
}

/// Returns what is wrong with a target that was read, and what could not be read of it.
pub fn judged(topology: &Topology, target: &AlertTarget) -> (Option<Wrong>, Option<String>) {
    let (policy, key) = match target {
        AlertTarget::Missing => return (Some(Wrong::Missing), None),
        AlertTarget::Unread(why) => return (None, Some(why.clone())),
        AlertTarget::Found { policy, key } => (policy, key),
    };
    if !may_publish(topology, policy.as_ref()) {
        return (Some(Wrong::Denies), None);
    }
    match key {
        AlertKey::None => (None, None),
        AlertKey::ManagedByAws(name) => (Some(Wrong::ManagedKey(name.clone())), None),
        AlertKey::Unread(why) => (None, Some(why.clone())),
        AlertKey::Own { arn, policy } if may_encrypt(topology, arn, policy) => (None, None),
        AlertKey::Own { arn, .. } => (Some(Wrong::KeyDenies(arn.clone())), None),
    }
}

/// Returns notes about the target, if it was read.
///
/// # Errors
/// S3 can't publish to the target.
pub(super) fn check(
    topology: &Topology,
    world: &World,
    templates: &Templates,
) -> Result<Vec<String>, Failure> {
    let (Some(arn), Some(target)) = (&topology.wanted.alerts, &world.alert_target) else {
        return Ok(Vec::new());
    };
    let (wrong, unread) = judged(topology, target);
    if let Some(wrong) = wrong {
        return Err(refused(topology, arn, &wrong, templates)?);
    }
    let unread = unread.map(|why| {
        format!("whether S3 can publish alerts to {arn} is not known before it is tried: {why}")
    });
    let billed = "S3 publishes the events of rules with replication metrics alone: `replication.alerts` has metrics on, and CloudWatch bills them";
    Ok(unread.into_iter().chain([billed.to_owned()]).collect())
}

/// Returns the refusal of a target.
fn refused(
    topology: &Topology,
    arn: &Arn,
    wrong: &Wrong,
    templates: &Templates,
) -> Result<Failure, Failure> {
    let what = TargetKind::of(arn.as_str()).name();
    let statement = |document: &Document| -> Result<String, Failure> {
        let wanted = policy::render(document, topology, &PairKeys::default(), templates)?;
        Ok(wanted["Statement"][0].to_string())
    };
    let failure = match wrong {
        Wrong::Missing => {
            let message = format!("there is no {what} {arn}, which the alerts are to go to");
            Failure::new(Kind::Manifest, "alert-target-missing", message)
                .hint(format!("make it, with the policy that `crrctl policy render {}` prints; crrctl makes no {what}",
                    Document::AlertTarget.name()))
        }
        Wrong::Denies => {
            let message = format!("the policy of the {what} {arn} does not let S3 publish alerts");
            let statement = statement(&Document::AlertTarget)?;
            Failure::new(Kind::Denied, "alert-target-denies", message)
                .hint(format!("add to the policy of the {what}: {statement}"))
        }
        Wrong::ManagedKey(key) => {
            let message = format!(
                "the messages of the {what} {arn} are under `{key}`, a key that AWS manages: S3 can't use it"
            );
            Failure::new(Kind::Manifest, "alert-target-key", message).hint(format!(
                "encrypt the {what} under a key of your own whose policy has the statement that `crrctl policy render {}` prints, or \
                 under none",
                Document::AlertKey.name()
            ))
        }
        Wrong::KeyDenies(key) => {
            let message = format!(
                "the messages of the {what} {arn} are under {key}, whose policy does not let S3 use it"
            );
            let statement = statement(&Document::AlertKey)?;
            Failure::new(Kind::Denied, "alert-key-denies", message)
                .hint(format!("add to the policy of the key: {statement}"))
        }
    };
    Ok(failure.in_region(&topology.wanted.home().region))
}
