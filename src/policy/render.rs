//! Renders documents: fills in a template with the topology's values, parses the result, and checks
//! it as the service that stores the document does.
//! Not for: what a document allows (see `proof`).

use super::bounds::{self, Rendered, Unbounded, unbounded};
use super::variables::variables;
use super::{Document, Templates};
use crate::failure::{Failure, Kind};
use crate::manifest::{Manifest, PairKeys, Topology};
use crate::names::{AccountId, InvalidName};
use crrctl_iam::{self as iam, DocumentKind, Finding};
use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde_json::Value;

/// A placeholder for an account id that is not known yet.
const SOME_ACCOUNT: &str = "000000000000";

/// The reason why a document can't be rendered. Each message names the template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A file can't be read.
    #[error("can't read `{0}`: {1}")]
    Unreadable(String, String),
    /// A file has the extension of a template but no template's name.
    #[error("`{0}` overrides no template; there are `{1}`")]
    UnknownTemplate(String, String),
    /// The template has an error at a line.
    #[error("{0}:{1}: {2}")]
    Template(String, usize, String),
    /// The rendered text is not a policy document.
    #[error("{0}: {1} does not render to a policy document: {2}")]
    NotADocument(String, String, String),
    /// The rendered text is a document that AWS would refuse.
    #[error("{0}: AWS would refuse {1}: {2}")]
    Refused(String, String, String),
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        let hint =
            "`policies/README.md` says what each template is for and which variables it gets";
        Self::new(Kind::Manifest, "template-invalid", error.to_string()).hint(hint)
    }
}

/// Renders every document that `apply` writes for `manifest`, with a placeholder account and key of
/// the right shape, so that an invalid template is found before any AWS call.
pub fn try_all(manifest: &Manifest, templates: &Templates) -> Result<(), Failure> {
    let topology = manifest.topology(&some_account()?)?;
    let keys = topology.or_some_keys(&PairKeys::default());
    for document in Document::written(&topology) {
        render(&document, &topology, &keys, templates)?;
    }
    Ok(())
}

/// Returns the placeholder for an account id that is not known yet.
pub fn some_account() -> Result<AccountId, InvalidName> {
    AccountId::new(SOME_ACCOUNT)
}

/// Returns whether the text of `document` depends on a key that crrctl creates. Such a document
/// can't be written before the alias names the key.
pub fn names_key(
    document: &Document,
    topology: &Topology,
    templates: &Templates,
) -> Result<bool, Failure> {
    let some = topology.or_some_keys(&PairKeys::default());
    let one = render(document, topology, &some, templates)?;
    Ok(one != render(document, topology, &topology.other_keys(), templates)?)
}

/// Renders `document` for `topology` and its `keys`, parses it, and checks it with the grammar of
/// its kind of policy.
pub fn render(
    document: &Document,
    topology: &Topology,
    keys: &PairKeys,
    templates: &Templates,
) -> Result<Value, RenderError> {
    let name = document.template();
    let (path, text) = templates.get(&name);
    let rendered = filled_in(path, text, &variables(document, topology, keys))?;
    let not_a_document =
        |why: String| RenderError::NotADocument(path.to_owned(), document.name(), why);
    let parsed: Value =
        serde_json::from_str(&rendered).map_err(|error| not_a_document(error.to_string()))?;
    match parsed.get("Statement") {
        // A bucket document without statements means that the bucket needs no policy.
        Some(Value::Array(none))
            if none.is_empty() && document.kind() == DocumentKind::BucketPolicy =>
        {
            return Ok(parsed);
        }
        Some(Value::Array(_) | Value::Object(_)) => {}
        _ => return Err(not_a_document("it is no JSON object with a `Statement`".to_owned())),
    }
    let findings = iam::check(document.kind(), &compact(&rendered));
    if findings.is_empty() {
        return Ok(parsed);
    }
    let findings: Vec<String> = findings.iter().map(Finding::to_string).collect();
    Err(RenderError::Refused(path.to_owned(), document.name(), findings.join("; ")))
}

fn filled_in(path: &str, text: &str, variables: &Value) -> Result<String, RenderError> {
    let failed = |error: &minijinja::Error| {
        let detail = error
            .detail()
            .map_or_else(|| error.kind().to_string(), |it| format!("{}: {it}", error.kind()));
        RenderError::Template(path.to_owned(), error.line().unwrap_or(1), detail)
    };
    if let Some(Unbounded { line, why }) = unbounded(text) {
        return Err(RenderError::Template(path.to_owned(), line, why));
    }
    let mut environment = Environment::empty();
    environment.set_fuel(Some(bounds::STEPS));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_filter("sort", minijinja::filters::sort);
    environment.add_filter("tojson", minijinja::filters::tojson);
    environment.add_template(path, text).map_err(|error| failed(&error))?;
    let template = environment.get_template(path).map_err(|error| failed(&error))?;
    let variables = minijinja::Value::from(minijinja::value::Serde(variables));
    let mut rendered = Rendered::default();
    match template.render_captured_to(variables, &mut rendered) {
        Ok(_) => Ok(rendered.text()),
        Err(error) if error.kind() == ErrorKind::OutOfFuel => {
            let why = format!("it takes more than {} steps", bounds::STEPS);
            Err(RenderError::Template(path.to_owned(), error.line().unwrap_or(1), why))
        }
        Err(error) if error.kind() == ErrorKind::WriteFailure => {
            let why =
                std::error::Error::source(&error).map_or_else(String::new, ToString::to_string);
            Err(RenderError::Template(path.to_owned(), error.line().unwrap_or(1), why))
        }
        Err(error) => Err(failed(&error)),
    }
}

/// Removes white space between JSON tokens: documents are sent without it, so their size without it
/// counts. Parsing would remove it too, but would lose duplicate keys.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |c: &char| {
        let is_kept = in_string || !c.is_ascii_whitespace();
        (in_string, escaped) = match (*c, in_string, escaped) {
            ('"', false, _) => (true, false),
            ('"', true, false) => (false, false),
            ('\\', true, false) => (true, true),
            (_, inside, _) => (inside, false),
        };
        is_kept
    };
    json.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn white_space_goes_only_between_tokens() {
        let text = "{\n  \"a b\": [\"c \\\" d\", 1 ],\t\"e\\\\\" : \" \"}";
        assert_eq!(compact(text), "{\"a b\":[\"c \\\" d\",1],\"e\\\\\":\" \"}");
    }
}
