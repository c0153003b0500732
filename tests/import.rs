//! `import`: what others have set up becomes a manifest on which `plan` shows no change but tags.

use crate::common::{Stand, fed, s3_of};
use aws_sdk_s3::types as t;
use serde_json::{Value, json};

/// The account of the examples that have one beside the source's.
const OTHER: &str = "444455556666";

/// Imports `bucket`, and plans what was written; returns the object of `import`, and what `plan` would change beside tags.
fn imported(stand: &Stand, bucket: &str, more: &[&str]) -> (Value, Vec<Value>) {
    let args = [&["import", bucket, "-o", "json"], more].concat();
    let imported = stand.run(&args).exits(0).json();
    let text = imported["manifest"].as_str().unwrap();
    let planned = stand.in_process_with(&["plan", "-o", "json"], text).exits(0).json();
    let changes = planned["changes"].as_array().unwrap().iter();
    let beside = changes.filter(|it| {
        let (kind, action) = (it["kind"].as_str().unwrap(), it["action"].as_str().unwrap());
        let is_tags = kind == "s3:tags" || (kind == "s3:bucket" && action == "adopt");
        let is_same = ["none", "orphan"].contains(&action);
        !is_tags && !is_same && it["reason"] != "differs in tags"
    });
    let beside = beside.cloned().collect();
    (imported, beside)
}

fn of(stand: &Stand, account: &str, region: &str) -> aws_sdk_s3::Client {
    s3_of(account, stand.endpoint(), region)
}

/// Takes crrctl's tags off everything and gives each rule an id of its own, as if somebody else had made it all by hand.
fn made_by_hand(stand: &Stand, applied: &Value) {
    for it in applied["resources"].as_array().unwrap() {
        let (kind, arn) = (it["kind"].as_str().unwrap(), it["arn"].as_str().unwrap());
        let region = it["region"].as_str().unwrap();
        let name = arn.rsplit([':', '/']).next().unwrap();
        match kind {
            "s3:bucket" => stand.wait(untag_bucket(stand, region, name)),
            "s3:replication" => stand.wait(rename_rules(stand, region, name)),
            "kms:key" | "kms:replica-key" => stand.wait(untag_key(stand, region, arn)),
            "iam:role" => stand.wait(async {
                let iam = crate::accounts::iam_of(stand, arn.split(':').nth(4).unwrap());
                let tags = iam.list_role_tags().role_name(name).send().await.unwrap();
                let keys = tags.tags().iter().map(|tag| tag.key().to_owned()).collect();
                let untag = iam.untag_role().role_name(name).set_tag_keys(Some(keys));
                untag.send().await.unwrap();
            }),
            _ => {}
        }
    }
}

/// Returns the client of the account that owns the bucket.
async fn owner(stand: &Stand, region: &str, bucket: &str) -> aws_sdk_s3::Client {
    let own = of(stand, crrctl_sandbox::DEFAULT_ACCOUNT, region);
    let is_own = own.get_bucket_versioning().bucket(bucket).send().await.is_ok();
    if is_own { own } else { of(stand, OTHER, region) }
}

async fn untag_bucket(stand: &Stand, region: &str, bucket: &str) {
    let s3 = owner(stand, region, bucket).await;
    s3.delete_bucket_tagging().bucket(bucket).send().await.unwrap();
}

async fn rename_rules(stand: &Stand, region: &str, bucket: &str) {
    let s3 = owner(stand, region, bucket).await;
    let live = s3.get_bucket_replication().bucket(bucket).send().await.unwrap();
    let mut live = live.replication_configuration.unwrap();
    for (index, rule) in live.rules.iter_mut().enumerate() {
        rule.id = Some(format!("by hand {index}"));
    }
    let put = s3.put_bucket_replication().bucket(bucket).replication_configuration(live);
    put.send().await.unwrap();
}

async fn untag_key(stand: &Stand, region: &str, arn: &str) {
    let account = arn.split(':').nth(4).unwrap();
    let kms = crate::common::kms_of(account, stand.endpoint(), region);
    let tags = kms.list_resource_tags().key_id(arn).send().await.unwrap();
    let keys = tags.tags().iter().map(|tag| tag.tag_key().to_owned()).collect();
    kms.untag_resource().key_id(arn).set_tag_keys(Some(keys)).send().await.unwrap();
}

