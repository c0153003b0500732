//! The plan of `apply`: compares what the user wants with what exists, thing by thing.
//! Not for: removals (see `removal`).

use super::{Action, Plan, rules};
use crate::events::{Kind, StepId, Verb};
use crate::failure::{self, Failure};
use crate::manifest::{Side, Topology};
use crate::names::{Arn, KeyId, Region};
use crate::policy::{self, Document, Templates, meaning};
use crate::world::{Bucket, Key, KeyState, Tags, World};
use serde_json::Value;

/// Returns what is to be done to make `world` what `topology` wants. Refuses (exit 10) where something of that name is not
/// ours.
pub fn build(topology: &Topology, world: &World, templates: &Templates) -> Result<Plan, Failure> {
    let mut builder = Builder { topology, world, templates, plan: Plan::default() };
    builder.primary_key()?;
    for side in &topology.destinations {
        builder.replica_key(side)?;
    }
    builder.spare_keys();
    for side in topology.sides() {
        builder.bucket(side)?;
    }
    builder.role()?;
    builder.replication()?;
    Ok(builder.plan)
}

/// How a thing is found.
enum Found {
    Missing,
    Differs(Vec<&'static str>),
    Unowned,
}

struct Builder<'a> {
    topology: &'a Topology,
    world: &'a World,
    templates: &'a Templates,
    plan: Plan,
}

