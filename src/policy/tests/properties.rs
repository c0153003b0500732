//! Properties of every set of documents: an additional `Deny` allows nothing, the order of
//! statements does not matter, and documents survive printing and parsing.
//! Not for: changes of single elements (see `mutation`).

use super::{SHAPES, documents, proof, topology};
use crate::policy::proof::{Outcome, Proof};
use crate::policy::{Document, Documents};
use crrctl_iam as iam;
use proptest::prelude::*;
use serde_json::{Value, json};

fn all(documents: &Documents) -> Vec<(Document, Value)> {
    documents.iter().map(|(document, _, value)| (document.clone(), value.clone())).collect()
}

fn allowed(proof: &Proof) -> Vec<bool> {
    proof.rows.iter().map(|row| row.decision == Outcome::Allow).collect()
}

/// Returns a statement that denies some of the pair's calls, for a document of this kind.
fn deny(document: &Document, action: &str, conditional: bool) -> Value {
    let mut statement = json!({"Effect": "Deny", "Action": action, "Resource": "*"});
    match document {
        Document::ReplicationRole
        | Document::BatchReplicationRole
        | Document::Operator(_)
        | Document::OperatorOf(..) => {}
        Document::ReplicationRoleTrust | Document::BatchReplicationRoleTrust => {
            statement["Principal"] = json!("*");
            statement.as_object_mut().unwrap().remove("Resource");
        }
        _ => statement["Principal"] = json!("*"),
    }
    if conditional {
        statement["Condition"] = json!({"StringLike": {"kms:ViaService": "s3.us-*"}});
    }
    statement
}

proptest! {
    #![proptest_config(crate::seeded::cases(12))]

    #[test]
    fn a_deny_never_allows(
        shape in 0..SHAPES.len(),
        place in any::<prop::sample::Index>(),
        action in prop::sample::select(vec!["*", "s3:*", "kms:Decrypt", "kms:*", "s3:Replicate*", "sts:*", "iam:*"]),
        conditional in any::<bool>(),
    ) {
        let topology = topology(SHAPES[shape].1);
        let before = documents(&topology);
        let (document, mut value) = place.get(&all(&before)).clone();
        let statement = deny(&document, action, conditional);
        value["Statement"].as_array_mut().unwrap().push(statement);
        let mut after = before.clone();
        after.put(&document, value).unwrap();
        let (before, after) = (allowed(&proof(&topology, &before)), allowed(&proof(&topology, &after)));
        prop_assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            prop_assert!(*before || !*after);
        }
    }

    #[test]
    fn the_order_of_statements_never_matters(shape in 0..SHAPES.len(), seed in any::<u64>()) {
        let topology = topology(SHAPES[shape].1);
        let before = documents(&topology);
        let mut after = before.clone();
        let mut random = fastrand::Rng::with_seed(seed);
        for (document, mut value) in all(&before) {
            random.shuffle(value["Statement"].as_array_mut().unwrap());
            after.put(&document, value).unwrap();
        }
        let (before, after) = (proof(&topology, &before), proof(&topology, &after));
        prop_assert_eq!(allowed(&before), allowed(&after));
        prop_assert!(after.failure().is_none());
    }
}

#[test]
fn documents_survive_parse_print_parse() {
    for (name, text) in SHAPES {
        for (document, value) in all(&documents(&topology(text))) {
            if value["Statement"].as_array().is_some_and(Vec::is_empty) {
                continue;
            }
            let once = iam::Document::parse(&value).unwrap();
            let again = iam::Document::parse(&once.to_string()).unwrap();
            assert_eq!(once, again, "{name}: {}", document.name());
        }
    }
}
