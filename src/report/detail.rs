//! What each action of a plan writes, for programs: each part with the value that is found and the
//! value that will be.
//! Not for: text for people (see `words`).

#![deny(clippy::wildcard_enum_match_arm)]

use crate::manifest::{PairKeys, Topology};
use crate::plan::work::{
    AlarmDiffers, AlarmMade, BucketTagsWork, BucketWork, KeyDiffers, KeyMade, LifecycleDiffers,
    NotificationDiffers, Owned, RoleDiffers, RoleMade, RolePolicyDiffers, RuleRole, RulesWritten,
    SharedDocument, TagsDiffer,
};
use crate::plan::{StatementChange, Work};
use crate::settings::{Document, Encryption, Expiry, Lock, Notification, Setting, Told};
use crate::world::Tags;
use serde::Serialize;
use serde_json::{Value, json};

/// One part of what an action writes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "detail"))]
pub struct Detail {
    /// What it is.
    #[cfg_attr(test, schemars(schema_with = "what"))]
    what: What,
    /// The Sid of a statement, the key of a tag, the id of a rule
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String"))]
    name: Option<String>,
    /// What is found; null where nothing is
    #[cfg_attr(test, schemars(schema_with = "part"))]
    from: Value,
    /// What is written; null where it is taken away. A key that the run makes is called
    /// `(known after apply)`
    #[cfg_attr(test, schemars(schema_with = "part"))]
    to: Value,
    /// Whether `to` names a key that the run makes.
    known_after_apply: bool,
}

/// The parts that actions write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum What {
    Statement,
    TrustStatement,
    Tag,
    KeyState,
    AliasTarget,
    RotationDays,
    LifecycleRule,
    Notification,
    PermissionsBoundary,
    ReplicationRole,
    ReplicationRule,
    Alarm,
    /// A document of a bucket, by its own name.
    #[serde(untagged)]
    #[cfg_attr(test, schemars(skip))]
    Document(&'static str),
}

/// Returns the schema of `what`: the parts that are named here, and the documents of a bucket.
#[cfg(test)]
fn what(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut named = <What as schemars::JsonSchema>::json_schema(generator);
    let words = named.pointer_mut("/anyOf/0/enum").and_then(Value::as_array_mut);
    let mut words = words.map(std::mem::take).unwrap_or_default();
    words.extend(crate::settings::parts().into_iter().map(Value::from));
    schemars::json_schema!({"type": "string", "enum": words})
}

/// Returns the schema of what is found or written.
#[cfg(test)]
fn part(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": ["string", "integer", "object", "null"],
        "additionalProperties": true,
    })
}

const LATER: &str = Encryption::LATER;

impl Detail {
    fn new(what: What, from: Value, to: Value) -> Self {
        let text = PairKeys::without_placeholders(&to.to_string(), LATER);
        let hidden = text.and_then(|text| serde_json::from_str(&text).ok());
        let known_after_apply = hidden.is_some();
        Self { what, name: None, from, to: hidden.unwrap_or(to), known_after_apply }
    }

    /// Marks a part whose value names a key that the run makes where `is_later`.
    fn later(self, is_later: bool) -> Self {
        Self { known_after_apply: self.known_after_apply || is_later, ..self }
    }

    fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }
}

/// Returns the names of the statements that `work` writes or takes out.
pub(super) fn statement_names(work: &Work) -> Vec<String> {
    let is_statement = |it: &Detail| matches!(it.what, What::Statement | What::TrustStatement);
    detail(work).into_iter().filter(is_statement).filter_map(|it| it.name).collect()
}

