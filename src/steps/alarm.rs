//! An alarm on failed replication: found with its tags, put, tagged, removed.
//! Not for: what it watches (see `plan::alarms`).

use super::{Run, gone, known_arn, nothing_to_do};
use crate::aws::settle::{Look, Wait};
use crate::aws::{Aws, Error};
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::names::{Arn, Region};
use crate::plan::Action;
use crate::plan::work::{AlarmDiffers, AlarmMade, Owned};
use crate::world::Alarm;
use std::time::Duration;

/// Finds the alarms of the pair in a Region, by the beginning of their names.
pub(crate) async fn find(
    aws: &Aws,
    topology: &Topology,
    region: &Region,
) -> Result<Vec<Alarm>, Error> {
    aws.alarms(region, &topology.wanted.rule_prefix()).await
}

/// Finds the alarms of every pair in a Region.
pub(crate) async fn every(aws: &Aws, region: &Region) -> Result<Vec<Alarm>, Error> {
    aws.alarms(region, Topology::RULE_PREFIX).await
}

pub(super) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &Owned<AlarmMade, AlarmDiffers>,
) -> Result<Arn, Failure> {
    match work {
        Owned::Create(made) => create(run, action, made).await,
        Owned::Update(differs) => update(run, action, differs).await,
        Owned::Remove(_) => {
            remove(run, action).await?;
            known_arn(action)
        }
        Owned::Leave(_) | Owned::Unchanged => Err(nothing_to_do(action)),
    }
}

/// Puts the alarm, and waits until CloudWatch shows it: the next run must find it.
async fn create(run: Run<'_>, action: &Action, made: &AlarmMade) -> Result<Arn, Failure> {
    let (region, name) = (&action.region, action.name.as_str());
    run.retry(|| run.aws.put_alarm(region, name, &made.says, &made.tags)).await?;
    let wait = Wait {
        what: format!("CloudWatch to show the alarm `{name}`"),
        every: Duration::from_millis(500),
        at_most_every: Duration::from_secs(5),
        at_most: Duration::from_mins(2),
        in_a_row: 1,
        hint: "run `crrctl apply` again".to_owned(),
    };
    let look = || async {
        let is_shown = run.retry(|| stands(run, action)).await?;
        Ok(if is_shown { Look::There(()) } else { Look::NotYet("not yet".to_owned()) })
    };
    run.until(&wait, look).await?;
    known_arn(action)
}

async fn update(run: Run<'_>, action: &Action, differs: &AlarmDiffers) -> Result<Arn, Failure> {
    let (region, name, arn) = (&action.region, action.name.as_str(), known_arn(action)?);
    let tags = run.scope.topology.all_tags();
    if let Some(change) = &differs.says {
        run.retry(|| run.aws.put_alarm(region, name, &change.to, &tags)).await?;
    }
    if !differs.tags.set.is_empty() {
        run.retry(|| run.aws.tag_alarm(region, &arn, &tags)).await?;
    }
    if differs.tags.expires.is_some() {
        run.retry(|| run.aws.untag_alarm(region, &arn, Topology::EXPIRES_TAG)).await?;
    }
    Ok(arn)
}

async fn stands(run: Run<'_>, action: &Action) -> Result<bool, Error> {
    let found = run.aws.alarms(&action.region, &action.name).await?;
    Ok(found.iter().any(|alarm| alarm.name == action.name))
}

async fn remove(run: Run<'_>, action: &Action) -> Result<(), Failure> {
    let call = || run.aws.delete_alarm(&action.region, &action.name);
    gone::removed(run, "the alarm", call, || stands(run, action)).await
}
