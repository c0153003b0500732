//! Tips for a command line that can't be parsed: the words of other tools, and no suggestion that
//! takes anything away.
//! Not for: errors after parsing (see `output`).

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands of other tools, and what does the same here.
const COMMANDS: [(&[&str], &str); 6] = [
    (&["create", "up", "deploy", "install"], "`crrctl apply` creates or updates the pair"),
    (&["delete", "down", "remove", "rm", "teardown"], "`crrctl destroy` removes the pair"),
    (&["diff", "preview", "show"], "`crrctl plan` shows what `apply` would do"),
    (&["validate", "verify", "doctor", "lint", "diagnose"], "`crrctl check` looks into the pair"),
    (&["ls", "get"], "`crrctl list` lists the pairs of the account"),
    (&["test", "prove"], "`crrctl probe` proves the pair, `crrctl rehearse` the manifest"),
];

/// Options of other tools, and what does the same here.
const OPTIONS: [(&[&str], &str); 9] = [
    (&["--auto-approve", "--force", "--assume-yes"], "`--yes` (`-y`) asks nothing"),
    (&["--dest", "--dst", "--target"], "`--destination REGION[:BUCKET]`"),
    (&["--src", "--from"], "`--source REGION[:BUCKET]`"),
    (&["--json"], "`--output json` (`-o json`)"),
    (&["--no-color", "--no-colour"], "`--color never`, or the variable NO_COLOR"),
    (&["--dry-run", "--check"], "`crrctl plan` shows what would be done"),
    (&["--manifest", "--config"], "`--file FILE` (`-f FILE`)"),
    (&["--region", "--regions"], "each side has its Region: `--source REGION[:BUCKET]`"),
    (&["--endpoint", "--url"], "`--endpoint-url URL`"),
];

/// What is never suggested for a slip.
const NEVER: [&str; 2] = ["destroy", "--destroy"];

/// Replaces the parser's suggestions by tips, where there is one, and takes out those that would
/// take something away.
pub(super) fn told(mut error: clap::Error) -> clap::Error {
    hide_password(&mut error);
    // Of a wrong value the option is right.
    let given = match error.kind() {
        ErrorKind::InvalidSubcommand => error.get(ContextKind::InvalidSubcommand).map(text),
        ErrorKind::UnknownArgument => error.get(ContextKind::InvalidArg).map(text),
        _ => None,
    };
    let tip = given.as_deref().and_then(tip);
    for kind in [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg] {
        let kept: Option<Vec<String>> = error.get(kind).map(|suggested| {
            let all = all(suggested).into_iter();
            all.filter(|it| tip.is_none() && !NEVER.contains(&it.as_str())).collect()
        });
        match kept {
            None => {}
            Some(kept) if kept.is_empty() => {
                error.remove(kind);
                // It shows how to use what was suggested.
                error.remove(ContextKind::Usage);
            }
            Some(kept) => drop(error.insert(kind, ContextValue::Strings(kept))),
        }
    }
    if let Some(tip) = tip {
        let tip = ContextValue::StyledStrs(vec![StyledStr::from(tip.to_owned())]);
        error.insert(ContextKind::Suggested, tip);
    }
    error
}

/// Takes the user and the password out of what is given for an endpoint. Without a scheme it is no URL,
/// of which the printer takes them out.
fn hide_password(error: &mut clap::Error) {
    let option = error.get(ContextKind::InvalidArg).map(text);
    if !option.is_some_and(|it| it.starts_with("--endpoint-url")) {
        return;
    }
    let given = error.get(ContextKind::InvalidValue).map(text).unwrap_or_default();
    if let Some((_, host)) = given.rsplit_once('@') {
        error.insert(ContextKind::InvalidValue, ContextValue::String(format!("***@{host}")));
    }
}

fn tip(given: &str) -> Option<&'static str> {
    let word = given.split(['=', ' ']).next().unwrap_or(given);
    let found = COMMANDS.iter().chain(&OPTIONS).find(|(words, _)| words.contains(&word));
    found.map(|(_, tip)| *tip)
}

fn text(value: &ContextValue) -> String {
    all(value).into_iter().next().unwrap_or_default()
}

fn all(value: &ContextValue) -> Vec<String> {
    match value {
        ContextValue::String(one) => vec![one.clone()],
        ContextValue::Strings(many) => many.clone(),
        other => vec![other.to_string()],
    }
}