/// Returns what `work` writes. A removal writes nothing.
pub(super) fn detail(work: &Work) -> Vec<Detail> {
    match work {
        Work::Key(work) | Work::ReplicaKey(work) => owned(work, key_made, key),
        Work::SharedKey(pair) => {
            vec![Detail::new(What::Tag, Value::Null, json!(pair)).named(Topology::SHARED_TAG)]
        }
        Work::Alias(work) => owned(
            work,
            |to| vec![alias_target(Value::Null, to.as_ref())],
            |it| vec![alias_target(json!(it.from), it.to.as_ref())],
        ),
        Work::Rotation(work) => rotation(work),
        Work::Bucket(work) => bucket(work),
        Work::BucketTags(work) => bucket_tags(work),
        Work::Document(change) => change.told().into_iter().map(document).collect(),
        Work::BucketPolicy(work) => shared(
            work,
            |it| statements(What::Statement, it),
            |it| statements(What::Statement, &it.statements),
        ),
        Work::Lifecycle(work) => shared(
            work,
            |rule| vec![lifecycle(None, Some(rule))],
            |LifecycleDiffers { from, to }| vec![lifecycle(Some(from), to.as_ref())],
        ),
        Work::Notification(work) => shared(
            work,
            |entry| vec![notification(None, Some(entry))],
            |NotificationDiffers { from, to }| vec![notification(Some(from), to.as_ref())],
        ),
        Work::Role(work) => owned(work, role_made, role),
        Work::RolePolicy(work) => owned(work, |it| statements(What::Statement, it), role_policy),
        Work::Rules(work) => owned(work, new_rules, changed_rules),
        Work::DroppedRule(_) => Vec::new(),
        Work::Alarm(work) => owned(work, alarm_made, alarm),
    }
}

fn rotation(work: &Setting<Option<u32>>) -> Vec<Detail> {
    let new = |from, to| vec![Detail::new(What::RotationDays, from, to)];
    match work {
        Setting::Create(to) => new(Value::Null, json!(to)),
        Setting::Update { from, to } | Setting::Restore { from, to } => new(json!(from), json!(to)),
        Setting::Unchanged => Vec::new(),
    }
}

fn document(Told { part, from, to, is_known_later }: Told) -> Detail {
    Detail::new(What::Document(part), from, to).later(is_known_later)
}

fn shared<Made, Differs>(
    work: &SharedDocument<Made, Differs>,
    made: impl FnOnce(&Made) -> Vec<Detail>,
    differs: impl FnOnce(&Differs) -> Vec<Detail>,
) -> Vec<Detail> {
    match work {
        SharedDocument::Create(it) => made(it),
        SharedDocument::Update(it) => differs(it),
        SharedDocument::Remove | SharedDocument::Unchanged => Vec::new(),
    }
}

fn owned<Made, Differs, Removed>(
    work: &Owned<Made, Differs, Removed>,
    made: impl FnOnce(&Made) -> Vec<Detail>,
    differs: impl FnOnce(&Differs) -> Vec<Detail>,
) -> Vec<Detail> {
    match work {
        Owned::Create(it) => made(it),
        Owned::Update(it) => differs(it),
        Owned::Remove(_) | Owned::Leave(_) | Owned::Unchanged => Vec::new(),
    }
}

fn statements(what: What, changes: &[StatementChange]) -> Vec<Detail> {
    let one = |change: &StatementChange| {
        let detail = Detail::new(what, json!(change.from), json!(change.to));
        match change.sid() {
            Some(sid) => detail.named(sid),
            None => detail,
        }
    };
    changes.iter().map(one).collect()
}

fn new_tags(tags: &Tags) -> Vec<Detail> {
    tags.iter()
        .map(|(key, value)| Detail::new(What::Tag, Value::Null, json!(value)).named(key))
        .collect()
}

fn tags(TagsDiffer { set, expires }: &TagsDiffer) -> Vec<Detail> {
    let written =
        set.iter().map(|(key, it)| Detail::new(What::Tag, json!(it.from), json!(it.to)).named(key));
    let gone = expires
        .iter()
        .map(|date| Detail::new(What::Tag, json!(date), Value::Null).named(Topology::EXPIRES_TAG));
    written.chain(gone).collect()
}

