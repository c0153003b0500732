//! The AWS Query protocol that IAM and STS use: form-encoded requests, XML responses. Not for: the
//! operations themselves.

use crate::wire::answer::{answer as answer_of, with_code, with_request_id};
use crate::wire::{Answer, Fault};
use crate::world::Flaw;
use crrctl_iam::DocumentKind;
use http::StatusCode;
use std::collections::BTreeMap;

/// The parameters of a request by name, such as `Tags.member.1.Key` for list members.
#[derive(Debug, Default)]
pub(crate) struct Params(BTreeMap<String, String>);

impl Params {
    /// Decodes a form-encoded body.
    pub(crate) fn decode(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// Collects parameters that another protocol names.
    pub(crate) fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// Returns an optional parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns a required parameter.
    pub(crate) fn require(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).ok_or_else(|| {
            Fault::bad(
                "ValidationError",
                format!(
                    "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
                ),
            )
        })
    }

    /// Returns the members of a list of strings, in order.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        (1..).map_while(|n| self.get(&format!("{name}.member.{n}"))).map(String::from).collect()
    }

    /// Returns the members of a list of tags, each with `Key` and `Value`, in order.
    pub(crate) fn tags(&self, name: &str) -> Vec<(String, String)> {
        let member = |n: usize, part: &str| self.get(&format!("{name}.member.{n}.{part}"));
        (1..)
            .map_while(|n| {
                Some((member(n, "Key")?.into(), member(n, "Value").unwrap_or("").into()))
            })
            .collect()
    }
}

/// Parses a number and checks that it is not out of `bounds`. `member` is the name of the parameter
/// in the error message.
pub(crate) fn in_bounds<T>(given: &str, member: &str, (least, most): (T, T)) -> Result<T, Fault>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let (which, bound) = match given.parse::<T>() {
        Ok(number) if number < least => ("greater", least),
        Ok(number) if number > most => ("less", most),
        Ok(number) => return Ok(number),
        Err(_) if given.starts_with('-') => ("greater", least),
        Err(_) => ("less", most),
    };
    let text = format!(
        "1 validation error detected: Value '{given}' at '{member}' failed to satisfy constraint: Member must have value {which} than or equal to {bound}"
    );
    Err(Fault::bad("ValidationError", text))
}

/// Returns `<name>text</name>` with the text escaped.
pub(crate) fn element(name: &str, text: impl AsRef<str>) -> String {
    format!("<{name}>{}</{name}>", quick_xml::escape::escape(text.as_ref()))
}

/// Returns `<name>xml</name>` without escaping the XML.
pub(crate) fn wrapped(name: &str, xml: &str) -> String {
    format!("<{name}>{xml}</{name}>")
}

/// Returns the body of a response. `result` is the inner XML; `None` for operations without a
/// result.
pub(crate) fn answer(namespace: &str, operation: &str, result: Option<&str>, id: &str) -> String {
    let result = result
        .map(|inner| format!("<{operation}Result>{inner}</{operation}Result>"))
        .unwrap_or_default();
    let id = element("RequestId", id);
    format!(
        "<{operation}Response xmlns=\"{namespace}\">{result}<ResponseMetadata>{id}</ResponseMetadata></{operation}Response>"
    )
}

/// Returns the body of an error response.
pub(crate) fn error(namespace: &str, fault: &Fault, id: &str) -> String {
    let kind = if fault.status < 500 { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type>{}{}</Error>{}</ErrorResponse>",
        element("Code", &fault.code),
        element("Message", &fault.message),
        element("RequestId", id)
    )
}

/// Returns a response of IAM or STS.
pub(crate) fn reply(status: u16, body: String, id: &str) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with_request_id(answer_of(status, "text/xml", body), "x-amzn-requestid", id)
}

/// Wraps the result or the error of an operation in the Query protocol's response envelope.
pub(crate) fn respond(
    namespace: &str,
    params: &Params,
    done: Result<Option<String>, Fault>,
    id: &str,
) -> Answer {
    match done {
        Ok(result) => {
            let operation = params.get("Action").unwrap_or_default();
            reply(200, answer(namespace, operation, result.as_deref(), id), id)
        }
        Err(fault) => with_code(reply(fault.status, error(namespace, &fault, id), id), &fault.code),
    }
}

/// Converts a flaw in a policy document to `MalformedPolicyDocument`, the error of IAM and STS. The
/// text for a document that is not JSON is the parser's for a session policy (recorded in
/// ansible-collections/amazon.aws#2778), and a fixed one for a trust policy (recorded by
/// `LocalStack`'s snapshot `test_create_role_with_malformed_assume_role_policy_document`).
pub(crate) fn malformed(kind: DocumentKind, flaw: &Flaw) -> Fault {
    let text = match flaw {
        Flaw::NotJson(_) if kind == DocumentKind::TrustPolicy => {
            "This policy contains invalid Json".to_owned()
        }
        Flaw::NotJson(finding) if kind == DocumentKind::SessionPolicy => finding.clone(),
        Flaw::NotJson(finding) | Flaw::Malformed(finding) => {
            format!("Syntax errors in policy. {finding}")
        }
        Flaw::Principal(name) => format!("Invalid principal in policy: \"AWS\":\"{name}\""),
    };
    Fault::bad("MalformedPolicyDocument", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_at_the_first_gap() {
        let params = Params::decode(
            b"Action=TagRole&Tags.member.1.Key=a&Tags.member.1.Value=1+2&Tags.member.2.Key=b&Tags.member.4.Key=x&TagKeys.member.1=k",
        );
        let expected = vec![("a".to_owned(), "1 2".to_owned()), ("b".to_owned(), String::new())];
        assert_eq!(params.tags("Tags"), expected);
        assert_eq!(params.list("TagKeys"), ["k"]);
        assert!(params.require("RoleName").unwrap_err().message.contains("'RoleName'"));
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(element("A", "<&>"), "<A>&lt;&amp;&gt;</A>");
    }
}
