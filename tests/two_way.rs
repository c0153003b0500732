//! Two-way replication: both roles and configurations in one run, proven in each direction, no replica of a replica, and neither way
//! forgotten by what looks, hands over or takes away.

use crate::common::{DESTINATION, SOURCE, Stand};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types as t;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const ONE_WAY: &str =
    "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";

fn two_way() -> String {
    format!("{ONE_WAY}replication: {{two_way: true}}\n")
}

/// Both ways are held to what is expected, by themselves, in probes, delete markers and the canary.
#[test]
fn probes_markers_and_the_canary_tell_each_way() {
    let stand = Stand::new();
    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}, {region: eu-west-1, prefix: e/}]\n\
        replication: {two_way: true, delete_markers: true}\n";
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe", "-q"], manifest).exits(0);
    let probed = ["probe", "--count", "3", "--delete-marker", "-o", "json"];
    let probed = stand.in_process_with(&probed, manifest).exits(0).json();
    let ways = |list: &Value| -> BTreeSet<(String, String)> {
        let text =
            |it: &Value| it.as_str().unwrap_or_else(|| it["region"].as_str().unwrap()).to_owned();
        list.as_array()
            .unwrap()
            .iter()
            .map(|it| (text(&it["source"]), text(&it["destination"])))
            .collect()
    };
    let all: BTreeSet<(String, String)> = [
        ("us-east-1", "us-west-2"),
        ("us-east-1", "eu-west-1"),
        ("us-west-2", "us-east-1"),
        ("eu-west-1", "us-east-1"),
    ]
    .map(|(from, to)| (from.to_owned(), to.to_owned()))
    .into();
    assert_eq!(ways(&probed["routes"]), all);
    assert!(probed["routes"].as_array().unwrap().iter().all(|it| it["completed"] == 3), "{probed}");
    assert_eq!(ways(&probed["delete_markers"]), all);
    let text = stand.manifest(&["probe", "--count", "3"], manifest).exits(0).stdout;
    assert!(text.contains("eu-west-1 → us-east-1: 3 of 3 COMPLETED; p50 "), "{text}");
    // However fast the machine, a probe takes a while.
    stand.faults(&["s3:HeadObject:delay=20ms"]);
    let slow = stand
        .in_process_with(&["probe", "--expect-p95", "0ms", "-o", "json"], manifest)
        .exits(7)
        .json();
    assert!(slow["error"]["message"].as_str().unwrap().contains(" → "), "{slow}");
    stand.faults(&[]);
    let watched = ["watch", "--every", "1s", "--timeout", "2s", "-o", "json"];
    let watched = stand.in_process_with(&watched, manifest).exits(7).json();
    let rules: Vec<&String> = watched["probes"].as_object().unwrap().keys().collect();
    let expected = [
        "crrctl.demo.eu-west-1",
        "crrctl.demo.us-east-1 from eu-west-1",
        "crrctl.demo.us-east-1 from us-west-2",
        "crrctl.demo.us-west-2",
    ];
    assert_eq!(rules, expected, "{watched}");
}

fn rules(stand: &Stand, region: &str, bucket: &str) -> Vec<t::ReplicationRule> {
    stand.s3(region, async |s3| {
        let live = s3.get_bucket_replication().bucket(bucket).send().await;
        live.map(|live| live.replication_configuration().unwrap().rules().to_vec())
            .unwrap_or_default()
    })
}

fn routes(probes: &Value) -> BTreeSet<(String, String)> {
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let route = |it: &Value| (text(&it["source"]["region"]), text(&it["destination"]["region"]));
    probes.as_array().unwrap().iter().map(route).collect()
}

fn both() -> BTreeSet<(String, String)> {
    [("us-east-1", "us-west-2"), ("us-west-2", "us-east-1")]
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .into()
}

