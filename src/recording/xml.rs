//! XML of AWS as members, and members as XML. Lists have the names that the models give them.
//! Source: S3 API Reference and S3 Control API Reference, where the element of a list has another
//! name than the member.
//! Not for: which part of a request is XML (see `wire`).

use super::Members;
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use serde_json::Value;
use std::fmt::Write;

/// How deep elements may be nested.
const DEEPEST: usize = 24;

/// Lists without an element around them: the element, where it stands (`*` anywhere), the member.
const FLAT: &[(&str, &str, &str)] = &[
    ("And", "Tag", "Tags"),
    ("Delete", "Object", "Objects"),
    ("DeleteResult", "Deleted", "Deleted"),
    ("DeleteResult", "Error", "Errors"),
    ("CompleteMultipartUpload", "Part", "Parts"),
    ("ListPartsResult", "Part", "Parts"),
    ("ListVersionsResult", "Version", "Versions"),
    ("ListVersionsResult", "DeleteMarker", "DeleteMarkers"),
    ("ListMultipartUploadsResult", "Upload", "Uploads"),
    ("ListBucketResult", "Contents", "Contents"),
    ("*", "CommonPrefixes", "CommonPrefixes"),
    ("BlockedEncryptionTypes", "EncryptionType", "EncryptionType"),
    ("Rule", "Transition", "Transitions"),
    ("Rule", "NoncurrentVersionTransition", "NoncurrentVersionTransitions"),
    ("*", "Rule", "Rules"),
    ("*", "TopicConfiguration", "TopicConfigurations"),
    ("*", "QueueConfiguration", "QueueConfigurations"),
    ("*", "CloudFunctionConfiguration", "LambdaFunctionConfigurations"),
    ("TopicConfiguration", "Event", "Event"),
    ("QueueConfiguration", "Event", "Event"),
    ("CloudFunctionConfiguration", "Event", "Event"),
    ("S3Key", "FilterRule", "FilterRule"),
];

/// Lists with an element around each: the element around, and the one in it.
const WRAPPED: &[(&str, &str)] =
    &[("TagSet", "Tag"), ("Buckets", "Bucket"), ("AccessControlList", "Grant"), ("Tags", "Tag")];

fn flat(parent: &str, element: &str) -> Option<&'static str> {
    let is_it = |(there, it, _): &&(&str, &str, &str)| {
        *it == element && (*there == "*" || *there == parent)
    };
    // One tag in a filter is a tag; in `And` it is one of several. An object lock has one rule.
    if parent == "ObjectLockConfiguration" {
        return None;
    }
    FLAT.iter().find(is_it).map(|(_, _, member)| *member)
}

fn is_wrapped(parent: &str, element: &str) -> bool {
    element == "member" || WRAPPED.contains(&(parent, element))
}

/// Returns the name of the outermost element and what it holds; `None` if `text` is no XML.
pub fn element(text: &str) -> Option<(String, Value)> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = local(start.local_name().as_ref());
                let value = content(&mut reader, &name, 0)?;
                return Some((name, value));
            }
            Event::Empty(start) => {
                return Some((local(start.local_name().as_ref()), Value::String(String::new())));
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn local(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// Reads what the element `name` holds, until its end.
fn content(reader: &mut Reader<&[u8]>, name: &str, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let (mut text, mut children) = (String::new(), Vec::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let child = local(start.local_name().as_ref());
                let value = content(reader, &child, depth + 1)?;
                children.push((child, value));
            }
            Event::Empty(start) => {
                let child = local(start.local_name().as_ref());
                let is_list = WRAPPED.iter().any(|(parent, _)| *parent == child);
                let value =
                    if is_list { Value::Array(Vec::new()) } else { Value::String(String::new()) };
                children.push((child, value));
            }
            Event::Text(part) => text.push_str(&part.decode().ok()?),
            Event::CData(part) => text.push_str(&part.decode().ok()?),
            Event::GeneralRef(part) => text.push(referenced(&part)?),
            Event::End(_) => break,
            Event::Eof => return None,
            _ => {}
        }
    }
    Some(folded(name, text, children))
}

