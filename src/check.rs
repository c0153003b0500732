//! Named checks of a live pair, each with its remedy, ranked by S3's failure reasons. Before a pair
//! is built, the checks report what would prevent replication; the documents are then those that
//! `apply` would write.
//! Not for: changing anything, or probing (see `probe`).

pub mod catalogue;

mod account;
mod alarms;
mod alerts;
mod aws_said;
mod buckets;
mod doubts;
mod keys;
mod material;
mod metrics;
mod exists;
mod object;
mod object_calls;
mod objects;
mod proof;
mod role;
mod rules;
mod s3_said;
mod seen;

use crate::aws::{Aws, Error};
pub use crate::events::RuleMetrics;
use crate::failure::Failure;
use crate::manifest::{Manifest, Side, Topology};
use crate::names::{AccountId, BucketName, Region};
use crate::policy::Templates;
use crate::policy::proof::{Organisation, Row};
pub use metrics::metrics;
pub use object::Object;
pub use objects::{Sample, sample};
pub use s3_said::S3Said;
use seen::Seen;
use serde::Serialize;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The setting is correct.
    Pass,
    /// The setting is wrong.
    Fail,
    /// The check did not run: the user left it out, or there is nothing to check.
    Skip,
    /// crrctl can't determine the result.
    Unknown,
}

impl Verdict {
    /// Returns the verdict as the output contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skip => "skip",
            Self::Unknown => "unknown",
        }
    }
}

/// The result of one check in one Region or account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "check"))]
pub struct Finding {
    /// The check's name.
    pub name: &'static str,
    /// The result of the check.
    pub result: Verdict,
    /// The Region that the check covers; `None` for an account-level check.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub region: Option<Region>,
    /// What the check found.
    pub detail: String,
    /// How to fix the defect.
    pub remedy: Option<String>,
    /// The failure reasons that S3 gives for this defect.
    #[serde(skip)]
    pub reasons: Vec<&'static str>,
    /// Whether the finding is about an object that is there. What is denied for a real object comes
    /// before what would be denied for others.
    #[serde(skip)]
    pub of_object: bool,
}

impl Finding {
    fn new(name: &'static str, result: Verdict, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let (region, remedy, reasons) = (None, None, Vec::new());
        Self { name, result, region, detail, remedy, reasons, of_object: false }
    }

    fn pass(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Verdict::Pass, detail)
    }

    fn fail(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(name, Verdict::Fail, detail).mend(remedy)
    }

    fn skip(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Verdict::Skip, detail)
    }

    fn unknown(name: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(name, Verdict::Unknown, detail).mend(remedy)
    }

    /// Returns an unknown result: a failed read shows nothing about the resource.
    fn unread(name: &'static str, error: &Error) -> Self {
        let remedy = format!(
            "the caller needs `{}`; a policy on the resource or of the organisation may deny it too",
            crate::aws::action(error.operation)
        );
        Self::unknown(name, error.to_string(), remedy)
    }

    /// Returns whether the finding shows what followed from a cause, and no cause: objects that FAILED,
    /// or alarms that fire.
    fn is_symptom(&self) -> bool {
        [objects::NAME, alarms::STATE].contains(&self.name)
    }

    /// Returns the place in a list for people: failed checks, then unknown ones, each with what is
    /// about objects that are there first, then symptoms, then the rest.
    pub fn place(&self) -> u8 {
        match (self.result, self.of_object) {
            (Verdict::Fail, _) if self.is_symptom() => 5,
            (Verdict::Fail, true) => 0,
            (Verdict::Fail, false) => 1,
            (Verdict::Unknown, true) => 2,
            (Verdict::Unknown, false) if self.name == "organisation" => 4,
            (Verdict::Unknown, false) => 3,
            (Verdict::Pass, _) => 6,
            (Verdict::Skip, _) => 7,
        }
    }

    /// Returns the finding as the cause of a failure: the check, its Region, the detail, and the remedy.
    pub fn cause(&self) -> String {
        let place = self.region.as_ref().map_or(String::new(), |region| format!(" in {region}"));
        let remedy = self.remedy.as_ref().map_or(String::new(), |remedy| format!("; {remedy}"));
        format!("{}{place}: {}{remedy}", self.name, self.detail)
    }

    fn mend(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    fn at(mut self, region: &Region) -> Self {
        self.region = Some(region.clone());
        self
    }

    /// Says first which bucket is meant, where the Region does not tell.
    fn of(mut self, bucket: &BucketName) -> Self {
        self.detail = format!("`{bucket}`: {}", self.detail);
        self
    }

    fn because(mut self, reasons: &[&'static str]) -> Self {
        self.reasons = reasons.to_vec();
        self
    }
}

/// The side to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the side of that name")]
pub enum CheckedSide {
    Source,
    Destination,
}

/// Which checks to run, and what is known beforehand.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Names of checks to leave out.
    pub skip: Vec<&'static str>,
    /// The one side to check; account-level checks run in either case.
    pub side: Option<CheckedSide>,
    /// The organization's policies, as far as the user gave them.
    pub organisation: Organisation,
    /// Whether a probe has just FAILED. Causes that crrctl can't see are then suspects too.
    pub failed: bool,
    /// Whether the question is if the pair could be built. Otherwise, a pair of which nothing exists
    /// is a failed check.
    pub before_apply: bool,
    /// The one object that the question is about.
    pub object: Option<Object>,
    /// Whether to ask AWS what it logged of denied calls.
    pub ask_aws: bool,
}

