//! Permissions boundaries and session policies, and the permissions that they do not limit.
//! Not for: SCPs and RCPs (see `accounts`).

use super::*;

struct Case<'a> {
    caller: Principal,
    identity: &'a Document,
    resource: Option<&'a Document>,
    boundary: Option<&'a Document>,
    session: Option<&'a Document>,
}

fn decide(case: &Case<'_>, owner: &str) -> String {
    let policies = Policies {
        identity: vec![named("identity", case.identity)],
        resource: case.resource.map(|document| on(ResourceKind::Bucket, document)),
        boundary: case.boundary.map(|document| named("boundary", document)),
        session: case.session.iter().map(|document| named("session policy", document)).collect(),
        ..Policies::default()
    };
    brief(&evaluate(&get(case.caller.clone(), owner), &policies))
}

#[test]
fn boundaries_and_session_policies_only_take_away() {
    // "Permissions boundaries for IAM entities"; "Policies and permissions in IAM", session
    // policies.
    let (allow, deny, none) = (all("Allow"), all("Deny"), nothing());
    for (caller, identity, boundary, session_policy, expected) in [
        (user(), &allow, Some(&allow), None, "allow"),
        (user(), &allow, Some(&none), None, "no permissions boundary"),
        (user(), &allow, Some(&deny), None, "explicit permissions boundary"),
        (user(), &none, Some(&allow), None, "no identity-based policy"),
        (session(), &allow, None, Some(&allow), "allow"),
        (session(), &allow, None, Some(&none), "no session policy"),
        (session(), &allow, None, Some(&deny), "explicit session policy"),
        (session(), &none, None, Some(&allow), "no identity-based policy"),
        (session(), &allow, Some(&none), Some(&allow), "no permissions boundary"),
        (session(), &allow, Some(&allow), Some(&allow), "allow"),
        // A user's request has no session policy. A root user's request has no permissions boundary
        // either.
        (user(), &allow, None, Some(&none), "allow"),
        (root(), &none, Some(&deny), Some(&deny), "allow"),
    ] {
        let case = Case { caller, identity, resource: None, boundary, session: session_policy };
        assert_eq!(decide(&case, OWN), expected, "{:?}", case.caller);
    }
}

#[test]
fn direct_grants_of_a_resource_are_not_limited_by_implicit_denies() {
    // "Policy evaluation logic", the table "Resource-based policies and implicit denies in other
    // policy types".
    let (none, deny) = (nothing(), all("Deny"));
    for (principal, caller, boundary, session_policy, expected) in [
        (json!({"AWS": USER}), user(), Some(&none), None, "allow"),
        (json!({"AWS": ROLE}), session(), None, None, "allow"),
        (json!({"AWS": ROLE}), session(), Some(&none), None, "no permissions boundary"),
        (json!({"AWS": ROLE}), session(), None, Some(&none), "no session policy"),
        (json!({"AWS": SESSION}), session(), Some(&none), Some(&none), "allow"),
        (json!("*"), session(), Some(&none), Some(&none), "allow"),
        (json!({"AWS": [ROLE, SESSION]}), session(), Some(&none), Some(&none), "allow"),
        (json!({"AWS": ROOT}), root(), None, None, "allow"),
        // Explicit denies always apply.
        (json!({"AWS": SESSION}), session(), Some(&deny), None, "explicit permissions boundary"),
        (json!({"AWS": SESSION}), session(), None, Some(&deny), "explicit session policy"),
        (json!({"AWS": USER}), user(), Some(&deny), None, "explicit permissions boundary"),
    ] {
        let resource = all_for("Allow", &principal);
        let case = Case {
            caller,
            identity: &none,
            resource: Some(&resource),
            boundary,
            session: session_policy,
        };
        assert_eq!(decide(&case, OWN), expected, "{principal} for {:?}", case.caller);
    }
}

#[test]
fn across_accounts_the_limits_hold_for_direct_grants_too() {
    let (allow, none) = (all("Allow"), nothing());
    let resource = all_for("Allow", &json!({"AWS": SESSION}));
    let case = |boundary, session_policy| Case {
        caller: session(),
        identity: &allow,
        resource: Some(&resource),
        boundary,
        session: session_policy,
    };
    assert_eq!(decide(&case(None, None), OTHER), "allow");
    assert_eq!(decide(&case(Some(&none), None), OTHER), "no permissions boundary");
    assert_eq!(decide(&case(None, Some(&none)), OTHER), "no session policy");
}

#[test]
fn who_has_a_boundary_is_never_spared_by_not_principal() {
    // "Permissions boundaries for IAM entities", important note.
    let allow = all("Allow");
    let resource = document(json!({
        "Effect": "Deny", "NotPrincipal": {"AWS": [USER, ROOT]}, "Action": "*", "Resource": "*",
    }));
    let case = |boundary| Case {
        caller: user(),
        identity: &allow,
        resource: Some(&resource),
        boundary,
        session: None,
    };
    assert_eq!(decide(&case(None), OWN), "allow");
    assert_eq!(decide(&case(Some(&allow)), OWN), "explicit resource-based policy");
}

#[test]
fn incomplete_arns_are_for_identity_based_policies() {
    // "Identify AWS resources with ARNs", note.
    let (allow, none) = (all("Allow"), nothing());
    let short = document(json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3"}));
    let case = |identity, session_policy| Case {
        caller: session(),
        identity,
        resource: None,
        boundary: None,
        session: session_policy,
    };
    assert_eq!(decide(&case(&short, None), OWN), "allow");
    assert_eq!(decide(&case(&allow, Some(&short)), OWN), "no session policy");
    assert_eq!(decide(&case(&none, Some(&allow)), OWN), "no identity-based policy");
}
