//! Least privilege of each command: with each of its options it passes for a user who has the
//! documents that `policy operator` prints for that command line, and nothing else.
//! Not for: what is told where one permission is missing (see `rights`, `denials`).

use super::hands::BREAKS;
use super::machines::{World, each};
use super::rights::{documents, let_keys_go, put_object, user};
use crate::alerts::{CALLED, put_targets};
use crate::common::{SOURCE, alone, kms, s3, suspended_job};
use crrctl_sandbox::{Lag, Options};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;
use tempfile::TempDir;

const ONE: &str = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
const BOTH: &str = "name: demo\nsource: {region: us-east-1}\n\
    destinations: [{region: us-west-2}, {region: eu-west-1}]\n";
const BOTH_WAYS: &str = "name: demo\nsource: {region: us-east-1}\n\
    destinations: [{region: us-west-2}]\nreplication: {two_way: true}\n";
const LOCKED: &str = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
    buckets: {object_lock: {mode: governance, days: 1}}\n";
const ADOPTED: &str = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
    destinations: [{region: us-west-2}]\n\
    replication: {alerts: {sqs: 'arn:aws:sqs:us-east-1:111122223333:alerts'}}\n";

const MANAGED: &str = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
    destinations: [{region: us-west-2}]\nbuckets: {encryption: managed}\n";
const EXPIRING: &str = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
    destinations: [{region: us-west-2}]\nbuckets: {lifecycle: {noncurrent_days: 30}}\n";

/// What the commands run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// Nothing exists.
    Empty,
    /// The pair, with an object and an unfinished upload of others.
    Whole,
    /// The pair without objects.
    Bare,
    /// The pair, changed by hand in every way; kept probes lie in it.
    Drifted,
    /// The pair without buckets, its keys pending deletion.
    Going,
    /// A pair that has lost a destination, and its role the way back.
    Dropped,
    /// A pair that replicated both ways.
    OneWay,
    /// A pair whose time is over.
    Expired,
    /// A pair with Object Lock, and probes under retention.
    Locked,
    /// A source that others made and wrote to.
    Adoptable,
    /// The adopted pair.
    Adopted,
    /// The adopted pair, whose manifest no longer manages the encryption of its buckets.
    Unmanaged,
    /// Nothing exists of a pair with a notification and an alarm.
    Calling,
    /// That pair.
    Called,
    /// That pair, whose notification and alarm somebody changed.
    Silenced,
    /// The pair, with a batch job that waits for its confirmation or runs.
    Working,
}

