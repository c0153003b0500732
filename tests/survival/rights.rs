//! Least privilege: every run succeeds for a user with exactly the permissions of
//! `policy operator`. Without any one action, the run names the action and the statement to add.
//! Not for: the permissions of batch jobs (see `tests/backfill.rs`).

use super::hands::BREAKS;
use super::machines::{Ended, World, each};
use crate::common::{DESTINATION, SOURCE, iam, kms, s3};
use crrctl_sandbox::Lag;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

pub(super) type Statements = BTreeMap<String, Value>;

/// Returns the documents that `policy operator` prints for `commands`.
pub(super) fn documents(world: &World, commands: &[&str]) -> Statements {
    let operator = world.run(&["policy", "operator"]).exits(0, "policy operator").object;
    let parts = commands.iter().flat_map(|it| operator["commands"][it].as_array().unwrap());
    let parts = parts.map(|part| part.as_str().unwrap());
    parts.map(|part| (part.to_owned(), operator["documents"][part].clone())).collect()
}

/// A world in a certain state, and the runs that the user makes in it.
struct Stage {
    name: &'static str,
    world: World,
    runs: &'static [&'static [&'static str]],
}

/// Actions that the runs don't need. `kms:CancelKeyDeletion` and `kms:EnableKey` restore keys if a
/// pair is built again during its removal. Without `kms:GetKeyLastUsage`, a use of a key is
/// unknown, and without `iam:SimulatePrincipalPolicy` a denial tells only of what was tried. Without
/// `s3:GetObjectLegalHold`, `s3:GetObjectRetention` or `s3:ListBucket`, errors are only less exact: what holds a version, or whether a version is
/// missing or forbidden (S3 API Reference, `HeadObject`). `tag:GetResources` saves reads in accounts
/// with many keys. The actions of batch jobs are denied in
/// `tests/backfill.rs`, since these pairs have no batch jobs.
const SPARED: [&str; 11] = [
    "iam:SimulatePrincipalPolicy",
    "kms:CancelKeyDeletion",
    "kms:EnableKey",
    "kms:GetKeyLastUsage",
    "s3:DescribeJob",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:ListBucket",
    "s3:ListJobs",
    "s3:UpdateJobStatus",
    "tag:GetResources",
];

/// Together, the stages use every action.
fn stages(empty: &World) -> Vec<Stage> {
    let whole = empty.fork();
    whole.run(&["apply", "--yes", "--no-probe"]).exits(0, "the pair");
    let (drifted, objects) = (whole.fork(), whole.fork());
    for (name, by_hand) in BREAKS {
        // Resources that other stages cover stay intact, so that each stage reaches its own calls.
        if !["no role", "no alias at the source", "no destination bucket"].contains(&name) {
            by_hand(&drifted);
        }
    }
    drift_more(&drifted);
    let cut_off = whole.fork();
    drift_alias(&cut_off);
    put_object(&objects);
    let (passing, going) = (empty.fork(), whole.fork());
    passing.run(&["apply", "--yes", "--no-probe", "--ephemeral", "1h"]).exits(0, "for an hour");
    let_keys_go(&going);
    vec![
        Stage { name: "fresh", world: empty.fork(), runs: &[&["apply", "--yes"]] },
        Stage { name: "drifted", world: drifted, runs: &[&["apply", "--yes", "--no-probe"]] },
        Stage { name: "cut off", world: cut_off, runs: &[&["apply", "--yes", "--no-probe"]] },
        Stage { name: "key going", world: going, runs: &[&["apply", "--yes", "--no-probe"]] },
        Stage {
            name: "ephemeral",
            world: passing,
            runs: &[
                &["apply", "--yes", "--no-probe", "--ephemeral", "5h"],
                &["apply", "--yes", "--no-probe"],
            ],
        },
        Stage {
            name: "whole",
            world: whole,
            runs: &[&["probe", "--delete-marker"], &["probe"], &["destroy", "--yes"]],
        },
        Stage {
            name: "with objects",
            world: objects,
            runs: &[&["destroy", "--yes", "--purge-data"]],
        },
    ]
}

/// Replaces the role's trust policy, and turns the destination's ACLs on.
fn drift_more(world: &World) {
    let (iam, s3, kms) = (
        iam(world.endpoint()),
        s3(world.endpoint(), "us-east-1"),
        kms(world.endpoint(), "us-east-1"),
    );
    let _ = (&iam, &s3, &kms);
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let update = iam
        .update_assume_role_policy()
        .role_name("crrctl-demo-us-east-1")
        .policy_document(trust.to_string());
    world.by_hand(update.send()).unwrap();
    let rule = aws_sdk_s3::types::OwnershipControlsRule::builder()
        .object_ownership(aws_sdk_s3::types::ObjectOwnership::ObjectWriter);
    let controls = aws_sdk_s3::types::OwnershipControls::builder().rules(rule.build().unwrap());
    let s3 = crate::common::s3(world.endpoint(), "us-west-2");
    let put = s3.put_bucket_ownership_controls().bucket(DESTINATION);
    world.by_hand(put.ownership_controls(controls.build().unwrap()).send()).unwrap();
}

/// Creates a key that no alias names, and deletes the alias of the pair's key.
fn drift_alias(world: &World) {
    let kms = kms(world.endpoint(), "us-east-1");
    world.by_hand(async {
        let tag = |key, value| {
            aws_sdk_kms::types::Tag::builder().tag_key(key).tag_value(value).build().unwrap()
        };
        let tags = vec![
            tag("crrctl:pair", "demo"),
            tag("crrctl:id", &format!("111122223333/us-east-1/{SOURCE}")),
        ];
        kms.create_key().multi_region(true).set_tags(Some(tags)).send().await.unwrap();
        kms.delete_alias().alias_name("alias/crrctl/demo").send().await.unwrap();
    });
}

/// Deletes the buckets and schedules the keys for deletion; the aliases still name the keys.
pub(super) fn let_keys_go(world: &World) {
    world.by_hand(async {
        for (region, bucket) in [("us-west-2", DESTINATION), ("us-east-1", SOURCE)] {
            s3(world.endpoint(), region).delete_bucket().bucket(bucket).send().await.unwrap();
            let kms = kms(world.endpoint(), region);
            let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
            let id = key.key_metadata().unwrap().key_id();
            kms.schedule_key_deletion().key_id(id).send().await.unwrap();
        }
    });
}

pub(super) fn put_object(world: &World) {
    let s3 = s3(world.endpoint(), "us-east-1");
    world.by_hand(async {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
        s3.put_object().bucket(SOURCE).key("theirs").body(body).send().await.unwrap();
        s3.create_multipart_upload().bucket(SOURCE).key("unfinished").send().await.unwrap();
    });
}

/// Creates the user for the runs of every stage. Returns its access key.
pub(super) fn user(world: &World, documents: &Statements) -> (String, String) {
    let iam = iam(world.endpoint());
    world.by_hand(async {
        iam.create_user().user_name("operator").send().await.unwrap();
        for (name, document) in documents {
            let made = iam.create_policy().policy_name(name).policy_document(document.to_string());
            let made = made.send().await.unwrap();
            let arn = made.policy().unwrap().arn().unwrap();
            iam.attach_user_policy().user_name("operator").policy_arn(arn).send().await.unwrap();
        }
        let key = iam.create_access_key().user_name("operator").send().await.unwrap();
        let key = key.access_key().unwrap();
        (key.access_key_id().to_owned(), key.secret_access_key().to_owned())
    })
}

/// Takes actions out of the user's policies.
pub(super) fn without(world: &World, documents: &Statements, actions: &[&str]) {
    let iam = iam(world.endpoint());
    for (name, document) in documents {
        let mut document = document.clone();
        let statements = document["Statement"].as_array_mut().unwrap();
        for statement in statements.iter_mut() {
            let mut listed = match statement["Action"].take() {
                Value::Array(listed) => listed,
                one => vec![one],
            };
            listed.retain(|it| !actions.iter().any(|action| it == action));
            statement["Action"] = Value::Array(listed);
        }
        statements.retain(|it| it["Action"] != json!([]));
        let arn = format!("arn:aws:iam::111122223333:policy/{name}");
        let version = iam.create_policy_version().policy_arn(arn).set_as_default(true);
        world.by_hand(version.policy_document(document.to_string()).send()).unwrap();
    }
}

fn actions(documents: &Statements) -> Vec<String> {
    let mut actions: Vec<String> = documents
        .values()
        .flat_map(|it| it["Statement"].as_array().unwrap().clone())
        .flat_map(|it| match &it["Action"] {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        })
        .map(|it| it.as_str().unwrap().to_owned())
        .collect();
    actions.sort();
    actions.dedup();
    actions
}

/// Runs a stage. Returns the first run that fails.
fn lived(stage: &Stage, world: &World, user: &(String, String)) -> Option<Ended> {
    let credentials = (user.0.as_str(), user.1.as_str());
    stage.runs.iter().map(|args| world.run_as(credentials, args)).find(|ended| ended.code != 0)
}

#[test]
fn without_any_one_action_a_run_says_which_and_what_to_add() {
    let empty = World::new(Lag::None);
    let documents = documents(&empty, &["apply", "destroy --purge-data"]);
    let user = user(&empty, &documents);
    let stages = stages(&empty);
    for stage in &stages {
        let ended = lived(stage, &stage.world.fork(), &user);
        assert!(
            ended.is_none(),
            "{} with all rights: {:#}",
            stage.name,
            ended.unwrap().object["error"]
        );
    }
    let actions = actions(&documents);
    let unused = Mutex::new(Vec::new());
    let _ = each(2, |n| {
        let Some(action) = actions.get(n) else { return false };
        let refused = stages.iter().find_map(|stage| {
            let world = stage.world.fork();
            without(&world, &documents, &[action]);
            lived(stage, &world, &user).map(|ended| (stage.name, ended))
        });
        let Some((stage, ended)) = refused else {
            unused.lock().unwrap().push(action.clone());
            return true;
        };
        let error = &ended.object["error"];
        let hints = error["hints"].to_string();
        let is_told =
            hints.contains(&format!("`{action}`")) && hints.contains("add this statement");
        assert!(ended.code == 5 && is_told, "{stage} without {action}: {} {error:#}", ended.code);
        assert!(
            hints.contains("user/operator")
                || !error["message"].as_str().unwrap().contains("User:"),
            "{error:#}"
        );
        true
    });
    println!("{} actions, each missed in turn", actions.len());
    let mut unused = unused.into_inner().unwrap();
    unused.sort();
    println!("got by without: {}", unused.join(", "));
    assert_eq!(unused, SPARED);
}
