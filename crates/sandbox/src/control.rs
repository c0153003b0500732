//! The control endpoints under `/_crrctl/`: health, reset, clock, replication log, the
//! messages of topics and queues, the times at which rules take effect, the alarms and their actions,
//! call counts.
//! Not for: requests of AWS clients (see the service modules).

mod origin;

use crate::gate::Shared;
use crate::wire::Answer;
use crate::wire::answer::json;
use crate::world::replication::effective;
use crate::world::{Calls, clock};
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// The path prefix of all control endpoints.
pub(crate) const PREFIX: &str = "/_crrctl/";

/// Refuses a request that another site may have sent.
pub(crate) fn check(parts: &Parts) -> Result<(), Answer> {
    origin::check(&parts.headers)
        .map_err(|error| json(StatusCode::FORBIDDEN, &json!({"error": error})))
}

/// Handles one control request.
pub(crate) fn answer(shared: &Shared, tasks: &TaskTracker, parts: &Parts, body: &[u8]) -> Answer {
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    match (&parts.method, path) {
        (&Method::GET, "health") => {
            json(StatusCode::OK, &json!({"status": "ok", "tasks": tasks.len()}))
        }
        (&Method::GET, "replication") => json(StatusCode::OK, &shared.lock().replication.to_json()),
        (&Method::GET, "messages") => json(StatusCode::OK, &shared.lock().messaging.to_json()),
        (&Method::GET, "alarms") => {
            let mut state = shared.lock();
            state.run_alarms();
            json(StatusCode::OK, &state.alarms.to_json())
        }
        (&Method::GET, "effective") => json(StatusCode::OK, &effective(&shared.lock())),
        (&Method::GET, "calls") => json(StatusCode::OK, &shared.lock().calls.to_json()),
        (&Method::POST, "calls/reset") => {
            shared.lock().calls = Calls::default();
            json(StatusCode::OK, &json!({}))
        }
        (&Method::POST, "reset") => {
            shared.reset();
            json(StatusCode::OK, &json!({}))
        }
        (&Method::POST, "clock") => move_clock(shared, body),
        _ => json(StatusCode::NOT_FOUND, &json!({"error": "no such control endpoint"})),
    }
}

fn move_clock(shared: &Shared, body: &[u8]) -> Answer {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let by = parsed.as_ref().and_then(|v| v["advance"].as_str()).map(clock::parse_duration);
    let Some(Ok(by)) = by else {
        let error = r#"expected {"advance": "8d"}: a number with s, m, h or d"#;
        return json(StatusCode::BAD_REQUEST, &json!({"error": error}));
    };
    advance(shared, by);
    let now = clock::rfc3339(shared.lock().now());
    json(StatusCode::OK, &json!({"now": now}))
}

/// Moves the clock forward. The key and policy changes that are due at the new time are applied
/// when the state is locked next.
pub(crate) fn advance(shared: &Shared, by: Duration) {
    shared.lock().clock.advance(by);
    shared.replicate.notify_one();
    shared.batch.notify_one();
}
