//! How a rule goes live where others write: proven first on probes alone, never narrowed once it is live, and finished by the next
//! run where one was cut off.

use crate::common::{DESTINATION, SOURCE, Stand};
use aws_sdk_s3::types::{ReplicationConfiguration, ReplicationRule};
use crrctl_sandbox::{Lag, Options};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

const MANIFEST: &str =
    "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";
/// Where the probes of the usual pair lie.
const NARROW: &str = "_crrctl/demo/";

/// Returns the ids and prefixes of the live rules.
fn rules(stand: &Stand) -> Vec<(String, String)> {
    let rule = |rule: &ReplicationRule| {
        let prefix = rule.filter().and_then(|filter| filter.prefix()).unwrap_or_default();
        (rule.id().unwrap().to_owned(), prefix.to_owned())
    };
    configuration(stand).rules().iter().map(rule).collect()
}

fn configuration(stand: &Stand) -> ReplicationConfiguration {
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        live.replication_configuration().unwrap().clone()
    })
}

fn put(stand: &Stand, configuration: ReplicationConfiguration) {
    stand.s3("us-east-1", async |s3| {
        let put = s3.put_bucket_replication().bucket(SOURCE);
        put.replication_configuration(configuration).send().await.unwrap();
    });
}

/// Returns the reason that the plan gives for what it does about the rules.
fn reason(plan: &Value) -> String {
    let changes = plan["changes"].as_array().unwrap();
    let found = changes.iter().find(|it| it["kind"] == "s3:replication").unwrap();
    format!("{} {}", found["action"].as_str().unwrap(), found["reason"].as_str().unwrap())
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(id, prefix)| ((*id).to_owned(), (*prefix).to_owned())).collect()
}

/// A pair that stands, and whose source others write to; the next upload of a probe is refused.
fn cut_off_at_the_proof(uploads: u32) -> Stand {
    let fault = format!("s3:PutObject:error=AccessDenied:after={uploads}:times=1");
    Stand::with(Options { faults: vec![fault.parse().unwrap()], ..Options::default() })
}

#[test]
fn where_others_write_three_probes_prove_a_rule_before_it_goes_live() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.unproven();
    let plan = stand.in_process(&["plan"]).exits(0).json();
    assert_eq!(reason(&plan), "create missing; proven on probes alone before it goes live");
    stand.calls();
    let applied = stand.in_process(&["apply", "--yes"]).exits(0).json();
    assert_eq!(stand.calls()["by_operation"]["s3:PutBucketReplication"], 2, "narrow, then wide");
    assert_eq!(applied["summary"]["completed"], 5, "three before and two after");
    assert!(applied["activated_at"].is_string());
    assert_eq!(rules(&stand), pairs(&[("crrctl.demo.us-west-2", "")]));
    assert_eq!(
        stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0).json()["changed"],
        false
    );
}

