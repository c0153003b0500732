//! The sandbox: a stand-in for S3, S3 Control, KMS, IAM and STS on loopback that speaks the real protocols to any client and refuses what AWS
//! refuses. What it does not model it answers with `NotImplemented`. Not for: production, and not for anything but crrctl's subject.
//!
//! The modules stand from top to bottom; each uses only those below it: `server` listens and routes; `s3control` and `replication` act as roles;
//! each service has a folder and uses no other service; `gate` decides who may; `wire` is what requests and answers have in common; `world` is
//! plain data.
#![doc = include_str!("../README.md")]

mod server;
mod control;
mod s3control;
mod replication;
mod cloudwatch;
mod sts;
mod iam;
mod kms;
#[expect(clippy::needless_pass_by_value, reason = "the table of operations hands each its input")]
mod s3;
mod gate;
mod wire;
mod world;

pub use gate::FaultSpec;
pub use world::iam::SECRET;
pub use world::{Lag, Limits, Patience};

use gate::{Faults, Shared};
use server::{GRACE, Server};
use wire::Journal;
use world::{Calls, Settings, State};

use crrctl_iam::names::AccountId;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// The account whose credentials [`Sandbox::environment`] hands out unless told otherwise.
pub const DEFAULT_ACCOUNT: &str = "111122223333";

/// How a sandbox is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 picks a free one. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// Added to every AWS request, not to control requests. Default none.
    pub latency: Duration,
    /// The account of [`Sandbox::environment`]; every other 12-digit account works too. Default [`DEFAULT_ACCOUNT`].
    pub account: AccountId,
    /// Whether plain HTTP counts as such for `aws:SecureTransport`. Default no: on loopback it counts as TLS.
    pub plain_http_is_insecure: bool,
    /// Whether the clock stands but for `advance`, so that nothing comes due by itself. Default no.
    pub clock_stands: bool,
    /// How far the clock is behind the wall clock, so that what is made is old from the start. Default not at all.
    pub clock_behind: Duration,
    /// Whether things take as long as on AWS. Default no.
    pub lag: Lag,
    /// How many times faster than on AWS, so that a test need not wait. Default once.
    pub hurry: u32,
    /// What chance is drawn from. Default another seed each time.
    pub seed: Option<u64>,
    /// How many times as high as usual KMS's request quotas are. Default none: it takes as much as comes.
    pub quotas: Option<u32>,
    /// What is to go wrong. Default nothing.
    pub faults: Vec<FaultSpec>,
    /// How much is kept in memory.
    pub limits: Limits,
    /// How long slow clients are waited for.
    pub patience: Patience,
    /// Where each request is written down as one line of JSON; the file is begun anew. Default nowhere.
    pub log: Option<PathBuf>,
}

impl Default for Options {
    #[expect(clippy::expect_used, reason = "the constant is 12 digits, and a test says so")]
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            latency: Duration::ZERO,
            account: AccountId::new(DEFAULT_ACCOUNT).expect("12 digits"),
            plain_http_is_insecure: false,
            clock_stands: false,
            clock_behind: Duration::ZERO,
            lag: Lag::None,
            hurry: 1,
            seed: None,
            quotas: None,
            faults: Vec::new(),
            limits: Limits::default(),
            patience: Patience::default(),
            log: None,
        }
    }
}

/// A running sandbox. Dropping it stops all of its tasks; [`Sandbox::stop`] also waits for them.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    account: AccountId,
    shared: Arc<Shared>,
    tasks: TaskTracker,
    connections: TaskTracker,
    alive: DropGuard,
}

