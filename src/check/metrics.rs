//! How replication gets on under each rule, as S3 tells CloudWatch where the rule has metrics. Section: S3 User Guide, "Using S3
//! Replication metrics": what is pending and how far behind it is in the destination's Region, what failed in the source's.

use crate::aws::{Aws, Error, MAX_SERIES, Series};
use crate::events::RuleMetrics;
use crate::manifest::{Side, Topology};
use crate::names::Region;
use crate::world::{Rule, World};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

/// How far back is looked; S3's values come within fifteen minutes.
const SPAN: SignedDuration = SignedDuration::from_hours(1);

/// The metrics, each with its statistic and whether it is about the last hour as a whole.
const METRICS: [(&str, &str); 4] = [
    ("BytesPendingReplication", "Maximum"),
    ("OperationsPendingReplication", "Maximum"),
    ("ReplicationLatency", "Maximum"),
    ("OperationsFailedReplication", "Sum"),
];

/// A rule of the pair that S3 measures.
struct Measured<'a> {
    source: Side,
    destination: Side,
    rule: &'a Rule,
}

/// Asks for every rule of the pair that S3 measures; what can't be read is told and hides nothing else.
pub async fn metrics(aws: &Aws, topology: &Topology, world: &World) -> Vec<RuleMetrics> {
    let directions = topology.directions();
    let mut measured = Vec::new();
    for direction in &directions {
        let live = world.buckets.get(&direction.source.bucket);
        let rules = live.and_then(|it| it.replication.as_ref()).map(|it| it.rules.as_slice());
        for rule in rules.unwrap_or_default().iter().filter(|rule| is_measured(direction, rule)) {
            let leads = |side: &&Side| {
                side.bucket.arn(topology.partition()).to_string() == rule.destination
            };
            let Some(destination) = direction.destinations.iter().find(leads).cloned() else {
                continue;
            };
            measured.push(Measured { source: direction.source.clone(), destination, rule });
        }
    }
    let chunks = measured.chunks(MAX_SERIES / METRICS.len());
    // A chunk holds rules of several Regions; each Region is asked for all of them, and answers what it has.
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
                // CloudWatch takes whole seconds, and the value of this minute is wanted.
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
    rule.id.starts_with(&direction.rule_prefix()) && (rule.metrics || rule.time_control)
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

/// Enters what one Region answered for the rules `here`.
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
