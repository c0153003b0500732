//! A policy document as written: its statements and their elements, parsed from JSON and printed
//! again.
//! Not for: whether AWS accepts the document (see `grammar`) or what it allows (see `evaluate`).

mod operator;
mod print;
mod read;

use serde_json::Value;

pub use operator::{Comparison, Operator, Quantifier};
pub(super) use read::{Draft, draft};

/// The version of the policy language. Section: IAM User Guide, "IAM JSON policy elements:
/// Version".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also the default of a document without a version. Policy variables are literal
    /// text.
    V2008,
    /// `2012-10-17`: policy variables are replaced.
    V2012,
}

/// The effect of a statement that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the effect of that name")]
pub enum Effect {
    Allow,
    Deny,
}

impl Effect {
    /// Returns the effect as written in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

/// An element in its plain or its `Not…` form: `Action` or `NotAction`, `Principal` or
/// `NotPrincipal`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope<T> {
    /// The plain element: matches the listed values.
    Only(T),
    /// The `Not…` element: matches everything except the listed values.
    Except(T),
}

impl<T> Scope<T> {
    /// Returns the listed values, in either form.
    pub fn listed(&self) -> &T {
        match self {
            Self::Only(listed) | Self::Except(listed) => listed,
        }
    }

    /// Returns the element's name, given the names of both forms.
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
    /// Each kind with its key in a policy.
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
    /// The map of kinds to names, in document order.
    Listed(Vec<(PrincipalKind, Vec<String>)>),
}

impl Principals {
    /// Returns whether they are `"*"`, or `{"AWS": "*"}` is among them.
    pub fn name_everyone(&self) -> bool {
        match self {
            Self::Everyone => true,
            Self::Listed(listed) => listed.iter().any(|(kind, names)| {
                *kind == PrincipalKind::Aws && names.iter().any(|name| name == "*")
            }),
        }
    }
}

/// One line of a `Condition` block: an operator, a condition key and the policy's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator with its quantifier and `IfExists`.
    pub operator: Operator,
    /// The condition key as written. Condition keys are case-insensitive.
    pub key: String,
    /// The values. Numbers and Booleans are stored as text.
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
    /// All conditions must hold. A pair of operator and key occurs at most once, as in JSON.
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

/// A problem in a document, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The place, such as `Statement[1].Condition.StringEquals`; empty for the whole document.
    pub path: String,
    /// The problem, as a sentence without a full stop.
    pub message: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, message } = self;
        if path.is_empty() { f.write_str(message) } else { write!(f, "{path}: {message}") }
    }
}

/// The error for a text that is not a policy document: its first finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DocumentError(pub Finding);

/// The source of a document: its text, or JSON that is already parsed.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// The text. Duplicate keys and the size as written can be checked only in a text.
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

impl Statement {
    /// Returns whether a condition or a policy variable of the statement reads the context of a
    /// request. Only `Resource` and `Condition` can have variables (IAM User Guide, "IAM policy
    /// elements: Variables and tags").
    pub(crate) fn reads_context(&self) -> bool {
        let resources = self.resource.iter().flat_map(Scope::listed);
        !self.condition.is_empty() || resources.into_iter().any(|text| text.contains('$'))
    }
}

impl Document {
    /// Returns whether what the document decides may depend on the context of a request.
    pub fn reads_context(&self) -> bool {
        self.statements.iter().any(Statement::reads_context)
    }

    /// Parses a document in every form that AWS accepts: one statement or a list, one string or a
    /// list of strings.
    ///
    /// Unknown elements, operators and effects are errors, so that no document is evaluated in
    /// part.
    /// Missing elements are not errors: KMS accepts statements without `Action` or `Resource`,
    /// which have no effect. If a JSON key occurs twice, the last value counts; `grammar` reports
    /// such keys.
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

/// Parses JSON, or returns a finding with the position of the syntax error.
pub(super) fn json(text: &str) -> Result<Value, Finding> {
    serde_json::from_str(text).map_err(|error| Finding {
        path: String::new(),
        message: format!("not valid JSON: {error}"),
    })
}

#[cfg(test)]
pub(super) mod tests;
