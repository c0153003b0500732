//! Whether S3 can publish the events of a bucket to a topic or a queue: it exists, is no FIFO one, and
//! its policy and its key let S3. CloudWatch, too, publishes only where they let it.
//! Sources: S3 User Guide, "Granting permissions to publish event notification messages to a
//! destination"; SNS Developer Guide, "Key management"; SQS Developer Guide, "Key management".
//! Not for: which events a bucket publishes (see `world::buckets::notifications`).

use crate::gate::{AccessRequest, KeyRequest, authorize};
use crate::world::alarms::{AlarmNotice, alarm_arn};
use crate::world::buckets::{Bucket, bucket_arn};
use crate::world::kms::{Kms, Wanted};
use crate::world::messaging::Channel;
use crate::world::{Caller, Quirk, State};
use crrctl_iam::names::Arn;
use crrctl_iam::{Context, Principal, ResourceKind};

/// The service that publishes events.
const SERVICE: &str = "s3.amazonaws.com";

impl State {
    /// Checks that S3 can publish events of the bucket `name` to the topic or queue `arn`.
    ///
    /// # Errors
    /// What is wrong, as S3 says it.
    pub(crate) fn may_publish(
        &self,
        (name, bucket): (&str, &Bucket),
        arn: &Arn,
    ) -> Result<(), String> {
        let (what, action) = if arn.service() == "sns" {
            ("topic", "sns:Publish")
        } else {
            ("queue", "sqs:SendMessage")
        };
        let Some(channel) = self.messaging.0.get(arn.as_str()) else {
            return Err(format!("The destination {what} does not exist"));
        };
        if arn.resource().strip_suffix(".fifo").is_some() {
            // S3 publishes to standard topics and queues alone (S3 User Guide, "Event
            // notification types and destinations"). The text is the sandbox's own.
            return Err(format!("The destination {what} is a FIFO {what}"));
        }
        let denied = || {
            format!(
                "Permissions on the destination {what} do not allow S3 to publish notifications from this bucket"
            )
        };
        if self.recent.lasts(Quirk::LateTarget, || arn.as_str()) {
            return Err(denied());
        }
        let service = Caller {
            principal: Principal::Service(SERVICE.to_owned()),
            ..Caller::root(bucket.owner.clone(), bucket.region.clone())
        };
        let context = || {
            let source = bucket_arn(bucket.region.partition(), name);
            Context::new()
                .with("aws:SourceAccount", bucket.owner.as_str())
                .with("aws:SourceArn", source)
        };
        self.lets((arn.as_str(), channel), action, &service, context).ok_or_else(denied)
    }

    /// Evaluates the alarms, and delivers what they published since to the topics that exist and let
    /// CloudWatch publish (CloudWatch User Guide, "Notify users on alarm changes"). An action without
    /// a topic is only recorded.
    pub(crate) fn run_alarms(&mut self) {
        self.judge_alarms();
        let now = self.now();
        for notice in self.alarms.untold() {
            let is_let = self.may_notify(&notice);
            if let Some(channel) = self.messaging.0.get_mut(&notice.action).filter(|_| is_let) {
                channel.push(notice.message.to_string(), now);
            }
        }
    }

    /// Returns whether CloudWatch may publish to the topic of an action. It says who owns the alarm by
    /// `aws:SourceOwner` too, which the policy of a new topic asks for (SNS Developer Guide, "Example
    /// cases for Amazon SNS access control").
    fn may_notify(&self, notice: &AlarmNotice) -> bool {
        let Some(channel) = self.messaging.0.get(&notice.action) else { return false };
        let (account, region, name) = &notice.alarm;
        let service = Caller {
            principal: Principal::Service("cloudwatch.amazonaws.com".to_owned()),
            ..Caller::root(account.clone(), region.clone())
        };
        let context = || {
            Context::new()
                .with("aws:SourceAccount", account.as_str())
                .with("aws:SourceArn", alarm_arn(region, account, name))
                .with("aws:SourceOwner", account.as_str())
        };
        self.lets((&notice.action, channel), "sns:Publish", &service, context).is_some()
    }

    /// Checks that the policy of a topic or a queue, and that of its key, let a service publish.
    fn lets(
        &self,
        (arn, channel): (&str, &Channel),
        action: &str,
        service: &Caller,
        context: impl Fn() -> Context,
    ) -> Option<()> {
        let on = channel.policy.as_ref().map(|document| (ResourceKind::Channel, document));
        let request = AccessRequest { on, ..AccessRequest::plain(action, arn, &channel.owner) };
        authorize(&self.iam, service, request, &context).ok()?;
        self.may_encrypt(channel, service, context)
    }

    /// Checks that a service may use the key of a topic or a queue. The policies of AWS managed keys
    /// can't be changed, and let neither S3 nor CloudWatch.
    fn may_encrypt(
        &self,
        channel: &Channel,
        service: &Caller,
        context: impl Fn() -> Context,
    ) -> Option<()> {
        let Some(reference) = channel.key() else { return Some(()) };
        let at = Caller::root(channel.owner.clone(), channel.region.clone());
        let key = self.kms.resolve(&at, reference).ok()?;
        self.kms.check_state(&key).ok()?;
        let (at, id) = Kms::parts(&key)?;
        for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
            let request = KeyRequest { action, context: context(), wanted: Wanted::Nothing };
            self.kms.permit(&self.iam, service, (&at, &id), request).ok()?;
        }
        Some(())
    }
}
