//! The buckets: existence, owner, and the settings that replication and the manifest require.
//! Not for: bucket policies (see `proof`).

use super::Finding;
use super::seen::{BucketSeen, Read, Seen, is_absent};
use crate::aws::Class;
use crate::manifest::{KeyWish, Side, Topology};
use crate::settings::{Encryption, RetentionMode, Versioning};

const APPLY: &str = "`crrctl apply` puts it right";

pub(super) fn check(seen: &Seen) -> Vec<Finding> {
    let of_side = |(side, bucket): &(Side, BucketSeen)| {
        let mut findings = vec![exists(seen, side, bucket)];
        if bucket.head.is_ok() || is_answered(bucket) {
            findings.extend([
                owner(seen, side, bucket),
                versioning(seen, side, &bucket.versioning),
                mfa_delete(&bucket.versioning),
                encryption(seen, side, &bucket.encryption),
                bucket_key(seen, side, &bucket.encryption),
                lock(seen, side, bucket),
                holds(seen, bucket),
            ]);
        }
        let other = seen.topology.wanted.told_apart(side);
        let placed = |finding: Finding| match &other {
            Some(bucket) if !finding.detail.contains(bucket.as_str()) => finding.of(bucket),
            _ => finding,
        };
        findings.into_iter().map(|it| placed(it).at(&side.region)).collect::<Vec<_>>()
    };
    seen.buckets.iter().flat_map(of_side).collect()
}

fn exists(seen: &Seen, side: &Side, bucket: &BucketSeen) -> Finding {
    let name = &side.bucket;
    let reasons = seen.reasons(side, "SrcBucketNotFound", "DstBucketNotFound");
    match &bucket.head {
        Ok(()) => Finding::pass("bucket.exists", format!("`{name}`")),
        Err(error) if error.is_absent() && !seen.stands() => Finding::skip(
            "bucket.exists",
            format!("`{name}` is not there yet: `crrctl apply` makes it"),
        ),
        Err(error) if error.is_absent() => {
            let again = "`crrctl apply` makes it again; the name may be anybody's by now";
            let remedy = seen.maker(&side.region, again);
            Finding::fail("bucket.exists", format!("`{name}` does not exist"), remedy)
                .because(&reasons)
        }
        Err(error) if error.is_elsewhere() => {
            let detail = format!("`{name}` lies in another Region");
            Finding::fail(
                "bucket.exists",
                detail,
                "use another bucket name, or the bucket's own Region",
            )
            .because(&reasons)
        }
        // Every request carries the expected bucket owner, so an answered request proves the owner.
        Err(error) if error.class == Class::Denied && !is_answered(bucket) => {
            let detail = format!(
                "`{name}` belongs to another account, or you may not see it: {}",
                error.message
            );
            let remedy = "use another bucket name; if it is yours, you need `s3:ListBucket` on it";
            Finding::unknown("bucket.owner", detail, remedy)
        }
        Err(error) => Finding::unread("bucket.exists", error),
    }
}

/// For a bucket that does not exist, S3 also reports missing tags or a missing policy, so an
/// absence is no answer.
fn is_answered(bucket: &BucketSeen) -> bool {
    let is_there = !is_absent(&bucket.head) && !is_absent(&bucket.versioning);
    is_there && (bucket.tags.is_ok() || bucket.versioning.is_ok() || bucket.policy.is_ok())
}

fn owner(seen: &Seen, side: &Side, bucket: &BucketSeen) -> Finding {
    let name = &side.bucket;
    match &bucket.tags {
        Ok(tags) if seen.topology.wanted.owns(tags) => {
            Finding::pass("bucket.owner", "this account's, with the pair's tags")
        }
        Ok(_) if seen.topology.wanted.is_handed_over(&side.region) => {
            Finding::pass("bucket.owner", "the other account's, which made it")
        }
        Ok(tags) if seen.topology.wanted.adopts(name) && !tags.contains_key(Topology::PAIR_TAG) => {
            Finding::pass("bucket.owner", "somebody else's, which the manifest adopts")
        }
        Ok(_) => {
            let detail = format!("`{name}` does not bear this pair's tags");
            let remedy = "`apply` ends with exit code 10 here: use another bucket name, or tag it as the pair's";
            Finding::fail("bucket.owner", detail, remedy)
        }
        Err(error) => Finding::unread("bucket.owner", error),
    }
}

