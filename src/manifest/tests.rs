//! Tests of valid manifests, and of every refusal with its position.
//! Not for: resources on AWS (see `plan`).

mod refusals;

use super::{Manifest, Origin, Profile, parse};
use crate::names::AccountId;

fn read(text: &str) -> Result<Manifest, super::ManifestError> {
    parse(text, &Origin::Stdin, None)
}

const PAIR: &str =
    "name: orders\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";

#[test]
fn the_shortest_manifest_has_the_defaults_of_the_contract() {
    let topology = read(PAIR).unwrap().topology(&AccountId::new("111122223333").unwrap()).unwrap();
    assert_eq!(topology.source.bucket.as_str(), "orders-111122223333-us-east-1");
    assert_eq!(topology.destinations[0].bucket.as_str(), "orders-111122223333-us-west-2");
    assert_eq!(topology.role.as_str(), "crrctl-orders-us-east-1");
    assert_eq!(topology.wanted.key.alias.as_str(), "alias/crrctl/orders");
    assert_eq!(
        (topology.wanted.key.rotation_days, topology.wanted.key.deletion_window_days),
        (Some(365), 7)
    );
    assert_eq!(topology.wanted.key.replica_timeout.as_secs(), 1200);
    assert!(
        topology.wanted.bucket_key
            && topology.wanted.tls_only
            && !topology.rules[0].settings.delete_markers
    );
    assert_eq!(topology.wanted.id(), "111122223333/us-east-1/orders-111122223333-us-east-1");
    assert_eq!(topology.wanted.probe_prefix(&topology.rules[0].settings), "_crrctl/orders/");
}

#[test]
fn every_key_of_this_version_is_taken() {
    let text = r#"
name: orders
source: {region: ap-southeast-1, bucket: "src-{name}-{account}", adopt: false}
destinations:
  - {region: ap-southeast-2}
  - {region: ap-southeast-3, bucket: "dst-{region}-{account}"}
key:
  kind: multi-region
  algorithm: aws:kms
  alias: alias/orders
  rotation_days: false
  deletion_window_days: 30
  administrators: ["arn:aws:iam::111122223333:role/admin"]
  usable_by_accounts: ["444455556666"]
  replica_timeout: 15m
buckets: {bucket_key: false, object_lock: false, tls_only: false, namespace: global}
role: {name: "r-{name}-{source.region}", permissions_boundary: null, arn: null, take_over: false}
replication:
  prefix: data/
  tags: {}
  delete_markers: true
  two_way: false
  activation: direct
policy: {profile: compatible, templates: overrides}
tags: {team: storage}
"#;
    let manifest = read(text).unwrap();
    assert_eq!(manifest.templates(), Some(std::path::Path::new("overrides")));
    let topology = manifest.topology(&AccountId::new("111122223333").unwrap()).unwrap();
    assert_eq!(topology.source.bucket.as_str(), "src-orders-111122223333");
    assert_eq!(topology.destinations[1].bucket.as_str(), "dst-ap-southeast-3-111122223333");
    assert_eq!(
        (topology.wanted.key.rotation_days, topology.role.as_str()),
        (None, "r-orders-ap-southeast-1")
    );
    assert_eq!(topology.wanted.probe_prefix(&topology.rules[0].settings), "data/_crrctl/orders/");
    assert_eq!(topology.all_tags()["team"], "storage");
}

#[test]
fn rotation_is_off_in_every_spelling_of_yaml() {
    for off in ["false", "off", "no"] {
        let manifest = read(&format!("{PAIR}key: {{rotation_days: {off}}}\n")).unwrap();
        assert_eq!(manifest.key.rotation_days, None, "{off}");
    }
}

#[test]
fn strict_is_taken_where_bucket_keys_are_expressly_off() {
    let strict = "buckets: {bucket_key: false, deny_other_keys: true}\npolicy: {profile: strict}\n";
    let manifest = read(&format!("{PAIR}{strict}")).unwrap();
    assert_eq!((manifest.profile, manifest.deny_other_keys), (Profile::Strict, true));
    assert_eq!(read(PAIR).unwrap().profile, Profile::Compatible);
}

