//! The names that match each caller, and how closely they name it.
//! Not for: the shapes of principals in a policy (see `grammar`).

use super::*;

fn account(id: &str) -> AccountId {
    AccountId::new(id).unwrap()
}

fn root() -> Principal {
    Principal::Root { account: account("111122223333"), partition: Partition::Aws }
}

fn user() -> Principal {
    let arn = Arn::new("arn:aws:iam::111122223333:user/ops/ann").unwrap();
    Principal::User { arn, id: Some("AIDAEXAMPLE".into()) }
}

fn session() -> Principal {
    let role = Arn::new("arn:aws:iam::111122223333:role/crrctl/demo").unwrap();
    Principal::RoleSession { role, session: "s3".into(), id: Some("AROAEXAMPLE".into()) }
}

#[test]
fn names_and_how_closely_they_mean_the_caller() {
    use PrincipalKind::{Aws, CanonicalUser, Federated, Service};
    let s3 = || Principal::Service("s3.amazonaws.com".into());
    for (caller, kind, name, expected) in [
        // "AWS account principals": the ARN of the root user and the bare id are equivalent.
        (root(), Aws, "arn:aws:iam::111122223333:root", Some(Link::Direct)),
        (root(), Aws, "111122223333", Some(Link::Direct)),
        (user(), Aws, "arn:aws:iam::111122223333:root", Some(Link::Account)),
        (user(), Aws, "111122223333", Some(Link::Account)),
        (session(), Aws, "arn:aws:iam::111122223333:root", Some(Link::Account)),
        (session(), Aws, "111122223333", Some(Link::Account)),
        (session(), Aws, "444455556666", None),
        (session(), Aws, "arn:aws-cn:iam::111122223333:root", None),
        // "IAM user principals": case-sensitive, and the path is part of the name.
        (user(), Aws, "arn:aws:iam::111122223333:user/ops/ann", Some(Link::Direct)),
        (user(), Aws, "arn:aws:iam::111122223333:user/ops/Ann", None),
        (user(), Aws, "arn:aws:iam::111122223333:user/ann", None),
        (user(), Aws, "AIDAEXAMPLE", Some(Link::Direct)),
        // "IAM role principals" and "Role session principals".
        (session(), Aws, "arn:aws:iam::111122223333:role/crrctl/demo", Some(Link::Role)),
        (session(), Aws, "arn:aws:iam::111122223333:role/demo", None),
        (session(), Aws, "AROAEXAMPLE", Some(Link::Role)),
        (session(), Aws, "AROAOTHER", None),
        (session(), Aws, "arn:aws:sts::111122223333:assumed-role/demo/s3", Some(Link::Direct)),
        (session(), Aws, "arn:aws:sts::111122223333:assumed-role/demo/other", None),
        // "All principals": a wildcard can't stand for a part of a name.
        (session(), Aws, "*", Some(Link::Direct)),
        (Principal::Anonymous, Aws, "*", Some(Link::Direct)),
        (session(), Aws, "arn:aws:iam::111122223333:role/*", None),
        (session(), Aws, "arn:aws:sts::111122223333:assumed-role/demo/*", None),
        // "AWS service principals".
        (s3(), Service, "s3.amazonaws.com", Some(Link::Direct)),
        (s3(), Service, "batchoperations.s3.amazonaws.com", None),
        (s3(), Service, "*", None),
        (s3(), Aws, "*", None),
        (session(), Service, "s3.amazonaws.com", None),
        (Principal::Anonymous, Aws, "111122223333", None),
        (user(), Federated, "*", None),
        (user(), CanonicalUser, "111122223333", None),
    ] {
        let listed = Principals::Listed(vec![(kind, vec!["nobody".into(), name.into()])]);
        assert_eq!(caller.named_by(&listed), expected, "{caller:?} as {kind:?} {name}");
    }
    for caller in [root(), user(), session(), s3(), Principal::Anonymous] {
        assert_eq!(caller.named_by(&Principals::Everyone), Some(Link::Direct));
    }
}

#[test]
fn the_closest_name_counts() {
    let names = vec![
        "111122223333".into(),
        "arn:aws:sts::111122223333:assumed-role/demo/s3".into(),
        "arn:aws:iam::111122223333:role/crrctl/demo".into(),
    ];
    let listed = Principals::Listed(vec![(PrincipalKind::Aws, names)]);
    assert_eq!(session().named_by(&listed), Some(Link::Direct));
}

