//! The totals of a canary over all its rounds: counts by rule and status, a histogram, the last
//! success. Their size does not grow with the number of rounds.
//! Section: Prometheus documentation, "Exposition formats".
//! Not for: probing (see `probe`).

use super::status::measured;
use crate::events::RuleMetrics;
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::names::Region;
use crate::probe::{Probe, Status};
use crate::units::format_duration;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// Upper bounds of the histogram, in seconds; 900 is the time that S3 Replication Time Control
/// promises.
const BOUNDS: [u64; 10] = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900];

/// The totals of all rounds.
#[derive(Debug)]
pub struct Canary {
    pair: String,
    rounds: u64,
    /// Rounds that ended with an error, by the error's code.
    errors: BTreeMap<String, u64>,
    /// By the source's Region and the rule id: rules of opposite directions may have the same id.
    routes: BTreeMap<(Region, String), Route>,
    home: Region,
    /// The CloudWatch metrics of S3 as of the last round.
    measured: Vec<RuleMetrics>,
    last: String,
}

/// The totals of one rule.
#[derive(Debug, Default)]
struct Route {
    source: String,
    destination: String,
    statuses: BTreeMap<&'static str, u64>,
    /// How many probes took at most the bound at the same index of `BOUNDS`.
    within: [u64; BOUNDS.len()],
    count: u64,
    sum_ms: u64,
    up: bool,
    last_success: Option<i64>,
    last_latency_ms: Option<u64>,
}

/// The totals in the JSON output object.
#[derive(Debug)]
pub struct Totals {
    /// How many rounds there were.
    pub rounds: u64,
    /// Rounds that ended with an error, by the error's code.
    pub errors: BTreeMap<String, u64>,
    /// By rule, how many probes ended in which status.
    pub probes: BTreeMap<String, BTreeMap<&'static str, u64>>,
}

/// The maximum number of error codes that are counted separately. AWS has few codes, and the values
/// of a label must not grow without bound.
const MOST_CODES: usize = 50;

impl Canary {
    /// Creates totals without rounds.
    pub fn new(topology: &Topology) -> Self {
        let directions = topology.directions();
        let routes = directions.iter().flat_map(|direction| {
            let source = &direction.source.region;
            direction.rules.iter().map(move |rule| {
                let (from, to) = (source.to_string(), rule.destination.region.to_string());
                let route = Route { source: from, destination: to, ..Route::default() };
                ((source.clone(), rule.id.clone()), route)
            })
        });
        Self {
            pair: topology.wanted.name.to_string(),
            rounds: 0,
            errors: BTreeMap::new(),
            routes: routes.collect(),
            home: topology.source.region.clone(),
            measured: Vec::new(),
            last: String::new(),
        }
    }

    /// Adds a round.
    pub fn take(&mut self, probes: &[Probe], failure: Option<&Failure>, metrics: &[RuleMetrics]) {
        self.rounds += 1;
        self.measured = metrics.to_vec();
        if let Some(failure) = failure {
            let known = self.errors.len() < MOST_CODES || self.errors.contains_key(&failure.code);
            let code = if known { failure.code.as_str() } else { "other" };
            *self.errors.entry(code.to_owned()).or_default() += 1;
        }
        for route in self.routes.values_mut() {
            route.up = false;
        }
        for probe in probes {
            let place = (probe.source.region.clone(), probe.rule.clone());
            if let Some(route) = self.routes.get_mut(&place) {
                route.take(probe);
            }
        }
        let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let said = |route: &Route| {
            let latency = route.last_latency_ms.filter(|_| route.up).map(Duration::from_millis);
            let word = if route.up { "COMPLETED" } else { "ERROR" };
            let latency =
                latency.map_or_else(String::new, |it| format!(" after {}", format_duration(it)));
            format!("{} → {} {word}{latency}", route.source, route.destination)
        };
        let routes: Vec<String> = self.routes.values().map(said).collect();
        let failure = failure.map_or_else(String::new, |it| format!("; {}: {it}", it.code));
        self.last = format!("{at} {}{failure}\n", routes.join(", "));
        for it in metrics {
            let way = format!("{} → {}", it.source_region, it.destination_region);
            let _ = writeln!(
                self.last,
                "{:at$} {way} by S3's metrics: {}",
                "",
                measured(it),
                at = at.len()
            );
        }
    }

    /// Returns the last round: a line, and one for each rule that has S3 metrics.
    pub fn line(&self) -> String {
        self.last.clone()
    }