#[test]
fn reports_lie_outside_every_rule() {
    for (prefix, with_data) in
        [("", false), ("_", false), ("_crrctl-batch/", false), ("data/", true)]
    {
        let text = format!("{PAIR}replication: {{prefix: \"{prefix}\"}}\n");
        let account = AccountId::new("111122223333").unwrap();
        let topology = read(&text).unwrap().topology(&account).unwrap();
        let reports = topology.reports();
        assert_eq!(reports.with_data, with_data, "{prefix}");
        let beside_data = reports.bucket == topology.source.bucket.as_str();
        assert!(!(beside_data && reports.prefix.starts_with(prefix)), "{prefix}");
        assert!(crate::names::BucketName::new(reports.bucket).is_ok(), "{prefix}");
    }
}

#[test]
fn a_region_that_no_list_knows_is_taken() {
    assert!(
        read("name: a\nsource: {region: xx-future-9}\ndestinations: [{region: xx-future-8}]\n")
            .is_ok()
    );
}

#[test]
fn run_is_filled_in_where_it_is_known() {
    let text =
        PAIR.replace("{region: us-east-1}", "{region: us-east-1, bucket: \"b-{run}-{account}\"}");
    assert!(parse(&text, &Origin::Stdin, Some("42")).is_ok());
    assert!(read(&text).unwrap_err().to_string().contains("`{run}` has no value"));
}

/// A side without credentials of its own uses the source's credentials. `{account}` in a side's
/// name is replaced by that side's account.
#[test]
fn each_side_has_the_credentials_that_it_names_or_the_sources() {
    let away = |source: &str, destination: &str| {
        let text = format!(
            "name: a\nsource: {{region: us-east-1{source}}}\ndestinations: [{{region: us-west-2{destination}}}]\nkey: {{kind: per-region}}\n"
        );
        let manifest = read(&text).unwrap();
        let west = manifest.away().values().next().map(|away| away.login.to_string());
        (manifest.login().to_string(), west)
    };
    let role = ", assume_role: \"arn:aws:iam::444455556666:role/r\"";
    assert_eq!(away("", ""), ("the usual credentials".to_owned(), None));
    assert_eq!(away(", profile: p", ""), ("profile `p`".to_owned(), None));
    assert_eq!(away(", profile: p", ", profile: p"), ("profile `p`".to_owned(), None));
    assert_eq!(away(role, ""), ("role `arn:aws:iam::444455556666:role/r`".to_owned(), None));
    assert_eq!(away("", ", profile: q").1.unwrap(), "profile `q`");
    let both = "role `arn:aws:iam::444455556666:role/r` by profile `p`";
    assert_eq!(away(", profile: p", role).1.unwrap(), both);
    assert_eq!(away(role, ", profile: q").1.unwrap(), "profile `q`");
    let text = "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, account: \"444455556666\", profile: q}]\nkey: {kind: per-region}\n";
    let manifest = read(text).unwrap();
    let topology = manifest.topology(&AccountId::new("111122223333").unwrap()).unwrap();
    let buckets: Vec<&str> = topology.sides().map(|side| side.bucket.as_str()).collect();
    assert_eq!(buckets, ["a-111122223333-us-east-1", "a-444455556666-us-west-2"]);
    let away = topology.destinations.first().unwrap();
    assert!(topology.is_foreign(away) && !topology.is_foreign(&topology.source));
    assert_eq!(topology.wanted.id(), "111122223333/us-east-1/a-111122223333-us-east-1");
}

