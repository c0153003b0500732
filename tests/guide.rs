//! The guide under `docs/`: its runnable blocks run against a sandbox, and its links lead somewhere.
//! Not for: what the commands do (see the other tests).

use crate::common::binary;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A page of the guide, or the README.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let docs = std::fs::read_dir(root.join("docs")).unwrap();
        let pages = docs.map(|entry| entry.unwrap().path());
        let pages = pages.filter(|path| path.extension().is_some_and(|it| it == "md"));
        let mut paths: Vec<PathBuf> = pages.chain([root.join("README.md")]).collect();
        paths.sort();
        let page = |path: PathBuf| Self { text: std::fs::read_to_string(&path).unwrap(), path };
        paths.into_iter().map(page).collect()
    }

    fn name(&self) -> &str {
        self.path.file_name().unwrap().to_str().unwrap()
    }

    /// Returns the fenced blocks: the line of each, the words after its fence, and its text.
    fn blocks(&self) -> Vec<(usize, Vec<&str>, String)> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((line, fence)) = lines.next() {
            let Some(info) = fence.strip_prefix("```") else { continue };
            let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let body = body.fold(String::new(), |text, line| text + line + "\n");
            blocks.push((line + 1, info.split_whitespace().collect(), body));
        }
        blocks
    }

    /// Returns the shell script of the runnable blocks, in their order, and how many there are.
    /// `sh run` is run, and ends with 0 or as `exit=CODE` says; `yaml file=NAME` is written.
    fn script(&self) -> (String, usize) {
        let (mut script, mut count) = ("set -u\n".to_owned(), 0);
        for (line, info, body) in self.blocks() {
            let option = |name: &str| info.iter().find_map(|word| word.strip_prefix(name));
            if let Some(file) = option("file=") {
                writeln!(script, "cat > '{file}' <<'END_OF_FILE'\n{body}END_OF_FILE").unwrap();
            } else if info.starts_with(&["sh", "run"]) {
                let (code, place) = (option("exit=").unwrap_or("0"), self.name());
                count += 1;
                writeln!(
                    script,
                    "( set -eu\n{body}) >../told.{line} 2>&1\ncode=$?; cat ../told.{line}; [ $code = {code} ] || \
                     {{ echo \"{place}:{line}: ended with $code, not {code}\" >&2; exit 1; }}"
                )
                .unwrap();
            }
        }
        (script, count)
    }

    /// Asserts that the runnable blocks printed what the page shows of them: each line of a block
    /// `text shown` stands in what the blocks before it told, with anything in place of `…`.
    fn assert_shown(&self, folder: &Path) -> usize {
        let (mut told, mut count) = (String::new(), 0);
        for (line, info, body) in self.blocks() {
            if info.starts_with(&["sh", "run"]) {
                told.push_str(
                    &std::fs::read_to_string(folder.join(format!("told.{line}"))).unwrap(),
                );
            } else if info.starts_with(&["text", "shown"]) {
                let told = std::mem::take(&mut told);
                let holds = |wanted: &str| told.lines().any(|line| fits(line, wanted));
                let lost: Vec<&str> = body.lines().filter(|wanted| !holds(wanted)).collect();
                assert!(lost.is_empty(), "{}:{line}: {lost:#?} not in {told}", self.name());
                count += 1;
            }
        }
        count
    }

    /// Returns the sentences of the prose: no blocks, tables, headings and pictures. A sentence ends
    /// at a full stop, a question mark or a colon, or with its paragraph or list item.
    fn sentences(&self) -> Vec<String> {
        let (mut paragraphs, mut is_block) = (vec![String::new()], false);
        for line in self.text.lines().map(str::trim) {
            is_block ^= line.starts_with("```");
            let is_prose =
                !is_block && !line.starts_with(['#', '|', '`', '!']) || line.starts_with("`c");
            let item = line.trim_start_matches(|c: char| c.is_ascii_digit());
            let is_item = line.starts_with("- ") || item.starts_with(". ");
            if !is_prose || is_item || line.is_empty() {
                paragraphs.push(String::new());
            }
            if is_prose && let Some(last) = paragraphs.last_mut() {
                *last = format!("{last} {line}");
            }
        }
        let mut sentences = Vec::new();
        for paragraph in &paragraphs {
            let mut sentence = String::new();
            for word in paragraph.split_whitespace() {
                sentence = format!("{sentence} {word}");
                if word.ends_with(['.', '?', '!', ':']) {
                    sentences.push(std::mem::take(&mut sentence));
                }
            }
            sentences.push(sentence);
        }
        sentences
    }

    /// Returns how many lines and words the page has, and its longest sentence.
    fn size(&self) -> (usize, usize, String) {
        let longest = self.sentences().into_iter().max_by_key(|it| it.split_whitespace().count());
        let words = self.text.split_whitespace().count();
        (self.text.lines().count(), words, longest.unwrap_or_default())
    }

    /// Returns the targets of links to files.
    fn links(&self) -> impl Iterator<Item = &str> {
        let targets = self.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let files = targets.filter_map(|target| target.split('#').next());
        files.filter(|it| !it.is_empty() && !it.contains("://"))
    }
}

