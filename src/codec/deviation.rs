//! Values of a response that do not match its type: how they are kept, and how they are reported.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A value of a response that does not have the type of its field.
///
/// The field keeps its default (an item or an entry is left out of its list or map), and everything else is read.
/// Serializing the response writes the value as received, unless the field has been set since. A value of another JSON type
/// with the same meaning (`"12"` or `12.0` for an integer, `"true"` or `1` for a boolean, `12` for a string) is converted and
/// is not a deviation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Deviation {
    /// The path to the value in the response, such as `data[3].resources[0].title`.
    pub path: String,
    /// The type of the field: `an integer`, `a text`, `an object`, `a list`…
    pub expected: &'static str,
    /// The value as received.
    pub found: Value,
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, expected, found } = self;
        let form = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        write!(f, "`{path}`: expected {expected}, found {form}")
    }
}

/// What of a value did not match the type that it was read as; `None` if all of it did. Boxed, so that it is returned in a
/// register.
pub(crate) type ReadOutcome = Option<Box<Mismatch>>;

/// The parts of a value that did not match its type.
#[derive(Debug, Default)]
pub(crate) struct Mismatch {
    /// The part of the value that its owner has to keep; `None` if structures within it keep all of it.
    pub raw: Option<Raw>,
    pub notes: Vec<Note>,
}

impl Mismatch {
    /// Null instead of a list or a map, which is read as empty. Reported only for items and entries.
    #[cold]
    pub(crate) fn null() -> ReadOutcome {
        Some(Box::new(Self { raw: Some(Raw::Whole(Value::Null)), notes: Vec::new() }))
    }

    /// A value that could not be read at all.
    #[cold]
    pub(crate) fn whole(expected: &'static str, found: Value) -> ReadOutcome {
        let note = Note { path: Vec::new(), kind: NoteKind::Deviates(expected, found.clone()) };
        Some(Box::new(Self { raw: Some(Raw::Whole(found)), notes: vec![note] }))
    }

    /// A number that was read as a string, whose digits may differ from those received.
    #[cold]
    pub(crate) fn rounded() -> ReadOutcome {
        Some(Box::new(Self { raw: None, notes: vec![Note { path: Vec::new(), kind: NoteKind::Rounded }] }))
    }

    /// The value of a property that the document does not name.
    #[cold]
    pub(crate) fn unknown(value: Value) -> ReadOutcome {
        Some(Box::new(Self { raw: Some(Raw::Unknown(value)), notes: Vec::new() }))
    }

    /// A mismatching value among additional properties, which the structure keeps like unknown ones.
    #[cold]
    pub(crate) fn other(expected: &'static str, value: Value, outcome: ReadOutcome) -> ReadOutcome {
        let outcome = outcome.or_else(|| Self::whole(expected, value.clone()));
        outcome.map(|mismatch| Box::new(Self { raw: Some(Raw::Unknown(value)), notes: mismatch.notes }))
    }

    /// Returns the value if nothing of it could be read.
    pub(crate) fn whole_value(&self) -> Option<&Value> {
        if let Some(Raw::Whole(value)) = &self.raw { Some(value) } else { None }
    }

    /// Returns the deviations within the value.
    pub(crate) fn deviations(self) -> Vec<Deviation> {
        let deviation = |note: Note| match note.kind {
            NoteKind::Deviates(expected, found) => Some(Deviation { path: path(&note.path), expected, found }),
            NoteKind::Rounded => None,
        };
        self.notes.into_iter().filter_map(deviation).collect()
    }

    /// Returns the paths, in reverse, to the numbers that were read as strings.
    pub(crate) fn rounded_paths(&self) -> impl Iterator<Item = &[Step]> {
        self.notes.iter().filter(|note| matches!(note.kind, NoteKind::Rounded)).map(|note| note.path.as_slice())
    }

    /// Restores the value as received, from what was read of it.
    #[cfg(feature = "_round-trip")]
    pub(crate) fn join(&self, read: Value) -> Value {
        self.raw.as_ref().map_or(read.clone(), |raw| raw.join(read))
    }
}

/// The part of a value that was not read into a field, as received.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Raw {
    /// The value of a property without a field.
    Unknown(Value),
    /// The whole value.
    Whole(Value),
    /// Items of a list, by index.
    Items(Vec<(usize, Raw)>),
    /// Entries of a map.
    Entries(BTreeMap<String, Raw>),
}

impl Raw {
    /// Restores the value as received, from what was read and what was not.
    fn join(&self, read: Value) -> Value {
        match self {
            Self::Unknown(value) | Self::Whole(value) => value.clone(),
            Self::Items(left) => {
                let mut items = if let Value::Array(items) = read { items } else { Vec::new() };
                for (index, raw) in left {
                    match raw {
                        // The item was left out of the list.
                        Self::Unknown(value) | Self::Whole(value) => {
                            items.insert((*index).min(items.len()), value.clone());
                        }
                        _ => {
                            if let Some(item) = items.get_mut(*index) {
                                *item = raw.join(item.take());
                            }
                        }
                    }
                }
                Value::Array(items)
            }
            Self::Entries(left) => {
                let mut entries = if let Value::Object(entries) = read { entries } else { serde_json::Map::new() };
                for (key, raw) in left {
                    let read = entries.remove(key).unwrap_or_default();
                    entries.insert(key.clone(), raw.join(read));
                }
                Value::Object(entries)
            }
        }
    }
}

