//! The reason of each action of a plan, in plain language, made from its work.
//! Not for: what is done (see `plan::work`), or the lines and tables around the reason.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::events::Verb;
use crate::plan::Work;
use crate::plan::work::{
    Adoption, AlarmDiffers, BucketTagsWork, BucketWork, DroppedRuleWork, Holds, KeyDiffers,
    NotificationDiffers, Owned, PolicyDiffers, RoleDiffers, RolePolicyDiffers, RuleRole,
    RulesBucket, RulesRemoved, RulesWritten, SharedDocument, TagsDiffer, WhyLeft, WhyRemoved,
};
use crate::settings::{Change, Setting};
use std::fmt::Write;

const MISSING: &str = "missing";
const UNCHANGED: &str = "unchanged";
const CUT_OFF: &str = "an empty creation that was cut off";

/// Returns why `work` is done.
pub fn reason(work: &Work) -> String {
    match work {
        Work::Key(work) | Work::ReplicaKey(work) => owned(work, key, |why| removed(*why)),
        Work::SharedKey(_) => differs(&["shared"]),
        Work::Alias(work) => owned(work, |_| differs(&["target"]), |why| removed(*why)),
        Work::Rotation(work) => rotation(work),
        Work::Bucket(work) => bucket(work),
        Work::BucketTags(work) => bucket_tags(work),
        Work::Document(change) => document(change),
        Work::BucketPolicy(work) => {
            shared(work, |it| differs(&[&["statements"], &gone(it)[..]].concat()))
        }
        Work::Lifecycle(work) => shared(work, |_| differs(&["rule"])),
        Work::Notification(work) => shared(work, notification),
        Work::Role(work) => owned(work, role, |why| removed(*why)),
        Work::RolePolicy(work) => owned(work, role_policy, |why| removed(*why)),
        Work::Rules(work) => rules(work),
        Work::DroppedRule(DroppedRuleWork::Remove { .. }) => removed(WhyRemoved::Dropped),
        Work::DroppedRule(DroppedRuleWork::Leave(why)) => left(why),
        Work::Alarm(work) => owned(work, alarm, |why| removed(*why)),
    }
}

fn differs(labels: &[&str]) -> String {
    format!("differs in {}", labels.join(", "))
}

fn rotation(work: &Setting<Option<u32>>) -> String {
    match work {
        Setting::Create(_) => MISSING.to_owned(),
        Setting::Update { .. } | Setting::Restore { .. } => differs(&["period"]),
        Setting::Unchanged => UNCHANGED.to_owned(),
    }
}

fn document(change: &Change) -> String {
    if change.is_restored() {
        return format!("it is put back as it was: {}", change.labels().join(", "));
    }
    match change.verb() {
        Verb::None => UNCHANGED.to_owned(),
        Verb::Create => MISSING.to_owned(),
        Verb::Update | Verb::Adopt | Verb::Delete | Verb::Orphan => differs(&change.labels()),
    }
}

fn shared<Made, Differs>(
    work: &SharedDocument<Made, Differs>,
    differing: impl FnOnce(&Differs) -> String,
) -> String {
    match work {
        SharedDocument::Create(_) => MISSING.to_owned(),
        SharedDocument::Update(it) => differing(it),
        SharedDocument::Remove => removed(WhyRemoved::PairGoes),
        SharedDocument::Unchanged => UNCHANGED.to_owned(),
    }
}

fn owned<Made, Differs, Removed>(
    work: &Owned<Made, Differs, Removed>,
    differing: impl FnOnce(&Differs) -> String,
    going: impl FnOnce(&Removed) -> String,
) -> String {
    match work {
        Owned::Create(_) => MISSING.to_owned(),
        Owned::Update(it) => differing(it),
        Owned::Remove(it) => going(it),
        Owned::Leave(why) => left(why),
        Owned::Unchanged => UNCHANGED.to_owned(),
    }
}

/// Returns the labels, or, if only the expiry date differs, what that means.
fn differs_with_tags(mut labels: Vec<&str>, tags: &TagsDiffer) -> String {
    let TagsDiffer { set, expires } = tags;
    if !set.is_empty() {
        labels.push("tags");
    }
    if expires.is_some() {
        if labels.is_empty() {
            return "it was ephemeral, and stays from now on".to_owned();
        }
        labels.push("expires");
    }
    differs(&labels)
}

fn key(KeyDiffers { state, policy, tags }: &KeyDiffers) -> String {
    let mut labels = Vec::new();
    labels.extend(state.as_ref().map(|_| "state"));
    if let Some(policy) = policy {
        labels.push("policy");
        labels.extend(gone(policy));
    }
    differs_with_tags(labels, tags)
}

fn notification(NotificationDiffers { from, to }: &NotificationDiffers) -> String {
    let Some(to) = to else { return removed(WhyRemoved::Dropped) };
    differs(&from.differences(to))
}

fn gone(policy: &PolicyDiffers) -> Vec<&'static str> {
    let has_gone = !policy.deleted_principals.is_empty();
    has_gone.then_some("principals that were deleted").into_iter().collect()
}

