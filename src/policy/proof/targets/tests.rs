//! Who may publish to a topic, and use its key, by the policies that are found.
//! Not for: what is said of a topic that is wrong (see `plan::alert_target`).

#![expect(clippy::needless_pass_by_value, reason = "`json!` rows read better by value")]

use super::*;
use crate::manifest::{self, Origin};
use serde_json::json;

const HOME: &str = "111122223333";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:alerts";
const ALARM: &str = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:crrctl.demo.us-west-2";
const SOURCE: &str = "arn:aws:s3:::demo-111122223333-us-east-1";

fn topology() -> Topology {
    let text = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        replication: {alerts: {sns: 'arn:aws:sns:us-east-1:111122223333:alerts'}, \
        alarm: {sns: 'arn:aws:sns:us-east-1:111122223333:alerts'}}\n";
    let manifest = manifest::parse(text, &Origin::Stdin, None).unwrap();
    manifest.topology(&AccountId::new(HOME).unwrap()).unwrap()
}

fn policy(principal: Value, condition: Value) -> Value {
    json!({"Version": "2008-10-17", "Statement": [{
        "Effect": "Allow", "Principal": principal, "Action": ["SNS:Subscribe", "SNS:Publish"],
        "Resource": TOPIC, "Condition": condition,
    }]})
}

/// The policies of topics as they are found, and whether S3 and CloudWatch may publish by them.
#[test]
fn who_may_publish_by_the_policies_that_topics_have() {
    let service = |name: &str| json!({"Service": name});
    let of = |key: &str, value: &str| json!({"StringEquals": {key: value}});
    let from = |arn: &str| json!({"ArnLike": {"aws:SourceArn": arn}});
    let everyone = || json!({"AWS": "*"});
    let by_s3 = "s3.amazonaws.com";
    let by_cloudwatch = "cloudwatch.amazonaws.com";
    let topology = topology();
    let s3 = Target::of_alerts(&topology).unwrap();
    let cloudwatch = Target::of_alarms(&topology).unwrap();
    for (what, found, lets) in [
        // "`aws:SourceAccount` versus `aws:SourceOwner`".
        ("a new topic's", policy(everyone(), of("AWS:SourceOwner", HOME)), (false, true)),
        (
            "another account's",
            policy(everyone(), of("AWS:SourceOwner", "444455556666")),
            (false, false),
        ),
        (
            "of another account, by name",
            policy(json!({"AWS": "444455556666"}), json!({})),
            (false, false),
        ),
        // "Allow CloudWatch alarms to publish to a topic in a different account".
        (
            "any alarm",
            policy(everyone(), from("arn:aws:cloudwatch:us-east-1:111122223333:alarm:*")),
            (false, true),
        ),
        ("any bucket", policy(everyone(), from("arn:aws:s3:*:*:*")), (true, false)),
        ("the alarm", policy(service(by_cloudwatch), from(ALARM)), (false, true)),
        (
            "another alarm",
            policy(service(by_cloudwatch), from(&format!("{ALARM}-other"))),
            (false, false),
        ),
        (
            "the account",
            policy(service(by_cloudwatch), of("aws:SourceAccount", HOME)),
            (false, true),
        ),
        (
            "another account",
            policy(service(by_cloudwatch), of("aws:SourceAccount", "444455556666")),
            (false, false),
        ),
        ("CloudWatch", policy(service(by_cloudwatch), json!({})), (false, true)),
        ("the bucket", policy(service(by_s3), from(SOURCE)), (true, false)),
        ("both", policy(json!({"Service": [by_s3, by_cloudwatch]}), json!({})), (true, true)),
        ("everyone", policy(json!("*"), json!({})), (true, true)),
        ("the account's users", policy(json!({"AWS": HOME}), json!({})), (false, false)),
    ] {
        let got = (s3.may_publish(Some(&found)), cloudwatch.may_publish(Some(&found)));
        assert_eq!(got, lets, "{what}");
        let mut denied = found.clone();
        let deny = json!({"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sns:*", "Resource": "*"});
        denied["Statement"].as_array_mut().unwrap().push(deny);
        assert!(!cloudwatch.may_publish(Some(&denied)), "{what}, and everyone is denied");
    }
    assert!(!s3.may_publish(None) && !cloudwatch.may_publish(None));
}

#[test]
fn a_key_lets_cloudwatch_generate_and_decrypt() {
    let key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let topology = topology();
    let target = Target::of_alarms(&topology).unwrap();
    for (service, actions, lets) in [
        ("cloudwatch.amazonaws.com", json!(["kms:Decrypt", "kms:GenerateDataKey*"]), true),
        ("cloudwatch.amazonaws.com", json!("kms:GenerateDataKey*"), false),
        ("cloudwatch.amazonaws.com", json!("kms:Decrypt"), false),
        ("s3.amazonaws.com", json!("kms:*"), false),
    ] {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": service}, "Action": actions, "Resource": "*",
        }]});
        assert_eq!(target.may_encrypt(key, &policy), lets, "{service} {actions}");
    }
    // The default key policy lets the account's users alone.
    let users = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*",
    }]});
    assert!(!target.may_encrypt(key, &users));
}
