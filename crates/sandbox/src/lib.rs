//! The sandbox: S3, S3 Control, KMS, IAM, STS and what replication needs beside them, on loopback. It serves the real protocols to any
//! client and refuses the requests that AWS refuses. Features that it does not model return
//! `NotImplemented`. Not for: production, or AWS features that are unrelated to S3 replication with
//! KMS keys.
//!
//! The modules are listed from the top layer to the bottom layer. Each module uses only the modules
//! below it: `server` listens and routes requests; `s3control` and `replication` act as roles; each
//! service has its own module and uses no other service; `gate` authenticates and authorizes
//! requests; `wire` holds what the protocols share; `world` holds the state as plain data.
#![doc = include_str!("../README.md")]

mod server;
mod control;
mod s3control;
mod replication;
mod cloudtrail;
mod cloudwatch;
mod tagging;
mod sts;
mod sns;
mod sqs;
mod iam;
mod kms;
#[expect(clippy::needless_pass_by_value, reason = "the table of operations hands each its input")]
mod s3;
mod gate;
mod wire;
mod world;

pub use gate::FaultSpec;
pub use world::iam::SECRET;
pub use world::{Lag, Limits, Patience, Quirk, QuirkSpec, ResourceQuotas};

use gate::{Faults, Shared};
use server::{GRACE, Server};
use wire::Journal;
use world::{Calls, Settings};

use crrctl_iam::Document;
use crrctl_iam::names::{AccountId, Arn};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// The account whose credentials [`Sandbox::environment`] returns by default.
pub const DEFAULT_ACCOUNT: &str = "111122223333";

