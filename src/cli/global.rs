//! The options of every command.
//! Not for: the options of one command (see its file).

use super::Format;
use crate::failure::{Failure, Kind};
use crate::manifest::SideFlag;
use crate::names::EndpointUrl;
use crate::recording::{Names, Recorder};
use crate::report::{Github, Html, Junit, Report, Volume};
use crate::stop::Stop;
use clap::builder::{FalseyValueParser, RangedU64ValueParser};
use clap::{Args, ColorChoice};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What every command takes.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// The manifest; `-` reads standard input [default: crrctl.yaml, if there]
    #[arg(short, long, global = true, value_name = "FILE", env = "CRRCTL_FILE")]
    pub(super) file: Option<String>,
    /// The pair's name, in place of a manifest
    #[arg(long, global = true, env = "CRRCTL_NAME")]
    pub(super) name: Option<String>,
    /// The source, in place of a manifest
    #[arg(long, global = true, value_name = "REGION[:BUCKET]", env = "CRRCTL_SOURCE")]
    pub(super) source: Option<SideFlag>,
    /// A destination, in place of a manifest; may be given more than once
    #[arg(
        long,
        global = true,
        value_name = "REGION[:BUCKET]",
        env = "CRRCTL_DESTINATION",
        value_delimiter = ','
    )]
    pub(super) destination: Vec<SideFlag>,
    /// Of a manifest with `pairs`, this pair alone; may be given more than once
    #[arg(long, global = true, value_name = "NAME", env = "CRRCTL_PAIR", value_delimiter = ',')]
    pub(super) pair: Vec<String>,
    /// Use a sandbox: a stand-in for AWS inside this process
    #[arg(long, global = true, env = "CRRCTL_SANDBOX", value_parser = FalseyValueParser::new())]
    pub(super) sandbox: bool,
    /// The profile of the shared AWS configuration
    #[arg(long, global = true, env = "CRRCTL_PROFILE")]
    pub(super) profile: Option<String>,
    /// The endpoint of every service; the variables `AWS_ENDPOINT_URL[_SERVICE]` count too
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint, env = "CRRCTL_ENDPOINT_URL")]
    pub(super) endpoint_url: Option<String>,
    /// What stdout gets
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Text, env = "CRRCTL_OUTPUT")]
    pub(super) output: Format,
    /// End the run in order after this long, such as `90s` or `15m`
    #[arg(long, global = true, value_name = "DURATION", value_parser = crate::units::duration, env = "CRRCTL_TIMEOUT")]
    pub(super) timeout: Option<Duration>,
    /// How long fresh probes are uploaded while one FAILED or has no replication status [after a
    /// change: 5m, without one: 0s]
    #[arg(long, global = true, value_name = "DURATION", value_parser = crate::units::duration, env = "CRRCTL_PATIENCE")]
    pub(super) patience: Option<Duration>,
    /// How many actions run at once
    #[arg(
        long,
        global = true,
        value_name = "N",
        default_value_t = crate::ops::AT_ONCE,
        env = "CRRCTL_MAX_CONCURRENCY",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..)
    )]
    pub(super) max_concurrency: usize,
    /// How many times AWS's usual request quotas of KMS are in force, where yours were raised
    #[arg(long, global = true, value_name = "N", default_value_t = 1, env = "CRRCTL_QUOTA_FACTOR", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) quota_factor: u32,
    /// Say nothing but errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose", env = "CRRCTL_QUIET", value_parser = FalseyValueParser::new())]
    pub(super) quiet: bool,
    /// Say more; `-vvv` shows each AWS call
    #[arg(short, long, global = true, action = clap::ArgAction::Count, env = "CRRCTL_VERBOSE")]
    pub(super) verbose: u8,
    /// When to colour; `NO_COLOR` counts too
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, env = "CRRCTL_COLOR")]
    pub(super) color: ColorChoice,
    /// No live lines, even on a terminal
    #[arg(long, global = true, env = "CRRCTL_NO_PROGRESS", value_parser = FalseyValueParser::new())]
    pub(super) no_progress: bool,
    /// Write the run as `JUnit` XML: a testcase a rule and direction, and a check
    #[arg(long, global = true, value_name = "FILE", env = "CRRCTL_JUNIT")]
    pub(super) junit: Option<PathBuf>,
    /// Write the run as one HTML page that needs nothing else
    #[arg(long, global = true, value_name = "FILE", env = "CRRCTL_HTML")]
    pub(super) html: Option<PathBuf>,
    /// Annotations and a step summary for GitHub Actions; on by itself there
    #[arg(long, global = true, env = "CRRCTL_GITHUB", value_parser = FalseyValueParser::new())]
    pub(super) github: bool,
    /// Record the run: what AWS was asked and what it answered, with stand-ins for names
    #[arg(long, global = true, value_name = "FILE", env = "CRRCTL_RECORD")]
    pub(super) record: Option<PathBuf>,
    /// Keep names as they are in the recording
    #[arg(long, global = true, env = "CRRCTL_RECORD_NAMES", value_parser = FalseyValueParser::new())]
    pub(super) record_names: bool,
    /// Fills `{run}` in the manifest
    #[arg(skip)]
    pub(super) run: Option<String>,
    /// The Region to ask first where no manifest names one
    #[arg(skip)]
    pub(super) home: Option<String>,
    /// When to end
    #[arg(skip)]
    pub(super) stop: Stop,
    /// Set once signals and the deadline are waited for
    #[arg(skip)]
    pub(super) is_watched: Arc<OnceLock<()>>,
    /// Whether `--pair` counts only for a manifest of several pairs: a variable of the whole job
    /// gave it
    #[arg(skip)]
    pub(super) pair_is_of_job: bool,
    /// The codes of MFA devices that were asked for, by profile
    #[arg(skip)]
    pub(super) codes: Arc<tokio::sync::Mutex<BTreeMap<String, String>>>,
    /// Where the run is recorded
    #[arg(skip)]
    pub(super) recorder: Option<Recorder>,
    /// Access key and secret, where another program runs the command
    #[arg(skip)]
    pub(super) credentials: Option<(String, String)>,
}

