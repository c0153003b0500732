//! Waits for what can't come: while a run waits, somebody takes away what it waits for. It ends long
//! before its patience does, with the cause and a code that is explained.
//! Not for: two runs of crrctl (see `meetings`), and states that a read shows at once (see `told::meanwhile`).

use super::machines::{Ended, World, each};
use crate::common::{DESTINATION, SOURCE, iam, kms, s3};
use crrctl_sandbox::{Lag, Options};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const BUILD: &[&str] = &["apply", "--yes", "--no-probe"];
const PROBE: &[&str] = &["probe"];
const DESTROY: &[&str] = &["destroy", "--yes"];

/// The usual pair, in buckets that others made. Its rules go live at once.
const ADOPTED: &str = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
    destinations: [{region: us-west-2, adopt: true}]\nreplication: {activation: direct}\n";

/// How long a run may go on after what it waits for is gone. Each of the waits is patient for two minutes
/// or more. What the run has just made must be seen gone eight times, five seconds apart.
const ENDS_WITHIN: Duration = Duration::from_secs(100);

/// What somebody does while a run waits.
#[derive(Debug, Clone, Copy)]
enum Hand {
    SchedulesTheKey,
    DeletesTheBuckets,
    DeletesTheSource,
    DeletesTheDestination,
    DeletesTheRole,
    DeletesTheRules,
}

/// What exists when the run begins.
#[derive(Debug, Clone, Copy)]
enum From {
    Nothing,
    /// The same, where a replica key stays in the state Creating.
    NothingAndASlowReplicaKey,
    /// The pair, whose objects stay PENDING.
    APairThatIsSlow,
    /// The pair in buckets of others.
    AnAdoptedPair,
}

/// A wait, the fault that holds it, and what makes it a dead end.
struct DeadEnd {
    wait: &'static str,
    from: From,
    args: &'static [&'static str],
    /// The fault that keeps what is waited for from showing. The wait has begun when it has struck, or
    /// where there is none, when `begun` was called.
    fault: Option<&'static str>,
    begun: &'static str,
    hand: Hand,
}

const TAGS: DeadEnd = DeadEnd {
    wait: "the tags of a new bucket",
    from: From::Nothing,
    args: BUILD,
    fault: Some("s3:GetBucketTagging:error=NoSuchTagSet"),
    begun: "s3:PutBucketTagging",
    hand: Hand::SchedulesTheKey,
};
const RULES: DeadEnd = DeadEnd {
    wait: "the replication configuration to read back",
    fault: Some("s3:GetBucketReplication:error=ReplicationConfigurationNotFoundError"),
    begun: "s3:PutBucketReplication",
    ..TAGS
};
const REPLICA_KEY: DeadEnd = DeadEnd {
    wait: "a replica key to be Enabled",
    from: From::NothingAndASlowReplicaKey,
    fault: None,
    begun: "kms:ReplicateKey",
    ..TAGS
};
const PENDING: DeadEnd = DeadEnd {
    wait: "a probe that is PENDING",
    from: From::APairThatIsSlow,
    args: PROBE,
    fault: None,
    begun: "s3:HeadObject",
    hand: Hand::SchedulesTheKey,
};
const FORGOTTEN: DeadEnd = DeadEnd {
    wait: "S3 to forget the rules",
    from: From::AnAdoptedPair,
    args: DESTROY,
    fault: None,
    begun: "s3:PutObject",
    hand: Hand::DeletesTheSource,
};

const TABLE: [DeadEnd; 12] = [
    REPLICA_KEY,
    TAGS,
    // The tags of both show late.
    DeadEnd { hand: Hand::DeletesTheBuckets, ..TAGS },
    RULES,
    DeadEnd { hand: Hand::DeletesTheSource, ..RULES },
    DeadEnd { hand: Hand::DeletesTheDestination, ..RULES },
    DeadEnd { hand: Hand::DeletesTheRole, ..RULES },
    PENDING,
    DeadEnd { hand: Hand::DeletesTheDestination, ..PENDING },
    DeadEnd { hand: Hand::DeletesTheRole, ..PENDING },
    DeadEnd { hand: Hand::DeletesTheRules, ..PENDING },
    FORGOTTEN,
];

fn quirk(spec: &str) -> Options {
    Options { quirks: vec![spec.parse().unwrap()], ..Options::default() }
}

impl From {
    fn world(self) -> World {
        match self {
            Self::Nothing => World::new(Lag::None),
            Self::NothingAndASlowReplicaKey => World::with(quirk("slow-replica-key=3600")),
            Self::APairThatIsSlow => {
                let world = World::with(quirk("slow-replication=3600"));
                world.run(BUILD).exits(0, "the pair");
                world.fork()
            }
            Self::AnAdoptedPair => {
                let world = World::of(ADOPTED, Options::default());
                super::late_crashes::theirs(&world, "us-east-1", SOURCE);
                super::late_crashes::theirs(&world, "us-west-2", DESTINATION);
                world.run(BUILD).exits(0, "the pair in buckets of others");
                world.fork()
            }
        }
    }
}

