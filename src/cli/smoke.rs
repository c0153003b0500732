//! `crrctl smoke`: applies a separate pair, probes it, and always removes it again.
//! Not for: the manifest's own pair (see `apply`).

use super::Global;
use super::objects::SmokeObject;
use super::output::{Ended, Printer};
use super::session::{self, read_suffixed};
use super::{apply, destroy};
use crate::events::millis;
use crate::failure;
use crate::names::Arn;
use crate::ops::{self, Applied, Destroyed, Probing, Session};
use crate::probe;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct SmokeArgs {
    /// Encrypt under this key instead of a new one, which costs a dollar a month until it is gone; of a multi-Region key each
    /// Region's is meant
    #[arg(long, value_name = "ARN", value_parser = key)]
    key: Option<Arn>,
    /// After how long `crrctl gc` may remove what a killed run left
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

pub(super) async fn run(
    global: &Global,
    args: &SmokeArgs,
    printer: &Printer,
    object: &mut SmokeObject,
) -> Ended {
    let suffix: String = std::iter::repeat_with(fastrand::lowercase).take(SUFFIX).collect();
    let input = read_suffixed(global, global.sandbox, &suffix, args.key.as_ref())?;
    let (mut session, _sandbox) = session::open(global, printer, input, global.sandbox).await?;
    session.ephemeral = Some(args.ttl);
    object.pair.set(session.manifest.name().to_string());
    let planned = ops::plan(&session).await?;
    let applied = ops::apply(&session, planned, Probing::On).await;
    fill_applied(object, &session, &applied);
    apply::report(&session, &applied, printer);
    // The first Ctrl-C ends the work but not the clean-up; the second Ctrl-C ends the clean-up too.
    session.stop = session.stop.for_clean_up();
    let taken = match ops::take_away(&session, &applied.keys_made()).await {
        Ok(destroyed) => {
            fill_destroyed(object, &session, &destroyed);
            destroy::report(&session, &destroyed, printer);
            destroyed.verdict()
        }
        Err(failure) => Some(failure),
    };
    let failure = failure::worst(applied.failure().cloned().into_iter().chain(taken));
    session.done(failure.is_none(), true);
    failure.map_or(Ok(0), |failure| {
        Err(failure.hint("`crrctl gc --yes` removes what may be left, once its time is over"))
    })
}

/// Adds what was made to the JSON output object.
fn fill_applied(object: &mut SmokeObject, session: &Session, applied: &Applied) {
    object.changed.set(applied.changed());
    object.resources.set(apply::resources(applied));
    object.probes.set(applied.evidence.probes.clone());
    object.summary.set(probe::summary(&applied.evidence.probes));
    object.api_writes.set(session.aws.count().writes);
    object.activated_at.set(applied.activated_at);
    object.replaced.set(applied.replaced.clone());
    object.expires.set(applied.topology.found.expires);
    fill_figures(object, session);
}

/// Adds what was removed to the JSON output object.
fn fill_destroyed(object: &mut SmokeObject, session: &Session, destroyed: &Destroyed) {
    object.job = destroyed.job.as_deref().cloned().into();
    object.removed.set(destroyed.removed());
    object.left.set(destroyed.left.clone());
    object.keys.set(destroyed.keys.clone());
    fill_figures(object, session);
}

fn fill_figures(object: &mut SmokeObject, session: &Session) {
    object.api_calls.set(session.aws.count().total());
    object.elapsed_ms.set(millis(session.started.elapsed()));
}
