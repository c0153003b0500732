//! References in a template: the ARN of a resource in the template becomes a reference where that
//! creates no cycle, so that CloudFormation can derive the order.
//! Source: CloudFormation User Guide, "Intrinsic function reference", `Fn::GetAtt` and `Fn::Sub`.
//! Not for: the resources themselves (see `super`).

use super::super::pair::Pair;
use crate::names::Region;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Which resources a document may reference: buckets depend on roles, roles on keys, and keys on
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Keys,
    Roles,
    All,
}

/// The logical ids of the resources in one Region, by ARN.
#[derive(Default)]
pub(super) struct Named {
    /// The key's ARN.
    key: Option<String>,
    roles: BTreeMap<String, String>,
    buckets: BTreeMap<String, String>,
}

impl Named {
    pub(super) fn of(pair: &Pair<'_>, region: &Region) -> Self {
        let key = pair.keys.iter().find(|key| &key.region == region);
        let ways = pair.ways();
        let roles = super::roles(&ways, region).into_iter();
        let buckets = super::buckets(pair, region).into_iter();
        let arn = |name: &crate::names::BucketName| {
            name.arn(pair.topology.wanted.partition()).to_string()
        };
        Self {
            key: key.map(|key| key.arn.to_string()),
            roles: roles.filter_map(|(way, id)| Some((way.role?.arn.to_string(), id))).collect(),
            buckets: buckets.map(|(placed, id)| (arn(placed.name), id)).collect(),
        }
    }

    /// Returns a document with references in place of ARNs.
    pub(super) fn document(&self, json: &Value, reach: Reach) -> Value {
        match json {
            Value::String(text) => self.text(text, reach),
            Value::Array(items) => items.iter().map(|it| self.document(it, reach)).collect(),
            Value::Object(map) => {
                let entries = map.iter().map(|(key, it)| (key.clone(), self.document(it, reach)));
                Value::Object(entries.collect::<Map<_, _>>())
            }
            scalar => scalar.clone(),
        }
    }

    /// Returns a reference to the resource with this ARN or to an object in it, otherwise the text
    /// itself.
    pub(super) fn text(&self, text: &str, reach: Reach) -> Value {
        if let Some(arn) = &self.key
            && reach != Reach::Roles
        {
            if arn == text {
                return attribute("Key");
            }
            if let Some(region) = elsewhere(arn, text) {
                let (here, before) = ("${AWS::Partition}", "${AWS::AccountId}:key/${Key}");
                return json!({"Fn::Sub": format!("arn:{here}:kms:{region}:{before}")});
            }
        }
        if reach != Reach::Keys
            && let Some(id) = self.roles.get(text)
        {
            return attribute(id);
        }
        if reach == Reach::All {
            if let Some(id) = self.buckets.get(text) {
                return attribute(id);
            }
            let inside = |(arn, id): (&String, &String)| {
                let rest = text.strip_prefix(arn.as_str()).filter(|rest| rest.starts_with('/'))?;
                Some(json!({"Fn::Sub": format!("${{{id}.Arn}}{}", rest.replace("${", "${!"))}))
            };
            if let Some(inside) = self.buckets.iter().find_map(inside) {
                return inside;
            }
        }
        json!(text)
    }
}

/// Returns the Region of `other` if `other` is an ARN of the multi-Region key `arn`: the key id is
/// the same in all Regions.
fn elsewhere<'a>(arn: &str, other: &'a str) -> Option<&'a str> {
    const REGION: usize = 3;
    let mut mine: Vec<&str> = arn.split(':').collect();
    let mut theirs: Vec<&str> = other.split(':').collect();
    if mine.len() <= REGION || mine.len() != theirs.len() {
        return None;
    }
    mine.remove(REGION);
    let region = theirs.remove(REGION);
    (mine == theirs).then_some(region)
}

fn attribute(id: &str) -> Value {
    json!({"Fn::GetAtt": [id, "Arn"]})
}
