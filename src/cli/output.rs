//! The only printer: writes data to stdout in the requested format, and the error once to stderr. A
//! closed stdout or stderr is not an error; a stdout that can't be written is one (see
//! `report::Stdout`).
//! Not for: the text of tables and reports (see `report`).

use super::objects::{AnyObject, Object, OfMany, UsageObject};
use super::{Command, Format, advice};
use crate::aws::Aws;
use crate::failure::{Failure, Kind};
use crate::ops::Input;
use crate::policy::Operation;
use crate::report::{self, About, Ndjson, Report, Stdout, harmless, live};
use crate::stop::Stop;
use serde_json::Value;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How a command ended: its exit code, or its failure.
pub(super) type Ended = Result<u8, Failure>;

/// What a command does with a pair, which decides when the pair is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It does some work: the pair is in order when that is done, whatever the exit code says.
    Work,
    /// It judges the pair: only exit code 0 says that the pair is in order.
    Judge,
}

/// Prints the output of one command.
#[derive(Debug)]
pub(super) struct Printer {
    format: Format,
    pub(super) command: &'static str,
    /// What the command line does, where the operator's documents know it.
    operation: Option<Operation>,
    pub(super) purpose: Purpose,
    stdout: Stdout,
    /// The command line.
    line: String,
    /// The clients of the run, which know the caller.
    pub(super) aws: OnceLock<Arc<Aws>>,
    /// The stream of events, for the format that writes them to stdout.
    pub(super) ndjson: Arc<Ndjson>,
    /// Reports that are written at the end.
    pub(super) reports: Vec<Arc<dyn Report>>,
    /// The input whose policy documents give advice about missing permissions.
    pub(super) input: OnceLock<Input>,
    /// The command's JSON output object, once the command has ended.
    object: Mutex<Option<Box<dyn AnyObject>>>,
    /// Set for one pair of several: the pair's name and its text. The text is printed with that of
    /// the other pairs or not at all.
    part: Option<(String, Mutex<String>)>,
}

/// The result of a command for one pair of several.
pub(super) struct Part<T> {
    pub(super) pair: String,
    pub(super) exit_code: u8,
    pub(super) failure: Option<Failure>,
    /// Whether the pair is in order. A failed check is not a failure of the run, but the pair is
    /// not in order.
    pub(super) ok: bool,
    pub(super) changed: bool,
    /// What the pair costs a month, where the command tells it.
    pub(super) monthly_usd: Option<f64>,
    pub(super) object: T,
    pub(super) text: String,
}

/// Holds the JSON output object of a command while it runs, and leaves it with the printer when the
/// command ends or is dropped.
struct Filled<'a, T: Object + Send + 'static> {
    printer: &'a Printer,
    object: T,
}

impl<T: Object + Send + 'static> Drop for Filled<'_, T> {
    fn drop(&mut self) {
        let object: Box<dyn AnyObject> = Box::new(std::mem::take(&mut self.object));
        *self.printer.object.lock().unwrap_or_else(PoisonError::into_inner) = Some(object);
    }
}

/// Runs a command that fills its JSON output object as it goes.
pub(super) async fn filling<T: Object + Send + 'static>(
    printer: &Printer,
    command: impl AsyncFnOnce(&mut T) -> Ended,
) -> Ended {
    let mut filled = Filled { printer, object: T::default() };
    // Boxed, so that the future of the command line stays small.
    Box::pin(command(&mut filled.object)).await
}

impl Printer {
    pub(super) fn new(
        format: Format,
        command: &'static str,
        reports: Vec<Arc<dyn Report>>,
    ) -> Self {
        let stdout = Stdout::default();
        Self {
            format,
            command,
            operation: None,
            purpose: Purpose::Work,
            ndjson: Arc::new(Ndjson::new(stdout.clone())),
            stdout,
            line: String::new(),
            aws: OnceLock::new(),
            reports,
            input: OnceLock::new(),
            object: Mutex::default(),
            part: None,
        }
    }

    /// Returns the printer of `command`.
    pub(super) fn of(command: &Command, format: Format, reports: Vec<Arc<dyn Report>>) -> Self {
        let is_judge = matches!(command, Command::Check(_));
        let purpose = if is_judge { Purpose::Judge } else { Purpose::Work };
        let operation = advice::operation(command);
        Self { operation, purpose, ..Self::new(format, command.name(), reports) }
    }

    /// Gives the reports the command line `args`.
    pub(super) fn with_line(self, args: &[OsString]) -> Self {
        let words = args.iter().skip(1).map(|word| quoted(&word.to_string_lossy()));
        let line = std::iter::once("crrctl".to_owned()).chain(words).collect::<Vec<_>>().join(" ");
        Self { line, ..self }
    }

