//! `check --with-batch`: asks S3 why one object is not replicated, by a batch job of that object alone. S3
//! names its failure reason in the report of such a job and nowhere else that can be read later (S3 User
//! Guide, "Replication failure reasons").
//! Not for: what the checks make of it (see `check`), or the question before it (see `cli`).

use super::{Backfill, Session, backfill};
use crate::aws::{At, Error};
use crate::backfill::{self as batch, Job, ObjectList, Wish};
use crate::check::{self, Finding, Object, Report, S3Said};
use crate::events::Kind as Thing;
use crate::failure::Failure;

/// A question to S3 about one object.
#[derive(Debug)]
pub struct Question<'a> {
    backfill: Backfill<'a>,
    key: String,
    version_id: String,
}

/// How many of the newest objects are looked at for one that FAILED.
const NEWEST: usize = 10;
/// The priority of the job, that of `backfill`.
const PRIORITY: i32 = 10;

/// Returns the question about `object` or, without one, about the newest object that is FAILED. Returns why S3
/// can't be asked, if it can't.
///
/// # Errors
///
/// A read fails, there is no such object, or the run is to end.
pub async fn question<'a>(
    session: &'a Session,
    object: Option<&Object>,
) -> Result<Result<Question<'a>, &'static str>, Failure> {
    let backfill = backfill(session).await?;
    let source = &backfill.topology.source;
    if backfill.is_without_rules() {
        return Ok(Err("the source bucket has no replication rule, so S3 replicates nothing"));
    }
    let (key, version_id) = match object {
        Some(object) if object.bucket != source.bucket => {
            return Ok(Err(
                "crrctl can't ask about objects of a reverse direction: name an object of the source bucket",
            ));
        }
        Some(object) => {
            let read = async { Ok(version(session, object).await?) };
            (object.key.clone(), session.unless_ending(read).await?)
        }
        None => {
            let sample = check::sample(&session.aws, &backfill.topology, NEWEST);
            let sample = session.unless_ending(async { Ok(sample.await?) }).await?;
            match sample.failed_versions.into_iter().next() {
                Some((key, version)) => (key, version.unwrap_or_else(|| NULL.to_owned())),
                None => return Ok(Err("none of the 10 newest objects is FAILED: name an object")),
            }
        }
    };
    if backfill.jobs().under_way().await?.is_some() {
        return Ok(Err(
            "a batch job of this pair is under way; `crrctl backfill --resume` follows it",
        ));
    }
    Ok(Ok(Question { backfill, key, version_id }))
}

/// The id of a version that was written before the bucket had versioning.
const NULL: &str = "null";

async fn version(session: &Session, object: &Object) -> Result<String, Error> {
    let home = session.aws.home();
    let head = session.aws.s3(home).head_object().bucket(object.bucket.as_str()).key(&object.key);
    let head = head.set_version_id(object.version_id.clone());
    let head = head.send().await.at("s3:HeadObject", home)?;
    Ok(head.version_id().unwrap_or(NULL).to_owned())
}

