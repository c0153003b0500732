//! `crrctl policy`, and what a bad policy does to the other commands: seen from outside.

use crate::common::{PAIR, Stand, alone, bare, finished};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const VALUES: [&str; 4] =
    ["--account", "528196604817", "--key-id", "mrk-095774ce295d40a8a249e0257825598c"];

/// A manifest with most of what the documents look at.
const FULL: &str = r#"
name: full
source: {region: us-east-1}
destinations: [{region: us-west-2}, {region: eu-west-1}]
key:
  administrators: ["arn:aws:iam::528196604817:role/key-admin"]
  usable_by_accounts: ["444455556666"]
buckets: {deny_other_keys: true}
replication: {prefix: "data/", delete_markers: true}
"#;
const STRICT: &str = "
name: strict
source: {region: us-east-1}
destinations: [{region: us-west-2}]
buckets: {bucket_key: false}
policy: {profile: strict}
";

macro_rules! pinned {
    ($name:literal, $text:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| insta::assert_snapshot!($name, $text));
    }};
}

/// Returns a home with a manifest `crrctl.yaml` that takes the template `name` from `templates/`.
fn overriding(name: &str, text: &str) -> TempDir {
    let home = TempDir::new().unwrap();
    std::fs::create_dir(home.path().join("templates")).unwrap();
    std::fs::write(home.path().join("templates").join(name), text).unwrap();
    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npolicy: {templates: templates}\n";
    std::fs::write(home.path().join("crrctl.yaml"), manifest).unwrap();
    home
}

/// Returns one of our templates, changed.
fn changed(name: &str, from: &str, to: &str) -> TempDir {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(name);
    let ours = std::fs::read_to_string(ours).unwrap();
    assert!(ours.contains(from), "{name} has no {from}");
    overriding(name, &ours.replace(from, to))
}

#[test]
fn documents_as_they_are_rendered() {
    let render = |manifest: &str| {
        let stand = Stand::new();
        let args = [&["policy", "render", "-o", "json"], &VALUES[..]].concat();
        let json = stand.in_process_with(&args, manifest).exits(0).json();
        assert_eq!(json["schema"], "crrctl/policy-render/v1");
        assert_eq!(json["placeholders"], false);
        assert_eq!(stand.calls()["by_operation"], json!({}), "nothing is asked");
        serde_json::to_string_pretty(&json["documents"]).unwrap()
    };
    pinned!("policy-render-full", render(FULL));
    pinned!("policy-render-strict", render(STRICT));
}

#[test]
fn one_document_is_printed_bare() {
    let args = [&["policy", "render", "key.us-west-2"], &PAIR[..], &VALUES[..]].concat();
    let output = alone(&args).exits(0);
    assert_eq!(output.json()["Statement"][0]["Sid"], "IamDecides");
    let args = [&["policy", "render", "key.us-west-1"], &PAIR[..], &VALUES[..]].concat();
    assert!(alone(&args).exits(3).stderr.contains("there are `replication-role-trust`"));
}

#[test]
fn the_proof_as_people_read_it() {
    let args = [&["policy", "prove"], &PAIR[..], &VALUES[..]].concat();
    let output = alone(&args).exits(0);
    assert_eq!(output.stderr, "");
    pinned!("policy-prove", output.stdout);
}

#[test]
fn the_proof_as_data() {
    let args = [&["policy", "prove", "-o", "json"], &PAIR[..], &VALUES[..]].concat();
    let json = alone(&args).exits(0).json();
    assert_eq!((&json["refused"], &json["placeholders"]), (&json!([]), &json!(false)));
    let decrypts =
        |call: &&Value| call["action"] == "kms:Decrypt" && call["section"] == "replication";
    let calls = json["calls"].as_array().unwrap();
    let decrypt = calls.iter().find(decrypts).unwrap();
    let resource = "arn:aws:kms:us-east-1:528196604817:key/mrk-095774ce295d40a8a249e0257825598c";
    assert_eq!(decrypt["resource"], resource);
    assert_eq!(decrypt["context"]["kms:ViaService"], "s3.us-east-1.amazonaws.com");
    assert_eq!((&decrypt["expected"], &decrypt["decision"]), (&json!("allow"), &json!("allow")));
    assert_eq!(decrypt["reads"], "allowed by the documents read");
    assert_eq!(decrypt["document"], "replication-role");
    assert_eq!(decrypt["statement"], "Statement[3] (KmsSource)");
    assert!(
        calls.iter().any(|call| call["expected"] == "deny" && call["decision"] == "explicit-deny")
    );
}

