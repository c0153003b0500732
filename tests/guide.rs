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
                    "( set -eu\n{body})\ncode=$?; [ $code = {code} ] || \
                     {{ echo \"{place}:{line}: ended with $code, not {code}\" >&2; exit 1; }}"
                )
                .unwrap();
            }
        }
        (script, count)
    }

    /// Returns the targets of links to files.
    fn links(&self) -> impl Iterator<Item = &str> {
        let targets = self.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let files = targets.filter_map(|target| target.split('#').next());
        files.filter(|it| !it.is_empty() && !it.contains("://"))
    }
}

#[test]
fn every_runnable_block_runs() {
    let mut blocks = 0;
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
    }
    println!("{blocks} blocks ran");
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

/// The first page that people see is short, and the guide has the rest.
#[test]
fn the_readme_takes_five_minutes() {
    let pages = Page::all();
    let readme = pages.iter().find(|page| page.name() == "README.md").unwrap();
    let (lines, words) = (readme.text.lines().count(), readme.text.split_whitespace().count());
    assert!(lines <= 150 && words <= 1300, "{lines} lines, {words} words");
    let summary = pages.iter().find(|page| page.name() == "SUMMARY.md").unwrap();
    for page in pages.iter().filter(|page| page.path.parent().unwrap().ends_with("docs")) {
        let is_listed = summary.text.contains(&format!("({})", page.name()));
        assert!(is_listed || page.name() == "SUMMARY.md", "{} is not listed", page.name());
    }
}
