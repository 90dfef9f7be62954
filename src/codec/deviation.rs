//! Values of a response that do not fit its type: how they are kept, and how they are reported.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A value of an answer that does not have the form which its field promises.
///
/// The field is at its default, an item or an entry is left out of its list or map, and all else is read. Serializing the
/// answer writes the value as it came, as long as the field was not set to another. What has another form but the same
/// meaning (`"12"` or `12.0` for an integer, `"true"` or `1` for a boolean, `12` for a text) is read, and is no deviation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Deviation {
    /// Where the value stands in the answer, as in `data[3].resources[0].title`.
    pub path: String,
    /// What the field holds: `an integer`, `a text`, `an object`, `a list` ...
    pub expected: &'static str,
    /// The value as it came.
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

/// How a value fitted the place that it was read into: what of it did not, where something did not. As small as it is, it
/// is handed up in a register.
pub(crate) type Fit = Option<Box<Misfit>>;

/// What could not be read.
#[derive(Debug, Default)]
pub(crate) struct Misfit {
    /// What is left of the value, for whoever holds it to keep; `None` where all of it is kept within.
    pub raw: Option<Raw>,
    pub notes: Vec<Note>,
}

impl Misfit {
    /// Null where a list or a map was expected is as good as an empty one. It is reported for items and entries only.
    #[cold]
    pub(crate) fn null() -> Fit {
        Some(Box::new(Self { raw: Some(Raw::Whole(Value::Null)), notes: Vec::new() }))
    }

    /// Of a value of which nothing could be read.
    #[cold]
    pub(crate) fn whole(expected: &'static str, found: Value) -> Fit {
        let note = Note { path: Vec::new(), kind: NoteKind::Deviates(expected, found.clone()) };
        Some(Box::new(Self { raw: Some(Raw::Whole(found)), notes: vec![note] }))
    }

    /// Of a number that was read as a text, whose digits may not be those that came.
    #[cold]
    pub(crate) fn rounded() -> Fit {
        Some(Box::new(Self { raw: None, notes: vec![Note { path: Vec::new(), kind: NoteKind::Rounded }] }))
    }

    /// Of a property that the document does not name.
    #[cold]
    pub(crate) fn unknown(value: Value) -> Fit {
        Some(Box::new(Self { raw: Some(Raw::Unknown(value)), notes: Vec::new() }))
    }

    /// Of the value of a property without a field of its own, which the structure keeps as it keeps unknown ones.
    #[cold]
    pub(crate) fn of_other(expected: &'static str, value: Value, fit: Fit) -> Fit {
        let fit = fit.or_else(|| Self::whole(expected, value.clone()));
        fit.map(|misfit| Box::new(Self { raw: Some(Raw::Unknown(value)), notes: misfit.notes }))
    }

    /// The value, where nothing of it could be read.
    pub(crate) fn whole_value(&self) -> Option<&Value> {
        if let Some(Raw::Whole(value)) = &self.raw { Some(value) } else { None }
    }

    /// What of the value does not have the form that was promised.
    pub(crate) fn deviations(self) -> Vec<Deviation> {
        let deviation = |note: Note| match note.kind {
            NoteKind::Deviates(expected, found) => Some(Deviation { path: path(&note.path), expected, found }),
            NoteKind::Rounded => None,
        };
        self.notes.into_iter().filter_map(deviation).collect()
    }

    /// The ways, from their ends, to the numbers that were read as texts.
    pub(crate) fn rounded_paths(&self) -> impl Iterator<Item = &[Step]> {
        self.notes.iter().filter(|note| matches!(note.kind, NoteKind::Rounded)).map(|note| note.path.as_slice())
    }

    /// The value as it came, of what was read of it.
    #[cfg(feature = "_round-trip")]
    pub(crate) fn join(&self, read: Value) -> Value {
        self.raw.as_ref().map_or(read.clone(), |raw| raw.join(read))
    }
}

/// What is left of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Raw {
    /// The value of a property without a field.
    Unknown(Value),
    /// All of it.
    Whole(Value),
    /// Items of a list, by where they stood.
    Items(Vec<(usize, Raw)>),
    /// Entries of a map.
    Entries(BTreeMap<String, Raw>),
}

