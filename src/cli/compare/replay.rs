//! Replays one run against a sandbox of its own, whose clock follows the recorded times.
//! Not for: reading the recording, or printing what came of it (see `compare` and `text`).

use super::callers::Callers;
use super::outcome::Outcome;
use super::unreadable;
use crate::aws::settle;
use crate::compare::{
    Furnished, Ids, Kind, Known, Lag, Numbered, Repeats, Run, Unlike, Waited, differences,
    furnished, known,
};
use crate::failure::{self, Failure};
use crate::names::{AccountId, Arn};
use crate::recording::{Exchange, Said};
use crrctl_sandbox::{self as sandbox, Sandbox};
use jiff::Timestamp;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How often a read is made again that shows what the sandbox does in its own time.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);
/// Reads of what the sandbox does in its own time: replication and batch jobs.
const SLOW: [&str; 4] = ["HeadObject", "ListObjectVersions", "GetObject", "DescribeJob"];

/// The policy of topics and queues: S3 was seen to take them.
const PUBLISH: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":["sns:Publish","sqs:SendMessage"],"Resource":"*"}]}"#;

/// A replay under way.
struct Replay<'a> {
    run: &'a Run,
    /// The recording's file.
    file: &'a Path,
    repeats: Repeats,
    sandbox: Sandbox,
    callers: Callers,
    ids: Ids,
    now: Timestamp,
    outcome: Outcome,
}

/// Replays a run of the recording `file`.
pub(super) async fn replayed(run: &Run, file: &Path) -> Result<Outcome, Failure> {
    let first = run.exchanges.iter().map(|it| it.exchange.at).min().unwrap_or(run.header.at);
    let sandbox = start(first).await?;
    let callers = Callers::of(run, &sandbox);
    let repeats = Repeats::of(&run.exchanges);
    let (ids, outcome) = (Ids::default(), Outcome::default());
    let mut replay = Replay { run, file, repeats, sandbox, callers, ids, now: first, outcome };
    replay.furnish().await;
    for (at, numbered) in run.exchanges.iter().enumerate() {
        replay.follow(&numbered.exchange);
        Box::pin(replay.exchange(at, numbered)).await?;
    }
    Ok(replay.outcome)
}

fn options(at: Timestamp) -> sandbox::Options {
    let behind = SystemTime::now().duration_since(SystemTime::from(at)).unwrap_or_default();
    sandbox::Options {
        clock_stands: true,
        clock_behind: behind,
        seed: Some(1),
        ..sandbox::Options::default()
    }
}

async fn start(at: Timestamp) -> Result<Sandbox, Failure> {
    Sandbox::start(options(at)).await.map_err(|error| {
        let message = format!("the sandbox can't listen: {error}");
        Failure::new(failure::Kind::Unexpected, "sandbox", message)
    })
}

/// Returns when AWS had answered.
fn end(exchange: &Exchange) -> Timestamp {
    after(exchange.at, Duration::from_millis(exchange.duration_ms))
}

