//! Tests of stand-ins. Not for: those of policies and events by themselves.

use super::*;
use serde_json::json;

fn stand_ins() -> StandIns {
    StandIns::new(Names::Replaced)
}

#[test]
fn stand_ins_keep_length_prefixes_and_forms() {
    let stand_ins = stand_ins();
    for name in ["orders", "demo-111122223333-us-east-1", "Zürich 7", "logs/2026/a.txt", ""] {
        let stand_in = stand_ins.name(name);
        assert_eq!(stand_in.len(), name.len(), "{name}: {stand_in}");
        assert_eq!(stand_in, stand_ins.name(name));
        assert!(name.is_empty() || stand_in != name);
    }
    assert!(stand_ins.key("logs/2026-05/a").starts_with(&stand_ins.key("logs/2026")));
    assert!(stand_ins.key("data-1111222233334").starts_with(&stand_ins.key("data-111122223333")));
    let account = stand_ins.name("111122223333");
    assert!(account.bytes().all(|it| it.is_ascii_digit()) && account != "111122223333");
    let bucket = stand_ins.name("demo-111122223333-us-east-1-an");
    assert!(bucket.ends_with(&format!("-{account}-us-east-1-an")), "{bucket}");
    let key = format!("mrk-{}", "0f".repeat(16));
    assert!(stand_ins.name(&key).starts_with("mrk-"));
    let arn = stand_ins.name(&format!("arn:aws-cn:kms:cn-north-1:111122223333:key/{key}"));
    assert_eq!(arn, format!("arn:aws-cn:kms:cn-north-1:{account}:key/{}", stand_ins.name(&key)));
    let (bucket, key) = (stand_ins.name("acme-src"), stand_ins.key("in/x.txt"));
    assert_eq!(
        stand_ins.text("arn:aws:s3:::acme-src/in/x.txt"),
        format!("arn:aws:s3:::{bucket}/{key}")
    );
    assert_ne!(stand_ins.name("orders"), StandIns::new(Names::Replaced).name("orders"));
    assert_eq!(stand_ins.name("alias/aws/s3"), "alias/aws/s3");
    let managed = stand_ins.name("arn:aws:kms:us-east-1:111122223333:alias/aws/s3");
    assert!(managed.ends_with(":alias/aws/s3"), "{managed}");
    assert_eq!(stand_ins.name("crrctl:pair"), "crrctl:pair");
}

#[test]
fn different_names_have_different_stand_ins() {
    let stand_ins = stand_ins();
    let names: std::collections::BTreeSet<String> =
        (0..5_000).map(|n| stand_ins.name(&format!("probe-{n:05}"))).collect();
    assert_eq!(names.len(), 5_000);
}

#[test]
fn messages_keep_their_words_and_lose_names() {
    let stand_ins = stand_ins();
    let mut members = json!({"Bucket": "acme orders", "RoleName": "jane.kwok"});
    stand_ins.members(Service::S3, members.as_object_mut().unwrap());
    let message = stand_ins.text(
        "The bucket acme orders of jane.kwok (jane@acme.com, 10.1.2.3) in us-east-1 does not exist: \
         s3:PutObject was denied for 111122223333.",
    );
    assert!(
        message.starts_with("The bucket ")
            && message.contains("in us-east-1 does not exist: s3:PutObject was denied for "),
        "{message}"
    );
    for name in ["acme", "orders", "jane", "kwok", "10.1.2.3", "111122223333"] {
        assert!(!message.contains(name), "{name}: {message}");
    }
    assert!(message.contains(members["Bucket"].as_str().unwrap()), "{message}");
}

