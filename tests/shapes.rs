//! Pairs of every shape, each through its whole life: planned, applied and proven, applied again without a change, one drift
//! repaired, destroyed, nothing left.

use crate::common::{Stand, s3_of};
use crrctl_sandbox::DEFAULT_ACCOUNT;
use serde_json::Value;
use std::collections::BTreeSet;

/// The account of the profile `archive`.
const OTHER: &str = "444455556666";

/// Runs the whole life of `manifest` in `stand`; returns what `apply` said.
fn live_in(stand: &Stand, name: &str, manifest: &str) -> Value {
    let before = stand.leftovers();
    let planned = stand.manifest(&["plan", "--detailed-exitcode", "-o", "json"], manifest);
    let planned = planned.exits(2).json()["changes"].as_array().unwrap().len();
    let applied =
        stand.in_process_with(&["apply", "--yes", "-o", "json"], manifest).exits(0).json();
    assert_eq!(applied["summary"]["failed"], 0);
    let probes = applied["probes"].as_array().unwrap();
    for probe in probes {
        assert!(
            probe["checks"].as_object().unwrap().values().all(|holds| holds == true),
            "{name}: {probe}"
        );
    }
    let rules: BTreeSet<&str> = probes.iter().map(|it| it["rule"].as_str().unwrap()).collect();
    let again = ["apply", "--yes", "-o", "json", "--no-probe"];
    let same = stand.in_process_with(&again, manifest).exits(0).json();
    assert_eq!((&same["changed"], &same["api_writes"]), (&false.into(), &0.into()), "{name}");
    let ways = ways(stand, name, manifest, &rules);
    let drifted = drift(stand, &applied);
    let repaired = stand.in_process_with(&again, manifest).exits(0).json();
    assert_eq!(repaired["changed"], drifted, "{name}");
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], manifest).exits(0);
    // Of a key that other accounts may use, destroying wants to be told so.
    let _ = stand.in_process_with(&["destroy", "--yes", "--purge-keys"], manifest).exits(0);
    assert_eq!(stand.leftovers(), before, "{name}");
    println!(
        "{name:<24} {planned:>3} planned  {:>2} rules  {:>2} probes COMPLETED  {ways:>2} ways probed  0 changes again  drift repaired  destroyed",
        rules.len(),
        probes.len()
    );
    applied
}

/// Probes what stands once more; returns in how many ways from bucket to bucket objects were replicated. Each rule of each
/// configuration is among them.
fn ways(stand: &Stand, name: &str, manifest: &str, rules: &BTreeSet<&str>) -> usize {
    let once_more = stand.in_process_with(&["probe", "-o", "json"], manifest).exits(0).json();
    let probes = once_more["probes"].as_array().unwrap();
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let told: BTreeSet<&str> = probes.iter().map(|it| it["rule"].as_str().unwrap()).collect();
    assert_eq!(&told, rules, "{name}");
    let ways: BTreeSet<(String, String)> = probes
        .iter()
        .map(|it| (text(&it["source"]["bucket"]), text(&it["destination"]["bucket"])))
        .collect();
    if manifest.contains("two_way: true") {
        let back = |(from, to): &(String, String)| ways.contains(&(to.clone(), from.clone()));
        assert!(ways.iter().all(back), "{name}: {ways:?}");
    }
    ways.len()
}

