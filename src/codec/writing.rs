//! Writing responses back.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::codec::deviation::{Joined, Kept};

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

/// Numbers, which are texts where JSON has no form for them: `"NaN"`.
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
        self.as_ref().map(Written).serialize(serializer)
    }
}

impl<T: Numbers> Numbers for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Written))
    }
}

impl<T: Numbers> Numbers for BTreeMap<String, T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, numbers)| (key, Written(numbers))))
    }
}

/// Numbers as they are written.
struct Written<'a, T>(&'a T);

impl<T: Numbers> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// An answer that is being written, or why it cannot be.
pub(crate) struct Writing<'a, S: Serializer> {
    map: Result<S::SerializeMap, S::Error>,
    kept: &'a Kept,
}

impl<'a, S: Serializer> Writing<'a, S> {
    pub(crate) fn start(serializer: S, kept: &'a Kept) -> Self {
        Self { map: serializer.serialize_map(None), kept }
    }

    fn entry(mut self, property: &str, value: &(impl Serialize + ?Sized)) -> Self {
        if let Ok(map) = &mut self.map
            && let Err(error) = map.serialize_entry(property, value)
        {
            self.map = Err(error);
        }
        self
    }

    /// With a property.
    pub(crate) fn always<T: Default + PartialEq + Serialize>(self, property: &str, value: &T) -> Self {
        match self.kept.misfit(property) {
            Some(raw) => self.entry(property, &Joined(value, raw)),
            None => self.entry(property, value),
        }
    }

    /// With a property, if it is there.
    pub(crate) fn present<T>(self, property: &str, value: &T) -> Self
    where
        T: MaybeAbsent + Default + PartialEq + Serialize,
    {
        let is_absent = value.is_absent() && self.kept.misfit(property).is_none();
        if is_absent { self } else { self.always(property, value) }
    }

    /// With a property of numbers, if it is there.
    pub(crate) fn numbers<T: Numbers + Serialize>(self, property: &str, value: &T) -> Self {
        match self.kept.misfit(property) {
            Some(raw) => self.entry(property, &Joined(value, raw)),
            None if value.is_absent() => self,
            None => self.entry(property, &Written(value)),
        }
    }

    /// With the properties that the document does not name.
    pub(crate) fn others<T: Serialize>(self, others: &BTreeMap<String, T>) -> Self {
        others.iter().fold(self, |writing, (property, value)| writing.entry(property, value))
    }

    pub(crate) fn end(self) -> Result<S::Ok, S::Error> {
        let kept = self.kept;
        self.others(kept.unknown()).map?.end()
    }
}
