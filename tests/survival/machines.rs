//! Machines that crrctl runs on. Each run has a runtime of its own; dropping the runtime ends the
//! process at any point.
//! Not for: the real binary and real signals (see `crashes`).

use crate::common::{DESTINATION, PAIR, SOURCE};
use crrctl::stop::{Reason, Stop};
use crrctl_sandbox::{DEFAULT_ACCOUNT, FaultSpec, Lag, Options, SECRET, Sandbox};
use futures::FutureExt;
use serde_json::Value;
use std::ffi::OsString;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::runtime::{Builder, Runtime};

/// The result of a run that was allowed to end.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: u8,
    pub(super) object: Value,
}

impl Ended {
    /// Asserts the exit code.
    #[track_caller]
    pub(super) fn exits(self, code: u8, when: &str) -> Self {
        assert_eq!(self.code, code, "{when}: {:#}", self.object["error"]);
        self
    }
}

/// A sandbox that represents AWS for the machines.
pub(super) struct World {
    pub(super) sandbox: Sandbox,
    /// The manifest of the pair, where it is not the usual one.
    manifest: Option<Arc<NamedTempFile>>,
}

/// Returns the runtime that all sandboxes share: the first random number of a thread is expensive.
fn aws() -> &'static Runtime {
    static AWS: OnceLock<Runtime> = OnceLock::new();
    AWS.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}

impl World {
    /// Returns an empty world. Its lag is twenty times shorter than on AWS.
    pub(super) fn new(lag: Lag) -> Self {
        let seed = (!is_thorough()).then_some(1);
        Self::with(Options { lag, hurry: 20, seed, ..Options::default() })
    }

    /// Returns an empty world that behaves as `options` specify.
    pub(super) fn with(options: Options) -> Self {
        let sandbox = aws().block_on(Sandbox::start(options)).unwrap();
        Self { sandbox, manifest: None }
    }