#[test]
fn no_member_keeps_a_marked_value() {
    let stand_ins = stand_ins();
    let services = [
        Service::S3,
        Service::S3Control,
        Service::Kms,
        Service::Iam,
        Service::Sts,
        Service::CloudWatch,
        Service::CloudTrail,
    ];
    let arn = "arn:aws:iam::111122223333:role/zqxmark/zqxmark";
    let policy = json!({"Statement": [{"Sid": "zqxmark", "Resource": arn, "Condition": {"StringEquals": {"zqxmark:zqxmark": "zqxmark"}}}]});
    let forms = [
        json!("zqxmark"),
        json!("Zqxmark-zqxmark/zqxmark:zqxmark@zqxmark.com"),
        json!(arn),
        json!(policy.to_string()),
        json!(["zqxmark", {"zqxmark": "zqxmark"}]),
        json!({"zqxmark": "zqxmark", "length": "zqxmark", "sha256": "zqxmark"}),
        json!({"Key": "zqxmark", "Value": "zqxmark"}),
        json!({"TagKey": "zqxmark", "TagValue": "zqxmark"}),
    ];
    let members = include_str!("../members.txt").lines().filter_map(|row| row.split_once(' '));
    for name in members.map(|(name, _)| name).chain(["Unheard", "zqxmark"]) {
        for (service, form) in
            services.iter().flat_map(|it| forms.iter().map(move |form| (*it, form)))
        {
            let mut members = json!({name: form});
            stand_ins.members(service, members.as_object_mut().unwrap());
            let text = members.to_string().to_lowercase();
            assert!(!text.contains("zqxmark"), "{service:?} {name}: {form} is {text}");
        }
    }
}

#[test]
fn names_that_are_words_are_replaced() {
    let stand_ins = stand_ins();
    let mut members = json!({"RoleName": "OrderBackupRole", "Key": "customer data/order 123456"});
    stand_ins.members(Service::S3, members.as_object_mut().unwrap());
    let text = stand_ins.text("The role with name OrderBackupRole cannot be found.");
    assert!(!text.contains("OrderBackupRole") && text.starts_with("The role with"), "{text}");
    for arn in [
        "arn:aws:sts::111122223333:assumed-role/Admin/482913",
        "arn:aws:iam::111122223333:role/awsAdmin/482913",
        "arn:aws:sns:us-east-1:111122223333:Admin",
        "arn:aws:s3:::bkt/customer data/order 482913",
    ] {
        let text = stand_ins.text(&format!("User: \"{arn}\" is not authorized"));
        for name in ["Admin", "482913", "customer", "data", "order"] {
            assert!(!text.contains(name), "{text}");
        }
    }
    let arn = stand_ins.name("arn:aws:sts::111122223333:assumed-role/Admin/482913");
    assert!(arn.contains(":assumed-role/"), "{arn}");
    let text = stand_ins.text("Access to arn:aws:s3:::bkt/customer data/order 123456 was denied");
    let key = stand_ins.key("customer data/order 123456");
    assert!(text.ends_with(&format!("/{key} was denied")), "{text}");
}

#[test]
fn events_lose_their_names_and_keep_the_kinds_of_steps() {
    let stand_ins = stand_ins();
    let mut event = json!({
        "event": "pair", "step": "iam:role-policy/OrderBackupRole",
        "prefix": "customer/orders/123456/", "tags": ["customer=OrderBackup"],
        "needs": ["s3:public-access-block/orders"], "key": "data/111122223333",
    });
    stand_ins.event(&mut event);
    let text = event.to_string();
    for name in ["Order", "orders", "customer", "123456"] {
        assert!(!text.contains(name), "{text}");
    }
    assert_eq!(event["key"], stand_ins.key("data/111122223333"));
    assert!(event["step"].as_str().unwrap().starts_with("iam:role-policy/"), "{text}");
    assert!(event["needs"][0].as_str().unwrap().starts_with("s3:public-access-block/"));
}

#[test]
fn values_of_conditions_are_replaced_unless_they_name_nobody() {
    let stand_ins = stand_ins();
    let policy = json!({"Statement": [{"Effect": "Allow", "Condition": {
        "StringEquals": {
            "aws:SourceAccount": 111_122_223_333_u64, "sts:ExternalId": "482913",
            "s3:x-amz-server-side-encryption": "aws:kms", "aws:RequestTag/OrderBackup": "orders",
        },
        "StringLike": {"s3:prefix": ["customer/orders/", "${aws:username}/orders"]},
        "Null": {"aws:RequestTag/crrctl:pair": "true"},
    }}]});
    let text = stand_ins.policy(&policy.to_string());
    for name in ["111122223333", "482913", "customer", "orders", "OrderBackup"] {
        assert!(!text.contains(name), "{text}");
    }
    let document: Value = serde_json::from_str(&text).unwrap();
    let condition = &document["Statement"][0]["Condition"];
    assert_eq!(condition["StringEquals"]["s3:x-amz-server-side-encryption"], "aws:kms");
    assert_eq!(condition["StringLike"]["s3:prefix"][0], stand_ins.key("customer/orders/"));
    assert_eq!(condition["Null"]["aws:RequestTag/crrctl:pair"], "true");
    let account = condition["StringEquals"]["aws:SourceAccount"].to_string();
    assert_eq!(account.trim_matches('"'), stand_ins.name("111122223333"));
    assert!(text.contains("${aws:username}/"), "{text}");
}

