//! What each command prints with `-o json`: one type a command. The schema of objects
//! (`schemas/objects.schema.json`) is generated from these types.
//! Not for: printing (see `output`), or events (see `report::ndjson`).

mod account;
mod compare;
mod of_many;
mod pair;
mod status;
mod text;

pub(super) use account::{
    FleetBucket, FleetPair, FleetResource, FleetSource, GcObject, ListObject,
};
pub(super) use account::{GoingOfPair, LeftOfPair, RemovedOfPair};
pub(super) use compare::{CompareObject, Compared, Difference, LagOf};
pub(super) use of_many::{OfMany, Part, Sums};
pub(super) use pair::{
    ApplyObject, BackfillObject, CheckObject, DestroyObject, ExportObject, ImportObject, Phase,
    PlanObject, ProbeObject, RehearseObject, Resource, SmokeObject, WaitObject, WatchObject,
};
pub(super) use status::{BucketStatus, KeyStatus, RuleStatus, StatusObject};
pub(super) use text::{
    CompletionsObject, ExplainObject, HelpObject, InitObject, ManObject, NoCommandObject,
    OperatorObject, ProveObject, RenderObject, SandboxObject, SchemaObject, VersionObject,
};

use crate::failure::Failure;
use crate::printed::Field;
use serde::Serialize;
use serde_json::Value;
use std::io::Write;

/// An object that is ended with its command.
pub(super) trait Ends {
    /// Ends the object with the command's failure, if there is one.
    fn end(&mut self, error: Option<Failure>);
}

/// What a command prints with `-o json`.
pub(super) trait Object: Ends + Default + Serialize {
    /// What `schema` says, such as `crrctl/plan/v1`.
    const SCHEMA: &'static str;
    /// The fields that an object without `error` has, for each form that it has; none where it
    /// promises none.
    #[cfg(test)]
    const FORMS: &'static [&'static [&'static str]];
}

/// An object of any command.
pub(super) trait AnyObject: Ends + Send {
    /// Returns the object as JSON.
    fn value(&self) -> Value;

    /// Writes the object as JSON. That of ten thousand probes would take many times its memory as a
    /// [`Value`].
    ///
    /// # Errors
    /// `out` can't be written.
    fn write(&self, out: &mut dyn Write) -> std::io::Result<()>;
}

impl<T: Ends + Serialize + Send> AnyObject for T {
    fn value(&self) -> Value {
        // No field has keys that are not text, so nothing fails.
        serde_json::to_value(self).unwrap_or_default()
    }

    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        Ok(serde_json::to_writer_pretty(out, self)?)
    }
}

impl std::fmt::Debug for dyn AnyObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AnyObject")
    }
}

/// The object of a command line that no command took.
#[derive(Serialize)]
pub(super) struct UsageObject {
    schema: String,
    #[serde(skip_serializing_if = "Field::is_missing")]
    error: Field<Failure>,
}

impl UsageObject {
    /// Returns the object of `command`, which did not begin.
    pub(super) fn new(command: &str) -> Self {
        Self { schema: format!("crrctl/{command}/v1"), error: Field::default() }
    }
}

impl Ends for UsageObject {
    fn end(&mut self, error: Option<Failure>) {
        self.error = error.into();
    }
}

/// Declares what a command prints: its type, the command, the name of its definition in the
/// schema, and the forms that the object has without `error`, each with the fields that it always
/// has. A field is left out until it is set. Fields after `;` follow `error`.
macro_rules! object {
    (
        $(#[doc = $about:literal])*
        $name:ident, $command:literal, $definition:literal, [$([$($always:ident),+]),*]
        { $($(#[$meta:meta])* $field:ident: $type:ty,)* $(; $last:ident: $last_type:ty,)? }
    ) => {
        $(#[doc = $about])*
        #[derive(Default, serde::Serialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = $definition))]
        pub(in crate::cli) struct $name {
            schema: &'static str,
            $(
                $(#[$meta])*
                #[serde(skip_serializing_if = "crate::printed::Field::is_missing")]
                pub(in crate::cli) $field: crate::printed::Field<$type>,
            )*
            #[serde(skip_serializing_if = "crate::printed::Field::is_missing")]
            error: crate::printed::Field<crate::failure::Failure>,
            $(
                /// Of one pair of many, how it ended
                #[serde(skip_serializing_if = "crate::printed::Field::is_missing")]
                pub(in crate::cli) $last: crate::printed::Field<$last_type>,
            )?
        }

        impl super::Object for $name {
            const SCHEMA: &'static str = concat!("crrctl/", $command, "/v1");
            #[cfg(test)]
            const FORMS: &'static [&'static [&'static str]] = &[$(&[$(stringify!($always)),+]),*];
        }

        impl super::Ends for $name {
            fn end(&mut self, error: Option<crate::failure::Failure>) {
                self.schema = <Self as super::Object>::SCHEMA;
                self.error = error.into();
            }
        }
    };
}
use object;