#[test]
fn a_refused_call_names_document_statement_and_mend() {
    let home = changed("replication-role.json.j2", "\"s3:GetObjectVersionAcl\",", "");
    let args = [&["policy", "prove", "-o", "json"], &VALUES[..]].concat();
    let output = finished(&mut bare(&home, &args)).exits(5).told("proof-failed");
    let json = output.json();
    let refused = &json["refused"][0];
    assert_eq!(refused["action"], "s3:GetObjectVersionAcl");
    assert_eq!(refused["decision"], "implicit-deny");
    assert_eq!(refused["element"], "Statement[1].Action");
    let mend = "in `replication-role`, add `s3:GetObjectVersionAcl` to Statement[1].Action";
    assert_eq!(refused["mend"], mend);
    assert_eq!(json["error"]["code"], "proof-failed");
    assert_eq!(json["error"]["hints"][0], mend);
    assert!(
        output.stderr.contains("would be denied (replication-role, Statement[1] (SourceObjects))")
    );
}

#[test]
fn a_call_that_must_stay_denied_is_found_too() {
    let home = changed(
        "replication-role-trust.json.j2",
        "\"s3.amazonaws.com\"",
        "[\"s3.amazonaws.com\", \"lambda.amazonaws.com\"]",
    );
    let args = [&["policy", "prove"], &VALUES[..]].concat();
    let output = finished(&mut bare(&home, &args)).exits(5);
    assert!(output.stderr.contains("by lambda.amazonaws.com would be allowed and must not be"));
    assert!(output.stdout.contains("narrow Statement[0].Principal"), "{output}");
}

/// Each is found before anything is called: whoever listens at the endpoint hears nothing.
#[test]
fn bad_templates_end_with_exit_3_before_any_call() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let many: Vec<String> = (0..300).map(|n| format!("\"s3:Action{n:030}\"")).collect();
    let oversize = format!(
        "{{\"Version\": \"2012-10-17\", \"Statement\": {{\"Effect\": \"Allow\", \"Action\": [{}], \"Resource\": \"*\"}}}}",
        many.join(",")
    );
    let principal = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"bob\"}, \"Action\": \"kms:*\", \"Resource\": \"*\"}]}";
    for (name, text, wanted) in [
        (
            "replication-role.json.j2",
            "{\"Version\":",
            "EOF while parsing a value at line 1 column 11",
        ),
        (
            "replication-role.json.j2",
            "{\n{{ no_such }}\n}",
            "replication-role.json.j2:2: undefined value",
        ),
        (
            "replication-role.json.j2",
            oversize.as_str(),
            "characters without white space, 10240 are allowed",
        ),
        ("key.json.j2", principal, "Statement[0].Principal.AWS: \"bob\""),
    ] {
        let home = overriding(name, text);
        let mut command = bare(&home, &["apply", "--yes", "--endpoint-url", &endpoint]);
        command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
        let output = finished(&mut command).exits(3);
        assert!(output.stderr.contains(wanted), "{output}\nwants {wanted}");
        assert!(output.stderr.contains(&format!("templates/{name}")), "{output}");
        assert!(listener.accept().is_err(), "{name}: a call was made");
    }
}