#[test]
fn policies_keep_their_grammar() {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AcmeOnly","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/path/acme"},"Action":["s3:GetObject*","kms:Decrypt"],"Resource":"arn:aws:s3:::acme-src/*","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com","aws:RequestTag/acme":"x1"},"Bool":{"aws:SecureTransport":"true"}}}]}"#;
    let replaced = stand_ins().policy(policy);
    let document: Value = serde_json::from_str(&replaced).unwrap();
    let statement = &document["Statement"][0];
    assert_eq!(document["Version"], "2012-10-17");
    assert_eq!(statement["Action"], json!(["s3:GetObject*", "kms:Decrypt"]));
    assert_eq!(
        statement["Condition"]["StringEquals"]["kms:ViaService"],
        "s3.us-east-1.amazonaws.com"
    );
    assert_eq!(statement["Condition"]["Bool"]["aws:SecureTransport"], "true");
    assert!(
        statement["Resource"].as_str().unwrap().ends_with("-src/*") || !replaced.contains("acme")
    );
    assert!(
        !replaced.to_lowercase().contains("acme") && replaced.len() == policy.len(),
        "{replaced}"
    );
}

#[test]
fn addresses_stay_addresses_and_filters_keep_their_form() {
    let stand_ins = stand_ins();
    for range in ["203.0.113.0/24", "10.1.2.3", "255.255.255.255", "2001:db8::1/64"] {
        let of = |text: &str| stand_ins.value_of("aws:SourceIp", text);
        let replaced = of(range);
        let address = replaced.split('/').next().unwrap();
        assert!(address.parse::<std::net::IpAddr>().is_ok(), "{range}: {replaced}");
        assert!(replaced != range && replaced.len() == range.len(), "{range}: {replaced}");
        assert_eq!(replaced, of(range));
    }
    let mut filter = json!({"FilterRule": [{"Name": "prefix", "Value": "acme/in"}]});
    stand_ins.members(Service::S3, filter.as_object_mut().unwrap());
    let rule = &filter["FilterRule"][0];
    assert_eq!(
        (&rule["Name"], &rule["Value"]),
        (&json!("prefix"), &stand_ins.key("acme/in").into())
    );
}

#[test]
fn a_policy_and_a_rule_agree_about_a_prefix() {
    let stand_ins = stand_ins();
    let policy = stand_ins.policy(r#"{"Resource":"arn:aws:s3:::b/in/${$}{acme}/*"}"#);
    let key = stand_ins.key("in/${acme}/").replace("${", "${$}{");
    assert!(policy.contains(&key) && !policy.contains("acme"), "{policy}, {key}");
}

#[test]
fn what_is_not_listed_is_replaced_and_credentials_are_left_out() {
    let mut members = json!({
        "Status": "Enabled", "Unheard": "Enabled", "Number": 123_456, "SecretAccessKey": "x",
        "SessionToken": "y", "Marked": {"Status": "marked", "deep": ["Enabled"]},
    });
    stand_ins().members(Service::S3, members.as_object_mut().unwrap());
    assert_eq!(members["Status"], "Enabled");
    assert!(members.get("SecretAccessKey").is_none() && members.get("SessionToken").is_none());
    assert!(!members.to_string().to_lowercase().contains("marked"), "{members}");
    assert_ne!(members["Unheard"], "Enabled");
    assert_ne!(members["Number"], 123_456);
}

#[test]
fn names_are_kept_where_they_may_be_and_no_more() {
    let stand_ins = StandIns::new(Names::Kept);
    let mut members = json!({"Bucket": "acme-src", "Unheard": "marked", "Status": "marked"});
    stand_ins.members(Service::S3, members.as_object_mut().unwrap());
    assert_eq!(members["Bucket"], "acme-src");
    assert!(!members.to_string().contains("marked"), "{members}");
    let told = stand_ins.text("acme-src in arn:aws:iam::111122223333:role/x by marked");
    assert!(told.starts_with("acme-src in arn:aws:iam::111122223333:role/x by "), "{told}");
    assert!(!told.contains("marked"));
}
