//! Answers on their way out. Not for: their bodies, which each protocol spells in its own way.

use crate::wire::Code;

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

/// An answer on its way out.
pub(crate) type Answer = Response<s3s::Body>;

/// Returns an answer with a body of the given content type.
pub(crate) fn answer(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(s3s::Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// Returns an answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: &serde_json::Value) -> Answer {
    answer(status, "application/json", body.to_string())
}

/// Notes the code of an error in its answer.
pub(crate) fn with_code(mut answer: Answer, code: &str) -> Answer {
    answer.extensions_mut().insert(Code(code.to_owned()));
    answer
}

/// Names the request, as AWS does in every answer.
pub(crate) fn with_request_id(mut answer: Answer, header: &'static str, id: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(id) {
        answer.headers_mut().insert(header, value);
    }
    answer
}
