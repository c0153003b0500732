//! Default encryption: SSE-KMS or DSSE-KMS under the key of the bucket's own Region, or SSE-S3.
//! Not for: the key itself, or which key a side has (see `manifest::PairKeys`).

use super::document::{Actions, Document, Setting};
use super::wish::{BucketSettings, DefaultKey, Encryption, Wish};
use crate::events::Kind;
use crate::hcl::{self, Body};
use crate::names::Arn;
use serde::Serialize;
use serde_json::{Value, json};

/// What `detail` shows.
#[derive(Serialize)]
struct Shown<'a> {
    algorithm: &'a str,
    key: Option<&'a str>,
    bucket_key: bool,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    blocked_encryption: &'a [String],
}

/// The word for a Bucket Key in the value of a tag.
const BUCKET_KEY: &str = "bucket-key";
/// How long the value of a tag may be (S3 User Guide, "Tagging buckets").
const MOST: usize = 256;

impl Document for Encryption {
    const KIND: Kind = Kind::Encryption;
    const PART: &'static str = "encryption";
    const ACTIONS: Actions =
        Actions { read: "s3:GetEncryptionConfiguration", write: "s3:PutEncryptionConfiguration" };

    fn is_managed(settings: &BucketSettings, adopted: bool) -> bool {
        settings.manages_encryption(adopted) || settings.blocked_encryption.is_some()
    }

    fn change(wish: &Wish<'_>, live: Option<&Self>) -> Option<Setting<Self>> {
        let mut wanted = if wish.settings.manages_encryption(wish.adopted) {
            wish.encryption.clone()
        } else {
            live.cloned().unwrap_or_else(Self::by_default)
        };
        wanted.blocked = match &wish.settings.blocked_encryption {
            Some(types) => types.clone(),
            None => live.map(|live| live.blocked.clone()).unwrap_or_default(),
        };
        // A bucket of which S3 does not say what it blocks blocks nothing.
        if let Some(live) = live.filter(|live| live.blocks() == wanted.blocks()) {
            wanted.blocked.clone_from(&live.blocked);
        }
        if !wish.exists && !wanted.is_kms() && wanted.blocked.is_empty() {
            return Some(Setting::Unchanged);
        }
        Some(Setting::of(live.cloned(), wanted))
    }