fn versioning(seen: &Seen, side: &Side, read: &Read<Option<Versioning>>) -> Finding {
    let reasons = seen.reasons(side, "SrcObjectNotEligible", "DstBucketUnversioned");
    match read {
        Ok(live) => {
            let status = live.as_ref().and_then(|it| it.status.as_deref());
            let status = status.unwrap_or("never enabled");
            if status == Versioning::ENABLED {
                return Finding::pass("bucket.versioning", status);
            }
            let detail = format!("versioning of `{}` is {status}", side.bucket);
            Finding::fail("bucket.versioning", detail, APPLY).because(&reasons)
        }
        Err(error) => Finding::unread("bucket.versioning", error),
    }
}

fn mfa_delete(read: &Read<Option<Versioning>>) -> Finding {
    match read {
        Ok(live) if !live.as_ref().is_some_and(|it| it.mfa_delete) => {
            Finding::pass("bucket.mfa-delete", "off")
        }
        Ok(_) => Finding::fail(
            "bucket.mfa-delete",
            "MFA delete is on: no version can be deleted, neither probes nor by `destroy`",
            "the account's root user turns it off; `crrctl probe --keep` does not try to clean up",
        ),
        Err(error) => Finding::unread("bucket.mfa-delete", error),
    }
}

fn encryption(seen: &Seen, side: &Side, read: &Read<Option<Encryption>>) -> Finding {
    let name = "bucket.encryption";
    let topology = &seen.topology;
    let wanted = topology.wanted.key_arn(&seen.pair_keys, side).map(|arn| arn.to_string());
    let algorithm = match &side.key {
        KeyWish::Nothing => "AES256",
        _ => topology.wanted.key.algorithm.as_str(),
    };
    // At the source: an object under another key is one that the role has no permissions for; an
    // object under a key that no rule selects does not replicate; an object under no key
    // replicates. At a destination, the rule alone sets the encryption of replicas.
    let of_source = match read {
        Ok(Some(live)) if live.is_kms() && wanted.is_none() => Some("SrcObjectNotEligible"),
        Ok(Some(live)) if live.is_kms() => Some("SrcGetObjectNotPermitted"),
        _ => None,
    };
    if let Some(kept) = topology.kept_encryption(side) {
        return kept_encryption(seen, side, kept);
    }
    let is_source = !seen.reasons(side, "source", "").iter().all(|it| it.is_empty());
    let reasons: Vec<_> = of_source.filter(|_| is_source).into_iter().collect();
    match read {
        Ok(Some(live)) if live.algorithm == algorithm && live.key() == wanted.as_deref() => {
            let under = if wanted.is_some() { " under the Region's key" } else { "" };
            Finding::pass(name, format!("{algorithm}{under}"))
        }
        Ok(live) => {
            let live = live.as_ref();
            let key = live.and_then(Encryption::key).unwrap_or("no key of its own");
            let how = live.map_or("S3's default", |it| it.algorithm.as_str());
            let detail = format!("new objects in `{}` are under {how}, {key}", side.bucket);
            Finding::fail(name, detail, APPLY).because(&reasons)
        }
        Err(error) => Finding::unread(name, error),
    }
}

