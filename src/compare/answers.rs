//! Compares two answers: success against refusal, code, members, text. What AWS gives out (ids, times)
//! differs from run to run and is compared by its counterpart, or by being there.
//! Not for: which differences are known (see `known`).

use super::ids::Ids;
use crate::policy::meaning::canonical;
use crate::recording::members::{self, Kind as Holds, Service};
use crate::recording::{Exchange, Members, Said, shape};
use serde::Serialize;
use serde_json::Value;

/// The version id of an object from before versioning.
const NULL: &str = "null";

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One succeeds where the other refuses
    Outcome,
    /// The code of a refusal
    Code,
    /// A member of the answer
    Member,
    /// The sentence of a refusal
    Text,
}

impl Kind {
    /// Returns the kind's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Outcome => "outcome",
            Self::Code => "code",
            Self::Member => "member",
            Self::Text => "text",
        }
    }
}

/// A difference of two answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlike {
    /// What differs.
    pub kind: Kind,
    /// The member, such as `KeyMetadata.KeyState`; empty for the others.
    pub member: String,
    /// What AWS answered.
    pub recorded: String,
    /// What the sandbox answered.
    pub sandbox: String,
}

/// Returns what differs between a recorded answer and the sandbox's. New ids are taken for
/// counterparts.
pub fn differences(recorded: &Exchange, sandbox: &Said, ids: &mut Ids) -> Vec<Unlike> {
    let unlike = |kind, recorded: String, sandbox: String| {
        vec![Unlike { kind, member: String::new(), recorded, sandbox }]
    };
    let told = |code: Option<&str>, message: Option<&str>| match (code, message) {
        (None, _) => "success".to_owned(),
        (Some(code), None) => code.to_owned(),
        (Some(code), Some(message)) => format!("{code}: {message}"),
    };
    let theirs = || told(recorded.code.as_deref(), recorded.message.as_deref());
    let ours = || told(sandbox.code.as_deref(), sandbox.message.as_deref());
    match (&recorded.code, &sandbox.code) {
        (None, Some(_)) | (Some(_), None) => return unlike(Kind::Outcome, theirs(), ours()),
        (Some(code), Some(other)) if code != other => return unlike(Kind::Code, theirs(), ours()),
        _ => {}
    }
    let service = recorded.service;
    let mut found = Comparison { service, ids, learns: true, found: Vec::new() };
    found.members("", &recorded.answer, &sandbox.members);
    let text = |text: &Option<String>| text.as_deref().map(shape).unwrap_or_default();
    if !says_the_same(&text(&recorded.message), &text(&sandbox.message)) {
        found.found.extend(unlike(Kind::Text, theirs(), ours()));
    }
    found.found
}

/// Returns whether two shapes of messages are of one sentence. A name may be a word of the dictionary
/// on one side.
fn says_the_same(recorded: &str, sandbox: &str) -> bool {
    let (theirs, ours) = (recorded.split_whitespace(), sandbox.split_whitespace());
    let is_alike =
        |(one, other): (&str, &str)| one == other || one.contains('*') || other.contains('*');
    theirs.clone().count() == ours.clone().count() && theirs.zip(ours).all(is_alike)
}

struct Comparison<'a> {
    service: Service,
    ids: &'a mut Ids,
    /// Whether new ids are taken for counterparts.
    learns: bool,
    found: Vec<Unlike>,
}

/// Returns whether there is nothing in a value.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}

/// Returns a scalar as text; numbers and switches are text in XML.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

