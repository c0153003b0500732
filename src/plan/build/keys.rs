//! Plans keys, replica keys, aliases, and key rotation.
//! Not for: calling KMS (see `steps`).

use super::{Builder, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::Failure;
use crate::manifest::{KeyKind, KeyWish, Side, Topology};
use crate::names::{Arn, BucketName, Region};
use crate::plan::work::{KeyDiffers, KeyMade, Owned, PolicyDiffers, Retargeted, WhyRemoved};
use crate::plan::{Action, Work, statements};
use crate::policy::{Document, meaning};
use crate::settings::{Encryption, Setting};
use crate::world::{Bucket, Key, KeyState};

/// Returns the id of the step that marks another pair's key as shared. It contains the Region,
/// because related multi-Region keys have the same key id.
pub(super) fn shared_step(key: &Key) -> StepId {
    StepId::new(Kind::Key, &shared_id(key))
}

fn shared_id(key: &Key) -> String {
    format!("{}/{}", key.region, key.id)
}

impl Builder<'_> {
    pub(super) fn keys(&mut self) -> Result<(), Failure> {
        let topology = self.topology;
        for (index, region) in topology.key_regions().into_iter().enumerate() {
            if index == 0 || topology.wanted.key.kind == KeyKind::PerRegion {
                self.key(region)?;
            } else {
                self.replica_key(region)?;
            }
        }
        self.spare_keys()?;
        topology.sides().try_for_each(|side| self.existing_key(side))
    }

    /// Plans a key created with `CreateKey`: the multi-Region primary key, or a single-Region key.
    fn key(&mut self, region: &Region) -> Result<(), Failure> {
        let key_step = StepId::new(Kind::Key, region.as_str());
        let alias_step = StepId::new(Kind::Alias, region.as_str());
        let live = self.world.keys.in_region(region);
        let work = match live {
            None => Owned::Create(self.key_made(region)?),
            Some(key) => {
                self.usable(key)?;
                self.right_kind(key)?;
                Owned::differing(self.key_differs(key)?)
            }
        };
        let arn = live.map(|key| key.arn.clone());
        let name = self.topology.wanted.key.alias.as_str();
        self.add(Work::Key(work), region.as_str(), region, name, arn.clone(), &[]);
        self.alias(region, arn.clone(), &[&key_step])?;
        let wanted = self.topology.wanted.key.rotation_days.map(u32::from);
        // A new key has no rotation.
        let work = match live {
            None if wanted.is_none() => Setting::Unchanged,
            _ => Setting::of(live.map(|key| key.rotation_days), wanted),
        };
        let needs = [&key_step, &alias_step];
        self.add(Work::Rotation(work), region.as_str(), region, name, arn, &needs);
        Ok(())
    }

    /// Refuses a key of the wrong kind: multi-Region is fixed when a key is created. Where the primary
    /// key is can be changed.
    fn right_kind(&self, key: &Key) -> Result<(), Failure> {
        let alias = &self.topology.wanted.key.alias;
        if self.topology.wanted.key.kind == KeyKind::MultiRegion
            && let Some((primary, mend)) = key.moved_primary()
        {
            let message =
                format!("the primary key of {} is in {primary}, not in {}", key.arn, key.region);
            return Err(in_the_way("key-not-primary", message, &key.region).hint(mend));
        }
        let (code, what) = match (self.topology.wanted.key.kind, &key.multi_region) {
            (KeyKind::MultiRegion, Some(place)) if place.primary => return Ok(()),
            (KeyKind::MultiRegion, _) => ("key-not-primary", "not a multi-Region primary key"),
            (_, None) => return Ok(()),
            (_, Some(_)) => ("key-multi-region", "a multi-Region key, not a key of one Region"),
        };
        let message = format!("the alias names {}, which is {what}", key.arn);
        Err(in_the_way(code, message, &key.region)
            .hint(format!("give the pair another `key.alias` than `{alias}`")))
    }

    /// Checks that an existing key from the manifest exists, is usable, and is of the right kind.
    /// Its key policy is proven but never changed.
    fn existing_key(&mut self, side: &Side) -> Result<(), Failure> {
        let KeyWish::Existing(given) = &side.key else { return Ok(()) };
        let region = &side.region;
        if self.topology.wanted.is_handed_over(region) {
            return Ok(());
        }
        let Some(key) = self.world.keys.existing.get(&side.bucket) else {
            let message = format!("there is no key `{}` in {region}", given.as_str());
            return Err(in_the_way("key-missing", message, region)
                .hint("give the ARN of a key that exists in this Region"));
        };
        usable(key).map_err(|mut failure| {
            let hint = format!(
                "the key is not the pair's: its owner brings it back (`aws kms cancel-key-deletion`, \
                 `aws kms enable-key`, with `--key-id {} --region {}`)",
                key.id, key.region
            );
            failure.hints.insert(0, hint);
            failure
        })?;
        if !key.encrypts {
            let message =
                format!("{} is not a symmetric key for encryption, which S3 needs", key.arn);
            return Err(in_the_way("key-unfit", message, region)
                .hint("give a key with the spec SYMMETRIC_DEFAULT and the usage ENCRYPT_DECRYPT"));
        }
        self.shared_key(key);
        Ok(())
    }

    /// Tags another pair's key as shared, so that removing that pair does not delete the key.
    fn shared_key(&mut self, key: &Key) {
        let of_another = key.tags.contains_key(Topology::PAIR_TAG) && !self.is_ours(&key.tags);
        let step = shared_step(key);
        let is_marked = key.tags.contains_key(Topology::SHARED_TAG);
        let is_planned = self.plan.actions.iter().any(|it| it.id == step);
        if of_another && !is_marked && !is_planned {
            let (name, arn) = (self.topology.wanted.name.clone(), Some(key.arn.clone()));
            let work = Work::SharedKey(name.clone());
            self.add(work, &shared_id(key), &key.region, name.as_str(), arn, &[]);
        }
    }

    /// Refuses a key of the pair whose state prevents its use, unless this run revives it.
    fn usable(&self, key: &Key) -> Result<(), Failure> {
        if self.revives(key) {
            return Ok(());
        }
        usable(key).map_err(|mut failure| {
            if !matches!(key.state, KeyState::Other(_)) {
                failure
                    .hints
                    .insert(0, "to bring it back: `crrctl apply --revive-keys`".to_owned());
            }
            failure
        })
    }

    /// Returns whether this run revives `key`: cancels its deletion or enables it.
    fn revives(&self, key: &Key) -> bool {
        self.wish.revive_keys && (key.is_pending_deletion() || key.state == KeyState::Disabled)
    }

    fn key_made(&self, region: &Region) -> Result<KeyMade, Failure> {
        let policy = self.render(&Document::Key(region.clone()))?;
        let policy = statements::changes(None, Some(&policy));
        Ok(KeyMade { policy, tags: self.topology.key_tags(region) })
    }

    fn key_differs(&self, key: &Key) -> Result<KeyDiffers, Failure> {
        if !self.is_ours(&key.tags) {
            let message = format!("{} does not bear this pair's tags", key.arn);
            return Err(in_the_way("key-not-ours", message, &key.region).hint(format!(
                "give the pair another `key.alias` than `{}`",
                self.topology.wanted.key.alias
            )));
        }
        let wanted = self.render(&Document::Key(key.region.clone()))?;
        let policy = (!meaning::same(&key.policy, &wanted)).then(|| PolicyDiffers {
            statements: statements::changes(Some(&key.policy), Some(&wanted)),
            deleted_principals: meaning::gone_principals(&key.policy),
        });
        let tags = self.tags_differ(&key.tags, self.topology.key_tags(&key.region));
        Ok(KeyDiffers { state: self.revives(key).then(|| key.state.clone()), policy, tags })
    }

    fn alias(
        &mut self,
        region: &Region,
        key_arn: Option<Arn>,
        needs: &[&StepId],
    ) -> Result<(), Failure> {
        let alias = &self.topology.wanted.key.alias;
        let wanted = self.keys.id(region);
        let work = match (self.world.keys.aliases.get(region), wanted) {
            (None, _) => Owned::Create(wanted.cloned()),
            (Some(target), Some(wanted)) if target == wanted => Owned::Unchanged,
            (Some(target), _) if self.world.keys.pending.iter().any(|key| &key.id == target) => {
                Owned::Update(Retargeted { from: target.clone(), to: wanted.cloned() })
            }
            (Some(target), _) => {
                let message =
                    format!("the alias `{alias}` names the key {target}, which is not this pair's");
                return Err(in_the_way("alias-not-ours", message, region)
                    .hint("give the pair another `key.alias`, or remove that alias"));
            }
        };
        let arn = key_arn.map(|_| alias.arn(region, self.topology.wanted.account_of(region)));
        self.add(Work::Alias(work), region.as_str(), region, alias.as_str(), arn, needs);
        Ok(())
    }

    fn replica_key(&mut self, region: &Region) -> Result<(), Failure> {
        let replica = self.world.keys.replicas.get(region);
        let work = match replica {
            None => Owned::Create(self.key_made(region)?),
            Some(key) => {
                self.usable(key)?;
                let differs = self.key_differs(key)?;
                if key.state == KeyState::Creating {
                    // What else differs is written once the key can be used.
                    let state = Some(key.state.clone());
                    Owned::Update(KeyDiffers { state, ..KeyDiffers::default() })
                } else {
                    Owned::differing(differs)
                }
            }
        };
        let primary_key = StepId::new(Kind::Key, self.topology.source.region.as_str());
        let primary_alias = StepId::new(Kind::Alias, self.topology.source.region.as_str());
        let step = StepId::new(Kind::ReplicaKey, region.as_str());
        let arn = self.topology.wanted.own_key_arn(&self.keys, region);
        let name = self.topology.wanted.key.alias.as_str();
        let needs = [&primary_key, &primary_alias];
        self.add(Work::ReplicaKey(work), region.as_str(), region, name, arn.clone(), &needs);
        // The replica key may exist while the alias in the source's Region is missing, and nothing
        // may name a key before that alias exists.
        self.alias(region, arn, &[&step, &primary_alias])
    }

    /// Deletes keys that an interrupted run created and no alias targets, once the alias exists. If
    /// a bucket is encrypted under such a key, the key is in use and its alias must have been
    /// deleted, so this fails.
    fn spare_keys(&mut self) -> Result<(), Failure> {
        for key in &self.world.keys.spares {
            if let Some(bucket) = self.encrypted_under(key) {
                let alias = &self.topology.wanted.key.alias;
                let message = format!(
                    "the alias `{alias}` is missing, and the bucket `{bucket}` is encrypted under {}",
                    key.arn
                );
                return Err(in_the_way("alias-missing", message, &key.region).hint(format!(
                    "`aws kms create-alias --alias-name {alias} --target-key-id {} --region {}`",
                    key.id, key.region
                )));
            }
        }
        for key in &self.world.keys.spares {
            let work = Work::Key(Owned::Remove(WhyRemoved::Spare));
            let (name, arn) = (key.id.as_str(), Some(key.arn.clone()));
            // The replicas of a multi-Region key have its id.
            let is_replica = key.multi_region.as_ref().is_some_and(|place| !place.primary);
            let id = if is_replica { format!("{}/{name}", key.region) } else { name.to_owned() };
            let needs = vec![StepId::new(Kind::Alias, key.region.as_str())];
            self.plan.actions.push(Action::new(work, &id, &key.region, name, arn, needs));
        }
        Ok(())
    }

    /// Returns a bucket whose default encryption names `key`.
    fn encrypted_under(&self, key: &Key) -> Option<&BucketName> {
        let names =
            |named: &str| named == key.id.as_str() || named.ends_with(&format!("/{}", key.id));
        let is_under =
            |bucket: &Bucket| bucket.encryption().and_then(Encryption::key).is_some_and(names);
        self.world.buckets.iter().find(|(_, bucket)| is_under(bucket)).map(|(name, _)| name)
    }
}

/// Refuses a key whose state prevents its use.
fn usable(key: &Key) -> Result<(), Failure> {
    match &key.state {
        KeyState::Enabled | KeyState::Creating => Ok(()),
        KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => {
            let date = key.deletion_date.map(|date| format!(" and goes on {date}"));
            let message = format!("{} is pending deletion{}", key.arn, date.unwrap_or_default());
            Err(in_the_way("key-pending-deletion", message, &key.region).hint(
                "what is encrypted under it can be read by nobody until then, and never again once it is gone",
            ))
        }
        state @ (KeyState::Disabled | KeyState::Other(_)) => {
            Err(in_the_way("key-unusable", format!("{} is {state}", key.arn), &key.region))
        }
    }
}
