//! Wildcards, ARN parts and variables. Each row is a documented rule or an edge case of one.
//! Not for: condition operators (see `condition`).

use proptest::prelude::*;

use super::*;

const PLAIN: Rules<'_> = Rules { wildcards: true, variables: None };

#[test]
fn wildcards_follow_the_documentation() {
    // Section "Resource", "Using wildcards in resource ARNs", and "Condition operators",
    // StringLike.
    for (pattern, text, expected) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*", "a/b:c", true),
        ("**", "a", true),
        ("?", "", false),
        ("?", "é", true),
        ("?", "ab", false),
        ("a*", "a", true),
        ("a*c", "abc", true),
        ("a*c", "abcd", false),
        ("*a*b", "xaxxb", true),
        ("*ab", "aab", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("s3:Get*", "s3:GetObject", true),
        ("s3:Get*", "s3:PutObject", false),
        ("*/test/*", "1///test///object.jpg", true),
        ("*/test/*", "1-test/object.jpg", false),
        ("[a]", "a", false),
        ("a.c", "abc", false),
    ] {
        let compiled = Pattern::new(pattern, PLAIN).unwrap();
        assert_eq!(compiled.matches(text), expected, "{pattern} ~ {text}");
    }
}

#[test]
fn resources_match_part_by_part() {
    for (pattern, resource, complete, expected) in [
        ("*", "arn:aws:s3:::b", false, true),
        ("*", "*", false, true),
        ("**", "arn:aws:s3:::b", false, true),
        ("", "arn:aws:s3:::b", true, false),
        ("arn:aws:s3:::b", "arn:aws:s3:::b", false, true),
        ("arn:aws:s3:::b", "arn:aws:s3:::B", false, false),
        ("arn:aws:s3:::b", "arn:aws:s3:::b/k", false, false),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/x/y", false, true),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/x:y", false, true),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b", false, false),
        ("arn:aws:s3:::*", "arn:aws:s3:::b/x", false, true),
        ("arn:aws:s3:::b*", "arn:aws:s3:::bc/x", false, true),
        ("arn:*:s3:::b", "arn:aws-cn:s3:::b", false, true),
        (
            "arn:aws:kms:*:111122223333:key/*",
            "arn:aws:kms:eu-west-1:111122223333:key/1",
            false,
            true,
        ),
        ("arn:aws:kms:*:key/1", "arn:aws:kms:eu-west-1:111122223333:key/1", true, false),
        ("arn:aws:kms:*:*:key/1", "arn:aws:kms:eu-west-1:111122223333:key/1", false, true),
        // A wildcard matches none of the first five colons.
        ("arn:aws:k*:key/1", "arn:aws:kms:eu-west-1:111122223333:key/1", true, false),
        ("arn:aws:sqs:us-east-?:*:q", "arn:aws:sqs:us-east-1:111122223333:q", false, true),
        // In an identity-based policy an incomplete ARN ends in wildcards; elsewhere it matches
        // nothing.
        ("arn:aws:sqs", "arn:aws:sqs:us-east-1:111122223333:q", true, true),
        ("arn:aws:sqs", "arn:aws:sqs:us-east-1:111122223333:q", false, false),
        ("arn:aws:s3:*", "arn:aws:s3:::b", true, true),
        ("arn:aws:s3:*", "arn:aws:sqs:us-east-1:111122223333:q", true, false),
        ("b", "arn:aws:s3:::b", true, false),
        ("arn:aws:s3:::*", "*", false, false),
        ("arn*", "arn:aws:s3:::b", true, false),
        // Colons after the fifth belong to the resource.
        (
            "arn:aws:logs:*:*:log-group:a:*",
            "arn:aws:logs:us-east-1:111122223333:log-group:a:b:c",
            false,
            true,
        ),
    ] {
        let found = resource_like(pattern, resource, complete, PLAIN);
        assert_eq!(found, Some(expected), "{pattern} ~ {resource}");
    }
}

#[test]
fn conditions_compare_arns_part_by_part() {
    // Section "Amazon Resource Name (ARN) condition operators", with its example.
    let far =
        "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt";
    for (pattern, value, expected) in [
        ("arn:aws:someservice:*:111122223333:finance/*", far, false),
        ("arn:aws:iam::*:role/a", "arn:aws:iam::111122223333:role/a", true),
        ("arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/x/y", true),
        ("arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/A", false),
        ("*", "arn:aws:iam::111122223333:role/a", true),
        ("arn:aws:iam::111122223333", "arn:aws:iam::111122223333:root", false),
        ("arn:aws:iam::111122223333:root", "root", false),
    ] {
        assert_eq!(arn_like(pattern, value, PLAIN), Some(expected), "{pattern} ~ {value}");
    }
}

