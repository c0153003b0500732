//! How alarms are made and changed.
//! Not for: what they watch (see `plan::alarms`).

use super::TagsDiffer;
use crate::world::{AlarmSays, Tags};

/// An alarm that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmMade {
    /// What it watches, and what it does.
    pub says: Box<AlarmSays>,
    /// Its tags.
    pub tags: Tags,
}

/// How an alarm differs from the one that is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmDiffers {
    /// What it says, if that differs.
    pub says: Option<Box<AlarmChange>>,
    /// How its tags differ.
    pub tags: TagsDiffer,
}

/// The change of what an alarm says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmChange {
    /// What is found.
    pub from: AlarmSays,
    /// What is written.
    pub to: AlarmSays,
}

impl AlarmChange {
    /// Returns what differs, in the words of CloudWatch's console.
    pub fn labels(&self) -> Vec<&'static str> {
        let (from, to) = (&self.from, &self.to);
        let metric =
            |it: &AlarmSays| (it.namespace.clone(), it.metric.clone(), it.statistic.clone());
        let periods = |it: &AlarmSays| (it.period, it.evaluation_periods, it.datapoints_to_alarm);
        let all = [
            ("description", from.description != to.description),
            ("metric", metric(from) != metric(to) || from.dimensions != to.dimensions),
            ("period", periods(from) != periods(to)),
            ("threshold", from.threshold.total_cmp(&to.threshold).is_ne()),
            ("comparison", from.comparison != to.comparison),
            ("missing data", from.missing_data != to.missing_data),
            ("actions enabled", from.actions_enabled != to.actions_enabled),
            (
                "actions",
                from.alarm_actions != to.alarm_actions
                    || from.ok_actions != to.ok_actions
                    || from.insufficient_data_actions != to.insufficient_data_actions,
            ),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(label, _)| label).collect()
    }
}
