//! Reading values where they are kept.
//!
//! serde hands each value up from reader to reader; a dataset and its resources, of a kilobyte or more each, are
//! moved half a dozen times on their way. Here a structure, an option and the fields in them are filled where they are.
//!
//! No form of a value is an error here: what does not fit its place is handed up as a [`Misfit`], for the structure that
//! holds the place to keep. Only what is no JSON is an error.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::codec::deviation::{Fit, Misfit, of_entry, of_item};
use crate::codec::structure::{Property, Structure};
use crate::codec::value::{list, object};
use crate::{Date, DateTime};

/// What can be filled from a deserializer.
pub(crate) trait InPlace<'de>: Default {
    /// What it is, for messages.
    const EXPECTED: &'static str;

    /// Reads a value into the place of another, which is the default, or the one before where a property stands twice:
    /// of two structures, the properties of the second that are there count. What does not fit at all is the default. Where
    /// reading fails, the value is there in part.
    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<Fit, D::Error>;

    /// The same of a place that can be empty: null is nothing.
    #[inline]
    fn fill_option<D: Deserializer<'de>>(place: &mut Option<Self>, deserializer: D) -> Result<Fit, D::Error> {
        deserializer.deserialize_option(OptionVisitor(place))
    }
}

/// What is no structure, list or map says itself that it is filled as a scalar.
macro_rules! scalars {
    ($($scalar:ty),*) => {
        $(impl<'de> crate::codec::in_place::InPlace<'de> for $scalar {
            const EXPECTED: &'static str = <Self as crate::codec::scalar::Scalar>::EXPECTED;

            #[inline]
            fn fill<D: ::serde::Deserializer<'de>>(
                &mut self,
                deserializer: D,
            ) -> ::std::result::Result<crate::codec::deviation::Fit, D::Error> {
                deserializer.deserialize_any(crate::codec::scalar::ScalarVisitor(self))
            }

            #[inline]
            fn fill_option<D: ::serde::Deserializer<'de>>(
                place: &mut ::std::option::Option<Self>,
                deserializer: D,
            ) -> ::std::result::Result<crate::codec::deviation::Fit, D::Error> {
                deserializer.deserialize_any(crate::codec::scalar::ScalarVisitor(place))
            }
        })*
    };
}

pub(crate) use scalars;

scalars!(bool, i64, f64, String, Date, DateTime);

/// Any value fits, null among them.
impl<'de> InPlace<'de> for Value {
    const EXPECTED: &'static str = "any value";

    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<Fit, D::Error> {
        *self = Self::deserialize(deserializer)?;
        Ok(None)
    }
}

impl<'de, T: Structure> InPlace<'de> for T {
    const EXPECTED: &'static str = "an object";

    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<Fit, D::Error> {
        deserializer.deserialize_any(StructureVisitor(self))
    }
}

impl<'de, T: InPlace<'de>> InPlace<'de> for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<Fit, D::Error> {
        T::fill_option(self, deserializer)
    }
}

impl<'de, T: InPlace<'de>> InPlace<'de> for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<Fit, D::Error> {
        deserializer.deserialize_any(ListVisitor(self))
    }
}

impl<'de, T: InPlace<'de>> InPlace<'de> for BTreeMap<String, T> {
    const EXPECTED: &'static str = "an object";

    fn fill<D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<Fit, D::Error> {
        deserializer.deserialize_any(EntriesVisitor(self))
    }
}

/// Fills a place.
pub(crate) struct Filling<'a, T>(pub &'a mut T);

impl<'de, T: InPlace<'de>> DeserializeSeed<'de> for Filling<'_, T> {
    type Value = Fit;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fit, D::Error> {
        self.0.fill(deserializer)
    }
}

/// Leaves a place at its default, since the value does not fit it.
#[cold]
fn misfit<'de, T: InPlace<'de>>(place: &mut T, found: Value) -> Fit {
    *place = T::default();
    Misfit::whole(T::EXPECTED, found)
}

