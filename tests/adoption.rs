//! Buckets that somebody else made: their settings are managed, they are never deleted, and what others put into them stays.

use crate::common::{DESTINATION, SOURCE, Stand};
use aws_sdk_s3::types as t;
use crrctl_sandbox::{Lag, Options};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const MANIFEST: &str = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
    destinations: [{region: us-west-2, adopt: true}]\n";
/// Settings that are the owner's matter unless the manifest says otherwise.
const MANAGED: &str = "buckets: {encryption: managed, public_access: block, ownership: enforced}\n";
/// Only the source is somebody else's.
const SOURCE_ONLY: &str = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
    destinations: [{region: us-west-2}]\n";

/// Makes the bucket `name` as its owner has it: with a tag, a policy and an object of his.
fn theirs(stand: &Stand, region: &str, name: &str) {
    stand.bucket_of_its_owner(region, name, false);
    stand.s3(region, async |s3| {
        let policy = their_policy(name).to_string();
        s3.put_bucket_policy().bucket(name).policy(policy).send().await.unwrap();
        let rule =
            t::OwnershipControlsRule::builder().object_ownership(t::ObjectOwnership::ObjectWriter);
        let controls =
            t::OwnershipControls::builder().rules(rule.build().unwrap()).build().unwrap();
        s3.put_bucket_ownership_controls()
            .bucket(name)
            .ownership_controls(controls)
            .send()
            .await
            .unwrap();
        let block = t::PublicAccessBlockConfiguration::builder().block_public_acls(true).build();
        s3.put_public_access_block()
            .bucket(name)
            .public_access_block_configuration(block)
            .send()
            .await
            .unwrap();
        let suspended =
            t::VersioningConfiguration::builder().status(t::BucketVersioningStatus::Suspended);
        s3.put_bucket_versioning()
            .bucket(name)
            .versioning_configuration(suspended.build())
            .send()
            .await
            .unwrap();
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
        s3.put_object().bucket(name).key("theirs").body(body).send().await.unwrap();
        let default = t::ServerSideEncryptionByDefault::builder()
            .sse_algorithm(t::ServerSideEncryption::AwsKms);
        let rule = t::ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(
            default.kms_master_key_id(their_key(region)).build().unwrap(),
        );
        let encryption =
            t::ServerSideEncryptionConfiguration::builder().rules(rule.build()).build().unwrap();
        s3.put_bucket_encryption()
            .bucket(name)
            .server_side_encryption_configuration(encryption)
            .send()
            .await
            .unwrap();
    });
}

/// The key that S3 makes for whoever names none.
fn their_key(region: &str) -> String {
    format!("arn:aws:kms:{region}:111122223333:alias/aws/s3")
}

fn their_policy(bucket: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": "Theirs", "Effect": "Deny", "Principal": "*",
        "Action": "s3:PutObjectAcl", "Resource": format!("arn:aws:s3:::{bucket}/*")}]})
}

/// Returns the keys of the tags and the Sids of the policy of a bucket.
fn marks(stand: &Stand, region: &str, name: &str) -> (Vec<String>, Vec<String>) {
    stand.s3(region, async |s3| {
        let tags = s3.get_bucket_tagging().bucket(name).send().await.unwrap();
        let mut tags: Vec<String> = tags.tag_set().iter().map(|it| it.key().to_owned()).collect();
        tags.sort();
        let policy = s3.get_bucket_policy().bucket(name).send().await.unwrap();
        let policy: Value = serde_json::from_str(policy.policy().unwrap()).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        (tags, statements.iter().map(|it| it["Sid"].as_str().unwrap().to_owned()).collect())
    })
}

/// Runs `work` while the sandbox's clock runs some hundred times as fast as ours.
fn in_fast_time<T>(stand: &Stand, work: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                stand.control("POST", "clock", r#"{"advance": "1s"}"#);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        // A test that fails must not leave the clock running.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        over.store(true, Ordering::Relaxed);
        done.unwrap_or_else(|why| std::panic::resume_unwind(why))
    })
}

fn action<'a>(plan: &'a Value, kind: &str, name: &str) -> &'a str {
    let changes = plan["changes"].as_array().unwrap();
    let found = changes.iter().find(|it| it["kind"] == kind && it["name"] == name);
    found.map_or("absent", |it| it["action"].as_str().unwrap())
}

