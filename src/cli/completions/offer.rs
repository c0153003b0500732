//! The values that shells offer for pair names and Regions. Shells request them while a line is
//! typed, so this module makes no AWS calls.
//! Not for: validation; any name and any Region of the right form is accepted.

use crate::bounded;
use crate::check::catalogue;
use crate::names::KNOWN_REGIONS;
use clap::ValueEnum;
use clap_complete::Shell;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What can be offered.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Offer {
    Pairs,
    Regions,
    Codes,
    Checks,
}

/// Returns the values to offer: from the manifest, from the environment, and the Regions that this
/// version knows.
pub(super) fn words(what: Offer) -> Vec<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let file = variable("CRRCTL_FILE").map_or_else(|| PathBuf::from("crrctl.yaml"), PathBuf::from);
    let text = bounded::text(&file, 16 << 20).unwrap_or_default();
    // An unreadable manifest offers nothing: a half-written file is not an error while a line is
    // typed.
    let manifest: Value = serde_saphyr::from_str(&text).unwrap_or_default();
    let mut found = BTreeSet::new();
    match what {
        Offer::Pairs => {
            named(&manifest, "name", &mut found);
            found.extend(variable("CRRCTL_NAME"));
        }
        Offer::Regions => {
            named(&manifest, "region", &mut found);
            found.extend(["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().filter_map(variable));
            found.extend(KNOWN_REGIONS.map(str::to_owned));
        }
        Offer::Codes => found.extend(catalogue::all().map(|entry| entry.code.to_owned())),
        Offer::Checks => found.extend(catalogue::check_names().map(str::to_owned)),
    }
    found.into_iter().filter(|word| is_plain(word)).collect()
}

/// Returns whether a word is safe to offer: a shell splits and expands the values that it is
/// offered.
fn is_plain(word: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    !word.is_empty() && word.chars().all(is_plain)
}

/// Collects the values of `key` outside roles, since the name of a role is not the name of a pair.
fn named(value: &Value, key: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key).and_then(Value::as_str).map(str::to_owned));
            let inside = fields.iter().filter(|(name, _)| *name != "role");
            inside.for_each(|(_, value)| named(value, key, found));
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, key, found)),
        _ => {}
    }
}

/// Returns the completion script, extended to request names and Regions where the shell supports
/// it.
pub(super) fn offering(shell: Shell, script: &str) -> String {
    match shell {
        Shell::Bash => format!("{script}{BASH}"),
        Shell::Fish => format!("{script}{FISH}"),
        Shell::Zsh => {
            ZSH.iter().fold(script.to_owned(), |script, (start, what)| zsh(&script, start, what))
        }
        _ => script.to_owned(),
    }
}

/// Replaces zsh's default completion of files with the request, in every line that has `start`.
fn zsh(script: &str, start: &str, what: &str) -> String {
    let asked = format!(":{{compadd -- $(crrctl completions --offer {what} 2>/dev/null)}}'");
    let line = |line: &str| match (line.contains(start), line.rfind(":_default'")) {
        (true, Some(at)) => format!("{}{asked}{}", &line[..at], &line[at + ":_default'".len()..]),
        _ => line.to_owned(),
    };
    let mut lines: Vec<String> = script.lines().map(line).collect();
    lines.push(String::new());
    lines.join("\n")
}

/// What zsh's lines about an option or an argument have in them, and what is offered there.
const ZSH: [(&str, &str); 6] = [
    ("--name=[", "pairs"),
    ("--source=[", "regions"),
    ("--destination=[", "regions"),
    ("--regions=[", "regions"),
    ("--skip-check=[", "checks"),
    ("'::code -- ", "codes"),
];

const FISH: &str = "\
complete -c crrctl -l name -x -a '(crrctl completions --offer pairs 2>/dev/null)'
complete -c crrctl -l source -x -a '(crrctl completions --offer regions 2>/dev/null)'
complete -c crrctl -l destination -x -a '(crrctl completions --offer regions 2>/dev/null)'
complete -c crrctl -l regions -x -a '(crrctl completions --offer regions 2>/dev/null)'
complete -c crrctl -l skip-check -x -a '(crrctl completions --offer checks 2>/dev/null)'
complete -c crrctl -n '__fish_seen_subcommand_from explain' -f -a '(crrctl completions --offer codes 2>/dev/null)'
";

const BASH: &str = r#"
_crrctl_offering() {
    local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" what=
    case "$before" in
        --name) what=pairs ;;
        --source|--destination|--regions) what=regions ;;
        --skip-check) what=checks ;;
        explain) what=codes ;;
    esac
    if [[ -n "$what" ]]; then
        COMPREPLY=( $(compgen -W "$(crrctl completions --offer "$what" 2>/dev/null)" -- "$current") )
    else
        _crrctl "$@"
    fi
}
complete -F _crrctl_offering -o bashdefault -o default crrctl
"#;
