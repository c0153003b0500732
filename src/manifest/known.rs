//! The keys that the parser takes, for tests: the schema and `init` know the same.
//! Not for: programs.

use super::check::{ALERT_KEYS, LOGGING_KEYS, RETENTION_KEYS};
use super::raw::{
    Raw, RawAlarm, RawBack, RawBuckets, RawDestination, RawEndpoints, RawKey, RawLifecycle,
    RawPolicy, RawReplication, RawRole, RawSide, keys_of,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Returns every key of a manifest, such as `destinations.back.role`. Those of `pairs` are those at
/// the top.
pub(crate) fn keys() -> BTreeSet<String> {
    let list = |keys: [&str; 2]| keys.map(str::to_owned).to_vec();
    let all = [
        ("", keys_of::<Raw>()),
        ("source.", keys_of::<RawSide>()),
        ("destinations.", keys_of::<RawDestination>()),
        ("source.endpoints.", keys_of::<RawEndpoints>()),
        ("destinations.endpoints.", keys_of::<RawEndpoints>()),
        ("destinations.back.", keys_of::<RawBack>()),
        ("key.", keys_of::<RawKey>()),
        ("buckets.", keys_of::<RawBuckets>()),
        ("buckets.lifecycle.", keys_of::<RawLifecycle>()),
        ("buckets.logging.", list(LOGGING_KEYS)),
        ("buckets.object_lock.", list(RETENTION_KEYS)),
        ("role.", keys_of::<RawRole>()),
        ("replication.", keys_of::<RawReplication>()),
        ("replication.alarm.", keys_of::<RawAlarm>()),
        ("destinations.back.alarm.", keys_of::<RawAlarm>()),
        ("replication.alerts.", list(ALERT_KEYS)),
        ("policy.", keys_of::<RawPolicy>()),
    ];
    let paths = |(path, keys): (&str, Vec<String>)| -> Vec<String> {
        keys.into_iter().map(|key| format!("{path}{key}")).collect()
    };
    all.into_iter().flat_map(paths).collect()
}

/// Adds the keys that a schema names. What it refers to is at the top, and has its keys there.
fn collect(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(format!("{path}{key}"));
        collect(schema, &format!("{path}{key}."), found);
    }
    if path != "pairs." {
        collect_if_there(&schema["items"], path, found);
    }
    for form in ["anyOf", "oneOf"] {
        for schema in schema[form].as_array().into_iter().flatten() {
            collect(schema, path, found);
        }
    }
}

fn collect_if_there(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    if schema.is_object() {
        collect(schema, path, found);
    }
}

#[test]
fn the_schema_knows_the_keys_of_the_parser() {
    let schema: Value = serde_json::from_str(super::SCHEMA).unwrap();
    let mut found = BTreeSet::new();
    collect(&schema, "", &mut found);
    assert_eq!(found, keys(), "what the schema names, and what the parser takes");
}

/// An entry of `pairs` and the defaults beside it take the keys of a manifest of one pair.
#[test]
fn many_pairs_take_the_keys_of_one() {
    let one = keys_of::<Raw>();
    assert_eq!(super::pairs::keys_of_many(), one);
    let but_pairs: Vec<String> = one.into_iter().filter(|key| key != "pairs").collect();
    assert_eq!(super::pairs::keys_of_entry(), but_pairs);
}
