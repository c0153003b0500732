//! Validates the rules. Settings of a destination override those of `replication`, and combinations
//! that S3 would refuse are errors.
//! Limits: S3 API Reference, `PutBucketReplication`, `ReplicationRule`, `ReplicationTimeValue`.
//! Not for: the ids of existing rules (see `existing`).

use super::super::error::Located;
use super::super::raw::{At, Raw, RawDestination, RawReplication};
use super::super::rules::{ARCHIVES, MAX_PREFIX, PlacedRule, REPLICA_CLASSES, RuleSettings};
use super::super::topology::{Activation, Placed, ReplicationSettings};
use super::{Checked, one_of, tags};
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeMap;

/// Maximum number of rules in a configuration.
const MAX_RULES: usize = 1000;

pub(super) fn replication(raw: &RawReplication) -> Checked<ReplicationSettings> {
    let known = [
        ("auto", Activation::Auto),
        ("proven-first", Activation::ProvenFirst),
        ("direct", Activation::Direct),
    ];
    let activation = one_of("replication.activation", raw.activation.as_ref(), &known)?;
    let known = [("keep", false), ("convert", true)];
    let converts_v1 = one_of("replication.v1_rules", raw.v1_rules.as_ref(), &known)?;
    let (two_way, annotations) = (is_on(raw.two_way.as_ref()), is_on(raw.annotations.as_ref()));
    Ok(ReplicationSettings { activation, two_way, annotations, converts_v1 })
}

fn is_on(flag: Option<&Spanned<bool>>) -> bool {
    flag.is_some_and(|flag| flag.value)
}

/// Returns the rules, one for each entry of `destinations`. `placed` has the destination of each
/// entry.
pub(super) fn rules(raw: &Raw, placed: &[Placed]) -> Checked<Vec<PlacedRule>> {
    let list = &raw.destinations;
    if list.value.len() > MAX_RULES {
        let message = format!("{} rules: {MAX_RULES} are allowed", list.value.len());
        return Err(Located::at(list.referenced, "destinations", message));
    }
    let mut rules: Vec<PlacedRule> = Vec::new();
    let mut priorities: BTreeMap<i32, String> = BTreeMap::new();
    for (index, (destination, place)) in list.value.iter().zip(placed).enumerate() {
        let path = format!("destinations[{index}]");
        let settings = settings(&raw.replication, destination, &path)?;
        if let Some(priority) = settings.priority
            && let Some(other) = priorities.insert(priority, path.clone())
        {
            let message = format!("{priority} is also the priority of `{other}`: each has its own");
            let at = place_of(destination.priority.as_ref(), destination);
            return Err(Located::at(at, format!("{path}.priority"), message));
        }
        let filter = (&settings.prefix, &settings.tags);
        let is_same = |rule: &&PlacedRule| {
            rule.place == *place && (&rule.settings.prefix, &rule.settings.tags) == filter
        };
        if rules.iter().any(|rule| is_same(&rule)) {
            let message = format!(
                "`{}` and `{}` stand here twice with the same filter: only one of these rules would ever apply",
                place.region, place.bucket
            );
            let found = Located::at(destination.region.referenced, path, message);
            return Err(found.hint(
                "give each rule a `prefix` or `tags` of its own, or this one a `bucket` of its own",
            ));
        }
        rules.push(PlacedRule { place: place.clone(), settings });
    }
    Ok(rules)
}

fn place_of<T>(given: Option<&Spanned<T>>, destination: &RawDestination) -> Location {
    given.map_or(destination.region.referenced, |given| given.referenced)
}

/// Returns the settings of one rule. The destination's values override those of `replication`.
fn settings(general: &RawReplication, own: &RawDestination, path: &str) -> Checked<RuleSettings> {
    let own_path = |key: &str| format!("{path}.{key}");
    let general_path = |key: &str| format!("replication.{key}");
    let prefix = match (&own.prefix, &general.prefix) {
        (Some(given), _) => prefix(&own_path("prefix"), given)?,
        (None, Some(given)) => prefix(&general_path("prefix"), given)?,
        (None, None) => String::new(),
    };
    let tags = match &own.tags {
        Some(_) => tags::of_objects(&own_path("tags"), own.tags.as_ref())?,
        None => tags::of_objects(&general_path("tags"), general.tags.as_ref())?,
    };
    let storage_class = match (&own.storage_class, &general.storage_class) {
        (Some(given), _) => Some(class(&own_path("storage_class"), given)?),
        (None, Some(given)) => Some(class(&general_path("storage_class"), given)?),
        (None, None) => None,
    };
    let flag = |own: &At<bool>, general: &At<bool>| {
        own.as_ref().or(general.as_ref()).is_some_and(|flag| flag.value)
    };
    let delete_markers = flag(&own.delete_markers, &general.delete_markers);
    if delete_markers && !tags.is_empty() {
        let (at, key) = match (&own.delete_markers, &own.tags, &general.delete_markers) {
            (Some(given), ..) => (given.referenced, own_path("delete_markers")),
            (None, Some(given), _) => (given.referenced, own_path("tags")),
            (None, None, Some(given)) => (given.referenced, general_path("delete_markers")),
            (None, None, None) => (own.region.referenced, path.to_owned()),
        };
        let message = "delete markers bear no tags, so S3 takes no rule that selects by tags and replicates them";
        return Err(Located::at(at, key, message)
            .hint("set `delete_markers: false` beside these tags, or select by `prefix` alone"));
    }
    let time_control = flag(&own.time_control, &general.time_control);
    let metrics = metrics(general, own, path, time_control)?;
    let priority = own.priority.as_ref().map(|given| priority(path, given)).transpose()?;
    Ok(RuleSettings {
        prefix,
        tags,
        delete_markers,
        storage_class,
        priority,
        metrics,
        // Two-way replication syncs replica modifications by default, so that metadata changes on
        // either side reach the other.
        replica_modifications: match &general.replica_modifications {
            Some(given) => given.value,
            None => is_on(general.two_way.as_ref()),
        },
        time_control,
        owner_override: own.owner_override.as_ref().is_some_and(|flag| flag.value),
        // The ids of existing rules are filled in later (see `existing`).
        id: None,
        back_id: None,
    })
}

