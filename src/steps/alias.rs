//! KMS aliases. The alias in the source's Region is the record of the key: no other resource names
//! the key before the alias exists.
//! Not for: the keys themselves (see `key`).

use super::key::describe;
use super::scope::commit_region;
use super::{Steps, known_arn, nothing_to_do};
use crate::aws::At;
use crate::aws::settle::{Look, Wait, retry, until};
use crate::events::Progress;
use crate::failure::{Failure, Kind};
use crate::names::{Arn, KeyId, Region};
use crate::plan::Action;
use crate::plan::work::{Owned, Retargeted};
use crate::world::Key;
use std::time::Duration;
use tokio::time::Instant;

impl Steps {
    pub(super) async fn run_alias(
        &self,
        action: &Action,
        work: &Owned<Option<KeyId>, Retargeted>,
        progress: &Progress,
    ) -> Result<Arn, Failure> {
        let region = &action.region;
        match work {
            Owned::Create(_) => self.apply_alias(region, progress).await,
            Owned::Update(_) => self.retarget_alias(region, progress).await,
            Owned::Remove(_) => {
                self.remove_alias(region, progress).await?;
                known_arn(action)
            }
            Owned::Leave(_) | Owned::Unchanged => Err(nothing_to_do(action)),
        }
    }

    /// Returns the key that the alias in `region` gets, and whether the alias is the record of it.
    fn key_of_alias(&self, region: &Region) -> Result<(KeyId, bool), Failure> {
        let is_commit = region == commit_region(&self.scope.topology, region);
        let key =
            if is_commit { self.keys.any_in(region)? } else { self.keys.committed_in(region)? };
        Ok((key, is_commit))
    }

    async fn retarget_alias(&self, region: &Region, progress: &Progress) -> Result<Arn, Failure> {
        let (alias, (key, is_commit)) =
            (&self.scope.topology.wanted.key.alias, self.key_of_alias(region)?);
        let update = self.aws.kms(region).update_alias().alias_name(alias.as_str());
        let update = update.target_key_id(key.as_str());
        let call = || async {
            self.aws.paced("kms:UpdateAlias", region, &self.stop).await?;
            match update.clone().send().await.at("kms:UpdateAlias", region) {
                Ok(_) => Ok(true),
                Err(error) if error.is_absent() => Ok(false),
                Err(error) => Err(error),
            }
        };
        // A deleted alias may still be read, so the alias to update may have to be created.
        let look = || async {
            let is_set = retry(&self.stop, progress, call).await?
                || self.create_alias(key.clone(), region, progress).await?;
            Ok(if is_set {
                Look::There(())
            } else {
                Look::NotYet("neither there nor free".to_owned())
            })
        };
        until(&self.stop, progress, &self.alias_wait("free or there"), look).await?;
        if is_commit {
            self.keys.commit(region, key);
        }
        Ok(self.scope.alias_arn(region))
    }

    async fn apply_alias(&self, region: &Region, progress: &Progress) -> Result<Arn, Failure> {
        let (key, is_commit) = self.key_of_alias(region)?;
        // The alias of a new replica is created as soon as the replica exists (see `replica_key`).
        let is_made = self.record.noted().seen.has_alias(region);
        if is_made || self.take_alias(&key, region, progress).await? {
            if is_commit {
                self.keys.commit(region, key);
            }
            return Ok(self.scope.alias_arn(region));
        }
        let named = self.already_named(key, region, is_commit, progress).await?;
        if is_commit {
            self.keys.commit(region, named);
        }
        Ok(self.scope.alias_arn(region))
    }

    /// Returns whether the alias was created. `false` means that another key has it. A key that is
    /// pending deletion does not: a deleted alias may still name it, and a run that deletes one
    /// schedules its key.
    async fn take_alias(
        &self,
        key: &KeyId,
        region: &Region,
        progress: &Progress,
    ) -> Result<bool, Failure> {
        let look = || async {
            if self.create_alias(key.clone(), region, progress).await? {
                return Ok(Look::There(true));
            }
            let named =
                describe(&self.aws, region, self.scope.topology.wanted.key.alias.as_str()).await?;
            Ok(match named {
                Some(named) if named.is_pending_deletion() => {
                    Look::NotYet(format!("it names {}, which is pending deletion", named.id))
                }
                _ => Look::There(false),
            })
        };
        until(&self.stop, progress, &self.alias_wait("free"), look).await
    }

