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

    /// A user may ask what itself may do; roles have no policy variable for their name.
    pub(super) fn asks_simulator(&self) -> Call {
        let user = |name: &str| self.scene.iam(self.account, name).to_string();
        Call::new(&self.who, "iam:SimulatePrincipalPolicy", user("user/operator"), self.account)
            .foreign_resources([(user("user/other"), ResourcePolicyOf::Nothing)])
            .forbidden_actions(&["iam:PutUserPolicy"])
    }

    /// Returns the deletions of what a later manifest may no longer name: the destinations with
    /// their keys, and the roles of the reverse directions.
    pub(super) fn prune(&self) -> Vec<Call> {
        let topology = self.scene.topology;
        let on_bucket = ["s3:DeleteBucket", "s3:PutReplicationConfiguration"];
        let mut calls = Vec::new();
        for side in self.sides().filter(|side| *side != topology.wanted.home()) {
            calls.extend(self.on_probes("s3:DeleteObjectVersion", side));
            if topology.wanted.buckets.retention().is_some() {
                calls.extend(self.on_probes("s3:BypassGovernanceRetention", side));
            }
            calls.extend(STAYING.map(|it| self.on_object(it, side, "", &[""])));
            let actions = on_bucket.into_iter().chain(giving_back());
            calls.extend(actions.map(|it| self.on_bucket(it, side)));
            if topology.wanted.buckets.lifecycle.is_wanted() {
                calls.push(self.on_bucket(LIFECYCLE_WRITE, side));
            }
        }
        calls.extend(self.writes_alerts(|side| side != topology.wanted.home()));
        for side in self.own().filter(|side| side.region != topology.wanted.home().region) {
            calls.extend(self.alias("kms:DeleteAlias", side));
            calls.extend(TAKING_KEYS.map(|it| self.bearing_tags(self.on_key(it, side))));
        }
        let back = self.directions().into_iter().filter(Topology::is_back);
        for direction in back.filter(|it| it.role_settings.is_ours()) {
            let deletes = ["iam:DeleteRole", "iam:DeleteRolePolicy"];
            calls.extend(deletes.map(|it| self.on_role_of(&direction, it)));
        }
        calls
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

/// The reads of a key of the pair. What uses a key decides whether it may be deleted.
pub(super) const KEY_READS: [&str; 4] =
    ["kms:GetKeyLastUsage", "kms:GetKeyPolicy", "kms:ListGrants", "kms:ListResourceTags"];

/// A key that is scheduled for deletion is restored if the pair is built again meanwhile.
pub(super) const TAKING_KEYS: [&str; 3] =
    ["kms:CancelKeyDeletion", "kms:EnableKey", "kms:ScheduleKeyDeletion"];

/// Returns the writes that remove crrctl's statements and tags from a bucket that is not deleted, and
/// put its documents back.
pub(super) fn giving_back() -> impl Iterator<Item = &'static str> {
    let always =
        ["s3:DeleteBucketPolicy", "s3:PutBucketPolicy", "s3:PutBucketTagging", "s3:UntagResource"];
    always.into_iter().chain(settings::puts_back())
}

/// The calls on objects of a bucket whose rules go: others' unfinished uploads end, and what is still
/// PENDING is waited for where the bucket stays.
pub(super) const STAYING: [&str; 2] = ["s3:AbortMultipartUpload", "s3:GetObjectVersion"];

pub(super) const LIFECYCLE_WRITE: &str = "s3:PutLifecycleConfiguration";

/// Returns the permissions that reading a bucket requires.
pub(super) fn bucket_reads() -> Vec<&'static str> {
    let others = [
        "s3:GetBucketAcl",
        "s3:GetBucketPolicy",
        "s3:GetBucketTagging",
        "s3:GetLifecycleConfiguration",
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
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
