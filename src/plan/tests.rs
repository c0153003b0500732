//! Tests of plans for worlds in which all, some, or none of the pair's resources exist.
//! Not for: running a plan (see `engine`).

use super::*;
use crate::events::{Kind, Verb};
use crate::manifest::{Origin, PairKeys, Topology, parse};
use crate::names::{AccountId, KeyId};
use crate::policy::{Document, Templates, render};
use crate::settings::{
    DefaultKey, Documents, Encryption, Ownership, PublicAccessBlock, Versioning,
};
use crate::world::{
    Batch, Bucket, Key, KeyState, Keys, MultiRegion, Objects, Others, Replication, Role, World,
};
use std::collections::BTreeMap;

pub(crate) fn topology(destinations: &[&str]) -> Topology {
    let destinations: Vec<String> =
        destinations.iter().map(|region| format!("{{region: {region}}}")).collect();
    let text = format!(
        "name: demo\nsource: {{region: us-east-1}}\ndestinations: [{}]\n",
        destinations.join(", ")
    );
    parse(&text, &Origin::Stdin, None).unwrap().topology(&account()).unwrap()
}

fn account() -> AccountId {
    AccountId::new("111122223333").unwrap()
}

fn key_id() -> KeyId {
    KeyId::new("mrk-0123456789abcdef0123456789abcdef").unwrap()
}

fn keys() -> PairKeys {
    PairKeys::multi_region(key_id())
}

pub(crate) fn nothing() -> World {
    World {
        reverse_roles: std::collections::BTreeMap::new(),
        account: account(),
        keys: Keys::default(),
        buckets: BTreeMap::new(),
        role: None,
        shared_role: None,
        reverse_shared_roles: BTreeMap::new(),
        others: Others::default(),
        batch: Batch::default(),
        log_targets: std::collections::BTreeMap::new(),
        alarms: Vec::new(),
        alert_target: None,
        alarm_topics: BTreeMap::new(),
    }
}

/// Returns a world in which every resource matches `topology`.
pub(crate) fn whole(topology: &Topology) -> World {
    let document = |document| render(&document, topology, &keys(), &Templates::default()).unwrap();
    let key = |region: &Region, primary| Key {
        id: key_id(),
        arn: topology.wanted.own_key_arn(&keys(), region).unwrap(),
        region: region.clone(),
        state: KeyState::Enabled,
        multi_region: Some(MultiRegion {
            primary,
            primary_region: topology.source.region.clone(),
            replica_regions: topology.destinations.iter().map(|side| side.region.clone()).collect(),
        }),
        tags: topology.key_tags(region),
        policy: document(Document::Key(region.clone())),
        rotation_days: Some(365),
        encrypts: true,
        created: jiff::Timestamp::UNIX_EPOCH,
        deletion_date: None,
        pending_window_days: None,
    };
    let replication = Replication {
        role: topology.role_arn().to_string(),
        rules: rules::wanted(topology, &keys(), None),
    };
    let bucket = |side: &crate::manifest::Side| Bucket {
        region: Some(side.region.clone()),
        tags: topology.all_tags(),
        requester_pays: false,
        documents: Documents {
            versioning: Some(Versioning { status: Some("Enabled".to_owned()), mfa_delete: false }),
            encryption: Some(Encryption {
                algorithm: "aws:kms".to_owned(),
                key: DefaultKey::Known(topology.wanted.key_arn(&keys(), side).unwrap().to_string()),
                bucket_key: true,
                blocked: Vec::new(),
            }),
            public_access_block: Some(PublicAccessBlock::WHOLE),
            ownership: Some(Ownership("BucketOwnerEnforced".to_owned())),
            ..Documents::default()
        },
        policy: Some(document(Document::of_bucket(side, topology))),
        replication: (side == &topology.source).then(|| replication.clone()),
        lifecycle: Vec::new(),
        notifications: crate::settings::Notifications::default(),
        empty: None,
        objects: Some(Objects::default()),
    };
    World {
        reverse_roles: std::collections::BTreeMap::new(),
        account: account(),
        keys: Keys {
            primary: Some(key(&topology.source.region, true)),
            replicas: topology
                .destinations
                .iter()
                .map(|it| (it.region.clone(), key(&it.region, false)))
                .collect(),
            aliases: topology.sides().map(|side| (side.region.clone(), key_id())).collect(),
            ..Keys::default()
        },
        buckets: topology.sides().map(|side| (side.bucket.clone(), bucket(side))).collect(),
        role: Some(Role {
            boundary: None,
            arn: topology.role_arn(),
            tags: topology.all_tags(),
            trust: document(Document::ReplicationRoleTrust),
            policy: Some(document(Document::ReplicationRole)),
            other_policies: vec![],
            created: None,
        }),
        shared_role: None,
        reverse_shared_roles: BTreeMap::new(),
        others: Others::default(),
        batch: Batch::default(),
        log_targets: std::collections::BTreeMap::new(),
        alarms: Vec::new(),
        alert_target: None,
        alarm_topics: BTreeMap::new(),
    }
}

