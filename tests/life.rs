//! The life of a pair: built, built again, probed, mended, taken away, from whole and from half-built states.

use crate::common::{DESTINATION, PAIR, SOURCE, Stand};
use serde_json::{Value, json};

/// Returns the pairs of kind and action in `changes` or `resources`.
fn actions(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.as_array().unwrap().iter().map(|it| (text(&it["kind"]), text(&it["action"]))).collect()
}

#[test]
fn plan_then_apply_then_plan_again() {
    let stand = Stand::new();
    let before = stand.in_process(&["plan", "--detailed-exitcode"]).exits(2).json();
    let planned = actions(&before["changes"]);
    assert!(planned.iter().all(|(_, action)| action == "create"), "{planned:?}");
    assert_eq!(planned.len(), 22);
    assert_eq!(before["cost"]["monthly_usd"], 2.0);

    let applied = stand.in_process(&["apply", "--yes"]).exits(0).json();
    assert_eq!(actions(&applied["resources"]), planned, "what was planned is what was done");
    assert_eq!(applied["changed"], true);
    assert!(applied["activated_at"].is_string());
    assert_eq!(applied["summary"]["completed"], 2, "a small probe and one in two parts");

    let after = stand.in_process(&["plan", "--detailed-exitcode"]).exits(0).json();
    assert!(actions(&after["changes"]).iter().all(|(_, action)| action == "none"));
}

#[test]
fn a_second_apply_without_probe_writes_nothing_and_reads_in_two_waves() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes"]).exits(0);
    stand.calls();
    let again = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0).json();
    let calls = stand.calls();
    assert_eq!(again["changed"], false);
    assert_eq!(again["probes"], json!([]));
    assert_eq!(again["api_writes"], 0);
    assert_eq!(calls["writes"], 0, "{calls}");
    assert_eq!(calls["reads"], again["api_calls"], "the sandbox counts what crrctl counts");
}

#[test]
fn a_second_apply_writes_nothing_but_its_probe_and_leaves_no_object() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes"]).exits(0);
    stand.calls();
    let again = stand.in_process(&["apply", "--yes"]).exits(0).json();
    assert_eq!((&again["changed"], &again["summary"]["count"]), (&json!(false), &json!(1)));
    let calls = stand.calls();
    let writes: Vec<&String> = calls["by_operation"]
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| {
            !["Get", "Head", "List", "Describe"]
                .iter()
                .any(|verb| name.contains(&format!(":{verb}")))
        })
        .collect();
    assert_eq!(writes, ["s3:DeleteObject", "s3:PutObject"]);
    for (region, bucket) in
        [("us-east-1", "demo-111122223333-us-east-1"), ("us-west-2", "demo-111122223333-us-west-2")]
    {
        let versions = stand
            .s3(region, async |s3| s3.list_object_versions().bucket(bucket).send().await.unwrap());
        assert!(versions.versions().is_empty() && versions.delete_markers().is_empty(), "{bucket}");
    }
}

#[test]
fn probe_counts_sizes_and_keeps() {
    let stand = Stand::new();
    let _ = stand.in_process(&["probe"]).exits(3);
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let probed =
        stand.in_process(&["probe", "--count", "5", "--size", "1KiB", "--keep"]).exits(0).json();
    assert_eq!(probed["summary"]["completed"], 5);
    assert!(probed["summary"]["p95_ms"].is_u64());
    let kept = stand.s3("us-west-2", async |s3| {
        s3.list_object_versions().bucket("demo-111122223333-us-west-2").send().await.unwrap()
    });
    assert_eq!(kept.versions().len(), 5);
    assert!(
        kept.versions().iter().all(|version| version.key().unwrap().starts_with("_crrctl/demo/"))
    );
    assert!(kept.versions().iter().all(|version| version.size() == Some(1024)));
    // Kept probes are ours, so they do not stand in a destroy's way.
    let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn many_probes_are_removed_together() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let buckets = [("us-east-1", SOURCE), ("us-west-2", DESTINATION)];
    let left = || {
        buckets.map(|(region, bucket)| {
            let listed = stand.s3(region, async |s3| {
                s3.list_object_versions().bucket(bucket).send().await.unwrap()
            });
            listed.versions().len() + listed.delete_markers().len()
        })
    };
    let probe = ["probe", "--count", "600", "--size", "1B", "--concurrency", "16"];
    let _ = stand.calls();
    let probed = stand.in_process(&probe).exits(0).json();
    assert_eq!((&probed["summary"]["completed"], left()), (&json!(600), [0, 0]));
    let calls = stand.calls();
    assert_eq!(calls["by_operation"]["s3:DeleteObjects"], 4, "500 and 100 on each side");
    assert_eq!(calls["by_operation"].get("s3:DeleteObject"), None);
    stand.faults(&["s3:DeleteObjects:error=AccessDenied:times=1"]);
    let denied = stand.pair(&["probe", "--count", "100", "--size", "1B"]).exits(0);
    assert!(denied.stderr.contains("100 probes in `"), "{denied}");
    assert_eq!(left(), [0, 0], "what is left is listed and removed at the end");
}

