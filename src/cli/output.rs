//! The one printer: data on stdout, in the form that was asked for, and the error, once, on stderr.
//! A closed stdout or stderr is no error; a stdout that can't be written is one (see `report::Stdout`).

use super::session::Input;
use super::{Format, advice};
use crate::failure::{Failure, Kind};
use crate::report::{self, Ndjson, Report, Stdout};
use crate::stop::Stop;
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How a command ended: its exit code, or what went wrong.
pub(super) type Ended = Result<u8, Failure>;

/// Prints for one command.
#[derive(Debug)]
pub(super) struct Printer {
    format: Format,
    pub(super) command: &'static str,
    stdout: Stdout,
    /// The stream of events, where stdout gets them.
    pub(super) ndjson: Arc<Ndjson>,
    /// Reports that are written at the end.
    pub(super) reports: Vec<Arc<dyn Report>>,
    /// Whose policies to read when permission is missing.
    pub(super) input: OnceLock<Input>,
    /// The command's object, as far as it got.
    object: Mutex<Map<String, Value>>,
    /// The pair of many that this is about, and the text about it, which is printed with the others' or not at all.
    part: Option<(String, Mutex<String>)>,
}

/// What a command came to for one pair of many.
pub(super) struct Part {
    pub(super) pair: String,
    pub(super) exit_code: u8,
    pub(super) failure: Option<Failure>,
    /// Whether it is as it should be: a failed check is no failure of the run, and not well either.
    pub(super) ok: bool,
    pub(super) changed: bool,
    pub(super) object: Map<String, Value>,
    pub(super) text: String,
}

/// What of an object tells whether something was changed.
const CHANGES: [&str; 2] = ["changed", "removed"];

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
            ndjson: Arc::new(Ndjson::new(stdout.clone())),
            stdout,
            reports,
            input: OnceLock::new(),
            object: Mutex::default(),
            part: None,
        }
    }

    /// Returns what prints for one pair of many: nothing, but it keeps all.
    pub(super) fn part(&self, input: &Input) -> Self {
        let pair = input.manifest.name().to_string();
        Self {
            format: self.format,
            command: self.command,
            stdout: self.stdout.clone(),
            ndjson: Arc::clone(&self.ndjson),
            reports: Vec::new(),
            input: OnceLock::from(input.clone()),
            object: Mutex::default(),
            part: Some((pair, Mutex::default())),
        }
    }

    /// Returns whether this is about one pair of many.
    pub(super) fn is_part(&self) -> bool {
        self.part.is_some()
    }

    /// Returns all that was kept of a part. Its object is kept only where it is printed.
    pub(super) fn kept(self, ended: Ended) -> Part {
        let ended = self.advised(ended);
        let failure = ended.as_ref().err().cloned();
        let (pair, text) = match &self.part {
            Some((pair, text)) => {
                (pair.clone(), text.lock().unwrap_or_else(PoisonError::into_inner).clone())
            }
            None => Default::default(),
        };
        let (is_printed, command) = (self.format == Format::Json, self.command);
        let (exit_code, object) = self.conclude(ended);
        let changed = CHANGES.iter().any(|name| match &object[*name] {
            Value::Array(removed) => !removed.is_empty(),
            other => *other == true,
        });
        let mut object = match object {
            Value::Object(object) if is_printed => object,
            _ => Map::new(),
        };
        // Calls are counted for all pairs together.
        for of_all in ["api_calls", "api_writes"] {
            object.remove(of_all);
        }
        object.insert("exit_code".to_owned(), json!(exit_code));
        let ok = failure.is_none() && !(command == "check" && exit_code != 0);
        Part { pair, exit_code, failure, ok, changed, object, text }
    }

    /// Prints one line on stderr for people who watch, with the pair that it is about where there are many.
    pub(super) fn say(&self, line: &str) {
        match &self.part {
            Some((pair, _)) => say(&format!("{pair}: {line}")),
            None => say(line),
        }
    }

    /// Prints text for people, where they asked for it.
    pub(super) fn text(&self, text: &str) {
        if let Some((_, kept)) = &self.part {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
        } else if self.format == Format::Text {
            self.stdout.text(text);
        }
    }

    /// Puts `value` into the command's object.
    pub(super) fn put(&self, name: &str, value: impl serde::Serialize) {
        if self.part.is_some() && self.format != Format::Json && !CHANGES.contains(&name) {
            return;
        }
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.object.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value);
    }

    /// Puts each field of `value`, which is an object, into the command's object.
    pub(super) fn put_all(&self, value: impl serde::Serialize) {
        if let Ok(Value::Object(fields)) = serde_json::to_value(value) {
            self.object.lock().unwrap_or_else(PoisonError::into_inner).extend(fields);
        }
    }

    /// Ends the command: prints its object and its error, and returns its exit code.
    pub(super) fn end(self, ended: Ended) -> ExitCode {
        let ended = self.advised(ended);
        let unwritten = self.write_reports(ended.as_ref().err());
        let ended = ended.map(|code| if unwritten { Kind::Unexpected.exit_code() } else { code });
        if let Err(failure) = &ended {
            complain(failure);
        }
        self.ndjson.end(ended.as_ref().err().filter(|_| self.format == Format::Ndjson));
        let (format, stdout) = (self.format, self.stdout.clone());
        let (code, object) = self.conclude(ended);
        if format == Format::Json {
            stdout.line(&serde_json::to_string_pretty(&object).unwrap_or_default());
        }
        ExitCode::from(told_whole(code, &stdout))
    }

    /// Adds what only the pair's own documents know.
    fn advised(&self, ended: Ended) -> Ended {
        ended.map_err(|failure| match self.input.get() {
            Some(input) if failure.hints.iter().all(|it| !it.starts_with(advice::STATEMENT)) => {
                advice::on(failure, input, self.command)
            }
            _ => failure,
        })
    }

    /// Returns the exit code and the command's object.
    pub(super) fn conclude(self, ended: Ended) -> (u8, Value) {
        let ended = self.advised(ended);
        let mut object = Map::new();
        object.insert("schema".to_owned(), json!(format!("crrctl/{}/v1", self.command)));
        object.extend(self.object.into_inner().unwrap_or_else(PoisonError::into_inner));
        let code = ended.unwrap_or_else(|failure| {
            let error = serde_json::to_value(&failure).unwrap_or(Value::Null);
            object.insert("error".to_owned(), error);
            failure.kind.exit_code()
        });
        (code, Value::Object(object))
    }
}

