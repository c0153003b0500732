//! What tells of failed replication: the entry of each source in its notification configuration, the
//! metrics without which S3 sends no events of failures, the topic or queue of alerts and the topics
//! of alarms, with their policies and their keys.
//! Not for: what is wrong with a target in detail (see `plan::alert_target`), or the alarms themselves
//! (see `alarms`).

use super::Finding;
use super::seen::{Read, Seen};
use crate::aws::Aws;
use crate::failure::Failure;
use crate::manifest::{Side, Topology};
use crate::observe::alert_target;
use crate::plan::alert_target::Wrong;
use crate::plan::alerts;
use crate::policy::Templates;
use crate::policy::proof::targets::{Publisher, Target};
use crate::settings::Notifications;
use crate::steps::find;

const APPLY: &str = "`crrctl apply` puts it right";

/// Reads the topics and queues and the notification configuration of each source, and judges them.
///
/// # Errors
/// The user's template of a statement can't be rendered.
pub(super) async fn check(
    aws: &Aws,
    seen: &Seen,
    templates: &Templates,
) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    let directions = seen.topology.directions();
    if let Some(target) = Target::of_alerts(&seen.topology) {
        findings.extend(target_findings(aws, &target, templates).await?);
        for direction in &directions {
            let side = &direction.source;
            let live = find::notifications(aws, &side.bucket, &side.region).await;
            findings.push(entry(seen, side, &live).at(&side.region));
            findings.push(metrics(seen, direction).at(&side.region));
        }
    }
    for target in directions.iter().filter_map(Target::of_alarms) {
        findings.extend(target_findings(aws, &target, templates).await?);
    }
    Ok(findings)
}

/// Reads a target, and judges whether it is there and what its policy and the policy of its key say.
async fn target_findings(
    aws: &Aws,
    target: &Target<'_>,
    templates: &Templates,
) -> Result<Vec<Finding>, Failure> {
    let (exists, policy) = match target.publisher {
        Publisher::S3 => ("alerts.target", "alerts.policy"),
        Publisher::CloudWatch => ("alarm.topic", "alarm.policy"),
    };
    let findings = match alert_target::target(aws, target.region(), target.arn).await {
        Err(error) => vec![Finding::unread(exists, &error)],
        Ok(found) => {
            let stands = Finding::pass(exists, format!("the {} {}", target.kind(), target.arn));
            match target.judged(&found) {
                (Some(wrong), _) => {
                    let told = target.told(&wrong, templates)?;
                    let fail = |name| vec![Finding::fail(name, told.message, told.fix)];
                    if wrong == Wrong::Missing {
                        fail(exists)
                    } else {
                        [vec![stands], fail(policy)].concat()
                    }
                }
                (None, Some(unread)) => vec![Finding::unknown(exists, unread, reads(target))],
                (None, None) => {
                    let lets = format!("lets {} publish", target.publisher.name());
                    vec![stands, Finding::pass(policy, lets)]
                }
            }
        }
    };
    Ok(findings.into_iter().map(|finding| finding.at(target.region())).collect())
}

/// Returns which permissions the caller lacks to read a target and its key.
fn reads(target: &Target<'_>) -> String {
    let reads = if target.arn.service() == "sns" {
        "`sns:GetTopicAttributes`"
    } else {
        "`sqs:GetQueueUrl` and `sqs:GetQueueAttributes`"
    };
    format!("the caller needs {reads}, and for a key `kms:DescribeKey` and `kms:GetKeyPolicy`")
}

fn entry(seen: &Seen, side: &Side, read: &Read<Notifications>) -> Finding {
    let name = "alerts.entry";
    let live = match read {
        Ok(live) => live,
        Err(error) if error.is_absent() => {
            return Finding::skip(name, format!("`{}` is not there", side.bucket));
        }
        Err(error) => return Finding::unread(name, error),
    };
    let Some(wanted) = alerts::wanted(&seen.topology, side) else {
        return Finding::skip(name, "nothing is wanted");
    };
    // What `apply` refuses it does not mend.
    let refused = alerts::overlapping(&wanted, live).map(|it| alerts::refused(side, &wanted, it));
    let remedy = match &refused {
        Some(refused) => format!("{}: {}", refused.message, refused.hints.join("; ")),
        None => APPLY.to_owned(),
    };
    match alerts::ours(&seen.topology, live) {
        Some(ours) if ours.is_same(&wanted) => Finding::pass(
            name,
            format!("`{}` sends {} to {}", wanted.id, wanted.events.join(", "), wanted.target),
        ),
        Some(ours) => {
            let detail = format!(
                "the notification `{}` of `{}` differs in {}: it sends {} to {}",
                ours.id,
                side.bucket,
                ours.differences(&wanted).join(", "),
                ours.events.join(", "),
                ours.target
            );
            Finding::fail(name, detail, remedy)
        }
        None if !seen.stands() => Finding::skip(name, "`crrctl apply` makes it"),
        None => {
            let detail = format!("`{}` has no notification `{}`", side.bucket, wanted.id);
            Finding::fail(name, detail, remedy)
        }
    }
}

/// S3 sends the events of a rule only while its metrics are on (S3 User Guide, "Receiving
/// replication failure events with Amazon S3 Event Notifications").
fn metrics(seen: &Seen, direction: &Topology) -> Finding {
    let name = "alerts.metrics";
    let source = seen.buckets.iter().find(|(side, _)| side == &direction.source);
    let Some(Ok(Some(live))) = source.map(|(_, bucket)| &bucket.replication) else {
        return Finding::skip(name, "the rules were not read, or there are none");
    };
    let is_off = |rule: &&crate::manifest::RuleWish| {
        live.rules.iter().any(|it| it.id == rule.id && !it.metrics)
    };
    match direction.rules.iter().find(is_off) {
        None => Finding::pass(name, "on for every rule of the pair"),
        Some(rule) => {
            let detail =
                format!("the rule `{}` has no metrics: S3 sends no event of its failures", rule.id);
            Finding::fail(name, detail, APPLY)
        }
    }
}