    /// Returns what was run, by whom and where.
    fn about(&self) -> About {
        let aws = self.aws.get();
        let caller = aws.and_then(|aws| aws.identity()).map(str::to_owned);
        let account = caller.as_deref().and_then(|arn| arn.split(':').nth(4)).map(str::to_owned);
        let endpoint = aws.and_then(|aws| aws.endpoint()).map(str::to_owned);
        About {
            line: self.line.clone(),
            version: env!("CARGO_PKG_VERSION"),
            account,
            caller,
            endpoint,
        }
    }

    /// Returns a printer for one pair of several. It stores data instead of writing it to stdout.
    pub(super) fn part(&self, input: &Input) -> Self {
        let pair = input.manifest.name().to_string();
        Self {
            format: self.format,
            command: self.command,
            operation: self.operation,
            purpose: self.purpose,
            stdout: self.stdout.clone(),
            line: String::new(),
            aws: OnceLock::new(),
            ndjson: Arc::clone(&self.ndjson),
            reports: Vec::new(),
            input: OnceLock::from(input.clone()),
            object: Mutex::default(),
            part: Some((pair, Mutex::default())),
        }
    }

    /// Returns whether this printer is for one pair of several.
    pub(super) fn is_part(&self) -> bool {
        self.part.is_some()
    }

    /// Returns everything that a printer for one pair stored, and the pair's `object`, which is kept
    /// only where it is printed.
    pub(super) fn kept<T: OfMany>(self, mut object: T, ended: Ended) -> Part<T> {
        let ended = self.advised(ended);
        let failure = ended.as_ref().err().cloned();
        let (pair, text) = match &self.part {
            Some((pair, text)) => {
                (pair.clone(), text.lock().unwrap_or_else(PoisonError::into_inner).clone())
            }
            None => Default::default(),
        };
        let exit_code = ended.unwrap_or_else(|failure| failure.kind.exit_code());
        let (changed, monthly_usd) = (object.says_changed(), object.monthly_usd());
        if self.format == Format::Json {
            object.end(failure.clone());
            object.of_one(exit_code);
        } else {
            object = T::default();
        }
        let is_in_order = match self.purpose {
            Purpose::Work => true,
            Purpose::Judge => exit_code == 0,
        };
        let ok = failure.is_none() && is_in_order;
        Part { pair, exit_code, failure, ok, changed, monthly_usd, object, text }
    }

    /// Prints one line on stderr, after the pair's name if there are several pairs.
    pub(super) fn say(&self, line: &str) {
        match &self.part {
            Some((pair, _)) => say(&format!("{pair}: {line}")),
            None => say(line),
        }
    }

    /// Prints human-readable text, if the format is text.
    pub(super) fn text(&self, text: &str) {
        if let Some((_, kept)) = &self.part {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
        } else if self.format == Format::Text {
            self.stdout.text(text);
        }
    }

    /// Gives the reports of the run what they say at their head.
    pub(super) fn headline(&self, text: &str) {
        for report in &self.reports {
            report.headline(text);
        }
    }

    /// Ends the command: prints the JSON output object and the error, and returns the exit code.
    pub(super) fn end(self, ended: Ended) -> ExitCode {
        let ended = self.advised(ended);
        let unwritten = self.write_reports(ended.as_ref().err());
        let ended = ended.map(|code| if unwritten { Kind::Manifest.exit_code() } else { code });
        if let Err(failure) = &ended {
            complain(failure);
        }
        self.ndjson.end(ended.as_ref().err().filter(|_| self.format == Format::Ndjson));
        let (format, stdout) = (self.format, self.stdout.clone());
        let (code, object) = self.ended(ended);
        if format == Format::Json {
            stdout.object(|out| object.write(out));
        }
        ExitCode::from(told_whole(code, &stdout))
    }

    /// Adds to a failure what mends it, and the advice that requires the pair's own policy documents.
    fn advised(&self, ended: Ended) -> Ended {
        ended.map_err(advice::mended).map_err(|failure| match self.input.get() {
            Some(input) => advice::on(failure, input, self.operation),
            None => failure,
        })
    }

    /// Returns the exit code and the JSON output object.
    pub(super) fn conclude(self, ended: Ended) -> (u8, Value) {
        let (code, object) = self.ended(ended);
        (code, object.value())
    }

