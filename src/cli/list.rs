//! `crrctl list`: lists the pairs of the account, found by their tags.
//! Not for: finding the pairs (see `fleet`).

use super::Global;
use super::fleet::{RegionArgs, figures, lines, look, open, regions};
use super::objects::ListObject;
use super::output::{Ended, Printer};
use crate::report::fleet;

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    regions: RegionArgs,
}

pub(super) async fn run(
    global: &Global,
    args: &ListArgs,
    printer: &Printer,
    object: &mut ListObject,
) -> Ended {
    let opened = open(global, &args.regions, printer).await?;
    let context = &opened.context;
    let fleet = look(&opened, &args.regions).await?;
    object.account.set(fleet.account.to_string());
    object.regions.set(regions(&fleet));
    object.pairs.set(lines(&fleet));
    object.unread.set(fleet.unread.clone());
    let failure = fleet.failure();
    let (api_calls, elapsed_ms) = figures(context, failure.is_none(), false);
    object.api_calls.set(api_calls);
    object.elapsed_ms.set(elapsed_ms);
    printer.text(&fleet::pairs(&fleet.pairs, fleet.now));
    printer.text(&fleet::unread(&fleet.unread));
    failure.map_or(Ok(0), Err)
}
