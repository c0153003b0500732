//! IAM in force: who is refused what, by which kind of policy, in AWS's words.
//! Not for: condition keys of one service (see `condition_keys`, `iam_condition_keys`), or the
//! operations of IAM (see `iam_life`, `iam_limits`).

use super::{ACCOUNT, EAST, OTHER, POLICY, ROLE, Stand, TRUST, WEST, refused, rule};
use aws_credential_types::Credentials;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ReplicationConfiguration, ServerSideEncryption};
use crrctl_sandbox::{Options, SECRET};

/// A policy of one statement that allows `actions` everywhere.
fn allow(actions: &str) -> String {
    let list: Vec<String> = actions.split(' ').map(|a| format!("\"{a}\"")).collect();
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{}],"Resource":"*"}}]}}"#,
        list.join(",")
    )
}

const ALL_BUT_GET: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":["s3:GetObject","kms:DisableKey"],"Resource":"*"}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn users_may_do_what_their_policies_say() {
    let stand = Stand::start().await;
    stand.bucket("limits", EAST, true).await;
    stand.put("limits", "k").await;
    let (primary, _) = stand.keys().await;
    let (id, secret) = stand.user("limited", &allow("s3:ListBucket iam:GetUser")).await;
    let s3 = stand.s3_as(&id, &secret, EAST);
    let (kms, iam) = (stand.kms_as(&id, &secret, EAST), stand.iam_as(&id, &secret));
    let (rich, key) = stand.user("rich", ALL_BUT_GET).await;
    let (rich_s3, rich_kms) = (stand.s3_as(&rich, &key, EAST), stand.kms_as(&rich, &key, EAST));
    let key_id = primary.rsplit('/').next().unwrap();
    refused! {
        "AccessDenied" 403 "User: arn:aws:iam::111122223333:user/limited is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::limits/k\" because no identity-based policy allows the s3:GetObject action" s3.get_object().bucket("limits").key("k");
        "AccessDenied" 403 "s3:PutObject on" s3.put_object().bucket("limits").key("n");
        "AccessDenied" 403 "s3:DeleteObjectVersion" s3.delete_object().bucket("limits").key("k").version_id("null");
        "AccessDenied" 403 "s3:CreateBucket" s3.create_bucket().bucket("limits-new");
        "AccessDenied" 403 "s3:ListAllMyBuckets" s3.list_buckets();
        "AccessDenied" 403 "s3:GetBucketVersioning" s3.get_bucket_versioning().bucket("limits");
        "AccessDenied" 403 "s3:GetReplicationConfiguration" s3.get_bucket_replication().bucket("limits");
        "AccessDeniedException" 400 "kms:CreateKey on resource: * because no identity-based policy allows the kms:CreateKey action" kms.create_key();
        "AccessDeniedException" 400 "kms:DescribeKey on resource: arn:aws:kms:us-east-1:111122223333:key/mrk-" kms.describe_key().key_id(key_id);
        "AccessDeniedException" 400 "kms:ListAliases" kms.list_aliases();
        "AccessDenied" 403 "iam:CreateRole on resource: arn:aws:iam::111122223333:role/n" iam.create_role().role_name("n").assume_role_policy_document(TRUST);
        "AccessDenied" 403 "iam:CreateUser" iam.create_user().user_name("n");
        "AccessDenied" 403 "iam:CreateAccessKey" iam.create_access_key().user_name("limited");
        "AccessDenied" 403 "with an explicit deny in an identity-based policy" rich_s3.get_object().bucket("limits").key("k");
        "AccessDeniedException" 400 "with an explicit deny in an identity-based policy" rich_kms.disable_key().key_id(key_id);
    }
    s3.list_objects_v2().bucket("limits").send().await.unwrap();
    let own = iam.get_user().send().await.unwrap();
    assert_eq!(own.user().unwrap().user_name(), "limited");
    let who = stand.sts(&id, &secret, EAST).get_caller_identity().send().await.unwrap();
    assert_eq!(who.arn(), Some("arn:aws:iam::111122223333:user/limited"));
    // Deleting several objects tells of each by itself.
    let object = aws_sdk_s3::types::ObjectIdentifier::builder().key("k").build().unwrap();
    let delete = aws_sdk_s3::types::Delete::builder().objects(object).build().unwrap();
    let deleted = s3.delete_objects().bucket("limits").delete(delete).send().await.unwrap();
    assert_eq!(deleted.errors()[0].code(), Some("AccessDenied"));

    stand
        .iam()
        .update_access_key()
        .user_name("limited")
        .access_key_id(&id)
        .status("Inactive".into())
        .send()
        .await
        .unwrap();
    refused! {
        "InvalidAccessKeyId" 403 "" s3.list_objects_v2().bucket("limits");
        "UnrecognizedClientException" 400 "" kms.list_keys();
        "InvalidClientTokenId" 403 "" iam.get_user();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_list_bucket_an_absent_key_is_denied() {
    let stand = Stand::start().await;
    stand.bucket("hidden", EAST, true).await;
    let (id, secret) = stand.user("reader", &allow("s3:GetObject")).await;
    let s3 = stand.s3_as(&id, &secret, EAST);
    refused! {
        "AccessDenied" 403 "s3:ListBucket" s3.get_object().bucket("hidden").key("absent");
        "NoSuchKey" 404 "" stand.s3(EAST).get_object().bucket("hidden").key("absent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn boundaries_and_managed_policies_count() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    let (id, secret) = stand.user("bounded", &allow("s3:ListAllMyBuckets")).await;
    let s3 = stand.s3_as(&id, &secret, EAST);
    s3.list_buckets().send().await.unwrap();
    let policy =
        |name: &str, text: &str| iam.create_policy().policy_name(name).policy_document(text);
    let kms_only = policy("kms-only", &allow("kms:*")).send().await.unwrap();
    let kms_only = kms_only.policy().unwrap().arn().unwrap().to_owned();
    let bound = || iam.put_user_permissions_boundary().user_name("bounded");
    bound().permissions_boundary(&kms_only).send().await.unwrap();
    refused! {
        "AccessDenied" 403 "because no permissions boundary allows the s3:ListAllMyBuckets action" s3.list_buckets();
        "DeleteConflict" 409 "attached" iam.delete_policy().policy_arn(&kms_only);
        "NoSuchEntity" 404 "does not exist or is not attachable" bound().permissions_boundary("arn:aws:iam::111122223333:policy/absent");
        "NotImplemented" 501 "ReadOnlyAccess" iam.attach_user_policy().user_name("bounded").policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess");
        "EntityAlreadyExists" 409 "" policy("kms-only", &allow("kms:*"));
        "MalformedPolicyDocument" 400 "" policy("bad", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Maybe"}]}"#);
        "ValidationError" 400 "Invalid ARN:  Could not be parsed!" bound().permissions_boundary("nonsense-of-some-length");
    }
    iam.delete_user_permissions_boundary().user_name("bounded").send().await.unwrap();
    let kms = stand.kms_as(&id, &secret, EAST);
    refused! { "AccessDeniedException" 400 "kms:ListKeys" kms.list_keys(); }
    iam.attach_user_policy().user_name("bounded").policy_arn(&kms_only).send().await.unwrap();
    kms.list_keys().send().await.unwrap();
    let listed = iam.list_attached_user_policies().user_name("bounded").send().await.unwrap();
    assert_eq!(listed.attached_policies()[0].policy_name(), Some("kms-only"));
    refused! {
        "DeleteConflict" 409 "access keys" iam.delete_user().user_name("bounded");
    }
    iam.detach_user_policy().user_name("bounded").policy_arn(&kms_only).send().await.unwrap();
    iam.delete_policy().policy_arn(&kms_only).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_roles() {
    let stand = Stand::start().await;
    stand.bucket("session", EAST, true).await;
    let (id, secret) = stand.user("caller", &allow("sts:AssumeRole")).await;
    let iam = stand.iam();
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:user/caller"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    iam.create_role().role_name("work").assume_role_policy_document(trust).send().await.unwrap();
    let put = iam.put_role_policy().role_name("work").policy_name("p").policy_document(POLICY);
    put.send().await.unwrap();
    stand.role().await;
    let sts = stand.sts(&id, &secret, EAST);
    let role = format!("arn:aws:iam::{ACCOUNT}:role/work");
    let assume = || sts.assume_role().role_arn(&role).role_session_name("tests");
    refused! {
        "AccessDenied" 403 "sts:AssumeRole on resource: arn:aws:iam::111122223333:role/crrctl/replication" sts.assume_role().role_arn(ROLE).role_session_name("tests");
        "AccessDenied" 403 "sts:AssumeRole" sts.assume_role().role_arn("arn:aws:iam::111122223333:role/absent").role_session_name("tests");
        "ValidationError" 400 "DurationSeconds" assume().duration_seconds(7200);
        "ValidationError" 400 "roleSessionName" sts.assume_role().role_arn(&role).role_session_name("a b");
        "MalformedPolicyDocument" 400 "Invalid principal in policy" iam.create_role().role_name("x").assume_role_policy_document(TRUST.replace(r#""Service":"s3.amazonaws.com""#, r#""AWS":"arn:aws:iam::111122223333:user/absent""#));
    }
    let limit = allow("s3:ListBucket");
    let full = assume().send().await.unwrap();
    let narrow = assume().policy(limit).send().await.unwrap();
    assert_eq!(
        full.assumed_role_user().unwrap().arn(),
        "arn:aws:sts::111122223333:assumed-role/work/tests"
    );
    let client = |given: &aws_sdk_sts::types::Credentials, token: Option<&str>| {
        let token = token.or(Some(given.session_token())).filter(|t| !t.is_empty());
        let own = Credentials::new(
            given.access_key_id(),
            given.secret_access_key(),
            token.map(String::from),
            None,
            "test",
        );
        aws_sdk_s3::Client::from_conf(
            aws_sdk_s3::Config::builder()
                .http_client(crate::common::plain_http())
                .behavior_version_latest()
                .region(aws_sdk_s3::config::Region::new(EAST))
                .credentials_provider(own)
                .endpoint_url(stand.sandbox.endpoint())
                .build(),
        )
    };
    let (full, narrow) = (full.credentials().unwrap(), narrow.credentials().unwrap());
    client(full, None).put_object().bucket("session").key("k").send().await.unwrap();
    client(narrow, None).list_objects_v2().bucket("session").send().await.unwrap();
    refused! {
        "AccessDenied" 403 "because no session policy allows the s3:PutObject action" client(narrow, None).put_object().bucket("session").key("k");
        "InvalidToken" 400 "" client(full, Some("")).list_objects_v2().bucket("session");
        "InvalidToken" 400 "" client(full, Some("another")).list_objects_v2().bucket("session");
    }
    stand.control("POST", "clock", r#"{"advance": "2h"}"#).await;
    refused! { "ExpiredToken" 400 "expired" client(full, None).list_objects_v2().bucket("session"); }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_policies_decide_with_iam() {
    let stand = Stand::start().await;
    let kms = stand.kms(EAST);
    let (id, secret) = stand.user("keeper", &allow("kms:* s3:*")).await;
    let keeper = stand.kms_as(&id, &secret, EAST);
    // The first multi-Region key of an account wants the service-linked role.
    refused! {
        "AccessDeniedException" 400 "iam:CreateServiceLinkedRole on resource: arn:aws:iam::111122223333:role/aws-service-role/mrk.kms.amazonaws.com/" keeper.create_key().multi_region(true);
    }
    let (primary, _) = stand.keys().await;
    keeper.create_key().multi_region(true).send().await.unwrap();
    let root_alone = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"kms:*","Resource":"*","Condition":{{"StringEquals":{{"aws:PrincipalType":"Account"}}}}}}]}}"#
    );
    let nobody = root_alone.replace("kms:*", "kms:DescribeKey");
    let stranger = root_alone.replace(":root", ":user/absent");
    let put = |text: &str| kms.put_key_policy().key_id(&primary).policy(text);
    refused! {
        "MalformedPolicyDocumentException" 400 "will not allow you to update the key policy in the future" put(&nobody);
        "MalformedPolicyDocumentException" 400 "one or more invalid principals" put(&stranger);
        "MalformedPolicyDocumentException" 400 "will not allow you" keeper.create_key().policy(&root_alone);
    }
    put(&root_alone).send().await.unwrap();
    stand.bucket("keyed", EAST, true).await;
    stand.encrypt("keyed", EAST, &primary).await;
    let s3 = stand.s3_as(&id, &secret, EAST);
    refused! {
        "AccessDeniedException" 400 "because no resource-based policy allows the kms:DescribeKey action" keeper.describe_key().key_id(&primary);
        "AccessDenied" 403 "kms:GenerateDataKey on resource: arn:aws:kms:us-east-1:111122223333:key/mrk-" s3.put_object().bucket("keyed").key("k");
        "AccessDenied" 403 "kms:GenerateDataKey" s3.create_multipart_upload().bucket("keyed").key("k");
    }
    stand.put("keyed", "k").await;
    refused! { "AccessDenied" 403 "kms:Decrypt" s3.get_object().bucket("keyed").key("k"); }
    s3.head_object().bucket("keyed").key("k").send().await.unwrap();
    // Another account's key: its policy and the caller's own must allow.
    let theirs = stand.kms_as(OTHER, SECRET, EAST).create_key().send().await.unwrap();
    let theirs = theirs.key_metadata().unwrap().arn().unwrap().to_owned();
    let under = |key: &str| {
        let put = stand.s3(EAST).put_object().bucket("keyed").key("x");
        put.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(key)
    };
    refused! { "AccessDenied" 403 "no resource-based policy allows the kms:GenerateDataKey action" under(&theirs); }
    let shared = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":["{OTHER}","{ACCOUNT}"]}},"Action":"kms:*","Resource":"*"}}]}}"#
    );
    let share = stand.kms_as(OTHER, SECRET, EAST);
    share.put_key_policy().key_id(&theirs).policy(shared).send().await.unwrap();
    under(&theirs).send().await.unwrap();
    kms.describe_key().key_id(&theirs).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bucket_policies_let_in_and_keep_out() {
    let stand = Stand::start().await;
    stand.bucket("house", EAST, true).await;
    stand.put("house", "k").await;
    let (s3, other) = (stand.s3(EAST), stand.s3_as(OTHER, SECRET, EAST));
    let policy = |effect: &str, who: &str, more: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Principal":{who},"Action":"s3:GetObject","Resource":"arn:aws:s3:::house/*"{more}}}]}}"#
        )
    };
    let put = |text: String| s3.put_bucket_policy().bucket("house").policy(text);
    let get = || other.get_object().bucket("house").key("k");
    let them = format!(r#"{{"AWS":"{OTHER}"}}"#);
    let fixed = format!(r#","Condition":{{"StringEquals":{{"aws:PrincipalAccount":"{OTHER}"}}}}"#);
    refused! {
        "AccessDenied" 403 "no resource-based policy allows" get();
        "AccessDenied" 403 "BlockPublicPolicy" put(policy("Allow", r#""*""#, ""));
        "MalformedPolicy" 400 "Invalid principal in policy" put(policy("Allow", r#"{"AWS":"arn:aws:iam::111122223333:role/absent"}"#, ""));
        "MalformedPolicy" 400 "invalid resource" put(policy("Allow", &them, "").replace("house", "other-house"));
        "MalformedPolicy" 400 "" put(policy("Maybe", &them, ""));
    }
    put(policy("Allow", &them, "")).send().await.unwrap();
    get().send().await.unwrap();
    put(policy("Allow", r#""*""#, &fixed)).send().await.unwrap();
    get().send().await.unwrap();
    put(policy("Deny", r#""*""#, "")).send().await.unwrap();
    refused! {
        "AccessDenied" 403 "with an explicit deny in a resource-based policy" s3.get_object().bucket("house").key("k");
    }
    // A public policy that was there before lets nobody in from outside once the block restricts
    // it.
    s3.delete_public_access_block().bucket("house").send().await.unwrap();
    put(policy("Allow", r#""*""#, "")).send().await.unwrap();
    get().send().await.unwrap();
    let block = aws_sdk_s3::types::PublicAccessBlockConfiguration::builder()
        .restrict_public_buckets(true)
        .build();
    s3.put_public_access_block()
        .bucket("house")
        .public_access_block_configuration(block)
        .send()
        .await
        .unwrap();
    refused! { "AccessDenied" 403 "no resource-based policy allows" get(); }
    s3.get_object().bucket("house").key("k").send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_made_again_is_not_the_one_that_was_meant() {
    let stand = Stand::start().await;
    stand.bucket("bound", EAST, true).await;
    let iam = stand.iam();
    let create = || iam.create_role().role_name("w").assume_role_policy_document(TRUST);
    create().send().await.unwrap();
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/w"},"Action":"s3:*","Resource":"arn:aws:s3:::bound"}]}"#;
    let s3 = stand.s3(EAST);
    s3.put_bucket_policy().bucket("bound").policy(text).send().await.unwrap();
    let shown = || async {
        s3.get_bucket_policy().bucket("bound").send().await.unwrap().policy().unwrap().to_owned()
    };
    assert_eq!(shown().await, text);
    iam.delete_role().role_name("w").send().await.unwrap();
    assert!(shown().await.contains("\"AROA"));
    create().send().await.unwrap();
    assert!(shown().await.contains("\"AROA"));
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_can_be_made_to_count() {
    for insecure in [false, true] {
        let options = Options { plain_http_is_insecure: insecure, ..Options::default() };
        let stand = Stand::with(options).await;
        stand.bucket("tls", EAST, true).await;
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::tls/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;
        let s3 = stand.s3(EAST);
        s3.put_bucket_policy().bucket("tls").policy(text).send().await.unwrap();
        let put = s3.put_object().bucket("tls").key("k").body(ByteStream::from_static(b"x"));
        assert_eq!(put.send().await.is_err(), insecure);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_must_be_passed() {
    let stand = Stand::start().await;
    for (name, region) in [("pass-src", EAST), ("pass-dst", WEST)] {
        stand.bucket(name, region, true).await;
    }
    let put = |id: &str, secret: &str| {
        let rules = rule("r", 1, "pass-dst", None).build().unwrap();
        let configuration =
            ReplicationConfiguration::builder().role(ROLE).rules(rules).build().unwrap();
        let put = stand.s3_as(id, secret, EAST).put_bucket_replication().bucket("pass-src");
        put.replication_configuration(configuration)
    };
    let (id, secret) = stand.user("a", &allow("s3:*")).await;
    let to = |service: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"*"}},{{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{{"StringEquals":{{"iam:PassedToService":"{service}"}}}}}}]}}"#
        )
    };
    let (wrong, wrong_secret) = stand.user("b", &to("ec2.amazonaws.com")).await;
    let (right, right_secret) = stand.user("c", &to("s3.amazonaws.com")).await;
    refused! {
        "AccessDenied" 403 "iam:PassRole on resource: arn:aws:iam::111122223333:role/crrctl/replication" put(&id, &secret);
        "AccessDenied" 403 "iam:PassRole" put(&wrong, &wrong_secret);
    }
    put(&right, &right_secret).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn simulations_ask_the_same_evaluator() {
    use aws_sdk_iam::types::{
        ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType as Decision,
    };
    let stand = Stand::start().await;
    let iam = stand.iam();
    let (_, _) = stand.user("ann", ALL_BUT_GET).await;
    let simulated = iam
        .simulate_principal_policy()
        .policy_source_arn("arn:aws:iam::111122223333:user/ann")
        .action_names("s3:GetObject")
        .action_names("s3:PutObject")
        .send()
        .await
        .unwrap();
    let decisions: Vec<_> =
        simulated.evaluation_results().iter().map(|r| r.eval_decision().clone()).collect();
    assert_eq!(decisions, [Decision::ExplicitDeny, Decision::Allowed]);
    assert_eq!(simulated.evaluation_results()[0].matched_statements().len(), 1);
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:ViaService":"s3.*"}}}]}"#;
    for (service, expected) in [
        ("s3.us-east-1.amazonaws.com", Decision::Allowed),
        ("ec2.us-east-1.amazonaws.com", Decision::ImplicitDeny),
    ] {
        let entry = ContextEntry::builder()
            .context_key_name("kms:ViaService")
            .context_key_values(service)
            .context_key_type(ContextKeyTypeEnum::String)
            .build();
        let simulated = iam
            .simulate_custom_policy()
            .policy_input_list(text)
            .action_names("kms:Decrypt")
            .context_entries(entry)
            .send()
            .await
            .unwrap();
        assert_eq!(*simulated.evaluation_results()[0].eval_decision(), expected, "{service}");
    }
    refused! {
        "NoSuchEntity" 404 "" iam.simulate_principal_policy().policy_source_arn("arn:aws:iam::111122223333:user/absent").action_names("s3:GetObject");
        "InvalidInput" 400 "" iam.simulate_custom_policy().policy_input_list("nonsense").action_names("s3:GetObject");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_the_object_are_a_condition() {
    let stand = Stand::start().await;
    stand.bucket("tagged", EAST, true).await;
    for (key, tags) in [("open", "team=storage&level=low"), ("closed", "team=other"), ("bare", "")]
    {
        let put = stand.s3(EAST).put_object().bucket("tagged").key(key);
        put.tagging(tags).body(ByteStream::from_static(b"x")).send().await.unwrap();
    }
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectTagging"],"Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"storage"}}},
        {"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}"#;
    let (id, secret) = stand.user("storage", policy).await;
    let s3 = stand.s3_as(&id, &secret, EAST);
    s3.get_object().bucket("tagged").key("open").send().await.unwrap();
    s3.get_object_tagging().bucket("tagged").key("open").send().await.unwrap();
    refused! {
        "AccessDenied" 403 "s3:GetObject on" s3.get_object().bucket("tagged").key("closed");
        "AccessDenied" 403 "s3:GetObject on" s3.get_object().bucket("tagged").key("bare");
        "AccessDenied" 403 "s3:GetObject on" s3.get_object().bucket("tagged").key("absent");
        "AccessDenied" 403 "s3:GetObjectTagging" s3.get_object_tagging().bucket("tagged").key("closed");
    }
}
