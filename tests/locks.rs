//! Object Lock and lifecycle: what is held, what is told, what can't be undone; the rules of others stay.

use crate::common::{DESTINATION, SOURCE, Stand};
use aws_sdk_s3::types as t;
use serde_json::Value;

const LOCKED: &str = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
    buckets: {object_lock: {mode: governance, days: 1}}\n";
const ADOPTED: &str = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
    destinations: [{region: us-west-2, adopt: true}]\n";

fn lock(stand: &Stand, region: &str, bucket: &str) -> Option<(String, i32)> {
    stand.s3(region, async |s3| {
        let found = s3.get_object_lock_configuration().bucket(bucket).send().await.unwrap();
        let rule = found.object_lock_configuration()?.rule()?.default_retention()?.clone();
        Some((rule.mode()?.as_str().to_owned(), rule.days()?))
    })
}

fn put_lock(stand: &Stand, region: &str, bucket: &str, days: i32) {
    stand.s3(region, async |s3| {
        let retention = t::DefaultRetention::builder().mode(t::ObjectLockRetentionMode::Governance);
        let rule = t::ObjectLockRule::builder().default_retention(retention.days(days).build());
        let configuration = t::ObjectLockConfiguration::builder()
            .object_lock_enabled(t::ObjectLockEnabled::Enabled)
            .rule(rule.build());
        let put = s3.put_object_lock_configuration().bucket(bucket);
        put.object_lock_configuration(configuration.build()).send().await.unwrap();
    });
}

fn lifecycle(stand: &Stand, region: &str, bucket: &str) -> Vec<String> {
    stand.s3(region, async |s3| {
        match s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await {
            Ok(found) => found.rules().iter().map(|it| it.id().unwrap().to_owned()).collect(),
            Err(_) => Vec::new(),
        }
    })
}

fn rule(id: &str) -> t::LifecycleRule {
    let expiration = t::LifecycleExpiration::builder().days(3650).build();
    t::LifecycleRule::builder()
        .id(id)
        .status(t::ExpirationStatus::Enabled)
        .filter(t::LifecycleRuleFilter::builder().prefix("logs/").build())
        .expiration(expiration)
        .build()
        .unwrap()
}

#[test]
fn a_default_retention_is_put_kept_and_repaired() {
    let stand = Stand::new();
    let applied = stand.in_process_with(&["apply", "--yes", "-o", "json"], LOCKED).exits(0).json();
    assert_eq!(applied["summary"]["failed"], 0);
    for (region, bucket) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
        assert_eq!(lock(&stand, region, bucket), Some(("GOVERNANCE".to_owned(), 1)));
    }
    put_lock(&stand, "us-west-2", DESTINATION, 7);
    let plan = stand.in_process_with(&["plan", "-o", "json"], LOCKED).exits(0).json();
    let changes = plan["changes"].as_array().unwrap();
    let updates: Vec<&Value> = changes.iter().filter(|it| it["action"] != "none").collect();
    assert_eq!((updates.len(), &updates[0]["kind"]), (1, &"s3:object-lock".into()));
    assert_eq!(updates[0]["reason"], "differs in default retention");
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], LOCKED).exits(0);
    assert_eq!(lock(&stand, "us-west-2", DESTINATION), Some(("GOVERNANCE".to_owned(), 1)));
    // It can't be taken off.
    let without = LOCKED.split("buckets:").next().unwrap();
    stand.calls();
    let output = stand.manifest(&["apply", "--yes"], without).exits(10);
    assert!(output.stderr.contains("can't be taken off"), "{output}");
    assert!(output.stderr.contains("{mode: governance, days: 1}"), "{output}");
    assert_eq!(stand.calls()["writes"], 0);
    let _ = stand.in_process_with(&["destroy", "--yes"], LOCKED).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn a_lock_that_the_manifest_asks_for_later_is_turned_on_the_destinations_first() {
    let stand = Stand::new();
    let without = LOCKED.split("buckets:").next().unwrap();
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], without).exits(0);
    let applied = stand.in_process_with(&["apply", "--yes", "-o", "json"], LOCKED).exits(0).json();
    assert_eq!(applied["summary"]["failed"], 0);
    assert_eq!(lock(&stand, "us-east-1", SOURCE), Some(("GOVERNANCE".to_owned(), 1)));
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], LOCKED).exits(0);
}

