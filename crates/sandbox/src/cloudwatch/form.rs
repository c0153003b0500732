//! The three protocols of CloudWatch. Requests become the parameters of the Query protocol, results
//! are JSON values that become XML, JSON or CBOR.
//! Sources: Smithy, "AWS query protocol", "AWS JSON 1.0 protocol", "Smithy RPC v2 CBOR protocol",
//! "awsQueryCompatible trait".
//! Not for: CBOR itself (see `cbor`), or the members of each operation.

use super::{VERSION, cbor};
use crate::wire::answer::{answer, with_code, with_request_id};
use crate::wire::query::{respond, wrapped};
use crate::wire::{Answer, Fault, Params};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

/// The name of the service in the JSON and CBOR protocols.
const SHAPE: &str = "GraniteServiceVersion20100801";
const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";
/// Members that are times. The Query protocol writes them in ISO 8601, the others in seconds.
const TIMES: [&str; 4] = [
    "AlarmConfigurationUpdatedTimestamp",
    "StateUpdatedTimestamp",
    "StateTransitionedTimestamp",
    "Timestamps",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Query,
    Json,
    Cbor,
}

/// What a request asks for, in which protocol.
pub(crate) struct Ask {
    protocol: Protocol,
    params: Params,
    /// Whether the body could be parsed.
    is_readable: bool,
}

impl Ask {
    /// Reads a request of the Query protocol.
    pub(crate) fn query(params: Params) -> Self {
        Self { protocol: Protocol::Query, params, is_readable: true }
    }

    /// Reads a request of the JSON or the CBOR protocol; `None` if it is for another service.
    pub(crate) fn of(parts: &Parts, body: &[u8]) -> Option<Self> {
        let target = parts.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
        let named = target.and_then(|it| it.strip_prefix(SHAPE)?.strip_prefix('.'));
        let path = parts.uri.path().strip_prefix("/service/");
        let path = path.and_then(|it| it.strip_prefix(SHAPE)?.strip_prefix("/operation/"));
        let (protocol, operation) = match (named, path) {
            (Some(operation), _) => (Protocol::Json, operation),
            (None, Some(operation)) => (Protocol::Cbor, operation),
            (None, None) => return None,
        };
        let value = match (protocol, body) {
            (_, []) => Some(json!({})),
            (Protocol::Cbor, _) => cbor::decode(body),
            _ => serde_json::from_slice(body).ok(),
        };
        let mut pairs = vec![
            ("Action".to_owned(), operation.to_owned()),
            ("Version".to_owned(), VERSION.to_owned()),
        ];
        let members = value.as_ref().and_then(Value::as_object);
        for (name, value) in members.into_iter().flatten() {
            flatten(name, value, &mut pairs);
        }
        let is_readable = members.is_some();
        Some(Self { protocol, params: Params::of(pairs), is_readable })
    }

    pub(crate) fn operation(&self) -> &str {
        self.params.get("Action").unwrap_or_default()
    }

    /// Returns the parameters.
    pub(super) fn params(&self) -> Result<&Params, Fault> {
        if self.is_readable {
            return Ok(&self.params);
        }
        Err(Fault::bad("SerializationException", "The body of the request can't be parsed."))
    }

    /// Builds the response for the result of an operation.
    pub(crate) fn reply(&self, done: Result<Value, Fault>, id: &str) -> Answer {
        if self.protocol == Protocol::Query {
            let done = done.map(|value| (!value.is_null()).then(|| xml(&value)));
            return respond(NAMESPACE, &self.params, done, id);
        }
        let (status, value, code) = match done {
            Ok(Value::Null) => (200, json!({}), None),
            Ok(value) => (200, timed(value, false), None),
            Err(fault) => {
                let body = json!({"__type": fault.code, "message": fault.message});
                (fault.status, body, Some(fault.code))
            }
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut built = if self.protocol == Protocol::Cbor {
            let mut built = answer(status, "application/cbor", String::new());
            *built.body_mut() = s3s::Body::from(cbor::encode(&value, &TIMES));
            let protocol = HeaderName::from_static("smithy-protocol");
            built.headers_mut().insert(protocol, HeaderValue::from_static("rpc-v2-cbor"));
            built
        } else {
            answer(status, "application/x-amz-json-1.0", value.to_string())
        };
        built = with_request_id(built, "x-amzn-requestid", id);
        let Some(code) = code else { return built };
        let kind = if status.is_server_error() { "Receiver" } else { "Sender" };
        if let Ok(value) = HeaderValue::from_str(&format!("{code};{kind}")) {
            built.headers_mut().insert(HeaderName::from_static("x-amzn-query-error"), value);
        }
        with_code(built, &code)
    }
}

/// Writes a member as the Query protocol names it, such as `Dimensions.member.1.Name`.
fn flatten(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (member, value) in members {
                flatten(&format!("{name}.{member}"), value, pairs);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                flatten(&format!("{name}.member.{}", at + 1), value, pairs);
            }
        }
        Value::String(text) => pairs.push((name.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => pairs.push((name.to_owned(), value.to_string())),
    }
}

/// Writes a value as the Query protocol does.
fn xml(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            members.map(|(name, value)| wrapped(name, &xml(value))).collect()
        }
        Value::Array(items) => items.iter().map(|item| wrapped("member", &xml(item))).collect(),
        Value::String(text) => quick_xml::escape::escape(text.as_str()).into_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Leaves out what is null, and writes times in seconds.
fn timed(value: Value, is_time: bool) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            let timed = kept.map(|(name, value)| {
                let value = timed(value, TIMES.contains(&name.as_str()));
                (name, value)
            });
            Value::Object(timed.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(|item| timed(item, is_time)).collect(),
        Value::String(text) if is_time => match text.parse::<jiff::Timestamp>() {
            Ok(time) => time.as_second().into(),
            Err(_) => Value::String(text),
        },
        other => other,
    }
}
