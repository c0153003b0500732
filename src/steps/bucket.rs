//! Buckets: found with all their settings, created in the right Region with tags and object
//! ownership in one call, emptied and removed.
//! Not for: single settings (each has its own file).

use super::gone;
use super::settings::tags;
use super::settings::{self, Stored};
use super::{Run, Steps, built, known_arn, nothing_to_do, objects};
use crate::aws::settle::{Look, Wait};
use crate::aws::{At, Aws, Class, Error};
use crate::events;
use crate::failure::{DeniedBecause, Failure, Kind, PolicyKind};
use crate::joined;
use crate::manifest::{BucketPlace, Side};
use crate::names::{Arn, BucketName};
use crate::plan::Action;
use crate::plan::work::{BucketWork, Holds};
use crate::settings::Optional;
use crate::settings::{Expiry, Lock, Notifications};
use crate::world::{Bucket, Replication};
use aws_sdk_s3::types::builders::CreateBucketConfigurationBuilder;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketNamespace, CreateBucketConfiguration, ObjectOwnership, Tag,
};
use std::time::Duration;
use tokio::time::Instant;

/// Finds a bucket of this account and reads its settings concurrently. Of the optional settings, it
/// reads those that `matter`. Returns `None` if the bucket does not exist, and fails with
/// `Kind::InTheWay` if the bucket is in another Region or account. If some reads find no bucket or
/// the tags are empty, another run may be creating the bucket, so it is read again.
pub(crate) async fn find(
    aws: &Aws,
    side: &BucketPlace,
    matter: &Optional,
) -> Result<Option<Bucket>, Failure> {
    match Box::pin(find_once(aws, side, matter)).await {
        Ok(Some(bucket)) if bucket.tags.is_empty() => Box::pin(find_once(aws, side, matter)).await,
        Err(failure) if failure.aws_code.as_deref() == Some("NoSuchBucket") => {
            Box::pin(find_once(aws, side, matter)).await
        }
        found => found,
    }
}

/// Reads more of the optional documents of a bucket.
pub(crate) async fn find_more(
    aws: &Aws,
    side: &BucketPlace,
    more: &Optional,
    bucket: &mut Bucket,
) -> Result<(), Failure> {
    if more.is_empty() {
        return Ok(());
    }
    let (replication, lifecycle, notifications, documents) = tokio::join!(
        replication(aws, side, more),
        lifecycle(aws, side, more),
        notifications(aws, side, more),
        settings::read_more(aws, side, more, &mut bucket.documents),
    );
    let rules = joined::pair(replication, joined::pair(lifecycle, notifications));
    let ((), (replication, (lifecycle, notifications))) = joined::pair(documents, rules)?;
    if more.has(events::Kind::Replication) {
        bucket.replication = replication;
    }
    if more.has(events::Kind::Lifecycle) {
        bucket.lifecycle = lifecycle;
    }
    if more.has(events::Kind::Notification) {
        bucket.notifications = notifications;
    }
    Ok(())
}

async fn replication(
    aws: &Aws,
    side: &BucketPlace,
    matter: &Optional,
) -> Result<Option<Replication>, Error> {
    if !matter.has(events::Kind::Replication) {
        return Ok(None);
    }
    super::replication::find(aws, &side.bucket, &side.region).await
}

async fn lifecycle(aws: &Aws, side: &BucketPlace, matter: &Optional) -> Result<Vec<Expiry>, Error> {
    if !matter.has(events::Kind::Lifecycle) {
        return Ok(Vec::new());
    }
    settings::find_lifecycle(aws, &side.bucket, &side.region).await
}

async fn notifications(
    aws: &Aws,
    side: &BucketPlace,
    matter: &Optional,
) -> Result<Notifications, Error> {
    if !matter.has(events::Kind::Notification) {
        return Ok(Notifications::default());
    }
    settings::find_notifications(aws, &side.bucket, &side.region).await
}

