//! `AssumeRole`: a session of a role, with session tags, a source identity and a session policy.
//! Not for: the rules of session tags (see `session_tags`), MFA devices (see `mfa`), and roles that
//! services assume (see `gate::roles`).

use super::mfa;
use super::session_tags::SessionTags;
use super::{begin, denied, invalid};
use crate::gate::{AccessRequest, authorize};
use crate::wire::query::{element, in_bounds, malformed, wrapped};
use crate::wire::{Fault, Params};
use crate::world::documents::read;
use crate::world::iam::{Role, Temporary, Who};
use crate::world::{Caller, State};
use crrctl_iam::names::{AccountId, Arn};
use crrctl_iam::{Context, Document, DocumentKind, Principal, ResourceKind};
use std::sync::Arc;

/// Maximum size of a session policy, in characters (STS API Reference, `AssumeRole`).
const MAX_POLICY: usize = 2048;

/// What a request asks for.
struct Asked<'a> {
    arn: &'a str,
    name: &'a str,
    tags: SessionTags,
    /// The source identity in the request, or that of the calling session, which stays.
    identity: Option<String>,
}

impl<'a> Asked<'a> {
    fn read(caller: &Caller, params: &'a Params) -> Result<Self, Fault> {
        for unmodelled in ["PolicyArns.member.1.arn", "ProvidedContexts.member.1.ProviderArn"] {
            if params.get(unmodelled).is_some() {
                return Err(Fault::not_implemented(unmodelled));
            }
        }
        let (arn, name) = (params.require("RoleArn")?, params.require("RoleSessionName")?);
        check_arn(arn)?;
        check_name(name, "roleSessionName")?;
        let identity = params.get("SourceIdentity");
        if let Some(identity) = identity {
            check_name(identity, "sourceIdentity")?;
        }
        let tags = SessionTags::read(caller, params)?;
        let held = caller.temporary.as_ref().and_then(|it| it.source_identity.as_deref());
        if let (Some(held), Some(asked)) = (held, identity)
            && held != asked
        {
            // The value can't be changed once it is set (IAM User Guide, "Monitor and control
            // actions taken with assumed roles"). The text is the sandbox's own.
            return Err(denied("The source identity of a session can't be changed."));
        }
        Ok(Self { arn, name, tags, identity: identity.or(held).map(String::from) })
    }

    /// Returns the condition keys of the request (IAM User Guide, "IAM and AWS STS condition
    /// context keys").
    fn context(&self, role: &Role, external: Option<&str>) -> Context {
        let mut context = self.tags.context().with("sts:RoleSessionName", self.name);
        if let Some(external) = external {
            context.set("sts:ExternalId", external);
        }
        if let Some(identity) = &self.identity {
            context.set("sts:SourceIdentity", identity);
        }
        for (key, value) in &role.entity.tags {
            context.set(&format!("aws:ResourceTag/{key}"), value);
            context.set(&format!("iam:ResourceTag/{key}"), value);
        }
        context
    }

    /// Returns the actions that the caller must be allowed to perform on the role. A session that
    /// passes tags on needs `sts:TagSession` too.
    fn actions(&self) -> Vec<&'static str> {
        let mut actions = vec!["sts:AssumeRole"];
        if !self.tags.is_empty() {
            actions.push("sts:TagSession");
        }
        if self.identity.is_some() {
            actions.push("sts:SetSourceIdentity");
        }
        actions
    }
}