fn examples() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests");
    let mut examples: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    examples.sort();
    let name = |path: &std::path::Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    examples.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

fn rules(stand: &Stand, (region, bucket): (&str, &str)) -> t::ReplicationConfiguration {
    let s3 = of(stand, crrctl_sandbox::DEFAULT_ACCOUNT, region);
    stand.wait(async {
        let live = s3.get_bucket_replication().bucket(bucket).send().await.unwrap();
        live.replication_configuration.unwrap()
    })
}

fn tags(stand: &Stand, (region, bucket): (&str, &str)) -> Vec<t::Tag> {
    let s3 = of(stand, crrctl_sandbox::DEFAULT_ACCOUNT, region);
    let tags = stand.wait(s3.get_bucket_tagging().bucket(bucket).send());
    tags.map(|it| it.tag_set).unwrap_or_default()
}

/// Returns the Region and the name of the source bucket of what was applied.
fn source(applied: &Value) -> (String, String) {
    let all = applied["resources"].as_array().unwrap();
    let first = all.iter().find(|it| it["kind"] == "s3:replication").unwrap();
    let name = first["arn"].as_str().unwrap().rsplit(':').next().unwrap();
    (first["region"].as_str().unwrap().to_owned(), name.to_owned())
}

#[test]
fn every_example_that_others_made_is_imported_without_a_change() {
    for (name, text) in examples() {
        let stand = Stand::furnished();
        let applied = stand.manifest(&["apply", "--yes", "--no-probe", "-o", "json"], &text);
        let applied = applied.exits(0).json();
        let (region, source) = source(&applied);
        let place = (region.as_str(), source.as_str());
        made_by_hand(&stand, &applied);
        let (imported, changes) = imported(&stand, &source, &["--destination-profile", "archive"]);
        assert_eq!(changes, [json!(null); 0], "{name}: {imported:#}");
        assert_eq!(imported["changes"], json!([]), "{name}");
        let manifest = imported["manifest"].as_str().unwrap();
        assert_eq!(
            manifest.contains("two_way: true"),
            text.contains("two_way: true"),
            "{manifest}"
        );
        assert!(manifest.contains("by hand 0"), "{manifest}");
        // It is applied and proven, and given back as it was.
        let applied = stand.manifest(&["apply", "--yes", "-o", "json"], manifest).exits(0).json();
        assert_eq!(applied["summary"]["failed"], 0, "{name}");
        let again = stand.manifest(&["plan", "--detailed-exitcode"], manifest);
        let _ = again.exits(0);
        let before = rules(&stand, place);
        let _ = stand.manifest(&["destroy", "--yes"], manifest).exits(0);
        assert_eq!(rules(&stand, place), before, "{name}: what it did not make stays");
        assert!(tags(&stand, place).is_empty(), "{name}");
        println!(
            "{name:<24} {:>2} rules imported  0 changes but tags  {:>2} probes COMPLETED  0 changes again",
            manifest.matches("rule_id: \"by hand").count(),
            applied["summary"]["completed"]
        );
    }
}

#[test]
fn a_pair_of_crrctl_is_imported_without_any_change() {
    for (name, text) in examples() {
        let stand = Stand::furnished();
        let before = stand.leftovers();
        let applied = stand.manifest(&["apply", "--yes", "--no-probe", "-o", "json"], &text);
        let (_, source) = source(&applied.exits(0).json());
        let args = ["import", &source, "-o", "json", "--destination-profile", "archive"];
        let imported = stand.run(&args).exits(0).json();
        let manifest = imported["manifest"].as_str().unwrap();
        assert_eq!(imported["changes"], json!([]), "{name}: {manifest}");
        let _ = stand.manifest(&["plan", "--detailed-exitcode"], manifest).exits(0);
        let names_a_role = text.contains("arn:");
        for key in ["administrators", "usable_by_accounts"] {
            assert_eq!(manifest.contains(key), text.contains(key), "{manifest}");
        }
        assert!(
            !manifest.contains("adopt") && names_a_role == manifest.contains("arn:"),
            "{manifest}"
        );
        let _ = stand.manifest(&["destroy", "--yes", "--purge-keys"], manifest).exits(0);
        assert_eq!(stand.leftovers(), before, "{name}");
    }
}

