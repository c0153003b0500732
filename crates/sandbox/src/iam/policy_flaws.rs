//! What IAM says of a policy document that it refuses. Recorded answers of IAM (2026): its texts,
//! and which of several flaws it names.
//! Not for: finding the flaws (see `crrctl_iam::check`), and the texts of KMS, S3 and STS.

use crate::wire::Fault;
use crate::wire::query::malformed;
use crate::world::Flaw;
use crrctl_iam::names::Partition;
use crrctl_iam::{DocumentKind, check};
use serde_json::Value;

/// How early IAM looks for a flaw; the first of them is named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Syntax,
    Version,
    Legacy,
    Sid,
    Missing,
    Resource,
    Action,
}

const SYNTAX: &str = "Syntax errors in policy.";
const LEGACY: &str = "The policy failed legacy parsing";
const PATHS: &str = "IAM resource path must either be \"*\", root, or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.";

/// Converts the flaw of a document to the error of IAM.
pub(super) fn refused(kind: DocumentKind, text: &str, flaw: &Flaw) -> Fault {
    let finding = match flaw {
        Flaw::Malformed(finding) => finding,
        Flaw::NotJson(_) if kind != DocumentKind::TrustPolicy => return malformed_as(SYNTAX),
        Flaw::NotJson(_) | Flaw::Principal(_) => return malformed(kind, flaw),
    };
    tracing::info!(%finding, "a policy is malformed");
    let document = serde_json::from_str(text).unwrap_or(Value::Null);
    let said = check(kind, text).into_iter().map(|finding| said(kind, &document, &finding.path));
    let first = said.min_by_key(|(step, _)| *step);
    malformed_as(first.map_or_else(|| SYNTAX.to_owned(), |(_, text)| text))
}

fn malformed_as(text: impl Into<String>) -> Fault {
    Fault::bad("MalformedPolicyDocument", text)
}

/// Returns what IAM says of a flaw at this place, and when.
fn said(kind: DocumentKind, document: &Value, path: &str) -> (Step, String) {
    let syntax = || (Step::Syntax, SYNTAX.to_owned());
    let Some(rest) = path.strip_prefix("Statement[") else {
        let statement = document.get("Statement").is_some();
        let old = document.get("Version").is_none_or(|version| version == "2008-10-17");
        return if path.is_empty() && statement && old {
            let text = "Policy document must be version 2012-10-17 or greater.";
            (Step::Version, text.to_owned())
        } else {
            syntax()
        };
    };
    let Some((index, element)) = rest.split_once(']') else { return syntax() };
    let statement = match &document["Statement"] {
        Value::Array(list) => index.parse().ok().and_then(|index: usize| list.get(index)),
        single => Some(single),
    };
    let Some(Value::Object(statement)) = statement else { return syntax() };
    let (name, place) = named(element);
    let Some(value) = statement.get(name) else {
        let has = |names: [&str; 2]| names.iter().any(|name| statement.contains_key(*name));
        return match element {
            "" if !statement.contains_key("Effect") => syntax(),
            "" if !has(["Action", "NotAction"]) => missing("actions"),
            "" if !has(["Resource", "NotResource"]) => missing("resources"),
            _ => syntax(),
        };
    };
    let value = place.and_then(|place| value.get(place)).unwrap_or(value);
    let value = match value {
        Value::Array(list) if list.len() == 1 && list[0].is_string() => &list[0],
        other => other,
    };
    match (name, value) {
        ("Effect", Value::String(effect))
            if ["allow", "deny"].contains(&effect.to_lowercase().as_str()) =>
        {
            (Step::Legacy, LEGACY.to_owned())
        }
        ("Sid", Value::String(sid)) => (Step::Sid, of_sid(sid).to_owned()),
        ("Resource" | "NotResource", _) if kind == DocumentKind::TrustPolicy => {
            (Step::Resource, format!("Has prohibited field {name}"))
        }
        // Both forms of an element are an error of syntax.
        ("Action" | "NotAction", _)
            if statement.contains_key("Action") && statement.contains_key("NotAction") =>
        {
            syntax()
        }
        ("Resource" | "NotResource", _)
            if statement.contains_key("Resource") && statement.contains_key("NotResource") =>
        {
            syntax()
        }
        // A list in a list is an error of syntax.
        (_, Value::Array(_)) if place.is_some() => syntax(),
        ("Action" | "NotAction", Value::Array(list)) if list.is_empty() => missing("actions"),
        ("Resource" | "NotResource", Value::Array(list)) if list.is_empty() => missing("resources"),
        ("Action" | "NotAction", Value::String(action)) => (Step::Action, of_action(kind, action)),
        ("Resource" | "NotResource", Value::String(resource)) => of_resource(resource),
        ("Condition", _) if is_value(element, statement) => (Step::Legacy, LEGACY.to_owned()),
        _ => syntax(),
    }
}

fn missing(what: &str) -> (Step, String) {
    (Step::Missing, format!("Policy statement must contain {what}."))
}

/// Returns the element and the place in its list that a path such as `.Action[1]` names.
fn named(element: &str) -> (&str, Option<usize>) {
    let element = element.trim_start_matches('.');
    let name = element.split(['.', '[']).next().unwrap_or_default();
    let place = element[name.len()..].strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    (name, place.and_then(|place| place.parse().ok()))
}

fn of_sid(sid: &str) -> &'static str {
    if sid.chars().all(|c| c.is_ascii_alphanumeric()) {
        "Statement IDs (SID) in a single policy must be unique."
    } else {
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
    }
}

