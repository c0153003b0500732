//! The replication configuration of a direction's source: the pair's rules and the rules of other
//! owners.
//! Not for: which rules a pair requires (see `plan::rules`).

mod rule;
mod text;

use super::dropped;
use super::quiet;
use super::standing;
use super::{Run, Steps, built, known_arn, nothing_to_do};
use crate::aws::settle::{Look, Wait, pause};
use crate::aws::{At, Aws, Class, Error};
use crate::failure::{Failure, Kind};
use crate::manifest::{BucketPlace, Topology};
use crate::names::{Arn, BucketName, Region};
use crate::plan::work::{DroppedRuleWork, Owned, RulesBucket, RulesRemoved, RulesWritten};
use crate::plan::{Action, others, rules};
use crate::world::{Replication, Rule};
use aws_sdk_s3::types::{ReplicationConfiguration, ReplicationRule};
use futures::future::try_join;
use rule::{converted, described, described_rule, sdk_rule};
use std::time::Duration;
use text::text;
use tokio::time::Instant;

/// How long to wait after the role is created or changed before the rules of other owners use it.
/// The pair's probes can't prove the role for those rules, and FAILED is final for an object (IAM
/// User Guide, "Changes that I make are not always immediately visible").
const SPREADS: Duration = Duration::from_secs(30);

