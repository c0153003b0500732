//! AWS managed policies. Not for: customer managed policies.

use crrctl_iam::Document;
use std::sync::LazyLock;

/// Returns the document of an AWS managed policy, if the sandbox models the policy.
pub(crate) fn aws_document(arn: &str) -> Option<&'static Document> {
    static ADMINISTRATOR: LazyLock<Option<Document>> = LazyLock::new(|| {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        Document::parse(text).ok()
    });
    arn.ends_with(":iam::aws:policy/AdministratorAccess").then_some(())?;
    ADMINISTRATOR.as_ref()
}
