//! A run as `JUnit` XML: a testcase for each rule and direction, whose time is the replication
//! latency and whose failure is the cause; a testcase for each check; and a testcase for an error
//! that none of these shows. Of several pairs, each has its own testsuite.
//! Not for: storing the events (see `fold`).

use super::fold::{Part, Run, Runs, why};
use super::{About, Report};
use crate::events::{CheckDone, Event, ProbeDone, Sink};
use crate::failure::Failure;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Writes the file when the run has ended.
#[derive(Debug)]
pub struct Junit {
    file: PathBuf,
    runs: Mutex<Runs<Run>>,
}

impl Junit {
    /// Creates a report that writes `file`.
    pub fn new(file: PathBuf) -> Self {
        Self { file, runs: Mutex::default() }
    }
}

impl Sink for Junit {
    fn take(&self, event: &Event) {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).take(event);
    }

    fn take_of(&self, pair: &str, event: &Event) {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).take_of(pair, event);
    }
}

impl Report for Junit {
    fn open(&self) -> Result<(), String> {
        super::writable(&self.file)
    }

    fn end(&self, command: &str, failure: Option<&Failure>, about: &About) -> Result<(), String> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let text = xml(&runs, command, failure, about).map_err(|error| error.to_string())?;
        std::fs::write(&self.file, text)
            .map_err(|error| format!("can't write {}: {error}", self.file.display()))
    }
}

fn xml(
    runs: &Runs<Run>,
    command: &str,
    failure: Option<&Failure>,
    about: &About,
) -> Result<String, quick_junit::SerializeError> {
    let mut report = quick_junit::Report::new("crrctl");
    for part in runs.parts(failure) {
        let mut suite = suite(&part, command);
        for (name, fact) in about.facts() {
            suite.add_property((name.to_owned(), fact));
        }
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn suite(part: &Part<'_, Run>, command: &str) -> TestSuite {
    let (run, failure) = (part.kept, part.failure);
    let name = part.pair.unwrap_or(&run.pair);
    let mut suite = TestSuite::new(format!("crrctl {command} {name}").trim_end().to_owned());
    suite.set_time(Duration::from_millis(run.elapsed_ms));
    let mut told = false;
    for ((rule, route), probes) in run.routes() {
        let case = of_route(rule, &route, &probes, failure);
        told |= !case.status.is_success_like();
        suite.add_test_case(case);
    }
    for check in &run.checks {
        suite.add_test_case(of_check(check));
        told |= check.result == "fail";
    }
    if let Some(failure) = failure.filter(|_| !told) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type(failure.code.clone());
        status.set_message(failure.message.clone());
        status.set_description(why(failure));
        let name = failure.step.clone().unwrap_or_else(|| command.to_owned());
        suite.add_test_case(case(command, &name, status));
    } else if suite.test_cases.is_empty() {
        suite.add_test_case(case(command, command, TestCaseStatus::success()));
    }
    // Readers of such files often use only class and name, so for several pairs the class names the
    // pair.
    if let Some(pair) = part.pair {
        for case in &mut suite.test_cases {
            let class = case.classname.as_deref().unwrap_or_default().to_owned();
            case.set_classname(format!("{pair}/{class}"));
        }
    }
    suite
}

/// Whether a testcase succeeded.
trait SuccessLike {
    fn is_success_like(&self) -> bool;
}

impl SuccessLike for TestCaseStatus {
    fn is_success_like(&self) -> bool {
        matches!(self, Self::Success { .. })
    }
}

fn case(class: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name.to_owned(), status);
    case.set_classname(class.to_owned());
    case
}

/// Returns the testcase of a rule and direction. Its time is that of the slowest probe.
fn of_route(rule: &str, route: &str, probes: &[&ProbeDone], failure: Option<&Failure>) -> TestCase {
    let bad: Vec<&&ProbeDone> = probes.iter().filter(|probe| !probe.ok()).collect();
    let status = match bad.first() {
        None => TestCaseStatus::success(),
        Some(first) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(failure.map_or_else(|| first.status.clone(), |it| it.code.clone()));
            let cause = failure.and_then(|it| it.causes.first()).cloned();
            let message = cause.unwrap_or_else(|| {
                format!("{} of {} probes failed: {}", bad.len(), probes.len(), first.says())
            });
            status.set_message(message);
            let lines = bad.iter().map(|probe| format!("{}: {}", probe.key, probe.says()));
            let lines = lines.chain(failure.map(why));
            status.set_description(lines.collect::<Vec<_>>().join("\n"));
            status
        }
    };
    let mut case = case(rule, route, status);
    let slowest = probes.iter().filter_map(|probe| probe.latency_ms).max();
    case.set_time(Duration::from_millis(slowest.unwrap_or_default()));
    case
}

fn of_check(check: &CheckDone) -> TestCase {
    let status = match check.result {
        "pass" => TestCaseStatus::success(),
        "fail" => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(check.name);
            status.set_message(check.detail.clone());
            status.set_description(check.remedy.clone().unwrap_or_default());
            status
        }
        _ => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(check.detail.clone());
            status
        }
    };
    let region = check.region.as_ref().map_or("account", |region| region.as_str());
    case(check.name, region, status)
}