/// Existing rules and roles may be named only where they can exist, and only once.
#[test]
fn rules_and_roles_that_exist_are_named_once_and_where_they_can_be() {
    let arn = "arn:aws:iam::111122223333:role/theirs";
    let pair = |source: &str, destination: &str, rest: &str| {
        format!(
            "name: a\nsource: {{region: us-east-1{source}}}\n\
             destinations: [{{region: us-west-2{destination}}}, {{region: eu-west-1, adopt: true, back: {{role: \"{arn}\", rule_id: c}}}}]\n\
             role: {{arn: \"{arn}\"}}\nreplication: {{two_way: true}}\n{rest}"
        )
    };
    let adopted = ", adopt: true, bucket: src";
    let whole = pair(adopted, ", adopt: true, rule_id: b, back: {rule_id: b}", "");
    let account = AccountId::new("111122223333").unwrap();
    let topology = read(&whole).unwrap().topology(&account).unwrap();
    let ids: Vec<&str> = topology.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["b", "crrctl.a.eu-west-1"]);
    let backs: Vec<String> = topology.backward().map(|it| it.rules[0].id.clone()).collect();
    assert_eq!(backs, ["b", "c"]);
    let refused = [
        (
            pair("", ", rule_id: b", ""),
            "`destinations[0].rule_id`: a rule exists before the pair only",
        ),
        (
            pair(adopted, ", back: {rule_id: b}", ""),
            "`destinations[0].back.rule_id`: a rule exists before",
        ),
        (
            pair(adopted, ", rule_id: crrctl.a.eu-west-1", ""),
            "`destinations[1].rule_id`: another rule of this",
        ),
        (
            pair(adopted, ", rule_id: crrctl.b.us-west-2", ""),
            "an id of this kind is that of a rule that crrctl makes",
        ),
        (pair(adopted, ", rule_id: x.proof", ""), "an id of this kind"),
        (pair(adopted, ", rule_id: ''", ""), "1 to 248 characters are allowed"),
        (
            whole.replace("two_way: true", "two_way: false"),
            "`destinations[0].back`: there is no way back",
        ),
        (whole.replace("role: {arn", "tags: {arn"), "`role.arn` is missing"),
        (whole.replace("role/theirs\", rule_id: c", "user/theirs\", rule_id: c"), "is no role"),
    ];
    for (text, wanted) in refused {
        let message = read(&text).expect_err(&text).to_string();
        assert!(message.contains(wanted), "{text}\n says: {message}\nwants: {wanted}");
    }
}

/// The role of a reverse direction from another account, and its permissions boundary, must be of
/// that account.
#[test]
fn roles_of_the_way_back_are_of_the_account_they_are_in() {
    let pair = |destination: &str, rest: &str| {
        format!(
            "name: a\nsource: {{region: us-east-1, account: \"111122223333\"}}\n\
             destinations: [{{region: us-west-2, account: \"444455556666\"{destination}}}]\n\
             key: {{kind: none}}\nreplication: {{two_way: true}}\n{rest}"
        )
    };
    let here = "arn:aws:iam::111122223333:role/theirs";
    let (there, bound) = (here.replace("111122223333", "444455556666"), "policy/boundary");
    let given = format!("role: {{arn: \"{here}\"}}\n");
    let bounded = |account: &str| {
        format!("role: {{permissions_boundary: \"arn:aws:iam::{account}:{bound}\"}}\n")
    };
    let back = |key: &str, arn: &str| format!(", back: {{{key}: \"{arn}\"}}");
    let own_bound = back("permissions_boundary", "arn:aws:iam::444455556666:policy/theirs");
    let account = AccountId::new("111122223333").unwrap();
    let roles = |text: &str| {
        let accounts = read(text).unwrap().some_accounts(&account);
        let topology = read(text).unwrap().topology_in(&accounts).unwrap();
        let way = |it: super::Topology| {
            (it.role_arn().to_string(), it.role_settings.boundary.as_ref().map(ToString::to_string))
        };
        topology.directions().into_iter().map(way).collect::<Vec<_>>()
    };
    let made = roles(&pair(&own_bound, &bounded("111122223333")));
    let ours = "role/crrctl/crrctl-a";
    assert_eq!(
        made,
        [
            (
                format!("arn:aws:iam::111122223333:{ours}-us-east-1"),
                Some(format!("arn:aws:iam::111122223333:{bound}"))
            ),
            (
                format!("arn:aws:iam::444455556666:{ours}-us-west-2"),
                Some("arn:aws:iam::444455556666:policy/theirs".to_owned())
            ),
        ]
    );
    assert_eq!(
        roles(&pair("", &bounded("aws")))[1].1.as_deref().unwrap(),
        "arn:aws:iam::aws:policy/boundary"
    );
    assert_eq!(roles(&pair(&back("role", &there), &given))[1].0, there);
    let refused = [
        (
            pair("", &given),
            "`destinations[0].back.role`: us-west-2 replicates back by a role of its own account",
        ),
        (pair(&back("role", here), &given), "is not a role of the destination's account"),
        (
            pair("", &bounded("111122223333")),
            "`role.permissions_boundary`: it bounds no role of another account",
        ),
        (
            pair(&own_bound.replace('}', &format!(", role: \"{there}\"}}")), &given),
            "`destinations[0].back.permissions_boundary`: a role that exists is used as it is",
        ),
        (
            pair(&own_bound, "").replace("two_way: true", "two_way: false"),
            "`destinations[0].back`: there is no way back",
        ),
    ];
    for (text, wanted) in refused {
        let message = read(&text).expect_err(&text).to_string();
        assert!(message.contains(wanted), "{text}\n says: {message}\nwants: {wanted}");
    }
}

