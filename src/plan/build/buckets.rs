//! Plans buckets and their settings.
//! Not for: Object Lock and lifecycle (see `lock`).

use super::keys::shared_step;
use super::{Builder, in_the_way};
use crate::events::{Kind, StepId, Verb};
use crate::failure::{self, Failure};
use crate::manifest::{KeyKind, PairKeys, Side, Topology};
use crate::plan::work::{
    Adoption, BucketMade, BucketTagsWork, BucketWork, PolicyDiffers, SharedDocument, TagsDiffer,
};
use crate::plan::{StatementChange, Work, statements};
use crate::policy::{self, Document, meaning};
use crate::settings::{Change, DefaultKey, Encryption, Wish};
use crate::world::Bucket;
use serde_json::Value;

impl Builder<'_> {
    pub(super) fn bucket(&mut self, side: &Side) -> Result<(), Failure> {
        let name = side.bucket.as_str();
        let live = self.world.buckets.get(&side.bucket);
        let arn = Some(side.bucket.arn(self.topology.wanted.partition()));
        let bucket = self.bucket_work(side, live)?;
        let documents = self.documents(side, live, &bucket)?;
        self.add(Work::Bucket(bucket), name, &side.region, name, arn.clone(), &[]);
        let bucket_step = StepId::new(Kind::Bucket, name);
        let tags_step = StepId::new(Kind::BucketTags, name);
        // S3 refuses to turn ACLs off while the ACL grants something to others (S3 User Guide,
        // "Prerequisites for disabling ACLs"): nothing else of an existing bucket is written before.
        let is_ownership = |work: &Work| work.kind() == Kind::Ownership;
        let writes_ownership = live.is_some()
            && documents.iter().any(|it| is_ownership(it) && it.verb() == Verb::Update);
        let ownership_step = StepId::new(Kind::Ownership, name);
        for work in documents {
            let alias = self.alias_step(side);
            let is_encryption = work.kind() == Kind::Encryption;
            let names_key = if matches!(work, Work::BucketPolicy(_)) {
                let document = Document::of_bucket(side, self.topology);
                policy::names_key(&document, self.topology, self.templates)?
            } else {
                is_encryption && alias.is_some()
            };
            let key_step = self.key_step(side);
            let mut needs = vec![&bucket_step];
            // Versioning of a new bucket does not wait for the tags to be confirmed: any owner of
            // the bucket would enable versioning too, and rules wait for it.
            let may_go_first = matches!(work, Work::BucketTags(_))
                || work.kind() == Kind::Versioning && live.is_none();
            if !may_go_first {
                needs.push(&tags_step);
                if writes_ownership && !is_ownership(&work) {
                    needs.push(&ownership_step);
                }
            }
            if names_key {
                needs.extend(&alias);
            }
            if is_encryption {
                needs.extend(&key_step);
            }
            self.add(work, name, &side.region, name, arn.clone(), &needs);
        }
        Ok(())
    }

    /// Returns the work on the documents of a bucket, each a step of its own. Object Lock and
    /// lifecycle follow later (see `lock`).
    fn documents(
        &self,
        side: &Side,
        live: Option<&Bucket>,
        bucket: &BucketWork,
    ) -> Result<Vec<Work>, Failure> {
        let is_cut_off = *bucket == BucketWork::Adopt(Adoption::CutOffCreation);
        let changes = document_changes(self.topology, &self.keys, side, live);
        let mut all = vec![Work::BucketTags(self.bucket_tags_work(side, live, is_cut_off))];
        all.extend(changes.into_iter().map(Work::Document));
        all.push(Work::BucketPolicy(self.bucket_policy_work(side, live)?));
        Ok(all)
    }

    /// Returns the step that must finish before the key of `side` may be named, if crrctl creates
    /// that key.
    pub(super) fn alias_step(&self, side: &Side) -> Option<StepId> {
        let region = match self.topology.wanted.key.kind {
            KeyKind::MultiRegion => &self.topology.wanted.home().region,
            KeyKind::PerRegion | KeyKind::Existing | KeyKind::None => &side.region,
        };
        side.has_own_key().then(|| StepId::new(Kind::Alias, region.as_str()))
    }

    /// Returns the step that tags an existing key with the bucket of `side`, or that tags another
    /// pair's key as shared. A new key gets the tag when it is created.
    fn key_step(&self, side: &Side) -> Option<StepId> {
        if let Some(key) = self.world.keys.existing.get(&side.bucket) {
            return Some(shared_step(key));
        }
        let (topology, region) = (self.topology, &side.region);
        let is_primary = region == &topology.source.region;
        let kind = if is_primary || topology.wanted.key.kind == KeyKind::PerRegion {
            Kind::Key
        } else {
            Kind::ReplicaKey
        };
        let exists = side.has_own_key() && self.world.keys.in_region(region).is_some();
        exists.then(|| StepId::new(kind, region.as_str()))
    }

    pub(super) fn bucket_work(
        &self,
        side: &Side,
        live: Option<&Bucket>,
    ) -> Result<BucketWork, Failure> {
        let adopts = self.topology.wanted.adopts(&side.bucket);
        let Some(bucket) = live else {
            if adopts {
                return Err(not_there(side));
            }
            let is_of_pair = self.topology.sides().any(|other| other == side);
            return Ok(BucketWork::Create(BucketMade {
                tags: self.topology.bucket_tags(&side.bucket),
                object_lock: is_of_pair && self.topology.wanted.buckets.lock.is_some(),
            }));
        };
        if bucket.requester_pays {
            return Err(requester_pays(side));
        }
        if self.is_ours(&bucket.tags) {
            return Ok(BucketWork::Unchanged);
        }
        let of_a_pair =
            [Topology::PAIR_TAG, Topology::ID_TAG].map(|it| bucket.tags.contains_key(it));
        if adopts && of_a_pair == [false, false] {
            return Ok(BucketWork::Adopt(Adoption::Existing));
        }
        if bucket.is_cut_off_creation() {
            return Ok(BucketWork::Adopt(Adoption::CutOffCreation));
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

    fn bucket_tags_work(
        &self,
        side: &Side,
        live: Option<&Bucket>,
        is_cut_off: bool,
    ) -> BucketTagsWork {
        let wanted = self.topology.bucket_tags(&side.bucket);
        match live {
            None => BucketTagsWork::Create(wanted),
            Some(_) if is_cut_off => BucketTagsWork::Adopt(wanted),
            Some(bucket) => {
                let differs = self.tags_differ(&bucket.tags, wanted);
                if differs == TagsDiffer::default() {
                    BucketTagsWork::Unchanged
                } else {
                    BucketTagsWork::Update(differs)
                }
            }
        }
    }

    fn bucket_policy_work(
        &self,
        side: &Side,
        live: Option<&Bucket>,
    ) -> Result<SharedDocument<Vec<StatementChange>, PolicyDiffers>, Failure> {
        let live = live.and_then(|bucket| bucket.policy.as_ref());
        let wanted = self.bucket_policy(side, live)?;
        let statements = statements::changes(live, wanted.as_ref());
        Ok(match (live, &wanted) {
            (None, None) => SharedDocument::Unchanged,
            (None, Some(_)) => SharedDocument::Create(statements),
            (Some(live), Some(wanted)) if meaning::same(live, wanted) => SharedDocument::Unchanged,
            (Some(live), Some(_)) => SharedDocument::Update(PolicyDiffers {
                statements,
                deleted_principals: meaning::gone_principals(live),
            }),
            (Some(_), None) => {
                SharedDocument::Update(PolicyDiffers { statements, deleted_principals: Vec::new() })
            }
        })
    }

    pub(super) fn bucket_policy(
        &self,
        side: &Side,
        live: Option<&Value>,
    ) -> Result<Option<Value>, Failure> {
        let wanted = self.render(&Document::of_bucket(side, self.topology))?;
        Ok(meaning::merged_bucket_policy(live, &wanted))
    }
}

/// Returns what is to be done with the documents of the bucket of `side`.
pub(in crate::plan) fn document_changes(
    topology: &Topology,
    keys: &PairKeys,
    side: &Side,
    live: Option<&Bucket>,
) -> Vec<Change> {
    let wish = Wish {
        settings: &topology.wanted.buckets,
        encryption: encryption(topology, keys, side, live.and_then(Bucket::encryption)),
        exists: live.is_some(),
        adopted: live.is_some_and(|it| topology.wanted.is_adopted(&side.bucket, &it.tags)),
        account: side.account.as_str(),
        region: side.region.as_str(),
    };
    Change::all(&wish, live.map(|bucket| &bucket.documents))
}

/// Returns the default encryption that the bucket of `side` should have.
fn encryption(
    topology: &Topology,
    keys: &PairKeys,
    side: &Side,
    live: Option<&Encryption>,
) -> Encryption {
    let is_plain = !side.has_key();
    let key = match topology.wanted.key_arn(keys, side) {
        _ if is_plain => DefaultKey::None,
        // A KMS-encrypted bucket without a key uses the AWS managed key of the account.
        _ if side.key.is_managed_by_aws() && live.is_some_and(|it| it.key().is_none()) => {
            DefaultKey::None
        }
        None => DefaultKey::New,
        Some(arn) => DefaultKey::Known(arn.to_string()),
    };
    let algorithm =
        if is_plain { Encryption::SSE_S3 } else { topology.wanted.key.algorithm.as_str() };
    let bucket_key = topology.wanted.bucket_key;
    Encryption { algorithm: algorithm.to_owned(), key, bucket_key, blocked: Vec::new() }
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
