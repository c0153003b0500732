//! Validates the settings of the replication role: its path, its permissions boundary, or an
//! existing role.
//! Rules: IAM User Guide, "IAM and AWS STS quotas, name requirements, and character limits"; "IAM
//! identifiers".
//! Not for: the role's name (see `places`).

use super::super::error::Located;
use super::super::raw::RawRole;
use super::super::role::RoleSettings;
use super::Checked;
use crate::names::{AccountId, Arn};
use serde_saphyr::Spanned;

pub(super) fn settings(raw: &RawRole) -> Checked<RoleSettings> {
    let path = raw.path.as_ref().map(path).transpose()?;
    let boundary = raw.permissions_boundary.as_ref();
    let boundary =
        boundary.map(|it| self::boundary("role.permissions_boundary", it)).transpose()?;
    let given = raw.arn.as_ref().map(|it| role("role.arn", it)).transpose()?;
    let asked = raw.take_over.as_ref().filter(|flag| flag.value);
    if let Some(flag) = asked.filter(|_| given.is_some()) {
        let message =
            "the role of `role.arn` is used as it is: nothing is written for the rules of others";
        return Err(Located::at(flag.referenced, "role.take_over", message));
    }
    let beside = [
        ("role.name", raw.name.as_ref()),
        ("role.path", raw.path.as_ref()),
        ("role.permissions_boundary", raw.permissions_boundary.as_ref()),
    ];
    if given.is_some()
        && let Some((key, Some(other))) = beside.into_iter().find(|(_, it)| it.is_some())
    {
        let message = "the role of `role.arn` is used as it is: nothing of it is made or changed";
        return Err(Located::at(other.referenced, key, message)
            .hint("leave this out, or leave out `role.arn`"));
    }
    let default = RoleSettings::default();
    let take_over = raw.take_over.as_ref().is_some_and(|flag| flag.value);
    let path = path.unwrap_or(default.path);
    Ok(RoleSettings { path, boundary, given, take_over, ..default })
}

/// A path begins and ends with a slash and has at most 512 characters.
fn path(given: &Spanned<String>) -> Checked<String> {
    let text = given.value.as_str();
    let plain = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if text.starts_with('/') && text.ends_with('/') && text.len() <= 512 && plain {
        return Ok(text.to_owned());
    }
    let message = format!("`{text}`: a path begins and ends with `/`, such as `/teams/storage/`");
    Err(Located::at(given.referenced, "role.path", message))
}

/// Validates the ARN of a permissions boundary.
pub(super) fn boundary(key: &str, given: &Spanned<String>) -> Checked<Arn> {
    let wrong = |message: String| {
        Located::at(given.referenced, key, message)
            .hint("such as `arn:aws:iam::111122223333:policy/boundary`")
    };
    let arn = Arn::new(given.value.clone()).map_err(|error| wrong(error.to_string()))?;
    if arn.service() == "iam" && arn.resource().starts_with("policy/") {
        return Ok(arn);
    }
    Err(wrong(format!("`{arn}` is no managed policy")))
}

/// Validates the ARN of an existing role.
pub(super) fn role(key: &str, given: &Spanned<String>) -> Checked<Arn> {
    let wrong = |message: String| {
        Located::at(given.referenced, key, message)
            .hint("such as `arn:aws:iam::111122223333:role/replication`")
    };
    let arn = Arn::new(given.value.clone()).map_err(|error| wrong(error.to_string()))?;
    let is_role = RoleSettings::name_of(&arn).is_some();
    if arn.service() == "iam" && is_role && AccountId::new(arn.account()).is_ok() {
        return Ok(arn);
    }
    Err(wrong(format!("`{arn}` is no role")))
}
