//! Error codes of the command line, the manifest and a run, and the classes of errors.
//! Not for: codes about a resource or an object (see `things`), or the codes of AWS (see `aws`).

use super::{About, Entry};

pub(super) const fn error(
    code: &'static str,
    means: &'static str,
    causes: &'static [&'static str],
    mends: &'static [&'static str],
) -> Entry {
    Entry { code, about: About::Error, means, causes, mends }
}

const fn kind(
    code: &'static str,
    means: &'static str,
    causes: &'static [&'static str],
    mends: &'static [&'static str],
) -> Entry {
    Entry { code, about: About::Kind, means, causes, mends }
}

pub(super) const LOG_IN: &[&str] =
    &["log in again, or choose other credentials with `--profile` or AWS_PROFILE"];
pub(super) const NETWORK: &[&str] =
    &["check the network, the Region's name and the endpoint (`--endpoint-url`, AWS_ENDPOINT_URL)"];
pub(super) const RENAME: &[&str] =
    &["use another name in the manifest, or remove what is in the way"];
pub(super) const AGAIN: &[&str] = &["run the same command again: it goes on from here"];
pub(super) const REPORT: &[&str] =
    &["this is a bug of crrctl: report it with the command and its output"];
pub(super) const GRANT: &[&str] = &[
    "`crrctl policy operator` prints what the caller needs",
    "a service control policy may deny it too",
];

pub(super) const ALL: &[Entry] = &[
    error(
        "backfill-failed",
        "A batch job ended, and some objects were not replicated.",
        &["each object's reason stands in the job's report, which `crrctl backfill` sums up"],
        &["fix the reasons it names, then run `crrctl backfill --status failed`"],
    ),
    error(
        "job-failed",
        "A batch job failed as a whole.",
        &["its role can't be assumed or lacks a right", "more than half of its objects failed"],
        AGAIN,
    ),
    error(
        "cancelled",
        "A batch job was cancelled; what it had replicated stays.",
        &["`crrctl backfill --cancel`, the console or another program"],
        &["`crrctl backfill` replicates the rest"],
    ),
    error(
        "no-job",
        "No batch job of this pair is under way.",
        &["the last one has ended"],
        &["`crrctl backfill` begins one"],
    ),
    error(
        "reports-locked",
        "The bucket of completion reports has default retention, and no report can be written there.",
        &["Object Lock's default retention was set on it"],
        &["take the default retention off that bucket"],
    ),
    error(
        "usage",
        "The command line can't be used; nothing was called.",
        &["a flag is unknown, missing or has a wrong value"],
        &["`crrctl COMMAND --help` shows what can be typed"],
    ),
    error(
        "manifest-invalid",
        "The manifest can't be used; nothing was called.",
        &["a key is unknown or has a wrong value; line and column say where"],
        &["`crrctl schema` prints what a manifest may hold"],
    ),
    error(
        "away-credentials",
        "The credentials of a destination in another account do not work; nothing was changed.",
        &["they are missing, expired, or may not be used here"],
        &[
            "the owner of that account puts the documents in place that are printed, and `crrctl check --side destination` looks whether they are",
            "choose other credentials with the destination's `profile` or `assume_role`",
        ],
    ),
    error(
        "not-expressible",
        "What is live can't be said in a manifest; nothing was written.",
        &["a combination of settings that crrctl does not make; the message says which"],
        &["change what the message names, then `crrctl import` again"],
    ),
    error(
        "not-replicated",
        "The bucket has no replication configuration, so there is nothing to import.",
        &["another bucket is the source", "nobody has set replication up yet"],
        &["name the source bucket, or begin with `crrctl init`"],
    ),
    error(
        "name-invalid",
        "A name has not the shape that AWS wants.",
        &[
            "it is too long or has characters that AWS does not take, perhaps after placeholders were filled in",
        ],
        &["change the name that the message quotes"],
    ),
    error(
        "template-invalid",
        "A policy template can't be rendered, or AWS would refuse its text; nothing was called.",
        &[
            "the folder of `policy.templates` has a file that overrides no template, or one that is wrong",
        ],
        &["`policies/README.md` says which variables a template gets"],
    ),
    error(
        "policy-invalid",
        "A policy file is none that AWS would take.",
        &["`--scp` or `--rcp` names a file that can't be read or breaks the grammar"],
        &["fix the file at the element that the message names"],
    ),
    error(
        "unknown-code",
        "There is no explanation of that code.",
        &["a slip of the pen", "the code is AWS's own, of a service's API"],
        &["`crrctl explain` lists every code it knows"],
    ),
    error(
        "runtime",
        "The program could not start its threads.",
        &["the system has no resources left"],
        AGAIN,
    ),
    error(
        "sandbox",
        "The sandbox could not listen.",
        &["the address of `--listen` is taken or not allowed"],
        &["choose another address; port 0 takes any that is free"],
    ),
    error(
        "mfa-required",
        "The profile assumes a role with an MFA device, and its code can't be asked for.",
        &["there is no terminal, or no six digits were typed"],
        &[
            "run it on a terminal, or let the AWS CLI ask: `aws configure export-credentials --format env`",
        ],
    ),
    error(
        "ca-bundle",
        "The file that `AWS_CA_BUNDLE` or `ca_bundle` of the profile names can't be used.",
        &["it is not there, or is not in PEM"],
        &["name a file with the certificates of the authority in PEM, or unset the variable"],
    ),
    error(
        "recording-unreadable",
        "The file is not a recording, or this crrctl can't compare it.",
        &[
            "the file was not written by `--record`, or was changed",
            "it was recorded by a newer crrctl",
        ],
        &[
            "name a file that `--record` wrote; the message has the line",
            "use a crrctl that is as new as the recording",
        ],
    ),
    error(
        "file-unwritable",
        "A report or stdout can't be written.",
        &[
            "the folder of `--junit`, `--html` or `--record` does not exist or is not writable",
            "the file of `--record` holds something that is not a recording",
            "the disk is full that the output goes to; what was done is done",
        ],
        &["name another path, or make room, and run the command again"],
    ),
    error(
        "listen",
        "The address of `--listen` can't be listened on.",
        &["another process has the port"],
        &["choose another address; port 0 takes any that is free"],
    ),
    error("interrupted", "The run was stopped by a signal.", &["Ctrl-C or SIGTERM"], AGAIN),
    error(
        "unwritable",
        "A file can't be written.",
        &["the folder does not exist, or is not yours"],
        &["name another place"],
    ),
    error(
        "declined",
        "The question was not answered with yes; nothing was changed.",
        &["the answer was something else"],
        &["answer `y`, or the pair's name for `destroy`; or give `--yes`"],
    ),
    error(
        "timeout",
        "The time given by `--timeout` is over.",
        &[
            "AWS took longer, most often a replica key that stays Creating or an object that stays PENDING",
        ],
        AGAIN,
    ),
    error(
        "too-late",
        "A state was not reached in its time.",
        &["AWS took longer than usual; the message says for what"],
        AGAIN,
    ),
    error(
        "plan-circle",
        "Actions of a plan wait for one another.",
        &["a plan that can't be right"],
        REPORT,
    ),
    error("bug", "Something happened that can't.", &["a bug"], REPORT),
    error(
        "proof-failed",
        "A call that S3 has to make would be denied, or one that must stay denied would be allowed; nothing was written.",
        &["a template of one's own", "a statement of others in a bucket policy"],
        &[
            "the fix names document, statement and element",
            "`crrctl policy prove` lists every call by the pair's own documents, `crrctl check` by those in force",
        ],
    ),
    error(
        "left-behind",
        "Something of the pair still exists.",
        &[
            "a bucket that was kept keeps its keys",
            "a version is locked, or somebody else's objects lie there",
        ],
        &["the list `left` says what and why"],
    ),
    error(
        "not-converged",
        "A second `apply` still finds something to change.",
        &[
            "AWS returns a setting in another form than it was given",
            "somebody else changes it too",
        ],
        &["`crrctl plan` shows what"],
    ),
    error(
        "p95-exceeded",
        "p95 of the latency is above the limit, `--expect-p95`.",
        &["most objects replicate within 15 minutes, large ones in hours"],
        &["`replication.time_control` buys a promise of 15 minutes"],
    ),
];

