//! References in a configuration: the ARN of a resource in the configuration becomes a reference,
//! so that Terraform can derive the order.
//! Not for: the order itself: `super`, and the key policies here, must be free of cycles.

use super::super::pair::Pair;
use super::{address, label, way_label};
use crate::hcl::Value;
use std::collections::BTreeMap;

/// Addresses by ARN.
pub(super) struct References {
    all: BTreeMap<String, String>,
    /// Roles alone: buckets depend on keys, so a key policy can't reference buckets. A role's trust
    /// policy references nothing.
    roles: BTreeMap<String, String>,
}

impl References {
    pub(super) fn of(pair: &Pair<'_>) -> Self {
        let keys = pair.keys.iter().map(|key| (key.arn.to_string(), address(key)));
        let buckets = pair.buckets.iter().map(|bucket| {
            let arn = bucket.name.arn(pair.topology.wanted.partition()).to_string();
            (arn, format!("aws_s3_bucket.{}", label(&bucket.label)))
        });
        let ways = pair.ways();
        let roles = ways.iter().filter_map(|way| {
            Some((way.role?.arn.to_string(), format!("aws_iam_role.{}", way_label(way))))
        });
        let roles: BTreeMap<String, String> = roles.collect();
        let all = keys.chain(buckets).chain(roles.clone()).collect();
        Self { all, roles }
    }

    /// Returns a reference to the resource with this ARN, or to an object in such a bucket,
    /// otherwise the text itself.
    pub(super) fn arn(&self, text: &str) -> Value {
        referred(&self.all, text)
    }

    /// Returns the same for a key policy, which references roles alone.
    pub(super) fn in_key_policy(&self, text: &str) -> Value {
        referred(&self.roles, text)
    }
}

fn referred(addresses: &BTreeMap<String, String>, text: &str) -> Value {
    if let Some(address) = addresses.get(text) {
        return Value::bare(&format!("{address}.arn"));
    }
    let inside = |(arn, address): (&String, &String)| {
        let rest = text.strip_prefix(arn.as_str()).filter(|rest| rest.starts_with('/'))?;
        Some(Value::template(&format!("{address}.arn"), rest))
    };
    addresses.iter().find_map(inside).unwrap_or_else(|| Value::text(text))
}
