//! Requests and the decisions about them. The documents are short forms; the tables name their
//! sections.
//! Not for: parsing documents (see `document`).

#![expect(clippy::needless_pass_by_value, reason = "`json!` rows read better by value")]

mod accounts;
mod elements;
mod keys;
mod limits;
mod properties;

use serde_json::{Value, json};

use super::*;
use crate::names::{Arn, Partition};

const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";
const OBJECT: &str = "arn:aws:s3:::b/k";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/mrk-1";
const ROLE: &str = "arn:aws:iam::111122223333:role/demo";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/demo/s";
const USER: &str = "arn:aws:iam::111122223333:user/ann";
const ROOT: &str = "arn:aws:iam::111122223333:root";

fn account(id: &str) -> AccountId {
    AccountId::new(id).unwrap()
}

fn root() -> Principal {
    Principal::Root { account: account(OWN), partition: Partition::Aws }
}

fn user() -> Principal {
    Principal::User { arn: Arn::new(USER).unwrap(), id: None }
}

fn session() -> Principal {
    Principal::RoleSession { role: Arn::new(ROLE).unwrap(), session: "s".into(), id: None }
}

fn s3() -> Principal {
    Principal::Service("s3.amazonaws.com".into())
}

fn document(statements: Value) -> Document {
    Document::parse(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

/// An `Allow` or `Deny` of everything, for the identity that the policy is attached to.
fn all(effect: &str) -> Document {
    document(json!({"Sid": effect, "Effect": effect, "Action": "*", "Resource": "*"}))
}

/// An `Allow` or `Deny` of everything for `principal`.
fn all_for(effect: &str, principal: &Value) -> Document {
    document(
        json!({"Sid": effect, "Effect": effect, "Principal": principal, "Action": "*", "Resource": "*"}),
    )
}

/// A policy that allows only an action that no test requests.
fn nothing() -> Document {
    document(json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}))
}

fn get(principal: Principal, owner: &str) -> Request {
    Request::new(principal, "s3:GetObject", OBJECT, account(owner), Context::new())
}

fn decrypt(principal: Principal, owner: &str) -> Request {
    Request::new(principal, "kms:Decrypt", KEY, account(owner), Context::new())
}

fn named<'a>(name: &'a str, document: &'a Document) -> Named<'a> {
    Named { name, document }
}

fn on(kind: ResourceKind, document: &Document) -> ResourcePolicy<'_> {
    ResourcePolicy { kind, policy: named("resource policy", document) }
}

/// A decision in short form, with the kind of policy that denied: `allow`, `explicit identity-based
/// policy`, `no session policy`.
fn brief(decision: &Decision) -> String {
    match decision {
        Decision::Allow { .. } => "allow".to_owned(),
        Decision::ImplicitDeny { why } => format!("no {}", why.layer),
        Decision::ExplicitDeny { by } => format!("explicit {}", by.layer),
    }
}

#[test]
fn a_decision_names_document_and_statement() {
    let identity = document(json!([
        {"Sid": "Other", "Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
        {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"},
    ]));
    let bucket = document(json!({
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }));
    let policies = Policies {
        identity: vec![named("role policy", &identity)],
        resource: Some(on(ResourceKind::Bucket, &bucket)),
        ..Policies::default()
    };
    let request = get(session(), OWN);
    let Decision::Allow { by } = evaluate(&request, &policies) else { panic!() };
    assert_eq!(by[0].to_string(), "role policy, Statement[1] (Read)");

    let mut plain = request.clone();
    plain.context.set("aws:SecureTransport", "false");
    let Decision::ExplicitDeny { by } = evaluate(&plain, &policies) else { panic!() };
    assert_eq!(by.to_string(), "resource policy, Statement[0]");

    let mut put = request;
    put.action = "s3:PutObject".into();
    let Decision::ImplicitDeny { why } = evaluate(&put, &policies) else { panic!() };
    assert_eq!((why.layer, &why.documents[..]), (Layer::Identity, &["role policy".to_owned()][..]));
    assert!(why.to_string().starts_with("no identity-based policy allows it: "), "{why}");
}

#[test]
fn a_trace_names_every_element_in_the_way() {
    let identity = document(json!([{
        "Sid": "Decrypt", "Effect": "Allow", "Action": "kms:Encrypt", "Resource": "arn:aws:kms:*:*:key/other",
        "Condition": {
            "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::b/*"], "aws:PrincipalAccount": OWN},
        },
    }]));
    let key = all_for("Allow", &json!({"AWS": "444455556666"}));
    let policies = Policies {
        identity: vec![named("role policy", &identity)],
        resource: Some(on(ResourceKind::Key, &key)),
        ..Policies::default()
    };
    let mut request = decrypt(session(), OWN);
    request.context.set("kms:EncryptionContext:aws:s3:arn", "arn:aws:s3:::b");
    let traces = trace(&request, &policies);
    let found = |index: usize| {
        let misses = traces[index].misses.iter().map(ToString::to_string);
        misses.collect::<Vec<_>>()
    };
    assert_eq!(found(0), [
        "Statement[0].Action: does not cover kms:Decrypt".to_owned(),
        format!("Statement[0].Resource: does not cover {KEY}"),
        "Statement[0].Condition.StringEquals.kms:ViaService: the request does not have this key, the policy \
         \"s3.us-east-1.amazonaws.com\""
            .to_owned(),
        "Statement[0].Condition.StringLike.kms:EncryptionContext:aws:s3:arn: the request has \"arn:aws:s3:::b\", the \
         policy \"arn:aws:s3:::b/*\""
            .to_owned(),
    ]);
    assert_eq!(found(1), [format!("Statement[0].Principal: does not cover {SESSION}")]);
    assert_eq!(traces[0].statement.to_string(), "role policy, Statement[0] (Decrypt)");
}

#[test]
fn each_resource_must_be_allowed() {
    let identity = document(json!([
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::denied/*"},
    ]));
    let policies = Policies { identity: vec![named("p", &identity)], ..Policies::default() };
    for (resources, expected) in [
        (vec!["arn:aws:s3:::b/1"], "allow"),
        (vec!["arn:aws:s3:::b/1", "arn:aws:s3:::b/2"], "allow"),
        (vec!["arn:aws:s3:::b/1", "arn:aws:s3:::c/2"], "no identity-based policy"),
        (vec!["arn:aws:s3:::c/1", "arn:aws:s3:::b/2"], "no identity-based policy"),
        (vec!["arn:aws:s3:::c/1", "arn:aws:s3:::denied/2"], "explicit identity-based policy"),
        (vec!["arn:aws:s3:::denied/2", "arn:aws:s3:::b/1"], "explicit identity-based policy"),
        (vec![], "no identity-based policy"),
    ] {
        let mut request = get(user(), OWN);
        request.resources = resources.iter().map(ToString::to_string).collect();
        assert_eq!(brief(&evaluate(&request, &policies)), expected, "{resources:?}");
    }
}