#[test]
fn destroy_of_nothing_is_done_and_destroy_twice_is_too() {
    let stand = Stand::new();
    let nothing = stand.in_process(&["destroy", "--yes"]).exits(0).json();
    assert_eq!((&nothing["removed"], &nothing["left"]), (&json!([]), &json!([])));
    let _ = stand.in_process(&["apply", "--yes"]).exits(0);
    let destroyed = stand.in_process(&["destroy", "--yes"]).exits(0).json();
    assert_eq!(destroyed["left"], json!([]));
    assert_eq!(stand.leftovers(), [""; 0]);

    let again = stand.in_process(&["destroy", "--yes"]).exits(0).json();
    assert_eq!(again["removed"], json!([]));
    assert_eq!(
        again["keys"].as_array().unwrap().len(),
        2,
        "the primary is found by its tags, the replica by the primary: {again}"
    );
}

#[test]
fn destroy_says_when_each_key_goes() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let destroyed = stand.in_process(&["destroy", "--yes", "--window", "10"]).exits(0).json();
    let keys = destroyed["keys"].as_array().unwrap();
    let days = |key: &Value| {
        let date: jiff::Timestamp = key["deletes_not_before"].as_str().unwrap().parse().unwrap();
        // Rounded: the sandbox stamped it a moment ago.
        (date.duration_since(jiff::Timestamp::now()).as_hours() + 1) / 24
    };
    let [primary, replica] = &keys[..] else { panic!("{keys:?}") };
    assert_eq!((primary["state"].as_str(), days(primary)), (Some("PendingReplicaDeletion"), 20));
    assert_eq!((replica["state"].as_str(), days(replica)), (Some("PendingDeletion"), 10));
}

#[test]
fn after_destroy_the_pair_can_be_built_again_at_once() {
    let stand = Stand::new();
    for _ in 0..2 {
        let _ = stand.in_process(&["apply", "--yes"]).exits(0);
        let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
        assert_eq!(stand.leftovers(), [""; 0]);
    }
}

/// Each half-built state: what is taken away by hand from a whole pair. A destroy clears each; an apply mends each.
#[test]
fn half_built_pairs_are_cleared_and_mended() {
    type Break = fn(&Stand);
    let states: [(&str, Break); 8] = [
        ("no rules", |stand| {
            stand.s3("us-east-1", async |s3| {
                s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap()
            });
        }),
        ("no source bucket", |stand| {
            stand.s3("us-east-1", async |s3| {
                s3.delete_bucket().bucket(SOURCE).send().await.unwrap()
            });
        }),
        ("no destination bucket", |stand| {
            stand.s3("us-west-2", async |s3| {
                s3.delete_bucket().bucket(DESTINATION).send().await.unwrap()
            });
        }),
        ("no role policy", |stand| {
            stand.iam(async |iam| {
                let delete = iam
                    .delete_role_policy()
                    .role_name("crrctl-demo-us-east-1")
                    .policy_name("replication");
                delete.send().await.unwrap();
            });
        }),
        ("no role", |stand| {
            stand.iam(async |iam| {
                let delete = iam
                    .delete_role_policy()
                    .role_name("crrctl-demo-us-east-1")
                    .policy_name("replication");
                delete.send().await.unwrap();
                iam.delete_role().role_name("crrctl-demo-us-east-1").send().await.unwrap();
            });
        }),
        ("no alias at the source", |stand| {
            stand.kms("us-east-1", async |kms| {
                kms.delete_alias().alias_name("alias/crrctl/demo").send().await.unwrap()
            });
        }),
        ("no alias at the destination", |stand| {
            stand.kms("us-west-2", async |kms| {
                kms.delete_alias().alias_name("alias/crrctl/demo").send().await.unwrap()
            });
        }),
        ("no policy, no encryption, open to the public", |stand| {
            stand.s3("us-east-1", async |s3| {
                s3.delete_bucket_policy().bucket(SOURCE).send().await.unwrap();
                s3.delete_bucket_encryption().bucket(SOURCE).send().await.unwrap();
                s3.delete_public_access_block().bucket(SOURCE).send().await.unwrap();
            });
        }),
    ];
    for (name, take_away) in states {
        let stand = Stand::new();
        let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
        take_away(&stand);
        let mended = stand.pair(&["apply", "--yes"]);
        assert_eq!(mended.code, 0, "{name}: {mended}");
        assert_eq!(mended.json()["changed"], true, "{name}");
        let _ = stand.in_process(&["plan", "--detailed-exitcode"]).exits(0);
        take_away(&stand);
        let cleared = stand.pair(&["destroy", "--yes"]);
        assert_eq!(cleared.code, 0, "{name}: {cleared}");
        assert_eq!(stand.leftovers(), [""; 0], "{name}");
    }
}

