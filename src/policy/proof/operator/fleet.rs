//! The calls of `list`, `gc`, `check` and `apply --revive-keys`, and the index of tags that `destroy`
//! asks: searching an account, and canceling the deletion of keys.
//! Not for: the calls on one pair (see `operator`).

use super::{
    Call, NOT_ON_BUCKETS, NOT_ON_KEYS, NOT_ON_ROLES, Operator, ResourcePolicyOf, SINGLE_REGION_KEY,
};
use crate::manifest::Side;
use crate::names::RoleName;
use crate::policy::proof::call::{Element, Expected};
use crate::policy::proof::scene::CONTEXT;

impl Operator<'_> {
    /// Finding resources with crrctl's tags requires the lists of the whole account, and the tags
    /// of each listed resource.
    pub(super) fn fleet(&self) -> Vec<Call> {
        let (scene, topology) = (self.scene, self.scene.topology);
        let on = |action, resource: &str| {
            Call::new(&self.who, action, resource, &topology.source.account)
        };
        // These lists do not include roles with another path.
        let role = scene
            .iam(&topology.source.account, &format!("role{}{}", RoleName::PATH, topology.role));
        let mut calls = vec![
            on("iam:ListRoles", "*").forbidden_actions(&["iam:ListUsers"]),
            on("kms:ListAliases", "*").forbidden_actions(&["kms:CreateCustomKeyStore"]),
            on("kms:ListKeys", "*").forbidden_actions(&["kms:CreateCustomKeyStore"]),
            on("s3:ListAllMyBuckets", "*").forbidden_actions(&["s3:CreateJob"]),
            on("iam:ListRoleTags", role.as_str())
                .foreign_resources([(
                    role.as_str().replace("/crrctl/", "/"),
                    ResourcePolicyOf::Nothing,
                )])
                .forbidden_actions(&NOT_ON_ROLES),
        ];
        for side in self.sides() {
            // Keys of other pairs are read too, if this pair has no key of its own here.
            let (key, at) = if side.has_own_key() {
                (scene.key_arn(side), scene.key_policy(side))
            } else {
                (scene.kms(&side.region, SINGLE_REGION_KEY), ResourcePolicyOf::LeftToIam)
            };
            for action in ["kms:DescribeKey", "kms:ListAliases", "kms:ListResourceTags"] {
                calls.push(on(action, &key).at(at.clone()).forbidden_actions(&NOT_ON_KEYS));
            }
            let bucket = scene.bucket_arn(side);
            calls.push(on("s3:GetBucketTagging", &bucket).forbidden_actions(&NOT_ON_BUCKETS));
        }
        calls
    }

    /// S3 gives an encryption context to every ciphertext of its own, which `check` may not decrypt.
    pub(super) fn check(&self) -> Vec<Call> {
        let on = |action: &str, side: &Side| self.bearing_tags(self.on_key(action, side));
        let is_denied = Expected::Deny(Element::Condition("Null", CONTEXT, None));
        let of_s3 = |action: &str, side: &Side| {
            on(action, side).with(CONTEXT, self.scene.bucket_arn(side)).expecting(is_denied.clone())
        };
        let both = |action: &str, side: &Side| [on(action, side), of_s3(action, side)];
        let calls = |side| ["kms:Decrypt", "kms:Encrypt"].map(|action| both(action, side));
        // CloudTrail has no resources in policies (Service Authorization Reference, "Actions defined by
        // AWS CloudTrail").
        let ask = Call::new(&self.who, "cloudtrail:LookupEvents", "*", self.account)
            .forbidden_actions(&["cloudtrail:StopLogging"]);
        self.own().flat_map(calls).flatten().chain([ask]).collect()
    }

    /// The index of tags has no resources in policies (Service Authorization Reference, "Actions
    /// defined by Amazon Resource Group Tagging API").
    pub(super) fn tag_index(&self) -> Option<Call> {
        let call = Call::new(&self.who, "tag:GetResources", "*", self.account);
        self.own().next().map(|_| call.forbidden_actions(&["tag:TagResources"]))
    }

    pub(super) fn revive(&self) -> Vec<Call> {
        let on = |action, side| self.bearing_tags(self.on_key(action, side));
        let sides = self.own();
        sides
            .flat_map(|side| ["kms:CancelKeyDeletion", "kms:EnableKey"].map(|it| on(it, side)))
            .collect()
    }
}
