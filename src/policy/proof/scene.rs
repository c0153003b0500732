//! The pair as calls see it: callers, buckets, objects and keys, and what lies beside them and must be out of reach.

use super::Document;
use super::call::{At, Call, Own, Who};
use crate::iam::{Principal, ResourceKind};
use crate::manifest::{Side, Topology};
use crate::names::{AccountId, Arn, KeyId, Partition, Region};

/// S3's encryption context is the ARN of the object, or of the bucket where a Bucket Key is used
/// (S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys").
pub(super) const CONTEXT: &str = "kms:EncryptionContext:aws:s3:arn";
/// KMS Developer Guide, "AWS KMS condition keys".
pub(super) const VIA: &str = "kms:ViaService";
/// Whether the request came over TLS ("AWS global condition context keys").
pub(super) const TLS: &str = "aws:SecureTransport";

/// A pair, its key, and the accounts around it.
pub(super) struct Scene<'a> {
    pub(super) topology: &'a Topology,
    pub(super) key: &'a KeyId,
    /// An account that the manifest does not name.
    pub(super) stranger: AccountId,
}

impl<'a> Scene<'a> {
    pub(super) fn new(topology: &'a Topology, key: &'a KeyId) -> Self {
        let named = |account: &AccountId| {
            account == &topology.account
                || topology.key.usable_by_accounts.contains(account)
                || topology.key.administrators.iter().any(|arn| arn.account() == account.as_str())
        };
        let stranger = (0..1_000_u64)
            .filter_map(|n| AccountId::new((999_999_999_999 - n).to_string()).ok())
            .find(|account| !named(account))
            .unwrap_or_else(|| topology.account.clone());
        Self { topology, key, stranger }
    }

    pub(super) fn partition(&self) -> Partition {
        self.topology.partition()
    }

    /// Returns a session of the role `name` in `account`.
    pub(super) fn session(&self, account: &AccountId, name: &str) -> Principal {
        let role = self.iam(account, &format!("role/{name}"));
        Principal::RoleSession { role, session: "proof".to_owned(), id: None }
    }

    pub(super) fn iam(&self, account: &AccountId, resource: &str) -> Arn {
        Arn::known(self.partition(), "iam", "", account.as_str(), resource)
    }

    /// Returns somebody of another account whose own policies allow everything.
    pub(super) fn stranger(&self, section: &'static str) -> Who {
        let caller = self.session(&self.stranger, "stranger");
        Who { section, caller, own: Own::Everything }
    }

    pub(super) fn bucket_policy(&self, side: &Side) -> At {
        At::Document(ResourceKind::Bucket, Document::of_bucket(side, self.topology))
    }

    pub(super) fn bucket_arn(&self, side: &Side) -> String {
        side.bucket.arn(self.partition()).to_string()
    }

    /// Returns the ARN of an object whose key begins with `prefix`.
    pub(super) fn object_arn(&self, side: &Side, prefix: &str) -> String {
        format!("{}/{prefix}object", self.bucket_arn(side))
    }

    pub(super) fn key_arn(&self, side: &Side) -> String {
        self.topology.key_arn(self.key, &side.region).to_string()
    }

    /// Returns a call on a bucket; a bucket of a similar name must be out of reach.
    pub(super) fn on_bucket(&self, who: &Who, action: &str, side: &Side) -> Call {
        let decoy = (format!("{}-other", self.bucket_arn(side)), At::Nothing);
        Call::new(who, action, self.bucket_arn(side), &self.topology.account)
            .at(self.bucket_policy(side))
            .decoys([decoy])
    }

    /// Returns a call on an object under `prefix`; objects of another bucket and outside the prefix must be out of reach.
    pub(super) fn on_object(&self, who: &Who, action: &str, side: &Side, prefix: &str) -> Call {
        let elsewhere = format!("{}-other/{prefix}object", self.bucket_arn(side));
        let outside = outside(prefix).map(|key| format!("{}/{key}", self.bucket_arn(side)));
        let at = self.bucket_policy(side);
        let outside = outside.map(|arn| (arn, at.clone()));
        Call::new(who, action, self.object_arn(side, prefix), &self.topology.account)
            .at(at)
            .decoys([(elsewhere, At::Nothing)])
            .decoys(outside)
    }

    /// Returns a call on the key of `side` by someone who is to use this key alone: another one of the same account, whose policy
    /// leaves it to IAM too, must be out of reach.
    pub(super) fn on_key(&self, who: &Who, action: &str, side: &Side) -> Call {
        let at = key_policy(side);
        let other = self.kms(&side.region, &format!("key/{}", other_key(self.key)));
        Call::new(who, action, self.key_arn(side), &self.topology.account)
            .at(at.clone())
            .decoys([(other, at)])
    }

    pub(super) fn kms(&self, region: &Region, resource: &str) -> String {
        let account = self.topology.account.as_str();
        Arn::known(self.partition(), "kms", region.as_str(), account, resource).to_string()
    }
}

pub(super) fn key_policy(side: &Side) -> At {
    At::Document(ResourceKind::Key, Document::Key(side.region.clone()))
}

/// Returns what S3 asks of KMS for `side`: once for each form of its service name, under each of `contexts`. Neither
/// without the service or the context, nor for others, may it be allowed.
pub(super) fn through_s3(
    call: &Call,
    side: &Side,
    contexts: &[String],
    not_for: &[String],
) -> Vec<Call> {
    let others = [
        format!("s3.{}.amazonaws.com", elsewhere(&side.region)),
        format!("ec2.{}.amazonaws.com", side.region),
    ];
    let mut calls = Vec::new();
    for service in service_names(&side.region) {
        for context in contexts {
            let call = call.clone();
            let call = call.demanding_not("StringLike", VIA, &service, others.to_vec());
            calls.push(call.demanding_not("StringLike", CONTEXT, context, not_for.to_vec()));
        }
    }
    calls
}

/// Returns the names under which S3 may call another service in `region`. Outside `aws` and `aws-us-gov` the form is not
/// documented: either the partition's own suffix or the usual one.
fn service_names(region: &Region) -> Vec<String> {
    let own = region.partition().dns_suffix();
    let usual = "amazonaws.com";
    let forms = if own == usual { vec![usual] } else { vec![own, usual] };
    forms.into_iter().map(|suffix| format!("s3.{region}.{suffix}")).collect()
}

/// Returns the name of another Region in the same partition.
fn elsewhere(region: &Region) -> String {
    let other = if region.as_str().ends_with('9') { '8' } else { '9' };
    format!("{}{other}", region.as_str().trim_end_matches(|c: char| c.is_ascii_digit()))
}

/// Returns an object key that does not begin with `prefix`; none where every key does.
pub(super) fn outside(prefix: &str) -> Option<String> {
    let first = prefix.chars().next()?;
    Some(if first == '0' { "1/outside".to_owned() } else { "0/outside".to_owned() })
}

/// Returns the id of another multi-Region key.
fn other_key(key: &KeyId) -> String {
    let digit = if key.as_str().ends_with('1') { '2' } else { '1' };
    let mut other = key.to_string();
    other.pop();
    other.push(digit);
    other
}
