//! The calls that crrctl makes, by part of a run, each evaluated under the document of that part.
//! A test compares this list with the calls of `steps`, `observe` and `probe`.
//! Names of actions: Service Authorization Reference for IAM, KMS and S3.
//! Not for: the calls that S3 makes (see `replication`, `batch`).

mod actions;
mod alarms;
mod alerts;
mod backfill;
mod fleet;

use super::call::{Call, OwnPolicies, PolicyCaller, ResourcePolicyOf};
use super::reverse::with_reverse;
use super::scene::{Scene, TLS, through_s3};
use super::{Document, Part};
use crate::manifest::{KeyKind, KeyWish, Profile, Side, Topology};
use crate::names::AccountId;
use actions::{
    KEY_READS, LIFECYCLE_WRITE, ROLE_WRITES, STAYING, TAKING_KEYS, bucket_reads, bucket_writes,
    giving_back,
};
use crrctl_iam::Principal;

const NOT_ON_BUCKETS: [&str; 2] = ["s3:PutBucketAcl", "s3:PutBucketWebsite"];
const NOT_ON_OBJECTS: [&str; 2] = ["s3:PutObjectAcl", "s3:RestoreObject"];
const NOT_ON_KEYS: [&str; 2] = ["kms:CreateGrant", "kms:DisableKey"];
const NOT_ON_ROLES: [&str; 2] = ["iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary"];
/// A single-Region key: a policy written before the key exists covers only multi-Region keys.
const SINGLE_REGION_KEY: &str = "key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// Returns every call of `part`, and the related calls that must be denied.
pub(super) fn calls(scene: &Scene<'_>, part: Part, account: &AccountId) -> Vec<Call> {
    let arn = scene.iam(account, "user/operator");
    let caller = Principal::User { arn, id: None };
    let is_home = account == &scene.topology.source.account;
    let document = if is_home {
        Document::Operator(part)
    } else {
        Document::OperatorOf(part, account.clone())
    };
    let who =
        PolicyCaller { section: part.section(), caller, own: OwnPolicies::Document(document) };
    let operator = Operator { scene, who, account, is_home };
    let calls = match part {
        Part::Plan => operator.plan().into_iter().chain(operator.reads_alarms()).collect(),
        Part::Apply => [operator.apply(), operator.on_alarms(&alarms::WRITES)].concat(),
        Part::Probe => operator.probe(),
        Part::Backfill => operator.backfill(),
        Part::Destroy => {
            let alarms = operator.on_alarms(&[alarms::DELETE]);
            operator.destroy().into_iter().chain(operator.tag_index()).chain(alarms).collect()
        }
        Part::Purge => operator.purge(),
        Part::Bypass => operator.bypass(),
        Part::Fleet => [operator.fleet(), operator.finds_alarms()].concat(),
        Part::Revive => operator.revive(),
        Part::Check => operator.check(),
        Part::Objects => operator.objects(),
        Part::Ask => operator.ask(),
        Part::Prune => [operator.prune(), operator.on_alarms(&[alarms::DELETE])].concat(),
    };
    with_reverse(calls.into_iter().map(|call| call.with(TLS, "true")).collect())
}

struct Operator<'a> {
    scene: &'a Scene<'a>,
    who: PolicyCaller,
    account: &'a AccountId,
    /// Whether `account` is the account of the source, which has the role and the rules.
    is_home: bool,
}

