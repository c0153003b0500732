//! `backfill`: replicates existing and FAILED objects of a pair by one batch job.
//! Not for: the job itself (see `crate::backfill`), or the questions before it (see `cli`).

use super::check::report;
use super::session::unless_ending;
use super::{Session, standing_keys};
use crate::aws::settle::pause;
use crate::backfill::{self, Job, Jobs, Reason, Sample, Wish};
use crate::check::{Finding, Settings, Verdict};
use crate::engine;
use crate::events::{self, Verb};
use crate::failure::{Failure, Kind};
use crate::manifest::{BucketPlace, PairKeys, Topology};
use crate::observe::{self, Depth};
use crate::plan::expiry::{self, Expiry};
use crate::plan::{self, Removal, rules};
use crate::steps::{changed_meanwhile, find};
use crate::stop::Stop;
use crate::world::{Batch, Bucket, Objects, World};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a role or a bucket that was just created may take to show in reads, and the interval between them.
const SPREADS: Duration = Duration::from_secs(20);
const LOOKS: Duration = Duration::from_secs(1);

/// The backfill of one pair, which has at most one job at a time.
#[derive(Debug)]
pub struct Backfill<'a> {
    session: &'a Session,
    /// The pair.
    pub topology: Topology,
    world: World,
    /// The kinds of what is removed after the job: what was created for it, and what a question before it left.
    made: Vec<events::Kind>,
    /// The kinds of what certainly was created for the job.
    done: Vec<events::Kind>,
    /// Whether the bucket of reports stood without the role, so that it goes after the job if it is empty.
    stood_alone: bool,
    /// Ends the work: the session's, and the one of the clean-up once that has begun.
    stop: Stop,
}

/// What came of a job that is over.
#[derive(Debug)]
pub struct JobEnd {
    /// Why objects were not replicated, by S3's code.
    pub reasons: Vec<Reason>,
    /// How many objects S3 had replicated before.
    pub already: u64,
    /// The failure of the job, if any.
    pub failure: Option<Failure>,
}

/// Reads the pair whose objects are to be replicated.
///
/// # Errors
///
/// A read fails, or the run is to end.
pub async fn backfill(session: &Session) -> Result<Backfill<'_>, Failure> {
    let (mut topology, world) = session.observe(Depth::Wanted).await?;
    // What a job of an ephemeral pair stands on goes with it.
    topology.found.expires = Expiry::of(expiry::tags_of_ours(&topology, &world)).date();
    let stop = session.stop.clone();
    let (made, done, stood_alone) = (Vec::new(), Vec::new(), false);
    Ok(Backfill { session, topology, world, made, done, stood_alone, stop })
}

