//! The proof: evaluates every call that is made under a pair's documents, and calls that must be
//! denied.
//!
//! The calls that S3 makes are listed from AWS's documentation, not derived from the templates, so
//! that a permission that is missing from a template is found. The proof makes no AWS call: an
//! organization's policies take part only if they are given, and an allow without them reads
//! "allowed by the documents read".
//! Not for: reading the policies in force; the code that reads them adds them to a [`Documents`].

mod batch;
mod buckets;
mod call;
mod judge;
mod keys;
mod live;
pub mod logging;
mod mend;
mod object;
mod operator;
mod replication;
mod reverse;
mod scene;
pub mod targets;

use super::{Document, Documents, Part};
use crate::failure::{Failure, Kind};
use crate::manifest::{PairKeys, Topology};
pub use buckets::{Uploads, uploads};
use call::Call;
use crrctl_iam as iam;
pub use live::{Doubt, LiveRow, Place, prove_live, prove_object};
pub use object::ObjectShape;
use scene::Scene;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use targets::Target;

/// The organization's policies that were given. Section: AWS Organizations User Guide,
/// "Authorization policies".
#[derive(Debug, Clone, Default)]
pub struct Organisation {
    /// Service control policies, each with its name. If there are any, one of them must allow the
    /// call.
    pub scps: Vec<(String, iam::Document)>,
    /// Resource control policies, each with its name.
    pub rcps: Vec<(String, iam::Document)>,
}

impl Organisation {
    /// Returns whether any policy was given.
    pub fn is_known(&self) -> bool {
        !self.scps.is_empty() || !self.rcps.is_empty()
    }
}

/// The expected outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each variant is the word")]
pub enum Expectation {
    Allow,
    Deny,
}

/// The outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Allowed.
    Allow,
    /// No statement allows the call.
    ImplicitDeny,
    /// A `Deny` applies.
    ExplicitDeny,
}

/// One call and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "call"))]
pub struct Row {
    /// The section of the proof: `replication`, `key users`, `uploads`, `batch`, `operator plan`
    /// and so on.
    pub section: String,
    /// The caller.
    pub caller: String,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// The condition keys of the request, except those that follow from the caller and the
    /// resource.
    pub context: BTreeMap<String, String>,
    /// The expected outcome.
    pub expected: Expectation,
    /// The outcome.
    pub decision: Outcome,
    /// The decision in words, which state whether the organization's policies took part.
    pub reads: &'static str,
    /// The document that decided, or that lacks a statement.
    pub document: Option<String>,
    /// The statement in it, such as `Statement[2] (KmsSource)`.
    pub statement: Option<String>,
    /// For an unexpected outcome: the element to change, such as `Statement[2].Action`.
    pub element: Option<String>,
    /// For an unexpected outcome: the correction.
    pub mend: Option<String>,
}

impl Row {
    /// Returns whether the call has the expected outcome.
    pub fn holds(&self) -> bool {
        self.mend.is_none()
    }
}

/// Every call with its outcome.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// The calls by section: first the calls that must be allowed, then the calls that must be
    /// denied.
    pub rows: Vec<Row>,
}

impl Proof {
    /// Returns the calls that have an unexpected outcome.
    pub fn refused(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.holds())
    }

    /// Returns the failure of a proof that does not hold: its first finding, the corrections, and
    /// the number of findings.
    pub fn failure(&self) -> Option<Failure> {
        let first = self.refused().next()?;
        let wrong = match first.expected {
            Expectation::Allow => "would be denied",
            Expectation::Deny => "would be allowed and must not be",
        };
        let place = [first.document.as_deref(), first.statement.as_deref()];
        let place: Vec<&str> = place.into_iter().flatten().collect();
        let place =
            if place.is_empty() { String::new() } else { format!(" ({})", place.join(", ")) };
        let message = format!(
            "`{}` on `{}` by {} {wrong}{place}",
            first.action, first.resource, first.caller
        );
        let mut failure = Failure::new(Kind::Denied, "proof-failed", message);
        let mends: BTreeSet<&str> = self.refused().filter_map(|row| row.mend.as_deref()).collect();
        let first_mend = first.mend.as_deref().unwrap_or_default();
        failure = failure.hint(first_mend);
        for mend in mends.iter().filter(|mend| **mend != first_mend).take(4) {
            failure = failure.hint(*mend);
        }
        let count = self.refused().count();
        Some(failure.hint(format!("{count} of {} calls are wrong", self.rows.len())))
    }
}

