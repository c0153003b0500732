//! `crrctl export`: what is handed over, and what is not. That the other tools take it is for `tests/peers/`.

use crate::common::{PAIR, SOURCE, Stand};
use insta::{Settings, assert_snapshot};
use serde_json::{Value, json};

/// Blots out what AWS makes up.
fn blotted(test: impl FnOnce()) {
    let mut settings = Settings::clone_current();
    settings.add_filter(r"mrk-[0-9a-f]{32}", "mrk-…");
    settings.add_filter(r#""crrctl:attempt"( +)= "[0-9a-f]+""#, r#""crrctl:attempt"$1= "…""#);
    settings.add_filter(r#"("Key": "crrctl:attempt",\s+"Value": )"[0-9a-f]+""#, r#"$1"…""#);
    settings.bind(test);
}

fn files(stand: &Stand, tool: &str) -> Value {
    stand.pair(&["export", tool]).exits(0).json()["files"].take()
}

#[test]
fn terraform_gets_every_resource_with_its_import() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.calls();
    let text = stand.run(&[&["export", "terraform"], &PAIR[..]].concat()).exits(0).stdout;
    assert_eq!(stand.calls()["writes"], json!(0));
    assert_eq!(files(&stand, "terraform")["demo.tf"], json!(text));
    blotted(|| assert_snapshot!(text));
}

#[test]
fn cloudformation_gets_a_template_and_an_import_a_region() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let files = files(&stand, "cloudformation");
    let names: Vec<&String> = files.as_object().unwrap().keys().collect();
    let stems = ["demo-us-east-1", "demo-us-west-2"];
    let wanted: Vec<String> = stems
        .iter()
        .flat_map(|stem| [format!("{stem}.template.json"), format!("{stem}.import.json")])
        .collect();
    assert_eq!(names, wanted.iter().collect::<Vec<_>>());
    blotted(|| {
        assert_snapshot!(files["demo-us-east-1.template.json"].as_str().unwrap());
        assert_snapshot!(files["demo-us-west-2.import.json"].as_str().unwrap());
    });
}

