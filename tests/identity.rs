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
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], FIRST).exits(0);
    let before = stand.leftovers();
    for (what, text) in OTHERS {
        let other = format!("name: demo\n{text}");
        stand.calls();
        let refused =
            stand.in_process_with(&["apply", "--yes", "-o", "json"], &other).exits(10).json();
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
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], FIRST).exits(0);
}

/// After `PutBucketTagging` was answered, reads may show no tags for a while. One that does not is no evidence against the pair.
#[test]
fn tags_that_do_not_show_yet_make_no_stranger_of_a_bucket() {
    let stand = Stand::new();
    let late = ["s3:GetBucketTagging:error=NoSuchTagSet:times=7"];
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], FIRST).exits(0);
    let found_again = || {
        for args in [&["plan", "--detailed-exitcode"][..], &["apply", "--yes", "--no-probe"]] {
            stand.faults(&late);
            stand.calls();
            let _ = stand.in_process_with(args, FIRST).exits(0);
            assert_eq!(stand.calls()["writes"], 0, "{args:?}");
        }
    };
    // An empty bucket may be one that was just made; for one that holds something the key vouches.
    found_again();
    stand.put_theirs("theirs");
    found_again();
    stand.faults(&late);
    let _ = stand.in_process_with(&["destroy", "--yes", "--purge-data"], FIRST).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// A bucket with settings and without tags is somebody else's: so a run that is cut off must not leave one behind.
#[test]
fn settings_wait_until_the_tags_of_a_new_bucket_show() {
    let stand = Stand::new();
    stand.faults(&["s3:GetBucketTagging:error=NoSuchTagSet:times=6"]);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], FIRST).exits(0);
    let calls = &stand.calls()["by_operation"];
    assert_eq!(calls["s3:PutBucketTagging"], Value::Null, "they took with CreateBucket");
    assert_eq!(calls["s3:PutBucketPolicy"], 2);

    let stand = Stand::new();
    stand.faults(&["s3:GetBucketTagging:error=NoSuchTagSet"]);
    let _ =
        stand.in_process_with(&["apply", "--yes", "--no-probe", "--timeout", "8s"], FIRST).exits(7);
    let calls = &stand.calls()["by_operation"];
    for setting in ["PublicAccessBlock", "BucketPolicy", "BucketEncryption", "BucketReplication"] {
        assert_eq!(calls[format!("s3:Put{setting}")], Value::Null, "{setting}");
    }
}
