//! Decides one request from the policies of a role: `cargo run --example decide`.
//! Not for: resource-based policies.

use crrctl_iam::names::{AccountId, Arn};
use crrctl_iam::{
    Context, Decision, Document, DocumentKind, Named, Policies, Principal, Request, check, evaluate,
};
use std::error::Error;
use std::io::Write;

const POLICY: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [{
        "Sid": "ReadForReplication",
        "Effect": "Allow",
        "Action": "s3:GetObjectVersionForReplication",
        "Resource": "arn:aws:s3:::orders-src/*"
    }]
}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    for finding in check(DocumentKind::RolePolicy, POLICY) {
        writeln!(out, "IAM would refuse it: {finding}")?;
    }
    let document = Document::parse(POLICY)?;
    let identity = vec![Named { name: "role policy", document: &document }];
    let policies = Policies { identity, ..Policies::default() };
    for action in ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"] {
        let principal = Principal::RoleSession {
            role: Arn::new("arn:aws:iam::111122223333:role/replication")?,
            session: "s3-replication".to_owned(),
            id: None,
        };
        let owner = AccountId::new("111122223333")?;
        let object = "arn:aws:s3:::orders-src/2026/1.json";
        let request = Request::new(principal, action, object, owner, Context::new());
        match evaluate(&request, &policies) {
            Decision::Allow { by } => {
                let by: Vec<String> = by.iter().map(ToString::to_string).collect();
                writeln!(out, "{action} is allowed by {}", by.join(" and "))?;
            }
            Decision::ImplicitDeny { why } => writeln!(out, "{action} is denied: {why}")?,
            Decision::ExplicitDeny { by } => writeln!(out, "{action} is denied by {by}")?,
        }
    }
    Ok(())
}
