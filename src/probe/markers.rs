//! Proves that delete markers replicate, or that they do not, as the manifest specifies.
//!
//! A delete marker has no replication status, so the destination is listed. A marker counts as not
//! replicated if it is absent once an object that was uploaded after the delete is COMPLETED.
//! Not for: the replication of objects (see `compare`).

use super::target::{Target, targets};
use super::upload::Uploaded;
use super::{Prober, Settings, Status};
use crate::aws::settle::pause;
use crate::aws::{At, Aws};
use crate::events::{Event, Events, millis};
use crate::failure::{Failure, Kind};
use crate::manifest::{PairKeys, Side, Topology};
use crate::stop::Stop;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The result of one delete marker at one destination.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[expect(missing_docs, reason = "each field is what it says")]
pub struct Marker {
    pub rule: String,
    pub key: String,
    pub version_id: String,
    pub source: super::Place,
    pub destination: super::Place,
    /// Whether the manifest specifies that it replicates.
    pub expected: bool,
    pub replicated: bool,
    pub latency_ms: Option<u64>,
}

/// Uploads an object, deletes it after it has replicated, and looks for its delete marker at every
/// destination.
pub async fn markers(
    aws: Arc<Aws>,
    topology: Topology,
    keys: PairKeys,
    settings: Settings,
    events: Events,
    stop: Stop,
) -> (Vec<Marker>, Option<Failure>) {
    if let Some(failure) = super::refused(&topology) {
        return (Vec::new(), Some(failure));
    }
    let (mut markers, mut failure) = (Vec::new(), None);
    for direction in topology.directions() {
        let (aws, events, stop) = (Arc::clone(&aws), events.clone(), stop.clone());
        let prober = Prober::new(aws, direction, keys.clone(), settings.clone(), events, stop);
        let mut mess = Vec::new();
        let result = prober.delete_each(&mut mess).await;
        if !prober.settings.keep {
            prober.clean_up(&mess, &BTreeMap::new()).await;
        }
        match result {
            Ok(found) => {
                failure = failure.or_else(|| found.iter().find_map(judged));
                markers.extend(found);
            }
            Err(error) => return (markers, failure.or(Some(error))),
        }
    }
    (markers, failure)
}

fn judged(marker: &Marker) -> Option<Failure> {
    let (key, region) = (&marker.key, &marker.destination.region);
    let failure = match (marker.expected, marker.replicated) {
        (true, false) => Failure::new(
            Kind::TooLate,
            "marker-not-replicated",
            format!("the delete marker of `{key}` did not come to {region}"),
        )
        .hint("`crrctl check` says whether the rule and the role let it; `--timeout` waits longer"),
        (false, true) => Failure::new(
            Kind::ReplicaDiffers,
            "marker-replicated",
            format!("the delete marker of `{key}` came to {region}, and the manifest says that none does"),
        )
        .hint("`crrctl plan` shows what drifted; `crrctl apply` puts the rule right"),
        _ => return None,
    };
    Some(failure.in_region(region))
}

impl Prober {
    /// Deletes one object per target; the first failure ends the loop.
    async fn delete_each(&self, mess: &mut Vec<Uploaded>) -> Result<Vec<Marker>, Failure> {
        let mut markers = Vec::new();
        for (n, target) in targets(&self.topology).iter().enumerate() {
            markers.extend(self.delete_one(n, target, mess).await?);
        }
        Ok(markers)
    }

    /// Adds every object and marker that it creates to `mess`, to be deleted by version id.
    async fn delete_one(
        &self,
        n: usize,
        target: &Target,
        mess: &mut Vec<Uploaded>,
    ) -> Result<Vec<Marker>, Failure> {
        let place = format!("{}{}", self.topology.wanted.probe_prefix(&target.filter), self.run);
        let object = self.replicated(&format!("{place}/{n}-marker"), target, mess).await?;
        let source = &self.topology.source;
        let s3 = self.aws.s3(&source.region);
        let delete = s3.delete_object().bucket(source.bucket.as_str()).key(&object.key);
        let output = delete.send().await.at("s3:DeleteObject", &source.region)?;
        let version_id = output.version_id().unwrap_or("null").to_owned();
        let marker = Uploaded { version_id, at: Instant::now(), ..object };
        mess.push(marker.clone());
        if target.rules.iter().any(|rule| !rule.settings.delete_markers) {
            self.replicated(&format!("{place}/{n}-after"), target, mess).await?;
        }
        let mut markers = Vec::new();
        for rule in &target.rules {
            let (side, expected) = (&rule.destination, rule.settings.delete_markers);
            let latency_ms = self.arrival(side, &marker, expected).await?;
            let status = if latency_ms.is_some() { "REPLICATED" } else { "NOT REPLICATED" };
            self.events.say(&Event::ProbeStatus {
                rule: rule.id.clone(),
                key: format!("{} (delete marker)", marker.key),
                status: status.to_owned(),
                elapsed_ms: millis(marker.at.elapsed()),
            });
            markers.push(Marker {
                rule: rule.id.clone(),
                key: marker.key.clone(),
                version_id: marker.version_id.clone(),
                source: super::Place {
                    bucket: source.bucket.clone(),
                    region: source.region.clone(),
                },
                destination: super::Place {
                    bucket: side.bucket.clone(),
                    region: side.region.clone(),
                },
                expected,
                replicated: latency_ms.is_some(),
                latency_ms,
            });
        }
        Ok(markers)
    }

    /// Uploads an object and waits until it is COMPLETED.
    async fn replicated(
        &self,
        key: &str,
        target: &Target,
        mess: &mut Vec<Uploaded>,
    ) -> Result<Uploaded, Failure> {
        let object = self.upload(key, target, Some(self.settings.size)).await?;
        mess.push(object.clone());
        let polled = self.poll(&object, target).await?;
        if polled.status == Status::Completed {
            return Ok(object);
        }
        let kind =
            if polled.status == Status::Pending { Kind::TooLate } else { Kind::ReplicationFailed };
        let code = if kind == Kind::TooLate { "replication-pending" } else { "replication-failed" };
        let message =
            format!("`{key}` is {}, so its deletion proves nothing", polled.status.as_str());
        Err(Failure::new(kind, code, message).in_region(&self.topology.source.region))
    }

    /// Returns how long the marker took to arrive at `side`; lists only once if none is expected.
    async fn arrival(
        &self,
        side: &Side,
        marker: &Uploaded,
        expected: bool,
    ) -> Result<Option<u64>, Failure> {
        let s3 = self.aws.s3(&side.region);
        loop {
            let list = s3.list_object_versions().bucket(side.bucket.as_str()).prefix(&marker.key);
            let page = list.send().await.at("s3:ListObjectVersions", &side.region)?;
            let elapsed = marker.at.elapsed();
            let is_it = |it: &aws_sdk_s3::types::DeleteMarkerEntry| {
                it.key() == Some(marker.key.as_str())
                    && it.version_id() == Some(marker.version_id.as_str())
            };
            if page.delete_markers().iter().any(is_it) {
                return Ok(Some(millis(elapsed)));
            }
            if !expected || elapsed >= self.settings.at_most || self.stop.is_too_late() {
                return Ok(None);
            }
            if self.stop.is_ending() {
                return Err(self.stop.failure());
            }
            let what = format!("the delete marker of `{}` in {}", marker.key, side.region);
            self.tell_wait("not there yet", &what, elapsed);
            pause(&self.stop, super::poll::next_pause(elapsed).max(Duration::from_millis(100)))
                .await;
        }
    }
}
