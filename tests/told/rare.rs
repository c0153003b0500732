//! Rare errors: keys and replicas of an unusual shape, unreadable responses, declined prompts,
//! addresses and files that can't be used, and each error code of AWS.
//! Not for: errors when another caller changes the pair (see `meanwhile`).

use super::between::{Piece, between, replace};
use super::{DEMO, JSON, built, manifest, told, told_in_text};
use crate::common::{DESTINATION, Output, PAIR, SOURCE, Stand, alone, bare, finished};
use aws_sdk_s3::types as t;
use crrctl::check::catalogue::{self, About};
use crrctl_sandbox::{Lag, Options};
use serde_json::json;
use std::fmt::Write as _;
use std::process::Stdio;

/// Runs the binary on the usual pair through `endpoint`.
fn by_way_of(stand: &Stand, endpoint: &str, args: &[&str]) -> Output {
    let mut command = stand.command(&[args, &PAIR, &JSON].concat());
    finished(command.env("AWS_ENDPOINT_URL", endpoint).stdin(Stdio::null()))
}

#[test]
fn aliases_and_keys_of_an_odd_shape() {
    // An older key has the pair's tags, and the alias that names the right one of the two keys is
    // deleted.
    let stand = Stand::new();
    let older = stand.kms("us-east-1", async |kms| {
        let made = kms.create_key().multi_region(true).send().await.unwrap();
        made.key_metadata().unwrap().key_id().to_owned()
    });
    stand.control("POST", "clock", r#"{"advance": "1m"}"#);
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.kms("us-east-1", async |kms| {
        let tags = super::meanwhile::tags();
        kms.tag_resource().key_id(older).set_tags(Some(tags)).send().await.unwrap()
    });
    for region in ["us-east-1", "us-west-2"] {
        stand.kms(region, async |kms| {
            kms.delete_alias().alias_name("alias/crrctl/demo").send().await.unwrap()
        });
    }
    told("alias-missing", &stand.pair(&["plan"]).exits(10));
    let per_region = format!("{DEMO}key: {{kind: per-region}}\n");
    told("key-multi-region", &manifest(&built(), &["plan"], &per_region).exits(10));

    let stand = Stand::new();
    let arns = ["us-east-1", "us-west-2"].map(|region| {
        stand.kms(region, async |kms| {
            let made = kms.create_key().send().await.unwrap();
            made.key_metadata().unwrap().arn().unwrap().to_owned()
        })
    });
    let text = format!(
        "{DEMO}key: {{kind: existing, arns: {{us-east-1: \"{}\", us-west-2: \"{}\"}}}}\n",
        arns[0], arns[1]
    );
    std::fs::write(stand.path("crrctl.yaml"), text).unwrap();
    // The sandbox creates symmetric keys only, so the proxy changes its response.
    let endpoint = between(&stand, |_, piece| {
        replace(piece, "\"ENCRYPT_DECRYPT\"", "\"SIGN_VERIFY\"");
        Piece::Goes
    });
    let mut plan = stand.command(&["plan", "-o", "json"]);
    let plan = finished(plan.env("AWS_ENDPOINT_URL", endpoint).stdin(Stdio::null()));
    told("key-unfit", &plan.exits(10));
}

#[test]
fn replicas_of_an_odd_shape() {
    let stand = built();
    let other = stand.kms("us-west-2", async |kms| {
        let made = kms.create_key().send().await.unwrap();
        made.key_metadata().unwrap().arn().unwrap().to_owned()
    });
    stand.iam(async |iam| {
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}"#;
        let put = iam.put_role_policy().role_name("crrctl-demo-us-east-1").policy_name("theirs");
        put.policy_document(policy).send().await.unwrap();
    });
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let mut live = live.replication_configuration().unwrap().clone();
        live.rules[0].destination.as_mut().unwrap().encryption_configuration =
            Some(t::EncryptionConfiguration::builder().replica_kms_key_id(&other).build());
        let put = s3.put_bucket_replication().bucket(SOURCE).replication_configuration(live);
        put.send().await.unwrap();
    });
    told("replica-differs", &stand.pair(&["probe"]).exits(8));

    let stand = built();
    let endpoint = between(&stand, |asked, piece| {
        let is_replica =
            asked.starts_with("GET") && asked.contains(&format!("/{DESTINATION}/_crrctl"));
        // The head of the response arrives, but the end of its body does not.
        let is_head = piece.starts_with(b"HTTP/1.1");
        if is_replica && !is_head { Piece::BreaksOff } else { Piece::Goes }
    });
    told(
        "replica-unreadable",
        &by_way_of(&stand, &endpoint, &["probe", "--size", "1MiB"]).exits(1),
    );
}