/// Returns the target of an alias: a key that exists, or the one that the run makes.
fn alias_target<Id: Serialize>(from: Value, key: Option<&Id>) -> Detail {
    let to = key.map_or_else(|| json!(LATER), |key| json!(key));
    Detail::new(What::AliasTarget, from, to).later(key.is_none())
}

fn key_made(KeyMade { policy, tags }: &KeyMade) -> Vec<Detail> {
    [statements(What::Statement, policy), new_tags(tags)].concat()
}

fn key(KeyDiffers { state, policy, tags }: &KeyDiffers) -> Vec<Detail> {
    let state = state.iter().map(|from| Detail::new(What::KeyState, json!(from), json!("Enabled")));
    let policy = policy.iter().flat_map(|it| statements(What::Statement, &it.statements));
    state.chain(policy).chain(self::tags(tags)).collect()
}

fn bucket(work: &BucketWork) -> Vec<Detail> {
    match work {
        BucketWork::Create(made) => {
            let lock = made.object_lock.then(|| {
                document(Told {
                    part: Lock::PART,
                    from: Value::Null,
                    to: Lock::default().detail(),
                    is_known_later: false,
                })
            });
            new_tags(&made.tags).into_iter().chain(lock).collect()
        }
        BucketWork::Adopt(_)
        | BucketWork::Remove { .. }
        | BucketWork::Leave(_)
        | BucketWork::Unchanged => Vec::new(),
    }
}

fn bucket_tags(work: &BucketTagsWork) -> Vec<Detail> {
    match work {
        BucketTagsWork::Create(tags) | BucketTagsWork::Adopt(tags) => new_tags(tags),
        BucketTagsWork::Update(differs) => tags(differs),
        BucketTagsWork::Remove | BucketTagsWork::Unchanged => Vec::new(),
    }
}

fn notification(from: Option<&Notification>, to: Option<&Notification>) -> Detail {
    let id = to.or(from).map(|entry| entry.id.as_str()).unwrap_or_default();
    Detail::new(What::Notification, json!(from), json!(to)).named(id)
}

fn lifecycle(from: Option<&Expiry>, to: Option<&Expiry>) -> Detail {
    let id = to.or(from).map(|rule| rule.id.as_str()).unwrap_or_default();
    Detail::new(What::LifecycleRule, json!(from), json!(to)).named(id)
}

fn role_made(RoleMade { trust, boundary, tags }: &RoleMade) -> Vec<Detail> {
    let boundary =
        boundary.iter().map(|to| Detail::new(What::PermissionsBoundary, Value::Null, json!(to)));
    let trust = statements(What::TrustStatement, trust);
    trust.into_iter().chain(boundary).chain(new_tags(tags)).collect()
}

fn role(RoleDiffers { trust, boundary, tags }: &RoleDiffers) -> Vec<Detail> {
    let trust = trust.iter().flat_map(|it| statements(What::TrustStatement, it));
    let boundary = boundary
        .iter()
        .map(|it| Detail::new(What::PermissionsBoundary, json!(it.from), json!(it.to)));
    trust.chain(boundary).chain(self::tags(tags)).collect()
}

fn alarm_made(AlarmMade { says, tags }: &AlarmMade) -> Vec<Detail> {
    let alarm = Detail::new(What::Alarm, Value::Null, json!(says));
    std::iter::once(alarm).chain(new_tags(tags)).collect()
}

fn alarm(AlarmDiffers { says, tags }: &AlarmDiffers) -> Vec<Detail> {
    let says = says.iter().map(|it| Detail::new(What::Alarm, json!(it.from), json!(it.to)));
    says.chain(self::tags(tags)).collect()
}

fn role_policy(differs: &RolePolicyDiffers) -> Vec<Detail> {
    match differs {
        RolePolicyDiffers::Statements(changes) => statements(What::Statement, changes),
        // The run renders it once the destinations are gone.
        RolePolicyDiffers::Pruned => Vec::new(),
    }
}

