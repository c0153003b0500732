//! One object: what became of it, whether a live rule selects it, and which key it is under.
//! Not for: the proof of S3's calls (see `proof`), or the newest objects of a pair (see `objects`).

use super::Finding;
use super::objects::NAME as STATUS;
use super::rules::NAME as RULES;
use super::seen::Seen;
use crate::aws::{At, Aws};
use crate::failure::Failure;
use crate::manifest::{ARCHIVES, Side};
use crate::names::BucketName;
use crate::policy::proof::ObjectShape;
use crate::probe::{NamedObject, NotSeen, look_at};
use crate::world::{Rule, Tags};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{
    ObjectLockLegalHoldStatus as LegalHold, ReplicationStatus as Status,
    ServerSideEncryption as Encryption,
};

/// An object to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Name of its bucket.
    pub bucket: BucketName,
    /// Its key.
    pub key: String,
    /// The version, or `None` for the current one.
    pub version_id: Option<String>,
}

/// What S3 says of the object.
struct Facts {
    head: HeadObjectOutput,
    tags: Tags,
}

/// What was found of an object that a live rule selects: what S3's calls for it depend on.
#[derive(Debug)]
pub(super) struct Found {
    /// ARN of the KMS key that it is under.
    pub(super) key: Option<String>,
    /// The destinations of the rules that select it.
    pub(super) destinations: Vec<Side>,
    /// Its properties.
    pub(super) shape: ObjectShape,
}

impl Found {
    /// Returns whether S3 makes the same calls for both, but for the key of the object. Objects in
    /// different folders are not alike: policies may tell them apart.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let folder = |it: &Self| {
            let key = &it.shape.key;
            key.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned())
        };
        let of_folder = |it: &Self| ObjectShape { key: folder(it), ..it.shape.clone() };
        self.key == other.key && of_folder(self) == of_folder(other)
    }
}

/// Returns the findings about the object and, if a live rule selects it, what S3's calls for it
/// depend on.
///
/// # Errors
/// There is no such object or version (`object-missing`), or S3 does not show it
/// (`object-unreadable`).
pub(super) async fn check(
    aws: &Aws,
    seen: &Seen,
    object: &Object,
) -> Result<(Vec<Finding>, Option<Found>), Failure> {
    let region = &seen.topology.source.region;
    let facts = match facts(aws, seen, object).await {
        Ok(facts) => facts,
        Err(NotSeen::Known(failure)) => return Err(failure),
        Err(NotSeen::Call(error)) => {
            return Ok((vec![Finding::unread(STATUS, &error).at(region)], None));
        }
    };
    let live = seen.source().and_then(|source| source.replication.as_ref().ok()?.as_ref());
    let rules = live.map_or(&[][..], |live| live.rules.as_slice());
    let selecting: Vec<&Rule> = rules.iter().filter(|rule| selects(rule, object, &facts)).collect();
    let selected = !selecting.is_empty();
    let mut findings = vec![status(object, &facts, selected)];
    if !selected && facts.head.replication_status() != Some(&Status::Replica) {
        findings.push(unselected(rules, object, &facts));
    }
    let class = facts.head.storage_class().map(aws_sdk_s3::types::StorageClass::as_str);
    if let Some((class, _)) = ARCHIVES.iter().find(|(name, _)| Some(*name) == class) {
        let detail = format!("{} lies in {class}, which S3 does not replicate", named(object));
        let finding = Finding::fail(RULES, detail, "restore it, and copy it onto itself");
        findings.push(finding.because(&["SrcObjectNotEligible"]));
    }
    let found = selected.then(|| Found {
        key: facts.head.ssekms_key_id().map(str::to_owned),
        destinations: destinations(seen, &selecting),
        shape: shape(object, &facts),
    });
    Ok((findings.into_iter().map(|finding| finding.at(region)).collect(), found))
}

/// Returns the destinations of the pair that `rules` lead to. Rules of others lead elsewhere too.
fn destinations(seen: &Seen, rules: &[&Rule]) -> Vec<Side> {
    let leads = |side: &&Side| {
        let arn = side.bucket.arn(seen.topology.wanted.partition());
        rules.iter().any(|rule| rule.destination == arn.as_str())
    };
    seen.topology.destinations.iter().filter(leads).cloned().collect()
}

fn shape(object: &Object, facts: &Facts) -> ObjectShape {
    let head = &facts.head;
    let kms = [Encryption::AwsKms, Encryption::AwsKmsDsse];
    let algorithm = head.server_side_encryption().filter(|it| kms.contains(it));
    let class = head.storage_class().map(aws_sdk_s3::types::StorageClass::as_str);
    // The ETag of an object in parts ends with their number (S3 API Reference, "Object").
    let is_in_parts = head.e_tag().is_some_and(|tag| tag.contains('-'));
    ObjectShape {
        key: object.key.clone(),
        algorithm: algorithm.map(|it| it.as_str().to_owned()),
        bucket_key: head.bucket_key_enabled() == Some(true),
        has_tags: !facts.tags.is_empty(),
        is_in_parts,
        storage_class: class.map(str::to_owned).filter(|it| it != "STANDARD"),
        has_retention: head.object_lock_mode().is_some(),
        has_legal_hold: head.object_lock_legal_hold_status() == Some(&LegalHold::On),
    }
}

