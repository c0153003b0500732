//! Two pairs of one name in other places: neither touches what is the other's.

use crate::common::Stand;
use serde_json::{Value, json};

const FIRST: &str =
    "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";

/// Pairs of the same name that would share a thing with the first, each by another.
const OTHERS: [(&str, &str); 4] = [
    (
        "another source bucket",
        "source: {region: us-east-1, bucket: mine-a}\ndestinations: [{region: us-west-2, bucket: mine-b}]\n",
    ),
    (
        "another source bucket, a role and an alias of its own, the same destination",
        "source: {region: us-east-1, bucket: mine-a}\ndestinations: [{region: us-west-2}]\nrole: {name: mine}\nkey: {alias: alias/mine}\n",
    ),
    (
        "another Region with the same destination",
        "source: {region: eu-west-1}\ndestinations: [{region: us-west-2}]\n",
    ),
    (
        "another source bucket and a role of its own, the same alias",
        "source: {region: us-east-1, bucket: mine-a}\ndestinations: [{region: us-west-2, bucket: mine-b}]\nrole: {name: mine}\n",
    ),
];

#[test]
fn pairs_of_one_name_never_touch_each_other_s_things() {
    let stand = Stand::new();
    let _ = stand.manifest(&["apply", "--yes", "--no-probe"], FIRST).exits(0);
    let before = stand.leftovers();
    for (what, text) in OTHERS {
        let other = format!("name: demo\n{text}");
        stand.calls();
        let refused = stand.manifest(&["apply", "--yes", "-o", "json"], &other).exits(10).json();
        let code = refused["error"]["code"].as_str().unwrap();
        assert!(code.ends_with("-not-ours"), "{what}: {refused:#}");
        assert_eq!(stand.calls()["writes"], 0, "{what}");
        let args = ["destroy", "--yes", "--purge-data", "--purge-keys", "-o", "json"];
        let destroyed = stand.manifest(&args, &other);
        assert!([9, 10].contains(&destroyed.code), "{what}: {destroyed}");
        let removed: Value = destroyed.json()["removed"].clone();
        assert!(removed.is_null() || removed == json!([]), "{what}: {removed}");
        assert_eq!(
            (stand.calls()["writes"].as_u64(), stand.leftovers()),
            (Some(0), before.clone()),
            "{what}"
        );
    }
    let _ = stand.manifest(&["plan", "--detailed-exitcode"], FIRST).exits(0);
}
