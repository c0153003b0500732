//! The session tags of `AssumeRole`: those in the request, and the transitive tags of the calling
//! session, which a role chain passes on (IAM User Guide, "Pass session tags in AWS STS").
//! Not for: tags of users and roles (see `iam::tags`).

use super::invalid;
use crate::wire::{Fault, Params};
use crate::world::Caller;
use crrctl_iam::Context;

/// Maximum number of tags of a session (IAM User Guide, "IAM and AWS STS quotas").
const MOST: usize = 50;

/// The session tags of a new session.
#[derive(Debug, Default)]
pub(super) struct SessionTags {
    /// The tags in the request.
    asked: Vec<(String, String)>,
    /// The keys in the request that are set as transitive.
    transitive: Vec<String>,
    /// The transitive tags of the calling session.
    inherited: Vec<(String, String)>,
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn wrong(text: &str) -> Fault {
    Fault::bad("InvalidParameterValue", text)
}

impl SessionTags {
    /// Reads and checks the tags of a request. Tag keys are compared ignoring case (IAM User Guide,
    /// "Pass session tags in AWS STS"). The error for a transitive tag key that is not requested is
    /// recorded (`LocalStack`'s snapshot `test_assume_role_tag_validation`); the texts of the other
    /// two are not.
    pub(super) fn read(caller: &Caller, params: &Params) -> Result<Self, Fault> {
        let (asked, transitive) = (params.tags("Tags"), params.list("TransitiveTagKeys"));
        check_shapes(&asked)?;
        for (index, (key, _)) in asked.iter().enumerate() {
            if asked[..index].iter().any(|(other, _)| same(other, key)) {
                return Err(wrong(
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
        }
        let is_passed_on = |key: &str| {
            let mut keys = caller.temporary.iter().flat_map(|temporary| &temporary.transitive);
            keys.any(|other| same(other, key))
        };
        if asked.iter().any(|(key, _)| is_passed_on(key)) {
            return Err(wrong(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
            ));
        }
        if !transitive.iter().all(|key| asked.iter().any(|(other, _)| same(other, key))) {
            return Err(wrong(
                "The specified transitive tag key must be included in the requested tags.",
            ));
        }
        let tags = caller.temporary.iter().flat_map(|temporary| &temporary.tags);
        let inherited: Vec<_> = tags.filter(|(key, _)| is_passed_on(key)).cloned().collect();
        if asked.len() + inherited.len() > MOST {
            // Code and text are not recorded. Of STS's errors, this one is about the tags of the
            // session and not only about those in the request (STS API Reference, `AssumeRole`).
            return Err(Fault::bad(
                "PackedPolicyTooLarge",
                format!("A session can have at most {MOST} session tags, inherited ones included."),
            ));
        }
        Ok(Self { asked, transitive, inherited })
    }

    /// Returns whether the new session has no session tags. For tags, the caller needs
    /// `sts:TagSession`.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty() && self.inherited.is_empty()
    }

    /// Returns the number of characters of the tags in the request.
    pub(super) fn size(&self) -> usize {
        self.asked.iter().map(|(key, value)| key.chars().count() + value.chars().count()).sum()
    }

    /// Returns the condition keys of the request (IAM User Guide, "IAM and AWS STS condition
    /// context keys").
    pub(super) fn context(&self) -> Context {
        let mut context = Context::new();
        for (key, value) in &self.asked {
            context.set(&format!("aws:RequestTag/{key}"), value);
        }
        if !self.asked.is_empty() {
            context.set_all("aws:TagKeys", self.asked.iter().map(|(key, _)| key.clone()));
        }
        if !self.transitive.is_empty() {
            context.set_all("sts:TransitiveTagKeys", self.transitive.clone());
        }
        context
    }

    /// Returns all tags of the new session, and the keys of those that it passes on.
    pub(super) fn of_session(self) -> (Vec<(String, String)>, Vec<String>) {
        let passed = self.inherited.iter().map(|(key, _)| key.clone());
        let transitive = passed.chain(self.transitive).collect();
        (self.inherited.into_iter().chain(self.asked).collect(), transitive)
    }
}

/// Checks the number of tags and the shape of keys and values (STS API Reference, `Tag`; IAM User
/// Guide, "Rules for tagging": keys that begin with `aws:` are reserved).
fn check_shapes(tags: &[(String, String)]) -> Result<(), Fault> {
    let refused = |value: &str, member: &str, bound: &str| {
        Err(invalid(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {bound}"
        )))
    };
    if tags.len() > MOST {
        return refused("", "tags", "have length less than or equal to 50");
    }
    for (index, (key, value)) in tags.iter().enumerate() {
        let member = |part: &str| format!("tags.{}.member.{part}", index + 1);
        match key.chars().count() {
            0 => return refused(key, &member("key"), "have length greater than or equal to 1"),
            1..=128 => {}
            _ => return refused(key, &member("key"), "have length less than or equal to 128"),
        }
        if value.chars().count() > 256 {
            return refused(value, &member("value"), "have length less than or equal to 256");
        }
        let allowed = |c: char| {
            c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
        };
        for (text, part, times) in [(key, "key", "+"), (value, "value", "*")] {
            if !text.chars().all(allowed) {
                let bound = format!(
                    r"satisfy regular expression pattern: [\p{{L}}\p{{Z}}\p{{N}}_.:/=+\-@]{times}"
                );
                return refused(text, &member(part), &bound);
            }
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            let text = "Tag keys that begin with aws: are reserved.";
            return Err(Fault::bad("InvalidParameterValue", text));
        }
    }
    Ok(())
}