fn referenced(part: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Some(letter) = part.resolve_char_ref().ok()? {
        return Some(letter);
    }
    Some(match part.decode().ok()?.as_ref() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn folded(name: &str, text: String, children: Vec<(String, Value)>) -> Value {
    if children.is_empty() {
        let is_list = WRAPPED.iter().any(|(parent, _)| *parent == name) && text.trim().is_empty();
        return if is_list { Value::Array(Vec::new()) } else { Value::String(text) };
    }
    if children.iter().all(|(child, _)| is_wrapped(name, child)) {
        return children.into_iter().map(|(_, value)| value).collect();
    }
    let mut members = Members::new();
    for (child, value) in children {
        let member = flat(name, &child);
        let known = members.entry(member.unwrap_or(&child).to_owned());
        match known {
            serde_json::map::Entry::Vacant(place) => {
                place.insert(if member.is_some() { Value::Array(vec![value]) } else { value });
            }
            serde_json::map::Entry::Occupied(mut place) => match place.get_mut() {
                Value::Array(items) => items.push(value),
                one => *one = Value::Array(vec![one.take(), value]),
            },
        }
    }
    Value::Object(members)
}

/// Writes the element `name`, which holds `value`, with `namespace`.
pub fn text_of(name: &str, value: &Value, namespace: &str) -> String {
    let mut out = String::new();
    write(&mut out, "", name, value, &format!(" xmlns=\"{namespace}\""));
    out
}

fn write(out: &mut String, parent: &str, name: &str, value: &Value, attributes: &str) {
    if let Value::Array(items) = value {
        let wrapped = WRAPPED.iter().find(|(around, _)| *around == name).map(|(_, inner)| *inner);
        let element = FLAT
            .iter()
            .find(|(there, _, member)| *member == name && (*there == "*" || *there == parent));
        match (element, wrapped) {
            (Some((_, element, _)), _) => {
                for item in items {
                    write(out, parent, element, item, attributes);
                }
            }
            (None, inner) => {
                let _ = write!(out, "<{name}{attributes}>");
                for item in items {
                    write(out, name, inner.unwrap_or("member"), item, "");
                }
                let _ = write!(out, "</{name}>");
            }
        }
        return;
    }
    let _ = write!(out, "<{name}{attributes}>");
    match value {
        Value::Object(members) => {
            // An element before those that it names: S3 Control wants an order.
            members.iter().for_each(|(member, value)| write(out, name, member, value, ""));
        }
        Value::String(text) => out.push_str(&escape(text.as_str())),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Bool(it) => {
            let _ = write!(out, "{it}");
        }
        Value::Array(_) | Value::Null => {}
    }
    let _ = write!(out, "</{name}>");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_are_read_and_written_alike() {
        let text = "<?xml version=\"1.0\"?><ReplicationConfiguration xmlns=\"urn:x\"><Role>a&amp;b</Role>\
            <Rule><ID>one</ID><Filter><And><Prefix></Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter></Rule>\
            </ReplicationConfiguration>";
        let (name, value) = element(text).unwrap();
        assert_eq!(name, "ReplicationConfiguration");
        assert_eq!(
            value,
            json!({"Role": "a&b", "Rules": [{"ID": "one", "Filter": {"And": {"Prefix": "", "Tags": [{"Key": "k", "Value": "v"}]}}}]})
        );
        let again = text_of(&name, &value, "urn:x");
        assert_eq!(text.split_once("?>").unwrap().1, again);
        let (_, tags) =
            element("<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>").unwrap();
        assert_eq!(tags, json!({"TagSet": [{"Key": "k"}]}));
        assert_eq!(
            text_of("Tagging", &tags, "u"),
            "<Tagging xmlns=\"u\"><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>"
        );
        let (_, lock) = element(
            "<ObjectLockConfiguration><Rule><Days>1</Days></Rule></ObjectLockConfiguration>",
        )
        .unwrap();
        assert_eq!(lock, json!({"Rule": {"Days": "1"}}));
    }

    #[test]
    fn what_is_no_xml_is_none() {
        for text in ["", "plain", "<a>", "<a><b></a>", "{}"] {
            assert_eq!(element(text), None, "{text}");
        }
        let deep = "<a>".repeat(1_000) + &"</a>".repeat(1_000);
        assert_eq!(element(&deep), None);
    }
}
