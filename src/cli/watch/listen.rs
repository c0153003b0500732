//! Serves the canary's metrics over plain HTTP: one page, for one scraper or a few.
//! Not for: the content of the page (see `report::Canary`).

use crate::failure::{Failure, Kind};
use crate::report::Canary;
use crate::stop::Stop;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How many connections are open at once; a further one takes the place of the oldest, so that
/// connections without a request keep nobody out.
const AT_ONCE: usize = 64;
/// How long a client may take to send its request.
const PATIENCE: Duration = Duration::from_secs(10);

/// Begins to serve at `address`; returns the actual address, since port 0 picks a free one.
pub(super) async fn serve(
    address: SocketAddr,
    canary: Arc<Mutex<Canary>>,
    stop: Stop,
) -> Result<SocketAddr, Failure> {
    let unusable = |error: std::io::Error| {
        let message = format!("can't listen on {address}: {error}");
        Failure::new(Kind::Manifest, "listen", message).hint("port 0 takes any that is free")
    };
    let listener = TcpListener::bind(address).await.map_err(unusable)?;
    let at = listener.local_addr().map_err(unusable)?;
    tokio::spawn(async move {
        let mut open: VecDeque<JoinHandle<()>> = VecDeque::new();
        loop {
            let stream = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    // An error of one connection does not affect the next one.
                    Err(_) => continue,
                },
                () = stop.ending() => break,
            };
            open.retain(|connection| !connection.is_finished());
            if open.len() >= AT_ONCE
                && let Some(oldest) = open.pop_front()
            {
                oldest.abort();
            }
            open.push_back(tokio::spawn(served(stream, Arc::clone(&canary))));
        }
        open.iter().for_each(JoinHandle::abort);
    });
    Ok(at)
}

async fn served(stream: TcpStream, canary: Arc<Mutex<Canary>>) {
    let answer = service_fn(move |request| {
        let answer = answer(&request, &canary);
        async move { Ok::<_, Infallible>(answer) }
    });
    // A client that closes the connection is not an error.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

fn answer(request: &Request<Incoming>, canary: &Mutex<Canary>) -> Response<Full<Bytes>> {
    let (status, kind, text) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => {
            let text = canary.lock().unwrap_or_else(PoisonError::into_inner).metrics();
            (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
        }
        _ => (
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            "metrics are at /metrics\n".to_owned(),
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Origin, parse};
    use crate::names::AccountId;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn connections_without_a_request_keep_nobody_out() {
        let text = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
        let manifest = parse(text, &Origin::Stdin, None).unwrap();
        let topology = manifest.topology(&AccountId::new("111122223333").unwrap()).unwrap();
        let canary = Arc::new(Mutex::new(Canary::new(&topology)));
        let stop = Stop::default();
        let at = serve("127.0.0.1:0".parse().unwrap(), canary, stop).await.unwrap();
        let mut idle = Vec::new();
        for _ in 0..3 * AT_ONCE {
            idle.push(TcpStream::connect(at).await.unwrap());
        }
        let mut scraper = TcpStream::connect(at).await.unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        scraper.write_all(request).await.unwrap();
        let mut page = String::new();
        let read = scraper.read_to_string(&mut page);
        tokio::time::timeout(PATIENCE / 2, read).await.expect("at once").unwrap();
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    }
}
