//! What the sandbox bears: small S3 calls a second on one core, ten thousand objects replicated, five minutes of trouble.
//!
//! ```sh
//! cargo bench --bench sandbox                    # rate and replication
//! cargo bench --bench sandbox -- soak [SECONDS]  # five minutes unless told otherwise
//! ```
//!
//! The server is the binary itself (or the one that `CRRCTL` names) in a process of its own, on the first processor; the clients have the second. Each part ends with
//! a line of figures, and the process with 1 where one is beyond its bound. Not for: what the answers say, which tests look at.

#![expect(clippy::unwrap_used, reason = "what can't be set up ends the benchmark")]
#![expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]

#[path = "sandbox/client.rs"]
mod client;
mod process;
#[path = "sandbox/server.rs"]
mod server;
#[path = "sandbox/soak.rs"]
mod soak;

use client::{Connection, Signer};
use server::Server;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Requests a second that one core must bear.
const LEAST_RATE: f64 = 2_000.0;

/// Clients that call at once.
const CLIENTS: usize = 4;

/// Objects that are replicated, and how long each is.
const OBJECTS: usize = 10_000;
const SIZE: usize = 16 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    server::pin_client();
    let well = match arguments.first().map(String::as_str) {
        Some("soak") => {
            let seconds = arguments.get(1).map_or(Ok(300), |seconds| seconds.parse());
            soak::run(Duration::from_secs(seconds.unwrap()))
        }
        _ => rate() & replication(),
    };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Small calls, each kind by itself and all in turn.
fn rate() -> bool {
    let server = Server::start(&[]);
    let mut connection = Connection::new(server.address);
    let s3 = Signer::s3("us-east-1");
    assert_eq!(connection.call(&s3.request("PUT", "/rate", &[], b"")).unwrap().0, 200);
    let body = vec![b'x'; 1024];
    let keys = |method: &str, body: &[u8]| -> Vec<Vec<u8>> {
        (0..500).map(|n| s3.request(method, &format!("/rate/key-{n}"), &[], body)).collect()
    };
    let kinds = [
        ("PutObject 1 KiB", keys("PUT", &body)),
        ("GetObject 1 KiB", keys("GET", b"")),
        ("HeadObject", keys("HEAD", b"")),
        ("HeadBucket", vec![s3.request("HEAD", "/rate", &[], b"")]),
        ("GetBucketVersioning", vec![s3.request("GET", "/rate?versioning=", &[], b"")]),
        ("ListObjectsV2 of 10", vec![s3.request("GET", "/rate?list-type=2&max-keys=10", &[], b"")]),
    ];
    for (name, requests) in &kinds {
        measure(&server, name, requests, Duration::from_secs(4));
    }
    let all: Vec<Vec<u8>> = (0..500)
        .flat_map(|n| kinds.iter().map(move |(_, requests)| requests[n % requests.len()].clone()))
        .collect();
    let rate = measure(&server, "all in turn", &all, Duration::from_secs(10));
    rate >= LEAST_RATE
}

/// Calls for a while from all clients at once and prints how it went.
fn measure(server: &Server, name: &str, requests: &[Vec<u8>], time: Duration) -> f64 {
    let (cpu, began) = (server.cpu(), Instant::now());
    let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
        let clients = (0..CLIENTS).map(|client| {
            scope.spawn(move || {
                let mut connection = Connection::new(server.address);
                let mut latencies = Vec::new();
                let mut next = client * requests.len() / CLIENTS;
                while began.elapsed() < time {
                    let sent = Instant::now();
                    let (status, _) = connection.call(&requests[next % requests.len()]).unwrap();
                    assert_eq!(status, 200, "{name}");
                    latencies.push(sent.elapsed());
                    next += 1;
                }
                latencies
            })
        });
        let clients: Vec<_> = clients.collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let elapsed = began.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |percent: usize| latencies[latencies.len() * percent / 100].as_secs_f64() * 1e3;
    let calls = f64::from(u32::try_from(latencies.len()).unwrap());
    let rate = calls / elapsed;
    let busy = server.cpu().saturating_sub(cpu).as_secs_f64();
    println!(
        "rate: {name}: {rate:.0}/s, p50 {:.2} ms, p99 {:.2} ms, server's processor {:.0} % busy, {:.0}/s of its time",
        at(50),
        at(99),
        busy / elapsed * 100.0,
        calls / busy
    );
    rate
}

/// Puts objects that replicate under KMS and compares what the server grew by with what was put.
fn replication() -> bool {
    let server = Server::start(&[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(server.pair(true));
    let before = server.memory();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let address = server.address;
            scope.spawn(move || {
                let s3 = Signer::s3("us-east-1");
                let mut connection = Connection::new(address);
                for n in (client..OBJECTS).step_by(CLIENTS) {
                    let body: Vec<u8> = (0..SIZE).map(|_| fastrand::u8(..)).collect();
                    let put = s3.request("PUT", &format!("/source/object-{n}"), &[], &body);
                    assert_eq!(connection.call(&put).unwrap().0, 200);
                }
            });
        }
    });
    let put = began.elapsed();
    let records = loop {
        let records = server.replication();
        if records.iter().all(|record| record["status"] != "PENDING") {
            break records;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let done = began.elapsed();
    let completed = records.iter().filter(|record| record["status"] == "COMPLETED").count();
    let (grown, size) = (server.memory().saturating_sub(before), OBJECTS * SIZE);
    println!(
        "replication: {completed} of {OBJECTS} objects of {SIZE} bytes: put in {:.1} s, replicated after {:.1} s; {} MiB put, the server grew by {} MiB",
        put.as_secs_f64(),
        done.as_secs_f64(),
        size >> 20,
        grown >> 20
    );
    // Source and replica are two objects.
    completed == OBJECTS && grown <= 2 * size
}
