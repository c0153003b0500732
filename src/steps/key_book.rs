//! The keys of a run, by how far the run may use them. No resource names a key before the alias
//! does: `committed_in` and `committed_for` are the gate.
//! Not for: finding or making keys (see `key`).

use super::scope::commit_region;
use crate::failure::Failure;
use crate::manifest::{KeyKind, PairKeys, Topology};
use crate::names::{KeyId, Region};
use crate::plan::known_keys;
use crate::world::World;
use std::collections::BTreeMap;
use tokio::sync::watch;

/// The keys that a run has found or created. Who waits for a key is woken whenever one is entered.
#[derive(Debug)]
pub(super) struct KeyBook {
    kind: KeyKind,
    keys: watch::Sender<Keys>,
}

/// The keys at one time.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Keys that an alias names, and keys that existed before the pair. Other resources may name
    /// only these.
    committed: PairKeys,
    /// Keys that were found by their tags and that no alias names yet.
    found: BTreeMap<Region, KeyId>,
    /// Keys that this run created. After a lost race for the alias, only these may be scheduled for
    /// deletion.
    made: BTreeMap<Region, KeyId>,
    /// Whether no more keys are created.
    is_complete: bool,
}

impl Keys {
    /// Returns the keys that this run created, by Region.
    pub(super) fn made(&self) -> &BTreeMap<Region, KeyId> {
        &self.made
    }

    /// Returns whether no more keys are created.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }
}

impl KeyBook {
    pub(super) fn new(topology: &Topology, world: &World) -> Self {
        let (kind, mut keys) = (topology.wanted.key.kind, Keys::default());
        for side in topology.sides() {
            if let Some(key) = world.keys.existing.get(&side.bucket) {
                keys.committed.enter_existing(side, key.arn.clone());
            }
        }
        let known = known_keys(topology, world);
        for region in topology.key_regions() {
            let Some(id) = known.id(region) else { continue };
            if world.keys.aliases.get(commit_region(topology, region)) == Some(id) {
                keys.committed.enter(kind, region, id.clone());
            } else {
                keys.found.insert(region.clone(), id.clone());
            }
        }
        Self { kind, keys: watch::Sender::new(keys) }
    }

    /// Returns the keys that other resources may name: keys that an alias names, and keys that
    /// existed before the pair.
    pub(super) fn committed(&self) -> PairKeys {
        self.keys.borrow().committed.clone()
    }

    /// Returns crrctl's own key in `region`. Fails until the alias names the key.
    pub(super) fn committed_in(&self, region: &Region) -> Result<KeyId, Failure> {
        let key = self.keys.borrow().committed.id(region).cloned();
        key.ok_or_else(|| Failure::bug("no alias names the key yet, so nothing may use it"))
    }

    /// Returns the keys of the sides of `direction`. Fails until an alias names each of them.
    pub(super) fn committed_for(&self, direction: &Topology) -> Result<PairKeys, Failure> {
        let keys = self.committed();
        if direction.knows_keys(&keys) {
            return Ok(keys);
        }
        Err(Failure::bug("no alias names a key of the pair yet, so nothing may use it"))
    }

    /// Returns the key for an action on the key itself: the committed key, or the key about to be
    /// committed.
    pub(super) fn any_in(&self, region: &Region) -> Result<KeyId, Failure> {
        let keys = self.keys.borrow();
        let key = keys.committed.id(region);
        let key = key.or_else(|| keys.made.get(region)).or_else(|| keys.found.get(region)).cloned();
        key.ok_or_else(|| Failure::bug("there is no key yet"))
    }

    /// Returns whether this run created `key`.
    pub(super) fn has_made(&self, region: &Region, key: &KeyId) -> bool {
        self.keys.borrow().made.get(region) == Some(key)
    }

    /// Enters a key that this run created.
    pub(super) fn make(&self, region: &Region, key: KeyId) {
        self.keys.send_modify(|keys| drop(keys.made.insert(region.clone(), key)));
    }

    /// Commits a key that the alias names: from now on, other resources may name it. A key that is
    /// committed already stays.
    pub(super) fn commit(&self, region: &Region, key: KeyId) {
        self.keys.send_modify(|keys| {
            if keys.committed.id(region).is_none() {
                keys.committed.enter(self.kind, region, key);
            }
        });
    }

    /// Records that no more keys are created.
    pub(super) fn complete(&self) {
        self.keys.send_modify(|keys| keys.is_complete = true);
    }

    /// Returns the keys as they change.
    pub(super) fn changes(&self) -> watch::Receiver<Keys> {
        self.keys.subscribe()
    }

    /// Waits for the key that the alias names and returns it. Until then it is not known which key
    /// is spare. Returns `None` if the run ends first.
    pub(super) async fn named(&self, region: &Region) -> Option<KeyId> {
        let is_settled = |keys: &Keys| keys.is_complete || keys.committed.id(region).is_some();
        let mut changes = self.changes();
        let keys = changes.wait_for(is_settled).await.ok()?;
        keys.committed.id(region).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Origin, parse};
    use crate::plan::tests::{nothing, topology, whole};
    use futures::FutureExt;