async fn find_once(
    aws: &Aws,
    side: &BucketPlace,
    matter: &Optional,
) -> Result<Option<Bucket>, Failure> {
    let (bucket, region) = (&side.bucket, &side.region);
    let (tags, documents, policy, replication, lifecycle, notifications) = tokio::join!(
        settings::find_tags(aws, bucket, region),
        settings::read(aws, side, matter),
        settings::find_policy(aws, bucket, region),
        replication(aws, side, matter),
        lifecycle(aws, side, matter),
        notifications(aws, side, matter),
    );
    // Any read shows whether the bucket exists in this Region and account.
    match &documents.versioning {
        Ok(_) => {}
        Err(error) if error.is_absent() => return Ok(None),
        // Every call checks the owner, so one successful call proves that the bucket is this
        // account's. A denial by the caller's own policies doesn't say that it is another's.
        Err(error)
            if error.class == Class::Denied
                && (tags.is_ok() || documents.encryption.is_ok() || is_of_caller(error)) => {}
        Err(error) if error.class == Class::Denied => {
            let message = format!(
                "the bucket `{bucket}` belongs to another account, or you may not see it: {}",
                error.message
            );
            let mut failure =
                Failure::new(Kind::InTheWay, "bucket-not-ours", message).in_region(region);
            failure.request_id.clone_from(&error.request_id);
            failure.aws_code = Some(error.code.clone());
            return Err(failure.hint(
                "use another bucket name; if it is yours, you need `s3:GetBucketVersioning` on it",
            ));
        }
        Err(error) if error.is_elsewhere() => {
            let message = format!("the bucket `{bucket}` exists in another Region than {region}");
            return Err(Failure::new(Kind::InTheWay, "bucket-elsewhere", message)
                .in_region(region)
                .hint("use another bucket name, or the bucket's own Region"));
        }
        Err(error) => return Err(error.clone().into()),
    }
    let settings = joined::pair(documents.all(), joined::pair(tags, policy));
    let rules = joined::pair(replication, joined::pair(lifecycle, notifications));
    let ((documents, (tags, policy)), (replication, (lifecycle, notifications))) =
        joined::pair(settings, rules)?;
    Ok(Some(Bucket {
        region: Some(region.clone()),
        tags,
        requester_pays: false,
        documents,
        policy,
        replication,
        lifecycle,
        notifications,
        empty: None,
        objects: None,
    }))
}

/// Returns whether the caller's own policies deny the call.
fn is_of_caller(error: &Error) -> bool {
    let identity = PolicyKind::Identity;
    [DeniedBecause::NoneAllows(identity), DeniedBecause::Denies(identity)]
        .contains(&DeniedBecause::of(&error.message))
}

async fn head(aws: &Aws, side: &BucketPlace) -> Result<(), Error> {
    let request = aws.s3(&side.region).head_bucket().bucket(side.bucket.as_str());
    request.send().await.at("s3:HeadBucket", &side.region).map(drop)
}

