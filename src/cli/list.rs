//! `crrctl list`: lists the pairs of the account, found by their tags.
//! Not for: finding the pairs (see `fleet`).

use super::Global;
use super::fleet::{RegionArgs, figures, look, open};
use super::output::{Ended, Printer};
use crate::report::fleet;

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    regions: RegionArgs,
}

pub(super) async fn run(global: &Global, args: &ListArgs, printer: &Printer) -> Ended {
    let opened = open(global, &args.regions, printer).await?;
    let context = &opened.context;
    let fleet = look(&opened, &args.regions, printer).await?;
    let failure = fleet.failure();
    figures(context, printer, failure.is_none(), false);
    printer.text(&fleet::pairs(&fleet.pairs, fleet.now));
    printer.text(&fleet::unread(&fleet.unread));
    failure.map_or(Ok(0), Err)
}