fn kinds(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap()).collect()
}

/// A run that is cut off leaves probes, and nothing else tells of them once the pair is gone.
#[test]
fn probes_of_a_run_that_was_cut_off_go_with_the_pair() {
    let stand = Stand::new();
    theirs(&stand, "us-east-1", SOURCE);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], SOURCE_ONLY).exits(10);
    let _ = stand.in_process_with(&["apply", "--yes"], SOURCE_ONLY).exits(0);
    let _ = stand.in_process_with(&["probe", "--keep"], SOURCE_ONLY).exits(0);
    let destroy = ["destroy", "--yes"];
    let _ = in_fast_time(&stand, || stand.in_process_with(&destroy, SOURCE_ONLY)).exits(0);
    let keys = stand.s3("us-east-1", async |s3| {
        let all = s3.list_object_versions().bucket(SOURCE).send().await.unwrap();
        all.versions().iter().map(|it| it.key().unwrap().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(keys, ["theirs"]);
}

/// What `apply` would do is no failed check.
#[test]
fn a_bucket_that_is_to_be_adopted_is_in_order_before() {
    let stand = Stand::new();
    theirs(&stand, "us-east-1", SOURCE);
    let args = ["check", "--before-apply", "-o", "json"];
    let checked = stand.in_process_with(&args, SOURCE_ONLY);
    let checked: Value = serde_json::from_str(&checked.stdout).unwrap();
    let owner = checked["checks"].as_array().unwrap().iter();
    let owner =
        owner.clone().find(|it| it["name"] == "bucket.owner" && it["region"] == "us-east-1");
    assert_eq!(owner.unwrap()["result"], "pass", "{checked:#}");
}

#[test]
fn an_adopted_pair_is_managed_and_what_others_put_there_stays() {
    let stand = Stand::new();
    theirs(&stand, "us-east-1", SOURCE);
    theirs(&stand, "us-west-2", DESTINATION);
    let refused = stand.in_process(&["apply", "--yes"]).exits(10).json();
    assert!(refused["error"]["hints"].to_string().contains("adopt: true"), "{refused}");

    let manifest = format!("{MANIFEST}{MANAGED}");
    let plan = stand.in_process_with(&["plan", "-o", "json"], &manifest).exits(0).json();
    assert_eq!(action(&plan, "s3:bucket", SOURCE), "adopt");
    assert_eq!(action(&plan, "s3:policy", SOURCE), "update");
    let applied =
        stand.in_process_with(&["apply", "--yes", "-o", "json"], &manifest).exits(0).json();
    assert_eq!(applied["summary"]["completed"], 5, "proven first: the buckets are theirs");
    let replaced = applied["replaced"].as_array().unwrap();
    let of = |step: &str| &replaced.iter().find(|it| it["step"] == step).unwrap()["document"];
    assert_eq!(of(&format!("s3:policy/{SOURCE}")), &their_policy(SOURCE));
    assert_eq!(of(&format!("s3:tags/{DESTINATION}")), &json!({"owner": "them"}));
    for (region, bucket) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
        let setting = |kind: &str| of(&format!("s3:{kind}/{bucket}"));
        let encryption = &setting("encryption")["Rules"][0]["ApplyServerSideEncryptionByDefault"];
        let default = json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": their_key(region)});
        assert_eq!(encryption, &default);
        assert_eq!(setting("ownership"), &json!({"Rules": [{"ObjectOwnership": "ObjectWriter"}]}));
        assert_eq!(setting("versioning"), &json!({"Status": "Suspended"}));
        let block = setting("public-access-block");
        assert_eq!(
            (&block["BlockPublicAcls"], &block["BlockPublicPolicy"]),
            (&json!(true), &json!(false))
        );
    }
    let rules = replaced.iter().filter(|it| it["step"] == format!("s3:replication/{SOURCE}"));
    assert_eq!(rules.count(), 0, "what this run wrote before it was proven is not theirs");
    for (region, bucket) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
        let (mut tags, sids) = marks(&stand, region, bucket);
        tags.retain(|tag| !tag.starts_with("crrctl:was/"));
        assert_eq!(tags, ["crrctl:adopted", "crrctl:id", "crrctl:pair", "owner"]);
        assert_eq!(sids, ["Theirs", "CrrctlTlsOnly"]);
    }
    let again = stand.manifest(&["apply", "--yes", "--no-probe", "-o", "json"], MANIFEST);
    assert_eq!(again.exits(0).json()["changed"], false);
    // They are never deleted, even where the manifest forgets that they are adopted.
    let plan = stand.in_process(&["plan", "--destroy"]).exits(0).json();
    assert_eq!(action(&plan, "s3:bucket", SOURCE), "absent");
}

