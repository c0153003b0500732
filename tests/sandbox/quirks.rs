//! Every quirk alone: with it the behaviour is seen, after its time it is over, and without it the
//! behaviour is not seen. The sources of the behaviours stand in the table of quirks.
//! Not for: the times that delays are drawn from (see `lag`).

use super::{ACCOUNT, EAST, POLICY, ROLE, Stand, TRUST, WEST, messaging, refusal, rule};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CreateBucketConfiguration, Tag};
use crrctl_sandbox::{Options, Quirk, QuirkSpec, SECRET};
use std::time::{Duration, Instant};

/// The service-linked role of AWS Backup.
const LINKED: &str = "AWSServiceRoleForBackup";

/// How long each quirk lasts here.
const LASTS: Duration = Duration::from_secs(7);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Right after the change.
    AtOnce,
    /// When the quirk's time is over.
    Later,
}

/// A sandbox whose clock moves only where a test moves it.
struct Try {
    stand: Stand,
    when: When,
    /// Whether the behaviour of a quirk is expected.
    is_seen: bool,
}

impl Try {
    async fn new(quirks: &[Quirk], when: When) -> Self {
        let is_seen = !quirks.is_empty() && when == When::AtOnce;
        let quirks = quirks.iter().map(|quirk| QuirkSpec::from(*quirk).lasting(LASTS)).collect();
        let options = Options { quirks, clock_stands: true, ..Options::default() };
        Self { stand: Stand::with(options).await, when, is_seen }
    }

