//! The policy simulator: the policy and the position of each statement that decided. Sources: IAM
//! API Reference, `SimulatePrincipalPolicy` and `Statement`.
//! Not for: the decisions (see `access`).

use super::{ACCOUNT, Stand};
use aws_sdk_iam::types::{EvaluationResult, Statement};

/// Returns a policy with one allowing statement, which starts on the line `line`.
fn allow(action: &str, line: usize) -> String {
    let lines = "\n".repeat(line - 1);
    format!(
        r#"{{"Version":"2012-10-17",{lines}"Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#
    )
}

fn shown(result: &EvaluationResult) -> Vec<(String, i32)> {
    let one = |it: &Statement| {
        let name = it.source_policy_id().unwrap_or_default().to_owned();
        (name, it.start_position().map_or(0, aws_sdk_iam::types::Position::line))
    };
    result.matched_statements().iter().map(one).collect()
}

#[tokio::test]
async fn policies_of_the_same_name_are_told_apart() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    stand.user("worker", &allow("sts:GetCallerIdentity", 2)).await;
    for (name, action, line) in [
        ("user_worker_own", "s3:ListBucket", 3),
        ("AmazonS3FullAccess", "kms:Decrypt", 4),
        ("PolicyInputList.1", "kms:Encrypt", 5),
    ] {
        let create = iam.create_policy().policy_name(name).policy_document(allow(action, line));
        let arn = create.send().await.unwrap().policy.unwrap().arn.unwrap();
        iam.attach_user_policy().user_name("worker").policy_arn(arn).send().await.unwrap();
    }
    let aws = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
    iam.attach_user_policy().user_name("worker").policy_arn(aws).send().await.unwrap();
    for (action, name, line) in [
        ("sts:GetCallerIdentity", "user_worker_own", 2),
        ("s3:ListBucket", "user_worker_own", 3),
        ("kms:Decrypt", "AmazonS3FullAccess", 4),
        ("kms:Encrypt", "PolicyInputList.1", 5),
        ("kms:ListKeys", "PolicyInputList.1", 7),
    ] {
        let simulate = iam.simulate_principal_policy().action_names(action);
        let simulate = simulate.policy_source_arn(format!("arn:aws:iam::{ACCOUNT}:user/worker"));
        let simulate = simulate.policy_input_list(allow("kms:ListKeys", 7)).send().await.unwrap();
        let found = shown(&simulate.evaluation_results()[0]);
        assert!(found.contains(&(name.to_owned(), line)), "{action}: {found:?}");
    }
}

#[tokio::test]
async fn statements_of_a_boundary_name_their_policy() {
    let stand = Stand::start().await;
    let iam = stand.iam();
    stand.user("worker", &allow("*", 2)).await;
    let deny = |line: usize| allow("s3:*", line).replace("Allow", "Deny");
    let create = iam.create_policy().policy_name("edge").policy_document(deny(3));
    let arn = create.send().await.unwrap().policy.unwrap().arn.unwrap();
    let put = iam.put_user_permissions_boundary().user_name("worker").permissions_boundary(arn);
    put.send().await.unwrap();
    let list = "PermissionsBoundaryPolicyInputList.1";
    for (given, edge) in [(None, ("edge", 3)), (Some(vec![deny(4)]), (list, 4))] {
        let simulate = iam.simulate_principal_policy().action_names("s3:GetObject");
        let simulate = simulate.policy_source_arn(format!("arn:aws:iam::{ACCOUNT}:user/worker"));
        let simulate = simulate.set_permissions_boundary_policy_input_list(given);
        let simulated = simulate.send().await.unwrap();
        let found = shown(&simulated.evaluation_results()[0]);
        assert_eq!(found, [(edge.0.to_owned(), edge.1)]);
    }
}
