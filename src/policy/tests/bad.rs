//! Invalid templates and documents: each error names the place and the problem, and no call is
//! made.
//! Not for: valid documents that allow too much or too little (see `mutation`).

use super::{keys, topology};
use crate::failure::Kind;
use crate::policy::{Document, RenderError, Templates, render, try_all};
use std::path::Path;

const MANIFEST: &str =
    "name: a\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";

fn overridden(name: &str, text: &str) -> (tempfile::TempDir, Templates) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    let templates = Templates::overridden_by(folder.path()).unwrap();
    (folder, templates)
}

/// Each row is a template, its text, and a part of the message.
#[test]
fn bad_templates_name_the_place() {
    let statement = |sid: &str| {
        format!(
            r#"{{"Sid": "{sid}", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#
        )
    };
    let oversize = (0..200).map(|n| statement(&format!("S{n}"))).collect::<Vec<_>>().join(",\n");
    let oversize = format!(r#"{{"Version": "2012-10-17", "Statement": [{oversize}]}}"#);
    let principal = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow",
        "Principal": {"AWS": ["arn:aws:iam::111122223333:root", "bob"]}, "Action": "kms:*", "Resource": "*"}]}"#;
    let doubling = "{% set a = pair %}\n{% set a = a ~ a %}\n".repeat(40);
    let endless = "{% for a in [1, 2, 3, 4] %}".repeat(24);
    let endless = format!("{endless}{}", "{% endfor %}".repeat(24));
    let long =
        format!("{{% for a in [{}] %}}{}{{% endfor %}}", "1,".repeat(99), "x".repeat(64 << 10));
    let table: [(&str, &str, &str); 13] = [
        (
            "key.json.j2",
            &doubling,
            "key.json.j2:18: a value may grow to more than 256 times its length",
        ),
        ("key.json.j2", "\n{{ '*' * 9 }}", "key.json.j2:2: `*` is not allowed"),
        ("key.json.j2", &endless, "key.json.j2:1: it takes more than 10000000 steps"),
        ("key.json.j2", &long, "it renders more than 1048576 bytes"),
        (
            "replication-role.json.j2",
            "{\"Version\": \"2012-10-17\",\n \"Statement\": [",
            "at line 2 column",
        ),
        (
            "replication-role.json.j2",
            "{\n{{ no_such_variable }}",
            "replication-role.json.j2:2: undefined value",
        ),
        ("replication-role.json.j2", "{% if %}", "replication-role.json.j2:1: syntax error"),
        ("replication-role.json.j2", "[]", "is no JSON object with a `Statement`"),
        (
            "replication-role.json.j2",
            &oversize,
            "characters without white space, 10240 are allowed",
        ),
        ("key.json.j2", principal, "Statement[0].Principal.AWS[1]: \"bob\""),
        (
            "replication-role-trust.json.j2",
            r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"}}"#,
            "Statement[0]: the element Principal is missing",
        ),
        (
            "source-bucket.json.j2",
            r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"}]}"#,
            "Statement[0].Action: \"kms:*\" is not an action of s3",
        ),
        (
            "replication-role.json.j2",
            r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Action": "s3:x", "Resource": "*"}]}"#,
            "Action",
        ),
    ];
    let manifest = crate::manifest::parse(MANIFEST, &crate::manifest::Origin::Stdin, None).unwrap();
    for (name, text, wanted) in table {
        let (folder, templates) = overridden(name, text);
        let failure = try_all(&manifest, &templates).unwrap_err();
        assert_eq!(failure.kind, Kind::Manifest);
        let path = folder.path().join(name).display().to_string();
        assert!(failure.message.contains(&path), "{} names no {path}", failure.message);
        assert!(failure.message.contains(wanted), "{}\nwants: {wanted}", failure.message);
    }
}

#[test]
fn a_file_that_overrides_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("replication-rôle.json.j2"), "{}").unwrap();
    let error = Templates::overridden_by(folder.path()).unwrap_err();
    assert!(matches!(error, RenderError::UnknownTemplate(..)), "{error}");
    assert!(Templates::overridden_by(Path::new("/no/such/folder")).is_err());
}

/// A template that is too long only because of white space is valid: documents are sent without it.
#[test]
fn white_space_does_not_count() {
    let text = format!(
        "{{\"Version\": \"2012-10-17\",{}\"Statement\": [{{\"Sid\": \"A\", \"Effect\": \"Deny\", \"Principal\": \"*\", \
         \"Action\": \"s3:*\", \"Resource\": {{{{ bucket_arn | tojson }}}}}}]}}",
        " ".repeat(30_000)
    );
    let (_folder, templates) = overridden("source-bucket.json.j2", &text);
    let topology = topology(MANIFEST);
    assert!(render(&Document::SourceBucket, &topology, &keys(&topology), &templates).is_ok());
}
