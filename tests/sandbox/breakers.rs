//! The ways to break a pair, one at a time: how, the reason that S3 gives, and the check that must
//! name it. Shared by what tests the sandbox and by what tests `check`.

use super::{ACCOUNT, EAST, OTHER, ROLE, Stand, TRUST, WEST};
use aws_sdk_s3::types::{
    BucketVersioningStatus, EncryptionConfiguration, ReplicationConfiguration, ReplicationRule,
    VersioningConfiguration,
};
use serde_json::{Value, json};

pub(crate) const SOURCE: &str = "break-src";
pub(crate) const DESTINATION: &str = "break-dst";

/// The role's policy, one statement an action.
pub(crate) fn role_policy(primary: &str, replica: &str) -> Value {
    let allow = |action: &str, resource: Value| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let (source, objects) = ("arn:aws:s3:::break-src", "arn:aws:s3:::break-src/*");
    let replicas = "arn:aws:s3:::break-dst/*";
    let mut statements = vec![
        allow("s3:GetReplicationConfiguration", json!(source)),
        allow("s3:ListBucket", json!(source)),
        allow("s3:GetObjectVersionForReplication", json!(objects)),
        allow("s3:GetObjectVersionAcl", json!(objects)),
        allow("s3:GetObjectVersionTagging", json!(objects)),
        allow("s3:ReplicateObject", json!(replicas)),
        allow("s3:ReplicateDelete", json!(replicas)),
        allow("s3:ReplicateTags", json!(replicas)),
    ];
    statements[5]["Condition"] = json!({
        "StringEquals": {"s3:ResourceAccount": ACCOUNT},
        "StringLikeIfExists": {
            "s3:x-amz-server-side-encryption": "aws:kms",
            "s3:x-amz-server-side-encryption-aws-kms-key-id": replica,
        },
    });
    for (action, key, region, bucket) in [
        ("kms:Decrypt", primary, EAST, SOURCE),
        ("kms:Encrypt", replica, WEST, DESTINATION),
        ("kms:GenerateDataKey", replica, WEST, DESTINATION),
        ("kms:Decrypt", replica, WEST, DESTINATION),
    ] {
        let arn = format!("arn:aws:s3:::{bucket}");
        let mut statement = allow(action, json!(key));
        statement["Condition"] = json!({"StringLike": {
            "kms:ViaService": format!("s3.{region}.amazonaws.com"),
            "kms:EncryptionContext:aws:s3:arn": [arn, format!("{arn}/*")],
        }});
        statements.push(statement);
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// How a pair is broken.
#[derive(Debug, Clone)]
pub(crate) enum How {
    /// The role's inline policy becomes this.
    Role(Value),
    /// The role's trust policy becomes this.
    Trust(String),
    /// The role gets a boundary that allows these actions.
    Boundary(&'static str),
    /// The role loses its policy.
    NoPolicy,
    /// The role goes; it does not come back.
    NoRole,
    /// The key in a Region gets these statements.
    Key(&'static str, Vec<Value>),
    /// The replica key is disabled.
    Disabled,
    /// The replica key waits for its deletion.
    Pending,
    /// The rule names this key for replicas.
    ReplicaKey(String),
    /// Versioning of the destination is suspended.
    Suspended,
    /// A bucket gets a policy that denies an action to everybody.
    Denied(&'static str, &'static str),
}

/// One way to break a pair.
#[derive(Debug, Clone)]
pub(crate) struct Break {
    pub(crate) what: String,
    pub(crate) how: How,
    /// The reason that an object FAILED with; none where objects replicate all the same.
    pub(crate) reason: Option<&'static str>,
    /// The reason that a delete marker FAILED with, where that was tried.
    pub(crate) marker: Option<&'static str>,
    /// The check that names the cause, and a word of the detail or the remedy.
    pub(crate) check: &'static str,
    pub(crate) word: String,
}

impl Break {
    fn new(
        what: impl Into<String>,
        how: How,
        reason: &'static str,
        check: &'static str,
        word: &str,
    ) -> Self {
        let (what, word) = (what.into(), word.to_owned());
        Self { what, how, reason: Some(reason), marker: None, check, word }
    }
}

/// A pair under KMS, and what it was like whole.
pub(crate) struct Pair {
    pub(crate) stand: Stand,
    pub(crate) primary: String,
    pub(crate) replica: String,
    policy: String,
    trust: String,
    keys: [String; 2],
    buckets: [Option<String>; 2],
    pub(crate) rules: ReplicationConfiguration,
}

impl Pair {
    /// Takes the pair that stands: both buckets, the role `replication`, the keys.
    pub(crate) async fn of(stand: Stand, primary: String, replica: String) -> Self {
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
        };
        let iam = stand.iam();
        let policy = iam.get_role_policy().role_name("replication").policy_name("replication");
        let policy = decoded(policy.send().await.unwrap().policy_document());
        let role = iam.get_role().role_name("replication").send().await.unwrap();
        let trust = decoded(role.role().unwrap().assume_role_policy_document().unwrap());
        let mut keys = [String::new(), String::new()];
        for (at, region, key) in [(0, EAST, &primary), (1, WEST, &replica)] {
            let get = stand.kms(region).get_key_policy().key_id(key).policy_name("default");
            get.send().await.unwrap().policy().unwrap().clone_into(&mut keys[at]);
        }
        let mut buckets = [None, None];
        for (at, region, bucket) in [(0, EAST, SOURCE), (1, WEST, DESTINATION)] {
            let get = stand.s3(region).get_bucket_policy().bucket(bucket).send().await;
            buckets[at] = get.ok().and_then(|output| output.policy().map(str::to_owned));
        }
        let rules = stand.s3(EAST).get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let rules = rules.replication_configuration().unwrap().clone();
        Self { stand, primary, replica, policy, trust, keys, buckets, rules }
    }

    pub(crate) async fn breaks(&self, how: &How) {
        let (iam, west) = (self.stand.iam(), self.stand.kms(WEST));
        match how {
            How::Role(policy) => self.grant(&policy.to_string()).await,
            How::Trust(text) => self.trusts(text).await,
            How::Boundary(actions) => {
                let text = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
                let made =
                    iam.create_policy().policy_name("bound").policy_document(text.to_string());
                let arn = made.send().await.unwrap().policy().unwrap().arn().unwrap().to_owned();
                let bound = iam.put_role_permissions_boundary().role_name("replication");
                bound.permissions_boundary(arn).send().await.unwrap();
            }
            How::NoPolicy | How::NoRole => {
                let delete = iam.delete_role_policy().role_name("replication");
                delete.policy_name("replication").send().await.unwrap();
                if matches!(how, How::NoRole) {
                    iam.delete_role().role_name("replication").send().await.unwrap();
                }
            }
            How::Key(region, statements) => {
                let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
                self.key_policy(region, &text).await;
            }
            How::Disabled => drop(west.disable_key().key_id(&self.replica).send().await.unwrap()),
            How::Pending => {
                drop(west.schedule_key_deletion().key_id(&self.replica).send().await.unwrap());
            }
            How::ReplicaKey(key) => self.rule_under(key).await,
            How::Suspended => self.versioning(BucketVersioningStatus::Suspended).await,
            How::Denied(bucket, action) => {
                let region = if *bucket == SOURCE { EAST } else { WEST };
                let text = json!({"Version": "2012-10-17", "Statement": [{
                    "Effect": "Deny", "Principal": "*", "Action": action,
                    "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
                }]});
                self.bucket_policy(bucket, region, Some(&text.to_string())).await;
            }
        }
    }

    /// Makes the pair whole again after `how`.
    pub(crate) async fn mends(&self, how: &How) {
        let (iam, west) = (self.stand.iam(), self.stand.kms(WEST));
        match how {
            How::Role(_) | How::NoPolicy => self.grant(&self.policy).await,
            How::Trust(_) => self.trusts(&self.trust).await,
            How::Boundary(_) => {
                let unbound = iam.delete_role_permissions_boundary().role_name("replication");
                unbound.send().await.unwrap();
            }
            How::NoRole => {}
            How::Key(region, _) => {
                self.key_policy(region, &self.keys[usize::from(*region == WEST)]).await;
            }
            How::Disabled => drop(west.enable_key().key_id(&self.replica).send().await.unwrap()),
            How::Pending => {
                west.cancel_key_deletion().key_id(&self.replica).send().await.unwrap();
                west.enable_key().key_id(&self.replica).send().await.unwrap();
            }
            How::ReplicaKey(_) => self.rules(self.rules.rules().to_vec()).await,
            How::Suspended => self.versioning(BucketVersioningStatus::Enabled).await,
            How::Denied(bucket, _) => {
                let at = usize::from(*bucket == DESTINATION);
                let text = self.buckets[at].as_deref();
                self.bucket_policy(bucket, [EAST, WEST][at], text).await;
            }
        }
    }

    pub(crate) async fn grant(&self, policy: &str) {
        let put = self.stand.iam().put_role_policy().role_name("replication");
        put.policy_name("replication").policy_document(policy).send().await.unwrap();
    }

    async fn trusts(&self, text: &str) {
        let update = self.stand.iam().update_assume_role_policy().role_name("replication");
        update.policy_document(text).send().await.unwrap();
    }

    pub(crate) async fn key_policy(&self, region: &str, text: &str) {
        let key = if region == EAST { &self.primary } else { &self.replica };
        self.stand.kms(region).put_key_policy().key_id(key).policy(text).send().await.unwrap();
    }

    pub(crate) async fn bucket_policy(&self, bucket: &str, region: &str, text: Option<&str>) {
        let s3 = self.stand.s3(region);
        match text {
            Some(text) => {
                drop(s3.put_bucket_policy().bucket(bucket).policy(text).send().await.unwrap());
            }
            None => {
                drop(s3.delete_bucket_policy().bucket(bucket).send().await.unwrap());
            }
        }
    }

    async fn versioning(&self, status: BucketVersioningStatus) {
        let configuration = VersioningConfiguration::builder().status(status).build();
        let put = self.stand.s3(WEST).put_bucket_versioning().bucket(DESTINATION);
        put.versioning_configuration(configuration).send().await.unwrap();
    }

    /// Writes the rule as it is, with its replicas under `key`.
    async fn rule_under(&self, key: &str) {
        let mut rule = self.rules.rules()[0].clone();
        let under = EncryptionConfiguration::builder().replica_kms_key_id(key).build();
        let mut destination = rule.destination.take().unwrap();
        destination.encryption_configuration = Some(under);
        rule.destination = Some(destination);
        self.rules(vec![rule]).await;
    }

    pub(crate) async fn rules(&self, rules: Vec<ReplicationRule>) {
        let configuration = ReplicationConfiguration::builder().role(self.rules.role());
        let configuration = configuration.set_rules(Some(rules)).build().unwrap();
        let put = self.stand.s3(EAST).put_bucket_replication().bucket(SOURCE);
        put.replication_configuration(configuration).send().await.unwrap();
    }

    /// Every action of the role's policy taken away, then denied.
    pub(crate) fn actions(&self) -> Vec<Break> {
        let whole = role_policy(&self.primary, &self.replica);
        let reasons = [
            Some("SrcBucketReplicationConfigMissing"),
            None,
            Some("SrcGetObjectNotPermitted"),
            Some("SrcGetAclNotPermitted"),
            Some("SrcGetTaggingNotPermitted"),
            Some("DstPutObjectNotPermitted"),
            None,
            Some("DstPutTaggingNotPermitted"),
            Some("SrcGetObjectNotPermitted"),
            Some("DstPutObjectNotPermitted"),
            Some("DstPutObjectNotPermitted"),
            Some("DstPutObjectNotPermitted"),
        ];
        let markers = [(1, "SrcHeadObjectNotPermitted"), (6, "DstDelObjNotPermitted")];
        let mut breaks = Vec::new();
        for (at, reason) in reasons.into_iter().enumerate() {
            let mut policy = whole.clone();
            let gone = policy["Statement"].as_array_mut().unwrap().remove(at);
            let action = gone["Action"].as_str().unwrap().to_owned();
            let marker =
                markers.iter().find(|(marker, _)| *marker == at).map(|(_, reason)| *reason);
            let what = format!("the role lacks {action} on {}", gone["Resource"].as_str().unwrap());
            breaks.push(Break {
                what,
                how: How::Role(policy),
                reason,
                marker,
                check: "role.policy",
                word: action,
            });
        }
        // A Deny takes as much away as a missing Allow.
        for (action, reason) in [
            ("s3:ReplicateObject", "DstPutObjectNotPermitted"),
            ("kms:Decrypt", "SrcGetObjectNotPermitted"),
        ] {
            let mut policy = whole.clone();
            let deny = json!({"Effect": "Deny", "Action": action, "Resource": "*"});
            policy["Statement"].as_array_mut().unwrap().push(deny);
            let what = format!("the role is denied {action}");
            breaks.push(Break::new(what, How::Role(policy), reason, "role.policy", action));
        }
        breaks
    }

    /// Every condition of the role's policy made to ask for something else.
    pub(crate) fn conditions(&self) -> Vec<Break> {
        let whole = role_policy(&self.primary, &self.replica);
        let other = "arn:aws:kms:us-west-2:111122223333:key/mrk-00000000000000000000000000000000";
        let (context, via) = ("kms:EncryptionContext:aws:s3:arn", "kms:ViaService");
        let key_id = "s3:x-amz-server-side-encryption-aws-kms-key-id";
        let sse = "s3:x-amz-server-side-encryption";
        let (source, destination) = ("SrcGetObjectNotPermitted", "DstPutObjectNotPermitted");
        let cases = [
            (5, "StringEquals", "s3:ResourceAccount", OTHER, destination),
            (5, "StringLikeIfExists", key_id, other, destination),
            (5, "StringLikeIfExists", sse, "AES256", destination),
            (8, "StringLike", via, "s3.us-west-2.amazonaws.com", source),
            // With a Bucket Key the context is the bucket's ARN, and the objects' do not fit it.
            (8, "StringLike", context, "arn:aws:s3:::break-src/*", source),
            (9, "StringLike", via, "s3.us-east-1.amazonaws.com", destination),
            (9, "StringLike", context, "arn:aws:s3:::break-dst/*", destination),
            (10, "StringLike", context, "arn:aws:s3:::break-dst/*", destination),
            (11, "StringLike", context, "arn:aws:s3:::break-src", destination),
        ];
        let case = |(at, operator, key, value, reason): (usize, &str, &str, &str, &'static str)| {
            let mut policy = whole.clone();
            policy["Statement"][at]["Condition"][operator][key] = json!(value);
            let what = format!("Statement[{at}] of the role's policy wants {key} to be {value}");
            Break::new(what, How::Role(policy), reason, "role.policy", key)
        };
        cases.into_iter().map(case).collect()
    }

    /// Statements of the key policies taken away, then denied.
    pub(crate) fn key_statements() -> Vec<Break> {
        let (root, owner) = (root(), owner());
        let deny = |action: &str| json!({"Effect": "Deny", "Principal": {"AWS": ROLE}, "Action": action, "Resource": "*"});
        let (source, destination) = ("SrcGetObjectNotPermitted", "DstPutObjectNotPermitted");
        let key = "key.policy";
        let mut breaks = vec![
            Break::new(
                "the source's key names nobody but the root user",
                How::Key(EAST, vec![owner.clone()]),
                source,
                key,
                "kms:Decrypt",
            ),
            Break::new(
                "the source's key denies the role kms:Decrypt",
                How::Key(EAST, vec![root.clone(), deny("kms:Decrypt")]),
                source,
                key,
                "kms:Decrypt",
            ),
        ];
        for missing in KEY_ACTIONS {
            let rest = KEY_ACTIONS.into_iter().filter(|action| *action != missing).map(for_role);
            let rest: Vec<Value> = [owner.clone()].into_iter().chain(rest).collect();
            breaks.push(Break::new(
                format!("the destination's key does not let the role {missing}"),
                How::Key(WEST, rest),
                destination,
                key,
                missing,
            ));
            let denied = vec![root.clone(), deny(missing)];
            breaks.push(Break::new(
                format!("the destination's key denies the role {missing}"),
                How::Key(WEST, denied),
                destination,
                key,
                missing,
            ));
        }
        breaks
    }

    /// What keeps S3 from becoming the role. The last one can't be mended.
    pub(crate) fn trusts_broken() -> Vec<Break> {
        let condition = r#""Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"444455556666"}}"#;
        let reason = "AssumeRoleNotPermitted";
        let trust = |what: &str, text: String| {
            Break::new(what, How::Trust(text), reason, "role.trust", "sts:AssumeRole")
        };
        vec![
            trust(
                "another service is trusted",
                TRUST.replace("s3.amazonaws.com", "batchoperations.s3.amazonaws.com"),
            ),
            trust(
                "the account is trusted, not S3",
                TRUST.replace(r#""Service":"s3.amazonaws.com""#, &format!(r#""AWS":"{ACCOUNT}""#)),
            ),
            trust("S3 is denied", TRUST.replace("Allow", "Deny")),
            trust(
                "the trust wants another source account",
                TRUST.replace(r#""Action":"sts:AssumeRole""#, condition),
            ),
            trust(
                "the trust allows another action",
                TRUST.replace("sts:AssumeRole", "sts:TagSession"),
            ),
            Break::new(
                "a boundary without KMS",
                How::Boundary("s3:*"),
                "SrcGetObjectNotPermitted",
                "role.boundary",
                "kms:Decrypt",
            ),
            Break::new(
                "the role has no policy",
                How::NoPolicy,
                "SrcBucketReplicationConfigMissing",
                "role.policy",
                "s3:GetReplicationConfiguration",
            ),
            Break::new(
                "the role does not exist",
                How::NoRole,
                reason,
                "role.exists",
                "replication",
            ),
        ]
    }

    /// States and settings of keys, buckets and the rule.
    pub(crate) async fn states(&self) -> Vec<Break> {
        let single = self.stand.kms(EAST).create_key().send().await.unwrap();
        let single = single.key_metadata().unwrap().arn().unwrap().to_owned();
        let absent = self.replica.replace("mrk-", "mrk-0")[..self.replica.len()].to_owned();
        let invalid = "DstKmsKeyInvalidState";
        let mut breaks = vec![
            Break::new(
                "the replica key is disabled",
                How::Disabled,
                invalid,
                "key.state",
                "Disabled",
            ),
            Break::new(
                "the replica key is pending deletion",
                How::Pending,
                invalid,
                "key.state",
                "PendingDeletion",
            ),
        ];
        for (what, key) in [
            ("the rule names the primary, of the source's Region", self.primary.clone()),
            ("the rule names a key of the source's Region", single),
            ("the rule names a key that does not exist", absent),
            ("the rule names an alias that does not exist", "alias/absent".to_owned()),
        ] {
            let word = key.clone();
            breaks.push(Break::new(
                what,
                How::ReplicaKey(key),
                "DstKmsKeyNotFound",
                "replication.rules",
                &word,
            ));
        }
        breaks.push(Break::new(
            "the destination's versioning is suspended",
            How::Suspended,
            "DstBucketUnversioned",
            "bucket.versioning",
            "Suspended",
        ));
        for (bucket, action, reason) in [
            (DESTINATION, "s3:ReplicateObject", "DstPutObjectNotPermitted"),
            (DESTINATION, "s3:ReplicateTags", "DstPutTaggingNotPermitted"),
            (DESTINATION, "s3:*", "DstPutObjectNotPermitted"),
            (SOURCE, "s3:GetObjectVersionForReplication", "SrcGetObjectNotPermitted"),
        ] {
            let what = format!("{bucket} denies everybody {action}");
            let word = if action == "s3:*" { "s3:ReplicateObject" } else { action };
            breaks.push(Break::new(
                what,
                How::Denied(bucket, action),
                reason,
                "bucket.policy",
                word,
            ));
        }
        breaks
    }
}

/// What the role asks of the destination's key.
pub(crate) const KEY_ACTIONS: [&str; 3] = ["kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"];

/// Lets the account's own policies decide.
pub(crate) fn root() -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"})
}

/// Lets nobody in but the account's root user.
pub(crate) fn owner() -> Value {
    let mut owner = root();
    owner["Condition"] = json!({"StringEquals": {"aws:PrincipalType": "Account"}});
    owner
}

/// Lets the role in by its name.
pub(crate) fn for_role(action: &str) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": action, "Resource": "*"})
}
