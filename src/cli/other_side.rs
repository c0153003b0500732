//! Prints the policy documents that a destination's account must have, for that account's administrator.
//! Not for: rendering the documents (see `ops`).

use super::output::Printer;
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::observe;
use crate::ops::{self, Planned, Session};
use crate::policy::Documents;
use crate::printed::Field;
use serde_json::{Map, Value};

/// Plans. If the credentials of another account do not work, prints the documents of that account's
/// resources.
pub(super) async fn planned(
    session: &Session,
    printer: &Printer,
    documents: &mut Field<Map<String, Value>>,
) -> Result<Planned, Failure> {
    match Box::pin(ops::plan(session)).await {
        Err(failure) if failure.code == observe::AWAY => {
            // If the documents can't be rendered, the original failure is still returned.
            match ops::documents_of_others(session).await {
                Ok(needed) => documents.set(print(&needed, printer)),
                Err(why) => tracing::info!("no documents of the other side: {why}"),
            }
            Err(failure)
        }
        planned => planned,
    }
}

/// Prints the documents of the sides that are handed over to another account, if any.
pub(super) fn hand_over(
    session: &Session,
    topology: &Topology,
    printer: &Printer,
    documents: &mut Field<Map<String, Value>>,
) -> Result<(), Failure> {
    if let Some(needed) = ops::documents_handed_over(session, topology)? {
        documents.set(print(&needed, printer));
    }
    Ok(())
}

/// Prints the documents as text; returns them by name.
fn print(documents: &Documents, printer: &Printer) -> Map<String, Value> {
    let all: Map<String, Value> =
        documents.iter().map(|(_, name, value)| (name.to_owned(), value.clone())).collect();
    for (name, value) in &all {
        printer.text(&format!("# {name}\n{value:#}\n\n"));
    }
    all
}
