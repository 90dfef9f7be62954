//! ObjectSerializer responses back.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::codec::deviation::{Joined, RawProperties};

/// A value that may be absent, and is then not written.
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

/// A value made of numbers. Those that JSON cannot represent are written as strings: `"NaN"`.
pub(crate) trait Numbers: Default + PartialEq {
    fn is_absent(&self) -> bool;

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

impl Numbers for f64 {
    fn is_absent(&self) -> bool {
        false
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            number if number.is_finite() => serializer.serialize_f64(*number),
            number if number.is_nan() => serializer.serialize_str("NaN"),
            number if number.is_sign_positive() => serializer.serialize_str("Infinity"),
            _ => serializer.serialize_str("-Infinity"),
        }
    }
}

impl<T: Numbers> Numbers for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(SerializeNumbers).serialize(serializer)
    }
}

impl<T: Numbers> Numbers for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(SerializeNumbers))
    }
}

impl<T: Numbers> Numbers for BTreeMap<String, T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, numbers)| (key, SerializeNumbers(numbers))))
    }
}

/// Serializes by [`Numbers::write`].
struct SerializeNumbers<'a, T>(&'a T);

impl<T: Numbers> Serialize for SerializeNumbers<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// Serializes an object of a response, property by property; the first error is returned by `end`.
pub(crate) struct ObjectSerializer<'a, S: Serializer> {
    map: Result<S::SerializeMap, S::Error>,
    raw: &'a RawProperties,
}

impl<'a, S: Serializer> ObjectSerializer<'a, S> {
    pub(crate) fn new(serializer: S, raw: &'a RawProperties) -> Self {
        Self { map: serializer.serialize_map(None), raw }
    }

    fn entry(mut self, property: &str, value: &(impl Serialize + ?Sized)) -> Self {
        if let Ok(map) = &mut self.map
            && let Err(error) = map.serialize_entry(property, value)
        {
            self.map = Err(error);
        }
        self
    }

    /// Writes a property.
    pub(crate) fn always<T: Default + PartialEq + Serialize>(self, property: &str, value: &T) -> Self {
        match self.raw.mismatch(property) {
            Some(raw) => self.entry(property, &Joined(value, raw)),
            None => self.entry(property, value),
        }
    }

    /// Writes a property if it is present.
    pub(crate) fn present<T>(self, property: &str, value: &T) -> Self
    where
        T: MaybeAbsent + Default + PartialEq + Serialize,
    {
        let is_absent = value.is_absent() && self.raw.mismatch(property).is_none();
        if is_absent { self } else { self.always(property, value) }
    }

    /// Writes a property of numbers if it is present.
    pub(crate) fn numbers<T: Numbers + Serialize>(self, property: &str, value: &T) -> Self {
        match self.raw.mismatch(property) {
            Some(raw) => self.entry(property, &Joined(value, raw)),
            None if value.is_absent() => self,
            None => self.entry(property, &SerializeNumbers(value)),
        }
    }

    /// Writes additional properties.
    pub(crate) fn others<T: Serialize>(self, others: &BTreeMap<String, T>) -> Self {
        others.iter().fold(self, |serializer, (property, value)| serializer.entry(property, value))
    }

    pub(crate) fn end(self) -> Result<S::Ok, S::Error> {
        let raw = self.raw;
        self.others(raw.unknown()).map?.end()
    }
}
