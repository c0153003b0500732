//! One CloudWatch request, with the functions that operations share: members, permissions, the
//! alarms that it names.
//! Not for: the operations themselves (see the other files in `cloudwatch`).

use crate::gate::{AccessRequest, authorize};
use crate::wire::query::in_bounds;
use crate::wire::{Fault, Params};
use crate::world::alarms::{AlarmPlace, alarm_arn};
use crate::world::{Caller, State};
use crrctl_iam::Context;

/// One request: its caller, its parameters, and the state that it reads and changes.
pub(super) struct CloudWatchCall<'a> {
    pub(super) state: &'a mut State,
    pub(super) caller: &'a Caller,
    pub(super) params: &'a Params,
}

impl CloudWatchCall<'_> {
    /// Checks that the caller may perform `action` on a resource of its own account.
    pub(super) fn permit(&self, action: &str, arn: &str, request: Context) -> Result<(), Fault> {
        let context = || self.tags_of(arn).overlaid(request);
        let request = AccessRequest::plain(action, arn, &self.caller.account);
        authorize(&self.state.iam, self.caller, request, context)
            .map_err(|denied| Fault::new(403, "AccessDenied", denied.message()))
    }

    /// Returns `aws:ResourceTag/…` of an alarm (Service Authorization Reference, "Amazon
    /// CloudWatch").
    fn tags_of(&self, arn: &str) -> Context {
        let mut context = Context::new();
        let name = arn.split_once(":alarm:").map(|(_, name)| name).unwrap_or_default();
        let tags = self.state.alarms.all.get(&self.place(name)).map(|alarm| &alarm.tags);
        for (key, value) in tags.into_iter().flatten() {
            context.set(&format!("aws:ResourceTag/{key}"), value);
        }
        context
    }

    pub(super) fn place(&self, name: &str) -> AlarmPlace {
        (self.caller.account.clone(), self.caller.region.clone(), name.to_owned())
    }

    pub(super) fn arn(&self, name: &str) -> String {
        alarm_arn(&self.caller.region, &self.caller.account, name)
    }

    /// Returns the names in `AlarmNames` (at most 100 of up to 255 characters).
    pub(super) fn alarm_names(&self) -> Result<Vec<String>, Fault> {
        let names = self.params.list("AlarmNames");
        if names.len() > 100 {
            return Err(failed("[...]", "alarmNames", "length less than or equal to 100"));
        }
        names.iter().try_for_each(|name| check_length(name, "alarmNames", 255))?;
        Ok(names)
    }

    /// Returns an optional number.
    pub(super) fn number(&self, name: &str, bounds: (u32, u32)) -> Result<Option<u32>, Fault> {
        self.params.get(name).map(|given| in_bounds(given, &member(name), bounds)).transpose()
    }

    /// Returns an optional value out of `set`.
    pub(super) fn one_of(&self, name: &str, set: &[&str]) -> Result<Option<String>, Fault> {
        let Some(given) = self.params.get(name) else { return Ok(None) };
        if !set.contains(&given) {
            let text = format!(
                "1 validation error detected: Value '{given}' at '{}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
                member(name),
                set.join(", ")
            );
            return Err(invalid(text));
        }
        Ok(Some(given.to_owned()))
    }
}

/// Returns the tags of a request as condition keys (IAM User Guide, "AWS global condition context
/// keys").
pub(super) fn of_tags(tags: &[(String, String)]) -> Context {
    let mut context = Context::new();
    for (key, value) in tags {
        context.set(&format!("aws:RequestTag/{key}"), value);
    }
    if !tags.is_empty() {
        context.set_all("aws:TagKeys", tags.iter().map(|(key, _)| key));
    }
    context
}

/// Checks that a text has 1 to `most` characters.
pub(super) fn check_length(text: &str, name: &str, most: usize) -> Result<(), Fault> {
    match text.chars().count() {
        0 => Err(failed(text, &member(name), "length greater than or equal to 1")),
        length if length > most => {
            Err(failed(text, &member(name), &format!("length less than or equal to {most}")))
        }
        _ => Ok(()),
    }
}

fn failed(text: &str, member: &str, bound: &str) -> Fault {
    invalid(format!(
        "1 validation error detected: Value '{text}' at '{member}' failed to satisfy constraint: Member must have {bound}"
    ))
}

/// Returns the name of a member as CloudWatch's messages write it.
fn member(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

pub(super) fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationError", text)
}
