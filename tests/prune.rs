//! What the manifest no longer names: said, left, and by `--prune` taken away, but for what would lose data.

use crate::common::{SOURCE, Stand};
use crrctl_sandbox::{Lag, Options};
use serde_json::{Value, json};

const BOTH: &str = "name: demo\nsource: {region: us-east-1}\n\
    destinations: [{region: us-west-2}, {region: eu-west-1}]\n";
const ONE: &str = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
const DROPPED: &str = "demo-111122223333-eu-west-1";

/// Returns the kinds of what has `action`, in order.
fn kinds(list: &Value, action: &str) -> Vec<String> {
    let is_it = |it: &&Value| it["action"] == action;
    let list = list.as_array().unwrap().iter().filter(is_it);
    list.map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
}

fn rules(stand: &Stand) -> Vec<String> {
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let rules = live.replication_configuration().unwrap().rules().to_vec();
        rules.iter().map(|rule| rule.id().unwrap().to_owned()).collect()
    })
}

fn replica_state(stand: &Stand) -> String {
    let id = stand.kms("us-east-1", async |kms| {
        let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
        key.key_metadata().unwrap().key_id().to_owned()
    });
    stand.kms("eu-west-1", async |kms| {
        let key = kms.describe_key().key_id(id).send().await.unwrap();
        key.key_metadata().unwrap().key_state().unwrap().as_str().to_owned()
    })
}

#[test]
fn orphans_are_listed_and_pruned() {
    let stand = Stand::new();
    let _ = stand.in_process_with(&["apply", "--yes"], BOTH).exits(0);
    let orphans = ["s3:replication", "s3:bucket", "kms:alias", "kms:replica-key"];
    let plan =
        stand.in_process_with(&["plan", "--detailed-exitcode", "-o", "json"], ONE).exits(0).json();
    assert_eq!(kinds(&plan["changes"], "orphan"), orphans);
    let left =
        stand.in_process_with(&["apply", "--yes", "--no-probe", "-o", "json"], ONE).exits(0).json();
    assert_eq!((&left["changed"], kinds(&left["resources"], "orphan").len()), (&json!(false), 4));

    let pruned =
        stand.in_process_with(&["apply", "--yes", "--prune", "-o", "json"], ONE).exits(0).json();
    assert_eq!(kinds(&pruned["resources"], "delete"), orphans);
    assert_eq!(rules(&stand), ["crrctl.demo.us-west-2"]);
    assert_eq!(replica_state(&stand), "PendingDeletion");
    assert!(!stand.leftovers().iter().any(|arn| arn.contains("eu-west-1")));
    let plan =
        stand.in_process_with(&["plan", "--detailed-exitcode", "-o", "json"], ONE).exits(0).json();
    assert_eq!(kinds(&plan["changes"], "orphan"), [""; 0]);
    let _ = stand.in_process_with(&["destroy", "--yes"], ONE).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn a_bucket_with_objects_is_not_pruned_and_keeps_its_key() {
    let stand = Stand::new();
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], BOTH).exits(0);
    stand.s3("eu-west-1", async |s3| {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
        s3.put_object().bucket(DROPPED).key("precious").body(body).send().await.unwrap();
    });
    let apply = ["apply", "--yes", "--prune", "-o", "json"];
    for _ in 0..2 {
        let pruned = stand.in_process_with(&apply, ONE).exits(0).json();
        let left = ["s3:bucket", "kms:alias", "kms:replica-key"];
        assert_eq!(kinds(&pruned["resources"], "orphan"), left, "{pruned}");
        let warned = pruned["warnings"].as_array().unwrap().iter();
        let warned: Vec<&str> = warned.map(|it| it.as_str().unwrap()).collect();
        let says = |it: &&&str| it.contains(DROPPED) && it.contains("precious");
        assert_eq!(warned.iter().filter(says).count(), 1, "{warned:?}");
        let told = pruned["left"].as_array().unwrap();
        let told: Vec<&Value> = told.iter().map(|it| &it["kind"]).collect();
        assert_eq!(told, left, "{pruned}");
        let why = pruned["left"][0]["why"].as_str().unwrap();
        assert!(why.contains("precious") && why.contains("`--prune` removes it"), "{why}");
        assert_eq!(rules(&stand), ["crrctl.demo.us-west-2"]);
    }
    assert_eq!(replica_state(&stand), "Enabled");
    let plan = stand.in_process_with(&["plan", "-o", "json"], ONE).exits(0).json();
    assert_eq!(kinds(&plan["changes"], "update"), [""; 0], "the role serves it no more: {plan}");
    let _ = stand.in_process_with(&["destroy", "--yes"], ONE).exits(10);
}

#[test]
fn a_dropped_region_s_own_key_goes_with_its_bucket() {
    let of = |text: &str| format!("{text}key: {{kind: per-region}}\n");
    let stand = Stand::new();
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &of(BOTH)).exits(0);
    let prune = ["apply", "--yes", "--prune", "--no-probe", "-o", "json"];
    let _ = stand.in_process_with(&prune, &of(ONE)).exits(0);
    let left = stand.leftovers();
    assert!(!left.iter().any(|it| it.contains("eu-west-1")), "{left:?}");
    let _ = stand.in_process_with(&["apply", "--yes"], &of(ONE)).exits(0);
}

/// What is written while a rule goes would end FAILED if the role served its destination no more before S3 has forgotten it.
#[test]
fn a_rule_is_forgotten_before_what_it_leads_to_goes() {
    let options = Options { lag: Lag::Aws, hurry: 20, seed: Some(5), ..Options::default() };
    let stand = Stand::with(options);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], BOTH).exits(0);
    stand.put_theirs("theirs");
    let late = stand.with_a_writer(|| {
        let _ = stand.in_process_with(&["apply", "--yes", "--prune", "--no-probe"], ONE).exits(0);
    });
    assert!(late.iter().all(|it| it["status"] != "FAILED"), "{late:#?}");
    let theirs = stand.s3("us-east-1", async |s3| {
        let list = s3.list_object_versions().bucket(SOURCE).prefix("_crrctl/");
        list.send().await.unwrap().versions().len()
    });
    assert_eq!(theirs, 0, "what it put there itself is gone");
}
