//! The control endpoints: clock, counts, reset.

use super::{ACCOUNT, EAST, OTHER, Stand, WEST};
use crrctl_sandbox::{Options, SECRET, Sandbox};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_finishes_deletions_in_their_order() {
    let stand = Stand::start().await;
    let (primary, replica) = stand.keys().await;
    let (east, west) = (stand.kms(EAST), stand.kms(WEST));
    let scheduled = east
        .schedule_key_deletion()
        .key_id(&primary)
        .pending_window_in_days(7)
        .send()
        .await
        .unwrap();
    assert_eq!(scheduled.key_state().unwrap().as_str(), "PendingReplicaDeletion");
    assert!(scheduled.deletion_date().is_none());
    west.schedule_key_deletion().key_id(&replica).pending_window_in_days(7).send().await.unwrap();

    assert_eq!(stand.control("POST", "clock", r#"{"advance": "8d"}"#).await.0, 200);
    assert!(west.describe_key().key_id(&replica).send().await.is_err());
    let described = east.describe_key().key_id(&primary).send().await.unwrap();
    let metadata = described.key_metadata().unwrap();
    assert_eq!(metadata.key_state().unwrap().as_str(), "PendingDeletion");
    assert!(metadata.deletion_date().is_some());
    assert!(metadata.multi_region_configuration().unwrap().replica_keys().is_empty());

    assert_eq!(stand.control("POST", "clock", r#"{"advance": "7d"}"#).await.0, 200);
    assert!(east.describe_key().key_id(&primary).send().await.is_err());
    assert_eq!(stand.control("POST", "clock", r#"{"advance": 8}"#).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_gone_makes_room_for_another() {
    let stand = Stand::start().await;
    let (primary, replica) = stand.keys().await;
    let (east, west) = (stand.kms(EAST), stand.kms(WEST));
    west.schedule_key_deletion().key_id(&replica).pending_window_in_days(7).send().await.unwrap();
    let again = || east.replicate_key().key_id(&primary).replica_region(WEST).send();
    assert!(again().await.unwrap_err().into_service_error().is_already_exists_exception());
    stand.control("POST", "clock", r#"{"advance": "7d1h"}"#).await;
    again().await.unwrap();
    let described = west.describe_key().key_id(&replica).send().await.unwrap();
    assert_eq!(described.key_metadata().unwrap().key_state().unwrap().as_str(), "Enabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_and_reset_forgets_everything() {
    let stand = Stand::start().await;
    let (_, health) = stand.control("GET", "health", "").await;
    assert_eq!(health["status"], "ok");
    stand.bucket("counted", EAST, true).await;
    stand.s3(EAST).head_bucket().bucket("counted").send().await.unwrap();
    stand.kms(EAST).create_key().send().await.unwrap();
    let (_, calls) = stand.control("GET", "calls", "").await;
    assert_eq!((calls["reads"].as_u64(), calls["writes"].as_u64()), (Some(1), Some(3)));
    assert_eq!(calls["by_operation"]["s3:PutBucketVersioning"], 1);
    assert_eq!(stand.control("POST", "calls/reset", "").await.0, 200);
    assert_eq!(stand.control("GET", "calls", "").await.1["writes"], 0);
    assert_eq!(stand.sandbox.leftovers().len(), 2);
    assert_eq!(stand.control("POST", "reset", "").await.0, 200);
    assert!(stand.sandbox.leftovers().is_empty());
    assert_eq!(stand.control("GET", "nothing", "").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_is_apart_and_every_region_answers_for_iam() {
    let stand = Stand::start().await;
    for (account, region, arn) in [
        (ACCOUNT, EAST, "arn:aws:iam::111122223333:root"),
        (OTHER, "cn-north-1", "arn:aws-cn:iam::444455556666:root"),
    ] {
        let identity =
            stand.sts(account, SECRET, region).get_caller_identity().send().await.unwrap();
        assert_eq!((identity.account(), identity.arn()), (Some(account), Some(arn)));
    }
    let key = stand.kms(EAST).create_key().send().await.unwrap();
    assert!(key.key_metadata().is_some());
    let others = stand.kms_as(OTHER, SECRET, EAST).list_keys().send().await.unwrap();
    assert!(others.keys().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn latency_is_added_to_aws_requests_alone() {
    let latency = Duration::from_millis(80);
    let options = Options { latency, ..Options::default() };
    let stand = Stand { sandbox: Sandbox::start(options).await.unwrap() };
    let started = Instant::now();
    stand.kms(EAST).list_keys().send().await.unwrap();
    assert!(started.elapsed() >= latency);
    stand.control("GET", "health", "").await;
    let (_, calls) = stand.control("GET", "calls", "").await;
    assert_eq!((calls["reads"].as_u64(), calls["writes"].as_u64()), (Some(1), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_sandbox_listens_no_more() {
    let stand = Stand::start().await;
    let address = stand.sandbox.address();
    stand.s3(EAST).list_buckets().send().await.unwrap();
    drop(stand);
    for attempt in 0.. {
        if tokio::net::TcpStream::connect(address).await.is_err() {
            return;
        }
        assert!(attempt < 500, "still listening");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_sandbox_does_not_wait_for_half_a_request() {
    use tokio::io::AsyncWriteExt;
    let stand = Stand::start().await;
    let mut stream = tokio::net::TcpStream::connect(stand.sandbox.address()).await.unwrap();
    let half = b"PUT /b/k HTTP/1.1\r\nhost: sandbox\r\ncontent-length: 10\r\n\r\nhalf";
    stream.write_all(half).await.unwrap();
    let stopped = tokio::time::timeout(Duration::from_secs(10), stand.sandbox.stop()).await;
    assert!(stopped.is_ok());
}
