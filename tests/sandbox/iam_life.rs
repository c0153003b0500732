//! The lives of the IAM resources that Terraform's `aws_iam_*` resources create, read, change and
//! delete; service-linked roles; AWS managed policies; the policy simulator. Sources: IAM API
//! Reference and User Guide; the texts that localstack's public snapshots recorded of AWS (2024 to
//! 2026, read 2026-11).
//! Not for: the evaluation of policies (see `access`).

use super::{ACCOUNT, EAST, POLICY, Stand, TRUST, refused};
use aws_sdk_iam::Client;
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, DeletionTaskStatusType, Tag};
use serde_json::Value;

pub(super) fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

pub(super) fn allow(action: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
    )
}

pub(super) async fn policy(iam: &Client, name: &str, document: &str) -> String {
    let create = iam.create_policy().policy_name(name).policy_document(document);
    create.send().await.unwrap().policy().unwrap().arn().unwrap().to_owned()
}

async fn role(iam: &Client, name: &str) {
    let create = iam.create_role().role_name(name).assume_role_policy_document(TRUST);
    create.send().await.unwrap();
}

#[tokio::test]
async fn the_default_version_of_a_policy_is_the_one_that_decides() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    let arn = policy(&iam, "versions", &allow("s3:ListAllMyBuckets")).await;
    let (id, secret) = stand.user("reader", &allow("sts:GetCallerIdentity")).await;
    iam.attach_user_policy().user_name("reader").policy_arn(&arn).send().await.unwrap();
    let reader = stand.s3_as(&id, &secret, EAST);
    let version =
        |action: &str| iam.create_policy_version().policy_arn(&arn).policy_document(allow(action));
    let (get, set, delete) = (
        |id: &str| iam.get_policy_version().policy_arn(&arn).version_id(id),
        |id: &str| iam.set_default_policy_version().policy_arn(&arn).version_id(id),
        |id: &str| iam.delete_policy_version().policy_arn(&arn).version_id(id),
    );
    reader.list_buckets().send().await.unwrap();
    let second = version("s3:GetObject").send().await.unwrap();
    let second = second.policy_version().unwrap();
    assert_eq!((second.version_id(), second.is_default_version()), (Some("v2"), false));
    assert_eq!(second.document(), None);
    reader.list_buckets().send().await.unwrap();
    set("v2").send().await.unwrap();
    refused! { "AccessDenied" 403 "" reader.list_buckets(); }
    let third = version("s3:*").set_as_default(true).send().await.unwrap();
    assert!(third.policy_version().unwrap().is_default_version());
    reader.list_buckets().send().await.unwrap();
    for _ in 4..=5 {
        version("s3:*").send().await.unwrap();
    }
    refused! {
        "LimitExceeded" 409 "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version." version("s3:*");
        "DeleteConflict" 409 "Cannot delete the default version of a policy." delete("v3");
        "DeleteConflict" 409 "Cannot delete a policy attached to entities." iam.delete_policy().policy_arn(&arn);
        "NoSuchEntity" 404 "version v9" get("v9");
        "NoSuchEntity" 404 "version v9" set("v9");
        "NoSuchEntity" 404 "version v9" delete("v9");
        "ValidationError" 400 "'versionId'" get("9");
        "MalformedPolicyDocument" 400 "" iam.create_policy_version().policy_arn(&arn).policy_document("{");
    };
    delete("v1").send().await.unwrap();
    let sixth = version("s3:*").send().await.unwrap();
    assert_eq!(sixth.policy_version().unwrap().version_id(), Some("v6"), "numbers stay unused");
    let list = || iam.list_policy_versions().policy_arn(&arn);
    let first = list().max_items(2).send().await.unwrap();
    let rest = list().marker(first.marker().unwrap()).send().await.unwrap();
    let versions: Vec<_> = first.versions().iter().chain(rest.versions()).collect();
    let ids: Vec<_> = versions.iter().filter_map(|it| it.version_id()).collect();
    assert_eq!(ids, ["v6", "v5", "v4", "v3", "v2"]);
    assert!(versions.iter().all(|it| it.is_default_version() == (it.version_id() == Some("v3"))));
    let got = iam.get_policy().policy_arn(&arn).send().await.unwrap();
    assert_eq!(got.policy().unwrap().default_version_id(), Some("v3"));
    iam.detach_user_policy().user_name("reader").policy_arn(&arn).send().await.unwrap();
    refused! { "DeleteConflict" 409 "This policy has more than one version." iam.delete_policy().policy_arn(&arn); }
    for id in ["v2", "v4", "v5", "v6"] {
        delete(id).send().await.unwrap();
    }
    iam.delete_policy().policy_arn(&arn).send().await.unwrap();
    refused! { "NoSuchEntity" 404 "was not found." iam.get_policy().policy_arn(&arn); }
}