/// Puts an object into the source bucket while the bucket has no rules.
fn before_the_rule(stand: &Stand) {
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_replication().bucket(SOURCE).send().await.unwrap();
        s3.delete_bucket_replication().bucket(SOURCE).send().await.unwrap();
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
        s3.put_object().bucket(SOURCE).key("theirs").body(body).send().await.unwrap();
        let put = s3.put_bucket_replication().bucket(SOURCE);
        put.set_replication_configuration(live.replication_configuration).send().await.unwrap();
    });
}

#[test]
fn batch_jobs() {
    let stand = built();
    before_the_rule(&stand);
    // The first backfill creates the resources that a job requires.
    let _ = stand.in_process(&["backfill", "--yes", "--watch"]).exits(0);
    before_the_rule(&stand);
    let _ = stand.suspended_job("first");
    let resumed = stand.held("s3control:DescribeJob", &["backfill", "--yes", "--resume"], || {
        let _ = stand.in_process(&["backfill", "--cancel"]).exits(0);
    });
    told("cancelled", &resumed);

    let stand = built();
    before_the_rule(&stand);
    let _ = stand.in_process(&["backfill", "--yes", "--watch"]).exits(0);
    let reports = "demo-reports-111122223333-us-east-1";
    stand.s3("us-east-1", async |s3| {
        let days = t::DefaultRetention::builder().mode(t::ObjectLockRetentionMode::Governance);
        let rule = t::ObjectLockRule::builder().default_retention(days.days(1).build()).build();
        let lock = t::ObjectLockConfiguration::builder()
            .object_lock_enabled(t::ObjectLockEnabled::Enabled)
            .rule(rule)
            .build();
        let versioning = t::VersioningConfiguration::builder()
            .status(t::BucketVersioningStatus::Enabled)
            .build();
        let put = s3.put_bucket_versioning().bucket(reports).versioning_configuration(versioning);
        put.send().await.unwrap();
        let put = s3.put_object_lock_configuration().bucket(reports);
        put.object_lock_configuration(lock).send().await.unwrap();
    });
    told("reports-locked", &stand.pair(&["backfill", "--yes", "--status", "completed"]).exits(10));
}

#[test]
fn places_that_are_taken_or_misspelt() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let stand = built();
    told("listen", &stand.pair(&["watch", "--listen", &at]).exits(3));
    told("sandbox", &alone(&["sandbox", "--listen", &at, "-o", "json"]).exits(3));
}

#[test]
fn states_that_are_not_reached() {
    let stand = Stand::with(Options { lag: Lag::Aws, ..Options::default() });
    let impatient = format!("{DEMO}key: {{replica_timeout: 1s}}\n");
    let late = manifest(&stand, &["apply", "--yes", "--no-probe"], &impatient).exits(7);
    told("too-late", &late);
    let shared = format!("{DEMO}key: {{usable_by_accounts: ['444455556666']}}\n");
    let stand = Stand::new();
    let _ = manifest(&stand, &["apply", "--yes", "--no-probe"], &shared).exits(0);
    told("left-behind", &manifest(&stand, &["destroy", "--yes"], &shared).exits(9));
}

/// Runs the binary on a terminal, and returns its error.
fn on_a_terminal(stand: &Stand, args: &[&str], typed: &str) -> Output {
    let shown = stand.on_a_terminal(&[args, &PAIR].concat(), typed);
    let from = shown.stdout.find("error:").unwrap_or_else(|| panic!("no error: {shown}"));
    let stderr = shown.stdout[from..].to_owned();
    Output { code: shown.code, stdout: String::new(), stderr }
}

#[test]
fn questions_that_are_declined() {
    let stand = Stand::new();
    let declined = |name: &str, output: &Output| {
        assert_eq!(output.code, 130, "{output}");
        told_in_text(name, "declined", output);
    };
    declined("declined-apply", &on_a_terminal(&stand, &["apply"], "n\n"));
    assert_eq!(stand.leftovers(), [""; 0]);
    let stand = built();
    declined("declined-destroy", &on_a_terminal(&stand, &["destroy"], "orders\n"));
    before_the_rule(&stand);
    declined("declined-backfill", &on_a_terminal(&stand, &["backfill"], "n\n"));
}

