//! The command line, and the only module that reads the terminal. Each command has a file of its own.
//! Not for: anything that a program without a terminal would also do.

mod advice;
mod apply;
mod check;
mod compare;
mod backfill;
mod bug;
mod completions;
mod destroy;
mod export;
mod explain;
mod fleet;
mod furnish;
mod gc;
mod global;
mod help;
mod hidden;
mod list;
mod import;
mod init;
mod objects;
mod other_side;
mod output;
mod pairs;
mod plan;
mod policy;
mod probe;
mod rehearse;
mod sandbox;
mod schema;
mod session;
mod smoke;
mod status;
mod tips;
mod usage;
mod variables;
mod wait;
mod watch;

use crate::failure::{Failure, Kind};
use crate::recording::Recorder;
use crate::report::Report;
use crate::stop::Stop;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use global::Global;
use output::{Ended, Printer, filling};
use std::ffi::OsString;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

/// Makes S3 cross-Region replication with KMS multi-Region keys work, and proves that it works.
#[derive(Debug, Parser)]
#[command(
    name = "crrctl",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what `apply` would do and why, and what it costs a month
    Plan(plan::PlanArgs),
    /// Create or update the pair, then prove it with probes
    Apply(apply::ApplyArgs),
    /// Upload fresh objects, wait for their replicas and compare them
    Probe(probe::ProbeArgs),
    /// Wait until one object is replicated
    Wait(wait::WaitArgs),
    /// Show the pair on one screen: keys, buckets, role, rules, drift
    Status(status::StatusArgs),
    /// Keep probing, with a line a round and Prometheus metrics
    Watch(watch::WatchArgs),
    /// Say what is wrong with the pair or one object, and how to fix it
    Check(check::CheckArgs),
    /// Replicate existing or FAILED objects, with S3 Batch Replication
    Backfill(backfill::BackfillArgs),
    /// Remove the pair, in the order that AWS needs
    Destroy(destroy::DestroyArgs),
    /// Hand the pair over to Terraform or CloudFormation
    Export(export::ExportArgs),
    /// Write the manifest of a bucket that replicates already
    Import(import::ImportArgs),
    /// List the pairs of the account, by their tags
    List(list::ListArgs),
    /// Remove ephemeral pairs whose time is over
    Gc(gc::GcArgs),
    /// Apply, probe and remove a pair under a random name
    Smoke(smoke::SmokeArgs),
    /// Print the policies, prove them offline, or print what you need
    Policy(policy::PolicyArgs),
    /// Say what a code means, its causes and how to fix it
    Explain(explain::ExplainArgs),
    /// Run plan, apply, probe, apply and destroy in the sandbox
    Rehearse(rehearse::RehearseArgs),
    /// Print the completion script of a shell
    Completions(completions::CompletionsArgs),
    /// Print the man page, or write one for each command
    Man(completions::ManArgs),
    /// Write a manifest, from flags or questions
    Init(init::InitArgs),
    /// Print a JSON Schema: of the manifest, objects or events
    Schema(schema::SchemaArgs),
    /// Replay a recording in the sandbox, and list the differences
    Compare(compare::CompareArgs),
    /// Serve a stand-in for AWS, or run a command with one
    Sandbox(sandbox::SandboxArgs),
    /// Print this, the help of a command, or `help options`
    Help(help::HelpArgs),
    /// Print the version
    Version,
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Plan(_) => "plan",
            Self::Apply(_) => "apply",
            Self::Probe(_) => "probe",
            Self::Wait(_) => "wait",
            Self::Status(_) => "status",
            Self::Watch(_) => "watch",
            Self::Check(_) => "check",
            Self::Backfill(_) => "backfill",
            Self::Destroy(_) => "destroy",
            Self::Export(_) => "export",
            Self::Import(_) => "import",
            Self::List(_) => "list",
            Self::Gc(_) => "gc",
            Self::Smoke(_) => "smoke",
            Self::Policy(args) => args.name(),
            Self::Explain(_) => "explain",
            Self::Rehearse(_) => "rehearse",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Init(_) => "init",
            Self::Schema(_) => "schema",
            Self::Compare(_) => "compare",
            Self::Sandbox(_) => "sandbox",
            Self::Help(_) => "help",
            Self::Version => "version",
        }
    }
}

/// What stdout gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people
    Text,
    /// One JSON object at the end
    Json,
    /// The events as they happen, one JSON object a line
    Ndjson,
}

