//! S3 replication metrics of each rule that has them, read from CloudWatch. Section: S3 User Guide,
//! "Using S3 Replication metrics": pending bytes, pending operations and latency are in the
//! destination's Region, failed operations in the source's Region.
//! Not for: the statuses of single objects (see `objects`).

use crate::aws::{Aws, Error, MAX_SERIES, Series};
use crate::events::RuleMetrics;
use crate::manifest::{Side, Topology};
use crate::names::Region;
use crate::world::{Rule, World};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

/// The period to query; S3 publishes values within fifteen minutes.
const SPAN: SignedDuration = SignedDuration::from_hours(1);

/// The metrics, each with its CloudWatch statistic.
const METRICS: [(&str, &str); 4] = [
    ("BytesPendingReplication", "Maximum"),
    ("OperationsPendingReplication", "Maximum"),
    ("ReplicationLatency", "Maximum"),
    ("OperationsFailedReplication", "Sum"),
];

/// A rule of the pair with S3 replication metrics.
struct Measured<'a> {
    source: Side,
    destination: Side,
    rule: &'a Rule,
}

/// Reads the metrics of every rule that has them. A failed read is recorded with its rules and
/// hides no other metric.
pub async fn metrics(aws: &Aws, topology: &Topology, world: &World) -> Vec<RuleMetrics> {
    let directions = topology.directions();
    let mut measured = Vec::new();
    for direction in &directions {
        let live = world.buckets.get(&direction.source.bucket);
        let rules = live.and_then(|it| it.replication.as_ref()).map(|it| it.rules.as_slice());
        for rule in rules.unwrap_or_default().iter().filter(|rule| is_measured(direction, rule)) {
            let leads = |side: &&Side| {
                side.bucket.arn(topology.wanted.partition()).to_string() == rule.destination
            };
            let Some(destination) = direction.destinations.iter().find(leads).cloned() else {
                continue;
            };
            measured.push(Measured { source: direction.source.clone(), destination, rule });
        }
    }
    let chunks = measured.chunks(MAX_SERIES / METRICS.len());
    // The rules of a chunk span several Regions. Each Region receives a query for all of its rules
    // and returns the metrics that it has.
    let all = join_all(chunks.map(|chunk| async move {
        let now = Timestamp::now();
        let mut found: Vec<RuleMetrics> = chunk.iter().map(unmeasured).collect();
        let mut asked: Vec<(&Region, &Region)> = Vec::new();
        for it in chunk {
            for region in [&it.source.region, &it.destination.region] {
                if !asked.contains(&(&it.source.region, region)) {
                    asked.push((&it.source.region, region));
                }
            }
        }
        let answers = join_all(asked.iter().map(|(account_of, region)| {
            let here = chunk.iter().enumerate().filter(|(_, it)| {
                it.source.region == **account_of
                    && [&it.source.region, &it.destination.region].contains(region)
            });
            let here: Vec<usize> = here.map(|(at, _)| at).collect();
            let series: Vec<Series> = here.iter().flat_map(|at| series(&chunk[*at])).collect();
            async move {
                // CloudWatch takes whole seconds. The end is one minute ahead, so that the value of
                // the current minute is included.
                let end = now.checked_add(SignedDuration::from_mins(1)).unwrap_or(now);
                let between = (now.checked_sub(SPAN).unwrap_or(now), end);
                let answer = aws.metric_data(account_of, region, between, &series).await;
                (here, answer)
            }
        }));
        for (here, answer) in answers.await {
            enter(&mut found, &here, answer);
        }
        found
    }));
    all.await.into_iter().flatten().collect()
}

fn is_measured(direction: &Topology, rule: &Rule) -> bool {
    rule.id.starts_with(&direction.wanted.rule_prefix()) && (rule.metrics || rule.time_control)
}

fn unmeasured(it: &Measured<'_>) -> RuleMetrics {
    RuleMetrics {
        rule: it.rule.id.clone(),
        source: it.source.bucket.to_string(),
        source_region: it.source.region.clone(),
        destination: it.destination.bucket.to_string(),
        destination_region: it.destination.region.clone(),
        bytes_pending: None,
        operations_pending: None,
        latency_seconds: None,
        operations_failed: None,
        unread: None,
    }
}

fn series(it: &Measured<'_>) -> impl Iterator<Item = Series> {
    let dimensions = vec![
        ("SourceBucket", it.source.bucket.to_string()),
        ("DestinationBucket", it.destination.bucket.to_string()),
        ("RuleId", it.rule.id.clone()),
    ];
    METRICS.into_iter().map(move |(metric, statistic)| Series {
        metric,
        statistic,
        dimensions: dimensions.clone(),
    })
}

/// Adds the response of one Region for the rules at the indexes `here`.
fn enter(found: &mut [RuleMetrics], here: &[usize], answer: Result<Vec<Vec<f64>>, Error>) {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            for at in here {
                found[*at].unread.get_or_insert_with(|| error.to_string());
            }
            return;
        }
    };
    for (at, values) in here.iter().zip(answer.chunks(METRICS.len())) {
        let it = &mut found[*at];
        let [bytes, operations, latency, failed] = values else { continue };
        let newest = |values: &[f64]| values.first().copied();
        it.bytes_pending = it.bytes_pending.or_else(|| newest(bytes));
        it.operations_pending = it.operations_pending.or_else(|| newest(operations));
        it.latency_seconds = it.latency_seconds.or_else(|| newest(latency));
        let sum = (!failed.is_empty()).then(|| failed.iter().sum());
        it.operations_failed = it.operations_failed.or(sum);
    }
}