/// Checks a default encryption that the pair does not manage. It is wrong only at a source whose
/// rules select nothing that it encrypts.
fn kept_encryption(seen: &Seen, side: &Side, kept: &Encryption) -> Finding {
    let name = "bucket.encryption";
    let how = kept.key().unwrap_or(&kept.algorithm);
    let unselected = |it: &Topology| {
        it.source == *side && kept.is_kms() && !it.destinations.iter().any(Side::has_key)
    };
    if seen.topology.directions().iter().any(unselected) {
        let detail = format!(
            "new objects in `{}` are under {how}, and no rule of the manifest selects SSE-KMS objects",
            side.bucket
        );
        let remedy = "give the pair a `key`, or set `buckets.encryption: managed` and apply";
        return Finding::fail(name, detail, remedy).because(&["SrcObjectNotEligible"]);
    }
    let is_wanted = seen.topology.keeps_what_is_wanted(&seen.pair_keys, side);
    let detail = if is_wanted { "" } else { "; the manifest names another key, and leaves it so" };
    Finding::pass(name, format!("{how}, as its owner has it{detail}"))
}

fn bucket_key(seen: &Seen, side: &Side, read: &Read<Option<Encryption>>) -> Finding {
    let name = "bucket.bucket-key";
    let word = |on: bool| if on { "on" } else { "off" };
    if let Some(kept) = seen.topology.kept_encryption(side) {
        return Finding::pass(name, format!("{}, as its owner has it", word(kept.bucket_key)));
    }
    let wanted = seen.topology.wanted.bucket_key;
    match read {
        Ok(live) => match live.as_ref().is_some_and(|it| it.bucket_key) {
            live if live == wanted => Finding::pass(name, word(live)),
            live => {
                let detail = format!(
                    "Bucket Keys are {}, the manifest wants them {}",
                    word(live),
                    word(wanted)
                );
                Finding::fail(name, detail, APPLY)
            }
        },
        Err(error) => Finding::unread(name, error),
    }
}

fn lock(seen: &Seen, side: &Side, bucket: &BucketSeen) -> Finding {
    let name = "bucket.lock";
    let here = match &bucket.lock {
        Ok(lock) => lock.is_some(),
        Err(error) => return Finding::unread(name, error),
    };
    let at_source = seen.source().and_then(|it| it.lock.as_ref().ok()).is_some_and(Option::is_some);
    if at_source && !here && !seen.is_source(side) {
        let detail = format!("the source has Object Lock, `{}` has none", side.bucket);
        let remedy = "`aws s3api put-object-lock-configuration` turns it on for a versioned bucket; it can't be turned off again";
        return Finding::fail(name, detail, remedy).because(&["DstBucketObjectLockConfigMissing"]);
    }
    match (here, seen.topology.wanted.buckets.lock.is_some()) {
        (false, true) if !is_absent(&bucket.head) => {
            let detail = format!("`{}` has no Object Lock, and the manifest wants it", side.bucket);
            Finding::fail(name, detail, APPLY)
        }
        (true, false) => {
            let detail = format!("`{}` has Object Lock, and the manifest wants none", side.bucket);
            let remedy =
                "it can't be turned off: `buckets.object_lock` in the manifest, or another bucket";
            Finding::fail(name, detail, remedy)
        }
        (true, true) => Finding::pass(name, "Object Lock is on"),
        (false, _) => Finding::pass(name, "no Object Lock"),
    }
}

/// If the manifest sets a retention period, probes carry a retention period of their own; otherwise
/// the bucket's default retention holds them.
fn holds(seen: &Seen, bucket: &BucketSeen) -> Finding {
    let name = "bucket.holds";
    let known = seen.topology.wanted.buckets.retention();
    match &bucket.lock {
        Ok(lock) => match lock.as_ref().and_then(|it| it.retention.as_ref()) {
            None => Finding::pass(name, "no default retention"),
            Some(live) if known.is_some_and(|it| it.mode == RetentionMode::Governance) => {
                Finding::pass(name, format!("new versions are held: {live}; probes for a minute"))
            }
            Some(live) => Finding::unknown(
                name,
                format!("new versions are held: {live}; probes stay as long"),
                "`crrctl destroy --bypass-governance` for governance mode; compliance mode has to run out",
            ),
        },
        Err(error) => Finding::unread(name, error),
    }
}
