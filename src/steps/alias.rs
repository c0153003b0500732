//! KMS aliases. The alias in the source's Region is the record of the key: no other resource names
//! the key before the alias exists.
//! Not for: the keys themselves (see `key`).

use super::gone;
use super::key;
use super::key::describe;
use super::scope::commit_region;
use super::{Run, Steps, known_arn, nothing_to_do};
use crate::aws::At;
use crate::aws::settle::{Look, Wait};
use crate::failure::{Failure, Kind};
use crate::names::{Arn, KeyId, Region};
use crate::plan::Action;
use crate::plan::work::{Owned, Retargeted};
use crate::world::Key;
use std::time::Duration;
use tokio::time::Instant;

pub(super) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &Owned<Option<KeyId>, Retargeted>,
) -> Result<Arn, Failure> {
    let region = &action.region;
    match work {
        Owned::Create(_) => apply(run, region).await,
        Owned::Update(_) => retarget(run, region).await,
        Owned::Remove(_) => {
            remove(run, region).await?;
            known_arn(action)
        }
        Owned::Leave(_) | Owned::Unchanged => Err(nothing_to_do(action)),
    }
}

/// Returns the key that the alias in `region` gets, and whether the alias is the record of it.
fn key_of(steps: &Steps, region: &Region) -> Result<(KeyId, bool), Failure> {
    let is_commit = region == commit_region(&steps.scope.topology, region);
    let key =
        if is_commit { steps.keys.any_in(region)? } else { steps.keys.committed_in(region)? };
    Ok((key, is_commit))
}

async fn retarget(run: Run<'_>, region: &Region) -> Result<Arn, Failure> {
    let (alias, (key, is_commit)) = (&run.scope.topology.wanted.key.alias, key_of(&run, region)?);
    let update = run.aws.kms(region).update_alias().alias_name(alias.as_str());
    let update = update.target_key_id(key.as_str());
    let call = || async {
        run.aws.paced("kms:UpdateAlias", region, &run.stop).await?;
        match update.clone().send().await.at("kms:UpdateAlias", region) {
            Ok(_) => Ok(true),
            Err(error) if error.is_absent() => Ok(false),
            Err(error) => Err(error),
        }
    };
    // A deleted alias may still be read, so the alias to update may have to be created.
    let look = || async {
        let is_set = run.retry(call).await? || create(run, key.clone(), region).await?;
        Ok(if is_set { Look::There(()) } else { Look::NotYet("neither there nor free".to_owned()) })
    };
    run.until(&alias_wait(&run, "free or there"), look).await?;
    if is_commit {
        run.keys.commit(region, key);
    }
    Ok(run.scope.alias_arn(region))
}

async fn apply(run: Run<'_>, region: &Region) -> Result<Arn, Failure> {
    let (key, is_commit) = key_of(&run, region)?;
    // The alias of a new replica is created as soon as the replica exists (see `replica_key`).
    let is_made = run.record.noted().seen.has_alias(region);
    let taken = if is_made { Taken::Created } else { take(run, &key, region).await? };
    let named = match taken {
        Taken::Created => key,
        Taken::OfAnotherKey => already_named(run, key, region, is_commit).await?,
        Taken::OfKeyThatGoes(named) => {
            let tags = key::tags(&run.aws, region, named.id.as_str()).await?;
            if run.scope.topology.wanted.owns(&tags) {
                return retarget(run, region).await;
            }
            already_named(run, key, region, is_commit).await?
        }
    };
    if is_commit {
        run.keys.commit(region, named);
    }
    Ok(run.scope.alias_arn(region))
}

/// The result of the attempt to create the alias.
enum Taken {
    Created,
    OfAnotherKey,
    /// The alias still names a key that is pending deletion.
    OfKeyThatGoes(Box<Key>),
}

/// How long to wait until an alias that names a key pending deletion is free. A run that deletes an
/// alias then schedules its key, and the deleted alias may still be read.
const FREE_WITHIN: Duration = Duration::from_secs(10);

