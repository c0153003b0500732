//! A field of a printed object that is missing until its value is known.
//! Not for: null, which is a value (`Field<Option<T>>`).

use serde::Serialize;

/// A field that is left out where it has no value. Needs
/// `#[serde(skip_serializing_if = "Field::is_missing")]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Field<T>(Option<T>);

impl<T> Field<T> {
    /// Returns whether there is no value.
    pub fn is_missing(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the value.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// Gives the field a value.
    pub fn set(&mut self, value: T) {
        self.0 = Some(value);
    }
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        Self(value)
    }
}

#[cfg(test)]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Field<T> {
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
