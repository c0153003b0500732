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
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// How many connections are served at once; further connections wait.
const AT_ONCE: usize = 16;
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
        let room = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
            let stream = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    // An error of one connection does not affect the next one.
                    Err(_) => continue,
                },
                () = stop.ending() => return,
            };
            let canary = Arc::clone(&canary);
            tokio::spawn(async move {
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
                drop(permit);
            });
        }
    });
    Ok(at)
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
