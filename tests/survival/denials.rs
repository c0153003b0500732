//! An operator who lacks several permissions is told of all of them in one run: the reads of a pair
//! all end, and actions go on that need nothing of a denied one. Where the operator may ask IAM's
//! simulator, the calls are told too that the run did not come to.
//! Not for: a single missing permission (see `rights`).

use super::machines::{Ended, World};
use super::rights::{documents, user, without};
use crrctl_sandbox::Lag;

/// Runs `args` as a user who has the documents of `command` but the actions `missing`.
fn run(world: &World, command: &str, args: &[&str], missing: &[&str]) -> Ended {
    let world = world.fork();
    let documents = documents(&world, &[command]);
    let user = user(&world, &documents);
    without(&world, &documents, missing);
    world.run_as((user.0.as_str(), user.1.as_str()), args)
}

/// Asserts that each of the actions is named in the error and its statement is printed.
#[track_caller]
fn tells_all(ended: &Ended, missing: &[&str]) {
    let error = &ended.object["error"];
    assert_eq!(ended.code, 5, "{error:#}");
    let message = error["message"].as_str().unwrap();
    let hints: Vec<&str> =
        error["hints"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    for action in missing {
        let quoted = format!("`{action}`");
        let service = action.split_once(':').unwrap().1;
        assert!(message.contains(&quoted) || message.contains(service), "{action}: {error:#}");
        let adds = |hint: &&&str| hint.contains("add this statement") && hint.contains(&quoted);
        assert_eq!(hints.iter().filter(adds).count(), 1, "{action}: {error:#}");
    }
    assert!(hints.iter().any(|it| it.contains("crrctl policy operator")), "{error:#}");
}

/// The permission to ask the simulator, without which a denial tells only of what was tried.
const ASK: &str = "iam:SimulatePrincipalPolicy";

const READS: [&str; 3] = ["kms:DescribeKey", "s3:GetBucketTagging", "iam:GetRole"];
const SETTINGS: [&str; 4] = [
    "s3:GetBucketVersioning",
    "s3:GetBucketPolicy",
    "s3:GetEncryptionConfiguration",
    "iam:GetRolePolicy",
];
const MAKES: [&str; 3] = ["kms:CreateKey", "s3:CreateBucket", "iam:CreateRole"];

#[test]
fn all_that_was_tried_and_denied_is_told_in_one_run() {
    let (empty, whole) = (World::new(Lag::None), World::whole());
    let and_ask = |missing: &[&'static str]| [missing, &[ASK]].concat();
    for (command, args) in [
        ("plan", &["plan"][..]),
        ("apply", &["apply", "--yes", "--no-probe"]),
        ("destroy", &["destroy", "--yes"]),
        ("status", &["status"]),
    ] {
        for missing in [&READS[..], &SETTINGS] {
            tells_all(&run(&whole, command, args, &and_ask(missing)), missing);
        }
    }
    tells_all(&run(&empty, "apply", &["apply", "--yes"], &and_ask(&MAKES)), &MAKES);
}

/// A check that can't read something is unknown, and each says what it needs.
#[test]
fn a_check_names_every_permission_that_it_lacks() {
    let missing = ["kms:GetKeyPolicy", "s3:GetReplicationConfiguration", "iam:GetRolePolicy"];
    let ended = run(&World::whole(), "check", &["check"], &missing);
    let told = ended.object.to_string();
    for action in missing {
        assert!(told.contains(&format!("needs `{action}`")), "{action}: {:#}", ended.object);
    }
}

/// Whatever three permissions a user lacks, a run that is denied one tells all of them.
#[test]
fn the_simulator_tells_what_the_run_did_not_come_to() {
    let (empty, whole) = (World::new(Lag::None), World::whole());
    for (world, command, args, missing) in [
        (&whole, "plan", &["plan"][..], ["s3:GetBucketTagging", "kms:GetKeyPolicy", "iam:GetRole"]),
        (
            &empty,
            "apply",
            &["apply", "--yes"],
            ["s3:GetBucketTagging", "s3:PutBucketPolicy", "iam:PutRolePolicy"],
        ),
        (
            &empty,
            "apply",
            &["apply", "--yes"],
            ["kms:CreateAlias", "kms:ReplicateKey", "s3:DeleteObjectVersion"],
        ),
        (
            &whole,
            "destroy",
            &["destroy", "--yes"],
            ["s3:DeleteBucket", "kms:ScheduleKeyDeletion", "iam:DeleteRole"],
        ),
        (
            &whole,
            "probe",
            &["probe"],
            ["s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObjectVersion"],
        ),
        (
            &whole,
            "status",
            &["status"],
            ["s3:ListBucketVersions", "kms:GetKeyPolicy", "iam:GetRole"],
        ),
    ] {
        let ended = run(world, command, args, &missing);
        tells_all(&ended, &missing);
        let hints = ended.object["error"]["hints"].to_string();
        assert!(!hints.contains("s3:GetBucketVersioning` on"), "what is allowed: {hints}");
    }
}
