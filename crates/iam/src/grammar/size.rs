//! Checks the size and the characters of a policy.
//! Sections: "IAM and AWS STS quotas"; KMS Developer Guide, "Key policies"; S3 User Guide, "Bucket
//! policies"; AWS Organizations User Guide, "Quotas".
//! Not for: the elements of a policy (see `grammar`).

use super::DocumentKind;
use crate::document::Finding;

/// Returns the findings about the size and the characters of `text`.
pub(super) fn size(kind: DocumentKind, text: &str) -> Vec<Finding> {
    let mut messages = Vec::new();
    let (limit, length, unit) = match kind {
        DocumentKind::KeyPolicy => (32_768, text.len(), "bytes"),
        DocumentKind::BucketPolicy => (20_480, text.len(), "bytes"),
        // SNS takes 30,720 bytes, SQS 8,192 (SQS Developer Guide, "Amazon SQS policy quotas").
        DocumentKind::ChannelPolicy => (8_192, text.len(), "bytes"),
        DocumentKind::Scp | DocumentKind::Rcp => (5_120, text.chars().count(), "characters"),
        _ => {
            let counted = text.chars().filter(|c| !c.is_whitespace()).count();
            (limit_of(kind), counted, "characters without white space")
        }
    };
    if length > limit {
        messages.push(format!("the document has {length} {unit}, {limit} are allowed"));
    }
    if kind != DocumentKind::BucketPolicy {
        let accepted = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
        if let Some(odd) = text.chars().find(|c| !accepted(*c)) {
            messages
                .push(format!("{odd:?} is outside Latin-1, the characters that a policy takes"));
        }
    }
    let finding = |message| Finding { path: String::new(), message };
    messages.into_iter().map(finding).collect()
}

fn limit_of(kind: DocumentKind) -> usize {
    match kind {
        DocumentKind::RolePolicy => 10_240,
        DocumentKind::ManagedPolicy => 6_144,
        _ => 2_048,
    }
}
