//! Events and failures as human-readable lines.
//! Not for: where the lines are written (see `lines` and `screen`).

use super::inline;
use super::style::{BAD, FAINT, NOTABLE, mark};
use crate::check::catalogue;
use crate::events::{Event, Verb};
use crate::failure::Failure;
use std::fmt::Write;

/// How much a run prints on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// Only errors.
    Quiet,
    /// A line for each change.
    Usual,
    /// Also waits, retries and notes.
    Verbose,
}

/// Returns the word for a step with this verb that is done.
fn done(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "created",
        Verb::Update => "updated",
        Verb::Adopt => "adopted",
        Verb::Delete => "removed",
        Verb::Orphan => "left",
        Verb::None => "unchanged",
    }
}

/// Returns the line for an event, if the volume includes the event.
pub(super) fn line(event: &Event, volume: Volume) -> Option<String> {
    let ms = |ms: &u64| crate::units::format_duration(std::time::Duration::from_millis(*ms));
    let text = match event {
        Event::StepDone { step, action, elapsed_ms, .. } => {
            let style = mark(*action).1;
            format!(
                "{style}{:<8}{style:#} {step} {FAINT}{}{FAINT:#}",
                done(*action),
                ms(elapsed_ms)
            )
        }
        Event::StepFailed { step, failure } => {
            format!("{BAD}failed{BAD:#}   {step}: {}", inline(&failure.to_string()))
        }
        Event::ProbeStatus { key, status, elapsed_ms, .. } => {
            format!(
                "{NOTABLE}probe{NOTABLE:#}    {} is {status} {FAINT}after {}{FAINT:#}",
                inline(key),
                ms(elapsed_ms)
            )
        }
        Event::ProbeRetry { key, reason, .. } => {
            format!("{NOTABLE}probe{NOTABLE:#}    a fresh one after {}: {reason}", inline(key))
        }
        Event::BackfillStatus { status, total, succeeded, failed, .. } => {
            format!(
                "{NOTABLE}backfill{NOTABLE:#} {}",
                progress(status, *total, *succeeded, *failed)
            )
        }
        Event::Search { read, known } if volume >= Volume::Verbose => {
            format!("{FAINT}search{FAINT:#}   {}", searched(*read, *known))
        }
        Event::StepNote { step, note } => {
            format!("{FAINT}note{FAINT:#}     {step}: {}", inline(note))
        }
        Event::StepStart { step, .. } if volume >= Volume::Verbose => {
            format!("{FAINT}start{FAINT:#}    {step}")
        }
        Event::StepWait { step, reason, .. } if volume >= Volume::Verbose => {
            format!("{FAINT}wait{FAINT:#}     {step}: {}", inline(reason))
        }
        Event::StepRetry { step, code, reason } if volume >= Volume::Verbose => {
            format!("{FAINT}retry{FAINT:#}    {step}: {code}: {}", inline(reason))
        }
        Event::Observed { reads, elapsed_ms, .. } if volume >= Volume::Verbose => {
            format!("{FAINT}observed{FAINT:#} {reads} reads {}", ms(elapsed_ms))
        }
        _ => return None,
    };
    Some(text)
}

/// Returns the line for an event of one pair of several, if the volume includes the event. The
/// failure of a pair is always included; single steps are included only with `Volume::Verbose`.
pub(super) fn line_of(pair: &str, event: &Event, volume: Volume) -> Option<String> {
    let text = match event {
        Event::PairDone { failure: Some(failure), .. } => explained(failure).trim_end().to_owned(),
        _ if volume >= Volume::Verbose => line(event, volume)?,
        _ => return None,
    };
    Some(format!("{FAINT}{pair}{FAINT:#} {text}"))
}

/// Returns how far a search of the account is.
pub(super) fn searched(read: usize, known: usize) -> String {
    format!("{read} of {known} keys, buckets and roles read")
}

/// Returns the progress of a batch job, such as `Active [######----] 3000 of 5000, 2 failed`.
pub(super) fn progress(status: &str, total: Option<u64>, succeeded: u64, failed: u64) -> String {
    const WIDTH: u64 = 20;
    let Some(total) = total.filter(|total| *total > 0) else { return status.to_owned() };
    let done = succeeded + failed;
    let full = usize::try_from((done * WIDTH / total).min(WIDTH)).unwrap_or_default();
    let bar = format!("{:-<20}", "#".repeat(full));
    let failures = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("{status} [{bar}] {done} of {total}{failures}")
}

/// Returns a failure as human-readable text: the message, the details, what is left behind, the
/// causes, the hints, and how to read more.
pub fn explained(failure: &Failure) -> String {
    let mut text = format!("{BAD}error{BAD:#}: {}\n", inline(&failure.to_string()));
    let mut detail = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name}: {}", inline(&value));
        }
    };
    detail("step", failure.step.clone());
    detail("region", failure.region.as_ref().map(ToString::to_string));
    detail(
        "aws",
        failure.aws_code.as_ref().map(|code| match &failure.request_id {
            Some(id) => format!("{code}, request id {id}"),
            None => code.clone(),
        }),
    );
    detail("left behind", failure.left_behind.clone());
    detail("reasons", Some(failure.failure_reasons.join(", ")).filter(|text| !text.is_empty()));
    for cause in &failure.causes {
        let _ = writeln!(text, "{BAD}cause{BAD:#}: {}", inline(cause));
    }
    for hint in &failure.hints {
        let _ = writeln!(text, "{NOTABLE}fix{NOTABLE:#}: {hint}");
    }
    // The `code` of `-o json`, as the command that explains it.
    if let Some(entry) = catalogue::entry(&failure.code) {
        let _ = writeln!(text, "{FAINT}more: crrctl explain {}{FAINT:#}", entry.code);
    }
    text
}
