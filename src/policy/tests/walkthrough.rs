//! The pair of a walkthrough: crrctl's role policy allows every replication call that the
//! walkthrough's role policy allows, and every call that must be denied is denied.
//! The account and the key are the walkthrough's. The walkthrough's text was not available, so the
//! bucket names are crrctl's, and its policy is the one that AWS documents for encrypted objects
//! (S3 User Guide, "Replicating encrypted objects").
//! Not for: other manifests (see `mutation`).

use super::topology_in;
use crate::manifest::{PairKeys, Topology};
use crate::names::KeyId;
use crate::policy::proof::{Expectation, Organisation, Outcome, Proof, Row, prove};
use crate::policy::{Document, Documents, Templates};
use serde_json::Value;

const MANIFEST: &str = include_str!("../../../tests/fixtures/walkthrough/crrctl.yaml");
const THEIRS: &str = include_str!("../../../tests/fixtures/walkthrough/their-role.json");
const OURS: &str = include_str!("../../../tests/fixtures/walkthrough/our-role.json");

fn pair() -> (Topology, PairKeys) {
    let key = KeyId::new("mrk-095774ce295d40a8a249e0257825598c").unwrap();
    (topology_in("528196604817", MANIFEST), PairKeys::multi_region(key))
}

fn proof(role: Option<&str>) -> Proof {
    let (topology, key) = pair();
    let written = Document::written(&topology);
    let mut documents = Documents::render(written, &topology, &key, &Templates::default()).unwrap();
    if let Some(role) = role {
        let role: Value = serde_json::from_str(role).unwrap();
        documents.put(&Document::ReplicationRole, role).unwrap();
    }
    prove(&topology, &key, &documents, &Organisation::default())
}

#[test]
fn the_fixture_is_what_is_rendered() {
    let (topology, key) = pair();
    let rendered =
        crate::policy::render(&Document::ReplicationRole, &topology, &key, &Templates::default());
    assert_eq!(rendered.unwrap(), serde_json::from_str::<Value>(OURS).unwrap());
}

#[test]
fn ours_allows_all_that_theirs_allows_and_denies_what_must_be_denied() {
    let (ours, theirs) = (proof(None), proof(Some(THEIRS)));
    assert_eq!(ours.failure(), None);
    assert_eq!(ours.rows.len(), theirs.rows.len());
    let is_allowed = |row: &Row| row.decision == Outcome::Allow;
    let mut both = 0;
    for (ours, theirs) in ours.rows.iter().zip(&theirs.rows) {
        assert_eq!((&ours.action, &ours.resource), (&theirs.action, &theirs.resource));
        let is_s3s = ours.section == "replication";
        if is_s3s && ours.expected == Expectation::Allow && is_allowed(theirs) {
            assert!(is_allowed(ours), "{ours:?}");
            both += 1;
        }
    }
    // Without the encryption contexts of Bucket Keys, their policy allows 11 of the 16 calls.
    assert_eq!(both, 11);
}

/// Their policy has two common errors: it does not cover Bucket Keys, and it allows a bucket of
/// another account.
#[test]
fn theirs_fails_where_bucket_keys_are_on_and_the_proof_says_why() {
    let theirs = proof(Some(THEIRS));
    let refused: Vec<_> = theirs.refused().collect();
    let has = |action: &str, element: &str| {
        refused.iter().any(|row| row.action == action && row.element.as_deref() == Some(element))
    };
    let context = "Condition.StringLike.kms:EncryptionContext:aws:s3:arn";
    assert!(has("kms:Decrypt", &format!("Statement[2].{context}")), "{refused:#?}");
    assert!(has("kms:Encrypt", &format!("Statement[3].{context}")), "{refused:#?}");
    assert!(has("kms:GenerateDataKey", "Statement[3].Action"), "{refused:#?}");
    assert!(has("s3:ReplicateObject", "Statement[1].Condition.StringEquals.s3:ResourceAccount"));
}