fn planned(topology: &Topology, world: &World) -> Plan {
    build(topology, world, &Templates::default()).unwrap()
}

/// Asserts that every action follows the actions it needs and that ids are unique.
fn assert_sound(plan: &Plan) {
    let mut seen = std::collections::BTreeSet::new();
    for action in &plan.actions {
        for need in &action.needs {
            let is_planned = plan.actions.iter().any(|other| &other.id == need);
            assert!(seen.contains(need) || !is_planned, "{} comes before {need}", action.id);
        }
        assert!(seen.insert(action.id.clone()), "{} stands twice", action.id);
    }
}

#[test]
fn nothing_wants_everything_and_a_whole_world_wants_nothing() {
    for destinations in [
        &["us-west-2"][..],
        &["us-west-2", "eu-west-1"],
        &["a-b-1", "a-b-2", "a-b-3", "a-b-4", "a-b-5"],
    ] {
        let topology = topology(destinations);
        let fresh = planned(&topology, &nothing());
        assert_sound(&fresh);
        assert_eq!(fresh.count(Verb::Create), fresh.actions.len());
        assert_eq!(fresh.actions.len(), 13 + 9 * destinations.len());
        let settled = planned(&topology, &whole(&topology));
        assert!(!settled.has_changes(), "{settled:#?}");
        assert_eq!(settled.actions.len(), fresh.actions.len());
    }
}

#[test]
fn nothing_names_the_key_before_the_alias_does() {
    let plan = planned(&topology(&["us-west-2"]), &nothing());
    let alias = StepId::new(Kind::Alias, "us-east-1");
    for action in &plan.actions {
        let names_the_key = matches!(
            action.kind(),
            Kind::Encryption | Kind::RolePolicy | Kind::ReplicaKey | Kind::Rotation
        );
        assert!(!names_the_key || action.needs.contains(&alias), "{}", action.id);
    }
}

#[test]
fn rules_keep_their_priorities_when_a_destination_joins() {
    let before = topology(&["us-west-2"]);
    let live = whole(&before).buckets[&before.source.bucket].replication.clone().unwrap();
    let after = rules::wanted(&topology(&["eu-west-1", "us-west-2"]), &keys(), Some(&live));
    let priorities: Vec<(&str, i32)> =
        after.iter().map(|rule| (rule.id.as_str(), rule.priority)).collect();
    assert_eq!(priorities, [("crrctl.demo.eu-west-1", 2), ("crrctl.demo.us-west-2", 1)]);
}

#[test]
fn a_rule_of_a_pair_with_a_longer_name_is_not_ours() {
    let topology = topology(&["us-west-2"]);
    assert_eq!(rules::region_of(&topology, "crrctl.demo.us-west-2"), Some("us-west-2"));
    assert_eq!(rules::region_of(&topology, "crrctl.demo-two.us-west-2"), None);
    assert_eq!(rules::region_of(&topology, "crrctl.other.us-west-2"), None);
}

