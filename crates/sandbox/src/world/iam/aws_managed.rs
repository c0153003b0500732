//! AWS managed policies: those whose documents the sandbox knows, in their default version.
//! Not for: customer managed policies, and the policies of service-linked roles, of which only the
//! names are known (see `linked_services`).

use crrctl_iam::Document;
use std::sync::LazyLock;

/// An AWS managed policy of the AWS Managed Policy Reference. Documents and default versions are
/// those that `GetPolicyVersion` returned (a public archive of its answers, read 2026-11). Ids,
/// descriptions and the times of creation are from published outputs of `ListPolicies`; not each
/// was compared with AWS.
#[derive(Debug)]
pub(crate) struct AwsManaged {
    pub(crate) name: &'static str,
    pub(crate) id: &'static str,
    pub(crate) description: &'static str,
    pub(crate) created: &'static str,
    /// When the default version was created.
    pub(crate) updated: &'static str,
    /// The id of the default version.
    pub(crate) version: &'static str,
    pub(crate) text: &'static str,
}

/// The policies whose documents the sandbox knows.
static POLICIES: [AwsManaged; 8] = [
    AwsManaged {
        name: "AdministratorAccess",
        id: "ANPAIWMBCKSKIEE64ZLYK",
        description: "Provides full access to AWS services and resources.",
        created: "2015-02-06T18:39:46Z",
        updated: "2015-02-06T18:39:46Z",
        version: "v1",
        text: include_str!("aws_managed/AdministratorAccess.json"),
    },
    AwsManaged {
        name: "PowerUserAccess",
        id: "ANPAJYRXTHIB4FOVS3ZXS",
        description: "Provides full access to AWS services and resources, but does not allow \
                      management of Users and groups.",
        created: "2015-02-06T18:39:47Z",
        updated: "2026-02-12T17:59:14Z",
        version: "v12",
        text: include_str!("aws_managed/PowerUserAccess.json"),
    },
    AwsManaged {
        name: "AmazonS3FullAccess",
        id: "ANPAIFIR6V6BVTRAHWINE",
        description: "Provides full access to all buckets via the AWS Management Console.",
        created: "2015-02-06T18:40:58Z",
        updated: "2021-09-27T20:16:37Z",
        version: "v2",
        text: include_str!("aws_managed/AmazonS3FullAccess.json"),
    },
    AwsManaged {
        name: "AmazonS3ReadOnlyAccess",
        id: "ANPAIZTJ4DXE7G6AGAE6M",
        description: "Provides read only access to all buckets via the AWS Management Console.",
        created: "2015-02-06T18:40:59Z",
        updated: "2023-08-10T21:31:39Z",
        version: "v3",
        text: include_str!("aws_managed/AmazonS3ReadOnlyAccess.json"),
    },
    AwsManaged {
        name: "IAMFullAccess",
        id: "ANPAI7XKCFMBPM3QQRRVQ",
        description: "Provides full access to IAM via the AWS Management Console.",
        created: "2015-02-06T18:40:38Z",
        updated: "2019-06-21T19:40:00Z",
        version: "v2",
        text: include_str!("aws_managed/IAMFullAccess.json"),
    },
    AwsManaged {
        name: "IAMReadOnlyAccess",
        id: "ANPAJKSO7NDY4T57MWDSQ",
        description: "Provides read only access to IAM via the AWS Management Console.",
        created: "2015-02-06T18:40:39Z",
        updated: "2018-01-25T19:11:27Z",
        version: "v4",
        text: include_str!("aws_managed/IAMReadOnlyAccess.json"),
    },
    AwsManaged {
        name: "AWSKeyManagementServicePowerUser",
        id: "ANPAJNPP7PPPPMJRV2SA4",
        description: "Provides access to AWS Key Management Service (KMS).",
        created: "2015-02-06T18:40:40Z",
        updated: "2017-03-07T00:55:11Z",
        version: "v2",
        text: include_str!("aws_managed/AWSKeyManagementServicePowerUser.json"),
    },
    AwsManaged {
        name: "AWSLambdaExecute",
        id: "ANPAJE5FX7FQZSU5XAKGO",
        description: "Provides Put, Get access to S3 and full access to CloudWatch Logs.",
        created: "2015-02-06T18:40:46Z",
        updated: "2015-02-06T18:40:46Z",
        version: "v1",
        text: include_str!("aws_managed/AWSLambdaExecute.json"),
    },
];

/// Returns an AWS managed policy by its ARN, if the sandbox knows its document.
pub(crate) fn aws_managed(arn: &str) -> Option<&'static AwsManaged> {
    let (_, name) = arn.split_once(":iam::aws:policy/")?;
    POLICIES.iter().find(|policy| policy.name == name)
}

/// Returns the document of an AWS managed policy, if the sandbox knows it.
pub(crate) fn aws_document(arn: &str) -> Option<&'static Document> {
    static DOCUMENTS: LazyLock<Vec<Option<Document>>> =
        LazyLock::new(|| POLICIES.iter().map(|it| Document::parse(it.text).ok()).collect());
    let name = aws_managed(arn)?.name;
    let index = POLICIES.iter().position(|policy| policy.name == name)?;
    DOCUMENTS.get(index)?.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_a_policy() {
        for policy in &POLICIES {
            let arn = format!("arn:aws:iam::aws:policy/{}", policy.name);
            assert!(aws_document(&arn).is_some(), "{}", policy.name);
            let flaws = crrctl_iam::check(crrctl_iam::DocumentKind::ManagedPolicy, policy.text);
            assert!(flaws.is_empty(), "{}: {flaws:?}", policy.name);
        }
        assert!(aws_document("arn:aws:iam::aws:policy/Unknown").is_none());
    }
}