    /// Returns the totals.
    pub fn totals(&self) -> Totals {
        let name = |(source, rule): &(Region, String)| {
            if *source == self.home { rule.clone() } else { format!("{rule} from {source}") }
        };
        let probes = self.routes.iter().map(|(place, it)| (name(place), it.statuses.clone()));
        Totals { rounds: self.rounds, errors: self.errors.clone(), probes: probes.collect() }
    }

    /// Returns the totals in the Prometheus text format.
    pub fn metrics(&self) -> String {
        let mut text = String::new();
        let pair = quoted(&self.pair);
        let mut family = |name: &str, kind: &str, help: &str, lines: Vec<String>| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for line in lines {
                let _ = writeln!(text, "{name}{line}");
            }
        };
        let labels = |rule: &str, route: &Route| {
            format!(
                "pair=\"{pair}\",rule=\"{}\",source=\"{}\",destination=\"{}\"",
                quoted(rule),
                route.source,
                route.destination
            )
        };
        let of_routes = |line: &dyn Fn(&str, &Route) -> Vec<String>| {
            let routes = self.routes.iter();
            routes.flat_map(|((_, rule), route)| line(&labels(rule, route), route)).collect()
        };
        family(
            "crrctl_rounds_total",
            "counter",
            "Rounds of probing.",
            vec![format!("{{pair=\"{pair}\"}} {}", self.rounds)],
        );
        let errors = self.errors.iter();
        let errors = errors
            .map(|(code, count)| format!("{{pair=\"{pair}\",code=\"{}\"}} {count}", quoted(code)));
        family(
            "crrctl_errors_total",
            "counter",
            "Rounds that ended with an error, by its code.",
            errors.collect(),
        );
        family(
            "crrctl_probes_total",
            "counter",
            "Probes by rule and replication status; DIFFERS is COMPLETED with a replica that differs.",
            of_routes(&|labels, route| {
                route
                    .statuses
                    .iter()
                    .map(|(status, count)| format!("{{{labels},status=\"{status}\"}} {count}"))
                    .collect()
            }),
        );
        family(
            "crrctl_up",
            "gauge",
            "Whether the last round's probe was COMPLETED with a replica that is right.",
            of_routes(&|labels, route| vec![format!("{{{labels}}} {}", u8::from(route.up))]),
        );
        family(
            "crrctl_last_success_timestamp_seconds",
            "gauge",
            "When a probe was last right.",
            of_routes(&|labels, route| {
                route.last_success.iter().map(|at| format!("{{{labels}}} {at}")).collect()
            }),
        );
        family(
            "crrctl_replication_latency_seconds",
            "histogram",
            "From the end of the upload to COMPLETED.",
            of_routes(&|labels, route| route.histogram(labels)),
        );
        self.of_s3(&pair, &mut family);
        text
    }

    /// Adds the metrics that S3 publishes to CloudWatch. A metric that can't be read has no value:
    /// neither zero nor the last value.
    fn of_s3(&self, pair: &str, family: &mut impl FnMut(&str, &str, &str, Vec<String>)) {
        let labels = |it: &RuleMetrics| {
            let (rule, from, to) = (quoted(&it.rule), &it.source_region, &it.destination_region);
            format!("pair=\"{pair}\",rule=\"{rule}\",source=\"{from}\",destination=\"{to}\"")
        };
        let of_s3 = |value: fn(&RuleMetrics) -> Option<f64>| -> Vec<String> {
            let line = |it: &RuleMetrics| Some(format!("{{{}}} {}", labels(it), value(it)?));
            self.measured.iter().filter_map(line).collect()
        };
        family(
            "crrctl_s3_metrics_up",
            "gauge",
            "Whether S3's metrics of the rule could be read from CloudWatch.",
            of_s3(|it| Some(f64::from(u8::from(it.unread.is_none())))),
        );
        family(
            "crrctl_s3_bytes_pending",
            "gauge",
            "BytesPendingReplication, by CloudWatch.",
            of_s3(|it| it.bytes_pending.filter(|_| it.unread.is_none())),
        );
        family(
            "crrctl_s3_operations_pending",
            "gauge",
            "OperationsPendingReplication, by CloudWatch.",
            of_s3(|it| it.operations_pending.filter(|_| it.unread.is_none())),
        );
        family(
            "crrctl_s3_latency_seconds",
            "gauge",
            "ReplicationLatency, by CloudWatch.",
            of_s3(|it| it.latency_seconds.filter(|_| it.unread.is_none())),
        );
        family(
            "crrctl_s3_operations_failed",
            "gauge",
            "OperationsFailedReplication of the last hour, by CloudWatch.",
            of_s3(|it| it.operations_failed.filter(|_| it.unread.is_none())),
        );
    }
}

