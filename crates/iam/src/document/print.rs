//! Prints a document as JSON.
//! Not for: parsing (see `read`).

use serde_json::{Map, Value};

use super::{Condition, Document, Principals, Statement, Version};

impl Document {
    /// Returns the document as JSON. Statements are always a list; a list of one string is that
    /// string.
    pub fn to_value(&self) -> Value {
        let mut object = Map::new();
        if let Some(version) = self.version {
            let text = match version {
                Version::V2008 => "2008-10-17",
                Version::V2012 => "2012-10-17",
            };
            object.insert("Version".into(), text.into());
        }
        if let Some(id) = &self.id {
            object.insert("Id".into(), id.as_str().into());
        }
        let statements = self.statements.iter().map(statement).collect();
        object.insert("Statement".into(), Value::Array(statements));
        Value::Object(object)
    }
}

/// Prints compact JSON; `{:#}` prints indented JSON.
impl std::fmt::Display for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.to_value();
        if f.alternate() { write!(f, "{value:#}") } else { write!(f, "{value}") }
    }
}

fn statement(statement: &Statement) -> Value {
    let mut object = Map::new();
    if let Some(sid) = &statement.sid {
        object.insert("Sid".into(), sid.as_str().into());
    }
    object.insert("Effect".into(), statement.effect.as_str().into());
    if let Some(scope) = &statement.principal {
        let name = scope.element("Principal", "NotPrincipal");
        object.insert(name.into(), principals(scope.listed()));
    }
    if let Some(scope) = &statement.action {
        object.insert(scope.element("Action", "NotAction").into(), texts(scope.listed()));
    }
    if let Some(scope) = &statement.resource {
        object.insert(scope.element("Resource", "NotResource").into(), texts(scope.listed()));
    }
    if !statement.condition.is_empty() {
        object.insert("Condition".into(), conditions(&statement.condition));
    }
    Value::Object(object)
}

fn principals(principals: &Principals) -> Value {
    match principals {
        Principals::Everyone => "*".into(),
        Principals::Listed(listed) => {
            let entry = |(kind, names): &(super::PrincipalKind, Vec<String>)| {
                (kind.as_str().to_owned(), texts(names))
            };
            Value::Object(listed.iter().map(entry).collect())
        }
    }
}

fn conditions(conditions: &[Condition]) -> Value {
    let mut block = Map::new();
    for Condition { operator, key, values } in conditions {
        let keys = block.entry(operator.to_string()).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(keys) = keys {
            keys.insert(key.clone(), texts(values));
        }
    }
    Value::Object(block)
}

fn texts(texts: &[String]) -> Value {
    match texts {
        [single] => single.as_str().into(),
        many => many.iter().map(String::as_str).collect(),
    }
}
