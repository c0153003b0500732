//! The words that a recording may hold as they are: those of AWS's messages, codes, operations and
//! settings, and of crrctl's own. A word that is not among them may be somebody's name.
//! Not for: which members are read by words (see `members`).

use std::collections::HashSet;
use std::sync::LazyLock;

static WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("words.txt").lines().collect());

/// Values of AWS that have a hyphen.
const HYPHENATED: [&str; 18] = [
    "SSE-C",
    "account-regional",
    "assumed-role",
    "aws-service-role",
    "batch-job",
    "bucket-owner-full-control",
    "federated-user",
    "instance-profile",
    "object-lock",
    "octet-stream",
    "oidc-provider",
    "public-access-block",
    "public-read",
    "replica-key",
    "role-policy",
    "saml-provider",
    "service-role",
    "www-form-urlencoded",
];
/// Values and codes of AWS that its words do not make up: of storage classes, ownership, sizes, keys, manifests and reports of jobs.
const VALUES: [&str; 51] = [
    "AWS_BACKUP_LOW_COST_WARM",
    "AWS_BACKUP_WARM",
    "AWS_CLOUDHSM",
    "BucketOwnerEnforced",
    "BucketOwnerPreferred",
    "COMPLETE",
    "Creating",
    "DEEP_ARCHIVE",
    "ECC_NIST_EDWARDS25519",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ENCAPSULATE_DECAPSULATE",
    "EXPRESS_ONEZONE",
    "EXTERNAL_KEY_STORE",
    "FSX_ONTAP",
    "FSX_OPENZFS",
    "GENERATE_VERIFY_MAC",
    "GLACIER_IR",
    "INTELLIGENT_TIERING",
    "KEY_AGREEMENT",
    "KMS.AccessDeniedException",
    "KMS.DisabledException",
    "KMS.InvalidStateException",
    "KMS.KMSInvalidStateException",
    "KMS.NotFoundException",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ML_KEM_1024",
    "ML_KEM_512",
    "ML_KEM_768",
    "ONEZONE_IA",
    "OUTPOSTS",
    "ObjectWriter",
    "PendingDeletion",
    "PendingImport",
    "PendingReplicaDeletion",
    "REDUCED_REDUNDANCY",
    "Report_CSV_20180820",
    "S3BatchOperations_CSV_20180820",
    "S3InventoryReport_CSV_20161130",
    "S3InventoryReport_CSV_20211130",
    "SIGN_VERIFY",
    "SM2PKE",
    "SNOW",
    "Unavailable",
    "Updating",
    "all_storage_classes_128K",
    "varies_by_storage_class",
];
/// The longest number that is not somebody's.
pub(super) const MOST_DIGITS: usize = 6;

/// Returns whether a piece of text, without `:` and `/`, names nobody: a word, several written as
/// one, a short number, a Region, a date, a header.
pub(super) fn is_plain(piece: &str) -> bool {
    let is_punctuation = piece.chars().all(|c| c.is_ascii_punctuation() && c != '@');
    if is_punctuation || VALUES.contains(&piece) {
        return true;
    }
    if piece.chars().all(|c| c.is_ascii_digit()) {
        return piece.len() <= MOST_DIGITS;
    }
    if piece.contains('.') {
        return is_host_of_aws(piece) || is_decimal(piece);
    }
    if piece.contains('-') {
        let parts = |start| piece.split('-').skip(start).all(is_word);
        return super::pieces::is_region(piece)
            || is_date(piece)
            || HYPHENATED.contains(&piece)
            || (piece.starts_with("x-amz-") && parts(2))
            || (piece.starts_with("crrctl-") && parts(1));
    }
    if piece.contains('_') {
        return !piece.contains(|c: char| c.is_ascii_lowercase())
            && piece.split('_').all(|part| is_word(part) || is_short_number(part));
    }
    is_word(piece.trim_matches(|c: char| "*?%+".contains(c)))
}

/// Returns whether a name tells nothing where it stands in a message: a word in small letters, a Region, a
/// host of AWS, a number as short as a status or a year.
pub(super) fn is_common(name: &str) -> bool {
    WORDS.contains(name)
        || (name.len() < 5 && name.chars().all(|c| c.is_ascii_digit()))
        || super::pieces::is_region(name)
        || is_host_of_aws(name)
}

fn is_short_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= MOST_DIGITS && text.chars().all(|c| c.is_ascii_digit())
}