#[test]
fn public_access_and_ownership_of_an_adopted_bucket_stay_unless_the_manifest_says_otherwise() {
    let stand = Stand::new();
    theirs(&stand, "us-east-1", SOURCE);
    theirs(&stand, "us-west-2", DESTINATION);
    let kept = ["s3:ownership", "s3:public-access-block"];
    let plan = stand.in_process_with(&["plan", "-o", "json"], MANIFEST).exits(0).json();
    for kind in kept {
        assert_eq!(action(&plan, kind, SOURCE), "absent");
    }
    let managed = format!("{MANIFEST}{MANAGED}");
    let plan = stand.in_process_with(&["plan", "-o", "json"], &managed).exits(0).json();
    for kind in kept {
        assert_eq!(action(&plan, kind, SOURCE), "update");
    }
    // Of a bucket that the pair makes they are managed, unless the manifest says otherwise.
    let fresh = Stand::new();
    let made = MANIFEST.replace("adopt: true", "adopt: false");
    let plan = fresh.in_process_with(&["plan", "-o", "json"], &made).exits(0).json();
    let kept_of_all =
        format!("{made}{}", MANAGED.replace("block", "keep").replace("enforced", "keep"));
    let other = fresh.in_process_with(&["plan", "-o", "json"], &kept_of_all).exits(0).json();
    for kind in kept {
        assert_eq!(action(&plan, kind, SOURCE), "create");
        assert_eq!(action(&other, kind, SOURCE), "absent");
    }
}

/// S3 refuses to turn ACLs off where they grant something to others: `plan` says so, and nothing is
/// changed.
#[test]
fn a_bucket_whose_acl_grants_something_is_left_as_it_is() {
    let stand = Stand::new();
    theirs(&stand, "us-east-1", SOURCE);
    theirs(&stand, "us-west-2", DESTINATION);
    stand.s3("us-east-1", async |s3| {
        let put = s3.put_bucket_acl().bucket(SOURCE);
        let logs = "uri=\"http://acs.amazonaws.com/groups/s3/LogDelivery\"";
        put.grant_write(logs).send().await.unwrap();
    });
    let managed = format!("{MANIFEST}buckets: {{ownership: enforced, public_access: block}}\n");
    stand.calls();
    for args in [&["plan", "-o", "json"][..], &["apply", "--yes", "-o", "json"]] {
        let refused = stand.in_process_with(args, &managed).exits(10).json();
        let error = &refused["error"];
        assert_eq!(error["code"], "InvalidBucketAclWithObjectOwnership", "{error:#}");
        assert!(error["message"].as_str().unwrap().contains("groups/s3/LogDelivery"), "{error:#}");
        assert!(error["hints"][0].as_str().unwrap().contains("put-bucket-acl"), "{error:#}");
    }
    assert_eq!(stand.calls()["writes"], 0);
    // By default an adopted bucket keeps its ACL.
    let _ = stand.in_process_with(&["plan", "-o", "json"], MANIFEST).exits(0);
}