/// Evaluates every call that concerns `documents`, the documents of `topology` and its `keys`.
pub fn prove(
    topology: &Topology,
    keys: &PairKeys,
    documents: &Documents,
    organisation: &Organisation,
) -> Proof {
    Calls::about(topology, keys, documents).judged(documents, organisation)
}

/// The calls of a proof. They derive from the pair, not from the content of its documents.
pub(super) struct Calls(Vec<Call>);

impl Calls {
    /// Returns the calls that are made under any of `documents`.
    pub(super) fn about(topology: &Topology, keys: &PairKeys, documents: &Documents) -> Self {
        let scene = Scene::new(topology, keys, documents);
        let mut calls = Vec::new();
        if documents.has(&Document::ReplicationRole) {
            calls.extend(replication::calls(&scene));
            calls.extend(keys::calls(&scene));
            calls.extend(buckets::calls(&scene));
        }
        for back in topology.backward().filter(|it| documents.has(&Document::of_role(it))) {
            calls.extend(replication::calls(&Scene::new(&back, keys, documents)));
        }
        for target in Target::all(topology, &topology.directions()) {
            let (policy, of_key) = target.documents();
            if documents.has(&policy) && documents.has(&of_key) {
                calls.extend(targets::calls(&scene, &target));
            }
        }
        if Document::log_targets(topology).any(|it| documents.has(&it)) {
            calls.extend(logging::calls(&scene));
        }
        if documents.has(&Document::BatchReplicationRole) {
            calls.extend(batch::calls(&scene));
        }
        for part in Part::ALL.into_iter().filter(|it| documents.has(&Document::Operator(*it))) {
            calls.extend(operator::calls(&scene, part, &topology.source.account));
        }
        for (document, ..) in documents.iter() {
            if let Document::OperatorOf(part, account) = document {
                calls.extend(operator::calls(&scene, *part, account));
            }
        }
        let mut seen = BTreeSet::new();
        calls.retain(|call| seen.insert(call.identity()));
        Self(calls)
    }

    /// Returns the calls that `document` takes part in deciding.
    #[cfg(test)]
    pub(super) fn under(&self, document: &Document) -> Self {
        Self(self.0.iter().filter(|call| call.is_under(document)).cloned().collect())
    }

    /// Returns whether any call with an unexpected outcome satisfies `wanted`. Stops at the first
    /// such call.
    #[cfg(test)]
    pub(super) fn finds(&self, documents: &Documents, wanted: impl Fn(&Row) -> bool) -> bool {
        let organisation = Organisation::default();
        let judge = judge::Judge::new(documents, &organisation, self.owners());
        let mut rows = self.0.iter().map(|call| judge.row(call));
        rows.any(|row| !row.holds() && wanted(&row))
    }

    /// Returns the accounts whose key policies delegate everything to IAM policies.
    fn owners(&self) -> Vec<String> {
        let left = self.0.iter().filter(|call| call.at == call::ResourcePolicyOf::LeftToIam);
        left.map(|call| call.owner.to_string()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Evaluates the calls.
    pub(super) fn judged(&self, documents: &Documents, organisation: &Organisation) -> Proof {
        let judge = judge::Judge::new(documents, organisation, self.owners());
        Proof { rows: self.0.iter().map(|call| judge.row(call)).collect() }
    }
}
