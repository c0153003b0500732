//! Whether anything of the pair exists, or of one side of it.
//! Not for: each single part (see the other checks).

use super::seen::{Seen, is_absent};
use super::{Finding, Settings};
use crate::manifest::Side;

/// Checks that anything of the pair exists. Each part that is missing has a check of its own.
pub(super) fn pair(seen: &Seen, settings: &Settings) -> Finding {
    let (name, pair) = ("pair.exists", &seen.topology.wanted.name);
    if seen.stands() {
        return Finding::pass(name, format!("`{pair}`"));
    }
    if settings.before_apply {
        return Finding::skip(name, format!("nothing of `{pair}` is there yet"));
    }
    if let Some(error) = seen.unread() {
        return Finding::unread(name, error);
    }
    let detail = format!("nothing of the pair `{pair}` exists: no source bucket, no role, no key");
    let remedy = "`crrctl apply` builds it; `crrctl check --before-apply` says whether it could";
    Finding::fail(name, detail, remedy)
}

/// Checks, for the operator of another account, that anything of the pair exists there.
pub(super) fn on_side(seen: &Seen, settings: &Settings) -> Finding {
    let (name, topology) = ("pair.exists", &seen.topology);
    let is_theirs = |side: &Side| side.account != topology.wanted.home().account;
    let mut theirs = seen.buckets.iter().filter(|(side, _)| is_theirs(side));
    if theirs.clone().any(|(_, bucket)| !is_absent(&bucket.head)) {
        return Finding::pass(name, format!("`{}`, on this side", topology.wanted.name));
    }
    if settings.before_apply {
        return Finding::skip(name, "nothing of this side is there yet");
    }
    let bucket = theirs.next().map(|(side, _)| side.bucket.to_string()).unwrap_or_default();
    let detail = format!("nothing of this side exists: there is no bucket `{bucket}`");
    let remedy =
        "make the side by the documents that `crrctl apply` prints in the source's account";
    Finding::fail(name, detail, remedy).because(&["DstBucketNotFound"])
}
