//! Validates `replication.alerts`: one topic or queue that S3 can publish the failures of every
//! source of the pair to.
//! Sources: S3 User Guide, "Event notification types and destinations" (standard topics and queues
//! in the bucket's Region), SNS and SQS API References, `CreateTopic` and `CreateQueue` (names).
//! Not for: whether the topic or queue exists and lets S3 publish (see `plan::alert_target`).

use super::super::error::Located;
use super::super::raw::Raw;
use super::super::topology::Placed;
use super::Checked;
use super::buckets::known_keys;
use crate::names::{AccountId, Arn, is_channel_name};
use serde_json::Value;

/// The keys of `replication.alerts`, which are the services.
pub(in crate::manifest) const ALERT_KEYS: [&str; 2] = ["sns", "sqs"];

const KEY: &str = "replication.alerts";

/// Returns the ARN of the topic or queue.
pub(super) fn alerts(raw: &Raw, source: &Placed, destinations: &[Placed]) -> Checked<Option<Arn>> {
    let Some(given) = &raw.replication.alerts else { return Ok(None) };
    let at = given.referenced;
    let map = match &given.value {
        Value::Null => return Ok(None),
        Value::Object(map) => map,
        _ => return Err(Located::at(at, KEY, "`{sns: ARN}` or `{sqs: ARN}` is wanted")),
    };
    known_keys(KEY, map, at, &ALERT_KEYS)?;
    let named = ALERT_KEYS.map(|service| (service, map.get(service).filter(|it| !it.is_null())));
    let (service, value) = match named {
        [(sns, Some(value)), (_, None)] => (sns, value),
        [(_, None), (sqs, Some(value))] => (sqs, value),
        [_, _] => {
            let message = "one of `sns` and `sqs` is wanted, with the ARN of a topic or a queue";
            return Err(Located::at(at, KEY, message));
        }
    };
    let key = format!("{KEY}.{service}");
    let refuse = |message: String| Located::at(at, key.clone(), message);
    let Some(text) = value.as_str() else { return Err(refuse("a text is wanted".to_owned())) };
    let what = if service == "sns" { "topic" } else { "queue" };
    let arn = target(text, service, what).map_err(|(message, hint)| match hint {
        Some(hint) => refuse(message).hint(hint),
        None => refuse(message),
    })?;
    let partition = source.region.partition().to_string();
    if arn.partition() != partition {
        let message = format!(
            "the {what} lies in the partition `{}`, and the pair in `{partition}`",
            arn.partition()
        );
        return Err(refuse(message).hint(format!("use a {what} of {}", source.region)));
    }
    let is_two_way = raw.replication.two_way.as_ref().is_some_and(|flag| flag.value);
    let back = destinations.iter().filter(|_| is_two_way);
    for side in std::iter::once(source).chain(back) {
        if side.region.as_str() == arn.region() {
            continue;
        }
        let message = format!(
            "the {what} lies in {}, and objects are replicated from `{}` in {}: S3 publishes the events of a bucket in the bucket's own \
             Region alone",
            arn.region(),
            side.bucket,
            side.region
        );
        return Err(refuse(message).hint(if side == source {
            format!("use a {what} in {}", side.region)
        } else {
            "a pair with `two_way` takes `alerts` only where both buckets lie in one Region"
                .to_owned()
        }));
    }
    Ok(Some(arn))
}

/// Reads the ARN of a topic or a queue. Returns what is wrong with it, and what to do.
fn target(text: &str, service: &str, what: &str) -> Result<Arn, (String, Option<String>)> {
    let example = if service == "sns" {
        "arn:aws:sns:us-east-1:111122223333:alerts"
    } else {
        "arn:aws:sqs:us-east-1:111122223333:alerts"
    };
    let shape = || Some(format!("the ARN of a {what} looks like `{example}`"));
    let arn = Arn::new(text).map_err(|_| (format!("`{text}` is not an ARN"), shape()))?;
    if arn.service() != service {
        let message = format!("`{text}` is of the service `{}`, not `{service}`", arn.service());
        let other = ALERT_KEYS.iter().find(|it| **it == arn.service());
        return Err((message, other.map(|it| format!("write `{it}: {text}`")).or_else(shape)));
    }
    let name = arn.resource();
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    if arn.region().is_empty() || AccountId::new(arn.account()).is_err() || !is_channel_name(stem) {
        return Err((format!("`{text}` names no {what} of an account and a Region"), shape()));
    }
    if stem != name {
        let message = format!("`{name}` is a FIFO {what}, which S3 can't publish events to");
        return Err((message, Some(format!("use a standard {what}"))));
    }
    Ok(arn)
}
