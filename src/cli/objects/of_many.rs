//! The objects of commands that a manifest of many pairs runs for each: one object about all, with
//! one of each pair inside.
//! Not for: running them (see `pairs`).

use super::Object;
use super::pair::{ApplyObject, CheckObject, DestroyObject, PlanObject, ProbeObject};
use super::status::StatusObject;
use crate::aws::CallCount;
use crate::events::millis;
use crate::plan::Cost;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::time::Duration;

/// The sums over many pairs.
pub(in crate::cli) struct Sums {
    /// How many pairs there are.
    pub(in crate::cli) count: usize,
    /// How many of them failed.
    pub(in crate::cli) failed: usize,
    /// The calls made for all of them.
    pub(in crate::cli) calls: CallCount,
    pub(in crate::cli) elapsed: Duration,
}

/// The object of a command that can be run for many pairs.
pub(in crate::cli) trait OfMany: Object + Send + 'static {
    /// Makes this the object about many pairs.
    fn sum_up(&mut self, sums: &Sums, pairs: Vec<Part<Self>>);

    /// Makes this the object of one pair of many, which ended with `exit_code`.
    fn of_one(&mut self, exit_code: u8);

    /// Returns what the pair costs a month, where the object says it.
    fn monthly_usd(&self) -> Option<f64> {
        None
    }

    /// Says what many pairs cost a month together.
    fn costs(&mut self, _: Cost) {}

    /// Returns whether the object says that something was changed.
    fn says_changed(&self) -> bool {
        false
    }
}

/// The object of one pair of many.
pub(in crate::cli) struct Part<T>(pub(in crate::cli) T);

impl<T: Serialize> Serialize for Part<T> {
    /// Leaves the calls out: they are counted for all pairs together. The last fields take their
    /// places, and the exit code stays last; so these objects have always been printed.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serde_json::to_value(&self.0).map_err(serde::ser::Error::custom)?;
        if let Value::Object(fields) = &mut object {
            let exit_code = fields.shift_remove_entry("exit_code");
            for of_all in ["api_calls", "api_writes"] {
                fields.swap_remove(of_all);
            }
            fields.extend(exit_code);
        }
        object.serialize(serializer)
    }
}

#[cfg(test)]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Part<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<T>()
    }
}

macro_rules! of_many {
    ($($name:ident { $($own:item)* })*) => {
        $(
            impl OfMany for $name {
                fn sum_up(&mut self, sums: &Sums, pairs: Vec<Part<Self>>) {
                    self.count.set(sums.count);
                    self.failed.set(sums.failed);
                    self.api_calls.set(sums.calls.total());
                    self.api_writes.set(sums.calls.writes);
                    self.elapsed_ms.set(millis(sums.elapsed));
                    self.pairs.set(pairs);
                }

                fn of_one(&mut self, exit_code: u8) {
                    self.exit_code.set(exit_code);
                }

                $($own)*
            }
        )*
    };
}

of_many! {
    PlanObject {
        fn monthly_usd(&self) -> Option<f64> {
            Some(self.cost.get()?.monthly_usd)
        }

        fn costs(&mut self, cost: Cost) {
            self.cost.set(cost);
        }
    }
    ApplyObject {
        fn says_changed(&self) -> bool {
            self.changed.get() == Some(&true)
        }
    }
    ProbeObject {}
    CheckObject {}
    StatusObject {}
    DestroyObject {
        fn says_changed(&self) -> bool {
            self.removed.get().is_some_and(|removed| !removed.is_empty())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ends;
    use super::*;

    /// The calls are not a pair's own. The order of the fields is part of what is printed.
    #[test]
    fn a_pair_of_many_has_no_calls_and_ends_with_its_exit_code() {
        let mut object = ProbeObject::default();
        object.end(None);
        object.pair.set("a".to_owned());
        object.probes.set(Vec::new());
        object.api_calls.set(7);
        object.api_writes.set(1);
        object.elapsed_ms.set(5);
        object.checks.set(Vec::new());
        object.of_one(0);
        assert_eq!(
            serde_json::to_string(&Part(object)).unwrap(),
            r#"{"schema":"crrctl/probe/v1","pair":"a","probes":[],"checks":[],"elapsed_ms":5,"exit_code":0}"#
        );
    }
}
