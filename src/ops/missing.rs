//! After a denial: which other calls of the operation the caller may not make. IAM's simulator is
//! asked (IAM API Reference, `SimulatePrincipalPolicy`), which takes a permission of its own, so that
//! a caller without it learns only of the calls that were made.
//! Not for: the statements that allow the calls (see `cli::advice`).

use super::Input;
use crate::aws::settle::wait;
use crate::aws::{At, Aws};
use crate::failure::{Denied, DeniedBecause, PolicyKind};
use crate::manifest::PairKeys;
use crate::names::Arn;
use crate::policy::proof::{Expectation, Organisation, Row, prove};
use crate::policy::{Document, Documents, Part};
use crate::stop::Stop;
use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType,
};
use futures::stream::{self, StreamExt};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the simulator is asked. What it has told by then is told.
const ASKED_FOR: Duration = Duration::from_secs(20);
/// How many simulations run at once.
const AT_ONCE: usize = 8;
/// The calls that a run goes on without.
const OPTIONAL: [&str; 3] = ["cloudtrail:LookupEvents", "kms:GetKeyLastUsage", "tag:GetResources"];

/// The calls on one resource in one context.
type Calls = ((String, BTreeMap<String, String>), Vec<String>);

/// Returns what the caller may not do of what `parts` need in its account, as far as IAM's simulator
/// tells it before the run is to end. A refusal of the simulator tells nothing.
pub async fn missing(aws: &Aws, input: &Input, parts: &[Part], stop: &Stop) -> Vec<Denied> {
    let Some(source) = aws.identity().and_then(policy_source) else { return Vec::new() };
    let calls = needed(input, &source, parts);
    let asked = stream::iter(calls).map(|calls| simulated(aws, &source, calls));
    let mut found = Vec::new();
    let mut told = std::pin::pin!(asked.buffered(AT_ONCE));
    let all = async {
        while let Some(Some(more)) = told.next().await {
            found.extend(more);
        }
    };
    // What was told in time is kept.
    tokio::select! {
        biased;
        () = stop.ending() => {}
        () = wait(ASKED_FOR) => {}
        () = all => {}
    }
    found
}

/// Returns the user or role that a caller's ARN stands for. A session's ARN has no path, so a role
/// with one is not found (IAM User Guide, "IAM identifiers").
fn policy_source(caller: &str) -> Option<Arn> {
    let arn = Arn::new(caller).ok()?;
    if let Some(session) = arn.resource().strip_prefix("assumed-role/") {
        let role = format!("role/{}", session.split('/').next()?);
        return Arn::new(format!("arn:{}:iam::{}:{role}", arn.partition(), arn.account())).ok();
    }
    arn.resource().starts_with("user/").then_some(arn)
}

/// Returns the calls that `parts` need in the account of the caller, by resource and context.
fn needed(input: &Input, caller: &Arn, parts: &[Part]) -> Vec<Calls> {
    let Some(home) = input.manifest.home_account().or(input.account.get()) else {
        return Vec::new();
    };
    let Ok(topology) = input.manifest.topology(home) else { return Vec::new() };
    let accounts = topology.accounts();
    let Some(account) = accounts.into_iter().find(|it| it.as_str() == caller.account()) else {
        return Vec::new();
    };
    let keys = topology.or_some_keys(&PairKeys::default());
    let wanted = Document::operator_in(&topology, account, parts);
    let rendered = Documents::render(wanted, &topology, &keys, &input.templates);
    let Ok(documents) = rendered else { return Vec::new() };
    let mut calls: Vec<Calls> = Vec::new();
    for row in prove(&topology, &keys, &documents, &Organisation::default()).rows {
        let Row { action, resource, context, expected: Expectation::Allow, .. } = row else {
            continue;
        };
        if OPTIONAL.contains(&action.as_str()) {
            continue;
        }
        let place = (resource, context);
        match calls.iter_mut().find(|(other, _)| *other == place) {
            Some((_, actions)) => actions.push(action),
            None => calls.push((place, vec![action])),
        }
    }
    calls
}

/// Asks which of the calls the simulator denies. `None` if it is refused.
async fn simulated(
    aws: &Aws,
    source: &Arn,
    ((resource, context), actions): Calls,
) -> Option<Vec<Denied>> {
    let entry = |(key, value): (String, String)| {
        let entry = ContextEntry::builder().context_key_name(key).context_key_values(value);
        entry.context_key_type(ContextKeyTypeEnum::String).build()
    };
    let request = aws
        .iam(aws.home())
        .simulate_principal_policy()
        .policy_source_arn(source.as_str())
        .set_action_names(Some(actions))
        .resource_arns(&resource)
        .set_context_entries(Some(context.into_iter().map(entry).collect()));
    let answer = request.send().await.at("iam:SimulatePrincipalPolicy", aws.home()).ok()?;
    let denied = answer.evaluation_results().iter().filter_map(|it| {
        Some(Denied {
            action: it.eval_action_name().to_owned(),
            resource: Some(resource.clone()),
            principal: Some(source.to_string()),
            reason: reason(it)?,
            is_simulated: true,
        })
    });
    Some(denied.collect())
}

/// Returns why a call is denied; `None` if it is not.
fn reason(result: &EvaluationResult) -> Option<DeniedBecause> {
    let by_organisation =
        result.organizations_decision_detail().is_some_and(|it| !it.allowed_by_organizations());
    let by_boundary = result
        .permissions_boundary_decision_detail()
        .is_some_and(|it| !it.allowed_by_permissions_boundary());
    match result.eval_decision() {
        PolicyEvaluationDecisionType::Allowed => None,
        _ if by_organisation => Some(DeniedBecause::NoneAllows(PolicyKind::ServiceControl)),
        _ if by_boundary => Some(DeniedBecause::NoneAllows(PolicyKind::PermissionsBoundary)),
        PolicyEvaluationDecisionType::ExplicitDeny => {
            Some(DeniedBecause::Denies(PolicyKind::Identity))
        }
        _ => Some(DeniedBecause::NoneAllows(PolicyKind::Identity)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Origin, parse};
    use crate::names::AccountId;
    use crate::policy::Operation;

    #[test]
    fn what_a_run_goes_on_without_is_not_asked() {
        let text = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
        let input = Input::of(parse(text, &Origin::Stdin, None).unwrap()).unwrap();
        input.account.set(AccountId::new("111122223333").unwrap()).unwrap();
        let caller = Arn::new("arn:aws:iam::111122223333:user/ann").unwrap();
        let calls = needed(&input, &caller, Operation::Destroy.parts());
        let actions: Vec<&str> = calls.iter().flat_map(|it| &it.1).map(String::as_str).collect();
        assert!(actions.contains(&"kms:GetKeyPolicy"), "{actions:?}");
        assert!(!actions.iter().any(|it| OPTIONAL.contains(it)), "{actions:?}");
    }

    #[test]
    fn a_session_stands_for_its_role() {
        let source = |arn: &str| policy_source(arn).map(|it| it.to_string());
        let user = "arn:aws-cn:iam::111122223333:user/a/ann";
        assert_eq!(source(user).as_deref(), Some(user));
        let session = "arn:aws-cn:sts::111122223333:assumed-role/ci/job-1";
        assert_eq!(source(session).as_deref(), Some("arn:aws-cn:iam::111122223333:role/ci"));
        assert_eq!(source("arn:aws:iam::111122223333:root"), None);
    }
}
