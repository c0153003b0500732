//! Stand-ins in policies, which keep their grammar, actions and condition keys.
//! Not for: the stand-ins by themselves (see `stand_ins`).

use super::super::Names;
use super::super::dictionary::MOST_DIGITS;
use super::super::pieces::Piece;
use super::StandIns;
use serde_json::{Number, Value};
use std::net::IpAddr;

/// Condition keys of policies whose values name nobody.
const ANYBODYS: [&str; 28] = [
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:CurrentTime",
    "aws:MultiFactorAuthAge",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:PrincipalType",
    "aws:RequestedRegion",
    "aws:SecureTransport",
    "aws:ViaAWSService",
    "iam:AWSServiceName",
    "iam:PassedToService",
    "kms:GrantIsForAWSResource",
    "kms:GrantOperations",
    "kms:KeyOrigin",
    "kms:KeySpec",
    "kms:MultiRegion",
    "kms:MultiRegionKeyType",
    "kms:ReplicaRegion",
    "kms:RotationPeriodInDays",
    "kms:ViaService",
    "s3:TlsVersion",
    "s3:max-keys",
    "s3:x-amz-acl",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-storage-class",
];

impl StandIns {
    /// Returns a policy with every name in it replaced. What is no JSON is replaced as a whole.
    pub fn policy(&self, text: &str) -> String {
        match serde_json::from_str::<Value>(text) {
            Ok(mut document) => {
                self.texts(&mut document);
                document.to_string()
            }
            Err(_) => self.of_name(text),
        }
    }

    /// Returns the stand-in of an ARN in a policy, which writes `$` as `${$}` (IAM User Guide, "IAM policy
    /// elements: Variables and tags").
    fn resource(&self, arn: &str) -> String {
        if arn.contains("${$}{") {
            return self.name(&arn.replace("${$}{", "${")).replace("${", "${$}{");
        }
        self.name(arn)
    }

    /// Replaces every name in the texts of `value`, those of keys too.
    fn texts(&self, value: &mut Value) {
        match value {
            Value::String(text) if text.starts_with("arn:") => *text = self.resource(text),
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|it| self.texts(it)),
            Value::Object(fields) => {
                for (key, mut value) in std::mem::take(fields) {
                    match key.as_str() {
                        "Condition" => self.conditions(&mut value),
                        "Version" | "Effect" | "Action" | "NotAction" => self.words(&mut value),
                        _ => self.texts(&mut value),
                    }
                    fields.insert(self.text(&key), value);
                }
            }
            Value::Number(number) => {
                let text = number.to_string();
                if text.bytes().filter(u8::is_ascii_digit).count() > MOST_DIGITS {
                    *value = self.figure(&text);
                }
            }
            Value::Bool(_) | Value::Null => {}
        }
    }

    /// Replaces what is no word of a policy's grammar.
    fn words(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.said(text, &[]),
            Value::Array(items) => items.iter_mut().for_each(|it| self.words(it)),
            value => self.texts(value),
        }
    }

    /// Returns the stand-in of a number; it is a text where no number begins like that.
    fn figure(&self, text: &str) -> Value {
        let stand_in = self.name(text);
        match stand_in.parse::<Number>() {
            Ok(number) => Value::Number(number),
            Err(_) => Value::String(stand_in),
        }
    }

    /// Replaces every name in the conditions of a statement: operators, keys, values.
    fn conditions(&self, value: &mut Value) {
        match value {
            Value::Object(operators) => {
                for (operator, mut tested) in std::mem::take(operators) {
                    if let Value::Object(keys) = &mut tested {
                        for (key, mut values) in std::mem::take(keys) {
                            self.tested(&key, &mut values);
                            keys.insert(self.condition_key(&key), values);
                        }
                    } else {
                        self.texts(&mut tested);
                    }
                    operators.insert(self.text(&operator), tested);
                }
            }
            value => self.texts(value),
        }
    }

    /// Returns a condition key with a stand-in in place of the key of a tag.
    pub(super) fn condition_key(&self, key: &str) -> String {
        match key.split_once('/') {
            Some((kind, tag)) => format!("{}/{}", self.said(kind, &[]), self.name(tag)),
            None => self.said(key, &[]),
        }
    }

    /// Replaces the values that a condition compares `key` with.
    fn tested(&self, key: &str, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.value_of(key, text),
            Value::Array(items) => items.iter_mut().for_each(|it| self.tested(key, it)),
            Value::Number(number) if !is_anybodys(key) => {
                let text = number.to_string();
                *value = self.figure(&text);
            }
            value => self.texts(value),
        }
    }

    /// Returns the stand-in of one value of a condition key.
    pub(super) fn value_of(&self, key: &str, text: &str) -> String {
        if is_anybodys(key) {
            return self.said(text, &[]);
        }
        if ["true", "false"].contains(&text) {
            return text.to_owned();
        }
        if text.starts_with("arn:") {
            return self.resource(text);
        }
        if let Some(address) = self.address(text) {
            return address;
        }
        let is_prefix = key.eq_ignore_ascii_case("s3:prefix");
        let stand_in = |it: &str| if is_prefix { self.key(it) } else { self.name(it) };
        // Variables such as `${aws:username}` are grammar.
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some((before, (variable, after))) =
            rest.split_once("${").and_then(|(before, it)| Some((before, it.split_once('}')?)))
        {
            out.push_str(&stand_in(before));
            out.extend(["${", self.condition_key(variable).as_str(), "}"]);
            rest = after;
        }
        out.push_str(&stand_in(rest));
        out
    }
}

impl StandIns {
    /// Returns the stand-in of an IP address or a range, which is one too; `None` for any other text.
    fn address(&self, text: &str) -> Option<String> {
        let (address, length) = text.split_once('/').unwrap_or((text, ""));
        let is_ipv4 = match address.parse() {
            _ if self.names == Names::Kept || !length.chars().all(|c| c.is_ascii_digit()) => {
                return None;
            }
            Ok(IpAddr::V4(_)) => true,
            Ok(IpAddr::V6(_)) => false,
            Err(_) => return None,
        };
        let stand_in: String = if is_ipv4 {
            address.split_inclusive('.').map(|it| self.octet(it)).collect()
        } else {
            self.piece(address, Piece::Hex)
        };
        Some(format!("{stand_in}{}", &text[address.len()..]))
    }

    /// Returns the stand-in of a part of an IPv4 address, with what follows it. It is at most 199.
    fn octet(&self, part: &str) -> String {
        let digits = part.trim_end_matches('.').len();
        let mut stand_in = self.of_letters(part, &[]);
        if digits == 3 || (digits == 2 && stand_in.starts_with('0')) {
            stand_in.replace_range(..1, "1");
        }
        stand_in
    }
}

/// Returns whether the values of a condition key name nobody.
fn is_anybodys(key: &str) -> bool {
    ANYBODYS.iter().any(|it| it.eq_ignore_ascii_case(key))
}