fn of_action(kind: DocumentKind, action: &str) -> String {
    if kind == DocumentKind::TrustPolicy {
        return "AssumeRole policy may only specify STS AssumeRole actions.".to_owned();
    }
    let Some((vendor, name)) = action.split_once(':') else {
        return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
            .to_owned();
    };
    if name.contains(':') {
        return "Actions/Condition can contain only one colon.".to_owned();
    }
    format!("Vendor {vendor} is not valid")
}

/// IAM takes the parts of a resource for those of an ARN, whatever the first of them, and fills it
/// up.
fn of_resource(resource: &str) -> (Step, String) {
    if !resource.contains(':') {
        let text = format!("Resource {resource} must be in ARN format or \"*\".");
        return (Step::Resource, text);
    }
    let mut parts: Vec<_> = resource.splitn(6, ':').collect();
    let is_short = parts.len() < 6;
    parts.resize(6, "*");
    parts[0] = "arn";
    if Partition::from_name(parts[1]).is_none() {
        let (partition, whole) = (parts[1], parts.join(":"));
        let text = format!("Partition \"{partition}\" is not valid for resource \"{whole}\".");
        return (Step::Resource, text);
    }
    let text = match (parts[2], parts[3]) {
        (service, _) if service.contains(['*', '?']) => {
            "Resource vendor must be fully qualified and cannot contain regexes.".to_owned()
        }
        ("", _) => return (Step::Legacy, LEGACY.to_owned()),
        _ if is_short => return (Step::Legacy, LEGACY.to_owned()),
        ("iam", "") => PATHS.to_owned(),
        ("iam", _) => format!("IAM resource {resource} cannot contain region information."),
        ("s3", region) if !region.is_empty() => {
            format!("Resource {resource} can not contain region information.")
        }
        _ => return (Step::Legacy, LEGACY.to_owned()),
    };
    (Step::Resource, text)
}

/// Returns whether the path of a flaw in a condition is that of values, which are strings.
fn is_value(element: &str, statement: &serde_json::Map<String, Value>) -> bool {
    let Some((operator, key)) =
        element.strip_prefix(".Condition.").and_then(|path| path.split_once('.'))
    else {
        return false;
    };
    let value = &statement["Condition"][operator][key];
    let listed = value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    value.is_string() || listed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Returns what IAM says of a policy whose one statement has these members beside or in place
    /// of its own; null removes a member.
    fn of(changes: &Value) -> String {
        let mut statement = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
        for (name, value) in changes.as_object().unwrap() {
            statement[name] = value.clone();
        }
        statement.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        whole(&json!({"Version": "2012-10-17", "Statement": statement}))
    }

    fn whole(document: &Value) -> String {
        let flaw = Flaw::Malformed("x".to_owned());
        refused(DocumentKind::ManagedPolicy, &document.to_string(), &flaw).message
    }

    #[test]
    fn each_flaw_has_its_text() {
        for (changes, expected) in [
            (json!({"Effect": "maybe"}), SYNTAX),
            (json!({"Effect": null}), SYNTAX),
            (json!({"Effect": "allow"}), LEGACY),
            (json!({"Action": null}), "Policy statement must contain actions."),
            (json!({"Action": []}), "Policy statement must contain actions."),
            (json!({"Action": {}}), SYNTAX),
            (json!({"Action": [[]]}), SYNTAX),
            (json!({"Action": "get"}), "Actions/Conditions must be prefaced by a vendor"),
            (json!({"Action": ["s3:Get", "a:b:c"]}), "Actions/Condition can contain only one"),
            (json!({"Action": "a b:Get"}), "Vendor a b is not valid"),
            (json!({"NotAction": "s3:Get"}), SYNTAX),
            (json!({"Resource": null}), "Policy statement must contain resources."),
            (json!({"Resource": ""}), "Resource  must be in ARN format or \"*\"."),
            (
                json!({"Resource": "aws:kms:key"}),
                "Partition \"kms\" is not valid for resource \"arn:kms:key:*:*:*\".",
            ),
            (json!({"Resource": "arn:aws"}), "Resource vendor must be fully qualified"),
            (json!({"Resource": "arn:aws:s3::bucket"}), LEGACY),
            (json!({"Resource": "arn:aws:iam:::bucket"}), PATHS),
            (
                json!({"Resource": "arn:aws:iam:eu-west-1::role/r"}),
                "IAM resource arn:aws:iam:eu-west-1::role/r cannot contain",
            ),
            (
                json!({"Resource": "arn:aws:s3:eu-west-1::b"}),
                "Resource arn:aws:s3:eu-west-1::b can not contain",
            ),
            (json!({"Condition": []}), SYNTAX),
            (json!({"Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}}}), LEGACY),
        ] {
            let text = of(&changes);
            assert!(text.starts_with(expected), "{changes}: {text}");
        }
    }

    #[test]
    fn of_several_flaws_the_first_step_is_named() {
        let old = "Policy document must be version 2012-10-17 or greater.";
        assert_eq!(whole(&json!({"Statement": {"Effect": "allow"}})), old);
        assert_eq!(whole(&json!({"Version": "2012-10-17"})), SYNTAX);
        assert_eq!(
            of(&json!({"Action": "x", "Resource": null})),
            "Policy statement must contain resources."
        );
        assert_eq!(
            of(&json!({"Action": "x", "Resource": "y"})),
            "Resource y must be in ARN format or \"*\"."
        );
        assert_eq!(of(&json!({"Action": null, "Resource": "arn:aws:s3::b"})), LEGACY);
        let same = json!([{"Sid": "a", "Effect": "Allow", "Action": "s3:Get", "Resource": "*"}, {"Sid": "a", "Effect": "Allow"}]);
        assert!(
            whole(&json!({"Version": "2012-10-17", "Statement": same}))
                .starts_with("Statement IDs")
        );
    }
}
