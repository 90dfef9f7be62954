//! Reading values where they are kept.
//!
//! serde hands each value up from reader to reader; a dataset and its resources, of a kilobyte or more each, are
//! moved half a dozen times on their way. Here a structure, an option and the fields in them are filled where they are.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::scalar::{BooleanVisitor, IntegerVisitor, NumberVisitor};
use crate::tolerant::{Property, Structure};
use crate::{Date, DateTime};

/// What can be filled from a deserializer.
pub(crate) trait InPlace<'de>: Default + Deserialize<'de> {
    /// Reads a value into the place of another, which is the default, or the one before where a property stands twice:
    /// of two structures, the properties of the second that are there count. Where it fails, the value is there in part.
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        *self = Self::deserialize(deserializer)?;
        Ok(())
    }

    /// The same, of a value that is known not to be null.
    fn fill_some<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.fill(deserializer)
    }
}

impl<'de> InPlace<'de> for bool {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        *self = deserializer.deserialize_any(BooleanVisitor)?;
        Ok(())
    }
}

impl<'de> InPlace<'de> for i64 {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        *self = deserializer.deserialize_any(IntegerVisitor)?;
        Ok(())
    }
}

impl<'de> InPlace<'de> for f64 {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        *self = deserializer.deserialize_any(NumberVisitor)?;
        Ok(())
    }
}

impl InPlace<'_> for String {}
impl InPlace<'_> for Value {}
impl InPlace<'_> for Date {}
impl InPlace<'_> for DateTime {}
impl<'de, T: Deserialize<'de>> InPlace<'de> for BTreeMap<String, T> {}

impl<'de, T: Structure + Deserialize<'de>> InPlace<'de> for T {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(StructureVisitor(self))
    }
}

impl<'de, T: InPlace<'de>> InPlace<'de> for Option<T> {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(FillingOrDefault(self))
    }

    fn fill_some<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        self.insert(T::default()).fill(deserializer)
    }
}

impl<'de, T: InPlace<'de>> InPlace<'de> for Vec<T> {
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(ListVisitor(self))
    }
}

/// Fills a place with a value that is there.
struct Filling<'a, T>(&'a mut T);

impl<'de, T: InPlace<'de>> DeserializeSeed<'de> for Filling<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.fill(deserializer)
    }
}

/// Fills a place with a value, or with the default where the value is null.
pub(crate) struct FillingOrDefault<'a, T>(pub &'a mut T);

impl<'de, T: InPlace<'de>> DeserializeSeed<'de> for FillingOrDefault<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: InPlace<'de>> Visitor<'de> for FillingOrDefault<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("option")
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        *self.0 = T::default();
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.fill_some(deserializer)
    }
}

struct StructureVisitor<'a, T>(&'a mut T);

impl<'de, T: Structure> Visitor<'de> for StructureVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Property(property)) = map.next_key()? {
            self.0.read(&property, &mut map)?;
        }
        Ok(())
    }
}

struct ListVisitor<'a, T>(&'a mut Vec<T>);

/// How much is set aside for as many items as are announced.
const ANNOUNCED: usize = 1 << 20;

impl<'de, T: InPlace<'de>> Visitor<'de> for ListVisitor<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let announced = items.size_hint().unwrap_or_default();
        *self.0 = Vec::with_capacity(announced.min(ANNOUNCED / size_of::<T>().max(1)));
        loop {
            let mut item = T::default();
            if items.next_element_seed(Filling(&mut item))?.is_none() {
                return Ok(());
            }
            self.0.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tolerant;

    #[derive(Debug, Default, PartialEq)]
    struct Thing {
        name: String,
        within: Option<Box<Thing>>,
        list: Vec<Thing>,
        numbers: Vec<Option<i64>>,
    }

    impl Structure for Thing {
        fn read<'de, A: MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> Result<(), A::Error> {
            match property {
                "name" => tolerant::read(map, &mut self.name),
                "within" => tolerant::read(map, &mut self.within),
                "list" => tolerant::read(map, &mut self.list),
                "numbers" => tolerant::read(map, &mut self.numbers),
                _ => tolerant::skip(map),
            }
        }
    }

    impl<'de> Deserialize<'de> for Thing {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            tolerant::structure(deserializer)
        }
    }

    fn read(text: &str) -> serde_json::Result<Thing> {
        serde_json::from_str(text)
    }

    fn named(name: &str) -> Thing {
        Thing { name: name.to_owned(), ..Thing::default() }
    }

    #[test]
    fn what_is_nested_is_read_where_it_is_kept() {
        let thing =
            read(r#"{"name": "a", "within": {"name": "b"}, "list": [{"name": "c"}, {}], "numbers": [1, null]}"#);
        let (within, list) = (Some(Box::new(named("b"))), vec![named("c"), named("")]);
        assert_eq!(thing.unwrap(), Thing { within, list, numbers: vec![Some(1), None], ..named("a") });
    }

    #[test]
    fn null_is_the_default_whatever_was_there() {
        let twice = r#"{"name": "a", "within": {}, "list": [{}], "name": null, "within": null, "list": null}"#;
        assert_eq!(read(twice).unwrap(), Thing::default());
    }

    #[test]
    fn the_last_value_counts_of_a_property_that_stands_twice() {
        let thing = read(r#"{"name": "a", "list": [{}, {}], "name": "b", "list": [{"name": "c"}]}"#).unwrap();
        assert_eq!(thing, Thing { list: vec![named("c")], ..named("b") });
    }

    #[test]
    fn an_item_that_is_null_is_refused_unless_the_list_allows_it() {
        for (text, reason) in [
            (r#"{"list": [null]}"#, "invalid type: null, expected an object"),
            (r#"{"list": [{}, 1]}"#, "invalid type: integer `1`, expected an object"),
            (r#"{"list": {}}"#, "invalid type: map, expected a sequence"),
            (r#"{"within": []}"#, "invalid type: sequence, expected an object"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{text}: {error}");
        }
    }
}
