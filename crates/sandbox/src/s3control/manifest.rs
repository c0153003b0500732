//! The objects of a job: those that match the filter of a manifest generator, or those that a CSV
//! manifest lists.
//! Not for: the permissions of the job's role (see `role`).

use crate::replication;
use crate::s3control::csv;
use crate::world::buckets::{Bucket, Object, Sse, Version};
use crate::world::jobs::BatchTask;
use crate::world::jobs::request::{Encryption, Filter, KeyName, KmsFilter, Members, Spec};
use std::time::SystemTime;

/// Returns the object versions of a bucket that match a filter (S3 API Reference,
/// `JobManifestGeneratorFilter`).
pub(super) fn generate(
    name: &str,
    bucket: &Bucket,
    filter: Option<&Filter>,
    now: SystemTime,
) -> Vec<BatchTask> {
    let everything = Filter::default();
    let filter = filter.unwrap_or(&everything);
    let wanted = bucket.every_object().filter(|(key, version, object)| {
        let eligible = || replication::is_eligible(bucket, key, &version.content, now);
        lets_through(filter, key, version, object)
            && filter.eligible_for_replication.is_none_or(|wanted| wanted == eligible())
    });
    let task = |(key, version, _): (&str, &Version, _)| BatchTask {
        bucket: name.to_owned(),
        key: key.to_owned(),
        version: version.id.clone(),
    };
    wanted.map(task).collect()
}

fn lets_through(filter: &Filter, key: &str, version: &Version, object: &Object) -> bool {
    let status = object.replicated.status().unwrap_or("NONE");
    let class = object.described.storage_class.as_deref().unwrap_or("STANDARD");
    let size = i64::try_from(object.data.len()).unwrap_or(i64::MAX);
    let written = version.written;
    filter.created_after.is_none_or(|time| written > SystemTime::from(time))
        && filter.created_before.is_none_or(|time| written < SystemTime::from(time))
        && listed(filter.object_replication_statuses.as_ref(), |wanted| wanted == status)
        && listed(filter.match_any_storage_class.as_ref(), |wanted| wanted == class)
        && filter.object_size_greater_than_bytes.is_none_or(|than| size > than)
        && filter.object_size_less_than_bytes.is_none_or(|than| size < than)
        && filter.key_name_constraint.as_ref().is_none_or(|constraint| named(constraint, key))
        && filter
            .match_any_object_encryption
            .as_ref()
            .is_none_or(|wanted| wanted.any.iter().any(|wanted| encrypted(wanted, &object.sse)))
}

/// Returns whether a member of the list fits. A missing list matches everything.
fn listed(list: Option<&Members<String>>, fits: impl Fn(&str) -> bool) -> bool {
    list.is_none_or(|list| list.member.iter().any(|wanted| fits(wanted)))
}

fn named(constraint: &KeyName, key: &str) -> bool {
    listed(constraint.match_any_prefix.as_ref(), |text| key.starts_with(text))
        && listed(constraint.match_any_suffix.as_ref(), |text| key.ends_with(text))
        && listed(constraint.match_any_substring.as_ref(), |text| key.contains(text))
}

/// Returns whether an object's encryption matches the filter. No object in the sandbox uses SSE-C
/// or is unencrypted.
fn encrypted(wanted: &Encryption, sse: &Sse) -> bool {
    match sse {
        Sse::S3 => wanted.s3.is_some(),
        Sse::Kms { dual, key, bucket_key } => {
            let fits = |filter: &KmsFilter| {
                filter.kms_key_arn.as_deref().is_none_or(|wanted| wanted == key.as_str())
                    && filter.bucket_key_enabled.is_none_or(|wanted| wanted == *bucket_key)
            };
            let filter = if *dual { &wanted.dsse } else { &wanted.kms };
            filter.as_ref().is_some_and(fits)
        }
    }
}

/// Reads a CSV manifest: one object per line, keys URL-encoded (S3 User Guide, "Specifying a
/// manifest").
///
/// # Errors
/// The number of the first malformed line.
pub(super) fn read(spec: &Spec, data: &[u8]) -> Result<Vec<BatchTask>, usize> {
    let text = std::str::from_utf8(data).map_err(|_| 1_usize)?;
    let fields = spec.fields.as_ref().map_or(&[][..], |fields| &fields.member);
    let at = |name: &str| fields.iter().position(|field| field == name);
    let mut tasks = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let bad = number + 1;
        let columns = csv::split(line).ok_or(bad)?;
        let column = |name: &str| at(name).and_then(|at| columns.get(at)).filter(|c| !c.is_empty());
        let (Some(bucket), Some(key)) = (column("Bucket"), column("Key")) else { return Err(bad) };
        let key = percent_encoding::percent_decode_str(&key.replace('+', "%20"))
            .decode_utf8()
            .map_err(|_| bad)?
            .into_owned();
        let version = column("VersionId").map_or("null", String::as_str).to_owned();
        tasks.push(BatchTask { bucket: bucket.clone(), key, version });
    }
    Ok(tasks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_csv_manifest_is_read_by_its_fields() {
        let fields = ["Key", "Ignore", "Bucket", "VersionId"].map(String::from).to_vec();
        let spec = Spec { format: String::new(), fields: Some(Members { member: fields }) };
        let read = |text: &str| read(&spec, text.as_bytes());
        let tasks = read("a%2Fb+c,x,bucket,v1\n\n\"q\"\"uoted\",,bucket,\n").unwrap();
        let seen: Vec<_> = tasks.iter().map(|t| (&*t.bucket, &*t.key, &*t.version)).collect();
        assert_eq!(seen, [("bucket", "a/b c", "v1"), ("bucket", "q\"uoted", "null")]);
        assert_eq!(read("a,x,b,v\nonly").unwrap_err(), 2);
        assert_eq!(read("a,x,\"b").unwrap_err(), 1);
    }
}
