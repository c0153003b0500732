//! The pair that a run works on: what the manifest wants, and what only live rules name.
//! Not for: what exists of it (see `beginning`).

use crate::failure::Failure;
use crate::manifest::{KeyKind, Side, Topology};
use crate::names::{Arn, BucketName, KeyId, Region};
use crate::plan::rules;
use crate::world::World;

/// The pair that a run works on. It never changes.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) topology: Topology,
    /// The topology plus the destinations that only live rules name. The role serves these too.
    pub(super) served: Topology,
    /// Every direction that is wanted or live, the forward direction first.
    directions: Vec<Topology>,
    /// The bucket that holds only reports of batch jobs, if there is one.
    reports: Option<Side>,
}

impl Scope {
    pub(super) fn new(topology: Topology, world: &World) -> Self {
        Self {
            served: rules::served(&topology, world),
            directions: rules::directions(&topology, world),
            // Every function that needs the report bucket has validated its name before.
            reports: topology.report_side().ok().flatten(),
            topology,
        }
    }

    /// Returns the side with the bucket `name`, which may be the report bucket.
    pub(super) fn side(&self, name: &str) -> Result<&Side, Failure> {
        let mut sides = self.topology.sides().chain(&self.reports);
        let side = sides.find(|side| side.bucket.as_str() == name);
        side.ok_or_else(|| Failure::bug(&format!("`{name}` is no bucket of this pair")))
    }

    /// Returns the direction whose source is the bucket `name`.
    pub(super) fn direction_from(&self, name: &str) -> Result<&Topology, Failure> {
        let direction = self.directions.iter().find(|it| it.source.bucket.as_str() == name);
        direction.ok_or_else(|| Failure::bug(&format!("`{name}` replicates nothing of this pair")))
    }

    /// Returns the direction of the role `name` in the account whose IAM is called in `home`.
    pub(super) fn direction_of_role(
        &self,
        name: &str,
        home: &Region,
    ) -> Result<&Topology, Failure> {
        let is_it = |it: &&Topology| it.role.as_str() == name && it.role_region() == home;
        let direction = self.directions.iter().find(is_it);
        direction.ok_or_else(|| Failure::bug(&format!("`{name}` is no role of this pair")))
    }

    pub(super) fn is_batch_role(&self, name: &str) -> bool {
        name == self.topology.batch_role()
    }

    pub(super) fn bucket_arn(&self, name: &BucketName) -> Arn {
        name.arn(self.topology.wanted.partition())
    }

    pub(super) fn key_arn(&self, key: &KeyId, region: &Region) -> Arn {
        key.arn(region, self.topology.wanted.account_of(region))
    }

    pub(super) fn alias_arn(&self, region: &Region) -> Arn {
        self.topology.wanted.key.alias.arn(region, self.topology.wanted.account_of(region))
    }
}

/// Returns the Region whose alias is the record of the key in `region`.
pub(super) fn commit_region<'a>(topology: &'a Topology, region: &'a Region) -> &'a Region {
    match topology.wanted.key.kind {
        KeyKind::MultiRegion => &topology.source.region,
        KeyKind::PerRegion | KeyKind::Existing | KeyKind::None => region,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{nothing, topology};

    #[test]
    fn a_name_leads_to_what_has_it_and_nothing_else() {
        let topology = topology(&["us-west-2", "eu-west-1"]);
        let (home, role) = (topology.role_region().clone(), topology.role.to_string());
        let scope = Scope::new(topology.clone(), &nothing());
        for side in topology.sides() {
            assert_eq!(scope.side(side.bucket.as_str()).unwrap(), side);
        }
        assert!(scope.side("demo-of-others").is_err());
        let source = topology.source.bucket.as_str();
        assert_eq!(scope.direction_from(source).unwrap().source, topology.source);
        let destination = topology.destinations[0].bucket.as_str();
        assert!(scope.direction_from(destination).is_err(), "it replicates nothing");
        assert!(scope.direction_of_role(&role, &home).is_ok());
        let away = &topology.destinations[0].region;
        assert!(scope.direction_of_role(&role, away).is_err(), "the role of another account");
        assert!(scope.direction_of_role("theirs", &home).is_err());
        assert!(scope.is_batch_role(&topology.batch_role()) && !scope.is_batch_role(&role));
    }

    #[test]
    fn the_record_of_a_multi_region_key_is_the_alias_of_the_source() {
        let topology = topology(&["us-west-2"]);
        let away = &topology.destinations[0].region;
        assert_eq!(commit_region(&topology, away), &topology.source.region);
        let key = KeyId::new("mrk-0123456789abcdef0123456789abcdef").unwrap();
        let scope = Scope::new(topology.clone(), &nothing());
        let arn = format!("arn:aws:kms:us-west-2:111122223333:key/{key}");
        assert_eq!(scope.key_arn(&key, away).as_str(), arn);
    }
}
