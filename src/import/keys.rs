//! The keys that encrypt the objects of each side.
//! Not for: writing the keys to the manifest (see `text`).

use super::{OwnSettings, inexpressible};
use crate::failure::Failure;
use crate::names::{Arn, Region};
use crate::settings::Encryption;
use crate::world::{Key, LiveBucket};
use serde_json::Value;

/// The AWS managed key, which S3 creates in each account that uses KMS encryption without naming a
/// key.
pub(super) const MANAGED: &str = "alias/aws/s3";

/// The key settings of a manifest.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) kind: Kind,
    pub(super) dsse: bool,
    pub(super) bucket_key: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// SSE-S3.
    None,
    /// Existing keys; the value is the source's key, or `None` if it keeps SSE-S3 beside rules that
    /// select SSE-KMS objects.
    Existing(Option<String>),
    /// Keys that crrctl made.
    OwnSettings {
        multi_region: bool,
        alias: Option<String>,
        rotation_days: Option<u32>,
        /// The key administrators in the key policy.
        administrators: Vec<String>,
        /// The accounts that may use the key according to its key policy.
        usable_by_accounts: Vec<String>,
    },
}

pub(super) fn kms(encryption: Option<&Encryption>) -> Option<&Encryption> {
    encryption.filter(|it| it.is_kms())
}

pub(super) fn keys(own: &OwnSettings<'_>) -> Result<Keys, Failure> {
    let source = &own.live.source;
    let selects = own.rules().iter().any(|rule| rule.enabled && rule.kms_objects);
    let Some(encryption) = kms(source.bucket.encryption()) else {
        let keeps = own.place(source).adopt;
        if selects && keeps {
            return Ok(Keys { kind: Kind::Existing(None), dsse: false, bucket_key: false });
        }
        if selects {
            let message = format!(
                "the rules of `{}` replicate SSE-KMS objects, and the bucket itself encrypts by SSE-S3: a manifest has keys on both sides or on none",
                source.name
            );
            return Err(inexpressible(&message)
                .hint("give the source bucket a KMS key as its default encryption first"));
        }
        let kept = own
            .live
            .destinations
            .iter()
            .find(|it| !own.place(it).adopt && kms(it.bucket.encryption()).is_some());
        if let Some(kept) = kept {
            let message = format!(
                "`{}` encrypts by SSE-S3 and its destination `{}` under a KMS key: a manifest has keys on both sides or on none",
                source.name, kept.name
            );
            return Err(inexpressible(&message)
                .hint("give the source bucket a KMS key as its default encryption first"));
        }
        return Ok(Keys { kind: Kind::None, dsse: false, bucket_key: false });
    };
    if !selects {
        let message = format!(
            "`{}` encrypts under a KMS key, and no rule that is Enabled selects SSE-KMS objects: nothing new replicates",
            source.name
        );
        return Err(inexpressible(&message)
            .hint("let the rule select SSE-KMS objects, with a key for the replicas"));
    }
    let dsse = encryption.algorithm == "aws:kms:dsse";
    let (name, key) = of_bucket(own, source)?;
    let every = own.rules().iter().filter(|rule| rule.enabled).filter_map(|rule| {
        let place = own.live.destinations.iter().find(|it| leads_to(&rule.destination, it))?;
        own.live.keys.get(&(place.region.clone(), rule.replica_key.clone()?))
    });
    let all_ours = own.is_ours(&key.tags) && every.clone().all(|it| own.is_ours(&it.tags));
    let alias = own.live.aliases.get(&source.region).filter(|_| all_ours);
    let kind = match alias {
        Some(alias) => Kind::OwnSettings {
            multi_region: key.id.is_multi_region(),
            alias: (*alias != format!("alias/crrctl/{}", own.name)).then(|| alias.clone()),
            rotation_days: key.rotation_days,
            administrators: principals(&key.policy, "Administrators"),
            usable_by_accounts: accounts(&key.policy),
        },
        None => Kind::Existing(Some(name)),
    };
    Ok(Keys { kind, dsse, bucket_key: encryption.bucket_key })
}

/// Returns the principals of the statement with this Sid in crrctl's key policies, without deleted
/// principals.
pub(super) fn principals(policy: &Value, sid: &str) -> Vec<String> {
    let statements = policy["Statement"].as_array().into_iter().flatten();
    let ours = statements.filter(|it| it["Sid"] == sid && it["Effect"] == "Allow");
    let named = ours.flat_map(|statement| match &statement["Principal"]["AWS"] {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    });
    named.filter_map(|it| Some(Arn::new(it.as_str()?).ok()?.to_string())).collect()
}

/// Returns the accounts whose root principal may use the key.
pub(super) fn accounts(policy: &Value) -> Vec<String> {
    let roots = principals(policy, "OtherAccountsUse");
    roots.iter().filter_map(|arn| Some(Arn::new(arn.as_str()).ok()?.account().to_owned())).collect()
}

/// Returns whether a rule's destination is this bucket.
pub(super) fn leads_to(destination: &str, it: &LiveBucket) -> bool {
    Arn::new(destination).is_ok_and(|arn| arn.resource() == it.name.as_str())
}

/// Returns the key of a bucket's default encryption, as a manifest names it.
fn of_bucket<'a>(own: &OwnSettings<'a>, it: &LiveBucket) -> Result<(String, &'a Key), Failure> {
    let named = kms(it.bucket.encryption()).and_then(|it| it.key().map(str::to_owned));
    let is_managed = named.is_none();
    let named = named.unwrap_or_else(|| MANAGED.to_owned());
    let key = found(own, &it.region, &named)?;
    Ok((if is_managed { named } else { key.arn.to_string() }, key))
}

/// Returns the key that a rule names for its replicas, as a manifest names it.
pub(super) fn of_replicas(
    own: &OwnSettings<'_>,
    it: &LiveBucket,
    named: &str,
) -> Result<String, Failure> {
    let key = found(own, &it.region, named)?;
    let encryption = kms(it.bucket.encryption());
    let is_managed = encryption.is_some_and(|it| it.key().is_none())
        && found(own, &it.region, MANAGED).is_ok_and(|managed| managed.arn == key.arn);
    Ok(if is_managed { MANAGED.to_owned() } else { key.arn.to_string() })
}

fn found<'a>(own: &OwnSettings<'a>, region: &Region, named: &str) -> Result<&'a Key, Failure> {
    own.live.keys.get(&(region.clone(), named.to_owned())).ok_or_else(|| {
        let message = format!("there is no key `{named}` in {region}");
        Failure::new(crate::failure::Kind::InTheWay, "key-missing", message)
            .in_region(region)
            .hint("what is encrypted under a key that is gone can't be read; give the bucket or the rule another one first")
    })
}