const SOURCE: &str = "orders-111122223333";
const COPY: &str = "orders-copy";
const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/by-hand";

/// Makes a bucket as the console does: versioned, encrypted under `key`, with a tag of its own.
async fn bucket(stand: &Stand, region: &str, name: &str, key: Option<&str>) {
    let s3 = of(stand, crrctl_sandbox::DEFAULT_ACCOUNT, region);
    let place = (region != "us-east-1").then(|| t::BucketLocationConstraint::from(region));
    let made = t::CreateBucketConfiguration::builder().set_location_constraint(place).build();
    s3.create_bucket().bucket(name).create_bucket_configuration(made).send().await.unwrap();
    let on = t::VersioningConfiguration::builder().status(t::BucketVersioningStatus::Enabled);
    let put = s3.put_bucket_versioning().bucket(name).versioning_configuration(on.build());
    put.send().await.unwrap();
    let all = t::PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true);
    let put = s3.put_public_access_block().bucket(name);
    put.public_access_block_configuration(all.build()).send().await.unwrap();
    if let Some(key) = key {
        let default = t::ServerSideEncryptionByDefault::builder()
            .sse_algorithm(t::ServerSideEncryption::AwsKms)
            .set_kms_master_key_id((!key.is_empty()).then(|| key.to_owned()))
            .build()
            .unwrap();
        let rule = t::ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(false)
            .build();
        let all = t::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
        let put = s3.put_bucket_encryption().bucket(name);
        put.server_side_encryption_configuration(all).send().await.unwrap();
    }
}

fn key(stand: &Stand, region: &str) -> String {
    stand.kms(region, async |kms| {
        kms.create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap()
    })
}

