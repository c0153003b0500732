//! A plan as a graph, for tools that draw: the actions, and the actions that each one needs first.
//! Not for: drawing.

use crate::events::StepId;
use crate::plan::{Action, Plan};
use std::fmt::Write;

/// The language of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Mermaid flowcharts, which Markdown on GitHub and GitLab shows.
    Mermaid,
    /// The Graphviz language.
    Dot,
}

/// Returns the graph of `plan`.
pub fn graph(plan: &Plan, language: Language) -> String {
    let mut text = match language {
        Language::Mermaid => "flowchart LR\n".to_owned(),
        Language::Dot => {
            "digraph plan {\n  rankdir=LR\n  node [shape=box, fontname=\"sans-serif\"]\n".to_owned()
        }
    };
    for (index, action) in plan.actions.iter().enumerate() {
        let _ = match language {
            Language::Mermaid => writeln!(text, "  a{index}[\"{}\"]", label(action, "<br/>")),
            Language::Dot => writeln!(text, "  a{index} [label=\"{}\"]", label(action, "\\n")),
        };
    }
    for (from, to) in edges(plan) {
        let _ = match language {
            Language::Mermaid => writeln!(text, "  a{from} --> a{to}"),
            Language::Dot => writeln!(text, "  a{from} -> a{to}"),
        };
    }
    if language == Language::Dot {
        text.push_str("}\n");
    }
    text
}

/// Returns the label of an action. The names of AWS resources and of pairs contain neither quotes
/// nor backslashes, so nothing is escaped.
fn label(action: &Action, line: &str) -> String {
    let Action { name, region, .. } = action;
    format!("{} {}{line}{name}{line}{region}", action.verb(), action.kind())
}

/// Returns the edges of the graph as indexes of the plan's actions: the first action comes before
/// the second.
fn edges(plan: &Plan) -> Vec<(usize, usize)> {
    let place = |id: &StepId| plan.actions.iter().position(|action| &action.id == id);
    let of_action = |(to, action): (usize, &Action)| {
        let needs = action.needs.iter().filter_map(place).collect::<Vec<_>>();
        needs.into_iter().map(move |from| (from, to))
    };
    plan.actions.iter().enumerate().flat_map(of_action).collect()
}
