//! What shows, during a step, that another run takes the pair away: a thing that this run found or
//! made is gone, or the pair's key is scheduled for deletion.
//! Not for: whether the pair stands at the end of a run (see `standing`).

use super::Steps;
use super::find::{self, Stored};
use super::key::describe;
use super::standing::changed_meanwhile;
use crate::aws::At;
use crate::aws::settle::wait;
use crate::failure::{Failure, Kind};
use crate::manifest::{Side, Topology};
use crate::names::{Region, RoleName};
use crate::plan::{Action, Work};
use crate::settings::{DefaultKey, Encryption};
use crate::world::Key;
use std::time::Duration;

/// The first pause between two looks at the pair, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(20));

/// The operations that may not find what the manifest names and others make: a permissions boundary
/// (IAM API Reference, the errors of each).
const NAMES_WHAT_OTHERS_MAKE: [&str; 2] = ["iam:CreateRole", "iam:PutRolePermissionsBoundary"];

/// How often in a row a thing must be seen gone: one that existed when the run began, and one that the
/// run has just made, which may be missing from reads for a while.
const LOOKS: (u32, u32) = (2, 8);

/// What is gone, in words, and how often in a row it must be seen so.
struct Gone {
    what: String,
    looks: u32,
}

impl Steps {
    /// Ends once the pair is seen to be taken away, several times in a row, so that no wait brings it
    /// back: a key of it is scheduled for deletion, which a removal does after everything else, or
    /// what `action` works on is gone. Without an action, the whole pair is looked at: a proof needs
    /// all of it. A run that began with such a key never ends here: it may be bringing the key back.
    pub async fn until_going(&self, action: Option<&Action>) -> Failure {
        if self.beginning.had_going_key() {
            return std::future::pending().await;
        }
        let (mut pause, mut seen) = (PAUSES.0, 0);
        loop {
            wait(pause).await;
            let gone = match (self.key_that_goes().await, action) {
                (None, Some(action)) => self.thing_that_is_gone(action).await,
                (None, None) => self.part_that_is_gone().await,
                (key, _) => key,
            };
            match gone {
                Some(gone) if seen + 1 >= gone.looks => return changed_meanwhile(&gone.what),
                Some(_) => (seen, pause) = (seen + 1, PAUSES.0),
                None => {
                    seen = 0;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    /// Returns the key of the pair that is scheduled for deletion. What can't be read shows nothing: the
    /// step that needs it tells.
    async fn key_that_goes(&self) -> Option<Gone> {
        for region in self.scope.topology.key_regions() {
            let Ok(key) = self.keys.any_in(region) else { continue };
            let found = describe(&self.aws, region, key.as_str()).await.ok().flatten();
            let Some(found) = found.filter(Key::is_pending_deletion) else { continue };
            return Some(Gone {
                what: format!("{} is {}", found.arn, found.state),
                looks: LOOKS.0,
            });
        }
        None
    }

    /// Returns what `action` works on, if it is gone: a bucket or a role that was there before.
    async fn thing_that_is_gone(&self, action: &Action) -> Option<Gone> {
        match &action.work {
            Work::RolePolicy(_) => self.role_that_is_gone(&action.name, &action.region).await,
            Work::BucketTags(_)
            | Work::Document(_)
            | Work::BucketPolicy(_)
            | Work::Lifecycle(_)
            | Work::Notification(_) => {
                self.bucket_that_is_gone(self.scope.side(&action.name).ok()?).await
            }
            Work::Rules(_) | Work::DroppedRule(_) => {
                let bucket = self.any_bucket_that_is_gone().await;
                let direction = self.scope.direction_from(&action.name).ok()?;
                or(bucket, self.role_of_direction_that_is_gone(direction)).await
            }
            Work::Key(_)
            | Work::SharedKey(_)
            | Work::Alias(_)
            | Work::Rotation(_)
            | Work::ReplicaKey(_)
            | Work::Bucket(_)
            | Work::Role(_)
            | Work::Alarm(_) => None,
        }
    }

    /// Returns a part of the pair without which nothing replicates, if it is gone.
    async fn part_that_is_gone(&self) -> Option<Gone> {
        let mut gone = self.any_bucket_that_is_gone().await;
        for direction in self.scope.topology.directions() {
            gone = or(gone, self.role_of_direction_that_is_gone(&direction)).await;
            gone = or(gone, self.rules_that_are_gone(&direction.source)).await;
        }
        gone
    }

    async fn any_bucket_that_is_gone(&self) -> Option<Gone> {
        let mut gone = None;
        for side in self.scope.topology.reached() {
            gone = or(gone, self.bucket_that_is_gone(side)).await;
        }
        gone
    }

    /// Returns the role of `direction`, if it is the pair's own and gone.
    async fn role_of_direction_that_is_gone(&self, direction: &Topology) -> Option<Gone> {
        if !direction.role_settings.is_ours() || direction.shared_role().is_some() {
            return None;
        }
        self.role_that_is_gone(direction.role.as_str(), direction.role_region()).await
    }

    async fn rules_that_are_gone(&self, source: &Side) -> Option<Gone> {
        let found =
            super::replication::find(&self.aws, &source.bucket, &source.region).await.ok()?;
        let looks = if self.beginning.had_rules(&source.bucket) { LOOKS.0 } else { LOOKS.1 };
        let what = || format!("the replication configuration of `{}` is gone", source.bucket);
        found.is_none().then(|| Gone { what: what(), looks })
    }

    async fn bucket_that_is_gone(&self, side: &Side) -> Option<Gone> {
        let stands = find::stands(&self.aws, side).await.ok()?;
        let looks = if self.beginning.lacked(&side.bucket) { LOOKS.1 } else { LOOKS.0 };
        (!stands).then(|| Gone { what: format!("the bucket `{}` is gone", side.bucket), looks })
    }

    async fn role_that_is_gone(&self, name: &str, home: &Region) -> Option<Gone> {
        let found = find::role(&self.aws, &RoleName::new(name).ok()?, home, false).await.ok()?;
        let looks = if self.beginning.had_role(name) { LOOKS.0 } else { LOOKS.1 };
        found.is_none().then(|| Gone { what: format!("the role `{name}` is gone"), looks })
    }

    /// Takes each bucket that this run made off a key that is scheduled for deletion, as it may be where
    /// the run failed: what is written under such a key can't be read. The next apply encrypts it under
    /// another key. What fails here is left as it is.
    pub async fn free_of_going_keys(&self) {
        for side in self.scope.topology.reached().filter(|side| self.beginning.lacked(&side.bucket))
        {
            let _ = self.free_of_going_key(side).await;
        }
    }

    async fn free_of_going_key(&self, side: &Side) -> Result<(), Failure> {
        let (bucket, region) = (&side.bucket, &side.region);
        let key = self.keys.any_in(region)?;
        let found = describe(&self.aws, region, key.as_str()).await?;
        let Some(key) = found.filter(Key::is_pending_deletion) else { return Ok(()) };
        let live = Encryption::find(&self.aws, bucket, region).await?;
        if let Some(live) = live.filter(|live| live.key() == Some(key.arn.as_str())) {
            let (algorithm, key) = ("AES256".to_owned(), DefaultKey::None);
            let without = Encryption { algorithm, key, bucket_key: false, ..live };
            without.put(&self.aws, bucket, region).await?;
        }
        // The rules of a bucket that this run made are all its own.
        if super::replication::find(&self.aws, bucket, region).await?.is_some() {
            let delete = self.aws.s3(region).delete_bucket_replication().bucket(bucket.as_str());
            delete.send().await.at("s3:DeleteBucketReplication", region)?;
        }
        Ok(())
    }
}

/// Looks further only where nothing was seen to be gone.
async fn or(seen: Option<Gone>, look: impl Future<Output = Option<Gone>>) -> Option<Gone> {
    match seen {
        Some(gone) => Some(gone),
        None => look.await,
    }
}

/// Tells a failure of a write that another run caused as such: AWS does not find what this run
/// found or made, or the key goes. A removal has its own reading of what is not found.
pub(super) fn told(failure: Failure) -> Failure {
    let others = failure.not_found_by.is_some_and(|it| NAMES_WHAT_OTHERS_MAKE.contains(&it));
    if others { failure } else { changed(failure) }
}

/// Tells that AWS does not find what this run has seen or made, or that the pair's key goes, as the
/// work of another run.
pub fn changed(failure: Failure) -> Failure {
    let is_gone = failure.kind == Kind::Unexpected
        && (failure.not_found_by.is_some() || is_of_a_key_that_goes(&failure));
    if !is_gone {
        return failure;
    }
    let told = changed_meanwhile(&failure.message);
    Failure {
        step: failure.step,
        region: failure.region,
        aws_code: failure.aws_code,
        request_id: failure.request_id,
        ..told
    }
}

/// KMS says so of a key that is scheduled for deletion ("ARN is pending deletion."), and S3 of the
/// pair's key where an upload needs it.
fn is_of_a_key_that_goes(failure: &Failure) -> bool {
    let code = failure.aws_code.as_deref().unwrap_or_default();
    code.ends_with("KMSInvalidStateException") && failure.message.contains("pending")
}