impl Printer {
    /// Writes every report; returns whether one could not be written, which is said once.
    fn write_reports(&self, failure: Option<&Failure>) -> bool {
        let mut unwritten = false;
        for report in &self.reports {
            if let Err(why) = report.end(self.command, failure) {
                complain(&Failure::new(Kind::Unexpected, "file-unwritable", why));
                unwritten = true;
            }
        }
        unwritten
    }
}

/// Returns the exit code of a run that ended with `code`: what was done well and can't be told whole is not well done.
fn told_whole(code: u8, stdout: &Stdout) -> u8 {
    let Some(why) = stdout.unwritten() else { return code };
    complain(&Failure::new(Kind::Unexpected, "file-unwritable", why));
    // A failed check is no error, so its code gives way.
    if matches!(code, 0 | 2) { Kind::Unexpected.exit_code() } else { code }
}

/// Prints an error on stderr.
fn complain(failure: &Failure) {
    let _ = write!(anstream::stderr().lock(), "{}", report::explained(failure));
}

/// Prints the object of a command line that can't be read, if it asks for JSON as far as it can be read.
pub(super) fn usage_object(command: &str, failure: &Failure, args: &[OsString]) {
    let words: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let asks = |pair: &[&str]| matches!(pair, ["-o" | "--output", "json"]);
    let asks_in_one = |word: &&str| matches!(*word, "-ojson" | "-o=json" | "--output=json");
    if words.windows(2).any(asks) || words.iter().any(asks_in_one) {
        let object = json!({"schema": format!("crrctl/{command}/v1"), "error": failure});
        Stdout::default().line(&format!("{object:#}"));
    }
}

/// Prints one line on stderr for people who watch.
pub(super) fn say(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Decides about colour for all streams; `auto` leaves it to the terminal and to `NO_COLOR`.
pub(super) fn set_color(choice: clap::ColorChoice) {
    match choice {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Shows each AWS call, where that much is asked for.
pub(super) fn log_calls(verbose: u8) {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    if verbose < 3 {
        return;
    }
    // Our own target alone: the SDK's logs hold headers, and with them credentials.
    let ours = Targets::new().with_target("crrctl", LevelFilter::DEBUG);
    let is_coloured =
        anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(is_coloured);
    // Already set where `run` is called a second time.
    let _ = tracing_subscriber::registry().with(lines).with(ours).try_init();
}

/// Asks on the terminal; returns what was typed, or the failure of a run that is ending. Only for a terminal (see [`can_ask`]).
pub(super) async fn ask(question: &str, stop: &Stop) -> Result<String, Failure> {
    let _ = write!(anstream::stderr().lock(), "{question} ");
    let _ = anstream::stderr().flush();
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        // An unreadable terminal is an empty answer, which agrees to nothing.
        let _ = std::io::stdin().read_line(&mut answer);
        answer.trim().to_owned()
    });
    tokio::select! {
        biased;
        () = stop.ending() => Err(stop.failure()),
        answer = read => Ok(answer.unwrap_or_default()),
    }
}

/// Refuses to change anything unasked.
pub(super) fn wants_yes(command: &str) -> Failure {
    Failure::new(
        Kind::Manifest,
        "usage",
        format!("there is no terminal to ask on: `crrctl {command}` wants `--yes`"),
    )
}

/// Returns whether somebody is there to answer.
pub(super) fn can_ask() -> bool {
    use std::io::IsTerminal;
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