/// Disables the first rule of every replication configuration.
fn drift(stand: &Stand, applied: &Value) -> bool {
    use aws_sdk_s3::types::ReplicationRuleStatus::Disabled;
    let resources = applied["resources"].as_array().unwrap();
    let configurations = resources.iter().filter(|it| it["kind"] == "s3:replication");
    let mut drifted = false;
    for it in configurations {
        let bucket = it["arn"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
        let foreign = bucket.contains(OTHER).then_some(OTHER);
        let account = foreign.unwrap_or(DEFAULT_ACCOUNT);
        let s3 = s3_of(account, stand.endpoint(), it["region"].as_str().unwrap());
        stand.wait(async {
            let live = s3.get_bucket_replication().bucket(&bucket).send().await.unwrap();
            let mut live = live.replication_configuration().unwrap().clone();
            live.rules[0].status = Disabled;
            let put = s3.put_bucket_replication().bucket(&bucket);
            put.replication_configuration(live).send().await.unwrap();
        });
        drifted = true;
    }
    drifted
}

/// Runs the whole life of `manifest`; returns the ids of its keys.
fn live(manifest: &str) -> BTreeSet<String> {
    let applied = live_in(&Stand::new(), manifest.lines().next().unwrap(), manifest);
    let resources = applied["resources"].as_array().unwrap();
    let arns = resources
        .iter()
        .filter(|it| ["kms:key", "kms:replica-key"].contains(&it["kind"].as_str().unwrap()));
    arns.map(|it| it["arn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
}

/// The shapes that need nothing but the manifest.
const SHAPES: [(&str, &str); 9] = [
    (
        "two of one Region",
        r"
name: twins
source: {region: us-east-1}
destinations:
  - {region: us-west-2, prefix: logs/, storage_class: STANDARD_IA, metrics: true, priority: 4}
  - {region: us-west-2, bucket: twins.more, prefix: logs/, time_control: true}
  - {region: us-west-2, bucket: twins.more, prefix: data/, delete_markers: true, priority: 9}
  - {region: us-east-1, bucket: twins-near}
  - {region: us-east-1, bucket: twins-nearer, tags: {tier: gold}}
",
    ),
    (
        "two of one Region, a key for each Region",
        "name: each\nsource: {region: us-east-1}\nkey: {kind: per-region}\n\
         destinations: [{region: us-west-2}, {region: us-west-2, bucket: each-more}]\n",
    ),
    (
        "rule options",
        r#"
name: rules
source: {region: us-east-1}
destinations:
  - {region: us-west-2, prefix: logs/, storage_class: STANDARD_IA, metrics: true}
  - {region: us-west-2, prefix: data/, delete_markers: true, time_control: true}
  - {region: eu-west-1, prefix: data/, tags: {tier: gold, team: "a b"}, priority: 7}
  - {region: eu-west-1, tags: {tier: gold}, priority: 9}
"#,
    ),
    (
        "same Region",
        "name: same\nsource: {region: us-east-1}\ndestinations: [{region: us-east-1}]\n",
    ),
    (
        "both",
        "name: both\nsource: {region: us-east-1}\ndestinations: [{region: us-east-1}, {region: us-west-2}]\n",
    ),
    (
        "per-region",
        "name: per\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}, {region: eu-west-1}]\nkey: {kind: per-region}\n",
    ),
    (
        "SSE-S3",
        "name: bare\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\nkey: {kind: none}\n",
    ),
    (
        "DSSE",
        "name: dual\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\nkey: {algorithm: \"aws:kms:dsse\"}\n",
    ),
    (
        "all tags",
        "name: tags\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
         replication: {prefix: p/, tags: {a: '1', b: '2', c: '3', d: '4', e: '5', f: '6', g: '7', h: '8', i: '9', j: '10'}}\n",
    ),
];

#[test]
fn every_shape_lives_and_leaves_nothing() {
    for (name, manifest) in SHAPES {
        live_in(&Stand::new(), name, manifest);
    }
}

/// Each manifest under `examples/manifests/` that needs nothing but itself.
#[test]
fn every_example_lives_and_leaves_nothing() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests");
    let mut examples: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    examples.sort();
    for path in examples {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let stand = Stand::furnished();
        live_in(&stand, &name, &std::fs::read_to_string(path).unwrap());
    }
}

/// Makes a key that is nobody's but the user's.
fn their_key(stand: &Stand, region: &str, alias: &str) -> String {
    stand.kms(region, async |kms| {
        let made = kms.create_key().send().await.unwrap();
        let arn = made.key_metadata().unwrap().arn().unwrap().to_owned();
        kms.create_alias().alias_name(alias).target_key_id(&arn).send().await.unwrap();
        arn
    })
}

#[test]
fn keys_that_exist_are_used_and_stay() {
    let stand = Stand::new();
    let source = their_key(&stand, "us-east-1", "alias/theirs");
    let other = their_key(&stand, "us-west-2", "alias/theirs");
    let manifest = format!(
        "name: given\nsource: {{region: us-east-1}}\n\
         destinations: [{{region: us-west-2}}, {{region: us-east-1, key: {source}}}]\n\
         key: {{kind: existing, arns: {{us-east-1: {source}, us-west-2: alias/theirs}}}}\n"
    );
    let applied = live_in(&stand, "existing keys", &manifest);
    let keys: BTreeSet<&str> = applied["probes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|probe| probe["kms_key_arn"].as_str().unwrap())
        .collect();
    assert_eq!(keys, BTreeSet::from([source.as_str(), other.as_str()]));
    // A key that is not there, and one that can't encrypt.
    let missing = manifest.replace("us-west-2: alias/theirs", "us-west-2: alias/nowhere");
    let output = stand.manifest(&["plan"], &missing).exits(10);
    assert!(output.stderr.contains("there is no key `alias/nowhere` in us-west-2"), "{output}");
    stand.kms("us-west-2", async |kms| kms.disable_key().key_id(&other).send().await.unwrap());
    let output = stand.manifest(&["apply", "--yes"], &manifest).exits(10);
    assert!(output.stderr.contains("is Disabled"), "{output}");
}

#[test]
fn a_destinations_own_key_stands_for_the_pairs() {
    let stand = Stand::new();
    let own = their_key(&stand, "us-west-2", "alias/own");
    let manifest = format!(
        "name: own\nsource: {{region: us-east-1}}\n\
         destinations: [{{region: us-west-2, key: {own}}}, {{region: eu-west-1}}]\n"
    );
    let applied = live_in(&stand, "own key", &manifest);
    let to_west = |probe: &&Value| probe["destination"]["region"] == "us-west-2";
    let probe = applied["probes"].as_array().unwrap().iter().find(to_west).unwrap();
    assert_eq!(probe["kms_key_arn"], own.as_str());
}

/// A key whose policy does not let the role in is found before anything is written, and never changed.
#[test]
fn what_the_policy_of_a_given_key_lacks_is_said() {
    let stand = Stand::new();
    let source = their_key(&stand, "us-east-1", "alias/theirs");
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"], "Resource": "*",
    }]});
    stand.kms("us-east-1", async |kms| {
        let put = kms.put_key_policy().key_id(&source).policy_name("default");
        put.policy(policy.to_string()).send().await.unwrap();
    });
    let manifest = format!(
        "name: given\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-east-1}}]\n\
         key: {{kind: existing, arns: [\"{source}\"]}}\n"
    );
    stand.calls();
    let output = stand.manifest(&["apply", "--yes", "-o", "json"], &manifest).exits(5);
    assert!(output.stderr.contains("existing-key.given-111122223333-us-east-1"), "{output}");
    assert!(output.stderr.contains("`kms:Decrypt`"), "{output}");
    assert_eq!(stand.calls()["writes"], 0);
}

