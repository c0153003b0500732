//! `crrctl explain`: prints what a code means, its causes and its remedies. Makes no calls.
//! Not for: the explanations themselves (see `check::catalogue`).

use super::objects::ExplainObject;
use super::output::{Ended, Printer};
use crate::check::catalogue::{self, Entry};
use crate::failure::{Failure, Kind};
use crate::report;

#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// A failure reason of S3, a replication status, an error, an exit code or a check [default: list them all]
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub(super) fn run(args: &ExplainArgs, printer: &Printer, object: &mut ExplainObject) -> Ended {
    let Some(code) = &args.code else {
        let all: Vec<&Entry> = catalogue::all().collect();
        object.codes.set(all.iter().copied().copied().collect());
        printer.text(&report::codes(&all));
        return Ok(0);
    };
    let Some(entry) = catalogue::entry(code) else { return Err(unknown(code)) };
    printer.text(&report::explanation(entry));
    let Entry { code, about, means, causes, mends } = *entry;
    object.code.set(code);
    object.about.set(about);
    object.means.set(means);
    object.causes.set(causes);
    object.mends.set(mends);
    Ok(0)
}

fn unknown(code: &str) -> Failure {
    let failure =
        Failure::new(Kind::Manifest, "unknown-code", format!("there is no code `{code}`"));
    let near = catalogue::near(code);
    let failure = match near.as_slice() {
        [] => failure,
        near => failure.hint(format!("did you mean `{}`?", near.join("`, `"))),
    };
    failure.hint("`crrctl explain` lists every code")
}