/// Returns the ids of the rules of a manifest with these destinations, beside live rules to `live`,
/// each with its bucket.
fn ids(destinations: &str, live: &[(&str, &str)]) -> Vec<(String, String)> {
    let text =
        format!("name: demo\nsource: {{region: us-east-1}}\ndestinations: [{destinations}]\n");
    let topology = parse(&text, &Origin::Stdin, None).unwrap().topology(&account());
    let mut topology = topology.unwrap();
    let some = rules::wanted(&topology, &keys(), None).remove(0);
    let rule = |(id, bucket): &(&str, &str)| crate::world::Rule {
        id: (*id).to_owned(),
        destination: format!("arn:aws:s3:::{bucket}"),
        ..some.clone()
    };
    let live = Replication { role: String::new(), rules: live.iter().map(rule).collect() };
    rules::keep_ids(&mut topology, Some(&live));
    let ids = topology.rules.iter();
    ids.map(|it| (it.destination.bucket.to_string(), it.id.clone())).collect()
}

#[test]
fn the_id_of_a_rule_stays_with_its_bucket() {
    type Ids<'a> = &'a [(&'a str, &'a str)];
    const A: &str = "{region: us-west-2, bucket: aaa}";
    const B: &str = "{region: us-west-2, bucket: b.2}";
    const FIRST: &str = "crrctl.demo.us-west-2";
    const OTHER: &str = "crrctl.demo.b.2_us-west-2";
    let both = [(FIRST, "aaa"), (OTHER, "b.2")];
    let rows: [(&str, String, Ids<'_>, Ids<'_>); 9] = [
        ("fresh", format!("{A}, {B}"), &[], &[("aaa", FIRST), ("b.2", OTHER)]),
        ("turned round", format!("{B}, {A}"), &both, &[("b.2", OTHER), ("aaa", FIRST)]),
        ("the first is dropped", B.to_owned(), &both, &[("b.2", OTHER)]),
        ("the second is dropped", A.to_owned(), &both, &[("aaa", FIRST)]),
        ("one joins before", format!("{B}, {A}"), &both[..1], &[("b.2", OTHER), ("aaa", FIRST)]),
        ("another bucket alone", B.to_owned(), &both[..1], &[("b.2", FIRST)]),
        (
            "one is dropped, one joins",
            format!("{B}, {{region: us-west-2, bucket: ccc}}"),
            &both,
            &[("b.2", OTHER), ("ccc", "crrctl.demo.ccc_us-west-2")],
        ),
        (
            "several rules",
            "{region: us-west-2, bucket: b.2, prefix: a/}, {region: us-west-2, bucket: b.2, prefix: b/}".to_owned(),
            &both,
            &[("b.2", OTHER), ("b.2", "crrctl.demo.b.2_us-west-2.2")],
        ),
        (
            "rules of others",
            B.to_owned(),
            &[("theirs", "b.2"), ("crrctl.demo-two.us-west-2", "b.2")],
            &[("b.2", FIRST)],
        ),
    ];
    for (what, destinations, live, wanted) in rows {
        let found = ids(&destinations, live);
        let found: Vec<_> = found.iter().map(|(to, id)| (to.as_str(), id.as_str())).collect();
        assert_eq!(found, wanted, "{what}");
    }
    let topology = topology(&["us-west-2"]);
    for id in [FIRST, OTHER, "crrctl.demo.b.2_us-west-2.2", "crrctl.demo.b.2_us-west-2.proof"] {
        assert_eq!(rules::region_of(&topology, id), Some("us-west-2"), "{id}");
    }
    assert!(!rules::is_proof("crrctl.demo.my.proof_us-west-2"));
}

#[test]
fn keys_go_last_and_aliases_before_keys() {
    let topology = topology(&["us-west-2", "eu-west-1"]);
    let (plan, kept) = removal(&topology, &whole(&topology), Removal::default()).unwrap();
    assert!(kept.is_empty());
    assert_sound(&plan);
    let needs = |kind: Kind, name: &str| {
        let id = StepId::new(kind, name);
        plan.actions.iter().find(|action| action.id == id).unwrap().needs.clone()
    };
    for side in topology.sides() {
        let bucket = StepId::new(Kind::Bucket, side.bucket.as_str());
        for action in &plan.actions {
            let is_about_keys =
                matches!(action.kind(), Kind::Key | Kind::ReplicaKey | Kind::Alias | Kind::Role);
            let via_policy = action.kind() == Kind::Role;
            assert!(
                !is_about_keys || via_policy || action.needs.contains(&bucket),
                "{} before {bucket}",
                action.id
            );
        }
    }
    assert!(needs(Kind::Key, "us-east-1").contains(&StepId::new(Kind::Alias, "us-east-1")));
    assert!(needs(Kind::ReplicaKey, "eu-west-1").contains(&StepId::new(Kind::Alias, "eu-west-1")));
}

