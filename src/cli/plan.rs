//! `crrctl plan`: what would be done, and why, without doing it.

use super::Global;
use super::output::{Ended, Printer};
use super::session::Session;
use crate::plan::{self, Removal};
use crate::report::tables;

/// Changes were found.
const CHANGES: u8 = 2;

#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// Exit with 2 where there are changes to make, with 0 where there are none
    #[arg(long)]
    detailed_exitcode: bool,
    /// Show what `destroy` would do
    #[arg(long)]
    destroy: bool,
}

pub(super) async fn run(global: &Global, args: &PlanArgs, printer: &Printer) -> Ended {
    let session = Session::open(global, printer, global.sandbox).await?;
    printer.put("pair", session.manifest.name());
    let (topology, plan, kept) = if args.destroy {
        let (topology, world) = session.observe(true).await?;
        let (plan, kept) = plan::removal(&topology, &world, Removal::default())?;
        (topology, plan, kept)
    } else {
        let (topology, _, plan) = session.plan().await?;
        (topology, plan, Vec::new())
    };
    session.done(true, false);
    printer.put("changes", plan.changes());
    let cost = plan::cost(&topology);
    if args.destroy {
        printer.put("left", &kept);
    } else {
        printer.put("cost", &cost);
    }
    printer.put("api_calls", session.aws.count().total());
    printer.text(&tables::plan(&plan, (!args.destroy).then_some(&cost)));
    printer.text(&tables::kept(&kept));
    Ok(if args.detailed_exitcode && plan.has_changes() { CHANGES } else { 0 })
}