#[tokio::test]
async fn a_policy_keeps_its_description_and_tags() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    let create = iam.create_policy().policy_name("kept").policy_document(POLICY).path("/team/");
    let created = create.description("of the team").tags(tag("a", "1")).send().await.unwrap();
    let arn = created.policy().unwrap().arn().unwrap().to_owned();
    assert_eq!(created.policy().unwrap().tags(), [tag("a", "1")]);
    iam.tag_policy().policy_arn(&arn).tags(tag("b", "2")).send().await.unwrap();
    iam.untag_policy().policy_arn(&arn).tag_keys("a").send().await.unwrap();
    let tags = iam.list_policy_tags().policy_arn(&arn).send().await.unwrap();
    assert_eq!(tags.tags(), [tag("b", "2")]);
    let got = iam.get_policy().policy_arn(&arn).send().await.unwrap();
    let got = got.policy().unwrap();
    assert_eq!(got.description(), Some("of the team"));
    assert_eq!(got.tags(), [tag("b", "2")]);
    let list = || iam.list_policies().scope("Local".into());
    let (here, there) =
        (list().path_prefix("/team/").send().await, list().path_prefix("/other/").send().await);
    assert_eq!(here.unwrap().policies().len(), 1);
    assert!(there.unwrap().policies().is_empty());
    let all = iam.list_policies().path_prefix("/team/").send().await.unwrap();
    assert_eq!(all.policies().len(), 1);
    assert!(list().only_attached(true).send().await.unwrap().policies().is_empty());
    refused! {
        "EntityAlreadyExists" 409 "A policy called KEPT already exists." iam.create_policy().policy_name("KEPT").policy_document(POLICY);
        "ValidationError" 400 "Invalid ARN:  Could not be parsed!" iam.get_policy().policy_arn("a-text-that-is-no-arn");
        "ValidationError" 400 "greater than or equal to 20" iam.get_policy().policy_arn("short");
        "NotImplemented" 501 "ask with Scope=Local" iam.list_policies();
        "NotImplemented" 501 "ask with Scope=Local" iam.list_policies().path_prefix("/service-role/");
    };
}