/// Creates the alias, unless a usable key has it.
async fn take(run: Run<'_>, key: &KeyId, region: &Region) -> Result<Taken, Failure> {
    let began = Instant::now();
    let look = || async {
        if create(run, key.clone(), region).await? {
            return Ok(Look::There(Taken::Created));
        }
        let alias = run.scope.topology.wanted.key.alias.as_str();
        let named = describe(&run.aws, region, alias).await?;
        let Some(named) = named.filter(Key::is_pending_deletion) else {
            return Ok(Look::There(Taken::OfAnotherKey));
        };
        if began.elapsed() >= FREE_WITHIN {
            return Ok(Look::There(Taken::OfKeyThatGoes(Box::new(named))));
        }
        Ok(Look::NotYet(format!("it names {}, which is pending deletion", named.id)))
    };
    // The last look answers, so that the wait itself never ends too late.
    let wait = Wait { at_most: FREE_WITHIN * 2, ..alias_wait(&run, "free") };
    run.until(&wait, look).await
}

/// Returns the wait for an alias that lists, reads and writes see differently (KMS Developer
/// Guide, "AWS KMS eventual consistency").
fn alias_wait(steps: &Steps, state: &str) -> Wait {
    Wait {
        what: format!("the alias `{}` to be {state}", steps.scope.topology.wanted.key.alias),
        every: Duration::from_millis(200),
        at_most_every: Duration::from_secs(5),
        at_most: Duration::from_mins(2),
        in_a_row: 1,
        hint: "run `crrctl apply` again".to_owned(),
    }
}

/// Returns whether the alias was created. `false` means that another alias has the name.
pub(super) async fn create(run: Run<'_>, key: KeyId, region: &Region) -> Result<bool, Failure> {
    let alias = run.scope.topology.wanted.key.alias.as_str();
    let create = run.aws.kms(region).create_alias().alias_name(alias).target_key_id(key.as_str());
    let call = || async {
        run.aws.paced("kms:CreateAlias", region, &run.stop).await?;
        match create.clone().send().await.at("kms:CreateAlias", region) {
            Ok(_) => Ok(true),
            Err(error) if error.is("AlreadyExistsException") => Ok(false),
            Err(error) => Err(error),
        }
    };
    let at = Instant::now();
    let created = run.retry(call).await?;
    if created {
        run.record.noted().seen.alias(region, at);
    }
    Ok(created)
}

/// Another run created the alias first. Its key is the pair's key. The key of this run, which
/// no other resource names, is scheduled for deletion.
async fn already_named(
    run: Run<'_>,
    ours: KeyId,
    region: &Region,
    is_commit: bool,
) -> Result<KeyId, Failure> {
    let named = read(run, region).await?;
    if named.id == ours {
        return Ok(ours);
    }
    let tags = super::key::details(&run.aws, named.clone()).await?.tags;
    let is_made = run.keys.has_made(region, &ours);
    if is_made {
        run.progress
            .note(format!("{} is named already; this run's key {ours} is scheduled", named.arn));
        key::schedule_key(run, &run.scope.key_arn(&ours, region), region).await?;
    }
    if !is_commit || !run.scope.topology.wanted.owns(&tags) {
        let message = format!(
            "the alias `{}` names {}, which is not this pair's",
            run.scope.topology.wanted.key.alias, named.arn
        );
        return Err(Failure::new(Kind::InTheWay, "alias-not-ours", message)
            .in_region(region)
            .hint("give the pair another `key.alias`, or remove that alias"));
    }
    Ok(named.id)
}

async fn read(run: Run<'_>, region: &Region) -> Result<Key, Failure> {
    let alias = &run.scope.topology.wanted.key.alias;
    let wait = Wait { at_most: Duration::from_mins(1), ..alias_wait(&run, "readable") };
    let look = || async {
        let found = describe(&run.aws, region, alias.as_str()).await?;
        Ok(found.map_or_else(|| Look::NotYet("not found".to_owned()), Look::There))
    };
    run.until(&wait, look).await
}

async fn remove(run: Run<'_>, region: &Region) -> Result<(), Failure> {
    let delete =
        run.aws.kms(region).delete_alias().alias_name(run.scope.topology.wanted.key.alias.as_str());
    let call = || async {
        run.aws.paced("kms:DeleteAlias", region, &run.stop).await?;
        delete.clone().send().await.at("kms:DeleteAlias", region).map(drop)
    };
    let alias = run.scope.topology.wanted.key.alias.as_str();
    let stands = || async { Ok(describe(&run.aws, region, alias).await?.is_some()) };
    gone::removed(run, "the alias", call, stands).await
}