/// A rule that the manifest no longer has goes, although its destination stays.
#[test]
fn a_rule_that_is_dropped_goes() {
    let stand = Stand::new();
    let two = "name: two\nsource: {region: us-east-1}\n\
        destinations: [{region: us-west-2, prefix: a/}, {region: us-west-2, prefix: b/}]\n";
    let _ = stand.in_process_with(&["apply", "--yes"], two).exits(0);
    let one = two.replace(", {region: us-west-2, prefix: b/}", "");
    let _ = stand.in_process_with(&["apply", "--yes"], &one).exits(0);
    stand.s3("us-east-1", async |s3| {
        let bucket = "two-111122223333-us-east-1";
        let live = s3.get_bucket_replication().bucket(bucket).send().await.unwrap();
        let ids: Vec<&str> = live
            .replication_configuration()
            .unwrap()
            .rules()
            .iter()
            .map(|it| it.id().unwrap())
            .collect();
        assert_eq!(ids, ["crrctl.two.us-west-2"]);
    });
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], &one).exits(0);
    let _ = stand.in_process_with(&["destroy", "--yes"], &one).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn one_key_id_in_three_regions() {
    let ids = live(
        "name: tri\nsource: {region: ap-southeast-1}\n\
         destinations: [{region: ap-southeast-2}, {region: ap-southeast-3}]\n",
    );
    assert_eq!(ids.len(), 1);
    assert!(ids.first().unwrap().starts_with("mrk-"));
}

