//! `apply --ephemeral`: what bears the date, how it is renewed, and that nothing slips from one kind of pair into the other.

use crate::common::{DESTINATION, SOURCE, Stand};
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;

/// Returns the date that each resource of the usual pair bears, by what it is.
pub(super) fn dates(stand: &Stand) -> BTreeMap<String, Option<String>> {
    const TAG: &str = "crrctl:expires";
    let mut dates = BTreeMap::new();
    for (region, bucket) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
        let tags = stand
            .s3(region, async |s3| s3.get_bucket_tagging().bucket(bucket).send().await.unwrap());
        let date = tags.tag_set().iter().find(|tag| tag.key() == TAG);
        dates.insert(bucket.to_owned(), date.map(|tag| tag.value().to_owned()));
        let tags = stand.kms(region, async |kms| {
            let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
            let id = key.key_metadata().unwrap().key_id().to_owned();
            kms.list_resource_tags().key_id(id).send().await.unwrap()
        });
        let date = tags.tags().iter().find(|tag| tag.tag_key() == TAG);
        dates.insert(format!("key/{region}"), date.map(|tag| tag.tag_value().to_owned()));
    }
    let tags = stand.iam(async |iam| {
        iam.list_role_tags().role_name("crrctl-demo-us-east-1").send().await.unwrap()
    });
    let date = tags.tags().iter().find(|tag| tag.key() == TAG);
    dates.insert("role".to_owned(), date.map(|tag| tag.value().to_owned()));
    dates
}

#[test]
fn every_resource_bears_the_date_and_a_second_apply_writes_nothing() {
    let stand = Stand::new();
    let applied = stand.in_process(&["apply", "--yes", "--ephemeral", "2h"]).exits(0).json();
    let expires: Timestamp = applied["expires"].as_str().unwrap().parse().unwrap();
    let left = expires.duration_since(Timestamp::now());
    assert!((7100..=7201).contains(&left.as_secs()), "{expires}");
    let dates = dates(&stand);
    assert_eq!(dates.len(), 5);
    assert!(dates.values().all(|date| date.as_deref() == applied["expires"].as_str()), "{dates:?}");

    let again =
        stand.in_process(&["apply", "--yes", "--no-probe", "--ephemeral", "2h"]).exits(0).json();
    assert_eq!((&again["changed"], &again["api_writes"]), (&false.into(), &0.into()));
    assert_eq!(again["expires"], applied["expires"]);
}

#[test]
fn another_ttl_renews_the_date_everywhere() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe", "--ephemeral", "2h"]).exits(0);
    for ttl in ["1d", "1h"] {
        let args = ["apply", "--yes", "--no-probe", "--ephemeral", ttl];
        let renewed = stand.in_process(&args).exits(0).json();
        let dates = dates(&stand);
        assert!(
            dates.values().all(|date| date.as_deref() == renewed["expires"].as_str()),
            "{dates:?}"
        );
        let left = renewed["expires"].as_str().unwrap().parse::<Timestamp>().unwrap();
        let wanted = Timestamp::now() + if ttl == "1d" { 24.hours() } else { 1.hour() };
        assert!(left.duration_until(wanted).abs().as_secs() < 60, "{ttl}: {left}");
    }
}

#[test]
fn a_plain_apply_makes_an_ephemeral_pair_stay_and_says_so() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe", "--ephemeral", "2h"]).exits(0);
    let plan = stand.in_process(&["plan"]).exits(0).json();
    let updates = plan["changes"].as_array().unwrap().iter().filter(|it| it["action"] == "update");
    let reasons: Vec<&str> = updates.map(|it| it["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["it was ephemeral, and stays from now on"; 5]);

    let args = ["apply", "--yes", "--no-probe", "--name", "demo", "--source", "us-east-1"];
    let text = stand.run(&[&args[..], &["--destination", "us-west-2"]].concat()).exits(0).stdout;
    assert!(text.contains("and stays from now on"), "{text}");
    assert!(dates(&stand).values().all(Option::is_none));
    let again = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0).json();
    assert_eq!((&again["changed"], &again["expires"]), (&false.into(), &serde_json::Value::Null));
}

#[test]
fn a_pair_that_stays_never_becomes_ephemeral() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.calls();
    let refused =
        stand.pair(&["apply", "--yes", "--ephemeral", "1d"]).exits(10).told("pair-stays").json();
    assert_eq!(refused["error"]["code"], "pair-stays");
    assert_eq!(stand.calls()["writes"], 0);
    assert!(dates(&stand).values().all(Option::is_none));

    // One resource that stays is enough: a run that was to make the pair stay was cut off.
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe", "--ephemeral", "1d"]).exits(0);
    stand.iam(async |iam| {
        let untag = iam.untag_role().role_name("crrctl-demo-us-east-1");
        untag.tag_keys("crrctl:expires").send().await.unwrap()
    });
    let _ = stand.in_process(&["apply", "--yes", "--ephemeral", "1d"]).exits(10);
}

#[test]
fn a_ttl_of_nothing_or_for_ever_is_refused() {
    for ttl in ["0s", "10ms", "5", "-1h", "99999999999999d"] {
        let _ = crate::common::alone(&["apply", "--sandbox", "--yes", "--ephemeral", ttl]).exits(3);
    }
}
