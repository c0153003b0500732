//! One table for each family of operators. A row is the operator, the policy's values, the
//! request's values, and whether the condition holds.
//! Not for: which values a policy may contain (see `grammar`).

use proptest::prelude::*;

use super::value::{base64, date};
use super::*;
use crate::document::Operator;

/// Evaluates one row. If `request` is `None`, the request does not have the condition key.
fn holds_for(operator: &str, policy: &[&str], request: Option<&[&str]>) -> bool {
    let mut context = Context::new().with("aws:username", "ann");
    if let Some(values) = request {
        context.set_all("k:Key", values.iter().copied());
    }
    let condition = Condition {
        operator: Operator::from_name(operator).unwrap(),
        key: "K:kEY".to_owned(),
        values: policy.iter().map(|&value| value.to_owned()).collect(),
    };
    holds(&condition, &context, true)
}

type Row = (&'static str, &'static [&'static str], Option<&'static [&'static str]>, bool);

fn table(rows: &[Row]) {
    for (operator, policy, request, expected) in rows {
        let found = holds_for(operator, policy, *request);
        assert_eq!(found, *expected, "{operator} {policy:?} for {request:?}");
    }
}

#[test]
fn strings() {
    // Section "String condition operators".
    table(&[
        ("StringEquals", &["a"], Some(&["a"]), true),
        ("StringEquals", &["a"], Some(&["A"]), false),
        ("StringEquals", &["a", "b"], Some(&["b"]), true),
        ("StringEquals", &["a*"], Some(&["ab"]), false),
        ("StringEquals", &["a*"], Some(&["a*"]), true),
        ("StringEquals", &["${aws:username}"], Some(&["ann"]), true),
        ("StringEquals", &["${aws:userid}"], Some(&["ann"]), false),
        ("StringEquals", &[""], Some(&[""]), true),
        ("StringNotEquals", &["a"], Some(&["b"]), true),
        ("StringNotEquals", &["a", "b"], Some(&["b"]), false),
        ("StringNotEquals", &["a", "b"], Some(&["c"]), true),
        ("StringNotEquals", &["${aws:userid}"], Some(&["c"]), false),
        ("StringEqualsIgnoreCase", &["ab"], Some(&["AB"]), true),
        ("StringEqualsIgnoreCase", &["ab"], Some(&["AC"]), false),
        ("StringNotEqualsIgnoreCase", &["ab"], Some(&["AB"]), false),
        ("StringNotEqualsIgnoreCase", &["ab"], Some(&["AC"]), true),
        ("StringLike", &["a*"], Some(&["ab"]), true),
        ("StringLike", &["a?"], Some(&["ab"]), true),
        ("StringLike", &["A*"], Some(&["ab"]), false),
        ("StringLike", &["", "home/", "home/${aws:username}/*"], Some(&["home/ann/x"]), true),
        ("StringLike", &["home/${aws:username}/*"], Some(&["home/bob/x"]), false),
        ("StringNotLike", &["a*"], Some(&["ab"]), false),
        ("StringNotLike", &["a*"], Some(&["b"]), true),
    ]);
}

#[test]
fn numbers() {
    // Section "Numeric condition operators".
    table(&[
        ("NumericEquals", &["10"], Some(&["10"]), true),
        ("NumericEquals", &["10"], Some(&["10.0"]), true),
        ("NumericEquals", &["10", "11"], Some(&["11"]), true),
        ("NumericEquals", &["9007199254740993"], Some(&["9007199254740992"]), false),
        ("NumericNotEquals", &["10"], Some(&["11"]), true),
        ("NumericNotEquals", &["10"], Some(&["10.0"]), false),
        ("NumericLessThan", &["10"], Some(&["9.5"]), true),
        ("NumericLessThan", &["10"], Some(&["10"]), false),
        ("NumericLessThanEquals", &["10"], Some(&["10"]), true),
        ("NumericLessThanEquals", &["10"], Some(&["11"]), false),
        ("NumericGreaterThan", &["10"], Some(&["11"]), true),
        ("NumericGreaterThan", &["10"], Some(&["10"]), false),
        ("NumericGreaterThanEquals", &["-10"], Some(&["-10"]), true),
        ("NumericGreaterThanEquals", &["10"], Some(&["9"]), false),
        ("NumericEquals", &["ten"], Some(&["10"]), false),
        ("NumericEquals", &["10"], Some(&["ten"]), false),
        ("NumericLessThan", &["inf"], Some(&["1"]), false),
    ]);
}

#[test]
fn dates() {
    // Section "Date condition operators": W3C forms of ISO 8601, or epoch seconds.
    table(&[
        ("DateEquals", &["2020-01-01T00:00:01Z"], Some(&["2020-01-01T00:00:01Z"]), true),
        ("DateEquals", &["2020-01-01T02:00:01+02:00"], Some(&["2020-01-01T00:00:01Z"]), true),
        ("DateEquals", &["1577836801"], Some(&["2020-01-01T00:00:01Z"]), true),
        ("DateEquals", &["2020"], Some(&["2020-01-01"]), true),
        ("DateEquals", &["2020-02"], Some(&["2020-02-01T00:00Z"]), true),
        ("DateEquals", &["2020-01-01T00:00:00.5Z"], Some(&["2020-01-01T00:00:00.500Z"]), true),
        ("DateNotEquals", &["2020-01-01"], Some(&["2020-01-02"]), true),
        ("DateNotEquals", &["2020-01-01"], Some(&["2020-01-01"]), false),
        ("DateLessThan", &["2020-01-01"], Some(&["2019-12-31T23:59:59Z"]), true),
        ("DateLessThan", &["2020-01-01"], Some(&["2020-01-01"]), false),
        ("DateLessThanEquals", &["2020-01-01"], Some(&["2020-01-01"]), true),
        ("DateGreaterThan", &["2020-01-01T00:00:01Z"], Some(&["2020-01-01T00:00:02Z"]), true),
        ("DateGreaterThan", &["2020-01-01"], Some(&["2020-01-01"]), false),
        ("DateGreaterThanEquals", &["2020-01-01"], Some(&["2020-01-01"]), true),
        ("DateGreaterThan", &["*"], Some(&["2020-01-01"]), false),
        ("DateGreaterThan", &["2020-01-01"], Some(&["today"]), false),
    ]);
    for bad in [
        "",
        "-",
        "202",
        "2020-1-1",
        "2020-13-01",
        "2020-02-30",
        "2021-02-29",
        "2020-01-00",
        "2020-01T00:00Z",
        "2020-01-01T",
        "2020-01-01T00:00",
        "2020-01-01T24:00Z",
        "2020-01-01T00:60Z",
        "2020-01-01T00:00:00.Z",
        "2020-01-01T00:00:00+2",
        "2020-01-01 00:00Z",
        "20200101T000000Z",
        "99999999999999999999",
        "2020-01-01T00:00:00Zx",
        "é",
        "2020-01-01-01",
    ] {
        // Three digits are epoch seconds, not a year.
        assert_eq!(date(bad).is_some(), bad == "202", "{bad}");
    }
}

#[test]
fn booleans_bytes_and_null() {
    // Sections "Boolean condition operators", "Binary condition operators", "Condition operator to
    // check existence".
    table(&[
        ("Bool", &["true"], Some(&["true"]), true),
        ("Bool", &["false"], Some(&["true"]), false),
        ("Bool", &["True"], Some(&["true"]), true),
        ("Bool", &["true"], Some(&["yes"]), false),
        ("Bool", &["yes"], Some(&["yes"]), false),
        ("Bool", &["true", "false"], Some(&["false"]), true),
        (
            "BinaryEquals",
            &["QmluYXJ5VmFsdWVJbkJhc2U2NA=="],
            Some(&["QmluYXJ5VmFsdWVJbkJhc2U2NA=="]),
            true,
        ),
        ("BinaryEquals", &["QmluYXJ5"], Some(&["qmluYXJ5"]), false),
        ("BinaryEquals", &["not base64"], Some(&["not base64"]), false),
        ("Null", &["true"], None, true),
        ("Null", &["false"], None, false),
        ("Null", &["true"], Some(&["a"]), false),
        ("Null", &["false"], Some(&["a"]), true),
        ("Null", &["true", "false"], Some(&["a"]), true),
        // An empty set is null ("Multivalued context keys").
        ("Null", &["true"], Some(&[]), true),
        ("Null", &["false"], Some(&[""]), false),
    ]);
    assert_eq!(base64("QmluYXJ5VmFsdWVJbkJhc2U2NA=="), Some(b"BinaryValueInBase64".to_vec()));
    assert_eq!(base64(""), Some(Vec::new()));
    assert_eq!(base64("+/8="), Some(vec![0xfb, 0xff]));
    for bad in ["a", "ab", "a===", "ab c", "=abc", "====", "é==="] {
        assert_eq!(base64(bad), None, "{bad}");
    }
}

#[test]
fn addresses() {
    // Section "IP address condition operators".
    table(&[
        ("IpAddress", &["203.0.113.0/24"], Some(&["203.0.113.255"]), true),
        ("IpAddress", &["203.0.113.0/24"], Some(&["203.0.114.0"]), false),
        ("IpAddress", &["203.0.113.7/24"], Some(&["203.0.113.1"]), true),
        ("IpAddress", &["203.0.113.7"], Some(&["203.0.113.7"]), true),
        ("IpAddress", &["203.0.113.7"], Some(&["203.0.113.8"]), false),
        ("IpAddress", &["0.0.0.0/0"], Some(&["8.8.8.8"]), true),
        ("IpAddress", &["::/0"], Some(&["8.8.8.8"]), false),
        ("IpAddress", &["::/0"], Some(&["2001:db8::1"]), true),
        (
            "IpAddress",
            &["203.0.113.0/24", "2001:DB8:1234:5678::/64"],
            Some(&["2001:db8:1234:5678::9"]),
            true,
        ),
        ("IpAddress", &["2001:DB8:1234:5678::/64"], Some(&["2001:db8:1234:5679::9"]), false),
        ("IpAddress", &["203.0.113.0/33"], Some(&["203.0.113.0"]), false),
        ("IpAddress", &["203.0.113.0/24"], Some(&["nowhere"]), false),
        ("NotIpAddress", &["203.0.113.0/24"], Some(&["203.0.113.9"]), false),
        ("NotIpAddress", &["203.0.113.0/24"], Some(&["8.8.8.8"]), true),
    ]);
}

#[test]
fn arns() {
    // Section "Amazon Resource Name (ARN) condition operators": Equals and Like behave identically.
    for (equals, like) in [("ArnEquals", "ArnLike"), ("ArnNotEquals", "ArnNotLike")] {
        for operator in [equals, like] {
            let positive = operator == "ArnEquals" || operator == "ArnLike";
            let role: &[&str] = &["arn:aws:iam::111122223333:role/a"];
            for (pattern, matches) in [
                ("arn:aws:iam::111122223333:role/a", true),
                ("arn:aws:iam::*:role/*", true),
                ("arn:aws:iam::111122223333:role/b", false),
                ("arn:aws:*:role/a", false),
            ] {
                let found = holds_for(operator, &[pattern], Some(role));
                assert_eq!(found, matches == positive, "{operator} {pattern}");
            }
        }
    }
}

#[test]
fn missing_keys() {
    // Section "Condition operators", the important note, and "...IfExists condition operators".
    table(&[
        ("StringEquals", &["a"], None, false),
        ("StringNotEquals", &["a"], None, true),
        ("StringEqualsIgnoreCase", &["a"], None, false),
        ("StringNotEqualsIgnoreCase", &["a"], None, true),
        ("StringLike", &["*"], None, false),
        ("StringNotLike", &["*"], None, true),
        ("NumericEquals", &["1"], None, false),
        ("NumericNotEquals", &["1"], None, true),
        ("NumericLessThan", &["1"], None, false),
        ("DateNotEquals", &["2020"], None, true),
        ("DateLessThan", &["2020"], None, false),
        ("Bool", &["false"], None, false),
        ("BinaryEquals", &["QQ=="], None, false),
        ("IpAddress", &["0.0.0.0/0"], None, false),
        ("NotIpAddress", &["0.0.0.0/0"], None, true),
        ("ArnLike", &["*"], None, false),
        ("ArnNotLike", &["*"], None, true),
        ("ArnNotEquals", &["*"], None, true),
        ("StringEqualsIfExists", &["a"], None, true),
        ("StringEqualsIfExists", &["a"], Some(&["b"]), false),
        ("StringNotEqualsIfExists", &["a"], None, true),
        ("BoolIfExists", &["true"], None, true),
        ("BoolIfExists", &["true"], Some(&["false"]), false),
        ("NumericLessThanIfExists", &["1"], None, true),
        ("IpAddressIfExists", &["10.0.0.0/8"], None, true),
        ("ArnLikeIfExists", &["arn:aws:s3:::b"], None, true),
        ("ForAllValues:StringEquals", &["a"], None, true),
        ("ForAnyValue:StringEquals", &["a"], None, false),
        ("ForAnyValue:StringNotEquals", &["a"], None, false),
        ("ForAnyValue:StringEqualsIfExists", &["a"], None, true),
        ("ForAllValues:StringEqualsIfExists", &["a"], None, true),
    ]);
}

#[test]
fn several_values() {
    // Section "Single-valued vs. multivalued context keys", "Set operators".
    table(&[
        (
            "ForAllValues:StringEquals",
            &["PostDateTime", "Message", "Tags"],
            Some(&["PostDateTime", "Message"]),
            true,
        ),
        (
            "ForAllValues:StringEquals",
            &["PostDateTime", "Message", "Tags"],
            Some(&["PostDateTime", "UserName"]),
            false,
        ),
        ("ForAllValues:StringEquals", &["a"], Some(&[]), true),
        ("ForAllValues:StringEquals", &["a"], Some(&[""]), true),
        ("ForAllValues:StringLike", &["key1*"], Some(&["key1", "key12"]), true),
        ("ForAllValues:StringNotEquals", &["a", "b"], Some(&["c", "d"]), true),
        ("ForAllValues:StringNotEquals", &["a", "b"], Some(&["c", "a"]), false),
        (
            "ForAnyValue:StringEquals",
            &["ID", "PostDateTime"],
            Some(&["UserName", "Message", "PostDateTime"]),
            true,
        ),
        ("ForAnyValue:StringEquals", &["ID", "PostDateTime"], Some(&["UserName"]), false),
        ("ForAnyValue:StringEquals", &["a"], Some(&[]), false),
        ("ForAnyValue:StringLike", &["*"], Some(&[""]), false),
        ("ForAnyValue:StringNotEquals", &["a"], Some(&["a", "b"]), true),
        ("ForAnyValue:StringNotEquals", &["a"], Some(&["a"]), false),
        ("ForAnyValue:NumericGreaterThan", &["5"], Some(&["1", "6"]), true),
        ("ForAllValues:Bool", &["true"], Some(&["true", "false"]), false),
        (
            "ForAnyValue:ArnLike",
            &["arn:aws:s3:::*"],
            Some(&["arn:aws:sns:::t", "arn:aws:s3:::b"]),
            true,
        ),
        // Without a set operator, a positive operator must hold for any value, a negated one for
        // all values.
        ("StringEquals", &["a"], Some(&["b", "a"]), true),
        ("StringNotEquals", &["a"], Some(&["b", "a"]), false),
    ]);
}

#[test]
fn variables_need_the_newer_version() {
    let context = Context::new().with("aws:username", "ann").with("k:a", "ann");
    let condition = Condition {
        operator: Operator::from_name("StringEquals").unwrap(),
        key: "k:a".into(),
        values: vec!["${aws:username}".into()],
    };
    assert!(holds(&condition, &context, true));
    assert!(!holds(&condition, &context, false));
}

proptest! {
    #![proptest_config(crate::seeded::cases(256))]

    #[test]
    fn dates_agree_with_jiff(seconds in -62_167_219_200_i64..253_402_300_799, nanos in 0_i32..1_000_000_000) {
        let stamp = jiff::Timestamp::new(seconds, nanos);
        prop_assume!(stamp.is_ok());
        let stamp = stamp.unwrap();
        prop_assert_eq!(date(&stamp.to_string()), Some(stamp.as_nanosecond()), "{}", stamp);
    }

    #[test]
    fn no_value_is_too_odd(wanted in ".*", found in ".*", at in 0_usize..27) {
        let names = [
            "StringEquals", "StringLike", "NumericLessThan", "DateLessThan", "Bool", "BinaryEquals",
            "IpAddress", "ArnLike", "Null",
        ];
        let quantifier = ["", "ForAllValues:", "ForAnyValue:"][at / 9];
        let name = format!("{quantifier}{}", names[at % 9]);
        if Operator::from_name(&name).is_some() {
            holds_for(&name, &[&wanted], Some(&[&found]));
        }
    }

    #[test]
    fn no_date_is_too_odd(text in "[-+0-9TZ:.é]{0,30}") {
        let _ = date(&text);
    }
}
