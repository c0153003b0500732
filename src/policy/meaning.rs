//! Compares policy documents by meaning, not by text: AWS reorders lists and unwraps single values.
//! Not for: evaluating documents (see `proof`).

use serde_json::{Map, Value};

/// Returns whether two documents have the same meaning. The order of statements, list items and
/// keys does not matter, and a list of one item equals that item.
pub fn same(one: &Value, other: &Value) -> bool {
    canonical(one) == canonical(other)
}

/// Returns `live` with crrctl's statements replaced by those of `wanted`. `ours` recognizes
/// crrctl's statements by Sid; all other statements stay as they are. crrctl's statements that
/// `wanted` no longer has are removed. Returns `None` if no statement is left, so that no policy is
/// needed.
fn merged(live: Option<&Value>, wanted: &Value, ours: impl Fn(&str) -> bool) -> Option<Value> {
    let mut kept: Vec<Value> = live.map(statements).unwrap_or_default();
    kept.retain(|statement| !ours(statement["Sid"].as_str().unwrap_or_default()));
    kept.extend(statements(wanted));
    if kept.is_empty() {
        return None;
    }
    let mut document = live.unwrap_or(wanted).as_object().cloned().unwrap_or_else(Map::new);
    document.insert("Statement".to_owned(), Value::Array(kept));
    Some(Value::Object(document))
}

/// Returns the bucket policy to write: the `wanted` statements and the statements of others. The
/// Sids of crrctl's statements begin with `Crrctl`.
pub fn merged_bucket_policy(live: Option<&Value>, wanted: &Value) -> Option<Value> {
    let wanted_sids: Vec<String> =
        statements(wanted).iter().filter_map(|it| it["Sid"].as_str().map(str::to_owned)).collect();
    merged(live, wanted, |sid| {
        sid.starts_with("Crrctl") || wanted_sids.iter().any(|wanted| wanted == sid)
    })
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

fn canonical(value: &Value) -> Value {
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
}