impl Comparison<'_> {
    fn members(&mut self, path: &str, recorded: &Members, sandbox: &Members) {
        let is_tag = recorded.contains_key("Key") && recorded.contains_key("Value");
        // What AWS calls an account, which differs as other ids do.
        let is_owner = ["Owner", "Initiator", "Grantee"].iter().any(|it| path.ends_with(it));
        let only = sandbox.keys().filter(|name| !recorded.contains_key(*name));
        for name in recorded.keys().chain(only) {
            let kind = match members::kind(self.service, name) {
                Holds::Key if is_tag => Holds::Name,
                Holds::Name if is_owner && name == "ID" => Holds::Id,
                kind => kind,
            };
            let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let of = |members: &Members| members.get(name).filter(|it| !is_empty(it)).cloned();
            self.value(&place, kind, of(recorded), of(sandbox));
        }
    }

    fn value(&mut self, path: &str, kind: Holds, recorded: Option<Value>, sandbox: Option<Value>) {
        match (recorded, sandbox) {
            (None, None) => {}
            (Some(Value::Object(theirs)), Some(Value::Object(ours))) if kind == Holds::Blob => {
                let length = |of: &Members| of.get("length").cloned();
                self.differ_if(
                    length(&theirs) != length(&ours),
                    path,
                    &Value::Object(theirs),
                    &Value::Object(ours),
                );
            }
            (Some(Value::Object(theirs)), Some(Value::Object(ours))) => {
                self.members(path, &theirs, &ours);
            }
            (Some(Value::Array(theirs)), Some(Value::Array(ours))) => {
                self.list(path, kind, theirs, ours);
            }
            (Some(theirs), Some(ours)) => {
                let is_alike = self.is_alike(kind, &text(&theirs), &text(&ours));
                self.differ_if(!is_alike, path, &theirs, &ours);
            }
            (theirs, ours) => {
                // What is not AWS's own is told as little as its value.
                let shown = |value: Option<Value>| value.unwrap_or_else(|| "absent".into());
                self.differ_if(kind != Holds::Never, path, &shown(theirs), &shown(ours));
            }
        }
    }

    fn differ_if(&mut self, differs: bool, path: &str, recorded: &Value, sandbox: &Value) {
        if differs {
            let (recorded, sandbox) = (text(recorded), text(sandbox));
            self.found.push(Unlike {
                kind: Kind::Member,
                member: path.to_owned(),
                recorded,
                sandbox,
            });
        }
    }

    /// Compares two lists without their order: what is alike is put together first.
    fn list(&mut self, path: &str, kind: Holds, theirs: Vec<Value>, mut ours: Vec<Value>) {
        let mut rest = theirs;
        // What has a counterpart already comes before what is new.
        for learns in [false, true] {
            let mut unmatched = Vec::new();
            for item in rest {
                let is_it = |it: &Value| self.would_be_alike(kind, &item, it, learns);
                match ours.iter().position(is_it) {
                    Some(place) => {
                        let other = ours.remove(place);
                        self.value(path, kind, Some(item), Some(other));
                    }
                    None => unmatched.push(item),
                }
            }
            rest = unmatched;
        }
        let mut ours = ours.into_iter();
        for item in rest {
            self.value(path, kind, Some(item), ours.next());
        }
        ours.for_each(|item| self.value(path, kind, None, Some(item)));
    }

    fn would_be_alike(
        &mut self,
        kind: Holds,
        recorded: &Value,
        sandbox: &Value,
        learns: bool,
    ) -> bool {
        let mark = self.ids.mark();
        let mut trial =
            Comparison { service: self.service, ids: &mut *self.ids, learns, found: Vec::new() };
        trial.value("", kind, Some(recorded.clone()), Some(sandbox.clone()));
        let is_alike = trial.found.is_empty();
        self.ids.back_to(mark);
        is_alike
    }

    fn is_alike(&mut self, kind: Holds, recorded: &str, sandbox: &str) -> bool {
        match kind {
            Holds::Never | Holds::Time | Holds::Blob | Holds::Opaque => true,
            Holds::Id | Holds::Hash if self.ids.knows(recorded) || !self.learns => {
                self.ids.translated(recorded) == sandbox
            }
            // The version of an object from before versioning (S3 User Guide, "How S3 Versioning works").
            Holds::Id if recorded == NULL || sandbox == NULL => recorded == sandbox,
            // A new id is the counterpart of what stands in its place.
            Holds::Id => self.ids.learn(recorded, sandbox),
            Holds::Hash => self.ids.learn_hash(recorded, sandbox),
            Holds::Policy => self.is_same_policy(recorded, sandbox),
            Holds::Text => shape(recorded) == shape(sandbox),
            Holds::Word if shape(recorded) == shape(sandbox) => true,
            Holds::Word | Holds::Number | Holds::Name | Holds::Key => {
                if self.learns && !self.ids.knows(recorded) {
                    return self.ids.learn_within(recorded, sandbox);
                }
                self.ids.translated(recorded) == sandbox
            }
        }
    }

    /// Compares two policies by their meaning, with the ids of the recording as the sandbox has them.
    fn is_same_policy(&mut self, recorded: &str, sandbox: &str) -> bool {
        let parsed = |text: &str| serde_json::from_str::<Value>(text);
        let (Ok(theirs), Ok(ours)) = (parsed(recorded), parsed(sandbox)) else {
            return self.ids.translated(recorded) == sandbox;
        };
        let ours = canonical(&ours);
        canonical(&self.ids.value(&theirs)) == ours || {
            let (theirs, ours) = (canonical(&theirs).to_string(), ours.to_string());
            self.learns && self.ids.learn_within(&theirs, &ours)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "each answer is written in place")]
    fn exchange(answer: Value, code: Option<&str>) -> Exchange {
        serde_json::from_value(json!({
            "at": "2026-01-01T00:00:00Z", "service": "kms", "operation": "DescribeKey", "region": "us-east-1",
            "caller": 0, "attempt": 1, "request": {}, "status": 200, "code": code,
            "message": code.map(|_| "Key abcdefgh is not found"), "answer": answer, "request_id": null, "duration_ms": 1,
        }))
        .unwrap()
    }

    #[expect(clippy::needless_pass_by_value, reason = "each answer is written in place")]
    fn said(members: Value, code: Option<&str>) -> Said {
        let members = members.as_object().unwrap().clone();
        let (code, message) =
            (code.map(str::to_owned), code.map(|_| "Key x1x2 is not found".to_owned()));
        Said { code, message, members, request_id: None }
    }

    fn told(exchange: &Exchange, said: &Said) -> Vec<(Kind, String)> {
        let found = differences(exchange, said, &mut Ids::default());
        found.into_iter().map(|it| (it.kind, it.member)).collect()
    }

    #[test]
    fn success_codes_members_and_texts_are_compared() {
        let key = |state: &str, id: &str| json!({"KeyMetadata": {"KeyState": state, "KeyId": format!("mrk-{}", id.repeat(32)), "CreationDate": id.len()}});
        let enabled = exchange(key("Enabled", "1"), None);
        assert_eq!(told(&enabled, &said(key("Enabled", "2"), None)), []);
        assert_eq!(
            told(&enabled, &said(key("Creating", "2"), None)),
            [(Kind::Member, "KeyMetadata.KeyState".to_owned())]
        );
        assert_eq!(told(&enabled, &said(json!({}), None)).len(), 1);
        assert_eq!(
            told(&enabled, &said(json!({}), Some("NotFoundException"))),
            [(Kind::Outcome, String::new())]
        );
        let refused = exchange(json!({}), Some("NotFoundException"));
        assert_eq!(told(&refused, &said(json!({}), Some("NotFoundException"))), []);
        assert_eq!(
            told(&refused, &said(json!({}), Some("DisabledException"))),
            [(Kind::Code, String::new())]
        );
        let mut other = said(json!({}), Some("NotFoundException"));
        other.message = Some("Key x1x2 does not exist".to_owned());
        assert_eq!(told(&refused, &other), [(Kind::Text, String::new())]);
    }

    #[test]
    fn lists_are_compared_without_their_order() {
        let tags = |keys: &[&str]| json!({"Tags": keys.iter().map(|it| json!({"TagKey": it, "TagValue": "v"})).collect::<Value>()});
        assert_eq!(told(&exchange(tags(&["a", "b"]), None), &said(tags(&["b", "a"]), None)), []);
        assert_eq!(
            told(&exchange(tags(&["a", "b"]), None), &said(tags(&["b"]), None)),
            [(Kind::Member, "Tags".to_owned())]
        );
    }

    #[test]
    fn policies_are_compared_by_meaning() {
        let (a, b) = ("1".repeat(32), "2".repeat(32));
        let policy = |action: Value, resource: &str| json!({"Policy": json!({"Statement": [{"Action": action, "Resource": resource}]}).to_string()});
        let key = |id: &str| format!("arn:aws:kms:us-east-1:111122223333:key/mrk-{id}");
        let differs =
            |one: Value, other: Value| !told(&exchange(one, None), &said(other, None)).is_empty();
        let (read, both) = (json!("s3:GetObject"), json!(["s3:PutObject", "s3:GetObject"]));
        assert!(!differs(policy(read.clone(), &key(&a)), policy(json!([read]), &key(&b))));
        assert!(!differs(
            policy(both, "arn:aws:s3:::acme"),
            policy(json!(["s3:GetObject", "s3:PutObject"]), "arn:aws:s3:::acme")
        ));
        // Neither another action nor another name goes unseen.
        assert!(differs(policy(read.clone(), &key(&a)), policy(json!("s3:PutObject"), &key(&a))));
        assert!(differs(
            policy(read.clone(), "arn:aws:s3:::acme"),
            policy(read, "arn:aws:s3:::acne")
        ));
    }

    #[test]
    fn one_id_for_two_is_a_difference() {
        let mut ids = Ids::default();
        let version = |id: &str| json!({"VersionId": id});
        let mut count = |recorded: &str, sandbox: &str| {
            differences(&exchange(version(recorded), None), &said(version(sandbox), None), &mut ids)
                .len()
        };
        assert_eq!((count("a", "x"), count("b", "x"), count("b", "y")), (0, 1, 0));
        assert_eq!((count("null", "z"), count("c", "null"), count("null", "null")), (1, 1, 0));
    }

    #[test]
    fn ids_must_stay_the_same() {
        let mut ids = Ids::default();
        let version = |id: &str| json!({"KeyMetadata": {"GrantId": id}});
        assert!(
            differences(&exchange(version("a"), None), &said(version("x"), None), &mut ids)
                .is_empty()
        );
        assert!(
            differences(&exchange(version("a"), None), &said(version("x"), None), &mut ids)
                .is_empty()
        );
        assert_eq!(
            differences(&exchange(version("a"), None), &said(version("y"), None), &mut ids).len(),
            1
        );
    }
}
