//! Checks the names of principals in a policy.
//! Section: "AWS JSON policy elements: Principal".
//! Not for: whether a principal exists. S3, KMS and IAM check that when a policy is stored.

use super::DocumentKind;
use crate::document::{Finding, PrincipalKind, Principals, Scope};
use crate::names::Partition;

/// Checks the value of `Principal` or `NotPrincipal` at `path`.
pub(super) fn check(kind: DocumentKind, path: &str, scope: &Scope<Principals>) -> Vec<Finding> {
    let found = |path: String, message: &str| Finding { path, message: message.to_owned() };
    let listed = match (kind, scope) {
        (_, Scope::Only(Principals::Everyone)) => return Vec::new(),
        (DocumentKind::Rcp, _) => {
            return vec![found(
                path.to_owned(),
                "a resource control policy takes \"Principal\": \"*\" only",
            )];
        }
        (_, Scope::Except(Principals::Everyone)) => {
            return vec![found(path.to_owned(), "NotPrincipal can't leave out everyone")];
        }
        (
            _,
            Scope::Only(Principals::Listed(listed)) | Scope::Except(Principals::Listed(listed)),
        ) => listed,
    };
    let mut findings = Vec::new();
    for (principal, names) in listed {
        let path = format!("{path}.{}", principal.as_str());
        if let Err(message) = suits(kind, *principal) {
            findings.push(found(path.clone(), message));
        }
        for (index, name) in names.iter().enumerate() {
            let place = if names.len() == 1 { String::new() } else { format!("[{index}]") };
            if let Err(message) = shape(*principal, name) {
                findings.push(found(format!("{path}{place}"), &format!("\"{name}\" {message}")));
            }
        }
    }
    findings
}

/// Checks whether a kind of policy accepts a kind of principal.
fn suits(kind: DocumentKind, principal: PrincipalKind) -> Result<(), &'static str> {
    match (principal, kind) {
        (PrincipalKind::Federated, DocumentKind::TrustPolicy)
        | (PrincipalKind::CanonicalUser, DocumentKind::BucketPolicy)
        | (PrincipalKind::Aws | PrincipalKind::Service, _) => Ok(()),
        (PrincipalKind::Federated, _) => Err("Federated belongs into trust policies only"),
        (PrincipalKind::CanonicalUser, _) => Err("CanonicalUser belongs into bucket policies only"),
    }
}

fn shape(principal: PrincipalKind, name: &str) -> Result<(), &'static str> {
    match principal {
        PrincipalKind::Aws => aws(name),
        PrincipalKind::Service => {
            let word =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
            let shaped = name.contains('.')
                && !name.starts_with('.')
                && !name.ends_with('.')
                && name.chars().all(word);
            if shaped { Ok(()) } else { Err("is not a service principal such as s3.amazonaws.com") }
        }
        PrincipalKind::Federated => {
            let provider = parts(name).is_some_and(|(service, resource)| {
                service == "iam"
                    && (resource.starts_with("saml-provider/")
                        || resource.starts_with("oidc-provider/"))
            });
            let domain = name.contains('.') && !name.contains([':', '*', '?', ' ', '/']);
            if provider || domain { Ok(()) } else { Err("is not an identity provider") }
        }
        PrincipalKind::CanonicalUser => {
            let hex = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            if hex { Ok(()) } else { Err("is not a canonical user id of 64 hexadecimal digits") }
        }
    }
}

/// Checks an `AWS` principal: an account, a user, a role, a role session, a federated user, or `*`
/// for everyone. A wildcard can't stand for a part of a name.
fn aws(name: &str) -> Result<(), &'static str> {
    const RULE: &str = "is not a principal: write an ARN of IAM or STS, an account id or `*`";
    let account = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit());
    if name == "*" || account {
        return Ok(());
    }
    // AWS replaces a deleted principal with its unique id, and rejects such an id in a new policy.
    let unique = ["AIDA", "AROA"].iter().any(|prefix| name.starts_with(prefix));
    if unique && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("is the unique id of a user or role that was deleted");
    }
    if name.contains(['*', '?']) {
        return Err("has a wildcard: in a principal, `*` can only stand alone");
    }
    let (service, resource) = parts(name).ok_or(RULE)?;
    let named = |prefix: &str| {
        resource.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && !rest.ends_with('/'))
    };
    let session = || {
        let rest = resource.strip_prefix("assumed-role/").unwrap_or_default();
        rest.split('/').count() == 2 && rest.split('/').all(|part| !part.is_empty())
    };
    let known = match service {
        "iam" => resource == "root" || named("user/") || named("role/"),
        "sts" => named("federated-user/") || session(),
        _ => false,
    };
    if known { Ok(()) } else { Err(RULE) }
}

/// Returns the service and the resource of an ARN that has an account and no Region.
fn parts(name: &str) -> Option<(&str, &str)> {
    let mut parts = name.splitn(6, ':');
    let (scheme, partition) = (parts.next()?, parts.next()?);
    let (service, region, account, resource) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let known = scheme == "arn" && Partition::from_name(partition).is_some();
    (known && region.is_empty() && digits && !resource.contains(' ')).then_some((service, resource))
}
