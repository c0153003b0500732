//! The callers, buckets, objects and keys of a pair, and similar resources on which calls must be
//! denied.
//! Not for: the list of calls (see `replication`, `keys`, `buckets`, `batch`, `operator`).

use super::call::{Call, OwnPolicies, PolicyCaller, ResourcePolicyOf};
use super::{Document, Documents};
use crate::manifest::{PairKeys, Side, Topology};
use crate::names::{AccountId, Arn, Partition, Region};
use crrctl_iam::{Principal, ResourceKind};

/// S3's encryption context is the ARN of the object, or of the bucket where a Bucket Key is used
/// (S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys").
pub(super) const CONTEXT: &str = "kms:EncryptionContext:aws:s3:arn";
/// KMS Developer Guide, "AWS KMS condition keys".
pub(super) const VIA: &str = "kms:ViaService";
/// Whether the request came over TLS ("AWS global condition context keys").
pub(super) const TLS: &str = "aws:SecureTransport";

/// A pair, its keys and documents, and an unrelated account.
pub(super) struct Scene<'a> {
    pub(super) topology: &'a Topology,
    /// The keys, with placeholders for keys that are not known.
    pub(super) keys: PairKeys,
    documents: &'a Documents,
    /// An account that the manifest does not name.
    pub(super) stranger: AccountId,
}

impl<'a> Scene<'a> {
    pub(super) fn new(topology: &'a Topology, keys: &PairKeys, documents: &'a Documents) -> Self {
        let named = |account: &AccountId| {
            topology.accounts().contains(&account)
                || topology.wanted.key.usable_by_accounts.contains(account)
                || topology
                    .wanted
                    .key
                    .administrators
                    .iter()
                    .any(|arn| arn.account() == account.as_str())
        };
        let stranger = (0..1_000_u64)
            .filter_map(|n| AccountId::new((999_999_999_999 - n).to_string()).ok())
            .find(|account| !named(account))
            .unwrap_or_else(|| topology.source.account.clone());
        Self { topology, keys: topology.or_some_keys(keys), documents, stranger }
    }

    pub(super) fn partition(&self) -> Partition {
        self.topology.wanted.partition()
    }

    /// Returns a session of the role `name` in `account`.
    pub(super) fn session(&self, account: &AccountId, name: &str) -> Principal {
        let role = self.iam(account, &format!("role/{name}"));
        Principal::RoleSession { role, session: "proof".to_owned(), id: None }
    }

    pub(super) fn iam(&self, account: &AccountId, resource: &str) -> Arn {
        Arn::known(self.partition(), "iam", "", account.as_str(), resource)
    }

    /// Returns a caller of an unrelated account whose own policies allow everything.
    pub(super) fn stranger(&self, section: &'static str) -> PolicyCaller {
        let caller = self.session(&self.stranger, "stranger");
        PolicyCaller { section, caller, own: OwnPolicies::Everything }
    }

    pub(super) fn bucket_policy(&self, side: &Side) -> ResourcePolicyOf {
        ResourcePolicyOf::Document(ResourceKind::Bucket, Document::of_bucket(side, self.topology))
    }

    pub(super) fn bucket_arn(&self, side: &Side) -> String {
        side.bucket.arn(self.partition()).to_string()
    }

    /// Returns the ARN of an object whose key begins with `prefix`.
    pub(super) fn object_arn(&self, side: &Side, prefix: &str) -> String {
        format!("{}/{prefix}object", self.bucket_arn(side))
    }

    /// Returns the ARN of the key of `side`. `side` must have a key.
    pub(super) fn key_arn(&self, side: &Side) -> String {
        self.topology
            .wanted
            .key_arn(&self.keys, side)
            .map(|arn| arn.to_string())
            .unwrap_or_default()
    }

