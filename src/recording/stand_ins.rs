//! Stand-ins: what takes the place of names in a recording. A stand-in depends on a key that is
//! drawn for the recording and never written. Each character is replaced by another of its kind, by
//! the characters before it: so the same name has the same stand-in wherever it occurs, of the same
//! length, and what begins alike begins alike.
//! Not for: which members are replaced (see `members`), or the forms of policies and events (see
//! `policies` and `events`).

mod events;
mod known;
mod made;
mod policies;
#[cfg(test)]
mod tests;

use super::dictionary::is_plain;
use super::members::{self, Kind, Service};
use super::pieces::{self, Piece};
use super::{Members, Names};
use known::Known;
use made::Made;
use serde_json::{Number, Value};
use std::collections::hash_map::{DefaultHasher, RandomState};
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;
use std::sync::{PoisonError, RwLock};

/// What separates the words of a text. All else belongs to a word.
const BETWEEN: &str = " \t\r\n'\"`,;()[]{}<>|!=&#$~^\\";

/// Replaces what names somebody or something.
#[derive(Debug)]
pub struct StandIns {
    state: RandomState,
    names: Names,
    /// Names that were seen in members, the longest first.
    known: RwLock<Vec<Known>>,
    made: Made,
}

impl StandIns {
    /// Creates stand-ins with a key of its own.
    pub fn new(names: Names) -> Self {
        Self { state: RandomState::new(), names, known: RwLock::default(), made: Made::default() }
    }

    /// Replaces the members of a request or an answer of `service`.
    pub fn members(&self, service: Service, members: &mut Members) {
        let old = std::mem::take(members);
        let has_value = old.contains_key("Value");
        let is_tag = has_value && old.contains_key("Key");
        // A rule of a notification's filter names a prefix or a suffix.
        let is_filter = has_value && old.contains_key("Name") && service == Service::S3;
        for (name, mut value) in old {
            let kind = match members::kind(service, &name) {
                Kind::Key if is_tag => Kind::Name,
                Kind::Name if is_filter && name == "Name" => Kind::Word,
                Kind::Name if is_filter && name == "Value" => Kind::Key,
                kind => kind,
            };
            if kind == Kind::Never {
                continue;
            }
            self.value(service, kind, &mut value);
            let name = if members::is_name_of_a_member(&name) { name } else { self.name(&name) };
            members.insert(name, value);
        }
    }

