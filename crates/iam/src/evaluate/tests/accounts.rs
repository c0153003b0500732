//! Requests within an account and across accounts, for each kind of caller.
//! Not for: key and trust policies (see `keys`), permissions boundaries and session policies (see
//! `limits`).

use super::*;

/// Decides a read of an object, given the caller's policy and the bucket policy.
fn bucket(
    caller: Principal,
    owner: &str,
    identity: &Document,
    resource: Option<&Document>,
) -> String {
    let policies = Policies {
        identity: vec![named("identity", identity)],
        resource: resource.map(|document| on(ResourceKind::Bucket, document)),
        ..Policies::default()
    };
    brief(&evaluate(&get(caller, owner), &policies))
}

#[test]
fn within_an_account_either_policy_is_enough() {
    // "Policy evaluation for requests within a single account".
    let (allow, deny, none) = (all("Allow"), all("Deny"), nothing());
    let for_user = all_for("Allow", &json!({"AWS": USER}));
    let for_account = all_for("Allow", &json!({"AWS": OWN}));
    let for_others = all_for("Allow", &json!({"AWS": OTHER}));
    let deny_all = all_for("Deny", &json!("*"));
    let deny_account = all_for("Deny", &json!({"AWS": ROOT}));
    for (identity, resource, expected) in [
        (&allow, None, "allow"),
        (&none, None, "no identity-based policy"),
        (&deny, None, "explicit identity-based policy"),
        (&none, Some(&for_user), "allow"),
        (&allow, Some(&for_user), "allow"),
        (&allow, Some(&for_others), "allow"),
        (&none, Some(&for_others), "no identity-based policy"),
        // Naming the account delegates to that account's own policies ("AWS account principals").
        (&none, Some(&for_account), "no identity-based policy"),
        (&allow, Some(&for_account), "allow"),
        (&deny, Some(&for_user), "explicit identity-based policy"),
        (&allow, Some(&deny_all), "explicit resource-based policy"),
        // A `Deny` that names the account denies every principal in it.
        (&allow, Some(&deny_account), "explicit resource-based policy"),
    ] {
        assert_eq!(bucket(user(), OWN, identity, resource), expected, "{identity} + {resource:?}");
    }
}

#[test]
fn across_accounts_both_must_allow() {
    // "Cross-account policy evaluation logic".
    let (allow, none) = (all("Allow"), nothing());
    for (principal, caller, identity, expected) in [
        (json!({"AWS": USER}), user(), &allow, "allow"),
        (json!({"AWS": OWN}), user(), &allow, "allow"),
        (json!({"AWS": ROOT}), session(), &allow, "allow"),
        (json!({"AWS": ROLE}), session(), &allow, "allow"),
        (json!({"AWS": SESSION}), session(), &allow, "allow"),
        (json!("*"), session(), &allow, "allow"),
        (
            json!({"AWS": "arn:aws:iam::111122223333:role/other"}),
            session(),
            &allow,
            "no resource-based policy",
        ),
        (json!({"AWS": OTHER}), session(), &allow, "no resource-based policy"),
        (json!({"AWS": USER}), user(), &none, "no identity-based policy"),
        (json!({"AWS": SESSION}), session(), &none, "no identity-based policy"),
        (json!("*"), user(), &none, "no identity-based policy"),
        (json!({"AWS": ROOT}), root(), &none, "allow"),
    ] {
        let resource = all_for("Allow", &principal);
        let found = bucket(caller.clone(), OTHER, identity, Some(&resource));
        assert_eq!(found, expected, "{principal} for {caller:?}");
    }
    assert_eq!(bucket(user(), OTHER, &allow, None), "no resource-based policy");
    let deny = all("Deny");
    let open = all_for("Allow", &json!("*"));
    assert_eq!(bucket(user(), OTHER, &deny, Some(&open)), "explicit identity-based policy");
}

#[test]
fn the_condition_on_the_principals_arn_replaces_naming_a_role() {
    // "IAM role principals": `aws:PrincipalArn` is the role's ARN in every session.
    let bucket_policy = |arn: &str| {
        document(json!({
            "Effect": "Allow", "Principal": {"AWS": OWN}, "Action": "s3:*", "Resource": "*",
            "Condition": {"ArnEquals": {"aws:PrincipalArn": arn}},
        }))
    };
    let allow = all("Allow");
    assert_eq!(bucket(session(), OTHER, &allow, Some(&bucket_policy(ROLE))), "allow");
    let other = bucket_policy("arn:aws:iam::111122223333:role/other");
    assert_eq!(bucket(session(), OTHER, &allow, Some(&other)), "no resource-based policy");
}