#[test]
fn what_is_held_stands_in_left_until_it_is_bypassed() {
    let stand = Stand::new();
    let _ = stand.in_process_with(&["apply", "--yes"], LOCKED).exits(0);
    let _ = stand.in_process_with(&["probe", "--keep"], LOCKED).exits(0);
    let destroyed =
        stand.in_process_with(&["destroy", "--yes", "-o", "json"], LOCKED).exits(9).json();
    let held: Vec<&Value> = destroyed["left"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["kind"] == "s3:object")
        .collect();
    assert!(!held.is_empty(), "{destroyed}");
    assert!(held[0]["why"].as_str().unwrap().contains("GOVERNANCE retention until"), "{destroyed}");
    let _ = stand.in_process_with(&["destroy", "--yes", "--bypass-governance"], LOCKED).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// A probe that nobody could delete is never written.
#[test]
fn under_compliance_apply_stops_before_it_writes() {
    let stand = Stand::new();
    let manifest = LOCKED.replace("governance", "compliance");
    stand.calls();
    let output = stand.manifest(&["apply", "--yes"], &manifest).exits(10);
    assert!(output.stderr.contains("nobody could delete it"), "{output}");
    assert_eq!(stand.calls()["writes"], 0);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &manifest).exits(0);
    let _ = stand.in_process_with(&["probe"], &manifest).exits(10);
    let _ = stand.in_process_with(&["destroy", "--yes"], &manifest).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn a_lock_is_not_forced_on_a_bucket_of_others() {
    let stand = Stand::new();
    stand.bucket_of_its_owner("us-east-1", SOURCE, true);
    stand.bucket_of_its_owner("us-west-2", DESTINATION, false);
    let output = stand.manifest(&["plan"], ADOPTED).exits(10);
    assert!(output.stderr.contains("to keep it: `buckets: {object_lock: true}`"), "{output}");
    let locked = format!("{ADOPTED}buckets: {{object_lock: true}}\n");
    let output = stand.manifest(&["plan"], &locked).exits(10);
    assert!(output.stderr.contains("put-object-lock-configuration --bucket"), "{output}");
    stand.s3("us-west-2", async |s3| {
        let on = t::VersioningConfiguration::builder().status(t::BucketVersioningStatus::Enabled);
        let put = s3.put_bucket_versioning().bucket(DESTINATION);
        put.versioning_configuration(on.build()).send().await.unwrap();
    });
    put_lock(&stand, "us-west-2", DESTINATION, 1);
    let applied = stand.in_process_with(&["apply", "--yes", "-o", "json"], &locked).exits(0).json();
    assert_eq!(applied["summary"]["failed"], 0);
    assert_eq!(lock(&stand, "us-west-2", DESTINATION), None, "the manifest wants no default");
}

#[test]
fn lifecycle_rules_of_others_stay_and_ours_come_and_go() {
    let stand = Stand::new();
    for (region, bucket) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
        stand.bucket_of_its_owner(region, bucket, false);
    }
    stand.s3("us-west-2", async |s3| {
        let rules =
            t::BucketLifecycleConfiguration::builder().rules(rule("theirs")).build().unwrap();
        let put = s3.put_bucket_lifecycle_configuration().bucket(DESTINATION);
        put.lifecycle_configuration(rules).send().await.unwrap();
    });
    let wanted = format!(
        "{ADOPTED}buckets: {{lifecycle: {{noncurrent_days: 30}}}}\nreplication: {{delete_markers: true}}\n"
    );
    let planned = stand.manifest(&["plan", "-o", "json"], &wanted).exits(0);
    let warning = planned.json()["warnings"][0].as_str().unwrap().to_owned();
    assert!(warning.contains("expire after 30 days"), "{warning}");
    assert!(planned.stderr.contains("warning: delete markers replicate"), "{planned}");
    let _ = stand.in_process_with(&["apply", "--yes"], &wanted).exits(0);
    assert_eq!(lifecycle(&stand, "us-east-1", SOURCE), ["crrctl.demo.lifecycle"]);
    assert_eq!(lifecycle(&stand, "us-west-2", DESTINATION), ["theirs", "crrctl.demo.lifecycle"]);
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], &wanted).exits(0);
    let changed = wanted.replace("30", "60");
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], &changed).exits(2);
    // What the manifest does not want any more goes; what others put there stays as it was.
    let _ = stand.in_process_with(&["apply", "--yes"], ADOPTED).exits(0);
    assert!(lifecycle(&stand, "us-east-1", SOURCE).is_empty());
    assert_eq!(lifecycle(&stand, "us-west-2", DESTINATION), ["theirs"]);
    stand.s3("us-west-2", async |s3| {
        let found = s3.get_bucket_lifecycle_configuration().bucket(DESTINATION).send().await;
        assert_eq!(found.unwrap().rules(), [rule("theirs")]);
    });
}

