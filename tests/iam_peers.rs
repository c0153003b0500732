//! The evaluator beside another one, the crate `iam-rs`, on policies that both understand.
//!
//! That crate knows statements, not accounts: it is asked about one identity-based policy, or one policy on a resource of
//! the caller's account. Where the documentation contradicts it, the case is in `known_gaps`, by name, and is checked to
//! differ still: when the crate is mended, the test says so.

#![expect(clippy::unwrap_used, reason = "a test: a wrong case shall fail")]
#![expect(clippy::needless_pass_by_value, reason = "`json!` rows read better by value")]

use crrctl::names::{AccountId, Arn};
use crrctl_iam::{
    Context, Decision, Document, Named, Policies, Principal, Request, ResourceKind, ResourcePolicy,
    evaluate,
};
use iam_rs::{ContextValue, IAMPolicy, IAMRequest, PrincipalId};
use proptest::prelude::*;
use serde_json::{Value, json};

const OWN: &str = "111122223333";
const USER: &str = "arn:aws:iam::111122223333:user/ann";
const ROLE: &str = "arn:aws:iam::111122223333:role/demo";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/demo/s";
const OBJECT: &str = "arn:aws:s3:::b/ann/x";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allow,
    Deny,
    Nothing,
}

#[derive(Debug, Clone, Copy)]
enum Caller {
    User,
    Session,
    Service,
}

/// One question to both.
#[derive(Debug, Clone)]
struct Case {
    caller: Caller,
    action: String,
    resource: String,
    /// Every key holds text, as in a request; lists have more than one value.
    context: Vec<(String, Vec<String>)>,
    policy: Value,
    /// What it is attached to; none for the caller itself.
    on: Option<ResourceKind>,
}

impl Case {
    fn new(policy: Value) -> Self {
        let context = vec![("aws:username".to_owned(), vec!["ann".to_owned()])];
        let (action, resource) = ("s3:GetObject".to_owned(), OBJECT.to_owned());
        Self { caller: Caller::User, action, resource, context, policy, on: None }
    }

    fn ours(&self) -> Verdict {
        let document = Document::parse(&self.policy).unwrap();
        let named = Named { name: "policy", document: &document };
        let mut policies = Policies::default();
        match self.on {
            None => policies.identity.push(named),
            Some(kind) => policies.resource = Some(ResourcePolicy { kind, policy: named }),
        }
        let principal = match self.caller {
            Caller::User => Principal::User { arn: Arn::new(USER).unwrap(), id: None },
            Caller::Session => Principal::RoleSession {
                role: Arn::new(ROLE).unwrap(),
                session: "s".into(),
                id: None,
            },
            Caller::Service => Principal::Service("s3.amazonaws.com".into()),
        };
        let mut context = Context::new();
        for (key, values) in &self.context {
            context.set_all(key, values.clone());
        }
        let request = Request {
            principal,
            action: self.action.clone(),
            resources: vec![self.resource.clone()],
            resource_account: AccountId::new(OWN).unwrap(),
            context,
        };
        match evaluate(&request, &policies) {
            Decision::Allow { .. } => Verdict::Allow,
            Decision::ExplicitDeny { .. } => Verdict::Deny,
            Decision::ImplicitDeny { .. } => Verdict::Nothing,
        }
    }

    /// The other's verdict; an error of its own allows nothing.
    fn theirs(&self) -> Verdict {
        let Ok(policy) = serde_json::from_value::<IAMPolicy>(self.policy.clone()) else {
            return Verdict::Nothing;
        };
        let aws = |arn: &str| iam_rs::Principal::Aws(PrincipalId::String(arn.into()));
        let principal = match self.caller {
            Caller::User => aws(USER),
            Caller::Session => aws(SESSION),
            Caller::Service => {
                iam_rs::Principal::Service(PrincipalId::String("s3.amazonaws.com".into()))
            }
        };
        let mut context = iam_rs::Context::new();
        for (key, values) in &self.context {
            let value = match &values[..] {
                [single] => match single.as_str() {
                    "true" | "false" => ContextValue::Boolean(single == "true"),
                    _ => ContextValue::String(single.clone()),
                },
                many => ContextValue::StringList(many.to_vec()),
            };
            context.insert(key.clone(), value);
        }
        let resource = iam_rs::Arn::parse(&self.resource).unwrap();
        let request =
            IAMRequest::new_with_context(principal, self.action.clone(), resource, context);
        match iam_rs::evaluate_policy(&policy, &request) {
            Ok(iam_rs::Decision::Allow) => Verdict::Allow,
            Ok(iam_rs::Decision::Deny) => Verdict::Deny,
            Ok(iam_rs::Decision::NotApplicable) | Err(_) => Verdict::Nothing,
        }
    }
}

