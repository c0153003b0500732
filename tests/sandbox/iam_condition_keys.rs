//! The condition keys of IAM's and KMS's own requests, which service control policies use: a Deny
//! on the value in the request hits, one on another value does not, and a key without a value is
//! absent. Source: Service Authorization Reference.
//! Not for: the keys that every request has (see `access`).

use super::iam_life::{allow, policy, tag};
use super::{ACCOUNT, EAST, POLICY, Stand, TRUST, WEST, refused};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{GrantConstraints, GrantOperation, Tag as KmsTag};

/// Tries each call once under a Deny on exactly the value of a condition key in the request, and
/// once under a Deny on another value, with an operator that also tells an absent key.
macro_rules! condition_keys {
    ($stand:expr, $( $action:literal $key:literal $value:expr => $call:expr; )*) => {{
        let mut wrong: Vec<String> = Vec::new();
        $({
            let mut outcomes = Vec::new();
            for value in [$value.to_string(), "another-value".to_owned()] {
                let document = serde_json::json!({"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "*", "Resource": "*"},
                    {"Effect": "Deny", "Action": $action, "Resource": "*",
                     "Condition": {"ForAnyValue:StringLike": {$key: value}}},
                ]});
                let put = $stand.iam().put_user_policy().user_name("caller").policy_name("own");
                put.policy_document(document.to_string()).send().await.unwrap();
                outcomes.push(super::refusal($call.send().await).2.contains("explicit deny"));
            }
            if outcomes != [true, false] {
                wrong.push(format!("{} {}: {outcomes:?}", $action, $key));
            }
        })*
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }};
}

#[tokio::test]
async fn denies_on_keys_of_iam_hit_the_value_in_the_request() {
    let stand = Stand::start().await;
    let root = stand.iam();
    let (id, secret) = stand.user("caller", &allow("*")).await;
    let iam = stand.iam_as(&id, &secret);
    let bound = policy(&root, "bound", POLICY).await;
    let free = policy(&root, "free", POLICY).await;
    let create = root.create_role().role_name("bounded").assume_role_policy_document(TRUST);
    create.permissions_boundary(&bound).tags(tag("team", "red")).send().await.unwrap();
    let create = root.create_user().user_name("bounded").permissions_boundary(&bound);
    create.tags(tag("team", "red")).send().await.unwrap();
    let tagged = root.create_policy().policy_name("tagged").policy_document(POLICY);
    let tagged = tagged.tags(tag("team", "red")).send().await.unwrap();
    let tagged = tagged.policy().unwrap().arn().unwrap().to_owned();
    condition_keys! { stand,
        "iam:CreateRole" "aws:RequestTag/team" "red" => iam.create_role().role_name("r1").assume_role_policy_document(TRUST).tags(tag("team", "red"));
        "iam:CreateRole" "aws:TagKeys" "team" => iam.create_role().role_name("r2").assume_role_policy_document(TRUST).tags(tag("team", "red"));
        "iam:CreateRole" "iam:PermissionsBoundary" bound => iam.create_role().role_name("r3").assume_role_policy_document(TRUST).permissions_boundary(&bound);
        "iam:TagRole" "aws:TagKeys" "team" => iam.create_role().role_name("r4").assume_role_policy_document(TRUST).tags(tag("team", "red"));
        "iam:CreateUser" "aws:RequestTag/team" "red" => iam.create_user().user_name("u1").tags(tag("team", "red"));
        "iam:CreateUser" "iam:PermissionsBoundary" bound => iam.create_user().user_name("u2").permissions_boundary(&bound);
        "iam:CreatePolicy" "aws:RequestTag/team" "red" => iam.create_policy().policy_name("p1").policy_document(POLICY).tags(tag("team", "red"));
        "iam:CreatePolicyVersion" "aws:ResourceTag/team" "red" => iam.create_policy_version().policy_arn(&tagged).policy_document(POLICY);
        "iam:AttachRolePolicy" "iam:PolicyARN" free => iam.attach_role_policy().role_name("bounded").policy_arn(&free);
        "iam:AttachRolePolicy" "iam:PermissionsBoundary" bound => iam.attach_role_policy().role_name("bounded").policy_arn(&free);
        "iam:AttachUserPolicy" "iam:PolicyARN" free => iam.attach_user_policy().user_name("bounded").policy_arn(&free);
        "iam:PutRolePolicy" "iam:PermissionsBoundary" bound => iam.put_role_policy().role_name("bounded").policy_name("own").policy_document(POLICY);
        "iam:PutRolePolicy" "iam:ResourceTag/team" "red" => iam.put_role_policy().role_name("bounded").policy_name("own").policy_document(POLICY);
        "iam:PutUserPolicy" "iam:PermissionsBoundary" bound => iam.put_user_policy().user_name("bounded").policy_name("own").policy_document(allow("s3:*"));
        "iam:PutRolePermissionsBoundary" "iam:PermissionsBoundary" free => iam.put_role_permissions_boundary().role_name("bounded").permissions_boundary(&free);
        "iam:PutUserPermissionsBoundary" "iam:PermissionsBoundary" free => iam.put_user_permissions_boundary().user_name("bounded").permissions_boundary(&free);
        "iam:DeleteRolePolicy" "iam:PermissionsBoundary" free => iam.delete_role_policy().role_name("bounded").policy_name("own");
        "iam:DeleteUserPolicy" "iam:PermissionsBoundary" free => iam.delete_user_policy().user_name("bounded").policy_name("own");
        "iam:DetachRolePolicy" "iam:PolicyARN" free => iam.detach_role_policy().role_name("bounded").policy_arn(&free);
        "iam:DetachUserPolicy" "iam:PolicyARN" free => iam.detach_user_policy().user_name("bounded").policy_arn(&free);
        "iam:DeleteRolePermissionsBoundary" "iam:PermissionsBoundary" free => iam.delete_role_permissions_boundary().role_name("bounded");
        "iam:DeleteUserPermissionsBoundary" "iam:PermissionsBoundary" free => iam.delete_user_permissions_boundary().user_name("bounded");
        "iam:UntagRole" "aws:TagKeys" "color" => iam.untag_role().role_name("bounded").tag_keys("color");
        "iam:DeleteRole" "aws:ResourceTag/team" "red" => iam.delete_role().role_name("bounded");
        "iam:DeleteUser" "aws:ResourceTag/team" "red" => iam.delete_user().user_name("bounded");
        "iam:DeletePolicy" "aws:ResourceTag/team" "red" => iam.delete_policy().policy_arn(&tagged);
        "iam:CreateServiceLinkedRole" "iam:AWSServiceName" "backup.amazonaws.com" => iam.create_service_linked_role().aws_service_name("backup.amazonaws.com");
    }
}