const fn outcome(code: &'static str, means: &'static str, mends: &'static [&'static str]) -> Entry {
    Entry { code, about: About::Outcome, means, causes: &[], mends }
}

/// The outcomes that are no errors.
pub(super) const OUTCOMES: &[Entry] = &[
    outcome(
        "done",
        "Exit code 0: the command did what it was asked, or found nothing to do.",
        &["nothing to fix"],
    ),
    outcome(
        "found",
        "Exit code 2: `plan --detailed-exitcode` found changes, or `check` found a failed check.",
        &["`crrctl apply` makes the changes; a failed check names its fix"],
    ),
];

pub(super) const KINDS: &[Entry] = &[
    kind(
        "unexpected",
        "Exit code 1: something that no rule of crrctl knows.",
        &["the code and AWS's own words say more"],
        &["`crrctl explain` with the error's code"],
    ),
    kind(
        "manifest",
        "Exit code 3: the manifest, a flag or a template is not valid, there is no such pair or object, or a file can't be written.",
        &["the message names the place"],
        &["`crrctl schema`, `crrctl COMMAND --help`"],
    ),
    kind(
        "credentials",
        "Exit code 4: there are no usable credentials. (An endpoint that can't be reached ends with 4 too: `unreachable`.)",
        &["expired, missing, or of another account"],
        LOG_IN,
    ),
    kind(
        "unreachable",
        "Exit code 4: an endpoint can't be reached.",
        &["the network, a proxy, the Region's name or the endpoint that is given"],
        &["`--endpoint-url` and AWS_ENDPOINT_URL name another; the message names the call"],
    ),
    kind(
        "denied",
        "Exit code 5: AWS refused a call, or a proof says that it would.",
        &["the caller or the replication role lacks a permission"],
        GRANT,
    ),
    // A class with the same name as its usual code has its entry in `ALL`.
    kind(
        "in-the-way",
        "Exit code 10: a resource of that name is not ours, or objects that are not ours are in it.",
        &["names are taken; nothing is lost that crrctl did not make"],
        RENAME,
    ),
];
