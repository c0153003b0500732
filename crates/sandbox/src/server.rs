//! The HTTP server: listens on one port and routes each request to its service.
//! Not for: reading the body of a request (see `bodies`), or handling the request (see the service
//! modules).

mod bodies;

use crate::gate::{Shared, inject};
use crate::wire::{Answer, Code, Fault, FaultKind, Journal, Note, query};
use crate::{cloudtrail, cloudwatch, control, iam, kms, s3, s3control, sns, sqs, sts, tagging};
use bodies::Bodies;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long requests in progress may take after the sandbox is stopped.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// The longest time that a hang fault keeps a request open.
const MAX_HANG: Duration = Duration::from_mins(10);
/// How long the server pauses after a failed `accept`, for example when it runs out of file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What every connection uses: the shared state, the S3 service, the latency, the request log.
pub(crate) struct Server {
    shared: Arc<Shared>,
    s3: s3::Service,
    latency: Duration,
    journal: Option<Journal>,
    bodies: Bodies,
    tasks: TaskTracker,
    connections: TaskTracker,
}

impl Server {
    /// Creates a server over `shared` that delays every AWS request by `latency` and writes every
    /// AWS request to `journal`. Each connection is a task of `tasks` and of `connections`, which
    /// contains only connections.
    pub(crate) fn new(
        shared: Arc<Shared>,
        latency: Duration,
        journal: Option<Journal>,
        tasks: TaskTracker,
        connections: TaskTracker,
    ) -> Self {
        let s3 = s3::Service::new(shared.clone());
        let bodies = Bodies::new(&shared.settings.limits);
        Self { shared, s3, latency, journal, bodies, tasks, connections }
    }

    /// Accepts connections until `stop` is cancelled. Each connection is a separate task.
    pub(crate) async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        let server = Arc::new(self);
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let connection = server.clone().connection(stream, stop.clone());
                    server.tasks.spawn(server.connections.track_future(connection));
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, stop: CancellationToken) {
        // Disables Nagle's algorithm, which delays small responses.
        let _ = stream.set_nodelay(true);
        let head = self.shared.settings.patience.head;
        let service = service_fn(move |request| {
            let server = self.clone();
            async move { server.answer(request).await }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                let Ok(ended) = tokio::time::timeout(GRACE, connection).await else { return };
                ended
            }
        };
        if let Err(error) = ended {
            tracing::info!(%error, "connection ended");
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, NoAnswer> {
        let (mut parts, body) = request.into_parts();
        let id = request_id();
        let is_control = parts.uri.path().starts_with(control::PREFIX);
        if is_control && let Err(refused) = control::check(&parts) {
            return Ok(refused);
        }
        if !is_control && !self.latency.is_zero() {
            // Before the body is read, so that it takes no memory meanwhile.
            tokio::time::sleep(self.latency).await;
        }
        let held = match self.bodies.read(&self.shared, &parts, body).await {
            Ok(held) => held,
            Err(refused) => return Ok(refuse_unread(&parts, refused, &id)),
        };
        let body = held.body.clone();
        if is_control {
            return Ok(control::answer(&self.shared, &self.tasks, &parts, &body));
        }
        let note = Arc::new(Note::new(&parts.headers, self.journal.is_some()));
        parts.extensions.insert(note.clone());
        let answer = self.dispatch(parts, body, &id, &note).await;
        drop(held);
        let lost = matches!(
            note.trouble.get(),
            Some(FaultKind::Reset | FaultKind::LostReply | FaultKind::Hang)
        );
        if let Some(journal) = &self.journal {
            let status = (!lost).then(|| answer.status().as_u16());
            let code = answer.extensions().get::<Code>().map(|code| code.0.as_str());
            let code = code.filter(|_| !lost);
            journal.write(&note, status, code);
        }
        if let Some(trouble) = note.trouble.get().filter(|it| !matches!(it, FaultKind::Delay(_))) {
            self.shared.faults.over(trouble);
        }
        if note.trouble.get() == Some(&FaultKind::Hang) {
            drop(answer);
            tokio::time::sleep(MAX_HANG).await;
            return Err(NoAnswer);
        }
        if lost { Err(NoAnswer) } else { Ok(answer) }
    }

    async fn dispatch(&self, parts: Parts, body: Bytes, id: &str, note: &Note) -> Answer {
        let route = route(&parts, &body);
        let (service, operation) = route.name(&parts);
        let _ = note.service.set(service);
        // The S3 service determines its operation later and injects its faults itself.
        if let Some(operation) = operation {
            let _ = note.operation.set(operation.to_owned());
            let refused = inject(&self.shared, service, operation, note).await;
            if let Some(fault) = refused {
                return route.refuse(&fault, id);
            }
        }
        match route {
            Route::Kms => kms::answer(&self.shared, &parts, &body, id),
            Route::CloudTrail => cloudtrail::answer(&self.shared, &parts, &body, id),
            Route::Tagging => tagging::answer(&self.shared, &parts, &body, id),
            Route::Sqs => sqs::answer(&self.shared, &parts, &body, id),
            Route::Iam(params) => iam::answer(&self.shared, &parts, &body, &params, id),
            Route::CloudWatch(ask) => cloudwatch::answer(&self.shared, &parts, &body, &ask, id),
            Route::Sns(params) => sns::answer(&self.shared, &parts, &body, &params, id),
            Route::Sts(params) => sts::answer(&self.shared, &parts, &body, &params, id),
            Route::S3Control => s3control::answer(&self.shared, &parts, &body, id),
            Route::S3 => self.s3.answer(parts, body, id).await,
        }
    }
}

/// Returns the id of a new request, a UUID. It has to be new and need not be unguessable: the system is not asked for its bytes.
fn request_id() -> String {
    uuid::Builder::from_random_bytes(fastrand::u128(..).to_be_bytes()).into_uuid().to_string()
}

/// The error for a request that gets no response: hyper closes the connection.
#[derive(Debug, thiserror::Error)]
#[error("a fault ends this connection without an answer")]
pub(crate) struct NoAnswer;

impl Route {
    /// Returns the service, and the operation if it can be read from the request. For S3, the
    /// operation is determined later.
    fn name<'a>(&'a self, parts: &'a Parts) -> (&'static str, Option<&'a str>) {
        let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
        match self {
            Self::Kms => ("kms", target.and_then(|target| target.strip_prefix(kms::TARGET_PREFIX))),
            Self::CloudTrail => ("cloudtrail", cloudtrail::operation(parts)),
            Self::Tagging => ("tagging", tagging::operation(parts)),
            Self::Sqs => ("sqs", sqs::operation(parts)),
            Self::Iam(params) => ("iam", Some(params.get("Action").unwrap_or_default())),
            Self::CloudWatch(ask) => ("cloudwatch", Some(ask.operation())),
            Self::Sns(params) => ("sns", Some(params.get("Action").unwrap_or_default())),
            Self::Sts(params) => ("sts", Some(params.get("Action").unwrap_or_default())),
            Self::S3Control => ("s3control", Some(s3control::operation(parts))),
            Self::S3 => ("s3", None),
        }
    }

    fn refuse(&self, fault: &Fault, id: &str) -> Answer {
        match self {
            Self::Kms | Self::CloudTrail | Self::Tagging | Self::Sqs => {
                kms::reply_with(Err(fault.clone()), id)
            }
            Self::Iam(params) => iam::reply_with(params, Err(fault.clone()), id),
            Self::CloudWatch(ask) => ask.reply(Err(fault.clone()), id),
            Self::Sns(params) => sns::reply_with(params, Err(fault.clone()), id),
            Self::Sts(params) => sts::reply_with(params, Err(fault.clone()), id),
            Self::S3Control => s3control::refuse(fault, id),
            Self::S3 => s3::refuse(s3::error_of(fault), id),
        }
    }
}

