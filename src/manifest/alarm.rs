//! The manifest's alarms on failed replication: one a rule, in the Region of the rule's source.
//! Not for: what an alarm watches (see `plan::alarms`).

use super::topology::Topology;
use super::wanted::Wanted;
use crate::names::{Arn, Region};
use std::collections::BTreeMap;

/// The SNS topics that alarms on failed replication notify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmSettings {
    /// Topic in the source's Region.
    pub topic: Arn,
    /// Topics of the reverse directions, by the destination's Region.
    pub back: BTreeMap<Region, Arn>,
}

impl Wanted {
    /// Returns the name of the alarm of a rule. The id of a rule that crrctl creates already begins
    /// with the pair's prefix.
    pub fn alarm_name(&self, rule: &str) -> String {
        let prefix = self.rule_prefix();
        if rule.starts_with(&prefix) { rule.to_owned() } else { format!("{prefix}{rule}") }
    }
}

impl Topology {
    /// Prefix of the ids of the rules, and of the names of the alarms, of every pair.
    pub const RULE_PREFIX: &'static str = "crrctl.";
    /// Tag of a source bucket for whose rules there are alarms, or were.
    pub const ALARM_TAG: &'static str = "crrctl:setting/alarm";

    /// Returns the topic that the alarms of this direction notify. `None` where the manifest has no
    /// alarms, and where the source is handed over.
    pub fn alarm_topic(&self) -> Option<&Arn> {
        let region = &self.source.region;
        let settings = self.wanted.alarm.as_ref()?;
        if self.wanted.is_handed_over(region) {
            return None;
        }
        if self.is_back() { settings.back.get(region) } else { Some(&settings.topic) }
    }

    /// Returns the ARN of the alarm of a rule of this direction.
    pub fn alarm_arn(&self, rule: &str) -> Arn {
        let region = &self.source.region;
        let resource = format!("alarm:{}", self.wanted.alarm_name(rule));
        let account = self.wanted.account_of(region).as_str();
        Arn::known(region.partition(), "cloudwatch", region.as_str(), account, &resource)
    }

    /// Returns the ARNs of the alarms that the manifest wants in this direction.
    pub fn alarm_arns(&self) -> Vec<Arn> {
        let rules = self.rules.iter().filter(|_| self.alarm_topic().is_some());
        rules.map(|rule| self.alarm_arn(&rule.id)).collect()
    }

    /// Returns the Regions in which the manifest wants alarms.
    pub fn alarm_regions(&self) -> Vec<Region> {
        let directions = self.directions();
        let with_topic = directions.iter().filter(|it| it.alarm_topic().is_some());
        with_topic.map(|direction| direction.source.region.clone()).collect()
    }
}
