//! Plans buckets and their settings.
//! Not for: Object Lock and lifecycle (see `lock`).

use super::keys::shared_step;
use super::{Builder, Found, in_the_way};
use crate::events::{Kind, StepId};
use crate::failure::{self, Failure};
use crate::manifest::{KeyKind, KeyWish, Side, Topology};
use crate::names::Arn;
use crate::policy::{self, Document, meaning};
use crate::world::{Bucket, Encryption};
use serde_json::Value;

/// The settings of a bucket. Each is a separate step.
const SETTINGS: [Kind; 6] = [
    Kind::BucketTags,
    Kind::Ownership,
    Kind::PublicAccessBlock,
    Kind::Versioning,
    Kind::Encryption,
    Kind::BucketPolicy,
];

/// Object ownership setting: ACLs are disabled, and the bucket owner owns every object.
const OWNER_ENFORCED: &str = "BucketOwnerEnforced";

impl Builder<'_> {
    pub(super) fn bucket(&mut self, side: &Side) -> Result<(), Failure> {
        let name = side.bucket.as_str();
        let live = self.world.buckets.get(&side.bucket);
        let bucket_step = StepId::new(Kind::Bucket, name);
        let arn = Some(side.bucket.arn(self.topology.partition()));
        let found = self.bucket_found(side, live)?;
        let unowned = matches!(found, Found::Unowned);
        self.add(Kind::Bucket, &bucket_step, &side.region, name, arn.clone(), found, &[]);
        for kind in SETTINGS {
            let found = match live {
                None => self.setting_wanted(kind, side)?,
                Some(_) if unowned && kind == Kind::BucketTags => Found::Unowned,
                Some(bucket) => self.setting_found(kind, side, bucket)?,
            };
            let alias = self.alias_step(side);
            let names_key = match kind {
                Kind::Encryption => alias.is_some(),
                Kind::BucketPolicy => {
                    let document = Document::of_bucket(side, self.topology);
                    policy::names_key(&document, self.topology, self.templates)?
                }
                _ => false,
            };
            let tags_step = StepId::new(Kind::BucketTags, name);
            let key_step = self.key_step(side);
            let mut needs = vec![&bucket_step];
            // Versioning of a new bucket does not wait for the tags to be confirmed: any owner of
            // the bucket would enable versioning too, and rules wait for it.
            let may_go_first =
                kind == Kind::BucketTags || kind == Kind::Versioning && live.is_none();
            if !may_go_first {
                needs.push(&tags_step);
            }
            if names_key {
                needs.extend(&alias);
            }
            if kind == Kind::Encryption {
                needs.extend(&key_step);
            }
            self.add(
                kind,
                &StepId::new(kind, name),
                &side.region,
                name,
                arn.clone(),
                found,
                &needs,
            );
        }
        Ok(())
    }

    /// Returns the step that must finish before the key of `side` may be named, if crrctl creates
    /// that key.
    pub(super) fn alias_step(&self, side: &Side) -> Option<StepId> {
        let region = match self.topology.key.kind {
            KeyKind::MultiRegion => &self.topology.home.region,
            _ => &side.region,
        };
        self.topology.has_own_key(side).then(|| StepId::new(Kind::Alias, region.as_str()))
    }

    /// Returns the step that tags an existing key with the bucket of `side`, or that tags another
    /// pair's key as shared. A new key gets the tag when it is created.
    fn key_step(&self, side: &Side) -> Option<StepId> {
        if let Some(key) = self.world.keys.existing.get(&side.bucket) {
            return Some(shared_step(key));
        }
        let (topology, region) = (self.topology, &side.region);
        let is_primary = region == &topology.source.region;
        let kind = if is_primary || topology.key.kind == KeyKind::PerRegion {
            Kind::Key
        } else {
            Kind::ReplicaKey
        };
        let exists = topology.has_own_key(side) && self.world.keys.in_region(region).is_some();
        exists.then(|| StepId::new(kind, region.as_str()))
    }

    pub(super) fn bucket_found(
        &self,
        side: &Side,
        live: Option<&Bucket>,
    ) -> Result<Found, Failure> {
        let adopts = self.topology.adopts(&side.bucket);
        let Some(bucket) = live else {
            return if adopts { Err(not_there(side)) } else { Ok(Found::Missing) };
        };
        if bucket.requester_pays {
            return Err(requester_pays(side));
        }
        if self.is_ours(&bucket.tags) {
            return Ok(Found::Differs(vec![]));
        }
        let of_a_pair =
            [Topology::PAIR_TAG, Topology::ID_TAG].map(|it| bucket.tags.contains_key(it));
        if adopts && of_a_pair == [false, false] {
            return Ok(Found::Adopted);
        }
        if bucket.is_cut_off_creation() {
            return Ok(Found::Unowned);
        }
        let message =
            format!("the bucket `{}` exists and does not bear this pair's tags", side.bucket);
        let hint = match bucket.tags.get(Topology::PAIR_TAG) {
            Some(pair) => format!(
                "it belongs to the pair `{pair}`: use another name for this pair or its buckets"
            ),
            None => "use another bucket name, or remove the bucket".to_owned(),
        };
        let failure = in_the_way("bucket-not-ours", message, &side.region).hint(hint);
        Err(if of_a_pair == [false, false] {
            failure.hint("to have its settings managed, and it never deleted: `adopt: true` beside its name in the manifest")
        } else {
            failure
        })
    }

    /// Returns the state of a setting of a bucket that does not exist yet. A setting that the
    /// manifest turns off needs no action.
    fn setting_wanted(&self, kind: Kind, side: &Side) -> Result<Found, Failure> {
        let nothing_to_do = match kind {
            Kind::BucketPolicy => self.bucket_policy(side, None)?.is_none(),
            // SSE-S3 is S3's default (S3 User Guide, "Default encryption FAQ").
            Kind::Encryption => self.topology.key_wish(side) == KeyWish::Nothing,
            _ => false,
        };
        Ok(if nothing_to_do { Found::Differs(vec![]) } else { Found::Missing })
    }

    fn setting_found(&self, kind: Kind, side: &Side, bucket: &Bucket) -> Result<Found, Failure> {
        let differs = |field: &'static str, differs: bool| {
            Found::Differs(if differs { vec![field] } else { vec![] })
        };
        Ok(match kind {
            Kind::BucketTags => {
                let wanted = self.topology.bucket_tags(&side.bucket);
                Found::Differs(self.tags_found(&bucket.tags, &wanted))
            }
            Kind::Ownership if bucket.ownership.is_none() => Found::Missing,
            Kind::Ownership => {
                differs("ownership", bucket.ownership.as_deref() != Some(OWNER_ENFORCED))
            }
            Kind::PublicAccessBlock => differs("settings", !bucket.blocks_public_access()),
            Kind::Versioning if bucket.versioning.is_none() => Found::Missing,
            Kind::Versioning => differs("status", bucket.versioning.as_deref() != Some("Enabled")),
            Kind::Encryption => match &bucket.encryption {
                None => Found::Missing,
                Some(live) => Found::Differs(self.encryption_differs(side, live)),
            },
            Kind::BucketPolicy => {
                let wanted = self.bucket_policy(side, bucket.policy.as_ref())?;
                match (&bucket.policy, &wanted) {
                    (None, None) => Found::Differs(vec![]),
                    (None, Some(_)) => Found::Missing,
                    (Some(live), Some(wanted)) => {
                        let fields = ["statements"].into_iter().chain(gone(live));
                        Found::Differs(if meaning::same(live, wanted) {
                            vec![]
                        } else {
                            fields.collect()
                        })
                    }
                    (Some(_), None) => differs("statements", true),
                }
            }
            _ => Found::Differs(vec![]),
        })
    }

    fn encryption_differs(&self, side: &Side, live: &Encryption) -> Vec<&'static str> {
        let is_plain = self.topology.key_wish(side) == KeyWish::Nothing;
        let algorithm = if is_plain { "AES256" } else { self.topology.key.algorithm.as_str() };
        let wanted = self.topology.key_arn(&self.keys, side);
        // A KMS-encrypted bucket without a key uses the AWS managed key of the account.
        let is_managed = live.key.is_none() && self.wants_managed_key(side);
        let key_differs = !is_managed
            && (live.key.as_deref() != wanted.as_ref().map(Arn::as_str)
                || (wanted.is_none() && !is_plain));
        let fields = [
            ("algorithm", live.algorithm != algorithm),
            ("key", key_differs),
            ("bucket key", live.bucket_key != self.topology.bucket_key),
        ];
        fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }

    fn wants_managed_key(&self, side: &Side) -> bool {
        match self.topology.key_wish(side) {
            KeyWish::Existing(key) => key.is_managed_by_aws(),
            _ => false,
        }
    }

    fn bucket_policy(&self, side: &Side, live: Option<&Value>) -> Result<Option<Value>, Failure> {
        let wanted = self.render(&Document::of_bucket(side, self.topology))?;
        Ok(meaning::merged_bucket_policy(live, &wanted))
    }
}

/// Marks a policy that must be rewritten because it names deleted principals, whose statements no
/// longer have any effect.
pub(super) fn gone(live: &Value) -> Option<&'static str> {
    (!meaning::gone_principals(live).is_empty()).then_some("principals that were deleted")
}

/// Across accounts "the destination buckets cannot be configured as Requester Pays buckets" (S3
/// User Guide, "Requirements and considerations for replication").
fn requester_pays(side: &Side) -> Failure {
    let message = format!(
        "`{}` is a Requester Pays bucket, and S3 replicates into none of another account",
        side.bucket
    );
    in_the_way("requester-pays", message, &side.region).hint(format!(
        "`aws s3api put-bucket-request-payment --bucket {} --region {} --request-payment-configuration Payer=BucketOwner`",
        side.bucket, side.region
    ))
}

fn not_there(side: &Side) -> Failure {
    let message =
        format!("the manifest adopts the bucket `{}`, and there is none of that name", side.bucket);
    Failure::new(failure::Kind::Manifest, "bucket-missing", message)
        .in_region(&side.region)
        .hint("make it first, or leave out `adopt`: crrctl then makes it, and may delete it")
}