    const HOME: &str = "us-east-1";
    const AWAY: &str = "us-west-2";

    fn region(name: &str) -> Region {
        Region::new(name).unwrap()
    }

    fn key(letter: char) -> KeyId {
        KeyId::new(format!("mrk-{}", letter.to_string().repeat(32))).unwrap()
    }

    #[test]
    fn nothing_may_use_a_key_before_the_alias_names_it() {
        let topology = topology(&[AWAY]);
        let book = KeyBook::new(&topology, &nothing());
        let (home, away) = (region(HOME), region(AWAY));
        assert!(book.any_in(&home).is_err());
        book.make(&home, key('a'));
        assert_eq!(book.any_in(&home).unwrap(), key('a'));
        assert!(book.has_made(&home, &key('a')) && !book.has_made(&home, &key('b')));
        let not_named = "no alias names the key yet";
        assert!(book.committed_in(&home).unwrap_err().message.contains(not_named));
        assert!(book.committed_for(&topology).is_err());
        assert_eq!(book.committed(), PairKeys::default());
        book.commit(&home, key('a'));
        for region in [&home, &away] {
            assert_eq!(book.committed_in(region).unwrap(), key('a'), "one id in every Region");
        }
        assert_eq!(book.committed_for(&topology).unwrap(), PairKeys::multi_region(key('a')));
    }

    #[test]
    fn a_key_that_is_committed_stays() {
        let book = KeyBook::new(&topology(&[AWAY]), &nothing());
        let home = region(HOME);
        book.make(&home, key('a'));
        book.commit(&home, key('b'));
        book.commit(&home, key('a'));
        assert_eq!(book.any_in(&home).unwrap(), key('b'), "another run was faster");
        assert!(book.has_made(&home, &key('a')), "this run's key is known, so that it can go");
    }

    #[test]
    fn a_key_that_exists_is_committed_where_the_alias_of_the_source_names_it() {
        let topology = topology(&[AWAY]);
        let mut world = whole(&topology);
        let id = world.keys.primary.clone().unwrap().id;
        let (home, away) = (region(HOME), region(AWAY));
        let book = KeyBook::new(&topology, &world);
        assert_eq!(book.committed_in(&away).unwrap(), id);
        world.keys.aliases.remove(&away);
        assert_eq!(KeyBook::new(&topology, &world).committed_in(&away).unwrap(), id);
        world.keys.aliases.remove(&home);
        let book = KeyBook::new(&topology, &world);
        assert!(book.committed_in(&away).is_err());
        assert_eq!(book.any_in(&home).unwrap(), id, "the alias's own step takes it");
        assert!(!book.has_made(&home, &id));
    }

    #[test]
    fn a_key_of_one_region_is_committed_by_the_alias_of_that_region() {
        let text = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
                    key: {kind: per-region}\n";
        let manifest = parse(text, &Origin::Stdin, None).unwrap();
        let per_region = manifest.topology(&nothing().account).unwrap();
        let (home, away) = (region(HOME), region(AWAY));
        let mut world = whole(&topology(&[AWAY]));
        let id =
            |letter: &str| KeyId::new(format!("1234abcd-12ab-34cd-56ef-{}", letter.repeat(12)));
        let (of_home, of_away) = (id("a").unwrap(), id("b").unwrap());
        world.keys.primary.as_mut().unwrap().id = of_home.clone();
        world.keys.replicas.get_mut(&away).unwrap().id = of_away.clone();
        world.keys.aliases = [(away.clone(), of_away.clone())].into();
        let book = KeyBook::new(&per_region, &world);
        assert_eq!(book.committed_in(&away).unwrap(), of_away);
        assert!(book.committed_in(&home).is_err() && book.any_in(&home).is_ok());
        assert!(book.committed_for(&per_region).is_err(), "one of the two is not named");
        book.commit(&home, of_home);
        assert!(book.committed_for(&per_region).is_ok());
    }

    #[tokio::test]
    async fn who_waits_for_a_name_is_woken_by_the_commit_or_by_the_end() {
        let home = region(HOME);
        let book = KeyBook::new(&topology(&[AWAY]), &nothing());
        let mut waiting = Box::pin(book.named(&home));
        assert!(waiting.as_mut().now_or_never().is_none());
        book.make(&home, key('a'));
        assert!(waiting.as_mut().now_or_never().is_none(), "a key that is made is not named");
        book.commit(&home, key('a'));
        assert_eq!(waiting.await, Some(key('a')));

        let book = KeyBook::new(&topology(&[AWAY]), &nothing());
        let waiting = book.named(&home);
        book.complete();
        assert_eq!(waiting.await, None);
    }

    #[tokio::test]
    async fn each_key_that_is_made_is_seen_as_it_is_made() {
        let home = region(HOME);
        let book = KeyBook::new(&topology(&[AWAY]), &nothing());
        let mut changes = book.changes();
        assert!(changes.borrow_and_update().made().is_empty());
        book.make(&home, key('a'));
        changes.changed().now_or_never().unwrap().unwrap();
        let keys = changes.borrow_and_update();
        assert_eq!(keys.made().get(&home), Some(&key('a')));
        assert!(!keys.is_complete());
    }
}