impl Route {
    fn take(&mut self, probe: &Probe) {
        let ok = probe.status == Status::Completed && probe.checks.all();
        let differs = probe.status == Status::Completed && !ok;
        let status = if differs { "DIFFERS" } else { probe.status.as_str() };
        *self.statuses.entry(status).or_default() += 1;
        self.up = ok;
        if ok {
            self.last_success = Some(jiff::Timestamp::now().as_second());
        }
        let Some(ms) = probe.latency_ms else { return };
        self.last_latency_ms = Some(ms);
        self.count += 1;
        self.sum_ms += ms;
        for (bound, count) in BOUNDS.iter().zip(&mut self.within) {
            *count += u64::from(ms <= bound * 1000);
        }
    }

    /// Returns the lines of a histogram without its name, which the caller puts first.
    fn histogram(&self, labels: &str) -> Vec<String> {
        let bounds = BOUNDS.iter().zip(&self.within);
        let mut lines: Vec<String> = bounds
            .map(|(bound, count)| format!("_bucket{{{labels},le=\"{bound}\"}} {count}"))
            .collect();
        lines.push(format!("_bucket{{{labels},le=\"+Inf\"}} {}", self.count));
        lines.push(format!("_sum{{{labels}}} {}.{:03}", self.sum_ms / 1000, self.sum_ms % 1000));
        lines.push(format!("_count{{{labels}}} {}", self.count));
        lines
    }
}

/// Escapes the value of a label.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Kind;
    use crate::manifest::{Origin, from_flags};
    use crate::names::AccountId;

    fn canary() -> Canary {
        let flags = ("us-east-1".into(), ["us-west-2".into()]);
        let manifest = from_flags("demo", &flags.0, &flags.1, &Origin::Flags, None).unwrap();
        Canary::new(&manifest.topology(&AccountId::new("111122223333").unwrap()).unwrap())
    }

    fn measured_rule(round: u32) -> RuleMetrics {
        let region = |name| Region::new(name).unwrap();
        RuleMetrics {
            rule: "crrctl.demo.us-west-2".to_owned(),
            source: "a".to_owned(),
            source_region: region("us-east-1"),
            destination: "b".to_owned(),
            destination_region: region("us-west-2"),
            bytes_pending: Some(f64::from(round % 10)),
            operations_pending: Some(0.0),
            latency_seconds: None,
            operations_failed: Some(0.0),
            unread: None,
        }
    }

    /// At one round every five minutes, ten thousand rounds take five weeks.
    #[test]
    fn what_is_kept_does_not_grow_with_the_rounds() {
        let mut canary = canary();
        let mut kept = Vec::new();
        for round in 0..10_000 {
            // Codes without end, as an unusual endpoint might return.
            let code = format!("code-{}", round % 1_000);
            let failure = Failure::new(Kind::Unexpected, code, "the round failed");
            canary.take(&[], Some(&failure), &[measured_rule(round)]);
            if [1_999, 9_999].contains(&round) {
                kept.push((format!("{canary:?}").len(), canary.metrics().len()));
            }
        }
        let (early, late) = (kept[0], kept[1]);
        println!("after 2,000 rounds {early:?} characters (kept, told), after 10,000 {late:?}");
        // Only counters got longer, by a digit each.
        assert!(late.0 <= early.0 + 100 && late.1 <= early.1 + 100, "{kept:?}");
        assert_eq!(canary.totals().errors.values().sum::<u64>(), 10_000);
        assert_eq!(canary.totals().errors.len(), MOST_CODES + 1);
    }

    #[test]
    fn what_can_not_be_read_has_no_value() {
        let mut canary = canary();
        canary.take(&[], None, &[measured_rule(7)]);
        let text = canary.metrics();
        assert!(text.contains("crrctl_s3_bytes_pending{pair=\"demo\",rule=\"crrctl.demo.us-west-2\",source=\"us-east-1\",destination=\"us-west-2\"} 7\n"), "{text}");
        assert!(!text.contains("crrctl_s3_latency_seconds{"), "CloudWatch had none: {text}");
        let unread = RuleMetrics { unread: Some("denied".to_owned()), ..measured_rule(7) };
        canary.take(&[], None, &[unread]);
        let text = canary.metrics();
        assert!(text.contains("crrctl_s3_metrics_up{") && text.contains("\"} 0\n"), "{text}");
        assert!(!text.contains("crrctl_s3_bytes_pending{"), "{text}");
        assert!(canary.line().contains("unknown") && canary.line().contains("denied"));
    }
}