pub(crate) async fn find(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Option<Replication>, Error> {
    let Some(live) = read(aws, bucket, region).await? else { return Ok(None) };
    let mut live = described(&live);
    for rule in &mut live.rules {
        match named_by_alias(aws, rule).await? {
            Named::Key(key) => rule.replica_key = Some(key),
            Named::Nothing => rule.replica_alias = None,
            Named::Unread => {}
        }
    }
    Ok(Some(live))
}

/// What the alias of a rule names.
enum Named {
    /// The ARN of a key.
    Key(String),
    /// The alias does not exist: S3 has no key for replicas.
    Nothing,
    /// The rule has no alias, or the caller may not read it.
    Unread,
}

/// Returns which replica key a rule names by an alias.
async fn named_by_alias(aws: &Aws, rule: &Rule) -> Result<Named, Error> {
    let Some(alias) = rule.replica_alias.as_deref() else { return Ok(Named::Unread) };
    let region = alias.split(':').nth(3).and_then(|region| Region::new(region).ok());
    let Some(region) = region else { return Ok(Named::Unread) };
    match aws.kms(&region).describe_key().key_id(alias).send().await.at("kms:DescribeKey", &region)
    {
        Ok(output) => {
            let arn = output.key_metadata().and_then(|key| key.arn());
            Ok(arn.map_or(Named::Unread, |arn| Named::Key(arn.to_owned())))
        }
        Err(error) if error.is_absent() => Ok(Named::Nothing),
        Err(error) if error.class == Class::Denied => Ok(Named::Unread),
        Err(error) => Err(error),
    }
}

async fn read(
    aws: &Aws,
    bucket: &BucketName,
    region: &Region,
) -> Result<Option<ReplicationConfiguration>, Error> {
    let request = aws.s3(region).get_bucket_replication().bucket(bucket.as_str());
    match request.send().await.at("s3:GetBucketReplication", region) {
        Ok(output) => Ok(output.replication_configuration().cloned()),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Adds to the failure of a proof that no user object was affected.
fn unproven(failure: Failure) -> Failure {
    failure
        .hint("the rules cover probes alone as yet: no object of yours met what is not proven")
        .hint("`crrctl apply` again goes on with the proof")
}

pub(super) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &Owned<RulesWritten, RulesWritten, RulesRemoved>,
) -> Result<Arn, Failure> {
    match work {
        Owned::Create(written) | Owned::Update(written) => apply_rules(run, action, written).await,
        Owned::Remove(removed) => {
            remove_all_rules(run, action, removed.bucket).await?;
            known_arn(action)
        }
        Owned::Leave(_) | Owned::Unchanged => Err(nothing_to_do(action)),
    }
}

/// Writes the wanted rules. Rules that must be proven first cover only the prefix of the probes
/// until then.
async fn apply_rules(
    run: Run<'_>,
    action: &Action,
    written: &RulesWritten,
) -> Result<Arn, Failure> {
    let direction = run.scope.direction_from(&action.name)?;
    let keys = run.keys.committed_for(direction)?;
    if let Some(world) = run.beginning.beside_others().filter(|_| !direction.is_back()) {
        others::prove_shared_role(&run.scope.topology, world, &keys, &run.templates)?;
    }
    others_are_ready(&run, direction).await?;
    if written.role_is_fresh {
        run.progress.note("rules of others get the role too: it is given time to spread");
        pause(&run.stop, SPREADS).await;
    }
    if let Some(prover) = run.prover.as_ref().filter(|_| written.proven_first) {
        let narrow = |live: Option<&Replication>| {
            let wanted = rules::wanted(direction, &keys, live);
            rules::proving(direction, &wanted, live)
        };
        let written = write_rules(run, action, narrow, |_| false).await?;
        if !written.is_empty() {
            run.progress.note("the rules cover probes alone until they are proven");
            prover.prove(direction, &keys, run.progress).await.map_err(unproven)?;
            run.progress.note("proven: the rules go live");
        }
    }
    let wanted = |live: Option<&Replication>| rules::wanted(direction, &keys, live);
    let goes = |rule: &Rule| rules::goes(direction, rule);
    write_rules(run, action, wanted, goes).await?;
    run.record.noted().activated_at.get_or_insert_with(jiff::Timestamp::now);
    Ok(run.scope.bucket_arn(&direction.source.bucket))
}

/// Checks that the buckets in accounts without credentials exist. S3 accepts no rule to a
/// missing bucket, and waiting does not help. If access to a bucket is denied, the bucket
/// exists.
async fn others_are_ready(steps: &Steps, direction: &Topology) -> Result<(), Failure> {
    for side in direction.handed_over() {
        let head = steps.aws.s3(&side.region).head_bucket().bucket(side.bucket.as_str());
        match head.send().await.at("s3:HeadBucket", &side.region) {
            Err(error) if error.is_absent() => {
                let account = &side.account;
                let message = format!(
                    "the source's half stands, and replicates nothing yet: there is no bucket `{}`, which is for the owner of account {account}",
                    side.bucket
                );
                let failure = Failure::new(Kind::TooLate, "other-side-missing", message);
                return Err(failure.in_region(&side.region).hint(
                        "once it is there, versioned, with the documents printed here, `crrctl apply` goes on",
                    ));
            }
            Err(error) if error.class != Class::Denied => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Writes `ours`, each rule in place of the rule with its id. Other rules stay, except the
/// pair's rules that `goes` selects. The configuration is shared, so it is read again before it
/// is overwritten.
async fn write_rules(
    run: Run<'_>,
    action: &Action,
    ours: impl Fn(Option<&Replication>) -> Vec<Rule>,
    goes: impl Fn(&Rule) -> bool,
) -> Result<Vec<Rule>, Failure> {
    let direction = run.scope.direction_from(&action.name)?;
    let side = &direction.source;
    // A bucket that this run created has only the pair's rules.
    let live = if run.beginning.lacked(&side.bucket) {
        None
    } else {
        read(&run.aws, &side.bucket, &side.region).await?
    };
    let role = role_for(direction, live.as_ref().map(described).as_ref())?;
    let ours = ours(live.as_ref().map(described).as_ref());
    if ours.is_empty() {
        return Ok(ours);
    }
    let is_replaced = |live: &Rule| goes(live) || ours.iter().any(|rule| rule.id == live.id);
    let others = live
        .iter()
        .flat_map(ReplicationConfiguration::rules)
        .filter(|rule| !is_replaced(&described_rule(rule)))
        .cloned();
    let others = converted(others.collect(), &ours).into_iter();
    let rules =
        others.map(Ok).chain(ours.iter().map(sdk_rule)).collect::<Result<Vec<_>, Failure>>()?;
    let put = put_rules(run, side.bucket.as_str(), &side.region, role.as_str(), rules);
    run.replacing(action, live.as_ref().map(text), put).await?;
    let at = Instant::now();
    let confirmed = confirm(run, &side.bucket, &side.region, |live| {
        live.is_some_and(|live| {
            let stands = |rule: &Rule| live.rules.iter().any(|it| rules::says(it, rule));
            ours.iter().all(stands) && !live.rules.iter().any(&goes)
        })
    });
    try_join(confirmed, standing::keys_stand(run)).await?;
    run.record.noted().seen.rules(&side.bucket, at);
    Ok(ours)
}

/// Returns the role of the new configuration. Fails if the configuration has changed since the
/// plan.
fn role_for(direction: &Topology, live: Option<&Replication>) -> Result<Arn, Failure> {
    let wanted = direction.assumed_role();
    let Some(live) = live else { return Ok(wanted) };
    others::refuse_v1(direction, live)?;
    let has_others = rules::foreign(direction, live).next().is_some();
    if !has_others || direction.role_settings.take_over || live.role == wanted.as_str() {
        return Ok(wanted);
    }
    let message = format!(
        "the replication configuration of `{}` was given rules of others and their role {} while this run was at work",
        direction.source.bucket, live.role
    );
    Err(Failure::new(Kind::InTheWay, "replication-not-ours", message)
        .hint("`crrctl plan` shows what can be done beside them"))
}

async fn put_rules(
    run: Run<'_>,
    bucket: &str,
    region: &Region,
    role: &str,
    rules: Vec<ReplicationRule>,
) -> Result<(), Failure> {
    let configuration =
        built(ReplicationConfiguration::builder().role(role).set_rules(Some(rules)).build())?;
    let put = run
        .aws
        .s3(region)
        .put_bucket_replication()
        .bucket(bucket)
        .replication_configuration(configuration);
    run.retry(|| async { put.clone().send().await.at("s3:PutBucketReplication", region) }).await?;
    Ok(())
}

/// Waits until the configuration reads back as written. A read soon after a write
/// "can return a wrong result" (S3 API Reference, `GetBucketReplication`).
async fn confirm(
    run: Run<'_>,
    bucket: &BucketName,
    region: &Region,
    is_right: impl Fn(Option<&Replication>) -> bool,
) -> Result<(), Failure> {
    let wait = Wait {
        what: format!("the replication configuration of `{bucket}` to read back as it was written"),
        every: Duration::from_millis(200),
        at_most_every: Duration::from_secs(5),
        at_most: Duration::from_mins(2),
        in_a_row: 1,
        hint: "somebody else may be changing it: run `crrctl plan` to see what differs".to_owned(),
    };
    let look = || async {
        let live = find(&run.aws, bucket, region).await?;
        Ok(if is_right(live.as_ref()) {
            Look::There(())
        } else {
            Look::NotYet("it differs".to_owned())
        })
    };
    run.until(&wait, look).await
}

/// Removes the pair's rules, by id. The configuration is deleted if no rule is left. A bucket
/// that stays still receives objects, so S3 must stop applying the rules before their role and
/// keys may be deleted.
async fn remove_all_rules(
    run: Run<'_>,
    action: &Action,
    bucket: RulesBucket,
) -> Result<(), Failure> {
    if bucket == RulesBucket::TakesThemAlong {
        return Ok(());
    }
    let direction = run.scope.direction_from(&action.name)?;
    let is_ours = |id: &str| rules::region_of(direction, id).is_some();
    remove_rules(run, &direction.source, is_ours).await?;
    if bucket == RulesBucket::Stays { quiet::until_forgotten(run, direction).await } else { Ok(()) }
}

/// Removes the pair's rule that `action` names. If other principals write to the bucket, the
/// resources of the rule stay until S3 no longer applies it.
pub(super) async fn run_dropped(
    run: Run<'_>,
    action: &Action,
    work: &DroppedRuleWork,
) -> Result<Arn, Failure> {
    let bucket_is_live = match work {
        DroppedRuleWork::Remove { bucket_is_live } => *bucket_is_live,
        DroppedRuleWork::Leave(_) => return Err(nothing_to_do(action)),
    };
    remove_rules(run, &run.scope.topology.source, |other| other == action.name).await?;
    let dropped = run.scope.served.rules.iter().find(|rule| rule.id == action.name);
    if let Some(dropped) = dropped.filter(|_| bucket_is_live) {
        dropped::until_dropped(run, dropped).await?;
    }
    known_arn(action)
}

async fn remove_rules(
    run: Run<'_>,
    source: &BucketPlace,
    goes: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let BucketPlace { bucket, region } = source;
    let Some(live) = read(&run.aws, bucket, region).await? else { return Ok(()) };
    let stay = |rule: &&ReplicationRule| !goes(rule.id().unwrap_or_default());
    let others: Vec<ReplicationRule> = live.rules().iter().filter(stay).cloned().collect();
    if others.len() == live.rules().len() {
        return Ok(());
    }
    if others.is_empty() {
        let delete = run.aws.s3(region).delete_bucket_replication().bucket(bucket.as_str());
        run.retry(|| async {
            delete.clone().send().await.at("s3:DeleteBucketReplication", region)
        })
        .await?;
    } else {
        put_rules(run, bucket.as_str(), region, live.role(), others).await?;
    }
    confirm(run, bucket, region, |live| {
        live.is_none_or(|live| live.rules.iter().all(|rule| !goes(&rule.id)))
    })
    .await
}
