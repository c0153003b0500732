//! AWS managed keys: the one for S3, which is created at its first use, and the predefined aliases
//! of the others.
//! Not for: customer managed keys, and the keys of services that are not modelled.

use super::{Alias, Key, KeyState, Kms, Material, Schedule, new_id};
use crate::world::{Caller, Spreading, Stored};
use crrctl_iam::names::{Arn, KeyId};
use std::time::SystemTime;

/// The alias of the AWS managed key for S3.
const S3: &str = "alias/aws/s3";

/// The aliases that AWS creates in every account. Until the key is used for the first time, an
/// alias has no key (KMS API Reference, `ListAliases`). AWS's documentation does not list them;
/// these are in published outputs of `ListAliases`.
const PREDEFINED: [&str; 14] = [
    "alias/aws/acm",
    "alias/aws/dynamodb",
    "alias/aws/ebs",
    "alias/aws/elasticfilesystem",
    "alias/aws/es",
    "alias/aws/glue",
    "alias/aws/kinesisvideo",
    "alias/aws/lambda",
    "alias/aws/rds",
    "alias/aws/redshift",
    S3,
    "alias/aws/secretsmanager",
    "alias/aws/ssm",
    "alias/aws/xray",
];

/// KMS rotates AWS managed keys about every year (KMS Developer Guide, "AWS managed keys").
const PERIOD: u32 = 365;

/// Returns the predefined aliases.
pub(crate) fn predefined() -> impl Iterator<Item = &'static str> {
    PREDEFINED.into_iter()
}

impl Kms {
    /// Creates the AWS managed key that a reference to a predefined alias names, if it does not
    /// exist yet (KMS API Reference, `DescribeKey`). Returns the key that it created.
    ///
    /// # Errors
    /// The alias, if its key is not modelled.
    pub(crate) fn create_predefined(
        &mut self,
        caller: &Caller,
        reference: &str,
        now: SystemTime,
    ) -> Result<Option<KeyId>, &'static str> {
        let own = super::arn_of(caller, "").to_string();
        let name = reference.strip_prefix(&own).unwrap_or(reference);
        match predefined().find(|alias| *alias == name) {
            Some(S3) => {
                let (id, is_new) = self.create_for_s3(caller, now);
                Ok(is_new.then_some(id))
            }
            Some(alias) => Err(alias),
            None => Ok(None),
        }
    }

    /// Takes back the creation of a key.
    pub(crate) fn forget(&mut self, at: &Caller, id: &KeyId, now: SystemTime) {
        self.remove(&((at.account.clone(), at.region.clone()), id.clone()), now);
    }

    /// Returns the ARN of the AWS managed key for S3 in the caller's account and Region. The key is
    /// created at its first use, as on AWS.
    pub(crate) fn managed_for_s3(&mut self, caller: &Caller, now: SystemTime) -> Arn {
        self.create_for_s3(caller, now).0.arn(&caller.region, &caller.account)
    }

    /// Creates the AWS managed key for S3, if it does not exist yet. Returns the key, and whether it
    /// is new.
    fn create_for_s3(&mut self, caller: &Caller, now: SystemTime) -> (KeyId, bool) {
        let place = (caller.account.clone(), caller.region.clone());
        if let Some(alias) = self.aliases.get(&(place.clone(), S3.to_owned())) {
            return (alias.target.clone(), false);
        }
        let id = new_id(false);
        let key = Key {
            description: "Default key that protects my S3 objects when no other key is defined"
                .into(),
            policy: Spreading::new(policy(caller)),
            tags: Spreading::default(),
            state: KeyState::Enabled,
            created: now,
            aws_managed: true,
            usable: now,
            listed: now,
        };
        let mut material = Material::new(false, caller.region.clone());
        material.rotation = Some(Schedule::new(PERIOD, now));
        self.materials.insert((caller.account.clone(), id.clone()), material);
        self.keys.insert((place.clone(), id.clone()), key);
        let alias = Alias { target: id.clone(), created: now, updated: now, listed: now };
        self.aliases.insert((place, S3.to_owned()), alias);
        (id, true)
    }
}

/// Returns the key policy of the AWS managed key for S3: all principals in the account can use the
/// key, but only through S3 (KMS Developer Guide, "AWS managed keys").
fn policy(caller: &Caller) -> Stored {
    let root = Arn::known(caller.partition(), "iam", "", caller.account.as_str(), "root");
    let service = format!("s3.{}.{}", caller.region, caller.partition().dns_suffix());
    Stored::known(&serde_json::json!({
        "Version": "2012-10-17",
        "Id": "auto-s3-2",
        "Statement": [{
            "Sid": "Allow access through S3 for all principals in the account that are authorized to use S3",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:CallerAccount": caller.account, "kms:ViaService": service}},
        }, {
            "Sid": "Allow direct access to key metadata to the account",
            "Effect": "Allow",
            "Principal": {"AWS": root},
            "Action": ["kms:Describe*", "kms:Get*", "kms:List*"],
            "Resource": "*",
        }],
    }))
}
