//! The operator's calls for `replication.alerts`: the notification configurations of the sources, and
//! the topic or queue.
//! Not for: what S3 itself may do there (see `proof::alerts`).

use super::super::call::{Call, ResourcePolicyOf};
use super::Operator;
use crate::manifest::Side;
use crate::names::{AccountId, Arn};

impl Operator<'_> {
    /// Returns the sources in this operator's account whose failures are alerted of.
    fn alerting(&self) -> impl Iterator<Item = &Side> {
        let alerts = self.scene.topology.wanted.alerts.iter();
        alerts.flat_map(|_| self.sources())
    }

    /// Returns the reads of the notification configurations and of the topic or queue.
    pub(super) fn reads_alerts(&self) -> Vec<Call> {
        let read = |side| self.on_bucket("s3:GetBucketNotification", side);
        let mut calls: Vec<Call> = self.alerting().map(read).collect();
        let target = self.alerting().next().and(self.scene.topology.wanted.alerts.as_ref());
        calls.extend(target.into_iter().flat_map(|target| self.on_alert_target(target)));
        calls
    }

    /// Returns the reads of a topic or queue.
    pub(super) fn on_alert_target(&self, target: &Arn) -> Vec<Call> {
        let (actions, forbidden): (&[&str], &[&'static str]) = if target.service() == "sns" {
            (&["sns:GetTopicAttributes"], &["sns:Publish", "sns:SetTopicAttributes"])
        } else {
            let reads = &["sqs:GetQueueAttributes", "sqs:GetQueueUrl"];
            (reads, &["sqs:ReceiveMessage", "sqs:SetQueueAttributes"])
        };
        let owner = AccountId::new(target.account()).ok();
        let owner = owner.unwrap_or_else(|| self.account.clone());
        let call = |action: &&str| {
            let decoy = (format!("{target}-other"), ResourcePolicyOf::Nothing);
            Call::new(&self.who, action, target, &owner)
                .foreign_resources([decoy])
                .forbidden_actions(forbidden)
        };
        // The policy of another account's topic or queue must let this account read it too.
        let is_own = owner == *self.account;
        actions.iter().filter(|_| is_own).map(call).collect()
    }

    /// Returns the writes of the notification configurations of the sources that are `meant`.
    pub(super) fn writes_alerts(&self, meant: impl Fn(&Side) -> bool) -> Vec<Call> {
        let sides = self.alerting().filter(|side| meant(side));
        sides.map(|side| self.on_bucket("s3:PutBucketNotification", side)).collect()
    }
}
