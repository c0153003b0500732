//! The harness: a copy of a prepared sandbox, what is observed and planned there, and one action of
//! the plan, run by itself.
//! Not for: which actions are run, and what must become of them (see `table`).

use super::hands;
use crate::survival::{machine, on_a_machine};
use crrctl::aws::{Aws, Connection, Credentials, QuotaFactor};
use crrctl::engine::Runner;
use crrctl::events::{Event, Events, Sink, StepId};
use crrctl::failure::Failure;
use crrctl::manifest::{Manifest, Origin, Topology, parse};
use crrctl::names::{AccountId, Arn, Region};
use crrctl::observe::{self, Depth};
use crrctl::plan::{self, Action, Plan, Removal, Wish};
use crrctl::policy::Templates;
use crrctl::steps::Steps;
use crrctl::stop::Stop;
use crrctl::world::World;
use crrctl_sandbox::{DEFAULT_ACCOUNT, Options, SECRET, Sandbox};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::runtime::{Builder, Runtime};

/// The source bucket of the pair.
pub(super) const SOURCE: &str = "demo-111122223333-us-east-1";
/// The destination bucket of the pair.
pub(super) const DESTINATION: &str = "demo-111122223333-us-west-2";

/// A pair with every kind of thing.
const PAIR: &str = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
    buckets:\n  object_lock: {mode: governance, days: 1}\n  \
    lifecycle: {noncurrent_days: 90, incomplete_upload_days: 7}\n  \
    logging: {bucket: 'logs-{region}', prefix: '{name}/'}\n\
    replication: {alarm: {sns: 'arn:aws:sns:us-east-1:111122223333:alerts'}, alerts: {sqs: 'arn:aws:sqs:us-east-1:111122223333:alerts'}}\n";
/// The same pair with a second destination, which a later manifest drops.
const WIDER: &str = "name: demo\nsource: {region: us-east-1}\n\
    destinations: [{region: us-west-2}, {region: eu-west-1}]\n";
const NARROWER: &str =
    "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
/// A pair in buckets that somebody else made.
const ADOPTING: &str = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
    destinations: [{region: us-west-2, adopt: true}]\nrole: {take_over: true}\n\
    replication: {activation: direct, alerts: {sqs: 'arn:aws:sqs:us-east-1:111122223333:alerts'}}\n\
    buckets: {public_access: block, ownership: enforced, encryption: managed, lifecycle: {noncurrent_days: 90}, \
    logging: {bucket: 'logs-{region}', prefix: '{name}/'}}\n";
/// Another pair under the keys of the first.
const SECOND: &str = "name: second\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
    key: {kind: existing, arns: {us-east-1: alias/crrctl/demo, us-west-2: alias/crrctl/demo}}\n";

/// What exists when a test begins, and the manifest of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Base {
    /// Nothing but the buckets that logs go to.
    Empty,
    /// The same, and a manifest of a pair without Object Lock.
    Plain,
    /// The pair with every kind of thing.
    Whole,
    /// The pair, and a second manifest under its keys.
    Second,
    /// A pair, one of whose destinations the manifest no longer names.
    Dropped,
    /// Buckets that somebody else made, with settings, statements and rules of theirs.
    Theirs,
    /// The pair in such buckets.
    Adopted,
}

impl Base {
    fn manifest(self) -> Manifest {
        let text = match self {
            Self::Empty | Self::Whole => PAIR,
            Self::Second => SECOND,
            Self::Plain | Self::Dropped => NARROWER,
            Self::Theirs | Self::Adopted => ADOPTING,
        };
        parse(text, &Origin::Stdin, None).unwrap()
    }

    /// Returns the sandbox in which this exists. It is made once, and copied for each test.
    fn sandbox(self) -> &'static Sandbox {
        static MADE: Mutex<BTreeMap<Base, &'static OnceLock<Sandbox>>> =
            Mutex::new(BTreeMap::new());
        let made = *MADE.lock().unwrap().entry(self).or_insert_with(|| Box::leak(Box::default()));
        made.get_or_init(|| self.make())
    }

    fn make(self) -> Sandbox {
        let (below, manifest) = match self {
            Self::Empty | Self::Theirs => {
                let sandbox = aws().block_on(Sandbox::start(Options::default())).unwrap();
                let test = StepTest::on(sandbox, self.manifest());
                machine().block_on(async {
                    hands::make_log_buckets(&test).await;
                    hands::make_queue(&test);
                    if self == Self::Theirs {
                        hands::make_their_buckets(&test).await;
                    }
                });
                return test.sandbox;
            }
            Self::Whole => (Self::Empty, PAIR),
            Self::Plain => return copied(Self::Empty.sandbox()),
            Self::Second => return copied(Self::Whole.sandbox()),
            Self::Dropped => (Self::Empty, WIDER),
            Self::Adopted => (Self::Theirs, ADOPTING),
        };
        let sandbox = copied(below.sandbox());
        let test = StepTest::on(sandbox, parse(manifest, &Origin::Stdin, None).unwrap());
        machine().block_on(async {
            let planned = test.planned(Aim::Build).await;
            let steps = planned.steps();
            for action in planned.plan.actions.iter().filter(|action| action.changes()) {
                test.ran(&steps, action).await.unwrap();
            }
        });
        test.sandbox
    }
}

/// What the plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    Build,
    /// With `--prune`.
    Prune,
    Remove,
}

/// What is to be done with a pair.
pub(super) struct Planned {
    /// The clients of a run of its own: a run reads the tags of a key once.
    aws: Arc<Aws>,
    pub(super) topology: Topology,
    pub(super) world: World,
    pub(super) plan: Plan,
}

