//! A run as one self-contained HTML page: no external script, font or image.
//! Not for: the layout of the page (see `page.html` and `pair.html`).

mod timeline;

use super::fold::{Fold, Part, Run, Runs};
use super::tables::of_many;
use super::{About, Report};
use crate::events::{CallOf, Event, ProbeDone, Sink, Verb};
use crate::failure::Failure;
use crate::units::format_duration;
use minijinja::Environment;
use serde::Serialize;
use std::collections::BTreeSet;
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
    /// The names of the buckets and roles that the run deleted.
    gone: BTreeSet<String>,
}

impl Fold for Kept {
    fn keep(&mut self, event: &Event) {
        self.run.take(event);
        self.timeline.take(event);
        if let Event::StepDone { step, action, .. } = event {
            let name = step.as_str().rsplit('/').next().unwrap_or_default();
            let is_thing =
                ["s3:bucket/", "iam:role/"].iter().any(|it| step.as_str().starts_with(it));
            if is_thing && *action == Verb::Delete {
                self.gone.insert(name.to_owned());
            }
        }
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

    fn end(&self, command: &str, failure: Option<&Failure>, about: &About) -> Result<(), String> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let text = page(&runs, command, failure, about).map_err(|error| error.to_string())?;
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

impl<'a> Evidence<'a> {
    fn of(probe: &'a ProbeDone) -> Self {
        Self {
            key: &probe.key,
            version_id: &probe.version_id,
            rule: &probe.rule,
            route: probe.route(),
            status: &probe.status,
            ok: probe.ok(),
            latency: probe.latency_ms.map_or_else(|| "-".to_owned(), ms),
            says: probe.says(),
        }
    }
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
    about: &About,
) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.add_filter("prose", prose);
    // The suffix of the name enables escaping.
    environment.add_template("page.html", include_str!("html/page.html"))?;
    environment.add_template("pair.html", include_str!("html/pair.html"))?;
    let mut parts = runs.parts(failure);
    parts.sort_by_key(|part| part.failure.is_none() && part.kept.run.failed_checks().is_empty());
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
        "about": about.facts(),
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
    let evidence = evidence(&run.probes);
    let latencies: Vec<u64> = run.probes.iter().filter_map(|probe| probe.latency_ms).collect();
    serde_json::json!({
        "command": command,
        "name": part.pair,
        "id": part.pair.map_or_else(String::new, |pair| format!("-{pair}")),
        "failure": part.failure,
        "good": run.probes.iter().filter(|it| it.ok()).count(),
        "count": run.probes.len(),
        "is_folded": evidence.len() > FOLDED,
        "evidence": evidence,
        "topology": run.topology,
        "checks": run.causes_first(),
        "first_cause": run.first_cause(),
        "gone": part.kept.gone,
        "failed_checks": run.failed_checks(),
        "policies": policies(&run.calls),
        "steps": part.kept.timeline.rows(),
        "elapsed": ms(run.elapsed_ms),
        "bars": distribution(&latencies),
    })
}

/// From how many rows on they are folded.
const FOLDED: usize = 50;

/// Returns a row for each probe; of many, for those that failed, then for the slowest.
fn evidence(probes: &[ProbeDone]) -> Vec<Evidence<'_>> {
    let shown = of_many(probes, |probe| (probe.ok(), probe.latency_ms));
    shown.into_iter().map(Evidence::of).collect()
}

/// Returns text for people as HTML: what stands between backticks is code.
fn prose(text: &str) -> minijinja::Value {
    let escaped = |text: &str| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text.replace('"', "&quot;").replace('\'', "&#x27;")
    };
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick without its other one is text.
    let is_code = |at: usize| at % 2 == 1 && at + 1 < parts.len();
    let mut html = String::new();
    for (at, part) in parts.iter().enumerate() {
        let (before, after) = match (is_code(at), at % 2) {
            (true, _) => ("<code>", "</code>"),
            (false, 1) => ("`", ""),
            (false, _) => ("", ""),
        };
        for text in [before, &escaped(part), after] {
            html.push_str(text);
        }
    }
    minijinja::Value::from_safe_string(html)
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
    use super::super::tables::MOST_ROWS;
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code_and_nothing_acts() {
        let html = |text: &str| prose(text).to_string();
        assert_eq!(html("run `crrctl apply` <now>"), "run <code>crrctl apply</code> &lt;now&gt;");
        assert_eq!(html("`a<b` and ` alone"), "<code>a&lt;b</code> and ` alone");
    }

    #[test]
    fn the_page_of_many_probes_is_bounded_and_begins_with_what_failed() {
        let place = |region: &str| crate::events::PlaceOf {
            bucket: "b".to_owned(),
            region: crate::names::Region::new(region).unwrap(),
        };
        let html = Html::new(PathBuf::new());
        let probe = |n: u64| ProbeDone {
            rule: "r".to_owned(),
            key: format!("probe-{n}"),
            version_id: "v".repeat(32),
            source: place("us-east-1"),
            destination: place("us-west-2"),
            status: if n == 7_777 { "FAILED" } else { "COMPLETED" }.to_owned(),
            latency_ms: (n != 7_777).then_some(n),
            attempts: 1,
            checked: n != 7_777,
            differences: Vec::new(),
        };
        let text = |html: &Html| {
            page(&html.runs.lock().unwrap(), "probe", None, &About::default()).unwrap()
        };
        (0..10).for_each(|n| html.take(&Event::ProbeDone(probe(n))));
        let few = text(&html);
        assert!(few.contains("probe-0<") && !few.contains("<summary>"), "{few}");
        (10..10_000).for_each(|n| html.take(&Event::ProbeDone(probe(n))));
        let many = text(&html);
        assert!(many.len() < 400_000, "{}", many.len());
        let rows: Vec<&str> = many.matches("<code>probe-").collect();
        assert_eq!(rows.len(), MOST_ROWS);
        let at = |key: &str| many.find(&format!("<code>{key}<")).unwrap();
        assert!(at("probe-7777") < at("probe-9999") && at("probe-9999") < at("probe-9998"));
        assert!(many.contains("9999 of 10000") && many.contains("500 of 10000 objects"));
        assert!(many.contains("<summary>"));
    }

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