async fn facts(aws: &Aws, seen: &Seen, object: &Object) -> Result<Facts, NotSeen> {
    let region = &seen.topology.source.region;
    let (s3, bucket) = (aws.s3(region), object.bucket.as_str());
    let named = NamedObject {
        bucket: &object.bucket,
        key: &object.key,
        version_id: object.version_id.as_deref(),
    };
    let head = look_at(aws, region, named).await?;
    let tags = s3.get_object_tagging().bucket(bucket).key(&object.key);
    let tags = tags.set_version_id(object.version_id.clone());
    let has_tags = head.tag_count().is_some_and(|count| count > 0);
    let tags = if has_tags {
        let output = tags.send().await.at("s3:GetObjectTagging", region);
        let output = output.map_err(NotSeen::Call)?;
        let pair = |tag: &aws_sdk_s3::types::Tag| (tag.key().to_owned(), tag.value().to_owned());
        output.tag_set().iter().map(pair).collect()
    } else {
        Tags::new()
    };
    Ok(Facts { head, tags })
}

fn named(object: &Object) -> String {
    let version = object.version_id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
    format!("`s3://{}/{}`{version}", object.bucket, object.key)
}

/// Returns whether a rule that is in force selects the object (S3 User Guide, "Replication
/// configuration file elements": a rule replicates SSE-KMS objects only where it says so).
fn selects(rule: &Rule, object: &Object, facts: &Facts) -> bool {
    rule.enabled && has_prefix(rule, object) && has_tags(rule, facts) && takes_key(rule, facts)
}

fn has_prefix(rule: &Rule, object: &Object) -> bool {
    object.key.starts_with(rule.prefix.as_deref().unwrap_or_default())
}

fn has_tags(rule: &Rule, facts: &Facts) -> bool {
    rule.tags.iter().all(|(key, value)| facts.tags.get(key) == Some(value))
}

fn takes_key(rule: &Rule, facts: &Facts) -> bool {
    let kms = [Some(&Encryption::AwsKms), Some(&Encryption::AwsKmsDsse)];
    rule.kms_objects || !kms.contains(&facts.head.server_side_encryption())
}

fn status(object: &Object, facts: &Facts, selected: bool) -> Finding {
    let name = named(object);
    match facts.head.replication_status() {
        Some(Status::Failed) => Finding::fail(
            STATUS,
            format!("{name} is FAILED; that is final for it"),
            "fix what the other checks name, then `crrctl backfill --status failed`",
        ),
        Some(Status::Completed | Status::Complete) => {
            Finding::pass(STATUS, format!("{name} is COMPLETED"))
        }
        Some(Status::Replica) => Finding::pass(STATUS, format!("{name} is itself a replica")),
        Some(status) => {
            Finding::skip(STATUS, format!("{name} is {}: S3 has not decided", status.as_str()))
        }
        None if selected => Finding::fail(
            STATUS,
            format!("{name} has no replication status: no rule selected it when it was written"),
            "`crrctl backfill` replicates it",
        ),
        None => Finding::fail(
            STATUS,
            format!("{name} has no replication status: no rule selects it"),
            "let a rule select it, then `crrctl backfill`",
        ),
    }
}

/// Returns why no rule selects the object, by the rule that comes nearest.
fn unselected(rules: &[Rule], object: &Object, facts: &Facts) -> Finding {
    let by_prefix = || rules.iter().filter(|rule| has_prefix(rule, object));
    let by_tags = || by_prefix().filter(|rule| has_tags(rule, facts));
    let detail = if rules.is_empty() {
        "the bucket has no replication rule".to_owned()
    } else if let Some(rule) = by_tags().find(|rule| rule.enabled) {
        format!("the rule `{}` selects no objects under KMS keys, and it is under one", rule.id)
    } else if let Some(rule) = by_tags().next() {
        format!("the rule `{}` is Disabled", rule.id)
    } else if let Some(rule) = by_prefix().next() {
        format!("it lacks a tag that the rule `{}` selects by", rule.id)
    } else {
        "it is under the prefix of no rule".to_owned()
    };
    let detail = format!("{} is not replicated: {detail}", named(object));
    let fix = "change the rule, or the object, and write it again or `crrctl backfill`";
    Finding::fail(RULES, detail, fix).because(&["SrcObjectNotEligible"])
}
