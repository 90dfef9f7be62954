//! Reads requests strictly (required properties must be present), for programs that have them as JSON, and writes them
//! without the properties that are absent.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::codec::structure::Property;
use crate::codec::writing::MaybeAbsent;

/// An object of requests.
pub(crate) trait Structure: Sized {
    /// The type's name, for messages.
    const NAME: &'static str;
    /// The required properties.
    const REQUIRED: &'static [&'static str];

    /// Creates an object in which nothing is set, not even required properties.
    fn blank() -> Self;

    /// Reads the value that follows in `map` into the field of a property.
    fn read<'de, A: MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Reads a structure.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: Structure>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(StructureVisitor(PhantomData))
}

struct StructureVisitor<T>(PhantomData<T>);

impl<'de, T: Structure> Visitor<'de> for StructureVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "struct {}", T::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut structure = T::blank();
        let mut given: BTreeSet<Cow<'de, str>> = BTreeSet::new();
        while let Some(Property(property)) = map.next_key()? {
            if given.contains(&property) {
                return Err(A::Error::custom(format_args!("duplicate field `{property}`")));
            }
            structure.read(&property, &mut map)?;
            given.insert(property);
        }
        match T::REQUIRED.iter().find(|required| !given.contains(**required)) {
            Some(missing) => Err(A::Error::missing_field(missing)),
            None => Ok(structure),
        }
    }
}

/// Reads a value into its field.
pub(crate) fn read<'de, A, T>(map: &mut A, field: &mut T) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    *field = map.next_value()?;
    Ok(())
}

/// Reads a value as a variant of a union; `None` if it does not match.
pub(crate) fn variant<T: DeserializeOwned, U>(value: &Value, variant: impl FnOnce(T) -> U) -> Option<U> {
    T::deserialize(value).ok().map(variant)
}

/// Skips the value of an unknown property.
pub(crate) fn unknown<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// Reads the value of an additional property.
pub(crate) fn other<'de, A, T>(map: &mut A, property: &str, others: &mut BTreeMap<String, T>) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    others.insert(property.to_owned(), map.next_value()?);
    Ok(())
}

/// Serializes an object of a request, property by property; the first error is returned by `end`.
pub(crate) struct ObjectSerializer<S: Serializer>(Result<S::SerializeMap, S::Error>);

impl<S: Serializer> ObjectSerializer<S> {
    pub(crate) fn new(serializer: S) -> Self {
        Self(serializer.serialize_map(None))
    }

    /// Writes a property.
    pub(crate) fn always<T: Serialize>(mut self, property: &str, value: &T) -> Self {
        if let Ok(map) = &mut self.0
            && let Err(error) = map.serialize_entry(property, value)
        {
            self.0 = Err(error);
        }
        self
    }

    /// Writes a property if it is present.
    pub(crate) fn present<T: MaybeAbsent + Serialize>(self, property: &str, value: &T) -> Self {
        if value.is_absent() { self } else { self.always(property, value) }
    }

    /// Writes additional properties.
    pub(crate) fn others<T: Serialize>(self, others: &BTreeMap<String, T>) -> Self {
        others.iter().fold(self, |serializer, (property, value)| serializer.always(property, value))
    }

    pub(crate) fn end(self) -> Result<S::Ok, S::Error> {
        self.0?.end()
    }
}