#[test]
fn regions_that_no_list_knows() {
    live("name: future\nsource: {region: xx-future-9}\ndestinations: [{region: xx-future-8}]\n");
}

#[test]
fn other_partitions() {
    for (source, destination) in
        [("cn-north-1", "cn-northwest-1"), ("us-gov-west-1", "us-gov-east-1")]
    {
        live(&format!(
            "name: p\nsource: {{region: {source}}}\ndestinations: [{{region: {destination}}}]\n"
        ));
    }
}

#[test]
fn a_prefix_with_wildcards_in_it_and_delete_markers() {
    live(
        "name: odd\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
         replication: {prefix: 'a*b?c ${x}/', delete_markers: true}\n\
         buckets: {bucket_key: false}\nkey: {rotation_days: off}\n",
    );
}

/// A bucket of somebody else that moves objects into an archive: what that means at either end is said before anything is done.
#[test]
fn archives_are_warned_of() {
    use aws_sdk_s3::types as t;
    let stand = Stand::new();
    let place = |region: &str| {
        let it = t::CreateBucketConfiguration::builder().location_constraint(region.into());
        (region != "us-east-1").then(|| it.build())
    };
    let moved = |id: &str, class: t::TransitionStorageClass| {
        let to = t::Transition::builder().days(30).storage_class(class).build();
        let rule = t::LifecycleRule::builder().id(id).status(t::ExpirationStatus::Enabled);
        let rule = rule.filter(t::LifecycleRuleFilter::builder().prefix("").build());
        rule.transitions(to).build().unwrap()
    };
    let rules = [
        ("us-east-1", "theirs-src", moved("cold", t::TransitionStorageClass::DeepArchive)),
        ("us-west-2", "theirs-dst", moved("old", t::TransitionStorageClass::Glacier)),
    ];
    for (region, bucket, rule) in rules {
        stand.s3(region, async |s3| {
            let make = s3.create_bucket().bucket(bucket);
            make.set_create_bucket_configuration(place(region)).send().await.unwrap();
            let warm = moved("warm", t::TransitionStorageClass::StandardIa);
            let all = t::BucketLifecycleConfiguration::builder().rules(warm).rules(rule);
            let put = s3.put_bucket_lifecycle_configuration().bucket(bucket);
            put.lifecycle_configuration(all.build().unwrap()).send().await.unwrap();
        });
    }
    let manifest = "name: cold\nsource: {region: us-east-1, bucket: theirs-src, adopt: true}\n\
        destinations: [{region: us-west-2, bucket: theirs-dst, adopt: true, storage_class: GLACIER_IR}]\n";
    let planned = stand.in_process_with(&["plan", "-o", "json"], manifest).exits(0).json();
    let said = |it: &Value| {
        let lines = it.as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        lines.collect::<Vec<_>>().join("\n")
    };
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    let text = format!("{}\n\n{}", said(&planned["warnings"]), said(&planned["cost"]["items"]));
    settings.bind(|| insta::assert_snapshot!("warnings-archives", text));
}

#[test]
fn two_pairs_side_by_side() {
    let stand = Stand::new();
    let manifest = |name: &str| {
        format!(
            "name: {name}\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2}}]\n"
        )
    };
    for name in ["a", "a-b"] {
        let _ = stand.in_process_with(&["apply", "--yes"], &manifest(name)).exits(0);
    }
    let _ = stand.in_process_with(&["destroy", "--yes"], &manifest("a")).exits(0);
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], &manifest("a-b")).exits(0);
    let _ = stand.in_process_with(&["probe"], &manifest("a-b")).exits(0);
}
