//! HTTP responses. Not for: their bodies, which each protocol encodes in its own way.

use crate::wire::Code;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

/// An HTTP response.
pub(crate) type Answer = Response<s3s::Body>;

/// Returns a response with a body of the given content type.
pub(crate) fn answer(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(s3s::Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// Returns a response with a JSON body.
pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Answer {
    answer(status, "application/json", body.to_string())
}

/// Adds the code of an error to the extensions of its response.
pub(crate) fn with_code(mut answer: Answer, code: &str) -> Answer {
    answer.extensions_mut().insert(Code(code.to_owned()));
    answer
}

/// Adds the request id header, which AWS includes in every response.
pub(crate) fn with_request_id(mut answer: Answer, header: &'static str, id: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(id) {
        answer.headers_mut().insert(header, value);
    }
    answer
}
