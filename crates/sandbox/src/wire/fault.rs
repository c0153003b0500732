//! An error as KMS, IAM and STS answer it: status, code, message. Not for: S3, whose errors are `s3s`'s.

use std::borrow::Cow;

/// What a refused request is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The HTTP status.
    pub(crate) status: u16,
    /// AWS's code, such as `NotFoundException`.
    pub(crate) code: Cow<'static, str>,
    /// The text for people.
    pub(crate) message: String,
}

impl Fault {
    /// A fault with any status.
    pub(crate) fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// A fault of the caller's making (400), as nearly all are.
    pub(crate) fn bad(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// What the sandbox does not model (501).
    pub(crate) fn not_implemented(what: &str) -> Self {
        Self::new(501, "NotImplemented", format!("The sandbox does not implement {what}."))
    }
}
