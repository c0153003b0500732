//! The replication role: found with its tags, trust policy and permissions policies, created,
//! changed and removed.
//! Not for: its permissions (see `role_policy`).

use super::gone;
use super::role_policy::{self, NAME};
use super::{Run, Steps, known_arn, nothing_to_do};
use crate::aws::settle::pause;
use crate::aws::{At, Aws, Error};
use crate::failure::{Failure, Kind};
use crate::joined;
use crate::manifest::Topology;
use crate::names::{Arn, Region, RoleName};
use crate::plan::Action;
use crate::plan::work::{Owned, RoleDiffers, RoleMade};
use crate::policy::Document;
use crate::world::{Role, Tags};
use aws_sdk_iam::types::Tag;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// How long IAM may refuse to delete a role whose policies were deleted (terraform-provider-aws
/// retries `DeleteRole` for its IAM propagation timeout).
const FREE_WITHIN: Duration = Duration::from_mins(2);

/// Finds the role and its inline policy in the account whose IAM is called in `home` and, for a
/// removal, the names of its other policies. The calls run concurrently.
pub(crate) async fn find(
    aws: &Aws,
    name: &RoleName,
    home: &Region,
    removal: bool,
) -> Result<Option<Role>, Error> {
    let (role, policy, others) = tokio::join!(
        async {
            aws.iam(home).get_role().role_name(name.as_str()).send().await.at("iam:GetRole", home)
        },
        role_policy::find(aws, name, home),
        async { if removal { others(aws, name, home).await } else { Ok(Vec::new()) } },
    );
    if role.as_ref().is_err_and(Error::is_absent) {
        return Ok(None);
    }
    let (output, (policy, other_policies)) = joined::pair(role, joined::pair(policy, others))?;
    let Some(role) = output.role() else { return Ok(None) };
    Ok(Some(Role {
        arn: Arn::new(role.arn())
            .map_err(|_| Error::unreadable("iam:GetRole", home, "role ARN"))?,
        tags: role
            .tags()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect(),
        boundary: role
            .permissions_boundary()
            .and_then(|it| it.permissions_boundary_arn())
            .map(str::to_owned),
        trust: document(role.assume_role_policy_document()),
        policy,
        other_policies,
        created: Timestamp::from_second(role.create_date().secs()).ok(),
    }))
}

/// Returns the names of the other policies of a role: inline, then attached.
async fn others(aws: &Aws, name: &RoleName, home: &Region) -> Result<Vec<String>, Error> {
    let iam = aws.iam(home);
    let (inline, attached) = tokio::join!(
        iam.list_role_policies().role_name(name.as_str()).send(),
        iam.list_attached_role_policies().role_name(name.as_str()).send(),
    );
    let inline = inline.at("iam:ListRolePolicies", home);
    let attached = attached.at("iam:ListAttachedRolePolicies", home);
    let (inline, attached) = joined::pair(inline, attached)?;
    let attached = attached.attached_policies().iter().filter_map(|policy| policy.policy_name());
    let inline = inline.policy_names().iter().map(String::as_str).filter(|name| *name != NAME);
    Ok(inline.chain(attached).map(str::to_owned).collect())
}

/// Reads the tags of the role `name`.
pub(crate) async fn tags(aws: &Aws, name: &str) -> Result<Tags, Error> {
    let (mut tags, mut marker) = (Tags::new(), None);
    loop {
        let request = aws.iam(aws.home()).list_role_tags().role_name(name).set_marker(marker);
        let output = request.send().await.at("iam:ListRoleTags", aws.home())?;
        let pair = |tag: &Tag| (tag.key().to_owned(), tag.value().to_owned());
        tags.extend(output.tags().iter().map(pair));
        marker = output.marker().map(str::to_owned);
        if !output.is_truncated() || marker.is_none() {
            return Ok(tags);
        }
    }
}

