//! `check`: runs the named checks of a live pair, and explains a replication that FAILED by them.
//! Not for: the checks themselves (see `crate::check`).

use super::{Session, drawn};
use crate::check::{self, Finding, Report, Settings};
use crate::events::{CheckDone, Event};
use crate::failure::{Failure, Kind};

/// Runs the checks that `settings` choose.
///
/// # Errors
///
/// The pair can't be read at all, or the run is to end. A check that fails is in the report.
pub async fn check(session: &Session, settings: &Settings) -> Result<Report, Failure> {
    let report = report(session, settings).await?;
    for finding in &report.findings {
        say(session, finding);
    }
    session.events.say(&Event::Proof { calls: drawn::calls(report.calls.iter()) });
    Ok(report)
}

/// Tells of one check.
pub(super) fn say(session: &Session, finding: &Finding) {
    session.events.say(&Event::CheckDone(CheckDone {
        name: finding.name,
        result: finding.result.as_str(),
        region: finding.region.clone(),
        detail: finding.detail.clone(),
        remedy: finding.remedy.clone(),
        place: finding.place(),
    }));
}

/// Runs the checks without telling of each: for those who only look for a cause.
pub(super) async fn report(session: &Session, settings: &Settings) -> Result<Report, Failure> {
    let checks = check::run(&session.aws, &session.manifest, &session.templates, settings);
    session.unless_ending(Box::pin(checks)).await
}

/// Checks the live pair after an object FAILED. Returns `failure` with the causes, the likeliest first, and the report
/// where there is one; any other failure is returned as it is.
pub async fn diagnosed(session: &Session, failure: Failure) -> (Failure, Option<Report>) {
    if failure.kind != Kind::ReplicationFailed || session.stop.is_ending() {
        return (failure, None);
    }
    let settings = Settings { failed: true, ..Settings::default() };
    match report(session, &settings).await {
        Ok(report) => (explained(failure, &report), Some(report)),
        // The original failure is reported, not the failure of the diagnosis.
        Err(why) => {
            (failure.hint(format!("no diagnosis: {why}; `crrctl check` tries again")), None)
        }
    }
}

/// The maximum number of causes that are added to a failure.
const CAUSES: usize = 3;

fn explained(mut failure: Failure, report: &Report) -> Failure {
    failure.hints.clear();
    failure.failure_reasons = report.failure_reasons.iter().map(|it| (*it).to_owned()).collect();
    failure.causes.extend(report.causes().into_iter().take(CAUSES).map(Finding::cause));
    failure.hint("`crrctl check` lists every check; `crrctl explain CODE` says more of a reason")
}
