//! One S3 Control request, with the functions that operations share: authorization, parameters,
//! XML, ARNs.
//! Not for: the operations themselves (see the other files in `s3control`).

use crate::gate::{AccessRequest, authorize};
use crate::wire::Fault;
use crate::world::{Caller, State};
use crrctl_iam::Context;
use crrctl_iam::names::Arn;
use http::request::Parts;

pub(super) const NAMESPACE: &str = "http://awss3control.amazonaws.com/doc/2018-08-20/";

/// One request: its caller, its content, and the state that it reads and changes.
pub(super) struct ControlCall<'a> {
    pub(super) state: &'a mut State,
    pub(super) caller: Caller,
    pub(super) parts: &'a Parts,
    pub(super) body: &'a [u8],
    /// The rest of the path after the operation's part: a job id or an ARN.
    pub(super) rest: &'a str,
}

impl ControlCall<'_> {
    /// Checks that the caller may perform `action` on a resource of its own account.
    pub(super) fn permit(&self, action: &str, arn: String, context: Context) -> Result<(), Fault> {
        let request = AccessRequest::plain(action, arn, &self.caller.account);
        authorize(&self.state.iam, &self.caller, request, || context)
            .map_err(|denied| Fault::new(403, "AccessDenied", denied.message()))
    }

    /// Returns the first value of a query parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).next()
    }

    /// Returns all values of a query parameter that can be repeated.
    pub(super) fn parameters(&self, name: &str) -> impl Iterator<Item = String> {
        form_urlencoded::parse(self.parts.uri.query().unwrap_or_default().as_bytes())
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Decodes the XML body of the request.
    pub(super) fn xml<T: serde::de::DeserializeOwned>(&self) -> Result<T, Fault> {
        let text = std::str::from_utf8(self.body).map_err(|_| malformed("it is not UTF-8"))?;
        quick_xml::de::from_str(text).map_err(|error| malformed(&error.to_string()))
    }
}

pub(super) fn malformed(why: &str) -> Fault {
    let text =
        "The XML you provided was not well-formed or did not validate against our published schema";
    tracing::info!(why, "malformed XML");
    Fault::bad("MalformedXML", text)
}

pub(super) fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("InvalidRequest", text)
}

/// Returns the XML body of a response.
pub(super) fn result(name: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name} xmlns=\"{NAMESPACE}\">{inner}</{name}>"
    )
}

/// Returns the bucket name in the ARN of a bucket.
pub(super) fn bucket_name(arn: &str) -> Option<&str> {
    Arn::new(arn).ok().filter(|arn| arn.service() == "s3")?;
    let name = arn.splitn(6, ':').nth(5)?;
    (!name.is_empty() && !name.contains(['/', ':'])).then_some(name)
}

/// Returns the bucket name and the key in the ARN of an object.
pub(super) fn object_name(arn: &str) -> Option<(&str, &str)> {
    Arn::new(arn).ok().filter(|arn| arn.service() == "s3")?;
    let (bucket, key) = arn.splitn(6, ':').nth(5)?.split_once('/')?;
    (!bucket.is_empty() && !key.is_empty()).then_some((bucket, key))
}
