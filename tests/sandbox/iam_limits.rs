//! What IAM's operations refuse beside their lives: a new name that the caller may not give,
//! parameters that an operation does not have, the names of service-linked roles, services
//! without credentials. Sources: IAM API Reference, the operations' pages; Service Authorization
//! Reference; tilfin/aws-iam-policy-tool#9.
//! Not for: lives of users, roles and policies (see `iam_life`).

use super::{ACCOUNT, EAST, Stand, TRUST, refused};
use aws_sdk_kms::types::GrantOperation;
use aws_smithy_types::body::SdkBody;
use crrctl_sandbox::{Limits, Options};

fn allow(action: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"{resource}","Condition":{condition}}}]}}"#
    )
}

#[tokio::test]
async fn a_parameter_that_an_action_does_not_have_is_no_condition_key() {
    let stand = Stand::start().await;
    let root = stand.iam();
    let (id, secret) = stand.user("caller", &allow("sts:*", "*", "{}")).await;
    let create = root.create_role().role_name("free").assume_role_policy_document(TRUST);
    create.send().await.unwrap();
    let iam = stand.iam_as(&id, &secret);
    for (key, parameters) in [
        ("iam:PermissionsBoundary", "&PermissionsBoundary=value"),
        ("aws:RequestTag/team", "&Tags.member.1.Key=team&Tags.member.1.Value=value"),
        ("aws:TagKeys", "&Tags.member.1.Key=value"),
        ("aws:TagKeys", "&TagKeys.member.1=value"),
        ("iam:AWSServiceName", "&AWSServiceName=value"),
        ("iam:PolicyARN", "&PolicyArn=value"),
    ] {
        let condition = format!(r#"{{"ForAnyValue:StringEquals":{{"{key}":"value"}}}}"#);
        let put = root.put_user_policy().user_name("caller").policy_name("own");
        let put = put.policy_document(allow("iam:PutRolePolicy", "*", &condition));
        put.send().await.unwrap();
        let put = iam.put_role_policy().role_name("free").policy_name("own");
        let put = put.policy_document(super::POLICY).customize().mutate_request(move |request| {
            let body = [request.body().bytes().unwrap(), parameters.as_bytes()].concat();
            request.headers_mut().insert("content-length", body.len().to_string());
            *request.body_mut() = SdkBody::from(body);
        });
        let (code, status, text) = super::refusal(put.send().await);
        assert_eq!((code.as_str(), status), ("AccessDenied", 403), "{parameters}: {text}");
    }
}

#[tokio::test]
async fn a_user_is_renamed_with_the_permission_on_both_names() {
    let stand = Stand::start().await;
    let root = stand.iam();
    root.create_user().user_name("bob").send().await.unwrap();
    let (id, secret) = stand.user("caller", &allow("sts:*", "*", "{}")).await;
    let iam = stand.iam_as(&id, &secret);
    let allow_on = async |name: &str| {
        let resource = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
        let put = root.put_user_policy().user_name("caller").policy_name("own");
        let put = put.policy_document(allow("iam:UpdateUser", &resource, "{}"));
        put.send().await.unwrap();
    };
    allow_on("bob").await;
    refused! {
        "AccessDenied" 403 ":user/robert" iam.update_user().user_name("bob").new_user_name("robert");
        "AccessDenied" 403 ":user/team/bob" iam.update_user().user_name("bob").new_path("/team/");
        "AccessDenied" 403 ":user/caller" iam.update_user().user_name("bob").new_user_name("caller");
    };
    allow_on("robert").await;
    refused! {
        "AccessDenied" 403 ":user/bob" iam.update_user().user_name("bob").new_user_name("robert");
    };
    allow_on("*b*").await;
    iam.update_user().user_name("bob").new_user_name("robert").send().await.unwrap();
}

#[tokio::test]
async fn names_of_service_linked_roles_are_checked_and_reserved() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    let link = || iam.create_service_linked_role().aws_service_name("autoscaling.amazonaws.com");
    let role =
        |path: &str| iam.create_role().role_name("r").path(path).assume_role_policy_document(TRUST);
    refused! {
        "ValidationError" 400 "at 'customSuffix' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+" link().custom_suffix("a/b");
        "ValidationError" 400 "at 'customSuffix' failed to satisfy constraint: Member must have length less than or equal to 64" link().custom_suffix("a".repeat(200));
        "ValidationError" 400 "at 'customSuffix'" link().custom_suffix("");
        "ValidationError" 400 "at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64" link().custom_suffix("a".repeat(64));
        "ValidationError" 400 "at 'description' failed to satisfy constraint: Member must have length less than or equal to 1000" link().description("a".repeat(1001));
        "ValidationError" 400 "at 'description'" link().description("\u{2014}");
        "ValidationError" 400 "at 'aWSServiceName'" iam.create_service_linked_role().aws_service_name("a/b");
        "InvalidInput" 400 "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles" role("/aws-service-role/x/");
    };
    link().custom_suffix("one").description("a").send().await.unwrap();
    refused! { "InvalidInput" 400 "has been taken" link().custom_suffix("ONE"); };
}

