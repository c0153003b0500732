//! Policy documents as the services store them: validated against the policy grammar, with
//! principals bound to unique ids.
//! Not for: evaluating them (see `gate::access`).

use crate::world::Quirk;
use crate::world::iam::Iam;
use crrctl_iam::document::{PrincipalKind, Principals, Scope};
use crrctl_iam::names::Arn;
use crrctl_iam::{Document, DocumentKind, check};
use serde::de::IgnoredAny;

/// A policy document that a service accepted.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    text: String,
    /// The document for evaluation: users and roles are replaced by their unique ids.
    pub(crate) document: Document,
    /// The ARNs in the original text, each with its unique id at the time when the document was
    /// accepted.
    bound: Vec<(String, String)>,
}

/// Why a document is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The document is not JSON. Contains the parser's text.
    NotJson(String),
    /// The document violates the grammar. Contains the text of the first finding.
    Malformed(String),
    /// The document names a user or role that does not exist.
    Principal(String),
}

/// Validates and parses a document as the service that stores it does.
///
/// Users and roles in `Principal` are bound to their unique ids, so that the policy does not apply
/// to a user or role that is recreated with the same name (IAM User Guide, "AWS JSON policy
/// elements: Principal", "IAM role principals").
pub(crate) fn read(kind: DocumentKind, text: &str, iam: &Iam) -> Result<Stored, Flaw> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return Err(Flaw::NotJson(error.to_string()));
    }
    if let Some(finding) = check(kind, text).into_iter().next() {
        return Err(Flaw::Malformed(finding.to_string()));
    }
    let mut document = Document::parse(text).map_err(|error| Flaw::Malformed(error.to_string()))?;
    let mut bound = Vec::new();
    for statement in &mut document.statements {
        let Some(Scope::Only(principals) | Scope::Except(principals)) = &mut statement.principal
        else {
            continue;
        };
        let Principals::Listed(listed) = principals else { continue };
        let names = listed.iter_mut().filter(|(kind, _)| *kind == PrincipalKind::Aws);
        for name in names.flat_map(|(_, names)| names) {
            if let Some(id) = bind(name, iam)? {
                bound.push((std::mem::replace(name, id.clone()), id));
            }
        }
    }
    Ok(Stored { text: text.to_owned(), document, bound })
}

/// Returns the unique id that a name is bound to; `None` for accounts, sessions and everyone, which
/// stay as written.
fn bind(name: &str, iam: &Iam) -> Result<Option<String>, Flaw> {
    let unknown = || Flaw::Principal(name.to_owned());
    let account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if name == "*" || account(name) {
        return Ok(None);
    }
    let Ok(arn) = Arn::new(name) else {
        return if iam.has_id(name) { Ok(None) } else { Err(unknown()) };
    };
    match (arn.service(), arn.resource()) {
        ("iam", "root") if account(arn.account()) => Ok(None),
        ("iam", _) if iam.recent.lasts(Quirk::LatePrincipal, || name) => Err(unknown()),
        ("iam", _) => iam.id_of(name).map(Some).ok_or_else(unknown),
        ("sts", session) => {
            let role = session.strip_prefix("assumed-role/").and_then(|s| s.split('/').next());
            let exists = role.is_some_and(|role| iam.has_role_named(arn.account(), role));
            if exists { Ok(None) } else { Err(unknown()) }
        }
        _ => Err(unknown()),
    }
}

impl Stored {
    /// Creates a document that is part of the sandbox's own code and names only accounts.
    #[expect(clippy::expect_used, reason = "written here, and read by every test of a key")]
    pub(crate) fn known(json: &serde_json::Value) -> Self {
        let document = Document::parse(json).expect("a policy document");
        Self { text: json.to_string(), document, bound: Vec::new() }
    }

    /// Creates a document without statements, which allows nothing.
    pub(crate) fn empty() -> Self {
        let document = Document { version: None, id: None, statements: Vec::new() };
        Self { text: String::new(), document, bound: Vec::new() }
    }

    /// Returns the text as a read operation returns it: a deleted user or role appears as its
    /// unique id.
    pub(crate) fn shown(&self, iam: &Iam) -> String {
        let mut text = self.text.clone();
        for (arn, id) in &self.bound {
            if iam.id_of(arn).as_ref() != Some(id) {
                text = text.replace(&format!("\"{arn}\""), &format!("\"{id}\""));
            }
        }
        text
    }

    /// Returns the original text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}
