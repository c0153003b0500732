//! The correction for a call with an unexpected outcome: the document, the statement, the element
//! and the change.
//! Not for: deciding the call (see `judge`).

use super::call::{Call, Element, Expected, ResourcePolicyOf};
use super::judge::{label, name};
use super::scene::CONTEXT;
use super::{Document, Documents};
use crate::policy::meaning;
use crrctl_iam::document::{Scope, Statement};
use crrctl_iam::evaluate::{Decider, Layer, Trace, Why, trace};
use crrctl_iam::{Decision, Effect, Policies, Request};
use std::cmp::Reverse;

/// An error in a document, and its correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) document: Option<String>,
    pub(super) statement: Option<String>,
    pub(super) element: String,
    pub(super) mend: String,
}

/// Returns the error that gives `call` the unexpected outcome `decision`.
pub(super) fn fault(
    call: &Call,
    request: &Request,
    policies: &Policies<'_>,
    decision: &Decision,
    documents: &Documents,
) -> Fault {
    let traces = trace(request, policies);
    match (&call.expected, decision) {
        (Expected::Allow(spared), Decision::ExplicitDeny { by }) => {
            in_the_way(call, by, spared, documents)
        }
        (Expected::Allow(_), Decision::ImplicitDeny { why }) => {
            missing(call, why, &traces, documents)
        }
        (Expected::Deny(element), Decision::Allow { by }) => too_wide(call, by, element, documents),
        (Expected::DenyBy(document, by), _) => not_denied(call, document, by, &traces, documents),
        // Not reached: `fault` is called only for an unexpected outcome.
        (Expected::Allow(_) | Expected::Deny(_), _) => Fault {
            document: None,
            statement: None,
            element: "Statement".to_owned(),
            mend: format!("`{}` is right", call.action),
        },
    }
}

/// Describes a missing `Allow`: the closest statement and the element that keeps it from applying.
fn missing(call: &Call, why: &Why, traces: &[Trace], documents: &Documents) -> Fault {
    let closest = traces
        .iter()
        .filter(|trace| trace.effect == Effect::Allow && !trace.misses.is_empty())
        .min_by_key(|trace| distance(call, why, trace, documents));
    let asked = why.documents.first().cloned();
    let grants = grants(call, why);
    match closest {
        Some(trace) if trace.misses.len() == 1 => {
            let (by, miss) = (&trace.statement, &trace.misses[0]);
            let widen = widen(call, &miss.path, &miss.message);
            Fault {
                document: Some(by.document.clone()),
                statement: Some(label(by)),
                element: miss.path.clone(),
                mend: format!("in `{}`, {widen}{grants}", by.document),
            }
        }
        _ => {
            let place = asked.as_ref().map_or_else(
                || format!("{} {}", why.layer.article(), why.layer),
                |document| format!("`{document}`"),
            );
            let hint = match why.layer {
                Layer::Scp => "; if it stands under FullAWSAccess, give that policy too",
                _ => "",
            };
            Fault {
                document: asked,
                statement: None,
                element: "Statement".to_owned(),
                mend: format!(
                    "add a statement to {place} that allows `{}` on `{}`{hint}{grants}",
                    call.action, call.resource
                ),
            }
        }
    }
}

/// Returns what the policies of a key that users made do not say: grants allow calls beside them.
fn grants(call: &Call, why: &Why) -> &'static str {
    let ResourcePolicyOf::Document(_, Document::ExistingKey(..)) = &call.at else { return "" };
    if why.layer != Layer::Resource {
        return "";
    }
    "; crrctl reads no grants of keys: where a grant allows this (`aws kms list-grants`), allow it in the policy too, since nothing else can be proven"
}

/// How far a statement is from allowing a call. Statements that lack fewer elements are first.
/// Among these come first: statements of the kind of policy that lacks an `Allow`, statements with
/// more conditions, statements that name the caller, statements that name the action. Among
/// statements that lack the action come first: a statement without `Action`, then a statement that
/// names a similar action, then a statement for the call's encryption context, which tells apart the
/// buckets that share a key, then the most specific statement.
type Distance = (
    usize,
    bool,
    Reverse<usize>,
    bool,
    bool,
    bool,
    bool,
    bool,
    bool,
    bool,
    Reverse<usize>,
    Reverse<usize>,
);