#[tokio::test]
async fn a_key_that_an_iam_request_does_not_have_is_absent() {
    let stand = Stand::start().await;
    let deny = |action: &str, key: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{"Effect":"Deny","Action":"{action}","Resource":"*","Condition":{{"Null":{{"{key}":"true"}}}}}}]}}"#
        )
    };
    let (id, secret) = stand.user("caller", &allow("*")).await;
    let iam = stand.iam_as(&id, &secret);
    let create = stand.iam().create_role().role_name("free");
    create.assume_role_policy_document(TRUST).send().await.unwrap();
    for (action, key) in [
        ("iam:CreateRole", "iam:PermissionsBoundary"),
        ("iam:CreateRole", "aws:TagKeys"),
        ("iam:CreateRole", "aws:RequestTag/team"),
    ] {
        let put = stand.iam().put_user_policy().user_name("caller").policy_name("own");
        put.policy_document(deny(action, key)).send().await.unwrap();
        refused! { "AccessDenied" 403 "with an explicit deny" iam.create_role().role_name("r").assume_role_policy_document(TRUST); }
    }
    let put = stand.iam().put_user_policy().user_name("caller").policy_name("own");
    put.policy_document(deny("iam:PutRolePolicy", "iam:PermissionsBoundary")).send().await.unwrap();
    refused! { "AccessDenied" 403 "with an explicit deny" iam.put_role_policy().role_name("free").policy_name("own").policy_document(POLICY); }
}