#[test]
fn an_adopted_pair_is_given_back_with_its_keys_in_place() {
    let stand = Stand::new();
    theirs(&stand, "us-east-1", SOURCE);
    theirs(&stand, "us-west-2", DESTINATION);
    let _ = stand.in_process_with(&["apply", "--yes"], MANIFEST).exits(0);
    let destroy = ["destroy", "--yes", "--purge-data", "-o", "json"];
    let destroyed =
        in_fast_time(&stand, || stand.in_process_with(&destroy, MANIFEST)).exits(0).json();
    let keys = ["kms:key", "kms:replica-key", "kms:alias", "kms:alias"];
    assert_eq!(kinds(&destroyed["left"]), [&["s3:bucket", "s3:bucket"][..], &keys].concat());
    assert!(destroyed["left"][0]["why"].as_str().unwrap().contains("adopted"));
    for (region, bucket) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
        let theirs = (vec!["owner".to_owned()], vec!["Theirs".to_owned()]);
        assert_eq!(marks(&stand, region, bucket), theirs);
        let versions = stand
            .s3(region, async |s3| s3.list_object_versions().bucket(bucket).send().await.unwrap());
        let keys: Vec<&str> = versions.versions().iter().map(|it| it.key().unwrap()).collect();
        assert_eq!(
            keys,
            ["theirs"],
            "{bucket}: nothing of theirs is lost, nothing of ours is left"
        );
    }
    assert!(!stand.leftovers().iter().any(|arn| arn.contains(":role/")));
    // A second time there is nothing to do and nothing to wait for.
    let again = stand.in_process_with(&destroy, MANIFEST).exits(0).json();
    assert_eq!(again["removed"], json!([]));
    // The keys stay as long as the buckets do, though the manifest names another by now and no tag tells of the old one.
    let other = MANIFEST.replace("us-west-2, adopt: true", "us-west-2, bucket: another-b");
    let kept = stand.in_process_with(&destroy, &other).json();
    assert_eq!(kept["keys"], json!([]), "{kept}");
    // And the pair can be built again with the key that it had.
    let _ = stand.in_process_with(&["apply", "--yes"], MANIFEST).exits(0);
}

#[test]
fn an_adopted_bucket_that_is_not_there_is_not_made() {
    let stand = Stand::new();
    let refused = stand
        .manifest(&["apply", "--yes", "-o", "json"], MANIFEST)
        .exits(3)
        .told("bucket-missing")
        .json();
    assert_eq!(refused["error"]["code"], "bucket-missing");
    assert_eq!(stand.calls()["writes"], 0);
}

#[test]
fn a_bucket_of_another_pair_is_not_adopted() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.calls();
    let thief = format!(
        "name: thief\nsource: {{region: us-east-1, bucket: {SOURCE}, adopt: true}}\n\
         destinations: [{{region: us-west-2}}]\n"
    );
    let refused = stand.in_process_with(&["apply", "--yes", "-o", "json"], &thief).exits(10).json();
    assert_eq!(refused["error"]["code"], "bucket-not-ours");
    assert_eq!(stand.calls()["writes"], 0);
}

/// What is written to a source that stays would end FAILED if the role went before S3 has forgotten the rule.
#[test]
fn the_role_of_an_adopted_source_goes_when_s3_has_forgotten_its_rule() {
    let stand = Stand::with(Options { lag: Lag::Aws, seed: Some(3), ..Options::default() });
    theirs(&stand, "us-east-1", SOURCE);
    // What is put back must be of use to whoever writes meanwhile.
    stand.s3("us-east-1", async |s3| {
        s3.delete_bucket_encryption().bucket(SOURCE).send().await.unwrap();
    });
    let manifest = format!("{SOURCE_ONLY}buckets: {{encryption: managed}}\n");
    let late = in_fast_time(&stand, || {
        let _ = stand.in_process_with(&["apply", "--yes"], &manifest).exits(0);
        stand.with_a_writer(|| {
            let destroy = ["destroy", "--yes", "--purge-data", "-o", "json"];
            let _ = stand.in_process_with(&destroy, &manifest).exits(0);
        })
    });
    assert!(!late.is_empty(), "the rule was live");
    assert!(late.iter().all(|it| it["status"] == "COMPLETED"), "{late:?}");
}

/// Returns a bucket's settings as its owner reads them.
fn settings(stand: &Stand, region: &str, name: &str) -> Vec<String> {
    stand.s3(region, async |s3| {
        let encryption = s3.get_bucket_encryption().bucket(name).send().await.unwrap();
        let block = s3.get_public_access_block().bucket(name).send().await.unwrap();
        let ownership = s3.get_bucket_ownership_controls().bucket(name).send().await.unwrap();
        let tags = s3.get_bucket_tagging().bucket(name).send().await.unwrap();
        vec![
            format!("{:?}", encryption.server_side_encryption_configuration()),
            format!("{:?}", block.public_access_block_configuration()),
            format!("{:?}", ownership.ownership_controls()),
            format!("{:?}", tags.tag_set()),
        ]
    })
}

