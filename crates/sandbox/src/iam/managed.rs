//! Managed policies: create, get, list, delete customer managed policies, and get the AWS managed
//! policies whose documents the sandbox knows.
//! Not for: policy versions (see `versions`), tags (see `policy_tags`) and attaching policies (see
//! `attached`).

use super::conditions::of_tags;
use super::inline::document;
use crate::iam::call::{IamCall, check_name, checked_path, exceeded, invalid, truncation};
use crate::wire::paging::page;
use crate::wire::query::{element, wrapped};
use crate::wire::{Fault, XmlOutput};
use crate::world::Quirk;
use crate::world::clock::rfc3339;
use crate::world::iam::{AwsManaged, Entity, Managed, PolicyVersion, aws_managed};
use crate::world::random::unique_id;
use crrctl_iam::DocumentKind;
use crrctl_iam::names::{AccountId, Arn};

/// Maximum size of a managed policy, in characters without white space (IAM User Guide, "IAM and
/// AWS STS quotas").
pub(super) const MAX_POLICY: usize = 6144;

/// The name of `PolicyArn` in error messages.
pub(super) const MEMBER: &str = "policyArn";

/// Parses the ARN of a managed policy. `member` is the parameter's name in the error message. The
/// length is bounded (IAM API Reference, `arnType`); the error for other text is recorded
/// (`LocalStack`'s snapshot `test_role_attach_policy`).
pub(super) fn policy_arn(text: &str, member: &str) -> Result<Arn, Fault> {
    let bound = match text.chars().count() {
        0..20 => Some("greater than or equal to 20"),
        20..=2048 => None,
        _ => Some("less than or equal to 2048"),
    };
    if let Some(bound) = bound {
        return Err(invalid(format!(
            "1 validation error detected: Value '{text}' at '{member}' failed to satisfy constraint: Member must have length {bound}"
        )));
    }
    Arn::new(text)
        .ok()
        .filter(|arn| arn.service() == "iam" && arn.resource().starts_with("policy/"))
        .ok_or_else(|| invalid("Invalid ARN:  Could not be parsed!"))
}

/// Checks that `arn` names an existing managed policy: one of the caller's account or an AWS
/// managed policy.
pub(super) fn check_exists(call: &IamCall<'_>, arn: &str, member: &str) -> Result<(), Fault> {
    let parsed = policy_arn(arn, member)?;
    known_to_aws(call, &parsed)?;
    let own = parsed.account() == "aws" || parsed.account() == call.caller.account.as_str();
    let exists = call.state.iam.managed_document(arn).is_some() && !call.is_late(arn);
    if own && exists {
        return Ok(());
    }
    let text = format!("Policy {arn} does not exist or is not attachable.");
    Err(Fault::new(404, "NoSuchEntity", text))
}

/// Returns `NotImplemented` for an AWS managed policy whose document the sandbox does not know.
fn known_to_aws(call: &IamCall<'_>, arn: &Arn) -> Result<(), Fault> {
    if arn.account() == "aws" && call.state.iam.managed_document(arn.as_str()).is_none() {
        return Err(Fault::not_implemented(&format!("the AWS managed policy {arn}")));
    }
    Ok(())
}

/// IAM API Reference, `CreatePolicy`.
pub(super) fn create(call: &mut IamCall<'_>) -> XmlOutput {
    let name = call.params.require("PolicyName")?;
    check_name(name, "policyName", 128)?;
    let path = checked_path(call)?;
    let arn = call.arn("policy", path, name).to_string();
    call.permit_creation("iam:CreatePolicy", "iam:TagPolicy", &arn)?;
    let text = call.params.require("PolicyDocument")?;
    let stored = document(call, DocumentKind::ManagedPolicy, text, MAX_POLICY)?;
    let tags = super::tags::merged(&[], call.params.tags("Tags"), super::tags::Keys::Exact)?;
    let description = call.params.get("Description").map(String::from);
    if description.as_ref().is_some_and(|text| text.chars().count() > 1000) {
        return Err(invalid(
            "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 1000",
        ));
    }
    if is_taken(call, name) {
        let text =
            format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(Fault::new(409, "EntityAlreadyExists", text));
    }
    let quota = call.state.one_more_policy(call.caller);
    quota.map_err(|over| exceeded("PoliciesPerAccount", over))?;
    call.check_room()?;
    let (path, name, created) = (path.to_owned(), name.to_owned(), call.state.now());
    let managed = Managed {
        id: unique_id("ANPA"),
        path,
        name,
        description,
        tags,
        created,
        updated: created,
        versions: [(1, PolicyVersion { stored, created })].into(),
        default: 1,
        last: 1,
    };
    let shown = shown(call, &arn, &managed) + &super::tags::element_of(&managed.tags);
    call.state.iam.managed.insert(arn.clone(), managed);
    call.begin(&[Quirk::LateEntity, Quirk::RemovalNotFound], &arn);
    Ok(Some(wrapped("Policy", &shown)))
}