impl Backfill<'_> {
    /// Returns the jobs of the pair.
    pub fn jobs(&self) -> Jobs<'_> {
        let session = self.session;
        Jobs::new(&session.aws, &self.topology, &session.events, &self.stop)
    }

    pub(super) fn session(&self) -> &Session {
        self.session
    }

    /// Returns the keys of the pair that exist.
    pub(super) fn keys(&self) -> PairKeys {
        plan::known_keys(&self.topology, &self.world)
    }

    /// Returns whether the source has no replication rule, of anybody.
    pub(super) fn is_without_rules(&self) -> bool {
        let source = self.world.buckets.get(&self.topology.source.bucket);
        source.is_none_or(|source| source.replication.is_none())
    }

    /// Looks at some of the source's objects that `wish` selects, without a change.
    ///
    /// # Errors
    ///
    /// The pair does not stand with live rules, since a job replicates by these; or the objects can't be read.
    pub async fn sample(&self, wish: &Wish) -> Result<Sample, Failure> {
        covers(&self.topology, &self.world)?;
        let _ = standing_keys(self.session, &self.topology, &self.world)?;
        Ok(backfill::sample(&self.session.aws, &self.topology, wish).await?)
    }

    /// Checks that S3 may replicate, since a job is billed whether it can or not. Returns what is certainly in the way.
    ///
    /// # Errors
    ///
    /// The pair can't be read, or the run is to end.
    pub async fn obstacle(&self) -> Result<Option<Finding>, Failure> {
        let session = self.session;
        let settings = Settings { skip: vec!["objects.failed"], ..Settings::default() };
        let report = report(session, &settings).await?;
        let is_in_the_way =
            |finding: &&Finding| finding.result == Verdict::Fail && !finding.reasons.is_empty();
        Ok(report.causes().into_iter().find(is_in_the_way).cloned())
    }

    /// Creates the role and the bucket of reports, then the job that `wish` describes. Returns the job's id.
    ///
    /// # Errors
    ///
    /// One of the three can't be created. A second call goes on from there.
    pub async fn create(&mut self, wish: &Wish) -> Result<String, Failure> {
        self.stand().await.map_err(|failure| {
            let is_begun = !self.made.is_empty();
            if is_begun {
                failure.hint("`crrctl backfill` again goes on from here")
            } else {
                failure
            }
        })?;
        let role = self.world.batch.role.as_ref();
        let told = role.and_then(|role| role.tags.get(Jobs::TOLD_TAG)).cloned();
        let told = if told.is_none() {
            // The role before this one may have gone with the record of its last job. A role without a record
            // counts as left by a question, and goes with the next one.
            let id: String = std::iter::repeat_with(|| fastrand::digit(16)).take(16).collect();
            self.jobs().told(&id).await?;
            Some(id)
        } else {
            told
        };
        self.jobs().create(wish, told.as_deref()).await
    }

    /// Deletes the role and the bucket of reports that were created for the job. Returns whether there were any.
    ///
    /// # Errors
    ///
    /// One of them can't be deleted; `crrctl destroy` deletes it with the pair.
    pub async fn take_down(&mut self) -> Result<bool, Failure> {
        let made = std::mem::take(&mut self.made);
        if made.is_empty() {
            return Ok(false);
        }
        let mut found = self.found().await?;
        found.role = found.role.filter(|_| made.contains(&events::Kind::Role));
        let goes = |bucket: &Bucket| {
            let is_empty = bucket.objects == Some(Objects::default());
            made.contains(&events::Kind::Bucket) || (self.stood_alone && is_empty)
        };
        found.reports = found.reports.filter(|(_, bucket)| goes(bucket));
        self.world.batch = found;
        let plan = plan::batch_removal(&self.topology, &self.world);
        let outcome = self.run(&plan).await;
        outcome.failure.map_or(Ok(true), Err)
    }

    /// Reads what there is for batch jobs. What this run created is read again until it shows, or `SPREADS` is over.
    async fn found(&self) -> Result<Batch, Failure> {
        let began = Instant::now();
        loop {
            let found = Box::pin(observe::batch(&self.session.aws, &self.topology, true));
            let found = unless_ending(&self.stop, found).await?;
            let shows = |kind: &events::Kind| match kind {
                events::Kind::Role => found.role.is_some(),
                events::Kind::Bucket => found.reports.is_some(),
                _ => true,
            };
            if self.done.iter().all(shows) || began.elapsed() > SPREADS {
                return Ok(found);
            }
            pause(&self.stop, LOOKS).await;
        }
    }

    /// Creates the role and the bucket of reports, where they do not exist, and remembers what was to be created.
    async fn stand(&mut self) -> Result<(), Failure> {
        let (session, topology) = (self.session, &self.topology);
        let batch = observe::batch(&session.aws, topology, false);
        self.world.batch = session.unless_ending(Box::pin(batch)).await?;
        let plan = plan::batch(topology, &self.world, &session.templates)?;
        let outcome = self.run(&plan).await;
        let made = plan.actions.iter().filter(|action| action.verb() == Verb::Create);
        self.made = made.clone().map(plan::Action::kind).collect();
        let is_done = |action: &&plan::Action| outcome.done.contains_key(&action.id);
        self.done = made.filter(is_done).map(plan::Action::kind).collect();
        outcome.failure.map_or(Ok(()), Err)?;
        backfill::check_report_place(&session.aws, topology).await
    }

    /// Creates the role and the bucket of reports for a question of one job. Of a question before this one that was
    /// cut off, what is left counts as created: its role has no record of a backfill.
    pub(super) async fn stand_for_once(&mut self) -> Result<(), Failure> {
        let stood = self.stand().await;
        let Batch { role, reports } = &self.world.batch;
        let is_left = role.as_ref().is_some_and(|it| !it.tags.contains_key(Jobs::TOLD_TAG));
        if is_left {
            self.made.push(events::Kind::Role);
        }
        if is_left && reports.is_some() {
            self.made.push(events::Kind::Bucket);
        }
        self.stood_alone = role.is_none() && reports.is_some();
        stood
    }

    /// Returns the kinds of what goes after the question.
    pub(super) fn made(&self) -> &[events::Kind] {
        &self.made
    }

    /// Begins the clean-up, which the first signal and the deadline do not end.
    pub(super) fn begin_clean_up(&mut self) {
        self.stop = self.session.stop.for_clean_up();
    }

    async fn run(&self, plan: &plan::Plan) -> engine::Outcome {
        let Self { session, stop, .. } = self;
        let steps = session.steps_until(stop, &self.topology, &self.world, Removal::default());
        engine::run(plan, Arc::new(steps), &session.events, stop, session.gate.clone()).await
    }

    /// Reads what came of a job that is over.
    ///
    /// # Errors
    ///
    /// Its report can't be read.
    pub async fn ended(&self, job: &Job) -> Result<JobEnd, Failure> {
        let reasons = if job.failed > 0 {
            backfill::reasons(&self.session.aws, &self.topology, &job.id).await?
        } else {
            Vec::new()
        };
        // What S3 had replicated before is no failure (S3 User Guide, `SrcReplicationNotPending`).
        let already = reasons.iter().filter(|it| it.code == "SrcReplicationNotPending");
        let already: u64 = already.map(|it| it.count).sum();
        let is_done = job.status == "Complete" && job.failed == already;
        let failure = match backfill::verdict(job) {
            _ if is_done => None,
            Some(failure) if failure.code == "job-failed" => Some(self.why(failure).await?),
            verdict => verdict,
        };
        Ok(JobEnd { reasons, already, failure })
    }

    /// A job fails too where another run took the pair away meanwhile.
    async fn why(&self, failure: Failure) -> Result<Failure, Failure> {
        let BucketPlace { bucket, region } = &self.topology.source.place;
        let tags = find::bucket_tags(&self.session.aws, bucket, region).await?;
        let is_ours = self.topology.wanted.owns(&tags);
        Ok(if is_ours { failure } else { changed_meanwhile(&failure.message) })
    }
}

/// Checks that a live rule of the pair exists, since a batch job replicates by the live rules.
fn covers(topology: &Topology, world: &World) -> Result<(), Failure> {
    let source = &topology.source;
    let live = world.buckets.get(&source.bucket).filter(|live| topology.wanted.owns(&live.tags));
    let live = live.and_then(|live| live.replication.as_ref());
    let is_live = live.is_some_and(|live| {
        live.rules.iter().any(|rule| rule.enabled && rules::is_ours(topology, &rule.id))
    });
    if is_live {
        return Ok(());
    }
    let message = format!("no live rule of this pair covers `{}`", source.bucket);
    Err(Failure::new(Kind::InTheWay, "not-applied", message)
        .in_region(&source.region)
        .hint("`crrctl apply` first"))
}
