//! Replication as the role: one thing is broken at a time, the object is FAILED with AWS's reason,
//! and all else is COMPLETED.

mod accounts;
mod changes;
mod locks;

use super::breakers::{
    Break, DESTINATION, KEY_ACTIONS, Pair, SOURCE, for_role, owner, role_policy,
};
use super::{EAST, Stand, WEST, rule};
use aws_sdk_s3::primitives::ByteStream;
use crrctl_sandbox::Options;
use serde_json::{Value, json};

impl Pair {
    /// Builds a pair whose role has just what it needs, by the stricter reading of the Guide (see
    /// `guide`).
    async fn new() -> Self {
        let stand = strict().await;
        let (primary, replica) = stand.keys().await;
        for (bucket, region, key) in [(SOURCE, EAST, &primary), (DESTINATION, WEST, &replica)] {
            stand.bucket(bucket, region, true).await;
            stand.encrypt(bucket, region, key).await;
        }
        stand.role().await;
        let put = stand.iam().put_role_policy().role_name("replication");
        let policy = role_policy(&primary, &replica).to_string();
        put.policy_name("replication").policy_document(policy).send().await.unwrap();
        let markers = aws_sdk_s3::types::DeleteMarkerReplication::builder()
            .status(aws_sdk_s3::types::DeleteMarkerReplicationStatus::Enabled)
            .build();
        let own = rule("one", 1, DESTINATION, Some(&replica)).delete_marker_replication(markers);
        stand.replicate(SOURCE, [own.build().unwrap()]).await;
        Self::of(stand, primary, replica).await
    }

    /// Breaks one thing at a time and looks how an object fares, then how it fares with all of them
    /// mended.
    async fn each(&self, what: &str, breaks: &[Break]) {
        self.expect("the whole pair", None).await;
        for it in breaks {
            self.breaks(&it.how).await;
            self.expect(&it.what, it.reason).await;
            if let Some(reason) = it.marker {
                let expected = ("FAILED".to_owned(), Some(reason.to_owned()));
                assert_eq!(self.marker().await, expected, "{}", it.what);
            }
            self.mends(&it.how).await;
        }
        count(what, breaks.len());
    }

    /// Uploads a tagged object and returns how it went.
    async fn outcome(&self) -> (String, Option<String>) {
        let s3 = self.stand.s3(EAST);
        let put = s3.put_object().bucket(SOURCE).key("a/b").tagging("team=storage");
        let put = put.body(ByteStream::from_static(b"hello")).send().await.unwrap();
        let version = put.version_id().unwrap();
        let status = self.stand.settled(SOURCE, "a/b", version).await;
        (status.unwrap_or_default(), self.stand.reason(version).await)
    }

    /// Deletes the object and returns how its delete marker went.
    async fn marker(&self) -> (String, Option<String>) {
        let s3 = self.stand.s3(EAST);
        let gone = s3.delete_object().bucket(SOURCE).key("a/b").send().await.unwrap();
        let version = gone.version_id().unwrap();
        for _ in 0..500 {
            let (_, log) = self.stand.control("GET", "replication", "").await;
            let found =
                log.as_array().unwrap().iter().rfind(|r| r["version_id"] == version).cloned();
            if let Some(record) = found.filter(|record| record["status"] != "PENDING") {
                let reason = record["failure_reason"].as_str().map(String::from);
                return (record["status"].as_str().unwrap().to_owned(), reason);
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        panic!("the delete marker stayed PENDING");
    }

    async fn expect(&self, what: &str, reason: Option<&str>) {
        let status = if reason.is_some() { "FAILED" } else { "COMPLETED" };
        let expected = (status.to_owned(), reason.map(String::from));
        assert_eq!(self.outcome().await, expected, "{what}");
    }
}

/// Starts a sandbox that needs the permissions for tags.
async fn strict() -> Stand {
    let quirks = vec!["strict-tags".parse().unwrap()];
    Stand::with(Options { quirks, ..Options::default() }).await
}

/// Prints how many things were broken; a test that broke none has failed.
#[expect(clippy::print_stderr, reason = "the count is for whoever reads the test's output")]
fn count(what: &str, broken: usize) {
    assert!(broken > 0);
    eprintln!("{what}: {broken} broken, one at a time");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_action_of_the_role_is_needed() {
    let pair = Pair::new().await;
    pair.expect("the whole policy", None).await;
    assert_eq!(pair.marker().await, ("COMPLETED".to_owned(), None));
    pair.each("actions of the role", &pair.actions()).await;
    pair.expect("the whole policy again", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_condition_of_the_role_must_fit() {
    let pair = Pair::new().await;
    pair.each("conditions of the role", &pair.conditions()).await;
    pair.expect("the conditions as they were", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_statement_of_a_key_is_needed() {
    let pair = Pair::new().await;
    pair.each("statements of keys", &Pair::key_statements()).await;
    pair.expect("the keys let the account decide", None).await;
    // Without the account as principal, the key policy alone decides.
    let text = |statements: Vec<Value>| {
        json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    };
    pair.key_policy(EAST, &text(vec![owner(), for_role("kms:Decrypt")])).await;
    let all = [owner()].into_iter().chain(KEY_ACTIONS.into_iter().map(for_role));
    pair.key_policy(WEST, &text(all.collect())).await;
    pair.expect("the keys name the role", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_is_needed() {
    let pair = Pair::new().await;
    pair.each("trust", &Pair::trusts_broken()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_states_of_keys_and_buckets_count() {
    let pair = Pair::new().await;
    pair.each("states of keys and buckets", &pair.states().await).await;
    pair.expect("all is well again", None).await;
}
