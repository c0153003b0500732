//! What the sandbox takes on at most: bytes in buckets, and time that slow clients may take, over
//! raw sockets with short limits.

use super::{EAST, Stand, WEST, refused, rule};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use crrctl_sandbox::{Limits, Options, Patience};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn buckets_hold_no_more_than_they_may() {
    let limits = Limits { object: 1000, bucket: 5000, total: 9000, ..Limits::default() };
    let stand = Stand::with(Options { limits, ..Options::default() }).await;
    for bucket in ["one", "two", "three"].map(|name| format!("bucket-{name}")) {
        stand.bucket(&bucket, EAST, true).await;
    }
    let s3 = stand.s3(EAST);
    let put = |bucket: &str, size: usize| {
        s3.put_object().bucket(bucket).key("k").body(ByteStream::from(vec![0; size]))
    };
    let first = put("bucket-one", 900).send().await.unwrap();
    put("bucket-one", 900).send().await.unwrap();
    refused! {
        "EntityTooLarge" 400 "at most 1000 bytes" put("bucket-one", 1001);
        "SandboxFull" 507 "bucket bucket-one would hold more than 5000 bytes" put("bucket-one", 900);
    }
    let delete = s3.delete_object().bucket("bucket-one").key("k");
    delete.version_id(first.version_id().unwrap()).send().await.unwrap();
    put("bucket-one", 900).send().await.unwrap();

    // Parts count while they are there, and what they are joined to is one object.
    let upload = s3.create_multipart_upload().bucket("bucket-two").key("k").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let part = |number: i32, size: usize| {
        let part = s3.upload_part().bucket("bucket-two").key("k").upload_id(id).part_number(number);
        part.body(ByteStream::from(vec![0; size]))
    };
    let tag = part(1, 900).send().await.unwrap().e_tag.unwrap();
    part(1, 900).send().await.unwrap();
    let tag_two = part(2, 900).send().await.unwrap().e_tag.unwrap();
    let parts = [(1, &tag), (2, &tag_two)]
        .map(|(number, tag)| CompletedPart::builder().part_number(number).e_tag(tag).build());
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build();
    let complete = s3.complete_multipart_upload().bucket("bucket-two").key("k").upload_id(id);
    refused! {
        "SandboxFull" 507 "bucket-two" part(3, 900);
        "EntityTooSmall" 400 "" complete.multipart_upload(parts);
        "SandboxFull" 507 "all buckets together would hold more than 9000 bytes" put("bucket-three", 900);
    }
    let abort = s3.abort_multipart_upload().bucket("bucket-two").key("k").upload_id(id);
    abort.send().await.unwrap();
    put("bucket-three", 900).send().await.unwrap();
    put("bucket-two", 900).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_destination_fails_the_replication_and_says_so() {
    let limits = Limits { bucket: 4500, ..Limits::default() };
    let stand = Stand::with(Options { limits, ..Options::default() }).await;
    stand.bucket("room-src", EAST, true).await;
    stand.bucket("room-dst", WEST, true).await;
    stand.role().await;
    stand.replicate("room-src", [rule("one", 1, "room-dst", None).build().unwrap()]).await;
    let s3 = stand.s3(WEST);
    for size in [900, 1500] {
        let put = s3.put_object().bucket("room-dst").key("own");
        put.body(ByteStream::from(vec![0; size])).send().await.unwrap_or_else(|e| panic!("{e:?}"));
    }
    let version = stand.put("room-src", "k").await;
    let status = stand.settled("room-src", "k", &version).await;
    assert_eq!(status.as_deref(), Some("FAILED"));
    assert_eq!(stand.reason(&version).await.as_deref(), Some("SandboxFull"));
}

/// Sends bytes, piece by piece, then waits for the server to close, and returns what it said and
/// how long that took.
async fn patience_with(
    address: std::net::SocketAddr,
    pieces: &[&[u8]],
    every: Duration,
) -> (String, Duration) {
    // The server's clock starts when it accepts, so this one starts before.
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut from, mut to) = stream.split();
    let send = async {
        for piece in pieces {
            if to.write_all(piece).await.is_err() {
                break;
            }
            tokio::time::sleep(every).await;
        }
    };
    let mut answer = Vec::new();
    let read = async {
        // A reset is an end like any other.
        let _ = from.read_to_end(&mut answer).await;
        began.elapsed()
    };
    let ended = tokio::select! {
        ended = async { tokio::join!(send, read).1 } => ended,
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("the connection stays open"),
    };
    (String::from_utf8_lossy(&answer).into_owned(), ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_and_half_sent_requests_are_cut_off() {
    let short = Duration::from_secs(1);
    let patience = Patience { head: short, stall: short, body: 2 * short };
    let stand = Stand::with(Options { patience, ..Options::default() }).await;
    let address = stand.sandbox.address();
    let head = b"PUT /b/k HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n";
    let drip: Vec<&[u8]> = std::iter::once(&head[..]).chain(vec![&b"x"[..]; 80]).collect();
    let health = b"GET /_crrctl/health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let (once, often) = (Duration::ZERO, Duration::from_millis(50));
    let (start, stall): ([&[u8]; 1], [&[u8]; 2]) = ([b"GET / HTTP/1.1\r\nho"], [head, b"half"]);
    let whole: [&[u8]; 1] = [health];
    let (idle, half, kept, stalled, dripping) = tokio::join!(
        patience_with(address, &[], once),
        patience_with(address, &start, once),
        patience_with(address, &whole, once),
        patience_with(address, &stall, once),
        patience_with(address, &drip, often),
    );
    for (what, (_, took)) in [("idle", &idle), ("half a head", &half), ("kept", &kept)] {
        assert!(*took >= short, "{what}: {took:?}");
    }
    assert_eq!((idle.0.as_str(), half.0.as_str()), ("", ""));
    assert!(kept.0.starts_with("HTTP/1.1 200"), "{}", kept.0);
    assert!(stalled.0.starts_with("HTTP/1.1 400") && stalled.1 >= short, "{stalled:?}");
    assert!(stalled.0.contains("<Code>RequestTimeout</Code>"), "{stalled:?}");
    // Who goes on sending may see a reset in place of the answer.
    let told = dripping.0.is_empty() || dripping.0.contains("<Code>RequestTimeout</Code>");
    assert!(told && dripping.1 >= 2 * short, "{dripping:?}");
    // Each was let go of: the workers and the connection that asks are all that is left.
    let began = Instant::now();
    while stand.control("GET", "health", "").await.1["tasks"] != 4 {
        assert!(began.elapsed() < Duration::from_secs(20), "a connection stays");
        tokio::task::yield_now().await;
    }
}