#[test]
fn drift_is_named_by_its_fields_and_mended() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        key: {rotation_days: 90}\nbuckets: {bucket_key: false, tls_only: false}\n\
        replication: {prefix: data/, delete_markers: true}\ntags: {team: storage}\n";
    let plan = stand.in_process_with(&["plan", "-o", "json"], manifest).exits(0).json();
    let updates: Vec<(String, String)> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["action"] == "update")
        .map(|change| {
            (
                change["kind"].as_str().unwrap().to_owned(),
                change["reason"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let expected = [
        ("kms:key", "differs in tags"),
        ("kms:rotation", "differs in period"),
        ("kms:replica-key", "differs in tags"),
        ("s3:tags", "differs in tags"),
        ("s3:encryption", "differs in bucket key"),
        ("s3:policy", "differs in statements"),
        ("s3:tags", "differs in tags"),
        ("s3:encryption", "differs in bucket key"),
        ("s3:policy", "differs in statements"),
        ("iam:role", "differs in tags"),
        ("iam:role-policy", "differs in statements"),
        ("s3:replication", "differs in rules"),
    ];
    let updates: Vec<(&str, &str)> =
        updates.iter().map(|(kind, reason)| (kind.as_str(), reason.as_str())).collect();
    assert_eq!(updates, expected);
    let _ = stand.in_process_with(&["apply", "--yes", "-o", "json"], manifest).exits(0);
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], manifest).exits(0);
    let _ = stand.in_process_with(&["destroy", "--yes"], manifest).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn events_come_as_they_happen_one_a_line() {
    let stand = Stand::new();
    let output = stand.run(&[&["apply", "--yes", "-o", "ndjson"], &PAIR[..]].concat()).exits(0);
    let events: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: std::collections::BTreeSet<&str> =
        events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    for wanted in ["run.start", "step.start", "step.done", "probe.status", "run.done"] {
        assert!(names.contains(wanted), "{names:?}");
    }
    assert!(
        events.iter().all(|event| event["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok())
    );
    assert_eq!(events.first().unwrap()["event"], "run.start");
    assert_eq!(events.last().unwrap()["event"], "run.done");
    let started = events.iter().filter(|event| event["event"] == "step.start").count();
    assert_eq!(
        (started, events.iter().filter(|event| event["event"] == "step.done").count()),
        (22, 22)
    );
}

/// Two destinations, or one of them under another name.
fn destinations(list: &str) -> String {
    format!("name: demo\nsource: {{region: us-east-1}}\ndestinations: [{list}]\n")
}

#[test]
fn a_renamed_destination_is_found_again_and_keeps_the_key_while_it_holds_data() {
    let stand = Stand::new();
    let (old, new) = (
        destinations("{region: us-west-2, bucket: old-b}"),
        destinations("{region: us-west-2, bucket: new-b}"),
    );
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &old).exits(0);
    stand.s3("us-west-2", async |s3| {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
        s3.put_object().bucket("old-b").key("precious").body(body).send().await.unwrap();
    });
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &new).exits(0);
    let plan = stand.in_process_with(&["plan", "-o", "json"], &new).exits(0).json();
    assert!(
        plan["changes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["action"] == "orphan" && it["name"] == "old-b")
    );
    let refused = stand.in_process_with(&["destroy", "--yes", "-o", "json"], &new).exits(10).json();
    assert!(refused["error"]["message"].as_str().unwrap().contains("old-b"), "{refused}");
    // Even without a rule that tells of it.
    stand.s3("us-east-1", async |s3| {
        s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap()
    });
    let _ = stand.in_process_with(&["destroy", "--yes"], &new).exits(10);
    let _ = stand.in_process_with(&["destroy", "--yes", "--purge-data"], &new).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn a_dropped_destination_is_served_as_long_as_its_rule_lives() {
    let stand = Stand::new();
    let both = destinations("{region: us-west-2}, {region: eu-west-1}");
    let one = destinations("{region: us-west-2}");
    let _ = stand.in_process_with(&["apply", "--yes"], &both).exits(0);
    let again = stand.in_process_with(&["apply", "--yes", "-o", "json"], &one).exits(0).json();
    assert_eq!(again["changed"], false, "{again}");
    let policy = stand.iam(async |iam| {
        let get =
            iam.get_role_policy().role_name("crrctl-demo-us-east-1").policy_name("replication");
        get.send().await.unwrap().policy_document().to_owned()
    });
    assert!(policy.contains("eu-west-1"), "{policy}");
    let _ = stand.in_process_with(&["destroy", "--yes"], &one).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn destroy_takes_spare_keys_and_aliases_of_pending_keys_along() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let spare = stand.kms("us-east-1", async |kms| {
        let tag = |key, value| {
            aws_sdk_kms::types::Tag::builder().tag_key(key).tag_value(value).build().unwrap()
        };
        let tags = [
            tag("crrctl:pair", "demo"),
            tag("crrctl:id", &format!("111122223333/us-east-1/{SOURCE}")),
        ];
        let made =
            kms.create_key().multi_region(true).set_tags(Some(tags.into())).send().await.unwrap();
        made.key_metadata().unwrap().key_id().to_owned()
    });
    let destroyed = stand.in_process(&["destroy", "--yes"]).exits(0).json();
    assert!(
        destroyed["keys"]
            .as_array()
            .unwrap()
            .iter()
            .any(|key| key["arn"].as_str().unwrap().ends_with(&spare))
    );
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// As if a removal had ended after it scheduled a primary key and before it scheduled the replica.
fn bring_back_replica(stand: &Stand, id: &str) {
    stand.kms("us-west-2", async |kms| {
        kms.cancel_key_deletion().key_id(id).send().await.unwrap();
        kms.enable_key().key_id(id).send().await.unwrap();
    });
}

/// Builds a pair, takes it away and returns the id of its key.
fn key_of_a_pair_that_went(stand: &Stand) -> String {
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let id = stand.kms("us-east-1", async |kms| {
        let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
        key.key_metadata().unwrap().key_id().to_owned()
    });
    let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
    id
}

#[test]
fn destroy_takes_the_replica_of_an_older_key_that_is_going_along() {
    let stand = Stand::new();
    let older = key_of_a_pair_that_went(&stand);
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    bring_back_replica(&stand, &older);
    let object = stand.in_process(&["destroy", "--yes"]).exits(0).json();
    assert_eq!(stand.leftovers(), [""; 0], "{object:#}");
}

#[test]
fn apply_takes_the_replica_of_an_older_key_that_is_going_along_if_it_is_the_pairs_own() {
    for is_own in [true, false] {
        let stand = Stand::new();
        let older = key_of_a_pair_that_went(&stand);
        bring_back_replica(&stand, &older);
        if !is_own {
            stand.kms("us-west-2", async |kms| {
                let untag = kms.untag_resource().key_id(&older).tag_keys("crrctl:pair");
                untag.send().await.unwrap();
            });
        }
        let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
        let is_left = stand.leftovers().iter().any(|arn| arn.ends_with(&older));
        assert_eq!(is_left, !is_own, "{:#?}", stand.leftovers());
        let _ = stand.in_process(&["plan", "--detailed-exitcode"]).exits(0);
    }
}

#[test]
fn an_alias_of_a_key_of_ours_that_is_going_is_taken_away_and_taken_over() {
    let leaked = |stand: &Stand| {
        let id = key_of_a_pair_that_went(stand);
        // As if a run at the same time had set it again: aliases survive on keys that are pending deletion.
        stand.kms("us-west-2", async |kms| {
            kms.cancel_key_deletion().key_id(&id).send().await.unwrap();
            kms.create_alias()
                .alias_name("alias/crrctl/demo")
                .target_key_id(&id)
                .send()
                .await
                .unwrap();
            kms.schedule_key_deletion().key_id(&id).pending_window_in_days(7).send().await.unwrap();
        });
    };
    let stand = Stand::new();
    leaked(&stand);
    let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
    let stand = Stand::new();
    leaked(&stand);
    let _ = stand.in_process(&["apply", "--yes"]).exits(0);
    let _ = stand.in_process(&["plan", "--detailed-exitcode"]).exits(0);
}