#[tokio::test]
async fn roles_and_users_change_and_list_what_uses_a_policy() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    role(&iam, "worker").await;
    let update = iam.update_role().role_name("worker").description("works");
    update.max_session_duration(7200).send().await.unwrap();
    let get = || async { iam.get_role().role_name("worker").send().await.unwrap().role.unwrap() };
    let got = get().await;
    assert_eq!((got.description(), got.max_session_duration()), (Some("works"), Some(7200)));
    iam.update_role().role_name("worker").send().await.unwrap();
    let got = get().await;
    assert_eq!((got.description(), got.max_session_duration()), (Some("works"), Some(7200)));
    let described = iam.update_role_description().role_name("worker").description("rests");
    let described = described.send().await.unwrap();
    let described = described.role().unwrap();
    // The members of the answers are recorded (2026).
    assert_eq!((described.description(), described.max_session_duration()), (Some("rests"), None));
    let create = iam.create_role().role_name("told").description("not in the answer");
    let create = create.assume_role_policy_document(TRUST);
    assert_eq!(create.send().await.unwrap().role().unwrap().description(), None);

    let (id, secret) = stand.user("anna", &allow("iam:*")).await;
    let update = iam.update_user().user_name("anna").new_user_name("berta").new_path("/b/");
    update.send().await.unwrap();
    let own = stand.iam_as(&id, &secret).get_user().send().await.unwrap();
    assert_eq!(own.user().unwrap().arn(), format!("arn:aws:iam::{ACCOUNT}:user/b/berta"));
    let keys = iam.list_access_keys().user_name("berta").send().await.unwrap();
    assert_eq!(keys.access_key_metadata()[0].access_key_id(), Some(id.as_str()));
    let groups = iam.list_groups_for_user().user_name("berta").send().await.unwrap();
    assert!(groups.groups().is_empty() && !groups.is_truncated());
    assert!(iam.list_mfa_devices().user_name("berta").send().await.unwrap().mfa_devices.is_empty());
    iam.list_signing_certificates().user_name("berta").send().await.unwrap();
    iam.list_ssh_public_keys().user_name("berta").send().await.unwrap();
    iam.list_virtual_mfa_devices().send().await.unwrap();

    let arn = policy(&iam, "used", POLICY).await;
    iam.attach_role_policy().role_name("worker").policy_arn(&arn).send().await.unwrap();
    let bound = iam.put_user_permissions_boundary().user_name("berta");
    bound.permissions_boundary(&arn).send().await.unwrap();
    let list = || iam.list_entities_for_policy().policy_arn(&arn);
    for (usage, filter, users, roles) in [
        (None, None, 1, 1),
        (Some("PermissionsPolicy"), None, 0, 1),
        (Some("PermissionsBoundary"), None, 1, 0),
        (None, Some("Role"), 0, 1),
        (None, Some("Group"), 0, 0),
    ] {
        let list = list().set_policy_usage_filter(usage.map(Into::into));
        let found = list.set_entity_filter(filter.map(Into::into)).send().await.unwrap();
        let counts = (found.policy_users().len(), found.policy_roles().len());
        assert_eq!(counts, (users, roles), "{usage:?} {filter:?}");
    }
    let page = list().max_items(1).send().await.unwrap();
    let rest = list().marker(page.marker().unwrap()).send().await.unwrap();
    let total =
        |it: &aws_sdk_iam::operation::list_entities_for_policy::ListEntitiesForPolicyOutput| {
            it.policy_users().len() + it.policy_roles().len()
        };
    assert_eq!((total(&page), total(&rest)), (1, 1));
    refused! {
        "NoSuchEntity" 404 "The user with name anna cannot be found." iam.list_groups_for_user().user_name("anna");
        "NoSuchEntity" 404 "Login Profile for User berta cannot be found." iam.delete_login_profile().user_name("berta");
        "ValidationError" 400 "Member must have value greater than or equal to 3600" iam.update_role().role_name("worker").max_session_duration(60);
        "ValidationError" 400 "Member must have value less than or equal to 43200" iam.update_role().role_name("worker").max_session_duration(43_201);
    };
}

#[tokio::test]
async fn service_specific_credentials_live_with_their_user() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    iam.create_user().user_name("anna").send().await.unwrap();
    iam.create_user().user_name("berta").send().await.unwrap();
    let create = |user: &str, service: &str| {
        iam.create_service_specific_credential().user_name(user).service_name(service)
    };
    let made = create("anna", "codecommit.amazonaws.com").send().await.unwrap();
    let made = made.service_specific_credential().unwrap();
    assert_eq!(made.service_user_name(), format!("anna-at-{ACCOUNT}"));
    let id = made.service_specific_credential_id();
    let update = |user: &str, id: &str, status: &str| {
        let update = iam.update_service_specific_credential().user_name(user);
        update.service_specific_credential_id(id).status(status.into())
    };
    update("anna", id, "Inactive").send().await.unwrap();
    let list = || iam.list_service_specific_credentials().user_name("anna");
    let listed = list().send().await.unwrap();
    let listed = listed.service_specific_credentials();
    assert_eq!(listed[0].status().as_str(), "Inactive");
    let other = list().service_name("cassandra.amazonaws.com").send().await.unwrap();
    assert!(other.service_specific_credentials().is_empty());
    let reset = iam.reset_service_specific_credential().user_name("anna");
    let reset = reset.service_specific_credential_id(id).send().await.unwrap();
    let reset = reset.service_specific_credential().unwrap();
    assert_ne!(reset.service_password(), made.service_password());
    refused! {
        "NoSuchEntity" 404 "The user with name absent cannot be found." create("absent", "unknown");
        "NoSuchEntity" 404 "No such service unknown is supported for Service Specific Credentials" create("anna", "unknown");
        "NoSuchEntity" 404 "No such service unknown is supported" list().service_name("unknown");
        "NoSuchEntity" 404 "No such credential" update("berta", id, "Active");
        "ValidationError" 400 "'serviceSpecificCredentialId'" update("anna", "short", "Active");
        "ValidationError" 400 "'status'" update("anna", id, "Other");
        "DeleteConflict" 409 "Cannot delete entity, must remove referenced objects first." iam.delete_user().user_name("anna");
    };
    let delete = iam.delete_service_specific_credential().user_name("anna");
    delete.service_specific_credential_id(id).send().await.unwrap();
    iam.delete_user().user_name("anna").send().await.unwrap();
}