/// The options to start a sandbox with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on. Port 0 selects a free port. Default `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// The delay added to every AWS request. Control requests are not delayed. Default none.
    pub latency: Duration,
    /// The account whose credentials [`Sandbox::environment`] returns. Every other 12-digit account
    /// works too. Default [`DEFAULT_ACCOUNT`].
    pub account: AccountId,
    /// Whether `aws:SecureTransport` is `false` for plain HTTP requests. Default no: on loopback,
    /// plain HTTP counts as TLS.
    pub plain_http_is_insecure: bool,
    /// Host names, besides `localhost`, under which S3 is served in virtual-hosted style: with
    /// `s3.example.com`, a request to `BUCKET.s3.example.com` is one to `BUCKET`. Default none.
    pub hostnames: Vec<String>,
    /// Whether the clock stands still and moves only by `advance`, so that no change comes due on
    /// its own. Default no.
    pub clock_stands: bool,
    /// How far the clock is behind the wall clock, so that new resources have a creation date in
    /// the past. Default zero.
    pub clock_behind: Duration,
    /// Whether changes take as long to take effect as on AWS. Default no.
    pub lag: Lag,
    /// The divisor of the delays of [`Lag::Aws`], so that a test waits less. Default 1.
    pub hurry: u32,
    /// The seed of the random delays and conflicts. Default: a new seed for each sandbox.
    pub seed: Option<u64>,
    /// The multiplier of KMS's request quotas. Default none: KMS accepts any number of requests.
    pub quotas: Option<u32>,
    /// The numbers of resources that an account may have. Default AWS's.
    pub resource_quotas: ResourceQuotas,
    /// The quirks to switch on. Default none.
    pub quirks: Vec<QuirkSpec>,
    /// The faults to inject. Default none.
    pub faults: Vec<FaultSpec>,
    /// The memory limits.
    pub limits: Limits,
    /// The timeouts for slow clients.
    pub patience: Patience,
    /// The file to which each request is written as one line of JSON. An existing file is
    /// truncated. Default none.
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
            hostnames: Vec::new(),
            clock_stands: false,
            clock_behind: Duration::ZERO,
            lag: Lag::None,
            hurry: 1,
            seed: None,
            quotas: None,
            resource_quotas: ResourceQuotas::default(),
            quirks: Vec::new(),
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
    /// Binds the listener and serves requests until the sandbox is stopped or dropped. Must be
    /// called inside a tokio runtime.
    ///
    /// # Errors
    /// Errors from binding to [`Options::listen`] and from creating the file [`Options::log`].
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
            hostnames: options.hostnames,
            clock_stands: options.clock_stands,
            clock_behind: options.clock_behind,
            lag: options.lag,
            hurry: options.hurry,
            seed: options.seed,
            quotas: options.quotas,
            resource_quotas: options.resource_quotas,
            quirks: options.quirks,
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

    /// Starts another sandbox with a copy of this sandbox's state, except the call counts. Later
    /// changes in one sandbox do not affect the other.
    ///
    /// # Errors
    /// The errors of [`Sandbox::start`].
    pub async fn fork(&self, options: Options) -> std::io::Result<Self> {
        let fork = Self::start(options).await?;
        let mut world = self.shared.lock().clone();
        world.calls = Calls::default();
        *fork.shared.lock() = world;
        fork.shared.replicate.notify_one();
        Ok(fork)
    }

    /// Puts service control policies and resource control policies in force for every account, in place
    /// of those before. Beside them stand the policies that allow everything, as AWS attaches them
    /// by default (AWS Organizations User Guide, `FullAWSAccess` and `RCPFullAWSAccess`).
    ///
    /// # Errors
    /// What is wrong with a policy.
    pub fn set_organization(&self, scps: &[&str], rcps: &[&str]) -> Result<(), String> {
        const ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let parsed = |texts: &[&str]| {
            let all = texts.iter().map(|text| Document::parse(*text).map_err(|it| it.to_string()));
            all.collect::<Result<Vec<_>, _>>()
        };
        let rcps = parsed(rcps)?;
        let scps = if scps.is_empty() { Vec::new() } else { parsed(&[&[ALL], scps].concat())? };
        self.shared.lock().iam.organization = world::iam::Organization { scps, rcps };
        Ok(())
    }

    /// Replaces all faults in force. Delays in progress end.
    pub fn set_faults(&self, faults: Vec<FaultSpec>) {
        self.shared.faults.set(faults);
    }

    /// Waits until the first of the faults in force has been injected and its request has been
    /// processed. For a delay, waits until the delay begins.
    pub async fn injected(&self) {
        self.shared.faults.injected().await;
    }

    /// Waits until every client has closed its connection. By then, each request of these clients
    /// is either performed or never will be.
    ///
    /// # Errors
    /// Errors from the connection that this method opens.
    pub async fn unconnected(&self) -> std::io::Result<()> {
        // Connections are accepted in order: once this connection receives its response, every
        // earlier connection has been accepted.
        let mut last = TcpStream::connect(self.address).await?;
        let health = format!("GET {}health HTTP/1.1\r\nhost: localhost\r\n", control::PREFIX);
        last.write_all(format!("{health}connection: close\r\n\r\n").as_bytes()).await?;
        last.read_to_end(&mut Vec::new()).await?;
        self.connections.close();
        self.connections.wait().await;
        self.connections.reopen();
        Ok(())
    }

    /// Adds an enabled key for encryption under the ARN that it has on AWS, unless it exists. Its
    /// policy lets IAM policies of its own account decide, and lets `users` use it too. An ARN that
    /// is no key's adds nothing.
    pub fn add_key(&self, arn: &Arn, users: &[AccountId]) {
        kms::add_key(&mut self.shared.lock(), arn, users);
    }

    /// Adds the user or role `arn` as it may stand on AWS, unless it exists. It has no permissions. An ARN that is
    /// neither's adds nothing.
    pub fn add_principal(&self, arn: &Arn) {
        iam::add_principal(&mut self.shared.lock(), arn);
    }

    /// Adds the managed policy `arn`, also one of AWS, unless it exists. It allows everything.
    pub fn add_policy(&self, arn: &Arn) {
        iam::add_policy(&mut self.shared.lock(), arn);
    }

    /// Sets attributes of the topic or queue `arn`, such as `Policy` and `KmsMasterKeyId`, and makes it
    /// if it is not there. An ARN that is neither's does nothing.
    ///
    /// # Errors
    /// What is wrong with the policy.
    pub fn put_channel(&self, arn: &Arn, attributes: &[(&str, &str)]) -> Result<(), String> {
        self.shared.lock().put_channel(arn, attributes)
    }

    /// Removes the topic or queue `arn`, as its owner may.
    pub fn remove_channel(&self, arn: &Arn) {
        self.shared.lock().messaging.0.remove(arn.as_str());
    }

    /// Moves the clock forward, as `POST /_crrctl/clock` does.
    pub fn advance(&self, by: Duration) {
        control::advance(&self.shared, by);
    }

    /// Returns the number of calls of each operation, as `GET /_crrctl/calls` does.
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

    /// Returns the environment variables that point any AWS client at this sandbox.
    pub fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", self.account.to_string()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            // boto3 and version 1 of the AWS CLI read only this one.
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
        ]
    }

    /// Runs `work` while the sandbox's clock runs about 100 times as fast as the wall clock, so
    /// that waits for S3 end soon.
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

    /// Returns the ARNs of all remaining resources: buckets, roles, users, managed policies,
    /// aliases, and keys that are not pending deletion.
    pub fn leftovers(&self) -> Vec<String> {
        self.shared.lock().leftovers()
    }

    /// Returns the ids of the keys that are pending deletion and that the default encryption or
    /// replication rules of a bucket, or an inline policy of a role, still reference.
    pub fn pending_keys_in_use(&self) -> Vec<String> {
        self.shared.lock().pending_keys_in_use()
    }

    /// Does the same for the default encryption and the replication rules of buckets alone.
    pub fn pending_keys_of_buckets(&self) -> Vec<String> {
        self.shared.lock().pending_keys_of_buckets()
    }

    /// Stops listening, waits at most two seconds for requests in progress, and returns.
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
