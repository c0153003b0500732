//! The value of the tag that records the logging of an adopted bucket as it was before the pair:
//! `set=1a2b3c4d bucket=NAME prefix=logs/ format=EventTime grant=READ/CanonicalUser/ID`. `set` is a digest of the target
//! that crrctl wrote, by which it knows its own. Text is escaped with `=`, since tags take no `%`.
//! Not for: writing the tag (see `plan::kept`).

use super::Logging;
use crate::settings::LogTarget;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How long the value of a tag may be (S3 User Guide, "Tagging buckets").
const MOST: usize = 256;
/// In place of a target, for a bucket without logging.
const NONE: &str = "none";
/// At the end of a record that leaves out what does not fit.
const CUT: &str = "cut";
/// The characters of tags that stand for themselves.
const KEPT: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b':').remove(b'@');
/// The members of a grantee, each with the type that it has.
const GRANTEES: [(&str, &str); 3] =
    [("ID", "CanonicalUser"), ("URI", "Group"), ("EmailAddress", "AmazonCustomerByEmail")];

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, &KEPT).to_string().replace('%', "=")
}

fn plain(text: &str) -> String {
    percent_decode_str(&text.replace('=', "%")).decode_utf8_lossy().into_owned()
}

fn digest(of: &Logging) -> String {
    let target = of.target.as_ref().map(|it| format!("{}/{}", it.bucket, it.prefix));
    let digest = Sha256::digest(target.unwrap_or_default());
    hex::encode(&digest[..4])
}

/// Returns the record of what `was` before crrctl writes `to`.
pub(super) fn of(was: &Logging, to: &Logging) -> String {
    let set = format!("set={}", digest(to));
    let Some(LogTarget { bucket, prefix }) = &was.target else { return format!("{set} {NONE}") };
    let mut words = vec![set, format!("bucket={bucket}")];
    let least = format!("{} {CUT}", words.join(" "));
    if !prefix.is_empty() {
        words.push(format!("prefix={}", escaped(prefix)));
    }
    if let Some(format) = &was.key_format {
        let source = format["PartitionedPrefix"]["PartitionDateSource"].as_str();
        words.push(format!("format={}", source.unwrap_or("Simple")));
    }
    words.extend(was.grants.iter().map(grant));
    let whole = words.join(" ");
    if whole.len() > MOST { least } else { whole }
}

fn grant(grant: &Value) -> String {
    let (grantee, permission) = (&grant["Grantee"], grant["Permission"].as_str());
    let to = GRANTEES.iter().find_map(|(member, _)| Some((member, grantee[*member].as_str()?)));
    let (member, to) = to.unwrap_or((&"ID", ""));
    format!("grant={}/{member}/{}", permission.unwrap_or_default(), escaped(to))
}

fn recalled_grant(value: &str) -> Option<Value> {
    let mut parts = value.splitn(3, '/');
    let (permission, member, to) = (parts.next()?, parts.next()?, parts.next()?);
    let (member, kind) = GRANTEES.iter().find(|(it, _)| *it == member)?;
    let mut grantee = json!({"Type": kind});
    grantee[*member] = json!(plain(to));
    Some(json!({"Grantee": grantee, "Permission": permission}))
}

/// Returns a record with what crrctl writes now; what was before the pair stays recorded.
pub(super) fn written_now(record: &str, to: &Logging) -> String {
    let was = record.split_once(' ').map_or(NONE, |(_, was)| was);
    format!("set={} {was}", digest(to))
}

/// Returns whether `live` is what crrctl wrote last.
pub(super) fn says_written(record: &str, live: &Logging) -> bool {
    let set = record.split(' ').find_map(|it| it.strip_prefix("set="));
    set == Some(&*digest(live))
}

/// Returns whether nothing was left out.
pub(super) fn is_whole(record: &str) -> bool {
    record.split(' ').all(|it| it != CUT)
}

/// Returns the logging that [`of`] recorded.
pub(super) fn recalled(record: &str) -> Logging {
    let all = |name: &'static str| record.split(' ').filter_map(move |it| it.strip_prefix(name));
    let Some(bucket) = all("bucket=").next() else { return Logging::default() };
    let prefix = all("prefix=").next().map(plain).unwrap_or_default();
    let format = |format: &str| match format {
        "Simple" => json!({"SimplePrefix": {}}),
        source => json!({"PartitionedPrefix": {"PartitionDateSource": source}}),
    };
    Logging {
        target: Some(LogTarget { bucket: bucket.to_owned(), prefix }),
        key_format: all("format=").next().map(format),
        grants: all("grant=").filter_map(recalled_grant).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(bucket: &str, prefix: &str) -> Logging {
        let target = LogTarget { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
        Logging { target: Some(target), ..Logging::default() }
    }

    #[test]
    fn what_was_is_recalled_and_what_was_written_is_known() {
        let dated = json!({"PartitionedPrefix": {"PartitionDateSource": "EventTime"}});
        let grantee = json!({"Type": "CanonicalUser", "ID": "79a5"});
        let grants = vec![json!({"Grantee": grantee, "Permission": "READ"})];
        let all = [
            Logging::default(),
            to("lg-old", ""),
            to("lg-old", "Protokolle/äöü =%\" x/"),
            Logging { key_format: Some(dated), grants, ..to("lg-old", "p/") },
            Logging { key_format: Some(json!({"SimplePrefix": {}})), ..to("lg-old", "p/") },
        ];
        let is_taken = |c: char| c.is_ascii_alphanumeric() || " +-=._:/@".contains(c);
        for was in all {
            for ours in [to("lg-new", "a/"), Logging::default()] {
                let record = of(&was, &ours);
                assert!(record.chars().all(is_taken) && is_whole(&record), "{record}");
                assert_eq!(recalled(&record), was, "{record}");
                assert!(says_written(&record, &ours) && !says_written(&record, &to("x", "")));
                let later = written_now(&record, &to("x", ""));
                assert_eq!(recalled(&later), was, "{later}");
                assert!(says_written(&later, &to("x", "")) && !says_written(&later, &ours));
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_known_as_cut() {
        let record = of(&to("lg-old", &"ä".repeat(100)), &Logging::default());
        assert!(!is_whole(&record) && record.len() <= MOST, "{record}");
        assert_eq!(recalled(&record), to("lg-old", ""));
    }
}