/// The role is made under the boundary that the manifest names, and gets it back where it was taken off.
#[test]
fn a_role_has_its_path_and_its_boundary() {
    let stand = Stand::new();
    let everything = serde_json::json!({"Version": "2012-10-17", "Statement":
        [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let boundary = stand.iam(async |iam| {
        let create = iam.create_policy().policy_name("boundary");
        let made = create.policy_document(everything.to_string()).send().await.unwrap();
        made.policy().unwrap().arn().unwrap().to_owned()
    });
    let manifest = format!(
        "name: demo\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2}}]\n\
         role: {{path: /teams/storage/, permissions_boundary: \"{boundary}\"}}\n"
    );
    let applied =
        stand.in_process_with(&["apply", "--yes", "-o", "json"], &manifest).exits(0).json();
    assert_eq!(applied["summary"]["failed"], 0);
    let role = "crrctl-demo-us-east-1";
    let seen = || {
        stand.iam(async |iam| {
            let found = iam.get_role().role_name(role).send().await.unwrap();
            let found = found.role().unwrap();
            let boundary =
                found.permissions_boundary().and_then(|it| it.permissions_boundary_arn());
            (found.path().to_owned(), boundary.map(str::to_owned))
        })
    };
    assert_eq!(seen(), ("/teams/storage/".to_owned(), Some(boundary.clone())));
    stand.iam(async |iam| {
        iam.delete_role_permissions_boundary().role_name(role).send().await.unwrap();
    });
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], &manifest).exits(2);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &manifest).exits(0);
    assert_eq!(seen().1, Some(boundary));
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], &manifest).exits(0);
    let _ = stand.in_process_with(&["destroy", "--yes"], &manifest).exits(0);
}

/// A role that exists is proven and used as it is; what it lacks is printed as the statements to add.
#[test]
fn a_role_that_is_given_is_proven_and_never_changed() {
    let stand = Stand::new();
    let pair = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        key: {kind: none}\nreplication: {two_way: true}\n";
    let arn = "arn:aws:iam::111122223333:role/teams/theirs";
    let manifest = format!("{pair}role: {{arn: \"{arn}\"}}\n");
    stand.calls();
    let output = stand.manifest(&["apply", "--yes"], &manifest).exits(5);
    assert!(output.stderr.contains("does not exist"), "{output}");
    let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    stand.iam(async |iam| {
        let create = iam.create_role().role_name("theirs").path("/teams/");
        create.assume_role_policy_document(trust.to_string()).send().await.unwrap();
    });
    let output = stand.manifest(&["apply", "--yes"], &manifest).exits(5);
    assert!(output.stderr.contains("can't replicate from"), "{output}");
    assert!(output.stderr.contains("add this statement to a policy of that role: {"), "{output}");
    assert!(output.stderr.contains("s3:GetObjectVersionForReplication"), "{output}");
    let put = |actions: &[&str]| {
        let document = serde_json::json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": "*"}]});
        stand.iam(async |iam| {
            let put = iam.put_role_policy().role_name("theirs").policy_name("theirs");
            put.policy_document(document.to_string()).send().await.unwrap();
        });
    };
    put(&["s3:Get*", "s3:List*", "s3:Replicate*"]);
    stand.calls();
    let applied =
        stand.in_process_with(&["apply", "--yes", "-o", "json"], &manifest).exits(0).json();
    assert_eq!(
        (&applied["summary"]["failed"], &applied["summary"]["completed"]),
        (&0.into(), &4.into())
    );
    let calls = stand.calls();
    let wrote = calls["by_operation"].as_object().unwrap().keys();
    let on_roles: Vec<&String> = wrote
        .filter(|it| {
            it.starts_with("iam:") && !it.starts_with("iam:Get") && !it.starts_with("iam:List")
        })
        .collect();
    assert!(on_roles.is_empty(), "{on_roles:?}");
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], &manifest).exits(0);
    let _ = stand.in_process_with(&["check"], &manifest).exits(0);
    // What it lacks later is found before anything is written.
    put(&["s3:Get*", "s3:List*"]);
    let output = stand.manifest(&["plan"], &manifest).exits(5);
    assert!(output.stderr.contains("s3:ReplicateObject"), "{output}");
    put(&["s3:Get*", "s3:List*", "s3:Replicate*"]);
    let _ = stand.in_process_with(&["destroy", "--yes"], &manifest).exits(0);
    let left = stand.leftovers();
    assert!(left.len() == 1 && left[0].contains("theirs"), "{left:?}");
}