    /// Returns the wait for an alias that lists, reads and writes see differently (KMS Developer
    /// Guide, "AWS KMS eventual consistency").
    fn alias_wait(&self, state: &str) -> Wait {
        Wait {
            what: format!("the alias `{}` to be {state}", self.scope.topology.wanted.key.alias),
            every: Duration::from_millis(200),
            at_most_every: Duration::from_secs(5),
            at_most: Duration::from_mins(2),
            in_a_row: 1,
            hint: "run `crrctl apply` again".to_owned(),
        }
    }

    /// Returns whether the alias was created. `false` means that another alias has the name.
    pub(super) async fn create_alias(
        &self,
        key: KeyId,
        region: &Region,
        progress: &Progress,
    ) -> Result<bool, Failure> {
        let alias = self.scope.topology.wanted.key.alias.as_str();
        let create =
            self.aws.kms(region).create_alias().alias_name(alias).target_key_id(key.as_str());
        let call = || async {
            self.aws.paced("kms:CreateAlias", region, &self.stop).await?;
            match create.clone().send().await.at("kms:CreateAlias", region) {
                Ok(_) => Ok(true),
                Err(error) if error.is("AlreadyExistsException") => Ok(false),
                Err(error) => Err(error),
            }
        };
        let at = Instant::now();
        let created = retry(&self.stop, progress, call).await?;
        if created {
            self.record.noted().seen.alias(region, at);
        }
        Ok(created)
    }

    /// Another run created the alias first. Its key is the pair's key. The key of this run, which
    /// no other resource names, is scheduled for deletion.
    async fn already_named(
        &self,
        ours: KeyId,
        region: &Region,
        is_commit: bool,
        progress: &Progress,
    ) -> Result<KeyId, Failure> {
        let named = self.read_alias(region, progress).await?;
        if named.id == ours {
            return Ok(ours);
        }
        let tags = super::key::details(&self.aws, named.clone()).await?.tags;
        let is_made = self.keys.has_made(region, &ours);
        if is_made {
            progress.note(format!(
                "{} is named already; this run's key {ours} is scheduled",
                named.arn
            ));
            self.schedule_key(&self.scope.key_arn(&ours, region), region, progress).await?;
        }
        if !is_commit || !self.scope.topology.wanted.owns(&tags) {
            let message = format!(
                "the alias `{}` names {}, which is not this pair's",
                self.scope.topology.wanted.key.alias, named.arn
            );
            return Err(Failure::new(Kind::InTheWay, "alias-not-ours", message)
                .in_region(region)
                .hint("give the pair another `key.alias`, or remove that alias"));
        }
        Ok(named.id)
    }

    async fn read_alias(&self, region: &Region, progress: &Progress) -> Result<Key, Failure> {
        let alias = &self.scope.topology.wanted.key.alias;
        let wait = Wait { at_most: Duration::from_mins(1), ..self.alias_wait("readable") };
        let look = || async {
            let found = describe(&self.aws, region, alias.as_str()).await?;
            Ok(found.map_or_else(|| Look::NotYet("not found".to_owned()), Look::There))
        };
        until(&self.stop, progress, &wait, look).await
    }

    async fn remove_alias(&self, region: &Region, progress: &Progress) -> Result<(), Failure> {
        let delete = self
            .aws
            .kms(region)
            .delete_alias()
            .alias_name(self.scope.topology.wanted.key.alias.as_str());
        let call = || async {
            self.aws.paced("kms:DeleteAlias", region, &self.stop).await?;
            delete.clone().send().await.at("kms:DeleteAlias", region).map(drop)
        };
        let alias = self.scope.topology.wanted.key.alias.as_str();
        let stands = || async { Ok(describe(&self.aws, region, alias).await?.is_some()) };
        self.removed("the alias", progress, call, stands).await
    }
}
