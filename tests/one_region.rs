//! Two destination buckets in one Region: each keeps its own rule, documents and checks, and what they
//! share stays as long as one of them needs it.
//! Not for: its whole life, which is one of `shapes`.

use crate::common::{Stand, s3_of};
use crrctl_sandbox::DEFAULT_ACCOUNT as HOME;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SOURCE: &str = "twins-111122223333-us-east-1";
const FIRST: &str = "{region: us-west-2, bucket: twins-first}";
const SECOND: &str = "{region: us-west-2, bucket: twins.2}";
const FIRST_RULE: &str = "crrctl.twins.us-west-2";
const SECOND_RULE: &str = "crrctl.twins.twins.2_us-west-2";

fn manifest(destinations: &[&str]) -> String {
    let destinations = destinations.join(", ");
    format!("name: twins\nsource: {{region: us-east-1}}\ndestinations: [{destinations}]\n")
}

/// Returns the live rules: id and destination bucket.
fn rules(stand: &Stand) -> BTreeSet<(String, String)> {
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let rules = live.replication_configuration.unwrap().rules;
        let to = |rule: &aws_sdk_s3::types::ReplicationRule| {
            rule.destination().unwrap().bucket().rsplit(':').next().unwrap().to_owned()
        };
        rules.iter().map(|rule| (rule.id().unwrap().to_owned(), to(rule))).collect()
    })
}

fn both() -> BTreeSet<(String, String)> {
    [(FIRST_RULE, "twins-first"), (SECOND_RULE, "twins.2")]
        .map(|(id, to)| (id.to_owned(), to.to_owned()))
        .into()
}

/// Returns the steps of `action`.
fn of_action(list: &Value, action: &str) -> Vec<String> {
    let list = list.as_array().unwrap().iter().filter(|it| it["action"] == action);
    list.map(|it| it["step"].as_str().unwrap().to_owned()).collect()
}

/// The step of the role's policy, whose statements are numbered in the manifest's order.
const ROLE: &str = "iam:role-policy/crrctl-twins-us-east-1";

#[test]
fn no_order_and_no_dropped_one_gives_a_rule_another_bucket() {
    let stand = Stand::new();
    let (two, turned) = (manifest(&[FIRST, SECOND]), manifest(&[SECOND, FIRST]));
    let applied = stand.in_process_with(&["apply", "--yes", "-o", "json"], &two).exits(0).json();
    assert_eq!(rules(&stand), both());
    let probed = applied["probes"].as_array().unwrap().iter();
    let probed: BTreeSet<_> = probed
        .map(|it| (it["rule"].as_str().unwrap(), it["destination"]["bucket"].as_str().unwrap()))
        .collect();
    assert_eq!(probed, BTreeSet::from([(FIRST_RULE, "twins-first"), (SECOND_RULE, "twins.2")]));
    let plan = stand.in_process_with(&["plan", "-o", "json"], &turned).exits(0).json();
    assert_eq!(of_action(&plan["changes"], "update"), [ROLE], "{plan}");
    let _ = stand.in_process_with(&["check"], &turned).exits(0);
    let _ = stand.in_process_with(&["status"], &turned).exits(0);
    for (kept, dropped, rule) in
        [(SECOND, "twins-first", FIRST_RULE), (FIRST, "twins.2", SECOND_RULE)]
    {
        let one = manifest(&[kept]);
        let plan = stand.in_process_with(&["plan", "-o", "json"], &one).exits(0).json();
        let orphans = [format!("s3:replication/{rule}"), format!("s3:bucket/{dropped}")];
        assert_eq!(of_action(&plan["changes"], "orphan"), orphans, "{plan}");
        let updated = of_action(&plan["changes"], "update");
        assert!(updated.is_empty() || updated == [ROLE], "{plan}");
        let _ = stand.in_process_with(&["apply", "--yes"], &one).exits(0);
        assert_eq!(rules(&stand), both());
        let _ = stand.in_process_with(&["check"], &one).exits(0);
    }
}