/// The schema is handwritten. At each place it must have exactly the keys that the parser reads.
#[test]
fn the_schema_has_the_keys_that_are_read() {
    let schema = serde_json::from_str::<serde_json::Value>(super::SCHEMA).unwrap();
    let inside = |key: &str| format!("{PAIR}{key}: {{zzz: 1}}\n");
    let side = |source: &str, destination: &str| {
        format!(
            "name: a\nsource: {{region: us-east-1{source}}}\ndestinations: [{{region: us-west-2{destination}}}]\n"
        )
    };
    let mut rows = vec![
        (String::new(), format!("{PAIR}zzz: 1\n")),
        ("/properties/source".to_owned(), side(", zzz: 1", "")),
        ("/properties/destinations/items".to_owned(), side("", ", zzz: 1")),
        ("/properties/destinations/items/properties/back".to_owned(), side("", ", back: {zzz: 1}")),
    ];
    for key in ["key", "buckets", "role", "replication", "policy"] {
        rows.push((format!("/properties/{key}"), inside(key)));
    }
    for (place, text) in rows {
        let message = read(&text).expect_err(&text).to_string();
        let (_, allowed) = message.split_once("allowed here: ").unwrap();
        let read: std::collections::BTreeSet<&str> =
            allowed.split(", ").map(|key| key.trim_matches('`')).collect();
        let known = schema.pointer(&format!("{place}/properties")).unwrap();
        let known: std::collections::BTreeSet<&str> =
            known.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(read, known, "{place}");
    }
}

/// The schema accepts the examples, and `check` refuses whatever the schema refuses.
#[test]
fn the_schema_agrees_with_what_is_checked() {
    let schema = jsonschema::validator_for(
        &serde_json::from_str::<serde_json::Value>(super::SCHEMA).unwrap(),
    )
    .unwrap();
    let value = |text: &str| serde_saphyr::from_str::<serde_json::Value>(text).unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(read(&text).is_ok(), "{text}");
        let errors: Vec<String> =
            schema.iter_errors(&value(&text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}\n{text}");
        count += 1;
    }
    assert!(count > 5);
    for bad in [
        "regoin: x",
        "key: {kind: multi-regoin}",
        "key: {deletion_window_days: 3}",
        "replication: {storage_class: FSX_OPENZFS}",
        "replication: {activation: derict}",
        "buckets: {bucket_key: maybe}",
    ] {
        let text = format!("{PAIR}{bad}\n");
        assert!(read(&text).is_err(), "{bad}");
        assert!(!schema.is_valid(&value(&text)), "{bad}");
    }
}

#[test]
fn near_misses_are_named() {
    let error = read(&format!("{PAIR}replicaton: {{}}\n")).unwrap_err();
    let failure = crate::failure::Failure::from(error);
    assert_eq!(failure.hints, ["did you mean `replication`?"]);
}

proptest::proptest! {
    #![proptest_config(crate::seeded::cases(256))]

    /// No text makes the parser panic.
    #[test]
    fn any_text_is_taken_or_refused(text in ".{0,200}") {
        let _ = read(&text);
        let _ = read(&format!("{PAIR}{text}"));
    }
}

