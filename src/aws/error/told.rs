//! What the SDK says where AWS said nothing: the causes of an error, without the names of the SDK's
//! own layers, in one line.
//! Not for: what AWS says (see `error`), or a connection that fails (see `transport`).

use aws_credential_types::provider::error::CredentialsError;
use std::error::Error;

/// What the SDK's layers say of themselves; the causes below say more.
const LAYERS: [&str; 9] = [
    "dispatch failure",
    "failed to construct request",
    "io error",
    "other",
    "response error",
    "service error",
    "unhandled error",
    "ProfileFile provider could not be built",
    "invalid profile",
];

/// What the SDK's chain of providers says where none has credentials.
const NO_CHAIN: &str = "no credentials found in chain";

/// Returns whether an error is about credentials.
pub(super) fn is_about_credentials(error: Option<&(dyn Error + 'static)>) -> bool {
    chain(error).any(<dyn Error + 'static>::is::<CredentialsError>)
}

/// Returns what caused an error.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut told = String::new();
    for error in chain(Some(error)) {
        // Its own text names its kind alone.
        let text = if error.is::<CredentialsError>() { String::new() } else { plain(error) };
        if told.is_empty() {
            told = text;
        } else if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
    }
    if told.is_empty() || told.contains(NO_CHAIN) {
        let is_of_one = told.is_empty() && is_about_credentials(Some(error));
        return match (is_of_one, told.is_empty()) {
            (true, _) => "the profile has no credentials, or there is no such profile".to_owned(),
            (false, true) => error.to_string(),
            (false, false) => {
                "no credentials found: no keys in the environment, no profile with credentials, \
                 no web identity, no role of a container or of the machine"
                    .to_owned()
            }
        };
    }
    told
}

/// Returns what an error says beside its layers, in one line.
fn plain(error: &dyn Error) -> String {
    let mut text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    while let Some(rest) = LAYERS.iter().find_map(|layer| text.strip_prefix(layer)) {
        match rest.strip_prefix(": ") {
            Some(more) => text = more.to_owned(),
            None if rest.is_empty() => return String::new(),
            None => break,
        }
    }
    text
}

fn chain<'a>(
    error: Option<&'a (dyn Error + 'static)>,
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error, |error| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<dyn Error + Send + Sync>>);

    fn told(inner: CredentialsError) -> String {
        let other = Layer("other", Some(Box::new(inner)));
        causes(&Layer("dispatch failure", Some(Box::new(other))))
    }

    #[test]
    fn the_cause_is_told_without_its_layers() {
        let missing = Layer("ProfileFile provider could not be built: no session `q`", None);
        assert_eq!(told(CredentialsError::invalid_configuration(missing)), "no session `q`");
        let process = Layer("it ended with 127.\n\nStderr: not found", None);
        let nested = CredentialsError::provider_error(CredentialsError::provider_error(process));
        assert_eq!(told(nested), "it ended with 127. Stderr: not found");
        let chain = Layer("no credentials found in chain. Attempted:\n  Environment: no", None);
        assert!(told(CredentialsError::not_loaded(chain)).starts_with("no credentials found: "));
        let nothing = told(CredentialsError::not_loaded_no_source());
        assert!(nothing.contains("no such profile"), "{nothing}");
        assert_eq!(causes(&Layer("other", None)), "other");
    }
}
