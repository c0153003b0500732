//! Removes, changes and widens every action, resource, condition value and principal of every
//! document, one at a time. The proof must fail and name the changed element, or the change must be
//! harmless for a reason that is listed here.
//! Not for: changes of whole statements (see `properties`).

use super::{SHAPES, documents, examples, keys, topology};
use crate::policy::proof::{Calls, Organisation, Row};
use crate::policy::{Document, Documents};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A changed document: the document, the element, and the change.
#[derive(Debug, Clone)]
struct Mutant {
    document: Document,
    value: Value,
    /// The path of the element, such as `Statement[1].Condition.StringLike.kms:ViaService`.
    path: String,
    sid: String,
    change: &'static str,
}

/// Harmless changes: the document, the statement, the element, the change, and the reason.
const HARMLESS: [(&str, &str, &str, &str, &str); 18] = [
    ("bucket", "CrrctlTlsOnly", "Resource", "widened", ON_ITS_OWN_BUCKET),
    ("bucket", "CrrctlOtherKey", "Resource", "widened", ON_ITS_OWN_BUCKET),
    ("bucket", "CrrctlNoKeyNamed", "Resource", "widened", ON_ITS_OWN_BUCKET),
    ("bucket", "CrrctlOtherKey", "Action", "widened", UPLOADS_ALONE),
    ("bucket", "CrrctlNoKeyNamed", "Action", "widened", UPLOADS_ALONE),
    ("bucket", "CrrctlReplicaBucket", "Resource", "widened", ON_ITS_OWN_BUCKET),
    // For rules with a prefix, the whole bucket is too much, and the proof finds it.
    ("bucket", "CrrctlReplicas", "Resource", "widened", ON_ITS_OWN_BUCKET),
    ("bucket", "CrrctlMarkers", "Resource", "widened", ON_ITS_OWN_BUCKET),
    ("bucket", "CrrctlOwner", "Resource", "widened", ON_ITS_OWN_BUCKET),
    ("bucket", "CrrctlListProbes", "Resource", "widened", ON_ITS_OWN_BUCKET),
    ("bucket", "CrrctlReplicas", "Principal", "widened", THE_ROLE_IS_MEANT),
    ("bucket", "CrrctlMarkers", "Principal", "widened", THE_ROLE_IS_MEANT),
    ("bucket", "CrrctlOwner", "Principal", "widened", THE_ROLE_IS_MEANT),
    ("bucket", "CrrctlReplicaBucket", "Principal", "widened", THE_ROLE_IS_MEANT),
    ("key.", "ReplicationRole", "Principal", "widened", THE_ROLE_IS_MEANT),
    ("operator-fleet", "ReadKeys", "Resource", "widened", EVERY_ONE_IS_MEANT),
    ("operator-fleet", "ReadBuckets", "Resource", "widened", EVERY_ONE_IS_MEANT),
    ("operator-fleet", "ReadAlarms", "Resource", "widened", EVERY_ONE_IS_MEANT),
];
const THE_ROLE_IS_MEANT: &str = "the condition holds everybody but the one role off";
const EVERY_ONE_IS_MEANT: &str =
    "its actions work on this kind of resource alone, and all of the account's are meant";
const ON_ITS_OWN_BUCKET: &str = "a bucket's policy reaches its own bucket alone";
const UPLOADS_ALONE: &str =
    "only uploads and replicas have these keys, and replicas name the pair's key";

/// For the first shapes every mutant is tried, for the others every fifth: they are variations of
/// the first shapes.
const WHOLE: usize = 6;
const SAMPLED: usize = 5;
/// For the examples every ninth mutant is tried.
const OF_EXAMPLES: usize = 9;
/// Shapes whose documents have two statements about one key, or one action: an element that one statement lacks
/// can be reported for the other statement.
const TWINS: [&str; 17] = [
    "alarms",
    "one Region",
    "two-buckets-of-one-region",
    "logging",
    "handed over",
    "same region",
    "per region",
    "two way",
    "two way across",
    "two-way-another-account",
    "other account",
    "same-region",
    "own-namespace",
    "two-way",
    "other-account",
    "given ways",
    "per-region-keys",
];

