//! The shapes of actions, resources, principals and condition values.
//! Not for: which elements a kind of policy requires (see `grammar`).

use super::*;

#[test]
fn actions_have_a_shape() {
    // "IAM JSON policy elements: Action".
    use DocumentKind as K;
    for (kind, action, good) in [
        (K::RolePolicy, "*", true),
        (K::RolePolicy, "s3:*", true),
        (K::RolePolicy, "S3:getobject", true),
        (K::RolePolicy, "s3:Get*", true),
        (K::RolePolicy, "s3:?et*", true),
        (K::RolePolicy, "aws-portal:ViewBilling", true),
        (K::RolePolicy, "s3", false),
        (K::RolePolicy, "s3:", false),
        (K::RolePolicy, ":Get", false),
        (K::RolePolicy, "s*:Get", false),
        (K::RolePolicy, "s3:Get Object", false),
        (K::RolePolicy, "s3:Get:Object", false),
        (K::RolePolicy, "", false),
        (K::TrustPolicy, "sts:AssumeRole", true),
        (K::TrustPolicy, "sts:TagSession", true),
        (K::TrustPolicy, "s3:GetObject", false),
        (K::TrustPolicy, "*", false),
        (K::KeyPolicy, "kms:ReEncrypt*", true),
        (K::KeyPolicy, "*", true),
        (K::KeyPolicy, "s3:GetObject", false),
        (K::BucketPolicy, "s3:PutObject", true),
        (K::BucketPolicy, "kms:Decrypt", false),
    ] {
        let findings = after(kind, "Action", json!(action));
        assert_eq!(findings.is_empty(), good, "{kind:?} {action}: {findings:?}");
    }
    let findings = after(K::RolePolicy, "Action", json!(["s3:*", "oops"]));
    assert_eq!(paths(&findings), ["Statement[0].Action[1]"]);
}

#[test]
fn resources_have_a_shape() {
    // "IAM JSON policy elements: Resource" and "Identify AWS resources with ARNs".
    use DocumentKind as K;
    for (kind, resource, good) in [
        (K::RolePolicy, "*", true),
        (K::RolePolicy, "arn:aws:s3:::b/*", true),
        (K::RolePolicy, "arn:aws-cn:kms:*:111122223333:key/*", true),
        (K::RolePolicy, "arn:aws-eusc:s3:::b", true),
        (K::RolePolicy, "arn:*:s3:::b", true),
        (K::RolePolicy, "arn:aws:iam::aws:policy/ReadOnlyAccess", true),
        (K::RolePolicy, "arn:aws:s3:::b/${aws:username}/*", true),
        (K::RolePolicy, "arn:aws:sqs", true),
        (K::SessionPolicy, "arn:aws:sqs", false),
        (K::BucketPolicy, "arn:aws:s3", false),
        (K::RolePolicy, "arn:aws", false),
        (K::RolePolicy, "b", false),
        (K::RolePolicy, "", false),
        (K::RolePolicy, "**", false),
        (K::RolePolicy, "arn:azure:s3:::b", false),
        (K::RolePolicy, "arn:aws:s*:::b", false),
        (K::RolePolicy, "arn:aws::::b", false),
        (K::RolePolicy, "arn:aws:s3:::", false),
        (K::RolePolicy, "arn:aws:kms:us-east-1:12:key/1", false),
        (K::RolePolicy, "arn:aws:sns::${aws:PrincipalAccount}:t", false),
        // Recorded answers of IAM (2026).
        (K::RolePolicy, "arn:aws:iam:::user/u", true),
        (K::RolePolicy, "arn:aws:iam::111122223333:root", true),
        (K::RolePolicy, "arn:aws:iam::111122223333:*", true),
        (K::RolePolicy, "arn:aws:iam:::b", false),
        (K::RolePolicy, "arn:aws:iam:us-east-1::role/r", false),
        (K::RolePolicy, "arn:aws:s3:us-east-1::b", false),
        (K::RolePolicy, "arn:aws:s3:us-east-1:111122223333:accesspoint/a", true),
        (K::RolePolicy, "arn:aws:unknown:us-east-1::b", true),
        (K::BucketPolicy, "arn:aws:s3:::b", true),
        (K::BucketPolicy, "arn:aws:sqs:us-east-1:111122223333:q", false),
        (K::KeyPolicy, "arn:aws:kms:us-east-1:111122223333:key/1", true),
    ] {
        let findings = after(kind, "Resource", json!(resource));
        assert_eq!(findings.is_empty(), good, "{kind:?} {resource}: {findings:?}");
    }
}

