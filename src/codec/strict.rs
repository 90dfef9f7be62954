//! Reading requests strictly: what is required must be there. They are read where a program has them as JSON. And writing
//! them: what is not said is not sent.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::codec::structure::Property;
use crate::codec::writing::MaybeAbsent;

/// A structure of requests.
pub(crate) trait Structure: Sized {
    /// The type's name, for messages.
    const NAME: &'static str;
    /// The properties without which there is none.
    const REQUIRED: &'static [&'static str];

    /// One in which nothing is set, not even what is required.
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

/// Reads a value as it is.
pub(crate) fn read<'de, A, T>(map: &mut A, field: &mut T) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    *field = map.next_value()?;
    Ok(())
}

/// A variant of a union from a value that was read for it; `None` where it does not take the value.
pub(crate) fn variant<T: DeserializeOwned, U>(value: &Value, variant: impl FnOnce(T) -> U) -> Option<U> {
    T::deserialize(value).ok().map(variant)
}

/// Passes over the value of a property that the document does not name.
pub(crate) fn unknown<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// Reads the value of a property that the document allows and does not name.
pub(crate) fn other<'de, A, T>(map: &mut A, property: &str, others: &mut BTreeMap<String, T>) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    others.insert(property.to_owned(), map.next_value()?);
    Ok(())
}

/// A request that is being written, or why it cannot be.
pub(crate) struct Writing<S: Serializer>(Result<S::SerializeMap, S::Error>);

impl<S: Serializer> Writing<S> {
    pub(crate) fn start(serializer: S) -> Self {
        Self(serializer.serialize_map(None))
    }

    /// With a property.
    pub(crate) fn always<T: Serialize>(mut self, property: &str, value: &T) -> Self {
        if let Ok(map) = &mut self.0
            && let Err(error) = map.serialize_entry(property, value)
        {
            self.0 = Err(error);
        }
        self
    }

    /// With a property, if it is there.
    pub(crate) fn present<T: MaybeAbsent + Serialize>(self, property: &str, value: &T) -> Self {
        if value.is_absent() { self } else { self.always(property, value) }
    }

    /// With the properties that the document does not name.
    pub(crate) fn others<T: Serialize>(self, others: &BTreeMap<String, T>) -> Self {
        others.iter().fold(self, |writing, (property, value)| writing.always(property, value))
    }

    pub(crate) fn end(self) -> Result<S::Ok, S::Error> {
        self.0?.end()
    }
}