fn new_rules(written: &RulesWritten) -> Vec<Detail> {
    let role = Detail::new(What::ReplicationRole, Value::Null, role_of(written));
    [vec![role], rules(written)].concat()
}

fn changed_rules(written: &RulesWritten) -> Vec<Detail> {
    let from = written.replaced_role.iter();
    let role = from.map(|from| Detail::new(What::ReplicationRole, json!(from), role_of(written)));
    role.chain(rules(written)).collect()
}

fn role_of(written: &RulesWritten) -> Value {
    let (RuleRole::Own(role) | RuleRole::Given(role) | RuleRole::OfOthers(role)) = &written.role;
    json!(role)
}

fn rules(written: &RulesWritten) -> Vec<Detail> {
    let rules = written.rules.iter().flatten().map(|rule| {
        let id = rule.to.as_ref().or(rule.from.as_ref()).map(|it| it.id.as_str());
        Detail::new(What::ReplicationRule, json!(rule.from), json!(rule.to))
            .named(id.unwrap_or_default())
    });
    rules.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::work::{TagChange, WhyRemoved};
    use crate::settings::{DefaultKey, Versioning};

    fn told(work: &Work) -> Value {
        json!(detail(work))
    }

    #[test]
    fn a_value_is_told_with_what_is_found() {
        let versioning =
            |status: &str| Versioning { status: Some(status.to_owned()), mfa_delete: false };
        let change = Setting::Update { from: versioning("Suspended"), to: versioning("Enabled") };
        let work = Work::Document(change.into());
        let expected = json!([{"what": "versioning", "from": "Suspended", "to": "Enabled",
            "known_after_apply": false}]);
        assert_eq!(told(&work), expected);
        let change = TagChange { from: None, to: "storage".to_owned() };
        let expires = Some("2026-01-01T00:00:00Z".to_owned());
        let tags = TagsDiffer { set: [("team".to_owned(), change)].into(), expires };
        let expected = json!([
            {"what": "tag", "name": "team", "from": null, "to": "storage",
                "known_after_apply": false},
            {"what": "tag", "name": "crrctl:expires", "from": "2026-01-01T00:00:00Z", "to": null,
                "known_after_apply": false},
        ]);
        assert_eq!(told(&Work::BucketTags(BucketTagsWork::Update(tags))), expected);
    }

    /// A placeholder never stands for a key.
    #[test]
    fn a_key_that_the_run_makes_is_known_later() {
        let arn = "arn:aws:kms:us-east-1:111122223333:key/";
        for id in ["mrk-00000000000000000000000000000000", "00000000-0000-0000-0000-000000000000"] {
            let to = json!({"Sid": "Use", "Resource": format!("{arn}{id}")});
            let change = StatementChange { from: None, to: Some(to) };
            let expected = json!([{"what": "statement", "name": "Use", "from": null,
                "to": {"Sid": "Use", "Resource": format!("{arn}{LATER}")},
                "known_after_apply": true}]);
            assert_eq!(told(&Work::RolePolicy(Owned::Create(vec![change]))), expected);
        }
        let encryption = Encryption {
            algorithm: "aws:kms".to_owned(),
            key: DefaultKey::New,
            bucket_key: true,
            blocked: Vec::new(),
        };
        let told_encryption = told(&Work::Document(Setting::Create(encryption).into()));
        assert_eq!(told_encryption[0]["known_after_apply"], true);
        assert_eq!(told(&Work::Alias(Owned::Create(None)))[0]["to"], LATER);
    }

    #[test]
    fn nothing_is_told_where_nothing_is_written() {
        for work in [
            Work::Key(Owned::Remove(WhyRemoved::PairGoes)),
            Work::Role(Owned::Unchanged),
            Work::BucketPolicy(SharedDocument::Remove),
            Work::Rotation(Setting::Unchanged),
            Work::RolePolicy(Owned::Update(RolePolicyDiffers::Pruned)),
        ] {
            assert_eq!(told(&work), json!([]));
        }
    }
}
