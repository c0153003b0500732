//! Finds keys that occur twice in one JSON object, which a JSON parser accepts silently.
//! Section: "Policy grammar notes": elements must not contain several instances of the same key.
//! Not for: Sids that occur twice (see `grammar`).

use std::collections::BTreeSet;

use crate::document::Finding;

/// An object or array that contains the current position. The outermost is first.
enum Frame {
    Object { keys: BTreeSet<String>, current: String },
    Array { index: usize },
}

/// Returns every key that occurs again in its object. `text` must be valid JSON.
pub(super) fn duplicates(text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        match next {
            '{' => frames.push(Frame::Object { keys: BTreeSet::new(), current: String::new() }),
            '[' => frames.push(Frame::Array { index: 0 }),
            '}' | ']' => {
                frames.pop();
            }
            ',' => {
                if let Some(Frame::Array { index }) = frames.last_mut() {
                    *index += 1;
                }
            }
            '"' => {
                let (string, after) = string(rest);
                rest = after;
                if after.trim_start().starts_with(':') {
                    findings.extend(enter(&mut frames, string));
                }
                continue;
            }
            _ => {}
        }
        rest = &rest[next.len_utf8()..];
    }
    findings
}

/// Records a key of the innermost object.
fn enter(frames: &mut [Frame], quoted: &str) -> Option<Finding> {
    // Unescaped, so that `"A"` and `"\u0041"` are the same key.
    let key: String = serde_json::from_str(quoted).ok()?;
    let Some(Frame::Object { keys, current }) = frames.last_mut() else { return None };
    current.clone_from(&key);
    if keys.insert(key.clone()) {
        return None;
    }
    let message = format!("the key \"{key}\" occurs twice");
    Some(Finding { path: path(frames), message })
}

/// Splits a quoted string, with its quotation marks, off the front of `text`.
fn string(text: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return text.split_at(at + 1),
            _ => {}
        }
    }
    (text, "")
}

fn path(frames: &[Frame]) -> String {
    let mut path = String::new();
    for (depth, frame) in frames.iter().enumerate() {
        match frame {
            Frame::Object { current, .. } => {
                // A single statement need not be in a list; findings still give it an index.
                if depth == 1 && path == "Statement" {
                    path.push_str("[0]");
                }
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(current);
            }
            Frame::Array { index } => {
                path.push('[');
                path.push_str(&index.to_string());
                path.push(']');
            }
        }
    }
    path
}
