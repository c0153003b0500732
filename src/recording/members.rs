//! What a recording may hold of each member: an allow-list by the names that the services' models give
//! them. A member that is on no list is replaced as a whole.
//! Sources: the API references of S3, S3 Control, KMS, IAM, STS, CloudWatch and CloudTrail.
//! Not for: how a value is replaced (see `stand_ins`).

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The members, each with what it holds. Of a structure nothing is known but its name: a value in its
/// place is replaced.
static MEMBERS: LazyLock<HashMap<&'static str, Option<Kind>>> = LazyLock::new(|| {
    let rows = include_str!("members.txt").lines();
    rows.filter_map(|row| row.split_once(' ')).map(|(name, kind)| (name, listed(kind))).collect()
});

fn listed(kind: &str) -> Option<Kind> {
    Some(match kind {
        "word" => Kind::Word,
        "number" => Kind::Number,
        "time" => Kind::Time,
        "name" => Kind::Name,
        "key" => Kind::Key,
        "id" => Kind::Id,
        "hash" => Kind::Hash,
        "text" => Kind::Text,
        "policy" => Kind::Policy,
        "blob" => Kind::Blob,
        "never" => Kind::Never,
        _ => return None,
    })
}

/// A service, as policies name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "service"))]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Amazon S3
    S3,
    /// S3 Control
    S3Control,
    /// KMS
    Kms,
    /// IAM
    Iam,
    /// STS
    Sts,
    /// CloudWatch
    CloudWatch,
    /// CloudTrail
    CloudTrail,
}

impl Service {
    /// Returns the service that the SDK calls `name`.
    pub fn of_sdk(name: &str) -> Option<Self> {
        Some(match name {
            "S3" => Self::S3,
            "S3 Control" => Self::S3Control,
            "KMS" => Self::Kms,
            "IAM" => Self::Iam,
            "STS" => Self::Sts,
            "CloudWatch" => Self::CloudWatch,
            "CloudTrail" => Self::CloudTrail,
            _ => return None,
        })
    }

    /// Returns the service as policies name it, such as `kms`.
    pub fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::S3Control => "s3control",
            Self::Kms => "kms",
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::CloudWatch => "cloudwatch",
            Self::CloudTrail => "cloudtrail",
        }
    }
}

/// What a member holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A word of AWS.
    Word,
    /// A number.
    Number,
    /// A time.
    Time,
    /// A name, an ARN, an account.
    Name,
    /// The key of an object, or a prefix.
    Key,
    /// What AWS gives out: it differs from run to run.
    Id,
    /// What is computed of an object's data.
    Hash,
    /// A sentence.
    Text,
    /// A policy, in JSON.
    Policy,
    /// Length and hash of a body.
    Blob,
    /// A credential.
    Never,
    /// Not listed.
    Opaque,
}

/// Returns what the member `name` of `service` holds.
pub fn kind(service: Service, name: &str) -> Kind {
    match (service, name) {
        (Service::Kms, "PolicyName")
        | (Service::CloudWatch, "Name" | "Id")
        | (Service::Iam, "VersionId" | "DefaultVersionId") => return Kind::Word,
        _ => {}
    }
    MEMBERS.get(name).copied().flatten().unwrap_or(Kind::Opaque)
}

/// Returns whether `name` is the name of a member, and not a key that a user chose.
pub(super) fn is_name_of_a_member(name: &str) -> bool {
    MEMBERS.contains_key(name) || super::dictionary::is_plain(name)
}

/// Returns whether `text` is a time, in one of the forms that AWS uses.
pub(super) fn is_time(text: &str) -> bool {
    let is_http_date =
        || text.len() == 29 && text.ends_with(" GMT") && jiff::fmt::rfc2822::parse(text).is_ok();
    let is_epoch = || {
        !text.is_empty()
            && text.len() <= 17
            && text.bytes().all(|it| it.is_ascii_digit() || it == b'.')
    };
    is_timestamp(text) || is_http_date() || is_epoch()
}

/// Returns whether `text` is a time as RFC 3339 writes it.
pub(super) fn is_timestamp(text: &str) -> bool {
    text.len() <= 35 && text.parse::<jiff::Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_is_listed_once_with_what_it_holds() {
        let rows: Vec<&str> = include_str!("members.txt").lines().collect();
        assert!(rows.is_sorted());
        let names: Vec<&str> = rows.iter().map(|row| row.split_once(' ').unwrap().0).collect();
        assert!(names.windows(2).all(|two| two[0] != two[1]));
        for row in rows {
            let kind = row.split_once(' ').unwrap().1;
            assert!(kind == "structure" || listed(kind).is_some(), "{row}");
        }
        assert_eq!(kind(Service::S3, "Unheard"), Kind::Opaque);
        assert_eq!(kind(Service::S3, "TagSet"), Kind::Opaque);
        assert_eq!(kind(Service::S3, "VersionId"), Kind::Id);
        assert_eq!(kind(Service::Iam, "VersionId"), Kind::Word);
    }

    #[test]
    fn times_are_known() {
        for time in ["2026-05-01T00:00:00.000Z", "Fri, 01 May 2026 00:00:00 GMT", "1777593600.123"]
        {
            assert!(is_time(time), "{time}");
        }
        assert!(!is_time("marked") && !is_time("") && !is_time("Jane Doe, 01 May 2026 00 GMT"));
    }
}