/// The service that a request is addressed to.
enum Route {
    Kms,
    CloudTrail,
    Tagging,
    Sqs,
    Iam(query::Params),
    CloudWatch(cloudwatch::Ask),
    Sns(query::Params),
    Sts(query::Params),
    S3Control,
    S3,
}

/// Refuses a request whose body was not read, in the format of its service as far as its headers
/// tell it. The services of the Query protocol have the same format.
fn refuse_unread(parts: &Parts, refused: s3s::S3Error, id: &str) -> Answer {
    match route(parts, &[]) {
        Route::S3 => s3::refuse(refused, id),
        other => other.refuse(&s3::fault_of(&refused), id),
    }
}

/// Returns whether a request is for S3, as far as its headers tell: the query string and the form
/// of a Query protocol request name its service too.
fn is_for_s3(parts: &Parts) -> bool {
    matches!(route(parts, &[]), Route::S3)
}

fn route(parts: &Parts, body: &[u8]) -> Route {
    let header = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
    if header("x-amz-target").starts_with(kms::TARGET_PREFIX) {
        return Route::Kms;
    }
    if cloudtrail::operation(parts).is_some() {
        return Route::CloudTrail;
    }
    if tagging::operation(parts).is_some() {
        return Route::Tagging;
    }
    if sqs::operation(parts).is_some() {
        return Route::Sqs;
    }
    if let Some(ask) = cloudwatch::Ask::of(parts, body) {
        return Route::CloudWatch(ask);
    }
    if parts.uri.path().starts_with(s3control::PREFIX) {
        return Route::S3Control;
    }
    // A presigned request has its parameters in the query string.
    let query = parts.uri.query().unwrap_or_default();
    if parts.uri.path() == "/" && query.contains("X-Amz-Signature=") && query.contains("Action=") {
        return by_version(query::Params::decode(query.as_bytes()));
    }
    let form = header("content-type").starts_with("application/x-www-form-urlencoded");
    if parts.method == Method::POST && parts.uri.path() == "/" && form {
        return by_version(query::Params::decode(body));
    }
    Route::S3
}

/// Selects the service of a Query protocol request by its API version.
fn by_version(params: query::Params) -> Route {
    match params.get("Version") {
        Some(sts::VERSION) => Route::Sts(params),
        Some(cloudwatch::VERSION) => Route::CloudWatch(cloudwatch::Ask::query(params)),
        Some(sns::VERSION) => Route::Sns(params),
        _ => Route::Iam(params),
    }
}
