//! The elements of a statement, with one table for each element.
//! Not for: parsing the elements (see `document`).

use super::*;

/// Returns whether an identity-based policy of one statement allows user ann to read the object.
fn allows(statement: Value) -> bool {
    let mut value = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    for (name, element) in statement.as_object().unwrap() {
        let object = value.as_object_mut().unwrap();
        if let Some(plain) = name.strip_prefix("Not") {
            object.remove(plain);
        }
        object.insert(name.clone(), element.clone());
    }
    let identity = document(value);
    let policies = Policies { identity: vec![named("p", &identity)], ..Policies::default() };
    evaluate(&get(user(), OWN), &policies).is_allowed()
}

#[test]
fn actions() {
    // "Action" and "NotAction" are case-insensitive.
    for (statement, expected) in [
        (json!({"Action": "*"}), true),
        (json!({"Action": "s3:*"}), true),
        (json!({"Action": "S3:getOBJECT"}), true),
        (json!({"Action": "s3:Get*"}), true),
        (json!({"Action": "s3:?etObject"}), true),
        (json!({"Action": ["sqs:*", "s3:GetObject"]}), true),
        (json!({"Action": "s3:GetObjectAcl"}), false),
        (json!({"Action": "s3:Get"}), false),
        (json!({"Action": "kms:*"}), false),
        (json!({"NotAction": "kms:*"}), true),
        (json!({"NotAction": "s3:*"}), false),
        (json!({"NotAction": ["kms:*", "s3:getobject"]}), false),
    ] {
        assert_eq!(allows(statement.clone()), expected, "{statement}");
    }
}

#[test]
fn resources() {
    // "Resource" and "NotResource".
    for (statement, expected) in [
        (json!({"Resource": "arn:aws:s3:::b/*"}), true),
        (json!({"Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b/k"]}), true),
        (json!({"Resource": "arn:aws:s3:::b"}), false),
        (json!({"Resource": "arn:aws:s3:::B/k"}), false),
        (json!({"Resource": "arn:aws:s3"}), true),
        (json!({"Resource": "arn:aws:s3:::${aws:username}/k"}), false),
        (json!({"NotResource": "arn:aws:s3:::b/*"}), false),
        (json!({"NotResource": "arn:aws:s3:::a/*"}), true),
        (json!({"NotResource": "arn:aws:s3:::${aws:userid}/*"}), false),
    ] {
        assert_eq!(allows(statement.clone()), expected, "{statement}");
    }
}

#[test]
fn conditions_must_all_hold() {
    // "IAM JSON policy elements: Condition": AND over operators and keys, OR over values.
    for (condition, expected) in [
        (json!({}), true),
        (json!({"StringEquals": {"aws:username": "ann"}}), true),
        (json!({"StringEquals": {"AWS:USERNAME": ["bob", "ann"]}}), true),
        (json!({"StringEquals": {"aws:username": "ann", "aws:PrincipalAccount": OTHER}}), false),
        (
            json!({"StringEquals": {"aws:username": "ann"}, "Bool": {"aws:PrincipalIsAWSService": "true"}}),
            false,
        ),
        (
            json!({"StringEquals": {"aws:username": "ann"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}),
            true,
        ),
        (json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}), true),
        (
            json!({"StringEquals": {"aws:ResourceAccount": OWN, "s3:ResourceAccount": "${aws:PrincipalAccount}"}}),
            true,
        ),
    ] {
        assert_eq!(allows(json!({"Condition": condition})), expected, "{condition}");
    }
}

#[test]
fn variables_only_in_the_newer_version() {
    // "Variables and tags", introduction.
    for (version, expected) in
        [(Some("2012-10-17"), true), (Some("2008-10-17"), false), (None, false)]
    {
        let mut value = json!({"Statement": {
            "Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::home/${aws:username}/*",
        }});
        if let Some(version) = version {
            value["Version"] = json!(version);
        }
        let identity = Document::parse(&value).unwrap();
        let policies = Policies { identity: vec![named("p", &identity)], ..Policies::default() };
        let resource = "arn:aws:s3:::home/ann/x";
        let request = Request::new(user(), "s3:GetObject", resource, account(OWN), Context::new());
        assert_eq!(evaluate(&request, &policies).is_allowed(), expected, "{version:?}");
    }
}

#[test]
fn not_principal() {
    // "AWS JSON policy elements: NotPrincipal".
    let deny = |names: Value| {
        document(json!([
            {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "NotPrincipal": {"AWS": names}, "Action": "*", "Resource": "*"},
        ]))
    };
    let allow = |names: Value| {
        document(
            json!({"Effect": "Allow", "NotPrincipal": {"AWS": names}, "Action": "*", "Resource": "*"}),
        )
    };
    for (policy, caller, expected) in [
        (deny(json!([USER, ROOT])), user(), "allow"),
        (deny(json!([USER])), user(), "explicit resource-based policy"),
        (deny(json!([SESSION, ROLE, ROOT])), session(), "allow"),
        (deny(json!([ROLE, ROOT])), session(), "explicit resource-based policy"),
        (deny(json!([USER, ROOT])), session(), "explicit resource-based policy"),
        (deny(json!([USER, ROOT])), Principal::Anonymous, "explicit resource-based policy"),
        (allow(json!([USER])), user(), "no identity-based policy"),
        (allow(json!([OWN])), user(), "no identity-based policy"),
        (allow(json!([USER])), session(), "allow"),
        (allow(json!([USER])), Principal::Anonymous, "allow"),
    ] {
        let policies =
            Policies { resource: Some(on(ResourceKind::Bucket, &policy)), ..Policies::default() };
        let found = brief(&evaluate(&get(caller.clone(), OWN), &policies));
        assert_eq!(found, expected, "{policy} for {caller:?}");
    }
}

#[test]
fn elements_in_the_wrong_kind_of_policy_grant_nothing() {
    let with_principal = all_for("Allow", &json!("*"));
    let without = all("Allow");
    let identity = Policies { identity: vec![named("p", &with_principal)], ..Policies::default() };
    assert!(!evaluate(&get(user(), OWN), &identity).is_allowed());
    let resource =
        Policies { resource: Some(on(ResourceKind::Bucket, &without)), ..Policies::default() };
    assert!(!evaluate(&get(user(), OWN), &resource).is_allowed());
}
