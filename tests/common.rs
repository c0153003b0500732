//! The setup of most tests: a sandbox per test, and the binary in an empty home directory, without
//! any other configuration.
//! Not for: the tests of the sandbox itself (see `sandbox`).

use crate::survival::{machine, on_a_machine};
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::types as t;
use crrctl_sandbox::{DEFAULT_ACCOUNT, Options, SECRET, Sandbox};
use serde_json::Value;
use std::cell::Cell;
use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::num::NonZero;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Makes a topic with the policy that SNS gives a new one: it lets the alarms of its account publish.
pub(crate) fn new_topic(sandbox: &Sandbox, arn: &str) {
    let arn = crrctl::names::Arn::new(arn).unwrap();
    let policy = serde_json::json!({"Version": "2008-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["SNS:Subscribe", "SNS:Publish"],
        "Resource": arn, "Condition": {"StringEquals": {"AWS:SourceOwner": arn.account()}}}});
    sandbox.put_channel(&arn, &[("Policy", &policy.to_string())]).unwrap();
}

/// Returns the HTTP client for SDK clients that call a sandbox.
pub(crate) fn plain_http() -> aws_sdk_s3::config::SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// A place among the tests that hold a stand at the same time. Each stand has a sandbox, and runs
/// that wait for it; more stands than the machine has room for would only be slower. A test with
/// several stands takes one place.
struct Place {
    is_first: bool,
}

static TAKEN: Mutex<usize> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();
thread_local! {
    static HAS_PLACE: Cell<bool> = const { Cell::new(false) };
}

impl Place {
    fn take() -> Self {
        let is_first = !HAS_PLACE.replace(true);
        if is_first {
            let places = 4 * std::thread::available_parallelism().map_or(1, NonZero::get);
            let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = GIVEN_BACK.wait_while(taken, |taken| *taken >= places);
            *taken.unwrap_or_else(PoisonError::into_inner) += 1;
        }
        Self { is_first }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_first {
            HAS_PLACE.set(false);
            *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
            GIVEN_BACK.notify_one();
        }
    }
}

/// A sandbox, a home directory, and the binary configured for these two only.
pub(crate) struct Stand {
    _place: Place,
    runtime: Runtime,
    sandbox: Option<Sandbox>,
    home: TempDir,
}

/// Returns `args` without the patience that `probe` has with a young pair: most tests break a pair that
/// they have just built, and want its failure.
fn impatient<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let is_probe = args.first() == Some(&"probe") && !args.contains(&"--patience");
    [args, if is_probe { &["--patience", "0s"] } else { &[] }].concat()
}

/// The result of a command.
#[must_use]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Returns the one JSON object on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON: {error}\n{self}"))
    }

    /// Asserts that any JSON on stdout matches the published schemas.
    #[track_caller]
    fn held_against_schemas(self) -> Self {
        if let Err(faults) = crate::schemas::faults(&self.stdout) {
            panic!("not as the schema says: {faults}\n{self}");
        }
        self
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Asserts the error code, and pins the text of the error.
    #[track_caller]
    pub(crate) fn told(self, code: &str) -> Self {
        crate::told::told(code, &self);
        self
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}------- stderr -------\n{}[exit status: {}]",
            self.stdout, self.stderr, self.code
        )
    }
}

/// The source bucket of the usual pair.
pub(crate) const SOURCE: &str = "demo-111122223333-us-east-1";
/// The destination bucket of the usual pair.
pub(crate) const DESTINATION: &str = "demo-111122223333-us-west-2";

/// The pair that most tests use.
pub(crate) const PAIR: [&str; 6] =
    ["--name", "demo", "--source", "us-east-1", "--destination", "us-west-2"];

impl Stand {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    /// Returns a stand in which every new resource appears to be an hour old, so that no run waits
    /// for the tags of a new key to propagate.
    pub(crate) fn long_ago() -> Self {
        Self::with(Options { clock_behind: Duration::from_hours(1), ..Options::default() })
    }

