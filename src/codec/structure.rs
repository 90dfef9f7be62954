//! Objects of responses, and the names of their properties.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::codec::deviation::{RawProperties, ReadOutcome};

/// An object of responses.
pub(crate) trait Structure: Default {
    /// Reads the value that follows in `map` into the field of a property.
    fn read<'de, A: MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> Result<ReadOutcome, A::Error>;

    /// Returns the values that none of its fields holds.
    fn raw(&mut self) -> &mut RawProperties;
}

impl<T: Structure> Structure for Box<T> {
    fn read<'de, A: MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> Result<ReadOutcome, A::Error> {
        (**self).read(property, map)
    }

    fn raw(&mut self) -> &mut RawProperties {
        (**self).raw()
    }
}

/// The name of a property, borrowed from the input if possible.
pub(crate) struct Property<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Property<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PropertyVisitor;

        impl<'de> Visitor<'de> for PropertyVisitor {
            type Value = Property<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a property")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Property(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Property(Cow::Owned(name.to_owned())))
            }

            fn visit_string<E>(self, name: String) -> Result<Self::Value, E> {
                Ok(Property(Cow::Owned(name)))
            }
        }

        deserializer.deserialize_str(PropertyVisitor)
    }
}