/// Parses a document that IAM returns, which is URL-encoded (IAM API Reference, `GetRole`,
/// `GetRolePolicy`). Text that is not JSON differs from the wanted document, so it is overwritten.
pub(crate) fn document(encoded: Option<&str>) -> Value {
    let text = percent_decode_str(encoded.unwrap_or_default()).decode_utf8_lossy();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

pub(super) async fn run(
    run: Run<'_>,
    action: &Action,
    work: &Owned<RoleMade, RoleDiffers>,
) -> Result<Arn, Failure> {
    match work {
        Owned::Create(_) => apply(run, action, None).await,
        Owned::Update(differs) => apply(run, action, Some(differs)).await,
        Owned::Remove(_) => {
            remove(run, &action.name, &action.region).await?;
            known_arn(action)
        }
        Owned::Leave(_) | Owned::Unchanged => Err(nothing_to_do(action)),
    }
}

/// Creates the role, or writes what differs.
async fn apply(
    run: Run<'_>,
    action: &Action,
    differs: Option<&RoleDiffers>,
) -> Result<Arn, Failure> {
    let (home, name) = (&action.region, action.name.as_str());
    let iam = run.aws.iam(home);
    let (trust, arn, of) = if run.scope.is_batch_role(name) {
        let arn = run.scope.topology.batch_role_arn();
        (Document::BatchReplicationRoleTrust, arn, &run.scope.topology)
    } else {
        let direction = run.scope.direction_of_role(name, home)?;
        (Document::of_role_trust(direction), direction.role_arn(), direction)
    };
    let trust = run.render(&trust)?.to_string();
    let tag = |(key, value)| super::built(Tag::builder().key(key).value(value).build());
    let tags = run.scope.topology.all_tags().into_iter().map(tag).collect::<Result<Vec<_>, _>>()?;
    let boundary = of.role_settings.boundary.as_ref().map(Arn::to_string);
    let Some(RoleDiffers { trust: new_trust, boundary: new_boundary, tags: new_tags }) = differs
    else {
        let create = iam
            .create_role()
            .role_name(name)
            .path(&run.scope.topology.role_settings.path)
            .set_permissions_boundary(boundary.clone())
            .description(run.scope.topology.wanted.role_description())
            .assume_role_policy_document(trust)
            .set_tags(Some(tags));
        let call = || async {
            match create.clone().send().await.at("iam:CreateRole", home) {
                Ok(_) => Ok(true),
                // A concurrent run created the role: `observe` found none.
                Err(error) if error.is("EntityAlreadyExists") => Ok(false),
                Err(error) => Err(error),
            }
        };
        if !run.retry(call).await? {
            role_of_another_run(&run, name, home).await?;
        }
        return Ok(arn);
    };
    if new_trust.is_some() {
        let update = iam.update_assume_role_policy().role_name(name).policy_document(trust);
        run.retry(|| async { update.clone().send().await.at("iam:UpdateAssumeRolePolicy", home) })
            .await?;
    }
    if new_boundary.is_some() {
        let put =
            iam.put_role_permissions_boundary().role_name(name).set_permissions_boundary(boundary);
        run.retry(|| async { put.clone().send().await.at("iam:PutRolePermissionsBoundary", home) })
            .await?;
    }
    if !new_tags.set.is_empty() {
        let tag = iam.tag_role().role_name(name).set_tags(Some(tags));
        run.retry(|| async { tag.clone().send().await.at("iam:TagRole", home) }).await?;
    }
    if new_tags.expires.is_some() {
        let untag = iam.untag_role().role_name(name).tag_keys(Topology::EXPIRES_TAG);
        run.retry(|| async { untag.clone().send().await.at("iam:UntagRole", home) }).await?;
    }
    Ok(arn)
}

/// Checks a role that `observe` did not find: a concurrent run of this pair created it, or it
/// belongs to another owner.
async fn role_of_another_run(steps: &Steps, name: &str, home: &Region) -> Result<(), Failure> {
    let live = find(&steps.aws, &RoleName::new(name)?, home, false).await?;
    if live.is_none_or(|role| steps.scope.topology.wanted.owns(&role.tags)) {
        return Ok(());
    }
    let message = format!("the role `{name}` belongs to another pair");
    Err(Failure::new(Kind::InTheWay, "role-not-ours", message)
        .hint("give the pair another `role.name`"))
}

/// Deletes the role. IAM may refuse that for a while after the inline policy was deleted, and a
/// concurrent run may write the policy again, so the policy is deleted again each time.
async fn remove(run: Run<'_>, name: &str, home: &Region) -> Result<(), Failure> {
    let delete = run.aws.iam(home).delete_role().role_name(name);
    let call = || async { delete.clone().send().await.at("iam:DeleteRole", home).map(drop) };
    let role = RoleName::new(name)?;
    let stands = || async { Ok(find(&run.aws, &role, home, false).await?.is_some()) };
    let (began, mut tries) = (Instant::now(), 0);
    loop {
        match gone::removed(run, "the role", call, stands).await {
            Err(failure)
                if failure.aws_code.as_deref() == Some("DeleteConflict")
                    && began.elapsed() < FREE_WITHIN
                    && !run.stop.is_ending() =>
            {
                run.progress.retrying("DeleteConflict", "the role's policies are not gone yet");
                pause(&run.stop, Duration::from_secs(tries.min(5))).await;
                tries += 1;
                role_policy::remove(run, name, home).await?;
            }
            other => return other,
        }
    }
}