    fn ended(self, ended: Ended) -> (u8, Box<dyn AnyObject>) {
        let ended = self.advised(ended);
        let failure = ended.as_ref().err().cloned();
        let object = self.object.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut object = object.unwrap_or_else(|| Box::new(UsageObject::new(self.command)));
        object.end(failure);
        (ended.unwrap_or_else(|failure| failure.kind.exit_code()), object)
    }
}

impl Printer {
    /// Writes every report; prints an error for each report that can't be written, and returns
    /// whether there was one.
    fn write_reports(&self, failure: Option<&Failure>) -> bool {
        let mut unwritten = false;
        let about = self.about();
        for report in &self.reports {
            if let Err(why) = report.end(self.command, failure, &about) {
                complain(&Failure::new(Kind::Manifest, "file-unwritable", why));
                unwritten = true;
            }
        }
        unwritten
    }
}

/// Returns a word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@,+%{}[]".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Returns the exit code of a run that ended with `code`: a successful run whose output can't be
/// written completely is not successful.
fn told_whole(code: u8, stdout: &Stdout) -> u8 {
    let Some(why) = stdout.unwritten() else { return code };
    complain(&Failure::new(Kind::Manifest, "file-unwritable", why));
    // Code 2, such as that of a failed check, is not an error, so the write error replaces it.
    if matches!(code, 0 | 2) { Kind::Manifest.exit_code() } else { code }
}

/// Prints an error on stderr.
fn complain(failure: &Failure) {
    let text = report::explained(failure);
    let _ = live::around(|| write!(anstream::stderr().lock(), "{}", harmless(&text)));
}

/// Prints the help that a command line asks for.
pub(super) fn printed_help(error: &clap::Error) -> ExitCode {
    let stdout = Stdout::default();
    stdout.text(&error.render().ansi().to_string());
    ExitCode::from(told_whole(0, &stdout))
}

/// Prints a command line that can't be parsed, on stderr.
pub(super) fn usage_error(error: &clap::Error) {
    let text = error.render().ansi().to_string();
    let _ = write!(anstream::stderr().lock(), "{}", harmless(&text));
}

/// Prints one line on stderr.
pub(super) fn say(line: &str) {
    let _ = live::around(|| writeln!(anstream::stderr().lock(), "{}", harmless(line)));
}

/// Sets the use of color for all streams; `auto` depends on the terminal and on `NO_COLOR`.
pub(super) fn set_color(choice: clap::ColorChoice) {
    match choice {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Logs each AWS call, if `verbose` is at least 3.
pub(super) fn log_calls(verbose: u8) {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    if verbose < 3 {
        return;
    }
    // Only crrctl's own target: the logs of the SDK contain headers, and headers contain
    // credentials.
    let ours = Targets::new().with_target("crrctl", LevelFilter::INFO);
    let is_coloured =
        anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(live::Stderr::default)
        .with_target(false)
        .with_ansi(is_coloured);
    // The subscriber is already set where `run` is called a second time.
    let _ = tracing_subscriber::registry().with(lines).with(ours).try_init();
}

/// Asks on the terminal; returns the answer, or the failure of a run that is ending. Requires a
/// terminal (see [`can_ask`]). Where the input ends, the answer is empty, which confirms nothing.
pub(super) async fn ask(question: &str, stop: &Stop) -> Result<String, Failure> {
    Ok(answer(question, stop).await?.unwrap_or_default())
}

/// Like [`ask`], but returns `None` where the input ends or can't be read.
pub(super) async fn answer(question: &str, stop: &Stop) -> Result<Option<String>, Failure> {
    let _paused = live::paused();
    let _ = write!(anstream::stderr().lock(), "{} ", harmless(question));
    let _ = anstream::stderr().flush();
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        let count = std::io::stdin().read_line(&mut answer).unwrap_or_default();
        (count > 0).then(|| answer.trim().to_owned())
    });
    let answer = tokio::select! {
        biased;
        () = stop.ending() => Err(stop.failure()),
        answer = read => Ok(answer.unwrap_or_default()),
    };
    // Without an answer the cursor is at the end of the question.
    if !matches!(answer, Ok(Some(_))) {
        let _ = writeln!(anstream::stderr().lock());
    }
    answer
}

/// Returns the failure of a command that would change something without `--yes` and without a
/// terminal.
pub(super) fn wants_yes(command: &str) -> Failure {
    Failure::new(
        Kind::Manifest,
        "usage",
        format!("there is no terminal to ask on: `crrctl {command}` wants `--yes`"),
    )
}

/// Returns whether there is a terminal on which the user can answer.
pub(super) fn can_ask() -> bool {
    use std::io::IsTerminal;
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