#[tokio::test]
async fn aws_managed_policies_can_be_read_and_attached() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    let (id, secret) = stand.user("reader", &allow("sts:GetCallerIdentity")).await;
    let (buckets, keys) = (stand.s3_as(&id, &secret, EAST), stand.kms_as(&id, &secret, EAST));
    refused! {
        "AccessDenied" 403 "" buckets.list_buckets();
        "AccessDeniedException" 400 "" keys.create_key();
    };
    for name in ["AmazonS3ReadOnlyAccess", "AWSKeyManagementServicePowerUser"] {
        let arn = format!("arn:aws:iam::aws:policy/{name}");
        iam.attach_user_policy().user_name("reader").policy_arn(&arn).send().await.unwrap();
        let got = iam.get_policy().policy_arn(&arn).send().await.unwrap();
        let got = got.policy().unwrap();
        assert_eq!((got.policy_name(), got.attachment_count()), (Some(name), Some(1)));
        let version = got.default_version_id().unwrap();
        let version = iam.get_policy_version().policy_arn(&arn).version_id(version);
        let version = version.send().await.unwrap();
        let text = version.policy_version().unwrap().document().unwrap().to_owned();
        let text = percent_encoding::percent_decode_str(&text).decode_utf8().unwrap().into_owned();
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["Version"], "2012-10-17");
    }
    buckets.list_buckets().send().await.unwrap();
    keys.create_key().send().await.unwrap();
    refused! {
        "AccessDenied" 403 "" buckets.create_bucket().bucket("not-allowed");
        "NotImplemented" 501 "the AWS managed policy arn:aws:iam::aws:policy/Billing" iam.get_policy().policy_arn("arn:aws:iam::aws:policy/Billing");
    };
}

#[tokio::test]
async fn service_linked_roles_live_and_only_their_service_changes_them() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    for (service, suffix, role, policy) in [
        ("backup", None, "AWSServiceRoleForBackup", "AWSBackupServiceLinkedRolePolicyForBackup"),
        ("s3-outposts", None, "AWSServiceRoleForS3OnOutposts", "AWSS3OnOutpostsServiceRolePolicy"),
        (
            "autoscaling",
            Some("own"),
            "AWSServiceRoleForAutoScaling_own",
            "AutoScalingServiceRolePolicy",
        ),
    ] {
        let service = format!("{service}.amazonaws.com");
        let create = || {
            let create = iam.create_service_linked_role().aws_service_name(&service);
            create.set_custom_suffix(suffix.map(String::from)).description("why")
        };
        let created = create().send().await.unwrap();
        let arn = created.role().unwrap().arn().to_owned();
        assert_eq!(arn, format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}/{role}"));
        let got = iam.get_role().role_name(role).send().await.unwrap();
        assert_eq!(got.role().unwrap().description(), Some("why"));
        let attached = iam.list_attached_role_policies().role_name(role).send().await.unwrap();
        let attached: Vec<_> =
            attached.attached_policies().iter().filter_map(|it| it.policy_arn()).collect();
        assert_eq!(attached, [format!("arn:aws:iam::aws:policy/aws-service-role/{policy}")]);
        refused! {
            "InvalidInput" 400 "has been taken in this account, please try a different suffix." create();
            "UnmodifiableEntity" 400 "this role is only modifiable by AWS" iam.delete_role().role_name(role);
            "UnmodifiableEntity" 400 "" iam.put_role_policy().role_name(role).policy_name("p").policy_document(POLICY);
        };
        iam.update_role_description().role_name(role).description("new").send().await.unwrap();
        let task = iam.delete_service_linked_role().role_name(role).send().await.unwrap();
        let task = task.deletion_task_id().to_owned();
        assert!(task.starts_with(&format!("task/aws-service-role/{service}/{role}/")), "{task}");
        let status = iam.get_service_linked_role_deletion_status().deletion_task_id(task);
        let status = status.send().await.unwrap();
        assert_eq!(status.status(), &DeletionTaskStatusType::Succeeded);
        refused! { "NoSuchEntity" 404 "" iam.get_role().role_name(role); }
    }
    let linked = |service: &str| iam.create_service_linked_role().aws_service_name(service);
    refused! {
        "InvalidInput" 400 "Custom suffix is not allowed for backup.amazonaws.com" linked("backup.amazonaws.com").custom_suffix("x");
        "NotImplemented" 501 "unknown.amazonaws.com" linked("unknown.amazonaws.com");
    };
    assert!(stand.sandbox.leftovers().is_empty());
}

