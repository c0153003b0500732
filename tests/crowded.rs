//! Accounts with many keys, roles and buckets of others: the reads of one pair do not grow with them.
//! Not for: how long the reads take (see `benches`).

use crate::common::{Stand, s3};
use crate::survival::is_thorough;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use futures::stream::{self, StreamExt};
use std::collections::BTreeMap;

/// The most reads that a run of one pair makes for what others have.
const MORE: u64 = 100;
const REGIONS: [&str; 2] = ["us-east-1", "us-west-2"];
/// The runs, in the order in which they are made. The first builds the pair.
const RUNS: [&[&str]; 6] = [
    &["apply", "--yes", "--no-probe"],
    &["apply", "--yes", "--no-probe"],
    &["plan"],
    &["check"],
    &["status"],
    &["destroy", "--yes"],
];

/// How much others have: keys in both Regions together, roles, and buckets.
struct Others {
    keys: usize,
    roles: usize,
    buckets: usize,
}

#[test]
fn the_reads_of_a_pair_do_not_grow_with_the_account() {
    // By day a tenth: a walk over the keys, the roles or the buckets would still be seen.
    let others = if is_thorough() {
        Others { keys: 5000, roles: 990, buckets: 900 }
    } else {
        Others { keys: 500, roles: 150, buckets: 150 }
    };
    let (empty, crowded) = (Stand::new(), Stand::new());
    crowd(&crowded, &others);
    let (alone, among_others) = (reads(&empty), reads(&crowded));
    for (index, run) in RUNS.iter().enumerate() {
        let (before, after) = (alone[index], among_others[index]);
        println!("{run:?}: {before} reads in an empty account, {after} in a crowded one");
        // Whether a key is to be created depends on the tags of every key.
        assert!(index == 0 || after <= before + MORE, "{run:?}: {before} reads became {after}");
    }
}

/// A key that an interrupted run left beside the pair's own is found and scheduled in a crowded
/// account too.
#[test]
fn a_spare_key_is_found_among_many() {
    for denied in [false, true] {
        let stand = Stand::new();
        crowd(&stand, &Others { keys: 130, roles: 0, buckets: 0 });
        let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
        let spare = stand.kms("us-east-1", async |kms| {
            let tags = [
                ("crrctl:pair", "demo"),
                ("crrctl:id", "111122223333/us-east-1/demo-111122223333-us-east-1"),
            ];
            create_key(&kms, &tags).await
        });
        if denied {
            stand.faults(&["tagging:GetResources:error=AccessDeniedException"]);
        }
        let output = stand.pair(&["destroy", "--yes"]).exits(0);
        let keys = output.json()["keys"].to_string();
        assert!(keys.contains(&spare), "{denied}: {spare} is not among {keys}");
        let asked = stand.calls()["by_operation"]["tagging:GetResources"].as_u64();
        // A call that a fault answers is not counted.
        assert!(denied || asked.is_some_and(|count| count > 0), "the index was not asked");
    }
}

/// Makes each run in turn and returns its number of reads.
fn reads(stand: &Stand) -> Vec<u64> {
    RUNS.map(|run| {
        stand.control("POST", "calls/reset", "");
        let _ = stand.pair(run).exits(0);
        stand.calls()["reads"].as_u64().unwrap()
    })
    .to_vec()
}

/// Gives the account things of others, as multi-Region keys, which could be the pair's by their ids.
fn crowd(stand: &Stand, others: &Others) {
    for region in REGIONS {
        stand.kms(region, async |kms| {
            let keys = (0..others.keys / REGIONS.len()).map(|_| create_key(&kms, &[("team", "x")]));
            stream::iter(keys).buffer_unordered(8).collect::<Vec<_>>().await;
        });
    }
    stand.iam(async |iam| {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let roles = (0..others.roles).map(|n| {
            let role = iam.create_role().role_name(format!("theirs-{n}"));
            role.assume_role_policy_document(trust).send()
        });
        stream::iter(roles).buffer_unordered(8).for_each(async |it| drop(it.unwrap())).await;
    });
    let clients: BTreeMap<_, _> =
        REGIONS.iter().map(|region| (*region, s3(stand.endpoint(), region))).collect();
    stand.wait(async {
        let buckets = (0..others.buckets).map(|n| {
            let region = REGIONS[n % REGIONS.len()];
            let place = (region != "us-east-1").then(|| {
                let place = BucketLocationConstraint::from(region);
                CreateBucketConfiguration::builder().location_constraint(place).build()
            });
            let bucket = clients[region].create_bucket().bucket(format!("theirs-{n}"));
            bucket.set_create_bucket_configuration(place).send()
        });
        stream::iter(buckets).buffer_unordered(8).for_each(async |it| drop(it.unwrap())).await;
    });
}

/// Creates a multi-Region key and returns its id.
async fn create_key(kms: &aws_sdk_kms::Client, tags: &[(&str, &str)]) -> String {
    let tag = |(key, value): &(&str, &str)| {
        aws_sdk_kms::types::Tag::builder().tag_key(*key).tag_value(*value).build().unwrap()
    };
    let tags = tags.iter().map(tag).collect();
    let made = kms.create_key().multi_region(true).set_tags(Some(tags)).send().await.unwrap();
    made.key_metadata().unwrap().key_id().to_owned()
}

/// `list` and `gc` say how far they are.
#[test]
fn a_long_search_tells_how_far_it_is() {
    let stand = Stand::new();
    crowd(&stand, &Others { keys: 520, roles: 0, buckets: 0 });
    let regions = ["--regions", "us-east-1,us-west-2"];
    for command in [&["list"][..], &["gc", "--yes"]] {
        let told = stand.run(&[command, &regions].concat()).exits(0).stderr;
        assert!(told.contains("search   500 of 520 keys, buckets and roles read"), "{told}");
    }
    let events = stand.run(&["list", "-o", "ndjson", "--regions", "us-east-1,us-west-2"]).exits(0);
    assert!(
        events.stdout.contains(r#"{"event":"search.progress","read":250,"known":"#),
        "{events}"
    );
}
