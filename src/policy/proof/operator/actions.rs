//! Lists of actions for `operator`, and the calls on the policies of an existing role.
//! Not for: the other calls (see `operator`).

use super::super::call::{Call, ResourcePolicyOf};
use super::{NOT_ON_ROLES, Operator};
use crate::manifest::{Side, Topology};
use crate::settings::{self, BucketSettings};

impl Operator<'_> {
    pub(super) fn purge(&self) -> Vec<Call> {
        let actions = [
            "s3:DeleteObjectVersion",
            "s3:GetObjectLegalHold",
            "s3:GetObjectRetention",
            "s3:GetObjectVersion",
        ];
        let sides = self.sides();
        sides
            .flat_map(|side| actions.map(|action| self.on_object(action, side, "", &[""])))
            .collect()
    }

    pub(super) fn objects(&self) -> Vec<Call> {
        let actions = [
            "s3:GetObject",
            "s3:GetObjectTagging",
            "s3:GetObjectVersion",
            "s3:GetObjectVersionTagging",
        ];
        let sides = self.sides();
        sides
            .flat_map(|side| actions.map(|action| self.on_object(action, side, "", &[""])))
            .collect()
    }

    pub(super) fn bypass(&self) -> Vec<Call> {
        let sides = self.sides();
        sides.map(|side| self.on_object("s3:BypassGovernanceRetention", side, "", &[""])).collect()
    }

    /// Returns the reads of the bucket that the access logs of `side` go to.
    pub(super) fn on_log_target(&self, side: &Side) -> Vec<Call> {
        let Some(target) = self.scene.topology.wanted.log_target(side) else { return Vec::new() };
        let arn = target.arn(self.scene.partition());
        let on = |action: &str| {
            let decoy = (format!("{arn}-other"), ResourcePolicyOf::Nothing);
            Call::new(&self.who, action, &arn, self.account)
                .foreign_resources([decoy])
                .forbidden_actions(&["s3:PutBucketPolicy"])
        };
        ["s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:ListBucket"].map(on).to_vec()
    }

    /// Returns the sides that objects are replicated from.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Side> {
        let topology = self.scene.topology;
        self.sides().filter(|side| topology.replicates_from(side))
    }

    pub(super) fn on_role_of(&self, direction: &Topology, action: &str) -> Call {
        let role = direction.role_arn();
        let decoy = (format!("{role}-other"), ResourcePolicyOf::Nothing);
        Call::new(&self.who, action, role, self.account)
            .foreign_resources([decoy])
            .forbidden_actions(&NOT_ON_ROLES)
    }

    /// Listings of a bucket in another account are limited to probes.
    pub(super) fn lists_of_probes(&self, side: &Side) -> Vec<Call> {
        let prefixes = self.scene.topology.probe_prefixes(side);
        let list = |prefix: &String| {
            let list = self.on_bucket("s3:ListBucketVersions", side);
            list.demanding_not("StringLike", "s3:prefix", prefix, vec!["0/outside".to_owned()])
        };
        prefixes.iter().map(list).collect()
    }

    pub(super) fn pass_role(&self, direction: &Topology) -> Call {
        let (is, key) = ("StringEquals", "iam:PassedToService");
        self.on_role_of(direction, "iam:PassRole").demanding(is, key, "s3.amazonaws.com")
    }

    /// An existing role can have any policy of the account or of AWS.
    pub(super) fn on_policies(&self) -> Vec<Call> {
        let (scene, account) = (self.scene, self.account);
        let own = scene.iam(account, "policy/of-the-role").to_string();
        let of_aws = own.replace(account.as_str(), "aws");
        let decoy = scene.iam(account, "user/other").to_string();
        let on = |action: &str| {
            [own.clone(), of_aws.clone()].map(|policy| {
                Call::new(&self.who, action, policy, account)
                    .foreign_resources([(decoy.clone(), ResourcePolicyOf::Nothing)])
                    .forbidden_actions(&["iam:CreatePolicyVersion"])
            })
        };
        ["iam:GetPolicy", "iam:GetPolicyVersion"].into_iter().flat_map(on).collect()
    }
}

pub(super) const ROLE_WRITES: [&str; 3] =
    ["iam:PutRolePolicy", "iam:UntagRole", "iam:UpdateAssumeRolePolicy"];

/// A key that is scheduled for deletion is restored if the pair is built again meanwhile.
pub(super) const TAKING_KEYS: [&str; 3] =
    ["kms:CancelKeyDeletion", "kms:EnableKey", "kms:ScheduleKeyDeletion"];

/// The writes that remove crrctl's statements and tags from a bucket that is not deleted.
pub(super) const GIVING_BACK: [&str; 4] =
    ["s3:DeleteBucketPolicy", "s3:PutBucketPolicy", "s3:PutBucketTagging", "s3:UntagResource"];

pub(super) const LIFECYCLE_WRITE: &str = "s3:PutLifecycleConfiguration";

/// Returns the permissions that reading a bucket requires.
pub(super) fn bucket_reads() -> Vec<&'static str> {
    let others = [
        "s3:GetBucketPolicy",
        "s3:GetBucketTagging",
        "s3:GetLifecycleConfiguration",
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
        "s3:ListBucketVersions",
    ];
    let mut all = [settings::reads(), others.to_vec()].concat();
    all.sort_unstable();
    all
}

/// Returns the permissions that making a bucket requires. Creating it with tags and ownership
/// controls requires a permission for each.
pub(super) fn bucket_writes(wanted: &BucketSettings, adopted: bool) -> Vec<&'static str> {
    let others = ["s3:CreateBucket", "s3:PutBucketPolicy", "s3:PutBucketTagging", "s3:TagResource"];
    let mut all = [settings::writes(wanted, &[adopted]), others.to_vec()].concat();
    all.extend(wanted.lifecycle.is_wanted().then_some(LIFECYCLE_WRITE));
    all.sort_unstable();
    all
}
