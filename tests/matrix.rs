//! The matrix: each kind of cause that keeps objects from replicating, met by a fresh probe, by an object
//! that FAILED, in a pair of others that was imported, and across accounts. The true cause is named
//! first.
//! Not for: every way to break a pair (see `confusion`).

use crate::common::{DESTINATION, SOURCE, Stand, iam, kms_of, s3_of};
use crate::survival::stride;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types as t;
use crrctl_sandbox::DEFAULT_ACCOUNT as HOME;
use serde_json::{Value, json};

const OTHER: &str = "444455556666";
const ROLE: &str = "crrctl-demo-us-east-1";

/// Who meets the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    Probe,
    Object,
    Imported,
    AnotherAccount,
}

const ALL: [Met; 4] = [Met::Probe, Met::Object, Met::Imported, Met::AnotherAccount];

/// A cause: what it is, the check that names it, and a word that this says.
type Cause = (&'static str, &'static str, &'static str);

const CAUSES: [Cause; 14] = [
    ("trust", "role.trust", "aws:SourceAccount"),
    ("boundary", "role.boundary", "kms:"),
    ("SCP", "organisation", "service"),
    ("RCP", "organisation", "resource control"),
    ("key policy", "key.policy", "NoReplicas"),
    ("encryption context", "key.policy", "NoReplicas"),
    ("key state", "key.state", "Disabled"),
    ("VPC endpoint", "bucket.policy", "aws:SourceVpce"),
    ("organization id", "bucket.policy", "aws:PrincipalOrgID"),
    ("tags", "role.policy", "s3:GetObjectVersionForReplication"),
    ("lock", "role.policy", "s3:GetObjectRetention"),
    ("ownership", "role.policy", "s3:ObjectOwnerOverrideToBucketOwner"),
    ("storage class", "bucket.policy", "(Denied)"),
    ("encryption header", "bucket.policy", "(Denied)"),
];

/// A pair that stands, and how it is met.
struct Pair {
    stand: Stand,
    manifest: String,
    met: Met,
    account: &'static str,
    destination: String,
}

impl Pair {
    fn build(cause: &str, met: Met) -> Self {
        let stand = Stand::new();
        stand.profile("archive", OTHER);
        let (account, to) = match met {
            Met::AnotherAccount => {
                (OTHER, "{region: us-west-2, profile: archive, owner_override: true}")
            }
            _ => (HOME, "{region: us-west-2}"),
        };
        let kind = if account == OTHER { "key: {kind: per-region}\n" } else { "" };
        let lock = "buckets: {object_lock: {mode: governance, days: 1}}\n";
        let lock = if cause == "lock" { lock } else { "" };
        let manifest = format!(
            "name: demo\nsource: {{region: us-east-1}}\ndestinations: [{to}]\n{kind}{lock}"
        );
        let _ = stand.manifest(&["apply", "--yes", "--no-probe", "-q"], &manifest).exits(0);
        let destination = DESTINATION.replace(HOME, account);
        let mut pair = Self { stand, manifest, met, account, destination };
        if met == Met::Imported {
            pair.disown();
            let imported = pair.stand.run(&["import", SOURCE, "-o", "json"]).exits(0).json();
            imported["manifest"].as_str().unwrap().clone_into(&mut pair.manifest);
        }
        pair
    }

    fn s3(&self, there: bool) -> aws_sdk_s3::Client {
        let (account, region) =
            if there { (self.account, "us-west-2") } else { (HOME, "us-east-1") };
        s3_of(account, self.stand.endpoint(), region)
    }

    fn kms(&self, there: bool) -> aws_sdk_kms::Client {
        let (account, region) =
            if there { (self.account, "us-west-2") } else { (HOME, "us-east-1") };
        kms_of(account, self.stand.endpoint(), region)
    }

    /// Takes the tags of the pair away, so that it is somebody else's.
    fn disown(&self) {
        let tags = |key: &str| t::Tag::builder().key(key).value("them").build().unwrap();
        let iam = iam(self.stand.endpoint());
        self.stand.wait(async {
            for (there, bucket) in [(false, SOURCE), (true, self.destination.as_str())] {
                let all = t::Tagging::builder().tag_set(tags("owner")).build().unwrap();
                let put = self.s3(there).put_bucket_tagging().bucket(bucket).tagging(all);
                put.send().await.unwrap();
                let kms = self.kms(there);
                let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
                let key = key.key_metadata().unwrap().key_id().to_owned();
                let live = kms.list_resource_tags().key_id(&key).send().await.unwrap();
                let names = live.tags().iter().map(|tag| tag.tag_key().to_owned()).collect();
                let untag = kms.untag_resource().key_id(&key).set_tag_keys(Some(names));
                untag.send().await.unwrap();
                kms.delete_alias().alias_name("alias/crrctl/demo").send().await.unwrap();
            }
            let live = iam.list_role_tags().role_name(ROLE).send().await.unwrap();
            let names = live.tags().iter().map(|tag| tag.key().to_owned()).collect();
            iam.untag_role().role_name(ROLE).set_tag_keys(Some(names)).send().await.unwrap();
        });
    }

    /// Adds a statement to the role's policy.
    fn deny_role(&self, action: &str, condition: &Value) {
        let iam = iam(self.stand.endpoint());
        self.stand.wait(async {
            let live = iam.get_role_policy().role_name(ROLE).policy_name("replication");
            let live = live.send().await.unwrap().policy_document().to_owned();
            let live = percent_encoding::percent_decode_str(&live).decode_utf8_lossy().into_owned();
            let denied = json!({"Sid": "Denied", "Effect": "Deny", "Action": action, "Resource": "*",
                "Condition": condition});
            let put = iam.put_role_policy().role_name(ROLE).policy_name("replication");
            put.policy_document(with(&live, denied)).send().await.unwrap();
        });
    }

    /// Denies the replicas on a condition, by the policy of the destination.
    fn deny_replicas(&self, condition: &Value) {
        let (s3, bucket) = (self.s3(true), self.destination.as_str());
        self.stand.wait(async {
            let live = s3.get_bucket_policy().bucket(bucket).send().await.ok();
            let live = live.and_then(|it| it.policy().map(str::to_owned));
            let live =
                live.unwrap_or_else(|| r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned());
            let denied = json!({"Sid": "Denied", "Effect": "Deny", "Principal": "*",
                "Action": "s3:ReplicateObject", "Resource": format!("arn:aws:s3:::{bucket}/*"),
                "Condition": condition});
            let put = s3.put_bucket_policy().bucket(bucket).policy(with(&live, denied));
            put.send().await.unwrap();
        });
    }

    /// Adds a statement to the policy of the key under which a bucket is.
    fn deny_key(&self, there: bool, action: &str, condition: &Value) {
        let kms = self.kms(there);
        let key = self.key(there);
        self.stand.wait(async {
            let live = kms.get_key_policy().key_id(&key).policy_name("default").send().await;
            let live = live.unwrap().policy().unwrap().to_owned();
            let mut denied = json!({"Sid": "NoReplicas", "Effect": "Deny", "Principal": "*",
                "Action": action, "Resource": "*", "Condition": condition});
            denied["Condition"]["ArnLike"] =
                json!({"aws:PrincipalArn": format!("arn:aws:iam::{HOME}:role/crrctl/*")});
            let put = kms.put_key_policy().key_id(&key).policy(with(&live, denied));
            put.send().await.unwrap();
        });
    }

    fn key(&self, there: bool) -> String {
        let bucket = if there { self.destination.as_str() } else { SOURCE };
        let s3 = self.s3(there);
        self.stand.wait(async {
            let live = s3.get_bucket_encryption().bucket(bucket).send().await.unwrap();
            let rules = live.server_side_encryption_configuration().unwrap().rules().to_vec();
            let by = rules[0].apply_server_side_encryption_by_default().unwrap();
            by.kms_master_key_id().unwrap().to_owned()
        })
    }

    /// Brings the cause about. Returns false where there is no such thing.
    fn breaks(&self, cause: &str) -> bool {
        let iam = iam(self.stand.endpoint());
        let denies = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
            "Principal": "*", "Action": "s3:ReplicateObject", "Resource": "*"}]});
        match cause {
            "trust" => {
                let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                    "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}]});
                let update = iam.update_assume_role_policy().role_name(ROLE);
                let update = update.policy_document(trust.to_string());
                self.stand.wait(async { drop(update.send().await.unwrap()) });
            }
            "boundary" => self.stand.wait(async {
                let bound = json!({"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]});
                let made = iam.create_policy().policy_name("bound");
                made.policy_document(bound.to_string()).send().await.unwrap();
                let put = iam.put_role_permissions_boundary().role_name(ROLE);
                let arn = format!("arn:aws:iam::{HOME}:policy/bound");
                put.permissions_boundary(arn).send().await.unwrap();
            }),
            "SCP" => {
                let mut denies = denies;
                denies["Statement"][0].as_object_mut().unwrap().remove("Principal");
                self.stand.sandbox().set_organization(&[&denies.to_string()], &[]).unwrap();
            }
            "RCP" => self.stand.sandbox().set_organization(&[], &[&denies.to_string()]).unwrap(),
            "key policy" => self.deny_key(true, "kms:Encrypt", &json!({})),
            "encryption context" => {
                let elsewhere = json!({"StringNotLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::other*"}});
                self.deny_key(false, "kms:Decrypt", &elsewhere);
            }
            "key state" => {
                let disable = self.kms(true).disable_key().key_id(self.key(true));
                self.stand.wait(async { drop(disable.send().await.unwrap()) });
            }
            "VPC endpoint" => {
                self.deny_replicas(&json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}));
            }
            "organization id" => {
                self.deny_replicas(&json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}));
            }
            "tags" => self.deny_role(
                "s3:GetObjectVersionForReplication",
                &json!({"StringNotEquals": {"s3:ExistingObjectTag/class": "open"}}),
            ),
            "lock" => self.deny_role("s3:GetObjectRetention", &json!({})),
            // Within one account, replicas belong to that account anyway.
            "ownership" if self.met != Met::AnotherAccount => return false,
            "ownership" => self.deny_role("s3:ObjectOwnerOverrideToBucketOwner", &json!({})),
            "storage class" => self.deny_replicas(
                &json!({"StringNotEquals": {"s3:x-amz-storage-class": "GLACIER_IR"}}),
            ),
            "encryption header" => self.deny_replicas(
                &json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}),
            ),
            other => panic!("{other}"),
        }
        true
    }

    /// Lets an object meet the cause, and returns what is said of it.
    fn told(&self) -> Value {
        if self.met == Met::Probe {
            let args = ["probe", "--patience", "1s", "-o", "json"];
            return self.stand.manifest(&args, &self.manifest).exits(6).json();
        }
        let s3 = self.s3(false);
        self.stand.wait(async {
            let put = s3.put_object().bucket(SOURCE).key("a/b").body(ByteStream::from_static(b"a"));
            put.send().await.unwrap();
        });
        Stand::wait_until("the object is FAILED", || {
            self.stand.wait(async {
                let head = s3.head_object().bucket(SOURCE).key("a/b").send().await.unwrap();
                let status = head.replication_status().cloned();
                assert_ne!(status, Some(t::ReplicationStatus::Completed), "it was replicated");
                status == Some(t::ReplicationStatus::Failed)
            })
        });
        let object = format!("s3://{SOURCE}/a/b");
        self.stand.manifest(&["check", &object, "-o", "json"], &self.manifest).exits(2).json()
    }
}