    /// Moves the clock to the time of the test.
    async fn wait(&self) {
        if self.when == When::Later {
            let (status, _) = self.stand.control("POST", "clock", r#"{"advance": "7s"}"#).await;
            assert_eq!(status, 200);
        }
    }

    async fn key(&self) -> String {
        let created = self.stand.kms(EAST).create_key().multi_region(true).send().await.unwrap();
        created.key_metadata().unwrap().arn().unwrap().to_owned()
    }

    async fn alias(&self) -> String {
        let key = self.key().await;
        let create = self.stand.kms(EAST).create_alias().alias_name("alias/quirk");
        create.target_key_id(&key).send().await.unwrap();
        key
    }

    async fn create_role(&self) {
        let create = self.stand.iam().create_role().path("/crrctl/").role_name("replication");
        create.assume_role_policy_document(TRUST).send().await.unwrap();
    }

    async fn linked_role(&self) {
        let create = self.stand.iam().create_service_linked_role();
        create.aws_service_name("backup.amazonaws.com").send().await.unwrap();
    }

    async fn tagged_bucket(&self) -> (String, u16, String) {
        let tag = Tag::builder().key("a").value("1").build().unwrap();
        let configuration = CreateBucketConfiguration::builder().tags(tag).build();
        let create = self.stand.s3(EAST).create_bucket().bucket("quirk");
        refusal(create.create_bucket_configuration(configuration).send().await)
    }

    async fn pair(&self) {
        self.stand.bucket("quirk-src", EAST, true).await;
        self.stand.bucket("quirk-dst", WEST, true).await;
    }

    async fn rules(&self) {
        let one = rule("one", 1, "quirk-dst", None).build().unwrap();
        self.stand.replicate("quirk-src", [one]).await;
    }

    /// Returns the replication status of a version. It stays PENDING for as long as the test looks
    /// where the quirk is seen, and is waited for where it is not.
    async fn status(&self, version: &str) -> Option<String> {
        let s3 = self.stand.s3(EAST);
        let wait = Duration::from_millis(if self.is_seen { 300 } else { 30_000 });
        let began = Instant::now();
        loop {
            let head = s3.head_object().bucket("quirk-src").key("k").version_id(version);
            let found = head.send().await.unwrap();
            let status = found.replication_status().map(|status| status.as_str().to_owned());
            if status.as_deref() != Some("PENDING") || began.elapsed() > wait {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Returns the code of the error of each request.
macro_rules! codes {
    ($($call:expr),* $(,)?) => { [$(refusal($call.send().await).0),*] };
}

/// Makes the change that `quirk` is about, waits, and returns whether the behaviour of the quirk
/// is seen; `None` for a quirk of the replication worker, which is tested with the worker.
async fn is_seen(it: &Try, quirk: Quirk) -> Option<bool> {
    Some(match quirk {
        Quirk::StaleHead
        | Quirk::NameInUse
        | Quirk::LateBucket
        | Quirk::NoTagsOnCreate
        | Quirk::LateBucketTags
        | Quirk::LateVersioning
        | Quirk::LateRules
        | Quirk::SlowReplication
        | Quirk::LateTarget
        | Quirk::FreshRole => is_seen_in_s3(it, quirk).await,
        Quirk::LateKey
        | Quirk::LateAlias
        | Quirk::StaleAlias
        | Quirk::LateKeyLists
        | Quirk::CreatingKey
        | Quirk::SlowReplicaKey
        | Quirk::LateKeyPolicy
        | Quirk::DependencyTimeout => is_seen_in_kms(it, quirk).await,
        Quirk::LateEntity
        | Quirk::LatePrincipal
        | Quirk::LateRole
        | Quirk::LatePolicy
        | Quirk::DeleteConflict
        | Quirk::RemovalNotFound => is_seen_in_iam(it, quirk).await,
        Quirk::StrictTags | Quirk::PartsNeedDecrypt => return None,
    })
}

async fn is_seen_in_s3(it: &Try, quirk: Quirk) -> bool {
    let s3 = it.stand.s3(EAST);
    match quirk {
        Quirk::StaleHead | Quirk::NameInUse => {
            it.stand.bucket("quirk", EAST, false).await;
            s3.delete_bucket().bucket("quirk").send().await.unwrap();
            it.wait().await;
            // Every other call knows that the bucket is gone.
            let [tags] = codes![s3.get_bucket_tagging().bucket("quirk")];
            assert_eq!(tags, "NoSuchBucket");
            if quirk == Quirk::StaleHead {
                return s3.head_bucket().bucket("quirk").send().await.is_ok();
            }
            let [created] = codes![s3.create_bucket().bucket("quirk")];
            created == "OperationAborted"
        }
        Quirk::LateBucket => {
            it.stand.bucket("quirk", EAST, false).await;
            it.wait().await;
            let head = s3.head_bucket().bucket("quirk").send().await.is_err();
            let body = ByteStream::from_static(b"x");
            let refused = codes![
                s3.get_bucket_tagging().bucket("quirk"),
                s3.put_object().bucket("quirk").key("k").body(body),
                s3.create_multipart_upload().bucket("quirk").key("k"),
                s3.put_object_lock_configuration().bucket("quirk"),
                s3.list_objects_v2().bucket("quirk"),
                s3.delete_bucket_policy().bucket("quirk"),
            ];
            let late = refused.iter().filter(|code| *code == "NoSuchBucket").count();
            assert!(late == 0 || (late == refused.len() && head), "{refused:?} {head}");
            late > 0
        }
        Quirk::NoTagsOnCreate => {
            let (code, status, _) = it.tagged_bucket().await;
            it.stand.bucket("untagged", EAST, false).await;
            (code.as_str(), status) == ("UnsupportedArgument", 400)
        }
        Quirk::LateBucketTags => {
            it.tagged_bucket().await;
            it.wait().await;
            codes![s3.get_bucket_tagging().bucket("quirk")] == ["NoSuchTagSet"]
        }
        Quirk::LateVersioning => {
            it.stand.bucket("quirk", EAST, true).await;
            it.wait().await;
            it.stand.put("quirk", "k").await == "null"
        }
        Quirk::LateTarget => {
            it.stand.bucket("quirk", EAST, false).await;
            let wanted = messaging::queue_for(&it.stand, "quirk").await;
            it.wait().await;
            messaging::notify(&it.stand, "quirk", wanted).await.is_err()
        }
        Quirk::LateRules | Quirk::SlowReplication => {
            it.stand.role().await;
            it.pair().await;
            it.rules().await;
            if quirk == Quirk::LateRules {
                it.wait().await;
                let version = it.stand.put("quirk-src", "k").await;
                return it.status(&version).await.is_none();
            }
            let version = it.stand.put("quirk-src", "k").await;
            it.wait().await;
            it.status(&version).await.as_deref() == Some("PENDING")
        }
        _ => {
            it.pair().await;
            it.stand.role().await;
            it.wait().await;
            let configuration = aws_sdk_s3::types::ReplicationConfiguration::builder()
                .role(ROLE)
                .rules(rule("one", 1, "quirk-dst", None).build().unwrap())
                .build()
                .unwrap();
            let put = s3.put_bucket_replication().bucket("quirk-src");
            codes![put.replication_configuration(configuration)] == ["InvalidRequest"]
        }
    }
}

async fn is_seen_in_kms(it: &Try, quirk: Quirk) -> bool {
    let kms = it.stand.kms(EAST);
    match quirk {
        Quirk::LateKey => {
            let key = it.key().await;
            it.wait().await;
            let refused = codes![
                kms.describe_key().key_id(&key),
                kms.create_alias().alias_name("alias/quirk").target_key_id(&key),
                kms.enable_key_rotation().key_id(&key),
                kms.rotate_key_on_demand().key_id(&key),
                kms.list_key_rotations().key_id(&key),
                kms.retire_grant().key_id(&key).grant_id("0"),
                kms.schedule_key_deletion().key_id(&key),
            ];
            refused.iter().all(|code| code == "NotFoundException")
        }
        Quirk::LateAlias => {
            it.alias().await;
            it.wait().await;
            codes![kms.describe_key().key_id("alias/quirk")] == ["NotFoundException"]
        }
        Quirk::StaleAlias => {
            let key = it.alias().await;
            kms.delete_alias().alias_name("alias/quirk").send().await.unwrap();
            it.wait().await;
            let described = kms.describe_key().key_id("alias/quirk").send().await;
            let [created] =
                codes![kms.create_alias().alias_name("alias/quirk").target_key_id(&key)];
            let old = described.is_ok_and(|it| it.key_metadata().unwrap().arn() == Some(&key));
            assert_eq!(old, created == "AlreadyExistsException", "{created}");
            old
        }
        Quirk::LateKeyLists => {
            it.alias().await;
            it.wait().await;
            let keys = kms.list_keys().send().await.unwrap().keys().len();
            let aliases = kms.list_aliases().send().await.unwrap();
            // Predefined aliases are always listed.
            let own = |name: &str| !name.starts_with("alias/aws/");
            let own = aliases.aliases().iter().filter(|it| own(it.alias_name().unwrap())).count();
            keys + own == 0
        }
        Quirk::CreatingKey => {
            let key = it.key().await;
            it.wait().await;
            let refused = codes![
                kms.create_alias().alias_name("alias/quirk").target_key_id(&key),
                kms.replicate_key().key_id(&key).replica_region(WEST),
                kms.enable_key_rotation().key_id(&key),
                kms.rotate_key_on_demand().key_id(&key),
            ];
            refused.iter().all(|code| code == "KMSInvalidStateException")
        }
        Quirk::SlowReplicaKey => {
            let (_, replica) = it.stand.keys().await;
            it.wait().await;
            let described = it.stand.kms(WEST).describe_key().key_id(replica).send().await;
            let described = described.unwrap();
            described.key_metadata().unwrap().key_state().unwrap().as_str() == "Creating"
        }
        Quirk::LateKeyPolicy => {
            let key = it.key().await;
            it.stand.bucket("quirk", EAST, false).await;
            it.stand.encrypt("quirk", EAST, &key).await;
            it.wait().await;
            // Direct use is allowed at once.
            kms.generate_data_key_without_plaintext()
                .key_id(&key)
                .number_of_bytes(32)
                .send()
                .await
                .unwrap();
            let put = it.stand.s3(EAST).put_object().bucket("quirk").key("k");
            codes![put.body(ByteStream::from_static(b"x"))] == ["AccessDenied"]
        }
        _ => {
            let _ = kms.create_key().send().await;
            it.wait().await;
            let (code, status, _) = refusal(kms.create_key().send().await);
            (code.as_str(), status) == ("DependencyTimeoutException", 503)
        }
    }
}

async fn is_seen_in_iam(it: &Try, quirk: Quirk) -> bool {
    let (iam, kms) = (it.stand.iam(), it.stand.kms(EAST));
    match quirk {
        Quirk::LateEntity => {
            it.create_role().await;
            iam.create_user().user_name("quirk").send().await.unwrap();
            let create = iam.create_policy().policy_name("quirk").policy_document(POLICY);
            let arn = create.send().await.unwrap().policy.unwrap().arn.unwrap();
            it.linked_role().await;
            // KMS creates its service-linked role with the first multi-Region key.
            it.key().await;
            it.wait().await;
            let put = iam.put_role_policy().role_name("replication").policy_name("quirk");
            let refused = codes![
                iam.get_role().role_name("replication"),
                put.policy_document(POLICY),
                iam.get_user().user_name("quirk"),
                iam.get_policy().policy_arn(&arn),
                iam.create_policy_version().policy_arn(&arn).policy_document(POLICY),
                iam.list_policy_tags().policy_arn(&arn),
                iam.list_entities_for_policy().policy_arn(&arn),
                iam.update_role_description().role_name("replication").description("a"),
                iam.create_access_key().user_name("quirk"),
                iam.list_service_specific_credentials().user_name("quirk"),
                iam.list_mfa_devices().user_name("quirk"),
                iam.update_user().user_name("quirk").new_path("/late/"),
                iam.get_role().role_name(LINKED),
                iam.get_role().role_name("AWSServiceRoleForKeyManagementServiceMultiRegionKeys"),
            ];
            refused.iter().all(|code| code == "NoSuchEntity")
        }
        Quirk::LatePrincipal => {
            it.create_role().await;
            it.wait().await;
            let policy = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":["{ROLE}","{ACCOUNT}"]}},"Action":"kms:*","Resource":"*"}}]}}"#
            );
            codes![kms.create_key().policy(policy)] == ["MalformedPolicyDocumentException"]
        }
        Quirk::LateRole => {
            it.stand.role().await;
            it.pair().await;
            it.rules().await;
            it.wait().await;
            let version = it.stand.put("quirk-src", "k").await;
            it.stand.settled("quirk-src", "k", &version).await.as_deref() == Some("FAILED")
        }
        Quirk::LatePolicy => {
            let (id, secret) = it.stand.user("quirk", POLICY).await;
            it.wait().await;
            codes![it.stand.s3_as(&id, &secret, EAST).list_buckets()] == ["AccessDenied"]
        }
        Quirk::DeleteConflict => {
            it.stand.role().await;
            let (name, policy) = ("replication", "replication");
            iam.delete_role_policy().role_name(name).policy_name(policy).send().await.unwrap();
            it.wait().await;
            codes![iam.delete_role().role_name(name)] == ["DeleteConflict"]
        }
        _ => {
            let key = it.alias().await;
            it.create_role().await;
            it.linked_role().await;
            // The quirk stays with a user that is renamed.
            iam.create_user().user_name("old").send().await.unwrap();
            iam.update_user().user_name("old").new_user_name("quirk").send().await.unwrap();
            it.wait().await;
            kms.describe_key().key_id("alias/quirk").send().await.unwrap();
            iam.get_role().role_name("replication").send().await.unwrap();
            let refused = codes![
                kms.delete_alias().alias_name("alias/quirk"),
                kms.schedule_key_deletion().key_id(&key),
                iam.delete_role().role_name("replication"),
                iam.delete_service_linked_role().role_name(LINKED),
                iam.delete_user().user_name("quirk"),
            ];
            let is_not_found = refused[..2].iter().all(|code| code == "NotFoundException")
                && refused[2..].iter().all(|code| code == "NoSuchEntity");
            // What is answered 404 stands: an alias, a key, a role and a user, and the
            // service-linked role, which is no leftover.
            assert_eq!(it.stand.sandbox.leftovers().len(), if is_not_found { 4 } else { 0 });
            let linked = iam.get_role().role_name(LINKED).send().await;
            assert_eq!(linked.is_ok(), is_not_found);
            is_not_found
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_quirk_is_seen_while_it_lasts_and_without_it_never() {
    for quirk in Quirk::ALL.iter().copied() {
        let name = quirk.name();
        let Some(seen) = is_seen(&Try::new(&[quirk], When::AtOnce).await, quirk).await else {
            continue;
        };
        assert!(seen, "{name} is not seen");
        let other = is_seen(&Try::new(&[], When::AtOnce).await, quirk).await;
        assert_eq!(other, Some(false), "without {name}");
        if quirk.lasts().is_some() {
            let later = is_seen(&Try::new(&[quirk], When::Later).await, quirk).await;
            assert_eq!(later, Some(false), "{name} does not end");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_policy_and_a_grant_reach_s3_late() {
    let it = Try::new(&[Quirk::LateKeyPolicy], When::Later).await;
    let key = it.key().await;
    it.stand.bucket("quirk", EAST, false).await;
    it.stand.encrypt("quirk", EAST, &key).await;
    it.wait().await;
    let only_s3 = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let (id, secret) = it.stand.user("quirk", only_s3).await;
    let put = async || {
        let s3 = it.stand.s3_as(&id, &secret, EAST);
        codes![s3.put_object().bucket("quirk").key("k").body(ByteStream::from_static(b"x"))]
    };
    assert_eq!(put().await, ["AccessDenied"]);
    let grant = it.stand.kms(EAST).create_grant().key_id(&key);
    let grant = grant.grantee_principal(format!("arn:aws:iam::{ACCOUNT}:user/quirk"));
    for operation in ["GenerateDataKey", "Decrypt"] {
        let operation = aws_sdk_kms::types::GrantOperation::from(operation);
        grant.clone().operations(operation).send().await.unwrap();
    }
    assert_eq!(put().await, ["AccessDenied"]);
    it.wait().await;
    assert_eq!(put().await, ["(no error)"]);

    // What a new key policy no longer allows, S3 may still do.
    let deny = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Action":"kms:*","Resource":"*"}},
            {{"Effect":"Deny","Principal":"*","Action":"kms:GenerateDataKey","Resource":"*"}}]}}"#
    );
    let put_policy = it.stand.kms(EAST).put_key_policy().key_id(&key).policy_name("default");
    put_policy.policy(deny).send().await.unwrap();
    assert_eq!(put().await, ["(no error)"]);
    it.wait().await;
    assert_eq!(put().await, ["AccessDenied"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_job_refuses_a_fresh_role() {
    for (quirks, expected) in [(&[Quirk::FreshRole][..], "InvalidRequest"), (&[], "(no error)")] {
        let it = Try::new(quirks, When::AtOnce).await;
        it.stand.bucket(super::batch::SOURCE, EAST, true).await;
        let create = it.stand.iam().create_role().role_name("batch");
        create.assume_role_policy_document(TRUST).send().await.unwrap();
        let control = it.stand.s3control(ACCOUNT, SECRET, EAST);
        let pair = super::batch::Pair { stand: it.stand, control };
        let filter = aws_sdk_s3control::types::JobManifestGeneratorFilter::builder().build();
        let job = pair.job(filter).client_request_token("quirk");
        assert_eq!(codes![job], [expected]);
    }
}
