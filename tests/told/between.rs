//! A proxy between crrctl and the sandbox that changes the responses, to act as network proxies do
//! and to return keys of a kind that the sandbox does not create.
//! Not for: faults that the sandbox injects itself.

use crate::common::Stand;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What happens to a piece of a response.
pub(super) enum Piece {
    /// The piece is forwarded, unchanged or changed in place.
    Goes,
    /// The connection ends before the piece.
    BreaksOff,
    /// The connection ends within the piece.
    LosesItsEnd,
}

/// Listens in front of the sandbox of `stand`. `meddle` receives the request and each piece of the
/// response. Returns the endpoint.
pub(super) fn between(
    stand: &Stand,
    meddle: impl Fn(&str, &mut [u8]) -> Piece + Send + Clone + 'static,
) -> String {
    let sandbox: SocketAddr = stand.endpoint().trim_start_matches("http://").parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, meddle) = (client.unwrap(), meddle.clone());
            // A sandbox that has stopped ends the test; the proxy only returns.
            let Ok(server) = TcpStream::connect(sandbox) else { return };
            std::thread::spawn(move || carry(&client, &server, &meddle));
        }
    });
    format!("http://{at}")
}

/// Forwards one connection, one request at a time, as in HTTP/1.1 without pipelining.
fn carry(client: &TcpStream, server: &TcpStream, meddle: &impl Fn(&str, &mut [u8]) -> Piece) {
    let asked = Arc::new(Mutex::new(String::new()));
    let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let heard = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut piece = vec![0; 64 << 10];
        while let Some(length) = read(&from_client, &mut piece) {
            *heard.lock().unwrap() = String::from_utf8_lossy(&piece[..length]).into_owned();
            if (&to_server).write_all(&piece[..length]).is_err() {
                return;
            }
        }
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (from_server, mut to_client) = (server, client);
    let mut piece = vec![0; 8 << 10];
    while let Some(length) = read(from_server, &mut piece) {
        let asked = asked.lock().unwrap().clone();
        match meddle(&asked, &mut piece[..length]) {
            Piece::Goes if to_client.write_all(&piece[..length]).is_ok() => {}
            Piece::LosesItsEnd => {
                let _ = to_client.write_all(&piece[..length - 10]);
                break;
            }
            Piece::Goes | Piece::BreaksOff => break,
        }
    }
    let _ = to_client.shutdown(Shutdown::Both);
}

fn read(mut stream: &TcpStream, piece: &mut [u8]) -> Option<usize> {
    stream.read(piece).ok().filter(|length| *length > 0)
}

/// Replaces `from` by `to`, padded with spaces to the same length.
pub(super) fn replace(piece: &mut [u8], from: &str, to: &str) {
    let to = format!("{to:<width$}", width = from.len());
    assert_eq!(to.len(), from.len(), "`{to}` is longer than `{from}`");
    let places: Vec<usize> =
        (0..piece.len()).filter(|at| piece[*at..].starts_with(from.as_bytes())).collect();
    for at in places {
        piece[at..at + from.len()].copy_from_slice(to.as_bytes());
    }
}
