//! Replication as the role: one thing is broken at a time, the object is FAILED with AWS's reason, and all else is COMPLETED.

mod accounts;
mod changes;
mod locks;

use super::{ACCOUNT, EAST, OTHER, ROLE, Stand, TRUST, WEST, rule};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use serde_json::{Value, json};

const SOURCE: &str = "break-src";
const DESTINATION: &str = "break-dst";

/// The role's policy, one statement an action.
fn role_policy(primary: &str, replica: &str) -> Value {
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

/// A pair under KMS whose role has just what it needs.
struct Pair {
    stand: Stand,
    primary: String,
    replica: String,
}

impl Pair {
    async fn new() -> Self {
        let stand = Stand::start().await;
        let (primary, replica) = stand.keys().await;
        for (bucket, region, key) in [(SOURCE, EAST, &primary), (DESTINATION, WEST, &replica)] {
            stand.bucket(bucket, region, true).await;
            stand.encrypt(bucket, region, key).await;
        }
        stand.role().await;
        let pair = Self { stand, primary, replica };
        pair.grant(role_policy(&pair.primary, &pair.replica)).await;
        pair.rule(|rule| rule).await;
        pair
    }

    async fn rule(
        &self,
        edit: impl FnOnce(
            aws_sdk_s3::types::builders::ReplicationRuleBuilder,
        ) -> aws_sdk_s3::types::builders::ReplicationRuleBuilder,
    ) {
        let markers = aws_sdk_s3::types::DeleteMarkerReplication::builder()
            .status(aws_sdk_s3::types::DeleteMarkerReplicationStatus::Enabled)
            .build();
        let own =
            rule("one", 1, DESTINATION, Some(&self.replica)).delete_marker_replication(markers);
        self.stand.replicate(SOURCE, [edit(own).build().unwrap()]).await;
    }

    async fn grant(&self, policy: Value) {
        let put = self.stand.iam().put_role_policy();
        let put = put.role_name("replication").policy_name("replication");
        put.policy_document(policy.to_string()).send().await.unwrap();
    }

    /// Uploads a tagged object and returns how it went.
    async fn outcome(&self) -> (String, Option<String>) {
        let s3 = self.stand.s3(EAST);
        let put = s3.put_object().bucket(SOURCE).key("a/b").tagging("team=storage");
        let put = put.body(ByteStream::from_static(b"hello")).send().await.unwrap();
        let version = put.version_id().unwrap();
        let status = self.stand.settled(SOURCE, "a/b", version).await;
        (status.unwrap_or_default(), self.stand.reason(version).await)
    }

    /// Deletes the object and returns how its delete marker went.
    async fn marker(&self) -> (String, Option<String>) {
        let s3 = self.stand.s3(EAST);
        let gone = s3.delete_object().bucket(SOURCE).key("a/b").send().await.unwrap();
        let version = gone.version_id().unwrap();
        for _ in 0..500 {
            let (_, log) = self.stand.control("GET", "replication", "").await;
            let found =
                log.as_array().unwrap().iter().rfind(|r| r["version_id"] == version).cloned();
            if let Some(record) = found.filter(|record| record["status"] != "PENDING") {
                let reason = record["failure_reason"].as_str().map(String::from);
                return (record["status"].as_str().unwrap().to_owned(), reason);
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        panic!("the delete marker stayed PENDING");
    }

    async fn expect(&self, what: &str, reason: Option<&str>) {
        let status = if reason.is_some() { "FAILED" } else { "COMPLETED" };
        let expected = (status.to_owned(), reason.map(String::from));
        assert_eq!(self.outcome().await, expected, "{what}");
    }
}

/// Prints how many things were broken; a test that broke none has failed.
#[expect(clippy::print_stderr, reason = "the count is for whoever reads the test's output")]
fn count(what: &str, broken: usize) {
    assert!(broken > 0);
    eprintln!("{what}: {broken} broken, one at a time");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_action_of_the_role_is_needed() {
    let pair = Pair::new().await;
    let whole = role_policy(&pair.primary, &pair.replica);
    pair.expect("the whole policy", None).await;
    assert_eq!(pair.marker().await, ("COMPLETED".to_owned(), None));
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
    for (at, reason) in reasons.into_iter().enumerate() {
        let mut policy = whole.clone();
        let gone = policy["Statement"].as_array_mut().unwrap().remove(at);
        pair.grant(policy).await;
        pair.expect(&gone.to_string(), reason).await;
        if let Some((_, reason)) = markers.iter().find(|(marker, _)| *marker == at) {
            let expected = ("FAILED".to_owned(), Some((*reason).to_owned()));
            assert_eq!(pair.marker().await, expected, "{gone}");
        }
    }
    // A Deny takes as much away as a missing Allow.
    for action in ["s3:ReplicateObject", "kms:Decrypt"] {
        let mut policy = whole.clone();
        let deny = json!({"Effect": "Deny", "Action": action, "Resource": "*"});
        policy["Statement"].as_array_mut().unwrap().push(deny);
        pair.grant(policy).await;
        assert_eq!(pair.outcome().await.0, "FAILED", "{action}");
    }
    pair.grant(whole).await;
    pair.expect("the whole policy again", None).await;
    count("actions of the role", reasons.len() + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_condition_of_the_role_must_fit() {
    let pair = Pair::new().await;
    let whole = role_policy(&pair.primary, &pair.replica);
    let other = "arn:aws:kms:us-west-2:111122223333:key/mrk-00000000000000000000000000000000";
    let (context, via) = ("kms:EncryptionContext:aws:s3:arn", "kms:ViaService");
    let key_id = "s3:x-amz-server-side-encryption-aws-kms-key-id";
    let cases = [
        (5, "StringEquals", "s3:ResourceAccount", json!(OTHER), "DstPutObjectNotPermitted"),
        (5, "StringLikeIfExists", key_id, json!(other), "DstPutObjectNotPermitted"),
        (
            5,
            "StringLikeIfExists",
            "s3:x-amz-server-side-encryption",
            json!("AES256"),
            "DstPutObjectNotPermitted",
        ),
        (8, "StringLike", via, json!("s3.us-west-2.amazonaws.com"), "SrcGetObjectNotPermitted"),
        // With a Bucket Key the context is the bucket's ARN, and the objects' do not fit it.
        (8, "StringLike", context, json!("arn:aws:s3:::break-src/*"), "SrcGetObjectNotPermitted"),
        (9, "StringLike", via, json!("s3.us-east-1.amazonaws.com"), "DstPutObjectNotPermitted"),
        (9, "StringLike", context, json!("arn:aws:s3:::break-dst/*"), "DstPutObjectNotPermitted"),
        (10, "StringLike", context, json!("arn:aws:s3:::break-dst/*"), "DstPutObjectNotPermitted"),
        (11, "StringLike", context, json!("arn:aws:s3:::break-src"), "DstPutObjectNotPermitted"),
    ];
    for (at, operator, key, value, reason) in &cases {
        let mut policy = whole.clone();
        policy["Statement"][*at]["Condition"][*operator][*key] = value.clone();
        let what = policy["Statement"][*at].to_string();
        pair.grant(policy).await;
        pair.expect(&what, Some(reason)).await;
    }
    pair.grant(whole).await;
    pair.expect("the conditions as they were", None).await;
    count("conditions of the role", cases.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_statement_of_a_key_is_needed() {
    let pair = Pair::new().await;
    let root = json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"});
    let by_hand = json!({"StringEquals": {"aws:PrincipalType": "Account"}});
    let mut owner = root.clone();
    owner["Condition"] = by_hand;
    let role = |action: &str| json!({"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": action, "Resource": "*"});
    let deny = |action: &str| json!({"Effect": "Deny", "Principal": {"AWS": ROLE}, "Action": action, "Resource": "*"});
    let put = |region: &'static str, key: String, statements: Vec<Value>| {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let kms = pair.stand.kms(region);
        async move { kms.put_key_policy().key_id(key).policy(text).send().await.unwrap() }
    };
    let (here, there) = (pair.primary.clone(), pair.replica.clone());
    let (source, destination) =
        (Some("SrcGetObjectNotPermitted"), Some("DstPutObjectNotPermitted"));
    let actions = ["kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"];
    // Without the account as principal, the key policy alone decides.
    put(EAST, here.clone(), vec![owner.clone()]).await;
    pair.expect("the source's key names nobody else", source).await;
    put(EAST, here.clone(), vec![owner.clone(), role("kms:Decrypt")]).await;
    put(WEST, there.clone(), vec![owner.clone(), role("kms:*")]).await;
    pair.expect("the keys name the role", None).await;
    let mut broken = 1;
    for missing in actions {
        let rest = actions.into_iter().filter(|action| *action != missing).map(role);
        put(WEST, there.clone(), [owner.clone()].into_iter().chain(rest).collect()).await;
        pair.expect(missing, destination).await;
        put(WEST, there.clone(), vec![root.clone(), deny(missing)]).await;
        pair.expect(&format!("denied {missing}"), destination).await;
        broken += 2;
    }
    put(WEST, there.clone(), vec![root.clone()]).await;
    put(EAST, here.clone(), vec![root.clone(), deny("kms:Decrypt")]).await;
    pair.expect("the source's key denies", source).await;
    put(EAST, here, vec![root]).await;
    pair.expect("the keys let the account decide", None).await;
    count("statements of keys", broken + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_is_needed() {
    let pair = Pair::new().await;
    let iam = pair.stand.iam();
    let update = |text: String| {
        let update = iam.update_assume_role_policy().role_name("replication");
        async move { update.policy_document(text).send().await.unwrap() }
    };
    let condition = r#""Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"444455556666"}}"#;
    let broken = [
        TRUST.replace("s3.amazonaws.com", "batchoperations.s3.amazonaws.com"),
        TRUST.replace(r#""Service":"s3.amazonaws.com""#, &format!(r#""AWS":"{ACCOUNT}""#)),
        TRUST.replace("Allow", "Deny"),
        TRUST.replace(r#""Action":"sts:AssumeRole""#, condition),
        TRUST.replace("sts:AssumeRole", "sts:TagSession"),
    ];
    for trust in &broken {
        update(trust.clone()).await;
        pair.expect(trust, Some("AssumeRoleNotPermitted")).await;
    }
    update(TRUST.to_owned()).await;
    pair.expect("trusted again", None).await;
    let managed = iam.create_policy().policy_name("b").policy_document(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
    );
    let arn = managed.send().await.unwrap().policy().unwrap().arn().unwrap().to_owned();
    let bound = iam.put_role_permissions_boundary().role_name("replication");
    bound.permissions_boundary(arn).send().await.unwrap();
    pair.expect("a boundary without KMS", Some("SrcGetObjectNotPermitted")).await;
    iam.delete_role_permissions_boundary().role_name("replication").send().await.unwrap();
    iam.delete_role_policy()
        .role_name("replication")
        .policy_name("replication")
        .send()
        .await
        .unwrap();
    pair.expect("no policy at all", Some("SrcBucketReplicationConfigMissing")).await;
    iam.delete_role().role_name("replication").send().await.unwrap();
    pair.expect("no role", Some("AssumeRoleNotPermitted")).await;
    count("trust", broken.len() + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_states_of_keys_and_buckets_count() {
    let pair = Pair::new().await;
    let (east, west) = (pair.stand.kms(EAST), pair.stand.kms(WEST));
    let s3 = pair.stand.s3(WEST);
    west.disable_key().key_id(&pair.replica).send().await.unwrap();
    pair.expect("the replica key is disabled", Some("DstKmsKeyInvalidState")).await;
    west.schedule_key_deletion().key_id(&pair.replica).send().await.unwrap();
    pair.expect("the replica key is pending deletion", Some("DstKmsKeyInvalidState")).await;
    west.cancel_key_deletion().key_id(&pair.replica).send().await.unwrap();
    west.enable_key().key_id(&pair.replica).send().await.unwrap();
    pair.expect("the replica key is back", None).await;

    let encryption = |key: &str| {
        aws_sdk_s3::types::EncryptionConfiguration::builder().replica_kms_key_id(key).build()
    };
    let to = |key: &str| {
        aws_sdk_s3::types::Destination::builder()
            .bucket(format!("arn:aws:s3:::{DESTINATION}"))
            .encryption_configuration(encryption(key))
            .build()
            .unwrap()
    };
    let single = east.create_key().send().await.unwrap();
    let single = single.key_metadata().unwrap().arn().unwrap().to_owned();
    let absent = pair.replica.replace("mrk-", "mrk-0")[..pair.replica.len()].to_owned();
    for (what, key) in [
        ("the primary, of the source's Region", pair.primary.as_str()),
        ("a key of the source's Region", single.as_str()),
        ("a key that does not exist", absent.as_str()),
        ("an alias that does not exist", "alias/absent"),
    ] {
        pair.rule(|rule| rule.destination(to(key))).await;
        pair.expect(what, Some("DstKmsKeyNotFound")).await;
    }
    pair.rule(|rule| rule).await;

    let versioning = |status: BucketVersioningStatus| {
        let configuration = VersioningConfiguration::builder().status(status).build();
        let put = s3.put_bucket_versioning().bucket(DESTINATION);
        async move { put.versioning_configuration(configuration).send().await.unwrap() }
    };
    versioning(BucketVersioningStatus::Suspended).await;
    pair.expect("versioning is suspended", Some("DstBucketUnversioned")).await;
    versioning(BucketVersioningStatus::Enabled).await;

    let deny = |action: &str| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": action,
            "Resource": ["arn:aws:s3:::break-dst", "arn:aws:s3:::break-dst/*"],
        }]})
        .to_string()
    };
    for (action, reason) in [
        ("s3:ReplicateObject", "DstPutObjectNotPermitted"),
        ("s3:ReplicateTags", "DstPutTaggingNotPermitted"),
        ("s3:*", "DstPutObjectNotPermitted"),
    ] {
        s3.put_bucket_policy().bucket(DESTINATION).policy(deny(action)).send().await.unwrap();
        pair.expect(&format!("the destination denies {action}"), Some(reason)).await;
    }
    s3.delete_bucket_policy().bucket(DESTINATION).send().await.unwrap();
    let source = deny("s3:GetObjectVersionForReplication").replace(DESTINATION, SOURCE);
    let from = pair.stand.s3(EAST);
    from.put_bucket_policy().bucket(SOURCE).policy(source).send().await.unwrap();
    pair.expect("the source denies", Some("SrcGetObjectNotPermitted")).await;
    from.delete_bucket_policy().bucket(SOURCE).send().await.unwrap();
    pair.expect("all is well again", None).await;
    count("states of keys and buckets", 2 + 4 + 1 + 3 + 1);
}
