//! Parses JSON into a document and collects every finding.
//! Section: IAM User Guide, "Grammar of the IAM JSON policy language".
//! Not for: rules that depend on the kind of policy (see `grammar`).

use serde_json::{Map, Value};

use super::{
    Condition, Document, Effect, Finding, Operator, PrincipalKind, Principals, Scope, Statement,
    Version,
};

/// A document, as far as it could be parsed, and the findings.
pub(crate) struct Draft {
    pub(crate) document: Document,
    /// For each statement of `document`, its index in the source. Statements that are not objects
    /// are skipped.
    pub(crate) indices: Vec<usize>,
    pub(crate) findings: Vec<Finding>,
}

/// Parses `value` as far as possible.
pub(crate) fn draft(value: &Value) -> Draft {
    let mut reader = Reader { findings: Vec::new() };
    let mut document = Document { version: None, id: None, statements: Vec::new() };
    let mut indices = Vec::new();
    let Some(object) = value.as_object() else {
        reader.find("", "a policy document is a JSON object");
        return Draft { document, indices, findings: reader.findings };
    };
    for (name, value) in object {
        match name.as_str() {
            "Version" => document.version = reader.version(value),
            "Id" => document.id = reader.text("Id", value),
            "Statement" => {
                (indices, document.statements) = reader.statements(value).into_iter().unzip();
            }
            _ => reader.find(name, "this is not an element of a policy document"),
        }
    }
    if !object.contains_key("Statement") {
        reader.find("", "the element Statement is missing");
    }
    Draft { document, indices, findings: reader.findings }
}

struct Reader {
    findings: Vec<Finding>,
}

impl Reader {
    fn find(&mut self, path: &str, message: impl Into<String>) {
        self.findings.push(Finding { path: path.to_owned(), message: message.into() });
    }

    fn version(&mut self, value: &Value) -> Option<Version> {
        match value.as_str() {
            Some("2012-10-17") => Some(Version::V2012),
            Some("2008-10-17") => Some(Version::V2008),
            _ => {
                self.find("Version", "the version is \"2012-10-17\" or \"2008-10-17\"");
                None
            }
        }
    }

    fn statements(&mut self, value: &Value) -> Vec<(usize, Statement)> {
        match value {
            Value::Array(list) => {
                if list.is_empty() {
                    self.find("Statement", "at least one statement is needed");
                }
                let read = |(index, value)| self.statement(index, value).map(|read| (index, read));
                list.iter().enumerate().filter_map(read).collect()
            }
            single => self.statement(0, single).map(|read| (0, read)).into_iter().collect(),
        }
    }

    fn statement(&mut self, index: usize, value: &Value) -> Option<Statement> {
        let path = format!("Statement[{index}]");
        let Some(object) = value.as_object() else {
            self.find(&path, "a statement is a JSON object");
            return None;
        };
        // The effect defaults to `Deny`, so that a statement without a readable effect grants
        // nothing.
        let mut statement = Statement {
            sid: None,
            effect: Effect::Deny,
            principal: None,
            action: None,
            resource: None,
            condition: Vec::new(),
        };
        for (name, value) in object {
            let path = format!("{path}.{name}");
            match name.as_str() {
                "Sid" => statement.sid = self.text(&path, value),
                "Effect" => statement.effect = self.effect(&path, value),
                "Principal" | "NotPrincipal" => {
                    statement.principal = self.principals(&path, value).map(scope(name));
                }
                "Action" | "NotAction" => {
                    statement.action = self.texts(&path, value).map(scope(name));
                }
                "Resource" | "NotResource" => {
                    statement.resource = self.texts(&path, value).map(scope(name));
                }
                "Condition" => statement.condition = self.conditions(&path, value),
                _ => self.find(&path, "this is not an element of a statement"),
            }
        }
        self.pairs(&path, object);
        Some(statement)
    }

    /// Checks that required elements are present and that exclusive elements do not occur together.
    fn pairs(&mut self, path: &str, object: &Map<String, Value>) {
        if !object.contains_key("Effect") {
            self.find(path, "the element Effect is missing");
        }
        for (plain, not) in
            [("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")]
        {
            if object.contains_key(plain) && object.contains_key(not) {
                self.find(
                    &format!("{path}.{not}"),
                    format!("{plain} and {not} exclude each other"),
                );
            }
        }
    }

    fn effect(&mut self, path: &str, value: &Value) -> Effect {
        match value.as_str() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => {
                self.find(path, "the effect is \"Allow\" or \"Deny\", in this case of letters");
                Effect::Deny
            }
        }
    }

    fn principals(&mut self, path: &str, value: &Value) -> Option<Principals> {
        match value {
            Value::String(text) if text == "*" => Some(Principals::Everyone),
            Value::Object(map) if map.is_empty() => {
                self.find(path, "at least one principal is needed");
                None
            }
            Value::Object(map) => {
                let mut listed = Vec::new();
                for (name, value) in map {
                    let path = format!("{path}.{name}");
                    match PrincipalKind::from_name(name) {
                        Some(kind) => {
                            listed.extend(self.texts(&path, value).map(|texts| (kind, texts)));
                        }
                        None => self
                            .find(&path, "a principal is AWS, Service, Federated or CanonicalUser"),
                    }
                }
                Some(Principals::Listed(listed))
            }
            _ => {
                self.find(path, "a principal is \"*\" or an object such as {\"AWS\": \"<ARN>\"}");
                None
            }
        }
    }

    fn conditions(&mut self, path: &str, value: &Value) -> Vec<Condition> {
        let Some(block) = value.as_object() else {
            self.find(path, "a condition is an object of operators");
            return Vec::new();
        };
        let mut conditions = Vec::new();
        for (name, keys) in block {
            let path = format!("{path}.{name}");
            let Some(operator) = Operator::from_name(name) else {
                self.find(&path, "this is not a condition operator");
                continue;
            };
            let Some(keys) = keys.as_object() else {
                self.find(&path, "an operator takes an object of condition keys and their values");
                continue;
            };
            for (key, values) in keys {
                let values = self.values(&format!("{path}.{key}"), values);
                conditions.push(Condition { operator, key: key.clone(), values });
            }
        }
        conditions
    }

    /// Condition values can be strings, numbers or Booleans ("Grammar", `condition_value`).
    fn values(&mut self, path: &str, value: &Value) -> Vec<String> {
        let single = std::slice::from_ref(value);
        let list = value.as_array().map_or(single, Vec::as_slice);
        if list.is_empty() {
            self.find(path, "at least one value is needed");
        }
        let mut texts = Vec::with_capacity(list.len());
        for value in list {
            match value {
                Value::String(text) => texts.push(text.clone()),
                Value::Number(number) => texts.push(number.to_string()),
                Value::Bool(truth) => texts.push(truth.to_string()),
                _ => self.find(path, "a value is a string, a number or a Boolean"),
            }
        }
        texts
    }

    fn texts(&mut self, path: &str, value: &Value) -> Option<Vec<String>> {
        let Value::Array(list) = value else {
            return self.text(path, value).map(|text| vec![text]);
        };
        if list.is_empty() {
            self.find(path, "at least one value is needed");
            return None;
        }
        list.iter()
            .enumerate()
            .map(|(index, value)| self.text(&format!("{path}[{index}]"), value))
            .collect()
    }

    fn text(&mut self, path: &str, value: &Value) -> Option<String> {
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.find(path, "a string is needed here");
        }
        text
    }
}

/// Returns the constructor for the element called `name`.
fn scope<T>(name: &str) -> fn(T) -> Scope<T> {
    if name.starts_with("Not") { Scope::Except } else { Scope::Only }
}