fn bucket(work: &BucketWork) -> String {
    match work {
        BucketWork::Create(_) => MISSING.to_owned(),
        BucketWork::Adopt(Adoption::CutOffCreation) => CUT_OFF.to_owned(),
        BucketWork::Adopt(Adoption::Existing) => {
            "exists: its settings are managed, it is never deleted".to_owned()
        }
        BucketWork::Remove { why, holds } => match holds {
            None => removed(*why),
            Some(Holds::Nothing) => format!("{}, empty", removed(*why)),
            Some(Holds::Reports(reports)) => {
                format!("{}, holds {reports} versions of reports", removed(*why))
            }
            Some(Holds::Probes(probes)) => {
                format!("{}, holds {probes} versions of probes", removed(*why))
            }
            Some(Holds::Objects) => {
                format!("{}, and --purge-data deletes what is in it", removed(*why))
            }
        },
        BucketWork::Leave(WhyLeft::NotPruned) => {
            "ours, and the manifest no longer names it: left as it is (`--prune` removes it, if no objects but probes lie in it)"
                .to_owned()
        }
        BucketWork::Leave(why) => left(why),
        BucketWork::Unchanged => UNCHANGED.to_owned(),
    }
}

fn bucket_tags(work: &BucketTagsWork) -> String {
    match work {
        BucketTagsWork::Create(_) => MISSING.to_owned(),
        BucketTagsWork::Adopt(_) => CUT_OFF.to_owned(),
        BucketTagsWork::Update(tags) => differs_with_tags(Vec::new(), tags),
        BucketTagsWork::Remove => removed(WhyRemoved::PairGoes),
        BucketTagsWork::Unchanged => UNCHANGED.to_owned(),
    }
}

fn role(RoleDiffers { trust, boundary, tags }: &RoleDiffers) -> String {
    let mut labels = Vec::new();
    labels.extend(trust.as_ref().map(|_| "trust policy"));
    labels.extend(boundary.as_ref().map(|_| "permissions boundary"));
    differs_with_tags(labels, tags)
}

/// Returns what of an alarm differs, by the names that CloudWatch gives it.
fn alarm(AlarmDiffers { says, tags }: &AlarmDiffers) -> String {
    let labels = says.iter().flat_map(|change| change.labels());
    differs_with_tags(labels.collect(), tags)
}

fn role_policy(differing: &RolePolicyDiffers) -> String {
    match differing {
        RolePolicyDiffers::Statements(_) => differs(&["statements"]),
        RolePolicyDiffers::Pruned => "the destinations that go need it no more".to_owned(),
    }
}

fn rules(work: &Owned<RulesWritten, RulesWritten, RulesRemoved>) -> String {
    match work {
        Owned::Create(written) => format!("{MISSING}{}", consequences(written)),
        Owned::Update(written) => {
            let mut labels = Vec::new();
            labels.extend(written.replaced_role.as_ref().map(|_| "role"));
            labels.extend(written.rules.as_ref().map(|_| "rules"));
            labels.extend(written.role_is_fresh.then_some("a role that may not have spread"));
            format!("{}{}", differs(&labels), consequences(written))
        }
        Owned::Remove(RulesRemoved { why, bucket }) => match bucket {
            RulesBucket::TakesThemAlong => format!("{}, goes with its bucket", removed(*why)),
            RulesBucket::GoesLater | RulesBucket::Stays => removed(*why),
        },
        Owned::Leave(why) => left(why),
        Owned::Unchanged => UNCHANGED.to_owned(),
    }
}

/// Returns what else to know about rules that are written.
fn consequences(written: &RulesWritten) -> String {
    let mut text = String::new();
    if written.others_get_role {
        text.push_str("; rules of others get this role too");
    }
    if let Some(rule) = &written.unselecting {
        let _ = write!(text, "; the rule `{rule}` of others selects no SSE-KMS objects");
    }
    let _ = match &written.role {
        RuleRole::Own(_) => Ok(()),
        RuleRole::Given(role) => write!(text, "; by {role}, as it is"),
        RuleRole::OfOthers(role) => write!(text, "; by {role}, which rules of others have"),
    };
    if written.proven_first {
        text.push_str("; proven on probes alone before it goes live");
    }
    text
}

fn removed(why: WhyRemoved) -> String {
    match why {
        WhyRemoved::PairGoes => "ours",
        WhyRemoved::Dropped => "ours, and the manifest no longer names it",
        WhyRemoved::Spare => "made by a run that was cut off; nothing uses it",
    }
    .to_owned()
}

