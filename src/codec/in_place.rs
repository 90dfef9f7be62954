//! Deserializes values in place.
//!
//! `Deserialize` returns each value from visitor to visitor: a dataset and its resources, of a kilobyte or more each, are
//! copied half a dozen times. Here structures, options and their fields are filled where they are stored.
//!
//! A value of an unexpected type is not an error: it is returned as a [`Mismatch`], which the enclosing structure keeps. Only
//! invalid JSON is an error.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::codec::deviation::{Mismatch, ReadOutcome, record_entry, record_item};
use crate::codec::structure::{Property, Structure};
use crate::codec::value::{list, object};
use crate::{Date, DateTime};

/// A type that can be filled from a deserializer.
pub(crate) trait InPlace<'de>: Default {
    /// The type, for messages.
    const EXPECTED: &'static str;

    /// Reads a value into `self`, which is the default, or the previous value if a property is repeated: of two objects, the
    /// properties of the second override those of the first. A value that does not match at all becomes the default. After an
    /// error, `self` is filled in part.
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<ReadOutcome, D::Error>;

    /// Reads a value into an option: null is `None`.
    #[inline]
    fn fill_option<D: Deserializer<'de>>(option: &mut Option<Self>, deserializer: D) -> Result<ReadOutcome, D::Error> {
        deserializer.deserialize_option(OptionVisitor(option))
    }
}

/// Implements `InPlace` for scalars.
macro_rules! scalars {
    ($($scalar:ty),*) => {
        $(impl<'de> crate::codec::in_place::InPlace<'de> for $scalar {
            const EXPECTED: &'static str = <Self as crate::codec::scalar::Scalar>::EXPECTED;

            #[inline]
            fn fill<D: ::serde::Deserializer<'de>>(
                &mut self,
                deserializer: D,
            ) -> ::std::result::Result<crate::codec::deviation::ReadOutcome, D::Error> {
                deserializer.deserialize_any(crate::codec::scalar::ScalarVisitor(self))
            }

            #[inline]
            fn fill_option<D: ::serde::Deserializer<'de>>(
                option: &mut ::std::option::Option<Self>,
                deserializer: D,
            ) -> ::std::result::Result<crate::codec::deviation::ReadOutcome, D::Error> {
                deserializer.deserialize_any(crate::codec::scalar::ScalarVisitor(option))
            }
        })*
    };
}

pub(crate) use scalars;

scalars!(bool, i64, f64, String, Date, DateTime);

/// Every value matches, null included.
impl<'de> InPlace<'de> for Value {
    const EXPECTED: &'static str = "any value";

    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<ReadOutcome, D::Error> {
        *self = Self::deserialize(deserializer)?;
        Ok(None)
    }
}

impl<'de, T: Structure> InPlace<'de> for T {
    const EXPECTED: &'static str = "an object";

    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<ReadOutcome, D::Error> {
        deserializer.deserialize_any(StructureVisitor(self))
    }
}

impl<'de, T: InPlace<'de>> InPlace<'de> for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<ReadOutcome, D::Error> {
        T::fill_option(self, deserializer)
    }
}

impl<'de, T: InPlace<'de>> InPlace<'de> for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<ReadOutcome, D::Error> {
        deserializer.deserialize_any(ListVisitor(self))
    }
}

impl<'de, T: InPlace<'de>> InPlace<'de> for BTreeMap<String, T> {
    const EXPECTED: &'static str = "an object";

    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<ReadOutcome, D::Error> {
        deserializer.deserialize_any(EntriesVisitor(self))
    }
}

/// The `DeserializeSeed` of a value that is filled in place.
pub(crate) struct InPlaceSeed<'a, T>(pub &'a mut T);

impl<'de, T: InPlace<'de>> DeserializeSeed<'de> for InPlaceSeed<'_, T> {
    type Value = ReadOutcome;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ReadOutcome, D::Error> {
        self.0.fill(deserializer)
    }
}

/// Sets a value to its default, since the one found does not match.
#[cold]
fn mismatch<'de, T: InPlace<'de>>(target: &mut T, found: Value) -> ReadOutcome {
    *target = T::default();
    Mismatch::whole(T::EXPECTED, found)
}