/// Returns the time `by` later, or the same time if there is none so late.
fn after(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

/// Refusals that say nothing of the request (S3 and KMS API Reference, "Common errors").
const TROUBLE: [&str; 12] = [
    "SlowDown",
    "ServiceUnavailable",
    "InternalError",
    "KMSInternalException",
    "InternalFailure",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "ServiceFailure",
    "500",
    "503",
];

impl Replay<'_> {
    /// Moves the sandbox's clock to when AWS had answered.
    fn follow(&mut self, exchange: &Exchange) {
        let at = end(exchange);
        if let Ok(by) = Duration::try_from(at.duration_since(self.now)) {
            self.sandbox.advance(by);
            self.now = at;
        }
    }

    /// Makes what the first reads showed. What can't be made shows as a difference later.
    async fn furnish(&mut self) {
        for thing in furnished(&self.run.exchanges) {
            match thing {
                Furnished::Key(arn) => {
                    let parsed = Arn::new(&*arn).ok();
                    let owner = arn.split(':').nth(4).and_then(|it| AccountId::new(it).ok());
                    if let (Some(arn), Some(owner)) = (parsed, owner) {
                        self.sandbox.add_key(&arn, &[owner]);
                    }
                }
                Furnished::Channel(arn) => {
                    if let Ok(arn) = Arn::new(&*arn) {
                        let _ = self.sandbox.put_channel(&arn, &[("Policy", PUBLISH)]);
                    }
                }
                Furnished::Call { caller, region, service, operation, members } => {
                    let account = members.get("ExpectedBucketOwner").and_then(Value::as_str);
                    let account =
                        account.or_else(|| self.callers.accounts.get(&caller).map(String::as_str));
                    let account = account.unwrap_or(sandbox::DEFAULT_ACCOUNT).to_owned();
                    let sent = self.callers.send(&account, &region, service, operation, &members);
                    let _ = sent.await;
                }
            }
        }
    }

    async fn exchange(&mut self, at: usize, numbered: &Numbered) -> Result<(), Failure> {
        let exchange = &numbered.exchange;
        if self.is_trouble(numbered) {
            return Ok(());
        }
        let is_write = !exchange.reads();
        if is_write && !exchange.succeeded() {
            return self.refused(at, numbered).await;
        }
        let members = self.ids.request(&exchange.request);
        let mark = self.ids.mark();
        let (mut unlike, mut said) = (Vec::new(), Said::default());
        for tried in 0..TRIES {
            let asked = self.callers.ask(exchange, &members).await;
            said = asked.map_err(|why| self.broken(numbered, &why))?;
            self.ids.back_to(mark);
            unlike = differences(exchange, &said, &mut self.ids);
            if unlike.is_empty() {
                return Ok(());
            }
            self.ids.back_to(mark);
            if self.is_late(at, numbered, &said, &unlike) {
                return Ok(());
            }
            if !SLOW.contains(&exchange.operation.as_str()) || tried > 0 && !is_moving(&unlike) {
                break;
            }
            settle::wait(PAUSE).await;
        }
        // The ids of an answer that differs count all the same.
        let _ = differences(exchange, &said, &mut self.ids);
        self.list(at, numbered, unlike);
        Ok(())
    }

    /// Returns the failure for an exchange that can't be replayed.
    fn broken(&self, numbered: &Numbered, why: &str) -> Failure {
        unreadable(format!("{}:{}: {why}", self.file.display(), numbered.line))
    }

    /// Returns whether a write to the same thing was under way: either answer is right then.
    fn is_overlapped(&self, at: usize) -> bool {
        /// How many exchanges around one may have been under way with it.
        const AROUND: usize = 64;
        let exchange = &self.run.exchanges[at].exchange;
        let slack = Duration::from_millis(1);
        let (first, last) = (at.saturating_sub(AROUND), self.run.exchanges.len().min(at + AROUND));
        (first..last).filter(|it| *it != at).any(|it| {
            let other = &self.run.exchanges[it].exchange;
            !other.reads()
                && may_show(exchange, other)
                && other.at <= after(end(exchange), slack)
                && exchange.at <= after(end(other), slack)
        })
    }

    fn list(&mut self, at: usize, numbered: &Numbered, unlike: Vec<Unlike>) {
        let exchange = &numbered.exchange;
        let was_unanswered = self.repeats.earlier(exchange, at).any(|it| {
            let earlier = &self.run.exchanges[it].exchange;
            earlier.status.is_none_or(|status| status >= 500)
        });
        let is_overlapped = self.is_overlapped(at);
        for unlike in unlike {
            let lost = was_unanswered && unlike.kind == Kind::Outcome;
            // What a write does, and whether it is refused, is never excused so.
            let is_told = exchange.succeeded() && unlike.kind == Kind::Member;
            let overlapped = is_overlapped && (exchange.reads() || is_told);
            let known = overlapped
                .then(Known::overlapped)
                .or_else(|| known(&self.run.exchanges, at, &unlike))
                .or_else(|| lost.then(Known::lost));
            self.outcome.found(numbered, unlike, known);
        }
    }

    /// Takes note of an attempt that AWS did not answer, or answered with trouble of its own.
    fn is_trouble(&mut self, numbered: &Numbered) -> bool {
        let code = numbered.exchange.code.as_deref();
        let recorded = match (numbered.exchange.status, code) {
            (None, _) => "no answer",
            (Some(_), Some(code)) if TROUBLE.contains(&code) => code,
            _ => return false,
        };
        let unlike = Unlike {
            kind: Kind::Outcome,
            member: String::new(),
            recorded: recorded.to_owned(),
            sandbox: "not asked".to_owned(),
        };
        self.outcome.found(numbered, unlike, Some(Known::trouble()));
        true
    }

    /// Tries a write that AWS refused on a copy of the sandbox: if the sandbox does it, that must not
    /// stand.
    async fn refused(&mut self, at: usize, numbered: &Numbered) -> Result<(), Failure> {
        let exchange = &numbered.exchange;
        let copy = self.sandbox.fork(options(self.now)).await.map_err(|error| {
            let message = format!("the sandbox can't listen: {error}");
            Failure::new(failure::Kind::Unexpected, "sandbox", message)
        })?;
        let mut callers = self.callers.of_copy(&copy);
        let members = self.ids.request(&exchange.request);
        let asked = callers.ask(exchange, &members).await;
        let said = asked.map_err(|why| self.broken(numbered, &why))?;
        let mark = self.ids.mark();
        let unlike = differences(exchange, &said, &mut self.ids);
        if unlike.is_empty() {
            return Ok(());
        }
        self.ids.back_to(mark);
        match (Lag::of_refusal(exchange), self.accepted(at, exchange)) {
            (Some(lag), Some(later)) => {
                let took = self.between(exchange, later);
                for unlike in unlike {
                    self.outcome.found(numbered, unlike, Some(Known::of_lag(lag.what, lag.quirk)));
                }
                self.wait(exchange, lag, took);
            }
            _ => self.list(at, numbered, unlike),
        }
        Ok(())
    }

    /// Returns the exchange that did what was refused at `at`: the same request, or one like it.
    fn accepted(&self, at: usize, refused: &Exchange) -> Option<usize> {
        let name = |exchange: &Exchange| {
            let names = ["Bucket", "RoleName", "AliasName", "KeyId"];
            names.iter().find_map(|it| exchange.request.get(*it)).cloned()
        };
        let is_like = |other: &Exchange| {
            other.succeeded()
                && (other.service, &other.operation, &other.region)
                    == (refused.service, &refused.operation, &refused.region)
                && name(other) == name(refused)
        };
        (at + 1..self.run.exchanges.len()).find(|it| is_like(&self.run.exchanges[*it].exchange))
    }

    fn between(&self, first: &Exchange, later: usize) -> Duration {
        let later = end(&self.run.exchanges[later].exchange);
        Duration::try_from(later.duration_since(first.at)).unwrap_or_default()
    }

    /// Returns whether AWS said later what the sandbox says at once, and takes note of how long it
    /// took.
    fn is_late(&mut self, at: usize, numbered: &Numbered, said: &Said, unlike: &[Unlike]) -> bool {
        let exchange = &numbered.exchange;
        if !exchange.reads() {
            return false;
        }
        let Some(lag) = Lag::of_read(exchange, unlike) else { return false };
        let (mark, until) = (self.ids.mark(), self.written_after(at, exchange));
        let later: Vec<usize> =
            self.repeats.later(exchange, at).take_while(|it| *it < until).collect();
        for it in later {
            let other = &self.run.exchanges[it].exchange;
            let is_alike = differences(other, said, &mut self.ids).is_empty();
            self.ids.back_to(mark);
            if is_alike {
                self.wait_for(at, exchange, lag, it);
                return true;
            }
        }
        // What was done in a bucket later shows that it was there.
        let was_missing = exchange.code.as_deref() == Some("NoSuchBucket");
        let made = self.written_before(at, exchange).filter(|_| was_missing);
        let is_there =
            |it: &Numbered| it.exchange.succeeded() && is_of_the_same(exchange, &it.exchange);
        let used = self.run.exchanges[at + 1..].iter().position(is_there);
        if let (Some(_), Some(used)) = (made, used) {
            self.wait_for(at, exchange, lag, at + 1 + used);
            return true;
        }
        false
    }

    /// Takes note of how long it took from the last write before `at` until `shown`.
    fn wait_for(&mut self, at: usize, exchange: &Exchange, lag: Lag, shown: usize) {
        let since = self.written_before(at, exchange).unwrap_or(at);
        let took = self.between(&self.run.exchanges[since].exchange, shown);
        self.wait(exchange, lag, took);
    }

    /// Returns the last write before `at` to what `read` is about.
    fn written_before(&self, at: usize, read: &Exchange) -> Option<usize> {
        let is_it =
            |write: &Exchange| !write.reads() && write.succeeded() && is_of_the_same(read, write);
        (0..at).rev().find(|it| is_it(&self.run.exchanges[*it].exchange))
    }

    /// Returns the first write after `at` to what `read` is about, or the end of the run. Objects are
    /// nothing that the settings of a bucket show.
    fn written_after(&self, at: usize, read: &Exchange) -> usize {
        let shows_objects =
            read.request.contains_key("Key") || read.operation.starts_with("ListObject");
        let is_it = |write: &Exchange| {
            !write.reads()
                && write.succeeded()
                && is_of_the_same(read, write)
                && (shows_objects || !write.request.contains_key("Key"))
        };
        let end = self.run.exchanges.len();
        (at + 1..end).find(|it| is_it(&self.run.exchanges[*it].exchange)).unwrap_or(end)
    }

    fn wait(&mut self, exchange: &Exchange, lag: Lag, took: Duration) {
        let operation = format!("{}:{}", exchange.service.name(), exchange.operation);
        self.outcome.wait(Waited { lag, operation, took });
    }
}