/// What does not fit what is made of other values.
macro_rules! scalars_are_misfits {
    ($type:ty) => {
        type Value = Fit;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(<$type>::EXPECTED)
        }

        fn visit_bool<E: Error>(self, value: bool) -> Result<Fit, E> {
            Ok(misfit(self.0, value.into()))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Fit, E> {
            Ok(misfit(self.0, number.into()))
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Fit, E> {
            Ok(misfit(self.0, number.into()))
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<Fit, E> {
            Ok(misfit(self.0, number.into()))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Fit, E> {
            Ok(misfit(self.0, text.into()))
        }
    };
}

struct OptionVisitor<'a, T>(&'a mut Option<T>);

impl<'de, T: InPlace<'de>> Visitor<'de> for OptionVisitor<'_, T> {
    type Value = Fit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_none<E: Error>(self) -> Result<Fit, E> {
        *self.0 = None;
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Fit, E> {
        self.visit_none()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fit, D::Error> {
        let fit = self.0.insert(T::default()).fill(deserializer)?;
        if fit.as_ref().is_some_and(|misfit| misfit.whole_value().is_some()) {
            *self.0 = None;
        }
        Ok(fit)
    }
}

struct StructureVisitor<'a, T>(&'a mut T);

impl<'de, T: Structure> Visitor<'de> for StructureVisitor<'_, T> {
    scalars_are_misfits!(T);

    fn visit_unit<E: Error>(self) -> Result<Fit, E> {
        Ok(misfit(self.0, Value::Null))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fit, A::Error> {
        let mut fit = None;
        while let Some(Property(property)) = map.next_key()? {
            if let Some(misfit) = self.0.read(&property, &mut map)? {
                self.0.kept().keep(&property, *misfit, &mut fit);
            }
        }
        Ok(fit)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Fit, A::Error> {
        Ok(misfit(self.0, list(items)?))
    }
}

struct ListVisitor<'a, T>(&'a mut Vec<T>);

/// How much is set aside for as many items as are announced.
const ANNOUNCED: usize = 1 << 20;

impl<'de, T: InPlace<'de>> Visitor<'de> for ListVisitor<'_, T> {
    scalars_are_misfits!(Vec<T>);

    fn visit_unit<E: Error>(self) -> Result<Fit, E> {
        self.0.clear();
        Ok(Misfit::null())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Fit, A::Error> {
        let announced = items.size_hint().unwrap_or_default();
        *self.0 = Vec::with_capacity(announced.min(ANNOUNCED / size_of::<T>().max(1)));
        let (mut fit, mut left_out) = (None, 0);
        loop {
            let mut item = T::default();
            match items.next_element_seed(Filling(&mut item))? {
                Some(None) => {}
                Some(Some(misfit)) => {
                    if of_item(&mut fit, self.0.len() + left_out, T::EXPECTED, *misfit) {
                        left_out += 1;
                        continue;
                    }
                }
                None => return Ok(fit),
            }
            self.0.push(item);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Fit, A::Error> {
        Ok(misfit(self.0, object(entries)?))
    }
}

struct EntriesVisitor<'a, T>(&'a mut BTreeMap<String, T>);

impl<'de, T: InPlace<'de>> Visitor<'de> for EntriesVisitor<'_, T> {
    scalars_are_misfits!(BTreeMap<String, T>);

    fn visit_unit<E: Error>(self) -> Result<Fit, E> {
        self.0.clear();
        Ok(Misfit::null())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fit, A::Error> {
        self.0.clear();
        let mut fit = None;
        while let Some(key) = entries.next_key::<String>()? {
            let mut value = T::default();
            if let Some(misfit) = entries.next_value_seed(Filling(&mut value))?
                && of_entry(&mut fit, &key, T::EXPECTED, *misfit)
            {
                continue;
            }
            self.0.insert(key, value);
        }
        Ok(fit)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Fit, A::Error> {
        Ok(misfit(self.0, list(items)?))
    }
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, Serializer};
    use serde_json::json;

    use super::*;
    use crate::Deviation;
    use crate::codec::tolerant::{self, Kept, Writing};

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
        kept: Kept,
    }

    impl Structure for Thing {
        fn read<'de, A: MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> Result<Fit, A::Error> {
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

        fn kept(&mut self) -> &mut Kept {
            &mut self.kept
        }
    }

    tolerant::answer! { Thing, kept }

    impl Serialize for Thing {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            Writing::start(serializer, &self.kept)
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

    /// Whether a value is what another is, without the properties that are always there.
    fn is_in(came: &Value, written: &Value) -> bool {
        match (came, written) {
            (Value::Object(came), Value::Object(written)) => {
                let others = written.keys().filter(|name| !came.contains_key(*name));
                others.into_iter().all(|name| name == "name" || name == "score")
                    && came.iter().all(|(name, came)| written.get(name).is_some_and(|written| is_in(came, written)))
            }
            (Value::Array(came), Value::Array(written)) => {
                came.len() == written.len() && came.iter().zip(written).all(|(came, written)| is_in(came, written))
            }
            _ => came == written,
        }
    }

    /// What was read of an object, and what of it did not fit: as long as nothing is changed, what is written is what came.
    fn told(body: &Value) -> (Thing, Vec<Deviation>) {
        let text = body.to_string();
        let (thing, misfit) =
            crate::codec::decode::decode_answer::<Thing>(reqwest::StatusCode::OK, text.as_bytes()).unwrap();
        let written = serde_json::to_value(&thing).unwrap();
        assert!(is_in(body, &written), "{body} {written}");
        assert_eq!(read(&written.to_string()).unwrap(), thing);
        (thing, misfit.map(|misfit| misfit.deviations()).unwrap_or_default())
    }

    fn paths(deviations: &[Deviation]) -> Vec<&str> {
        deviations.iter().map(|deviation| deviation.path.as_str()).collect()
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
        let twice = r#"{"name": "a", "within": {}, "list": [{}], "size": 1, "score": 1, "flags": {"a": true},
            "name": null, "within": null, "list": null, "size": null, "score": null, "flags": null}"#;
        let mut thing = read(twice).unwrap();
        // A field that is never null is written as it came, as long as it is at its default.
        assert_eq!(serde_json::to_value(&thing).unwrap(), json!({"name": null, "score": null}));
        thing.kept = Kept::default();
        assert_eq!(thing, Thing::default());
    }

    #[test]
    fn the_last_value_counts_of_a_property_that_stands_twice() {
        let thing = read(r#"{"name": "a", "list": [{}, {}], "name": "b", "list": [{"name": "c"}]}"#).unwrap();
        assert_eq!(thing, Thing { list: vec![named("c")], ..named("b") });
    }

    #[test]
    fn a_value_of_another_form_costs_its_field_alone() {
        for misfit in [json!({"a": [1]}), json!([1, {"a": null}])] {
            for property in ["name", "when", "size", "score"] {
                let mut body = json!({"name": "a", "list": [{"name": "b"}]});
                body[property] = misfit.clone();
                let (thing, deviations) = told(&body);
                let name = if property == "name" { "" } else { "a" };
                assert_eq!((thing.name.as_str(), thing.list.len()), (name, 1), "{body}");
                assert_eq!((thing.when, thing.size, thing.score), (None, None, 0.0), "{body}");
                assert_eq!(paths(&deviations), [property]);
                assert_eq!(deviations[0].found, misfit);
            }
        }
        for misfit in [json!("a"), json!(1), json!(-1.5), json!(true)] {
            for property in ["within", "list", "numbers", "flags"] {
                let mut body = json!({"name": "a"});
                body[property] = misfit.clone();
                let (thing, deviations) = told(&body);
                assert_eq!((&thing.within, thing.list.len(), thing.numbers.len(), thing.flags.len()), (&None, 0, 0, 0));
                assert_eq!((thing.name.as_str(), paths(&deviations)), ("a", vec![property]));
            }
        }
    }

    #[test]
    fn what_a_scalar_cannot_mean_is_kept_as_it_came() {
        let body =
            json!({"size": 12.5, "list": [{"size": "douze"}, {"size": u64::MAX}, {"size": ""}, {"score": "1,5"}]});
        let (thing, deviations) = told(&body);
        assert!(thing.list.iter().all(|thing| thing.size.is_none()));
        let expected = ["size", "list[0].size", "list[1].size", "list[2].size", "list[3].score"];
        let mut told = paths(&deviations);
        told.sort_by_key(|path| expected.iter().position(|other| other == path));
        assert_eq!(told, expected);
    }

    #[test]
    fn an_item_or_an_entry_that_cannot_be_read_is_left_out_and_written_back_in_its_place() {
        let body = json!({
            "list": ["a", {"name": "b"}, null, {"name": "c"}, []], "numbers": [1, {}, 2, null, []],
            "grid": [[1, "a", 2], "b", ["c"], []], "flags": {"a": true, "b": null, "c": {}, "d": false},
        });
        let (thing, deviations) = told(&body);
        assert_eq!(thing.list.iter().map(|thing| thing.name.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(thing.numbers, [Some(1), Some(2), None]);
        assert_eq!(thing.grid, [vec![1, 2], vec![], vec![]]);
        assert_eq!(thing.flags, BTreeMap::from([("a".to_owned(), true), ("d".to_owned(), false)]));
        let mut told = paths(&deviations);
        told.sort_unstable();
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
        assert_eq!(told, expected);
        let item = deviations.iter().find(|deviation| deviation.path == "grid[0][1]").unwrap();
        assert_eq!(item.to_string(), "`grid[0][1]`: expected an integer, found a text");
    }

    #[test]
    fn what_was_set_is_written_and_not_what_came() {
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
    fn a_property_without_a_field_is_kept_wherever_it_stands() {
        let body = json!({"a": null, "list": [{"b": [1, {"c": 2.5}]}], "within": {"list": [{}, {"d": "e"}]}});
        let (thing, deviations) = told(&body);
        assert_eq!(deviations, []);
        assert_eq!(thing.unknown(), &BTreeMap::from([("a".to_owned(), Value::Null)]));
        assert_eq!(thing.list[0].unknown()["b"], json!([1, {"c": 2.5}]));
        assert_eq!(thing.within.unwrap().list[1].unknown()["d"], "e");
        assert!(thing.list[0].unknown().get("a").is_none() && named("a").unknown().is_empty());
    }

    #[test]
    fn an_answer_of_another_form_is_an_error() {
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
