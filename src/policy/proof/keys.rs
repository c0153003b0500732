//! The other users of the key policies: administrators and other accounts. All other callers must
//! be denied.
//! Section: KMS Developer Guide, "Key policies in AWS KMS", "Allowing users in other accounts to
//! use a KMS key".
//! Not for: the use of keys by replication (see `replication`).

use super::call::{Call, OwnPolicies, PolicyCaller};
use super::reverse::{by_others, with_reverse};
use super::scene::Scene;
use crate::manifest::{KeyKind, Side};
use crate::names::{AccountId, Arn};
use crrctl_iam::Principal;

const SECTION: &str = "key users";

/// The actions of an administrator ("Allows key administrators to administer the KMS key").
const ADMINISTRATION: [&str; 15] = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKeyRotation",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:ListGrants",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
];
/// The actions of a key user ("Allows key users to use the KMS key").
const USE: [&str; 7] = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
];

/// Returns the calls of administrators, other accounts and an unrelated account, on the key of each
/// Region.
pub(super) fn calls(scene: &Scene<'_>) -> Vec<Call> {
    let ours = scene.topology.sides().filter(|side| side.has_own_key());
    ours.flat_map(|side| of_key(scene, side)).collect()
}

fn of_key(scene: &Scene<'_>, side: &Side) -> Vec<Call> {
    let key = &scene.topology.wanted.key;
    let mut calls: Vec<Call> =
        key.administrators.iter().flat_map(|arn| administrator(scene, side, arn)).collect();
    // Naming the key's own account adds nothing to the root delegation.
    let other_accounts = key.usable_by_accounts.iter().filter(|it| *it != scene.owner(side));
    calls.extend(other_accounts.flat_map(|account| cross_account(scene, side, account)));
    let stranger = [scene.stranger(SECTION)];
    let refused: Vec<Call> = ADMINISTRATION
        .iter()
        .chain(&USE)
        .chain(&["kms:ReplicateKey"])
        .map(|action| on_key(scene, &stranger[0], action, side))
        .chain([grant(scene, &stranger[0], side)])
        .flat_map(|call| by_others(&call, &stranger))
        .collect();
    with_reverse(calls).into_iter().chain(refused).collect()
}

/// An administrator in the key's account needs only the key policy. An administrator in another
/// account also needs its own policies.
fn administrator(scene: &Scene<'_>, side: &Side, arn: &Arn) -> Vec<Call> {
    let topology = scene.topology;
    let is_own = arn.account() == scene.owner(side).as_str();
    let own = if is_own { OwnPolicies::Nothing } else { OwnPolicies::Everything };
    let Some(caller) = principal(scene, arn) else { return Vec::new() };
    // The root user of the key's account can do everything. A principal in an account that can use
    // the key can use the key.
    let uses = (is_own && matches!(caller, Principal::Root { .. }))
        || topology
            .wanted
            .key
            .usable_by_accounts
            .iter()
            .any(|other| other.as_str() == arn.account());
    let forbidden_actions: &[&str] =
        if uses { &[] } else { &["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"] };
    let who = PolicyCaller { section: SECTION, caller, own };
    let is_primary = topology.key_regions().first() == Some(&&side.region)
        || topology.wanted.key.kind == KeyKind::PerRegion;
    let primary = is_primary.then_some("kms:ReplicateKey");
    ADMINISTRATION
        .into_iter()
        .chain(primary)
        .map(|action| on_key(scene, &who, action, side).forbidden_actions(forbidden_actions))
        .collect()
}

fn cross_account(scene: &Scene<'_>, side: &Side, account: &AccountId) -> Vec<Call> {
    let caller = scene.session(account, "guest");
    let who = PolicyCaller { section: SECTION, caller, own: OwnPolicies::Everything };
    let administers = scene
        .topology
        .wanted
        .key
        .administrators
        .iter()
        .any(|arn| arn.account() == account.as_str());
    let forbidden_actions: &[&str] =
        if administers { &[] } else { &["kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"] };
    let mut calls: Vec<Call> = USE
        .iter()
        .map(|action| on_key(scene, &who, action, side).forbidden_actions(forbidden_actions))
        .collect();
    calls.push(grant(scene, &who, side).forbidden_actions(forbidden_actions));
    calls
}

/// Returns a call that creates a grant for an AWS service, such as for a volume.
fn grant(scene: &Scene<'_>, who: &PolicyCaller, side: &Side) -> Call {
    on_key(scene, who, "kms:CreateGrant", side).demanding(
        "Bool",
        "kms:GrantIsForAWSResource",
        "true",
    )
}

/// Returns a call on the key of `side`. A key policy covers only its own key, so it can't grant
/// access to another key.
fn on_key(scene: &Scene<'_>, who: &PolicyCaller, action: &str, side: &Side) -> Call {
    Call::new(who, action, scene.key_arn(side), scene.owner(side)).at(scene.key_policy(side))
}

/// Returns the principal of an administrator's ARN; `None` if the ARN's principal can't make calls.
fn principal(scene: &Scene<'_>, arn: &Arn) -> Option<Principal> {
    let account = AccountId::new(arn.account()).ok()?;
    let (kind, name) = arn.resource().split_once('/').unwrap_or((arn.resource(), ""));
    match kind {
        "root" => Some(Principal::Root { account, partition: scene.partition() }),
        "user" => Some(Principal::User { arn: arn.clone(), id: None }),
        "role" => {
            let session = "proof".to_owned();
            Some(Principal::RoleSession { role: arn.clone(), session, id: None })
        }
        "assumed-role" => {
            let (role, session) = name.split_once('/')?;
            let role = scene.iam(&account, &format!("role/{role}"));
            Some(Principal::RoleSession { role, session: session.to_owned(), id: None })
        }
        _ => None,
    }
}