/// A role with the policy that the S3 User Guide shows for SSE-KMS objects ("Replicating encrypted objects").
async fn role(stand: &Stand, source_key: &str, replica_key: &str) {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"], "Resource": format!("arn:aws:s3:::{SOURCE}")},
        {"Effect": "Allow", "Action": ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
         "Resource": format!("arn:aws:s3:::{SOURCE}/*")},
        {"Effect": "Allow", "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], "Resource": format!("arn:aws:s3:::{COPY}/*")},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": source_key},
        {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": replica_key},
    ]});
    let iam = crate::common::iam(stand.endpoint());
    let make = iam.create_role().role_name("by-hand").path("/service-role/");
    make.assume_role_policy_document(trust.to_string()).send().await.unwrap();
    let put = iam.put_role_policy().role_name("by-hand").policy_name("s3crr");
    put.policy_document(policy.to_string()).send().await.unwrap();
}

fn rule(id: &str, prefix: &str, priority: i32, key: Option<&str>) -> t::ReplicationRule {
    let on = t::SseKmsEncryptedObjects::builder().status(t::SseKmsEncryptedObjectsStatus::Enabled);
    let kms = key.map(|_| {
        let on = on.build().unwrap();
        t::SourceSelectionCriteria::builder().sse_kms_encrypted_objects(on).build()
    });
    let key = key.map(|key| t::EncryptionConfiguration::builder().replica_kms_key_id(key).build());
    let destination = t::Destination::builder()
        .bucket(format!("arn:aws:s3:::{COPY}"))
        .account("111122223333")
        .set_encryption_configuration(key);
    let off = t::DeleteMarkerReplicationStatus::Disabled;
    t::ReplicationRule::builder()
        .id(id)
        .priority(priority)
        .status(t::ReplicationRuleStatus::Enabled)
        .filter(t::ReplicationRuleFilter::builder().prefix(prefix).build())
        .delete_marker_replication(t::DeleteMarkerReplication::builder().status(off).build())
        .set_source_selection_criteria(kms)
        .destination(destination.build().unwrap())
        .build()
        .unwrap()
}

fn put(stand: &Stand, rules: Vec<t::ReplicationRule>) {
    stand.s3("us-east-1", async |s3| {
        let all = t::ReplicationConfiguration::builder().role(ROLE).set_rules(Some(rules)).build();
        let put = s3.put_bucket_replication().bucket(SOURCE);
        put.replication_configuration(all.unwrap()).send().await.unwrap();
    });
}

/// Two buckets, two keys and a role, made by hand; returns the stand and the key of the replicas.
fn by_hand() -> (Stand, String) {
    let stand = Stand::new();
    let (ours, replicas) = (key(&stand, "us-east-1"), key(&stand, "us-west-2"));
    stand.wait(async {
        bucket(&stand, "us-east-1", SOURCE, Some(&ours)).await;
        bucket(&stand, "us-west-2", COPY, Some(&replicas)).await;
        role(&stand, &ours, &replicas).await;
    });
    (stand, replicas)
}

#[test]
fn what_the_user_guide_shows_is_imported_without_a_change() {
    let (stand, replicas) = by_hand();
    let mut off = rule("old", "old/", 9, Some(&replicas));
    off.status = t::ReplicationRuleStatus::Disabled;
    put(&stand, vec![rule("logs to the west", "logs/", 3, Some(&replicas)), off]);
    let before = rules(&stand, ("us-east-1", SOURCE));
    let (imported, changes) = imported(&stand, SOURCE, &[]);
    assert_eq!(changes, [json!(null); 0], "{imported:#}");
    let text = imported["manifest"].as_str().unwrap();
    for wanted in [
        "name: \"orders\"",
        "rule_id: \"logs to the west\"",
        "priority: 3",
        "prefix: \"logs/\"",
        &format!("us-west-2: \"{replicas}\""),
        &format!("arn: \"{ROLE}\""),
        "profile: strict",
        "bucket_key: false",
        "# - the rule `old` is left as it is, a rule of others: it is Disabled",
    ] {
        assert!(text.contains(wanted), "no {wanted} in\n{text}");
    }
    let applied = stand.manifest(&["apply", "--yes", "--no-probe", "-o", "json"], text).exits(0);
    assert_eq!(applied.json()["changed"], true);
    assert_eq!(rules(&stand, ("us-east-1", SOURCE)), before, "no rule is rewritten");
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], text).exits(0);
    let probed = stand.in_process_with(&["probe", "-o", "json"], text).exits(0).json();
    assert_eq!(probed["probes"][0]["rule"], "logs to the west");
    // A rule that drifts is put right under its own id.
    let mut drifted = before.clone();
    drifted.rules[0].status = t::ReplicationRuleStatus::Disabled;
    put(&stand, drifted.rules);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], text).exits(0);
    let after = rules(&stand, ("us-east-1", SOURCE));
    let ids: Vec<&str> = after.rules().iter().map(|it| it.id().unwrap()).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert!(after.rules().iter().any(|it| it.id() == Some("logs to the west")
        && it.status() == &t::ReplicationRuleStatus::Enabled));
}

/// S3 takes the ARN of an alias for the replica key too: it is kept as it is found, and means the key.
#[test]
fn an_alias_that_names_the_replica_key_stays() {
    let (stand, replicas) = by_hand();
    let alias = "arn:aws:kms:us-west-2:111122223333:alias/replicas";
    stand.kms("us-west-2", async |kms| {
        let create = kms.create_alias().alias_name("alias/replicas").target_key_id(&replicas);
        create.send().await.unwrap();
    });
    put(&stand, vec![rule("all", "", 1, Some(alias))]);
    let before = rules(&stand, ("us-east-1", SOURCE));
    let (imported, changes) = imported(&stand, SOURCE, &[]);
    assert_eq!(changes, [json!(null); 0], "{imported:#}");
    let text = imported["manifest"].as_str().unwrap();
    let checked = stand.in_process_with(&["check"], text).exits(0).json();
    let mut checks = checked["checks"].as_array().unwrap().iter();
    assert!(checks.all(|it| it["result"] != "fail"), "{checked:#}");
    let _ = stand.in_process_with(&["apply", "--yes"], text).exits(0);
    assert_eq!(rules(&stand, ("us-east-1", SOURCE)), before, "no rule is rewritten");
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], text).exits(0);
    // Another setting of the rule is put right, and the alias stays.
    let mut drifted = before.clone();
    drifted.rules[0].status = t::ReplicationRuleStatus::Disabled;
    put(&stand, drifted.rules);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], text).exits(0);
    let mended = rules(&stand, ("us-east-1", SOURCE));
    let of = |rule: &t::ReplicationRule| {
        let named = rule.destination().unwrap().encryption_configuration().cloned().unwrap();
        (rule.status().clone(), named.replica_kms_key_id().unwrap().to_owned())
    };
    assert_eq!(of(&mended.rules[0]), (t::ReplicationRuleStatus::Enabled, alias.to_owned()));
    let _ = stand.in_process_with(&["destroy", "--yes"], text).exits(0);
    assert_eq!(rules(&stand, ("us-east-1", SOURCE)), mended);
    // An alias of another key is not what the manifest says.
    let other = key(&stand, "us-west-2");
    stand.kms("us-west-2", async |kms| {
        let update = kms.update_alias().alias_name("alias/replicas").target_key_id(other);
        update.send().await.unwrap();
    });
    let changes_rules = || {
        let plan = stand.in_process_with(&["plan", "--detailed-exitcode"], text).exits(2).json();
        let mut changes = plan["changes"].as_array().unwrap().iter();
        changes.any(|it| it["kind"] == "s3:replication" && it["action"] != "none")
    };
    assert!(changes_rules());
    // Nor is an alias that is not there.
    stand.kms("us-west-2", async |kms| {
        kms.delete_alias().alias_name("alias/replicas").send().await.unwrap();
    });
    assert!(changes_rules());
}

/// What plan would change beside tags stands in the manifest, word for word.
#[test]
fn what_would_be_changed_is_said() {
    let (stand, replicas) = by_hand();
    put(&stand, vec![rule("all", "", 1, Some(&replicas))]);
    stand.s3("us-west-2", async |s3| {
        // A setting that an adopted bucket keeps.
        s3.delete_public_access_block().bucket(COPY).send().await.unwrap();
        let off = t::VersioningConfiguration::builder();
        let off = off.status(t::BucketVersioningStatus::Suspended).build();
        let put = s3.put_bucket_versioning().bucket(COPY).versioning_configuration(off);
        put.send().await.unwrap();
    });
    let imported = stand.run(&["import", SOURCE, "-o", "json"]).exits(0).json();
    let kinds: Vec<&str> = imported["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["s3:versioning"], "{imported:#}");
    let text = imported["manifest"].as_str().unwrap();
    for kind in kinds {
        assert!(
            text.contains(&format!("# - `crrctl apply` would change {kind} of `{COPY}`")),
            "{text}"
        );
    }
    let said = stand.run(&["import", SOURCE]).exits(0);
    assert_eq!(said.stdout, text);
    assert!(said.stderr.contains("note: `crrctl apply` would change s3:versioning"), "{said}");
}

/// Who may look at the pair, and nothing else, may import it.
#[test]
fn the_operator_policy_of_plan_is_enough_to_import() {
    let (stand, replicas) = by_hand();
    put(&stand, vec![rule("all", "", 1, Some(&replicas))]);
    let imported = stand.run(&["import", SOURCE, "-o", "json"]).exits(0).json();
    let text = imported["manifest"].as_str().unwrap().to_owned();
    let operator = ["policy", "operator", "-o", "json"];
    let operator = stand.in_process_with(&operator, &text).exits(0).json();
    let (id, secret) = stand.iam(async |iam| {
        iam.create_user().user_name("ann").send().await.unwrap();
        for part in operator["commands"]["import"].as_array().unwrap() {
            let part = part.as_str().unwrap();
            let put = iam.put_user_policy().user_name("ann").policy_name(part);
            put.policy_document(operator["documents"][part].to_string()).send().await.unwrap();
        }
        let key = iam.create_access_key().user_name("ann").send().await.unwrap();
        let key = key.access_key.unwrap();
        (key.access_key_id, key.secret_access_key)
    });
    let mut run = stand.command(&["import", SOURCE]);
    run.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
    // Notifications are in the operator's documents only where the manifest wants alerts.
    let said = fed(run, "").exits(0).stdout;
    let (notes, rest) = said.split_once("\n\n").unwrap();
    assert!(notes.contains("has a notification of failed replication is not known"), "{notes}");
    assert_eq!(rest, text.split_once("\n\n").unwrap().1);
}

#[test]
fn a_file_that_is_there_is_not_written_over_unasked() {
    let (stand, replicas) = by_hand();
    put(&stand, vec![rule("all", "", 1, Some(&replicas))]);
    let out = ["import", SOURCE, "--out", "crrctl.yaml", "--name", "mine"];
    let _ = stand.run(&out).exits(0);
    let text = std::fs::read_to_string(stand.path("crrctl.yaml")).unwrap();
    assert!(text.contains("name: \"mine\""), "{text}");
    let _ = stand.run(&["plan"]).exits(0);
    stand.calls();
    let refused =
        stand.run(&[&out[..], &["-o", "json"]].concat()).exits(3).told("file-exists").json();
    assert_eq!(refused["error"]["code"], "file-exists");
    assert_eq!(stand.calls()["reads"], 0);
    let _ = stand.run(&[&out[..], &["--force"]].concat()).exits(0);
}

#[test]
fn what_no_manifest_can_say_is_refused_by_name() {
    let refused = |stand: &Stand, bucket: &str, code: i32, wanted: &str| {
        let (wanted, told_as) = wanted.split_once(':').unwrap_or((wanted, wanted));
        stand.calls();
        let output = stand.run(&["import", bucket, "-o", "json"]).exits(code);
        crate::told::told_as(told_as, wanted, &output);
        assert_eq!(output.json()["error"]["code"], wanted, "{output}");
        assert_eq!(stand.calls()["writes"], 0);
        output.stderr
    };
    let (stand, replicas) = by_hand();
    refused(&stand, SOURCE, 3, "not-replicated");
    refused(&stand, "nobody-has-this", 3, "object-missing:no-such-bucket");
    let mut off = rule("off", "", 1, Some(&replicas));
    off.status = t::ReplicationRuleStatus::Disabled;
    put(&stand, vec![off]);
    let said = refused(&stand, SOURCE, 3, "not-expressible:not-expressible-off");
    assert!(said.contains("no rule that is Enabled selects SSE-KMS objects"), "{said}");
    let mut cold = rule("cold", "", 1, Some(&replicas));
    cold.destination = cold.destination.map(|mut it| {
        it.storage_class = Some(t::StorageClass::DeepArchive);
        it
    });
    put(&stand, vec![cold]);
    let said = refused(&stand, SOURCE, 3, "not-expressible:not-expressible-storage-class");
    assert!(said.contains("`DEEP_ARCHIVE` can't be read by a probe"), "{said}");
    // A role that can't replicate: the manifest is there, and what it lacks is said.
    let (stand, replicas) = by_hand();
    put(&stand, vec![rule("all", "", 1, Some(&replicas))]);
    stand.iam(async |iam| {
        let delete = iam.delete_role_policy().role_name("by-hand").policy_name("s3crr");
        delete.send().await.unwrap();
    });
    let output = stand.run(&["import", SOURCE, "-o", "json"]).exits(5).told("role-lacks").json();
    assert_eq!(output["error"]["code"], "role-lacks");
    assert!(
        output["manifest"].as_str().unwrap().contains("`crrctl plan` refuses it"),
        "{output:#}"
    );
}

/// The name of a pair that crrctl made stays: its rules and tags bear it.
#[test]
fn a_pair_keeps_its_name() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let source = crate::common::SOURCE;
    let told = stand.run(&["import", source, "--name", "other"]).exits(3).stderr;
    assert!(
        told.contains("the pair `demo`, which crrctl made") && told.contains("--name demo"),
        "{told}"
    );
    let _ = stand.run(&["import", source, "--name", "demo"]).exits(0);
}

/// A destination whose account lends no credentials is named.
#[test]
fn a_destination_of_another_account_wants_its_credentials() {
    let stand = Stand::new();
    stand.profile("archive", OTHER);
    let text = &examples().into_iter().find(|(name, _)| name == "other-account").unwrap().1;
    let _ = stand.manifest(&["apply", "--yes", "--no-probe"], text).exits(0);
    let source = "other-account-111122223333-us-east-1";
    let output = stand.run(&["import", source, "-o", "json"]).exits(10);
    assert_eq!(output.json()["error"]["code"], "bucket-not-ours");
    assert!(output.stderr.contains("--destination-profile"), "{output}");
}