fn distance(call: &Call, why: &Why, trace: &Trace, documents: &Documents) -> Distance {
    let by = &trace.statement;
    let lacks = |element: &str| trace.misses.iter().any(|it| it.path.ends_with(element));
    let statement = documents.called(&by.document).and_then(|it| it.statements.get(by.statement));
    let listed = |scope: Option<&'_ Scope<Vec<String>>>| scope.map(|it| it.listed().clone());
    let actions = listed(statement.and_then(|it| it.action.as_ref()));
    let resources = listed(statement.and_then(|it| it.resource.as_ref())).unwrap_or_default();
    let nearly = |action: &String| strsim::damerau_levenshtein(action, &call.action) <= 2;
    let literal = |text: &String| {
        let literal = text.split(['*', '?', '$']).next().unwrap_or_default();
        if call.resource.starts_with(literal) { literal.len() } else { 0 }
    };
    // A statement that delegates to the account's own policies delegates all actions.
    let is_own = call.who.caller.account() == Some(call.owner.as_str());
    let delegates = actions.iter().flatten().any(|action| action.ends_with(":*"));
    (
        trace.misses.len(),
        by.layer != why.layer,
        Reverse(statement.map_or(0, |it| it.condition.len())),
        lacks("Principal"),
        lacks("Principal") && statement.is_some_and(|it| it.principal.is_some()),
        lacks("Principal") && is_own && !delegates,
        lacks("Action"),
        lacks("Action") && actions.is_some(),
        !actions.iter().flatten().any(nearly),
        lacks(CONTEXT),
        Reverse(resources.iter().map(literal).max().unwrap_or_default()),
        Reverse(actions.map_or(0, |it| it.len())),
    )
}

fn widen(call: &Call, path: &str, message: &str) -> String {
    let element = path.split_once('.').map_or(path, |(_, element)| element);
    match element.split('.').next().unwrap_or_default() {
        "Action" => format!("add `{}` to {path}", call.action),
        "Resource" => format!("let {path} cover `{}`", call.resource),
        "Principal" => format!("let {path} name {}", name(&call.who.caller)),
        _ => format!("let {path} take what S3 sends: {message}"),
    }
}

/// Describes a `Deny` that must not apply: the element that should keep it from applying.
fn in_the_way(call: &Call, by: &Decider, spared: &[Element], documents: &Documents) -> Fault {
    let statement = documents.called(&by.document).and_then(|it| it.statements.get(by.statement));
    let is_ours = by.sid.as_deref().is_some_and(meaning::is_sid_of_ours);
    let element = statement.and_then(|statement| guard(statement, spared, is_ours));
    let path = match element {
        Some(element) => path(by.statement, element, statement),
        None => format!("Statement[{}]", by.statement),
    };
    Fault {
        document: Some(by.document.clone()),
        statement: Some(label(by)),
        mend: format!(
            "in `{}`, let {path} except `{}` on `{}` from the Deny",
            by.document, call.action, call.resource
        ),
        element: path,
    }
}

/// Returns which element of `spared` is wrong in `statement`: the first element whose condition key
/// the statement tests, unless the statement tests for the opposite value; otherwise, of a statement
/// that is crrctl's, the first element whose condition key it does not test.
fn guard<'e>(statement: &Statement, spared: &'e [Element], is_ours: bool) -> Option<&'e Element> {
    let conditions = || statement.condition.iter();
    let is_about = |element: &&Element| {
        let Element::Condition(_, key, _) = element else { return false };
        conditions().any(|it| it.key.eq_ignore_ascii_case(key))
    };
    let is_opposite = |element: &&Element| {
        let Element::Condition(operator, key, Some(value)) = element else { return false };
        conditions().any(|it| {
            it.key.eq_ignore_ascii_case(key)
                && it.operator.to_string() == *operator
                && matches!(
                    (it.values.first().map(String::as_str), *value),
                    (Some("true"), "false") | (Some("false"), "true")
                )
        })
    };
    let own = spared.iter().find(|element| is_about(element) && !is_opposite(element));
    own.or_else(|| spared.iter().find(|element| is_ours && !is_about(element)))
}