/// Returns a policy with one more statement.
fn with(policy: &str, statement: Value) -> String {
    let mut policy: Value = serde_json::from_str(policy).unwrap();
    let mut statement = statement;
    if statement["Condition"].as_object().is_some_and(serde_json::Map::is_empty) {
        statement.as_object_mut().unwrap().remove("Condition");
    }
    policy["Statement"].as_array_mut().unwrap().push(statement);
    policy.to_string()
}

/// Returns the check that is named first, with what it says.
fn first(told: &Value) -> (String, String) {
    let checks = told["checks"].as_array().unwrap_or_else(|| panic!("{told:#}"));
    let of = |result: &str| {
        let mut of = checks.iter().filter(|it| it["result"] == result);
        of.find(|it| it["name"] != "objects.failed")
    };
    let found = of("fail").or_else(|| of("unknown")).unwrap_or_else(|| panic!("{told:#}"));
    let text = |part: &str| found[part].as_str().unwrap_or_default().to_owned();
    (text("name"), format!("{} {}", text("detail"), text("remedy")))
}

/// By day each cause is met once, by another of the four; with `CRRCTL_THOROUGH`, by all.
#[test]
fn the_true_cause_is_named_first() {
    let (mut cells, mut wrong) = (0, Vec::new());
    for (row, (cause, check, word)) in CAUSES.into_iter().enumerate() {
        for (column, met) in ALL.into_iter().enumerate() {
            let by_day = if cause == "ownership" { 3 } else { row % ALL.len() };
            if stride(2) > 1 && column != by_day {
                continue;
            }
            let pair = Pair::build(cause, met);
            if !pair.breaks(cause) {
                continue;
            }
            let (named, says) = first(&pair.told());
            cells += 1;
            let is_right = named == check && says.contains(word);
            println!(
                "{} {cause:<20} {met:<16} {named}",
                if is_right { " " } else { "!" },
                met = format!("{met:?}")
            );
            if !is_right {
                wrong.push(format!("{cause}, {met:?}: {named} is not {check} ({word}): {says}"));
            }
        }
    }
    println!("{} of {cells} causes named first", cells - wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cells >= 14, "{cells}");
}
