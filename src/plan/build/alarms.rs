//! Plans the alarms on failed replication.
//! Not for: what they watch (see `plan::alarms`).

use super::{Builder, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::plan::alarms::{self, AlarmWanted};
use crate::plan::work::{AlarmChange, AlarmDiffers, AlarmMade, Owned, WhyLeft, WhyRemoved};
use crate::plan::{Action, Work, rules};
use crate::world::Alarm;

impl Builder<'_> {
    /// Plans the alarms of one direction.
    pub(super) fn alarms(&mut self) -> Result<(), Failure> {
        for wanted in alarms::wanted(self.topology) {
            let is_it = |it: &&Alarm| it.region == wanted.region && it.name == wanted.name;
            let live = self.world.alarms.iter().find(is_it);
            let work = self.alarm_work(&wanted, live)?;
            // The tags of the source record that there are alarms, so they come first.
            let source = &self.topology.source.bucket;
            let tags = StepId::new(Kind::BucketTags, source.as_str());
            let arn = Some(wanted.arn.clone());
            let work = Work::Alarm(work);
            self.add(work, &wanted.step(), &wanted.region, &wanted.name, arn, &[&tags]);
        }
        Ok(())
    }

    fn alarm_work(
        &self,
        wanted: &AlarmWanted,
        live: Option<&Alarm>,
    ) -> Result<Owned<AlarmMade, AlarmDiffers>, Failure> {
        let (tags, says) = (self.topology.all_tags(), wanted.says.clone());
        let Some(live) = live else {
            return Ok(Owned::Create(AlarmMade { says: Box::new(says), tags }));
        };
        if !self.is_ours(&live.tags) {
            let message =
                format!("the alarm {} exists and does not bear this pair's tags", live.arn);
            return Err(in_the_way("alarm-not-ours", message, &wanted.region)
                .hint("give the pair another name, or delete that alarm"));
        }
        let change = || Box::new(AlarmChange { from: live.says.clone(), to: says.clone() });
        let says = (live.says != says).then(change);
        Ok(Owned::differing(AlarmDiffers { says, tags: self.tags_differ(&live.tags, tags) }))
    }

    /// Removes the alarms of rules that go. Other alarms that the manifest does not want any more are
    /// orphans.
    pub(super) fn orphaned_alarms(&mut self) {
        let (topology, world) = (self.topology, self.world);
        let wanted = alarms::all_wanted(topology);
        let is_wanted = |alarm: &&Alarm| {
            wanted.iter().any(|it| it.region == alarm.region && it.name == alarm.name)
        };
        let directions = topology.directions();
        let going: Vec<(String, String)> = { directions.iter() }
            .flat_map(|direction| {
                let bucket = world.buckets.get(&direction.source.bucket);
                let live = bucket.and_then(|bucket| bucket.replication.as_ref());
                let rules = live.into_iter().flat_map(|live| &live.rules);
                let goes = rules.filter(|rule| rules::goes(direction, rule));
                let source = direction.source.bucket.to_string();
                goes.map(|rule| (source.clone(), rule.id.clone())).collect::<Vec<_>>()
            })
            .collect();
        for alarm in alarms::ours(topology, world).filter(|alarm| !is_wanted(alarm)) {
            let of = |name: &str| alarm.says.dimensions.get(name).cloned().unwrap_or_default();
            let goes = going.contains(&(of("SourceBucket"), of("RuleId")));
            let work = if goes || self.wish.prune {
                Owned::Remove(WhyRemoved::Dropped)
            } else {
                Owned::Leave(WhyLeft::NotPruned)
            };
            self.plan.actions.push(action(alarm, work));
        }
    }
}

/// Returns the action that removes or leaves an alarm.
pub(in crate::plan) fn action(alarm: &Alarm, work: Owned<AlarmMade, AlarmDiffers>) -> Action {
    let id = alarms::step(&alarm.region, &alarm.name);
    let (region, arn) = (&alarm.region, Some(alarm.arn.clone()));
    Action::new(Work::Alarm(work), &id, region, &alarm.name, arn, Vec::new())
}