#[test]
fn one_of_two_is_pruned_and_what_both_share_stays() {
    let stand = Stand::new();
    let _ = stand
        .in_process_with(&["apply", "--yes", "--no-probe"], &manifest(&[FIRST, SECOND]))
        .exits(0);
    let one = manifest(&[SECOND]);
    let prune = ["apply", "--yes", "--prune", "-o", "json"];
    let pruned = stand.in_process_with(&prune, &one).exits(0).json();
    let gone = [format!("s3:replication/{FIRST_RULE}"), "s3:bucket/twins-first".to_owned()];
    assert_eq!(of_action(&pruned["resources"], "delete"), gone);
    let left = BTreeSet::from([(SECOND_RULE.to_owned(), "twins.2".to_owned())]);
    assert_eq!(rules(&stand), left);
    assert_eq!(pruned["summary"]["failed"], 0);
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], &one).exits(0);
    // The one that comes back is the further one now.
    let two = manifest(&[FIRST, SECOND]);
    let _ = stand.in_process_with(&["apply", "--yes"], &two).exits(0);
    assert!(rules(&stand).contains(&(SECOND_RULE.to_owned(), "twins.2".to_owned())));
    let _ = stand.in_process_with(&["destroy", "--yes"], &one).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn a_second_bucket_joins_and_changes_nothing_of_the_first() {
    let stand = Stand::new();
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &manifest(&[FIRST])).exits(0);
    let two = manifest(&[SECOND, FIRST]);
    let plan = stand.in_process_with(&["plan", "-o", "json"], &two).exits(0).json();
    let updated = of_action(&plan["changes"], "update");
    let shared = ["iam:role-policy/", "kms:replica-key/", "s3:replication/"];
    let is_shared = |step: &String| shared.iter().any(|it| step.starts_with(it));
    assert!(updated.iter().all(is_shared), "{updated:?}");
    let _ = stand.in_process_with(&["apply", "--yes"], &two).exits(0);
    assert_eq!(rules(&stand), both());
}

/// The policies of both have names of their own, and `check` says which bucket is meant.
#[test]
fn what_is_wrong_with_one_is_said_of_that_one() {
    let stand = Stand::new();
    let two = manifest(&[FIRST, SECOND]);
    let rendered = stand.manifest(
        &[
            "policy",
            "render",
            "-o",
            "json",
            "--account",
            HOME,
            "--key-id",
            "mrk-0123456789abcdef0123456789abcdef",
        ],
        &two,
    );
    let rendered = rendered.exits(0).json();
    let documents = rendered["documents"].as_object().unwrap();
    for name in ["destination-bucket.us-west-2.twins-first", "destination-bucket.us-west-2.twins.2"]
    {
        let bucket = name.strip_prefix("destination-bucket.us-west-2.").unwrap();
        let text = documents[name].to_string();
        assert!(text.contains(&format!("arn:aws:s3:::{bucket}/*")), "{name}: {text}");
    }
    let _ = stand.manifest(&["policy", "prove"], &two).exits(0);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &two).exits(0);
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Theirs", "Effect": "Deny", "Principal": "*",
        "Action": "s3:ReplicateObject", "Resource": "arn:aws:s3:::twins.2/*"}]});
    stand.s3("us-west-2", async |s3| {
        let put = s3.put_bucket_policy().bucket("twins.2").policy(deny.to_string());
        put.send().await.unwrap();
    });
    let check = stand.in_process_with(&["check", "-o", "json"], &two).exits(2).json();
    let failed: Vec<&Value> =
        check["checks"].as_array().unwrap().iter().filter(|it| it["result"] == "fail").collect();
    assert_eq!(failed.len(), 1, "{check}");
    assert_eq!(failed[0]["name"], "bucket.policy");
    let said = failed[0]["detail"].as_str().unwrap();
    assert!(said.starts_with("`twins.2`: ") && said.contains("Theirs"), "{said}");
    let probe = stand.in_process_with(&["probe", "-o", "json", "--patience", "1s"], &two);
    let probe = probe.exits(6).json();
    let all = probe["probes"].as_array().unwrap().iter();
    let of = |bucket: &str| all.clone().find(|it| it["destination"]["bucket"] == bucket).unwrap();
    assert_eq!(
        (&of("twins.2")["replica_status"], &of("twins-first")["replica_status"]),
        (&Value::Null, &json!("REPLICA"))
    );
}