    pub(crate) fn with(options: Options) -> Self {
        let place = Place::take();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
        Self { _place: place, runtime, sandbox: Some(sandbox), home: TempDir::new().unwrap() }
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().unwrap()
    }

    /// Returns the binary with `args`, pointed at this sandbox, in its empty home directory.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = bare(&self.home, &impatient(args));
        command
            .env("AWS_ENDPOINT_URL", self.sandbox().endpoint())
            .env("AWS_ACCESS_KEY_ID", DEFAULT_ACCOUNT)
            .env("AWS_SECRET_ACCESS_KEY", SECRET);
        command
    }

    /// Runs the binary with `args` on the usual pair, with JSON on stdout.
    pub(crate) fn pair(&self, args: &[&str]) -> Output {
        self.run(&[args, &PAIR, &["-o", "json"]].concat())
    }

    /// Runs the binary with `args`.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        finished(self.command(args).stdin(Stdio::null()))
    }

    /// Runs the binary on a terminal, which `script` provides, with `typed` as its input. What the
    /// terminal shows is `stdout`.
    pub(crate) fn on_a_terminal(&self, args: &[&str], typed: &str) -> Output {
        let command = self.command(args);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<&str> = words.map(|it| it.to_str().unwrap()).collect();
        let mut script = Command::new("script");
        script.args(["-qec", &words.join(" "), "/dev/null"]).env_clear();
        for (name, value) in command.get_envs() {
            script.env(name, value.unwrap());
        }
        script.env("PATH", std::env::var_os("PATH").unwrap()).env("NO_COLOR", "1");
        script.current_dir(self.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = script.spawn().unwrap();
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let stdout = text.replace("\r\n", "\n").replace('\r', "\n");
        Output { code: output.status.code().unwrap(), stdout, stderr: String::new() }
    }

    /// Runs the binary with `args` and the manifest `text` on stdin.
    pub(crate) fn manifest(&self, args: &[&str], text: &str) -> Output {
        fed(self.command(&[args, &["-f", "-"]].concat()), text)
    }

    /// Runs crrctl with `args` on the usual pair inside this process, which costs less than running
    /// the binary. Prints nothing but the object of `-o json`. If a binary is given (see
    /// [`binary`]), runs that binary instead.
    pub(crate) fn in_process(&self, args: &[&str]) -> Output {
        if given_binary().is_some() {
            return self.pair(args);
        }
        self.embedded(&[args, &PAIR].concat())
    }

    /// Does the same with the manifest `text`.
    pub(crate) fn in_process_with(&self, args: &[&str], text: &str) -> Output {
        if given_binary().is_some() {
            let json: &[&str] = if args.contains(&"json") { &[] } else { &["-o", "json"] };
            return self.manifest(&[args, json].concat(), text);
        }
        let manifest = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(manifest.path(), text).unwrap();
        self.embedded(&[args, &["-f", manifest.path().to_str().unwrap()]].concat())
    }

    /// Runs crrctl with `args` inside this process; prints nothing but the object of `-o json`.
    pub(crate) fn embedded(&self, args: &[&str]) -> Output {
        let endpoint = self.endpoint();
        let args = [&["crrctl"], &impatient(args)[..], &["--endpoint-url", &endpoint]].concat();
        let (code, object) = on_a_machine(|| {
            let args = args.into_iter().map(std::ffi::OsString::from);
            let credentials = (DEFAULT_ACCOUNT.to_owned(), SECRET.to_owned());
            let stop = crrctl::stop::Stop::default();
            machine().block_on(crrctl::cli::embedded(args, credentials, stop))
        });
        let output =
            Output { code: code.into(), stdout: object.to_string(), stderr: String::new() };
        output.held_against_schemas()
    }

    /// Returns a stand with the resources that the manifests under `examples/` require: a profile
    /// of another account, and a role that may replicate.
    pub(crate) fn furnished() -> Self {
        let stand = Self::new();
        stand.profile("archive", "444455556666");
        let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        let buckets = ["us-east-1", "us-west-2"]
            .map(|region| format!("arn:aws:s3:::existing-role-{DEFAULT_ACCOUNT}-{region}"));
        let objects = buckets.clone().map(|bucket| format!("{bucket}/*"));
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"], "Resource": buckets},
            {"Effect": "Allow", "Action": ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl",
                "s3:GetObjectVersionTagging", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], "Resource": objects},
            {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
             "Resource": format!("arn:aws:kms:*:{DEFAULT_ACCOUNT}:key/*")},
        ]});
        stand.iam(async |iam| {
            let role = iam.create_role().role_name("replication").path("/service-role/");
            role.assume_role_policy_document(trust.to_string()).send().await.unwrap();
            let put = iam.put_role_policy().role_name("replication").policy_name("theirs");
            put.policy_document(policy.to_string()).send().await.unwrap();
        });
        stand.make_log_targets();
        stand.make_alert_target("arn:aws:sns:us-east-1:111122223333:replication-alerts");
        new_topic(stand.sandbox(), "arn:aws:sns:us-east-1:111122223333:alerts");
        stand
    }

    /// Makes a topic or queue that S3 may publish the events of any bucket of the account to.
    pub(crate) fn make_alert_target(&self, arn: &str) {
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
            "Action": ["sns:Publish", "sqs:SendMessage"], "Resource": arn,
            "Condition": {"StringEquals": {"aws:SourceAccount": DEFAULT_ACCOUNT}}}});
        let arn = crrctl::names::Arn::new(arn).unwrap();
        self.sandbox().put_channel(&arn, &[("Policy", &policy.to_string())]).unwrap();
    }

    /// Makes the buckets that the example `logging` has access logs written to.
    fn make_log_targets(&self) {
        for region in ["us-east-1", "us-west-2"] {
            let bucket = format!("access-logs-{DEFAULT_ACCOUNT}-{region}");
            let policy = serde_json::json!({"Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject", "Resource": format!("arn:aws:s3:::{bucket}/*"),
                "Condition": {"StringEquals": {"aws:SourceAccount": DEFAULT_ACCOUNT}}}});
            self.s3(region, async |s3| {
                let place =
                    (region != "us-east-1").then(|| t::BucketLocationConstraint::from(region));
                let made = t::CreateBucketConfiguration::builder();
                let made = made.set_location_constraint(place).build();
                let create = s3.create_bucket().bucket(&bucket);
                create.create_bucket_configuration(made).send().await.unwrap();
                let put = s3.put_bucket_policy().bucket(&bucket);
                put.policy(policy.to_string()).send().await.unwrap();
            });
        }
    }

    /// Makes a bucket as somebody else has it, with a tag of theirs, and with Object Lock if it is
    /// `locked`.
    pub(crate) fn bucket_of_its_owner(&self, region: &str, name: &str, locked: bool) {
        self.s3(region, async |s3| {
            let place = (region != "us-east-1").then(|| t::BucketLocationConstraint::from(region));
            let made = t::CreateBucketConfiguration::builder().set_location_constraint(place);
            let create = s3.create_bucket().bucket(name).create_bucket_configuration(made.build());
            create.object_lock_enabled_for_bucket(locked).send().await.unwrap();
            let tag = t::Tag::builder().key("owner").value("them").build().unwrap();
            let tags = t::Tagging::builder().tag_set(tag).build().unwrap();
            s3.put_bucket_tagging().bucket(name).tagging(tags).send().await.unwrap();
        });
    }

    /// Returns a path in this stand's home directory.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    /// Returns the sandbox's call counts, and resets them.
    pub(crate) fn calls(&self) -> Value {
        let calls = self.control("GET", "calls", "");
        self.control("POST", "calls/reset", "");
        calls
    }

    /// Returns a second sandbox, with 150 ms added to each request.
    pub(crate) fn slow(&self) -> Slow {
        self.slow_by(std::time::Duration::from_millis(150))
    }

    /// Returns a second sandbox, with `latency` added to each request.
    pub(crate) fn slow_by(&self, latency: std::time::Duration) -> Slow {
        let options = Options { latency, ..Options::default() };
        let sandbox = self.runtime.block_on(Sandbox::start(options)).unwrap();
        Slow { endpoint: sandbox.endpoint(), address: sandbox.address(), sandbox }
    }

    /// Sends a request to the sandbox's control endpoint `/_crrctl/<path>`.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Value {
        control(self.sandbox().address(), method, path, body)
    }

    /// Returns what still exists in the sandbox.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        self.sandbox().leftovers()
    }

    /// Replaces the faults in force.
    pub(crate) fn faults(&self, specs: &[&str]) {
        self.sandbox().set_faults(specs.iter().map(|spec| spec.parse().unwrap()).collect());
    }

    /// Runs the binary on the usual pair; its first call of `operation` is held until `meanwhile`
    /// has ended.
    pub(crate) fn held(&self, operation: &str, args: &[&str], meanwhile: impl FnOnce()) -> Output {
        self.held_by(&format!("{operation}:delay=1h:times=1"), args, meanwhile)
    }

    /// Runs the binary on the usual pair; the calls that `fault` delays are held until `meanwhile`
    /// has ended.
    pub(crate) fn held_by(&self, fault: &str, args: &[&str], meanwhile: impl FnOnce()) -> Output {
        let specs = vec![fault.parse().unwrap()];
        self.sandbox().set_faults(specs);
        std::thread::scope(|scope| {
            let run = scope.spawn(|| self.pair(args));
            let is_held = Duration::from_mins(1);
            let is_held = self
                .runtime
                .block_on(async { tokio::time::timeout(is_held, self.sandbox().injected()).await });
            is_held.unwrap_or_else(|_| panic!("never called: {fault}"));
            meanwhile();
            self.sandbox().set_faults(Vec::new());
            run.join().unwrap()
        })
    }

    /// Runs `watch` on the pair of `manifest` until its first round has ended, stops it with a
    /// signal, and returns its events.
    pub(crate) fn watched(&self, manifest: &str) -> Vec<Value> {
        std::fs::write(self.path("watched.yaml"), manifest).unwrap();
        let args = ["watch", "--every", "1s", "-f", "watched.yaml", "-o", "ndjson"];
        let mut command = self.command(&args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut events: Vec<Value> = Vec::new();
        for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines() {
            events.push(serde_json::from_str(&line.unwrap()).unwrap());
            if events.last().unwrap()["event"] == "watch.round" {
                signal(&child, "TERM");
                break;
            }
        }
        assert_eq!(child.wait().unwrap().code(), Some(0), "{events:?}");
        events
    }

    /// Returns the sandbox's endpoint.
    pub(crate) fn endpoint(&self) -> String {
        self.sandbox().endpoint()
    }

    /// Adds a profile with the root credentials of `account` to this stand's home directory.
    pub(crate) fn profile(&self, name: &str, account: &str) {
        let path = self.path(".aws/credentials");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let keys = format!("aws_access_key_id = {account}\naws_secret_access_key = {SECRET}");
        std::fs::write(path, format!("{before}[{name}]\n{keys}\n")).unwrap();
    }

    /// Runs `work` to its end.
    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Runs `work` with the SDK's S3 client in `region`, outside crrctl.
    pub(crate) fn s3<T>(&self, region: &str, work: impl AsyncFnOnce(aws_sdk_s3::Client) -> T) -> T {
        self.runtime.block_on(work(s3(self.sandbox().endpoint(), region)))
    }

    /// Puts an object that is not crrctl's into the source bucket of the usual pair.
    pub(crate) fn put_theirs(&self, key: &str) {
        self.s3("us-east-1", async |s3| {
            let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
            s3.put_object().bucket(SOURCE).key(key).body(body).send().await.unwrap();
        });
    }

    /// Puts objects that are not crrctl's into the source bucket while `work` runs, and advances
    /// the sandbox's clock by one second for each. Returns their replication records; an object
    /// that no rule selects has none.
    pub(crate) fn with_a_writer(&self, work: impl FnOnce()) -> Vec<Value> {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut n = 0;
                while !over.load(Ordering::Relaxed) {
                    self.control("POST", "clock", r#"{"advance": "1s"}"#);
                    self.put_theirs(&format!("late/{n}"));
                    n += 1;
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
            let work = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            over.store(true, Ordering::Relaxed);
            work.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
        let records = self.control("GET", "replication", "");
        let is_late = |it: &&Value| it["key"].as_str().unwrap().starts_with("late/");
        records.as_array().unwrap().iter().filter(is_late).cloned().collect()
    }

    /// Deletes the rules of the usual pair, and puts an object that is not crrctl's into its source
    /// bucket.
    pub(crate) fn unproven(&self) {
        self.s3("us-east-1", async |s3| {
            s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap()
        });
        self.put_theirs("theirs");
    }

    /// Creates the source bucket of the usual pair, without tags and with an object in it.
    pub(crate) fn bucket_of_somebody_else(&self) {
        self.s3("us-east-1", async |s3| s3.create_bucket().bucket(SOURCE).send().await.unwrap());
        self.put_theirs("theirs");
    }

    /// Disables the usual pair's replica key, so that no object replicates.
    pub(crate) fn disable_replica_key(&self) {
        self.kms("us-west-2", async |kms| {
            let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
            let id = key.key_metadata().unwrap().key_id().to_owned();
            kms.disable_key().key_id(id).send().await.unwrap();
        });
    }

    /// Waits until `count` objects are COMPLETED or FAILED.
    pub(crate) fn settled(&self, count: usize) {
        let is_over =
            |it: &&Value| ["COMPLETED", "FAILED"].contains(&it["status"].as_str().unwrap());
        Self::wait_until("objects are settled", || {
            let all = self.control("GET", "replication", "");
            all.as_array().unwrap().iter().filter(is_over).count() >= count
        });
    }

    /// Waits until `is_so` returns true; `what` names the condition.
    pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
        let started = std::time::Instant::now();
        while !is_so() {
            assert!(started.elapsed().as_secs() < 60, "never: {what}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Creates a batch job of the usual pair that waits for confirmation. Returns its id.
    pub(crate) fn suspended_job(&self, token: &str) -> String {
        self.runtime.block_on(suspended_job(self.sandbox().endpoint(), token))
    }

    /// Returns the id of the usual pair's batch job that has not ended.
    pub(crate) fn job_under_way(&self) -> Option<String> {
        self.jobs(async |jobs| jobs.not_over().await.unwrap())
    }

    /// Runs `work` with the batch jobs of the usual pair.
    fn jobs<T>(&self, work: impl AsyncFnOnce(&crrctl::backfill::Jobs<'_>) -> T) -> T {
        self.runtime.block_on(with_jobs(self.sandbox().endpoint(), work))
    }

    /// Runs `work` with the SDK's KMS client in `region`.
    pub(crate) fn kms<T>(
        &self,
        region: &str,
        work: impl AsyncFnOnce(aws_sdk_kms::Client) -> T,
    ) -> T {
        self.runtime.block_on(work(kms(self.sandbox().endpoint(), region)))
    }

    /// Runs `work` with the SDK's IAM client.
    pub(crate) fn iam<T>(&self, work: impl AsyncFnOnce(aws_sdk_iam::Client) -> T) -> T {
        self.runtime.block_on(work(iam(self.sandbox().endpoint())))
    }
}

/// Sends a request to the control endpoint `/_crrctl/<path>` of the sandbox at `address`.
fn control(address: std::net::SocketAddr, method: &str, path: &str, body: &str) -> Value {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
            stream,
            "{method} /_crrctl/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or(Value::Null)
}

/// A second sandbox that delays every request.
pub(crate) struct Slow {
    pub(crate) endpoint: String,
    address: std::net::SocketAddr,
    sandbox: Sandbox,
}

impl Slow {
    /// Returns what still exists in this sandbox.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        self.sandbox.leftovers()
    }

    /// Waits until six write calls were made: some resources exist, and most of the run remains.
    pub(crate) fn wait_for_writes(&self) {
        let started = std::time::Instant::now();
        while control(self.address, "GET", "calls", "")["writes"].as_u64().unwrap() < 6 {
            assert!(started.elapsed().as_secs() < 60, "nothing was written");
        }
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            self.runtime.block_on(sandbox.stop());
        }
    }
}

/// Returns the binary under test: the one at the path in `CRRCTL`, such as a packaged release,
/// otherwise the one built with the tests.
pub(crate) fn binary() -> std::path::PathBuf {
    given_binary().unwrap_or_else(|| assert_cmd::cargo::cargo_bin!("crrctl").to_owned())
}

fn given_binary() -> Option<std::path::PathBuf> {
    std::env::var_os("CRRCTL").filter(|path| !path.is_empty()).map(Into::into)
}

/// Returns the binary with `args` in an empty environment: no credentials, no configuration, no
/// terminal.
pub(crate) fn bare(home: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(args)
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .current_dir(home.path());
    command
}

/// Creates a batch job of the usual pair that waits for its confirmation. Returns its id.
pub(crate) async fn suspended_job(endpoint: String, token: &str) -> String {
    use crrctl::backfill::Wish;
    let work = async |jobs: &crrctl::backfill::Jobs<'_>| {
        let statuses = vec!["NONE".to_owned()];
        let wish = Wish { statuses, confirm: true, ..Wish::default() };
        let id = jobs.create(&wish, Some(token)).await.unwrap();
        assert!(jobs.until_counted(&id).await.unwrap().is_suspended());
        id
    };
    with_jobs(endpoint, work).await
}

/// Runs `work` with the batch jobs of the usual pair.
async fn with_jobs<T>(
    endpoint: String,
    work: impl AsyncFnOnce(&crrctl::backfill::Jobs<'_>) -> T,
) -> T {
    use crrctl::aws::{Aws, Connection, Credentials};
    use crrctl::backfill::Jobs;
    struct Deaf;
    impl crrctl::events::Sink for Deaf {
        fn take(&self, _: &crrctl::events::Event) {}
    }
    let account = crrctl::names::AccountId::new(DEFAULT_ACCOUNT).unwrap();
    let home = crrctl::names::Region::new("us-east-1").unwrap();
    let connection = Connection {
        ca_bundle: None,
        endpoint_url: Some(endpoint),
        usual: Credentials::of_stand_in(DEFAULT_ACCOUNT, SECRET),
        ..Connection::default()
    };
    let aws = Aws::new(&home, connection).await;
    aws.expect_owner(&home, &account);
    let origin = crrctl::manifest::Origin::Flags;
    let flags = ("us-east-1".into(), ["us-west-2".into()]);
    let manifest = crrctl::manifest::from_flags("demo", &flags.0, &flags.1, &origin, None);
    let topology = manifest.unwrap().topology(&account).unwrap();
    let events = crrctl::events::Events::to(std::sync::Arc::new(Deaf));
    let stop = crrctl::stop::Stop::default();
    work(&Jobs::new(&aws, &topology, &events, &stop)).await
}

/// Runs the binary with `args` in an empty environment.
pub(crate) fn alone(args: &[&str]) -> Output {
    let home = TempDir::new().unwrap();
    finished(bare(&home, args).stdin(Stdio::null()))
}

/// Runs the binary with `args` in an empty environment, with the manifest `text` on stdin.
pub(crate) fn alone_with(args: &[&str], text: &str) -> Output {
    let home = TempDir::new().unwrap();
    fed(bare(&home, &[args, &["-f", "-"]].concat()), text)
}

/// Runs `command` to its end.
pub(crate) fn finished(command: &mut Command) -> Output {
    output_of(&command.output().unwrap())
}

/// Collects the output of a command, and checks any JSON in it against the published schemas.
pub(crate) fn output_of(output: &std::process::Output) -> Output {
    let output = Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    output.held_against_schemas()
}

/// Sends a signal to `child` with the shell's built-in `kill`, since a machine may have no other.
pub(crate) fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Runs the parts of a test at the same time; the parts spend most of their time waiting. They
/// share the test's place.
pub(crate) fn side_by_side(parts: &[&(dyn Fn() + Sync)]) {
    let part = |part: &(dyn Fn() + Sync)| {
        HAS_PLACE.set(true);
        part();
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = parts.iter().map(|it| scope.spawn(move || part(it))).collect();
        for ended in parts.into_iter().map(std::thread::ScopedJoinHandle::join) {
            ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

/// Returns the settings of a property test with `cases` cases. The seed is fixed, except in the
/// thorough mode.
pub(crate) fn cases(cases: u32) -> proptest::test_runner::Config {
    use proptest::test_runner::{Config, RngSeed};
    let is_thorough = crate::survival::is_thorough();
    let rng_seed = if is_thorough { RngSeed::Random } else { RngSeed::Fixed(1) };
    Config { cases, rng_seed, ..Config::default() }
}

/// Runs `command` with `text` on stdin.
pub(crate) fn fed(mut command: Command, text: &str) -> Output {
    let mut child: Child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its flags does not read stdin, so a failed write is no failure of the
    // test.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    output_of(&child.wait_with_output().unwrap())
}

/// Returns the SDK's S3 client in `region` for the sandbox at `endpoint`, with the default
/// account's credentials.
pub(crate) fn s3(endpoint: String, region: &str) -> aws_sdk_s3::Client {
    s3_of(DEFAULT_ACCOUNT, endpoint, region)
}

/// Returns the S3 client with the credentials of `account`.
pub(crate) fn s3_of(account: &str, endpoint: String, region: &str) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .http_client(plain_http())
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .credentials_provider(Credentials::new(account, SECRET, None, None, "test"))
        .endpoint_url(endpoint)
        .region(aws_sdk_s3::config::Region::new(region.to_owned()))
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// Returns the SDK's KMS client, with the default account's credentials.
pub(crate) fn kms(endpoint: String, region: &str) -> aws_sdk_kms::Client {
    kms_of(DEFAULT_ACCOUNT, endpoint, region)
}

/// Returns the KMS client with the credentials of `account`.
pub(crate) fn kms_of(account: &str, endpoint: String, region: &str) -> aws_sdk_kms::Client {
    let config = aws_sdk_kms::Config::builder()
        .http_client(plain_http())
        .behavior_version(aws_sdk_kms::config::BehaviorVersion::latest())
        .credentials_provider(Credentials::new(account, SECRET, None, None, "test"))
        .endpoint_url(endpoint)
        .region(aws_sdk_kms::config::Region::new(region.to_owned()))
        .build();
    aws_sdk_kms::Client::from_conf(config)
}

/// Returns the SDK's IAM client, with the default account's credentials.
pub(crate) fn iam(endpoint: String) -> aws_sdk_iam::Client {
    let config = aws_sdk_iam::Config::builder()
        .http_client(plain_http())
        .behavior_version(aws_sdk_iam::config::BehaviorVersion::latest())
        .credentials_provider(Credentials::new(DEFAULT_ACCOUNT, SECRET, None, None, "test"))
        .endpoint_url(endpoint)
        .region(aws_sdk_iam::config::Region::new("us-east-1"))
        .build();
    aws_sdk_iam::Client::from_conf(config)
}