#[test]
fn apply_writes_nothing_that_is_not_proven() {
    let stand = Stand::new();
    let home = changed("replication-role.json.j2", "\"kms:Encrypt\"", "\"kms:DescribeKey\"");
    let mut command = stand.command(&["apply", "--yes", "-o", "json"]);
    let output = finished(command.current_dir(home.path())).exits(5);
    assert_eq!(output.json()["error"]["code"], "proof-failed");
    assert!(output.stderr.contains("`kms:Encrypt`"), "{output}");
    assert_eq!(stand.calls()["writes"], 0);
    let mut command = stand.command(&["plan"]);
    let _ = finished(command.current_dir(home.path())).exits(5);
    assert!(stand.leftovers().is_empty());
}

/// What others have put into a bucket's policy is not ours to change, and may stop replication all the same.
#[test]
fn apply_finds_a_deny_of_others_before_it_writes() {
    let stand = Stand::new();
    let _ = stand.in_process(&["apply", "--yes"]).exits(0);
    let bucket = crate::common::DESTINATION;
    stand.s3("us-west-2", async |s3| {
        let theirs = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:Replicate*",
            "Resource": format!("arn:aws:s3:::{bucket}/*"),
        }]});
        s3.put_bucket_policy().bucket(bucket).policy(theirs.to_string()).send().await.unwrap();
    });
    stand.calls();
    let output = stand.pair(&["apply", "--yes"]).exits(5);
    assert!(
        output.stderr.contains("destination-bucket.us-west-2, Statement[0] (Theirs)"),
        "{output}"
    );
    assert_eq!(stand.calls()["writes"], 0);
    // Beside the pair's own statements, and where one of these goes, it is named by its live index.
    let (apply, at) = (["apply", "--yes", "--no-probe", "-o", "json"], "source-bucket");
    let stand = Stand::new();
    let _ = stand.in_process(&apply).exits(0);
    stand.s3("us-east-1", async |s3| {
        let live = s3.get_bucket_policy().bucket(crate::common::SOURCE).send().await.unwrap();
        let mut live: Value = serde_json::from_str(live.policy().unwrap()).unwrap();
        let theirs = json!({
            "Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObjectVersion*",
            "Resource": format!("arn:aws:s3:::{}/*", crate::common::SOURCE),
        });
        live["Statement"].as_array_mut().unwrap().push(theirs);
        let put = s3.put_bucket_policy().bucket(crate::common::SOURCE).policy(live.to_string());
        put.send().await.unwrap();
    });
    let unencrypted = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\nbuckets: {tls_only: false}\n";
    for output in [stand.in_process(&apply), stand.in_process_with(&apply, unencrypted)] {
        let error = &output.exits(5).json()["error"];
        let named = format!("{at}, Statement[1] (Theirs)");
        assert!(error["message"].as_str().unwrap().contains(&named), "{error:#}");
        assert!(error["hints"][0].as_str().unwrap().contains("Statement[1]"), "{error:#}");
    }
}

