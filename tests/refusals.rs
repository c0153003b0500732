//! Bad input: a clear error that names the place, exit 3, and not one call.

use crate::common::{PAIR, Stand, alone};

const MANIFEST: &str =
    "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";

#[test]
fn bad_manifests_end_before_any_call() {
    let stand = Stand::new();
    let table: &[(&str, &str)] = &[
        (
            "name: demo\nsource: {region: us-east-1, bucket: Bad_Bucket}\ndestinations: [{region: us-west-2}]\n",
            "<stdin>:2:37: `source.bucket`: `Bad_Bucket` is not a valid bucket name",
        ),
        (
            "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}, {region: us-west-2}]\n",
            "stand here twice with the same filter",
        ),
        (
            "name: demo\nsource: {region: us-east-1}\ndestinations: [{region: cn-north-1}]\n",
            "partition `aws-cn`",
        ),
        (&format!("{MANIFEST}key: {{deletion_window_days: 3}}\n"), "3 days: 7 to 30 are allowed"),
        (&format!("{MANIFEST}key: {{alias: alias/aws/x}}\n"), "reserved for AWS managed keys"),
        (&format!("{MANIFEST}destinatons: []\n"), "did you mean `destinations`?"),
        ("name: demo\n  source: x\n", "not readable as YAML"),
        ("", "it is empty, or ends too early"),
        (
            "name: demo\nsource: us-east-1\ndestinations: [{region: us-west-2}]\n",
            "2:9: `source`: a mapping is wanted here",
        ),
        (
            "name: demo\nsource: {region: us-east-1}\ndestinations: us-west-2\n",
            "3:15: `destinations`: a list is wanted here",
        ),
        (
            "name: demo\nsource: {region: us-east-1}\ndestinations:\n  region: us-west-2\n",
            "4:3: `destinations`: a list is wanted here",
        ),
        (
            "name: demo\nsource: {region: [us-east-1]}\ndestinations: [{region: us-west-2}]\n",
            "2:18: `region`: a single value is wanted here",
        ),
        (
            &format!("{MANIFEST}key: {{deletion_window_days: seven}}\n"),
            "`deletion_window_days`: a whole number is wanted here",
        ),
        (&MANIFEST.replace("name: demo", "name: ~"), "`name`: a value is wanted here"),
        (&format!("{MANIFEST}---\n{MANIFEST}"), "a manifest is one"),
        (
            &format!("{MANIFEST}replication: {{metrics: maybe}}\n"),
            "`metrics`: `true` or `false` is wanted here",
        ),
    ];
    for (manifest, wanted) in table {
        for command in
            [&["plan"][..], &["apply", "--yes"], &["destroy", "--yes"], &["probe"], &["rehearse"]]
        {
            let output = stand.manifest(command, manifest);
            assert_eq!(output.code, 3, "{manifest}\n{output}");
            assert!(output.stderr.contains(wanted), "{manifest}\nwants {wanted}\n{output}");
            assert!(output.stdout.is_empty(), "{output}");
        }
    }
    assert_eq!(stand.calls()["by_operation"], serde_json::json!({}));
}

/// Each bad template: its text, and what the message says.
#[test]
fn bad_templates_end_before_any_call() {
    let stand = Stand::new();
    let folder = stand.path("overrides");
    std::fs::create_dir(&folder).unwrap();
    let table: &[(&str, &str, &str)] = &[
        (
            "replication-role.json.j2",
            "{\"Statement\": [\n{{ nope }}]}",
            "replication-role.json.j2:2: ",
        ),
        ("replication-role.json.j2", "{\"Statement\": [", "does not render to a policy document"),
        ("replication-role.json.j2", "{{", "replication-role.json.j2:1: "),
        ("key.json.j2", "[]", "no JSON object with a `Statement`"),
        ("keys.json.j2", "{}", "overrides no template"),
    ];
    for (name, text, wanted) in table {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        let manifest = format!("{MANIFEST}policy: {{templates: {}}}\n", folder.display());
        let output = stand.manifest(&["apply", "--yes"], &manifest).exits(3);
        assert!(output.stderr.contains(wanted), "{name}\nwants {wanted}\n{output}");
        std::fs::remove_file(path).unwrap();
    }
    let manifest = format!("{MANIFEST}policy: {{templates: nowhere}}\n");
    let output = stand.manifest(&["plan"], &manifest).exits(3);
    assert!(output.stderr.contains("can't read `nowhere`"), "{output}");
    assert_eq!(stand.calls()["by_operation"], serde_json::json!({}));
}