impl Operator<'_> {
    fn plan(&self) -> Vec<Call> {
        let topology = self.scene.topology;
        let mut calls = vec![self.asks_simulator()];
        for side in self.sides() {
            calls.extend(bucket_reads().into_iter().map(|it| self.on_bucket(it, side)));
            if self.sides().any(|it| !topology.across_to(it).is_empty()) {
                calls.push(self.on_bucket("s3:GetBucketRequestPayment", side));
            }
            calls.extend(self.on_log_target(side));
            calls.extend(self.on_probes("s3:GetObjectVersion", side));
            match &side.key {
                KeyWish::Ours => {
                    // The key that the alias names is unknown, so access to any key is needed.
                    calls.push(self.any_key("kms:DescribeKey", side));
                    calls.extend(KEY_READS.map(|it| self.on_key(it, side)));
                }
                KeyWish::Existing(_) => {
                    let reads = ["kms:DescribeKey", "kms:GetKeyPolicy"];
                    calls.extend(reads.map(|it| {
                        self.scene.on_key(&self.who, it, side).forbidden_actions(&NOT_ON_KEYS)
                    }));
                    calls.extend(self.on_own_existing("kms:ListResourceTags", side));
                }
                KeyWish::Nothing => {}
            }
        }
        calls.extend(self.reads_alerts());
        for side in self.primaries() {
            calls.push(self.on_key("kms:GetKeyRotationStatus", side));
            let list = Call::new(&self.who, "kms:ListKeys", "*", self.account)
                .demanding("StringEquals", "aws:RequestedRegion", side.region.as_str())
                .forbidden_actions(&["kms:CreateCustomKeyStore"]);
            calls.push(list);
        }
        // CloudWatch metrics have no ARNs (Service Authorization Reference, "Actions defined by
        // Amazon CloudWatch").
        let directions = self.directions();
        let measured = directions.iter().flat_map(|direction| direction.metric_regions());
        calls.extend(measured.map(|region| {
            Call::new(&self.who, "cloudwatch:GetMetricData", "*", self.account)
                .demanding("StringEquals", "aws:RequestedRegion", region.as_str())
                .forbidden_actions(&["cloudwatch:PutMetricData"])
        }));
        let reads = [
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
        ];
        for direction in &directions {
            calls.extend(reads.map(|action| self.on_role_of(direction, action)));
        }
        if !directions.is_empty() && !topology.role_settings.is_ours() {
            calls.extend(self.on_policies());
        }
        if !self.is_home {
            return calls;
        }
        calls.extend(reads.map(|action| self.on_batch_role(action)));
        calls.extend(bucket_reads().into_iter().filter_map(|it| self.on_report_bucket(it)));
        calls
    }

    /// Returns the call on the existing key of a side, if the key is in this operator's account.
    fn on_own_existing(&self, action: &str, side: &Side) -> Option<Call> {
        let topology = self.scene.topology;
        if !matches!(side.key, KeyWish::Existing(_)) {
            return None;
        }
        let call = self.scene.on_key(&self.who, action, side).forbidden_actions(&NOT_ON_KEYS);
        let key = topology.wanted.key_arn(&self.scene.keys, side)?;
        (key.account() == self.account.as_str()).then_some(call)
    }

    fn apply(&self) -> Vec<Call> {
        let (scene, topology) = (self.scene, self.scene.topology);
        let source = &topology.source;
        let service_role = "role/aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys";
        let other_role = "role/aws-service-role/other.amazonaws.com/AWSServiceRoleForOther";
        let other_role = scene.iam(&topology.source.account, other_role).to_string();
        let service_role = scene.iam(&topology.source.account, service_role);
        let mut calls = Vec::new();
        if self.is_home && topology.wanted.key.kind == KeyKind::MultiRegion {
            calls.push(
                Call::new(
                    &self.who,
                    "iam:CreateServiceLinkedRole",
                    service_role,
                    &topology.source.account,
                )
                .demanding("StringEquals", "iam:AWSServiceName", "mrk.kms.amazonaws.com")
                .foreign_resources([(other_role, ResourcePolicyOf::Nothing)])
                .forbidden_actions(&["iam:DeleteServiceLinkedRole"]),
            );
        }
        if self.own().next().is_some() {
            calls.push(
                self.tagged(Call::new(&self.who, "kms:CreateKey", "*", self.account))
                    .forbidden_actions(&["kms:CreateCustomKeyStore"]),
            );
        }
        for side in self.own() {
            calls.push(self.tagged(self.any_key("kms:TagResource", side)));
            calls.extend(self.alias("kms:CreateAlias", side));
            calls.extend(self.alias("kms:UpdateAlias", side));
            for action in ["kms:PutKeyPolicy", "kms:UntagResource"] {
                calls.push(self.bearing_tags(self.on_key(action, side)));
            }
        }
        for side in self.sides() {
            let pair = topology.wanted.name.as_str();
            let mark = self.on_own_existing("kms:TagResource", side);
            calls.extend(
                mark.map(|it| it.demanding("StringEquals", Topology::SHARED_REQUEST, pair)),
            );
            let writes =
                bucket_writes(&topology.wanted.buckets, topology.wanted.adopts(&side.bucket));
            calls.extend(writes.into_iter().map(|it| self.on_bucket(it, side)));
            if !topology.wanted.tls_only && !topology.wanted.deny_other_keys && self.is_home {
                calls.push(self.on_bucket("s3:DeleteBucketPolicy", side));
            }
        }
        calls.extend(self.writes_alerts(|_| true));
        if self.is_home && topology.wanted.key.kind == KeyKind::MultiRegion {
            calls.extend(topology.key_regions().into_iter().skip(1).map(|region| {
                let replicate = self.on_key("kms:ReplicateKey", source);
                replicate.demanding("StringEquals", "kms:ReplicaRegion", region.as_str())
            }));
        }
        for side in self.primaries() {
            calls.push(match topology.wanted.key.rotation_days {
                Some(days) => self.on_key("kms:EnableKeyRotation", side).demanding(
                    "NumericEquals",
                    "kms:RotationPeriodInDays",
                    days.to_string(),
                ),
                None => self.on_key("kms:DisableKeyRotation", side),
            });
            calls.push(self.bearing_tags(self.on_key("kms:ScheduleKeyDeletion", side)));
        }
        calls.extend(self.sources().map(|it| self.on_bucket("s3:PutReplicationConfiguration", it)));
        for direction in self.directions() {
            let on_role = |action: &str| self.on_role_of(&direction, action);
            if topology.role_settings.is_ours() {
                calls.extend(["iam:CreateRole", "iam:TagRole"].map(|it| self.tagged(on_role(it))));
                calls.extend(ROLE_WRITES.map(on_role));
            }
            if let Some(boundary) = &direction.role_settings.boundary {
                let put = on_role("iam:PutRolePermissionsBoundary");
                let (is, key) = ("StringEquals", "iam:PermissionsBoundary");
                calls.push(put.demanding(is, key, boundary.as_str()));
            }
            calls.push(self.pass_role(&direction));
        }
        calls
    }

    fn probe(&self) -> Vec<Call> {
        let topology = self.scene.topology;
        let uploads = [
            "s3:AbortMultipartUpload",
            // `--delete-marker` deletes probes without naming a version.
            "s3:DeleteObject",
            "s3:GetObjectVersion",
            "s3:PutObject",
            "s3:PutObjectTagging",
        ];
        let on_sources = |action| self.sources().flat_map(move |it| self.on_probes(action, it));
        // The source's operator reads and deletes the probes on handed-over sides.
        let shared = || topology.handed_over().filter(|_| self.is_home);
        let replicated =
            || self.sides().filter(|side| topology.replicates_to(side)).chain(shared());
        let mut calls: Vec<Call> = uploads.into_iter().flat_map(on_sources).collect();
        if topology.wanted.buckets.retention().is_some() {
            calls.extend(on_sources("s3:PutObjectRetention"));
            let bypass = |side| self.on_probes("s3:BypassGovernanceRetention", side);
            calls.extend(self.sides().flat_map(bypass));
        }
        calls.extend(replicated().flat_map(|it| self.on_probes("s3:GetObject", it)));
        calls.extend(shared().flat_map(|it| self.lists_of_probes(it)));
        let all = self.sides().chain(shared());
        calls.extend(all.flat_map(|it| self.on_probes("s3:DeleteObjectVersion", it)));
        for action in ["kms:Decrypt", "kms:GenerateDataKey"] {
            calls.extend(self.sources().flat_map(|it| self.through_s3(action, it)));
        }
        calls.extend(replicated().flat_map(|it| self.through_s3("kms:Decrypt", it)));
        calls
    }

    fn destroy(&self) -> Vec<Call> {
        let topology = self.scene.topology;
        let mut calls = Vec::new();
        for side in self.sides() {
            calls.extend(self.on_probes("s3:DeleteObjectVersion", side));
            calls.extend(STAYING.map(|it| self.on_object(it, side, "", &[""])));
            calls.push(self.on_bucket("s3:DeleteBucket", side));
        }
        for side in self.own() {
            calls.extend(self.alias("kms:DeleteAlias", side));
            calls.extend(TAKING_KEYS.map(|it| self.bearing_tags(self.on_key(it, side))));
        }
        for side in self.sides().filter(|side| topology.wanted.adopts(&side.bucket)) {
            calls.extend(giving_back().map(|it| self.on_bucket(it, side)));
            if topology.wanted.buckets.lifecycle.is_wanted() {
                calls.push(self.on_bucket(LIFECYCLE_WRITE, side));
            }
        }
        calls.extend(self.writes_alerts(|side| topology.wanted.adopts(&side.bucket)));
        let deletes = ["iam:DeleteRole", "iam:DeleteRolePolicy"];
        for direction in self.directions() {
            calls.push(self.on_bucket("s3:PutReplicationConfiguration", &direction.source));
            // Replication rules that remain are written back with the role that they have.
            calls.push(self.pass_role(&direction));
            if topology.role_settings.is_ours() {
                calls.extend(deletes.map(|it| self.on_role_of(&direction, it)));
            }
        }
        if !self.is_home {
            return calls;
        }
        calls.extend(self.ends_jobs(&deletes));
        calls.extend(self.on_report_bucket("s3:DeleteBucket"));
        calls.push(self.on_report("s3:DeleteObjectVersion"));
        if !topology.reports().with_data {
            calls.extend(STAYING.map(|it| self.on_report(it)));
        }
        calls
    }

    /// Returns the directions whose role is in this operator's account.
    fn directions(&self) -> Vec<Topology> {
        self.scene.topology.directions_of(self.account)
    }

    /// Returns the sides in this operator's account.
    fn sides(&self) -> impl Iterator<Item = &Side> {
        self.scene.topology.sides_in(self.account)
    }

    fn on_bucket(&self, action: &str, side: &Side) -> Call {
        self.scene.on_bucket(&self.who, action, side).forbidden_actions(&NOT_ON_BUCKETS)
    }

    /// Returns the sides whose keys crrctl creates.
    fn own(&self) -> impl Iterator<Item = &Side> {
        self.sides().filter(|side| side.has_own_key())
    }

    /// Returns the sides whose keys are primary or single-Region keys, not replica keys.
    fn primaries(&self) -> impl Iterator<Item = &Side> {
        let is_shared = self.scene.topology.wanted.key.kind == KeyKind::MultiRegion;
        self.own().take(if is_shared { 1 } else { usize::MAX })
    }

    fn on_object(&self, action: &str, side: &Side, prefix: &str, all: &[&str]) -> Call {
        self.scene
            .on_object(&self.who, action, side, prefix, all)
            .forbidden_actions(&NOT_ON_OBJECTS)
    }

    fn on_probes(&self, action: &str, side: &Side) -> Vec<Call> {
        let prefixes = self.scene.topology.probe_prefixes(side);
        let all: Vec<&str> = prefixes.iter().map(String::as_str).collect();
        all.iter().map(|prefix| self.on_object(action, side, prefix, &all)).collect()
    }

    /// Returns a call on any key of the pair's Regions. A key in another Region must be denied.
    fn any_key(&self, action: &str, side: &Side) -> Call {
        let (scene, at) = (self.scene, self.scene.key_policy(side));
        let elsewhere = scene.key_arn(side).replace(side.region.as_str(), "xx-elsewhere-9");
        Call::new(&self.who, action, scene.key_arn(side), &scene.key_owner(side))
            .at(at.clone())
            .foreign_resources([(elsewhere, at)])
            .forbidden_actions(&NOT_ON_KEYS)
    }

    /// Returns a call on a multi-Region key of the pair's Regions; other keys must be denied. Ids
    /// of single-Region keys have no common prefix; the ARN of an existing key is known.
    fn on_key(&self, action: &str, side: &Side) -> Call {
        let scene = self.scene;
        match (&side.key, scene.topology.wanted.key.kind) {
            (KeyWish::Ours, KeyKind::MultiRegion) => {
                let other = scene.kms(&side.region, SINGLE_REGION_KEY);
                self.any_key(action, side).foreign_resources([(other, scene.key_policy(side))])
            }
            (KeyWish::Ours, _) => self.any_key(action, side),
            _ => scene.on_key(&self.who, action, side).forbidden_actions(&NOT_ON_KEYS),
        }
    }

    /// A call on an alias needs a permission on the alias and one on its key
    /// (KMS Developer Guide, "Controlling access to aliases").
    fn alias(&self, action: &str, side: &Side) -> [Call; 2] {
        let topology = self.scene.topology;
        let alias = topology.wanted.key.alias.arn(&side.region, self.account);
        let decoy = (format!("{alias}-other"), ResourcePolicyOf::Nothing);
        let on_alias = Call::new(&self.who, action, alias, self.account)
            .foreign_resources([decoy])
            .forbidden_actions(if action == "kms:DeleteAlias" {
                &["kms:UpdateAlias"]
            } else {
                &["kms:DeleteAlias"]
            });
        [on_alias, self.on_key(action, side)]
    }

    /// Returns a call that gives the new resource both tags.
    fn tagged(&self, call: Call) -> Call {
        let topology = self.scene.topology;
        call.demanding("StringEquals", "aws:RequestTag/crrctl:id", topology.wanted.id()).demanding(
            "StringEquals",
            "aws:RequestTag/crrctl:pair",
            topology.wanted.name.as_str(),
        )
    }

    /// Returns a call on a resource that has both tags.
    fn bearing_tags(&self, call: Call) -> Call {
        let topology = self.scene.topology;
        call.demanding("StringEquals", "aws:ResourceTag/crrctl:id", topology.wanted.id()).demanding(
            "StringEquals",
            "aws:ResourceTag/crrctl:pair",
            topology.wanted.name.as_str(),
        )
    }

    /// Reading and writing probes needs the key, through S3 only.
    fn through_s3(&self, action: &str, side: &Side) -> Vec<Call> {
        if !side.has_key() {
            return Vec::new();
        }
        let bucket = self.scene.bucket_arn(side);
        let prefixes = self.scene.topology.probe_prefixes(side);
        let mut contexts: Vec<String> =
            prefixes.iter().map(|prefix| self.scene.object_arn(side, prefix)).collect();
        let mut not_for = vec![format!("{bucket}/0/outside")];
        match self.scene.topology.wanted.profile {
            Profile::Compatible => contexts.push(bucket),
            Profile::Strict => not_for.push(bucket),
        }
        through_s3(&self.on_key(action, side), side, &contexts, &not_for)
    }
}