/// Describes an `Allow` that covers too much: the element to narrow.
fn too_wide(call: &Call, by: &[Decider], element: &Element, documents: &Documents) -> Fault {
    let ours = || by.iter().filter(|it| documents.called(&it.document).is_some());
    let resource = ours().find(|it| it.layer == Layer::Resource);
    let decider = match element {
        Element::Principal => resource.or_else(|| ours().next()),
        _ => ours().next(),
    };
    let Some(by) = decider else {
        return Fault {
            document: None,
            statement: None,
            element: "Statement".to_owned(),
            mend: format!("no document denies `{}`", call.action),
        };
    };
    let statement = documents.called(&by.document).and_then(|it| it.statements.get(by.statement));
    let path = path(by.statement, element, statement);
    Fault {
        document: Some(by.document.clone()),
        statement: Some(label(by)),
        mend: format!(
            "in `{}`, narrow {path}: it lets {} call `{}` on `{}`",
            by.document,
            name(&call.who.caller),
            call.action,
            call.resource
        ),
        element: path,
    }
}

/// Describes a `Deny` that should apply: the statement that tests `element`, otherwise the
/// statement that comes closest.
fn not_denied(
    call: &Call,
    document: &Document,
    element: &Element,
    traces: &[Trace],
    documents: &Documents,
) -> Fault {
    let document = document.name();
    let looks_elsewhere = |trace: &Trace| {
        let statements = documents.called(&document).map(|it| &it.statements);
        let statement = statements.and_then(|it| it.get(trace.statement.statement));
        let Element::Condition(operator, key, _) = element else { return false };
        !statement
            .iter()
            .flat_map(|it| &it.condition)
            .any(|it| it.operator.to_string() == *operator && it.key.eq_ignore_ascii_case(key))
    };
    let closest = traces
        .iter()
        .filter(|it| it.effect == Effect::Deny && it.statement.document == document)
        .min_by_key(|trace| (looks_elsewhere(trace), trace.misses.len()));
    let miss = closest.and_then(|trace| trace.misses.first());
    let element = miss.map_or_else(|| "Statement".to_owned(), |miss| miss.path.clone());
    let what = format!("`{}` on `{}`", call.action, call.resource);
    Fault {
        statement: closest.map(|trace| label(&trace.statement)),
        mend: match miss {
            Some(miss) => {
                format!("in `{document}`, let {} deny {what}: {}", miss.path, miss.message)
            }
            None => format!("add a Deny of {what} to `{document}`"),
        },
        element,
        document: Some(document),
    }
}

/// Returns the path of an element. The path of a condition has the operator that the statement uses
/// for the key.
fn path(index: usize, element: &Element, statement: Option<&Statement>) -> String {
    let element = match element {
        Element::Principal => "Principal".to_owned(),
        Element::Action => "Action".to_owned(),
        Element::Resource => "Resource".to_owned(),
        Element::Condition(operator, key, _) => {
            let of_key = || {
                statement
                    .iter()
                    .flat_map(|it| &it.condition)
                    .filter(|it| it.key.eq_ignore_ascii_case(key))
            };
            let is_there = of_key().any(|it| it.operator.to_string() == *operator);
            match of_key().next().filter(|_| !is_there) {
                Some(found) if !is_negation_of(&found.operator.to_string(), operator) => {
                    format!("Condition.{}.{key}", found.operator)
                }
                _ => format!("Condition.{operator}.{key}"),
            }
        }
    };
    format!("Statement[{index}].{element}")
}

/// Returns whether exactly one of two operators is `Null`. Such conditions on one key have
/// different meanings.
fn is_negation_of(found: &str, wanted: &str) -> bool {
    (found == "Null") != (wanted == "Null")
}
