//! Stand-ins in the events of a run, whose fields are crrctl's own.
//! Not for: the stand-ins by themselves (see `stand_ins`).

use super::super::dictionary::is_plain;
use super::super::members::is_timestamp;
use super::{Kind, StandIns};
use serde_json::Value;

impl StandIns {
    /// Replaces every name in an event, whose fields are crrctl's own.
    pub fn event(&self, event: &mut Value) {
        self.field("", event);
    }

    fn field(&self, name: &str, value: &mut Value) {
        match value {
            Value::String(_) if name == "event" => {}
            Value::String(text) if name == "at" && is_timestamp(text) => {}
            Value::String(text) => *text = self.told(name, text),
            Value::Array(items) => items.iter_mut().for_each(|it| self.field(name, it)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.field(name, value);
                }
            }
            Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    /// Returns the stand-in of what a field of an event holds.
    fn told(&self, field: &str, text: &str) -> String {
        let is_of_kms = text.starts_with("arn:") || text.starts_with("alias/");
        match field {
            "key" | "prefix" if !is_of_kms => {
                self.made.of(Some(Kind::Key), text, || self.leaf(Kind::Key, text))
            }
            "pair" | "name" | "key" | "prefix" | "alias" | "role" | "bucket" | "rule" | "id"
            | "source" | "destination" | "resource" | "version_id" | "arn" | "job" => {
                self.made.of(None, text, || {
                    // All other names are replaced in messages without being known.
                    if text.starts_with("arn:") || text.split(['/', ':']).all(is_plain) {
                        self.remember(text, false);
                    }
                    self.name(text)
                })
            }
            "tags" => match text.split_once('=') {
                Some((key, value)) => format!("{}={}", self.name(key), self.name(value)),
                None => self.name(text),
            },
            "context" => match text.split_once('=') {
                Some((key, value)) => {
                    format!("{}={}", self.condition_key(key), self.value_of(key, value))
                }
                None => self.text(text),
            },
            "step" | "needs" => match text.split_once('/') {
                Some((kind, name)) => format!("{}/{}", self.said(kind, &[]), self.name(name)),
                None => self.text(text),
            },
            _ => self.text(text),
        }
    }
}
