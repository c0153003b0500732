//! The IAM policy simulator. It uses the same policy evaluator as the authorization of requests.
//! Not for: paging, because a simulation returns all results in one response.

use crate::iam::call::{IamCall, truncation};
use crate::iam::positions::{self, Position};
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crate::world::Stored;
use crate::world::documents::read;
use crate::world::iam::Source;
use crrctl_iam::evaluate::Decider;
use crrctl_iam::names::{AccountId, Arn};
use crrctl_iam::{
    Context, Decision, DocumentKind, Layer, Named, Policies, Principal, Request, ResourceKind,
    ResourcePolicy, evaluate,
};

/// Maximum number of actions times resources in one request, which bounds the size of the response.
const MOST: usize = 10_000;

/// The policies of a simulation, beside the resource-based policy.
struct Simulated<'a> {
    caller: Principal,
    identity: Vec<Source<'a>>,
    boundary: Option<Source<'a>>,
    /// Whether service control policies take part: only where the policies of a principal do.
    organization: bool,
}

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
    let identity = sources("PolicyInputList", &given);
    simulate(call, &Simulated { caller, identity, boundary: None, organization: false })
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
    let entity = named(source)?;
    let mut identity = call.state.iam.sources_of(&entity);
    identity.extend(sources("PolicyInputList", &given));
    let boundary = call.state.iam.boundary_of(&entity);
    simulate(call, &Simulated { caller, identity, boundary, organization: true })
}

/// Names the policies in a list of the request as the simulator does. The name of a permissions
/// boundary is not recorded.
fn sources<'a>(list: &str, given: &'a [Stored]) -> Vec<Source<'a>> {
    let name = |index: usize| format!("{list}.{}", index + 1);
    given.iter().enumerate().map(|(index, stored)| source(name(index), stored)).collect()
}

fn source(name: String, stored: &Stored) -> Source<'_> {
    Source { name, text: stored.text(), document: &stored.document }
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

fn simulate(call: &IamCall<'_>, simulated: &Simulated<'_>) -> XmlOutput {
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
    let list = "PermissionsBoundaryPolicyInputList";
    let given_boundary = inputs(call, list)?;
    let given_boundary = sources(list, &given_boundary);
    let sources = Sources {
        identity: &simulated.identity,
        resource: on.as_ref().map(|(_, stored)| source("ResourcePolicy".into(), stored)),
        boundary: given_boundary.first().or(simulated.boundary.as_ref()),
    };
    let policies = Policies {
        identity: sources.identity.iter().map(Source::named).collect(),
        resource: on.as_ref().map(|(kind, stored)| ResourcePolicy {
            kind: *kind,
            policy: Named { name: "", document: &stored.document },
        }),
        boundary: sources.boundary.map(Source::named),
        ..Policies::default()
    };
    let context = context(call);
    let mut members = String::new();
    for action in &actions {
        for resource in &resources {
            let caller = simulated.caller.clone();
            let request = Request::new(caller, action, resource, owner.clone(), context.clone());
            let decision = evaluate(&request, &policies);
            let outcome = Outcome { decision, sources: &sources };
            members += &outcome.result(action, resource, simulated.organization);
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

/// The policies that took part in a simulation.
struct Sources<'a> {
    identity: &'a [Source<'a>],
    resource: Option<Source<'a>>,
    boundary: Option<&'a Source<'a>>,
}

impl Sources<'_> {
    /// Returns the policy of a statement.
    fn of(&self, by: &Decider) -> Option<&Source<'_>> {
        match by.layer {
            Layer::Identity => self.identity.get(by.policy),
            Layer::Resource => self.resource.as_ref(),
            Layer::Boundary => self.boundary,
            // No others take part.
            Layer::Session | Layer::Scp | Layer::Rcp => None,
        }
    }
}

/// The outcome of one simulated request.
struct Outcome<'a> {
    decision: Decision,
    sources: &'a Sources<'a>,
}

impl Outcome<'_> {
    /// Returns the result for one action and resource (IAM API Reference, `EvaluationResult`). The
    /// members are those that were recorded (`LocalStack`'s snapshot
    /// `test_simulate_principle_policy`).
    fn result(&self, action: &str, resource: &str, organization: bool) -> String {
        let word = self.word();
        let statements = wrapped("MatchedStatements", &self.statements());
        let missing = wrapped("MissingContextValues", "");
        let boundary = self.boundary();
        let mut shown = element("EvalActionName", action)
            + &element("EvalResourceName", resource)
            + &element("EvalDecision", word)
            + &statements
            + &missing
            + &wrapped("EvalDecisionDetails", "")
            + &boundary;
        if organization {
            let allowed = element("AllowedByOrganizations", "true");
            shown += &wrapped("OrganizationsDecisionDetail", &allowed);
        }
        if resource != "*" {
            let specific = element("EvalResourceName", resource)
                + &element("EvalResourceDecision", word)
                + &statements
                + &missing
                + &boundary;
            shown += &wrapped("ResourceSpecificResults", &wrapped("member", &specific));
        }
        wrapped("member", &shown)
    }

    fn word(&self) -> &'static str {
        match self.decision {
            Decision::Allow { .. } => "allowed",
            Decision::ImplicitDeny { .. } => "implicitDeny",
            Decision::ExplicitDeny { .. } => "explicitDeny",
        }
    }

    fn boundary(&self) -> String {
        if self.sources.boundary.is_none() {
            return String::new();
        }
        let denied = match &self.decision {
            Decision::Allow { .. } => false,
            Decision::ImplicitDeny { why } => why.layer == Layer::Boundary,
            Decision::ExplicitDeny { by } => by.layer == Layer::Boundary,
        };
        let allowed = element("AllowedByPermissionsBoundary", (!denied).to_string());
        wrapped("PermissionsBoundaryDecisionDetail", &allowed)
    }

    fn statements(&self) -> String {
        let matched: &[Decider] = match &self.decision {
            Decision::Allow { by } => by,
            Decision::ImplicitDeny { .. } => &[],
            Decision::ExplicitDeny { by } => std::slice::from_ref(by),
        };
        matched.iter().map(|by| self.statement(by)).collect()
    }

    fn statement(&self, by: &Decider) -> String {
        let kind = match by.layer {
            Layer::Resource => "Resource Policy",
            _ => "IAM Policy",
        };
        let source = self.sources.of(by);
        let (name, text) = source.map(|it| (it.name.as_str(), it.text)).unwrap_or_default();
        let mut shown = element("SourcePolicyId", name) + &element("SourcePolicyType", kind);
        if let Some((start, end)) = positions::statements(text).get(by.statement) {
            shown += &position("StartPosition", *start);
            shown += &position("EndPosition", *end);
        }
        wrapped("member", &shown)
    }
}

fn position(name: &str, at: Position) -> String {
    let shown = element("Line", at.line.to_string()) + &element("Column", at.column.to_string());
    wrapped(name, &shown)
}