/// STS API Reference, `AssumeRole`: the role's trust policy must allow the caller, and a root user
/// can never assume a role.
pub(super) fn role(state: &mut State, caller: &Caller, params: &Params) -> Result<String, Fault> {
    let asked = Asked::read(caller, params)?;
    if matches!(caller.principal, Principal::Root { .. }) {
        return Err(denied("Roles may not be assumed by root accounts."));
    }
    let unknown = || {
        let (user, arn) = (caller.arn(), asked.arn);
        denied(format!(
            "User: {user} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        ))
    };
    let has_device = mfa::verified(state, caller, params)?;
    let now = state.now();
    let role = state.iam.role(asked.arn).filter(|role| role.usable <= now).ok_or_else(unknown)?;
    let account = AccountId::new(role.arn.account()).map_err(|_| unknown())?;
    for action in asked.actions() {
        let request = AccessRequest {
            action,
            arn: asked.arn.to_owned(),
            owner: &account,
            on: Some((ResourceKind::Trust, &role.trust.document)),
        };
        let context = || {
            let context = asked.context(role, params.get("ExternalId"));
            if has_device { context.overlaid(mfa::context()) } else { context }
        };
        authorize(&state.iam, caller, request, context)
            .map_err(|refused| denied(refused.message()))?;
    }
    let seconds = duration(caller, params.get("DurationSeconds"), role.max_session)?;
    let policy = session_policy(state, params)?;
    let packed = packed_size(params, &asked.tags);
    let Asked { name, tags, identity, .. } = asked;
    let (tags, transitive) = tags.of_session();
    let (role, id) = (role.arn.clone(), role.id.clone());
    let temporary = Temporary { issued: now, tags, transitive, source_identity: identity.clone() };
    let temporary = Arc::new(temporary);
    let user_id = format!("{id}:{name}");
    let who = Who::Session { account, role, name: name.into(), id, policy, temporary };
    let arn = Caller::new(who.clone(), caller.region.clone(), true).arn();
    tracing::info!(arn, "assumed");
    let user = element("AssumedRoleId", user_id) + &element("Arn", arn);
    let mut answer = begin(state, who, seconds) + &wrapped("AssumedRoleUser", &user) + &packed;
    if let Some(identity) = identity {
        answer += &element("SourceIdentity", identity);
    }
    Ok(answer)
}

/// Checks that a text is the ARN of a role. The length is bounded (STS API Reference, `arnType`).
fn check_arn(arn: &str) -> Result<(), Fault> {
    let length = arn.chars().count();
    if let Some(bound) = (length < 20)
        .then_some("greater than or equal to 20")
        .or((length > 2048).then_some("less than or equal to 2048"))
    {
        return Err(invalid(format!(
            "1 validation error detected: Value '{arn}' at 'roleArn' failed to satisfy constraint: Member must have length {bound}"
        )));
    }
    let of_role = |arn: &Arn| {
        arn.service() == "iam"
            && AccountId::new(arn.account()).is_ok()
            && arn.resource().strip_prefix("role/").is_some_and(|name| !name.is_empty())
    };
    if Arn::new(arn).is_ok_and(|arn| of_role(&arn)) {
        return Ok(());
    }
    Err(invalid(format!("{arn} is invalid")))
}

/// Checks a session name or a source identity (STS API Reference, `AssumeRole`).
fn check_name(name: &str, member: &str) -> Result<(), Fault> {
    let refused = |bound: &str| {
        Err(invalid(format!(
            "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must {bound}"
        )))
    };
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)) {
        return refused("satisfy regular expression pattern: [\\w+=,.@-]*");
    }
    match name.len() {
        0 | 1 => refused("have length greater than or equal to 2"),
        2..=64 => Ok(()),
        _ => refused("have length less than or equal to 64"),
    }
}

/// The longest session of a role that a role assumes, in seconds (STS API Reference, `AssumeRole`).
const CHAINED: u32 = 3600;

fn duration(caller: &Caller, given: Option<&str>, most: u32) -> Result<u32, Fault> {
    let Some(given) = given else { return Ok(3600) };
    let seconds = in_bounds(given, "durationSeconds", (900, 43_200))?;
    if matches!(caller.principal, Principal::RoleSession { .. }) && seconds > CHAINED {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    if seconds > most {
        return Err(invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(seconds)
}

fn session_policy(state: &State, params: &Params) -> Result<Option<Arc<Document>>, Fault> {
    let Some(text) = params.get("Policy") else { return Ok(None) };
    if text.chars().count() > MAX_POLICY {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to {MAX_POLICY}"
        )));
    }
    let kind = DocumentKind::SessionPolicy;
    let stored = read(kind, text, &state.iam).map_err(|flaw| malformed(kind, &flaw))?;
    Ok(Some(Arc::new(stored.document)))
}

/// Returns the element `PackedPolicySize`, which STS returns to a request with a session policy or
/// session tags. STS does not publish its packed format: here, the percentage is that of the plain
/// text in the plain text that is allowed.
fn packed_size(params: &Params, tags: &SessionTags) -> String {
    let size = params.get("Policy").map_or(0, |text| text.chars().count()) + tags.size();
    if size == 0 {
        return String::new();
    }
    element("PackedPolicySize", (size * 100).div_ceil(MAX_POLICY).min(100).to_string())
}