/// The methods of a visitor of objects, lists and maps, which no scalar matches.
macro_rules! scalars_mismatch {
    ($type:ty) => {
        type Value = ReadOutcome;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(<$type>::EXPECTED)
        }

        fn visit_bool<E: Error>(self, value: bool) -> Result<ReadOutcome, E> {
            Ok(mismatch(self.0, value.into()))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<ReadOutcome, E> {
            Ok(mismatch(self.0, number.into()))
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<ReadOutcome, E> {
            Ok(mismatch(self.0, number.into()))
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<ReadOutcome, E> {
            Ok(mismatch(self.0, number.into()))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<ReadOutcome, E> {
            Ok(mismatch(self.0, text.into()))
        }
    };
}

struct OptionVisitor<'a, T>(&'a mut Option<T>);

impl<'de, T: InPlace<'de>> Visitor<'de> for OptionVisitor<'_, T> {
    type Value = ReadOutcome;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_none<E: Error>(self) -> Result<ReadOutcome, E> {
        *self.0 = None;
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<ReadOutcome, E> {
        self.visit_none()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<ReadOutcome, D::Error> {
        let outcome = self.0.insert(T::default()).fill(deserializer)?;
        if outcome.as_ref().is_some_and(|mismatch| mismatch.whole_value().is_some()) {
            *self.0 = None;
        }
        Ok(outcome)
    }
}

struct StructureVisitor<'a, T>(&'a mut T);

impl<'de, T: Structure> Visitor<'de> for StructureVisitor<'_, T> {
    scalars_mismatch!(T);

    fn visit_unit<E: Error>(self) -> Result<ReadOutcome, E> {
        Ok(mismatch(self.0, Value::Null))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ReadOutcome, A::Error> {
        let mut outcome = None;
        while let Some(Property(property)) = map.next_key()? {
            if let Some(mismatch) = self.0.read(&property, &mut map)? {
                self.0.raw().record(&property, *mismatch, &mut outcome);
            }
        }
        Ok(outcome)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<ReadOutcome, A::Error> {
        Ok(mismatch(self.0, list(items)?))
    }
}

struct ListVisitor<'a, T>(&'a mut Vec<T>);

/// The largest allocation, in bytes, that is made for a size hint.
const MAX_PREALLOCATED: usize = 1 << 20;

impl<'de, T: InPlace<'de>> Visitor<'de> for ListVisitor<'_, T> {
    scalars_mismatch!(Vec<T>);

    fn visit_unit<E: Error>(self) -> Result<ReadOutcome, E> {
        self.0.clear();
        Ok(Mismatch::null())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ReadOutcome, A::Error> {
        let hint = items.size_hint().unwrap_or_default();
        *self.0 = Vec::with_capacity(hint.min(MAX_PREALLOCATED / size_of::<T>().max(1)));
        let (mut outcome, mut left_out) = (None, 0);
        loop {
            let mut item = T::default();
            match items.next_element_seed(InPlaceSeed(&mut item))? {
                Some(None) => {}
                Some(Some(mismatch)) => {
                    if record_item(&mut outcome, self.0.len() + left_out, T::EXPECTED, *mismatch) {
                        left_out += 1;
                        continue;
                    }
                }
                None => return Ok(outcome),
            }
            self.0.push(item);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<ReadOutcome, A::Error> {
        Ok(mismatch(self.0, object(entries)?))
    }
}

struct EntriesVisitor<'a, T>(&'a mut BTreeMap<String, T>);

impl<'de, T: InPlace<'de>> Visitor<'de> for EntriesVisitor<'_, T> {
    scalars_mismatch!(BTreeMap<String, T>);

    fn visit_unit<E: Error>(self) -> Result<ReadOutcome, E> {
        self.0.clear();
        Ok(Mismatch::null())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<ReadOutcome, A::Error> {
        self.0.clear();
        let mut outcome = None;
        while let Some(key) = entries.next_key::<String>()? {
            let mut value = T::default();
            if let Some(mismatch) = entries.next_value_seed(InPlaceSeed(&mut value))?
                && record_entry(&mut outcome, &key, T::EXPECTED, *mismatch)
            {
                continue;
            }
            self.0.insert(key, value);
        }
        Ok(outcome)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<ReadOutcome, A::Error> {
        Ok(mismatch(self.0, list(items)?))
    }
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, Serializer};
    use serde_json::json;

    use super::*;
    use crate::Deviation;
    use crate::codec::decode::{EmptyBody, decode_response};
    use crate::codec::tolerant::{self, ObjectSerializer, RawProperties};

    #[derive(Debug, Default, PartialEq)]
    struct Thing {
        name: String,
        within: Option<Box<Thing>>,
        list: Vec<Thing>,
        numbers: Vec<Option<i64>>,
        grid: Vec<Vec<i64>>,
        flags: BTreeMap<String, bool>,
        when: Option<DateTime>,
        size: Option<i64>,
        score: f64,
        any: Value,
        raw: RawProperties,
    }

    impl Structure for Thing {
        fn read<'de, A: MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> Result<ReadOutcome, A::Error> {
            match property {
                "name" => tolerant::read(map, &mut self.name),
                "within" => tolerant::read(map, &mut self.within),
                "list" => tolerant::read(map, &mut self.list),
                "numbers" => tolerant::read(map, &mut self.numbers),
                "grid" => tolerant::read(map, &mut self.grid),
                "flags" => tolerant::read(map, &mut self.flags),
                "when" => tolerant::read(map, &mut self.when),
                "size" => tolerant::read(map, &mut self.size),
                "score" => tolerant::read(map, &mut self.score),
                "any" => tolerant::read(map, &mut self.any),
                _ => tolerant::unknown(map),
            }
        }

        fn raw(&mut self) -> &mut RawProperties {
            &mut self.raw
        }
    }

    tolerant::structure! { Thing, raw }

    impl Serialize for Thing {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            ObjectSerializer::new(serializer, &self.raw)
                .always("name", &self.name)
                .present("within", &self.within)
                .present("list", &self.list)
                .present("numbers", &self.numbers)
                .present("grid", &self.grid)
                .present("flags", &self.flags)
                .present("when", &self.when)
                .present("size", &self.size)
                .numbers("score", &self.score)
                .present("any", &self.any)
                .end()
        }
    }

    fn read(text: &str) -> serde_json::Result<Thing> {
        serde_json::from_str(text)
    }

    fn named(name: &str) -> Thing {
        Thing { name: name.to_owned(), ..Thing::default() }
    }

    /// Whether a written value equals the one received, except for the properties that are always written.
    fn is_written(received: &Value, written: &Value) -> bool {
        match (received, written) {
            (Value::Object(received), Value::Object(written)) => {
                let others = written.keys().filter(|name| !received.contains_key(*name));
                others.into_iter().all(|name| name == "name" || name == "score")
                    && received
                        .iter()
                        .all(|(name, received)| written.get(name).is_some_and(|written| is_written(received, written)))
            }
            (Value::Array(received), Value::Array(written)) => {
                received.len() == written.len()
                    && received.iter().zip(written).all(|(received, written)| is_written(received, written))
            }
            _ => received == written,
        }
    }

    /// Reads an object and its deviations, and checks that it is written as received.
    fn read_and_write(body: &Value) -> (Thing, Vec<Deviation>) {
        let text = body.to_string();
        let (thing, mismatch) = decode_response::<Thing>(EmptyBody::Null, text.as_bytes()).unwrap();
        let written = serde_json::to_value(&thing).unwrap();
        assert!(is_written(body, &written), "{body} {written}");
        assert_eq!(read(&written.to_string()).unwrap(), thing);
        (thing, mismatch.map(|mismatch| mismatch.deviations()).unwrap_or_default())
    }

    fn paths(deviations: &[Deviation]) -> Vec<&str> {
        deviations.iter().map(|deviation| deviation.path.as_str()).collect()
    }

    #[test]
    fn nested_objects_are_read_in_place() {
        let thing =
            read(r#"{"name": "a", "within": {"name": "b"}, "list": [{"name": "c"}, {}], "numbers": [1, null]}"#);
        let (within, list) = (Some(Box::new(named("b"))), vec![named("c"), named("")]);
        assert_eq!(thing.unwrap(), Thing { within, list, numbers: vec![Some(1), None], ..named("a") });
    }

    #[test]
    fn null_resets_a_repeated_property_to_its_default() {
        let twice = r#"{"name": "a", "within": {}, "list": [{}], "size": 1, "score": 1, "flags": {"a": true},
            "name": null, "within": null, "list": null, "size": null, "score": null, "flags": null}"#;
        let mut thing = read(twice).unwrap();
        // Null in a field that is not optional is written back, as long as the field has its default.
        assert_eq!(serde_json::to_value(&thing).unwrap(), json!({"name": null, "score": null}));
        thing.raw = RawProperties::default();
        assert_eq!(thing, Thing::default());
    }

    #[test]
    fn the_last_value_of_a_repeated_property_counts() {
        let thing = read(r#"{"name": "a", "list": [{}, {}], "name": "b", "list": [{"name": "c"}]}"#).unwrap();
        assert_eq!(thing, Thing { list: vec![named("c")], ..named("b") });
    }

    #[test]
    fn a_value_of_another_type_leaves_only_its_own_field_at_the_default() {
        for mismatch in [json!({"a": [1]}), json!([1, {"a": null}])] {
            for property in ["name", "when", "size", "score"] {
                let mut body = json!({"name": "a", "list": [{"name": "b"}]});
                body[property] = mismatch.clone();
                let (thing, deviations) = read_and_write(&body);
                let name = if property == "name" { "" } else { "a" };
                assert_eq!((thing.name.as_str(), thing.list.len()), (name, 1), "{body}");
                assert_eq!((thing.when, thing.size, thing.score), (None, None, 0.0), "{body}");
                assert_eq!(paths(&deviations), [property]);
                assert_eq!(deviations[0].found, mismatch);
            }
        }
        for mismatch in [json!("a"), json!(1), json!(-1.5), json!(true)] {
            for property in ["within", "list", "numbers", "flags"] {
                let mut body = json!({"name": "a"});
                body[property] = mismatch.clone();
                let (thing, deviations) = read_and_write(&body);
                assert_eq!((&thing.within, thing.list.len(), thing.numbers.len(), thing.flags.len()), (&None, 0, 0, 0));
                assert_eq!((thing.name.as_str(), paths(&deviations)), ("a", vec![property]));
            }
        }
    }

    #[test]
    fn a_scalar_that_cannot_be_converted_is_kept_as_received() {
        let body =
            json!({"size": 12.5, "list": [{"size": "douze"}, {"size": u64::MAX}, {"size": ""}, {"score": "1,5"}]});
        let (thing, deviations) = read_and_write(&body);
        assert!(thing.list.iter().all(|thing| thing.size.is_none()));
        let expected = ["size", "list[0].size", "list[1].size", "list[2].size", "list[3].score"];
        let mut reported = paths(&deviations);
        reported.sort_by_key(|path| expected.iter().position(|other| other == path));
        assert_eq!(reported, expected);
    }

    #[test]
    fn mismatching_items_and_entries_are_left_out_and_written_back_where_they_were() {
        let body = json!({
            "list": ["a", {"name": "b"}, null, {"name": "c"}, []], "numbers": [1, {}, 2, null, []],
            "grid": [[1, "a", 2], "b", ["c"], []], "flags": {"a": true, "b": null, "c": {}, "d": false},
        });
        let (thing, deviations) = read_and_write(&body);
        assert_eq!(thing.list.iter().map(|thing| thing.name.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(thing.numbers, [Some(1), Some(2), None]);
        assert_eq!(thing.grid, [vec![1, 2], vec![], vec![]]);
        assert_eq!(thing.flags, BTreeMap::from([("a".to_owned(), true), ("d".to_owned(), false)]));
        let mut reported = paths(&deviations);
        reported.sort_unstable();
        let expected = [
            "flags.b",
            "flags.c",
            "grid[0][1]",
            "grid[1]",
            "grid[2][0]",
            "list[0]",
            "list[2]",
            "list[4]",
            "numbers[1]",
            "numbers[4]",
        ];
        assert_eq!(reported, expected);
        let item = deviations.iter().find(|deviation| deviation.path == "grid[0][1]").unwrap();
        assert_eq!(item.to_string(), "`grid[0][1]`: expected an integer, found a text");
    }

    #[test]
    fn a_field_that_was_set_is_written_instead_of_the_value_received() {
        let mut thing = read(r#"{"name": {"fr": "a"}, "size": [], "list": ["b"], "when": {}}"#).unwrap();
        thing.name = "c".to_owned();
        thing.size = Some(3);
        thing.list.push(named("d"));
        let written = serde_json::to_value(&thing).unwrap();
        assert_eq!(
            written,
            json!({"name": "c", "size": 3, "list": ["b", {"name": "d", "score": 0.0}], "when": {}, "score": 0.0})
        );
    }

    #[test]
    fn unknown_properties_are_kept_at_every_depth() {
        let body = json!({"a": null, "list": [{"b": [1, {"c": 2.5}]}], "within": {"list": [{}, {"d": "e"}]}});
        let (thing, deviations) = read_and_write(&body);
        assert_eq!(deviations, []);
        assert_eq!(thing.unknown(), &BTreeMap::from([("a".to_owned(), Value::Null)]));
        assert_eq!(thing.list[0].unknown()["b"], json!([1, {"c": 2.5}]));
        assert_eq!(thing.within.unwrap().list[1].unknown()["d"], "e");
        assert!(thing.list[0].unknown().get("a").is_none() && named("a").unknown().is_empty());
    }

    #[test]
    fn a_response_of_another_type_or_invalid_json_is_an_error() {
        for (text, reason) in [
            ("[]", "invalid type: sequence, expected an object"),
            ("null", "invalid type: null, expected an object"),
            ("\"a\"", "invalid type: string \"a\", expected an object"),
            ("{\"list\": [{]}", "key must be a string"),
            ("{} {}", "trailing characters"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
