//! A policy document as it was written: its statements and their elements, read from JSON and printed again.
//! Not for: whether AWS would accept it (see `grammar`) or what it allows (see `evaluate`).

mod operator;
mod print;
mod read;

use serde_json::Value;

pub use operator::{Comparison, Operator, Quantifier};
pub(super) use read::{Draft, draft};

/// The version of the policy language. Section: IAM User Guide, "IAM JSON policy elements: Version".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also what a document without a version gets: policy variables are plain text.
    V2008,
    /// `2012-10-17`: policy variables are replaced.
    V2012,
}

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the effect of that name")]
pub enum Effect {
    Allow,
    Deny,
}

impl Effect {
    /// Returns the effect as policies write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

/// An element and its `Not…` form: `Action` or `NotAction`, `Principal` or `NotPrincipal`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope<T> {
    /// The plain element: these.
    Only(T),
    /// The `Not…` element: everything but these.
    Except(T),
}

impl<T> Scope<T> {
    /// Returns what is listed, whichever form lists it.
    pub fn listed(&self) -> &T {
        match self {
            Self::Only(listed) | Self::Except(listed) => listed,
        }
    }

    /// Returns the element's name, given that of the plain form.
    pub fn element<'n>(&self, plain: &'n str, not: &'n str) -> &'n str {
        match self {
            Self::Only(_) => plain,
            Self::Except(_) => not,
        }
    }
}

/// The kinds of principal. Section: "AWS JSON policy elements: Principal".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the key of that name")]
pub enum PrincipalKind {
    Aws,
    Service,
    Federated,
    CanonicalUser,
}

impl PrincipalKind {
    /// Every kind with its key in a policy.
    const NAMES: [(Self, &'static str); 4] = [
        (Self::Aws, "AWS"),
        (Self::Service, "Service"),
        (Self::Federated, "Federated"),
        (Self::CanonicalUser, "CanonicalUser"),
    ];

    /// Returns the kind's key in a policy.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|row| row.0 == self).map_or("AWS", |row| row.1)
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|row| row.1 == name).map(|row| row.0)
    }
}

/// The value of `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principals {
    /// The bare `"*"`.
    Everyone,
    /// The map of kinds to names, in the order of the document.
    Listed(Vec<(PrincipalKind, Vec<String>)>),
}

/// One line of a `Condition` block: an operator, a key, and the values that the policy gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator with its quantifier and `IfExists`.
    pub operator: Operator,
    /// The condition key as written; keys are compared without regard to case.
    pub key: String,
    /// The values; numbers and Booleans as text.
    pub values: Vec<String>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the element of that name")]
pub struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    pub principal: Option<Scope<Principals>>,
    pub action: Option<Scope<Vec<String>>>,
    pub resource: Option<Scope<Vec<String>>>,
    /// All must hold; an operator and a key occur together once at most, as in JSON.
    pub condition: Vec<Condition>,
}

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the element of that name")]
pub struct Document {
    pub version: Option<Version>,
    pub id: Option<String>,
    pub statements: Vec<Statement>,
}

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The place, such as `Statement[1].Condition.StringEquals`; empty for the document as a whole.
    pub path: String,
    /// What is wrong there, in a sentence without a full stop.
    pub message: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, message } = self;
        if path.is_empty() { f.write_str(message) } else { write!(f, "{path}: {message}") }
    }
}

/// Why a text is not a policy document: the first finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DocumentError(pub Finding);

/// Where a document comes from: its text, or JSON that was parsed already.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// The text; only here can duplicate keys and the size as written be seen.
    Text(&'a str),
    /// Parsed JSON.
    Json(&'a Value),
}

impl<'a> From<&'a str> for Source<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Source<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Value> for Source<'a> {
    fn from(json: &'a Value) -> Self {
        Self::Json(json)
    }
}

impl Document {
    /// Reads a document in every form that AWS takes: one statement or a list, one string or a list of them.
    ///
    /// What can't be understood is an error, so that nothing is evaluated by halves: unknown elements, operators and effects.
    /// Elements that are merely missing are not: KMS takes statements without `Action` or `Resource`, which then do nothing.
    /// Where a JSON key occurs twice, the last one counts; `grammar` finds such keys.
    pub fn parse<'a>(source: impl Into<Source<'a>>) -> Result<Self, DocumentError> {
        let Draft { document, findings, .. } = match source.into() {
            Source::Text(text) => draft(&json(text).map_err(DocumentError)?),
            Source::Json(value) => draft(value),
        };
        match findings.into_iter().next() {
            Some(first) => Err(DocumentError(first)),
            None => Ok(document),
        }
    }
}

/// Parses JSON, or says where it breaks off.
pub(super) fn json(text: &str) -> Result<Value, Finding> {
    serde_json::from_str(text).map_err(|error| Finding {
        path: String::new(),
        message: format!("not valid JSON: {error}"),
    })
}

#[cfg(test)]
pub(super) mod tests;
