//! `crrctl init`: writes an initial manifest, from flags or from answers to questions.
//! Not for: a manifest of a bucket that already replicates (see `import`).

use super::Global;
use super::objects::InitObject;
use super::output::{self, Ended, Printer};
use crate::failure::{Failure, Kind};
use crate::manifest::{self, Origin, SideFlag};
use crate::settings;
use crate::stop::Stop;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// Write over a manifest that is there
    #[arg(long)]
    force: bool,
}

/// The file's content beside name, source and destinations: every key at its default, as a comment.
const REST: &str = include_str!("init.yaml");

pub(super) async fn run(
    global: &Global,
    args: &InitArgs,
    printer: &Printer,
    object: &mut InitObject,
) -> Ended {
    let path = PathBuf::from(global.file.as_deref().unwrap_or("crrctl.yaml"));
    if path.exists() && !args.force {
        let message = format!("`{}` is there already", path.display());
        return Err(Failure::new(Kind::Manifest, "file-exists", message)
            .hint("`--force` writes over it; `--file` names another"));
    }
    let (name, source, destinations) = answers(global).await?;
    // Validated before the file is written; the values of flags can't contain `{run}`.
    manifest::from_flags(&name, &source, &destinations, &Origin::Flags, None)?;
    let text = text(&name, &source, &destinations);
    write(&path, &text)?;
    object.file.set(path.display().to_string());
    object.manifest.set(text);
    printer.text(&format!("{}\n", path.display()));
    output::say("next: `crrctl rehearse` tries it offline, `crrctl plan` asks AWS");
    Ok(0)
}

/// Returns the values of the flags, and asks for missing values if there is a terminal.
async fn answers(global: &Global) -> Result<(String, SideFlag, Vec<SideFlag>), Failure> {
    let is_whole =
        global.name.is_some() && global.source.is_some() && !global.destination.is_empty();
    if !is_whole && !output::can_ask() {
        let message = "there is no terminal to ask on: `--name`, `--source` and `--destination` are all wanted";
        return Err(Failure::new(Kind::Manifest, "usage", message).hint(
            "such as `crrctl init --name orders --source us-east-1 --destination us-west-2`",
        ));
    }
    let stop = Stop::default();
    let name = match &global.name {
        Some(name) => name.clone(),
        None => output::ask("the pair's name (such as `orders`):", &stop).await?,
    };
    let source = match &global.source {
        Some(source) => source.clone(),
        None => output::ask("the source, REGION[:BUCKET]:", &stop).await?.as_str().into(),
    };
    if !global.destination.is_empty() {
        return Ok((name, source, global.destination.clone()));
    }
    let answer = output::ask("the destinations, REGION[:BUCKET], by commas:", &stop).await?;
    let destinations = answer.split(',').map(|side| side.trim().into()).collect();
    Ok((name, source, destinations))
}

fn text(name: &str, source: &SideFlag, destinations: &[SideFlag]) -> String {
    let (head, rest) = REST.split_once("{pair}\n").unwrap_or((REST, ""));
    let (of_source, rest) = rest.split_once("{destinations}\n").unwrap_or(("", rest));
    let source = source.lines("  ");
    let mut text = format!("{head}name: {name}\nsource:\n{source}{of_source}destinations:\n");
    for side in destinations {
        text.push_str("  - ");
        text.push_str(side.lines("    ").trim_start());
    }
    let documents =
        settings::examples().into_iter().flat_map(str::lines).map(|line| format!("#   {line}\n"));
    text + &rest
        .replace("alias/crrctl/{name}", &format!("alias/crrctl/{name}"))
        .replace("{documents}", &documents.collect::<String>())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| {
        let message = format!("can't write `{}`: {error}", path.display());
        Failure::new(Kind::Manifest, "not-written", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// Returns a line with its comment taken away, if a key is commented out there.
    fn uncommented(line: &str) -> Option<String> {
        let (indent, rest) = line.split_once("# ")?;
        let (key, _) = rest.trim_start().split_once(':')?;
        let is_key =
            !key.is_empty() && key.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
        (indent.trim().is_empty() && is_key).then(|| format!("{indent}{rest}"))
    }

    /// Adds the keys of a manifest, such as `key.kind`. Tags are the user's.
    fn collect(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let path = format!("{path}{key}");
                    collect(value, &format!("{path}."), found);
                    found.insert(path);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, path, found)),
            _ => {}
        }
    }

    /// A manifest whose comments are taken away says the same, and names every key that there is:
    /// where a mapping has none by default, the comment beside it names its keys.
    #[test]
    fn every_key_of_the_manifest_is_in_the_file() {
        let text = text("demo", &"us-east-1".into(), &["us-west-2".into()]);
        let whole: Vec<String> =
            text.lines().map(|line| uncommented(line).unwrap_or_else(|| line.to_owned())).collect();
        let whole = whole.join("\n");
        let value: Value = serde_saphyr::from_str(&whole).unwrap();
        let mut found = BTreeSet::new();
        collect(&value, "", &mut found);
        let known = manifest::keys();
        for path in known.difference(&found.clone()) {
            let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
            let parent = format!("{}:", parent.rsplit('.').next().unwrap_or_default());
            let is_beside = |line: &str| {
                line.trim_start().starts_with(&parent) && line.contains(&format!("{key}: "))
            };
            if whole.lines().any(is_beside) {
                found.insert(path.clone());
            }
        }
        assert_eq!(found, known, "what `init` writes, and what the parser takes");
        manifest::parse(&whole, &Origin::Stdin, None).unwrap();
    }
}
