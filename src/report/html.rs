//! A run as one self-contained HTML page: no external script, font or image.
//! Not for: the layout of the page (see `page.html` and `pair.html`).

mod timeline;

use super::Report;
use super::fold::{Fold, Part, Run, Runs};
use crate::events::{CallOf, Event, Sink};
use crate::failure::Failure;
use crate::units::format_duration;
use minijinja::Environment;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use timeline::Timeline;

/// Writes the file when the run has ended.
#[derive(Debug)]
pub struct Html {
    file: PathBuf,
    runs: Mutex<Runs<Kept>>,
}

/// The data that the page shows of a run.
#[derive(Debug, Default)]
struct Kept {
    run: Run,
    timeline: Timeline,
}

impl Fold for Kept {
    fn keep(&mut self, event: &Event) {
        self.run.take(event);
        self.timeline.take(event);
    }
}

impl Html {
    /// Creates a report that writes `file`.
    pub fn new(file: PathBuf) -> Self {
        Self { file, runs: Mutex::default() }
    }
}

impl Sink for Html {
    fn take(&self, event: &Event) {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).take(event);
    }

    fn take_of(&self, pair: &str, event: &Event) {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).take_of(pair, event);
    }
}

impl Report for Html {
    fn open(&self) -> Result<(), String> {
        super::writable(&self.file)
    }

    fn end(&self, command: &str, failure: Option<&Failure>) -> Result<(), String> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let text = page(&runs, command, failure).map_err(|error| error.to_string())?;
        std::fs::write(&self.file, text)
            .map_err(|error| format!("can't write {}: {error}", self.file.display()))
    }
}

/// A row of the evidence.
#[derive(Serialize)]
struct Evidence<'a> {
    key: &'a str,
    version_id: &'a str,
    rule: &'a str,
    route: String,
    status: &'a str,
    ok: bool,
    latency: String,
    says: String,
}

/// A bar of the distribution of latencies.
#[derive(Debug, PartialEq, Serialize)]
struct Bar {
    label: String,
    count: usize,
    percent: usize,
}

fn page(
    runs: &Runs<Kept>,
    command: &str,
    failure: Option<&Failure>,
) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    // The suffix of the name enables escaping.
    environment.add_template("page.html", include_str!("html/page.html"))?;
    environment.add_template("pair.html", include_str!("html/pair.html"))?;
    let parts = runs.parts(failure);
    let section_of = environment.get_template("pair.html")?;
    let parts = parts.iter().map(|part| {
        let mut values = section(part, command);
        let shown = serde_json::json!({
            "part": values,
            "level": if part.pair.is_some() { 3 } else { 2 },
        });
        // The section is already escaped, so the page does not escape it again.
        values["html"] =
            section_of.render(minijinja::Value::from(minijinja::value::Serde(&shown)))?.into();
        Ok(values)
    });
    let parts: Vec<_> = parts.collect::<Result<_, minijinja::Error>>()?;
    let count = |name: &str| {
        parts.iter().filter_map(|part| part[name].as_u64()).fold(0, u64::saturating_add)
    };
    let whole = &runs.whole().run;
    let values = serde_json::json!({
        "command": command,
        "failure": failure,
        "pair": whole.pair,
        "elapsed": ms(whole.elapsed_ms),
        "good": count("good"),
        "count": count("count"),
        "failed_checks": parts.iter().filter_map(|it| it["failed_checks"].as_array()).flatten().count(),
        "checks": parts.iter().filter_map(|it| it["checks"].as_array()).flatten().count(),
        "at": jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        "parts": parts,
    });
    let values = minijinja::Value::from(minijinja::value::Serde(&values));
    environment.get_template("page.html")?.render(values)
}

/// Returns the values of the section about one run. Of several runs, each has its own HTML ids.
fn section(part: &Part<'_, Kept>, command: &str) -> serde_json::Value {
    let run = &part.kept.run;
    let evidence: Vec<Evidence<'_>> = run
        .probes
        .iter()
        .map(|probe| Evidence {
            key: &probe.key,
            version_id: &probe.version_id,
            rule: &probe.rule,
            route: probe.route(),
            status: &probe.status,
            ok: probe.ok(),
            latency: probe.latency_ms.map_or_else(|| "-".to_owned(), ms),
            says: probe.says(),
        })
        .collect();
    let latencies: Vec<u64> = run.probes.iter().filter_map(|probe| probe.latency_ms).collect();
    serde_json::json!({
        "command": command,
        "name": part.pair,
        "id": part.pair.map_or_else(String::new, |pair| format!("-{pair}")),
        "failure": part.failure,
        "good": evidence.iter().filter(|it| it.ok).count(),
        "count": evidence.len(),
        "evidence": evidence,
        "topology": run.topology,
        "checks": run.checks,
        "failed_checks": run.failed_checks(),
        "policies": policies(&run.calls),
        "steps": part.kept.timeline.rows(),
        "elapsed": ms(run.elapsed_ms),
        "bars": distribution(&latencies),
    })
}

fn ms(ms: u64) -> String {
    format_duration(Duration::from_millis(ms))
}

/// A document and the calls that its statements decide.
#[derive(Serialize)]
struct Policy<'a> {
    document: &'a str,
    calls: Vec<&'a CallOf>,
}

/// Returns the S3 calls grouped by the document that decided, in the order of the calls; documents
/// with a call that is not allowed come first.
fn policies(calls: &[CallOf]) -> Vec<Policy<'_>> {
    const NOTHING: &str = "no document";
    let mut policies: Vec<Policy<'_>> = Vec::new();
    for call in calls {
        let document = call.document.as_deref().unwrap_or(NOTHING);
        match policies.iter_mut().find(|it| it.document == document) {
            Some(policy) => policy.calls.push(call),
            None => policies.push(Policy { document, calls: vec![call] }),
        }
    }
    policies.sort_by_key(|policy| policy.calls.iter().all(|call| call.allowed));
    policies
}

/// The maximum number of bars of the distribution.
const BARS: u64 = 12;

/// Returns how many latencies are in each of a few equal intervals.
fn distribution(latencies: &[u64]) -> Vec<Bar> {
    let (Some(least), Some(most)) = (latencies.iter().min(), latencies.iter().max()) else {
        return Vec::new();
    };
    let span = ((most - least) / BARS + 1).max(1);
    let count = |from: u64| latencies.iter().filter(|ms| (from..from + span).contains(ms)).count();
    let froms: Vec<u64> =
        (0..BARS).map(|at| least + at * span).take_while(|it| it <= most).collect();
    let counts: Vec<usize> = froms.iter().map(|from| count(*from)).collect();
    let highest = counts.iter().copied().max().unwrap_or(1).max(1);
    let bar = |(from, count): (&u64, &usize)| Bar {
        label: format!("{} to {}", ms(*from), ms(from + span)),
        count: *count,
        percent: count * 100 / highest,
    };
    froms.iter().zip(&counts).map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_latency_is_in_one_bar() {
        for latencies in
            [vec![7], vec![0, 0, 1], (1..=1000).collect::<Vec<u64>>(), vec![5, 900_000]]
        {
            let bars = distribution(&latencies);
            assert_eq!(bars.iter().map(|bar| bar.count).sum::<usize>(), latencies.len());
            assert!(bars.len() <= 12 && bars.iter().any(|bar| bar.percent == 100), "{bars:?}");
        }
        assert_eq!(distribution(&[]), []);
    }
}
