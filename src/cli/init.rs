//! `crrctl init`: writes an initial manifest, from flags or from answers to questions.
//! Not for: a manifest of a bucket that already replicates (see `import`).

use super::Global;
use super::objects::InitObject;
use super::output::{self, Ended, Printer};
use crate::failure::{Failure, Kind};
use crate::manifest::{self, Manifest, ManifestError, Origin, SideFlag};
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
    let draft = Draft::of(global);
    for warning in doubts(&draft.manifest()?) {
        output::say(&format!("warning: {warning}"));
    }
    let stop = Stop::default();
    let draft = draft.answered(&async |question: &str| asked(question, &stop).await).await?;
    let text = draft.text();
    write(&path, &text)?;
    object.file.set(path.display().to_string());
    object.manifest.set(text);
    printer.text(&format!("{}\n", path.display()));
    output::say("next: `crrctl rehearse` tries it offline, `crrctl plan` asks AWS");
    Ok(0)
}

/// What is known of the manifest so far, from flags and answers.
#[derive(Debug, Clone)]
struct Draft {
    name: Option<String>,
    source: Option<SideFlag>,
    destinations: Vec<SideFlag>,
}

impl Draft {
    fn of(global: &Global) -> Self {
        let (name, source) = (global.name.clone(), global.source.clone());
        Self { name, source, destinations: global.destination.clone() }
    }

    /// Returns the manifest, checked; what is not known yet is filled with what fits the rest.
    fn manifest(&self) -> Result<Manifest, ManifestError> {
        let source = self.source_or_any();
        let beside = [source.beside()];
        let destinations =
            if self.destinations.is_empty() { &beside[..] } else { &self.destinations };
        let name = self.name.as_deref().unwrap_or("orders");
        // The values of flags can't contain `{run}`.
        manifest::from_flags(name, &source, destinations, &Origin::Flags, None)
    }

    fn source_or_any(&self) -> SideFlag {
        self.source.clone().unwrap_or_else(|| "us-east-1".into())
    }

    /// Asks for what is not known.
    async fn answered(mut self, ask: &impl Ask) -> Result<Self, Failure> {
        if self.name.is_none() {
            let put = |draft: &mut Self, name: &str| draft.name = Some(name.to_owned());
            self = self.asked("the pair's name (such as `orders`):", ask, put).await?;
        }
        if self.source.is_none() {
            let put = |draft: &mut Self, side: &str| draft.source = Some(side.into());
            self = self.asked("the source, REGION[:BUCKET]:", ask, put).await?;
        }
        if self.destinations.is_empty() {
            let put = |draft: &mut Self, sides: &str| {
                draft.destinations = sides.split(',').map(|side| side.trim().into()).collect();
            };
            let question = "the destinations, REGION[:BUCKET], separated by commas:";
            self = self.asked(question, ask, put).await?;
        }
        Ok(self)
    }

    /// Asks until the manifest can have the answer, and says each time why it can't. A Region that
    /// this version does not know is taken when it is given twice: it may be new.
    async fn asked(
        &self,
        question: &str,
        ask: &impl Ask,
        put: impl Fn(&mut Self, &str),
    ) -> Result<Self, Failure> {
        let known = doubts(&self.manifest()?);
        let (mut before, mut told) = (None, String::new());
        loop {
            let answer = ask.ask(&format!("{told}{question}")).await?;
            let mut draft = self.clone();
            put(&mut draft, &answer);
            told = match draft.manifest() {
                Err(error) => format!("{}\n", refused(error)),
                Ok(manifest) => {
                    let doubts = doubts(&manifest).into_iter().filter(|it| !known.contains(it));
                    let doubts: Vec<String> = doubts.collect();
                    if doubts.is_empty() || before.as_ref() == Some(&answer) {
                        return Ok(draft);
                    }
                    format!("{}; enter it again to keep it\n", doubts.join("; "))
                }
            };
            before = Some(answer);
        }
    }

    fn text(&self) -> String {
        text(self.name.as_deref().unwrap_or_default(), &self.source_or_any(), &self.destinations)
    }
}

/// Who answers questions: somebody at a terminal, or a test.
trait Ask {
    async fn ask(&self, question: &str) -> Result<String, Failure>;
}

impl<F: AsyncFn(&str) -> Result<String, Failure>> Ask for F {
    async fn ask(&self, question: &str) -> Result<String, Failure> {
        self(question).await
    }
}