fn allow(rest: Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
    for (name, value) in rest.as_object().unwrap() {
        let object = statement.as_object_mut().unwrap();
        object.remove(name.strip_prefix("Not").unwrap_or_default());
        object.insert(name.clone(), value.clone());
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

#[test]
fn both_agree_on_single_rules() {
    for (statement, expected) in [
        (json!({}), Verdict::Allow),
        (json!({"Effect": "Deny"}), Verdict::Deny),
        (json!({"Action": "S3:GETobject"}), Verdict::Allow),
        (json!({"Action": ["s3:Put*", "s3:?etObject"]}), Verdict::Allow),
        (json!({"Action": "s3:GetObjectAcl"}), Verdict::Nothing),
        (json!({"NotAction": "s3:Put*"}), Verdict::Allow),
        (json!({"NotAction": "s3:Get*"}), Verdict::Nothing),
        (json!({"Resource": "arn:aws:s3:::b/*"}), Verdict::Allow),
        (json!({"Resource": "arn:aws:s3:::b/${aws:username}/*"}), Verdict::Allow),
        (json!({"Resource": "arn:aws:s3:::b/${aws:userid, 'ann'}/*"}), Verdict::Allow),
        (json!({"Resource": "arn:aws:s3:::b"}), Verdict::Nothing),
        (json!({"NotResource": "arn:aws:s3:::b/*"}), Verdict::Nothing),
        (json!({"NotResource": "arn:aws:s3:::c/*"}), Verdict::Allow),
        (json!({"Condition": {"StringEquals": {"aws:username": "ann"}}}), Verdict::Allow),
        (json!({"Condition": {"StringEquals": {"aws:username": "Ann"}}}), Verdict::Nothing),
        (json!({"Condition": {"StringEqualsIgnoreCase": {"aws:username": "Ann"}}}), Verdict::Allow),
        (
            json!({"Condition": {"StringNotEquals": {"aws:username": ["a", "ann"]}}}),
            Verdict::Nothing,
        ),
        (json!({"Condition": {"StringNotEquals": {"aws:missing": "a"}}}), Verdict::Allow),
        (json!({"Condition": {"StringEquals": {"aws:missing": "a"}}}), Verdict::Nothing),
        (json!({"Condition": {"StringEqualsIfExists": {"aws:missing": "a"}}}), Verdict::Allow),
        (json!({"Condition": {"StringLike": {"aws:username": "a*"}}}), Verdict::Allow),
        (json!({"Condition": {"StringNotLike": {"aws:username": "a*"}}}), Verdict::Nothing),
        (json!({"Condition": {"StringEquals": {"AWS:UserName": "ann"}}}), Verdict::Allow),
        (json!({"Condition": {"Null": {"aws:missing": "true"}}}), Verdict::Allow),
        (json!({"Condition": {"Null": {"aws:username": "true"}}}), Verdict::Nothing),
        (json!({"Condition": {"ForAllValues:StringEquals": {"aws:missing": "a"}}}), Verdict::Allow),
        (
            json!({"Condition": {"ForAnyValue:StringEquals": {"aws:missing": "a"}}}),
            Verdict::Nothing,
        ),
        (json!({"Condition": {"IpAddress": {"aws:username": "10.0.0.0/8"}}}), Verdict::Nothing),
    ] {
        let case = Case::new(allow(statement.clone()));
        assert_eq!((case.ours(), case.theirs()), (expected, expected), "{statement}");
    }
}

#[test]
fn both_agree_on_typed_conditions() {
    for (key, value, operator, wanted, expected) in [
        ("aws:SourceIp", "203.0.113.9", "IpAddress", json!("203.0.113.0/24"), Verdict::Allow),
        ("aws:SourceIp", "203.0.114.9", "IpAddress", json!("203.0.113.0/24"), Verdict::Nothing),
        ("aws:SourceIp", "2001:db8::7", "IpAddress", json!("2001:db8::/32"), Verdict::Allow),
        ("aws:SourceIp", "203.0.113.9", "NotIpAddress", json!("203.0.113.0/24"), Verdict::Nothing),
        ("s3:max-keys", "10", "NumericLessThanEquals", json!("10"), Verdict::Allow),
        ("s3:max-keys", "11", "NumericLessThanEquals", json!(10), Verdict::Nothing),
        ("s3:max-keys", "9.5", "NumericGreaterThan", json!("9"), Verdict::Allow),
        (
            "aws:CurrentTime",
            "2026-01-02T00:00:00Z",
            "DateGreaterThan",
            json!("2026-01-01T00:00:00Z"),
            Verdict::Allow,
        ),
        (
            "aws:CurrentTime",
            "2026-01-02T00:00:00Z",
            "DateLessThan",
            json!("2026-01-01T00:00:00Z"),
            Verdict::Nothing,
        ),
        ("aws:SecureTransport", "false", "Bool", json!("false"), Verdict::Allow),
        ("aws:SecureTransport", "true", "Bool", json!("false"), Verdict::Nothing),
    ] {
        let mut case = Case::new(allow(json!({"Condition": {operator: {key: wanted}}})));
        case.context.push((key.to_owned(), vec![value.to_owned()]));
        assert_eq!((case.ours(), case.theirs()), (expected, expected), "{operator} {value}");
    }
}

#[test]
fn both_agree_on_principals_named_directly() {
    for (principal, caller, expected) in [
        (json!("*"), Caller::User, Verdict::Allow),
        (json!({"AWS": "*"}), Caller::User, Verdict::Allow),
        (json!({"AWS": USER}), Caller::User, Verdict::Allow),
        (json!({"AWS": [ROLE, USER]}), Caller::User, Verdict::Allow),
        (json!({"AWS": SESSION}), Caller::Session, Verdict::Allow),
        (json!({"AWS": USER}), Caller::Session, Verdict::Nothing),
        (json!({"Service": "s3.amazonaws.com"}), Caller::Service, Verdict::Allow),
        (json!({"Service": "sns.amazonaws.com"}), Caller::Service, Verdict::Nothing),
        (json!({"Service": "s3.amazonaws.com"}), Caller::User, Verdict::Nothing),
        (json!({"AWS": "*"}), Caller::Service, Verdict::Nothing),
    ] {
        let mut case = Case::new(allow(json!({"Principal": principal})));
        (case.caller, case.on) = (caller, Some(ResourceKind::Bucket));
        assert_eq!((case.ours(), case.theirs()), (expected, expected), "{principal} {caller:?}");
    }
}

/// What the other gets wrong, each with a case that shows it: name, case, and what the documentation says.
fn known_gaps() -> Vec<(&'static str, Case, Verdict)> {
    let on = |kind, caller, statement| {
        let mut case = Case::new(allow(statement));
        (case.caller, case.on) = (caller, Some(kind));
        case
    };
    let identity = |statement| Case::new(allow(statement));
    let bucket = ResourceKind::Bucket;
    let denied = json!({"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}});
    let trust = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole",
    }});
    let mut assume = on(ResourceKind::Trust, Caller::Service, json!({}));
    (assume.policy, assume.action, assume.resource) = (trust, "sts:AssumeRole".into(), ROLE.into());
    let mut old = identity(json!({"Resource": "arn:aws:s3:::b/${aws:username}/*"}));
    old.policy["Version"] = json!("2008-10-17");
    let mut crossing =
        identity(json!({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:t"}}}));
    crossing
        .context
        .push(("aws:SourceArn".into(), vec!["arn:aws:sns:us-east-1:111122223333:t".into()]));
    let mut equals =
        identity(json!({"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:*:*:t"}}}));
    equals.context.clone_from(&crossing.context);
    vec![
        ("root ARNs as principals", on(bucket, Caller::User, denied), Verdict::Deny),
        (
            "bare account ids as principals",
            on(bucket, Caller::User, json!({"Effect": "Deny", "Principal": {"AWS": OWN}})),
            Verdict::Deny,
        ),
        (
            "role ARNs against assumed-role sessions",
            on(bucket, Caller::Session, json!({"Principal": {"AWS": ROLE}})),
            Verdict::Allow,
        ),
        ("trust policies without Resource", assume, Verdict::Allow),
        (
            "mixed principals",
            on(
                bucket,
                Caller::User,
                json!({"Principal": {"AWS": USER, "Service": "s3.amazonaws.com"}}),
            ),
            Verdict::Allow,
        ),
        ("`*` crossing ARN components", crossing, Verdict::Nothing),
        ("wildcards in ArnEquals", equals, Verdict::Allow),
        ("variables in version 2008-10-17", old, Verdict::Nothing),
        (
            "variables without a value",
            identity(json!({"Resource": "arn:aws:s3:::b/${aws:userid}ann/*"})),
            Verdict::Nothing,
        ),
        ("incomplete ARNs", identity(json!({"Resource": "arn:aws:s3"})), Verdict::Allow),
    ]
}

#[test]
fn known_gaps_are_still_there() {
    for (name, case, documented) in known_gaps() {
        assert_eq!(case.ours(), documented, "{name}");
        assert_ne!(case.theirs(), documented, "no gap any more: {name}");
    }
}

/// Policies in the words that both understand.
fn cases() -> impl Strategy<Value = Case> {
    let pick = |from: &'static [&'static str]| prop::sample::select(from).prop_map(Value::from);
    let some = move |from| {
        prop_oneof![pick(from), prop::collection::vec(pick(from), 1..3).prop_map(Value::from)]
    };
    let operators = pick(&[
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "StringLikeIfExists",
        "StringNotEqualsIfExists",
        "ForAllValues:StringLike",
        "ForAnyValue:StringLike",
        "ForAllValues:StringNotEquals",
    ]);
    let keys = pick(&["aws:username", "aws:PrincipalTag/a", "aws:missing"]);
    let values = some(&["ann", "ANN", "a*", "?nn", "bob", "*"]);
    let condition = (operators, keys, values).prop_map(|(operator, key, values)| {
        json!({operator.as_str().unwrap_or_default(): {key.as_str().unwrap_or_default(): values}})
    });
    let actions = some(&["*", "s3:*", "s3:Get*", "S3:getobject", "s3:Put?bject", "kms:*"]);
    let resources = some(&[
        "*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/${aws:username}/*",
        "arn:aws:s3:::?/ann/x",
        "arn:aws:s3:::c/*",
        "arn:aws:s3:::*/x",
    ]);
    let statement = (
        prop_oneof![3 => Just("Allow"), 1 => Just("Deny")],
        prop::bool::weighted(0.2),
        actions,
        prop::bool::weighted(0.2),
        resources,
        prop::option::of(condition),
    )
        .prop_map(|(effect, not_action, actions, not_resource, resources, condition)| {
            let mut statement = json!({"Effect": effect});
            statement[if not_action { "NotAction" } else { "Action" }] = actions;
            statement[if not_resource { "NotResource" } else { "Resource" }] = resources;
            if let Some(condition) = condition {
                statement["Condition"] = condition;
            }
            statement
        });
    let requested = prop::sample::select(&["s3:GetObject", "s3:PutObject", "kms:Decrypt"][..]);
    let object = prop::sample::select(&[OBJECT, "arn:aws:s3:::c/x", "arn:aws:s3:::b/bob/y"][..]);
    let tag = prop::option::of(prop::sample::select(&["ann", "bob", "ANN"][..]));
    (prop::collection::vec(statement, 1..4), requested, object, tag).prop_map(
        |(statements, action, resource, tag)| {
            let mut case = Case::new(json!({"Version": "2012-10-17", "Statement": statements}));
            (case.action, case.resource) = (action.into(), resource.into());
            case.context.extend(tag.map(|tag| ("aws:PrincipalTag/a".into(), vec![tag.to_owned()])));
            case
        },
    )
}

proptest! {
    #![proptest_config(crate::common::cases(2_000))]

    #[test]
    fn both_agree_on_random_policies(case in cases()) {
        prop_assert_eq!(case.ours(), case.theirs());
    }
}