#[test]
fn principals_have_a_shape() {
    // "AWS JSON policy elements: Principal".
    use DocumentKind as K;
    let id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    for (kind, principal, good) in [
        (K::KeyPolicy, json!("*"), true),
        (K::KeyPolicy, json!({"AWS": "*"}), true),
        (K::KeyPolicy, json!({"AWS": "111122223333"}), true),
        (K::KeyPolicy, json!({"AWS": "11112222333"}), false),
        (K::KeyPolicy, json!({"AWS": "arn:aws:iam::111122223333:root"}), true),
        (K::KeyPolicy, json!({"AWS": "arn:aws:iam::111122223333:user/ops/ann"}), true),
        (K::KeyPolicy, json!({"AWS": "arn:aws-us-gov:iam::111122223333:role/x"}), true),
        (K::KeyPolicy, json!({"AWS": "arn:aws:sts::111122223333:assumed-role/x/s"}), true),
        (K::KeyPolicy, json!({"AWS": "arn:aws:sts::111122223333:federated-user/x"}), true),
        (K::KeyPolicy, json!({"AWS": "arn:aws:sts::111122223333:assumed-role/x"}), false),
        (K::KeyPolicy, json!({"AWS": "arn:aws:sts::111122223333:assumed-role/x/"}), false),
        (K::KeyPolicy, json!({"AWS": "arn:aws:iam::111122223333:role/*"}), false),
        (K::KeyPolicy, json!({"AWS": "arn:aws:iam::111122223333:group/x"}), false),
        (K::KeyPolicy, json!({"AWS": "arn:aws:iam::111122223333:role/"}), false),
        (K::KeyPolicy, json!({"AWS": "arn:aws:iam:us-east-1:111122223333:role/x"}), false),
        (K::KeyPolicy, json!({"AWS": "arn:aws:iam::12:role/x"}), false),
        (K::KeyPolicy, json!({"AWS": "arn:nope:iam::111122223333:role/x"}), false),
        (K::KeyPolicy, json!({"AWS": "arn:aws:s3:::b"}), false),
        (K::KeyPolicy, json!({"AWS": "not-an-arn"}), false),
        (K::KeyPolicy, json!({"AWS": "AROAEXAMPLEID"}), false),
        (K::KeyPolicy, json!({"Service": "s3.amazonaws.com"}), true),
        (K::KeyPolicy, json!({"Service": "s3.cn-north-1.amazonaws.com.cn"}), true),
        (K::KeyPolicy, json!({"Service": "s3"}), false),
        (K::KeyPolicy, json!({"Service": "*"}), false),
        (K::KeyPolicy, json!({"Service": "S3.amazonaws.com"}), false),
        (K::KeyPolicy, json!({"Federated": "accounts.google.com"}), false),
        (K::KeyPolicy, json!({"CanonicalUser": id}), false),
        (K::BucketPolicy, json!({"CanonicalUser": id}), true),
        (K::BucketPolicy, json!({"CanonicalUser": "short"}), false),
        (
            K::BucketPolicy,
            json!({"AWS": ["111122223333", "444455556666"], "Service": "s3.amazonaws.com"}),
            true,
        ),
        (K::TrustPolicy, json!({"Federated": "accounts.google.com"}), true),
        (K::TrustPolicy, json!({"Federated": "arn:aws:iam::111122223333:saml-provider/x"}), true),
        (K::TrustPolicy, json!({"Federated": "arn:aws:iam::111122223333:role/x"}), false),
        (K::TrustPolicy, json!({"AWS": "arn:aws:iam::111122223333:role/x"}), true),
    ] {
        let findings = after(kind, "Principal", principal.clone());
        assert_eq!(findings.is_empty(), good, "{kind:?} {principal}: {findings:?}");
    }
    let two = json!({"AWS": ["111122223333", "x"], "Service": ["s3.amazonaws.com", "y"]});
    let findings = after(K::KeyPolicy, "Principal", two);
    assert_eq!(
        paths(&findings),
        ["Statement[0].Principal.AWS[1]", "Statement[0].Principal.Service[1]"]
    );
}

