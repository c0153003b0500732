//! Errors when another caller changes the pair during a run: the run is held at a call while the
//! other caller makes the change.
//! Not for: two concurrent runs of crrctl (see `survival::races`).

use super::{built, told};
use crate::common::{DESTINATION, SOURCE, Stand};
use aws_sdk_s3::types as t;

const TAGS: [(&str, &str); 2] =
    [("crrctl:pair", "demo"), ("crrctl:id", "111122223333/us-east-1/demo-111122223333-us-east-1")];

fn encrypt(stand: &Stand, bucket: &str, key: &str) {
    let default = t::ServerSideEncryptionByDefault::builder()
        .sse_algorithm(t::ServerSideEncryption::AwsKms)
        .kms_master_key_id(key)
        .build()
        .unwrap();
    let rule = t::ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default)
        .build();
    let rules = t::ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    stand.s3("us-east-1", async |s3| {
        let put = s3.put_bucket_encryption().bucket(bucket);
        put.server_side_encryption_configuration(rules).send().await.unwrap();
    });
}

/// Returns the ARN of the key that the pair's alias names at the source.
fn named(stand: &Stand) -> String {
    stand.kms("us-east-1", async |kms| {
        let key = kms.describe_key().key_id("alias/crrctl/demo").send().await.unwrap();
        key.key_metadata().unwrap().arn().unwrap().to_owned()
    })
}

/// Returns the tags of the usual pair.
pub(super) fn tags() -> Vec<aws_sdk_kms::types::Tag> {
    let tag = |(key, value): (&str, &str)| {
        aws_sdk_kms::types::Tag::builder().tag_key(key).tag_value(value).build().unwrap()
    };
    TAGS.map(tag).to_vec()
}

/// Creates a key with the tags of the usual pair, as a run does that is interrupted right
/// afterwards.
fn spare(stand: &Stand) -> String {
    stand.kms("us-east-1", async |kms| {
        let create = kms.create_key().multi_region(true).set_tags(Some(tags()));
        let made = create.send().await.unwrap();
        made.key_metadata().unwrap().arn().unwrap().to_owned()
    })
}

#[test]
fn a_bucket_that_comes_back_keeps_its_key() {
    let stand = built();
    let key = named(&stand);
    // The steps of both keys are held, so both read the bucket, whichever comes first.
    let all = "kms:ScheduleKeyDeletion:delay=1h";
    let destroyed = stand.held_by(all, &["destroy", "--yes"], || {
        stand.s3("us-east-1", async |s3| s3.create_bucket().bucket(SOURCE).send().await.unwrap());
        encrypt(&stand, SOURCE, &key);
    });
    told("bucket-stands", &destroyed.exits(9));
    let state = stand.kms("us-east-1", async |kms| {
        let key = kms.describe_key().key_id(&key).send().await.unwrap();
        key.key_metadata().unwrap().key_state().unwrap().as_str().to_owned()
    });
    assert_eq!(state, "Enabled", "what was scheduled comes back");
}

#[test]
fn a_spare_key_that_is_taken_into_use_is_told() {
    let stand = Stand::new();
    let keys = [spare(&stand), spare(&stand)];
    // The run takes one of the two keys into use. While the other is about to be scheduled for
    // deletion, a bucket is encrypted under it.
    let applied = stand.held("kms:ScheduleKeyDeletion", &["apply", "--yes", "--no-probe"], || {
        let live = named(&stand);
        Stand::wait_until("the source is encrypted", || {
            stand.s3("us-east-1", async |s3| {
                let get = s3.get_bucket_encryption().bucket(SOURCE).send().await;
                let rules = get.ok().and_then(|it| it.server_side_encryption_configuration);
                let default = rules
                    .and_then(|it| it.rules[0].apply_server_side_encryption_by_default.clone());
                default.and_then(|it| it.kms_master_key_id).as_ref() == Some(&live)
            })
        });
        encrypt(&stand, SOURCE, keys.iter().find(|key| **key != live).unwrap());
    });
    told("key-in-use", &applied.exits(10));
}

#[test]
fn a_pair_that_is_taken_away_under_an_apply_is_not_told_as_done() {
    let stand = built();
    let applied = stand.held("s3:PutObject", &["apply", "--yes"], || {
        stand.kms("us-west-2", async |kms| {
            kms.delete_alias().alias_name("alias/crrctl/demo").send().await.unwrap()
        });
    });
    told("changed-meanwhile", &applied.exits(10));
}

/// A replica key that somebody schedules for deletion or disables is never Enabled again by itself:
/// the wait for it ends at once.
#[test]
fn a_replica_key_that_will_not_be_enabled_is_not_waited_for() {
    for state in ["PendingDeletion", "Disabled"] {
        let stand = Stand::new();
        let fault = "kms:DescribeKey:delay=1h:after=2";
        let applied = stand.held_by(fault, &["apply", "--yes", "--no-probe"], || {
            // DescribeKey is held for everybody.
            let is_it = |arn: &String| arn.contains("us-west-2") && arn.contains(":key/");
            Stand::wait_until("there is a replica", || stand.leftovers().iter().any(is_it));
            let key = stand.leftovers().into_iter().find(is_it).unwrap();
            stand.kms("us-west-2", async |kms| match state {
                "Disabled" => drop(kms.disable_key().key_id(key).send().await.unwrap()),
                _ => drop(kms.schedule_key_deletion().key_id(key).send().await.unwrap()),
            });
        });
        let told = applied.exits(10).json();
        assert_eq!(told["error"]["code"], "changed-meanwhile");
        assert!(told["error"]["message"].as_str().unwrap().contains(state), "{told:#}");
    }
}

/// An alias that stays with a key that goes gets the pair's key in the same run, if that key was the
/// pair's.
#[test]
fn an_alias_that_stays_with_a_key_that_goes_is_moved() {
    for (tags, code) in [(Some(tags()), 0), (None, 10)] {
        let stand = Stand::new();
        let apply = ["apply", "--yes", "--no-probe"];
        let mut goes = String::new();
        let applied = stand.held("kms:CreateAlias", &apply, || {
            goes = stand.kms("us-east-1", async |kms| {
                let made = kms.create_key().multi_region(true).set_tags(tags).send().await.unwrap();
                let key = made.key_metadata().unwrap().arn().unwrap().to_owned();
                let create = kms.create_alias().alias_name("alias/crrctl/demo");
                create.target_key_id(&key).send().await.unwrap();
                kms.schedule_key_deletion().key_id(&key).send().await.unwrap();
                key
            });
        });
        let applied = applied.exits(code).json();
        if code == 0 {
            assert_ne!(named(&stand), goes);
            assert_eq!(stand.sandbox().pending_keys_in_use(), [""; 0]);
            let _ = stand.in_process(&["plan", "--detailed-exitcode"]).exits(0);
        } else {
            assert_eq!(applied["error"]["code"], "alias-not-ours", "{applied:#}");
            assert_eq!(named(&stand), goes);
        }
    }
}

#[test]
fn a_replica_that_is_not_there_is_told() {
    let stand = built();
    // The probe reports a missing replica after the time within which a replica must be readable.
    let probed = stand.held("s3:GetObject", &["probe"], || {
        stand.s3("us-west-2", async |s3| {
            let page = s3.list_object_versions().bucket(DESTINATION).send().await.unwrap();
            for version in page.versions() {
                let delete = s3.delete_object().bucket(DESTINATION);
                let delete = delete.set_key(version.key.clone());
                delete.set_version_id(version.version_id.clone()).send().await.unwrap();
            }
        });
    });
    told("replica-missing", &probed.exits(8));
}
