//! Every form that AWS accepts, every error with its place, and printing.
//! Not for: rules that depend on the kind of policy (see `grammar`).

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn every_documented_form_is_read() {
    let one = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    let many = json!({"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]});
    let read = |statement: Value| Document::parse(&json!({ "Statement": statement })).unwrap();
    // "Grammar", conventions: brackets are optional around one value.
    assert_eq!(read(one.clone()), read(json!([one.clone()])));
    assert_eq!(read(one.clone()), read(many));
    assert_eq!(read(one).version, None);

    let full = Document::parse(&json!({
        "Version": "2012-10-17", "Id": "doc",
        "Statement": [{
            "Sid": "A", "Effect": "Deny",
            "NotPrincipal": {"AWS": ["111122223333", "444455556666"], "Service": "s3.amazonaws.com"},
            "NotAction": "kms:Decrypt", "NotResource": ["arn:aws:s3:::a"],
            "Condition": {
                "NumericLessThan": {"s3:max-keys": 10},
                "Bool": {"aws:SecureTransport": false},
                "ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a", "b*"]},
            },
        }],
    }))
    .unwrap();
    let statement = &full.statements[0];
    assert_eq!(full.version, Some(Version::V2012));
    assert_eq!(full.id.as_deref(), Some("doc"));
    assert_eq!(statement.action, Some(Scope::Except(vec!["kms:Decrypt".into()])));
    assert_eq!(statement.resource, Some(Scope::Except(vec!["arn:aws:s3:::a".into()])));
    let Some(Scope::Except(Principals::Listed(listed))) = &statement.principal else { panic!() };
    assert_eq!(listed[0].0, PrincipalKind::Aws);
    assert_eq!(listed[1], (PrincipalKind::Service, vec!["s3.amazonaws.com".into()]));
    assert_eq!(statement.condition[0].values, ["10"]);
    assert_eq!(statement.condition[1].values, ["false"]);
    assert_eq!(statement.condition[2].operator.to_string(), "ForAnyValue:StringLikeIfExists");
}

#[test]
fn errors_say_where() {
    let statement = |change: fn(&mut Value)| {
        let mut value = json!({"Statement": [
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        ]});
        change(&mut value["Statement"][1]);
        value
    };
    for (value, path) in [
        (json!([]), ""),
        (json!("x"), ""),
        (json!({}), ""),
        (json!({"Statement": [], "Versoin": "2012-10-17"}), "Statement"),
        (json!({"Version": "2012-10-18", "Statement": []}), "Version"),
        (json!({"Id": 5, "Statement": []}), "Id"),
        (json!({"Statement": [1]}), "Statement[0]"),
        (json!({"Statement": "x"}), "Statement[0]"),
        (statement(|s| s["Effect"] = json!("allow")), "Statement[1].Effect"),
        (statement(|s| *s = json!({"Action": "s3:*"})), "Statement[1]"),
        (statement(|s| s["Efect"] = json!("Allow")), "Statement[1].Efect"),
        (statement(|s| s["Sid"] = json!(1)), "Statement[1].Sid"),
        (statement(|s| s["Action"] = json!([])), "Statement[1].Action"),
        (statement(|s| s["Action"] = json!(["s3:*", 1])), "Statement[1].Action[1]"),
        (statement(|s| s["Action"] = json!({})), "Statement[1].Action"),
        (statement(|s| s["NotAction"] = json!("s3:*")), "Statement[1].NotAction"),
        (statement(|s| s["NotResource"] = json!("*")), "Statement[1].NotResource"),
        (statement(|s| s["Principal"] = json!("x")), "Statement[1].Principal"),
        (statement(|s| s["Principal"] = json!({})), "Statement[1].Principal"),
        (statement(|s| s["Principal"] = json!({"aws": "*"})), "Statement[1].Principal.aws"),
        (statement(|s| s["Principal"] = json!({"AWS": [1]})), "Statement[1].Principal.AWS[0]"),
        (statement(|s| s["Condition"] = json!([])), "Statement[1].Condition"),
        (
            statement(|s| s["Condition"] = json!({"StringEqual": {}})),
            "Statement[1].Condition.StringEqual",
        ),
        (
            statement(|s| s["Condition"] = json!({"StringEquals": "a"})),
            "Statement[1].Condition.StringEquals",
        ),
        (
            statement(|s| s["Condition"] = json!({"StringEquals": {"aws:userid": {}}})),
            "Statement[1].Condition.StringEquals.aws:userid",
        ),
        (
            statement(|s| s["Condition"] = json!({"StringEquals": {"aws:userid": []}})),
            "Statement[1].Condition.StringEquals.aws:userid",
        ),
    ] {
        let error = Document::parse(&value).unwrap_err();
        assert_eq!(error.0.path, path, "{value}: {error}");
    }
    let error = Document::parse("{\"Statement\": [").unwrap_err();
    assert!(error.to_string().starts_with("not valid JSON"), "{error}");
    assert!(error.to_string().contains("line 1 column"), "{error}");
}