#[tokio::test]
async fn the_role_of_multi_region_keys_stays_while_there_are_keys() {
    let stand = Stand::start().await;
    let (iam, name) = (stand.iam(), "AWSServiceRoleForKeyManagementServiceMultiRegionKeys");
    stand.keys().await;
    iam.get_role().role_name(name).send().await.unwrap();
    let task = iam.delete_service_linked_role().role_name(name).send().await.unwrap();
    let status = iam.get_service_linked_role_deletion_status();
    let status = status.deletion_task_id(task.deletion_task_id()).send().await.unwrap();
    assert_eq!(status.status(), &DeletionTaskStatusType::Failed);
    let usage = status.reason().unwrap().role_usage_list();
    let regions: Vec<_> = usage.iter().filter_map(|it| it.region()).collect();
    assert_eq!(regions, [EAST, super::WEST]);
    iam.get_role().role_name(name).send().await.unwrap();
}

#[tokio::test]
async fn the_simulator_tells_where_the_statement_stands() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    let document = "{\"Version\": \"2012-10-17\", \"Statement\": [\n {\"Effect\": \"Deny\", \"Action\": \"s3:DeleteObject\", \"Resource\": \"*\"},\n {\"Effect\": \"Allow\", \"Action\": \"s3:*\", \"Resource\": \"*\"}]}";
    let arn = policy(&iam, "simulated", document).await;
    role(&iam, "worker").await;
    iam.attach_role_policy().role_name("worker").policy_arn(&arn).send().await.unwrap();
    let simulate = iam
        .simulate_principal_policy()
        .policy_source_arn(format!("arn:aws:iam::{ACCOUNT}:role/worker"))
        .set_action_names(Some(
            ["s3:GetObject", "s3:DeleteObject", "kms:Decrypt"].map(String::from).into(),
        ))
        .resource_arns("arn:aws:s3:::bucket/key")
        .context_entries(
            ContextEntry::builder()
                .context_key_name("aws:SecureTransport")
                .context_key_type(ContextKeyTypeEnum::Boolean)
                .context_key_values("true")
                .build(),
        );
    let simulated = simulate.send().await.unwrap();
    let results: Vec<_> = simulated.evaluation_results().iter().collect();
    for (result, (decision, lines)) in results.iter().zip([
        ("allowed", Some(3)),
        ("explicitDeny", Some(2)),
        ("implicitDeny", None),
    ]) {
        assert_eq!(result.eval_decision().as_str(), decision);
        let organization = result.organizations_decision_detail().unwrap();
        assert!(organization.allowed_by_organizations());
        let specific = &result.resource_specific_results()[0];
        assert_eq!(specific.eval_resource_decision().as_str(), decision);
        for matched in [result.matched_statements(), specific.matched_statements()] {
            let line = matched.first().map(|it| {
                assert_eq!(it.source_policy_id(), Some("simulated"));
                let (start, end) = (it.start_position().unwrap(), it.end_position().unwrap());
                assert_eq!((start.line(), start.column()), (end.line(), 3));
                start.line()
            });
            assert_eq!(line, lines);
        }
    }
}