    /// Returns the key policy of the key of `side`. If the policy of an existing key is not known,
    /// it is assumed to delegate to IAM for a key of the source's account, and to allow everything
    /// for a key of another account.
    pub(super) fn key_policy(&self, side: &Side) -> ResourcePolicyOf {
        let document = Document::of_key(side);
        if side.has_own_key() || self.documents.has(&document) {
            ResourcePolicyOf::Document(ResourceKind::Key, document)
        } else if self.key_owner(side) == self.topology.source.account {
            ResourcePolicyOf::LeftToIam
        } else {
            ResourcePolicyOf::Everything(ResourceKind::Key)
        }
    }

    /// Returns a call on a bucket. The same call on a bucket with a similar name must be denied.
    pub(super) fn on_bucket(&self, who: &PolicyCaller, action: &str, side: &Side) -> Call {
        let decoy = (format!("{}-other", self.bucket_arn(side)), ResourcePolicyOf::Nothing);
        Call::new(who, action, self.bucket_arn(side), self.owner(side))
            .at(self.bucket_policy(side))
            .foreign_resources([decoy])
    }

    /// Returns a call on an object under `prefix`. The same call on an object in another bucket, or
    /// outside `all` prefixes, must be denied.
    pub(super) fn on_object(
        &self,
        who: &PolicyCaller,
        action: &str,
        side: &Side,
        prefix: &str,
        all: &[&str],
    ) -> Call {
        let elsewhere = format!("{}-other/{prefix}object", self.bucket_arn(side));
        let outside = outside(all).map(|key| format!("{}/{key}", self.bucket_arn(side)));
        let at = self.bucket_policy(side);
        let outside = outside.map(|arn| (arn, at.clone()));
        Call::new(who, action, self.object_arn(side, prefix), self.owner(side))
            .at(at)
            .foreign_resources([(elsewhere, ResourcePolicyOf::Nothing)])
            .foreign_resources(outside)
    }

    /// Returns a call on the key of `side` by a caller who can use only this key. The same call on
    /// another key of the same account, whose policy delegates to IAM too, must be denied.
    pub(super) fn on_key(&self, who: &PolicyCaller, action: &str, side: &Side) -> Call {
        let (at, arn) = (self.key_policy(side), self.key_arn(side));
        let other = other_key(&arn);
        let owner = self.key_owner(side);
        Call::new(who, action, arn, &owner).at(at.clone()).foreign_resources([(other, at)])
    }

    /// Returns the account of the bucket of `side`.
    pub(super) fn owner(&self, side: &Side) -> &AccountId {
        self.topology.wanted.account_of(&side.region)
    }

    /// Returns the account of the key of `side`: the account in the key's ARN, otherwise the
    /// account of the bucket.
    pub(super) fn key_owner(&self, side: &Side) -> AccountId {
        let arn = self.topology.wanted.key_arn(&self.keys, side);
        let given = arn.and_then(|arn| AccountId::new(arn.account()).ok());
        given.unwrap_or_else(|| self.owner(side).clone())
    }

    pub(super) fn kms(&self, region: &Region, resource: &str) -> String {
        let account = self.topology.wanted.account_of(region).as_str();
        Arn::known(self.partition(), "kms", region.as_str(), account, resource).to_string()
    }
}

/// Returns `call` as S3 makes it for `side`: once for each form of S3's service name and each of
/// `contexts`. The call must be denied without the service name or the context, and with other
/// services or contexts.
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

/// Returns the names with which S3 can call another service in `region`. The form outside `aws` and
/// `aws-us-gov` is not documented: the suffix is the partition's own or the usual one.
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

/// Returns an object key that begins with none of `prefixes`; `None` if every key begins with one.
pub(super) fn outside(prefixes: &[&str]) -> Option<String> {
    let is_out = |key: &String| prefixes.iter().all(|prefix| !key.starts_with(prefix));
    ('0'..='9').chain('A'..='z').map(|first| format!("{first}/outside")).find(is_out)
}

/// Returns the ARN of another key of the same kind.
pub(super) fn other_key(arn: &str) -> String {
    let digit = if arn.ends_with('1') { '2' } else { '1' };
    let mut other = arn.to_owned();
    other.pop();
    other.push(digit);
    other
}
