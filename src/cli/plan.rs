//! `crrctl plan`: prints what `apply` or `destroy` would do, and why, without doing it.
//! Not for: building the plan (see `crate::plan`).

use super::objects::PlanObject;
use super::other_side;
use super::output::{Ended, Printer};
use super::pairs::{self, OutputMode};
use super::session::Inputs;
use super::{Format, Global};
use crate::ops::{self, Planned, Session};
use crate::plan::{self, Removal};
use crate::report::{self, Language, graph, tables};
use clap::ValueEnum;

/// The exit code where there are changes to make.
const CHANGES: u8 = 2;

#[derive(Debug, Default, clap::Args)]
pub(super) struct PlanArgs {
    /// Exit with 2 where there are changes to make, with 0 where there are none
    #[arg(long)]
    detailed_exitcode: bool,
    /// Show what `destroy` would do
    #[arg(long)]
    destroy: bool,
    /// Print the plan as a graph
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    graph: Option<Graph>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Graph {
    /// A flowchart for Markdown
    Mermaid,
    /// For Graphviz
    Dot,
}

pub(super) async fn run(
    global: &Global,
    args: &PlanArgs,
    printer: &Printer,
    object: &mut PlanObject,
) -> Ended {
    let one = async |session: Session, part: &Printer, object: &mut PlanObject| {
        one(session, args, part, object).await
    };
    // Two graphs in one text are not a valid graph; in JSON each pair has its own graph.
    let is_graph = args.graph.is_some() && global.output == Format::Text;
    let mode = if is_graph { OutputMode::Alone } else { OutputMode::Whole };
    let inputs = Inputs::read(global, global.sandbox)?;
    pairs::one_or_each(global, printer, object, inputs, mode, one).await
}

/// Plans one pair.
pub(super) async fn one(
    session: Session,
    args: &PlanArgs,
    printer: &Printer,
    object: &mut PlanObject,
) -> Ended {
    object.pair.set(session.manifest.name().to_string());
    let (topology, plan, kept) = if args.destroy {
        let planned = ops::removal(&session, Removal::default(), None).await?;
        (planned.topology, planned.plan, planned.kept)
    } else {
        let Planned { topology, plan, .. } =
            other_side::planned(&session, printer, &mut object.documents).await?;
        other_side::hand_over(&session, &topology, printer, &mut object.documents)?;
        (topology, plan, Vec::new())
    };
    session.done(true, false);
    object.account.set(topology.source.account.to_string());
    object.caller.set(session.aws.identity().map(str::to_owned));
    object.endpoint.set(session.aws.endpoint().map(str::to_owned));
    object.changes.set(report::changes(&plan));
    if plan.has_changes() {
        printer.headline(&tables::counts(&plan).join(", "));
    }
    if !args.destroy {
        object.warnings.set(plan.warnings.clone());
        for warning in &plan.warnings {
            printer.say(&format!("warning: {warning}"));
        }
    }
    let cost = plan::cost(&topology);
    if args.destroy {
        object.left.set(kept.clone());
    } else {
        object.cost.set(cost.clone());
    }
    object.api_calls.set(session.aws.count().total());
    if let Some(language) = args.graph {
        let language = match language {
            Graph::Mermaid => Language::Mermaid,
            Graph::Dot => Language::Dot,
        };
        let graph = graph(&plan, language);
        printer.text(&graph);
        object.graph.set(graph);
    } else {
        let who = session.aws.described(&topology.source.account);
        printer.text(&format!("{who}\n\n"));
        printer.text(&tables::plan(&plan, (!args.destroy).then_some(&cost)));
        printer.text(&tables::kept(&kept));
    }
    Ok(if args.detailed_exitcode && plan.has_changes() { CHANGES } else { 0 })
}
