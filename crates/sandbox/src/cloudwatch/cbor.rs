//! CBOR, as far as the Smithy RPC v2 CBOR protocol needs it, to and from JSON values.
//! Source: RFC 8949.
//! Not for: byte strings, which no member of CloudWatch's alarms has.

use serde_json::{Map, Value};

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 32;
/// The byte that ends what has no length of its own.
const BREAK: u8 = 0xff;

/// Parses one value; `None` if the bytes are none, or more than one.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader { bytes };
    let value = reader.value(MAX_DEPTH)?;
    reader.bytes.is_empty().then_some(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn take(&mut self, length: u64) -> Option<&[u8]> {
        let (taken, rest) = self.bytes.split_at_checked(usize::try_from(length).ok()?)?;
        self.bytes = rest;
        Some(taken)
    }

    /// Reads the number in or after the first byte of an item; `None` in `Some` is an indefinite
    /// length.
    fn argument(&mut self, low: u8) -> Option<Option<u64>> {
        let length = match low {
            0..=23 => return Some(Some(low.into())),
            24..=27 => 1_u64 << (low - 24),
            31 => return Some(None),
            _ => return None,
        };
        let bytes = self.take(length)?;
        Some(Some(bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte))))
    }

    /// Returns whether an item of a list or map follows, and skips the end if not.
    fn has_more(&mut self, left: &mut Option<u64>) -> Option<bool> {
        match left {
            Some(0) => Some(false),
            Some(left) => {
                *left -= 1;
                Some(true)
            }
            None if *self.bytes.first()? == BREAK => {
                self.byte();
                Some(false)
            }
            None => Some(true),
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        let first = self.byte()?;
        let (kind, low) = (first >> 5, first & 31);
        if kind == 7 {
            return self.simple(low);
        }
        let argument = self.argument(low)?;
        match kind {
            0 => Some(argument?.into()),
            1 => Some((-1 - i64::try_from(argument?).ok()?).into()),
            3 => self.text(argument, depth).map(Value::String),
            4 => {
                let (mut left, mut items) = (argument, Vec::new());
                while self.has_more(&mut left)? {
                    items.push(self.value(depth)?);
                }
                Some(Value::Array(items))
            }
            5 => {
                let (mut left, mut members) = (argument, Map::new());
                while self.has_more(&mut left)? {
                    let Value::String(name) = self.value(depth)? else { return None };
                    members.insert(name, self.value(depth)?);
                }
                Some(Value::Object(members))
            }
            // A tag says what the value means; a time is its number of seconds.
            6 => self.value(depth),
            _ => None,
        }
    }

    fn text(&mut self, length: Option<u64>, depth: usize) -> Option<String> {
        if let Some(length) = length {
            return String::from_utf8(self.take(length)?.to_vec()).ok();
        }
        let mut text = String::new();
        while self.has_more(&mut None)? {
            let Value::String(part) = self.value(depth)? else { return None };
            text.push_str(&part);
        }
        Some(text)
    }

    fn simple(&mut self, low: u8) -> Option<Value> {
        match low {
            20 => Some(false.into()),
            21 => Some(true.into()),
            22 | 23 => Some(Value::Null),
            25 => {
                let bits = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
                Some(half(bits).into())
            }
            26 => Some(f32::from_be_bytes(self.take(4)?.try_into().ok()?).into()),
            27 => Some(f64::from_be_bytes(self.take(8)?.try_into().ok()?).into()),
            _ => None,
        }
    }
}

/// Converts a number of 16 bits (RFC 8949, appendix D).
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from((bits >> 10) & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 => return f64::NAN,
        _ => (mantissa + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// Writes one value.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut bytes);
    bytes
}

fn write(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(0xf6),
        Value::Bool(it) => bytes.push(if *it { 0xf5 } else { 0xf4 }),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(number), _) => head(0, number, bytes),
            (None, number) => {
                bytes.push(0xfb);
                bytes.extend(number.unwrap_or_default().to_be_bytes());
            }
        },
        Value::String(text) => {
            head(3, text.len() as u64, bytes);
            bytes.extend(text.as_bytes());
        }
        Value::Array(items) => {
            head(4, items.len() as u64, bytes);
            items.iter().for_each(|item| write(item, bytes));
        }
        Value::Object(members) => {
            head(5, members.len() as u64, bytes);
            for (name, value) in members {
                head(3, name.len() as u64, bytes);
                bytes.extend(name.as_bytes());
                if name.ends_with("Timestamp") {
                    head(6, 1, bytes);
                }
                write(value, bytes);
            }
        }
    }
}

/// Writes the kind of an item with its number or length.
fn head(kind: u8, number: u64, bytes: &mut Vec<u8>) {
    let kind = kind << 5;
    match u8::try_from(number) {
        Ok(small @ 0..=23) => bytes.push(kind | small),
        _ => {
            bytes.push(kind | 27);
            bytes.extend(number.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_come_back() {
        let value = json!({"a": [1, 300, 2.5, "text", true, null], "b": {"c": "long enough to need a length of its own"}});
        assert_eq!(decode(&encode(&value)), Some(value));
    }

    #[test]
    fn what_rfc_8949_shows_is_read() {
        for (hex, value) in [
            ("1903e8", json!(1000)),
            ("3863", json!(-100)),
            ("f93e00", json!(1.5)),
            ("fa47c35000", json!(100_000.0)),
            ("fb3ff199999999999a", json!(1.1)),
            ("c11a514b67b0", json!(1_363_896_240)),
            ("9f018202039f0405ffff", json!([1, [2, 3], [4, 5]])),
            ("bf61610161629f0203ffff", json!({"a": 1, "b": [2, 3]})),
            ("7f657374726561646d696e67ff", json!("streaming")),
        ] {
            assert_eq!(decode(&hex::decode(hex).unwrap()), Some(value), "{hex}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for bytes in [&[][..], &[0x81], &[0x61], &[0xff], &[0x00, 0x00], &[0x1b, 1], &[0x81; 100]] {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
    }
}