impl Builder<'_> {
    fn primary_key(&mut self) -> Result<(), Failure> {
        let region = &self.topology.source.region;
        let key_step = StepId::new(Kind::Key, region.as_str());
        let alias_step = StepId::new(Kind::Alias, region.as_str());
        let primary = self.world.keys.primary.as_ref();
        let found = match primary {
            None => Found::Missing,
            Some(key) => {
                self.usable(key)?;
                if key.multi_region.as_ref().is_none_or(|place| !place.primary) {
                    let message = format!(
                        "the alias names {}, which is not a multi-Region primary key",
                        key.arn
                    );
                    return Err(in_the_way("key-not-primary", message, region).hint(format!(
                        "give the pair another `key.alias` than `{}`",
                        self.topology.key.alias
                    )));
                }
                self.key_found(key)?
            }
        };
        let arn = primary.map(|key| key.arn.clone());
        self.add(
            Kind::Key,
            &key_step,
            region,
            self.topology.key.alias.as_str(),
            arn.clone(),
            found,
            &[],
        );
        self.alias(region, arn.clone(), &key_step)?;
        let found = match primary {
            Some(key) if key.rotation_days == self.topology.key.rotation_days.map(u32::from) => {
                Found::Differs(vec![])
            }
            Some(_) => Found::Differs(vec!["period"]),
            None if self.topology.key.rotation_days.is_none() => Found::Differs(vec![]),
            None => Found::Missing,
        };
        let step = StepId::new(Kind::Rotation, region.as_str());
        self.add(
            Kind::Rotation,
            &step,
            region,
            self.topology.key.alias.as_str(),
            arn,
            found,
            &[&alias_step],
        );
        Ok(())
    }

    /// A key of the wrong state can't carry data; what to do about it is the user's decision.
    fn usable(&self, key: &Key) -> Result<(), Failure> {
        let alias = &self.topology.key.alias;
        match &key.state {
            KeyState::Enabled | KeyState::Creating => Ok(()),
            KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => {
                let message = format!(
                    "{} is pending deletion, and the alias `{alias}` still names it",
                    key.arn
                );
                Err(in_the_way("key-pending-deletion", message, &key.region)
                    .hint(format!("to keep the key: `aws kms cancel-key-deletion --key-id {}`, then `aws kms enable-key`", key.arn))
                    .hint(format!("to let it go: `aws kms delete-alias --alias-name {alias} --region {}`", key.region)))
            }
            state => {
                Err(in_the_way("key-unusable", format!("{} is {state}", key.arn), &key.region)
                    .hint(format!(
                        "`aws kms enable-key --key-id {} --region {}`",
                        key.arn, key.region
                    )))
            }
        }
    }

    fn key_found(&self, key: &Key) -> Result<Found, Failure> {
        if !self.is_ours(&key.tags) {
            let message = format!("{} does not bear this pair's tags", key.arn);
            return Err(in_the_way("key-not-ours", message, &key.region).hint(format!(
                "give the pair another `key.alias` than `{}`",
                self.topology.key.alias
            )));
        }
        let mut fields = Vec::new();
        if !meaning::same(&key.policy, &self.render(&Document::Key(key.region.clone()), &key.id)?) {
            fields.push("policy");
        }
        if self.tags_differ(&key.tags) {
            fields.push("tags");
        }
        Ok(Found::Differs(fields))
    }

    fn alias(
        &mut self,
        region: &Region,
        key_arn: Option<Arn>,
        needs: &StepId,
    ) -> Result<(), Failure> {
        let alias = &self.topology.key.alias;
        let primary = self.world.keys.primary.as_ref().map(|key| &key.id);
        let found = match (self.world.keys.aliases.get(region), primary) {
            (None, _) => Found::Missing,
            (Some(target), Some(primary)) if target == primary => Found::Differs(vec![]),
            (Some(target), _) => {
                let message =
                    format!("the alias `{alias}` names the key {target}, which is not this pair's");
                return Err(in_the_way("alias-not-ours", message, region)
                    .hint("give the pair another `key.alias`, or remove that alias"));
            }
        };
        let arn = key_arn.map(|_| alias.arn(region, &self.topology.account));
        let step = StepId::new(Kind::Alias, region.as_str());
        self.add(Kind::Alias, &step, region, alias.as_str(), arn, found, &[needs]);
        Ok(())
    }

    fn replica_key(&mut self, side: &Side) -> Result<(), Failure> {
        let replica = self.world.keys.replicas.get(&side.region);
        let found = match replica {
            None => Found::Missing,
            Some(key) if key.is_pending_deletion() => {
                let message = format!("the replica key {} is pending deletion", key.arn);
                return Err(in_the_way("key-pending-deletion", message, &side.region).hint(format!(
                    "`aws kms cancel-key-deletion --key-id {0} --region {1}`, then `aws kms enable-key --key-id {0} --region {1}`",
                    key.arn, side.region
                )));
            }
            Some(key) => {
                self.usable(key)?;
                self.key_found(key)?
            }
        };
        let primary_alias = StepId::new(Kind::Alias, self.topology.source.region.as_str());
        let step = StepId::new(Kind::ReplicaKey, side.region.as_str());
        let primary = self.world.keys.primary.as_ref();
        let arn = primary.map(|key| self.topology.key_arn(&key.id, &side.region));
        let waiting = replica.is_some_and(|key| key.state == KeyState::Creating);
        let found = if waiting { Found::Differs(vec!["state"]) } else { found };
        let name = self.topology.key.alias.as_str();
        self.add(
            Kind::ReplicaKey,
            &step,
            &side.region,
            name,
            arn.clone(),
            found,
            &[&primary_alias],
        );
        self.alias(&side.region, arn, &step)
    }

    /// Keys that a cut-off run made and nothing names: they go once the alias stands.
    fn spare_keys(&mut self) {
        for key in &self.world.keys.spares {
            self.plan.actions.push(Action {
                id: StepId::new(Kind::Key, key.id.as_str()),
                kind: Kind::Key,
                region: key.region.clone(),
                name: key.id.to_string(),
                arn: Some(key.arn.clone()),
                verb: Verb::Delete,
                reason: "made by a run that was cut off; nothing uses it".to_owned(),
                fields: Vec::new(),
                needs: vec![StepId::new(Kind::Alias, key.region.as_str())],
            });
        }
    }

    fn bucket(&mut self, side: &Side) -> Result<(), Failure> {
        let name = side.bucket.as_str();
        let live = self.world.buckets.get(&side.bucket);
        let bucket_step = StepId::new(Kind::Bucket, name);
        let arn = Some(side.bucket.arn(self.topology.partition()));
        let found = self.bucket_found(side, live)?;
        let unowned = matches!(found, Found::Unowned);
        self.add(Kind::Bucket, &bucket_step, &side.region, name, arn.clone(), found, &[]);
        let key = self.world.keys.primary.as_ref().map(|key| key.id.clone());
        for kind in SETTINGS {
            let found = match live {
                None => self.setting_wanted(kind, side)?,
                Some(_) if unowned && kind == Kind::BucketTags => Found::Unowned,
                Some(bucket) => self.setting_found(kind, side, bucket, key.as_ref())?,
            };
            let primary_alias = StepId::new(Kind::Alias, self.topology.source.region.as_str());
            let names_key = match kind {
                Kind::Encryption => true,
                Kind::BucketPolicy => {
                    let document = Document::of_bucket(side, self.topology);
                    policy::names_key(&document, self.topology, self.templates)?
                }
                _ => false,
            };
            let needs: &[&StepId] =
                if names_key { &[&bucket_step, &primary_alias] } else { &[&bucket_step] };
            self.add(kind, &StepId::new(kind, name), &side.region, name, arn.clone(), found, needs);
        }
        Ok(())
    }

    fn bucket_found(&self, side: &Side, live: Option<&Bucket>) -> Result<Found, Failure> {
        let Some(bucket) = live else { return Ok(Found::Missing) };
        if self.is_ours(&bucket.tags) {
            return Ok(Found::Differs(vec![]));
        }
        // A creation that was cut off before its tags stood: ours only if nobody has used or set up anything.
        let untouched = bucket.tags.is_empty()
            && bucket.empty == Some(true)
            && bucket.versioning.is_none()
            && bucket.policy.is_none()
            && bucket.replication.is_none();
        if untouched {
            return Ok(Found::Unowned);
        }
        let message =
            format!("the bucket `{}` exists and does not bear this pair's tags", side.bucket);
        let hint = match bucket.tags.get(Topology::PAIR_TAG) {
            Some(pair) => format!(
                "it belongs to the pair `{pair}`: use another name for this pair or its buckets"
            ),
            None => "use another bucket name, or remove the bucket".to_owned(),
        };
        Err(in_the_way("bucket-not-ours", message, &side.region).hint(hint))
    }

    /// What a bucket that does not exist yet will need; a setting that is wanted off needs nothing.
    fn setting_wanted(&self, kind: Kind, side: &Side) -> Result<Found, Failure> {
        let nothing_to_do =
            kind == Kind::BucketPolicy && self.bucket_policy(side, None, None)?.is_none();
        Ok(if nothing_to_do { Found::Differs(vec![]) } else { Found::Missing })
    }

    fn setting_found(
        &self,
        kind: Kind,
        side: &Side,
        bucket: &Bucket,
        key: Option<&KeyId>,
    ) -> Result<Found, Failure> {
        let differs = |field: &'static str, differs: bool| {
            Found::Differs(if differs { vec![field] } else { vec![] })
        };
        Ok(match kind {
            Kind::BucketTags => differs("tags", self.tags_differ(&bucket.tags)),
            Kind::Ownership if bucket.ownership.is_none() => Found::Missing,
            Kind::Ownership => {
                differs("ownership", bucket.ownership.as_deref() != Some(OWNER_ENFORCED))
            }
            Kind::PublicAccessBlock => differs("settings", !bucket.public_access_blocked),
            Kind::Versioning if bucket.versioning.is_none() => Found::Missing,
            Kind::Versioning => differs("status", bucket.versioning.as_deref() != Some("Enabled")),
            Kind::Encryption => match &bucket.encryption {
                None => Found::Missing,
                Some(live) => {
                    let wanted = key.map(|key| self.topology.key_arn(key, &side.region));
                    let mut fields = Vec::new();
                    if live.algorithm != "aws:kms" {
                        fields.push("algorithm");
                    }
                    if live.key.as_deref() != wanted.as_ref().map(Arn::as_str) || wanted.is_none() {
                        fields.push("key");
                    }
                    if live.bucket_key != self.topology.bucket_key {
                        fields.push("bucket key");
                    }
                    Found::Differs(fields)
                }
            },
            Kind::BucketPolicy => {
                let wanted = self.bucket_policy(side, bucket.policy.as_ref(), key)?;
                match (&bucket.policy, &wanted) {
                    (None, None) => Found::Differs(vec![]),
                    (None, Some(_)) => Found::Missing,
                    (Some(live), Some(wanted)) => {
                        differs("statements", !meaning::same(live, wanted))
                    }
                    (Some(_), None) => differs("statements", true),
                }
            }
            _ => Found::Differs(vec![]),
        })
    }

    fn bucket_policy(
        &self,
        side: &Side,
        live: Option<&Value>,
        key: Option<&KeyId>,
    ) -> Result<Option<Value>, Failure> {
        let some_key = policy::some_key()?;
        let wanted =
            self.render(&Document::of_bucket(side, self.topology), key.unwrap_or(&some_key))?;
        Ok(meaning::merged_bucket_policy(live, &wanted))
    }

    fn role(&mut self) -> Result<(), Failure> {
        let (topology, region) = (self.topology, &self.topology.source.region);
        let role_step = StepId::new(Kind::Role, topology.role.as_str());
        let live = self.world.role.as_ref();
        let (found, policy) = match live {
            None => (Found::Missing, Found::Missing),
            Some(role) if !self.is_ours(&role.tags) => {
                let message =
                    format!("the role {} exists and does not bear this pair's tags", role.arn);
                return Err(in_the_way("role-not-ours", message, region)
                    .hint("give the pair another `role.name`, or remove that role"));
            }
            Some(role) if role.arn != topology.role_arn() => {
                let message =
                    format!("the role {} lies under another path than this pair's", role.arn);
                return Err(in_the_way("role-not-ours", message, region)
                    .hint("give the pair another `role.name`: a role's path can't be changed"));
            }
            Some(role) => {
                let some_key = KeyId::new("mrk-00000000000000000000000000000000")?;
                let trust = self.render(&Document::ReplicationRoleTrust, &some_key)?;
                let mut fields = Vec::new();
                if !meaning::same(&role.trust, &trust) {
                    fields.push("trust policy");
                }
                if self.tags_differ(&role.tags) {
                    fields.push("tags");
                }
                (Found::Differs(fields), self.role_policy_found(role.policy.as_ref())?)
            }
        };
        let arn = Some(topology.role_arn());
        self.add(Kind::Role, &role_step, region, topology.role.as_str(), arn.clone(), found, &[]);
        let alias = StepId::new(Kind::Alias, region.as_str());
        let step = StepId::new(Kind::RolePolicy, topology.role.as_str());
        self.add(
            Kind::RolePolicy,
            &step,
            region,
            topology.role.as_str(),
            arn,
            policy,
            &[&role_step, &alias],
        );
        Ok(())
    }

    fn role_policy_found(&self, live: Option<&Value>) -> Result<Found, Failure> {
        Ok(match (live, &self.world.keys.primary) {
            (None, _) => Found::Missing,
            (Some(_), None) => Found::Differs(vec!["statements"]),
            (Some(live), Some(key)) => {
                let wanted = self.render(&Document::ReplicationRole, &key.id)?;
                Found::Differs(if meaning::same(live, &wanted) {
                    vec![]
                } else {
                    vec!["statements"]
                })
            }
        })
    }

    fn replication(&mut self) -> Result<(), Failure> {
        let (topology, source) = (self.topology, &self.topology.source);
        let live =
            self.world.buckets.get(&source.bucket).and_then(|bucket| bucket.replication.as_ref());
        let found = match live {
            None => Found::Missing,
            Some(live) => {
                let strangers = rules::foreign(topology, live).count();
                let role_differs = live.role != topology.role_arn().as_str();
                if strangers > 0 && role_differs {
                    let message = format!(
                        "the replication configuration of `{}` has {strangers} rules of others and their role {}",
                        source.bucket, live.role
                    );
                    return Err(in_the_way("replication-not-ours", message, &source.region)
                        .hint("a configuration has one role for all its rules: move those rules, or use another source bucket"));
                }
                let mut fields = if role_differs { vec!["role"] } else { vec![] };
                if !self.rules_stand(live) {
                    fields.push("rules");
                }
                Found::Differs(fields)
            }
        };
        let versioning = |side: &Side| StepId::new(Kind::Versioning, side.bucket.as_str());
        let mut needs: Vec<StepId> = topology.sides().map(versioning).collect();
        needs.push(StepId::new(Kind::RolePolicy, topology.role.as_str()));
        let step = StepId::new(Kind::Replication, source.bucket.as_str());
        let arn = Some(source.bucket.arn(topology.partition()));
        let needs: Vec<&StepId> = needs.iter().collect();
        self.add(
            Kind::Replication,
            &step,
            &source.region,
            source.bucket.as_str(),
            arn,
            found,
            &needs,
        );
        self.orphaned_rules();
        Ok(())
    }

    fn rules_stand(&self, live: &crate::world::Replication) -> bool {
        let Some(key) = &self.world.keys.primary else { return false };
        let wanted = rules::wanted(self.topology, &key.id, Some(live));
        wanted.iter().all(|rule| live.rules.contains(rule))
    }

    /// Buckets that only our live rules name: left as they are, and said.
    fn orphaned_rules(&mut self) {
        for (name, bucket) in &self.world.buckets {
            if self.topology.sides().any(|side| &side.bucket == name) {
                continue;
            }
            let Some(region) = &bucket.region else { continue };
            self.plan.actions.push(Action {
                id: StepId::new(Kind::Bucket, name.as_str()),
                kind: Kind::Bucket,
                region: region.clone(),
                name: name.to_string(),
                arn: Some(name.arn(self.topology.partition())),
                verb: Verb::Orphan,
                reason: "a live rule of this pair names it, the manifest does not: left as it is"
                    .to_owned(),
                fields: Vec::new(),
                needs: Vec::new(),
            });
        }
    }

    fn render(&self, document: &Document, key: &KeyId) -> Result<Value, Failure> {
        Ok(policy::render(document, self.topology, key, self.templates)?)
    }

    fn is_ours(&self, tags: &Tags) -> bool {
        self.topology.owns(tags)
    }

    fn tags_differ(&self, live: &Tags) -> bool {
        self.topology.all_tags().iter().any(|(key, value)| live.get(key) != Some(value))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call describes one action, and nothing else takes these together"
    )]
    fn add(
        &mut self,
        kind: Kind,
        id: &StepId,
        region: &Region,
        name: &str,
        arn: Option<Arn>,
        found: Found,
        needs: &[&StepId],
    ) {
        let (verb, reason, fields) = match found {
            Found::Missing => (Verb::Create, "missing".to_owned(), vec![]),
            Found::Unowned => {
                (Verb::Adopt, "an empty creation that was cut off".to_owned(), vec![])
            }
            Found::Differs(fields) if fields.is_empty() => {
                (Verb::None, "as it should be".to_owned(), vec![])
            }
            Found::Differs(fields) => {
                let verb = if fields.len() == 1 { "differs" } else { "differ" };
                (Verb::Update, format!("{} {verb}", fields.join(", ")), fields)
            }
        };
        let needs = needs.iter().map(|&need| need.clone()).collect();
        let (id, region, name) = (id.clone(), region.clone(), name.to_owned());
        self.plan.actions.push(Action { id, kind, region, name, arn, verb, reason, fields, needs });
    }
}

/// The settings of a bucket, each a step of its own.
const SETTINGS: [Kind; 6] = [
    Kind::BucketTags,
    Kind::Ownership,
    Kind::PublicAccessBlock,
    Kind::Versioning,
    Kind::Encryption,
    Kind::BucketPolicy,
];

/// ACLs are off and the bucket's owner owns every object.
pub(crate) const OWNER_ENFORCED: &str = "BucketOwnerEnforced";

fn in_the_way(code: &str, message: String, region: &Region) -> Failure {
    Failure::new(failure::Kind::InTheWay, code, message).in_region(region)
}
