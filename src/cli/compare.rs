//! `crrctl compare`: replays a recording against a fresh sandbox and lists where the sandbox answers
//! otherwise, and how long AWS took.
//! Not for: what counts as a difference (see `crate::compare`).

mod callers;
mod outcome;
mod replay;
mod text;

use super::objects::{CompareObject, Compared, LagOf};
use super::output::{Ended, Printer};
use crate::compare::{self, Recording};
use crate::failure::{Failure, Kind};
use std::path::PathBuf;

/// The exit code where a difference is not known.
const UNKNOWN: u8 = 2;

#[derive(Debug, clap::Args)]
pub(super) struct CompareArgs {
    /// The recording that `--record` wrote
    #[arg(value_name = "FILE")]
    recording: PathBuf,
}

pub(super) async fn run(
    args: &CompareArgs,
    printer: &Printer,
    object: &mut CompareObject,
) -> Ended {
    let recording = read(args)?;
    object.file.set(args.recording.display().to_string());
    object.cut_off.set(recording.cut_off);
    let mut compared = outcome::Outcome::default();
    let mut runs = Vec::new();
    for run in &recording.runs {
        let count = run.exchanges.len();
        let of_run = Box::pin(replay::replayed(run, &args.recording)).await?;
        runs.push(Compared {
            command: run.header.command.clone(),
            version: run.header.version.clone(),
            at: run.header.at,
            exchanges: count,
        });
        compared.add(of_run);
    }
    compared.differences.sort_by_key(|it| (it.kind, it.line));
    let lags: Vec<LagOf> = compared.lags();
    let unknown = compared.differences.iter().filter(|it| it.known.is_none()).count();
    printer.text(&text::report(
        &args.recording,
        &runs,
        &compared.differences,
        &lags,
        recording.cut_off,
    ));
    object.runs.set(runs);
    object.differences.set(compared.differences);
    object.lag.set(lags);
    object.unknown.set(unknown);
    Ok(if unknown > 0 { UNKNOWN } else { 0 })
}

/// Returns the failure for a file that can't be compared.
fn unreadable(message: String) -> Failure {
    Failure::new(Kind::Manifest, "recording-unreadable", message)
        .hint("`--record FILE` of a command writes a recording; `crrctl schema recording` says what its lines hold")
}

fn read(args: &CompareArgs) -> Result<Recording, Failure> {
    let file = args.recording.display();
    let bytes = std::fs::read(&args.recording)
        .map_err(|error| unreadable(format!("{file} can't be read: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| unreadable(format!("`{file}` is not UTF-8 text, so it is not a recording")))?;
    compare::read(&text)
        .map_err(|broken| unreadable(format!("{file}:{}: {}", broken.line, broken.why)))
}
