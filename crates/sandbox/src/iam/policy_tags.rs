//! Tags of customer managed policies. Not for: tags of users and roles (see `tags`).

use super::managed::{find, missing};
use super::tags::{Keys, check_names, elements, merged};
use crate::iam::call::{IamCall, truncation};
use crate::wire::paging::page;
use crate::wire::query::wrapped;
use crate::wire::{Fault, XmlOutput};

fn tags<'a>(
    call: &'a mut IamCall<'_>,
    action: &str,
) -> Result<&'a mut Vec<(String, String)>, Fault> {
    let arn = find(call, action)?;
    let managed = call.state.iam.managed.get_mut(&arn).ok_or_else(|| missing(&arn))?;
    Ok(&mut managed.tags)
}

/// IAM API Reference, `TagPolicy`.
pub(super) fn add(call: &mut IamCall<'_>) -> XmlOutput {
    let new = call.params.tags("Tags");
    let tags = tags(call, "iam:TagPolicy")?;
    *tags = merged(tags, new, Keys::Exact)?;
    Ok(None)
}

/// IAM API Reference, `UntagPolicy`.
pub(super) fn remove(call: &mut IamCall<'_>) -> XmlOutput {
    let names = call.params.list("TagKeys");
    check_names(&names)?;
    tags(call, "iam:UntagPolicy")?.retain(|(name, _)| !names.contains(name));
    Ok(None)
}

/// IAM API Reference, `ListPolicyTags`.
pub(super) fn list(call: &mut IamCall<'_>) -> XmlOutput {
    let (marker, limit) = (call.params.get("Marker"), call.limit()?);
    let tags = tags(call, "iam:ListPolicyTags")?.clone();
    let page = page(tags, marker, limit, |(name, _)| name.clone());
    Ok(Some(wrapped("Tags", &elements(&page.items)) + &truncation(page.next.as_deref())))
}