/// The results for the mutants of a shape.
#[derive(Debug, Default)]
struct Tally {
    mutants: usize,
    named: usize,
    twins: usize,
    harmless: BTreeMap<&'static str, usize>,
    survivors: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.mutants += other.mutants;
        self.named += other.named;
        self.twins += other.twins;
        for (why, count) in other.harmless {
            *self.harmless.entry(why).or_default() += count;
        }
        self.survivors.extend(other.survivors);
    }
}

/// Tries every `step`th mutant of each document of a shape.
fn tried(shape: &str, text: &str, step: usize) -> Tally {
    let mut tally = Tally::default();
    let topology = topology(text);
    let original = documents(&topology);
    let calls = Calls::about(&topology, &keys(&topology), &original);
    let judged =
        |calls: &Calls, documents: &Documents| calls.judged(documents, &Organisation::default());
    for (document, _, value) in original.iter() {
        let concerned = calls.under(document);
        for mutant in mutated(document, value).into_iter().step_by(step) {
            tally.mutants += 1;
            let mut changed = original.clone();
            changed.put(&mutant.document, mutant.value.clone()).unwrap();
            if concerned.finds(&changed, |row| names(row, &mutant)) {
                tally.named += 1;
            } else if TWINS.contains(&shape)
                && concerned.finds(&changed, |row| row.document == Some(document.name()))
            {
                tally.twins += 1;
            } else if let Some(why) =
                harmless_in(shape, &mutant).filter(|_| judged(&calls, &changed).failure().is_none())
            {
                *tally.harmless.entry(why).or_default() += 1;
            } else {
                let proof = judged(&concerned, &changed);
                let found: Vec<_> =
                    proof.refused().take(2).map(|row| (&row.document, &row.element)).collect();
                let Mutant { document, path, sid, change, .. } = mutant;
                let document = document.name();
                tally
                    .survivors
                    .push(format!("{shape}: {document} {path} ({sid}) {change}: {found:?}"));
            }
        }
    }
    tally
}

#[test]
fn every_mutant_is_named_or_harmless() {
    let shapes = SHAPES.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let shapes: Vec<(String, String)> = shapes.into_iter().chain(examples()).collect();
    let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((shape, text)) = shapes.get(index) else { return };
            let step = match index {
                0..WHOLE => 1,
                _ if index < SHAPES.len() => SAMPLED,
                _ => OF_EXAMPLES,
            };
            let tried = tried(shape, text, step);
            tally.lock().unwrap().add(tried);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    let Tally { mutants, named, twins, harmless, survivors } = tally.into_inner().unwrap();
    let spared: usize = harmless.values().sum();
    println!(
        "{mutants} mutants, {named} named, {twins} found under a twin's name, {spared} harmless"
    );
    for (why, count) in &harmless {
        println!("  {count}: {why}");
    }
    assert!(
        survivors.is_empty(),
        "{} of {mutants} not named:\n{}",
        survivors.len(),
        survivors.join("\n")
    );
    assert_eq!(mutants, named + twins + spared);
}

/// Returns whether a finding names the mutant's document and element.
fn names(row: &Row, mutant: &Mutant) -> bool {
    row.document.as_deref() == Some(&mutant.document.name())
        && row.element.as_deref() == Some(mutant.path.as_str())
}

/// One example has the account's root user as an administrator.
const ROOT_MAY_ANYWAY: (&str, &str, &str) = (
    "three-regions",
    "Administrators",
    "the account's root may do everything with its keys anyway",
);

fn harmless_in(shape: &str, mutant: &Mutant) -> Option<&'static str> {
    let (example, sid, why) = ROOT_MAY_ANYWAY;
    let is_root = shape == example && mutant.sid == sid;
    known_harmless(mutant).or(is_root.then_some(why))
}

fn known_harmless(mutant: &Mutant) -> Option<&'static str> {
    let name = mutant.document.name();
    let known = HARMLESS.iter().find(|(document, sid, element, change, _)| {
        name.contains(document)
            && mutant.sid.trim_end_matches(|c: char| c.is_ascii_digit()) == *sid
            && mutant.path.ends_with(element)
            && mutant.change == *change
    });
    known.map(|row| row.4)
}

