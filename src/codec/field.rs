//! Properties of requests that can be left unchanged, emptied or set.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A property of a request that can be left unchanged, emptied (`null`) or set.
///
/// Setters take `impl Into<Field<T>>`: a value, an `Option` (`None` empties it), or a `Field`.
///
/// ```
/// use datagouv::Field;
///
/// let left_alone: Field<String> = Field::default();
/// let emptied: Field<String> = None.into();
/// let set: Field<String> = "INSEE".into();
/// assert_eq!(left_alone, Field::Absent);
/// assert_eq!(emptied, Field::Null);
/// assert_eq!(set, Field::Value("INSEE".to_owned()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Field<T> {
    /// Not sent: the server keeps its value.
    #[default]
    Absent,
    /// Sent as `null`: the server removes its value.
    Null,
    /// Sent: the server stores this value.
    Value(T),
}

impl<T> Field<T> {
    /// Returns whether the property is not sent.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Returns the value, if there is one.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Converts an `Option`, with `None` as [`Absent`](Self::Absent). (`From` converts `None` to [`Null`](Self::Null).)
    #[must_use]
    pub fn value_or_absent(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}

impl<T> From<Option<T>> for Field<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for Field<String> {
    fn from(value: &str) -> Self {
        Self::Value(value.to_owned())
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Field<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Option::<T>::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}
