//! Compares policy documents by meaning, not by text: AWS reorders lists and unwraps single values.
//! Not for: evaluating documents (see `proof`).

use serde_json::{Map, Value};

/// Returns whether two documents have the same meaning. The order of statements, list items and
/// keys does not matter, and a list of one item equals that item.
pub fn same(one: &Value, other: &Value) -> bool {
    canonical(one) == canonical(other)
}

/// Statements of a live policy with crrctl's new statements in the places of the old ones.
struct Overlay {
    statements: Vec<Value>,
    /// The places of crrctl's statements that are to be removed.
    removed: Vec<usize>,
}

/// Lays the statements of `wanted` over those of `live`: a statement of crrctl takes the place of
/// the one with its Sid, and the others follow at the end, so that each statement of others keeps its
/// index. `ours` recognizes crrctl's statements by Sid.
fn overlay(live: Option<&Value>, wanted: &Value, ours: impl Fn(&str) -> bool) -> Overlay {
    let mut statements: Vec<Value> = live.map(self::statements).unwrap_or_default();
    let mut new = self::statements(wanted);
    let mut removed = Vec::new();
    for (index, statement) in statements.iter_mut().enumerate() {
        let sid = statement["Sid"].as_str().unwrap_or_default();
        if !ours(sid) {
            continue;
        }
        match new.iter().position(|it| it["Sid"].as_str() == Some(sid)) {
            Some(place) => *statement = new.remove(place),
            None => removed.push(index),
        }
    }
    statements.extend(new);
    Overlay { statements, removed }
}

/// Returns `live` with crrctl's statements replaced by those of `wanted`. All other statements stay
/// as they are. crrctl's statements that `wanted` no longer has are removed. Returns `None` if no
/// statement is left, so that no policy is needed.
fn merged(live: Option<&Value>, wanted: &Value, ours: impl Fn(&str) -> bool) -> Option<Value> {
    let Overlay { statements, removed } = overlay(live, wanted, ours);
    let kept = statements.into_iter().enumerate().filter(|(index, _)| !removed.contains(index));
    let kept: Vec<Value> = kept.map(|(_, statement)| statement).collect();
    if kept.is_empty() {
        return None;
    }
    Some(with_statements(live.unwrap_or(wanted), kept))
}

fn with_statements(document: &Value, statements: Vec<Value>) -> Value {
    let mut document = document.as_object().cloned().unwrap_or_else(Map::new);
    document.insert("Statement".to_owned(), Value::Array(statements));
    Value::Object(document)
}

/// Returns the bucket policy to write: the `wanted` statements and the statements of others. The
/// Sids of crrctl's statements begin with `Crrctl`.
pub fn merged_bucket_policy(live: Option<&Value>, wanted: &Value) -> Option<Value> {
    merged(live, wanted, |sid| is_ours(sid, wanted))
}

/// Returns the same policy for its evaluation, and the indices of the statements that are to be
/// removed: they stay in their places, so that each other statement has the index that it has in
/// `live`.
pub fn bucket_policy_in_place(live: &Value, wanted: &Value) -> (Value, Vec<usize>) {
    let Overlay { statements, removed } = overlay(Some(live), wanted, |sid| is_ours(sid, wanted));
    (with_statements(live, statements), removed)
}

fn is_ours(sid: &str, wanted: &Value) -> bool {
    let is_wanted = || statements(wanted).iter().any(|it| it["Sid"].as_str() == Some(sid));
    is_sid_of_ours(sid) || is_wanted()
}

/// Returns whether the Sid is that of a statement that crrctl writes into bucket policies.
pub fn is_sid_of_ours(sid: &str) -> bool {
    sid.starts_with("Crrctl")
}

/// Returns whether a bucket's `live` policy has statements of crrctl.
pub fn has_ours(live: &Value) -> bool {
    !merged_bucket_policy(Some(live), &nothing()).is_some_and(|others| same(&others, live))
}

