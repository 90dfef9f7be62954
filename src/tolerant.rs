//! Reading answers with tolerance: what is missing or null is the default, what is not known is passed over.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::in_place::{FillingOrDefault, InPlace};

/// A structure of answers.
pub(crate) trait Structure: Default {
    /// Reads the value that follows in `map` into the field of a property.
    fn read<'de, A: MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> Result<(), A::Error>;
}

impl<T: Structure> Structure for Box<T> {
    fn read<'de, A: MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> Result<(), A::Error> {
        (**self).read(property, map)
    }
}

/// Reads a structure.
pub(crate) fn structure<'de, D: Deserializer<'de>, T: InPlace<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut structure = T::default();
    structure.fill(deserializer)?;
    Ok(structure)
}

/// The name of a property, borrowed where it can be.
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

/// Reads a value of an open enum, without a copy of the text where it is known.
pub(crate) fn text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str> + From<String>,
{
    struct TextVisitor<T>(PhantomData<T>);

    impl<T: for<'a> From<&'a str> + From<String>> Visitor<'_> for TextVisitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E>(self, text: &str) -> Result<T, E> {
            Ok(text.into())
        }

        fn visit_string<E>(self, text: String) -> Result<T, E> {
            Ok(text.into())
        }
    }

    deserializer.deserialize_string(TextVisitor(PhantomData))
}

/// Reads a value; null is the default: an empty text, list or map, zero, false.
pub(crate) fn read<'de, A: MapAccess<'de>, T: InPlace<'de>>(map: &mut A, field: &mut T) -> Result<(), A::Error> {
    map.next_value_seed(FillingOrDefault(field))
}

/// A variant of a union from a value that was read for it; `None` where it does not take the value.
pub(crate) fn variant<T: DeserializeOwned, U>(value: &Value, variant: impl FnOnce(T) -> U) -> Option<U> {
    T::deserialize(value).ok().map(variant)
}

/// Null where a value was expected is the default, for structures whose reading serde derives.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Passes over a value.
pub(crate) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// Keeps the value of a property that the document does not name.
pub(crate) fn keep<'de, A, T>(map: &mut A, property: &str, kept: &mut BTreeMap<String, T>) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    kept.insert(property.to_owned(), map.next_value()?);
    Ok(())
}

/// What may not be there, and is then not written.
pub(crate) trait MaybeAbsent {
    fn is_absent(&self) -> bool;
}

impl<T> MaybeAbsent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> MaybeAbsent for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T> MaybeAbsent for BTreeMap<String, T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T> MaybeAbsent for crate::Field<T> {
    fn is_absent(&self) -> bool {
        self.is_absent()
    }
}

impl MaybeAbsent for Value {
    fn is_absent(&self) -> bool {
        self.is_null()
    }
}

/// A structure that is being written, or why it cannot be.
pub(crate) struct Written<S: Serializer>(Result<S::SerializeMap, S::Error>);

impl<S: Serializer> Written<S> {
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
    pub(crate) fn kept<T: Serialize>(self, kept: &BTreeMap<String, T>) -> Self {
        kept.iter().fold(self, |written, (property, value)| written.always(property, value))
    }

    pub(crate) fn end(self) -> Result<S::Ok, S::Error> {
        self.0?.end()
    }
}