/// The default encryption that `apply` changed is put back where it is still as `apply` left it. What
/// protects the bucket stays. What stays is said, with what it was.
#[test]
fn what_apply_changed_is_put_back_where_it_is_still_ours_and_no_protection_is_lost() {
    for is_touched in [false, true] {
        let stand = Stand::new();
        theirs(&stand, "us-east-1", SOURCE);
        theirs(&stand, "us-west-2", DESTINATION);
        let sides = [("us-east-1", SOURCE), ("us-west-2", DESTINATION)];
        let read = || sides.map(|(region, bucket)| settings(&stand, region, bucket));
        let before = read();
        let manifest = format!("{MANIFEST}{MANAGED}");
        let _ = stand.in_process_with(&["apply", "--yes"], &manifest).exits(0);
        let again = stand.in_process_with(&["apply", "--yes", "--no-probe"], &manifest).exits(0);
        assert_eq!(again.json()["changed"], false);
        if is_touched {
            stand.s3("us-east-1", async |s3| {
                s3.delete_bucket_encryption().bucket(SOURCE).send().await.unwrap();
            });
        }
        let during = read();
        // Whoever removes the pair need not have the manifest's settings at hand.
        let gone = in_fast_time(&stand, || {
            stand.in_process_with(&["destroy", "--yes"], MANIFEST).exits(0)
        });
        let gone = gone.json();
        let why = |bucket: &str| {
            let left = gone["left"].as_array().unwrap().iter();
            let arn = format!("arn:aws:s3:::{bucket}");
            let of = left.clone().find(|it| it["arn"] == arn).unwrap();
            of["why"].as_str().unwrap().to_owned()
        };
        let stay = [
            "s3:versioning stays on",
            "s3:public-access-block stays on",
            "s3:ownership stays",
            "Suspended",
            "\"BlockPublicPolicy\":false",
            "ObjectWriter",
        ];
        for (_, bucket) in sides {
            assert!(stay.iter().all(|it| why(bucket).contains(it)), "{}", why(bucket));
        }
        assert_eq!(why(SOURCE).contains("s3:encryption stays, since"), is_touched, "{gone:#}");
        for (index, after) in read().iter().enumerate() {
            let [encryption, block, ownership, tags] = &after[..] else { panic!("{after:?}") };
            let kept = if is_touched && index == 0 { &during } else { &before };
            assert_eq!(*encryption, kept[index][0]);
            assert_eq!([block, ownership], [&during[index][1], &during[index][2]]);
            assert_eq!(*tags, before[index][3]);
        }
        for (region, bucket) in sides {
            let status = stand.s3(region, async |s3| {
                s3.get_bucket_versioning().bucket(bucket).send().await.unwrap().status().cloned()
            });
            assert_eq!(status, Some(t::BucketVersioningStatus::Enabled));
        }
    }
}

