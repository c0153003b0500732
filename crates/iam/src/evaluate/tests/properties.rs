//! Properties that hold for all policies.
//! Not for: documented cases (see `accounts`, `elements`, `keys`, `limits`).

use proptest::prelude::*;

use super::*;
use crate::document::{Statement, tests::documents, tests::statements};

/// A complete set of policies, with owned documents.
#[derive(Debug, Clone)]
struct Set {
    identity: Vec<Document>,
    resource: Option<(ResourceKind, Document)>,
    boundary: Option<Document>,
    session: Option<Document>,
    scp: Option<Document>,
    rcp: Option<Document>,
}

impl Set {
    fn policies(&self) -> Policies<'_> {
        Policies {
            identity: self.identity.iter().map(|document| named("identity", document)).collect(),
            resource: self.resource.as_ref().map(|(kind, document)| on(*kind, document)),
            boundary: self.boundary.as_ref().map(|document| named("boundary", document)),
            session: self.session.iter().map(|document| named("session", document)).collect(),
            scps: self.scp.iter().map(|document| named("scp", document)).collect(),
            rcps: self.rcp.iter().map(|document| named("rcp", document)).collect(),
        }
    }

    fn documents(&mut self) -> Vec<&mut Document> {
        let resource = self.resource.iter_mut().map(|(_, document)| document);
        let optional = [&mut self.boundary, &mut self.session, &mut self.scp, &mut self.rcp];
        self.identity.iter_mut().chain(resource).chain(optional.into_iter().flatten()).collect()
    }
}

fn sets() -> impl Strategy<Value = Set> {
    let kind =
        prop::sample::select(&[ResourceKind::Bucket, ResourceKind::Key, ResourceKind::Trust][..]);
    let sometimes = || prop::option::weighted(0.3, documents());
    (
        prop::collection::vec(documents(), 0..3),
        prop::option::weighted(0.7, (kind, documents())),
        sometimes(),
        sometimes(),
        sometimes(),
        sometimes(),
    )
        .prop_map(|(identity, resource, boundary, session, scp, rcp)| Set {
            identity,
            resource,
            boundary,
            session,
            scp,
            rcp,
        })
}

fn requests() -> impl Strategy<Value = Request> {
    let callers = prop_oneof![
        Just(root()),
        Just(user()),
        Just(session()),
        Just(s3()),
        Just(Principal::Anonymous),
    ];
    let actions = prop::sample::select(&["s3:GetObject", "s3:PutObject", "kms:Decrypt"][..]);
    let resources =
        prop::sample::select(&[OBJECT, "arn:aws:s3:::b/ann/x", "arn:aws:s3:::other", KEY][..]);
    let owners = prop::sample::select(&[OWN, OTHER][..]);
    let prefix = prop::option::of(prop::sample::select(&["", "ann", "a", "true"][..]));
    (callers, actions, resources, owners, prefix).prop_map(
        |(caller, action, resource, owner, prefix)| {
            let mut context = Context::new();
            if let Some(prefix) = prefix {
                context.set("s3:prefix", prefix);
                context.set_all("aws:TagKeys", [prefix, "ann"]);
            }
            Request::new(caller, action, resource, account(owner), context)
        },
    )
}

fn denies() -> impl Strategy<Value = Statement> {
    statements().prop_map(|statement| Statement { effect: Effect::Deny, ..statement })
}

proptest! {
    #![proptest_config(crate::seeded::cases(1_000))]

    #[test]
    fn another_deny_never_allows(set in sets(), request in requests(), deny in denies(), at in 0_usize..100) {
        let before = evaluate(&request, &set.policies());
        let mut changed = set;
        let mut documents = changed.documents();
        prop_assume!(!documents.is_empty());
        let index = at % documents.len();
        documents[index].statements.push(deny);
        let after = evaluate(&request, &changed.policies());
        prop_assert!(before.is_allowed() || !after.is_allowed());
        let denied = |decision: &Decision| matches!(decision, Decision::ExplicitDeny { .. });
        prop_assert!(!denied(&before) || denied(&after));
    }

    #[test]
    fn the_order_of_statements_never_matters(set in sets(), request in requests(), turn in 1_usize..4) {
        let mut turned = set.clone();
        for document in turned.documents() {
            let by = turn % document.statements.len().max(1);
            document.statements.rotate_left(by);
        }
        let mut reversed = set.clone();
        for document in reversed.documents() {
            document.statements.reverse();
        }
        reversed.identity.reverse();
        let expected = brief(&evaluate(&request, &set.policies()));
        prop_assert_eq!(brief(&evaluate(&request, &turned.policies())), expected.clone());
        prop_assert_eq!(brief(&evaluate(&request, &reversed.policies())), expected);
    }

    #[test]
    fn printing_changes_no_decision(set in sets(), request in requests()) {
        let mut printed = set.clone();
        for document in printed.documents() {
            *document = Document::parse(&document.to_string()).unwrap();
        }
        prop_assert_eq!(evaluate(&request, &printed.policies()), evaluate(&request, &set.policies()));
    }

    #[test]
    fn documents_that_read_no_context_decide_without_it(set in sets(), request in requests()) {
        let mut set = set;
        for document in set.documents() {
            document.statements.retain(|statement| !statement.reads_context());
            prop_assert!(!document.reads_context());
        }
        let without = Request { context: crate::Context::new(), ..request.clone() };
        prop_assert_eq!(evaluate(&without, &set.policies()), evaluate(&request, &set.policies()));
    }

    #[test]
    fn a_trace_agrees_with_the_decision(set in sets(), request in requests()) {
        let policies = set.policies();
        let traces = trace(&request, &policies);
        let applies = |by: &Decider| traces.iter().any(|trace| trace.statement == *by && trace.misses.is_empty());
        let denying = traces.iter().any(|trace| trace.effect == Effect::Deny && trace.misses.is_empty());
        match evaluate(&request, &policies) {
            Decision::Allow { by } => prop_assert!(!denying && by.iter().all(applies)),
            Decision::ExplicitDeny { by } => prop_assert!(denying && applies(&by)),
            Decision::ImplicitDeny { .. } => prop_assert!(!denying),
        }
    }

    #[test]
    fn taking_limits_away_never_denies(set in sets(), request in requests()) {
        // A boundary, a session policy and an SCP grant nothing by themselves.
        let free = Set { boundary: None, session: None, scp: None, rcp: None, ..set.clone() };
        let before = evaluate(&request, &set.policies());
        prop_assert!(!before.is_allowed() || evaluate(&request, &free.policies()).is_allowed());
    }

    #[test]
    fn without_any_policy_only_root_users_are_allowed(request in requests()) {
        let own = request.resource_account.as_str() == OWN;
        let expected = matches!(request.principal, Principal::Root { .. }) && own;
        prop_assert_eq!(evaluate(&request, &Policies::default()).is_allowed(), expected);
    }

    #[test]
    fn no_request_is_too_odd(set in sets(), action in ".*", resource in ".*", key in ".*", value in ".*") {
        let context = Context::new().with(&key, value.clone()).with("s3:prefix", value);
        let request = Request::new(session(), action, resource, account(OWN), context);
        evaluate(&request, &set.policies());
        trace(&request, &set.policies());
    }
}