/// Runs the command line `args`; returns the exit code. May be called more than once in a process.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    variables::leave_out_empty(&args);
    if args.len() <= 1 {
        output::say(help::SHORT);
        return ExitCode::from(Kind::Manifest.exit_code());
    }
    let mut cli = match parsed(&args) {
        Ok(cli) => cli,
        Err(error) => return usage(&tips::told(error), &args),
    };
    cli.global.run = std::env::var("CRRCTL_RUN").ok();
    cli.global.home =
        std::env::var("AWS_REGION").or_else(|_| std::env::var("AWS_DEFAULT_REGION")).ok();
    output::set_color(cli.global.color);
    output::log_calls(cli.global.verbose);
    bug::tell_panics(cli.global.output, cli.command.name());
    let recording = cli.global.begin_recording(cli.command.name());
    let reports = match recording.and_then(|()| opened(cli.global.reports())) {
        Ok(reports) => reports,
        Err(failure) => {
            return Printer::of(&cli.command, cli.global.output, Vec::new()).end(Err(failure));
        }
    };
    let printer = Printer::of(&cli.command, cli.global.output, reports).with_line(&args);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return printer.end(Err(Failure::new(Kind::Unexpected, "runtime", error.to_string())));
        }
    };
    let recorder = cli.global.recorder.clone();
    let ended = runtime.block_on(perform(cli, &printer));
    runtime.shutdown_background();
    if let Some(why) = recorder.as_ref().and_then(Recorder::unwritten) {
        output::say(&format!("warning: {why}"));
    }
    printer.end(ended)
}

/// Parses a command line: first without the environment, which tells the command, then with the
/// variables that mean something to it.
fn parsed(args: &[OsString]) -> Result<Cli, clap::Error> {
    let mut bare = without_variables(help::program());
    let given = bare.try_get_matches_from_mut(args).map_err(|error| match error.kind() {
        // The help names the variables.
        ErrorKind::DisplayHelp => help::program().try_get_matches_from(args).err().unwrap_or(error),
        _ => error,
    })?;
    if let Some((option, command)) = help::meaningless(&given) {
        let message = format!(
            "`{option}` means nothing to `crrctl {command}`; `crrctl help {command}` names its options"
        );
        return Err(bare.error(ErrorKind::ArgumentConflict, message));
    }
    let matches = help::with_variables(&given).try_get_matches_from(args)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    let in_actions = std::env::var("GITHUB_ACTIONS").is_ok_and(|it| it == "true");
    cli.global.pair_is_of_job = help::passes_over_pair(&given);
    cli.global.github |= in_actions && help::uses(&given, "github");
    Ok(cli)
}

/// Opens the files of the reports: one that can't be written ends the run before anything is made.
fn opened(reports: Vec<Arc<dyn Report>>) -> Result<Vec<Arc<dyn Report>>, Failure> {
    for report in &reports {
        report.open().map_err(|why| Failure::new(Kind::Manifest, "file-unwritable", why))?;
    }
    Ok(reports)
}

/// Runs a command inside another program, in its runtime, until the command is done or `stop` ends
/// it. `credentials` (access key and secret) replace the environment's. Prints nothing and handles
/// no signals. Returns the exit code and the object of `-o json`.
pub async fn embedded(
    args: impl IntoIterator<Item = OsString>,
    credentials: (String, String),
    stop: Stop,
) -> (u8, serde_json::Value) {
    let command = without_variables(Cli::command());
    let parsed = command.try_get_matches_from(args);
    let mut cli: Cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let failure = Failure::new(Kind::Manifest, "usage", error.to_string());
            return Printer::new(Format::Json, "usage", Vec::new()).conclude(Err(failure));
        }
    };
    cli.global = Global {
        quiet: true,
        output: Format::Json,
        stop,
        credentials: Some(credentials),
        ..cli.global
    };
    let recording = cli.global.begin_recording(cli.command.name());
    let printer = Printer::of(&cli.command, Format::Json, Vec::new());
    if let Err(failure) = recording {
        return printer.conclude(Err(failure));
    }
    // Boxed, so that the caller's future stays small.
    let command: Pin<Box<dyn Future<Output = Ended>>> = Box::pin(perform(cli, &printer));
    let ended = command.await;
    printer.conclude(ended)
}

/// Removes the environment variables from all flags.
fn without_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| arg.env(clap::builder::Resettable::Reset));
    command.mut_subcommands(without_variables)
}

