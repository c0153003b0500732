//! Why each statement applies or does not apply, which a decision does not contain.
//! Used to name the element that keeps a request from being allowed.
//! Not for: deciding a request (see `decide`).

use super::statement::{Miss, View};
use super::{Decider, Policies, Request, counts, decider, documents, resources};
use crate::document::{Condition, Effect, Finding, Scope, Statement};

/// The result of one statement for one resource of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The resource.
    pub resource: String,
    /// The statement.
    pub statement: Decider,
    /// Its effect.
    pub effect: Effect,
    /// Every element that keeps the statement from applying; empty if the statement applies.
    pub misses: Vec<Finding>,
}

/// Returns the trace of every statement, in the order of evaluation. The `Allow` statements of RCPs
/// are left out.
pub fn trace(request: &Request, policies: &Policies<'_>) -> Vec<Trace> {
    let kind = policies.resource.map(|resource| resource.kind);
    let has_boundary = policies.boundary.is_some();
    let mut traces = Vec::new();
    for resource in resources(request) {
        for (place, named) in documents(&request.principal, policies) {
            let layer = place.layer;
            let version = named.document.version;
            let view = View { request, resource, layer, kind, version, has_boundary };
            for (index, statement) in named.document.statements.iter().enumerate() {
                if counts(layer, statement.effect) {
                    let finding = |miss| finding(miss, index, statement, &view);
                    traces.push(Trace {
                        resource: resource.to_owned(),
                        statement: decider(place, named, index),
                        effect: statement.effect,
                        misses: view.misses(statement).map(finding).collect(),
                    });
                }
            }
        }
    }
    traces
}

fn finding(miss: Miss<'_>, index: usize, statement: &Statement, view: &View<'_>) -> Finding {
    let request = view.request;
    let (element, message) = match miss {
        Miss::Principal => {
            let name = element(statement.principal.as_ref(), "Principal", "NotPrincipal");
            let caller = request.principal.arn().unwrap_or_else(|| match &request.principal {
                crate::Principal::Service(name) => name.clone(),
                _ => "an anonymous caller".to_owned(),
            });
            (name.to_owned(), format!("does not cover {caller}"))
        }
        Miss::Action => {
            let name = element(statement.action.as_ref(), "Action", "NotAction");
            (name.to_owned(), format!("does not cover {}", request.action))
        }
        Miss::Resource => {
            let name = element(statement.resource.as_ref(), "Resource", "NotResource");
            (name.to_owned(), format!("does not cover {}", view.resource))
        }
        Miss::Condition(Condition { operator, key, values }) => {
            let found = match request.context.get(key) {
                None => "the request does not have this key".to_owned(),
                Some(found) => format!("the request has {}", quoted(found)),
            };
            (
                format!("Condition.{operator}.{key}"),
                format!("{found}, the policy {}", quoted(values)),
            )
        }
    };
    Finding { path: format!("Statement[{index}].{element}"), message }
}

fn element<T>(scope: Option<&Scope<T>>, plain: &'static str, not: &'static str) -> &'static str {
    scope.map_or(plain, |scope| scope.element(plain, not))
}

fn quoted(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    quoted.join(", ")
}