#[test]
fn a_deny_spares_whom_it_lists_whole() {
    // "NotPrincipal with Deny" and the important note of "Permissions boundaries for IAM entities".
    let account = "arn:aws:iam::111122223333:root";
    let role = "arn:aws:iam::111122223333:role/crrctl/demo";
    let own = "arn:aws:sts::111122223333:assumed-role/demo/s3";
    let ann = "arn:aws:iam::111122223333:user/ops/ann";
    for (caller, names, boundary, expected) in [
        (root(), vec![account], false, true),
        (user(), vec![account, ann], false, true),
        (user(), vec![ann], false, false),
        (user(), vec![account], false, false),
        (user(), vec![account, ann], true, false),
        (session(), vec![account, role, own], false, true),
        (session(), vec![account, role], false, false),
        (session(), vec![role, own], false, false),
        (session(), vec![account, role, own], true, false),
        (session(), vec!["*"], false, true),
        (Principal::Anonymous, vec![account], false, false),
        (Principal::Anonymous, vec!["*"], false, true),
    ] {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let listed = Principals::Listed(vec![(PrincipalKind::Aws, names.clone())]);
        assert_eq!(caller.spared_by(&listed, boundary), expected, "{caller:?} in {names:?}");
    }
    let services =
        Principals::Listed(vec![(PrincipalKind::Service, vec!["s3.amazonaws.com".into()])]);
    assert!(Principal::Service("s3.amazonaws.com".into()).spared_by(&services, true));
    assert!(!Principal::Service("ec2.amazonaws.com".into()).spared_by(&services, false));
}

#[test]
fn the_context_tells_who_calls() {
    // "Principal key values" and "AWS global condition context keys".
    use crate::Context;
    let value = |principal: &Principal, key: &str| {
        Context::of_caller(principal).get(key).map(|values| values.join(","))
    };
    let role = "arn:aws:iam::111122223333:role/crrctl/demo";
    let s3 = Principal::Service("s3.amazonaws.com".into());
    for (caller, key, expected) in [
        (root(), "aws:PrincipalArn", Some("arn:aws:iam::111122223333:root")),
        (root(), "aws:PrincipalType", Some("Account")),
        (root(), "aws:userid", Some("111122223333")),
        (root(), "aws:username", None),
        (user(), "aws:PrincipalArn", Some("arn:aws:iam::111122223333:user/ops/ann")),
        (user(), "aws:PrincipalType", Some("User")),
        (user(), "aws:userid", Some("AIDAEXAMPLE")),
        (user(), "aws:username", Some("ann")),
        (session(), "aws:PrincipalArn", Some(role)),
        (session(), "aws:PrincipalType", Some("AssumedRole")),
        (session(), "aws:userid", Some("AROAEXAMPLE:s3")),
        (session(), "aws:username", None),
        (session(), "AWS:principalaccount", Some("111122223333")),
        (session(), "aws:PrincipalIsAWSService", Some("false")),
        (s3.clone(), "aws:PrincipalIsAWSService", Some("true")),
        (s3.clone(), "aws:PrincipalServiceName", Some("s3.amazonaws.com")),
        (s3.clone(), "aws:PrincipalServiceNamesList", Some("s3.amazonaws.com")),
        (s3.clone(), "aws:PrincipalArn", None),
        (s3, "aws:PrincipalAccount", None),
        (Principal::Anonymous, "aws:PrincipalAccount", Some("anonymous")),
        (Principal::Anonymous, "aws:PrincipalType", Some("Anonymous")),
        (Principal::Anonymous, "aws:PrincipalArn", None),
        (Principal::Anonymous, "aws:userid", Some("anonymous")),
    ] {
        assert_eq!(value(&caller, key).as_deref(), expected, "{key} of {caller:?}");
    }
    let session = session();
    let own = "arn:aws:sts::111122223333:assumed-role/demo/s3";
    assert_eq!(session.arn().as_deref(), Some(own));
}

#[test]
fn the_context_tells_whose_resource_it_is() {
    use crate::Context;
    for (action, key, expected) in [
        ("s3:GetObject", "aws:ResourceAccount", Some("444455556666")),
        ("s3:GetObject", "s3:ResourceAccount", Some("444455556666")),
        ("kms:Decrypt", "s3:ResourceAccount", None),
        ("kms:Decrypt", "kms:CallerAccount", Some("111122223333")),
        ("s3:GetObject", "kms:CallerAccount", None),
    ] {
        let context = Context::of_resource(&session(), action, &account("444455556666"));
        assert_eq!(context.get(key).map(|values| values.join(",")).as_deref(), expected, "{key}");
    }
}