#[test]
fn root_users_need_no_policy_in_their_account() {
    // "How AWS enforcement code logic evaluates requests": the root user has full access; explicit
    // denies still apply.
    let (none, deny) = (nothing(), all("Deny"));
    let deny_all = all_for("Deny", &json!("*"));
    for (resource, owner, expected) in [
        (None, OWN, "allow"),
        (Some(&deny_all), OWN, "explicit resource-based policy"),
        (None, OTHER, "no resource-based policy"),
    ] {
        assert_eq!(bucket(root(), owner, &none, resource), expected);
    }
    // A root user has no identity-based policies, so the given policy has no effect.
    assert_eq!(bucket(root(), OWN, &deny, None), "allow");
}

#[test]
fn services_and_anonymous_callers_have_the_resources_policy_alone() {
    // "AWS service principals", "All principals".
    let (allow, deny) = (all("Allow"), all("Deny"));
    for (caller, principal, expected) in [
        (s3(), json!({"Service": "s3.amazonaws.com"}), "allow"),
        (s3(), json!({"Service": ["sns.amazonaws.com", "s3.amazonaws.com"]}), "allow"),
        (s3(), json!({"Service": "sns.amazonaws.com"}), "no resource-based policy"),
        (s3(), json!({"AWS": "*"}), "no resource-based policy"),
        (s3(), json!("*"), "allow"),
        (Principal::Anonymous, json!("*"), "allow"),
        (Principal::Anonymous, json!({"AWS": "*"}), "allow"),
        (Principal::Anonymous, json!({"AWS": OWN}), "no resource-based policy"),
    ] {
        for identity in [&allow, &deny] {
            let resource = all_for("Allow", &principal);
            assert_eq!(
                bucket(caller.clone(), OWN, identity, Some(&resource)),
                expected,
                "{principal}"
            );
        }
    }
    assert_eq!(bucket(Principal::Anonymous, OWN, &allow, None), "no resource-based policy");
}

/// SNS Developer Guide, "Example cases for Amazon SNS access control".
#[test]
fn everyone_on_a_topic_or_a_queue_means_services_too() {
    let (everyone, topic) = (json!({"AWS": "*"}), "arn:aws:sns:us-east-1:111122223333:t");
    let root = json!({"AWS": "arn:aws:iam::111122223333:root"});
    for (kind, principal, is_allowed) in [
        (ResourceKind::Channel, &everyone, true),
        (ResourceKind::Channel, &root, false),
        (ResourceKind::Bucket, &everyone, false),
    ] {
        let document = all_for("Allow", principal);
        let policies = Policies { resource: Some(on(kind, &document)), ..Policies::default() };
        let request = Request::new(s3(), "sns:Publish", topic, account(OWN), Context::new());
        assert_eq!(evaluate(&request, &policies).is_allowed(), is_allowed, "{kind:?} {principal}");
    }
}

#[test]
fn organizations_limit_members_and_their_resources() {
    // AWS Organizations User Guide, "Service control policies" and "Resource control policies".
    let linked = Principal::RoleSession {
        role: Arn::new("arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/X")
            .unwrap(),
        session: "s".into(),
        id: None,
    };
    let (allow, deny, none) = (all("Allow"), all("Deny"), nothing());
    let rcp_deny = all_for("Deny", &json!("*"));
    let rcp_full = all_for("Allow", &json!("*"));
    let open = all_for("Allow", &json!("*"));
    for (caller, scps, rcps, expected) in [
        (user(), vec![&allow], vec![], "allow"),
        (user(), vec![&none], vec![], "no service control policy"),
        (user(), vec![&none, &allow], vec![], "allow"),
        (user(), vec![&allow, &deny], vec![], "explicit service control policy"),
        (root(), vec![&none], vec![], "no service control policy"),
        (root(), vec![&allow, &deny], vec![], "explicit service control policy"),
        (s3(), vec![&deny], vec![], "allow"),
        (Principal::Anonymous, vec![&deny], vec![], "allow"),
        (linked.clone(), vec![&deny], vec![&rcp_deny], "allow"),
        (linked, vec![&none], vec![], "allow"),
        (user(), vec![], vec![&rcp_deny], "explicit resource control policy"),
        (user(), vec![], vec![&rcp_full], "allow"),
        (root(), vec![], vec![&rcp_deny], "explicit resource control policy"),
        (s3(), vec![], vec![&rcp_deny], "explicit resource control policy"),
        (Principal::Anonymous, vec![], vec![&rcp_deny], "explicit resource control policy"),
    ] {
        let policies = Policies {
            identity: vec![named("identity", &allow)],
            resource: Some(on(ResourceKind::Bucket, &open)),
            scps: scps.iter().map(|document| named("scp", document)).collect(),
            rcps: rcps.iter().map(|document| named("rcp", document)).collect(),
            ..Policies::default()
        };
        let found = brief(&evaluate(&get(caller.clone(), OWN), &policies));
        assert_eq!(found, expected, "{caller:?} under {scps:?} and {rcps:?}");
    }
}