/// Returns whether a line fits what the guide shows of it.
fn fits(line: &str, wanted: &str) -> bool {
    let mut rest = line;
    wanted.split('…').map(str::trim).all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[test]
fn every_runnable_block_runs() {
    let (mut blocks, mut shown) = (0, 0);
    for page in Page::all() {
        let (script, count) = page.script();
        blocks += count;
        if count == 0 {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let tools = folder.path().join("bin");
        std::fs::create_dir(&tools).unwrap();
        std::os::unix::fs::symlink(binary(), tools.join("crrctl")).unwrap();
        let work = folder.path().join("work");
        std::fs::create_dir(&work).unwrap();
        std::fs::write(folder.path().join("page.sh"), script).unwrap();
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
        let done = Command::new(binary())
            .args(["sandbox", "--", "sh", "../page.sh"])
            .current_dir(&work)
            .env("PATH", path)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = [done.stdout, done.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
        assert!(done.status.success(), "{}: {}{}", page.name(), told[0], told[1]);
        shown += page.assert_shown(folder.path());
    }
    println!("{blocks} blocks ran, {shown} blocks show what they told");
    assert!(shown >= 10, "{shown} blocks show what the page's commands tell");
    assert!(blocks >= 40, "{blocks} runnable blocks");
}

#[test]
fn every_link_leads_somewhere() {
    for page in Page::all() {
        for link in page.links() {
            let target = page.path.parent().unwrap().join(link);
            assert!(target.exists(), "{} links to {link}", page.path.display());
        }
    }
}

/// Nobody has to read a sentence of the guide twice.
#[test]
fn no_sentence_is_longer_than_25_words() {
    let mut long = String::new();
    println!("| page | lines | words | longest sentence |\n|---|---|---|---|");
    for page in Page::all() {
        let (lines, words, longest) = page.size();
        let count = longest.split_whitespace().count();
        println!("| {} | {lines} | {words} | {count} |", page.name());
        if count > 25 {
            writeln!(long, "{}: {count} words:{longest}", page.name()).unwrap();
        }
    }
    assert!(long.is_empty(), "{long}");
}

/// The first page that people see is short, and the guide has the rest.
#[test]
fn the_readme_takes_five_minutes() {
    let pages = Page::all();
    let readme = pages.iter().find(|page| page.name() == "README.md").unwrap();
    let (lines, words) = (readme.text.lines().count(), readme.text.split_whitespace().count());
    assert!(lines <= 150 && words <= 1300, "{lines} lines, {words} words");
    // The quick start has every command of a newcomer's way, and the nightly job at its end.
    let quick = pages.iter().find(|page| page.name() == "quick-start.md").unwrap();
    for step in ["git clone", "sandbox -- sh", "apply", "explain", "backfill", "smoke", "destroy"] {
        assert!(quick.blocks().iter().any(|(_, _, body)| body.contains(step)), "{step}");
    }
    let summary = pages.iter().find(|page| page.name() == "SUMMARY.md").unwrap();
    for page in pages.iter().filter(|page| page.path.parent().unwrap().ends_with("docs")) {
        let is_listed = summary.text.contains(&format!("({})", page.name()));
        assert!(is_listed || page.name() == "SUMMARY.md", "{} is not listed", page.name());
    }
}
