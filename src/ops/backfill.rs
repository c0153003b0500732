//! `backfill`: replicates existing and FAILED objects of a pair by one batch job.
//! Not for: the job itself (see `crate::backfill`), or the questions before it (see `cli`).

use super::check::report;
use super::{Session, standing_keys};
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
use crate::world::World;
use std::sync::Arc;

/// The backfill of one pair, which has at most one job at a time.
#[derive(Debug)]
pub struct Backfill<'a> {
    session: &'a Session,
    /// The pair.
    pub topology: Topology,
    world: World,
    /// The kinds of what was created for a job.
    made: Vec<events::Kind>,
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
    Ok(Backfill { session, topology, world, made: Vec::new() })
}

impl Backfill<'_> {
    /// Returns the jobs of the pair.
    pub fn jobs(&self) -> Jobs<'_> {
        let session = self.session;
        Jobs::new(&session.aws, &self.topology, &session.events, &session.stop)
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
        self.made = self.stand().await?;
        let role = self.world.batch.role.as_ref();
        let told = role.and_then(|role| role.tags.get(Jobs::TOLD_TAG)).cloned();
        let told = if self.made.contains(&events::Kind::Role) {
            // The role before this one may have gone with the record of its last job.
            let id: String = std::iter::repeat_with(|| fastrand::digit(16)).take(16).collect();
            self.jobs().told(&id).await?;
            Some(id)
        } else {
            told
        };
        self.jobs().create(wish, told.as_deref()).await
    }

    /// Deletes the role and the bucket of reports that [`Self::create`] created for a job that found nothing. Returns
    /// whether there were any.
    ///
    /// # Errors
    ///
    /// One of them can't be deleted; `crrctl destroy` deletes it with the pair.
    pub async fn take_down(&mut self) -> Result<bool, Failure> {
        let made = std::mem::take(&mut self.made);
        if made.is_empty() {
            return Ok(false);
        }
        let found = Box::pin(observe::batch(&self.session.aws, &self.topology, true));
        let mut found = self.session.unless_ending(found).await?;
        found.role = found.role.filter(|_| made.contains(&events::Kind::Role));
        found.reports = found.reports.filter(|_| made.contains(&events::Kind::Bucket));
        self.world.batch = found;
        let plan = plan::batch_removal(&self.topology, &self.world);
        let outcome = self.run(&plan).await;
        outcome.failure.map_or(Ok(true), Err)
    }

    /// Creates the role and the bucket of reports, where they do not exist. Returns the kinds of what was created.
    async fn stand(&mut self) -> Result<Vec<events::Kind>, Failure> {
        let (session, topology) = (self.session, &self.topology);
        let batch = observe::batch(&session.aws, topology, false);
        self.world.batch = session.unless_ending(Box::pin(batch)).await?;
        let plan = plan::batch(topology, &self.world, &session.templates)?;
        let outcome = self.run(&plan).await;
        let made = plan.actions.iter().filter(|action| action.verb() == Verb::Create);
        let made: Vec<events::Kind> = made.map(plan::Action::kind).collect();
        if let Some(failure) = outcome.failure {
            return Err(if made.is_empty() {
                failure
            } else {
                failure.hint("`crrctl backfill` again goes on from here")
            });
        }
        backfill::check_report_place(&session.aws, topology).await?;
        Ok(made)
    }

    /// Creates the role and the bucket of reports for a question of one job, and remembers which were created.
    pub(super) async fn stand_for_once(&mut self) -> Result<Vec<events::Kind>, Failure> {
        self.made = self.stand().await?;
        Ok(self.made.clone())
    }

    async fn run(&self, plan: &plan::Plan) -> engine::Outcome {
        let session = self.session;
        let steps = Arc::new(session.steps(&self.topology, &self.world, Removal::default()));
        engine::run(plan, steps, &session.events, &session.stop, session.gate.clone()).await
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