#[test]
fn an_overridden_template_is_used() {
    let stand = Stand::new();
    let folder = stand.path("overrides");
    std::fs::create_dir(&folder).unwrap();
    let ours = include_str!("../policies/source-bucket.json.j2")
        .replace("CrrctlTlsOnly", "CrrctlHouseRule");
    std::fs::write(folder.join("source-bucket.json.j2"), ours).unwrap();
    let manifest = format!("{MANIFEST}policy: {{templates: {}}}\n", folder.display());
    let _ = stand.manifest(&["apply", "--yes", "--no-probe"], &manifest).exits(0);
    let policy = stand.s3("us-east-1", async |s3| {
        s3.get_bucket_policy().bucket("demo-111122223333-us-east-1").send().await.unwrap()
    });
    assert!(policy.policy().unwrap().contains("CrrctlHouseRule"));
}

#[test]
fn usage_errors_are_exit_3_not_claps_2() {
    let table: &[(&[&str], &str)] = &[
        (&[], "crrctl rehearse"),
        (&["frobnicate"], "unrecognized subcommand"),
        (&["plan", "--nope"], "unexpected argument"),
        (&["plan"], "there is no manifest"),
        (&["plan", "--name", "demo"], "`--name`, `--source` and `--destination` are all needed"),
        (&["plan", "--name", "demo", "--source", "us-east-1"], "at least one destination"),
        (&["plan", "-f", "nowhere.yaml"], "can't read the manifest `nowhere.yaml`"),
        (&["plan", "-f", "x.yaml", "--name", "demo"], "leave out `--file`"),
        (&["probe", "--count", "0"], "0 is not in 1.."),
        (&["probe", "--size", "12"], "is not a size"),
        (&["plan", "--timeout", "90"], "is not a duration"),
        (&["plan", "--endpoint-url", "localhost"], "an endpoint looks like"),
        (&["destroy", "--window", "3"], "3 is not in 7..=30"),
        (&["plan", "-q", "-v"], "cannot be used with"),
        (&["sandbox", "--listen", "nowhere"], "invalid socket address"),
    ];
    for (args, wanted) in table {
        let output = alone(args).exits(3);
        assert!(output.stderr.contains(wanted), "{args:?}\nwants {wanted}\n{output}");
        assert!(output.stdout.is_empty(), "{output}");
    }
}

#[test]
fn without_a_terminal_nothing_is_changed_unasked() {
    let stand = Stand::new();
    for command in ["apply", "destroy"] {
        let output = stand.run(&[&[command], &PAIR[..]].concat()).exits(3);
        assert!(output.stderr.contains("wants `--yes`"), "{output}");
    }
    assert_eq!(stand.calls()["by_operation"], serde_json::json!({}));
}

#[test]
fn an_error_is_part_of_the_object() {
    let stand = Stand::new();
    let output = stand.manifest(&["plan", "-o", "json"], "name: Bad\n").exits(3);
    let object = output.json();
    assert_eq!(object["schema"], "crrctl/plan/v1");
    assert_eq!(object["error"]["kind"], "manifest");
    for key in
        ["code", "message", "step", "region", "aws_code", "request_id", "left_behind", "hints"]
    {
        assert!(object["error"].get(key).is_some(), "{key}");
    }
}

/// What is wrong is told in a few lines, however long the value is, and a file without end is not read.
#[test]
fn a_value_of_megabytes_is_not_shown_whole() {
    let long = "x".repeat(2 << 20);
    let manifests = [
        format!(
            "name: {long}\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2}}]\n"
        ),
        format!("name: demo\nsource: {{region: {long}}}\ndestinations: [{{region: us-west-2}}]\n"),
        format!(
            "name: demo\nsource: {{region: us-east-1, bucket: {long}}}\ndestinations: [{{region: us-west-2}}]\n"
        ),
        format!(
            "name: demo\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2, prefix: {long}}}]\n"
        ),
        format!(
            "name: demo\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2}}]\ntags: {{a: {long}}}\n"
        ),
        format!(
            "name: demo\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2}}]\nkey: {{alias: {long}}}\n"
        ),
        format!(
            "name: demo\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2}}]\n{long}: 1\n"
        ),
        format!(
            "name: demo\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2}}]\npolicy: {{templates: {long}}}\n"
        ),
    ];
    for text in manifests {
        let output = crate::common::alone_with(&["plan", "-o", "json"], &text).exits(3);
        let shown = output.stdout.len() + output.stderr.len();
        assert!(shown < 40 << 10, "{shown} bytes: {}", &output.stderr[..100]);
    }
}