#[test]
fn not_principal_belongs_to_deny() {
    // "AWS JSON policy elements: NotPrincipal".
    let with = |effect: &str, principal: Value| {
        let mut statement = good_statement(DocumentKind::BucketPolicy);
        statement.as_object_mut().unwrap().remove("Principal");
        statement["Effect"] = json!(effect);
        statement["NotPrincipal"] = principal;
        check(DocumentKind::BucketPolicy, &json!({"Statement": statement}))
    };
    let root = json!({"AWS": "arn:aws:iam::111122223333:root"});
    assert_eq!(with("Deny", root.clone()), []);
    assert_eq!(paths(&with("Allow", root)), ["Statement[0].NotPrincipal"]);
    assert_eq!(paths(&with("Deny", json!("*"))), ["Statement[0].NotPrincipal"]);
}

#[test]
fn conditions_have_keys_and_typed_values() {
    // "IAM JSON policy elements: Condition operators".
    for (operator, key, value, good) in [
        ("StringEquals", "aws:userid", json!("a"), true),
        ("ForAllValues:StringEquals", "aws:TagKeys", json!(["a", "b"]), true),
        ("StringEquals", "kms:EncryptionContext:aws:s3:arn", json!("a"), true),
        ("StringEquals", "userid", json!("a"), false),
        ("StringEquals", ":a", json!("a"), false),
        ("StringEquals", "aws:", json!("a"), false),
        ("StringEquals", "", json!("a"), false),
        ("NumericLessThan", "s3:max-keys", json!(10), true),
        ("NumericLessThan", "s3:max-keys", json!("10"), true),
        ("NumericLessThan", "s3:max-keys", json!("ten"), false),
        ("NumericLessThan", "s3:max-keys", json!("${aws:x}"), false),
        ("DateLessThan", "aws:CurrentTime", json!("2026-01-01T00:00:00Z"), true),
        ("DateLessThan", "aws:CurrentTime", json!(1_577_836_801), true),
        ("DateLessThan", "aws:CurrentTime", json!("soon"), false),
        ("Bool", "aws:SecureTransport", json!(true), true),
        ("Bool", "aws:SecureTransport", json!("false"), true),
        ("BoolIfExists", "aws:SecureTransport", json!("no"), false),
        ("Null", "aws:SecureTransport", json!("true"), true),
        ("Null", "aws:SecureTransport", json!("${aws:x}"), false),
        ("NullIfExists", "aws:SecureTransport", json!("true"), false),
        ("IpAddress", "aws:SourceIp", json!(["203.0.113.0/24", "2001:DB8::/64", "10.0.0.1"]), true),
        ("IpAddress", "aws:SourceIp", json!("203.0.113.0/64"), false),
        ("NotIpAddress", "aws:SourceIp", json!("*"), false),
        ("BinaryEquals", "k:a", json!("QQ=="), true),
        ("BinaryEquals", "k:a", json!("Q"), false),
        ("ArnLike", "aws:SourceArn", json!("arn:aws:s3:::b"), true),
        ("ArnLike", "aws:SourceArn", json!("arn:aws:iam::${aws:PrincipalAccount}:role/*"), true),
        ("ArnLike", "aws:SourceArn", json!("*"), true),
        ("ArnLike", "aws:SourceArn", json!("b"), false),
        ("StringEqual", "aws:userid", json!("a"), false),
        ("ForAnyValues:StringEquals", "aws:userid", json!("a"), false),
        ("StringEquals", "aws:userid", json!([]), false),
        ("StringEquals", "aws:userid", json!(null), false),
    ] {
        let findings =
            after(DocumentKind::RolePolicy, "Condition", json!({operator: {key: value.clone()}}));
        assert_eq!(findings.is_empty(), good, "{operator} {key} {value}: {findings:?}");
        let beginning = format!("Statement[0].Condition.{operator}");
        assert!(
            findings.iter().all(|finding| finding.path.starts_with(&beginning)),
            "{findings:?}"
        );
    }
}
