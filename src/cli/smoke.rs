//! `crrctl smoke`: applies a separate pair, probes it, and always removes it again.
//! Not for: the manifest's own pair (see `apply`).

use super::Global;
use super::output::{Ended, Printer};
use super::session::{self, read_suffixed};
use super::{apply, destroy};
use crate::failure;
use crate::names::Arn;
use crate::ops::{self, Probing};
use std::time::Duration;

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
    let input = read_suffixed(global, global.sandbox, &suffix, args.key.as_ref())?;
    let (mut session, _sandbox) = session::open(global, printer, input, global.sandbox).await?;
    session.ephemeral = Some(args.ttl);
    printer.put("pair", session.manifest.name());
    let planned = ops::plan(&session).await?;
    let applied = ops::apply(&session, planned, Probing::On).await;
    apply::report(&session, &applied, printer);
    // The first Ctrl-C ends the work but not the clean-up; the second Ctrl-C ends the clean-up too.
    session.stop = session.stop.for_clean_up();
    let taken = match ops::take_away(&session, &applied.keys_made()).await {
        Ok(destroyed) => {
            destroy::report(&session, &destroyed, printer);
            destroyed.verdict()
        }
        Err(failure) => Some(failure),
    };
    let failure = failure::worst(applied.failure().cloned().into_iter().chain(taken));
    session.done(failure.is_none(), true);
    failure.map_or(Ok(0), |failure| {
        Err(failure.hint("`crrctl gc --yes` takes away what may be left, once its time is over"))
    })
}
