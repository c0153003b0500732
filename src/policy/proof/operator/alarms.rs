//! The calls on alarms. `DescribeAlarms` by the beginning of names needs the permission on every alarm
//! of the Region (CloudWatch API Reference, `DescribeAlarms`; Service Authorization Reference,
//! "Actions defined by Amazon CloudWatch").
//! Not for: metrics (see `operator`).

use super::super::call::{Call, ResourcePolicyOf};
use super::Operator;
use crate::manifest::Topology;
use crate::names::Arn;

/// Nothing of crrctl silences an alarm, or sets its state.
const NOT_ON_ALARMS: [&str; 2] = ["cloudwatch:DisableAlarmActions", "cloudwatch:SetAlarmState"];

impl Operator<'_> {
    /// Returns the reads of `plan`: the alarms, and the topics that they notify.
    pub(super) fn reads_alarms(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        for (every, alarm) in self.alarms() {
            let elsewhere = every.to_string().replace(every.region(), "xx-elsewhere-9");
            calls.push(
                Call::new(&self.who, "cloudwatch:DescribeAlarms", every, self.account)
                    .foreign_resources([(elsewhere, ResourcePolicyOf::Nothing)])
                    .forbidden_actions(&NOT_ON_ALARMS),
            );
            calls.push(self.on_alarm("cloudwatch:ListTagsForResource", &alarm));
        }
        for direction in self.directions() {
            calls.extend(direction.alarm_topic().iter().flat_map(|it| self.on_alert_target(it)));
        }
        calls
    }

    /// Returns the reads of `list` and `gc`, which find the alarms of any pair.
    pub(super) fn finds_alarms(&self) -> Vec<Call> {
        let on = |action: &str, arn: Arn| {
            Call::new(&self.who, action, arn, self.account).forbidden_actions(&NOT_ON_ALARMS)
        };
        let reads = |(every, alarm): (Arn, Arn)| {
            [on("cloudwatch:DescribeAlarms", every), on("cloudwatch:ListTagsForResource", alarm)]
        };
        self.alarms().into_iter().flat_map(reads).collect()
    }

    /// Returns calls that write or delete the pair's alarms.
    pub(super) fn on_alarms(&self, actions: &[&str]) -> Vec<Call> {
        let alarms = self.alarms();
        let on = |(_, alarm): &(Arn, Arn)| {
            actions.iter().map(|action| self.on_alarm(action, alarm)).collect::<Vec<_>>()
        };
        alarms.iter().flat_map(on).collect()
    }

    fn on_alarm(&self, action: &str, alarm: &Arn) -> Call {
        let other = alarm.to_string().replace(":alarm:", ":alarm:other-");
        Call::new(&self.who, action, alarm.clone(), self.account)
            .foreign_resources([(other, ResourcePolicyOf::Nothing)])
            .forbidden_actions(&NOT_ON_ALARMS)
    }

    /// Returns, of each wanted alarm, the ARN of every alarm of its Region and its own.
    fn alarms(&self) -> Vec<(Arn, Arn)> {
        let directions = self.directions();
        let arns = directions.iter().flat_map(Topology::alarm_arns);
        let with_every = arns.map(|arn| {
            let every = Arn::known(
                self.scene.partition(),
                "cloudwatch",
                arn.region(),
                arn.account(),
                "alarm:*",
            );
            (every, arn)
        });
        with_every.collect()
    }
}

pub(super) const DELETE: &str = "cloudwatch:DeleteAlarms";
pub(super) const WRITES: [&str; 4] =
    [DELETE, "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"];
