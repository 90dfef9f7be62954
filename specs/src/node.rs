//! Values of a document that know their JSON pointer.

use std::ptr;

use serde_json::{Map, Value};

pub(crate) use Presence::{Optional, Required};

use crate::{Error, pointer};

/// What a member of a Swagger object may hold.
#[derive(Clone, Copy)]
pub(crate) enum Kind<'g> {
    /// Anything: examples, defaults, and what is checked where it is converted.
    Any,
    Text,
    Flag,
    Number,
    /// An integer that is not negative.
    Count,
    List,
    /// A list of strings.
    Texts,
    Object,
    /// An object of this grammar.
    Of(Grammar<'g>),
    /// A list of objects of this grammar.
    ListOf(Grammar<'g>),
}

impl Kind<'_> {
    /// Whether a value is of this kind, where that is known without looking into it.
    fn is_plainly(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Count => value.is_u64(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::Texts => value.as_array().is_some_and(|texts| texts.iter().all(Value::is_string)),
            Self::Of(_) | Self::ListOf(_) => false,
        }
    }
}

/// Whether a member of a Swagger object is required.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
}

/// The members of an object, by presence and kind. Vendor extensions (`x-`) are always allowed.
pub(crate) type Grammar<'g> = &'g [(Presence, Kind<'g>, &'g [&'g str])];

/// The kind of a member in these grammars together; none if they do not have it.
pub(crate) fn kind_of<'g>(name: &str, grammars: &[Grammar<'g>]) -> Option<Kind<'g>> {
    for grammar in grammars {
        for (_, kind, names) in *grammar {
            if names.contains(&name) {
                return Some(*kind);
            }
        }
    }
    None
}

/// A value of a document, and the document.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    pub value: &'a Value,
    document: &'a Value,
}

impl<'a> Node<'a> {
    pub fn root(document: &'a Value) -> Self {
        Self { value: document, document }
    }

    /// An error at this value. Its pointer is computed only here, so that valid documents do not pay for it.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::new(pointer_to(self.document, self.value).unwrap_or_default(), message)
    }

    /// A value within this one.
    pub fn below(&self, value: &'a Value) -> Self {
        self.child(value)
    }

    /// The value at a pointer from this one.
    pub fn at(&self, pointer: &str) -> Option<Self> {
        self.value.pointer(pointer).map(|value| self.child(value))
    }

    fn child(&self, value: &'a Value) -> Self {
        Self { value, document: self.document }
    }

    /// The member of this name, or the element of this index.
    pub fn get(&self, token: &str) -> Option<Self> {
        let value = match self.value {
            Value::Object(members) => members.get(token),
            Value::Array(elements) => elements.get(token.parse::<usize>().ok()?),
            _ => None,
        };
        Some(self.child(value?))
    }

    /// A required member.
    pub fn need(&self, name: &str) -> Result<Self, Error> {
        self.object()?;
        self.get(name).ok_or_else(|| self.error(format!("`{name}` is missing")))
    }

    pub fn object(&self) -> Result<&'a Map<String, Value>, Error> {
        self.value.as_object().ok_or_else(|| self.error("must be an object"))
    }

    pub fn entries(&self) -> Result<Vec<(&'a str, Self)>, Error> {
        let entry = |(name, value): (&'a String, &'a Value)| (name.as_str(), self.child(value));
        Ok(self.object()?.iter().map(entry).collect())
    }

    pub fn elements(&self) -> Result<Vec<Self>, Error> {
        let list = self.value.as_array();
        let list = list.ok_or_else(|| self.error("must be a list"))?;
        Ok(list.iter().map(|value| self.child(value)).collect())
    }

    /// The entries of a member that is an object; none when it is absent.
    pub fn members(&self, name: &str) -> Result<Vec<(&'a str, Self)>, Error> {
        self.get(name).map_or(Ok(Vec::new()), |object| object.entries())
    }

    /// The elements of a member that is a list; none when it is absent.
    pub fn list(&self, name: &str) -> Result<Vec<Self>, Error> {
        self.get(name).map_or(Ok(Vec::new()), |list| list.elements())
    }

    pub fn text(&self) -> Result<&'a str, Error> {
        let text = self.value.as_str();
        text.ok_or_else(|| self.error("must be a string"))
    }

    pub fn texts(&self) -> Result<Vec<&'a str>, Error> {
        self.elements()?.iter().map(Self::text).collect()
    }

    /// Whether a member is `true`.
    pub fn is_true(&self, name: &str) -> Result<bool, Error> {
        self.get(name).map_or(Ok(false), |flag| {
            let value = flag.value.as_bool();
            value.ok_or_else(|| flag.error("must be true or false"))
        })
    }

    /// An object of the members of these names as they are, and of every vendor extension but
    /// `x-nullable`, which OpenAPI has a keyword for.
    pub fn carry(&self, names: &[&str]) -> Value {
        let is_carried = |name: &str| {
            let is_extension = name.starts_with("x-") && name != "x-nullable";
            is_extension || names.contains(&name)
        };
        let members = self.value.as_object().into_iter().flatten();
        let carried = members.filter(|(name, _)| is_carried(name));
        carried.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Fails unless the value is an object of these grammars together.
    pub fn check(&self, grammars: &[Grammar]) -> Result<(), Error> {
        for grammar in grammars {
            for (presence, _, names) in *grammar {
                if *presence == Required {
                    names.iter().try_for_each(|name| self.need(name).map(drop))?;
                }
            }
        }
        for (name, value) in self.object()? {
            match kind_of(name, grammars) {
                Some(kind) if kind.is_plainly(value) => {}
                Some(kind) => self.child(value).check_kind(kind)?,
                None if name.starts_with("x-") => {}
                None => {
                    return Err(self.error(format!("`{name}` has no place here in Swagger 2.0")));
                }
            }
        }
        Ok(())
    }

    /// Fails unless the value is of a kind that `is_plainly` cannot decide.
    fn check_kind(&self, kind: Kind) -> Result<(), Error> {
        let expected = |what: &str| Err(self.error(format!("must be {what}")));
        match kind {
            Kind::Any => Ok(()),
            Kind::Text => self.text().map(drop),
            Kind::Flag => expected("true or false"),
            Kind::Number => expected("a number"),
            Kind::Count => expected("a whole number, not negative"),
            Kind::List => self.elements().map(drop),
            Kind::Texts => self.texts().map(drop),
            Kind::Object => self.object().map(drop),
            Kind::Of(grammar) => self.check(&[grammar]),
            Kind::ListOf(grammar) => {
                let elements = self.elements()?;
                elements.iter().try_for_each(|it| it.check(&[grammar]))
            }
        }
    }
}

/// The JSON pointer to a value of a document, by identity and not by equality.
fn pointer_to(document: &Value, value: &Value) -> Option<String> {
    if ptr::eq(document, value) {
        return Some(String::new());
    }
    match document {
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let rest = pointer_to(member, value)?;
            Some(format!("/{}{rest}", pointer::escape(name)))
        }),
        Value::Array(elements) => elements.iter().enumerate().find_map(|(index, element)| {
            let rest = pointer_to(element, value)?;
            Some(format!("/{index}{rest}"))
        }),
        _ => None,
    }
}
