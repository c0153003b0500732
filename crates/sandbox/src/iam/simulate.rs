//! The IAM policy simulator. It uses the same policy evaluator as the authorization of requests.
//! Not for: paging, because a simulation returns all results in one response.

use crate::iam::call::{IamCall, truncation};
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crate::world::Stored;
use crate::world::documents::read;
use crrctl_iam::evaluate::Decider;
use crrctl_iam::names::{AccountId, Arn};
use crrctl_iam::{
    Context, Decision, Document, DocumentKind, Layer, Named, Policies, Principal, Request,
    ResourceKind, ResourcePolicy, evaluate,
};

/// Maximum number of actions times resources in one request, which bounds the size of the response.
const MOST: usize = 10_000;

/// IAM API Reference, `SimulateCustomPolicy`: evaluates only the policies in the request.
pub(super) fn custom(call: &mut IamCall<'_>) -> XmlOutput {
    call.permit("iam:SimulateCustomPolicy", "*")?;
    let given = inputs(call, "PolicyInputList")?;
    if given.is_empty() {
        call.params.require("PolicyInputList")?;
    }
    let caller = match call.params.get("CallerArn") {
        Some(arn) => named(arn)?,
        // Without `CallerArn`, the policies are evaluated for a placeholder user.
        None => named(call.arn("user", "/", "simulated").as_str())?,
    };
    let policies: Vec<&Document> = given.iter().map(|stored| &stored.document).collect();
    simulate(call, &caller, &policies, "PolicyInputList", None)
}

/// IAM API Reference, `SimulatePrincipalPolicy`: evaluates the policies of a user or role together
/// with the policies in the request.
pub(super) fn principal(call: &mut IamCall<'_>) -> XmlOutput {
    let source = call.params.require("PolicySourceArn")?;
    call.permit("iam:SimulatePrincipalPolicy", source)?;
    let own = Arn::new(source).is_ok_and(|arn| arn.account() == call.caller.account.as_str());
    if !own || call.state.iam.id_of(source).is_none() {
        let text = format!("The entity {source} cannot be found.");
        return Err(Fault::new(404, "NoSuchEntity", text));
    }
    let caller = named(call.params.get("CallerArn").unwrap_or(source))?;
    let given = inputs(call, "PolicyInputList")?;
    let held = call.state.iam.policies_of(&named(source)?);
    let mut policies = held.identity;
    policies.extend(given.iter().map(|stored| &stored.document));
    simulate(call, &caller, &policies, source, held.boundary)
}

fn inputs(call: &IamCall<'_>, list: &str) -> Result<Vec<Stored>, Fault> {
    let read = |text: String| {
        read(DocumentKind::RolePolicy, &text, &call.state.iam)
            .map_err(|flaw| Fault::bad("InvalidInput", format!("{flaw:?}")))
    };
    call.params.list(list).into_iter().map(read).collect()
}

/// Returns the principal for the ARN of a user or role.
fn named(arn: &str) -> Result<Principal, Fault> {
    let refused = || {
        Fault::bad(
            "InvalidInput",
            format!("Invalid Entity Arn: {arn} does not clearly define entity type and name."),
        )
    };
    let parsed = Arn::new(arn).map_err(|_| refused())?;
    match parsed.resource().split('/').next() {
        Some("user") => Ok(Principal::User { arn: parsed, id: None }),
        Some("role") => {
            Ok(Principal::RoleSession { role: parsed, session: "simulated".into(), id: None })
        }
        _ => Err(refused()),
    }
}

fn simulate(
    call: &IamCall<'_>,
    caller: &Principal,
    identity: &[&Document],
    source: &str,
    boundary: Option<&Document>,
) -> XmlOutput {
    let params = call.params;
    let (actions, mut resources) = (params.list("ActionNames"), params.list("ResourceArns"));
    if actions.is_empty() {
        params.require("ActionNames")?;
    }
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    if actions.len() * resources.len() > MOST {
        return Err(Fault::bad("InvalidInput", "Too many actions and resources at once."));
    }
    let owner = owner(call)?;
    let on = resource_policy(call)?;
    let given_boundary = inputs(call, "PermissionsBoundaryPolicyInputList")?;
    let name = |document| Named { name: source, document };
    let policies = Policies {
        identity: identity.iter().copied().map(name).collect(),
        resource: on.as_ref().map(|(kind, stored)| ResourcePolicy {
            kind: *kind,
            policy: Named { name: "ResourcePolicy", document: &stored.document },
        }),
        boundary: given_boundary.first().map(|stored| &stored.document).or(boundary).map(name),
        ..Policies::default()
    };
    let context = context(call);
    let mut members = String::new();
    for action in &actions {
        for resource in &resources {
            let request =
                Request::new(caller.clone(), action, resource, owner.clone(), context.clone());
            members += &result(action, resource, &evaluate(&request, &policies));
        }
    }
    Ok(Some(wrapped("EvaluationResults", &members) + &truncation(None)))
}

fn owner(call: &IamCall<'_>) -> Result<AccountId, Fault> {
    let Some(given) = call.params.get("ResourceOwner") else {
        return Ok(call.caller.account.clone());
    };
    let account = Arn::new(given).map(|arn| arn.account().to_owned());
    AccountId::new(account.as_deref().unwrap_or(given))
        .map_err(|_| Fault::bad("InvalidInput", format!("Invalid resource owner {given}")))
}

/// Reads `ResourcePolicy`. The first resource determines its type: a key policy for a KMS ARN,
/// otherwise a bucket policy.
fn resource_policy(call: &IamCall<'_>) -> Result<Option<(ResourceKind, Stored)>, Fault> {
    let Some(text) = call.params.get("ResourcePolicy") else { return Ok(None) };
    let key = call.params.get("ResourceArns.member.1").is_some_and(|arn| arn.contains(":kms:"));
    let (kind, grammar) = if key {
        (ResourceKind::Key, DocumentKind::KeyPolicy)
    } else {
        (ResourceKind::Bucket, DocumentKind::BucketPolicy)
    };
    let stored = read(grammar, text, &call.state.iam)
        .map_err(|flaw| Fault::bad("InvalidInput", format!("{flaw:?}")))?;
    Ok(Some((kind, stored)))
}

fn context(call: &IamCall<'_>) -> Context {
    let mut context = Context::new();
    for n in 1.. {
        let entry = format!("ContextEntries.member.{n}");
        let Some(key) = call.params.get(&format!("{entry}.ContextKeyName")) else { break };
        context.set_all(key, call.params.list(&format!("{entry}.ContextKeyValues")));
    }
    context
}

/// IAM API Reference, `EvaluationResult`.
fn result(action: &str, resource: &str, decision: &Decision) -> String {
    let (word, matched): (_, &[Decider]) = match decision {
        Decision::Allow { by } => ("allowed", by),
        Decision::ImplicitDeny { .. } => ("implicitDeny", &[]),
        Decision::ExplicitDeny { by } => ("explicitDeny", std::slice::from_ref(by)),
    };
    let statement = |by: &Decider| {
        let kind = match by.layer {
            Layer::Resource => "Resource Policy",
            _ => "IAM Policy",
        };
        let shown = element("SourcePolicyId", &by.document) + &element("SourcePolicyType", kind);
        wrapped("member", &shown)
    };
    let statements: String = matched.iter().map(statement).collect();
    let shown = element("EvalActionName", action)
        + &element("EvalResourceName", resource)
        + &element("EvalDecision", word)
        + &wrapped("MatchedStatements", &statements)
        + &wrapped("MissingContextValues", "");
    wrapped("member", &shown)
}
