//! Authorization for KMS keys: the key policy, grants and the caller's own policies, for direct use
//! and for use through S3.
//! Not for: key states (see `world::kms`).

use crate::gate::{AccessRequest, Denied, authorize};
use crate::world::Caller;
use crate::world::iam::Iam;
use crate::world::kms::cipher::EncryptionContext;
use crate::world::kms::{Key, Kms, Material, Wanted};
use crrctl_iam::names::{Arn, KeyId, Region};
use crrctl_iam::{Context, ResourceKind};
use std::time::SystemTime;

/// A request to perform an action on a key.
#[derive(Debug)]
pub(crate) struct KeyRequest<'a> {
    /// The action, such as `kms:Decrypt`.
    pub(crate) action: &'a str,
    /// The condition keys of the request.
    pub(crate) context: Context,
    /// What a grant must allow.
    pub(crate) wanted: Wanted<'a>,
}

/// S3's use of a key on behalf of a caller.
#[derive(Debug)]
pub(crate) struct ThroughS3<'a> {
    /// The action, such as `kms:Decrypt`.
    pub(crate) action: &'a str,
    pub(crate) key: &'a Arn,
    /// The Region of the bucket.
    pub(crate) region: &'a Region,
    /// The value of the encryption context key `aws:s3:arn`: the ARN of the object, or with a
    /// Bucket Key the ARN of the bucket.
    pub(crate) bound_to: &'a str,
}

impl Kms {
    /// Checks that `caller` may perform an action on the key `id` in the account and Region of `at`.
    pub(crate) fn permit(
        &self,
        iam: &Iam,
        caller: &Caller,
        (at, id): (&Caller, &KeyId),
        request: KeyRequest<'_>,
    ) -> Result<(), Denied> {
        self.decide(iam, caller, (at, id), request, None)
    }

    /// Decides by the key policy and the grants that are in force at `at_time`, or by the newest
    /// ones if it is `None`.
    fn decide(
        &self,
        iam: &Iam,
        caller: &Caller,
        (at, id): (&Caller, &KeyId),
        request: KeyRequest<'_>,
        at_time: Option<SystemTime>,
    ) -> Result<(), Denied> {
        let action = request.action;
        let (Some(key), Some(material)) = (self.stored_key(at, id), self.stored_material(at, id))
        else {
            let arn = id.arn(&at.region, &at.account);
            return authorize(
                iam,
                caller,
                AccessRequest::plain(action, arn.as_str(), &at.account),
                Context::new,
            );
        };
        let policy = at_time.map_or(&*key.policy, |time| key.policy.at(time));
        let is_granted = self.is_granted(caller, (at, id), &request, at_time);
        let access = AccessRequest {
            action,
            arn: id.arn(&at.region, &at.account).to_string(),
            owner: &at.account,
            on: Some((ResourceKind::Key, &policy.document)),
        };
        let context = || self.facts(at, id, key, material).overlaid(request.context);
        match authorize(iam, caller, access, context) {
            Err(denied) if !denied.is_explicit() && is_granted => Ok(()),
            decided => decided,
        }
    }

    /// Checks that S3 may use a key on behalf of `caller` (KMS Developer Guide, "kms:ViaService";
    /// S3 User Guide, "Encryption context").
    pub(crate) fn permit_s3(
        &self,
        iam: &Iam,
        caller: &Caller,
        wanted: &ThroughS3<'_>,
    ) -> Result<(), Denied> {
        let service = format!("s3.{}.{}", wanted.region, wanted.region.partition().dns_suffix());
        let context = Context::new()
            .with("kms:ViaService", service)
            .with("kms:EncryptionContext:aws:s3:arn", wanted.bound_to)
            .with("kms:EncryptionContextKeys", "aws:s3:arn")
            .with("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT")
            .with("aws:ViaAWSService", "true");
        if let Some((at, id)) = Self::parts(wanted.key) {
            let pair = ("aws:s3:arn".to_owned(), wanted.bound_to.to_owned());
            let encryption_context = EncryptionContext::from([pair]);
            let wanted_of_grant = Wanted::Cryptography(&encryption_context);
            let request = KeyRequest { action: wanted.action, context, wanted: wanted_of_grant };
            return self.decide(iam, caller, (&at, &id), request, self.recent.now());
        }
        let request = AccessRequest::plain(wanted.action, wanted.key.as_str(), &caller.account);
        authorize(iam, caller, request, || context)
    }

    /// Returns the condition keys that depend on the key (KMS Developer Guide, "AWS KMS condition
    /// keys").
    fn facts(&self, at: &Caller, id: &KeyId, key: &Key, material: &Material) -> Context {
        let mut context = Context::new()
            .with("kms:KeySpec", "SYMMETRIC_DEFAULT")
            .with("kms:KeyUsage", "ENCRYPT_DECRYPT")
            .with("kms:KeyOrigin", "AWS_KMS")
            .with("kms:MultiRegion", material.multi_region.to_string());
        if material.multi_region {
            let primary = material.primary == at.region;
            let kind = if primary { "PRIMARY" } else { "REPLICA" };
            context.set("kms:MultiRegionKeyType", kind);
        }
        let aliases = self.aliases.iter().filter(|((place, _), alias)| {
            (&place.0, &place.1, &alias.target) == (&at.account, &at.region, id)
        });
        let aliases: Vec<String> = aliases.map(|((_, name), _)| name.clone()).collect();
        if !aliases.is_empty() {
            context.set_all("kms:ResourceAliases", aliases);
        }
        for (name, value) in &*key.tags {
            context.set(&format!("aws:ResourceTag/{name}"), value);
        }
        context
    }

    /// Returns whether a grant allows `caller` the request.
    fn is_granted(
        &self,
        caller: &Caller,
        (at, id): (&Caller, &KeyId),
        request: &KeyRequest<'_>,
        at_time: Option<SystemTime>,
    ) -> bool {
        let Some(operation) = request.action.strip_prefix("kms:") else { return false };
        let place = ((at.account.clone(), at.region.clone()), id.clone());
        let grants = self.grants.get(&place).into_iter().flatten();
        grants
            .filter(|grant| at_time.is_none_or(|time| grant.in_force <= time))
            .any(|grant| grant.allows(&caller.principal, operation, request.wanted))
    }
}
