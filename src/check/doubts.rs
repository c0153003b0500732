//! The finding about a policy that denies only calls that S3 may do without, or that it may make
//! otherwise: what no source says for certain is unknown.
//! Not for: what S3 certainly needs (see `proof`).

use super::Finding;
use super::proof::{actions, reasons};
use super::seen::Seen;
use crate::manifest::Profile;
use crate::policy::proof::{Doubt, LiveRow};

/// Returns the finding for a policy that denies only calls that S3 may do without.
pub(super) fn doubted(seen: &Seen, name: &'static str, rows: &[&LiveRow]) -> Finding {
    let of = |doubt| rows.iter().copied().filter(move |row| row.doubt == Some(doubt)).collect();
    let some: Vec<&LiveRow> = of(Doubt::SomeObjects);
    let parts: Vec<&LiveRow> = of(Doubt::Parts);
    let (rows, detail, remedy): (_, String, Option<String>) = if !some.is_empty() {
        let detail = format!(
            "{} is denied, which S3 needs only for some objects: by its documentation it replicates others without it",
            actions(&some)
        );
        let remedy = some.iter().find_map(|it| it.row.mend.clone());
        (some, detail, remedy)
    } else if !parts.is_empty() {
        let is_strict = seen.topology.wanted.profile == Profile::Strict;
        let why = if is_strict { ", as `policy.profile: strict` has it" } else { "" };
        let detail = format!(
            "{} is denied at the destination{why}: whether S3 asks for it where an object came in parts, no source says for certain",
            actions(&parts)
        );
        let is_ours = seen.topology.shared_role().is_none();
        let profile =
            "set `policy.profile: compatible` in the manifest, then `crrctl apply`: it grants it";
        let mend = || parts.iter().find_map(|it| it.row.mend.clone());
        let remedy = if is_ours { Some(profile.to_owned()) } else { mend() };
        (parts, detail, remedy)
    } else {
        let detail = format!(
            "{} is allowed under one form of S3's service name alone: which form S3 has in this partition, no source says",
            actions(rows)
        );
        let remedy = "let `kms:ViaService` take both forms, or probe";
        (rows.to_vec(), detail, Some(remedy.to_owned()))
    };
    Finding::unknown(name, detail, remedy.unwrap_or_default()).because(&reasons(seen, &rows))
}
