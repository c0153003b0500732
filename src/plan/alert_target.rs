//! What is wrong with a topic or a queue that S3 or CloudWatch can't publish to. S3 would refuse the
//! notification configuration without saying why, so `plan` refuses it. CloudWatch takes an alarm
//! whose topic it can't publish to, so `plan` warns.
//! Sources: S3 User Guide, "Granting permissions to publish event notification messages to a
//! destination"; SNS and SQS Developer Guides, "Key management"; CloudWatch User Guide, "Notifying
//! users on alarm changes".
//! Not for: the entry of the notification configuration (see `alerts`), or alarms (see `alarms`).

use crate::failure::{Failure, Kind};
use crate::manifest::{PairKeys, Topology};
use crate::policy::proof::targets::{Publisher, Target};
use crate::policy::{self, Document, Templates};
use crate::settings::TargetKind;
use crate::world::{AlertKey, AlertTarget, World};

/// What is wrong with a target.
#[derive(Debug, Clone, PartialEq)]
pub enum Wrong {
    /// It does not exist.
    Missing,
    /// Its policy does not let the service publish.
    Denies,
    /// Its messages are under a key that AWS manages, with this name.
    ManagedKey(String),
    /// The policy of its key does not let the service use the key.
    KeyDenies(String),
}

/// What is wrong with a target, and how to fix it, in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub fix: String,
}

impl Target<'_> {
    /// Returns what it is called: `topic` or `queue`.
    pub fn kind(&self) -> &'static str {
        TargetKind::of(self.arn.as_str()).name()
    }

    /// Returns what is wrong with the target as it was read, and what could not be read of it.
    pub fn judged(&self, found: &AlertTarget) -> (Option<Wrong>, Option<String>) {
        let (policy, key) = match found {
            AlertTarget::Missing => return (Some(Wrong::Missing), None),
            AlertTarget::Unread(why) => return (None, Some(why.clone())),
            AlertTarget::Found { policy, key } => (policy, key),
        };
        if !self.may_publish(policy.as_ref()) {
            return (Some(Wrong::Denies), None);
        }
        match key {
            AlertKey::None => (None, None),
            AlertKey::ManagedByAws(name) => (Some(Wrong::ManagedKey(name.clone())), None),
            AlertKey::Unread(why) => (None, Some(why.clone())),
            AlertKey::Own { arn, policy } if self.may_encrypt(arn, policy) => (None, None),
            AlertKey::Own { arn, .. } => (Some(Wrong::KeyDenies(arn.clone())), None),
        }
    }

    /// Returns what is wrong in words, with the statement that is missing.
    ///
    /// # Errors
    /// The user's template of the statement can't be rendered.
    pub fn told(&self, wrong: &Wrong, templates: &Templates) -> Result<Told, Failure> {
        let (what, who, arn) = (self.kind(), self.publisher.name(), self.arn);
        let (policy, of_key) = self.documents();
        let statement = |document: &Document| -> Result<String, Failure> {
            let wanted = policy::render(document, self.topology, &PairKeys::default(), templates)?;
            Ok(wanted["Statement"][0].to_string())
        };
        let (purpose, published) = match self.publisher {
            Publisher::S3 => ("the alerts are to go to", "alerts"),
            Publisher::CloudWatch => ("the alarms are to notify", "alarms"),
        };
        let (message, fix) = match wrong {
            Wrong::Missing => (
                format!("there is no {what} {arn}, which {purpose}"),
                format!(
                    "make it, with the policy that `crrctl policy render {}` prints; crrctl makes no {what}",
                    policy.name()
                ),
            ),
            Wrong::Denies => (
                format!("the policy of the {what} {arn} does not let {who} publish {published}"),
                format!("add to the policy of the {what}: {}", statement(&policy)?),
            ),
            Wrong::ManagedKey(key) => (
                format!(
                    "the messages of the {what} {arn} are under `{key}`, a key that AWS manages: {who} can't use it"
                ),
                format!(
                    "encrypt the {what} under a key of your own whose policy has the statement that `crrctl policy render {}` \
                     prints, or under none",
                    of_key.name()
                ),
            ),
            Wrong::KeyDenies(key) => (
                format!(
                    "the messages of the {what} {arn} are under {key}, whose policy does not let {who} use it"
                ),
                format!("add to the policy of the key: {}", statement(&of_key)?),
            ),
        };
        Ok(Told { message, fix })
    }
}

/// Returns notes about the target of alerts, if it was read.
///
/// # Errors
/// S3 can't publish to the target.
pub(super) fn check(
    topology: &Topology,
    world: &World,
    templates: &Templates,
) -> Result<Vec<String>, Failure> {
    let (Some(target), Some(found)) = (Target::of_alerts(topology), &world.alert_target) else {
        return Ok(Vec::new());
    };
    let (wrong, unread) = target.judged(found);
    if let Some(wrong) = wrong {
        return Err(refused(&target, &wrong, templates)?);
    }
    let unread = unread.map(|why| {
        format!(
            "whether S3 can publish alerts to {} is not known before it is tried: {why}",
            target.arn
        )
    });
    let billed = "S3 publishes the events of rules with replication metrics alone: `replication.alerts` has metrics on, and CloudWatch bills them";
    Ok(unread.into_iter().chain([billed.to_owned()]).collect())
}

/// Returns a warning for each topic that was read and that alarms can't notify, or may not.
///
/// # Errors
/// The user's template of a statement can't be rendered.
pub(super) fn alarm_warnings(
    topology: &Topology,
    world: &World,
    templates: &Templates,
) -> Result<Vec<String>, Failure> {
    let mut warnings = Vec::new();
    for direction in topology.directions() {
        let Some(target) = Target::of_alarms(&direction) else { continue };
        let Some(found) = world.alarm_topics.get(target.arn) else { continue };
        match target.judged(found) {
            (Some(wrong), _) => {
                let Told { message, fix } = target.told(&wrong, templates)?;
                warnings.push(format!("an alarm will notify nobody: {message}; {fix}"));
            }
            (None, Some(why)) => warnings
                .push(format!("whether the alarms can notify {} is not known: {why}", target.arn)),
            (None, None) => {}
        }
    }
    Ok(warnings)
}

/// Returns the refusal of a target.
fn refused(target: &Target<'_>, wrong: &Wrong, templates: &Templates) -> Result<Failure, Failure> {
    let (kind, code) = match wrong {
        Wrong::Missing => (Kind::Manifest, "alert-target-missing"),
        Wrong::Denies => (Kind::Denied, "alert-target-denies"),
        Wrong::ManagedKey(_) => (Kind::Manifest, "alert-target-key"),
        Wrong::KeyDenies(_) => (Kind::Denied, "alert-key-denies"),
    };
    let Told { message, fix } = target.told(wrong, templates)?;
    Ok(Failure::new(kind, code, message).hint(fix).in_region(target.region()))
}
