//! What the help of each command says beside its options: its group, notes, examples, and which of
//! the options of every command it uses.
//! Not for: the options themselves, which stand beside each command and in `global`.

/// The help of one command.
#[derive(Debug)]
pub(crate) struct Page {
    /// The command, such as `policy render`.
    pub(crate) command: &'static str,
    /// What is worth knowing beside the options; may be empty.
    pub(crate) note: &'static str,
    /// Which of the options of every command it uses, by their ids.
    pub(crate) uses: &'static [&'static [&'static str]],
    /// Command lines, each with what it does.
    pub(crate) examples: &'static [(&'static str, &'static str)],
}

/// The commands in the groups that `crrctl help` shows.
pub(super) const GROUPS: [(&str, &[&str]); 8] = [
    ("Start", &["init", "rehearse", "plan", "apply", "import"]),
    ("Prove and watch", &["probe", "check", "status", "wait", "watch", "explain"]),
    ("Repair", &["backfill"]),
    ("Remove", &["destroy", "list", "gc"]),
    ("CI", &["smoke"]),
    ("Policies and other tools", &["policy", "export", "schema"]),
    ("Offline", &["sandbox", "compare"]),
    ("This program", &["completions", "man", "help", "version"]),
];

/// What stdout and stderr get. Every command takes these.
const PRINTS: &[&str] = &["output", "quiet", "verbose", "color"];
/// Which pair is meant.
const PAIR: &[&str] = &["file", "name", "source", "destination", "pair"];
/// The name alone.
const NAME: &[&str] = &["name"];
/// The parts of a new manifest.
const PARTS: &[&str] = &["file", "name", "source", "destination"];
/// How AWS is called.
const CALLS: &[&str] =
    &["sandbox", "profile", "endpoint_url", "timeout", "max_concurrency", "quota_factor"];
/// The recording of a run.
const RECORDED: &[&str] = &["record", "record_names"];
/// How a run in the sandbox goes. That it is one may be said all the same.
const OFFLINE: &[&str] = &["sandbox", "timeout", "max_concurrency"];
/// How long probes are tried.
const PROBES: &[&str] = &["patience"];
/// Live lines.
const LIVE: &[&str] = &["no_progress"];
/// The reports of a run.
const REPORTS: &[&str] = &["junit", "html", "github"];
/// Annotations alone: the other reports keep every probe, and `watch` has no end.
const ANNOTATIONS: &[&str] = &["github"];

const ON_A_PAIR: &[&[&str]] = &[PRINTS, PAIR, CALLS, RECORDED, LIVE, REPORTS];
const WITH_PROBES: &[&[&str]] = &[PRINTS, PAIR, CALLS, RECORDED, PROBES, LIVE, REPORTS];
const ALONE: &[&[&str]] = &[PRINTS];

/// Every command, in the order of the groups.
pub(crate) const PAGES: [Page; 29] = [
    Page {
        command: "init",
        note: "Asks for what the options do not say, if there is a terminal.",
        uses: &[PRINTS, PARTS],
        examples: &[
            ("crrctl init", "asks, and writes crrctl.yaml"),
            ("crrctl init --name orders --source us-east-1 --destination us-west-2", ""),
        ],
    },
    Page {
        command: "rehearse",
        note: "Needs no AWS. Fails if a second apply would change something, or if anything is left.",
        uses: &[PRINTS, PAIR, OFFLINE, RECORDED, PROBES, LIVE, REPORTS],
        examples: &[
            ("crrctl rehearse", "the manifest crrctl.yaml, or a demo pair"),
            ("crrctl rehearse -f orders.yaml", ""),
        ],
    },
    Page {
        command: "plan",
        note: "Writes nothing. Exits with 0, or with 2 for changes if --detailed-exitcode is given.",
        uses: ON_A_PAIR,
        examples: &[
            ("crrctl plan", "what `apply` would do"),
            ("crrctl plan --destroy", "what `destroy` would do"),
            ("crrctl plan --graph mermaid", "as a flowchart"),
        ],
    },
    Page {
        command: "apply",
        note: "Can be run again at any time. If nothing differs, it only probes.",
        uses: WITH_PROBES,
        examples: &[
            ("crrctl apply", "asks first"),
            ("crrctl apply --yes --junit apply.xml", "in a CI job"),
            ("crrctl apply --sandbox --yes", "without AWS"),
        ],
    },
    Page {
        command: "import",
        note: "Needs no manifest.",
        uses: &[PRINTS, NAME, CALLS, RECORDED, LIVE, REPORTS],
        examples: &[
            ("crrctl import orders-src --out crrctl.yaml", ""),
            ("crrctl import orders-src --destination-profile archive", "to another account"),
        ],
    },
    Page {
        command: "probe",
        note: "Deletes its objects and their replicas again, unless --keep is given.",
        uses: WITH_PROBES,
        examples: &[
            ("crrctl probe", "one object for each rule"),
            ("crrctl probe --count 20 --expect-p95 60s", "exits with 7 if slower"),
            ("crrctl probe --name orders", "finds the pair by its tags"),
        ],
    },
    Page {
        command: "check",
        note: "Exits with 2 if a check fails.",
        uses: ON_A_PAIR,
        examples: &[
            ("crrctl check --name orders", "the whole pair"),
            ("crrctl check s3://orders-src/2026/05/order.json", "why one object FAILED"),
            ("crrctl check --before-apply", "could it be built?"),
            ("crrctl check --ask-aws --with-batch s3://orders-src/a", "S3's own reason"),
        ],
    },
    Page {
        command: "status",
        note: "",
        uses: ON_A_PAIR,
        examples: &[("crrctl status", ""), ("crrctl status --name orders --sample 100", "")],
    },
    Page {
        command: "wait",
        note: "Needs no manifest. Exits with 6 if the object is FAILED, with 7 if it is too late.",
        uses: ON_A_PAIR,
        examples: &[
            ("crrctl wait s3://orders-src/2026/05/order.json", ""),
            ("crrctl wait s3://orders-src/order.json --timeout 5m", ""),
        ],
    },
    Page {
        command: "watch",
        note: "Runs until a signal, and then exits with 0.",
        uses: &[PRINTS, PAIR, CALLS, RECORDED, PROBES, LIVE, ANNOTATIONS],
        examples: &[
            ("crrctl watch --every 1m", ""),
            ("crrctl watch --listen 127.0.0.1:9464", "with Prometheus metrics"),
        ],
    },
    Page {
        command: "explain",
        note: "Makes no calls.",
        uses: ALONE,
        examples: &[
            ("crrctl explain DstPutObjectNotPermitted", "a failure reason of S3"),
            ("crrctl explain FAILED", "a replication status"),
            ("crrctl explain 10", "an exit code"),
            ("crrctl explain", "every code"),
        ],
    },
    Page {
        command: "backfill",
        note: "Counts the objects and asks before the job begins. The job costs money.",
        uses: ON_A_PAIR,
        examples: &[
            ("crrctl backfill --watch", "existing and FAILED objects"),
            ("crrctl backfill --status failed --since 2026-05-01 --yes", ""),
            ("crrctl backfill --resume", "goes on with the job"),
        ],
    },
    Page {
        command: "destroy",
        note: "Asks for the pair's name. Changes nothing if a bucket holds objects that are not ours.",
        uses: ON_A_PAIR,
        examples: &[
            ("crrctl plan --destroy", "look first"),
            ("crrctl destroy", ""),
            ("crrctl destroy --keep-buckets", "keeps the data and its keys"),
        ],
    },
    Page {
        command: "list",
        note: "Needs no manifest.",
        uses: ON_A_PAIR,
        examples: &[("crrctl list", ""), ("crrctl list --regions us-east-1,us-west-2", "")],
    },
    Page {
        command: "gc",
        note: "Needs no manifest. Lists all pairs, and never touches one that has not expired.",
        uses: ON_A_PAIR,
        examples: &[
            ("crrctl gc", "lists what would be removed"),
            ("crrctl gc --name-prefix ci- --yes", ""),
        ],
    },
    Page {
        command: "smoke",
        note: "Always removes the pair, also after Ctrl-C.",
        uses: WITH_PROBES,
        examples: &[
            ("crrctl smoke", "under a random name"),
            ("crrctl smoke --junit smoke.xml --html smoke.html", "in a nightly job"),
        ],
    },
    Page {
        command: "policy",
        note: "",
        uses: ON_A_PAIR,
        examples: &[
            ("crrctl policy operator", "what the caller needs"),
            ("crrctl policy prove", "will S3 be allowed to replicate?"),
        ],
    },
    Page {
        command: "policy render",
        note: "",
        uses: ON_A_PAIR,
        examples: &[
            ("crrctl policy render", "every document"),
            ("crrctl policy render replication-role", "one document"),
        ],
    },
    Page {
        command: "policy prove",
        note: "Exits with 5 if a call would be denied.",
        uses: ON_A_PAIR,
        examples: &[
            ("crrctl policy prove", ""),
            ("crrctl policy prove --scp FullAWSAccess.json --scp scp.json", ""),
        ],
    },
    Page {
        command: "policy operator",
        note: "",
        uses: ON_A_PAIR,
        examples: &[
            ("crrctl policy operator", ""),
            ("crrctl policy operator --account 111122223333", "without credentials"),
        ],
    },
    Page {
        command: "export",
        note: "",
        uses: ON_A_PAIR,
        examples: &[
            ("crrctl export terraform --out terraform", ""),
            ("crrctl export cloudformation --out stacks", ""),
        ],
    },
    Page {
        command: "schema",
        note: "",
        uses: ALONE,
        examples: &[
            ("crrctl schema > crrctl.schema.json", "for an editor"),
            ("crrctl schema objects", "what `-o json` prints"),
        ],
    },
    Page {
        command: "sandbox",
        note: "",
        uses: ALONE,
        examples: &[
            ("crrctl sandbox -- sh", "a shell in a sandbox"),
            ("crrctl sandbox --listen 127.0.0.1:0", "serves until Ctrl-C"),
            ("crrctl sandbox --lag aws -- crrctl apply --yes", "as slow as AWS"),
        ],
    },
    Page {
        command: "compare",
        note: "Calls no AWS. Exits with 2 if a difference is not known.",
        uses: ALONE,
        examples: &[
            ("crrctl apply --yes --record apply.ndjson", "records a run on AWS"),
            ("crrctl compare apply.ndjson", "where does the sandbox differ?"),
        ],
    },
    Page {
        command: "completions",
        note: "",
        uses: ALONE,
        examples: &[
            ("crrctl completions bash > ~/.local/share/bash-completion/completions/crrctl", ""),
            ("crrctl completions zsh > ~/.zfunc/_crrctl", ""),
        ],
    },
    Page {
        command: "man",
        note: "",
        uses: ALONE,
        examples: &[
            ("crrctl man | man -l -", ""),
            ("crrctl man --dir ~/.local/share/man/man1", "a page for each command"),
        ],
    },
    Page {
        command: "help",
        note: "",
        uses: ALONE,
        examples: &[("crrctl help apply", ""), ("crrctl help options", "the common options")],
    },
    Page { command: "version", note: "", uses: ALONE, examples: &[("crrctl version", "")] },
    Page { command: "", note: "", uses: ALONE, examples: FIRST },
];

/// The examples of `crrctl help`.
const FIRST: &[(&str, &str)] = &[
    ("crrctl apply --sandbox --yes", "build and prove a pair, without AWS"),
    ("crrctl rehearse -f crrctl.yaml", "run everything of your manifest there"),
];

/// Returns the page of `command`.
pub(crate) fn page(command: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.command == command)
}