#[tokio::test]
async fn denies_on_keys_of_kms_hit_the_value_in_the_request() {
    let stand = Stand::start().await;
    let root = stand.kms(EAST);
    let (id, secret) = stand.user("caller", &allow("*")).await;
    let kms = stand.kms_as(&id, &secret, EAST);
    let tag = || KmsTag::builder().tag_key("team").tag_value("red").build().unwrap();
    let create = root.create_key().tags(tag()).multi_region(true).send().await.unwrap();
    let key = create.key_metadata().unwrap().key_id().to_owned();
    root.create_alias().alias_name("alias/own").target_key_id(&key).send().await.unwrap();
    let grantee = format!("arn:aws:iam::{ACCOUNT}:user/caller");
    let policy = root.get_key_policy().key_id(&key).send().await.unwrap().policy.unwrap();
    let constraints =
        || GrantConstraints::builder().encryption_context_subset("for", "tests").build();
    let grant = || {
        let grant = kms.create_grant().key_id(&key).grantee_principal(&grantee);
        grant
            .operations(GrantOperation::Encrypt)
            .retiring_principal(&grantee)
            .constraints(constraints())
    };
    condition_keys! { stand,
        "kms:CreateKey" "aws:RequestTag/team" "red" => kms.create_key().tags(tag());
        "kms:CreateKey" "aws:TagKeys" "team" => kms.create_key().tags(tag());
        "kms:CreateKey" "kms:KeySpec" "SYMMETRIC_DEFAULT" => kms.create_key();
        "kms:CreateKey" "kms:KeyUsage" "ENCRYPT_DECRYPT" => kms.create_key();
        "kms:CreateKey" "kms:KeyOrigin" "AWS_KMS" => kms.create_key();
        "kms:CreateKey" "kms:MultiRegion" "false" => kms.create_key();
        "kms:CreateKey" "kms:MultiRegion" "true" => kms.create_key().multi_region(true);
        "kms:CreateKey" "kms:MultiRegionKeyType" "PRIMARY" => kms.create_key().multi_region(true);
        "kms:CreateKey" "kms:MultiRegionKeyType" "REPLICA" => kms.replicate_key().key_id(&key).replica_region("eu-west-1");
        "kms:CreateKey" "kms:BypassPolicyLockoutSafetyCheck" "true" => kms.create_key().bypass_policy_lockout_safety_check(true);
        "kms:CreateKey" "kms:CallerAccount" ACCOUNT => kms.create_key();
        "kms:ReplicateKey" "kms:ReplicaRegion" WEST => kms.replicate_key().key_id(&key).replica_region(WEST);
        "kms:UpdatePrimaryRegion" "kms:PrimaryRegion" "eu-north-1" => kms.update_primary_region().key_id(&key).primary_region("eu-north-1");
        "kms:PutKeyPolicy" "kms:BypassPolicyLockoutSafetyCheck" "true" => kms.put_key_policy().key_id(&key).policy(&policy).bypass_policy_lockout_safety_check(true);
        "kms:PutKeyPolicy" "aws:ResourceTag/team" "red" => kms.put_key_policy().key_id(&key).policy(&policy);
        "kms:DescribeKey" "kms:RequestAlias" "alias/own" => kms.describe_key().key_id("alias/own");
        "kms:Encrypt" "kms:RequestAlias" "alias/own" => kms.encrypt().key_id("alias/own").plaintext(Blob::new("a"));
        "kms:DescribeKey" "kms:ResourceAliases" "alias/own" => kms.describe_key().key_id(&key);
        "kms:EnableKeyRotation" "kms:RotationPeriodInDays" "90" => kms.enable_key_rotation().key_id(&key).rotation_period_in_days(90);
        "kms:UntagResource" "aws:TagKeys" "color" => kms.untag_resource().key_id(&key).tag_keys("color");
        "kms:CreateGrant" "kms:GrantOperations" "Encrypt" => grant();
        "kms:CreateGrant" "kms:GranteePrincipal" grantee => grant();
        "kms:CreateGrant" "kms:RetiringPrincipal" grantee => grant();
        "kms:CreateGrant" "kms:GrantConstraintType" "EncryptionContextSubset" => grant();
        "kms:CreateGrant" "kms:GrantIsForAWSResource" "false" => grant();
        "kms:RevokeGrant" "kms:GrantIsForAWSResource" "false" => kms.revoke_grant().key_id(&key).grant_id("0");
        "kms:ScheduleKeyDeletion" "kms:ScheduleKeyDeletionPendingWindowInDays" "7" => kms.schedule_key_deletion().key_id(&key).pending_window_in_days(7);
    }
}

#[tokio::test]
async fn a_key_that_a_kms_request_does_not_have_is_absent() {
    let stand = Stand::start().await;
    let created = stand.kms(EAST).create_key().send().await.unwrap();
    let key = created.key_metadata().unwrap().key_id().to_owned();
    let (id, secret) = stand.user("caller", &allow("*")).await;
    let kms = stand.kms_as(&id, &secret, EAST);
    for (action, name) in [
        ("kms:CreateKey", "aws:TagKeys"),
        ("kms:CreateKey", "kms:MultiRegionKeyType"),
        ("kms:CreateKey", "kms:BypassPolicyLockoutSafetyCheck"),
        ("kms:DescribeKey", "kms:ResourceAliases"),
        ("kms:DescribeKey", "kms:RequestAlias"),
        ("kms:DescribeKey", "kms:MultiRegionKeyType"),
        ("kms:DescribeKey", "kms:ViaService"),
    ] {
        let document = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{"Effect":"Deny","Action":"{action}","Resource":"*","Condition":{{"Null":{{"{name}":"true"}}}}}}]}}"#
        );
        let put = stand.iam().put_user_policy().user_name("caller").policy_name("own");
        put.policy_document(document).send().await.unwrap();
        let denied = if action == "kms:CreateKey" {
            super::refusal(kms.create_key().send().await)
        } else {
            super::refusal(kms.describe_key().key_id(&key).send().await)
        };
        assert!(denied.2.contains("with an explicit deny"), "{action} {name}: {denied:?}");
    }
}