#[test]
fn proven_first_holds_for_a_fresh_bucket_too_where_the_manifest_says_so() {
    let stand = Stand::new();
    let manifest = format!("{MANIFEST}replication: {{activation: proven-first, prefix: data/}}\n");
    let applied =
        stand.in_process_with(&["apply", "--yes", "-o", "json"], &manifest).exits(0).json();
    assert_eq!(applied["summary"]["completed"], 5);
    assert_eq!(rules(&stand), pairs(&[("crrctl.demo.us-west-2", "data/")]));
    let _ = stand.in_process_with(&["destroy", "--yes"], &manifest).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn a_run_that_is_cut_off_before_the_rule_is_live_is_finished_by_the_next() {
    let stand = cut_off_at_the_proof(1);
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.unproven();
    let failed = stand.in_process(&["apply", "--yes"]).exits(5).json();
    assert!(failed["error"]["hints"].to_string().contains("cover probes alone"), "{failed}");
    assert_eq!(rules(&stand), pairs(&[("crrctl.demo.us-west-2", NARROW)]));
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(10);
    let applied = stand.in_process(&["apply", "--yes"]).exits(0).json();
    assert_eq!(applied["summary"]["completed"], 5);
    assert_eq!(rules(&stand), pairs(&[("crrctl.demo.us-west-2", "")]));
}

#[test]
fn a_live_rule_is_never_narrowed_a_temporary_one_proves_its_change() {
    let stand = cut_off_at_the_proof(1);
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.put_theirs("theirs");
    let changed = format!("{MANIFEST}replication: {{delete_markers: true}}\n");
    let _ = stand.in_process_with(&["apply", "--yes"], &changed).exits(5);
    let both = pairs(&[("crrctl.demo.us-west-2", ""), ("crrctl.demo.us-west-2.proof", NARROW)]);
    assert_eq!(rules(&stand), both);
    let priorities: Vec<i32> =
        configuration(&stand).rules().iter().map(|rule| rule.priority().unwrap()).collect();
    assert_eq!(priorities, [1, 2]);
    // The manifest was changed back: the temporary rule is left over, and nothing is to be proven.
    let plan = stand.in_process(&["plan"]).exits(0).json();
    assert_eq!(reason(&plan), "update differs in rules");
    let applied =
        stand.in_process_with(&["apply", "--yes", "-o", "json"], &changed).exits(0).json();
    assert_eq!(applied["summary"]["completed"], 5);
    assert_eq!(rules(&stand), pairs(&[("crrctl.demo.us-west-2", "")]));
    let markers = configuration(&stand).rules()[0].delete_marker_replication().cloned();
    assert_eq!(markers.unwrap().status().unwrap().as_str(), "Enabled");
}

#[test]
fn a_temporary_rule_that_is_left_over_goes() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.put_theirs("theirs");
    let live = configuration(&stand);
    let mut left = live.rules()[0].clone();
    left.id = Some("crrctl.demo.us-west-2.proof".to_owned());
    left.priority = Some(9);
    let mut rules_now = live.rules().to_vec();
    rules_now.push(left);
    put(
        &stand,
        ReplicationConfiguration::builder()
            .role(live.role())
            .set_rules(Some(rules_now))
            .build()
            .unwrap(),
    );
    let applied = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0).json();
    assert_eq!(applied["changed"], true, "nothing is new, so nothing is to be proven");
    assert_eq!(rules(&stand), pairs(&[("crrctl.demo.us-west-2", "")]));
}

#[test]
fn the_role_of_a_live_rule_is_not_changed_unproven() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.put_theirs("theirs");
    let renamed = format!("{MANIFEST}role: {{name: other}}\n");
    let refused =
        stand.in_process_with(&["apply", "--yes", "-o", "json"], &renamed).exits(10).json();
    assert_eq!(refused["error"]["code"], "activation-unproven");
    let direct = format!("{renamed}replication: {{activation: direct}}\n");
    let _ = stand.in_process_with(&["apply", "--yes"], &direct).exits(0);
    assert!(configuration(&stand).role().ends_with("/crrctl/other"));
}

/// Builds the pair on a source that somebody writes to all the while, with AWS's own delays, and returns how many of the
/// writer's objects there are and how many of them ended FAILED. The sandbox's clock goes two seconds ahead every time.
fn with_a_writer() -> (usize, usize) {
    let stand = Stand::with(Options { lag: Lag::Aws, seed: Some(1), ..Options::default() });
    // The bucket is the pair's own, made by a run that was cut off right after, and in use since.
    stand.s3("us-east-1", async |s3| {
        use aws_sdk_s3::types::{CreateBucketConfiguration, Tag};
        let tag = |key, value: &str| Tag::builder().key(key).value(value).build().unwrap();
        let id = format!("111122223333/us-east-1/{SOURCE}");
        let tags = [tag("crrctl:pair", "demo"), tag("crrctl:id", &id)];
        let made = CreateBucketConfiguration::builder().set_tags(Some(tags.into())).build();
        let create = s3.create_bucket().bucket(SOURCE).create_bucket_configuration(made);
        create.send().await.unwrap();
    });
    stand.put_theirs("theirs/first");
    let manifest = "name: demo\nsource: {region: us-east-1}\n\
         destinations: [{region: us-west-2}, {region: eu-west-1}, {region: eu-west-2}]\n";
    let (over, written) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                stand.control("POST", "clock", r#"{"advance": "2s"}"#);
                stand.put_theirs(&format!("theirs/{}", written.fetch_add(1, Ordering::Relaxed)));
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let applied = stand.manifest(&["apply", "--yes"], manifest);
        over.store(true, Ordering::Relaxed);
        let _ = applied.exits(0);
    });
    stand.control("POST", "clock", r#"{"advance": "5m"}"#);
    let started = std::time::Instant::now();
    let theirs: Vec<Value> = loop {
        let records = stand.control("GET", "replication", "");
        let theirs = |it: &&Value| it["key"].as_str().unwrap().starts_with("theirs/");
        let theirs: Vec<Value> =
            records.as_array().unwrap().iter().filter(theirs).cloned().collect();
        if theirs.iter().all(|it| it["status"] != "PENDING") {
            break theirs;
        }
        assert!(started.elapsed().as_secs() < 60, "replication does not come to an end");
    };
    let failed = theirs.iter().filter(|it| it["status"] == "FAILED").count();
    (theirs.len(), failed)
}

