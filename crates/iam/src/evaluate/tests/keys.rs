//! Key policies and trust policies, which must name the principal or its account even within one
//! account.
//! Not for: bucket policies (see `accounts`).

use super::*;

fn key(caller: Principal, owner: &str, identity: &Document, policy: &Document) -> String {
    let policies = Policies {
        identity: vec![named("identity", identity)],
        resource: Some(on(ResourceKind::Key, policy)),
        ..Policies::default()
    };
    brief(&evaluate(&decrypt(caller, owner), &policies))
}

#[test]
fn a_key_policy_must_let_the_account_or_the_principal_in() {
    // KMS Developer Guide, "Key policies" and "Default key policy".
    let (allow, none) = (all("Allow"), nothing());
    let admins = document(json!({
        "Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": ["kms:Create*", "kms:PutKeyPolicy"], "Resource": "*",
    }));
    for (principal, caller, identity, expected) in [
        // Root delegation: IAM policies decide. The delegation alone grants no access.
        (json!({"AWS": ROOT}), session(), &allow, "allow"),
        (json!({"AWS": OWN}), session(), &allow, "allow"),
        (json!({"AWS": ROOT}), session(), &none, "no identity-based policy"),
        // A principal that the key policy names directly needs no other policy.
        (json!({"AWS": ROLE}), session(), &none, "allow"),
        (json!({"AWS": SESSION}), session(), &none, "allow"),
        (json!({"AWS": USER}), user(), &none, "allow"),
        (json!("*"), user(), &none, "allow"),
        // The key policy names neither the account nor the principal: IAM policies have no effect,
        // not even for the root user.
        (json!({"AWS": USER}), session(), &allow, "no resource-based policy"),
        (json!({"AWS": OTHER}), session(), &allow, "no resource-based policy"),
        (json!({"AWS": USER}), root(), &allow, "no resource-based policy"),
        (json!({"AWS": ROOT}), root(), &none, "allow"),
    ] {
        let policy = all_for("Allow", &principal);
        assert_eq!(
            key(caller.clone(), OWN, identity, &policy),
            expected,
            "{principal} for {caller:?}"
        );
    }
    // The delegation covers only the actions that it lists.
    assert_eq!(key(session(), OWN, &allow, &admins), "no resource-based policy");
    let denied = all_for("Deny", &json!({"AWS": ROLE}));
    assert_eq!(key(session(), OWN, &allow, &denied), "explicit resource-based policy");
}

#[test]
fn keys_of_another_account_need_both_sides() {
    // KMS Developer Guide, "Allowing users in other accounts to use a KMS key".
    let (allow, none) = (all("Allow"), nothing());
    for (principal, identity, expected) in [
        (json!({"AWS": ROOT}), &allow, "allow"),
        (json!({"AWS": ROLE}), &allow, "allow"),
        (json!({"AWS": ROLE}), &none, "no identity-based policy"),
        (json!({"AWS": OTHER}), &allow, "no resource-based policy"),
    ] {
        let policy = all_for("Allow", &principal);
        assert_eq!(key(session(), OTHER, identity, &policy), expected, "{principal}");
    }
}

#[test]
fn a_decision_about_a_key_names_both_statements() {
    let identity = all("Allow");
    let policy = all_for("Allow", &json!({"AWS": ROOT}));
    let policies = Policies {
        identity: vec![named("role policy", &identity)],
        resource: Some(on(ResourceKind::Key, &policy)),
        ..Policies::default()
    };
    let Decision::Allow { by } = evaluate(&decrypt(session(), OWN), &policies) else { panic!() };
    let layers: Vec<Layer> = by.iter().map(|by| by.layer).collect();
    assert_eq!(layers, [Layer::Identity, Layer::Resource]);
}

#[test]
fn statements_without_action_or_resource_do_nothing_on_a_key() {
    let allow = all("Allow");
    for statement in [
        json!({"Effect": "Allow", "Principal": "*", "Action": "kms:*"}),
        json!({"Effect": "Allow", "Principal": "*", "Resource": "*"}),
        json!({"Effect": "Allow", "Principal": "*"}),
    ] {
        let policy = document(statement.clone());
        assert_eq!(key(user(), OWN, &allow, &policy), "no resource-based policy", "{statement}");
    }
}

