//! Clients that put, read, delete, stop half-way and meet injected faults, for minutes; then nothing of it may be left.

use super::client::{Connection, Signer};
use super::server::Server;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What goes wrong: each kind of fault in turn, over and over while the counts last.
const FAULTS: [&str; 8] = [
    "s3:PutObject:throttle:after=100:times=2000",
    "s3:GetObject:reset:after=500:times=2000",
    "s3:PutObject:lost-reply:after=3000:times=2000",
    "s3:HeadObject:hang:after=1000:times=40",
    "s3:DeleteObject:delay=50ms:after=100:times=5000",
    "s3:ListObjectVersions:error=InternalError:after=50:times=500",
    "s3:GetBucketVersioning:reset:after=10",
    "s3control:*:lost-reply:after=20:times=200",
];

/// Clients at once.
const CLIENTS: usize = 6;

/// What may stay behind of memory: the allocator's own waste.
const SLACK: usize = 16 << 20;

/// Soaks for `time` and returns whether nothing was left.
pub(crate) fn run(time: Duration) -> bool {
    let faults: Vec<&str> = FAULTS.iter().flat_map(|fault| ["--fault", *fault]).collect();
    let server = Server::start(&[&["--lag", "aws", "--seed", "1"], &faults[..]].concat());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Everything once, so that what is made once and for all is not taken for a leak.
    round(&server, &runtime, time / 5);
    let first = (server.tasks(), server.files(), server.memory());
    let calls = round(&server, &runtime, time * 4 / 5);
    let last = (server.tasks(), server.files(), server.memory());
    println!(
        "soak: {calls} calls in {} s with {} faults; tasks {} then {}, open files {} then {}, memory {} MiB then {} MiB",
        time.as_secs(),
        FAULTS.len(),
        first.0,
        last.0,
        first.1,
        last.1,
        first.2 >> 20,
        last.2 >> 20
    );
    last.0 <= first.0 && last.1 <= first.1 && last.2 <= first.2 + SLACK
}

/// One soak that ends in an empty sandbox; returns the number of calls.
fn round(server: &Server, runtime: &tokio::runtime::Runtime, time: Duration) -> u64 {
    runtime.block_on(server.pair(false));
    server.control("POST", "clock", r#"{"advance": "1h"}"#);
    let (began, calls) = (Instant::now(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (calls, address) = (&calls, server.address);
            scope.spawn(move || {
                while began.elapsed() < time {
                    cycle(address, client, calls);
                }
            });
        }
    });
    server.control("POST", "reset", "");
    // Connections that were left open are the server's to close.
    std::thread::sleep(Duration::from_secs(1));
    calls.into_inner()
}

/// Puts, reads and takes away again; what a fault strikes is left as it is.
fn cycle(address: SocketAddr, client: usize, calls: &AtomicU64) {
    let s3 = Signer::s3("us-east-1");
    let mut connection = Connection::new(address);
    let mut call = |method: &str, target: &str, body: &[u8]| {
        calls.fetch_add(1, Ordering::Relaxed);
        let headers: &[_] = if target.starts_with("/v20180820/") {
            &[("x-amz-account-id", crrctl_sandbox::DEFAULT_ACCOUNT)]
        } else {
            &[]
        };
        let answer = connection.call(&s3.request(method, target, headers, body));
        answer.map(|(_, body)| body).unwrap_or_default()
    };
    let body = vec![b'x'; fastrand::usize(..64 * 1024)];
    for n in 0..20 {
        let target = format!("/source/{client}/{n}");
        call("PUT", &target, &body);
        call("HEAD", &target, b"");
        call("GET", &target, b"");
    }
    call("GET", "/source?versioning=", b"");
    call("GET", "/v20180820/jobs", b"");
    call("PUT", &format!("/source/{client}/part?uploads="), b"");
    let listed = call("GET", &format!("/source?prefix={client}%2F&versions="), b"");
    let listed = String::from_utf8_lossy(&listed).into_owned();
    for version in listed.split("<Version>").skip(1) {
        let within = |name: &str| {
            let rest = version.split(&format!("<{name}>")).nth(1)?;
            rest.split('<').next()
        };
        if let (Some(key), Some(id)) = (within("Key"), within("VersionId")) {
            call("DELETE", &format!("/source/{key}?versionId={id}"), b"");
        }
    }
    // Half a request, given up.
    if let Ok(mut stream) = TcpStream::connect(address) {
        let _ = stream.write_all(
            b"PUT /source/half HTTP/1.1\r\nhost: sandbox\r\ncontent-length: 10\r\n\r\nhalf",
        );
    }
    if let Ok(mut stream) = TcpStream::connect(address) {
        let _ = stream.write_all(b"PUT /source/half HTTP/1.1\r\nhost: san");
    }
}