/// Puts an object and waits until it has the replication status `wanted`; returns its version.
fn put(stand: &Stand, region: &str, bucket: &str, key: &str) -> String {
    stand.s3(region, async |s3| {
        let body = ByteStream::from_static(b"theirs");
        let put = s3.put_object().bucket(bucket).key(key).body(body).send().await.unwrap();
        let version = put.version_id().unwrap().to_owned();
        let started = Instant::now();
        loop {
            let head = s3.head_object().bucket(bucket).key(key).version_id(&version);
            let head = head.send().await.unwrap();
            if head.replication_status() == Some(&t::ReplicationStatus::Completed) {
                return version;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{head:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
}

fn versions(stand: &Stand, region: &str, bucket: &str, key: &str) -> Vec<String> {
    stand.s3(region, async |s3| {
        let list = s3.list_object_versions().bucket(bucket).prefix(key).send().await.unwrap();
        list.versions().iter().map(|it| it.version_id().unwrap().to_owned()).collect()
    })
}

fn tags(stand: &Stand, region: &str, bucket: &str, key: &str) -> Vec<(String, String)> {
    stand.s3(region, async |s3| {
        let found = s3.get_object_tagging().bucket(bucket).key(key).send().await.unwrap();
        found.tag_set().iter().map(|it| (it.key().to_owned(), it.value().to_owned())).collect()
    })
}

#[test]
fn both_ways_stand_are_proven_and_go() {
    let stand = Stand::new();
    let manifest = two_way();
    let applied =
        stand.in_process_with(&["apply", "--yes", "-o", "json"], &manifest).exits(0).json();
    assert_eq!(routes(&applied["probes"]), both());
    assert_eq!(applied["summary"]["failed"], 0);
    for (region, bucket) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
        let rules = rules(&stand, region, bucket);
        let criteria = rules[0].source_selection_criteria().unwrap();
        let modifications = criteria.replica_modifications().unwrap().status();
        assert_eq!((rules.len(), modifications.as_str()), (1, "Enabled"));
    }
    // Neither an object nor its replica comes back as another version.
    for (from, bucket, to, other) in [
        ("us-east-1", SOURCE, "us-west-2", DESTINATION),
        ("us-west-2", DESTINATION, "us-east-1", SOURCE),
    ] {
        let key = format!("from-{from}");
        let version = put(&stand, from, bucket, &key);
        Stand::wait_until("all is replicated", || {
            let records = stand.control("GET", "replication", "");
            records.as_array().unwrap().iter().all(|it| it["status"] != "PENDING")
        });
        assert_eq!(versions(&stand, from, bucket, &key), [version.as_str()]);
        assert_eq!(versions(&stand, to, other, &key), [version.as_str()]);
    }
    // What is changed about a replica follows back to where it came from.
    stand.s3("us-west-2", async |s3| {
        let tag = t::Tag::builder().key("seen").value("yes").build().unwrap();
        let tagging = t::Tagging::builder().tag_set(tag).build().unwrap();
        let put = s3.put_object_tagging().bucket(DESTINATION).key("from-us-east-1");
        put.tagging(tagging).send().await.unwrap();
    });
    let started = Instant::now();
    let seen = [("seen".to_owned(), "yes".to_owned())];
    while tags(&stand, "us-east-1", SOURCE, "from-us-east-1") != seen {
        assert!(started.elapsed() < Duration::from_secs(20));
    }
    let probed = stand.manifest(&["probe", "--delete-marker", "-o", "json"], &manifest);
    let probed = probed.exits(0).json();
    assert_eq!(routes(&probed["probes"]), both());
    assert_eq!(probed["delete_markers"].as_array().unwrap().len(), 2);
    let status = stand.in_process_with(&["status", "-o", "json"], &manifest).exits(0).json();
    assert_eq!(status["rules"].as_array().unwrap().len(), 2);
    assert_eq!(status["back_roles"].as_array().unwrap().len(), 1);
    let _ = stand.in_process_with(&["destroy", "--yes", "--purge-data"], &manifest).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// Where others write to the destination, its way back is proven on probes alone before it goes live, as the way there is.
#[test]
fn each_way_is_proven_first_where_others_write() {
    let stand = Stand::new();
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], ONE_WAY).exits(0);
    let version = put(&stand, "us-east-1", SOURCE, "theirs");
    let manifest = two_way();
    let output = stand.manifest(&["apply", "--yes", "--no-probe"], &manifest).exits(10);
    assert!(output.stderr.contains("activation"), "{output}");
    let planned = stand.in_process_with(&["plan", "-o", "json"], &manifest).exits(0).json();
    let changes = planned["changes"].as_array().unwrap();
    let proven = |it: &&Value| it["reason"].as_str().unwrap().contains("proven on probes alone");
    let names: Vec<&str> =
        changes.iter().filter(proven).map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, [SOURCE, DESTINATION]);
    let applied =
        stand.in_process_with(&["apply", "--yes", "-o", "json"], &manifest).exits(0).json();
    // Three of each proof, then two of each direction.
    assert_eq!(applied["summary"]["completed"], 10);
    assert_eq!(versions(&stand, "us-east-1", SOURCE, "theirs"), [version]);
    for (region, bucket) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
        let filter = rules(&stand, region, bucket)[0].filter().unwrap().clone();
        assert_eq!(filter.prefix().unwrap_or_default(), "");
    }
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], &manifest).exits(0);
}

