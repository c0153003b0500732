//! Accepted documents, and the place of each finding in refused documents.
//! Not for: the shapes of values (see `shapes`) or the text as written (see `texts`).

mod shapes;
mod texts;

use serde_json::{Value, json};

use super::*;

const KINDS: [DocumentKind; 10] = [
    DocumentKind::RolePolicy,
    DocumentKind::UserPolicy,
    DocumentKind::ManagedPolicy,
    DocumentKind::SessionPolicy,
    DocumentKind::TrustPolicy,
    DocumentKind::KeyPolicy,
    DocumentKind::BucketPolicy,
    DocumentKind::ChannelPolicy,
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
        DocumentKind::ChannelPolicy => json!({
            "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish",
            "Resource": "arn:aws:sns:us-east-1:111122223333:t",
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

/// Returns the findings after one element of a valid statement is set, or removed if `value` is
/// null.
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
        // "Grammar", notes: kinds of policy that may have, and that must have, a principal.
        (K::RolePolicy, "Principal", json!("*"), "Statement[0].Principal"),
        (K::ManagedPolicy, "NotPrincipal", json!({"AWS": "*"}), "Statement[0].NotPrincipal"),
        (K::TrustPolicy, "Principal", Value::Null, allow),
        (K::KeyPolicy, "Principal", Value::Null, allow),
        (K::BucketPolicy, "Principal", Value::Null, allow),
        (K::Rcp, "Principal", json!({"AWS": "*"}), "Statement[0].Principal"),
        (K::Scp, "Principal", json!("*"), "Statement[0].Principal"),
        // "Action", "Resource": required, except in statements of a key policy.
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
        // Elements that exclude each other.
        (K::RolePolicy, "NotAction", json!("s3:PutObject"), "Statement[0].NotAction"),
        (K::RolePolicy, "NotResource", json!("*"), "Statement[0].NotResource"),
        (
            K::BucketPolicy,
            "NotPrincipal",
            json!({"AWS": "111122223333"}),
            "Statement[0].NotPrincipal",
        ),
        // "Sid": IAM accepts letters and digits only; KMS and S3 accept more characters.
        (K::RolePolicy, "Sid", json!("Read1"), ""),
        (K::RolePolicy, "Sid", json!("Read objects"), "Statement[0].Sid"),
        (K::RolePolicy, "Sid", json!("Read-objects"), "Statement[0].Sid"),
        (K::TrustPolicy, "Sid", json!("a_b"), "Statement[0].Sid"),
        (K::KeyPolicy, "Sid", json!("Enable IAM User Permissions"), ""),
        (K::BucketPolicy, "Sid", json!("TLS only (always)"), ""),
        (K::BucketPolicy, "Sid", json!("a\u{7}"), "Statement[0].Sid"),
        (K::RolePolicy, "Sid", json!(""), ""),
        // An unknown element.
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
        // "Grammar", notes: only resource-based policies have an Id. IAM takes it all the same
        // (recorded answer of IAM, 2026).
        (K::RolePolicy, json!({"Id": "x", "Statement": statement}), vec![]),
        (K::Scp, json!({"Id": "x", "Statement": statement}), vec!["Id"]),
        // Recorded answers of IAM (2026): managed policies are of the last version.
        (K::ManagedPolicy, json!({"Statement": statement}), vec![""]),
        (K::ManagedPolicy, json!({"Version": "2008-10-17", "Statement": statement}), vec![""]),
        (K::ManagedPolicy, json!({"Version": "2012-10-17", "Statement": statement}), vec![]),
        (
            K::KeyPolicy,
            json!({"Version": "2012-10-17", "Id": "x", "Statement": good_statement(K::KeyPolicy)}),
            vec![],
        ),
        // KMS, "Key policies": a version is required.
        (K::KeyPolicy, json!({"Statement": good_statement(K::KeyPolicy)}), vec![""]),
        (K::BucketPolicy, json!({"Statement": good_statement(K::BucketPolicy)}), vec![]),
        (K::RolePolicy, json!([]), vec![""]),
        (K::RolePolicy, json!(null), vec![""]),
        // All findings are returned; an error does not end the check.
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
