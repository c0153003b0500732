//! Keys that are on their way out or disabled: brought back, replaced where nothing needs them, and never lost by mistake.

use crate::common::Stand;
use serde_json::Value;

const ALIAS: &str = "alias/crrctl/demo";

/// Returns the id and state of the key that the alias names.
fn key(stand: &Stand, region: &str) -> (String, String) {
    stand.kms(region, async |kms| {
        let key = kms.describe_key().key_id(ALIAS).send().await.unwrap();
        let key = key.key_metadata().unwrap();
        (key.key_id().to_owned(), key.key_state().unwrap().as_str().to_owned())
    })
}

fn schedule(stand: &Stand, region: &str, id: &str) {
    stand.kms(region, async |kms| {
        kms.schedule_key_deletion().key_id(id).pending_window_in_days(7).send().await.unwrap();
    });
}

fn action(plan: &Value, kind: &str, region: &str) -> String {
    let changes = plan["changes"].as_array().unwrap();
    let found = changes.iter().find(|it| it["kind"] == kind && it["region"] == region).unwrap();
    format!("{} {}", found["action"].as_str().unwrap(), found["reason"].as_str().unwrap())
}

#[test]
fn keys_that_are_going_under_standing_buckets_are_brought_back_by_the_flag_alone() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes"]).exits(0);
    let (id, _) = key(&stand, "us-east-1");
    schedule(&stand, "us-west-2", &id);
    schedule(&stand, "us-east-1", &id);
    stand.calls();
    let refused = stand.pair(&["apply", "--yes"]).exits(10).told("key-pending-deletion").json();
    assert_eq!(refused["error"]["code"], "key-pending-deletion");
    assert!(refused["error"]["hints"].to_string().contains("--revive-keys"));
    assert_eq!(stand.calls()["writes"], 0);
    let revived = stand.in_process(&["apply", "--yes", "--revive-keys"]).exits(0).json();
    assert_eq!(revived["summary"]["completed"], 2);
    for region in ["us-east-1", "us-west-2"] {
        assert_eq!(key(&stand, region), (id.clone(), "Enabled".to_owned()), "{region}");
    }
    let _ = stand.in_process(&["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_replica_that_is_pending_and_a_key_that_is_disabled_are_brought_back() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let (id, _) = key(&stand, "us-east-1");
    schedule(&stand, "us-west-2", &id);
    let refused = stand.in_process(&["apply", "--yes"]).exits(10).json();
    assert_eq!(refused["error"]["region"], "us-west-2");
    let _ = stand.in_process(&["apply", "--yes", "--revive-keys"]).exits(0);
    stand.disable_replica_key();
    let refused = stand.in_process(&["apply", "--yes"]).exits(10).json();
    assert_eq!(refused["error"]["code"], "key-unusable");
    let _ = stand.in_process(&["apply", "--yes", "--revive-keys"]).exits(0);
    assert_eq!(key(&stand, "us-west-2"), (id, "Enabled".to_owned()));
}

#[test]
fn after_a_destroy_the_same_keys_come_back_by_the_flag_and_others_without_it() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let (id, _) = key(&stand, "us-east-1");
    let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
    let _ = stand.in_process(&["apply", "--yes", "--revive-keys"]).exits(0);
    assert_eq!(key(&stand, "us-east-1"), (id.clone(), "Enabled".to_owned()));
    assert_eq!(key(&stand, "us-west-2"), (id.clone(), "Enabled".to_owned()));
    let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
    let _ = stand.in_process(&["apply", "--yes"]).exits(0);
    assert_ne!(key(&stand, "us-east-1").0, id);
}