#[test]
fn operators_are_read_as_documented() {
    for (name, good) in [
        ("StringEquals", true),
        ("StringEqualsIfExists", true),
        ("ForAllValues:ArnLikeIfExists", true),
        ("ForAnyValue:Bool", true),
        ("Null", true),
        ("NullIfExists", false),
        ("ForAllValues:Null", false),
        ("stringEquals", false),
        ("ForAllValues", false),
        ("ForAllValues:", false),
        ("ForSomeValues:StringEquals", false),
        ("ForAllValues:ForAnyValue:StringEquals", false),
        ("IfExists", false),
        ("StringEqualsIfExistsIfExists", false),
        ("", false),
    ] {
        let operator = Operator::from_name(name);
        assert_eq!(operator.is_some(), good, "{name}");
        assert!(operator.is_none_or(|operator| operator.to_string() == name), "{name}");
    }
}

/// Generates documents from a small vocabulary.
pub(crate) fn documents() -> impl Strategy<Value = Document> {
    let version = prop::option::of(prop_oneof![Just(Version::V2008), Just(Version::V2012)]);
    (version, prop::option::of("[a-z]{1,4}"), prop::collection::vec(statements(), 1..4))
        .prop_map(|(version, id, statements)| Document { version, id, statements })
}

fn scoped<T: Clone + std::fmt::Debug>(
    inner: impl Strategy<Value = T>,
) -> impl Strategy<Value = Scope<T>> {
    (inner, prop::bool::weighted(0.2))
        .prop_map(|(inner, not)| if not { Scope::Except(inner) } else { Scope::Only(inner) })
}

fn words(from: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let word = prop::sample::select(from).prop_map(str::to_owned);
    prop::collection::vec(word, 1..3)
}

pub(crate) fn statements() -> impl Strategy<Value = Statement> {
    let effect = prop_oneof![3 => Just(Effect::Allow), 1 => Just(Effect::Deny)];
    let listed = words(&[
        "*",
        "111122223333",
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::111122223333:role/demo",
        "arn:aws:iam::111122223333:user/ann",
        "arn:aws:sts::111122223333:assumed-role/demo/s",
    ]);
    let principals = prop_oneof![
        Just(Principals::Everyone),
        listed.prop_map(|names| Principals::Listed(vec![(PrincipalKind::Aws, names)])),
        Just(Principals::Listed(vec![(PrincipalKind::Service, vec!["s3.amazonaws.com".into()])])),
    ];
    let actions = words(&["*", "s3:*", "s3:Get*", "S3:GETOBJECT", "kms:Decrypt", "s3:Put?bject"]);
    let resources = words(&[
        "*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/${aws:username}/*",
        "arn:aws:s3",
        "arn:aws:kms:*:*:key/*",
        "arn:aws:s3:::other",
    ]);
    (
        prop::option::of("[A-Za-z0-9]{0,6}"),
        effect,
        prop::option::weighted(0.8, scoped(principals)),
        prop::option::weighted(0.95, scoped(actions)),
        prop::option::weighted(0.9, scoped(resources)),
        prop::collection::vec(conditions(), 0..2),
    )
        .prop_map(|(sid, effect, principal, action, resource, condition)| Statement {
            sid,
            effect,
            principal,
            action,
            resource,
            condition,
        })
}

fn conditions() -> impl Strategy<Value = Condition> {
    let operators = prop::sample::select(
        &[
            "StringEquals",
            "StringNotLike",
            "StringLikeIfExists",
            "ForAllValues:StringEquals",
            "ForAnyValue:StringLike",
            "Null",
            "Bool",
            "NumericLessThan",
            "ArnLike",
            "IpAddress",
        ][..],
    );
    let keys =
        prop::sample::select(&["aws:username", "aws:PrincipalArn", "s3:prefix", "aws:TagKeys"][..]);
    let values =
        words(&["true", "false", "ann", "a*", "5", "arn:aws:iam::*:role/*", "${aws:username}"]);
    (operators, keys, values).prop_map(|(operator, key, values)| Condition {
        operator: Operator::from_name(operator).unwrap(),
        key: key.to_owned(),
        values,
    })
}

proptest! {
    #![proptest_config(crate::seeded::cases(256))]

    #[test]
    fn a_document_survives_printing(document in documents()) {
        prop_assert_eq!(&Document::parse(&document.to_value()).unwrap(), &document);
        prop_assert_eq!(&Document::parse(&document.to_string()).unwrap(), &document);
        prop_assert_eq!(&Document::parse(&format!("{document:#}")).unwrap(), &document);
    }
}
