//! `crrctl smoke`: applies a separate pair, probes it, and always removes it again.
//! Not for: the manifest's own pair (see `apply`).

use super::Global;
use super::apply::{self, apply};
use super::destroy::{self, destroy};
use super::output::{Ended, Printer};
use super::session::{Input, Session};
use crate::aws::settle::pause;
use crate::failure::{self, Failure};
use crate::names::Arn;
use crate::observe::Depth;
use crate::plan::{self, Removal};
use std::time::{Duration, Instant};

#[derive(Debug, clap::Args)]
pub(super) struct SmokeArgs {
    /// Encrypt under this key instead of a new one, which costs a dollar a month until it is gone; of a multi-Region key each
    /// Region's is meant
    #[arg(long, value_name = "ARN", value_parser = key)]
    key: Option<Arn>,
    /// After how long `crrctl gc` may take away what a killed run left
    #[arg(long, value_name = "TTL", default_value = "1d", value_parser = apply::ttl)]
    ttl: Duration,
}

fn key(text: &str) -> Result<Arn, String> {
    let arn = Arn::new(text).map_err(|error| error.to_string())?;
    let is_key = arn.service() == "kms" && arn.resource().starts_with("key/");
    if is_key { Ok(arn) } else { Err("the ARN of a KMS key is wanted".to_owned()) }
}

/// How many random letters the pair's name ends in.
const SUFFIX: usize = 6;

pub(super) async fn run(global: &Global, args: &SmokeArgs, printer: &Printer) -> Ended {
    let suffix: String = std::iter::repeat_with(fastrand::lowercase).take(SUFFIX).collect();
    let input = Input::suffixed(global, global.sandbox, &suffix, args.key.as_ref())?;
    let mut session = Session::with(global, printer, input, global.sandbox).await?;
    session.ephemeral = Some(args.ttl);
    printer.put("pair", session.manifest.name());
    let (topology, world, plan) = session.plan().await?;
    let applied = apply(&session, topology, &world, plan, true).await;
    apply::report(&session, &applied, printer);
    let made = applied.keys_made();
    // The first Ctrl-C ends the work but not the clean-up; the second Ctrl-C ends the clean-up too.
    session.stop = session.stop.for_clean_up();
    let taken = take_away(&session, &made, printer).await;
    let failure = failure::worst(applied.failure().cloned().into_iter().chain(taken));
    session.done(failure.is_none(), true);
    failure.map_or(Ok(0), |failure| {
        Err(failure.hint("`crrctl gc --yes` takes away what may be left, once its time is over"))
    })
}

/// How long the tags of a new resource may take to show, and the interval between reads. Bucket
/// configurations are eventually consistent (S3 User Guide, "Amazon S3 data consistency model"). No
/// other run has resources with such names.
const SPREADS: Duration = Duration::from_mins(2);
const LOOKS: Duration = Duration::from_secs(2);

/// Removes every resource of the pair that reads show. Reads again until the plan includes the keys
/// that this run created (`made`), or `SPREADS` is over.
async fn take_away(session: &Session, made: &[Arn], printer: &Printer) -> Option<Failure> {
    let wish = Removal { purge_keys: true, ..Removal::default() };
    let (began, mut is_told) = (Instant::now(), false);
    let planned = loop {
        let seen = session.observe(Depth::Removal).await;
        let planned = seen.and_then(|(topology, world)| {
            let (plan, kept) = plan::removal(&topology, &world, wish)?;
            Ok((topology, world, plan, kept))
        });
        let is_whole = match &planned {
            Ok((_, _, plan, kept)) => {
                let goes = |key: &Arn| plan.actions.iter().any(|it| it.arn.as_ref() == Some(key));
                kept.is_empty() && made.iter().all(goes)
            }
            Err(failure) => failure.kind != failure::Kind::InTheWay,
        };
        if is_whole || began.elapsed() > SPREADS || session.stop.is_ending() {
            break planned;
        }
        if !is_told {
            printer.say("not all that was just made shows yet whose it is: looking until it does");
            is_told = true;
        }
        pause(&session.stop, LOOKS).await;
    };
    match planned {
        Ok((topology, world, plan, kept)) => {
            let destroyed = destroy(session, &topology, &world, plan, kept, wish).await;
            destroy::report(session, &destroyed, printer);
            destroyed.verdict()
        }
        Err(failure) => Some(failure),
    }
}
