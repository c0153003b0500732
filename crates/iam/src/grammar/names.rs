//! Checks the shapes of actions and resources.
//! Sections: "IAM JSON policy elements: Action" and "IAM JSON policy elements: Resource".
//! Not for: whether an action or a resource exists.

use super::DocumentKind;
use crate::names::Partition;
use crate::pattern::arn_parts;

/// Checks an action: `*`, or a service and a name with wildcards. Trust, key and bucket policies
/// accept only actions of their own service.
pub(super) fn action(kind: DocumentKind, text: &str) -> Result<(), String> {
    let own = match kind {
        DocumentKind::TrustPolicy => Some("sts"),
        DocumentKind::KeyPolicy => Some("kms"),
        DocumentKind::BucketPolicy => Some("s3"),
        _ => None,
    };
    if text == "*" {
        return match kind {
            DocumentKind::TrustPolicy => Err("a trust policy takes actions of sts only".into()),
            _ => Ok(()),
        };
    }
    let shaped = text.split_once(':').filter(|(service, name)| {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '?');
        !service.is_empty()
            && service.chars().all(word)
            && !name.is_empty()
            && name.chars().all(named)
    });
    let Some((service, _)) = shaped else {
        return Err(format!(
            "\"{text}\" is not an action: write `service:Name`, with `*` and `?` in the name"
        ));
    };
    match own {
        Some(own) if !service.eq_ignore_ascii_case(own) => {
            Err(format!("\"{text}\" is not an action of {own}, which alone can stand here"))
        }
        _ => Ok(()),
    }
}

/// Checks a resource: `*` or an ARN with wildcards.
///
/// Section: "Identify AWS resources with ARNs": identity-based policies may omit the last parts of
/// an ARN; the service has no wildcard.
pub(super) fn resource(kind: DocumentKind, text: &str) -> Result<(), String> {
    if text == "*" {
        return Ok(());
    }
    let parts = arn_parts(text);
    let incomplete = matches!(
        kind,
        DocumentKind::RolePolicy
            | DocumentKind::UserPolicy
            | DocumentKind::ManagedPolicy
            | DocumentKind::Scp
    );
    let enough = parts.len() == 6 || (incomplete && parts.len() >= 3);
    if parts.first() != Some(&"arn") || !enough {
        return Err(format!("\"{text}\" is not a resource: write an ARN or `*`"));
    }
    let wild = |part: &str| part.contains(['*', '?']);
    if !wild(parts[1]) && Partition::from_name(parts[1]).is_none() {
        return Err(format!("\"{}\" is not a partition", parts[1]));
    }
    if parts[2].is_empty() || wild(parts[2]) {
        return Err("the service of an ARN is written out, without wildcards".into());
    }
    if kind.is_identitys() {
        place_of_identitys(&parts)?;
    }
    if parts.last().is_some_and(|last| last.is_empty()) {
        return Err(format!("\"{text}\" names nothing after its last colon"));
    }
    if kind == DocumentKind::BucketPolicy && parts[2] != "s3" {
        return Err(format!("\"{text}\" is not a bucket or object"));
    }
    let account = parts.get(4).copied().unwrap_or_default();
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let plain = account.is_empty() || account == "aws" || wild(account) || account.contains("${");
    if digits || plain { Ok(()) } else { Err(format!("\"{account}\" is not an account id")) }
}

/// The beginnings of resources of IAM (recorded in IAM's error message, 2026).
const IAM_PATHS: [&str; 13] = [
    "user/",
    "federated-user/",
    "role/",
    "group/",
    "instance-profile/",
    "mfa/",
    "server-certificate/",
    "policy/",
    "sms-mfa/",
    "saml-provider/",
    "oidc-provider/",
    "report/",
    "access-report/",
];

/// Checks what IAM knows of the ARNs of two services in the policies of users and roles.
fn place_of_identitys(parts: &[&str]) -> Result<(), String> {
    let [_, _, service, region, account, resource] = parts else { return Ok(()) };
    let odd = |part: &str| part.contains(['*', '?']) || part.contains("${");
    let has_region = !region.is_empty() && !odd(region);
    match *service {
        "iam" | "s3" if has_region && (*service == "iam" || account.is_empty()) => {
            Err(format!("an ARN of {service} has no Region"))
        }
        "iam" if *resource == "root" || odd(resource) => Ok(()),
        "iam" if !IAM_PATHS.iter().any(|path| resource.starts_with(path)) => {
            Err(format!("\"{resource}\" is no resource of IAM such as role/NAME"))
        }
        _ => Ok(()),
    }
}