/// A manifest that is one-way again leaves the way back as an orphan; pruning takes it away with its role.
#[test]
fn a_way_back_that_is_not_wanted_any_more_is_told_and_pruned() {
    let stand = Stand::new();
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &two_way()).exits(0);
    let planned = stand.in_process_with(&["plan", "-o", "json"], ONE_WAY).exits(0).json();
    let orphans: BTreeSet<&str> = planned["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["action"] == "orphan")
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    assert_eq!(orphans, BTreeSet::from(["iam:role", "iam:role-policy", "s3:replication"]));
    let destroyed =
        stand.in_process_with(&["plan", "--destroy", "-o", "json"], ONE_WAY).exits(0).json();
    let roles = destroyed["changes"].as_array().unwrap();
    assert_eq!(roles.iter().filter(|it| it["kind"] == "iam:role").count(), 2);
    let _ = stand.in_process_with(&["destroy", "--yes"], ONE_WAY).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// A way back that is broken is found by what looks at the pair, and said by direction.
#[test]
fn a_broken_way_back_is_found() {
    let stand = Stand::new();
    let manifest = two_way();
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &manifest).exits(0);
    let _ = stand.in_process_with(&["check"], &manifest).exits(0);
    stand.iam(async |iam| {
        let delete = iam.delete_role_policy().role_name("crrctl-demo-us-west-2");
        delete.policy_name("replication").send().await.unwrap();
    });
    let checked = stand.in_process_with(&["check", "-o", "json"], &manifest).exits(2).json();
    let failed: Vec<&Value> =
        checked["checks"].as_array().unwrap().iter().filter(|it| it["result"] == "fail").collect();
    assert_eq!(failed[0]["name"], "role.policy", "{failed:?}");
    assert!(failed[0]["detail"].as_str().unwrap().contains(DESTINATION), "{failed:?}");
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], &manifest).exits(2);
    let probed = stand.in_process_with(&["probe", "-o", "json"], &manifest).exits(6).json();
    let failed: Vec<&Value> =
        probed["probes"].as_array().unwrap().iter().filter(|it| it["status"] == "FAILED").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["source"]["region"], "us-west-2");
    let _ = stand.in_process_with(&["apply", "--yes"], &manifest).exits(0);
}

/// Without its manifest too, both roles go: also where the configuration that names the second is gone already.
#[test]
fn what_has_expired_of_both_ways_goes() {
    let stand = Stand::new();
    let apply = ["apply", "--yes", "--no-probe", "--ephemeral", "1s"];
    let _ = stand.in_process_with(&apply, &two_way()).exits(0);
    stand.s3("us-west-2", async |s3| {
        s3.delete_bucket_replication().bucket(DESTINATION).send().await.unwrap();
    });
    std::thread::sleep(Duration::from_secs(3));
    let gone = stand.run(&["gc", "--yes", "-o", "json"]).exits(0).json();
    let removed = gone["removed"].as_array().unwrap();
    assert_eq!(removed.iter().filter(|it| it["kind"] == "iam:role").count(), 2, "{gone}");
    assert_eq!(stand.leftovers(), [""; 0]);
}
