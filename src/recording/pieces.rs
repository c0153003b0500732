//! The pieces of a name that have a form of their own: accounts, Regions, ids of keys, UUIDs.
//! Not for: what takes their place (see `stand_ins`).

use std::ops::Range;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// 12 digits.
    Account,
    /// A Region, or the end of a bucket's name in the account's own namespace.
    Kept,
    /// A UUID, or the id of a multi-Region key.
    Hex,
}

const STARTS: [&str; 11] = ["us", "eu", "ap", "ca", "sa", "me", "af", "il", "mx", "cn", "eusc"];
const PLACES: [&str; 9] = [
    "north",
    "south",
    "east",
    "west",
    "central",
    "northeast",
    "northwest",
    "southeast",
    "southwest",
];

/// Returns whether `text` has the form of a Region, such as `us-gov-west-1`.
pub(super) fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let (start, middle, end) = match parts.as_slice() {
        [start, place, number] => (*start, *place, *number),
        [start, kind, place, number]
            if ["gov", "iso", "isob", "isof", "isoe", "de"].contains(kind) =>
        {
            (*start, *place, *number)
        }
        _ => return false,
    };
    let is_place = PLACES.contains(&middle) || (start == "eusc" && middle == "east");
    STARTS.contains(&start) && is_place && end.len() == 1 && end.as_bytes()[0].is_ascii_digit()
}

/// Returns the pieces of `name`, in their order.
pub(super) fn of(name: &str) -> Vec<(Range<usize>, Piece)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < name.len() {
        if !name.is_char_boundary(at) {
            at += 1;
            continue;
        }
        match starting_at(name, at) {
            Some((end, piece)) => {
                found.push((at..end, piece));
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

/// Returns the UUIDs and the ids of keys in a text, each without `mrk-`.
pub fn hex_ids(text: &str) -> Vec<&str> {
    let ids = of(text).into_iter().filter(|(_, piece)| *piece == Piece::Hex);
    ids.map(|(range, _)| &text[range]).map(|id| id.strip_prefix("mrk-").unwrap_or(id)).collect()
}

fn starting_at(name: &str, at: usize) -> Option<(usize, Piece)> {
    let bytes = name.as_bytes();
    let is_edge = |at: usize| bytes.get(at).is_none_or(|it| !it.is_ascii_alphanumeric());
    if at > 0 && !is_edge(at - 1) {
        return None;
    }
    let rest = &name[at..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 12 && is_edge(at + 12) {
        return Some((at + 12, Piece::Account));
    }
    if let Some(id) = rest.strip_prefix("mrk-").filter(|id| hex(id) >= 32 && is_edge(at + 36)) {
        return (hex(id) == 32).then_some((at + 36, Piece::Hex));
    }
    if is_uuid(rest) && is_edge(at + 36) {
        return Some((at + 36, Piece::Hex));
    }
    // A Region has three or four parts.
    for parts in [4, 3] {
        let ends = rest.match_indices('-').map(|(end, _)| end).chain([rest.len()]);
        let Some(end) = ends.take(parts).nth(parts - 1) else { continue };
        if is_region(&rest[..end]) {
            let is_namespace = &rest[end..] == "-an";
            return Some((at + if is_namespace { end + 3 } else { end }, Piece::Kept));
        }
    }
    None
}

fn hex(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_hexdigit).count()
}

/// Returns whether `text` starts with a UUID.
fn is_uuid(text: &str) -> bool {
    let form = |(at, letter): (usize, u8)| match at {
        8 | 13 | 18 | 23 => letter == b'-',
        _ => letter.is_ascii_hexdigit(),
    };
    text.len() >= 36 && text.bytes().take(36).enumerate().all(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found() {
        let of = |name: &str| {
            let found = super::of(name).into_iter();
            found.map(|(range, piece)| (name[range].to_owned(), piece)).collect::<Vec<_>>()
        };
        let account = || ("111122223333".to_owned(), Piece::Account);
        assert_eq!(
            of("demo-111122223333-us-east-1"),
            [account(), ("us-east-1".to_owned(), Piece::Kept)]
        );
        assert_eq!(
            of("a-111122223333-eu-central-1-an"),
            [account(), ("eu-central-1-an".to_owned(), Piece::Kept)]
        );
        let key = format!("mrk-{}", "1a".repeat(16));
        assert_eq!(of(&key), [(key.clone(), Piece::Hex)]);
        assert_eq!(of("1111222233334"), []);
        assert_eq!(of("x111122223333"), []);
        assert_eq!(of("orders"), []);
    }
}