#[test]
fn a_replica_that_is_not_ours_keeps_the_primary() {
    let topology = topology(&["us-west-2"]);
    let mut world = whole(&topology);
    world.keys.replicas.values_mut().for_each(|key| key.tags.clear());
    let (plan, kept) = removal(&topology, &world, Removal::default()).unwrap();
    assert!(
        !plan.actions.iter().any(|action| matches!(action.kind(), Kind::Key | Kind::ReplicaKey))
    );
    let kinds: Vec<Kind> = kept.iter().map(|kept| kept.kind).collect();
    assert_eq!(kinds, [Kind::ReplicaKey, Kind::Key]);
}

#[test]
fn a_role_with_policies_of_others_stays() {
    let topology = topology(&["us-west-2"]);
    let mut world = whole(&topology);
    world.role.as_mut().unwrap().other_policies.push("theirs".to_owned());
    let (plan, kept) = removal(&topology, &world, Removal::default()).unwrap();
    assert!(!plan.actions.iter().any(|action| action.kind() == Kind::Role));
    assert!(kept[0].why.contains("theirs"));
}

/// Returns the kind of the removal that takes away what `work` makes. A new kind of work compiles
/// here only once somebody has said what takes it away.
fn taken_away_by(work: &Work) -> Kind {
    match work {
        Work::Key(_) | Work::SharedKey(_) | Work::Rotation(_) => Kind::Key,
        Work::ReplicaKey(_) => Kind::ReplicaKey,
        Work::Alias(_) => Kind::Alias,
        Work::Bucket(_)
        | Work::BucketTags(_)
        | Work::Document(_)
        | Work::BucketPolicy(_)
        | Work::Lifecycle(_)
        | Work::Notification(_) => Kind::Bucket,
        Work::Role(_) | Work::RolePolicy(_) => Kind::Role,
        Work::Rules(_) | Work::DroppedRule(_) => Kind::Replication,
        Work::Alarm(_) => Kind::Alarm,
    }
}

#[test]
fn whatever_a_plan_makes_its_removal_takes_away() {
    let topology = topology(&["us-west-2"]);
    let made = planned(&topology, &nothing());
    let (gone, kept) = removal(&topology, &whole(&topology), Removal::default()).unwrap();
    assert_eq!(kept, []);
    for action in made.actions.iter().filter(|action| action.changes()) {
        let kind = taken_away_by(&action.work);
        let takes_away = |it: &Action| {
            it.kind() == kind && it.verb() == Verb::Delete && it.region == action.region
        };
        assert!(gone.actions.iter().any(takes_away), "{}: no removal of {kind}", action.id);
    }
}

#[test]
fn a_key_that_a_bucket_names_is_never_spare() {
    let topology = topology(&["us-west-2"]);
    let mut world = whole(&topology);
    let used = world.keys.primary.clone().unwrap();
    let older = KeyId::new("mrk-00000000000000000000000000000001").unwrap();
    world.keys.primary = Some(Key { id: older, ..used.clone() });
    world.keys.spares.push(used);
    world.keys.aliases.clear();
    let failure = build(&topology, &world, &Templates::default()).unwrap_err();
    assert_eq!(failure.code, "alias-missing");
}

