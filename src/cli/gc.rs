//! `crrctl gc`: removes the remaining resources of expired ephemeral pairs, under the rules of
//! `destroy`. Everything else is listed and never changed.
//! Not for: pairs that have not expired (see `destroy`).

use super::Global;
use super::fleet::{RegionArgs, figures, lines, look, open, regions};
use super::objects::{GcObject, GoingOfPair, LeftOfPair, RemovedOfPair};
use super::output::{Ended, Printer};
use crate::failure::{self, Failure};
use crate::names::Arn;
use crate::ops::{self, Swept};
use crate::plan::fleet::Pair;
use crate::report::fleet as report;
use clap::builder::FalseyValueParser;

#[derive(Debug, clap::Args)]
pub(super) struct GcArgs {
    #[command(flatten)]
    regions: RegionArgs,
    /// Remove only pairs whose name begins with this
    #[arg(long, value_name = "P")]
    name_prefix: Option<String>,
    /// Remove what has expired; without it, only list it
    #[arg(short = 'y', long, env = "CRRCTL_YES", value_parser = FalseyValueParser::new())]
    yes: bool,
}

/// The reason given for a resource that has the pair's tags and that the removal did not include.
const MISSED: &str = "this run did not come to it: run `crrctl gc` again";

pub(super) async fn run(
    global: &Global,
    args: &GcArgs,
    printer: &Printer,
    object: &mut GcObject,
) -> Ended {
    let opened = open(global, &args.regions, printer).await?;
    let context = &opened.context;
    let fleet = look(&opened, &args.regions).await?;
    object.account.set(fleet.account.to_string());
    object.regions.set(regions(&fleet));
    object.pairs.set(lines(&fleet));
    object.unread.set(fleet.unread.clone());
    printer.text(&report::pairs(&fleet.pairs, fleet.now));
    printer.text(&report::unread(&fleet.unread));
    let expired = fleet.expired(args.name_prefix.as_deref().unwrap_or_default());
    object.expired.set(expired.iter().map(|pair| pair.id()).collect());
    if !args.yes {
        let _ = tell(&[], printer, object);
        fill_figures(object, figures(context, true, false));
        printer.text(&would_go(&expired));
        return fleet.failure().map_or(Ok(0), Err);
    }
    if expired.is_empty() {
        printer.text(&would_go(&expired));
    }
    let mut swept = Vec::new();
    for pair in &expired {
        swept.push((*pair, ops::sweep(context, pair).await));
    }
    let verdict = tell(&swept, printer, object).or_else(|| fleet.failure());
    let changed = swept.iter().any(|(_, it)| matches!(it, Swept::Ran(ran) if ran.has_removed()));
    fill_figures(object, figures(context, verdict.is_none(), changed));
    verdict.map_or(Ok(0), Err)
}

fn fill_figures(object: &mut GcObject, (api_calls, elapsed_ms): (u64, u64)) {
    object.api_calls.set(api_calls);
    object.elapsed_ms.set(elapsed_ms);
}

fn would_go(expired: &[&Pair]) -> String {
    if expired.is_empty() {
        return "nothing has expired\n".to_owned();
    }
    let pairs: String = expired.iter().map(|pair| report::expired_pair(pair)).collect();
    format!("{pairs}`crrctl gc --yes` removes these: {}\n", expired.len())
}

/// Prints what was removed and what is left, and adds it to the JSON output object; returns the
/// failure of the run, if any. A removal that is blocked (`Kind::InTheWay`) leaves resources behind,
/// so it is reported as `Kind::LeftBehind`.
fn tell(swept: &[(&Pair, Swept)], printer: &Printer, object: &mut GcObject) -> Option<Failure> {
    let (mut removed, mut left, mut keys, mut failures) = (vec![], vec![], vec![], vec![]);
    for (pair, swept) in swept {
        let name = pair.name.as_str();
        let stays = |kind, arn: &Arn, why: &str| {
            let (pair, why) = (name.to_owned(), why.to_owned());
            LeftOfPair { pair, kind, arn: arn.clone(), why }
        };
        match swept {
            Swept::Spared => printer.text(&format!("{name}: was given more time\n")),
            Swept::Ran(ran) => {
                let gone = ran.removed();
                printer.text(&report::swept(name, gone.len(), ran.left.len()));
                printer.text(&crate::report::tables::kept(&ran.left));
                // A resource that has the pair's tags and that the removal did not include, such as
                // a second role, is left too.
                let is_told = |arn: &Arn| {
                    gone.iter().any(|it| it.arn == *arn) || ran.left.iter().any(|it| it.arn == *arn)
                };
                let missed = pair.things.iter().filter(|it| !it.is_going() && !is_told(&it.arn));
                left.extend(ran.left.iter().map(|it| stays(it.kind, &it.arn, &it.why)));
                left.extend(missed.map(|it| stays(it.kind, &it.arn, MISSED)));
                keys.extend(ran.keys.iter().map(|it| GoingOfPair::new(name, it)));
                removed.extend(gone.into_iter().map(|it| RemovedOfPair::new(name, it)));
                failures.extend(ran.verdict());
            }
            Swept::Failed(failure) => {
                printer.text(&format!("{name}: left: {failure}\n"));
                let things = pair.things.iter().filter(|thing| !thing.is_going());
                left.extend(things.map(|it| stays(it.kind, &it.arn, &failure.message)));
                failures.push(failure.clone());
            }
        }
    }
    let count = left.len();
    object.removed.set(removed);
    object.left.set(left);
    object.keys.set(keys);
    failure::worst(failures.into_iter().map(|failure| {
        let hint = "`crrctl destroy` with the pair's manifest and its flags, such as `--purge-data`, goes further";
        match failure.kind {
            failure::Kind::InTheWay | failure::Kind::LeftBehind => {
                Failure { kind: failure::Kind::LeftBehind, ..failure.hint(hint) }
            }
            _ => failure,
        }
    }))
    .map(|failure| failure.leaving(format!("{count} resources, listed under `left`")))
}