#[test]
fn variables_are_replaced_by_what_the_request_has() {
    let mut context = Context::new()
        .with("aws:username", "ann")
        .with("aws:PrincipalTag/team", "a*b")
        .with("s3:prefix", "");
    context.set_all("aws:TagKeys", ["a", "b"]);
    let rules = Rules { wildcards: true, variables: Some(&context) };
    let plain = Rules { wildcards: true, variables: None };
    for (rules, pattern, text, expected) in [
        (rules, "home/${aws:username}/*", "home/ann/x", Some(true)),
        (rules, "home/${AWS:UserName}", "home/ann", Some(true)),
        (rules, "home/${aws:username}", "home/bob", Some(false)),
        // Special characters are literal.
        (rules, "${*}${?}${$}", "*?$", Some(true)),
        (rules, "${*}", "a", Some(false)),
        // Wildcards in a variable's value are literal characters.
        (rules, "${aws:PrincipalTag/team}", "a*b", Some(true)),
        (rules, "${aws:PrincipalTag/team}", "axb", Some(false)),
        // Default values.
        (rules, "${aws:userid, 'anonymous'}", "anonymous", Some(true)),
        (rules, "${aws:username, 'anonymous'}", "ann", Some(true)),
        (rules, "${aws:userid,'x y'}", "x y", Some(true)),
        (rules, "${aws:userid, ''}", "", Some(true)),
        (rules, "${s3:prefix}x", "x", Some(true)),
        // No value, several values, an invalid default.
        (rules, "a${aws:userid}", "a", None),
        (rules, "${aws:TagKeys}", "a", None),
        (rules, "${aws:userid, anonymous}", "anonymous", None),
        // Not a variable.
        (rules, "${aws:username", "${aws:username", Some(true)),
        (rules, "$aws:username", "$aws:username", Some(true)),
        // Version 2008-10-17 has no variables.
        (plain, "${aws:username}", "${aws:username}", Some(true)),
        (plain, "${aws:username}", "ann", Some(false)),
    ] {
        let found = Pattern::new(pattern, rules).map(|pattern| pattern.matches(text));
        assert_eq!(found, expected, "{pattern} ~ {text}");
    }
}

#[test]
fn variables_stand_after_the_fifth_colon_of_a_resource() {
    let context =
        Context::new().with("aws:username", "ann").with("aws:PrincipalAccount", "111122223333");
    let rules = Rules { wildcards: true, variables: Some(&context) };
    for (pattern, resource, expected) in [
        ("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/ann/x", Some(true)),
        ("arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/bob/x", Some(false)),
        ("arn:aws:s3:::b/${aws:userid}/*", "arn:aws:s3:::b/ann/x", None),
        ("arn:aws:sns::${aws:PrincipalAccount}:t", "arn:aws:sns::111122223333:t", Some(false)),
    ] {
        assert_eq!(resource_like(pattern, resource, false, rules), expected, "{pattern}");
    }
    // ARN operators accept variables in every part.
    let found =
        arn_like("arn:aws:sns::${aws:PrincipalAccount}:t", "arn:aws:sns::111122223333:t", rules);
    assert_eq!(found, Some(true));
}

#[test]
fn a_colon_in_a_variable_divides_nothing() {
    assert_eq!(
        arn_parts("arn:aws:s3:::b/${aws:username}"),
        ["arn", "aws", "s3", "", "", "b/${aws:username}"]
    );
    assert_eq!(arn_parts("arn:${a:b}:c"), ["arn", "${a:b}", "c"]);
    assert_eq!(arn_parts("a:b:c:d:e:f:g"), ["a", "b", "c", "d", "e", "f:g"]);
    assert_eq!(arn_parts("é:${"), ["é", "${"]);
}

/// The definition of matching, implemented literally.
fn reference(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => {
            reference(rest, text) || (!text.is_empty() && reference(pattern, &text[1..]))
        }
        (['?', rest @ ..], [_, tail @ ..]) => reference(rest, tail),
        ([wanted, rest @ ..], [found, tail @ ..]) => wanted == found && reference(rest, tail),
        _ => false,
    }
}

proptest! {
    #![proptest_config(crate::seeded::cases(256))]

    #[test]
    fn matching_is_as_defined(pattern in "[ab*?]{0,7}", text in "[ab]{0,9}") {
        let compiled = Pattern::new(&pattern, PLAIN).unwrap();
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(compiled.matches(&text), reference(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn no_text_is_too_odd(pattern in ".*", text in ".*") {
        let context = Context::new();
        let rules = Rules { wildcards: true, variables: Some(&context) };
        let _ = Pattern::new(&pattern, rules).map(|compiled| compiled.matches_ignoring_case(&text));
        let _ = resource_like(&pattern, &text, true, rules);
        let _ = arn_like(&pattern, &text, rules);
    }
}