proptest::proptest! {
    #![proptest_config(crate::seeded::cases(256))]

    /// For any subset of missing resources: the plan is sound and creates exactly these, and the
    /// removal plan is sound too.
    #[test]
    fn whatever_is_missing_is_what_is_made(missing in proptest::collection::vec(0u8..3, 6)) {
        let topology = topology(&["us-west-2", "eu-west-1"]);
        let mut world = whole(&topology);
        let mut is_missing = missing.into_iter();
        let mut take = || is_missing.next().unwrap_or(2);
        let mut expected = 0;
        match take() {
            0 => {
                world.role = None;
                expected += 2;
            }
            1 => {
                world.role.as_mut().unwrap().policy = None;
                expected += 1;
            }
            _ => {}
        }
        for side in topology.sides() {
            match take() {
                0 => {
                    world.buckets.remove(&side.bucket);
                    expected += if side == &topology.source { 8 } else { 7 };
                }
                1 => {
                    let bucket = world.buckets.get_mut(&side.bucket).unwrap();
                    bucket.policy = None;
                    bucket.documents.encryption = None;
                    expected += 2;
                }
                _ => {}
            }
        }
        for side in &topology.destinations {
            if take() == 0 {
                world.keys.replicas.remove(&side.region);
                world.keys.aliases.remove(&side.region);
                expected += 2;
            }
        }
        let plan = planned(&topology, &world);
        assert_sound(&plan);
        proptest::prop_assert_eq!(plan.count(Verb::Create), expected);
        proptest::prop_assert_eq!(plan.count(Verb::Update), 0);
        let (plan, _) = removal(&topology, &world, Removal::default()).unwrap();
        assert_sound(&plan);
    }
}

#[test]
fn a_bucket_with_mfa_delete_is_refused_while_it_holds_anything() {
    let topology = topology(&["us-west-2"]);
    let mut world = whole(&topology);
    let name = topology.source.bucket.clone();
    for (probes, refused) in [(1, true), (0, false)] {
        let bucket = world.buckets.get_mut(&name).unwrap();
        bucket.documents.versioning.as_mut().unwrap().mfa_delete = true;
        bucket.objects = Some(Objects { probes, ..Objects::default() });
        let wish = Removal { purge_data: true, ..Removal::default() };
        let planned = removal(&topology, &world, wish);
        let code = planned.err().map(|failure| (failure.code, failure.kind.exit_code()));
        assert_eq!(code, refused.then(|| ("mfa-delete".to_owned(), 10)));
    }
}

/// A tag that differs is no change of the thing itself.
#[test]
fn only_tags_is_what_writes_nothing_else() {
    let topology = topology(&["us-west-2"]);
    let mut world = whole(&topology);
    let role = world.role.as_mut().unwrap();
    role.tags.insert(Topology::PAIR_TAG.to_owned(), topology.wanted.name.to_string());
    let mut wanted = topology.clone();
    std::sync::Arc::make_mut(&mut wanted.wanted)
        .tags
        .insert("team".to_owned(), "storage".to_owned());
    let plan = planned(&wanted, &world);
    assert!(plan.has_changes());
    assert!(plan.actions.iter().filter(|it| it.changes()).all(|it| it.work.is_only_tags()));
    world.role.as_mut().unwrap().trust = serde_json::json!({"Statement": []});
    let plan = planned(&wanted, &world);
    let other: Vec<_> =
        plan.actions.iter().filter(|it| it.changes() && !it.work.is_only_tags()).collect();
    assert_eq!(other.len(), 1);
    assert!(matches!(&other[0].work, Work::Role(work::Owned::Update(it)) if it.trust.is_some()));
}

/// The work says which statement differs, and from what to what.
#[test]
fn a_policy_that_differs_names_its_statements() {
    let topology = topology(&["us-west-2"]);
    let mut world = whole(&topology);
    let bucket = world.buckets.get_mut(&topology.source.bucket).unwrap();
    let statements = bucket.policy.as_mut().unwrap()["Statement"].as_array_mut().unwrap();
    statements[0]["Action"] = serde_json::json!("s3:Nothing");
    statements.push(serde_json::json!({"Sid": "CrrctlOld", "Effect": "Deny"}));
    let sid = statements[0]["Sid"].as_str().unwrap().to_owned();
    let plan = planned(&topology, &world);
    let works: Vec<&Work> =
        plan.actions.iter().filter(|it| it.changes()).map(|it| &it.work).collect();
    let [Work::BucketPolicy(work::SharedDocument::Update(differs))] = works[..] else {
        panic!("{works:#?}");
    };
    let told: Vec<_> = differs
        .statements
        .iter()
        .map(|it| (it.sid().unwrap(), it.from.is_some(), it.to.is_some()))
        .collect();
    assert_eq!(told, [(&*sid, true, true), ("CrrctlOld", true, false)]);
}
