//! How a thousand objects go at rising concurrency: objects a second, whose processor is busy, how much memory.

use super::Stand;
use super::process::{Running, binary, cpu, peak_memory};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const OBJECTS: usize = 1_000;
const CONCURRENCY: [usize; 4] = [1, 4, 16, 64];

/// Added to each answer, so that there is something to be had from doing things at once.
const LATENCY: &str = "20ms";

/// Each step of four in concurrency must bring this much, or the machine be the limit.
const LEAST_GROWTH: f64 = 1.5;
/// The share of both processors, of sandbox and crrctl together, from which the machine counts as the limit.
const BUSY: f64 = 0.8;
/// A thousand objects may take this many bytes more than a hundred.
const MOST_GROWTH: usize = 8 << 20;

/// What one probe took.
pub(crate) struct Figures {
    pub(crate) seconds: f64,
    /// The processor's time of crrctl alone.
    pub(crate) own: Duration,
    busy: f64,
    pub(crate) memory: usize,
}

/// Probes at each concurrency; false where more of it brings nothing though the machine has time, or where memory grows with objects.
pub(crate) fn run() -> bool {
    let (server, address) = sandbox();
    let stand = Stand::new(address);
    stand.apply();
    let (mut well, mut last) = (true, None::<f64>);
    let mut most = 0;
    for concurrency in CONCURRENCY {
        let figures = probe(&stand, &server, (OBJECTS, concurrency), None);
        let rate = OBJECTS as f64 / figures.seconds;
        let grew = last.is_none_or(|last| rate >= last * LEAST_GROWTH) || figures.busy >= BUSY;
        println!(
            "throughput: {OBJECTS} objects at concurrency {concurrency}: {rate:.0} a second, {:.0} % of the processors busy, {} MiB",
            figures.busy * 100.0,
            figures.memory >> 20
        );
        (well, last, most) = (well && grew, Some(rate), figures.memory);
    }
    let few = probe(&stand, &server, (OBJECTS / 10, CONCURRENCY[3]), None).memory;
    println!(
        "throughput: memory at concurrency {}: {} MiB for {} objects, {} MiB for {OBJECTS}",
        CONCURRENCY[3],
        few >> 20,
        OBJECTS / 10,
        most >> 20
    );
    well && most <= few + MOST_GROWTH
}

/// Probes `count` objects at `concurrency`, and records the run if told where.
pub(crate) fn probe(
    stand: &Stand,
    server: &Running,
    (count, concurrency): (usize, usize),
    record: Option<&Path>,
) -> Figures {
    let (count, concurrency) = (count.to_string(), concurrency.to_string());
    let args = ["probe", "--count", &count, "--concurrency", &concurrency, "-q"];
    let (began, before) = (Instant::now(), cpu(server.0.id()));
    let mut command = stand.command(&args);
    record.map(|file| command.arg("--record").arg(file));
    let mut child = command.spawn().unwrap();
    let (mut memory, mut own) = (0, Duration::ZERO);
    let status = loop {
        memory = memory.max(peak_memory(child.id()));
        own = own.max(cpu(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "the probe failed");
    let took = began.elapsed();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let used = cpu(server.0.id()).saturating_sub(before) + own;
    let busy = used.as_secs_f64() / took.as_secs_f64() / processors as f64;
    Figures { seconds: took.as_secs_f64(), own, busy, memory }
}

/// Starts `crrctl sandbox` in a process of its own, and returns where it listens.
pub(crate) fn sandbox() -> (Running, SocketAddr) {
    let mut command = Command::new(binary());
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--latency", LATENCY]);
    let mut server = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (server, line.trim().rsplit('/').next().unwrap().parse().unwrap())
}