#[tokio::test]
async fn a_role_with_only_the_name_of_kmss_role_is_not_that_role() {
    let stand = Stand::start().await;
    let name = "AWSServiceRoleForKeyManagementServiceMultiRegionKeys";
    let create = stand.iam().create_role().role_name(name).assume_role_policy_document(TRUST);
    create.send().await.unwrap();
    let kms = stand.kms(EAST);
    refused! { "NotImplemented" 501 "AWSServiceRoleForKeyManagementServiceMultiRegionKeys" kms.create_key().multi_region(true); };
    kms.create_key().send().await.unwrap();
}

#[tokio::test]
async fn services_with_api_keys_are_not_unknown() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    iam.create_user().user_name("ann").send().await.unwrap();
    let create =
        |name: &str| iam.create_service_specific_credential().user_name("ann").service_name(name);
    let list =
        |name: &str| iam.list_service_specific_credentials().user_name("ann").service_name(name);
    refused! {
        "NotImplemented" 501 "bedrock.amazonaws.com" create("bedrock.amazonaws.com");
        "NotImplemented" 501 "logs.amazonaws.com" create("logs.amazonaws.com");
        "NotImplemented" 501 "bedrock.amazonaws.com" list("bedrock.amazonaws.com");
        "NoSuchEntity" 404 "No such service lambda.amazonaws.com is supported" create("lambda.amazonaws.com");
    };
}

#[tokio::test]
async fn a_full_sandbox_answers_first_what_aws_answers() {
    let limits = Limits { resources: 6, ..Limits::default() };
    let stand = Stand::with(Options { limits, ..Options::default() }).await;
    let (root, kms) = (stand.iam(), stand.kms(EAST));
    let key = kms.create_key().send().await.unwrap();
    let key = key.key_metadata().unwrap().key_id().to_owned();
    kms.create_alias().alias_name("alias/one").target_key_id(&key).send().await.unwrap();
    let arn = format!("arn:aws:iam::{ACCOUNT}:root");
    let grant = || {
        let grant = kms.create_grant().key_id(&key).grantee_principal(&arn).name("one");
        grant.operations(GrantOperation::Encrypt)
    };
    grant().send().await.unwrap();
    let (id, secret) = stand.user("caller", &allow("sts:*", "*", "{}")).await;
    let (iam, denied) = (stand.iam_as(&id, &secret), stand.kms_as(&id, &secret, EAST));
    let role = |name: &str| root.create_role().role_name(name).assume_role_policy_document(TRUST);
    role("one").send().await.unwrap();
    refused! {
        "AccessDenied" 403 "iam:CreateUser" iam.create_user().user_name("two");
        "AccessDenied" 403 "iam:CreateRole" iam.create_role().role_name("two").assume_role_policy_document(TRUST);
        "AccessDeniedException" 400 "kms:CreateKey" denied.create_key();
        "AccessDeniedException" 400 "kms:CreateGrant" denied.create_grant().key_id(&key).grantee_principal(&arn).operations(GrantOperation::Encrypt);
        "EntityAlreadyExists" 409 "ONE" role("ONE");
        "ValidationError" 400 "roleName" role("a/b");
        "EntityAlreadyExists" 409 "caller" root.create_user().user_name("caller");
        "AlreadyExistsException" 400 "alias/one" kms.create_alias().alias_name("alias/one").target_key_id(&key);
        "SandboxFull" 507 "more than 6" role("two");
        "SandboxFull" 507 "more than 6" root.create_user().user_name("two");
        "SandboxFull" 507 "more than 6" root.create_policy().policy_name("two").policy_document(super::POLICY);
        "SandboxFull" 507 "more than 6" root.create_access_key().user_name("caller");
        "SandboxFull" 507 "more than 6" root.create_service_specific_credential().user_name("caller").service_name("codecommit.amazonaws.com");
        "SandboxFull" 507 "more than 6" root.create_service_linked_role().aws_service_name("autoscaling.amazonaws.com");
        "SandboxFull" 507 "more than 6" kms.create_alias().alias_name("alias/two").target_key_id(&key);
        "SandboxFull" 507 "more than 6" kms.create_key();
        "SandboxFull" 507 "more than 6" grant();
        "SandboxFull" 507 "more than 6" grant().name("two");
    };
}