/// A bucket name in the account regional namespace has the required suffix, and no other bucket
/// name may have it.
#[test]
fn the_namespace_and_the_names_fit() {
    let own = "buckets: {namespace: account-regional}\n";
    let account = AccountId::new("111122223333").unwrap();
    let same = PAIR.replace("us-west-2", "us-east-1");
    let topology = read(&format!("{same}{own}")).unwrap().topology(&account).unwrap();
    let names: Vec<&str> = topology.sides().map(|side| side.bucket.as_str()).collect();
    assert_eq!(names, ["orders-111122223333-us-east-1-an", "orders-r-111122223333-us-east-1-an"]);
    let with_bucket = |bucket: &str, rest: &str| {
        let side = format!("{{region: us-east-1, bucket: \"{bucket}\"}}");
        read(&PAIR.replace("{region: us-east-1}", &side).replace("]\n", &format!("]\n{rest}")))
    };
    assert!(with_bucket("a-{account}-us-east-1-an", own).is_ok());
    assert!(with_bucket("a-111122223333-us-east-1-an", own).is_ok());
    for (bucket, rest, says) in [
        ("a-{account}", own, "`SOME-NAME-{account}-us-east-1-an` alone"),
        ("a-{account}-us-west-2-an", own, "alone"),
        ("a-11112222333-us-east-1-an", own, "alone"),
        ("a-{account}-us-east-1-an", "", "are in the account's own namespace"),
    ] {
        let error = with_bucket(bucket, rest).unwrap_err().to_string();
        assert!(error.contains("`source.bucket`") && error.contains(says), "{bucket}: {error}");
    }
}

/// An entry of `pairs` accepts the same keys as a manifest of one pair, also in the schema.
#[test]
fn the_schema_takes_many_pairs() {
    let schema = serde_json::from_str::<serde_json::Value>(super::SCHEMA).unwrap();
    let known = |place: &str| -> std::collections::BTreeSet<String> {
        schema.pointer(place).unwrap().as_object().unwrap().keys().cloned().collect()
    };
    let mut entry = known("/properties/pairs/items/properties");
    entry.insert("pairs".to_owned());
    assert_eq!(entry, known("/properties"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (text, is_good) in [
        (
            "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npairs: [{name: a}, {name: b}]\n",
            true,
        ),
        (
            "source: {bucket: \"{name}-{account}\"}\ndestinations: [{region: us-west-2}]\npairs: [{name: a, source: {region: us-east-1}}]\n",
            true,
        ),
        (
            "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npairs: [{nmae: a}]\n",
            false,
        ),
        ("source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npairs: []\n", false),
        ("name: a\nsource: {bucket: b}\ndestinations: [{region: us-west-2}]\n", false),
    ] {
        let value: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        assert_eq!(validator.is_valid(&value), is_good, "{text}");
        let origin = super::Origin::Stdin;
        assert_eq!(super::parse_pairs(text, &origin, None, &[]).is_ok(), is_good, "{text}");
    }
}

/// A list in an entry of `pairs` replaces the default list, also with nothing.
#[test]
fn an_empty_list_of_a_pair_replaces_the_default() {
    let text = "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        key: {administrators: [\"arn:aws:iam::111122223333:role/admin\"], usable_by_accounts: [\"444455556666\"]}\n\
        pairs: [{name: a}, {name: b, key: {administrators: [], usable_by_accounts: []}}]\n";
    let super::Pairs::Many(fleet) =
        super::parse_pairs(text, &super::Origin::Stdin, None, &[]).unwrap()
    else {
        panic!("these are two pairs");
    };
    let account = AccountId::new("111122223333").unwrap();
    let counts = fleet.pairs.iter().map(|manifest| {
        let key = manifest.topology(&account).unwrap().wanted.key.clone();
        (key.administrators.len(), key.usable_by_accounts.len())
    });
    assert_eq!(counts.collect::<Vec<_>>(), [(1, 1), (0, 0)]);
}