/// Returns whether a command always deletes what it creates, even after the deadline or the first signal.
fn takes_away(command: &Command) -> bool {
    match command {
        Command::Smoke(_) => true,
        Command::Check(args) => args.takes_away(),
        _ => false,
    }
}

async fn perform(cli: Cli, printer: &Printer) -> Ended {
    let global = &cli.global;
    let takes_away = takes_away(&cli.command);
    let operation = advice::operation(&cli.command);
    let command = async {
        match cli.command {
            Command::Plan(args) => {
                filling(printer, async |it| plan::run(global, &args, printer, it).await).await
            }
            Command::Apply(args) => {
                filling(printer, async |it| apply::run(global, &args, printer, it).await).await
            }
            Command::Probe(args) => {
                filling(printer, async |it| probe::run(global, &args, printer, it).await).await
            }
            Command::Wait(args) => {
                filling(printer, async |it| wait::run(global, &args, printer, it).await).await
            }
            Command::Status(args) => {
                filling(printer, async |it| status::run(global, &args, printer, it).await).await
            }
            Command::Watch(args) => {
                filling(printer, async |it| watch::run(global, &args, printer, it).await).await
            }
            Command::Check(args) => {
                filling(printer, async |it| check::run(global, &args, printer, it).await).await
            }
            Command::Backfill(args) => {
                filling(printer, async |it| backfill::run(global, &args, printer, it).await).await
            }
            Command::Destroy(args) => {
                filling(printer, async |it| destroy::run(global, &args, printer, it).await).await
            }
            Command::Export(args) => {
                filling(printer, async |it| export::run(global, &args, printer, it).await).await
            }
            Command::Import(args) => {
                filling(printer, async |it| import::run(global, &args, printer, it).await).await
            }
            Command::List(args) => {
                filling(printer, async |it| list::run(global, &args, printer, it).await).await
            }
            Command::Gc(args) => {
                filling(printer, async |it| gc::run(global, &args, printer, it).await).await
            }
            Command::Smoke(args) => {
                filling(printer, async |it| smoke::run(global, &args, printer, it).await).await
            }
            Command::Policy(args) => policy::run(global, &args, printer).await,
            Command::Explain(args) => {
                filling(printer, async |it| explain::run(&args, printer, it)).await
            }
            Command::Rehearse(args) => {
                filling(printer, async |it| rehearse::run(global, &args, printer, it).await).await
            }
            Command::Completions(args) => {
                filling(printer, async |it| {
                    completions::completions(&args, printer, it);
                    Ok(0)
                })
                .await
            }
            Command::Man(args) => {
                filling(printer, async |it| completions::man(&args, printer, it)).await
            }
            Command::Init(args) => {
                filling(printer, async |it| init::run(global, &args, printer, it).await).await
            }
            Command::Schema(args) => {
                filling(printer, async |it| schema::run(&args, printer, it)).await
            }
            Command::Compare(args) => {
                filling(printer, async |it| compare::run(&args, printer, it).await).await
            }
            Command::Sandbox(args) => {
                filling(printer, async |it| sandbox::run(global, &args, it).await).await
            }
            Command::Help(args) => filling(printer, async |it| help::run(&args, printer, it)).await,
            Command::Version => {
                filling(printer, async |it| {
                    help::version(printer, it);
                    Ok(0)
                })
                .await
            }
        }
    };
    let ended = tokio::select! {
        biased;
        ended = command => ended,
        () = session::given_up(&global.stop, takes_away) => Err(global.stop.failure()),
    };
    if global.sandbox {
        return ended;
    }
    Box::pin(advice::asked(ended, printer, operation, &global.stop)).await
}

/// Prints a usage error. Clap's own exit code for usage is 2, which here means "changes found". If
/// the arguments ask for JSON, the JSON output object is printed too.
fn usage(error: &clap::Error, args: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        return output::printed_help(error);
    }
    output::usage_error(error);
    let command = args.get(1).and_then(|arg| arg.to_str()).unwrap_or_default();
    let program = Cli::command();
    let command = program.find_subcommand(command).map(clap::Command::get_name);
    let message = error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .to_owned();
    let message = crate::report::harmless(&message).into_owned();
    usage::print(command, &Failure::new(Kind::Manifest, "usage", message), args);
    ExitCode::from(Kind::Manifest.exit_code())
}
