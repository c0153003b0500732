//! What a grant allows: grants under a grant, constraints, and the limits of both. Sources: KMS API
//! Reference, `CreateGrant` and `GrantConstraints`; KMS Developer Guide, "Granting `CreateGrant`
//! permission".
//! Not for: retiring and listing grants (see `kms_life`).

use super::{ACCOUNT, EAST, Stand, refused};
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{GrantConstraints, GrantOperation as Operation};
use std::collections::HashMap;

/// A policy that allows nothing in KMS.
const NONE: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}"#;

type Pairs = [(&'static str, &'static str)];

fn context(pairs: &Pairs) -> HashMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn equals(pairs: &Pairs) -> GrantConstraints {
    let pairs = Some(context(pairs));
    GrantConstraints::builder().set_encryption_context_equals(pairs).build()
}

fn subset(pairs: &Pairs) -> GrantConstraints {
    let pairs = Some(context(pairs));
    GrantConstraints::builder().set_encryption_context_subset(pairs).build()
}

async fn key(kms: &Client) -> String {
    let created = kms.create_key().send().await.unwrap();
    created.key_metadata().unwrap().key_id().to_owned()
}

async fn grantee(stand: &Stand) -> (Client, String) {
    let (id, secret) = stand.user("grantee", NONE).await;
    (stand.kms_as(&id, &secret, EAST), format!("arn:aws:iam::{ACCOUNT}:user/grantee"))
}

#[tokio::test]
async fn a_grant_under_a_grant_allows_no_more() {
    use Operation::{CreateGrant, Decrypt, DescribeKey, Encrypt};
    const ONE: &Pairs = &[("for", "tests")];
    const TWO: &Pairs = &[("for", "tests"), ("more", "yes")];
    const OTHER: &Pairs = &[("for", "others")];
    let stand = Stand::start().await;
    let root = stand.kms(EAST);
    let (kms, arn) = grantee(&stand).await;
    let upper: &Pairs = &[("FOR", "tests")];
    for (parent, operations, child, is_allowed) in [
        (None, vec![Encrypt], None, true),
        (None, vec![Encrypt, CreateGrant], Some(subset(ONE)), true),
        (None, vec![Decrypt], None, false),
        (None, vec![Encrypt, DescribeKey], None, false),
        (Some(equals(ONE)), vec![Encrypt], Some(equals(ONE)), true),
        (Some(equals(ONE)), vec![Encrypt], Some(equals(upper)), true),
        (Some(equals(ONE)), vec![Encrypt], Some(equals(TWO)), false),
        (Some(equals(ONE)), vec![Encrypt], Some(subset(ONE)), false),
        (Some(equals(ONE)), vec![Encrypt], None, false),
        (Some(subset(ONE)), vec![Encrypt], Some(subset(ONE)), true),
        (Some(subset(ONE)), vec![Encrypt], Some(subset(TWO)), true),
        (Some(subset(ONE)), vec![Encrypt], Some(equals(TWO)), true),
        (Some(subset(TWO)), vec![Encrypt], Some(subset(ONE)), false),
        (Some(subset(ONE)), vec![Encrypt], Some(equals(OTHER)), false),
        (Some(subset(ONE)), vec![Encrypt], None, false),
    ] {
        let key = key(&root).await;
        let create = root.create_grant().key_id(&key).grantee_principal(&arn);
        let create = create.operations(Encrypt).operations(CreateGrant);
        create.set_constraints(parent.clone()).send().await.unwrap();
        let create = kms.create_grant().key_id(&key).grantee_principal(&arn);
        let create = create.set_operations(Some(operations.clone()));
        let (code, ..) = super::refusal(create.set_constraints(child.clone()).send().await);
        let expected = if is_allowed { "(no error)" } else { "AccessDeniedException" };
        assert_eq!(code, expected, "{parent:?} {operations:?} {child:?}");
    }
}

#[tokio::test]
async fn constraints_tell_the_pairs_of_a_request_apart() {
    let stand = Stand::start().await;
    let root = stand.kms(EAST);
    let key = key(&root).await;
    let (kms, arn) = grantee(&stand).await;
    let create = root.create_grant().key_id(&key).grantee_principal(&arn);
    let create = create.operations(Operation::Encrypt).constraints(equals(&[("a", "2")]));
    create.send().await.unwrap();
    let encrypt = |pairs: &Pairs| {
        let encrypt = kms.encrypt().key_id(&key).plaintext(Blob::new("hello"));
        encrypt.set_encryption_context(Some(context(pairs)))
    };
    encrypt(&[("a", "2")]).send().await.unwrap();
    encrypt(&[("A", "2")]).send().await.unwrap();
    refused! {
        "AccessDeniedException" 400 "kms:Encrypt" encrypt(&[("A", "1"), ("a", "2")]);
        "AccessDeniedException" 400 "kms:Encrypt" encrypt(&[("a", "1"), ("A", "2")]);
        "AccessDeniedException" 400 "kms:Encrypt" encrypt(&[("a", "1")]);
    };
}

#[tokio::test]
async fn names_and_constraints_have_bounds() {
    let stand = Stand::start().await;
    let kms = stand.kms(EAST);
    let key = key(&kms).await;
    let create = || {
        let arn = format!("arn:aws:iam::{ACCOUNT}:root");
        kms.create_grant().key_id(&key).grantee_principal(arn).operations(Operation::Encrypt)
    };
    let many = |count: usize| (0..count).map(|n| (n.to_string(), "x".to_owned())).collect();
    let long = |count: usize| HashMap::from([("key".to_owned(), "x".repeat(count))]);
    let bound = |pairs: HashMap<String, String>| {
        let builder = GrantConstraints::builder();
        create().constraints(builder.set_encryption_context_subset(Some(pairs)).build())
    };
    create().name("a:/_-Z9").send().await.unwrap();
    create().name("n".repeat(256)).send().await.unwrap();
    bound(many(8)).send().await.unwrap();
    bound(long(381)).send().await.unwrap();
    refused! {
        "ValidationException" 400 "at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$" create().name("a b");
        "ValidationException" 400 "at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1" create().name("");
        "ValidationException" 400 "less than or equal to 256" create().name("n".repeat(257));
        "ValidationException" 400 "8 encryption context pairs" bound(many(9));
        "ValidationException" 400 "384 characters" bound(long(382));
    };
}
