//! Tags of alarms.
//! Sources: CloudWatch API Reference, `TagResource`, `UntagResource`, `ListTagsForResource`, `Tag`.
//! Not for: tags of other resources (see `kms::tags` and `iam::tags`).

use super::call::{CloudWatchCall, check_length, invalid, of_tags};
use crate::wire::{Fault, Params};
use crate::world::alarms::Alarm;
use crrctl_iam::Context;
use serde_json::{Value, json};

type Tags = Vec<(String, String)>;

/// Returns the tags of a request: at most 50, with keys of up to 128 and values of up to 256
/// characters, none twice and none reserved.
pub(super) fn given(params: &Params) -> Result<Tags, Fault> {
    let tags = params.tags("Tags");
    for (at, (key, value)) in tags.iter().enumerate() {
        check_length(key, "tags", 128)?;
        // The texts are our own.
        if value.chars().count() > 256 {
            return Err(invalid("A tag's value must have length less than or equal to 256"));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys that begin with aws: are reserved"));
        }
        if tags[..at].iter().any(|(other, _)| other == key) {
            return Err(invalid(format!("Duplicate tag key {key}")));
        }
    }
    if tags.len() > 50 { Err(too_many()) } else { Ok(tags) }
}

fn too_many() -> Fault {
    invalid("A resource has at most 50 tags")
}

/// CloudWatch API Reference, `TagResource`.
pub(super) fn add(call: &mut CloudWatchCall<'_>) -> Result<Value, Fault> {
    let given = given(call.params)?;
    let tags = &mut found(call, "cloudwatch:TagResource", of_tags(&given))?.tags;
    let mut merged = tags.clone();
    merged.retain(|(key, _)| !given.iter().any(|(new, _)| new == key));
    merged.extend(given);
    if merged.len() > 50 {
        return Err(too_many());
    }
    *tags = merged;
    Ok(Value::Null)
}

/// CloudWatch API Reference, `UntagResource`.
pub(super) fn remove(call: &mut CloudWatchCall<'_>) -> Result<Value, Fault> {
    let keys = call.params.list("TagKeys");
    let mut context = Context::new();
    if !keys.is_empty() {
        context.set_all("aws:TagKeys", keys.iter());
    }
    let alarm = found(call, "cloudwatch:UntagResource", context)?;
    alarm.tags.retain(|(key, _)| !keys.contains(key));
    Ok(Value::Null)
}

/// CloudWatch API Reference, `ListTagsForResource`.
pub(super) fn list(call: &mut CloudWatchCall<'_>) -> Result<Value, Fault> {
    let tags = &found(call, "cloudwatch:ListTagsForResource", Context::new())?.tags;
    let tag = |(key, value): &(String, String)| json!({"Key": key, "Value": value});
    Ok(json!({"Tags": tags.iter().map(tag).collect::<Vec<_>>()}))
}

/// Returns the alarm that `ResourceARN` names, if the caller may perform `action` on it.
fn found<'a>(
    call: &'a mut CloudWatchCall<'_>,
    action: &str,
    context: Context,
) -> Result<&'a mut Alarm, Fault> {
    let arn = call.params.require("ResourceARN")?.to_owned();
    check_length(&arn, "ResourceARN", 1024)?;
    call.permit(action, &arn, context)?;
    let name = arn.split_once(":alarm:").map(|(_, name)| name).unwrap_or_default();
    let place = call.place(name);
    let is_it = call.arn(name) == arn;
    let alarm = call.state.alarms.all.get_mut(&place).filter(|_| is_it);
    let text = format!("The resource {arn} does not exist");
    alarm.ok_or_else(|| Fault::new(404, "ResourceNotFoundException", text))
}