impl Sandbox {
    /// Binds and serves until stopped or dropped. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// Those of binding to [`Options::listen`] and of making the file [`Options::log`].
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let journal = match &options.log {
            Some(path) => Some(Journal::new(std::fs::File::create(path)?)),
            None => None,
        };
        let faults = Faults::new(options.faults);
        let settings = Settings {
            secure: !options.plain_http_is_insecure,
            clock_stands: options.clock_stands,
            clock_behind: options.clock_behind,
            lag: options.lag,
            hurry: options.hurry,
            seed: options.seed,
            quotas: options.quotas,
            limits: options.limits,
            patience: options.patience,
        };
        let shared = Arc::new(Shared::new(settings, faults));
        let tasks = TaskTracker::new();
        let token = CancellationToken::new();
        let connections = TaskTracker::new();
        let server = Server::new(
            shared.clone(),
            options.latency,
            journal,
            tasks.clone(),
            connections.clone(),
        );
        tasks.spawn(server.serve(listener, token.clone()));
        tasks.spawn(replication::work(shared.clone(), token.clone()));
        tasks.spawn(s3control::work(shared.clone(), token.clone()));
        let alive = token.drop_guard();
        Ok(Self { address, account: options.account, shared, tasks, connections, alive })
    }

    /// Starts another sandbox whose world is a copy of this one's, but for the counts of calls. From then on nothing that happens
    /// in one shows in the other.
    ///
    /// # Errors
    /// Those of [`Sandbox::start`].
    pub async fn fork(&self, options: Options) -> std::io::Result<Self> {
        let fork = Self::start(options).await?;
        let world = State { calls: Calls::default(), ..self.shared.lock().clone() };
        *fork.shared.lock() = world;
        fork.shared.replicate.notify_one();
        Ok(fork)
    }

    /// Puts other faults in force, in place of all that were; delays that run end.
    pub fn set_faults(&self, faults: Vec<FaultSpec>) {
        self.shared.faults.set(faults);
    }

    /// Waits until the first of the faults in force has struck and what it lets be done is done; for a delay, until it begins.
    pub async fn injected(&self) {
        self.shared.faults.injected().await;
    }

    /// Waits until every client has hung up: what they had asked for is done by then, or never will be.
    ///
    /// # Errors
    /// Those of a connection of its own.
    pub async fn unconnected(&self) -> std::io::Result<()> {
        // Connections are accepted in their order: once this one is answered, none is left that came before it.
        let mut last = TcpStream::connect(self.address).await?;
        let health = format!("GET {}health HTTP/1.1\r\nhost: sandbox\r\n", control::PREFIX);
        last.write_all(format!("{health}connection: close\r\n\r\n").as_bytes()).await?;
        last.read_to_end(&mut Vec::new()).await?;
        self.connections.close();
        self.connections.wait().await;
        self.connections.reopen();
        Ok(())
    }

    /// Returns how often each operation was called, as `GET /_crrctl/calls` does.
    pub fn calls(&self) -> serde_json::Value {
        self.shared.lock().calls.to_json()
    }

    /// Returns the address that the sandbox listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL that serves all services, for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the variables that point any AWS client at this sandbox.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", self.account.to_string()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }

    /// Does `work` while the sandbox's clock runs some hundred times as fast as ours, so that what waits for S3 ends soon.
    pub async fn in_fast_time<T>(&self, work: impl Future<Output = T>) -> T {
        let hurry = async {
            loop {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                self.shared.lock().clock.advance(std::time::Duration::from_secs(1));
            }
        };
        tokio::select! {
            done = work => done,
            () = hurry => unreachable!("time has no end"),
        }
    }

    /// Returns the ARNs of all that still exists and is not on its way out: buckets, roles, aliases, and keys that are not pending deletion.
    pub fn leftovers(&self) -> Vec<String> {
        self.shared.lock().leftovers()
    }

    /// Returns the keys that are on their way out and that the encryption or the rules of a bucket, or the policy of a role, name
    /// all the same.
    pub fn pending_keys_in_use(&self) -> Vec<String> {
        self.shared.lock().pending_keys_in_use()
    }

    /// Stops listening, lets requests that are under way finish for at most two seconds, and returns.
    pub async fn stop(self) {
        drop(self.alive);
        self.tasks.close();
        if tokio::time::timeout(GRACE, self.tasks.wait()).await.is_err() {
            tracing::warn!("the sandbox was stopped with requests under way");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_default_options_listen_on_loopback_and_hand_out_an_account() {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        assert!(sandbox.address().ip().is_loopback());
        assert_eq!(sandbox.environment()[1].1, DEFAULT_ACCOUNT);
        assert!(sandbox.leftovers().is_empty());
        sandbox.stop().await;
    }
}