    fn differs(&self, to: &Self) -> Vec<&'static str> {
        let fields = [
            ("algorithm", self.algorithm != to.algorithm),
            ("key", to.key == DefaultKey::New || self.key != to.key),
            ("bucket key", self.bucket_key != to.bucket_key),
            ("blocked encryption types", self.blocked != to.blocked),
        ];
        fields.iter().filter(|(_, differs)| *differs).map(|(label, _)| *label).collect()
    }

    fn detail(&self) -> Value {
        json!(Shown {
            algorithm: &self.algorithm,
            key: match &self.key {
                DefaultKey::None => None,
                DefaultKey::Known(key) => Some(key),
                DefaultKey::New => Some(Self::LATER),
            },
            bucket_key: self.bucket_key,
            blocked_encryption: &self.blocked,
        })
    }

    fn is_known_later(&self) -> bool {
        self.key == DefaultKey::New
    }

    fn example() -> Option<&'static str> {
        Some(
            "encryption: managed                     # managed | keep (the default for adopted buckets)\n\
             blocked_encryption: keep                # keep | none | [SSE-C]",
        )
    }

    const GOES_BACK: bool = true;

    /// `sse=aws:kms key=ARN bucket-key blocked=SSE-C`: the characters that tags may have.
    fn remembered(was: Option<&Self>, _: &Self) -> Option<String> {
        let was = was.cloned().unwrap_or_else(Self::by_default);
        let mut words = vec![format!("sse={}", was.algorithm)];
        words.extend(was.key().map(|key| format!("key={key}")));
        words.extend(was.bucket_key.then(|| BUCKET_KEY.to_owned()));
        words.extend(was.blocked.iter().map(|it| format!("blocked={it}")));
        Some(words.join(" ")).filter(|value| value.len() <= MOST)
    }

    fn recalled(value: &str) -> Option<Self> {
        let words = || value.split(' ');
        let all = |name: &'static str| words().filter_map(move |it| it.strip_prefix(name));
        Some(Self {
            algorithm: all("sse=").next()?.to_owned(),
            key: all("key=").next().map_or(DefaultKey::None, |it| DefaultKey::Known(it.to_owned())),
            bucket_key: words().any(|it| it == BUCKET_KEY),
            blocked: all("blocked=").map(str::to_owned).collect(),
        })
    }

    /// Types that are blocked now stay blocked: blocking protects the bucket.
    fn back(&self, was: Self) -> Self {
        let blocks = |it: &Self| it.blocked.iter().any(|it| it != Self::BLOCKS_NONE);
        if blocks(self) && !blocks(&was) {
            Self { blocked: self.blocked.clone(), ..was }
        } else {
            was
        }
    }

    fn is_ours(&self, was: &Self, (key, _): (Option<&Arn>, &str)) -> bool {
        let is_under_ours = match key {
            Some(key) => self.key() == Some(key.as_str()),
            None => !self.is_kms(),
        };
        // Where the pair manages the blocked types alone, all else is the owner's.
        is_under_ours || *self == Self { blocked: self.blocked.clone(), ..was.clone() }
    }

    fn body(&self) -> Option<Value> {
        let mut default = json!({"SSEAlgorithm": self.algorithm});
        if let Some(key) = self.key() {
            default["KMSMasterKeyID"] = json!(key);
        }
        let mut rule = json!({
            "ApplyServerSideEncryptionByDefault": default,
            "BucketKeyEnabled": self.bucket_key,
        });
        if !self.blocked.is_empty() {
            rule["BlockedEncryptionTypes"] = json!({"EncryptionType": self.blocked});
        }
        Some(json!({"Rules": [rule]}))
    }

    fn terraform(&self, arn: &dyn Fn(&str) -> hcl::Value) -> Option<(&'static str, Body)> {
        let mut default = Body::default().set("sse_algorithm", hcl::Value::text(&self.algorithm));
        if let Some(key) = self.key() {
            default = default.set("kms_master_key_id", arn(key));
        }
        // `blocked_encryption_types` came with 6.22 of the provider; since 6.40 the provider keeps
        // what a bucket has where it is not set (terraform-provider-aws#47359).
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
        let mut rule =
            json!({"BucketKeyEnabled": self.bucket_key, "ServerSideEncryptionByDefault": default});
        if !self.blocked.is_empty() {
            rule["BlockedEncryptionTypes"] = json!({"EncryptionType": self.blocked});
        }
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
            blocked: vec!["NONE".to_owned()],
        };
        let blocked = Encryption { blocked: vec!["SSE-C".to_owned()], ..live.clone() };
        let plain =
            Encryption { algorithm: "AES256".to_owned(), key: DefaultKey::None, ..live.clone() };
        let cases = [
            (Encryption { key: DefaultKey::New, ..live.clone() }, vec!["key"]),
            (Encryption { bucket_key: false, ..live.clone() }, vec!["bucket key"]),
            (blocked, vec!["blocked encryption types"]),
            (plain, vec!["algorithm", "key"]),
        ];
        for (to, expected) in cases {
            assert_eq!(live.differs(&to), expected);
        }
    }

    fn changed(live: &[&str], wanted: Option<&[&str]>) -> Option<Vec<String>> {
        let owned = |types: &[&str]| types.iter().map(|it| (*it).to_owned()).collect();
        let settings =
            BucketSettings { blocked_encryption: wanted.map(owned), ..BucketSettings::default() };
        let plain = |blocked| Encryption {
            algorithm: Encryption::SSE_S3.to_owned(),
            key: DefaultKey::None,
            bucket_key: true,
            blocked,
        };
        let (encryption, account, region) = (plain(Vec::new()), "111122223333", "us-east-1");
        let wish =
            Wish { settings: &settings, encryption, exists: true, adopted: false, account, region };
        let change = Encryption::change(&wish, Some(&plain(owned(live)))).unwrap();
        change.written().map(|written| written.blocked.clone())
    }

    #[test]
    fn blocked_types_are_kept_unless_the_manifest_says_otherwise() {
        for live in [&[][..], &["NONE"], &["SSE-C"]] {
            assert_eq!(changed(live, None), None);
        }
        assert_eq!(changed(&[], Some(&["NONE"])), None);
        assert_eq!(changed(&["SSE-C"], Some(&["NONE"])).unwrap(), ["NONE"]);
        assert_eq!(changed(&["NONE"], Some(&["SSE-C"])).unwrap(), ["SSE-C"]);
        assert_eq!(changed(&[], Some(&["SSE-C"])).unwrap(), ["SSE-C"]);
    }
}