    /// Returns an empty world, for the pair of `manifest`, that behaves as `options` specify.
    pub(super) fn of(manifest: &str, options: Options) -> Self {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), manifest).unwrap();
        Self { manifest: Some(Arc::new(file)), ..Self::with(options) }
    }

    /// Returns a world in which the usual pair exists.
    pub(super) fn whole() -> Self {
        let world = Self::new(Lag::None);
        world.run(&["apply", "--yes", "--no-probe"]).exits(0, "the first apply");
        world
    }

    /// Returns this world, with another manifest of the pair.
    pub(super) fn with_manifest(self, manifest: &str) -> Self {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), manifest).unwrap();
        Self { manifest: Some(Arc::new(file)), ..self }
    }

    /// Returns a copy of this world, with its lag.
    pub(super) fn fork(&self) -> Self {
        self.fork_as(Options::default())
    }

    /// Returns a copy of this world that responds as `options` specify.
    pub(super) fn fork_as(&self, options: Options) -> Self {
        let sandbox = aws().block_on(self.sandbox.fork(options)).unwrap();
        Self { sandbox, manifest: self.manifest.clone() }
    }

    /// Replaces the faults in force.
    pub(super) fn faults(&self, specs: impl IntoIterator<Item = String>) {
        let specs = specs.into_iter().map(|it| it.parse::<FaultSpec>().unwrap());
        self.sandbox.set_faults(specs.collect());
    }

    pub(super) fn endpoint(&self) -> String {
        self.sandbox.endpoint()
    }

    /// Returns whether the first fault in force was injected.
    pub(super) fn was_struck(&self) -> bool {
        self.sandbox.injected().now_or_never().is_some()
    }

    /// Runs `work`, a change that is made outside crrctl.
    #[expect(clippy::unused_self, reason = "it reads as what it is: something done to a world")]
    pub(super) fn by_hand<T>(&self, work: impl Future<Output = T>) -> T {
        machine().block_on(work)
    }

    pub(super) fn leftovers(&self) -> Vec<String> {
        self.sandbox.leftovers()
    }

    /// Returns how often an operation was performed.
    pub(super) fn count(&self, operation: &str) -> u64 {
        self.sandbox.calls()["by_operation"][operation].as_u64().unwrap_or_default()
    }

    /// Returns the state that distinguishes this world from others: the write calls, and the
    /// resources that exist.
    pub(super) fn signature(&self) -> String {
        let calls = self.sandbox.calls();
        let is_write = |name: &&String| {
            !["Get", "Head", "List", "Describe"].iter().any(|it| name.contains(&format!(":{it}")))
        };
        let calls = calls["by_operation"].as_object().unwrap();
        let writes: Vec<_> = calls.iter().filter(|(name, _)| is_write(name)).collect();
        let exists: Vec<String> = self
            .leftovers()
            .iter()
            .map(|arn| arn.split("mrk-").next().unwrap().to_owned())
            .collect();
        format!("{writes:?} {exists:?}")
    }

    /// Asserts that the pair exists exactly once: two buckets, one role, one primary key and its
    /// replica key, an alias for each, and no reference to a key that is pending deletion.
    #[track_caller]
    pub(super) fn is_whole(&self, when: &str) {
        self.is_whole_with(&self.leftovers(), when);
    }

    /// Asserts the same while a removal is held. A replica key whose primary key is already
    /// scheduled for deletion is ignored: the removal schedules it next.
    #[track_caller]
    pub(super) fn is_whole_beside_a_removal(&self, when: &str) {
        let mut left = self.leftovers();
        let (home, all) = ("arn:aws:kms:us-east-1:111122223333:key/", left.clone());
        let has_primary = |id: &str| all.iter().any(|arn| arn.strip_prefix(home) == Some(id));
        left.retain(|arn| arn.split_once(":key/").is_none_or(|(_, id)| has_primary(id)));
        self.is_whole_with(&left, when);
    }

    #[track_caller]
    fn is_whole_with(&self, left: &[String], when: &str) {
        let count = |part: &str| left.iter().filter(|arn| arn.contains(part)).count();
        assert_eq!(
            [
                left.len(),
                count(&format!(":::{SOURCE}")),
                count(&format!(":::{DESTINATION}")),
                count("role/crrctl/crrctl-demo-us-east-1"),
                count("kms:us-east-1:111122223333:key/mrk-"),
                count("kms:us-west-2:111122223333:key/mrk-"),
                count("kms:us-east-1:111122223333:alias/crrctl/demo"),
                count("kms:us-west-2:111122223333:alias/crrctl/demo"),
            ],
            [7, 1, 1, 1, 1, 1, 1, 1],
            "{when}: {left:#?}"
        );
        self.names_no_key_pending_deletion(when);
    }

    /// Asserts also that every setting is as the manifest specifies.
    #[track_caller]
    pub(super) fn has_converged(&self, when: &str) {
        self.is_whole(when);
        self.run(&["plan", "--detailed-exitcode"]).exits(0, &format!("the plan after {when}"));
    }

    #[track_caller]
    pub(super) fn is_empty(&self, when: &str) {
        assert_eq!(self.leftovers(), [""; 0], "{when}");
    }

    #[track_caller]
    pub(super) fn names_no_key_pending_deletion(&self, when: &str) {
        assert_eq!(
            self.sandbox.pending_keys_in_use(),
            [""; 0],
            "{when}: something names a key that goes"
        );
    }

    /// Returns the keys that are pending deletion and that a bucket's encryption or rules name.
    pub(super) fn keys_that_go_of_buckets(&self) -> Vec<String> {
        self.sandbox.pending_keys_of_buckets()
    }

    /// Runs crrctl with `args` on the usual pair, on a new machine without state.
    pub(super) fn run(&self, args: &[&str]) -> Ended {
        self.run_as((DEFAULT_ACCOUNT, SECRET), args)
    }

    /// Runs crrctl while the sandbox's clock runs about a hundred times as fast as the wall clock.
    pub(super) fn run_in_fast_time(&self, args: &[&str]) -> Ended {
        let run = || self.embedded((DEFAULT_ACCOUNT, SECRET), args);
        on_a_machine(|| machine().block_on(self.sandbox.in_fast_time(run())))
    }

    /// Runs crrctl with the given access key and secret.
    pub(super) fn run_as(&self, credentials: (&str, &str), args: &[&str]) -> Ended {
        on_a_machine(|| machine().block_on(self.embedded(credentials, args)))
    }

    /// Runs crrctl until the first fault in force is injected. Then its deadline passes, and
    /// shortly afterwards the run is ended at once.
    pub(super) fn run_out_of_time(&self, args: &[&str]) -> Ended {
        let stop = Stop::default();
        on_a_machine(|| {
            machine().block_on(async {
                let mut run = Box::pin(self.stopped_by(&stop, (DEFAULT_ACCOUNT, SECRET), args));
                tokio::select! {
                    () = self.sandbox.injected() => {}
                    ended = &mut run => return ended,
                }
                stop.end(Reason::Deadline);
                if let Ok(ended) = tokio::time::timeout(Duration::from_millis(50), &mut run).await {
                    return ended;
                }
                stop.end_at_once();
                run.await
            })
        })
    }

    /// Runs crrctl until the first fault in force is injected, and then as after Ctrl-C. Returns `None` if no fault is.
    pub(super) fn run_interrupted(&self, args: &[&str]) -> Option<Ended> {
        let stop = Stop::default();
        on_a_machine(|| {
            machine().block_on(async {
                let mut run = Box::pin(self.stopped_by(&stop, (DEFAULT_ACCOUNT, SECRET), args));
                tokio::select! {
                    () = self.sandbox.injected() => {}
                    _ = &mut run => return None,
                }
                stop.end(Reason::Interrupted);
                Some(run.await)
            })
        })
    }

    /// Runs crrctl until the first fault in force is injected. Then the process ends, and the
    /// result is `None`.
    pub(super) fn run_until_struck(&self, args: &[&str]) -> Option<Ended> {
        // The runtime is dropped at the end, with every task on it.
        on_a_machine(|| {
            machine().block_on(async {
                tokio::select! {
                    () = self.sandbox.injected() => None,
                    ended = self.embedded((DEFAULT_ACCOUNT, SECRET), args) => Some(ended),
                }
            })
        })
    }

    /// Waits until every machine has closed its connections: by then, each of their requests is
    /// performed or never will be.
    pub(super) fn unconnected(&self) {
        aws().block_on(async {
            let unconnected =
                tokio::time::timeout(Duration::from_mins(1), self.sandbox.unconnected());
            unconnected.await.unwrap_or_else(|_| panic!("a connection stays open")).unwrap();
        });
    }

    /// Runs crrctl with `first` up to its call number `n`, stops its machine, runs `meanwhile`, and
    /// lets the run continue. Returns `None` if the run has no such call.
    pub(super) fn held<T>(
        &self,
        first: &[&str],
        n: usize,
        meanwhile: impl FnOnce() -> T,
    ) -> Option<(Ended, T)> {
        self.faults([format!("*:*:delay=1h:after={n}:times=1")]);
        std::thread::scope(|scope| {
            let (told, hear) = std::sync::mpsc::channel();
            let (go_on, wait) = std::sync::mpsc::channel::<()>();
            let run = stack().spawn_scoped(scope, move || {
                machine().block_on(async {
                    let run = self.embedded((DEFAULT_ACCOUNT, SECRET), first);
                    let mut run = std::pin::pin!(run);
                    tokio::select! {
                        () = self.sandbox.injected() => {
                            let _ = told.send(true);
                            // This blocks the machine's only thread, so no task of this run
                            // continues.
                            let _ = wait.recv();
                        }
                        ended = &mut run => { let _ = told.send(false); return ended; }
                    }
                    run.await
                })
            });
            let meanwhile = hear.recv().unwrap().then(meanwhile);
            self.faults([]);
            drop(go_on);
            let ended = run.unwrap().join().unwrap();
            meanwhile.map(|it| (ended, it))
        })
    }

    /// Runs crrctl with `first`, and with `second` from call number `n` of the first on, or from its
    /// end on. A run that takes longer than `budget` is ended, and its result is `None`.
    pub(super) fn meet(
        &self,
        (first, n): (&[&str], usize),
        second: &[&str],
        budget: Duration,
    ) -> [Option<Ended>; 2] {
        let limited = async |args: &[&str]| {
            let run = self.embedded((DEFAULT_ACCOUNT, SECRET), args);
            tokio::time::timeout(budget, run).await.ok()
        };
        self.faults([format!("*:*:delay=1ms:after={n}:times=1")]);
        std::thread::scope(|scope| {
            let (over, is_over) = tokio::sync::oneshot::channel::<()>();
            let run = || {
                let ended = machine().block_on(limited(first));
                drop(over);
                ended
            };
            let one = stack().spawn_scoped(scope, run).unwrap();
            let run = || {
                machine().block_on(async {
                    tokio::select! {
                        () = self.sandbox.injected() => {}
                        _ = is_over => {}
                    }
                    limited(second).await
                })
            };
            let other = stack().spawn_scoped(scope, run).unwrap();
            let ended = [one.join().unwrap(), other.join().unwrap()];
            self.faults([]);
            ended
        })
    }

    async fn embedded(&self, credentials: (&str, &str), args: &[&str]) -> Ended {
        self.stopped_by(&Stop::default(), credentials, args).await
    }

    /// Runs crrctl with `args` alone, for commands that take no pair.
    pub(super) fn run_alone(&self, args: &[&str]) -> Ended {
        let (stop, caller) = (Stop::default(), (DEFAULT_ACCOUNT, SECRET));
        on_a_machine(|| machine().block_on(self.as_caller(&stop, caller, args, &[])))
    }

    async fn stopped_by(&self, stop: &Stop, credentials: (&str, &str), args: &[&str]) -> Ended {
        let file = self.manifest.as_ref().map(|file| ["-f", file.path().to_str().unwrap()]);
        let pair = file.as_ref().map_or(&PAIR[..], |file| &file[..]);
        self.as_caller(stop, credentials, args, pair).await
    }

    async fn as_caller(
        &self,
        stop: &Stop,
        credentials: (&str, &str),
        args: &[&str],
        pair: &[&str],
    ) -> Ended {
        let endpoint = self.sandbox.endpoint();
        let args = [&["crrctl"], args, pair, &["--endpoint-url", &endpoint]].concat();
        let credentials = (credentials.0.to_owned(), credentials.1.to_owned());
        let args = args.into_iter().map(OsString::from);
        let (code, object) = crrctl::cli::embedded(args, credentials, stop.clone()).await;
        Ended { code, object }
    }
}

/// Returns a thread builder whose stack has room for unoptimized futures.
fn stack() -> std::thread::Builder {
    std::thread::Builder::new().stack_size(16 << 20)
}

/// Runs `run` on a thread with a large stack.
pub(crate) fn on_a_machine<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| stack().spawn_scoped(scope, run).unwrap().join().unwrap())
}

/// Returns the runtime of one process. The caller drops it, with every task on it, when the process
/// ends.
pub(crate) fn machine() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Returns the step between the calls that a loop tries: one in the thorough mode, otherwise
/// `usual`.
pub(crate) fn stride(usual: usize) -> usize {
    if is_thorough() { 1 } else { usual }
}

/// Returns whether the thorough mode is on.
pub(crate) fn is_thorough() -> bool {
    std::env::var_os("CRRCTL_THOROUGH").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Runs `work` with 0, 1, 2 and so on, `at_once` at a time, until it returns false. Returns the
/// number of calls before that.
pub(crate) fn each(at_once: usize, work: impl Fn(usize) -> bool + Sync) -> usize {
    let (next, end) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    if n >= end.load(Ordering::SeqCst) {
                        return;
                    }
                    if !work(n) {
                        end.fetch_min(n, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    end.into_inner()
}