/// Returns whether the account has a policy of this name. Names are unique, whatever their path,
/// and ignoring case (IAM API Reference, `CreatePolicy`).
fn is_taken(call: &IamCall<'_>, name: &str) -> bool {
    let account = call.caller.account.as_str();
    call.state.iam.managed.iter().any(|(arn, policy)| {
        policy.name.eq_ignore_ascii_case(name)
            && Arn::new(arn.as_str()).is_ok_and(|arn| arn.account() == account)
    })
}

/// Returns the members that every response shows of a policy.
fn shown(call: &IamCall<'_>, arn: &str, managed: &Managed) -> String {
    element("PolicyName", &managed.name)
        + &element("PolicyId", &managed.id)
        + &element("Arn", arn)
        + &element("Path", &managed.path)
        + &element("DefaultVersionId", format!("v{}", managed.default))
        + &uses(call, arn)
        + &element("CreateDate", rfc3339(managed.created))
        + &element("UpdateDate", rfc3339(managed.updated))
}

fn shown_of_aws(call: &IamCall<'_>, arn: &str, policy: &AwsManaged) -> String {
    element("PolicyName", policy.name)
        + &element("PolicyId", policy.id)
        + &element("Arn", arn)
        + &element("Path", "/")
        + &element("DefaultVersionId", policy.version)
        + &uses(call, arn)
        + &element("CreateDate", policy.created)
        + &element("UpdateDate", policy.updated)
}

/// Returns the members that count the uses of a policy in the caller's account.
fn uses(call: &IamCall<'_>, arn: &str) -> String {
    element("AttachmentCount", attachments(call, arn).to_string())
        + &element("PermissionsBoundaryUsageCount", boundaries(call, arn).to_string())
        + &element("IsAttachable", "true")
}

/// Returns the users and roles of the caller's account.
fn entities<'a>(call: &'a IamCall<'_>) -> impl Iterator<Item = &'a Entity> {
    let account = &call.caller.account;
    let own = move |(owner, _): &(AccountId, String)| owner == account;
    let (roles, users) = (call.state.iam.roles.iter(), call.state.iam.users.iter());
    let roles = roles.filter(move |(slot, _)| own(slot)).map(|(_, role)| &role.entity);
    let users = users.filter(move |(slot, _)| own(slot)).map(|(_, user)| &user.entity);
    roles.chain(users)
}

fn attachments(call: &IamCall<'_>, arn: &str) -> usize {
    entities(call).filter(|entity| entity.attached.contains(arn)).count()
}

/// Returns how many users and roles have the policy as their permissions boundary.
fn boundaries(call: &IamCall<'_>, arn: &str) -> usize {
    entities(call).filter(|entity| entity.boundary.as_deref() == Some(arn)).count()
}

/// Finds the customer managed policy that `PolicyArn` names and checks that the caller may perform
/// `action` on it. Returns its ARN.
pub(super) fn find(call: &IamCall<'_>, action: &str) -> Result<String, Fault> {
    let arn = call.params.require("PolicyArn")?;
    let parsed = policy_arn(arn, MEMBER)?;
    let own = ["aws", call.caller.account.as_str()].contains(&parsed.account());
    let found = call.state.iam.managed.get(arn).filter(|_| own && !call.is_late(arn));
    let resource = found.map(|managed| of_tags(&managed.tags)).unwrap_or_default();
    call.permit_with(action, arn, resource)?;
    if found.is_some() {
        return Ok(arn.to_owned());
    }
    Err(missing(arn))
}

pub(super) fn missing(arn: &str) -> Fault {
    Fault::new(404, "NoSuchEntity", format!("Policy {arn} was not found."))
}

