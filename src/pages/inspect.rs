//! Decodes a page and its envelope in one pass.
//!
//! The type is deserialized from `serde_json` through [`Inspect`], which records the fields of the page and the ids of its
//! items; their values go to the type directly. This works for the usual form only: an object whose `data` is a list of
//! objects, each with one `id`. Any other form is an error here, and the caller then reads it in two passes.

use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use super::PageOf;
use super::raw_envelope::RawEnvelope;

/// Reads a page and the ids of its items; `expected` is the number of items on the previous page.
#[inline]
pub(super) fn read<P>(page: &str, expected: usize) -> serde_json::Result<(Option<P>, RawEnvelope<'_>)>
where
    P: PageOf + DeserializeOwned,
{
    let mut raw = RawEnvelope { data: Some(Vec::with_capacity(expected)), ..RawEnvelope::default() };
    let mut deserializer = serde_json::Deserializer::from_str(page);
    let read = P::read(Inspect { noted: &mut raw, inner: &mut deserializer })?;
    deserializer.end()?;
    Ok((read, raw))
}

/// Wraps a deserializer, a visitor or a seed, and records what passes through it.
struct Inspect<'n, N, T> {
    noted: &'n mut N,
    inner: T,
}

/// What is recorded of an object or a list.
trait Note<'de>: Sized {
    fn visit_map<V: Visitor<'de>, A: MapAccess<'de>>(&mut self, _: V, _: A) -> Result<V::Value, A::Error> {
        Err(A::Error::custom("an object"))
    }

    fn visit_seq<V: Visitor<'de>, A: SeqAccess<'de>>(&mut self, _: V, _: A) -> Result<V::Value, A::Error> {
        Err(A::Error::custom("a list"))
    }
}

/// What is recorded of the fields of an object.
trait NoteFields<'de> {
    /// Reads the next value in `map`, that of the field `name`.
    fn next_value<A: MapAccess<'de>, S: DeserializeSeed<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
        seed: S,
    ) -> Result<S::Value, A::Error>;
}

/// The page.
impl<'de> Note<'de> for RawEnvelope<'de> {
    #[inline]
    fn visit_map<V: Visitor<'de>, A: MapAccess<'de>>(&mut self, visitor: V, map: A) -> Result<V::Value, A::Error> {
        visitor.visit_map(Fields { noted: self, map, name: "" })
    }
}

impl<'de> NoteFields<'de> for RawEnvelope<'de> {
    #[inline]
    fn next_value<A: MapAccess<'de>, S: DeserializeSeed<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
        seed: S,
    ) -> Result<S::Value, A::Error> {
        let noted = match name {
            "data" => return map.next_value_seed(Inspect { noted: &mut self.data, inner: seed }),
            "total" => &mut self.total,
            "page" => &mut self.page,
            "page_size" => &mut self.page_size,
            "next_page" => &mut self.next_page,
            _ => return map.next_value_seed(seed),
        };
        note(map, noted, seed)
    }
}

/// Its `data`.
impl<'de> Note<'de> for Option<Vec<&'de RawValue>> {
    #[inline]
    fn visit_seq<V: Visitor<'de>, A: SeqAccess<'de>>(&mut self, visitor: V, items: A) -> Result<V::Value, A::Error> {
        let ids = self.get_or_insert_default();
        if !ids.is_empty() {
            return Err(A::Error::duplicate_field("data"));
        }
        let expected = ids.capacity();
        visitor.visit_seq(Items { ids, items, expected })
    }
}

/// An item.
impl<'de> Note<'de> for Option<&'de RawValue> {
    #[inline]
    fn visit_map<V: Visitor<'de>, A: MapAccess<'de>>(&mut self, visitor: V, map: A) -> Result<V::Value, A::Error> {
        visitor.visit_map(Fields { noted: self, map, name: "" })
    }
}

impl<'de> NoteFields<'de> for Option<&'de RawValue> {
    #[inline]
    fn next_value<A: MapAccess<'de>, S: DeserializeSeed<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
        seed: S,
    ) -> Result<S::Value, A::Error> {
        if name == "id" { note(map, self, seed) } else { map.next_value_seed(seed) }
    }
}

impl<'de, N: Note<'de>, D: Deserializer<'de>> Deserializer<'de> for Inspect<'_, N, D> {
    type Error = D::Error;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(Inspect { noted: self.noted, inner: visitor })
    }

    // Null is not among the recorded forms, hence an error.
    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, N: Note<'de>, V: Visitor<'de>> Visitor<'de> for Inspect<'_, N, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.noted.visit_map(self.inner, map)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.noted.visit_seq(self.inner, seq)
    }
}

impl<'de, N: Note<'de>, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Inspect<'_, N, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Inspect { noted: self.noted, inner: deserializer })
    }
}

struct Fields<'n, 'de, N, A> {
    noted: &'n mut N,
    map: A,
    name: &'de str,
}

impl<'de, N: NoteFields<'de>, A: MapAccess<'de>> MapAccess<'de> for Fields<'_, 'de, N, A> {
    type Error = A::Error;

    /// A name that is escaped cannot be borrowed, and is an error.
    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(name) = self.map.next_key()? else { return Ok(None) };
        self.name = name;
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.noted.next_value(self.name, &mut self.map, seed)
    }
}

struct Items<'n, 'de, A> {
    ids: &'n mut Vec<&'de RawValue>,
    items: A,
    expected: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<'_, 'de, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let mut id: Option<&RawValue> = None;
        let item = self.items.next_element_seed(Inspect { noted: &mut id, inner: seed })?;
        if item.is_some() {
            let id = id.filter(|id| id.get() != "null");
            self.ids.push(id.ok_or_else(|| A::Error::missing_field("id"))?);
        }
        Ok(item)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.expected)
    }
}

/// Records the JSON text of the next value in `map`, and deserializes the value from it.
#[inline]
fn note<'de, A, S>(map: &mut A, noted: &mut Option<&'de RawValue>, seed: S) -> Result<S::Value, A::Error>
where
    A: MapAccess<'de>,
    S: DeserializeSeed<'de>,
{
    let text: &'de RawValue = map.next_value()?;
    if noted.replace(text).is_some() {
        return Err(A::Error::custom("a field twice"));
    }
    seed.deserialize(&mut serde_json::Deserializer::from_str(text.get())).map_err(A::Error::custom)
}