#[test]
fn kms_conditions_see_what_s3_sends() {
    // KMS Developer Guide, "kms:ViaService" and "kms:EncryptionContext:context-key".
    let policy = document(json!({
        "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {
            "StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:CallerAccount": OWN},
            "StringLike": {"kms:EncryptionContext:aws:s3:arn": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]},
        },
    }));
    let policies =
        Policies { resource: Some(on(ResourceKind::Key, &policy)), ..Policies::default() };
    for (via, arn, expected) in [
        ("s3.us-east-1.amazonaws.com", "arn:aws:s3:::b", true),
        ("s3.us-east-1.amazonaws.com", "arn:aws:s3:::b/k", true),
        ("s3.us-east-1.amazonaws.com", "arn:aws:s3:::bc", false),
        ("s3.us-west-2.amazonaws.com", "arn:aws:s3:::b", false),
    ] {
        let mut request = decrypt(session(), OWN);
        request.context.set("kms:ViaService", via);
        request.context.set("kms:EncryptionContext:aws:s3:arn", arn);
        assert_eq!(evaluate(&request, &policies).is_allowed(), expected, "{via} {arn}");
    }
}

#[test]
fn trust_policies_decide_who_assumes_a_role() {
    // "Policy evaluation logic": a trust policy, like a key policy, must name the principal; it has
    // no `Resource`.
    let (allow, none) = (all("Allow"), nothing());
    for (principal, caller, identity, owner, expected) in [
        (json!({"Service": "s3.amazonaws.com"}), s3(), &none, OWN, "allow"),
        (
            json!({"Service": ["batchoperations.s3.amazonaws.com", "s3.amazonaws.com"]}),
            s3(),
            &none,
            OWN,
            "allow",
        ),
        (json!({"Service": "ec2.amazonaws.com"}), s3(), &allow, OWN, "no resource-based policy"),
        (json!({"AWS": ROOT}), s3(), &none, OWN, "no resource-based policy"),
        (json!({"Service": "s3.amazonaws.com"}), user(), &allow, OWN, "no resource-based policy"),
        (json!({"AWS": USER}), user(), &none, OWN, "allow"),
        (json!({"AWS": ROOT}), user(), &none, OWN, "no identity-based policy"),
        (json!({"AWS": ROOT}), user(), &allow, OWN, "allow"),
        (json!({"AWS": ROLE}), session(), &none, OWN, "allow"),
        (json!({"AWS": USER}), user(), &none, OTHER, "no identity-based policy"),
        (json!({"AWS": OWN}), user(), &allow, OTHER, "allow"),
    ] {
        let trust = document(
            json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}),
        );
        let policies = Policies {
            identity: vec![named("identity", identity)],
            resource: Some(on(ResourceKind::Trust, &trust)),
            ..Policies::default()
        };
        let role = "arn:aws:iam::111122223333:role/target";
        let request =
            Request::new(caller.clone(), "sts:AssumeRole", role, account(owner), Context::new());
        assert_eq!(brief(&evaluate(&request, &policies)), expected, "{principal} for {caller:?}");
    }
}

#[test]
fn a_trust_policy_may_ask_for_the_source() {
    // "aws:SourceAccount": present only in calls that a service makes itself.
    let trust = document(json!({
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": OWN}},
    }));
    let policies =
        Policies { resource: Some(on(ResourceKind::Trust, &trust)), ..Policies::default() };
    let mut request = Request::new(s3(), "sts:AssumeRole", ROLE, account(OWN), Context::new());
    assert!(!evaluate(&request, &policies).is_allowed());
    request.context.set("aws:SourceAccount", OWN);
    assert!(evaluate(&request, &policies).is_allowed());
}

#[test]
fn a_deny_of_other_keys_spares_uploads_without_a_header() {
    // A negated operator holds if the key is missing. A `Null` condition exempts such requests
    // ("Condition operators").
    let deny = |condition: Value| {
        document(json!([
            {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*", "Condition": condition},
        ]))
    };
    let header = "s3:x-amz-server-side-encryption-aws-kms-key-id";
    let bare = deny(json!({"StringNotEquals": {header: KEY}}));
    let sparing = deny(json!({"StringNotEquals": {header: KEY}, "Null": {header: "false"}}));
    for (policy, sent, expected) in [
        (&bare, None, false),
        (&sparing, None, true),
        (&sparing, Some(KEY), true),
        (&sparing, Some("arn:aws:kms:us-east-1:111122223333:key/other"), false),
        (&bare, Some(KEY), true),
    ] {
        let mut request = get(user(), OWN);
        request.action = "s3:PutObject".into();
        if let Some(sent) = sent {
            request.context.set(header, sent);
        }
        let policies =
            Policies { resource: Some(on(ResourceKind::Bucket, policy)), ..Policies::default() };
        assert_eq!(evaluate(&request, &policies).is_allowed(), expected, "{policy} {sent:?}");
    }
}
