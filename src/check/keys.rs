//! The KMS keys, per Region: existence, key state, rotation.
//! Not for: key policies (see `proof`) or key material (see `material`).

use super::Finding;
use super::seen::{KeySeen, Seen};
use crate::manifest::{KeyKind, KeyWish, Side};
use crate::world::{Key, KeyState};
use std::collections::BTreeSet;

pub(super) fn check(seen: &Seen) -> Vec<Finding> {
    let of_side = |side: &Side| {
        let Some(key) = seen.keys.get(&side.bucket) else { return Vec::new() };
        let mut findings = vec![exists(seen, side, key)];
        if let Ok(Some(key)) = &key.key {
            findings.push(state(seen, side, key));
        }
        let rotates = side.has_own_key()
            && (seen.is_source(side) || seen.topology.wanted.key.kind == KeyKind::PerRegion);
        if let (true, Some(details)) = (rotates, &key.details) {
            findings.push(match details {
                Ok(key) => rotation(seen, key),
                Err(error) => Finding::unread("key.rotation", error),
            });
        }
        findings.into_iter().map(|finding| finding.at(&side.region)).collect::<Vec<_>>()
    };
    // Destinations in one Region share the pair's key there.
    let mut told = BTreeSet::new();
    let is_first = |side: &&Side| {
        seen.is_source(side) || !side.has_own_key() || told.insert(side.region.clone())
    };
    seen.topology.sides().filter(is_first).flat_map(of_side).collect()
}

fn reasons(seen: &Seen, side: &Side, of_destination: &'static str) -> Vec<&'static str> {
    seen.reasons(side, "SrcKmsKeyInvalidState", of_destination)
}

fn exists(seen: &Seen, side: &Side, key: &KeySeen) -> Finding {
    let (name, alias) = ("key.exists", &seen.topology.wanted.key.alias);
    let because = reasons(seen, side, "DstKmsKeyNotFound");
    if let KeyWish::Existing(given) = &side.key {
        return match &key.key {
            Ok(Some(found)) => Finding::pass(name, found.arn.to_string()),
            Ok(None) => {
                let detail = format!("there is no key `{}` in {}", given.as_str(), side.region);
                Finding::fail(name, detail, "give a key that exists").because(&because)
            }
            Err(error) => Finding::unread(name, error),
        };
    }
    match (&key.key, &key.named) {
        (Err(error), _) | (Ok(Some(_)), Err(error)) => Finding::unread(name, error),
        (Ok(None), _) if !seen.stands() => {
            Finding::skip(name, format!("`{alias}` is not there yet: `crrctl apply` makes it"))
        }
        (Ok(None), _) => {
            let detail = format!("the pair has no key in {}", side.region);
            let remedy = seen.maker(&side.region, "`crrctl apply` makes it");
            Finding::fail(name, detail, remedy).because(&because)
        }
        (Ok(Some(found)), Ok(Some(named))) if found.id == named.id => {
            Finding::pass(name, format!("{}, named by `{alias}`", found.id))
        }
        (Ok(Some(found)), Ok(Some(named))) => {
            let detail = format!("`{alias}` names {}, not the pair's key {}", named.id, found.id);
            Finding::fail(
                name,
                detail,
                "point the alias at the pair's key, or use another `key.alias`",
            )
        }
        (Ok(Some(found)), Ok(None)) => {
            let detail = format!("no alias `{alias}` names the key {}", found.id);
            Finding::fail(name, detail, "`crrctl apply` makes the alias again, or says how")
        }
    }
}

fn state(seen: &Seen, side: &Side, key: &Key) -> Finding {
    let (name, arn, region) = ("key.state", &key.arn, &side.region);
    let because = reasons(seen, side, "DstKmsKeyInvalidState");
    let remedy = match key.state {
        KeyState::Enabled => return Finding::pass(name, "Enabled"),
        KeyState::Creating => "wait: a replica key stays Creating for up to ten minutes".to_owned(),
        KeyState::Disabled => format!("`aws kms enable-key --region {region} --key-id {}`", key.id),
        KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => format!(
            "`aws kms cancel-key-deletion --region {region} --key-id {0}`, then `aws kms enable-key --region {region} --key-id {0}`",
            key.id
        ),
        KeyState::Other(_) => "`aws kms describe-key` says more".to_owned(),
    };
    Finding::fail(name, format!("{arn} is {}", key.state), remedy).because(&because)
}

fn rotation(seen: &Seen, key: &Key) -> Finding {
    if let Some((primary, mend)) = key.moved_primary() {
        let detail = format!("the primary key, which has the rotation, is in {primary}");
        return Finding::fail("key.rotation", detail, mend);
    }
    let wanted = seen.topology.wanted.key.rotation_days.map(u32::from);
    let every =
        |days: Option<u32>| days.map_or("off".to_owned(), |days| format!("every {days} days"));
    if key.rotation_days == wanted || key.is_pending_deletion() {
        return Finding::pass("key.rotation", every(key.rotation_days));
    }
    let detail = format!(
        "rotation is {}, the manifest wants it {}",
        every(key.rotation_days),
        every(wanted)
    );
    Finding::fail("key.rotation", detail, "`crrctl apply` puts it right")
}
