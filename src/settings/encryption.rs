//! Default encryption: SSE-KMS or DSSE-KMS under the key of the bucket's own Region, or SSE-S3.
//! Not for: the key itself, or which key a side has (see `manifest::PairKeys`).

use super::{Actions, Document, Setting, Wish};
use crate::events::Kind;
use crate::hcl::{self, Body};
use serde_json::{Value, json};

/// A bucket's default encryption, as it is found or wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encryption {
    /// The algorithm, such as `aws:kms`.
    pub algorithm: String,
    /// The key.
    pub key: DefaultKey,
    /// Whether the Bucket Key is enabled.
    pub bucket_key: bool,
}

/// The key of a default encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultKey {
    /// None, as with SSE-S3. With KMS, it is the key that AWS manages.
    None,
    /// This key: an id, an ARN or an alias, as it is set on the bucket.
    Known(String),
    /// A key that the run makes.
    New,
}

impl Encryption {
    /// SSE-S3, which is S3's default (S3 User Guide, "Default encryption FAQ").
    pub const SSE_S3: &'static str = "AES256";
    /// What a key that the run makes is called.
    pub const LATER: &'static str = "(known after apply)";

    /// Returns the key as it is set on the bucket.
    pub fn key(&self) -> Option<&str> {
        match &self.key {
            DefaultKey::Known(key) => Some(key),
            DefaultKey::None | DefaultKey::New => None,
        }
    }

    /// Returns whether new objects are encrypted under a KMS key.
    pub fn is_kms(&self) -> bool {
        self.algorithm != Self::SSE_S3
    }
}

impl Document for Encryption {
    const KIND: Kind = Kind::Encryption;
    const PART: &'static str = "encryption";
    const ACTIONS: Actions =
        Actions { read: "s3:GetEncryptionConfiguration", write: "s3:PutEncryptionConfiguration" };

    fn change(wish: &Wish<'_>, live: Option<&Self>) -> Option<Setting<Self>> {
        let wanted = wish.encryption.clone();
        if !wish.exists && !wanted.is_kms() {
            return Some(Setting::Unchanged);
        }
        Some(Setting::of(live.cloned(), wanted))
    }

    fn differs(&self, to: &Self) -> Vec<&'static str> {
        let fields = [
            ("algorithm", self.algorithm != to.algorithm),
            ("key", to.key == DefaultKey::New || self.key != to.key),
            ("bucket key", self.bucket_key != to.bucket_key),
        ];
        fields.iter().filter(|(_, differs)| *differs).map(|(label, _)| *label).collect()
    }

    fn detail(&self) -> Value {
        let key = match &self.key {
            DefaultKey::None => Value::Null,
            DefaultKey::Known(key) => json!(key),
            DefaultKey::New => json!(Self::LATER),
        };
        json!({"algorithm": self.algorithm, "key": key, "bucket_key": self.bucket_key})
    }

    fn is_known_later(&self) -> bool {
        self.key == DefaultKey::New
    }

    fn body(&self) -> Option<Value> {
        let mut default = json!({"SSEAlgorithm": self.algorithm});
        if let Some(key) = self.key() {
            default["KMSMasterKeyID"] = json!(key);
        }
        let rule = json!({
            "ApplyServerSideEncryptionByDefault": default,
            "BucketKeyEnabled": self.bucket_key,
        });
        Some(json!({"Rules": [rule]}))
    }

    fn terraform(&self, arn: &dyn Fn(&str) -> hcl::Value) -> Option<(&'static str, Body)> {
        let mut default = Body::default().set("sse_algorithm", hcl::Value::text(&self.algorithm));
        if let Some(key) = self.key() {
            default = default.set("kms_master_key_id", arn(key));
        }
        let rule = Body::default()
            .set("bucket_key_enabled", hcl::Value::bare(&self.bucket_key))
            .block("apply_server_side_encryption_by_default", &[], default);
        let body = Body::default().block("rule", &[], rule);
        Some(("aws_s3_bucket_server_side_encryption_configuration", body))
    }

    fn cloudformation(&self, arn: &dyn Fn(&str) -> Value) -> Vec<(&'static str, Value)> {
        let mut default = json!({"SSEAlgorithm": self.algorithm});
        if let Some(key) = self.key() {
            // A reference, so that the bucket depends on the key.
            default["KMSMasterKeyID"] = arn(key);
        }
        let rule =
            json!({"BucketKeyEnabled": self.bucket_key, "ServerSideEncryptionByDefault": default});
        vec![("BucketEncryption", json!({"ServerSideEncryptionConfiguration": [rule]}))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_that_differs_is_named() {
        let live = Encryption {
            algorithm: "aws:kms".to_owned(),
            key: DefaultKey::Known("arn:a".to_owned()),
            bucket_key: true,
        };
        let plain =
            Encryption { algorithm: "AES256".to_owned(), key: DefaultKey::None, ..live.clone() };
        let cases = [
            (Encryption { key: DefaultKey::New, ..live.clone() }, vec!["key"]),
            (Encryption { bucket_key: false, ..live.clone() }, vec!["bucket key"]),
            (plain, vec!["algorithm", "key"]),
        ];
        for (to, expected) in cases {
            assert_eq!(live.differs(&to), expected);
        }
    }
}
