//! How a thousand objects go at rising concurrency: objects a second, whose processor is busy, how much memory.

use super::{Stand, binary};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
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
struct Figures {
    seconds: f64,
    busy: f64,
    memory: usize,
}

/// Probes at each concurrency; false where more of it brings nothing though the machine has time, or where memory grows with objects.
pub(crate) fn run() -> bool {
    let mut server = Server::start();
    let stand = Stand::new(server.address());
    stand.apply();
    let (mut well, mut last) = (true, None::<f64>);
    let mut most = 0;
    for concurrency in CONCURRENCY {
        let figures = probe(&stand, &server, OBJECTS, concurrency);
        let rate = OBJECTS as f64 / figures.seconds;
        let grew = last.is_none_or(|last| rate >= last * LEAST_GROWTH) || figures.busy >= BUSY;
        println!(
            "throughput: {OBJECTS} objects at concurrency {concurrency}: {rate:.0} a second, {:.0} % of the processors busy, {} MiB",
            figures.busy * 100.0,
            figures.memory >> 20
        );
        (well, last, most) = (well && grew, Some(rate), figures.memory);
    }
    let few = probe(&stand, &server, OBJECTS / 10, CONCURRENCY[3]).memory;
    println!(
        "throughput: memory at concurrency {}: {} MiB for {} objects, {} MiB for {OBJECTS}",
        CONCURRENCY[3],
        few >> 20,
        OBJECTS / 10,
        most >> 20
    );
    let _ = server.0.kill();
    well && most <= few + MOST_GROWTH
}

fn probe(stand: &Stand, server: &Server, count: usize, concurrency: usize) -> Figures {
    let (count, concurrency) = (count.to_string(), concurrency.to_string());
    let args = ["probe", "--count", &count, "--concurrency", &concurrency, "-q"];
    let (began, before) = (Instant::now(), cpu(server.0.id()));
    let mut child = stand.command(&args).spawn().unwrap();
    let (mut memory, mut own) = (0, Duration::ZERO);
    let status = loop {
        memory = memory.max(peak(child.id()));
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
    Figures { seconds: took.as_secs_f64(), busy, memory }
}

/// `crrctl sandbox` in a process of its own; it ends with this.
struct Server(Child);

impl Server {
    fn start() -> Self {
        let mut command = Command::new(binary());
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--latency", LATENCY]);
        Self(command.stdout(Stdio::piped()).spawn().unwrap())
    }

    fn address(&mut self) -> std::net::SocketAddr {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        line.trim().rsplit('/').next().unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the most memory that a process has had in use, in bytes; 0 where it has ended.
fn peak(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kib.unwrap_or_default() * 1024
}

/// Returns how long a process has kept processors busy; none where it has ended.
fn cpu(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<u64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    // The kernel's unit of this file is a hundredth of a second.
    Duration::from_millis(fields.iter().sum::<u64>() * 10)
}
