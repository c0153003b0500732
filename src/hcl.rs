//! Writes HCL in the format of `terraform fmt`.
//! Not for: the resources (see `export::terraform` and `settings`).

use serde_json::Value as Json;
use std::fmt::Write;

/// The right side of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string; template sequences in it are escaped.
    Text(String),
    /// An expression, written unchanged: a reference, a number, `true`.
    Bare(String),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Map(Vec<(String, Value)>),
    /// A JSON document, written with `jsonencode`.
    Document(Box<Value>),
}

impl Value {
    /// Returns a string.
    pub fn text(text: &(impl ToString + ?Sized)) -> Self {
        Self::Text(text.to_string())
    }

    /// Returns an expression.
    pub fn bare(text: &(impl ToString + ?Sized)) -> Self {
        Self::Bare(text.to_string())
    }

    /// Returns a string that begins with the value of an expression.
    pub fn template(expression: &str, rest: &str) -> Self {
        let rest = quoted(rest);
        let rest = rest.strip_prefix('"').unwrap_or(&rest);
        Self::Bare(format!("\"${{{expression}}}{rest}"))
    }

    /// Converts JSON; `text` converts each string in it.
    pub fn json(json: &Json, text: &impl Fn(&str) -> Self) -> Self {
        match json {
            Json::String(it) => text(it),
            Json::Array(items) => Self::List(items.iter().map(|it| Self::json(it, text)).collect()),
            Json::Object(map) => {
                let entry = |(key, it): (&String, &Json)| (key.clone(), Self::json(it, text));
                Self::Map(map.iter().map(entry).collect())
            }
            scalar => Self::bare(scalar),
        }
    }

    /// Returns a policy document; `text` converts each string in it.
    pub fn document(json: &Json, text: &impl Fn(&str) -> Self) -> Self {
        Self::Document(Box::new(Self::json(json, text)))
    }

    fn render(&self, depth: usize) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Bare(text) => text.clone(),
            Self::Document(inner) => format!("jsonencode({})", inner.render(depth)),
            Self::List(items) if items.is_empty() => "[]".to_owned(),
            Self::List(items) => match items.as_slice() {
                [one @ (Self::Text(_) | Self::Bare(_))] => format!("[{}]", one.render(depth)),
                items => {
                    let inner = "  ".repeat(depth + 1);
                    let lines: Vec<String> = items
                        .iter()
                        .map(|item| format!("{inner}{},\n", item.render(depth + 1)))
                        .collect();
                    format!("[\n{}{}]", lines.concat(), "  ".repeat(depth))
                }
            },
            Self::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Self::Map(entries) => {
                let lines = entries.iter().map(|(key, value)| (word(key), value));
                format!("{{\n{}{}}}", aligned(lines, depth + 1), "  ".repeat(depth))
            }
        }
    }
}

/// The content of a block or of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body(Vec<Item>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Argument(String, Value),
    Block(String, Body),
    Comment(String),
}

impl Body {
    /// Adds an argument.
    pub fn set(mut self, name: &str, value: Value) -> Self {
        self.0.push(Item::Argument(name.to_owned(), value));
        self
    }

    /// Adds a block. `kind` and `labels` form its header, such as
    /// `resource "aws_s3_bucket" "source"`.
    pub fn block(mut self, kind: &str, labels: &[&str], body: Self) -> Self {
        let head = labels.iter().fold(kind.to_owned(), |head, label| head + " " + &quoted(label));
        self.0.push(Item::Block(head, body));
        self
    }

    /// Adds comment lines.
    pub fn comment(mut self, text: &str) -> Self {
        self.0.push(Item::Comment(text.to_owned()));
        self
    }

    /// Adds all items of `other`.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Returns the text, indented by `depth` times two spaces.
    pub fn render(&self, depth: usize) -> String {
        let indent = "  ".repeat(depth);
        let mut text = String::new();
        let mut rest = self.0.as_slice();
        while let Some((first, after)) = rest.split_first() {
            let is_argument = |item: &Item| matches!(item, Item::Argument(..));
            // A blank line precedes and follows every item that is not an argument.
            if !text.is_empty() {
                text.push('\n');
            }
            rest = match first {
                Item::Argument(..) => {
                    let count = rest.iter().take_while(|item| is_argument(item)).count();
                    let (arguments, after) = rest.split_at(count);
                    let lines = arguments.iter().filter_map(|item| match item {
                        Item::Argument(name, value) => Some((name.clone(), value)),
                        _ => None,
                    });
                    text.push_str(&aligned(lines, depth));
                    after
                }
                Item::Block(head, body) if body.0.is_empty() => {
                    let _ = writeln!(text, "{indent}{head} {{}}");
                    after
                }
                Item::Block(head, body) => {
                    let _ =
                        write!(text, "{indent}{head} {{\n{}{indent}}}\n", body.render(depth + 1));
                    after
                }
                Item::Comment(comment) => {
                    for line in comment.lines() {
                        text.push_str(format!("{indent}# {line}").trim_end());
                        text.push('\n');
                    }
                    after
                }
            };
        }
        text
    }
}

/// Writes `name = value` lines. The equals signs of consecutive single-line values are aligned.
fn aligned<'a>(lines: impl Iterator<Item = (String, &'a Value)>, depth: usize) -> String {
    let lines: Vec<(String, String)> =
        lines.map(|(name, value)| (name, value.render(depth))).collect();
    let is_flat = |line: &(String, String)| !line.1.contains('\n');
    let indent = "  ".repeat(depth);
    let mut text = String::new();
    for run in lines.chunk_by(|one, other| is_flat(one) && is_flat(other)) {
        let width = run.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, value) in run {
            let _ = writeln!(text, "{indent}{name:<width$} = {value}");
        }
    }
    text
}

/// Quotes a string (Terraform language, "Strings and Templates").
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted.replace("${", "$${").replace("%{", "%%{")
}

/// Quotes an object key that is not an identifier.
fn word(key: &str) -> String {
    let starts = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_identifier = starts
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && !["true", "false", "null", "for", "if"].contains(&key);
    if is_identifier { key.to_owned() } else { quoted(key) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_terraform_would_evaluate_is_escaped() {
        assert_eq!(quoted(r#"a"b\c${d}%{e}$f"#), r#""a\"b\\c$${d}%%{e}$f""#);
        assert_eq!(quoted("a\nb\tc\r"), r#""a\nb\tc\r""#);
        assert_eq!(word("aws:SourceArn"), "\"aws:SourceArn\"");
        assert_eq!(word("for"), "\"for\"");
        assert_eq!(word("Sid"), "Sid");
    }

    fn plain(text: &str) -> Value {
        Value::text(text)
    }

    #[test]
    fn a_template_escapes_all_but_its_expression() {
        let template = Value::template("aws_s3_bucket.source.arn", "/${a}\"*");
        assert_eq!(template.render(0), r#""${aws_s3_bucket.source.arn}/$${a}\"*""#);
    }

    #[test]
    fn neighbours_of_one_line_are_aligned_and_others_are_not() {
        let body = Body::default()
            .set("a", Value::bare(&1))
            .set("longer", Value::json(&json!(["x"]), &plain))
            .set("list", Value::json(&json!(["x", {"k": null, "key:1": []}]), &plain))
            .set("z", Value::document(&json!({}), &plain))
            .block("inner", &["l"], Body::default());
        let text = "a      = 1\nlonger = [\"x\"]\nlist = [\n  \"x\",\n  {\n    k       = null\n    \"key:1\" = []\n  },\n]\n\
                    z = jsonencode({})\n\ninner \"l\" {}\n";
        assert_eq!(body.render(0), text);
    }
}
