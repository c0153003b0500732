//! Principals and policies that are there without a request: what a manifest says exists.
//! Not for: the operations of IAM.

use crate::world::iam::{Entity, Managed, PolicyVersion, Role, User};
use crate::world::random::unique_id;
use crate::world::{State, Stored};
use crrctl_iam::names::{AccountId, Arn};
use serde_json::json;

/// The maximum session duration of a new role, in seconds (IAM API Reference, `CreateRole`).
const SESSION: u32 = 3600;

/// Adds the user or role that `arn` names, without permissions, unless it exists. Of a session, the role is meant.
/// Another ARN adds nothing.
pub(crate) fn add_principal(state: &mut State, arn: &Arn) {
    let Ok(account) = AccountId::new(arn.account()) else { return };
    let Some((kind, rest)) = arn.resource().split_once('/') else { return };
    let (kind, rest) = match (arn.service(), kind) {
        ("sts", "assumed-role") => ("role", rest.split('/').next().unwrap_or_default()),
        _ => (kind, rest),
    };
    let (path, name) = path_and_name(rest);
    let of =
        |kind: &str| Arn::new(format!("arn:{}:iam::{account}:{kind}{path}{name}", arn.partition()));
    let (slot, created) = ((account.clone(), name.to_owned()), state.now());
    match (kind, of(kind)) {
        ("role", Ok(arn)) => {
            let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                "Principal": {"AWS": account.as_str()}, "Action": "sts:AssumeRole"}]});
            state.iam.roles.entry(slot).or_insert_with(|| Role {
                arn,
                id: unique_id("AROA"),
                path,
                name: name.to_owned(),
                created,
                trust: Stored::known(&trust),
                description: None,
                max_session: SESSION,
                usable: created,
                entity: Entity::default(),
            });
        }
        ("user", Ok(arn)) => {
            state.iam.users.entry(slot).or_insert_with(|| User {
                arn,
                id: unique_id("AIDA"),
                path,
                name: name.to_owned(),
                created,
                entity: Entity::default(),
            });
        }
        _ => {}
    }
}

/// Adds the managed policy that `arn` names, which allows everything, unless it exists. The ARN may be that of a
/// policy of AWS.
pub(crate) fn add_policy(state: &mut State, arn: &Arn) {
    let Some(rest) = arn.resource().strip_prefix("policy/") else { return };
    if state.iam.managed_document(arn.as_str()).is_some() {
        return;
    }
    let (path, name) = path_and_name(rest);
    let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let (stored, created) = (Stored::known(&all), state.now());
    let managed = Managed {
        id: unique_id("ANPA"),
        path,
        name: name.to_owned(),
        description: None,
        tags: Vec::new(),
        created,
        updated: created,
        versions: [(1, PolicyVersion { stored, created })].into(),
        default: 1,
        last: 1,
    };
    state.iam.managed.insert(arn.to_string(), managed);
}

/// Returns the path, with a slash at its beginning and its end, and the name.
fn path_and_name(rest: &str) -> (String, &str) {
    match rest.rsplit_once('/') {
        Some((path, name)) => (format!("/{path}/"), name),
        None => ("/".to_owned(), rest),
    }
}
