//! Pairs of other shapes: many Regions with one key id, Regions that no list knows, prefixes, markers.

use crate::common::Stand;
use std::collections::BTreeSet;

/// Runs the whole life of `manifest`; returns the ids of its keys.
fn live(manifest: &str) -> BTreeSet<String> {
    let stand = Stand::new();
    let applied = stand.manifest(&["apply", "--yes", "-o", "json"], manifest).exits(0).json();
    assert_eq!(applied["summary"]["failed"], 0);
    for probe in applied["probes"].as_array().unwrap() {
        assert!(
            probe["checks"].as_object().unwrap().values().all(|holds| holds == true),
            "{probe}"
        );
    }
    let again =
        stand.manifest(&["apply", "--yes", "-o", "json", "--no-probe"], manifest).exits(0).json();
    assert_eq!((&again["changed"], &again["api_writes"]), (&false.into(), &0.into()));
    let _ = stand.manifest(&["destroy", "--yes"], manifest).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
    let resources = applied["resources"].as_array().unwrap();
    let arns = resources
        .iter()
        .filter(|it| ["kms:key", "kms:replica-key"].contains(&it["kind"].as_str().unwrap()));
    arns.map(|it| it["arn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
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

#[test]
fn two_pairs_side_by_side() {
    let stand = Stand::new();
    let manifest = |name: &str| {
        format!(
            "name: {name}\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2}}]\n"
        )
    };
    for name in ["a", "a-b"] {
        let _ = stand.manifest(&["apply", "--yes"], &manifest(name)).exits(0);
    }
    let _ = stand.manifest(&["destroy", "--yes"], &manifest("a")).exits(0);
    let _ = stand.manifest(&["plan", "--detailed-exitcode"], &manifest("a-b")).exits(0);
    let _ = stand.manifest(&["probe"], &manifest("a-b")).exits(0);
}