impl Settings {
    /// Returns whether the newest objects are looked at. Who asks about one object, or has just seen
    /// one fail, asks about no other.
    fn samples_objects(&self) -> bool {
        !self.failed && self.object.is_none() && !self.skip.contains(&objects::NAME)
    }

    /// Returns the source's account if only the destinations are checked and they have credentials
    /// of their own. The holder of those credentials need not have the source's credentials.
    fn home_of_others<'a>(&self, manifest: &'a Manifest) -> Option<&'a AccountId> {
        let is_there = self.side == Some(CheckedSide::Destination) && !manifest.away().is_empty();
        manifest.home_account().filter(|_| is_there)
    }
}

/// The result of all checks.
#[derive(Debug, Clone)]
pub struct Report {
    /// Every check, in dependency order: the first failed check is the cause.
    pub findings: Vec<Finding>,
    /// The failure reasons that S3 would give, the most likely first.
    pub failure_reasons: Vec<&'static str>,
    /// The calls that S3 makes, each allowed or denied by the documents in force.
    pub calls: Vec<Row>,
    /// Why no check could run.
    pub failure: Option<Failure>,
}

impl Report {
    fn new(mut findings: Vec<Finding>, failure: Option<Failure>) -> Self {
        let place = |name| catalogue::check_names().position(|it| it == name);
        findings.sort_by_key(|finding| place(finding.name));
        let (of_objects, of_others): (Vec<_>, Vec<_>) =
            ranked(&findings).into_iter().partition(|it| it.of_object);
        let mut failure_reasons: Vec<&'static str> = Vec::new();
        for findings in [of_objects, of_others] {
            let mut reasons: Vec<&'static str> =
                findings.iter().flat_map(|finding| &finding.reasons).copied().collect();
            reasons.sort_by_key(|reason| catalogue::rank(reason));
            reasons.dedup();
            reasons.retain(|reason| !failure_reasons.contains(reason));
            failure_reasons.extend(reasons);
        }
        Self { findings, failure_reasons, calls: Vec::new(), failure }
    }

    /// Returns whether any check failed.
    pub fn has_failed(&self) -> bool {
        self.count(Verdict::Fail) > 0
    }

    /// Returns the number of checks with the result `verdict`.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.result == verdict).count()
    }

    /// Returns what may explain a failure, the likeliest first.
    pub fn causes(&self) -> Vec<&Finding> {
        ranked(&self.findings)
    }
}

/// Returns the findings that may explain a failure: the failed ones, or, where none failed, the
/// unknown ones, in the order of [`Finding::place`]. What is certain leaves no room for guesses.
/// Symptoms are last of all: they follow from a cause, and are none.
fn ranked(findings: &[Finding]) -> Vec<&Finding> {
    let of = |verdict, symptoms| {
        findings.iter().filter(move |it| it.result == verdict && it.is_symptom() == symptoms)
    };
    let mut causes: Vec<&Finding> = of(Verdict::Fail, false).collect();
    if causes.is_empty() {
        causes.extend(findings.iter().filter(|it| it.result == Verdict::Unknown));
    }
    causes.extend(of(Verdict::Fail, true));
    causes.sort_by_key(|finding| finding.place());
    causes
}