impl Raw {
    /// The value as it came, of what was read and what is left.
    fn join(&self, read: Value) -> Value {
        match self {
            Self::Unknown(value) | Self::Whole(value) => value.clone(),
            Self::Items(left) => {
                let mut items = if let Value::Array(items) = read { items } else { Vec::new() };
                for (index, raw) in left {
                    match raw {
                        // It was left out.
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

/// A step on the way to a value.
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

/// Takes over the notes on a value within, and adds the step that leads to it.
fn take_over(outer: &mut Fit, notes: Vec<Note>, step: &Step) {
    if notes.is_empty() {
        return;
    }
    let outer = outer.get_or_insert_default();
    outer.notes.extend(notes.into_iter().map(|mut note| {
        note.path.push(step.clone());
        note
    }));
}

/// Records the misfit of an item; returns whether the item is left out.
#[cold]
pub(crate) fn of_item(outer: &mut Fit, index: usize, expected: &'static str, misfit: Misfit) -> bool {
    let misfit = note_null(expected, misfit);
    let is_whole = misfit.whole_value().is_some();
    take_over(outer, misfit.notes, &Step::Index(index));
    if let Some(raw) = misfit.raw {
        match &mut outer.get_or_insert_default().raw {
            Some(Raw::Items(items)) => items.push((index, raw)),
            place => *place = Some(Raw::Items(vec![(index, raw)])),
        }
    }
    is_whole
}

/// Records the misfit of an entry of a map; returns whether the entry is left out.
#[cold]
pub(crate) fn of_entry(outer: &mut Fit, key: &str, expected: &'static str, misfit: Misfit) -> bool {
    let misfit = note_null(expected, misfit);
    let is_whole = misfit.whole_value().is_some();
    take_over(outer, misfit.notes, &Step::Property(key.to_owned()));
    if let Some(raw) = misfit.raw {
        match &mut outer.get_or_insert_default().raw {
            Some(Raw::Entries(entries)) => drop(entries.insert(key.to_owned(), raw)),
            place => *place = Some(Raw::Entries(BTreeMap::from([(key.to_owned(), raw)]))),
        }
    }
    is_whole
}

/// Adds a note on null among items or entries that cannot be null.
fn note_null(expected: &'static str, mut misfit: Misfit) -> Misfit {
    if misfit.whole_value().is_some_and(Value::is_null) {
        misfit.notes = vec![Note { path: Vec::new(), kind: NoteKind::Deviates(expected, Value::Null) }];
    }
    misfit
}

/// The values that came with a structure and are in none of its fields.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Kept(Option<Box<Values>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Values {
    unknown: BTreeMap<String, Value>,
    misfits: BTreeMap<String, Raw>,
}

static NOTHING: BTreeMap<String, Value> = BTreeMap::new();

impl Kept {
    /// The properties that have no field.
    pub(crate) fn unknown(&self) -> &BTreeMap<String, Value> {
        self.0.as_deref().map_or(&NOTHING, |values| &values.unknown)
    }

    /// Keeps the part of a property that does not fit, and adds its notes to those of the structure.
    #[cold]
    pub(crate) fn keep(&mut self, property: &str, misfit: Misfit, outer: &mut Fit) {
        let is_silent = misfit.notes.is_empty();
        take_over(outer, misfit.notes, &Step::Property(property.to_owned()));
        let property = property.to_owned();
        match misfit.raw {
            None => {}
            Some(Raw::Whole(Value::Null)) if is_silent => {}
            Some(Raw::Unknown(value)) => drop(self.0.get_or_insert_default().unknown.insert(property, value)),
            Some(raw) => drop(self.0.get_or_insert_default().misfits.insert(property, raw)),
        }
    }

    /// The value of a field, to be sent back; `None` where it is not all that came.
    pub(crate) fn fitting<T>(&self, property: &str, value: T) -> Option<T> {
        self.misfit(property).is_none().then_some(value)
    }

    /// What of a property did not fit its field.
    #[inline]
    pub(crate) fn misfit(&self, property: &str) -> Option<&Raw> {
        self.0.as_deref()?.misfits.get(property)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(values) => f.debug_map().entries(&values.unknown).entries(&values.misfits).finish(),
            None => f.write_str("{}"),
        }
    }
}

/// A field, with what did not fit it.
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

/// The path to a value, as it is reported: `data[3].title`.
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
