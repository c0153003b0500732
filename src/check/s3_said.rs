//! What S3 itself said of one object, in the report of a batch job of that object alone, beside what the
//! checks say.
//! Not for: the job (see `ops::ask`), or AWS's log of denied calls (see `aws_said`).

use super::{Finding, Report, Verdict, catalogue, objects};
use crate::backfill::Job;
use serde::Serialize;

const NAME: &str = "aws.reason";
/// S3 had replicated the object before (S3 User Guide, "Replication failure reasons").
const REPLICATED_BEFORE: &str = "SrcReplicationNotPending";

/// What a batch job of one object came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct S3Said {
    /// Name of the object's bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// The object's version.
    pub version_id: String,
    /// The job.
    pub job: Job,
    /// S3's failure reason; `None` if S3 replicated the object, or if the job did not come to it.
    pub reason: Option<String>,
    /// What of the job's role, bucket, list and report is left, and why.
    pub left: Option<String>,
}

impl S3Said {
    fn object(&self) -> String {
        format!("`s3://{}/{}` ({})", self.bucket, self.key, self.version_id)
    }

    fn is_complete(&self) -> bool {
        self.job.status == "Complete"
    }
}

impl Report {
    /// Adds what S3 said of an object. `is_named` says whether the user named that object, so that its
    /// replication status is the one that was checked. Returns the new finding.
    pub fn add(&mut self, said: &S3Said, is_named: bool) -> Finding {
        let finding = said_beside(self, said);
        // What S3 has replicated by now is not FAILED any more.
        let is_old = |it: &Finding| is_named && it.name == objects::NAME;
        if said.is_complete() && said.reason.is_none() {
            self.findings.retain(|it| !is_old(it));
        }
        self.put(finding.clone());
        // S3's own word comes before what the checks conclude.
        let code = said.reason.as_deref().and_then(catalogue::entry).map(|entry| entry.code);
        if let Some(code) = code.filter(|it| *it != REPLICATED_BEFORE) {
            self.failure_reasons.retain(|it| *it != code);
            self.failure_reasons.insert(0, code);
        }
        finding
    }

    /// Adds that S3 was not asked, and why. Returns the new finding.
    pub fn add_unasked(&mut self, why: &str, remedy: Option<&str>) -> Finding {
        let detail = format!("S3 was not asked: {why}");
        let finding = match remedy {
            Some(remedy) => Finding::unknown(NAME, detail, remedy),
            None => Finding::skip(NAME, detail),
        };
        self.put(finding.clone());
        finding
    }

    fn put(&mut self, finding: Finding) {
        let mut findings = std::mem::take(&mut self.findings);
        findings.push(finding);
        let calls = std::mem::take(&mut self.calls);
        *self = Self { calls, ..Self::new(findings, self.failure.take()) };
    }
}

fn said_beside(report: &Report, said: &S3Said) -> Finding {
    let (object, id) = (said.object(), &said.job.id);
    if !said.is_complete() {
        let why = said.job.failures.join("; ");
        let detail = format!(
            "S3 gave no reason for {object}: the batch job {id} is {}: {why}",
            said.job.status
        );
        let remedy = "a role that was just made may not have spread yet: ask again in a few minutes; `crrctl destroy` removes the job's role with the pair";
        return Finding::unknown(NAME, detail, remedy);
    }
    let of = |verdict| report.findings.iter().filter(move |it: &&Finding| it.result == verdict);
    let blamed = of(Verdict::Fail).find(|it| it.of_object && !it.reasons.is_empty());
    match (said.reason.as_deref(), blamed) {
        (None, None) => {
            let detail = format!("S3 replicated {object} (batch job {id}): nothing is in its way");
            Finding::pass(NAME, detail)
        }
        (None, Some(blamed)) => {
            let detail = format!(
                "S3 replicated {object} (batch job {id}); the checks differ: they name {}",
                blamed.name
            );
            let remedy = "it was fixed just now, or S3 doesn't need it: run `crrctl check` again";
            Finding::unknown(NAME, detail, remedy)
        }
        (Some(REPLICATED_BEFORE), _) => {
            let detail = format!(
                "S3 says {REPLICATED_BEFORE}: {object} was replicated before (batch job {id})"
            );
            Finding::pass(NAME, detail)
        }
        (Some(reason), _) => reason_beside(report, said, reason),
    }
}

fn reason_beside(report: &Report, said: &S3Said, reason: &str) -> Finding {
    let with = |verdict: Verdict| {
        let mut of = report.findings.iter().filter(move |it| it.result == verdict);
        of.find(|it| it.reasons.contains(&reason))
    };
    let entry = catalogue::entry(reason);
    let means = entry.map_or("", |entry| entry.means);
    let mends = || entry.map_or_else(String::new, |entry| entry.mends.join("; "));
    let same = with(Verdict::Fail);
    let mut others = report.causes().into_iter().filter(|it| it.name != objects::NAME);
    let other = others.next();
    let open = with(Verdict::Unknown).or(other.filter(|it| it.result == Verdict::Unknown));
    let (beside, remedy) = match (same, open, other) {
        (Some(same), _, _) => {
            (format!("The checks say the same: {}", same.name), same.remedy.clone())
        }
        (None, Some(open), _) => {
            (format!("The checks leave it open: {}", open.name), open.remedy.clone())
        }
        (None, None, Some(other)) => (format!("The checks differ: they name {}", other.name), None),
        (None, None, None) => {
            let beside = "The checks differ: nothing that was read stands in the way, so the cause is a policy that was not read, such as an SCP or RCP";
            (beside.to_owned(), None)
        }
    };
    let (object, id) = (said.object(), &said.job.id);
    let detail = format!("S3 says {reason} for {object} (batch job {id}). {means} {beside}");
    let finding = Finding::fail(NAME, detail, remedy.unwrap_or_else(mends));
    let code: Vec<&'static str> = entry.map(|entry| entry.code).into_iter().collect();
    // The check that says the same names the cause, so it comes first.
    let of_object = same.is_none_or(|it| it.of_object);
    Finding { of_object, ..finding.because(&code) }
}
