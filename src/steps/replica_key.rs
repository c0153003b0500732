//! Replica keys: created from the primary's Region in another Region, with a policy and tags of
//! their own. The step waits until the replica is Enabled.
//! Not for: the primary key (see `key`).

use super::alias;
use super::key;
use super::key::{describe, kms_tags};
use super::revive;
use super::standing::changed_meanwhile;
use super::{Run, nothing_to_do};
use crate::aws::At;
use crate::aws::settle::{Look, Wait};
use crate::failure::Failure;
use crate::names::{Arn, KeyId, Region};
use crate::plan::Action;
use crate::plan::work::{KeyDiffers, KeyMade, Owned};
use crate::policy::Document;
use crate::world::KeyState;
use futures::future::join;
use std::time::Duration;

pub(super) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &Owned<KeyMade, KeyDiffers>,
) -> Result<Arn, Failure> {
    let region = &action.region;
    match work {
        Owned::Create(_) => {
            let key = run.keys.committed_in(region)?;
            create(run, &key, region).await?;
            Ok(run.scope.key_arn(&key, region))
        }
        Owned::Update(differs) => {
            let key = run.keys.committed_in(region)?;
            if differs.state.is_some() {
                revive::revive(run, &key, region).await?;
            }
            wait_until_enabled(run, &key, region).await?;
            key::change(run, &key, region, differs).await?;
            Ok(run.scope.key_arn(&key, region))
        }
        Owned::Remove(_) => key::remove(run, action).await,
        Owned::Leave(_) | Owned::Unchanged => Err(nothing_to_do(action)),
    }
}

async fn create(run: Run<'_>, key: &KeyId, region: &Region) -> Result<(), Failure> {
    replicate_key(run, key, region).await?;
    let enabled = wait_until_enabled(run, key, region);
    if run.beginning.had_alias(region) {
        return enabled.await;
    }
    // A key in the state `Creating` can be managed (KMS Developer Guide,
    // "Create multi-Region replica keys"). If this fails, the step of the alias tries again and
    // reports the error.
    let (enabled, _) = join(enabled, alias::create(run, key.clone(), region)).await;
    enabled
}

/// Creates the replica. `ReplicateKey` is called in the Region of the primary key. An existing
/// replica belongs to this key, because its key id is the same.
async fn replicate_key(run: Run<'_>, key: &KeyId, region: &Region) -> Result<(), Failure> {
    let home = &run.scope.topology.source.region;
    let policy = run.render(&Document::Key(region.clone()))?.to_string();
    let replicate = run
        .aws
        .kms(home)
        .replicate_key()
        .key_id(key.as_str())
        .replica_region(region.as_str())
        .description(run.scope.topology.wanted.key_description())
        .policy(policy)
        .set_tags(Some(kms_tags(&run.scope.topology.key_tags(region))?));
    let call = || async {
        run.aws.paced_replica(home, region, &run.stop).await?;
        match replicate.clone().send().await.at("kms:ReplicateKey", home) {
            Ok(_) => Ok(()),
            Err(error) if error.is("AlreadyExistsException") => Ok(()),
            Err(error) => Err(error),
        }
    };
    run.retry(call).await
}

/// Waits until the replica is Enabled. KMS documents seconds. In practice it takes up to ten
/// minutes between distant Regions (terraform-provider-aws#49915).
async fn wait_until_enabled(run: Run<'_>, key: &KeyId, region: &Region) -> Result<(), Failure> {
    let wait = Wait {
            what: format!("the replica key in {region} to be Enabled"),
            every: Duration::from_millis(250),
            at_most_every: Duration::from_secs(10),
            at_most: run.scope.topology.wanted.key.replica_timeout,
            in_a_row: 1,
            hint: "run `crrctl apply` again to go on waiting, or give it longer with `key.replica_timeout`".to_owned(),
        };
    let look = || async {
        let found = describe(&run.aws, region, key.as_str()).await?;
        Ok(match found.map(|key| key.state) {
            Some(KeyState::Enabled) => Look::There(()),
            Some(
                state @ (KeyState::PendingDeletion
                | KeyState::PendingReplicaDeletion
                | KeyState::Disabled),
            ) => return Err(no_longer_made(region, &state)),
            Some(state) => Look::NotYet(format!("now {state}")),
            None => Look::NotYet("not visible yet".to_owned()),
        })
    };
    run.until(&wait, look).await
}

/// A new replica is Enabled after its creation. Another state is somebody else's doing, and no wait
/// ends it.
fn no_longer_made(region: &Region, state: &KeyState) -> Failure {
    changed_meanwhile(&format!("the replica key in {region} is {state}")).in_region(region)
}