/// Returns whether metrics are enabled. Time control and alerts require metrics, so `metrics: false`
/// beside them is an error.
fn metrics(
    general: &RawReplication,
    own: &RawDestination,
    path: &str,
    time_control: bool,
) -> Checked<bool> {
    let given = match (&own.metrics, &general.metrics) {
        (Some(given), _) => Some((given, format!("{path}.metrics"))),
        (None, Some(given)) => Some((given, "replication.metrics".to_owned())),
        (None, None) => None,
    };
    let has_alarm = general.alarm.is_some();
    let alerts = general.alerts.as_ref().is_some_and(|given| !given.value.is_null());
    match given {
        Some((given, key)) if !given.value && has_alarm => {
            let message = "`replication.alarm` watches a metric of this rule, so metrics can't be off beside it";
            Err(Located::at(given.referenced, key, message)
                .hint("leave `metrics` out, or leave out `replication.alarm`"))
        }
        Some((given, key)) if !given.value && alerts => {
            let message = "S3 sends the events of `replication.alerts` only where metrics are on";
            Err(Located::at(given.referenced, key, message)
                .hint("leave `metrics` out, or leave `alerts` out"))
        }
        Some((given, key)) if !given.value && time_control => {
            let message = "`time_control` is measured by metrics, so they can't be off beside it";
            Err(Located::at(given.referenced, key, message)
                .hint("leave `metrics` out, or set `time_control: false`"))
        }
        given => {
            Ok(time_control || has_alarm || alerts || given.is_some_and(|(given, _)| given.value))
        }
    }
}

/// The last character that the policy of a role may have (IAM User Guide, "IAM and AWS STS quotas": policies take
/// `U+0020` to `U+00FF`, tab, line feed and carriage return).
const LAST_OF_LATIN_1: char = '\u{ff}';

fn prefix(key: &str, given: &Spanned<String>) -> Checked<String> {
    if given.value.len() > MAX_PREFIX {
        let message = format!(
            "{} bytes: {MAX_PREFIX} are allowed, so that a probe's key fits below",
            given.value.len()
        );
        return Err(Located::at(given.referenced, key, message));
    }
    if given.value.chars().any(char::is_control) {
        return Err(Located::at(given.referenced, key, "control characters are not allowed"));
    }
    if let Some(odd) = given.value.chars().find(|it| *it > LAST_OF_LATIN_1) {
        let message = format!(
            "{odd:?} is not allowed: the policy of the role names the prefix, and a policy takes the characters of Latin-1 alone"
        );
        return Err(Located::at(given.referenced, key, message).hint(
            "end the prefix before that character; a rule for more objects has this prefix too",
        ));
    }
    Ok(given.value.clone())
}

fn class(key: &str, given: &Spanned<String>) -> Checked<String> {
    if ARCHIVES.iter().any(|(class, _)| *class == given.value) {
        let message = format!(
            "a replica in `{}` must be restored before it can be read, so no probe could be compared",
            given.value
        );
        return Err(Located::at(given.referenced, key, message).hint(
            "use `GLACIER_IR`, or let a lifecycle rule of the destination move replicas on",
        ));
    }
    let known: Vec<(&str, ())> = REPLICA_CLASSES.iter().map(|class| (*class, ())).collect();
    one_of(key, Some(given), &known)?;
    Ok(given.value.clone())
}

/// Validates a priority. S3 accepts any integer; negative ones are refused, because they add
/// nothing.
fn priority(path: &str, given: &Spanned<i64>) -> Checked<i32> {
    let checked = i32::try_from(given.value).ok().filter(|priority| *priority >= 0);
    checked.ok_or_else(|| {
        let message = format!("{}: 0 to {} are allowed; the highest wins", given.value, i32::MAX);
        Located::at(given.referenced, format!("{path}.priority"), message)
    })
}