impl Planned {
    /// Returns what runs the actions that are self.
    pub(super) fn steps(&self) -> Steps {
        let (aws, topology) = (Arc::clone(&self.aws), self.topology.clone());
        let (stop, removal) = (Stop::default(), Removal::default());
        Steps::new(aws, topology, Templates::default(), &self.world, stop, removal)
    }

    pub(super) fn action(&self, id: &StepId) -> Option<&Action> {
        self.plan.actions.iter().find(|action| action.id == *id)
    }

    /// Returns the actions that `action` needs, directly or not, in the plan's order.
    pub(super) fn needed(&self, action: &Action) -> Vec<&Action> {
        let mut ids: BTreeSet<&StepId> = action.needs.iter().collect();
        let mut needed = Vec::new();
        for before in self.plan.actions.iter().rev().filter(|it| it.changes()) {
            if ids.contains(&before.id) {
                ids.extend(&before.needs);
                needed.push(before);
            }
        }
        needed.reverse();
        needed
    }
}

struct Deaf;

impl Sink for Deaf {
    fn take(&self, _: &Event) {}
}

/// Returns the clients of one run.
async fn clients(sandbox: &Sandbox) -> Arc<Aws> {
    let connection = Connection {
        endpoint_url: Some(sandbox.endpoint()),
        usual: Credentials::of_stand_in(DEFAULT_ACCOUNT, SECRET),
        quota_factor: QuotaFactor::Unlimited,
        ..Connection::default()
    };
    let aws = Aws::new(&StepTest::region("us-east-1"), connection).await;
    for region in ["us-east-1", "us-west-2", "eu-west-1"] {
        aws.expect_owner(&StepTest::region(region), &AccountId::new(DEFAULT_ACCOUNT).unwrap());
    }
    Arc::new(aws)
}

/// One pair in a sandbox of its own.
pub(super) struct StepTest {
    pub(super) sandbox: Sandbox,
    pub(super) aws: Arc<Aws>,
    manifest: Manifest,
    events: Events,
}

/// Returns the runtime that all sandboxes share.
fn aws() -> &'static Runtime {
    static AWS: OnceLock<Runtime> = OnceLock::new();
    AWS.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

fn copied(sandbox: &Sandbox) -> Sandbox {
    aws().block_on(sandbox.fork(Options::default())).unwrap()
}

impl StepTest {
    /// Runs `work` on a copy of `base`, on a thread with room for large futures.
    pub(super) fn of<T: Send>(base: Base, work: impl AsyncFnOnce(&Self) -> T + Send) -> T {
        on_a_machine(|| {
            let sandbox = copied(base.sandbox());
            let test = Self::on(sandbox, base.manifest());
            machine().block_on(work(&test))
        })
    }

    fn on(sandbox: Sandbox, manifest: Manifest) -> Self {
        let aws = machine().block_on(clients(&sandbox));
        Self { sandbox, aws, manifest, events: Events::to(Arc::new(Deaf)) }
    }

    /// Observes what exists, and plans.
    pub(super) async fn planned(&self, aim: Aim) -> Planned {
        let read = async {
            let aws = clients(&self.sandbox).await;
            let (mut topology, named) = observe::first_wave(&aws, &self.manifest).await?;
            let depth = match aim {
                Aim::Build => Depth::Wanted,
                Aim::Prune => Depth::Settings,
                Aim::Remove => Depth::Removal,
            };
            let mut world = observe::second_wave(&aws, &topology, named, depth).await?;
            if aim == Aim::Remove {
                observe::all_objects(&aws, &topology, &mut world).await?;
                let (plan, _) = plan::removal(&topology, &world, Removal::default())?;
                return Ok::<_, Failure>(Planned { aws, topology, world, plan });
            }
            observe::beside_others(&aws, &mut topology, &mut world).await?;
            if plan::let_go(&topology, &mut world) {
                observe::spare_key(&aws, &topology, &mut world).await?;
            }
            if world.buckets.is_empty() {
                observe::left_replicas(&aws, &topology, &mut world).await?;
            }
            if aim == Aim::Prune {
                observe::orphans(&aws, &topology, &mut world).await?;
            }
            let wish = Wish { prune: aim == Aim::Prune, ..Wish::default() };
            let plan = plan::build_as(&topology, &world, &Templates::default(), wish)?;
            Ok(Planned { aws, topology, world, plan })
        };
        Box::pin(read).await.unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    pub(super) async fn ran(&self, steps: &Steps, action: &Action) -> Result<Arn, Failure> {
        Box::pin(steps.run(action, &self.events.step(&action.id))).await
    }

    /// Has the sandbox do as `faults` say, until the next call of this.
    pub(super) fn faults(&self, faults: &[String]) {
        self.sandbox.set_faults(faults.iter().map(|it| it.parse().unwrap()).collect());
    }

    /// Returns how often each operation was called that writes.
    pub(super) fn writes(&self) -> BTreeMap<String, u64> {
        let calls = self.sandbox.calls();
        let is_read = |name: &str| {
            ["Get", "Head", "List", "Describe"].iter().any(|it| name.contains(&format!(":{it}")))
        };
        let calls = calls["by_operation"].as_object().unwrap().iter();
        let calls = calls.filter(|(name, _)| !is_read(name));
        calls.map(|(name, count)| (name.clone(), count.as_u64().unwrap())).collect()
    }

    /// Returns how many calls were made, reads too.
    pub(super) fn calls(&self) -> u64 {
        let calls = self.sandbox.calls();
        calls["by_operation"]
            .as_object()
            .unwrap()
            .values()
            .filter_map(serde_json::Value::as_u64)
            .sum()
    }

    pub(super) fn region(name: &str) -> Region {
        Region::new(name).unwrap()
    }
}
