//! One S3 Control request, and what operations have in common. Not for: what an operation does.

use crate::gate::{AccessRequest, authorize};
use crate::wire::Fault;
use crate::world::{Caller, State};
use crrctl_iam::Context;
use crrctl_iam::names::Arn;
use http::request::Parts;

pub(super) const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";

/// An answer's body; `None` is 204.
pub(super) type Output = Result<Option<String>, Fault>;

/// One request: who asks, for what, of which state.
pub(super) struct ControlCall<'a> {
    pub(super) state: &'a mut State,
    pub(super) caller: Caller,
    pub(super) parts: &'a Parts,
    pub(super) body: &'a [u8],
    /// What follows the operation's part of the path: a job's id, an ARN.
    pub(super) rest: &'a str,
}

impl ControlCall<'_> {
    /// Asks whether the caller may.
    pub(super) fn permit(&self, action: &str, arn: String, context: Context) -> Result<(), Fault> {
        let request =
            AccessRequest { context, ..AccessRequest::plain(action, arn, &self.caller.account) };
        authorize(&self.state.iam, &self.caller, request)
            .map_err(|denied| Fault::new(403, "AccessDenied", denied.message()))
    }

    /// Returns a parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).next()
    }

    /// Returns all values of a parameter that may come several times.
    pub(super) fn parameters(&self, name: &str) -> impl Iterator<Item = String> {
        form_urlencoded::parse(self.parts.uri.query().unwrap_or_default().as_bytes())
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Reads the XML of the request.
    pub(super) fn xml<T: serde::de::DeserializeOwned>(&self) -> Result<T, Fault> {
        let text = std::str::from_utf8(self.body).map_err(|_| malformed("it is not UTF-8"))?;
        quick_xml::de::from_str(text).map_err(|error| malformed(&error.to_string()))
    }
}

pub(super) fn malformed(why: &str) -> Fault {
    let text =
        "The XML you provided was not well-formed or did not validate against our published schema";
    Fault::bad("MalformedXML", format!("{text}: {why}"))
}

pub(super) fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("InvalidRequest", text)
}

/// Returns an answer's body.
pub(super) fn result(name: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name} xmlns=\"{NAMESPACE}\">{inner}</{name}>"
    )
}

/// Returns the ARN of a bucket as a caller sees it.
pub(super) fn bucket_arn(caller: &Caller, name: &str) -> String {
    format!("arn:{}:s3:::{name}", caller.partition())
}

/// Returns the name in a bucket's ARN.
pub(super) fn bucket_name(arn: &str) -> Option<&str> {
    Arn::new(arn).ok().filter(|arn| arn.service() == "s3")?;
    let name = arn.splitn(6, ':').nth(5)?;
    (!name.is_empty() && !name.contains(['/', ':'])).then_some(name)
}

/// Returns bucket and key in an object's ARN.
pub(super) fn object_name(arn: &str) -> Option<(&str, &str)> {
    Arn::new(arn).ok().filter(|arn| arn.service() == "s3")?;
    let (bucket, key) = arn.splitn(6, ':').nth(5)?.split_once('/')?;
    (!bucket.is_empty() && !key.is_empty()).then_some((bucket, key))
}
