//! `crrctl gc`: removes the remaining resources of expired ephemeral pairs, under the rules of
//! `destroy`. Everything else is listed and never changed.
//! Not for: pairs that have not expired (see `destroy`).

use super::Global;
use super::fleet::{RegionArgs, figures, look, open};
use super::output::{Ended, Printer};
use crate::events::Kind;
use crate::failure::{self, Failure};
use crate::names::Arn;
use crate::ops::{self, Going, Removed, Swept};
use crate::plan::Kept;
use crate::plan::fleet::Pair;
use crate::report::fleet as report;
use clap::builder::FalseyValueParser;
use serde::Serialize;

#[derive(Debug, clap::Args)]
pub(super) struct GcArgs {
    #[command(flatten)]
    regions: RegionArgs,
    /// Take away only pairs whose name begins with this
    #[arg(long, value_name = "P")]
    name_prefix: Option<String>,
    /// Take away what has expired; without it, only say what would go
    #[arg(short = 'y', long, env = "CRRCTL_YES", value_parser = FalseyValueParser::new())]
    yes: bool,
}

/// An item of `removed`, `left` or `keys` in the JSON output object: the item of `destroy`, with
/// the name of the pair.
#[derive(Debug, Serialize)]
struct OfPair<'a, T> {
    pair: &'a str,
    #[serde(flatten)]
    line: T,
}

/// An item of `left`: a resource that stays, and why.
#[derive(Debug, Serialize)]
struct Left<'a> {
    kind: Kind,
    arn: &'a Arn,
    why: &'a str,
}

/// The reason given for a resource that has the pair's tags and that the removal did not include.
const MISSED: &str = "this run did not come to it: run `crrctl gc` again";

pub(super) async fn run(global: &Global, args: &GcArgs, printer: &Printer) -> Ended {
    let opened = open(global, &args.regions, printer).await?;
    let context = &opened.context;
    let fleet = look(&opened, &args.regions, printer).await?;
    printer.text(&report::pairs(&fleet.pairs, fleet.now));
    printer.text(&report::unread(&fleet.unread));
    let expired = fleet.expired(args.name_prefix.as_deref().unwrap_or_default());
    printer.put("expired", expired.iter().map(|pair| pair.id()).collect::<Vec<_>>());
    if !args.yes {
        let _ = tell(&[], printer);
        figures(context, printer, true, false);
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
    let verdict = tell(&swept, printer).or_else(|| fleet.failure());
    let changed = swept.iter().any(|(_, it)| matches!(it, Swept::Ran(ran) if ran.has_removed()));
    figures(context, printer, verdict.is_none(), changed);
    verdict.map_or(Ok(0), Err)
}

fn would_go(expired: &[&Pair]) -> String {
    if expired.is_empty() {
        return "nothing has expired\n".to_owned();
    }
    let pairs: String = expired.iter().map(|pair| report::expired_pair(pair)).collect();
    format!("{pairs}`crrctl gc --yes` takes these away: {}\n", expired.len())
}

/// Prints what was removed and what is left; returns the failure of the run, if any. A removal that
/// is blocked (`Kind::InTheWay`) leaves resources behind, so it is reported as `Kind::LeftBehind`.
fn tell(swept: &[(&Pair, Swept)], printer: &Printer) -> Option<Failure> {
    let (mut removed, mut left, mut keys, mut failures) = (vec![], vec![], vec![], vec![]);
    for (pair, swept) in swept {
        let name = pair.name.as_str();
        match swept {
            Swept::Spared => printer.text(&format!("{name}: was given more time\n")),
            Swept::Ran(ran) => {
                let gone: Vec<Removed<'_>> = ran.removed();
                let gone_arns: Vec<&Arn> = gone.iter().map(|line| line.arn).collect();
                printer.text(&report::swept(name, gone.len(), ran.left.len()));
                printer.text(&crate::report::tables::kept(&ran.left));
                removed.extend(gone.into_iter().map(|line| OfPair { pair: name, line }));
                left.extend(ran.left.iter().map(|Kept { kind, arn, why, .. }| OfPair {
                    pair: name,
                    line: Left { kind: *kind, arn, why },
                }));
                // A resource that has the pair's tags and that the removal did not include, such as
                // a second role, is left too.
                let told: Vec<&Arn> =
                    gone_arns.iter().copied().chain(ran.left.iter().map(|it| &it.arn)).collect();
                let missed =
                    pair.things.iter().filter(|it| !it.is_going() && !told.contains(&&it.arn));
                left.extend(missed.map(|it| OfPair {
                    pair: name,
                    line: Left { kind: it.kind, arn: &it.arn, why: MISSED },
                }));
                keys.extend(ran.keys.iter().map(|line: &Going| OfPair { pair: name, line }));
                failures.extend(ran.verdict());
            }
            Swept::Failed(failure) => {
                printer.text(&format!("{name}: left: {failure}\n"));
                left.extend(pair.things.iter().filter(|thing| !thing.is_going()).map(|thing| {
                    OfPair {
                        pair: name,
                        line: Left {
                            kind: thing.kind,
                            arn: &thing.arn,
                            why: failure.message.as_str(),
                        },
                    }
                }));
                failures.push(failure.clone());
            }
        }
    }
    printer.put("removed", &removed);
    printer.put("left", &left);
    printer.put("keys", &keys);
    let count = left.len();
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