impl Global {
    /// Returns whether the flags name a pair, by a manifest or by its parts.
    pub(super) fn names_a_pair(&self) -> bool {
        self.file.is_some()
            || self.name.is_some()
            || self.source.is_some()
            || !self.destination.is_empty()
    }

    /// Returns the reports that the flags request.
    pub(super) fn reports(&self) -> Vec<Arc<dyn Report>> {
        let mut reports: Vec<Arc<dyn Report>> = Vec::new();
        reports
            .extend(self.junit.clone().map(|file| Arc::new(Junit::new(file)) as Arc<dyn Report>));
        reports.extend(self.html.clone().map(|file| Arc::new(Html::new(file)) as Arc<dyn Report>));
        if self.github {
            let summary = std::env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from);
            reports.push(Arc::new(Github::new(summary)));
        }
        reports
    }

    /// Opens the recording of a run of `command`, before anything is built.
    pub(super) fn begin_recording(&mut self, command: &str) -> Result<(), Failure> {
        let Some(file) = &self.record else { return Ok(()) };
        let names = if self.record_names { Names::Kept } else { Names::Replaced };
        let opened = Recorder::open(file, command, names);
        let unwritable = |why| Failure::new(Kind::Manifest, "file-unwritable", why);
        self.recorder = Some(opened.map_err(unwritable)?);
        Ok(())
    }

    pub(super) fn volume(&self) -> Volume {
        match (self.quiet, self.verbose) {
            (true, _) => Volume::Quiet,
            (false, 0) => Volume::Usual,
            (false, _) => Volume::Verbose,
        }
    }
}

/// Checks the form of an endpoint, so that a typing error is not reported as a network failure.
fn endpoint(text: &str) -> Result<String, String> {
    match EndpointUrl::new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.rule.replacen("it ", "an endpoint ", 1)),
    }
}