/// Returns how many objects end FAILED that are written while a new role and a new rule that goes by it spread.
fn failed_under_a_new_rule(seed: u64) -> usize {
    use aws_sdk_s3::types as t;
    let options =
        Options { lag: Lag::Aws, seed: Some(seed), clock_stands: true, ..Options::default() };
    let stand = Stand::with(options);
    let advance = |by: &str| stand.control("POST", "clock", &format!(r#"{{"advance": "{by}"}}"#));
    for (region, bucket) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
        stand.s3(region, async |s3| {
            let place = t::BucketLocationConstraint::from(region);
            let place = t::CreateBucketConfiguration::builder()
                .set_location_constraint((region != "us-east-1").then_some(place))
                .build();
            let create = s3.create_bucket().bucket(bucket).create_bucket_configuration(place);
            create.send().await.unwrap();
            let on = t::VersioningConfiguration::builder();
            let on = on.status(t::BucketVersioningStatus::Enabled).build();
            let put = s3.put_bucket_versioning().bucket(bucket).versioning_configuration(on);
            put.send().await.unwrap();
        });
    }
    advance("1m");
    let allow = |element: &str| {
        format!(r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", {element}}}]}}"#)
    };
    stand.iam(async |iam| {
        let trust = r#""Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole""#;
        let create = iam.create_role().role_name("new").assume_role_policy_document(allow(trust));
        create.send().await.unwrap();
        let put = iam.put_role_policy().role_name("new").policy_name("all");
        put.policy_document(allow(r#""Action": "s3:*", "Resource": "*""#)).send().await.unwrap();
    });
    stand.s3("us-east-1", async |s3| {
        let to = t::Destination::builder().bucket(format!("arn:aws:s3:::{DESTINATION}"));
        let rule = t::ReplicationRule::builder()
            .id("new")
            .priority(1)
            .status(t::ReplicationRuleStatus::Enabled)
            .filter(t::ReplicationRuleFilter::builder().prefix("").build())
            .delete_marker_replication(
                t::DeleteMarkerReplication::builder()
                    .status(t::DeleteMarkerReplicationStatus::Disabled)
                    .build(),
            )
            .destination(to.build().unwrap());
        let rules = t::ReplicationConfiguration::builder()
            .role("arn:aws:iam::111122223333:role/new")
            .rules(rule.build().unwrap());
        let put = s3.put_bucket_replication().bucket(SOURCE);
        put.replication_configuration(rules.build().unwrap()).send().await.unwrap();
    });
    for n in 0..20 {
        advance("1s");
        stand.put_theirs(&format!("late/{n}"));
    }
    advance("5m");
    let statuses = || {
        let records = stand.control("GET", "replication", "");
        let status = |it: &Value| it["status"].as_str().unwrap().to_owned();
        records.as_array().unwrap().iter().map(status).collect::<Vec<_>>()
    };
    Stand::wait_until("all is replicated", || statuses().iter().all(|it| it != "PENDING"));
    statuses().iter().filter(|it| *it == "FAILED").count()
}

#[test]
fn no_object_of_a_writer_ends_failed_where_the_rule_is_proven_first() {
    let (theirs, failed) = with_a_writer();
    assert!(theirs > 0, "the writer met the rule");
    assert_eq!(failed, 0);
    // Such a world is one in which an unproven rule costs objects.
    assert!((1..=60).any(|seed| failed_under_a_new_rule(seed) > 0));
}
