//! `list`: the pairs of an account by their tags, from wherever they can be seen, and what can't be read.

use super::{FUTURE, PAST, bucket, key, role, tags};
use crate::common::{DESTINATION, SOURCE, Stand, finished};
use serde_json::{Value, json};

/// Returns the pair `name` of what `list` printed.
fn pair(list: &Value, name: &str) -> Value {
    let mut pairs = list["pairs"].as_array().unwrap().iter();
    pairs.find(|pair| pair["name"] == name).unwrap().clone()
}

#[test]
fn pairs_are_found_by_their_tags_without_a_manifest() {
    let stand = Stand::new();
    let nothing = stand.run(&["list", "-o", "json"]).exits(0).json();
    assert_eq!((&nothing["schema"], &nothing["pairs"]), (&json!("crrctl/list/v1"), &json!([])));
    let _ = stand.in_process(&["apply", "--yes", "--no-probe", "--ephemeral", "1d"]).exits(0);
    bucket(&stand, "eu-west-1", "theirs", &[("team".to_owned(), "storage".to_owned())]);
    bucket(&stand, "eu-west-1", "kept-source", &tags("kept", None));
    stand.calls();

    let list = stand.run(&["list", "-o", "json"]).exits(0).json();
    assert_eq!(stand.calls()["writes"], 0);
    assert_eq!(list["pairs"].as_array().unwrap().len(), 2);
    let demo = pair(&list, "demo");
    assert_eq!(demo["id"], "111122223333/us-east-1/demo-111122223333-us-east-1");
    assert_eq!(demo["state"], "ephemeral");
    assert!(demo["expires"].is_string());
    assert_eq!(demo["destinations"], json!([{"region": "us-west-2", "bucket": DESTINATION}]));
    let mut kinds: Vec<&str> = demo["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["iam:role", "kms:key", "kms:replica-key", "s3:bucket", "s3:bucket"]);
    assert_eq!(pair(&list, "kept")["state"], "live");
    assert_eq!(list["unread"], json!([]));

    let text = stand.run(&["list"]).exits(0).stdout;
    assert!(text.contains("ephemeral, ") && !text.contains("theirs"), "{text}");
}

#[test]
fn a_pair_whose_keys_alone_remain_is_going() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
    let list = stand.run(&["list", "-o", "json"]).exits(0).json();
    let demo = pair(&list, "demo");
    assert_eq!((&demo["state"], &demo["expires"]), (&json!("going"), &Value::Null));
    let keys = demo["resources"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    let replica = keys.iter().find(|key| key["kind"] == "kms:replica-key").unwrap();
    assert!(replica["deletes_not_before"].is_string(), "{replica}");
    let text = stand.run(&["list"]).exits(0).stdout;
    assert!(text.contains("us-east-1 (no bucket)") && text.contains("2 going"), "{text}");
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let text = stand.run(&["list"]).exits(0).stdout;
    assert!(text.contains(SOURCE) && text.contains("5, 2 going"), "{text}");
}

#[test]
fn a_region_that_nothing_tells_of_is_looked_at_where_it_is_asked_for() {
    let stand = Stand::new();
    key(&stand, "ap-south-1", &[], &tags("lone", Some(PAST)));
    role(&stand, "somewhere", &tags("other", Some(FUTURE)));
    let list = stand.run(&["list", "-o", "json"]).exits(0).json();
    assert_eq!(list["regions"], json!(["us-east-1"]), "the role's source, and the default");
    assert_eq!(list["pairs"].as_array().unwrap().len(), 1);
    for args in
        [&["list", "--regions", "ap-south-1,eu-west-1"][..], &["list", "--regions=ap-south-1"]]
    {
        let list = stand.run(&[args, &["-o", "json"]].concat()).exits(0).json();
        assert_eq!(pair(&list, "lone")["state"], "expired");
    }
    let mut command = stand.command(&["list", "-o", "json"]);
    let list = finished(command.env("AWS_REGION", "ap-south-1")).exits(0).json();
    assert_eq!(pair(&list, "lone")["state"], "expired");
    let _ = stand.run(&["list", "--regions", "mars"]).exits(3);
}

#[test]
fn a_pair_is_followed_to_its_other_regions() {
    let stand = Stand::new();
    key(&stand, "us-east-1", &["eu-west-1", "ap-south-1"], &tags("demo", None));
    let list = stand.run(&["list", "--regions", "eu-west-1", "-o", "json"]).exits(0).json();
    assert_eq!(list["regions"], json!(["ap-south-1", "eu-west-1", "us-east-1"]));
    assert_eq!(pair(&list, "demo")["resources"].as_array().unwrap().len(), 3);
}

#[test]
fn what_cannot_be_read_is_told() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    bucket(&stand, "us-east-1", "halved", &tags("demo", None)[..1]);
    let (id, secret) = stand.iam(async |iam| {
        iam.create_user().user_name("lister").send().await.unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "kms:*", "Resource": "*",
             "Condition": {"StringEquals": {"aws:RequestedRegion": "us-west-2"}}},
            {"Effect": "Deny", "Action": "s3:GetBucketTagging", "Resource": format!("arn:aws:s3:::{DESTINATION}")},
        ]});
        let put = iam.put_user_policy().user_name("lister").policy_name("most");
        put.policy_document(policy.to_string()).send().await.unwrap();
        let key = iam.create_access_key().user_name("lister").send().await.unwrap();
        let key = key.access_key().unwrap();
        (key.access_key_id().to_owned(), key.secret_access_key().to_owned())
    });
    let list = |args: &[&str]| {
        let mut command = stand.command(&[&["list", "-o", "json"], args].concat());
        command.env("AWS_ACCESS_KEY_ID", &id).env("AWS_SECRET_ACCESS_KEY", &secret);
        finished(&mut command)
    };
    let output = list(&[]).exits(0).json();
    let unread: Vec<(&str, u64)> = output["unread"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["operation"].as_str().unwrap(), it["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(unread, [("s3:GetBucketTagging", 1), ("kms:ListKeys", 0), ("tags", 1)], "{output}");
    assert_eq!(output["unread"][1]["region"], "us-west-2");
    assert_eq!(output["unread"][2]["names"], json!(["arn:aws:s3:::halved"]));
    assert_eq!(pair(&output, "demo")["resources"].as_array().unwrap().len(), 3);
    // Asked for by name, a Region that can't be read is a failure, after what could be read.
    let output = list(&["--regions", "us-east-1,us-west-2"]).exits(5).json();
    assert_eq!(output["error"]["region"], "us-west-2");
    assert_eq!(output["pairs"].as_array().unwrap().len(), 1);
}