/// Returns the deleted users and roles that `document` names. Their unique ids have replaced their
/// ARNs, and a new user or role of the same name does not match them (IAM User Guide, "IAM
/// identifiers").
pub fn gone_principals(document: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let of = |element: &Value| match &element["AWS"] {
        Value::Array(list) => list.iter().filter_map(text).collect(),
        one => text(one).into_iter().collect::<Vec<_>>(),
    };
    let is_unique_id = |it: &String| ["AROA", "AIDA"].iter().any(|prefix| it.starts_with(prefix));
    let statements = statements(document);
    let elements = statements
        .iter()
        .flat_map(|statement| ["Principal", "NotPrincipal"].map(|name| of(&statement[name])));
    elements.flatten().filter(is_unique_id).collect()
}

/// Returns a document without statements.
pub fn nothing() -> Value {
    serde_json::json!({"Statement": []})
}

/// Returns the statements of a document. `Statement` is one object or a list.
pub fn statements(document: &Value) -> Vec<Value> {
    match &document["Statement"] {
        Value::Array(list) => list.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// Returns a document in the one form that all documents of its meaning have.
pub fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> =
                map.iter().map(|(k, v)| (k.clone(), canonical(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(list) => {
            let mut items: Vec<Value> = list.iter().map(canonical).collect();
            items.sort_by_cached_key(ToString::to_string);
            items.dedup();
            if items.len() == 1 { items.remove(0) } else { Value::Array(items) }
        }
        // Condition values can be written with or without quotation marks.
        Value::Bool(flag) => Value::String(flag.to_string()),
        Value::Number(number) => Value::String(number.to_string()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn order_and_lists_of_one_do_not_matter() {
        let one = json!({"Statement": [{"Sid": "A", "Action": ["x", "y"]}, {"Sid": "B", "Action": ["z"]}]});
        let other =
            json!({"Statement": [{"Action": "z", "Sid": "B"}, {"Sid": "A", "Action": ["y", "x"]}]});
        assert!(same(&one, &other));
        assert!(!same(&one, &json!({"Statement": [{"Sid": "A", "Action": ["x", "y"]}]})));
        assert!(same(
            &json!({"Condition": {"Bool": {"k": false}}}),
            &json!({"Condition": {"Bool": {"k": "false"}}})
        ));
    }

    #[test]
    fn who_is_gone_is_known_by_the_unique_id() {
        let document = json!({"Statement": [
            {"Principal": {"AWS": ["arn:aws:iam::111122223333:root", "AROAEXAMPLE"]}},
            {"NotPrincipal": {"AWS": "AIDAEXAMPLE"}},
            {"Principal": "*"},
        ]});
        assert_eq!(gone_principals(&document), ["AROAEXAMPLE", "AIDAEXAMPLE"]);
    }

    #[test]
    fn statements_of_others_are_kept() {
        let ours = |sid: &str| sid.starts_with("Crrctl");
        let live = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Theirs"}, {"Sid": "CrrctlOld"}]});
        let wanted = json!({"Version": "2012-10-17", "Statement": [{"Sid": "CrrctlNew"}]});
        let merged_document = merged(Some(&live), &wanted, ours).unwrap();
        assert_eq!(merged_document["Statement"], json!([{"Sid": "Theirs"}, {"Sid": "CrrctlNew"}]));
        let nothing = json!({"Statement": []});
        assert_eq!(merged(Some(&json!({"Statement": {"Sid": "CrrctlOld"}})), &nothing, ours), None);
        assert_eq!(merged(None, &nothing, ours), None);
    }

    #[test]
    fn statements_of_others_keep_their_index() {
        let sids = |document: &Value| -> Vec<String> {
            let all = statements(document);
            all.iter().map(|it| it["Sid"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let live = json!({"Statement": [
            {"Sid": "CrrctlA", "Action": "old"}, {"Sid": "Theirs"}, {"Sid": "CrrctlB"}, {},
        ]});
        let wanted =
            json!({"Statement": [{"Sid": "CrrctlNew"}, {"Sid": "CrrctlA", "Action": "new"}]});
        let written = merged_bucket_policy(Some(&live), &wanted).unwrap();
        assert_eq!(sids(&written), ["CrrctlA", "Theirs", "", "CrrctlNew"]);
        assert_eq!(written["Statement"][0]["Action"], "new");
        let (judged, removed) = bucket_policy_in_place(&live, &wanted);
        assert_eq!(sids(&judged), ["CrrctlA", "Theirs", "CrrctlB", "", "CrrctlNew"]);
        assert_eq!(removed, [2]);
    }
}