/// Aliases survive on keys that are pending deletion and would block the pair's.
#[test]
fn an_alias_on_a_key_that_is_going_and_that_nothing_needs_is_given_to_another() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let (id, _) = key(&stand, "us-east-1");
    let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
    stand.kms("us-east-1", async |kms| {
        kms.cancel_key_deletion().key_id(&id).send().await.unwrap();
        kms.create_alias().alias_name(ALIAS).target_key_id(&id).send().await.unwrap();
        kms.schedule_key_deletion().key_id(&id).pending_window_in_days(7).send().await.unwrap();
    });
    let plan = stand.in_process(&["plan"]).exits(0).json();
    assert_eq!(action(&plan, "kms:key", "us-east-1"), "create missing");
    assert_eq!(action(&plan, "kms:alias", "us-east-1"), "update differs in target");
    let _ = stand.in_process(&["apply", "--yes"]).exits(0);
    assert_ne!(key(&stand, "us-east-1").0, id);
    let _ = stand.in_process(&["plan", "--detailed-exitcode"]).exits(0);
}

#[test]
fn keys_of_one_region_each_are_brought_back_too() {
    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        key: {kind: per-region}\n";
    let stand = Stand::new();
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], manifest).exits(0);
    let ids = ["us-east-1", "us-west-2"].map(|region| key(&stand, region).0);
    assert_ne!(ids[0], ids[1]);
    schedule(&stand, "us-east-1", &ids[0]);
    schedule(&stand, "us-west-2", &ids[1]);
    let refused =
        stand.in_process_with(&["apply", "--yes", "-o", "json"], manifest).exits(10).json();
    assert_eq!(refused["error"]["code"], "key-pending-deletion", "{refused:#}");
    let revive = ["apply", "--yes", "--revive-keys", "-o", "json"];
    let revived = stand.in_process_with(&revive, manifest).exits(0).json();
    assert_eq!(revived["summary"]["completed"], 2);
    for (region, id) in ["us-east-1", "us-west-2"].iter().zip(ids) {
        assert_eq!(key(&stand, region), (id, "Enabled".to_owned()), "{region}");
    }
}

/// No flag of ours brings back a key that is not the pair's.
#[test]
fn a_key_that_exists_and_is_going_is_its_owners_matter() {
    let stand = Stand::new();
    let arn = stand.kms("us-west-2", async |kms| {
        let made = kms.create_key().send().await.unwrap();
        made.key_metadata().unwrap().arn().unwrap().to_owned()
    });
    schedule(&stand, "us-west-2", &arn);
    let manifest = format!(
        "name: demo\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2, key: \"{arn}\"}}]\n"
    );
    for args in [&["apply", "--yes"][..], &["apply", "--yes", "--revive-keys"]] {
        let refused = stand.in_process_with(args, &manifest).exits(10).json();
        assert_eq!(refused["error"]["code"], "key-pending-deletion");
        let hints = refused["error"]["hints"].to_string();
        assert!(hints.contains("its owner") && !hints.contains("--revive-keys"), "{hints}");
    }
}

/// After a failover drill the primary key is in the other Region. The pair replicates, but nothing can
/// set its rotation there.
#[test]
fn a_primary_key_that_was_moved_is_to_be_moved_back() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    let moved = |from: &'static str, to: &'static str| {
        stand.kms(from, async |kms| {
            let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
            let id = key.key_metadata().unwrap().key_id().to_owned();
            kms.update_primary_region().key_id(&id).primary_region(to).send().await.unwrap();
        });
    };
    moved("us-east-1", "us-west-2");
    let command = "aws kms update-primary-region --region us-west-2 --key-id mrk-";
    for args in [&["plan"][..], &["apply", "--yes", "--no-probe"]] {
        let error = stand.pair(args).exits(10).json()["error"].clone();
        assert_eq!(error["code"], "key-not-primary", "{error}");
        assert!(error["hints"][0].as_str().unwrap().contains(command), "{error}");
    }
    let checks = stand.pair(&["check"]).exits(2).json()["checks"].clone();
    let failed = checks.as_array().unwrap().iter().filter(|it| it["result"] == "fail");
    let remedies: Vec<_> =
        failed.map(|it| (it["name"].clone(), it["remedy"].to_string())).collect();
    assert!(
        matches!(&remedies[..], [(name, remedy)] if name == "key.rotation" && remedy.contains(command)),
        "{remedies:?}"
    );
    moved("us-west-2", "us-east-1");
    let again = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0).json();
    assert_eq!(again["changed"], false);
}