/// A segment of the path to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Property(String),
    Index(usize),
}

/// A note on a value, with the path to it in reverse.
#[derive(Debug)]
pub(crate) struct Note {
    path: Vec<Step>,
    kind: NoteKind,
}

#[derive(Debug)]
enum NoteKind {
    Deviates(&'static str, Value),
    Rounded,
}

/// Adds the notes on a nested value, prefixed with the step that leads to it.
fn merge_notes(outer: &mut ReadOutcome, notes: Vec<Note>, step: &Step) {
    if notes.is_empty() {
        return;
    }
    let outer = outer.get_or_insert_default();
    outer.notes.extend(notes.into_iter().map(|mut note| {
        note.path.push(step.clone());
        note
    }));
}

/// Records the mismatch of an item; returns whether the item is left out.
#[cold]
pub(crate) fn record_item(outer: &mut ReadOutcome, index: usize, expected: &'static str, mismatch: Mismatch) -> bool {
    let mismatch = note_null(expected, mismatch);
    let is_whole = mismatch.whole_value().is_some();
    merge_notes(outer, mismatch.notes, &Step::Index(index));
    if let Some(raw) = mismatch.raw {
        match &mut outer.get_or_insert_default().raw {
            Some(Raw::Items(items)) => items.push((index, raw)),
            other => *other = Some(Raw::Items(vec![(index, raw)])),
        }
    }
    is_whole
}

/// Records the mismatch of an entry of a map; returns whether the entry is left out.
#[cold]
pub(crate) fn record_entry(outer: &mut ReadOutcome, key: &str, expected: &'static str, mismatch: Mismatch) -> bool {
    let mismatch = note_null(expected, mismatch);
    let is_whole = mismatch.whole_value().is_some();
    merge_notes(outer, mismatch.notes, &Step::Property(key.to_owned()));
    if let Some(raw) = mismatch.raw {
        match &mut outer.get_or_insert_default().raw {
            Some(Raw::Entries(entries)) => drop(entries.insert(key.to_owned(), raw)),
            other => *other = Some(Raw::Entries(BTreeMap::from([(key.to_owned(), raw)]))),
        }
    }
    is_whole
}

/// Adds a note on a null item or entry whose type is not nullable.
fn note_null(expected: &'static str, mut mismatch: Mismatch) -> Mismatch {
    if mismatch.whole_value().is_some_and(Value::is_null) {
        mismatch.notes = vec![Note { path: Vec::new(), kind: NoteKind::Deviates(expected, Value::Null) }];
    }
    mismatch
}

/// The values received with a structure that none of its fields holds: unknown properties, and values that do not match.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct RawProperties(Option<Box<Values>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Values {
    unknown: BTreeMap<String, Value>,
    mismatches: BTreeMap<String, Raw>,
}

static EMPTY: BTreeMap<String, Value> = BTreeMap::new();

impl RawProperties {
    /// Returns the properties without a field.
    pub(crate) fn unknown(&self) -> &BTreeMap<String, Value> {
        self.0.as_deref().map_or(&EMPTY, |values| &values.unknown)
    }

    /// Keeps the mismatching part of a property, and adds its notes to those of the structure.
    #[cold]
    pub(crate) fn record(&mut self, property: &str, mismatch: Mismatch, outer: &mut ReadOutcome) {
        let is_silent = mismatch.notes.is_empty();
        merge_notes(outer, mismatch.notes, &Step::Property(property.to_owned()));
        let property = property.to_owned();
        match mismatch.raw {
            None => {}
            Some(Raw::Whole(Value::Null)) if is_silent => {}
            Some(Raw::Unknown(value)) => drop(self.0.get_or_insert_default().unknown.insert(property, value)),
            Some(raw) => drop(self.0.get_or_insert_default().mismatches.insert(property, raw)),
        }
    }

    /// Returns the value of a field, to send it back; `None` if it is not the whole value received.
    pub(crate) fn matching<T>(&self, property: &str, value: T) -> Option<T> {
        self.mismatch(property).is_none().then_some(value)
    }

    /// Returns the part of a property that did not match its field.
    #[inline]
    pub(crate) fn mismatch(&self, property: &str) -> Option<&Raw> {
        self.0.as_deref()?.mismatches.get(property)
    }
}

impl fmt::Debug for RawProperties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(values) => f.debug_map().entries(&values.unknown).entries(&values.mismatches).finish(),
            None => f.write_str("{}"),
        }
    }
}

/// A field with the part of its property that did not match, serialized as the value received.
pub(crate) struct Joined<'a, T>(pub &'a T, pub &'a Raw);

impl<T: Default + PartialEq + Serialize> Serialize for Joined<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(field, raw) = self;
        match raw {
            Raw::Whole(raw) if **field == T::default() => raw.serialize(serializer),
            Raw::Whole(_) => field.serialize(serializer),
            raw => {
                let read = serde_json::to_value(field).map_err(serde::ser::Error::custom)?;
                raw.join(read).serialize(serializer)
            }
        }
    }
}

/// The path as it is reported: `data[3].title`.
fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps.iter().rev() {
        match step {
            Step::Property(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}