/// What batch jobs go by is handed over once there was one, without the tag that each job writes anew.
#[test]
fn what_a_backfill_made_is_handed_over() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    assert!(!files(&stand, "terraform")["demo.tf"].as_str().unwrap().contains("\"reports\""));
    // A job is made only where there is something to do.
    stand.put_theirs("theirs");
    stand.settled(1);
    let again = ["backfill", "--yes", "--watch", "--status", "completed"];
    let _ = stand.in_process(&again).exits(0);
    stand.calls();
    let files = (files(&stand, "terraform"), files(&stand, "cloudformation"));
    assert_eq!(stand.calls()["writes"], json!(0));
    let text = files.0["demo.tf"].as_str().unwrap();
    for said in [
        "resource \"aws_s3_bucket\" \"reports\"",
        "resource \"aws_iam_role\" \"batch\"",
        "id = \"crrctl-demo-us-east-1-batch:replication\"",
        "\"${aws_s3_bucket.reports.arn}/_crrctl-batch/demo/*\"",
        "tags[\"crrctl:job\"],",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("\"crrctl:job\" ="), "{text}");
    let template = files.1["demo-us-east-1.template.json"].as_str().unwrap();
    let template: Value = serde_json::from_str(template).unwrap();
    assert_eq!(template["Resources"]["ReportBucket"]["Type"], "AWS::S3::Bucket");
    let role = template["Resources"]["BatchRole"]["Properties"].to_string();
    assert!(role.contains(r#"{"Fn::GetAtt":["SourceBucket","Arn"]}"#), "{role}");
    assert!(role.contains(r#"{"Fn::Sub":"${ReportBucket.Arn}/_crrctl-batch/demo/*"}"#), "{role}");
    assert!(!role.contains("crrctl:job"), "{role}");
}

/// No key's id stands in a policy: it is named by reference, of the other Region too.
#[test]
fn keys_are_named_by_reference() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let text = files(&stand, "terraform")["demo.tf"].as_str().unwrap().to_owned();
    let literal = |line: &&str| line.contains("mrk-") && !line.trim_start().starts_with("id = ");
    assert_eq!(text.lines().filter(literal).collect::<Vec<_>>(), Vec::<&str>::new());
    let files = files(&stand, "cloudformation");
    let source = files["demo-us-east-1.template.json"].as_str().unwrap();
    assert!(!source.contains("mrk-"), "{source}");
    let there = r#""Fn::Sub": "arn:${AWS::Partition}:kms:us-west-2:${AWS::AccountId}:key/${Key}""#;
    assert_eq!(source.matches(there).count(), 2, "{source}");
}

#[test]
fn only_what_stands_is_exported() {
    let stand = Stand::new();
    let nothing = stand.pair(&["export", "terraform"]).exits(10).told("not-applied").json();
    assert_eq!(nothing["error"]["code"], "not-applied");
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.s3("us-east-1", async |s3| {
        s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap();
    });
    let missing = stand.in_process(&["export", "terraform"]).exits(10).json();
    assert_eq!(missing["error"]["code"], "not-applied");
}

#[test]
fn no_file_is_written_over() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let folder = stand.path("out");
    let args = [&["export", "terraform", "--out", folder.to_str().unwrap()], &PAIR[..]].concat();
    let _ = stand.run(&args).exits(0);
    let told = stand.run(&args).exits(3).stderr;
    assert!(told.contains("demo.tf") && told.contains("another folder with `--out`"), "{told}");
}

#[test]
fn what_differs_is_exported_as_it_stands() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.s3("us-east-1", async |s3| {
        use aws_sdk_s3::types::{ObjectOwnership, OwnershipControls, OwnershipControlsRule};
        let rule = OwnershipControlsRule::builder();
        let rule = rule.object_ownership(ObjectOwnership::BucketOwnerPreferred).build().unwrap();
        let controls = OwnershipControls::builder().rules(rule).build().unwrap();
        let put = s3.put_bucket_ownership_controls().bucket(SOURCE);
        put.ownership_controls(controls).send().await.unwrap();
    });
    let answer = stand.pair(&["export", "terraform"]).exits(0);
    assert!(answer.stderr.contains("differs from its manifest"), "{answer}");
    let text = answer.json()["files"]["demo.tf"].as_str().unwrap().to_owned();
    assert_eq!(text.matches("BucketOwnerPreferred").count(), 1);
}

#[test]
fn a_rule_that_says_more_than_is_known_is_refused() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.s3("us-east-1", async |s3| {
        use aws_sdk_s3::types::{ReplicationRule, ReplicationRuleFilter};
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let mut live = live.replication_configuration.unwrap();
        let ours: &ReplicationRule = &live.rules[0];
        let mut theirs = ours.clone();
        theirs.id = Some("theirs".to_owned());
        theirs.priority = Some(99);
        theirs.filter = Some(ReplicationRuleFilter::builder().prefix("theirs/").build());
        theirs.destination.as_mut().unwrap().account = Some("111122223333".to_owned());
        live.rules.push(theirs);
        let put = s3.put_bucket_replication().bucket(SOURCE);
        put.replication_configuration(live).send().await.unwrap();
    });
    for tool in ["terraform", "cloudformation"] {
        let refused = stand.pair(&["export", tool]).exits(10).told("rule-not-exportable").json();
        assert_eq!(refused["error"]["code"], "rule-not-exportable");
        assert!(refused["error"]["message"].as_str().unwrap().contains("`theirs`"));
    }
}

#[test]
fn files_that_are_there_are_never_written_over() {
    let stand = Stand::new();
    let _ = stand.pair(&["apply", "--yes", "--no-probe"]).exits(0);
    let into = ["export", "cloudformation", "--out", "deep/folder"];
    let _ = stand.pair(&into).exits(0);
    let written = stand.path("deep/folder/demo-us-east-1.template.json");
    let before = std::fs::read_to_string(&written).unwrap();
    assert!(before.contains("\"SourceBucket\""));
    std::fs::write(&written, "mine").unwrap();
    let refused = stand.pair(&into).exits(3).told("not-written").json();
    assert_eq!(refused["error"]["code"], "not-written");
    assert_eq!(std::fs::read_to_string(&written).unwrap(), "mine");
}
