//! What is accepted, and what is refused where.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const KINDS: [DocumentKind; 9] = [
    DocumentKind::RolePolicy,
    DocumentKind::UserPolicy,
    DocumentKind::ManagedPolicy,
    DocumentKind::SessionPolicy,
    DocumentKind::TrustPolicy,
    DocumentKind::KeyPolicy,
    DocumentKind::BucketPolicy,
    DocumentKind::Scp,
    DocumentKind::Rcp,
];

/// A statement that `kind` accepts.
fn good_statement(kind: DocumentKind) -> Value {
    match kind {
        DocumentKind::TrustPolicy => json!({
            "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole",
        }),
        DocumentKind::KeyPolicy => json!({
            "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "kms:*", "Resource": "*",
        }),
        DocumentKind::BucketPolicy => json!({
            "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }),
        DocumentKind::Rcp => json!({
            "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        }),
        _ => json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}),
    }
}

fn good(kind: DocumentKind) -> Value {
    json!({"Version": "2012-10-17", "Statement": [good_statement(kind)]})
}

/// The findings after one element of a good statement was set, or taken away by null.
fn after(kind: DocumentKind, element: &str, value: Value) -> Vec<Finding> {
    let mut document = good(kind);
    let statement = document["Statement"][0].as_object_mut().unwrap();
    statement.remove(element);
    if !value.is_null() {
        statement.insert(element.to_owned(), value);
    }
    check(kind, &document)
}

fn paths(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.path.as_str()).collect()
}

#[test]
fn what_is_good_has_no_findings() {
    for kind in KINDS {
        assert_eq!(check(kind, &good(kind)), [], "{kind:?}");
        assert_eq!(check(kind, &good(kind).to_string()), [], "{kind:?}");
        let pretty = format!("{:#}", good(kind));
        assert_eq!(check(kind, &pretty), [], "{kind:?}");
    }
}

#[test]
fn each_element_is_checked_by_kind() {
    use DocumentKind as K;
    let allow = "Statement[0]";
    for (kind, element, value, expected) in [
        // "Grammar", notes: who may have and who must have a principal.
        (K::RolePolicy, "Principal", json!("*"), "Statement[0].Principal"),
        (K::ManagedPolicy, "NotPrincipal", json!({"AWS": "*"}), "Statement[0].NotPrincipal"),
        (K::TrustPolicy, "Principal", Value::Null, allow),
        (K::KeyPolicy, "Principal", Value::Null, allow),
        (K::BucketPolicy, "Principal", Value::Null, allow),
        (K::Rcp, "Principal", json!({"AWS": "*"}), "Statement[0].Principal"),
        (K::Scp, "Principal", json!("*"), "Statement[0].Principal"),
        // "Action", "Resource": required, but KMS takes statements without.
        (K::RolePolicy, "Action", Value::Null, allow),
        (K::TrustPolicy, "Action", Value::Null, allow),
        (K::BucketPolicy, "Action", Value::Null, allow),
        (K::KeyPolicy, "Action", Value::Null, ""),
        (K::RolePolicy, "Resource", Value::Null, allow),
        (K::BucketPolicy, "Resource", Value::Null, allow),
        (K::KeyPolicy, "Resource", Value::Null, ""),
        (K::TrustPolicy, "Resource", json!("*"), "Statement[0].Resource"),
        // Effect.
        (K::RolePolicy, "Effect", json!("allow"), "Statement[0].Effect"),
        (K::RolePolicy, "Effect", Value::Null, allow),
        // Exclusive pairs.
        (K::RolePolicy, "NotAction", json!("s3:PutObject"), "Statement[0].NotAction"),
        (K::RolePolicy, "NotResource", json!("*"), "Statement[0].NotResource"),
        (
            K::BucketPolicy,
            "NotPrincipal",
            json!({"AWS": "111122223333"}),
            "Statement[0].NotPrincipal",
        ),
        // "Sid": letters and digits for IAM, looser elsewhere.
        (K::RolePolicy, "Sid", json!("Read1"), ""),
        (K::RolePolicy, "Sid", json!("Read objects"), "Statement[0].Sid"),
        (K::RolePolicy, "Sid", json!("Read-objects"), "Statement[0].Sid"),
        (K::TrustPolicy, "Sid", json!("a_b"), "Statement[0].Sid"),
        (K::KeyPolicy, "Sid", json!("Enable IAM User Permissions"), ""),
        (K::BucketPolicy, "Sid", json!("TLS only (always)"), ""),
        (K::BucketPolicy, "Sid", json!("a\u{7}"), "Statement[0].Sid"),
        (K::RolePolicy, "Sid", json!(""), ""),
        // What is no element.
        (K::RolePolicy, "Conditions", json!({}), "Statement[0].Conditions"),
    ] {
        let findings = after(kind, element, value.clone());
        let expected: &[&str] = if expected.is_empty() { &[] } else { &[expected] };
        assert_eq!(paths(&findings)[..], *expected, "{kind:?} {element} {value}: {findings:?}");
    }
}

#[test]
fn documents_are_checked_as_a_whole() {
    use DocumentKind as K;
    let statement = good_statement(K::RolePolicy);
    for (kind, document, expected) in [
        (K::RolePolicy, json!({"Statement": statement}), vec![]),
        (K::RolePolicy, json!({"Version": "2008-10-17", "Statement": statement}), vec![]),
        (K::RolePolicy, json!({"Version": "2012-10-18", "Statement": statement}), vec!["Version"]),
        (K::RolePolicy, json!({"Version": "2012-10-17", "Statement": []}), vec!["Statement"]),
        (K::RolePolicy, json!({"Version": "2012-10-17"}), vec![""]),
        // "Grammar", notes: an Id in resource-based policies only.
        (K::RolePolicy, json!({"Id": "x", "Statement": statement}), vec!["Id"]),
        (
            K::KeyPolicy,
            json!({"Version": "2012-10-17", "Id": "x", "Statement": good_statement(K::KeyPolicy)}),
            vec![],
        ),
        // KMS, "Key policies": a version is needed.
        (K::KeyPolicy, json!({"Statement": good_statement(K::KeyPolicy)}), vec![""]),
        (K::BucketPolicy, json!({"Statement": good_statement(K::BucketPolicy)}), vec![]),
        (K::RolePolicy, json!([]), vec![""]),
        (K::RolePolicy, json!(null), vec![""]),
        // Everything is found at once, whatever stands before it.
        (
            K::RolePolicy,
            json!({"Vers": 1, "Statement": [5, {"Effect": "Allow", "Action": "x", "Resource": "y"}]}),
            vec!["Vers", "Statement[0]", "Statement[1].Action", "Statement[1].Resource"],
        ),
    ] {
        let findings = check(kind, &document);
        assert_eq!(paths(&findings), expected, "{kind:?} {document}: {findings:?}");
    }
}

#[test]
fn sids_are_unique() {
    let with = |first: &str, second: &str| {
        let mut a = good_statement(DocumentKind::RolePolicy);
        let mut b = a.clone();
        a["Sid"] = json!(first);
        b["Sid"] = json!(second);
        check(DocumentKind::RolePolicy, &json!({"Statement": [a, b]}))
    };
    assert_eq!(paths(&with("A", "A")), ["Statement[1].Sid"]);
    assert_eq!(with("A", "a"), []);
    assert_eq!(with("", ""), []);
}

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

#[test]
fn sizes_are_counted_as_documented() {
    // "IAM and AWS STS quotas": white space does not count; KMS 32 KB, S3 20 KB, Organizations 5,120 characters.
    use DocumentKind as K;
    for (kind, limit, spaces_count) in [
        (K::RolePolicy, 10_240, false),
        (K::UserPolicy, 2_048, false),
        (K::ManagedPolicy, 6_144, false),
        (K::SessionPolicy, 2_048, false),
        (K::TrustPolicy, 2_048, false),
        (K::KeyPolicy, 32_768, true),
        (K::BucketPolicy, 20_480, true),
        (K::Scp, 5_120, true),
        (K::Rcp, 5_120, true),
    ] {
        let mut statement = good_statement(kind);
        statement["Condition"] = json!({"StringEquals": {"aws:userid": ""}});
        let of_length = |length: usize, spaces: usize| {
            let mut document = json!({"Version": "2012-10-17", "Statement": statement});
            let rest = document.to_string().len();
            document["Statement"]["Condition"]["StringEquals"]["aws:userid"] =
                json!("x".repeat(length - rest));
            format!("{document}{}", " ".repeat(spaces))
        };
        assert_eq!(check(kind, &of_length(limit, 0)), [], "{kind:?}");
        assert_eq!(check(kind, &of_length(limit + 1, 0)).len(), 1, "{kind:?}");
        assert_eq!(check(kind, &of_length(limit, 9)).is_empty(), !spaces_count, "{kind:?}");
    }
}

#[test]
fn iam_and_kms_take_latin_1_only() {
    for (kind, text, good) in [
        (DocumentKind::KeyPolicy, "Schlüssel", true),
        (DocumentKind::KeyPolicy, "ключ", false),
        (DocumentKind::RolePolicy, "ключ", false),
        (DocumentKind::BucketPolicy, "ключ", true),
    ] {
        let condition = json!({"StringEquals": {"aws:userid": text}});
        assert_eq!(after(kind, "Condition", condition).is_empty(), good, "{kind:?} {text}");
    }
}

#[test]
fn duplicate_keys_are_found() {
    // "Policy grammar notes".
    let kind = DocumentKind::RolePolicy;
    let allow = r#""Effect": "Allow", "Action": "s3:*", "Resource": "*""#;
    for (text, expected) in [
        (
            format!(r#"{{"Statement": [{{{allow}}}, {{{allow}, "Effect": "Deny"}}]}}"#),
            "Statement[1].Effect",
        ),
        (
            format!(
                r#"{{"Version": "2012-10-17", "Statement": {{{allow}}}, "Version": "2012-10-17"}}"#
            ),
            "Version",
        ),
        (format!(r#"{{"Statement": {{{allow}, "Eff\u0065ct": "Allow"}}}}"#), "Statement.Effect"),
        (
            format!(
                r#"{{"Statement": {{{allow}, "Condition": {{"StringEquals": {{"aws:a": "\"x\":", "aws:a": "y"}}}}}}}}"#
            ),
            "Statement.Condition.StringEquals.aws:a",
        ),
    ] {
        let findings = check(kind, &text);
        assert_eq!(paths(&findings), [expected], "{text}: {findings:?}");
    }
    let same_in_different_objects = format!(r#"{{"Statement": [{{{allow}}}, {{{allow}}}]}}"#);
    assert_eq!(check(kind, &same_in_different_objects), []);
}

#[test]
fn broken_json_is_one_finding() {
    for text in ["", "{", "{\"Statement\": [}", "nonsense", "{} {}"] {
        let findings = check(DocumentKind::RolePolicy, text);
        assert_eq!(findings.len(), 1, "{text}");
        assert!(findings[0].message.contains("not valid JSON"), "{findings:?}");
    }
}

/// JSON of any shape that has the policy language's words in it.
fn odd_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(
        &[
            "Version",
            "Statement",
            "Effect",
            "Allow",
            "Principal",
            "NotPrincipal",
            "AWS",
            "Service",
            "Action",
            "Resource",
            "Condition",
            "StringEquals",
            "Null",
            "DateLessThan",
            "IpAddress",
            "aws:userid",
            "*",
            "arn:aws:s3:::b/${",
            "arn:::::",
            "2012-10-17",
            "${aws:username, '",
            "::/129",
            "s3:",
        ][..],
    );
    let text = prop_oneof![4 => words.prop_map(str::to_owned), 1 => ".*"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_is_too_odd(value in odd_json()) {
        let statement = json!({"Version": "2012-10-17", "Statement": [value.clone()]});
        for kind in KINDS {
            for value in [&value, &statement] {
                let findings = check(kind, value);
                // Whatever passes can be read.
                prop_assert!(!findings.is_empty() || crate::iam::Document::parse(value).is_ok());
                prop_assert_eq!(check(kind, &value.to_string()), findings);
            }
        }
    }

    #[test]
    fn no_text_is_too_odd(text in ".*") {
        check(DocumentKind::BucketPolicy, &text);
    }
}
