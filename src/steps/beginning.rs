//! What existed when a run began, as far as its actions ask for it.
//! Not for: what the run itself makes (see `key_book` and `record`).

use crate::manifest::{Side, Topology};
use crate::names::{BucketName, Region};
use crate::plan::{Action, Work};
use crate::world::{Bucket, Key, World};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What existed when this run began. It never changes.
#[derive(Debug)]
pub(super) struct Beginning {
    /// The buckets of the pair that did not exist.
    new: BTreeSet<BucketName>,
    /// The Regions in which an alias of the pair's name existed.
    aliased: BTreeSet<Region>,
    /// The buckets that existed before the pair.
    adopted: BTreeMap<BucketName, Bucket>,
    /// All of it, if the rules use another owner's role. That role must still be proven for keys
    /// that this run creates.
    beside_others: Option<World>,
    /// Whether a key of the pair was scheduled for deletion.
    had_going_key: bool,
    /// The names of the roles that existed.
    roles: BTreeSet<String>,
    /// The buckets that had a replication configuration.
    ruled: BTreeSet<BucketName>,
}

impl Beginning {
    pub(super) fn new(topology: &Topology, world: &World) -> Self {
        let is_new = |side: &&Side| !world.buckets.contains_key(&side.bucket);
        let is_adopted =
            |(name, it): &(&BucketName, &Bucket)| topology.wanted.is_adopted(name, &it.tags);
        let adopted = world.buckets.iter().filter(is_adopted);
        let roles = world.role.iter().chain(world.reverse_roles.values()).chain(&world.batch.role);
        let mut keys = world.keys.primary.iter().chain(world.keys.replicas.values());
        Self {
            new: topology.sides().filter(is_new).map(|side| side.bucket.clone()).collect(),
            aliased: world.keys.aliases.keys().cloned().collect(),
            adopted: adopted.map(|(name, it)| (name.clone(), it.clone())).collect(),
            beside_others: topology.shared_role().is_some().then(|| world.clone()),
            roles: roles
                .filter_map(|role| role.arn.resource().rsplit('/').next())
                .map(str::to_owned)
                .collect(),
            had_going_key: keys.any(Key::is_pending_deletion),
            ruled: { world.buckets.iter() }
                .filter(|(_, bucket)| bucket.replication.is_some())
                .map(|(name, _)| name.clone())
                .collect(),
        }
    }

    /// Returns whether `bucket` is made by this run, so that nothing of others is in it.
    pub(super) fn lacked(&self, bucket: &BucketName) -> bool {
        self.new.contains(bucket)
    }

    /// Returns whether an alias of the pair's name existed in `region`.
    pub(super) fn had_alias(&self, region: &Region) -> bool {
        self.aliased.contains(region)
    }

    /// Returns whether a key of the pair was scheduled for deletion, so that this run may bring it back.
    pub(super) fn had_going_key(&self) -> bool {
        self.had_going_key
    }

    /// Returns whether a role of the pair with this name existed.
    pub(super) fn had_role(&self, name: &str) -> bool {
        self.roles.contains(name)
    }

    /// Returns whether `bucket` had a replication configuration.
    pub(super) fn had_rules(&self, bucket: &BucketName) -> bool {
        self.ruled.contains(bucket)
    }

    /// Returns what existed, if the rules use another owner's role.
    pub(super) fn beside_others(&self) -> Option<&World> {
        self.beside_others.as_ref()
    }

    /// Returns the setting that `action` overwrites in a bucket that existed before the pair, as the
    /// body of the call that would restore it. The steps of documents that hold parts of others read
    /// theirs again before they write.
    pub(super) fn overwritten_by(&self, action: &Action) -> Option<Value> {
        let Work::Document(change) = &action.work else { return None };
        let bucket = BucketName::new(&action.name).ok()?;
        change.restored(&self.adopted.get(&bucket)?.documents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Kind, StepId};
    use crate::manifest::{Origin, parse};
    use crate::plan::tests::{nothing, topology, whole};
    use crate::plan::{Plan, build};
    use crate::policy::Templates;
    use crate::settings::Versioning;

    fn planned(topology: &Topology, world: &World) -> Plan {
        build(topology, world, &Templates::default()).unwrap()
    }

    #[test]
    fn what_existed_is_known_by_bucket_and_by_region() {
        let topology = topology(&["us-west-2"]);
        let (mut world, away) = (whole(&topology), &topology.destinations[0]);
        world.buckets.remove(&away.bucket);
        world.keys.aliases.remove(&away.region);
        let beginning = Beginning::new(&topology, &world);
        let home = &topology.source;
        assert!(beginning.lacked(&away.bucket) && !beginning.lacked(&home.bucket));
        assert!(beginning.had_alias(&home.region) && !beginning.had_alias(&away.region));
        assert!(beginning.beside_others().is_none(), "the role is the pair's own");
    }

    #[test]
    fn only_a_setting_of_a_bucket_that_existed_before_the_pair_is_kept() {
        let text = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
                    destinations: [{region: us-west-2}]\n";
        let manifest = parse(text, &Origin::Stdin, None).unwrap();
        let topology = manifest.topology(&nothing().account).unwrap();
        let mut world = whole(&topology);
        let suspended = Versioning { status: Some("Suspended".to_owned()), mfa_delete: false };
        for bucket in world.buckets.values_mut() {
            bucket.documents.versioning = Some(suspended.clone());
            bucket.policy = None;
        }
        let beginning = Beginning::new(&topology, &world);
        let plan = planned(&topology, &world);
        let overwritten = |kind: Kind, side: &Side| {
            let id = StepId::new(kind, side.bucket.as_str());
            let action = plan.actions.iter().find(|action| action.id == id).unwrap();
            assert!(action.changes(), "{id}");
            beginning.overwritten_by(action)
        };
        let was = overwritten(Kind::Versioning, &topology.source).unwrap();
        assert!(was.to_string().contains("Suspended"), "{was}");
        assert_eq!(overwritten(Kind::Versioning, &topology.destinations[0]), None, "ours");
        assert_eq!(overwritten(Kind::BucketPolicy, &topology.source), None, "read again");
    }
}