#[test]
fn each_code_of_aws() {
    let stand = Stand::new();
    let mut text = String::new();
    let is_aws = |code: &str| code.starts_with(|first: char| first.is_ascii_uppercase());
    let all = catalogue::all().filter(|it| it.about == About::Error && is_aws(it.code));
    for entry in all.filter(|it| !UNNAMED.contains(&it.code)) {
        stand.faults(&[&format!("sts:GetCallerIdentity:error={}", entry.code)]);
        let output = stand.pair(&["plan"]);
        let error = &output.json()["error"];
        assert_eq!(error["aws_code"], entry.code, "{output}");
        let is_mended = catalogue::mends(entry.code).is_empty() || error["hints"] != json!([]);
        assert!(is_mended, "{output}");
        let _ = writeln!(text, "{}[exit status: {}]\n", output.stderr, output.code);
    }
    super::blotted().bind(|| insta::assert_snapshot!("told-aws", text));
    // An error without a code of AWS is named by the outcome of the call.
    told("NoCredentials", &alone(&[&["plan"], &PAIR[..], &JSON].concat()).exits(4));
    let home = tempfile::TempDir::new().unwrap();
    let mut nobody = bare(
        &home,
        &[&["plan", "--endpoint-url", "http://127.0.0.1:9"], &PAIR[..], &JSON].concat(),
    );
    nobody.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b").stdin(Stdio::null());
    told("ConnectionFailed", &finished(&mut nobody).exits(4));
    stand.faults(&[]);
    let endpoint = between(&stand, |_, piece| {
        replace(piece, "GetCallerIdentityResult>", "GetCallerIdentityRemark>");
        Piece::Goes
    });
    told("Unknown", &by_way_of(&stand, &endpoint, &["plan"]).exits(1));
    let endpoint = between(&stand, |_, piece| {
        if piece.ends_with(b"</GetCallerIdentityResponse>") {
            Piece::LosesItsEnd
        } else {
            Piece::Goes
        }
    });
    told("AnswerUnreadable", &by_way_of(&stand, &endpoint, &["plan"]).exits(1));
}

/// The calls that AWS refuses for another reason than a permission, and its codes.
const REFUSED: [(&str, &str); 18] = [
    ("s3:CreateBucket", "TooManyBuckets"),
    ("s3:CreateBucket", "OptInRequired"),
    ("s3:CreateBucket", "NotSignedUp"),
    ("s3:CreateBucket", "AllAccessDisabled"),
    ("s3:CreateBucket", "UnsupportedArgument"),
    ("s3:GetBucketVersioning", "AllAccessDisabled"),
    ("s3:PutBucketEncryption", "AccountProblem"),
    ("s3:PutBucketReplication", "UnsupportedArgument"),
    ("s3:PutBucketPolicy", "MalformedPolicy"),
    ("iam:CreateRole", "LimitExceeded"),
    ("iam:PutRolePolicy", "LimitExceeded"),
    ("iam:PutRolePolicy", "MalformedPolicyDocument"),
    ("kms:CreateKey", "LimitExceededException"),
    ("kms:CreateKey", "MalformedPolicyDocumentException"),
    ("kms:CreateKey", "OptInRequired"),
    ("kms:CreateAlias", "LimitExceededException"),
    ("kms:ReplicateKey", "LimitExceededException"),
    ("s3:DeleteBucket", "BucketHasAccessPointsAttached"),
];

/// What AWS refuses is mended where it is met, before anything else that could be done.
#[test]
fn each_refusal_is_mended_where_it_is_met() {
    for (operation, code) in REFUSED {
        let is_removal = operation.contains("Delete");
        let stand = if is_removal { built() } else { Stand::new() };
        stand.faults(&[&format!("{operation}:error={code}")]);
        let args: &[&str] =
            if is_removal { &["destroy", "--yes"] } else { &["apply", "--yes", "--no-probe"] };
        let error = &stand.in_process(args).json()["error"];
        let mends = catalogue::mends(code);
        assert!(!mends.is_empty() && error["aws_code"] == code, "{operation}: {error:#}");
        assert_eq!(error["hints"][0], mends[0], "{operation}: {error:#}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(operation) && message.contains("A fault"), "{error:#}");
    }
}

/// Where STS takes the credentials and another Region does not know them, that Region is what is wrong.
#[test]
fn a_region_that_is_not_enabled_is_named() {
    let stand = Stand::new();
    let endpoint = between(&stand, |request, piece| {
        if request.contains("/us-west-2/kms/") {
            replace(piece, "NotFoundException\"", "InvalidToken\"");
        }
        Piece::Goes
    });
    told("region-not-enabled", &by_way_of(&stand, &endpoint, &["plan"]).exits(4));
    // In the Region of STS, and of a clock that is wrong, it says nothing of a Region.
    for (operation, code) in [
        ("s3:GetBucketVersioning", "InvalidAccessKeyId"),
        ("kms:DescribeKey", "UnrecognizedClientException"),
        ("s3:*", "RequestTimeTooSkewed"),
    ] {
        stand.faults(&[&format!("{operation}:error={code}")]);
        let error = &stand.in_process(&["plan"]).exits(4).json()["error"];
        assert_eq!((&error["code"], &error["region"]), (&json!(code), &json!("us-east-1")));
    }
}

/// Codes of errors for which AWS gave no code.
pub(super) const UNNAMED: [&str; 6] =
    ["AnswerUnreadable", "ConnectionFailed", "NoCredentials", "NotSent", "TimedOut", "Unknown"];