fn mutated(document: &Document, value: &Value) -> Vec<Mutant> {
    let statements = value["Statement"].as_array().cloned().unwrap_or_default();
    let mut mutants = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        let sid = statement["Sid"].as_str().unwrap_or_default().to_owned();
        for (pointer, path) in elements(statement) {
            let found = statement.pointer(&pointer).unwrap();
            for (change, changed) in changes(&pointer, found) {
                let mut value = value.clone();
                replace(&mut value["Statement"][index], &pointer, changed);
                let path = format!("Statement[{index}].{path}");
                let (document, sid) = (document.clone(), sid.clone());
                mutants.push(Mutant { document, value, path, sid, change });
            }
        }
    }
    mutants
}

/// Returns the JSON pointers of a statement's actions, resources, condition values and principals,
/// each with its path in findings.
fn elements(statement: &Value) -> Vec<(String, String)> {
    let mut places = vec![("/Action".to_owned(), "Action".to_owned())];
    if statement.get("Resource").is_some() {
        places.push(("/Resource".to_owned(), "Resource".to_owned()));
    }
    match &statement["Principal"] {
        Value::Null => {}
        Value::Object(kinds) => {
            places.extend(
                kinds.keys().map(|kind| (format!("/Principal/{kind}"), "Principal".to_owned())),
            );
        }
        _ => places.push(("/Principal".to_owned(), "Principal".to_owned())),
    }
    for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
        for key in keys.as_object().unwrap().keys() {
            let pointer =
                format!("/Condition/{operator}/{}", key.replace('~', "~0").replace('/', "~1"));
            places.push((pointer, format!("Condition.{operator}.{key}")));
        }
    }
    places
}

/// Returns the changes of the values at a place; `None` removes the element.
fn changes(pointer: &str, found: &Value) -> Vec<(&'static str, Option<Value>)> {
    let values = match found {
        Value::Array(list) => list.clone(),
        single => vec![single.clone()],
    };
    let mut changes = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let with = |other: Option<Value>| {
            let mut list = values.clone();
            match other {
                Some(other) => list[index] = other,
                None => drop(list.remove(index)),
            }
            (!list.is_empty()).then(|| json!(list))
        };
        let text = value.as_str().unwrap();
        changes.push(("removed", with(None)));
        changes.push(("spoilt", with(Some(spoilt(pointer, text)))));
        let wide = widened(pointer, text);
        if wide != *value {
            changes.push(("widened", with(Some(wide))));
        }
    }
    changes
}

fn spoilt(pointer: &str, text: &str) -> Value {
    if pointer.starts_with("/Principal") {
        return match text {
            "*" => json!({"AWS": "arn:aws:iam::999900009999:root"}),
            _ if text.starts_with("arn:") => json!("arn:aws:iam::999900009999:root"),
            _ => json!("ec2.amazonaws.com"),
        };
    }
    match text {
        "*" => json!("arn:aws:s3:::nothing"),
        "true" => json!("false"),
        "false" => json!("true"),
        _ => json!(format!("{}x", text.trim_end_matches('*'))),
    }
}

fn widened(pointer: &str, text: &str) -> Value {
    match pointer {
        "/Action" => json!(format!("{}:*", text.split(':').next().unwrap())),
        _ => json!("*"),
    }
}

/// Replaces the element at `pointer` with `changed`, or removes it. A principal of one kind that
/// allows everyone is written as `"*"`.
fn replace(statement: &mut Value, pointer: &str, changed: Option<Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    let all = json!(["*"]);
    if parent == "/Principal" && name == "Service" && changed.as_ref() == Some(&all) {
        statement["Principal"] = json!("*");
        return;
    }
    let whole_principal = pointer == "/Principal";
    let parent = statement.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match changed {
        // The bare principal is not a list.
        Some(Value::Array(list)) if whole_principal => drop(parent.insert(name, list[0].clone())),
        Some(changed) => drop(parent.insert(name, changed)),
        None => drop(parent.remove(&name)),
    }
    if let Some(operators) = statement.get_mut("Condition").and_then(Value::as_object_mut) {
        operators.retain(|_, keys| keys.as_object().is_some_and(|keys| !keys.is_empty()));
        if operators.is_empty() {
            statement.as_object_mut().unwrap().remove("Condition");
        }
    }
    if statement["Principal"].as_object().is_some_and(serde_json::Map::is_empty) {
        statement.as_object_mut().unwrap().remove("Principal");
    }
}