#[test]
fn organisation_policies_take_part() {
    let home = TempDir::new().unwrap();
    let write = |name: &str, statement: Value| {
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        std::fs::write(home.path().join(name), policy.to_string()).unwrap();
    };
    write("full.json", json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    write(
        "no-kms.json",
        json!({"Sid": "NoKms", "Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}),
    );
    write(
        "rcp.json",
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:GetReplicationConfiguration", "Resource": "*"}),
    );
    write(
        "wrong.json",
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}),
    );
    let prove = |policies: &[&str]| {
        let args = [&["policy", "prove", "-o", "json"], &PAIR[..], &VALUES[..], policies].concat();
        finished(&mut bare(&home, &args))
    };
    let json = prove(&["--scp", "full.json"]).exits(0).json();
    assert!(json["calls"].as_array().unwrap().iter().any(|call| call["reads"] == "allowed"));
    let denied = prove(&["--scp", "full.json", "--scp", "no-kms.json"]).exits(5).json();
    assert_eq!(denied["refused"][0]["document"], "no-kms.json");
    assert_eq!(denied["refused"][0]["statement"], "Statement[0] (NoKms)");
    let alone = prove(&["--scp", "no-kms.json"]).exits(5).json();
    assert!(alone["refused"][0]["mend"].as_str().unwrap().contains("FullAWSAccess"));
    let denied = prove(&["--rcp", "rcp.json"]).exits(5).json();
    assert_eq!(denied["refused"][0]["action"], "s3:GetReplicationConfiguration");
    let wrong = prove(&["--scp", "wrong.json"]).exits(3);
    assert!(wrong.stderr.contains("wrong.json: Statement[0].Principal"), "{wrong}");
}

#[test]
fn values_are_given_live_or_marked_as_placeholders() {
    let placeholders = alone(&[&["policy", "render", "-o", "json"], &PAIR[..]].concat()).exits(0);
    assert_eq!(placeholders.json()["placeholders"], true);
    assert!(placeholders.stderr.contains("placeholders stand for the account and key"));
    let stand = Stand::new();
    let before = stand.pair(&["policy", "render"]).exits(0);
    assert_eq!(
        (&before.json()["placeholders"], &before.json()["account"]),
        (&json!(true), &json!("111122223333"))
    );
    let _ = stand.in_process(&["apply", "--yes", "--no-probe"]).exits(0);
    stand.calls();
    let live = stand.in_process(&["policy", "render"]).exits(0).json();
    assert_eq!(live["placeholders"], false);
    assert!(live["key_id"].as_str().unwrap().starts_with("mrk-"));
    assert_eq!(stand.calls()["writes"], 0);
    stand.iam(async |iam| {
        let role =
            iam.get_role_policy().role_name("crrctl-demo-us-east-1").policy_name("replication");
        let written = role.send().await.unwrap().policy_document().to_owned();
        let written =
            percent_encoding::percent_decode_str(&written).decode_utf8().unwrap().into_owned();
        let written: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(
            written, live["documents"]["replication-role"],
            "what is rendered is what is written"
        );
    });
}

/// The whole life with every option. Principals must exist, in the sandbox as in AWS: those of the manifest do.
#[test]
fn the_options_live_in_the_sandbox() {
    let users = "[\"arn:aws:iam::528196604817:role/teams/key-admin\", \"arn:aws:iam::111122223333:user/anna\"]";
    let full = FULL.replace("[\"arn:aws:iam::528196604817:role/key-admin\"]", users);
    assert!(full.contains(users));
    for boundary in ["AdministratorAccess", "job-function/SomethingUnknown"] {
        let boundary = format!("arn:aws:iam::aws:policy/{boundary}");
        let full = format!("{full}role: {{permissions_boundary: \"{boundary}\"}}\n");
        let output = Stand::new().manifest(&["rehearse", "-o", "json"], &full).exits(0);
        assert_eq!(output.json()["left"], json!([]));
    }
}

/// `strict` is the least for objects of one part. One of several parts takes more, and the proof by multipart probe says so.
#[test]
fn strict_replicates_single_parts_and_apply_finds_out_about_others() {
    let stand = Stand::new();
    let applied = stand.manifest(&["apply", "--yes", "--no-probe"], STRICT);
    let _ = applied.exits(0);
    let probed = stand.in_process_with(&["probe", "-o", "json"], STRICT).exits(0).json();
    assert_eq!(probed["probes"][0]["status"], "COMPLETED");
    assert_eq!(probed["probes"][0]["checks"]["bucket_key"], true);
}

/// A bucket policy in force: uploads under another key are denied, those that leave encryption to the bucket are not.
#[test]
fn a_deny_of_other_keys_spares_uploads_without_a_header() {
    use aws_sdk_s3::types::ServerSideEncryption::{Aes256, AwsKms};
    let manifest = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\nbuckets: {deny_other_keys: true}\n";
    let stand = Stand::new();
    let applied =
        stand.in_process_with(&["apply", "--yes", "-o", "json"], manifest).exits(0).json();
    assert!(
        applied["probes"].as_array().unwrap().iter().all(|probe| probe["status"] == "COMPLETED")
    );
    let key = stand.in_process_with(&["policy", "render", "-o", "json"], manifest).exits(0).json();
    let ours =
        format!("arn:aws:kms:us-east-1:111122223333:key/{}", key["key_id"].as_str().unwrap());
    let other = stand.kms("us-east-1", async |kms| {
        let made = kms.create_key().send().await.unwrap();
        made.key_metadata().unwrap().arn().unwrap().to_owned()
    });
    stand.s3("us-east-1", async |s3| {
        let put = || s3.put_object().bucket(crate::common::SOURCE).key("an-upload");
        put().send().await.unwrap();
        put().server_side_encryption(AwsKms).ssekms_key_id(&ours).send().await.unwrap();
        let refused = [
            put().server_side_encryption(AwsKms).ssekms_key_id(&other),
            put().server_side_encryption(AwsKms),
            put().server_side_encryption(Aes256),
        ];
        for put in refused {
            let error = put.send().await.unwrap_err().into_service_error();
            let code = aws_sdk_s3::error::ProvideErrorMetadata::code(&error);
            assert_eq!(code, Some("AccessDenied"), "{error:?}");
        }
    });
}

/// Each command run by a user who has what `policy operator` says for it, and nothing else, where IAM is in force.
#[test]
fn a_user_with_the_operator_policies_gets_by() {
    let stand = Stand::new();
    let operator = stand.in_process(&["policy", "operator"]).exits(0).json();
    for (command, args) in [
        ("plan", &["plan"][..]),
        ("apply", &["apply", "--yes"]),
        ("apply", &["apply", "--yes"]),
        ("probe", &["probe"]),
        ("probe", &["probe", "--delete-marker"]),
        ("check", &["check"]),
        ("status", &["status"]),
        ("export", &["export", "terraform"]),
        ("export", &["export", "cloudformation"]),
        ("backfill", &["backfill", "--yes", "--watch"]),
        ("destroy", &["destroy", "--yes"]),
    ] {
        let (id, secret) = user(&stand, &operator, command);
        let mut run = stand.command(&[args, &PAIR[..], &["-o", "json"]].concat());
        run.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        let _ = finished(&mut run).exits(0);
    }
    // Who may only look can't change anything.
    let (id, secret) = user(&stand, &operator, "plan");
    let mut run = stand.command(&[&["apply", "--yes"], &PAIR[..]].concat());
    run.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
    let _ = finished(&mut run).exits(5);
}

/// Makes a user with the policies that `command` needs; returns its access key.
pub(crate) fn user(stand: &Stand, operator: &Value, command: &str) -> (String, String) {
    let parts = operator["commands"][command].as_array().unwrap();
    stand.iam(async |iam| {
        // Who exists already gets one more key.
        let _ = iam.create_user().user_name(command).send().await;
        for part in parts {
            let part = part.as_str().unwrap();
            let document = operator["documents"][part].to_string();
            let name = format!("{command}-{part}");
            let made =
                iam.create_policy().policy_name(&name).policy_document(document).send().await;
            if let Ok(made) = made {
                let arn = made.policy().unwrap().arn().unwrap();
                iam.attach_user_policy().user_name(command).policy_arn(arn).send().await.unwrap();
            }
        }
        let key = iam.create_access_key().user_name(command).send().await.unwrap();
        let key = key.access_key().unwrap();
        (key.access_key_id().to_owned(), key.secret_access_key().to_owned())
    })
}

/// The operator's documents against what the commands really call.
#[test]
fn each_command_calls_what_its_operator_policies_allow() {
    let stand = Stand::new();
    let operator = stand.in_process(&["policy", "operator"]).exits(0).json();
    let allowed = |command: &str| -> BTreeSet<String> {
        let parts = operator["commands"][command].as_array().unwrap();
        parts
            .iter()
            .flat_map(|part| actions(&operator["documents"][part.as_str().unwrap()]))
            .collect()
    };
    stand.calls();
    for args in [
        &["plan"][..],
        &["apply", "--yes"],
        &["apply", "--yes"],
        &["probe", "--count", "2"],
        &["backfill", "--yes", "--watch"],
        &["destroy", "--yes"],
    ] {
        let _ = stand.in_process(args).exits(0);
        let allowed = allowed(args[0]);
        for operation in stand.calls()["by_operation"].as_object().unwrap().keys() {
            let action = crrctl::aws::action(operation);
            assert!(
                action == "sts:GetCallerIdentity" || allowed.contains(action),
                "{args:?} calls {operation}, and {action} is in none of its policies"
            );
        }
    }
}

/// No call in the code is forgotten, even where no test comes by.
#[test]
fn every_call_in_the_code_is_in_the_operator_policies() {
    let args = [&["policy", "operator", "-o", "json"], &PAIR[..], &VALUES[..]].concat();
    let operator = alone(&args).exits(0).json();
    let mut allowed: BTreeSet<String> =
        operator["documents"].as_object().unwrap().values().flat_map(actions).collect();
    // What the manifest may want beside.
    let more = "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n\
        buckets: {object_lock: true, lifecycle: {noncurrent_days: 90}, logging: {bucket: \"logs-{region}\"}}\n\
        replication: {metrics: true, alerts: {sns: 'arn:aws:sns:us-east-1:111122223333:a'}}\n\
        role: {permissions_boundary: \"arn:aws:iam::111122223333:policy/b\"}\n";
    let more_args = [&["policy", "operator", "-o", "json"], &VALUES[..]].concat();
    let of_more = Stand::new().manifest(&more_args, more).exits(0).json();
    allowed.extend(of_more["documents"].as_object().unwrap().values().flat_map(actions));
    // A queue is read by other calls than a topic.
    let queue = more.replace("sns", "sqs");
    let queue = Stand::new().manifest(&more_args, &queue).exits(0).json();
    allowed.extend(queue["documents"].as_object().unwrap().values().flat_map(actions));
    let adopted = "name: demo\nsource: {region: us-east-1, adopt: true}\ndestinations: [{region: us-west-2}]\n";
    let adopted = Stand::new().manifest(&more_args, adopted).exits(0).json();
    allowed.extend(adopted["documents"].as_object().unwrap().values().flat_map(actions));
    // Who pays for requests to a bucket of another account.
    let stand = Stand::new();
    stand.profile("archive", "444455556666");
    let far = "name: far\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2, profile: archive}]\nkey: {kind: per-region}\n";
    let far = stand.manifest(&["policy", "operator", "-o", "json"], far).exits(0).json();
    allowed.extend(far["documents"].as_object().unwrap().values().flat_map(actions));
    // Needs no permission (STS API Reference, `GetCallerIdentity`).
    allowed.insert("sts:GetCallerIdentity".to_owned());
    // The switch's other position: where rotation is off, this stands in place of `kms:EnableKeyRotation`.
    allowed.insert("kms:DisableKeyRotation".to_owned());
    // Called only where no policy of ours is wanted.
    allowed.insert("s3:DeleteBucketPolicy".to_owned());
    // `check` reads more than a pair takes (shared key material, attached policies), and says `unknown` where that is refused.
    let looks = ["iam:GetPolicy", "iam:GetPolicyVersion", "s3:GetObjectTagging"];
    allowed.extend(looks.map(str::to_owned));
    // `wait` is for any object of anybody: what it takes is no matter of a pair.
    allowed.insert("s3:GetBucketLocation".to_owned());
    // A rehearsal furnishes its own sandbox with what exists by the manifest.
    allowed.insert("iam:CreatePolicy".to_owned());
    let mut found = 0;
    for text in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for (index, _) in text.match_indices(".at(\"") {
            let operation = text[index + 5..].split('"').next().unwrap();
            let action = crrctl::aws::action(operation);
            found += 1;
            assert!(
                allowed.contains(action),
                "{operation} takes {action}, which no operator policy has"
            );
        }
    }
    assert!(found > 50, "only {found} calls found");
}

fn actions(document: &Value) -> Vec<String> {
    let statements = document["Statement"].as_array().unwrap();
    let actions = statements.iter().flat_map(|statement| match &statement["Action"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    });
    actions.map(|action| action.as_str().unwrap().to_owned()).collect()
}

fn sources(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    let texts = files.iter().map(|path| std::fs::read_to_string(path).unwrap());
    texts.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}