#[test]
fn other_tools_and_an_import_get_both() {
    let stand = Stand::new();
    let two = manifest(&[FIRST, SECOND]);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &two).exits(0);
    let files = |tool: &str| {
        stand.manifest(&["export", tool, "-o", "json"], &two).exits(0).json()["files"].take()
    };
    let terraform = files("terraform")["twins.tf"].as_str().unwrap().to_owned();
    let resources: Vec<&str> = terraform.lines().filter(|it| it.starts_with("resource ")).collect();
    let distinct: BTreeSet<&&str> = resources.iter().collect();
    assert_eq!(distinct.len(), resources.len(), "{resources:?}");
    let buckets = resources.iter().filter(|it| it.contains("\"aws_s3_bucket\"")).count();
    assert_eq!(
        (buckets, resources.iter().filter(|it| it.contains("aws_kms_replica_key\"")).count()),
        (3, 1)
    );
    let stacks = files("cloudformation");
    let there: Value =
        serde_json::from_str(stacks["twins-us-west-2.template.json"].as_str().unwrap()).unwrap();
    let of_type = |kind: &str| {
        let all = there["Resources"].as_object().unwrap().values();
        all.filter(|it| it["Type"] == kind).count()
    };
    assert_eq!((of_type("AWS::S3::Bucket"), of_type("AWS::KMS::ReplicaKey")), (2, 1));
    let listed = stand.run(&["list", "-o", "json"]).exits(0).json();
    let text = listed["pairs"][0].to_string();
    assert!(text.contains("twins-first") && text.contains("twins.2"), "{text}");
    // By name alone, by the bucket alone, and by a manifest that an import wrote.
    let _ = stand.run(&["check", "--name", "twins"]).exits(0);
    let imported = stand.run(&["import", SOURCE, "-o", "json"]).exits(0).json();
    let text = imported["manifest"].as_str().unwrap();
    assert!(!text.contains("rule_id"), "the ids are crrctl's own: {text}");
    let _ = stand.in_process_with(&["plan", "--detailed-exitcode"], text).exits(0);
    let _ = stand.in_process_with(&["destroy", "--yes"], text).exits(0);
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// What FAILED at one of the two is replicated by a batch job to that one.
#[test]
fn a_batch_job_repairs_one_of_two() {
    let stand = Stand::new();
    let two = manifest(&[FIRST, SECOND]);
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &two).exits(0);
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",
        "Action": "s3:ReplicateObject", "Resource": "arn:aws:s3:::twins.2/*"}]});
    stand.s3("us-west-2", async |s3| {
        let put = s3.put_bucket_policy().bucket("twins.2").policy(deny.to_string());
        put.send().await.unwrap();
    });
    stand.s3("us-east-1", async |s3| {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
        s3.put_object().bucket(SOURCE).key("theirs").body(body).send().await.unwrap();
    });
    stand.settled(2);
    let west = s3_of(HOME, stand.endpoint(), "us-west-2");
    stand.wait(async { drop(west.delete_bucket_policy().bucket("twins.2").send().await) });
    let _ = stand.in_process_with(&["apply", "--yes", "--no-probe"], &two).exits(0);
    let job = ["backfill", "--yes", "--watch", "--status", "failed"];
    let _ = stand.in_process_with(&job, &two).exits(0);
    stand.wait(async {
        let head = west.head_object().bucket("twins.2").key("theirs");
        head.send().await.unwrap();
    });
    let _ = stand.in_process_with(&["destroy", "--yes", "--purge-data"], &two).exits(0);
}

/// A pair under names of its own has as many buckets as the manifest.
#[test]
fn a_smoke_test_keeps_them_apart() {
    let stand = Stand::new();
    let near = "{region: us-east-1, bucket: twins-near}";
    let two = manifest(&[FIRST, SECOND, near, "{region: us-east-1, bucket: twins-nearer}"]);
    let smoked = stand.in_process_with(&["smoke", "-o", "json"], &two).exits(0).json();
    let buckets = smoked["removed"].as_array().unwrap().iter();
    let buckets = buckets.filter(|it| it["kind"] == "s3:bucket").count();
    assert_eq!((buckets, &smoked["left"]), (5, &json!([])), "{smoked}");
    assert_eq!(stand.leftovers(), [""; 0]);
}

/// An account for which there are no credentials may have both.
#[test]
fn both_may_be_handed_over() {
    let stand = Stand::new();
    let over = |bucket: &str| {
        format!("{{region: us-west-2, bucket: {bucket}, account: \"444455556666\"}}")
    };
    let text = |second: &str| {
        format!("{}key: {{kind: none}}\n", manifest(&[&over("twins-first"), second]))
    };
    let plan = stand.manifest(&["plan", "-o", "json"], &text(&over("twins.2"))).exits(0).json();
    let said = plan.to_string();
    assert!(said.contains("twins-first") && said.contains("twins.2"), "{said}");
    let mixed = text("{region: us-west-2, bucket: twins.2}");
    let refused = stand.manifest(&["plan"], &mixed).exits(3).stderr;
    assert!(
        refused.contains("`destinations[0]` is in us-west-2 too, with other credentials"),
        "{refused}"
    );
}