/// A host of AWS itself, such as `s3.us-east-1.amazonaws.com`, or a service as a principal.
fn is_host_of_aws(text: &str) -> bool {
    let labels =
        text.strip_suffix(".amazonaws.com").or_else(|| text.strip_suffix(".amazonaws.com.cn"));
    labels.is_some_and(|labels| {
        labels
            .split('.')
            .all(|label| super::pieces::is_region(label) || label.split('-').all(is_word))
    })
}

fn is_decimal(text: &str) -> bool {
    text.split_once('.')
        .is_some_and(|(whole, rest)| is_short_number(whole) && is_short_number(rest))
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

/// Returns whether `text` is a word, or several written as one, such as `NoSuchBucket`.
pub(super) fn is_word(text: &str) -> bool {
    let known = |word: &str| WORDS.contains(word.to_ascii_lowercase().as_str());
    if !text.is_ascii() || text.is_empty() {
        return false;
    }
    known(text) || (text.chars().all(|c| c.is_ascii_alphanumeric()) && humps(text).all(known))
}

/// Splits `NoSuchBucket` into its words. Digits belong to the word before them; of capital letters
/// in a row the last begins the next word if a small letter follows.
fn humps(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let begins = move |at: usize| {
        let (here, before) = (bytes[at], bytes[at - 1]);
        let is_end_of_capitals =
            before.is_ascii_uppercase() && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        here.is_ascii_uppercase() && (!before.is_ascii_uppercase() || is_end_of_capitals)
    };
    let starts: Vec<usize> = (1..text.len()).filter(|at| begins(*at)).collect();
    let ends = starts.clone().into_iter().chain([text.len()]);
    std::iter::once(0).chain(starts).zip(ends).map(|(start, end)| &text[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_aws_are_plain_and_others_are_not() {
        for plain in [
            "NoSuchBucket",
            "KMSInvalidStateException",
            "AES256",
            "STANDARD_IA",
            "SYMMETRIC_DEFAULT",
            "us-gov-west-1",
            "2012-10-17",
            "s3.amazonaws.com",
            "kms.us-east-1.amazonaws.com",
            "409",
            "x-amz-server-side-encryption",
            "Get*",
            "BucketKeyEnabled",
            "ETag",
            "S3ReplicateObject",
            "arn",
            "true",
            "COMPLETED",
            "SSE-C",
            "2.5",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        for name in [
            "MARKED",
            "acme",
            "orders-backup",
            "source-bucket",
            "10.0.0.1",
            "proxy.local",
            "Acme",
            "jane@example.com",
            "111122223333",
            "x-amz-meta-jane",
            "secret",
            "my_bucket",
            "zürich",
            "acme.amazonaws.com",
            "mrk-1234",
        ] {
            assert!(!is_plain(name), "{name}");
        }
    }

    #[test]
    fn values_of_the_sdk_are_plain() {
        use aws_sdk_kms::types::{KeySpec, KeyState};
        use aws_sdk_s3::types::{
            ObjectOwnership, ReplicationStatus, ServerSideEncryption, StorageClass,
            TransitionDefaultMinimumObjectSize,
        };
        use aws_sdk_s3control::types::{
            GeneratedManifestFormat, JobManifestFieldName, JobManifestFormat, JobReportFormat,
            JobReportScope, JobStatus, ReplicationStatus as StatusOfJob,
        };
        let values = [
            StorageClass::values(),
            ObjectOwnership::values(),
            ServerSideEncryption::values(),
            ReplicationStatus::values(),
            TransitionDefaultMinimumObjectSize::values(),
            KeyState::values(),
            KeySpec::values(),
            GeneratedManifestFormat::values(),
            JobManifestFieldName::values(),
            JobManifestFormat::values(),
            JobReportFormat::values(),
            JobReportScope::values(),
            JobStatus::values(),
            StatusOfJob::values(),
            &["KMS.NotFoundException", "KMS.DisabledException", "KMS.KMSInvalidStateException"],
        ];
        for value in values.concat() {
            assert!(value.split(':').all(is_plain), "{value}");
        }
        assert!(HYPHENATED.is_sorted() && VALUES.is_sorted());
    }

    #[test]
    fn only_common_words_and_short_numbers_tell_nothing() {
        assert!(["orders", "2026", "us-east-1", "s3.amazonaws.com"].iter().all(|it| is_common(it)));
        assert!(!["Orders", "OrderBackupRole", "482913", "jane"].iter().any(|it| is_common(it)));
    }

    #[test]
    fn the_words_are_sorted_and_there_once() {
        let words: Vec<&str> = include_str!("words.txt").lines().collect();
        assert!(words.is_sorted() && words.windows(2).all(|two| two[0] != two[1]));
    }
}
