//! The condition keys of a request and their values.
//! Section: IAM User Guide, "AWS global condition context keys".
//! Not for: determining the condition keys of a service; the code that builds the request sets
//! them.

use std::collections::BTreeMap;

use super::Principal;
use crate::names::AccountId;

/// Condition keys with their values. Condition keys are case-insensitive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    keys: BTreeMap<String, Vec<String>>,
}

impl Context {
    /// Returns a context without condition keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key with one value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.set(key, value);
        self
    }

    /// Sets a key to one value.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.set_all(key, [value]);
    }

    /// Sets a key to several values. Without values, the key resolves to an empty set.
    pub fn set_all(&mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) {
        self.keys.insert(key.to_lowercase(), values.into_iter().map(Into::into).collect());
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &str) {
        self.keys.remove(&key.to_lowercase());
    }

    /// Returns the values of a key, if the request has the key.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.keys.get(&key.to_lowercase()).map(Vec::as_slice)
    }

    /// Returns the keys, in lower case and sorted, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.keys.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// Returns the condition keys that the principal determines.
    ///
    /// Sections: "AWS global condition context keys" and "Principal key values". Not set here:
    /// `aws:SecureTransport`, `aws:SourceIp`, the time, tags, and keys that a service adds.
    pub fn of_caller(principal: &Principal) -> Self {
        let mut context = Self::new();
        let service = matches!(principal, Principal::Service(_));
        context.set("aws:PrincipalIsAWSService", service.to_string());
        context.set("aws:ViaAWSService", "false");
        if let Some(arn) = principal.policy_arn() {
            context.set("aws:PrincipalArn", arn);
        }
        if let Some(kind) = principal.kind() {
            context.set("aws:PrincipalType", kind);
        }
        match principal {
            // The account of an anonymous caller is the text `anonymous` ("aws:PrincipalAccount").
            Principal::Anonymous => {
                context.set("aws:PrincipalAccount", "anonymous");
                context.set("aws:userid", "anonymous");
            }
            Principal::Service(name) => {
                context.set("aws:PrincipalServiceName", name.clone());
                context.set_all("aws:PrincipalServiceNamesList", [name.clone()]);
            }
            Principal::Root { .. } | Principal::User { .. } | Principal::RoleSession { .. } => {}
        }
        if let Some(account) = principal.account() {
            context.set("aws:PrincipalAccount", account);
        }
        if let Some(id) = principal.user_id() {
            context.set("aws:userid", id);
        }
        if let Principal::User { arn, .. } = principal {
            context.set("aws:username", super::principal::last_segment(arn));
        }
        context
    }

    /// Returns the condition keys that the resource's account and the action's service determine.
    ///
    /// Sections: "aws:ResourceAccount"; S3's `s3:ResourceAccount` and KMS's `kms:CallerAccount` in
    /// their lists of condition keys.
    pub fn of_resource(principal: &Principal, action: &str, account: &AccountId) -> Self {
        let mut context = Self::new().with("aws:ResourceAccount", account.as_str());
        let service = action.split(':').next().unwrap_or_default();
        if service.eq_ignore_ascii_case("s3") {
            context.set("s3:ResourceAccount", account.as_str());
        }
        if let (true, Some(caller)) = (service.eq_ignore_ascii_case("kms"), principal.account()) {
            context.set("kms:CallerAccount", caller);
        }
        context
    }

    /// Adds the keys of `other`, which replace keys of the same name.
    #[must_use]
    pub fn overlaid(mut self, other: Self) -> Self {
        self.keys.extend(other.keys);
        self
    }
}
