//! Advice for errors of AWS: what mends the code, from the catalogue; and for missing permissions, the
//! statement to add and the principal whose policies need it, from the documents of `crrctl policy operator`.
//! Not for: finding out which call was denied (see `aws::error`).

use super::Command;
use super::output::{Ended, Printer};
use crate::aws::is_of_account;
use crate::check::catalogue;
use crate::failure::{Denied, Failure, Kind};
use crate::joined::Beside;
use crate::manifest::PairKeys;
use crate::names::{AccountId, Arn};
use crate::ops::{self, Input};
use crate::policy::{self, Document, Operation, Part};
use crate::stop::Stop;
use serde_json::Value;
use std::collections::BTreeSet;

/// Returns what a command line does, where the operator's documents know it.
pub(super) fn operation(command: &Command) -> Option<Operation> {
    match command {
        Command::Plan(_) => Some(Operation::Plan),
        Command::Apply(args) if args.revive_keys => Some(Operation::ApplyRevivingKeys),
        Command::Apply(args) if args.prune => Some(Operation::ApplyPruning),
        Command::Apply(_) => Some(Operation::Apply),
        Command::Probe(_) => Some(Operation::Probe),
        Command::Backfill(_) => Some(Operation::Backfill),
        Command::Destroy(args) => Some(args.operation()),
        Command::Import(_) => Some(Operation::Import),
        Command::List(_) => Some(Operation::List),
        Command::Gc(_) => Some(Operation::Gc),
        Command::Status(_) => Some(Operation::Status),
        Command::Watch(_) => Some(Operation::Watch),
        Command::Check(args) => Some(args.operation()),
        Command::Export(_) => Some(Operation::Export),
        Command::Wait(_) => Some(Operation::Wait),
        Command::Smoke(_) => Some(Operation::Smoke),
        Command::Policy(_)
        | Command::Explain(_)
        | Command::Rehearse(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Init(_)
        | Command::Schema(_)
        | Command::Compare(_)
        | Command::Sandbox(_)
        | Command::Help(_)
        | Command::Version => None,
    }
}

/// Adds to an error of AWS what mends it, before the other hints. What a policy denies
/// and trouble with credentials or the network have advice of their own.
pub(super) fn mended(mut failure: Failure) -> Failure {
    let is_told = match failure.kind {
        Kind::Unexpected => failure.aws_code.as_ref() == Some(&failure.code),
        Kind::Denied => failure.hints.is_empty() || is_of_account(&failure.code),
        _ => false,
    };
    if is_told {
        let mends = catalogue::mends(&failure.code).iter().map(|mend| (*mend).to_owned());
        let new: Vec<String> = mends.filter(|mend| !failure.hints.contains(mend)).collect();
        failure.hints.splice(0..0, new);
    }
    failure
}

/// Adds to a denial what else the caller may not do of what the command line needs, as far as IAM's
/// simulator tells it. A run that is to end is not held up.
pub(super) async fn asked(
    ended: Ended,
    printer: &Printer,
    operation: Option<Operation>,
    stop: &Stop,
) -> Ended {
    let (Err(failure), Some(operation)) = (&ended, operation) else { return ended };
    let (Some(aws), Some(input)) = (printer.aws.get(), printer.input.get()) else { return ended };
    if failure.denied.is_empty() || stop.is_ending() {
        return ended;
    }
    let mut more = ops::missing(aws, input, operation.parts(), stop).await;
    ended.map_err(|failure| {
        more.retain(|it| !failure.denied.iter().any(|seen| tells(seen, it)));
        if more.is_empty() {
            return failure;
        }
        let more = Failure { denied: more, ..Failure::new(Kind::Denied, "", "") };
        failure.beside(more)
    })
}

/// Returns whether a denied call tells what the simulator says. AWS does not always name the resource.
fn tells(seen: &Denied, simulated: &Denied) -> bool {
    let is_there = seen.resource.is_none() || seen.resource == simulated.resource;
    seen.action == simulated.action && is_there
}

/// Adds to a denial the statements that would allow the calls, if the policy documents contain some;
/// those for `operation` come first. What was denied is taken out of the failure, so that no second advice is added.
pub(super) fn on(mut failure: Failure, input: &Input, operation: Option<Operation>) -> Failure {
    let all = std::mem::take(&mut failure.denied);
    let (simulated, seen): (Vec<&Denied>, Vec<&Denied>) =
        all.iter().partition(|it| it.is_simulated);
    let first = all.first().map(|denied| denied.action.as_str());
    let mut told: BTreeSet<&str> = first.into_iter().collect();
    for (words, others) in [
        ("also denied", seen.get(1..).unwrap_or_default()),
        ("IAM's simulator also denies", &simulated),
    ] {
        let others: BTreeSet<&str> = others.iter().map(|it| it.action.as_str()).collect();
        let new: Vec<&str> = others.difference(&told).copied().collect();
        if !new.is_empty() {
            failure.message = format!("{}; {words}: `{}`", failure.message, new.join("`, `"));
        }
        told.extend(new);
    }
    // Each statement, for whom it is, and for which actions.
    let mut missing: Vec<(Value, &str, Vec<&str>)> = Vec::new();
    for denied in all.iter().filter(|denied| denied.reason.wants_allow()) {
        let Some(statement) = statement(denied, input, operation) else { continue };
        let who = denied.principal.as_deref().unwrap_or("the caller");
        let action = denied.action.as_str();
        match missing.iter_mut().find(|row| row.0 == statement && row.1 == who) {
            Some((.., actions)) if actions.contains(&action) => {}
            Some((.., actions)) => actions.push(action),
            None => missing.push((statement, who, vec![action])),
        }
    }
    for (statement, who, actions) in &missing {
        let actions = actions.join("`, `");
        failure = failure.hint(format!(
            "add this statement to the policies of {who}, for `{actions}`: {statement}"
        ));
    }
    match operation.filter(|_| !missing.is_empty()) {
        Some(operation) => failure.hint(format!(
            "`crrctl policy operator` prints all that `crrctl {}` needs",
            operation.as_str()
        )),
        None => failure,
    }
}

fn statement(denied: &Denied, input: &Input, operation: Option<Operation>) -> Option<Value> {
    let named = denied.principal.iter().chain(&denied.resource).find_map(|arn| account(arn));
    let known = input.account.get();
    let account = named.or_else(|| known.cloned()).or_else(|| policy::some_account().ok())?;
    let home = input.manifest.home_account().or(known).unwrap_or(&account);
    let topology = input.manifest.topology(home).ok()?;
    let keys = topology.or_some_keys(&PairKeys::default());
    // A flag may require permissions beyond those of the command, so all other parts are searched
    // too.
    let parts = operation.map_or(&[][..], Operation::parts).iter().chain(&Part::ALL);
    let accounts = topology.accounts();
    let mut documents = parts.flat_map(|part| {
        let of = |account: &&AccountId| Document::operator_in(&topology, account, &[*part]);
        accounts.iter().flat_map(of).collect::<Vec<_>>()
    });
    documents.find_map(|document| {
        let rendered = policy::render(&document, &topology, &keys, &input.templates).ok()?;
        let statements = rendered["Statement"].as_array()?;
        statements.iter().find(|statement| allows(statement, &denied.action)).cloned()
    })
}

fn account(arn: &str) -> Option<AccountId> {
    AccountId::new(Arn::new(arn).ok()?.account()).ok()
}

fn allows(statement: &Value, action: &str) -> bool {
    match &statement["Action"] {
        Value::Array(actions) => actions.iter().any(|it| it == action),
        one => one == action,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::DeniedBecause;
    use crate::manifest::{Origin, parse};

    /// A failure that passes two printers, such as that of one pair of several, gets one advice.
    #[test]
    fn advice_is_given_once() {
        let text = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
        let manifest = parse(text, &Origin::Stdin, None).unwrap();
        let input = Input::of(manifest).unwrap();
        let denied = Denied {
            action: "kms:CreateKey".to_owned(),
            resource: None,
            principal: Some("arn:aws:iam::111122223333:user/a".to_owned()),
            reason: DeniedBecause::Unstated,
            is_simulated: false,
        };
        let create = Denied { action: "iam:CreateRole".to_owned(), ..denied.clone() };
        let tag = Denied { action: "iam:TagRole".to_owned(), ..denied.clone() };
        let failure = Failure::new(Kind::Denied, "denied", "no");
        let denied = vec![denied, create, tag];
        let once = on(Failure { denied, ..failure }, &input, Some(Operation::Apply));
        assert_eq!(once.message, "no; also denied: `iam:CreateRole`, `iam:TagRole`");
        assert_eq!(once.hints.len(), 3, "{:?}", once.hints);
        assert!(once.hints[1].contains("for `iam:CreateRole`, `iam:TagRole`"), "{:?}", once.hints);
        assert!(once.hints[2].contains("all that `crrctl apply` needs"), "{:?}", once.hints);
        assert_eq!(on(once.clone(), &input, Some(Operation::Apply)), once);
    }

    /// What the simulator says is told once, and of each resource that no denied call named.
    #[test]
    fn the_simulator_is_told_where_no_denied_call_tells() {
        let denied = |action: &str, resource: Option<&str>, is_simulated| Denied {
            action: action.to_owned(),
            resource: resource.map(str::to_owned),
            principal: Some("arn:aws:iam::111122223333:user/a".to_owned()),
            reason: DeniedBecause::Unstated,
            is_simulated,
        };
        let said = denied("kms:CreateKey", Some("a"), true);
        assert!(tells(&denied("kms:CreateKey", Some("a"), false), &said));
        assert!(tells(&denied("kms:CreateKey", None, false), &said));
        assert!(!tells(&denied("kms:CreateKey", Some("b"), false), &said));
        assert!(!tells(&denied("kms:TagResource", Some("a"), false), &said));
        let text = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
        let input = Input::of(parse(text, &Origin::Stdin, None).unwrap()).unwrap();
        let all = vec![
            denied("iam:CreateRole", Some("a"), false),
            denied("iam:TagRole", Some("a"), false),
            denied("iam:TagRole", Some("b"), true),
            said,
        ];
        let failure = Failure { denied: all, ..Failure::new(Kind::Denied, "denied", "no") };
        let message = on(failure, &input, Some(Operation::Apply)).message;
        let also = "no; also denied: `iam:TagRole`; IAM's simulator also denies: `kms:CreateKey`";
        assert_eq!(message, also);
    }

    /// Where AWS names neither caller nor resource, the statement is for the account that is known.
    #[test]
    fn a_statement_is_for_the_account_that_is_known() {
        let text = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
        let input = Input::of(parse(text, &Origin::Stdin, None).unwrap()).unwrap();
        input.account.set(AccountId::new("123456789012").unwrap()).unwrap();
        let (action, reason) = ("iam:CreateRole".to_owned(), DeniedBecause::Unstated);
        let is_simulated = false;
        let denied = Denied { action, resource: None, principal: None, reason, is_simulated };
        let failure = Failure::new(Kind::Denied, "denied", "no");
        let told = on(Failure { denied: vec![denied], ..failure }, &input, Some(Operation::Apply));
        assert!(told.hints[0].contains("arn:aws:iam::123456789012:role/"), "{:?}", told.hints);
    }

    /// Each sentence of AWS has one reading, and an Allow is never offered against a Deny.
    #[test]
    fn no_allow_is_offered_against_a_deny() {
        let says = |end: &str| {
            let start = "User: arn:aws:iam::111122223333:user/a is not authorized to perform: kms:CreateKey";
            DeniedBecause::of(&format!("{start} {end}"))
        };
        for (end, wants_allow) in [
            ("because no identity-based policy allows the kms:CreateKey action", true),
            ("", true),
            ("because no permissions boundary allows the kms:CreateKey action", false),
            ("because no service control policy allows the kms:CreateKey action", false),
            ("because no resource-based policy allows the kms:CreateKey action", false),
            ("with an explicit deny in an identity-based policy", false),
            (
                "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p",
                false,
            ),
            ("with an explicit deny in a VPC endpoint policy", false),
        ] {
            assert_eq!(says(end).wants_allow(), wants_allow, "{end}");
            assert_eq!(says(end) == DeniedBecause::Unstated, end.is_empty(), "{end}");
        }
    }
}