/// A row: the state, the entry of `commands` in what `policy operator` prints, and the command line.
type Row = (State, &'static str, &'static [&'static str]);

const OBJECT: &str = "s3://demo-111122223333-us-east-1/theirs";

const ROWS: &[Row] = &[
    (State::Empty, "plan", &["plan"]),
    (State::Whole, "plan", &["plan", "--detailed-exitcode"]),
    (State::Whole, "plan", &["plan", "--graph", "dot"]),
    (State::Drifted, "plan", &["plan"]),
    (State::Dropped, "plan", &["plan"]),
    (State::Adoptable, "plan", &["plan"]),
    (State::Bare, "plan", &["plan", "--destroy"]),
    (State::Dropped, "plan", &["plan", "--destroy"]),
    (State::Empty, "apply", &["apply", "--yes"]),
    (State::Drifted, "apply", &["apply", "--yes", "--no-probe"]),
    (State::Expired, "apply", &["apply", "--yes", "--ephemeral", "2h"]),
    (State::Expired, "apply", &["apply", "--yes", "--no-probe"]),
    (State::Adoptable, "apply", &["apply", "--yes"]),
    (State::Dropped, "apply", &["apply", "--yes", "--no-probe"]),
    (State::Locked, "apply", &["apply", "--yes"]),
    (State::Whole, "apply --prune", &["apply", "--yes", "--prune", "--no-probe"]),
    (State::Dropped, "apply --prune", &["apply", "--yes", "--prune"]),
    (State::OneWay, "apply --prune", &["apply", "--yes", "--prune"]),
    (State::Going, "apply --revive-keys", &["apply", "--yes", "--revive-keys"]),
    (State::Whole, "probe", &["probe", "--count", "2", "--concurrency", "1"]),
    (State::Whole, "probe", &["probe", "--size", "17MiB", "--keep", "--expect-p95", "10m"]),
    (State::Whole, "probe", &["probe", "--delete-marker"]),
    (State::Locked, "probe", &["probe"]),
    (State::Whole, "wait", &["wait", OBJECT]),
    (State::Whole, "wait", &["wait", OBJECT, "--for", "completed", "--version-id", "VERSION"]),
    (State::Whole, "check", &["check"]),
    (State::Whole, "check", &["check", OBJECT, "--version-id", "VERSION"]),
    (State::Whole, "check", &["check", "--side", "source", "--skip-check", "bucket.mfa-delete"]),
    (State::Whole, "check", &["check", "--ask-aws"]),
    (State::Whole, "check --with-batch", &["check", OBJECT, "--ask-aws", "--with-batch", "--yes"]),
    (State::Whole, "check", &["check", "--scp", "POLICY"]),
    (State::Whole, "check", &["check", "--rcp", "POLICY"]),
    (State::Empty, "check", &["check", "--before-apply"]),
    (State::Whole, "status", &["status", "--sample", "5"]),
    (State::Dropped, "status", &["status", "--sample", "0"]),
    (State::Whole, "watch", &["watch", "--every", "1s", "--listen", "127.0.0.1:0"]),
    (State::Whole, "backfill", &["backfill", "--yes", "--watch"]),
    (
        State::Whole,
        "backfill",
        &[
            "backfill",
            "--yes",
            "--status",
            "none",
            "--since",
            "2020-01-01",
            "--until",
            "2100-01-01",
            "--prefix",
            "th",
            "--larger-than",
            "0KiB",
            "--smaller-than",
            "1GiB",
            "--storage-class",
            "STANDARD",
            "--priority",
            "3",
        ],
    ),
    (State::Working, "backfill", &["backfill", "--yes", "--resume"]),
    (State::Working, "backfill", &["backfill", "--cancel"]),
    (State::Bare, "destroy", &["destroy", "--yes"]),
    (State::Bare, "destroy", &["destroy", "--yes", "--keep-keys"]),
    (State::Bare, "destroy", &["destroy", "--yes", "--keep-buckets"]),
    (State::Bare, "destroy", &["destroy", "--yes", "--purge-keys", "--window", "7"]),
    (State::Adopted, "destroy", &["destroy", "--yes"]),
    (State::Unmanaged, "destroy", &["destroy", "--yes"]),
    (State::Dropped, "destroy", &["destroy", "--yes"]),
    (State::Working, "destroy --purge-data", &["destroy", "--yes", "--purge-data"]),
    (State::Whole, "destroy --purge-data", &["destroy", "--yes", "--purge-data"]),
    (State::Locked, "destroy --bypass-governance", &["destroy", "--yes", "--bypass-governance"]),
    (State::Calling, "plan", &["plan"]),
    (State::Calling, "apply", &["apply", "--yes"]),
    (State::Calling, "check", &["check", "--before-apply"]),
    (State::Called, "check", &["check"]),
    (State::Called, "status", &["status", "--sample", "0"]),
    (State::Called, "export", &["export", "terraform"]),
    (State::Called, "apply --prune", &["apply", "--yes", "--prune", "--no-probe"]),
    (State::Called, "destroy", &["destroy", "--yes"]),
    (State::Silenced, "apply", &["apply", "--yes", "--no-probe"]),
    (State::Silenced, "plan", &["plan", "--destroy"]),
    (State::Whole, "list", &["list", "--regions", "us-east-1,us-west-2"]),
    (State::Whole, "gc", &["gc", "--regions", "us-east-1"]),
    (State::Expired, "gc", &["gc", "--yes", "--name-prefix", "de"]),
    (State::Whole, "export", &["export", "terraform"]),
    (State::Whole, "export", &["export", "cloudformation", "--out", "FOLDER"]),
    (State::Whole, "smoke", &["smoke", "--ttl", "1h"]),
    (State::Whole, "smoke", &["smoke", "--key", "KEY"]),
];

/// Makes a state.
fn made(state: State) -> World {
    let apply = |world: &World, more: &[&str]| {
        let args = [&["apply", "--yes"][..], more].concat();
        world.run(&args).exits(0, &format!("{state:?}"));
    };
    let plain = || World::new(Lag::None);
    let of = |manifest: &str| World::of(manifest, Options::default());
    match state {
        State::Empty => plain(),
        State::Bare => made_whole(),
        State::Whole => {
            let whole = made_whole();
            put_object(&whole);
            written_before(&whole);
            whole
        }
        State::Drifted => {
            let whole = made_whole();
            whole.run(&["probe", "--keep"]).exits(0, "kept probes");
            for (name, by_hand) in BREAKS {
                if !["no role", "no alias at the source", "no destination bucket"].contains(&name) {
                    by_hand(&whole);
                }
            }
            whole
        }
        State::Going => {
            let whole = made_whole();
            let_keys_go(&whole);
            whole
        }
        State::Dropped => {
            let both = of(BOTH);
            apply(&both, &["--no-probe"]);
            both.with_manifest(ONE)
        }
        State::OneWay => {
            let both = of(BOTH_WAYS);
            apply(&both, &["--no-probe"]);
            both.with_manifest(ONE)
        }
        State::Expired => {
            let world = plain();
            apply(&world, &["--no-probe", "--ephemeral", "1s"]);
            // The date is a whole second, at most two from the apply.
            std::thread::sleep(Duration::from_millis(2_100));
            world
        }
        State::Locked => {
            let world = of(LOCKED);
            apply(&world, &[]);
            world.run(&["probe", "--keep"]).exits(0, "kept probes");
            world
        }
        State::Adoptable => adoptable(ADOPTED),
        State::Adopted => {
            let world = adoptable(ADOPTED);
            apply(&world, &[]);
            world
        }
        State::Unmanaged => {
            let world = adoptable(MANAGED);
            apply(&world, &[]);
            world.with_manifest(ADOPTED)
        }
        State::Calling => calling(),
        State::Called => {
            let world = calling();
            apply(&world, &["--no-probe"]);
            world
        }
        State::Silenced => {
            let world = made(State::Called);
            silence(&world);
            world
        }
        State::Working => {
            let world = made_whole();
            written_before(&world);
            // It leaves what the next job stands on.
            world.run(&["backfill", "--yes", "--watch"]).exits(0, "a first job");
            written_before(&world);
            let job = suspended_job(world.endpoint(), "waiting");
            world.by_hand(job);
            world
        }
    }
}

/// Returns a world with the pair.
fn made_whole() -> World {
    World::whole()
}

/// Returns a world with the queue and the topic of a pair that is not built yet.
fn calling() -> World {
    let world = World::of(CALLED, Options::default());
    put_targets(&world.sandbox);
    world
}

/// Somebody changes the alarm and removes the notification.
fn silence(world: &World) {
    world.by_hand(async {
        let region = crrctl::names::Region::new("us-east-1").unwrap();
        let aws = crate::alarms::aws_at(world.endpoint()).await;
        let mut alarm = aws.alarms(&region, "crrctl.demo.").await.unwrap().remove(0);
        alarm.says.actions_enabled = false;
        aws.put_alarm(&region, &alarm.name, &alarm.says, &alarm.tags).await.unwrap();
        let none = aws_sdk_s3::types::NotificationConfiguration::builder().build();
        let s3 = s3(world.endpoint(), "us-east-1");
        let put = s3.put_bucket_notification_configuration().bucket(SOURCE);
        put.notification_configuration(none).send().await.unwrap();
    });
}

/// Returns a world with a source that others made and wrote to.
fn adoptable(manifest: &str) -> World {
    let world = World::of(manifest, Options::default());
    let s3 = s3(world.endpoint(), "us-east-1");
    world.by_hand(s3.create_bucket().bucket(SOURCE).send()).unwrap();
    put_object(&world);
    let queue = crrctl::names::Arn::new(crate::alerts::QUEUE).unwrap();
    let policy = crate::alerts::publishes(SOURCE);
    world.sandbox.put_channel(&queue, &[("Policy", &policy)]).unwrap();
    world
}

/// Writes an object while no rule is there, so that it is not replicated.
fn written_before(world: &World) {
    let s3 = s3(world.endpoint(), "us-east-1");
    world.by_hand(async {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
        s3.put_object().bucket(SOURCE).key("there-before").body(body).send().await.unwrap();
        let rules = live.replication_configuration.unwrap();
        let again = s3.put_bucket_replication().bucket(SOURCE).replication_configuration(rules);
        again.send().await.unwrap();
    });
}

/// Returns a multi-Region key, with its replica, that is nobody's.
fn key_of_others(world: &World) -> String {
    world.by_hand(async {
        let kms = kms(world.endpoint(), "us-east-1");
        let key = kms.create_key().multi_region(true).send().await.unwrap();
        let key = key.key_metadata().unwrap().arn().unwrap().to_owned();
        kms.replicate_key().key_id(&key).replica_region("us-west-2").send().await.unwrap();
        key
    })
}

/// Returns `args` with the names of things in place of the words that stand for them.
fn filled(world: &World, folder: &Path, args: &[&str]) -> Vec<String> {
    let fill = |word: &&str| match *word {
        "VERSION" => world.by_hand(async {
            let s3 = s3(world.endpoint(), "us-east-1");
            let head = s3.head_object().bucket(SOURCE).key("theirs").send().await.unwrap();
            head.version_id().unwrap().to_owned()
        }),
        "KEY" => key_of_others(world),
        "FOLDER" => folder.join("out").display().to_string(),
        "POLICY" => {
            let file = folder.join("policy.json");
            let all = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}"#;
            let scp = all.replace(r#""Principal": "*", "#, "");
            let text = if args.contains(&"--scp") { scp.as_str() } else { all };
            std::fs::write(&file, text).unwrap();
            file.display().to_string()
        }
        other => other.to_owned(),
    };
    args.iter().map(fill).collect()
}

/// Returns the exit codes that a command line may have.
fn codes(args: &[&str]) -> &'static [u8] {
    match args {
        // Nothing but the end of its time ends it.
        ["watch", ..] => &[7],
        ["destroy", .., "--keep-keys" | "--keep-buckets"] => &[0, 9],
        ["plan", "--detailed-exitcode", ..] => &[0, 2],
        _ => &[0],
    }
}

#[test]
fn each_command_passes_with_each_option_under_its_own_documents() {
    let states: BTreeMap<State, OnceLock<World>> =
        ROWS.iter().map(|row| (row.0, OnceLock::new())).collect();
    let failed = Mutex::new(Vec::new());
    let count = each(3, |n| {
        let Some((state, command, args)) = ROWS.get(n) else { return false };
        let folder = TempDir::new().unwrap();
        let world = states[state].get_or_init(|| made(*state)).fork();
        let mut filled = filled(&world, folder.path(), args);
        if args[0] == "watch" {
            filled.extend(["--timeout".to_owned(), "3s".to_owned()]);
        }
        let documents = documents(&world, &[command]);
        let user = user(&world, &documents);
        let filled: Vec<&str> = filled.iter().map(String::as_str).collect();
        let ended = world.run_as((user.0.as_str(), user.1.as_str()), &filled);
        // What may not be read is unknown.
        let checks = ended.object["checks"].as_array().into_iter().flatten();
        let unread = checks.filter(|it| it["result"] == "unknown" && it["name"] != "organisation");
        let unread: Vec<_> = unread.collect();
        if !codes(args).contains(&ended.code) || !unread.is_empty() {
            let error = &ended.object["error"];
            failed
                .lock()
                .unwrap()
                .push(format!("{state:?} {filled:?}: {} {error:#} {unread:#?}", ended.code));
        }
        true
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {count}: {}", failed.len(), failed.join("\n"));
}

/// A removal goes by tags and live rules, the documents by the manifest. Where they differ, the
/// denial says what the manifest lacks.
#[test]
fn a_removal_says_which_key_of_the_manifest_its_documents_lack() {
    let given = ADOPTED.replace(", adopt: true", "");
    let rows =
        [(EXPIRING, ADOPTED, "`buckets.lifecycle`"), (ADOPTED, given.as_str(), "`adopt: true`")];
    let tried = each(rows.len(), |n| {
        let Some((built, now, lacks)) = rows.get(n).copied() else { return false };
        let world = adoptable(built);
        world.run(&["apply", "--yes"]).exits(0, "the adopted pair");
        let world = world.with_manifest(now);
        let documents = documents(&world, &["destroy"]);
        let user = user(&world, &documents);
        let ended = world.run_as((user.0.as_str(), user.1.as_str()), &["destroy", "--yes"]);
        let error = &ended.object["error"];
        assert_eq!(ended.code, 5, "{error:#}");
        let said = |hint: &serde_json::Value| {
            let hint = hint.as_str().unwrap();
            hint.contains(lacks) && hint.contains("crrctl policy operator")
        };
        assert!(error["hints"].as_array().unwrap().iter().any(said), "{error:#}");
        world.with_manifest(built).run(&["destroy", "--yes"]).exits(0, "with it");
        true
    });
    assert_eq!(tried, rows.len());
}

/// A new option needs a row, or a reason why it changes no call.
#[test]
fn each_option_of_each_command_has_a_row() {
    let commands: BTreeSet<&str> = ROWS.iter().map(|row| row.2[0]).collect();
    for command in commands {
        let rows = ROWS.iter().filter(|row| row.2[0] == command);
        let tried: BTreeSet<&str> = rows.flat_map(|row| row.2.iter().copied()).collect();
        let untried: Vec<String> =
            options(command).into_iter().filter(|it| !tried.contains(it.as_str())).collect();
        assert_eq!(untried, [""; 0], "{command} is never run with these");
    }
}

/// Returns the options of each command, from its help.
fn options(command: &str) -> BTreeSet<String> {
    let help = alone(&[command, "--help"]).exits(0).stdout;
    let own = help.split("Common options").next().unwrap_or_default();
    let words = own.lines().filter_map(|line| {
        let word = line.split_whitespace().find(|word| word.starts_with("--"))?;
        let first = line.trim_start();
        first.starts_with('-').then(|| word.trim_end_matches(['.', ',']).to_owned())
    });
    words.filter(|it| !["--help", "--version"].contains(&it.as_str())).collect()
}