fn left(why: &WhyLeft) -> String {
    match why {
        WhyLeft::NotPruned => {
            "ours, and the manifest no longer names it: left as it is (`--prune` removes it)"
                .to_owned()
        }
        WhyLeft::NotOurs => "it does not bear this pair's tags".to_owned(),
        WhyLeft::Adopted => "it was adopted: crrctl never deletes it, and its key stays".to_owned(),
        WhyLeft::Holds(objects) => {
            let some = objects.join(", ");
            format!(
                "objects that are not probes lie in it ({some}): it stays, and its key; once they are deleted, `--prune` removes it"
            )
        }
        WhyLeft::BucketStays(bucket) => {
            format!("the bucket `{bucket}` stays, and its data needs the key")
        }
        WhyLeft::UsedByOthers => {
            "others may use it; only `destroy --purge-keys` schedules it".to_owned()
        }
        WhyLeft::OtherPolicies => "it has policies that are not ours: it stays".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{Arn, PairName};
    use crate::plan::work::{LifecycleDiffers, TagChange};
    use crate::settings::Expiry;
    use crate::world::KeyState;

    fn tags() -> TagsDiffer {
        let change = TagChange { from: None, to: "x".to_owned() };
        TagsDiffer { set: [("team".to_owned(), change)].into(), expires: None }
    }

    fn expires() -> TagsDiffer {
        TagsDiffer { expires: Some("2026-01-01T00:00:00Z".to_owned()), ..TagsDiffer::default() }
    }

    fn written() -> RulesWritten {
        RulesWritten {
            replaced_role: None,
            role: RuleRole::Own(Arn::new("arn:aws:iam::111122223333:role/a").unwrap()),
            rules: None,
            others_get_role: false,
            role_is_fresh: false,
            unselecting: None,
            proven_first: false,
        }
    }

    #[test]
    fn everything_that_differs_is_named_in_order() {
        let policy = PolicyDiffers {
            statements: Vec::new(),
            deleted_principals: vec!["AROAEXAMPLE".to_owned()],
        };
        let all = KeyDiffers {
            state: Some(KeyState::Disabled),
            policy: Some(policy.clone()),
            tags: TagsDiffer { set: tags().set, ..expires() },
        };
        let only_expires = KeyDiffers { tags: expires(), ..KeyDiffers::default() };
        let role = RoleDiffers { trust: Some(Vec::new()), boundary: None, tags: tags() };
        let from = Expiry {
            id: "a".to_owned(),
            enabled: true,
            noncurrent_days: None,
            incomplete_upload_days: None,
            archive: None,
            has_more: false,
        };
        let rules = RulesWritten {
            replaced_role: Some("theirs".to_owned()),
            rules: Some(Vec::new()),
            others_get_role: true,
            role_is_fresh: true,
            proven_first: true,
            ..written()
        };
        let cases = [
            (
                Work::Key(Owned::Update(all)),
                "differs in state, policy, principals that were deleted, tags, expires",
            ),
            (
                Work::ReplicaKey(Owned::Update(only_expires)),
                "it was ephemeral, and stays from now on",
            ),
            (Work::SharedKey(PairName::new("demo").unwrap()), "differs in shared"),
            (Work::Role(Owned::Update(role)), "differs in trust policy, tags"),
            (
                Work::BucketPolicy(SharedDocument::Update(policy)),
                "differs in statements, principals that were deleted",
            ),
            (
                Work::BucketTags(BucketTagsWork::Update(expires())),
                "it was ephemeral, and stays from now on",
            ),
            (
                Work::Lifecycle(SharedDocument::Update(LifecycleDiffers { from, to: None })),
                "differs in rule",
            ),
            (Work::Rotation(Setting::Update { from: None, to: Some(365) }), "differs in period"),
            (
                Work::Rules(Owned::Update(rules)),
                "differs in role, rules, a role that may not have spread; rules of others get this role too; proven on probes alone before \
                 it goes live",
            ),
            (Work::Rules(Owned::Create(written())), "missing"),
        ];
        for (work, expected) in cases {
            assert_eq!(reason(&work), expected);
        }
    }

    #[test]
    fn what_goes_or_stays_tells_why() {
        let removed = |why, bucket| Work::Rules(Owned::Remove(RulesRemoved { why, bucket }));
        let bucket = |holds| Work::Bucket(BucketWork::Remove { why: WhyRemoved::PairGoes, holds });
        let cases = [
            (
                removed(WhyRemoved::PairGoes, RulesBucket::TakesThemAlong),
                "ours, goes with its bucket",
            ),
            (removed(WhyRemoved::PairGoes, RulesBucket::Stays), "ours"),
            (bucket(None), "ours"),
            (bucket(Some(Holds::Nothing)), "ours, empty"),
            (bucket(Some(Holds::Probes(2))), "ours, holds 2 versions of probes"),
            (bucket(Some(Holds::Reports(2))), "ours, holds 2 versions of reports"),
            (
                Work::Key(Owned::Remove(WhyRemoved::Spare)),
                "made by a run that was cut off; nothing uses it",
            ),
            (
                Work::DroppedRule(DroppedRuleWork::Remove { bucket_is_live: true }),
                "ours, and the manifest no longer names it",
            ),
            (
                Work::RolePolicy(Owned::Update(RolePolicyDiffers::Pruned)),
                "the destinations that go need it no more",
            ),
            (
                Work::Role(Owned::Leave(WhyLeft::OtherPolicies)),
                "it has policies that are not ours: it stays",
            ),
        ];
        for (work, expected) in cases {
            assert_eq!(reason(&work), expected);
        }
    }
}