    fn value(&self, service: Service, kind: Kind, value: &mut Value) {
        match value {
            Value::Object(inner) if kind == Kind::Blob => {
                inner.retain(|name, it| {
                    ["length", "sha256"].contains(&name.as_str()) && is_figure(it)
                });
            }
            Value::Object(inner) => self.members(service, inner),
            Value::Array(items) => items.iter_mut().for_each(|it| self.value(service, kind, it)),
            // A text is searched for the names that are known by then.
            Value::String(text) if kind == Kind::Text => *text = self.text(text),
            Value::String(text) => *text = self.made.of(Some(kind), text, || self.leaf(kind, text)),
            Value::Number(number) if kind == Kind::Opaque => {
                let text = self.of_segment(&number.to_string());
                *number = text.parse().unwrap_or_else(|_| Number::from(0));
            }
            Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    fn leaf(&self, kind: Kind, text: &str) -> String {
        match kind {
            Kind::Name => {
                self.remember(text, false);
                self.name(text)
            }
            Kind::Key => {
                self.remember_key(text);
                self.key(text)
            }
            Kind::Id | Kind::Hash => self.name(text),
            Kind::Number if is_number(text) => text.to_owned(),
            Kind::Time if members::is_time(text) => text.to_owned(),
            Kind::Policy => self.policy(text),
            Kind::Word => self.said(text, &[]),
            Kind::Text => self.text(text),
            Kind::Never => String::new(),
            Kind::Number | Kind::Time | Kind::Blob | Kind::Opaque => self.of_name(text),
        }
    }

    /// Returns the stand-in of a name, an ARN or an id.
    pub fn name(&self, text: &str) -> String {
        match self.names {
            Names::Kept => text.to_owned(),
            Names::Replaced => self.of_name(text),
        }
    }

    /// Returns the stand-in of an object's key or a prefix, in which no piece is looked for, so that a
    /// prefix stays one wherever it ends.
    pub fn key(&self, text: &str) -> String {
        match self.names {
            Names::Kept => text.to_owned(),
            Names::Replaced => {
                let segments = text.split('/').map(|segment| self.of_letters(segment, &[]));
                segments.collect::<Vec<_>>().join("/")
            }
        }
    }

    fn of_name(&self, text: &str) -> String {
        if text.starts_with("arn:") {
            return self.arn(text);
        }
        let is_managed = text.starts_with("alias/aws/") && text.split('/').all(is_plain);
        if is_managed {
            return text.to_owned();
        }
        for own in ["crrctl:", "aws:"] {
            if let Some(rest) = text.strip_prefix(own) {
                return format!("{own}{}", self.said(rest, &[]));
            }
        }
        match text.strip_prefix("alias/") {
            Some(rest) => format!("alias/{}", self.segments(rest, |_| false)),
            None => self.segments(text, |_| false),
        }
    }

    /// Replaces the parts between `/` and `:`, but those that are plain.
    fn segments(&self, text: &str, is_plain: impl Fn(&str) -> bool) -> String {
        let mut out = String::with_capacity(text.len());
        for part in text.split_inclusive(['/', ':']) {
            let piece = part.trim_end_matches(['/', ':']);
            if is_plain(piece) {
                out.push_str(piece);
            } else {
                out.push_str(&self.of_segment(piece));
            }
            out.push_str(&part[piece.len()..]);
        }
        out
    }

    /// Returns the stand-in of an ARN: partition, service and Region stay, and the kind of resource.
    fn arn(&self, text: &str) -> String {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [arn, partition, service, region, account, resource] = parts.as_slice() else {
            return self.segments(text, |_| false);
        };
        if self.names == Names::Kept {
            return text.to_owned();
        }
        let is_partition =
            *partition == "aws" || partition.starts_with("aws-") && partition.len() <= 10;
        let partition =
            if is_partition { (*partition).to_owned() } else { self.of_segment(partition) };
        let word = |it: &str| if is_plain(it) { it.to_owned() } else { self.of_segment(it) };
        let resource = match (*service, resource.split_once('/')) {
            ("s3", Some((bucket, key))) => format!("{}/{}", self.of_segment(bucket), self.key(key)),
            ("s3", None) => self.of_segment(resource),
            ("cloudwatch", _) if resource.starts_with("alarm:") => {
                let name = resource.strip_prefix("alarm:").unwrap_or_default();
                format!("alarm:{}", self.segments(name, |_| false))
            }
            (_, Some((kind, rest))) if is_plain(kind) => {
                let is_aws = *account == "aws"
                    || rest.starts_with("aws-service-role/")
                    || (*service == "kms" && kind == "alias" && rest.starts_with("aws/"));
                format!("{kind}/{}", self.segments(rest, |it| is_aws && is_plain(it)))
            }
            _ => self.segments(resource, |it| it == "root" || it == "*"),
        };
        let (service, region, account) = (word(service), word(region), word(account));
        format!("{arn}:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// Returns a message with every name in it replaced: those that members had, and every word that
    /// is not in the dictionary.
    pub fn text(&self, text: &str) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let too_long = known.partition_point(|it| it.text.len() > text.len());
        self.said(text, &known[too_long..])
    }

    /// An ARN in quotes is replaced as a whole: a key may hold what is between words.
    fn said(&self, text: &str, known: &[Known]) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(arn) = quoted_arn(rest) {
            out.push_str(&self.without(&rest[..arn.start], known));
            out.push_str(&self.arn(&rest[arn.clone()]));
            rest = &rest[arn.end..];
        }
        out.push_str(&self.without(rest, known));
        out
    }

    fn without(&self, text: &str, known: &[Known]) -> String {
        for (place, name) in known.iter().enumerate() {
            let Some(at) = name.place_in(text) else { continue };
            let before = self.without(&text[..at], &known[place..]);
            let after = self.without(&text[at + name.text.len()..], &known[place..]);
            let stand_in = if name.is_key { self.key(&name.text) } else { self.name(&name.text) };
            return format!("{before}{stand_in}{after}");
        }
        let mut out = String::with_capacity(text.len());
        for part in text.split_inclusive(|c| BETWEEN.contains(c)) {
            let word = part.trim_end_matches(|c| BETWEEN.contains(c));
            let bare = word.trim_end_matches(['.', ':', '?']);
            out.push_str(&self.word(bare));
            out.push_str(&part[bare.len()..]);
        }
        out
    }

    fn word(&self, word: &str) -> String {
        if word.starts_with("arn:") {
            return self.arn(word);
        }
        if members::is_timestamp(word) {
            return word.to_owned();
        }
        let is_name =
            word.contains('@') || (word.contains('.') && !word.split(['/', ':']).all(is_plain));
        let is_kept = self.names == Names::Kept && is_id(word);
        if is_kept {
            return word.to_owned();
        }
        self.segments(word, |piece| !is_name && is_plain(piece))
    }

    /// Returns the stand-in of one segment of a name.
    fn of_segment(&self, segment: &str) -> String {
        self.of_letters(segment, &pieces::of(segment))
    }

    fn of_letters(&self, segment: &str, pieces: &[(Range<usize>, Piece)]) -> String {
        let (mut out, mut seen) = (String::with_capacity(segment.len()), self.state.build_hasher());
        let (mut at, mut pieces) = (0, pieces.iter().peekable());
        while let Some(letter) = segment[at..].chars().next() {
            let piece = pieces.next_if(|(range, _)| range.start == at);
            let end = if let Some((range, piece)) = piece {
                out.push_str(&self.piece(&segment[range.clone()], *piece));
                range.end
            } else {
                push_other(letter, drawn(&seen), &mut out);
                at + letter.len_utf8()
            };
            seen.write(&segment.as_bytes()[at..end]);
            at = end;
        }
        out
    }

    /// Returns the stand-in of a piece, which does not depend on what is before it.
    fn piece(&self, text: &str, piece: Piece) -> String {
        let hex = match piece {
            Piece::Kept => return text.to_owned(),
            Piece::Account => return self.of_letters(text, &[]),
            Piece::Hex => text.strip_prefix("mrk-").unwrap_or(text),
        };
        let (mut out, mut seen) =
            (text[..text.len() - hex.len()].to_owned(), self.state.build_hasher());
        for letter in hex.chars() {
            let stand_in = letter.to_digit(16).and_then(|digit| {
                let by = u32::try_from(drawn(&seen) % 15).unwrap_or_default() + 1;
                char::from_digit((digit + by) % 16, 16)
            });
            out.push(stand_in.unwrap_or(letter));
            seen.write(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        out
    }
}

/// Returns a message with `*` in place of every word that is not in the dictionary. Two messages of the
/// same form say the same of different things.
pub fn shape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(|c| BETWEEN.contains(c)) {
        let word = part.trim_end_matches(|c| BETWEEN.contains(c));
        let bare = word.trim_end_matches(['.', ':', '?']);
        let is_plain = !bare.contains('@') && bare.split(['/', ':']).all(is_plain);
        out.push_str(if is_plain { bare } else { "*" });
        out.push_str(&part[bare.len()..]);
    }
    out
}

/// Returns whether a text is a number in decimal digits, with a fraction or without.
fn is_number(text: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_digits(whole) && is_digits(fraction)
}

/// Returns whether a number stands for a body: its length or its hash.
fn is_figure(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::String(text) => text.len() == 64 && text.bytes().all(|it| it.is_ascii_hexdigit()),
        _ => false,
    }
}

/// Returns where the first ARN in quotes is.
fn quoted_arn(text: &str) -> Option<Range<usize>> {
    text.match_indices("arn:").find_map(|(start, _)| {
        let quote = text[..start].chars().next_back()?;
        if !['"', '\'', '`'].contains(&quote) {
            return None;
        }
        let length = text[start..].find(quote)?;
        Some(start..start + length)
    })
}

/// Returns whether a word is the id of an account or a key and nothing else.
fn is_id(word: &str) -> bool {
    matches!(pieces::of(word).as_slice(), [(range, _)] if range.len() == word.len())
}

fn drawn(seen: &DefaultHasher) -> u64 {
    seen.finish()
}

/// Adds another character of the same kind. What is neither a letter nor a digit stays.
fn push_other(letter: char, by: u64, out: &mut String) {
    let other = |first: u8, count: u8| {
        let by = u8::try_from(by % u64::from(count - 1)).unwrap_or_default() + 1;
        let place = u8::try_from(letter).unwrap_or(first) - first;
        char::from(first + (place + by) % count)
    };
    match letter {
        '0'..='9' => out.push(other(b'0', 10)),
        'a'..='z' => out.push(other(b'a', 26)),
        'A'..='Z' => out.push(other(b'A', 26)),
        _ if letter.is_ascii() => out.push(letter),
        _ => {
            let stand_in = char::from(b'a' + u8::try_from(by % 26).unwrap_or_default());
            out.extend(std::iter::repeat_n(stand_in, letter.len_utf8()));
        }
    }
}