/// Logging that `apply` changed is put back, and a lifecycle rule of the older form keeps its form beside the pair's.
#[test]
fn logging_is_put_back_and_lifecycle_rules_of_others_stay_as_they_are() {
    for logging in ["{bucket: \"lg-{region}\", prefix: p/}", "none"] {
        let stand = Stand::new();
        stand.bucket_of_its_owner("us-east-1", SOURCE, false);
        stand.bucket_of_its_owner("us-west-2", DESTINATION, false);
        let manifest = |logging: &str, days: u8| {
            format!(
                "{MANIFEST}buckets: {{logging: {logging}, lifecycle: {{noncurrent_days: {days}}}}}\n"
            )
        };
        let first = manifest("{bucket: \"lg-{region}\", prefix: p/}", 3);
        for (region, target) in [("us-east-1", "lg-us-east-1"), ("us-west-2", "lg-us-west-2")] {
            stand.bucket_of_its_owner(region, target, false);
            let document = format!("log-target.{target}");
            let args = ["policy", "render", &document, "-o", "json"];
            let rendered = stand.manifest(&args, &first).exits(0).json();
            let policy = rendered["documents"][&document].to_string();
            stand.s3(region, async |s3| {
                s3.put_bucket_policy().bucket(target).policy(policy).send().await.unwrap();
            });
        }
        stand.bucket_of_its_owner("us-east-1", "lg-old", false);
        stand.s3("us-east-1", async |s3| {
            let on =
                t::LoggingEnabled::builder().target_bucket("lg-old").target_prefix("alt: \u{e4}/");
            let on = t::BucketLoggingStatus::builder().logging_enabled(on.build().unwrap()).build();
            let put = s3.put_bucket_logging().bucket(SOURCE).bucket_logging_status(on);
            put.send().await.unwrap();
            let days = t::LifecycleExpiration::builder().days(9).build();
            #[expect(deprecated, reason = "the older form is what is tested")]
            let rule = t::LifecycleRule::builder().id("theirs").prefix("tmp/").expiration(days);
            let rule = rule.status(t::ExpirationStatus::Enabled).build().unwrap();
            let all = t::BucketLifecycleConfiguration::builder().rules(rule).build().unwrap();
            let put = s3.put_bucket_lifecycle_configuration().bucket(SOURCE);
            put.lifecycle_configuration(all).send().await.unwrap();
        });
        let read = |region: &str, bucket: &str| {
            stand.s3(region, async |s3| {
                let logging = s3.get_bucket_logging().bucket(bucket).send().await.unwrap();
                let rules = s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await;
                let rules = rules.map(|it| it.rules().to_vec()).unwrap_or_default();
                (format!("{:?}", logging.logging_enabled()), rules)
            })
        };
        let both = || [read("us-east-1", SOURCE), read("us-west-2", DESTINATION)];
        let before = both();
        let apply =
            |manifest: &str| stand.in_process_with(&["apply", "--yes"], manifest).exits(0).json();
        apply(&first);
        assert_ne!(both()[0].0, before[0].0);
        let during = both()[0].1.clone();
        assert_eq!((during.len(), &during[0]), (2, &before[0].1[0]), "theirs is as it was");
        // A change of what the pair wants does not make its own value the one that was before it.
        let last = manifest(logging, 4);
        apply(&last);
        assert_eq!(apply(&last)["changed"], false);
        let gone = in_fast_time(&stand, || {
            stand.in_process_with(&["destroy", "--yes"], MANIFEST).exits(0).json()
        });
        assert_eq!(both(), before, "{gone:#}");
        let told = gone["left"].to_string();
        assert!(told.contains("before the pair it was never enabled"), "{told}");
        assert!(!told.contains("Suspended") && !told.contains("s3:logging"), "{told}");
    }
}

/// What AWS would refuse is refused before any write: the tags of others leave no room for the pair's.
#[test]
fn a_bucket_without_room_for_tags_is_refused_before_any_write() {
    let stand = Stand::new();
    for (region, bucket) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
        stand.bucket_of_its_owner(region, bucket, false);
    }
    let tag = |count: usize| {
        stand.s3("us-east-1", async |s3| {
            let tag = |n| t::Tag::builder().key(format!("t{n}")).value("v").build().unwrap();
            let tags = t::Tagging::builder().set_tag_set(Some((0..count).map(tag).collect()));
            let put = s3.put_bucket_tagging().bucket(SOURCE).tagging(tags.build().unwrap());
            put.send().await.unwrap();
        });
    };
    tag(48);
    stand.calls();
    for args in [&["plan", "-o", "json"][..], &["apply", "--yes", "-o", "json"]] {
        let refused = stand.in_process_with(args, MANIFEST).exits(10).json();
        assert_eq!(refused["error"]["code"], "over-quota", "{refused}");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains(SOURCE) && message.contains("48 of others"), "{message}");
    }
    assert_eq!(stand.calls()["writes"], 0);
    let _ = stand.manifest(&["plan", "-o", "json"], MANIFEST).exits(10).told("over-quota");
    tag(45);
    let _ = stand.in_process_with(&["apply", "--yes"], MANIFEST).exits(0);
}