/// Returns the members that say what a request is about.
fn names(exchange: &Exchange) -> &'static [&'static str] {
    if exchange.request.contains_key("Key") {
        &["Bucket", "Key"]
    } else {
        &["Bucket", "KeyId", "RoleName"]
    }
}

/// Returns whether `write` is about the bucket, object, key or role that `exchange` is about.
fn is_of_the_same(exchange: &Exchange, write: &Exchange) -> bool {
    let (asked, written) = (&exchange.request, &write.request);
    let mut named = names(exchange).iter().filter(|it| asked.contains_key(**it)).peekable();
    named.peek().is_some() && named.all(|it| asked.get(*it) == written.get(*it))
}

/// Returns whether `exchange` may show what `write` does: they are about the same thing, a replica of
/// it, another name of it, or a list of all such things.
fn may_show(exchange: &Exchange, write: &Exchange) -> bool {
    fn text<'a>(of: &'a Exchange, name: &str) -> &'a str {
        of.request.get(name).and_then(Value::as_str).unwrap_or_default()
    }
    if exchange.service != write.service {
        return false;
    }
    let id = |of| text(of, "KeyId").rsplit('/').next().unwrap_or_default();
    let (key, object) = (text(exchange, "KeyId"), text(exchange, "Key"));
    let is_list =
        exchange.reads() && !names(exchange).iter().any(|it| exchange.request.contains_key(*it));
    let is_replica = exchange.reads()
        && (!object.is_empty() && object == text(write, "Key")
            || exchange.operation.starts_with("ListObject") && write.operation.contains("Object"));
    is_of_the_same(exchange, write)
        || is_list
        || is_replica
        || key.contains("alias/")
        || !key.is_empty() && id(exchange) == id(write)
}

/// Returns whether the sandbox may still be at work on what differs.
fn is_moving(unlike: &[Unlike]) -> bool {
    let parts = ["Status", "Versions", "Version", "Progress", "Termination"];
    let is_late =
        |it: &Unlike| it.kind != Kind::Member || parts.iter().any(|part| it.member.contains(part));
    unlike.iter().any(is_late)
}