/// Runs every check of the pair that `manifest` defines.
pub async fn run(
    aws: &Aws,
    manifest: &Manifest,
    templates: &Templates,
    settings: &Settings,
) -> Result<Report, Failure> {
    let (topology, identity) =
        match account::identity(aws, manifest, settings.home_of_others(manifest)).await {
            Ok(known) => known,
            Err(failure) => {
                let remedy = failure.hints.first().cloned().unwrap_or_default();
                let finding = Finding::fail("identity", failure.message.clone(), remedy);
                return Ok(Report::new(vec![finding], Some(failure)));
            }
        };
    let mut findings = vec![identity];
    let seen = Seen::look(aws, manifest, topology).await;
    let is_partial = settings.home_of_others(manifest).is_some();
    findings.push(if is_partial {
        exists::on_side(&seen, settings)
    } else {
        exists::pair(&seen, settings)
    });
    findings.extend(account::regions(&seen));
    findings.extend(buckets::check(&seen));
    if is_partial {
        let detail = "it is in the source's account, whose credentials are not asked for; its policies count as `apply` would write them";
        findings.push(Finding::skip("role.exists", detail));
    } else {
        findings.extend(role::check(&seen));
    }
    findings.extend(rules::check(&seen));
    findings.extend(alarms::check(&seen));
    findings.extend(keys::check(&seen));
    let (proven, mut calls) = proof::check(&seen, templates, settings, is_partial)?;
    findings.extend(proven);
    if !is_partial {
        findings.extend(alerts::check(aws, &seen, templates).await?);
    }
    if !settings.skip.contains(&"kms.shared-material") {
        findings.extend(material::check(aws, &seen).await);
    }
    if settings.samples_objects() && !is_partial {
        let (found, rows) = object_calls::of_failed(aws, &seen, templates, settings).await?;
        findings.extend(found);
        calls.extend(rows);
    }
    for back in seen.topology.backward() {
        if is_partial && back.source.account == seen.topology.source.account {
            continue;
        }
        let (found, more) = reverse_direction(aws, manifest, back, templates, settings).await?;
        findings.extend(found);
        calls.extend(more);
    }
    let topology = seen.topology.clone();
    if let Some(key) = topology.kept_source_key(&seen.pair_keys) {
        let told = format!("for new objects, under {key}");
        let seen = Seen::look(aws, manifest, topology.clone()).await;
        let (found, rows) =
            object_calls::under_key(aws, seen, templates, settings, key.as_str(), &told).await?;
        findings.extend(found);
        calls.extend(rows);
    }
    if let Some(object) = &settings.object {
        let seen = object_calls::source_of(aws, manifest, seen, object).await?;
        let (found, rows) = object_calls::of_object(aws, seen, templates, settings, object).await?;
        findings.extend(found);
        calls.extend(rows);
    }
    if settings.ask_aws && !is_partial {
        let seen = Seen::look(aws, manifest, topology.clone()).await;
        findings.extend(aws_said::check(aws, &seen, settings.object.as_ref(), &calls).await);
    }
    let findings = narrowed(findings, &topology, settings);
    Ok(Report { calls, ..Report::new(findings, None) })
}

/// Checks the parts of a reverse direction that the forward direction does not have: its role, its
/// rules, and the role's permissions. Buckets and keys are already checked.
async fn reverse_direction(
    aws: &Aws,
    manifest: &Manifest,
    back: Topology,
    templates: &Templates,
    settings: &Settings,
) -> Result<(Vec<Finding>, Vec<Row>), Failure> {
    let region = back.source.region.clone();
    let is_partial = settings.home_of_others(manifest).is_some();
    let mut seen = Seen::look(aws, manifest, back).await;
    if is_partial {
        seen.believe_rules();
    }
    let mut findings = role::check(&seen);
    findings.extend(rules::check(&seen));
    findings.extend(alarms::check(&seen));
    let is_new = |it: &Finding| {
        it.name.starts_with("role.") || (it.result != Verdict::Pass && it.name != "organisation")
    };
    let (proven, mut calls) = proof::check(&seen, templates, settings, is_partial)?;
    findings.extend(proven.into_iter().filter(is_new));
    if settings.samples_objects() && !is_partial {
        let (found, rows) = object_calls::of_failed(aws, &seen, templates, settings).await?;
        findings.extend(found);
        calls.extend(rows);
    }
    for finding in &mut findings {
        finding.detail = format!("back from {region}: {}", finding.detail);
        finding.region.get_or_insert_with(|| region.clone());
    }
    Ok((findings, calls))
}

/// Removes the findings that the user did not ask for. Adds a `skip` finding for each check that
/// the user left out by name.
fn narrowed(findings: Vec<Finding>, topology: &Topology, settings: &Settings) -> Vec<Finding> {
    let is_there = |side: &Side, region: &Region| &side.region == region;
    let mut kept: Vec<Finding> = findings
        .into_iter()
        .filter(|finding| !settings.skip.contains(&finding.name))
        .filter(|finding| match (&finding.region, settings.side) {
            (Some(region), Some(CheckedSide::Source)) => is_there(&topology.source, region),
            (Some(region), Some(CheckedSide::Destination)) => {
                topology.destinations.iter().any(|side| is_there(side, region))
            }
            _ => true,
        })
        .collect();
    let skipped = |name: &&'static str| Finding::skip(name, "left out by `--skip-check`");
    kept.extend(settings.skip.iter().map(skipped));
    kept
}
