//! A pair that crrctl built, the changes that break and repair it, and the outcome of an upload in
//! it.
//! Not for: the list of ways to break the pair (see `ways`).

use crate::common::{Stand, iam, kms_of, s3_of};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types as t;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A bucket, with its account and Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) account: &'static str,
    pub(super) region: &'static str,
    pub(super) bucket: &'static str,
}

/// The source, the destination and the role of one direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Direction {
    pub(super) source: Place,
    pub(super) destination: Place,
    pub(super) role: &'static str,
    pub(super) markers: bool,
    pub(super) is_locked: bool,
    /// Whether multipart uploads are tried: no source says that the strict profile is sufficient
    /// for them.
    pub(super) has_parts: bool,
}

impl Direction {
    pub(super) fn is_foreign(&self) -> bool {
        self.source.account != self.destination.account
    }
}

/// A way to break a pair.
#[derive(Debug, Clone)]
pub(super) enum How {
    /// Replaces the role's inline policy, or deletes it.
    Policy(&'static str, Option<Value>),
    Trust(&'static str, Value),
    /// Gives the role a permissions boundary that allows these actions.
    Boundary(&'static str, &'static str),
    NoRole(&'static str),
    KeyPolicy(Place, Value),
    Disabled(Place),
    Pending(Place),
    /// Replaces the bucket policy, or deletes it.
    BucketPolicy(Place, Option<Value>),
    /// Replaces the bucket's rules, or deletes them.
    Rules(Place, Option<Box<t::ReplicationConfiguration>>),
    Suspended(Place),
    /// Sets the default encryption to this key, or to SSE-S3.
    Encryption(Place, Option<String>),
    NoBucket(Place),
}

/// The outcomes of the small object, the multipart upload and the delete marker.
#[derive(Debug)]
pub(super) struct Fate {
    ended: Vec<(&'static str, Ended)>,
    /// The version id of the small object, if its upload was not refused.
    version: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Completed,
    Failed(String),
    /// No rule selected it.
    Untouched,
    /// The upload was refused.
    Refused,
}

impl Fate {
    pub(super) fn is_whole(&self) -> bool {
        self.ended.iter().all(|(_, it)| *it == Ended::Completed)
    }

    pub(super) fn is_harmed(&self) -> bool {
        !self.is_whole()
    }

    /// Returns the failure reason that S3 gave for the small object.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reasons().into_iter().find_map(|(what, reason)| (what == "object").then_some(reason))
    }

    /// Returns every failure reason that S3 gave, with the upload that it applies to.
    pub(super) fn reasons(&self) -> Vec<(&'static str, &str)> {
        let failed = self.ended.iter().filter_map(|(what, it)| match it {
            Ended::Failed(reason) => Some((*what, reason.as_str())),
            _ => None,
        });
        failed.collect()
    }

    /// Returns the outcome as a cell of the table.
    pub(super) fn told(&self) -> String {
        let first = self.ended.iter().find(|(_, it)| *it != Ended::Completed);
        match first {
            None => "COMPLETED".to_owned(),
            Some(("object", Ended::Failed(reason))) => reason.clone(),
            Some((what, Ended::Failed(reason))) => format!("{what}: {reason}"),
            Some((what, Ended::Untouched)) => format!("{what}: not selected"),
            Some((what, _)) => format!("{what}: upload refused"),
        }
    }
}

pub(super) struct Pair {
    stand: Stand,
    manifest: String,
    pub(super) directions: Vec<Direction>,
    pub(super) policies: BTreeMap<&'static str, Value>,
    pub(super) trusts: BTreeMap<&'static str, Value>,
    /// The key of each bucket that has one, with its key policy.
    pub(super) keys: BTreeMap<Place, (String, Value)>,
    pub(super) buckets: BTreeMap<Place, Option<Value>>,
    pub(super) rules: BTreeMap<Place, t::ReplicationConfiguration>,
    encryption: BTreeMap<Place, t::ServerSideEncryptionConfiguration>,
}

impl Pair {
    pub(super) fn build(stand: Stand, manifest: &str, directions: &[Direction]) -> Self {
        stand.profile("archive", crate::sandbox::OTHER);
        let _ = stand.manifest(&["apply", "--yes", "--no-probe", "-q"], manifest).exits(0);
        let mut pair = Self {
            stand,
            manifest: manifest.to_owned(),
            directions: directions.to_vec(),
            policies: BTreeMap::new(),
            trusts: BTreeMap::new(),
            keys: BTreeMap::new(),
            buckets: BTreeMap::new(),
            rules: BTreeMap::new(),
            encryption: BTreeMap::new(),
        };
        for direction in directions {
            pair.keep(direction);
        }
        pair
    }

    /// Stores the intact state of a direction.
    fn keep(&mut self, direction: &Direction) {
        let iam = iam(self.stand.endpoint());
        let (policy, trust) = self.stand.wait(async {
            let policy = iam.get_role_policy().role_name(direction.role).policy_name("replication");
            let policy = policy.send().await.unwrap().policy_document().to_owned();
            let role = iam.get_role().role_name(direction.role).send().await.unwrap();
            (policy, role.role().unwrap().assume_role_policy_document().unwrap().to_owned())
        });
        let json = |text: &str| -> Value {
            let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
            serde_json::from_str(&text).unwrap()
        };
        self.policies.insert(direction.role, json(&policy));
        self.trusts.insert(direction.role, json(&trust));
        let (s3, source) = (self.s3(direction.source), direction.source);
        let rules = self.stand.wait(async {
            let rules = s3.get_bucket_replication().bucket(source.bucket).send().await.unwrap();
            rules.replication_configuration().unwrap().clone()
        });
        self.rules.insert(source, rules);
        for place in [source, direction.destination] {
            let (s3, kms) = (self.s3(place), self.kms(place));
            let (encryption, policy, key) = self.stand.wait(async {
                let live = s3.get_bucket_encryption().bucket(place.bucket).send().await.unwrap();
                let live = live.server_side_encryption_configuration().unwrap().clone();
                let by = live.rules()[0].apply_server_side_encryption_by_default().unwrap();
                let key = by.kms_master_key_id().map(str::to_owned);
                let policy = s3.get_bucket_policy().bucket(place.bucket).send().await.ok();
                let policy = policy.and_then(|it| it.policy().map(str::to_owned));
                let Some(key) = key else { return (live, policy, None) };
                let of_key = kms.get_key_policy().key_id(&key).policy_name("default").send().await;
                (live, policy, Some((key, of_key.unwrap().policy().unwrap().to_owned())))
            });
            self.encryption.insert(place, encryption);
            self.buckets.insert(place, policy.map(|it| serde_json::from_str(&it).unwrap()));
            if let Some((key, policy)) = key {
                self.keys.insert(place, (key, serde_json::from_str(&policy).unwrap()));
            }
        }
    }

    fn s3(&self, place: Place) -> aws_sdk_s3::Client {
        s3_of(place.account, self.stand.endpoint(), place.region)
    }

    fn kms(&self, place: Place) -> aws_sdk_kms::Client {
        kms_of(place.account, self.stand.endpoint(), place.region)
    }

    /// Runs `check`, which must exit with 0 or 2.
    pub(super) fn check(&self) -> Value {
        let output = self.stand.manifest(&["check", "-o", "json"], &self.manifest);
        assert!([0, 2].contains(&output.code), "{output}");
        output.json()
    }

    /// Runs `check` for the object that [`Self::fate`] uploaded, as `args` add.
    pub(super) fn check_object(
        &self,
        direction: &Direction,
        fate: &Fate,
        args: &[&str],
    ) -> Option<Value> {
        let version = fate.version.as_ref()?;
        let object = format!("s3://{}/{}", direction.source.bucket, self.object_key());
        let check = ["check", &object, "--version-id", version, "-o", "json"];
        let output = self.stand.manifest(&[&check[..], args].concat(), &self.manifest);
        assert!([0, 2].contains(&output.code), "{output}");
        Some(output.json())
    }

    /// Returns everything that exists.
    pub(super) fn everything(&self) -> Vec<String> {
        self.stand.leftovers()
    }

    fn object_key(&self) -> String {
        format!("_crrctl/{}/confusion/object", self.name())
    }

    /// Creates a key that does not belong to the pair.
    pub(super) fn another_key(&self, place: Place) -> String {
        let kms = self.kms(place);
        self.stand.wait(async {
            let key = kms.create_key().send().await.unwrap();
            key.key_metadata().unwrap().arn().unwrap().to_owned()
        })
    }

    /// Uploads an object, a multipart object and, if markers replicate, a delete marker, and waits
    /// for their outcomes.
    pub(super) fn fate(&self, direction: &Direction) -> Fate {
        let key = self.object_key();
        let (s3, bucket) = (self.s3(direction.source), direction.source.bucket);
        let (object, parts, marker) = self.stand.wait(async {
            let hold = direction.is_locked.then_some(t::ObjectLockLegalHoldStatus::On);
            let put = s3.put_object().bucket(bucket).key(&key).tagging("team=storage");
            let put = put.set_object_lock_legal_hold_status(hold);
            let object = put.body(ByteStream::from_static(b"hello")).send().await.ok();
            let object = object.map(|it| it.version_id().unwrap().to_owned());
            let parts = if direction.has_parts {
                Some(in_parts(&s3, bucket, &format!("{key}s")).await)
            } else {
                None
            };
            let marker = if direction.markers && object.is_some() {
                let gone = s3.delete_object().bucket(bucket).key(&key).send().await.unwrap();
                Some(gone.version_id().unwrap().to_owned())
            } else {
                None
            };
            (object, parts, marker)
        });
        let version = object.clone();
        let mut fates = vec![("object", self.ended(object, direction))];
        fates.extend(parts.map(|it| ("parts", self.ended(it, direction))));
        if direction.markers && fates[0].1 != Ended::Refused {
            fates.push(("marker", self.ended(marker, direction)));
        }
        Fate { ended: fates, version }
    }

    fn name(&self) -> &str {
        self.manifest.lines().next().unwrap().trim_start_matches("name: ")
    }

    fn ended(&self, version: Option<String>, direction: &Direction) -> Ended {
        let Some(version) = version else { return Ended::Refused };
        let started = Instant::now();
        loop {
            let log = self.stand.control("GET", "replication", "");
            let is_it = |it: &&Value| {
                it["version_id"] == *version && it["destination"] == direction.destination.bucket
            };
            let Some(found) = log.as_array().unwrap().iter().rfind(is_it) else {
                return Ended::Untouched;
            };
            match found["status"].as_str().unwrap() {
                "COMPLETED" => return Ended::Completed,
                "FAILED" => {
                    return Ended::Failed(found["failure_reason"].as_str().unwrap().to_owned());
                }
                _ => assert!(started.elapsed() < Duration::from_secs(20), "{found}"),
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(super) fn breaks(&self, how: &How) {
        let iam = iam(self.stand.endpoint());
        match how {
            How::Policy(role, policy) => self.grant(role, policy.as_ref()),
            How::Trust(role, trust) => self.trust(role, trust),
            How::Boundary(role, actions) => self.stand.wait(async {
                let text = serde_json::json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
                let name = format!("bound-{}", actions.trim_end_matches(":*"));
                let made = iam.create_policy().policy_name(&name).policy_document(text.to_string());
                let _ = made.send().await;
                let arn = format!("arn:aws:iam::111122223333:policy/{name}");
                let bound = iam.put_role_permissions_boundary().role_name(*role);
                drop(bound.permissions_boundary(arn).send().await.unwrap());
            }),
            How::NoRole(role) => {
                self.grant(role, None);
                self.stand.wait(async {
                    iam.delete_role().role_name(*role).send().await.unwrap();
                });
            }
            How::KeyPolicy(place, policy) => self.key_policy(*place, policy),
            How::Disabled(place) => {
                let disable = self.kms(*place).disable_key().key_id(&self.keys[place].0);
                self.stand.wait(async { drop(disable.send().await.unwrap()) });
            }
            How::Pending(place) => {
                let schedule = self.kms(*place).schedule_key_deletion().key_id(&self.keys[place].0);
                self.stand.wait(async { drop(schedule.send().await.unwrap()) });
            }
            How::BucketPolicy(place, policy) => self.bucket_policy(*place, policy.as_ref()),
            How::Rules(place, rules) => self.put_rules(*place, rules.as_deref()),
            How::Suspended(place) => self.versioning(*place, t::BucketVersioningStatus::Suspended),
            How::Encryption(place, key) => {
                let mut live = self.encryption[place].clone();
                let mut by = t::ServerSideEncryptionByDefault::builder()
                    .sse_algorithm(t::ServerSideEncryption::Aes256);
                if let Some(key) = key {
                    by = by.sse_algorithm(t::ServerSideEncryption::AwsKms).kms_master_key_id(key);
                } else {
                    live.rules[0].bucket_key_enabled = Some(false);
                }
                live.rules[0].apply_server_side_encryption_by_default = Some(by.build().unwrap());
                self.encrypt(*place, &live);
            }
            How::NoBucket(place) => self.delete(*place),
        }
    }

    pub(super) fn mends(&self, how: &How) {
        let iam = iam(self.stand.endpoint());
        match how {
            How::Policy(role, _) => self.grant(role, Some(&self.policies[role])),
            How::Trust(role, _) => self.trust(role, &self.trusts[role]),
            How::Boundary(role, _) => self.stand.wait(async {
                let unbound = iam.delete_role_permissions_boundary().role_name(*role);
                drop(unbound.send().await.unwrap());
            }),
            How::KeyPolicy(place, _) => self.key_policy(*place, &self.keys[place].1),
            How::Disabled(place) | How::Pending(place) => {
                let (kms, key) = (self.kms(*place), &self.keys[place].0);
                self.stand.wait(async {
                    if matches!(how, How::Pending(_)) {
                        kms.cancel_key_deletion().key_id(key).send().await.unwrap();
                    }
                    kms.enable_key().key_id(key).send().await.unwrap();
                });
            }
            How::BucketPolicy(place, _) => self.bucket_policy(*place, self.buckets[place].as_ref()),
            How::Rules(place, _) => self.put_rules(*place, Some(&self.rules[place])),
            How::Suspended(place) => self.versioning(*place, t::BucketVersioningStatus::Enabled),
            How::Encryption(place, _) => self.encrypt(*place, &self.encryption[place]),
            How::NoRole(_) | How::NoBucket(_) => {
                let apply = ["apply", "--yes", "--no-probe", "-q"];
                let _ = self.stand.manifest(&apply, &self.manifest).exits(0);
            }
        }
    }

    fn grant(&self, role: &str, policy: Option<&Value>) {
        let iam = iam(self.stand.endpoint());
        self.stand.wait(async {
            if let Some(policy) = policy {
                let put = iam.put_role_policy().role_name(role).policy_name("replication");
                drop(put.policy_document(policy.to_string()).send().await.unwrap());
            } else {
                let delete = iam.delete_role_policy().role_name(role).policy_name("replication");
                drop(delete.send().await.unwrap());
            }
        });
    }

    fn trust(&self, role: &str, trust: &Value) {
        let update = iam(self.stand.endpoint()).update_assume_role_policy().role_name(role);
        let update = update.policy_document(trust.to_string());
        self.stand.wait(async { drop(update.send().await.unwrap()) });
    }

    fn key_policy(&self, place: Place, policy: &Value) {
        let put = self.kms(place).put_key_policy().key_id(&self.keys[&place].0);
        let put = put.policy(policy.to_string());
        self.stand.wait(async { drop(put.send().await.unwrap()) });
    }

    fn bucket_policy(&self, place: Place, policy: Option<&Value>) {
        let s3 = self.s3(place);
        self.stand.wait(async {
            if let Some(policy) = policy {
                let put = s3.put_bucket_policy().bucket(place.bucket).policy(policy.to_string());
                drop(put.send().await.unwrap());
            } else {
                drop(s3.delete_bucket_policy().bucket(place.bucket).send().await.unwrap());
            }
        });
    }

    fn put_rules(&self, place: Place, rules: Option<&t::ReplicationConfiguration>) {
        let s3 = self.s3(place);
        self.stand.wait(async {
            if let Some(rules) = rules {
                let put = s3.put_bucket_replication().bucket(place.bucket);
                drop(put.replication_configuration(rules.clone()).send().await.unwrap());
            } else {
                drop(s3.delete_bucket_replication().bucket(place.bucket).send().await.unwrap());
            }
        });
    }

    fn versioning(&self, place: Place, status: t::BucketVersioningStatus) {
        let configuration = t::VersioningConfiguration::builder().status(status).build();
        let put = self.s3(place).put_bucket_versioning().bucket(place.bucket);
        let put = put.versioning_configuration(configuration);
        self.stand.wait(async { drop(put.send().await.unwrap()) });
    }

    fn encrypt(&self, place: Place, configuration: &t::ServerSideEncryptionConfiguration) {
        let put = self.s3(place).put_bucket_encryption().bucket(place.bucket);
        let put = put.server_side_encryption_configuration(configuration.clone());
        self.stand.wait(async { drop(put.send().await.unwrap()) });
    }

    /// Deletes a bucket and everything in it.
    fn delete(&self, place: Place) {
        let (s3, bucket) = (self.s3(place), place.bucket);
        self.stand.wait(async {
            let page = s3.list_object_versions().bucket(bucket).send().await.unwrap();
            assert_ne!(page.is_truncated(), Some(true), "the page holds all");
            let versions = page.versions().iter().map(|it| (it.key(), it.version_id()));
            let markers = page.delete_markers().iter().map(|it| (it.key(), it.version_id()));
            for (key, version) in versions.chain(markers) {
                let delete = s3.delete_object().bucket(bucket).key(key.unwrap());
                delete.version_id(version.unwrap()).send().await.unwrap();
            }
            s3.delete_bucket().bucket(bucket).send().await.unwrap();
        });
    }
}

/// Uploads an object as a multipart upload with one part. Returns `None` if a request is refused.
async fn in_parts(s3: &aws_sdk_s3::Client, bucket: &str, key: &str) -> Option<String> {
    let create = s3.create_multipart_upload().bucket(bucket).key(key).tagging("team=storage");
    let upload = create.send().await.ok()?.upload_id()?.to_owned();
    let part = s3.upload_part().bucket(bucket).key(key).upload_id(&upload).part_number(1);
    let part = part.body(ByteStream::from_static(b"parts")).send().await.ok()?;
    let part = t::CompletedPart::builder()
        .part_number(1)
        .set_e_tag(part.e_tag().map(str::to_owned))
        .set_checksum_crc32(part.checksum_crc32().map(str::to_owned))
        .build();
    let parts = t::CompletedMultipartUpload::builder().parts(part).build();
    let complete = s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(upload);
    let done = complete.multipart_upload(parts).send().await.ok()?;
    done.version_id().map(str::to_owned)
}
