//! The text as written: size, characters, duplicate keys, and arbitrary texts.
//! Not for: the elements of a policy (see `shapes`).

use proptest::prelude::*;

use super::*;

#[test]
fn sizes_are_counted_as_documented() {
    // "IAM and AWS STS quotas": white space does not count; KMS 32 KB, S3 20 KB, Organizations
    // 5,120 characters.
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
        (format!(r#"{{"Statement": {{{allow}, "Eff\u0065ct": "Allow"}}}}"#), "Statement[0].Effect"),
        (
            format!(
                r#"{{"Statement": {{{allow}, "Condition": {{"StringEquals": {{"aws:a": "\"x\":", "aws:a": "y"}}}}}}}}"#
            ),
            "Statement[0].Condition.StringEquals.aws:a",
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

/// Generates JSON of any shape with words of the policy language.
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
    #![proptest_config(crate::seeded::cases(256))]

    #[test]
    fn no_json_is_too_odd(value in odd_json()) {
        let statement = json!({"Version": "2012-10-17", "Statement": [value.clone()]});
        for kind in KINDS {
            for value in [&value, &statement] {
                let findings = check(kind, value);
                // A value without findings can be parsed.
                prop_assert!(!findings.is_empty() || crate::Document::parse(value).is_ok());
                prop_assert_eq!(check(kind, &value.to_string()), findings);
            }
        }
    }

    #[test]
    fn no_text_is_too_odd(text in ".*") {
        check(DocumentKind::BucketPolicy, &text);
    }
}
