//! What IAM was recorded to refuse of tags, permissions boundaries and policy documents, and with
//! which words (localstack's public snapshots `test_iam_roles` and `test_iam_policies` of 2026).
//! Not for: the lives of roles, users and policies (see `iam_life`).

use super::iam_life::{allow, policy, tag};
use super::{ACCOUNT, Stand, TRUST, refused};
use aws_sdk_iam::types::Tag;

fn tags(count: usize) -> Vec<Tag> {
    (0..count).map(|n| tag(&format!("key{n}"), "")).collect()
}

#[tokio::test]
async fn tags_are_checked_before_they_are_set() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    let role = |name: &str| iam.create_role().role_name(name).assume_role_policy_document(TRUST);
    role("tagged").tags(tag("Team", "red")).send().await.unwrap();
    let add = |key: &str, value: &str| iam.tag_role().role_name("tagged").tags(tag(key, value));
    let remove = |key: &str| iam.untag_role().role_name("tagged").tag_keys(key);
    let create = || iam.create_policy().policy_name("p").policy_document(super::POLICY);
    let long = "k".repeat(129);
    refused! {
        "ValidationError" 400 "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50" role("r").set_tags(Some(tags(51)));
        "ValidationError" 400 "Value at 'tags' failed" iam.tag_role().role_name("tagged").set_tags(Some(tags(51)));
        "LimitExceeded" 409 "maximum limit" iam.tag_role().role_name("tagged").set_tags(Some(tags(50)));
        "InvalidInput" 400 "Duplicate tag keys found. Please note that Tag keys are case insensitive." role("r").tags(tag("a", "")).tags(tag("A", ""));
        "InvalidInput" 400 "Duplicate tag keys found." create().tags(tag("a", "")).tags(tag("a", ""));
        "InvalidInput" 400 "" add("aws:team", "red");
        "ValidationError" 400 "'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128" add(&long, "");
        "ValidationError" 400 "'tags.1.member.value' failed to satisfy constraint: Member must have length less than or equal to 256" add("a", &"v".repeat(257));
        "ValidationError" 400 r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+" add("a,b", "");
        "ValidationError" 400 r"Value at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+, Member must not be null]" remove(&long);
        "ValidationError" 400 r"Value at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+, Member must not be null]" remove("a,b");
    }
    // IAM User Guide, "Tags for AWS IAM resources": keys of users and roles are of any case.
    add("team", "blue").send().await.unwrap();
    let listed = iam.list_role_tags().role_name("tagged").send().await.unwrap();
    assert_eq!(listed.tags(), [tag("team", "blue")]);
    remove("TEAM").send().await.unwrap();
    assert!(iam.list_role_tags().role_name("tagged").send().await.unwrap().tags().is_empty());
    let two = create().tags(tag("a", "1")).tags(tag("A", "2")).send().await.unwrap();
    assert_eq!(two.policy().unwrap().tags().len(), 2);
}

#[tokio::test]
async fn a_boundary_is_a_policy_that_exists() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    let role = || iam.create_role().role_name("bounded").assume_role_policy_document(TRUST);
    let absent = format!("arn:aws:iam::{ACCOUNT}:policy/absent");
    let other = format!("arn:aws:iam::{ACCOUNT}:other/absent");
    refused! {
        "NoSuchEntity" 404 "Scope ARN: arn:aws:iam::111122223333:policy/absent does not exist or is not attachable." role().permissions_boundary(&absent);
        "InvalidInput" 400 "ARN arn:aws:iam::111122223333:other/absent is not valid." role().permissions_boundary(&other);
    }
    let arn = policy(&iam, "boundary", &allow("s3:*")).await;
    role().permissions_boundary(arn).send().await.unwrap();
    let put = || iam.put_role_permissions_boundary().role_name("bounded");
    refused! {
        "NoSuchEntity" 404 "Scope ARN: arn:aws:iam::111122223333:policy/absent does not exist or is not attachable." put().permissions_boundary(&absent);
        "InvalidInput" 400 "ARN arn:aws:iam::111122223333:other/absent is not valid." put().permissions_boundary(&other);
    }
}

#[tokio::test]
async fn a_document_is_refused_with_the_words_of_iam() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
    let trust = |from: &str, to: &str| {
        iam.update_assume_role_policy().role_name("r").policy_document(TRUST.replace(from, to))
    };
    let policy = |line: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*",{line}}}]}}"#
        );
        iam.create_policy().policy_name("p").policy_document(text)
    };
    let old = allow("s3:*").replace("2012", "2008");
    let inline = iam.put_role_policy().role_name("r").policy_name("old").policy_document(&old);
    inline.send().await.unwrap();
    refused! {
        "MalformedPolicyDocument" 400 "This policy contains invalid Json" trust("{", "[");
        "MalformedPolicyDocument" 400 "AssumeRole policy may only specify STS AssumeRole actions." trust("sts:AssumeRole", "s3:GetObject");
        "MalformedPolicyDocument" 400 "Has prohibited field Resource" trust("}]}", r#","Resource":"*"}]}"#);
        "MalformedPolicyDocument" 400 "Policy document must be version 2012-10-17 or greater." iam.create_policy().policy_name("p").policy_document(&old);
        "MalformedPolicyDocument" 400 "Policy statement must contain resources." policy(r#""Sid":"a""#);
        "MalformedPolicyDocument" 400 "Resource b must be in ARN format or \"*\"." policy(r#""Resource":"b""#);
        "MalformedPolicyDocument" 400 "IAM resource path must either be" policy(r#""Resource":"arn:aws:iam:::b""#);
        "MalformedPolicyDocument" 400 "Resource arn:aws:s3:us-east-1::b can not contain region information." policy(r#""Resource":"arn:aws:s3:us-east-1::b""#);
        "MalformedPolicyDocument" 400 "The policy failed legacy parsing" policy(r#""Resource":"arn:aws:s3::b""#);
        "MalformedPolicyDocument" 400 "Syntax errors in policy." policy(r#""Resource":"*","Extra":1"#);
    }
    // Against the guide, IAM takes an Id.
    let named = allow("s3:*").replacen('{', r#"{"Id":"x","#, 1);
    iam.create_policy().policy_name("p").policy_document(named).send().await.unwrap();
}
