//! Reading and writing answers: what is missing or null is the default, what has no field is kept, nothing is refused.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

pub(crate) use crate::codec::deviation::{Fit, Kept};
use crate::codec::deviation::{Joined, Misfit};
use crate::codec::in_place::{Filling, InPlace};

/// A structure of answers.
pub(crate) trait Structure: Default {
    /// Reads the value that follows in `map` into the field of a property.
    fn read<'de, A: MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> Result<Fit, A::Error>;

    /// What is in none of its fields.
    fn kept(&mut self) -> &mut Kept;
}

impl<T: Structure> Structure for Box<T> {
    fn read<'de, A: MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> Result<Fit, A::Error> {
        (**self).read(property, map)
    }

    fn kept(&mut self) -> &mut Kept {
        (**self).kept()
    }
}

/// Reads a value as its type. Only a value of another form, of which nothing could be read, is an error.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: InPlace<'de>>(deserializer: D) -> Result<T, D::Error> {
    read_whole(deserializer).map(|(value, _)| value)
}

/// Reads a value as its type, with what of it did not fit.
pub(crate) fn read_whole<'de, D, T>(deserializer: D) -> Result<(T, Fit), D::Error>
where
    D: Deserializer<'de>,
    T: InPlace<'de>,
{
    let mut value = T::default();
    let misfit = value.fill(deserializer)?;
    match misfit.as_ref().and_then(|misfit| misfit.whole_value()) {
        Some(found) => Err(another_form(T::EXPECTED, found)),
        None => Ok((value, misfit)),
    }
}

/// Reads a value as its type, which is at its default where it does not fit; for structures whose reading serde derives.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: InPlace<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut value = T::default();
    let _ = value.fill(deserializer)?;
    Ok(value)
}

/// The same of a number of things.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(or_default::<_, Option<i64>>(deserializer)?.and_then(|count| count.try_into().ok()))
}

/// Reads a page; `None` where something of it did not fit.
pub(crate) fn page<'de, D: Deserializer<'de>, T: InPlace<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    read_whole(deserializer).map(|(page, misfit)| misfit.is_none().then_some(page))
}

/// The error of a value of which nothing could be read.
pub(crate) fn another_form<E: Error>(expected: &str, found: &Value) -> E {
    let found = match found {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Unexpected::Unsigned(number),
            (_, Some(number)) => Unexpected::Signed(number),
            _ => Unexpected::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    };
    E::invalid_type(found, &expected)
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

/// Reads a value into its field; null, and what does not fit, is the default: an empty text, list or map, zero, false.
#[inline]
pub(crate) fn read<'de, A: MapAccess<'de>, T: InPlace<'de>>(map: &mut A, field: &mut T) -> Result<Fit, A::Error> {
    map.next_value_seed(Filling(field))
}

/// Reads the value of a property that has no field.
#[cold]
pub(crate) fn unknown<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Fit, A::Error> {
    map.next_value().map(Misfit::unknown)
}

/// Reads the value of a property that the document allows and does not name.
pub(crate) fn other<'de, A, T>(map: &mut A, property: &str, others: &mut BTreeMap<String, T>) -> Result<Fit, A::Error>
where
    A: MapAccess<'de>,
    T: for<'v> InPlace<'v>,
{
    let mut other = T::default();
    let value: Value = map.next_value()?;
    let fit = other.fill(&value).unwrap_or_else(|_| Misfit::null());
    if fit.as_ref().is_some_and(|misfit| misfit.raw.is_some()) {
        // What does not fit is as good as unknown.
        return Ok(Misfit::of_other(T::EXPECTED, value, fit));
    }
    others.insert(property.to_owned(), other);
    Ok(fit)
}

/// One of several types.
pub(crate) trait Union: Sized {
    /// The first that takes a value.
    fn read(value: Value) -> (Self, Fit);
}

impl<T: Union> Union for Box<T> {
    fn read(value: Value) -> (Self, Fit) {
        let (read, fit) = T::read(value);
        (Self::new(read), fit)
    }
}

/// What a union of answers does like any other.
macro_rules! union {
    ($name:ident) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                crate::codec::tolerant::deserialize(deserializer)
            }
        }

        crate::codec::tolerant::union! { in place $name }
        crate::codec::tolerant::union! { in place ::std::boxed::Box<$name> }
    };
    (in place $union:ty) => {
        impl<'de> crate::codec::in_place::InPlace<'de> for $union {
            const EXPECTED: &'static str = "any value";

            fn fill<D: ::serde::Deserializer<'de>>(
                &mut self,
                deserializer: D,
            ) -> ::std::result::Result<crate::codec::tolerant::Fit, D::Error> {
                let value = <::serde_json::Value as ::serde::Deserialize>::deserialize(deserializer)?;
                let (read, fit) = crate::codec::tolerant::Union::read(value);
                *self = read;
                ::std::result::Result::Ok(fit)
            }
        }
    };
}

/// A variant of a union from a value that was read for it; `None` where it does not take the value.
pub(crate) fn variant<T: for<'v> InPlace<'v>, U>(value: &Value, variant: impl FnOnce(T) -> U) -> Option<(U, Fit)> {
    let mut taken = T::default();
    let fit = taken.fill(value).ok()?;
    let is_taken = fit.as_ref().is_none_or(|misfit| misfit.raw.is_none());
    is_taken.then(|| (variant(taken), fit))
}

/// Null where a value was expected is the default, for structures whose reading serde derives.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
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

/// What a structure of answers does like any other.
macro_rules! answer {
    ($name:ident, $kept:ident) => {
        impl $name {
            /// The properties that the platform's document does not name, as they came: a newer server has some.
            ///
            /// Serializing the answer writes them; a request that is made of it does not send them.
            #[must_use]
            #[inline]
            pub fn unknown(&self) -> &::std::collections::BTreeMap<::std::string::String, ::serde_json::Value> {
                self.$kept.unknown()
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                crate::codec::tolerant::deserialize(deserializer)
            }
        }
    };
}

pub(crate) use {answer, union};