/// Returns whether the bucket exists.
pub(crate) async fn stands(aws: &Aws, side: &BucketPlace) -> Result<bool, Error> {
    match head(aws, side).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_absent() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns whether a bucket holds no version and no delete marker.
pub(crate) async fn is_empty(aws: &Aws, side: &BucketPlace) -> Result<bool, Error> {
    let request =
        aws.s3(&side.region).list_object_versions().bucket(side.bucket.as_str()).max_keys(1);
    let page = request.send().await.at("s3:ListObjectVersions", &side.region)?;
    Ok(page.versions().is_empty() && page.delete_markers().is_empty())
}

pub(super) async fn run(run: Run<'_>, action: &Action, work: &BucketWork) -> Result<Arn, Failure> {
    match work {
        BucketWork::Create(_) => create(run, action).await,
        // The tags record the adoption, in a step of their own.
        BucketWork::Adopt(_) => Ok(run.scope.bucket_arn(&run.scope.side(&action.name)?.bucket)),
        BucketWork::Remove { holds, .. } => {
            let is_empty = *holds == Some(Holds::Nothing);
            remove(run, action, is_empty).await?;
            known_arn(action)
        }
        BucketWork::Leave(_) | BucketWork::Unchanged => Err(nothing_to_do(action)),
    }
}

/// Creates the bucket. If the account owns the bucket already, S3 returns 200 in us-east-1 and
/// `BucketAlreadyOwnedByYou` elsewhere. Both mean a concurrent run, because `observe` found no
/// such bucket.
async fn create(run: Run<'_>, action: &Action) -> Result<Arn, Failure> {
    let side = run.scope.side(&action.name)?;
    let (bucket, region) = (&side.bucket, &side.region);
    let tag = |(key, value)| built(Tag::builder().key(key).value(value).build());
    let tags = run.scope.topology.bucket_tags(bucket);
    let tags = tags.into_iter().map(tag).collect::<Result<Vec<_>, _>>()?;
    let place =
        (region.as_str() != "us-east-1").then(|| BucketLocationConstraint::from(region.as_str()));
    let untagged =
        place.map(|place| CreateBucketConfiguration::builder().location_constraint(place));
    let tagged = untagged.clone().unwrap_or_default().set_tags(Some(tags));
    let create = run
        .aws
        .s3(region)
        .create_bucket()
        .bucket(bucket.as_str())
        .object_ownership(ObjectOwnership::BucketOwnerEnforced);
    // The report bucket has a name in the global namespace and no Object Lock.
    let wanted = &run.scope.topology.wanted.buckets;
    let is_of_pair = run.scope.topology.sides().any(|other| other == side);
    let create = create
        .set_object_lock_enabled_for_bucket((is_of_pair && wanted.lock.is_some()).then_some(true))
        .set_bucket_namespace(
            (is_of_pair && wanted.account_regional).then_some(BucketNamespace::AccountRegional),
        );
    let send = async |configuration: Option<CreateBucketConfigurationBuilder>| {
        let configuration = configuration.map(CreateBucketConfigurationBuilder::build);
        let create = create.clone().set_create_bucket_configuration(configuration);
        match create.send().await.at("s3:CreateBucket", region) {
            Err(error) if !error.is("BucketAlreadyOwnedByYou") => Err(error),
            _ => Ok(()),
        }
    };
    let call = || async {
        match send(Some(tagged.clone())).await {
            // Regions outside the commercial ones take no tags here
            // (hashicorp/terraform-provider-aws#45566).
            Err(error) if error.is("UnsupportedArgument") => {
                send(untagged.clone()).await.map(|()| false)
            }
            done => done.map(|()| true),
        }
    };
    let is_tagged = match run.retry(call).await {
        Err(failure) if failure.aws_code.as_deref() == Some("BucketAlreadyExists") => {
            let taken =
                Failure { kind: Kind::InTheWay, code: "bucket-not-ours".to_owned(), ..failure };
            return Err(taken.hint("another account owns a bucket of this name: use another one"));
        }
        Err(failure) if failure.aws_code.as_deref() == Some("OperationAborted") => {
            let hint = "the name of a deleted bucket can take hours, up to 72, to be free again";
            return Err(failure.hint(hint));
        }
        other => other?,
    };
    if !is_tagged {
        // At once: a bucket without tags counts as another owner's.
        tags::put_tags(run, bucket, region, &run.scope.topology.bucket_tags(bucket)).await?;
    }
    Ok(run.scope.bucket_arn(bucket))
}

/// Empties and deletes a bucket. Replicas may arrive meanwhile, so both are repeated until the
/// bucket stays empty.
async fn remove(run: Run<'_>, action: &Action, is_empty: bool) -> Result<(), Failure> {
    let (name, region) = (action.name.as_str(), &action.region);
    let side = BucketPlace { region: region.clone(), bucket: BucketName::new(name)? };
    // A bucket that was found empty is not listed again. S3 does not delete a bucket that holds
    // a version.
    if is_empty && let Look::There(()) = delete_bucket(&run, &side).await? {
        return Ok(());
    }
    let wait = Wait {
        what: format!("the bucket `{name}` to stay empty"),
        every: Duration::from_millis(250),
        at_most_every: Duration::from_secs(5),
        // A purge may take hours. The run's own deadline ends the wait.
        at_most: Duration::from_hours(24),
        in_a_row: 1,
        hint: "run `crrctl destroy` again once nothing writes to it any more".to_owned(),
    };
    let bypass_governance = run.removal.bypass_governance && has_lock(&run, &side).await?;
    let look = || async {
        let wanted =
            if run.removal.purge_data { objects::Wanted::All } else { objects::Wanted::Probes };
        let purge = objects::Purge {
            aws: &run.aws,
            topology: &run.scope.topology,
            side: &side,
            wanted,
            prefix: None,
            bypass_governance,
            stop: &run.stop,
            progress: run.progress,
        };
        if let Err(stuck) = purge.run().await {
            run.record.noted().held.extend(stuck.held);
            return Err(stuck.failure);
        }
        delete_bucket(&run, &side).await
    };
    run.until(&wait, look).await
}

/// Deletes the probes of the pair in a bucket that stays, and the reports of its batch jobs: a run
/// that was cut off may have left some.
pub(super) async fn remove_probes(run: Run<'_>, side: &Side) -> Result<(), Failure> {
    let reports = run.scope.topology.reports();
    let is_place = reports.with_data && reports.bucket == side.bucket.as_str();
    let reports = is_place.then_some(reports.prefix);
    for prefix in run.scope.topology.probe_prefixes(side).into_iter().chain(reports) {
        let purge = objects::Purge {
            aws: &run.aws,
            topology: &run.scope.topology,
            side: &side.place,
            wanted: objects::Wanted::ProbesAlone,
            prefix: Some(&prefix),
            bypass_governance: false,
            stop: &run.stop,
            progress: run.progress,
        };
        purge.run().await.map_err(|stuck| stuck.failure)?;
    }
    Ok(())
}

/// Returns whether the bucket has Object Lock. S3 refuses `x-amz-bypass-governance-retention`
/// on a bucket without it (recorded 2026: 400 `InvalidArgument`).
async fn has_lock(steps: &Steps, side: &BucketPlace) -> Result<bool, Failure> {
    match Lock::find(&steps.aws, &side.bucket, &side.region).await {
        Ok(lock) => Ok(lock.is_some()),
        Err(error) if error.is_absent() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn delete_bucket(steps: &Steps, side: &BucketPlace) -> Result<Look<()>, Failure> {
    let delete = steps.aws.s3(&side.region).delete_bucket().bucket(side.bucket.as_str());
    match delete.send().await.at("s3:DeleteBucket", &side.region) {
        Ok(_) => {
            steps.record.noted().deleted.add(&side.bucket, Instant::now());
            Ok(Look::There(()))
        }
        Err(error) if error.is_absent() => Ok(if gone::has_tagging(steps, side).await? {
            Look::NotYet("S3 does not find it to delete it, and still shows its tags".to_owned())
        } else {
            Look::There(())
        }),
        Err(error) if error.is("BucketNotEmpty") || error.is("OperationAborted") => {
            Ok(Look::NotYet(error.code))
        }
        Err(error) => Err(error.into()),
    }
}
