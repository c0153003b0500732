//! Policy documents as the services keep them: checked by the grammar, with principals bound to unique ids.
//! Not for: deciding by them (see `access`).

use crate::world::iam::Iam;

use crrctl_iam::document::{PrincipalKind, Principals, Scope};
use crrctl_iam::names::Arn;
use crrctl_iam::{Document, DocumentKind, check};

/// A document that a service has taken.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    text: String,
    /// The document as it is evaluated: users and roles by their unique ids.
    pub(crate) document: Document,
    /// The ARNs that were written, with the unique ids they stood for when the document was taken.
    bound: Vec<(String, String)>,
}

/// Why a document is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It breaks the grammar, in the words of the first finding.
    Malformed(String),
    /// It names a user or role that does not exist.
    Principal(String),
}

/// Reads a document as the service that keeps it would.
///
/// Users and roles in `Principal` are bound to their unique ids, so that one made again under the same name is not meant
/// (IAM User Guide, "AWS JSON policy elements: Principal", "IAM role principals").
pub(crate) fn read(kind: DocumentKind, text: &str, iam: &Iam) -> Result<Stored, Flaw> {
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

/// Returns the unique id that a name is to be bound to; accounts, sessions and everyone stay as they are written.
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
    /// A document of our own making, which names accounts alone.
    #[expect(clippy::expect_used, reason = "written here, and read by every test of a key")]
    pub(crate) fn known(json: &serde_json::Value) -> Self {
        let document = Document::parse(json).expect("a policy document");
        Self { text: json.to_string(), document, bound: Vec::new() }
    }

    /// Returns the text as a reader gets it: who is gone is shown by the unique id.
    pub(crate) fn shown(&self, iam: &Iam) -> String {
        let mut text = self.text.clone();
        for (arn, id) in &self.bound {
            if iam.id_of(arn).as_ref() != Some(id) {
                text = text.replace(&format!("\"{arn}\""), &format!("\"{id}\""));
            }
        }
        text
    }

    /// Returns the text as it was given.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}
