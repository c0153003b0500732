//! CBOR to and from JSON values, for the Smithy RPC v2 CBOR protocol.
//! Not for: byte strings, which no member of CloudWatch's alarms has.

use ciborium::Value as Cbor;
use serde_json::{Number, Value};

/// The tag of a time in seconds (RFC 8949, section 3.4.2).
const TIME: u64 = 1;

/// Parses one value; `None` if the bytes are none, or more than one.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Value> {
    let value = ciborium::from_reader(&mut bytes).ok()?;
    if bytes.is_empty() { to_json(value) } else { None }
}

fn to_json(value: Cbor) -> Option<Value> {
    Some(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(it) => Value::Bool(it),
        Cbor::Integer(number) => Value::Number(Number::from_i128(number.into())?),
        Cbor::Float(number) => Value::Number(Number::from_f64(number)?),
        Cbor::Text(text) => Value::String(text),
        Cbor::Tag(_, value) => to_json(*value)?,
        Cbor::Array(items) => Value::Array(items.into_iter().map(to_json).collect::<Option<_>>()?),
        Cbor::Map(members) => {
            let member =
                |(name, value): (Cbor, Cbor)| Some((name.into_text().ok()?, to_json(value)?));
            Value::Object(members.into_iter().map(member).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Writes one value. The members in `times` are tagged as times.
pub(super) fn encode(value: &Value, times: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    let _ = ciborium::into_writer(&of_json(value, times), &mut bytes);
    bytes
}

fn of_json(value: &Value, times: &[&str]) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(it) => Cbor::Bool(*it),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Cbor::from(number),
            (None, number) => Cbor::Float(number.unwrap_or_default()),
        },
        Value::String(text) => Cbor::from(text.as_str()),
        Value::Array(items) => Cbor::Array(items.iter().map(|it| of_json(it, times)).collect()),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let mut written = of_json(value, times);
                if times.contains(&name.as_str()) {
                    written = tagged(written);
                }
                (Cbor::from(name.as_str()), written)
            };
            Cbor::Map(members.iter().map(member).collect())
        }
    }
}

/// Says of a time, or of each time of a list, that it is one.
fn tagged(value: Cbor) -> Cbor {
    match value {
        Cbor::Array(items) => Cbor::Array(items.into_iter().map(tagged).collect()),
        value => Cbor::Tag(TIME, Box::new(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_come_back() {
        let value = json!({"a": [1, 300, 2.5, "text", true, null, -7], "at": 1.5, "all": [1, 2]});
        assert_eq!(decode(&encode(&value, &["at", "all"])), Some(value));
    }

    #[test]
    fn times_are_tagged() {
        assert_eq!(hex::encode(encode(&json!({"at": 1}), &["at"])), "a1626174c101");
        assert_eq!(hex::encode(encode(&json!({"at": [1]}), &["at"])), "a162617481c101");
    }

    #[test]
    fn what_rfc_8949_shows_is_read() {
        for (hex, value) in [
            ("1903e8", json!(1000)),
            ("f93e00", json!(1.5)),
            ("c11a514b67b0", json!(1_363_896_240)),
            ("bf61610161629f0203ffff", json!({"a": 1, "b": [2, 3]})),
            ("7f657374726561646d696e67ff", json!("streaming")),
        ] {
            assert_eq!(decode(&hex::decode(hex).unwrap()), Some(value), "{hex}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for bytes in [&[][..], &[0x81], &[0x61], &[0xff], &[0x00, 0x00], &[0x1b, 1], &[0x81; 1000]]
        {
            assert_eq!(decode(bytes), None, "{bytes:?}");
        }
    }
}
