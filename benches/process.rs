//! Processes that a benchmark starts and watches: which binary, how much memory, how long a processor was busy; and the control requests of
//! a sandbox.
//! Not for: what they are asked (see the benchmark itself).

#![allow(dead_code, reason = "not every benchmark asks for all of it")]

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Child;
use std::time::Duration;

/// A process that ends with this.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a control request to a sandbox and returns the answer.
pub(crate) fn control(sandbox: SocketAddr, method: &str, path: &str, body: &str) -> Value {
    let mut connection = TcpStream::connect(sandbox).unwrap();
    let length = body.len();
    write!(
        connection,
        "{method} /_crrctl/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Returns the binary: this build's, or the one that `CRRCTL` names.
pub(crate) fn binary() -> String {
    std::env::var("CRRCTL").unwrap_or(env!("CARGO_BIN_EXE_crrctl").to_owned())
}

/// Returns the most memory that a process has had in use, in bytes; 0 where it has ended.
pub(crate) fn peak_memory(process: u32) -> usize {
    status(process, "VmHWM:")
}

/// Returns how much memory a process has in use, in bytes; 0 where it has ended.
pub(crate) fn memory(process: u32) -> usize {
    status(process, "VmRSS:")
}

fn status(process: u32, name: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kib.unwrap_or_default() * 1024
}

/// Returns how long a process has kept processors busy; none where it has ended.
pub(crate) fn cpu(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    // The kernel's unit of this file is a hundredth of a second.
    Duration::from_millis(ticks * 10)
}
