//! Prints the policy documents that a destination's account must have, for that account's administrator.
//! Not for: rendering the documents (see `ops`).

use super::output::Printer;
use crate::failure::Failure;
use crate::manifest::Topology;
use crate::observe;
use crate::ops::{self, Planned, Session};
use crate::policy::Documents;
use serde_json::{Map, Value};

/// Plans. If the credentials of another account do not work, prints the documents of that account's
/// resources.
pub(super) async fn planned(session: &Session, printer: &Printer) -> Result<Planned, Failure> {
    match Box::pin(ops::plan(session)).await {
        Err(failure) if failure.code == observe::AWAY => {
            // If the documents can't be rendered, the original failure is still returned.
            match ops::documents_of_others(session).await {
                Ok(documents) => print(&documents, printer),
                Err(why) => tracing::debug!("no documents of the other side: {why}"),
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
) -> Result<(), Failure> {
    if let Some(documents) = ops::documents_handed_over(session, topology)? {
        print(&documents, printer);
    }
    Ok(())
}

fn print(documents: &Documents, printer: &Printer) {
    let all: Map<String, Value> =
        documents.iter().map(|(_, name, value)| (name.to_owned(), value.clone())).collect();
    for (name, value) in &all {
        printer.text(&format!("# {name}\n{value:#}\n\n"));
    }
    printer.put("documents", all);
}