/// Repeats `work` until it succeeds: what a run has not made yet can't be taken away.
fn until_done<T, E: std::fmt::Debug>(mut work: impl FnMut() -> Result<T, E>) -> T {
    let began = Instant::now();
    loop {
        match work() {
            Ok(done) => return done,
            Err(error) if began.elapsed() > Duration::from_mins(1) => panic!("{error:?}"),
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

impl Hand {
    fn acts(self, world: &World) {
        match self {
            Self::SchedulesTheKey => until_done(|| {
                let left = world.leftovers();
                let key = left
                    .iter()
                    .find(|arn| arn.starts_with("arn:aws:kms:us-east-1") && arn.contains(":key/"));
                let key = key.ok_or("no key")?;
                let kms = kms(world.endpoint(), "us-east-1");
                let schedule = kms.schedule_key_deletion().key_id(key).pending_window_in_days(7);
                world.by_hand(schedule.send()).map(drop).map_err(|_| "not scheduled")
            }),
            Self::DeletesTheBuckets => {
                deleted(world, "us-east-1", SOURCE);
                deleted(world, "us-west-2", DESTINATION);
            }
            Self::DeletesTheSource => deleted(world, "us-east-1", SOURCE),
            Self::DeletesTheDestination => deleted(world, "us-west-2", DESTINATION),
            Self::DeletesTheRole => until_done(|| {
                let (iam, name) = (iam(world.endpoint()), "crrctl-demo-us-east-1");
                let delete = iam.delete_role_policy().role_name(name).policy_name("replication");
                let _ = world.by_hand(delete.send());
                world.by_hand(iam.delete_role().role_name(name).send()).map(drop)
            }),
            Self::DeletesTheRules => until_done(|| {
                let s3 = s3(world.endpoint(), "us-east-1");
                world.by_hand(s3.delete_bucket_replication().bucket(SOURCE).send()).map(drop)
            }),
        }
    }
}

/// Deletes a bucket with all that is in it.
fn deleted(world: &World, region: &str, name: &str) {
    let s3 = s3(world.endpoint(), region);
    until_done(|| {
        world.by_hand(async {
            let all = s3.list_object_versions().bucket(name).send().await.map_err(|_| "no list")?;
            let ids = all.versions().iter().map(|it| (it.key(), it.version_id()));
            let markers = all.delete_markers().iter().map(|it| (it.key(), it.version_id()));
            for (key, version) in ids.chain(markers) {
                let delete = s3.delete_object().bucket(name).key(key.unwrap());
                let _ = delete.set_version_id(version.map(str::to_owned)).send().await;
            }
            s3.delete_bucket().bucket(name).send().await.map(drop).map_err(|_| "not empty")
        })
    });
}

impl DeadEnd {
    fn name(&self) -> String {
        format!("{} while somebody {:?}", self.wait, self.hand)
    }

    /// Returns how the run ended, and how long after what was done.
    fn met(&self) -> (Ended, Duration) {
        let world = self.from.world();
        world.faults(self.fault.map(str::to_owned));
        std::thread::scope(|scope| {
            let run = scope.spawn(|| world.run(self.args));
            let began = Instant::now();
            while world.count(self.begun) == 0 {
                assert!(!run.is_finished(), "{}: it ended before", self.name());
                assert!(
                    began.elapsed() < Duration::from_mins(2),
                    "{}: it never waits",
                    self.name()
                );
                std::thread::sleep(Duration::from_millis(20));
            }
            self.hand.acts(&world);
            let acted = Instant::now();
            (run.join().unwrap(), acted.elapsed())
        })
    }
}

#[test]
fn no_run_waits_for_what_cannot_come() {
    let wrong = Mutex::new(Vec::new());
    let _ = each(6, |n| {
        let Some(row) = TABLE.get(n) else { return false };
        let (ended, after) = row.met();
        let error = &ended.object["error"];
        println!("{}: {} {} after {after:.0?}", row.name(), ended.code, error["message"]);
        let is_told = ended.code == 10
            && error["code"] == "changed-meanwhile"
            && error["hints"].as_array().is_some_and(|hints| !hints.is_empty());
        if !is_told || after > ENDS_WITHIN {
            wrong.lock().unwrap().push(format!(
                "{}: {} {error:#} after {after:?}",
                row.name(),
                ended.code
            ));
        }
        true
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A wait tells what it waits for and how long still, and so does a probe that is PENDING.
#[test]
fn a_probe_that_is_pending_tells_how_long_it_is_waited_for() {
    let stand = crate::common::Stand::with(quirk("slow-replication=9"));
    let _ = stand.in_process(BUILD).exits(0);
    let args = [PROBE, &crate::common::PAIR[..], &["-o", "ndjson"]].concat();
    let told = stand.run(&args).exits(0).stdout;
    let waits = told.lines().filter(|line| line.contains("\"step.wait\""));
    let waits: Vec<serde_json::Value> =
        waits.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!waits.is_empty(), "{told}");
    for wait in waits {
        let reason = wait["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("PENDING: waiting for the replication of `_crrctl/"),
            "{reason}"
        );
        assert!(reason.contains("for up to 19m 5"), "{reason}");
    }
}

/// The waits of each file, and where their dead ends are held: in the table above, by the tests that are
/// named, or why there are none.
const WAITS: [(&str, usize, &str); 32] = [
    ("aws/clients.rs", 1, "after an answer that never came: the run's end ends it"),
    ("backfill/job.rs", 1, "a job that failed or was cancelled has ended: `backfill`"),
    ("cli/compare/replay.rs", 1, "a replay waits for the sandbox in its own process"),
    ("cli/watch.rs", 1, "the pause between two rounds"),
    ("observe.rs", 1, "20 s, for the tags of a bucket"),
    ("observe/twice.rs", 2, "20 s, for reads that agree"),
    ("ops/activation.rs", 1, "between two probes, as for the rules in the table"),
    ("ops/backfill.rs", 1, "two minutes, for what the run itself has made: `survival::crashes`"),
    ("ops/missing.rs", 1, "the simulator has a few seconds"),
    ("ops/smoke.rs", 1, "between two tries to remove what it made"),
    ("probe.rs", 1, "between two probes, as for one in the table"),
    ("probe/compare.rs", 1, "30 s, for a replica that is COMPLETED: `told::meanwhile`"),
    ("probe/eligible.rs", 1, "for another probe of the same run"),
    ("probe/markers.rs", 1, "as for a probe in the table"),
    ("probe/poll.rs", 2, "in the table; of many objects, before the first poll"),
    ("probe/wait.rs", 1, "an object that is deleted is told at once: `messages`"),
    ("steps/alarm.rs", 1, "2 min, for an alarm that the run made"),
    ("steps/alias.rs", 2, "a key that goes, a key of others: `told::meanwhile`"),
    ("steps/bucket.rs", 1, "a bucket that is gone is what is waited for"),
    ("steps/dropped.rs", 1, "as for all rules of a source in the table"),
    ("steps/gone.rs", 1, "a thing that is gone is what is waited for"),
    ("steps/key.rs", 2, "a key that was made by a lost answer: 30 s; a failure of KMS: 5 min"),
    ("steps/key/find.rs", 1, "30 s, for the tags of a new key"),
    ("steps/key/unused.rs", 2, "5 s, for buckets to be gone; 30 s, for lists"),
    ("steps/meanwhile.rs", 1, "the looks that find dead ends"),
    ("steps/quiet.rs", 2, "in the table"),
    ("steps/replica_key.rs", 1, "a key that goes or is disabled: `told::meanwhile`"),
    ("steps/replication.rs", 2, "in the table; 30 s, for a role that rules of others get"),
    ("steps/role.rs", 1, "2 min, for the policies of a role that goes"),
    ("steps/settings/notification.rs", 1, "20 s, for what the run wrote: somebody else writes it"),
    ("steps/settings/tags.rs", 1, "in the table"),
    ("steps/standing.rs", 1, "20 s, for what the run made"),
];

/// How often a file waits: each `Wait`, and each call of what pauses in `aws::settle`.
fn waits(text: &str) -> usize {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let is_code = |line: &&str| {
        !line.trim_start().starts_with("//") && !line.contains("fn ") && !line.starts_with("use ")
    };
    let calls = |line: &str| {
        let all = ["pause(", "wait(", "shown("].into_iter().flat_map(|it| line.match_indices(it));
        let is_call = |at: usize| {
            !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.')
        };
        all.filter(|(at, _)| is_call(*at)).count() + line.matches("= Wait {").count()
    };
    code.lines().filter(is_code).map(calls).sum()
}

#[test]
fn every_wait_has_a_row() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut seen, mut folders) = (BTreeMap::new(), vec![src.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if text.contains("settle::") && name != "aws/settle.rs" && waits(&text) > 0 {
                seen.insert(name, waits(&text));
            }
        }
    }
    let told = WAITS.iter().map(|(file, count, _)| ((*file).to_owned(), *count)).collect();
    assert_eq!(seen, told, "left: what waits; right: the rows");
}
