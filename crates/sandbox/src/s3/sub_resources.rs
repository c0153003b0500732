//! The sub-resources of buckets and objects, which a request names in its query string. `s3s`
//! ignores those that it does not know, and would perform another operation: `PUT key?annotation`
//! would replace the object. So a request for a sub-resource that is not modelled is refused first.
//! Not for: the operations on the modelled ones.

use super::errors::not_implemented;
use super::host::Target;
use http::Method;
use http::request::Parts;
use s3s::{S3Result, s3_error};

/// All sub-resources (SDK model of S3, the query parameters without a value, and `uploadId`).
const ALL: [&str; 41] = [
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "annotation",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataAnnotationTable",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
];

/// The sub-resources of buckets that are modelled, by method.
const OF_BUCKETS: [(&Method, &[&str]); 4] = [
    (
        &Method::GET,
        &[
            "abac",
            "accelerate",
            "acl",
            "encryption",
            "lifecycle",
            "location",
            "logging",
            "notification",
            "object-lock",
            "ownershipControls",
            "policy",
            "policyStatus",
            "publicAccessBlock",
            "replication",
            "requestPayment",
            "tagging",
            "uploads",
            "versioning",
            "versions",
        ],
    ),
    (
        &Method::PUT,
        &[
            "abac",
            "accelerate",
            "acl",
            "encryption",
            "lifecycle",
            "logging",
            "notification",
            "object-lock",
            "ownershipControls",
            "policy",
            "publicAccessBlock",
            "replication",
            "requestPayment",
            "tagging",
            "versioning",
        ],
    ),
    (
        &Method::DELETE,
        &[
            "encryption",
            "lifecycle",
            "ownershipControls",
            "policy",
            "publicAccessBlock",
            "replication",
            "tagging",
        ],
    ),
    (&Method::POST, &["delete"]),
];

/// The sub-resources of objects that are modelled, by method.
const OF_OBJECTS: [(&Method, &[&str]); 4] = [
    (&Method::GET, &["acl", "attributes", "legal-hold", "retention", "tagging", "uploadId"]),
    (&Method::PUT, &["acl", "legal-hold", "retention", "tagging", "uploadId"]),
    (&Method::DELETE, &["tagging", "uploadId"]),
    (&Method::POST, &["uploadId", "uploads"]),
];

/// Refuses a request for a sub-resource that is not modelled, or not with this method. HEAD reads
/// the bucket or object itself.
pub(super) fn check(parts: &Parts, target: &Target) -> S3Result<()> {
    let is_object = !target.key.is_empty();
    let modelled = if is_object { &OF_OBJECTS } else { &OF_BUCKETS };
    let Some((method, known)) = modelled.iter().find(|(method, _)| parts.method == **method) else {
        return Ok(());
    };
    let query = parts.uri.query().unwrap_or_default();
    let names = || form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    let has = |name: &str| names().any(|other| other == name);
    if is_object && parts.method == Method::PUT && has("uploadId") != has("partNumber") {
        // A part has both; without them, the request would put the whole object.
        let text = "A part upload needs both uploadId and partNumber.";
        return Err(s3_error!(InvalidArgument, "{text}"));
    }
    let unknown = names().find(|name| ALL.contains(&&**name) && !known.contains(&&**name));
    match unknown {
        Some(name) => {
            let what = if is_object { "an object" } else { "a bucket" };
            Err(not_implemented(&format!("{method} of the sub-resource {name} of {what}")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::host::Hosts;

    #[test]
    fn only_modelled_sub_resources_pass() {
        let checked = |method: &Method, uri: &str| {
            let request = http::Request::builder().method(method).uri(uri);
            let parts = request.body(()).unwrap().into_parts().0;
            check(&parts, &Hosts::new(&[]).target(&parts))
        };
        let methods = [Method::GET, Method::PUT, Method::DELETE, Method::POST];
        for (path, table) in [("/b", OF_BUCKETS), ("/b/k", OF_OBJECTS)] {
            for method in &methods {
                if *method == Method::PUT {
                    assert!(checked(method, "/b/k?uploadId=u&partNumber=1").is_ok());
                }
                let known = table.iter().find(|(other, _)| *other == method).unwrap().1;
                for name in ALL {
                    if name == "uploadId" {
                        continue;
                    }
                    for query in [name.to_owned(), format!("x-id=A&{name}=1")] {
                        let passes = checked(method, &format!("{path}?{query}")).is_ok();
                        assert_eq!(passes, known.contains(&name), "{method} {path}?{query}");
                    }
                }
                assert!(checked(method, &format!("{path}?versionId=1&other")).is_ok());
            }
        }
        let refused = checked(&Method::PUT, "/b/k?annotation&annotationName=a").unwrap_err();
        assert!(refused.message().unwrap().contains("annotation"));
    }
}