/// Asks on the terminal, if there is one.
async fn asked(question: &str, stop: &Stop) -> Result<String, Failure> {
    let refused = |message: &str| {
        Failure::new(Kind::Manifest, "usage", message)
            .hint("such as `crrctl init --name orders --source us-east-1 --destination us-west-2`")
    };
    if !output::can_ask() {
        let message = "there is no terminal to ask on: `--name`, `--source` and `--destination` are all needed";
        return Err(refused(message));
    }
    let answer = output::answer(question, stop).await?;
    answer.ok_or_else(|| refused("the input ended before every question was answered"))
}

/// Returns what is wrong with an answer, and what was probably meant.
fn refused(error: ManifestError) -> String {
    match error {
        ManifestError::Invalid { error, .. } => {
            let meant = error.hint.map_or_else(String::new, |hint| format!("; {hint}"));
            format!("{}{meant}", error.message)
        }
        unreadable @ ManifestError::Unreadable { .. } => unreadable.to_string(),
    }
}

/// Returns a warning about each Region that this version does not know.
fn doubts(manifest: &Manifest) -> Vec<String> {
    let mut doubts: Vec<String> = manifest.regions().filter_map(manifest::unknown_region).collect();
    doubts.dedup();
    doubts
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
    use std::cell::RefCell;
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

    /// A terminal that gives its answers in their order, and keeps the questions.
    struct Scripted {
        answers: RefCell<Vec<&'static str>>,
        questions: RefCell<Vec<String>>,
    }

    impl Ask for Scripted {
        async fn ask(&self, question: &str) -> Result<String, Failure> {
            self.questions.borrow_mut().push(question.to_owned());
            Ok(self.answers.borrow_mut().remove(0).to_owned())
        }
    }

    fn nothing() -> Draft {
        Draft { name: None, source: None, destinations: Vec::new() }
    }

    /// Returns the draft, and what was said before each question that was asked again.
    async fn scripted(draft: Draft, answers: &[&'static str]) -> (Draft, Vec<String>) {
        let answers = RefCell::new(answers.to_vec());
        let terminal = Scripted { answers, questions: RefCell::default() };
        let draft = draft.answered(&terminal).await.unwrap();
        assert!(terminal.answers.borrow().is_empty(), "{:?}", terminal.answers);
        let questions = terminal.questions.into_inner().into_iter();
        let again = questions.filter_map(|it| Some(it.split_once('\n')?.0.to_owned()));
        (draft, again.collect())
    }

    #[tokio::test]
    async fn each_answer_is_checked_when_it_is_given() {
        let answers = [
            "My Orders",
            "",
            "orders",
            "us-east1",
            "us-east-1:My_Bucket",
            "us-east-1:ab",
            "us-east-1:orders-src-{account}",
            "us-west-2, nowhere",
            "us-west-2:orders-src-{account}",
            "us-west-2,eu-west-1:orders-dst-{account}",
        ];
        let (draft, told) = scripted(nothing(), &answers).await;
        let wanted = [
            "`My Orders` is not a valid pair name: ",
            "`` is not a valid pair name: ",
            "`us-east1` is not a valid ",
            "`My_Bucket` is not a valid bucket name: ",
            "`ab` is not a valid bucket name: ",
            "`nowhere` is not a valid ",
            "",
        ];
        assert_eq!(told.len(), wanted.len(), "{told:#?}");
        for (told, wanted) in told.iter().zip(wanted) {
            assert!(told.starts_with(wanted), "{told}");
        }
        assert!(told[0].ends_with("did you mean `my-orders`?"), "{}", told[0]);
        assert!(told[2].ends_with("did you mean `us-east-1`?"), "{}", told[2]);
        assert!(!told[5].contains("did you mean"), "{}", told[5]);
        assert!(draft.manifest().is_ok());
        assert!(draft.text().contains("    bucket: \"orders-dst-{account}\""), "{}", draft.text());
    }

    #[tokio::test]
    async fn an_unknown_region_is_doubted_once_and_kept_where_it_is_given_again() {
        let answers = ["us-esat-1", "us-east-1", "us-west-9", "us-west-9"];
        let draft = Draft { name: Some("orders".to_owned()), ..nothing() };
        let (draft, told) = scripted(draft, &answers).await;
        assert_eq!(told.len(), 2, "{told:#?}");
        assert!(told[0].contains("is `us-east-1` meant?"), "{}", told[0]);
        assert!(told[1].contains("`us-west-9`"), "{}", told[1]);
        assert_eq!(draft.destinations, ["us-west-9".into()]);
    }

    /// Nobody is asked where a flag is wrong already.
    #[tokio::test]
    async fn flags_are_checked_before_anything_is_asked() {
        let draft = Draft { source: Some("us-east-1:A".into()), ..nothing() };
        assert!(draft.manifest().is_err());
    }
}
