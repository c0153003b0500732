//! An error as KMS, IAM and STS return it: status, code, message. Not for: S3, which uses the error
//! type of `s3s`.

use std::borrow::Cow;

/// The error that a refused request receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The HTTP status.
    pub(crate) status: u16,
    /// AWS's code, such as `NotFoundException`.
    pub(crate) code: Cow<'static, str>,
    /// The human-readable message.
    pub(crate) message: String,
}

impl Fault {
    /// Creates an error with any status.
    pub(crate) fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// Creates an error that the caller caused (400), as nearly all errors are.
    pub(crate) fn bad(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// Creates the error for a feature that the sandbox does not model (501).
    pub(crate) fn not_implemented(what: &str) -> Self {
        Self::new(501, "NotImplemented", format!("The sandbox does not implement {what}."))
    }
}

/// The result of an operation with an XML response: the XML of the result, or `None` where the
/// operation returns nothing.
pub(crate) type XmlOutput = Result<Option<String>, Fault>;
