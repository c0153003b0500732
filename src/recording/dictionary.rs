//! The words that a recording may hold as they are: those of AWS's messages, codes, operations and
//! settings, and of crrctl's own. A word that is not among them may be somebody's name.
//! Not for: which members are read by words (see `members`).

use std::collections::HashSet;
use std::sync::LazyLock;

static WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("words.txt").lines().collect());

/// Values of AWS that have a hyphen.
const HYPHENATED: [&str; 7] = [
    "SSE-C",
    "account-regional",
    "bucket-owner-full-control",
    "octet-stream",
    "public-read",
    "service-role",
    "www-form-urlencoded",
];
/// The longest number that is not somebody's.
const MOST_DIGITS: usize = 6;

/// Returns whether a piece of text, without `:` and `/`, names nobody: a word, several written as
/// one, a short number, a Region, a date, a header.
pub(super) fn is_plain(piece: &str) -> bool {
    if piece.chars().all(|c| c.is_ascii_punctuation() && c != '@') {
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
    fn the_words_are_sorted_and_there_once() {
        let words: Vec<&str> = include_str!("words.txt").lines().collect();
        assert!(words.is_sorted() && words.windows(2).all(|two| two[0] != two[1]));
    }
}
