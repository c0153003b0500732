//! Alerts: the entry of each source in its notification configuration, the topic or queue, its
//! policy and its key, and the metrics without which S3 sends no events of failures.
//! Not for: what is wrong with a target in detail (see `plan::alert_target`).

use super::Finding;
use super::seen::{Read, Seen};
use crate::aws::Aws;
use crate::manifest::{Side, Topology};
use crate::names::Arn;
use crate::observe::alert_target;
use crate::plan::alert_target::{Wrong, judged};
use crate::plan::alerts;
use crate::policy::Document;
use crate::settings::{Notifications, TargetKind};
use crate::steps::find;
use crate::world::AlertTarget;

const APPLY: &str = "`crrctl apply` puts it right";

/// Reads the topic or queue and the notification configuration of each source, and judges them.
pub(super) async fn check(aws: &Aws, seen: &Seen) -> Vec<Finding> {
    let Some(arn) = &seen.topology.wanted.alerts else { return Vec::new() };
    let read = alert_target::target(aws, &seen.topology.wanted.home().region, arn).await;
    let mut findings = target_findings(seen, arn, &read);
    for direction in seen.topology.directions() {
        let side = &direction.source;
        let live = find::notifications(aws, &side.bucket, &side.region).await;
        findings.push(entry(seen, side, &live).at(&side.region));
        findings.push(metrics(seen, &direction).at(&side.region));
    }
    findings
}

/// The target, and what its policy and the policy of its key say.
fn target_findings(seen: &Seen, arn: &Arn, read: &Read<AlertTarget>) -> Vec<Finding> {
    let region = &seen.topology.wanted.home().region;
    let what = TargetKind::of(arn.as_str()).name();
    let target = match read {
        Ok(target) => target,
        Err(error) => return vec![Finding::unread("alerts.target", error).at(region)],
    };
    let stands = || Finding::pass("alerts.target", format!("the {what} {arn}"));
    let render = |document: &Document| {
        format!("`crrctl policy render {}` prints the statement that is missing", document.name())
    };
    let findings = match judged(&seen.topology, target) {
        (Some(Wrong::Missing), _) => {
            let detail = format!("there is no {what} {arn}");
            let remedy = format!("make it again, or name another {what} in `replication.alerts`");
            vec![Finding::fail("alerts.target", detail, remedy)]
        }
        (Some(Wrong::Denies), _) => {
            let detail = format!("the policy of the {what} {arn} does not let S3 publish alerts");
            let denies = Finding::fail("alerts.policy", detail, render(&Document::AlertTarget));
            vec![stands(), denies]
        }
        (Some(Wrong::ManagedKey(key)), _) => {
            let detail = format!(
                "the messages of the {what} are under `{key}`, a key that AWS manages: S3 can't use it"
            );
            let remedy = format!("encrypt the {what} under a key of your own, or under none");
            vec![stands(), Finding::fail("alerts.policy", detail, remedy)]
        }
        (Some(Wrong::KeyDenies(key)), _) => {
            let detail =
                format!("the policy of {key}, the key of the {what}, does not let S3 use it");
            vec![stands(), Finding::fail("alerts.policy", detail, render(&Document::AlertKey))]
        }
        (None, Some(unread)) => {
            let remedy = "the caller needs `sns:GetTopicAttributes`, or `sqs:GetQueueUrl` and `sqs:GetQueueAttributes`, and for a key \
                          `kms:DescribeKey` and `kms:GetKeyPolicy`";
            vec![Finding::unknown("alerts.target", unread, remedy)]
        }
        (None, None) => {
            vec![stands(), Finding::pass("alerts.policy", "lets S3 publish")]
        }
    };
    findings.into_iter().map(|finding| finding.at(region)).collect()
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
    match alerts::ours(&seen.topology, live) {
        Some(ours) if ours.is_same(&wanted) => Finding::pass(
            name,
            format!("`{}` sends {} to {}", wanted.id, wanted.events.join(", "), wanted.target),
        ),
        Some(ours) => {
            let detail = format!(
                "the notification `{}` of `{}` differs: it sends {} to {}",
                ours.id,
                side.bucket,
                ours.events.join(", "),
                ours.target
            );
            Finding::fail(name, detail, APPLY)
        }
        None if !seen.stands() => Finding::skip(name, "`crrctl apply` makes it"),
        None => {
            let detail = format!("`{}` has no notification `{}`", side.bucket, wanted.id);
            Finding::fail(name, detail, APPLY)
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