/// Finds the AWS managed policy that `PolicyArn` names, if it names one, and checks that the caller
/// may perform `action` on it.
pub(super) fn find_of_aws(
    call: &IamCall<'_>,
    action: &str,
) -> Result<Option<&'static AwsManaged>, Fault> {
    let arn = policy_arn(call.params.require("PolicyArn")?, MEMBER)?;
    if arn.account() != "aws" {
        return Ok(None);
    }
    call.permit(action, arn.as_str())?;
    known_to_aws(call, &arn)?;
    Ok(aws_managed(arn.as_str()))
}

/// IAM API Reference, `GetPolicy`: shows the description and, also where there are none, the tags.
pub(super) fn get(call: &mut IamCall<'_>) -> XmlOutput {
    let arn = call.params.require("PolicyArn")?;
    if let Some(policy) = find_of_aws(call, "iam:GetPolicy")? {
        let shown = shown_of_aws(call, arn, policy)
            + &element("Description", policy.description)
            + &wrapped("Tags", "");
        return Ok(Some(wrapped("Policy", &shown)));
    }
    let arn = find(call, "iam:GetPolicy")?;
    let managed = call.state.iam.managed.get(&arn).ok_or_else(|| missing(&arn))?;
    let mut shown = shown(call, &arn, managed);
    if let Some(description) = &managed.description {
        shown += &element("Description", description);
    }
    shown += &wrapped("Tags", &super::tags::elements(&managed.tags));
    Ok(Some(wrapped("Policy", &shown)))
}

/// The paths of AWS managed policies (AWS Managed Policy Reference).
const PATHS_OF_AWS: [&str; 5] =
    ["/", "/aws-service-role/", "/job-function/", "/root-task/", "/service-role/"];

/// IAM API Reference, `ListPolicies`: lists the customer managed policies of the account. Without
/// `Scope=Local` the answer has AWS managed policies too, of which the sandbox knows a few: it
/// answers only where `PathPrefix` leaves all of them out.
pub(super) fn list(call: &mut IamCall<'_>) -> XmlOutput {
    call.permit("iam:ListPolicies", call.arn("policy", "/", "*").as_str())?;
    let prefix = call.params.get("PathPrefix").unwrap_or("/");
    let with_those_of_aws = call.params.get("Scope") != Some("Local")
        && PATHS_OF_AWS.iter().any(|path| path.starts_with(prefix));
    if with_those_of_aws {
        return Err(Fault::not_implemented("lists of AWS managed policies; ask with Scope=Local"));
    }
    let own = call.arn("policy", "/", "").to_string();
    let attached = call.params.get("OnlyAttached") == Some("true");
    let usage = call.params.get("PolicyUsageFilter");
    let wanted = |arn: &String, policy: &Managed| {
        arn.starts_with(&own)
            && policy.path.starts_with(prefix)
            && (!attached || attachments(call, arn) > 0)
            && match usage {
                Some("PermissionsBoundary") => boundaries(call, arn) > 0,
                Some("PermissionsPolicy") => attachments(call, arn) > 0,
                _ => true,
            }
    };
    let managed = call.state.iam.managed.iter().filter(|(arn, policy)| wanted(arn, policy));
    let page = page(managed.collect(), call.params.get("Marker"), call.limit()?, |(arn, _)| {
        (*arn).clone()
    });
    let member =
        |(arn, managed): &(&String, &Managed)| wrapped("member", &shown(call, arn, managed));
    let members: String = page.items.iter().map(member).collect();
    Ok(Some(wrapped("Policies", &members) + &truncation(page.next.as_deref())))
}

/// IAM API Reference, `DeletePolicy`: the policy must not be attached to a user or role, nor be a
/// permissions boundary, and versions other than the default must be deleted first.
pub(super) fn delete(call: &mut IamCall<'_>) -> XmlOutput {
    let arn = find(call, "iam:DeletePolicy")?;
    let conflict = |text: &str| Err(Fault::new(409, "DeleteConflict", text));
    if attachments(call, &arn) > 0 || boundaries(call, &arn) > 0 {
        return conflict("Cannot delete a policy attached to entities.");
    }
    if call.state.iam.managed.get(&arn).is_some_and(|managed| managed.versions.len() > 1) {
        return conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        );
    }
    call.check_removable(&arn, missing(&arn))?;
    call.state.iam.managed.remove(&arn);
    Ok(None)
}