impl Question<'_> {
    /// Returns the object, for people.
    pub fn object(&self) -> String {
        let bucket = &self.backfill.topology.source.bucket;
        format!("s3://{bucket}/{} ({})", self.key, self.version_id)
    }

    /// Asks: creates the role, the bucket and the job that it takes, waits for the job's end, reads its report, and
    /// deletes what this run created.
    ///
    /// # Errors
    ///
    /// The job can't be created or followed, or its report can't be read. The failure says what is left.
    pub async fn ask(mut self) -> Result<S3Said, Failure> {
        if let Err(failure) = self.backfill.stand_for_once().await {
            let left = self.clean(None, "").await;
            return Err(leaving(failure, left));
        }
        let (job, list) = match self.job().await {
            Ok(done) => done,
            Err((failure, list)) => return Err(self.given_up(failure, list.as_ref()).await),
        };
        let topology = &self.backfill.topology;
        let reason = if job.failed > 0 {
            batch::reasons(&self.backfill.session().aws, topology, &job.id).await
        } else {
            Ok(Vec::new())
        };
        // S3 may not know a fresh role yet: for the next job it is there.
        let left = if job.status == "Complete" || self.backfill.made().is_empty() {
            self.clean(Some(&list), &job.id).await
        } else {
            Some(self.kept())
        };
        let reason = match reason {
            Ok(reasons) => reasons.into_iter().next().map(|it| it.code),
            Err(failure) => return Err(leaving(failure, left)),
        };
        let bucket = self.backfill.topology.source.bucket.to_string();
        Ok(S3Said { bucket, key: self.key, version_id: self.version_id, job, reason, left })
    }

    /// Creates the job and follows it to its end. A failure comes with the list that was written.
    async fn job(&self) -> Result<(Job, ObjectList), (Failure, Option<ObjectList>)> {
        let (topology, session) = (&self.backfill.topology, self.backfill.session());
        let keys = self.backfill.keys();
        let object = (self.key.as_str(), self.version_id.as_str());
        let list = batch::write_list(&session.aws, topology, &keys, object).await;
        let list = list.map_err(|failure| (failure, None))?;
        let wish = Wish { priority: PRIORITY, list: Some(list.clone()), ..Wish::default() };
        let jobs = self.backfill.jobs();
        let id = jobs.create(&wish, None).await.map_err(|it| (it, Some(list.clone())))?;
        let job = jobs.until_over(&id).await.map_err(|it| (it, Some(list.clone())))?;
        Ok((job, list))
    }

    /// Ends the job that may have been created, and deletes what was created for it. Returns `failure` with what is left.
    async fn given_up(&mut self, failure: Failure, list: Option<&ObjectList>) -> Failure {
        self.backfill.begin_clean_up();
        let ended = if list.is_some() { self.end_job().await } else { Ok(None) };
        match ended {
            Ok(id) => {
                let failure = Failure { left_behind: None, ..failure };
                let left = self.clean(list, &id.unwrap_or_default()).await;
                leaving(failure, left)
            }
            // A job that goes on needs its role.
            Err(why) => {
                let left = format!("{}: {}", self.kept(), why.message);
                leaving(failure, Some(left))
            }
        }
    }

    /// Cancels the pair's job if there is one that is not over, and waits for its end. Returns its id.
    async fn end_job(&self) -> Result<Option<String>, Failure> {
        let jobs = self.backfill.jobs();
        let Some(id) = jobs.not_over().await? else { return Ok(None) };
        jobs.cancel(&id).await?;
        jobs.until_over(&id).await?;
        Ok(Some(id))
    }

    /// Deletes what was created for the question, and the list and the report of the job `id` where their bucket stays.
    /// Returns what is left, and why.
    async fn clean(&mut self, list: Option<&ObjectList>, id: &str) -> Option<String> {
        self.backfill.begin_clean_up();
        let kept = self.kept();
        let session = self.backfill.session();
        let mut failures = Vec::new();
        let stays = !self.backfill.made().contains(&Thing::Bucket);
        if let Some(list) = list.filter(|_| stays) {
            let files = batch::delete_files(&session.aws, &self.backfill.topology, list, id).await;
            failures.extend(files.err());
        }
        failures.extend(self.backfill.take_down().await.err());
        let failure = failures.into_iter().next()?;
        Some(format!("{kept}: {}", failure.message))
    }

    /// Returns what was created for the question, as what is left of it.
    fn kept(&self) -> String {
        let (topology, made) = (&self.backfill.topology, self.backfill.made());
        let reports = topology.reports();
        let role =
            made.contains(&Thing::Role).then(|| format!("the role {}", topology.batch_role_arn()));
        let bucket =
            made.contains(&Thing::Bucket).then(|| format!("the bucket `{}`", reports.bucket));
        let files = format!("files under `s3://{}/{}`", reports.bucket, reports.prefix);
        let parts: Vec<String> = role.into_iter().chain([bucket.unwrap_or(files)]).collect();
        format!(
            "{}, which the same `crrctl check` again removes, and so does `crrctl destroy` of the pair",
            parts.join(" and ")
        )
    }
}

fn leaving(failure: Failure, left: Option<String>) -> Failure {
    match (left, failure.left_behind.clone()) {
        (None, _) => failure,
        (Some(left), None) => failure.leaving(left),
        (Some(left), Some(before)) => failure.leaving(format!("{before}; {left}")),
    }
}

/// Adds what S3 said to a report, and tells of it as of every check. `is_named` says whether the user named the object.
/// Returns the new finding.
pub fn add_said(session: &Session, report: &mut Report, said: &S3Said, is_named: bool) -> Finding {
    let finding = report.add(said, is_named);
    super::check::say(session, &finding);
    finding
}

/// Adds why S3 was not asked. What the user declined is not unknown.
pub fn add_unasked(session: &Session, report: &mut Report, why: &str, is_declined: bool) {
    let remedy = "resolve this, then run `crrctl check --ask-aws --with-batch` again";
    let finding = report.add_unasked(why, Some(remedy).filter(|_| !is_declined));
    super::check::say(session, &finding);
}
