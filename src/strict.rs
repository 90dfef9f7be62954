//! Reading requests strictly: what is required must be there. They are read where a program has them as JSON.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::tolerant::Property;

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
pub(crate) fn structure<'de, D: Deserializer<'de>, T: Structure>(deserializer: D) -> Result<T, D::Error> {
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