impl Page {
    /// Returns whether the command uses this option of every command.
    pub(crate) fn uses(&self, option: &str) -> bool {
        self.uses.iter().any(|ids| ids.contains(&option))
    }

    /// Returns whether this option of every command means nothing to the command, which then refuses
    /// it. No command has live lines against `--no-progress`.
    pub(crate) fn refuses(&self, option: &str) -> bool {
        !self.uses(option) && !LIVE.contains(&option)
    }

    /// Returns whether the command only uses a manifest where there is one: a variable that names a
    /// file that is missing is passed over.
    pub(crate) fn wants_no_manifest(&self) -> bool {
        ["gc", "list", "wait"].contains(&self.command)
    }

    /// Returns the examples as lines, each comment in the same column.
    pub(crate) fn example_lines(&self) -> Vec<String> {
        let with_comment = self.examples.iter().filter(|(_, comment)| !comment.is_empty());
        let width = with_comment.map(|(line, _)| line.len()).max().unwrap_or_default();
        let line = |(line, comment): &(&str, &str)| match *comment {
            "" => (*line).to_owned(),
            comment => format!("{line:<width$}  # {comment}"),
        };
        self.examples.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Command;

    fn walk(command: &Command, path: &str, seen: &mut Vec<String>) {
        for sub in command.get_subcommands() {
            let path = format!("{path} {}", sub.get_name()).trim().to_owned();
            walk(sub, &path, seen);
            seen.push(path);
        }
    }

    #[test]
    fn every_command_has_a_page_an_example_and_a_group() {
        let program = super::super::program();
        let mut all = Vec::new();
        walk(&program, "", &mut all);
        for path in &all {
            let page = page(path).unwrap_or_else(|| panic!("`{path}` has no page"));
            assert!(!page.examples.is_empty(), "{path}");
            if !path.contains(' ') {
                let groups = GROUPS.iter().filter(|(_, names)| names.contains(&path.as_str()));
                assert_eq!(groups.count(), 1, "{path}");
            }
        }
        for page in PAGES.iter().filter(|page| !page.command.is_empty()) {
            assert!(all.contains(&page.command.to_owned()), "there is no `{}`", page.command);
        }
    }

    #[test]
    fn every_example_is_a_command_line_and_fits_80_columns() {
        for page in &PAGES {
            for (line, _) in page.examples {
                let words = line.split([' ']).take_while(|word| !matches!(*word, ">" | "|"));
                let parsed = super::super::program().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{line}: {parsed:?}");
            }
            for line in page.example_lines() {
                assert!(line.len() + 2 <= 80, "{line}");
            }
            assert!(page.note.len() <= 100, "{}", page.note);
        }
    }

    #[test]
    fn what_is_used_is_an_option_of_every_command() {
        let global: Vec<String> = super::super::common(&super::super::bare())
            .map(|option| option.get_id().to_string())
            .collect();
        for page in &PAGES {
            for id in page.uses.iter().copied().flatten() {
                assert!(global.iter().any(|it| it == id), "{id}");
            }
        }
        for id in &global {
            assert!(PAGES.iter().any(|page| page.uses(id)), "nothing uses {id}");
        }
    }
}
