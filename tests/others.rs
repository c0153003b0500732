//! Rules of others beside the pair's: one role serves them all, and theirs is neither changed nor left with one that can't.

use crate::common::{DESTINATION, SOURCE, Stand};
use aws_sdk_s3::types as t;
use serde_json::{Value, json};

const ADOPTED: &str = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
    destinations: [{region: us-west-2}]\n";
const ROLE: &str = "arn:aws:iam::111122223333:role/theirs";
const OWN: &str = "arn:aws:iam::111122223333:role/crrctl/crrctl-demo-us-east-1";
/// Where their rule leads.
const ARCHIVE: &str = "their-archive";

fn taking_over() -> String {
    format!("{ADOPTED}role: {{take_over: true}}\n")
}

/// What their role needs for their own rule.
fn their_policy() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"], "Resource": format!("arn:aws:s3:::{SOURCE}")},
        {"Effect": "Allow", "Action": ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
         "Resource": format!("arn:aws:s3:::{SOURCE}/logs/*")},
        {"Effect": "Allow", "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], "Resource": format!("arn:aws:s3:::{ARCHIVE}/*")},
    ]})
}

fn put_policy(stand: &Stand, document: &Value) {
    stand.iam(async |iam| {
        let put = iam.put_role_policy().role_name("theirs").policy_name("inline");
        put.policy_document(document.to_string()).send().await.unwrap();
    });
}

fn their_rule() -> t::ReplicationRule {
    let markers = t::DeleteMarkerReplicationStatus::Disabled;
    t::ReplicationRule::builder()
        .id("theirs")
        .priority(7)
        .status(t::ReplicationRuleStatus::Enabled)
        .filter(t::ReplicationRuleFilter::builder().prefix("logs/").build())
        .delete_marker_replication(t::DeleteMarkerReplication::builder().status(markers).build())
        .destination(
            t::Destination::builder().bucket(format!("arn:aws:s3:::{ARCHIVE}")).build().unwrap(),
        )
        .build()
        .unwrap()
}

fn put_rules(stand: &Stand, role: &str, rules: Vec<t::ReplicationRule>) {
    stand.s3("us-east-1", async |s3| {
        let all = t::ReplicationConfiguration::builder().role(role).set_rules(Some(rules)).build();
        let put = s3.put_bucket_replication().bucket(SOURCE);
        put.replication_configuration(all.unwrap()).send().await.unwrap();
    });
}

fn rules(stand: &Stand) -> (String, Vec<t::ReplicationRule>) {
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let live = live.replication_configuration.unwrap();
        (live.role, live.rules)
    })
}

fn ids(rules: &[t::ReplicationRule]) -> Vec<&str> {
    rules.iter().map(|rule| rule.id().unwrap()).collect()
}

/// A source bucket with their rule, their role, and the bucket that it leads to.
fn shared() -> Stand {
    let stand = Stand::new();
    stand.bucket_of_somebody_else();
    stand.s3("us-west-2", async |s3| {
        let place = t::BucketLocationConstraint::from("us-west-2");
        let made = t::CreateBucketConfiguration::builder().location_constraint(place).build();
        s3.create_bucket().bucket(ARCHIVE).create_bucket_configuration(made).send().await.unwrap();
        enable(&s3, ARCHIVE).await;
    });
    stand.s3("us-east-1", async |s3| enable(&s3, SOURCE).await);
    stand.iam(async |iam| {
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        let role = iam.create_role().role_name("theirs");
        role.assume_role_policy_document(trust.to_string()).send().await.unwrap();
    });
    put_policy(&stand, &their_policy());
    put_rules(&stand, ROLE, vec![their_rule()]);
    stand.calls();
    stand
}

async fn enable(s3: &aws_sdk_s3::Client, bucket: &str) {
    let on = t::VersioningConfiguration::builder().status(t::BucketVersioningStatus::Enabled);
    let put = s3.put_bucket_versioning().bucket(bucket).versioning_configuration(on.build());
    put.send().await.unwrap();
}

/// Returns the statements that a refusal says are missing.
fn missing(refused: &Value) -> Vec<Value> {
    let hints = refused["error"]["hints"].as_array().unwrap();
    let hints = hints.iter().map(|it| it.as_str().unwrap());
    let statements =
        hints.filter_map(|it| it.strip_prefix("add this statement to a policy of that role: "));
    statements.map(|it| serde_json::from_str(it).unwrap()).collect()
}

#[test]
fn words_about_a_role_that_serves_theirs_alone() {
    let stand = shared();
    let refused = stand.manifest(&["plan", "-o", "json"], ADOPTED).exits(10);
    let _ = refused.told("replication-not-ours");
}

fn refusal(stand: &Stand, args: &[&str], text: &str) -> Value {
    let refused = stand.in_process_with(&[args, &["-o", "json"]].concat(), text).exits(10).json();
    assert_eq!(refused["error"]["code"], "replication-not-ours", "{refused:#}");
    refused
}

/// Gives their role, apply by apply, what it is told to lack; returns the policy that serves both.
fn made_to_serve(stand: &Stand) -> Value {
    let mut policy = their_policy();
    let refused = refusal(stand, &["apply", "--yes"], ADOPTED);
    assert_eq!(stand.calls()["writes"], 0, "what can't be served is known before anything is made");
    policy["Statement"].as_array_mut().unwrap().extend(missing(&refused));
    put_policy(stand, &policy);
    // The key's ARN is known once it is made: then nothing but the rule is missing.
    let refused = refusal(stand, &["apply", "--yes"], ADOPTED);
    assert!(refused["error"]["message"].as_str().unwrap().contains("kms:"), "{refused:#}");
    assert_eq!(ids(&rules(stand).1), ["theirs"]);
    policy["Statement"].as_array_mut().unwrap().extend(missing(&refused));
    put_policy(stand, &policy);
    policy
}

#[test]
fn our_rule_goes_by_their_role_once_that_is_proven() {
    let stand = shared();
    let before = rules(&stand).1;
    let _ = made_to_serve(&stand);
    let applied = stand.in_process_with(&["apply", "--yes", "-o", "json"], ADOPTED).exits(0).json();
    assert_eq!(applied["summary"]["completed"], 5, "{applied:#}");
    let (role, all) = rules(&stand);
    assert_eq!((role.as_str(), ids(&all)), (ROLE, vec!["theirs", "crrctl.demo.us-west-2"]));
    assert_eq!(all[0], before[0], "a rule of others is not changed");
    assert!(!stand.leftovers().iter().any(|it| it.contains("role/crrctl/")), "no role of ours");
    let again = stand.manifest(&["apply", "--yes", "--no-probe", "-o", "json"], ADOPTED);
    assert_eq!(again.exits(0).json()["changed"], false);
    let checked = stand.in_process_with(&["check", "-o", "json"], ADOPTED).exits(0).json();
    assert!(!checked["checks"].to_string().contains("\"fail\""), "{checked:#}");
}

/// Each permission of their role is taken away once.
#[test]
fn without_any_one_permission_of_their_role_it_is_refused_by_name() {
    let stand = shared();
    let policy = made_to_serve(&stand);
    let _ = stand.in_process_with(&["plan"], ADOPTED).exits(0);
    let mut tried = 0;
    // Theirs too, as far as our rule needs them; the places of the others are not its own.
    let statements = policy["Statement"].as_array().unwrap();
    for (index, statement) in
        statements.iter().enumerate().filter(|(index, _)| ![1, 2].contains(index))
    {
        let actions = match &statement["Action"] {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        for action in actions {
            let mut less = policy.clone();
            let kept = &mut less["Statement"][index]["Action"];
            let mut rest = kept.as_array().cloned().unwrap_or_default();
            rest.retain(|it| it != &action);
            *kept = if rest.is_empty() { json!("s3:ListAllMyBuckets") } else { json!(rest) };
            put_policy(&stand, &less);
            tried += 1;
            // Without these S3 replicates all the same what the rule selects: only a note.
            let good_to_have = ["s3:GetObjectVersionTagging", "s3:ListBucket", "s3:ReplicateTags"];
            if good_to_have.iter().any(|it| action == *it) {
                let planned = ["plan", "-o", "json"];
                let planned = stand.in_process_with(&planned, ADOPTED).exits(0).json();
                let noted = planned["warnings"].to_string();
                assert!(noted.contains(action.as_str().unwrap()), "{noted}");
                continue;
            }
            let refused = refusal(&stand, &["plan"], ADOPTED);
            let action = action.as_str().unwrap();
            let told = missing(&refused);
            assert!(refused["error"]["message"].as_str().unwrap().contains(action), "{refused:#}");
            assert!(index == 0 || told.contains(statement), "{action}: {told:#?}");
        }
    }
    println!("{tried} permissions, each taken away in turn");
    assert_eq!(tried, 11);
    put_policy(&stand, &policy);
    stand.iam(async |iam| {
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        let update = iam.update_assume_role_policy().role_name("theirs");
        update.policy_document(trust.to_string()).send().await.unwrap();
    });
    let refused = refusal(&stand, &["plan"], ADOPTED);
    assert!(refused["error"]["hints"][0].as_str().unwrap().contains("trust policy"), "{refused:#}");
    stand.iam(async |iam| {
        iam.delete_role_policy().role_name("theirs").policy_name("inline").send().await.unwrap();
        iam.delete_role().role_name("theirs").send().await.unwrap();
    });
    let refused = refusal(&stand, &["plan"], ADOPTED);
    assert!(refused["error"]["message"].as_str().unwrap().contains("does not exist"));
}

#[test]
fn our_role_takes_over_where_it_can_serve_their_rule_too() {
    let stand = shared();
    let before = rules(&stand).1;
    let applied = stand.manifest(&["apply", "--yes", "-o", "json"], &taking_over());
    let applied = applied.exits(0).json();
    assert_eq!(applied["summary"]["completed"], 5);
    let (role, all) = rules(&stand);
    assert_eq!((role.as_str(), ids(&all)), (OWN, vec!["theirs", "crrctl.demo.us-west-2"]));
    assert_eq!(all[0], before[0]);
    let written = stand.calls();
    assert!(written["writes"].as_u64().unwrap() > 0);
    // Their rule goes on working, and ours does beside it.
    // It does not select what is encrypted under a KMS key, which the default now is.
    stand.s3("us-east-1", async |s3| {
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
        let put = s3.put_object().bucket(SOURCE).key("logs/after").body(body);
        put.server_side_encryption(t::ServerSideEncryption::Aes256).send().await.unwrap();
    });
    Stand::wait_until("theirs replicates by our role", || {
        let all = stand.control("GET", "replication", "");
        all.as_array().unwrap().iter().any(|it| {
            it["key"] == "logs/after"
                && it["destination"].as_str().unwrap().contains(ARCHIVE)
                && it["status"] == "COMPLETED"
        })
    });
    let again = ["apply", "--yes", "--no-probe", "-o", "json"];
    assert_eq!(stand.in_process_with(&again, &taking_over()).exits(0).json()["changed"], false);
    // What it serves it goes on serving, whatever the manifest forgets.
    assert_eq!(stand.in_process_with(&again, ADOPTED).exits(0).json()["changed"], false);
}

#[test]
fn our_role_does_not_take_over_what_it_cannot_serve() {
    let stand = shared();
    let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:ReplicateObject",
        "Resource": format!("arn:aws:s3:::{ARCHIVE}/*"), "Condition": {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}}]});
    stand.s3("us-west-2", async |s3| {
        let put = s3.put_bucket_policy().bucket(ARCHIVE).policy(deny.to_string());
        put.send().await.unwrap();
    });
    stand.calls();
    let refused = stand.manifest(&["apply", "--yes", "-o", "json"], &taking_over());
    let refused = refused.exits(10).told("take-over-unproven").json();
    assert_eq!(refused["error"]["code"], "take-over-unproven", "{refused:#}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("s3:ReplicateObject"));
    let mut foreign = their_rule();
    foreign.destination = foreign.destination.map(|mut it| {
        it.account = Some("111122223333".to_owned());
        it
    });
    put_rules(&stand, ROLE, vec![foreign]);
    let refused = stand.manifest(&["apply", "--yes", "-o", "json"], &taking_over());
    assert!(refused.exits(10).json()["error"]["message"].as_str().unwrap().contains("account"));
    assert_eq!(stand.calls()["writes"], 1, "but for the one by hand");
}

#[test]
fn a_rule_of_the_old_schema_is_refused_and_not_rewritten() {
    for text in [ADOPTED.to_owned(), taking_over()] {
        let stand = shared();
        let mut old = their_rule();
        (old.filter, old.priority, old.delete_marker_replication) = (None, None, None);
        #[expect(deprecated, reason = "that is what the old schema has")]
        old.prefix.replace("logs/".to_owned());
        put_rules(&stand, ROLE, vec![old]);
        let before = rules(&stand);
        stand.calls();
        let refused = stand
            .manifest(&["apply", "--yes", "-o", "json"], &text)
            .exits(10)
            .told("rule-v1")
            .json();
        assert_eq!(refused["error"]["code"], "rule-v1", "{refused:#}");
        assert_eq!((stand.calls()["writes"].as_u64(), rules(&stand)), (Some(0), before));
    }
}

/// Ours go, by id; theirs stay as they were, with a role that can serve them.
#[test]
fn a_removal_takes_our_rules_alone_and_leaves_a_role_that_serves_theirs() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.s3("us-west-2", async |s3| {
        let place = t::BucketLocationConstraint::from("us-west-2");
        let made = t::CreateBucketConfiguration::builder().location_constraint(place).build();
        s3.create_bucket().bucket(ARCHIVE).create_bucket_configuration(made).send().await.unwrap();
        enable(&s3, ARCHIVE).await;
    });
    let (_, mut all) = rules(&stand);
    all.push(their_rule());
    put_rules(&stand, OWN, all);
    let destroyed = stand.in_process(&["destroy", "--yes"]).exits(9).json();
    let left = destroyed["left"].as_array().unwrap();
    let why = |kind: &str| {
        let found = left.iter().find(|it| it["kind"] == kind);
        found.unwrap_or_else(|| panic!("no {kind}: {destroyed:#}"))["why"].as_str().unwrap()
    };
    assert!(why("iam:role").contains("`theirs`"), "{destroyed:#}");
    assert!(why("s3:bucket").contains("`theirs`"));
    assert!(why("kms:key").contains(SOURCE));
    let (role, left) = rules(&stand);
    assert_eq!((role.as_str(), &left), (OWN, &vec![their_rule()]), "ours is gone, theirs stays");
    assert!(!stand.leftovers().iter().any(|it| it.contains(DESTINATION)), "nobody needs it");
    // Once theirs is gone, all of it goes.
    stand.s3("us-east-1", async |s3| {
        s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap()
    });
    let _ = stand.in_process(&["destroy", "--yes"]).exits(0);
    assert!(!stand.leftovers().iter().any(|it| it.contains("demo")), "{:?}", stand.leftovers());
}

#[test]
fn data_is_purged_with_the_rules_of_others_on_it() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    let (_, mut all) = rules(&stand);
    let mut theirs = their_rule();
    let ours = all[0].destination().unwrap().bucket().to_owned();
    theirs.destination = Some(t::Destination::builder().bucket(ours).build().unwrap());
    all.push(theirs);
    put_rules(&stand, OWN, all);
    let destroyed = stand.in_process(&["destroy", "--yes"]).exits(9).json();
    assert!(destroyed["left"].to_string().contains("leads to it"), "{destroyed:#}");
    let _ = stand.in_process(&["destroy", "--yes", "--purge-data"]).exits(0);
    assert_eq!(stand.leftovers().iter().filter(|it| !it.contains("PendingDeletion")).count(), 0);
}
