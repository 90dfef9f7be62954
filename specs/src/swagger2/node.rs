//! Reading a document without losing the place.

use serde_json::{Map, Value};

use crate::{Error, pointer};

/// What a member of a Swagger object may hold.
#[derive(Clone, Copy)]
pub(super) enum Kind<'g> {
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
    /// Whether a value is of this kind, where a look is enough.
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

/// The members an object may have, by kind; a name that ends in `!` must be there. Vendor
/// extensions (`x-`) may always be.
pub(super) type Grammar<'g> = &'g [(Kind<'g>, &'g str)];

/// A value of the document and its place.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub value: &'a Value,
    place: String,
}

impl<'a> Node<'a> {
    pub fn root(value: &'a Value) -> Self {
        let place = String::new();
        Self { value, place }
    }

    pub fn refuse(&self, message: impl Into<String>) -> Error {
        Error::new(self.place.clone(), message)
    }

    fn child(&self, token: &str, value: &'a Value) -> Self {
        let place = format!("{}/{}", self.place, pointer::escape(token));
        Self { value, place }
    }

    /// The member of this name, or the element of this index.
    pub fn get(&self, token: &str) -> Option<Self> {
        let value = match self.value {
            Value::Object(members) => members.get(token),
            Value::Array(elements) => elements.get(token.parse::<usize>().ok()?),
            _ => None,
        };
        Some(self.child(token, value?))
    }

    /// A member that must be there.
    pub fn need(&self, name: &str) -> Result<Self, Error> {
        self.object()?;
        self.get(name).ok_or_else(|| self.refuse(format!("`{name}` is missing")))
    }

    pub fn object(&self) -> Result<&'a Map<String, Value>, Error> {
        self.value.as_object().ok_or_else(|| self.refuse("must be an object"))
    }

    pub fn entries(&self) -> Result<Vec<(&'a str, Self)>, Error> {
        let entry = |(name, value): (&'a String, &'a Value)| (name.as_str(), self.child(name, value));
        Ok(self.object()?.iter().map(entry).collect())
    }

    pub fn elements(&self) -> Result<Vec<Self>, Error> {
        let list = self.value.as_array();
        let list = list.ok_or_else(|| self.refuse("must be a list"))?;
        let element = |(index, value): (usize, &'a Value)| self.child(&index.to_string(), value);
        Ok(list.iter().enumerate().map(element).collect())
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
        text.ok_or_else(|| self.refuse("must be a string"))
    }

    pub fn texts(&self) -> Result<Vec<&'a str>, Error> {
        self.elements()?.iter().map(Self::text).collect()
    }

    /// Whether a member says `true`.
    pub fn says(&self, name: &str) -> Result<bool, Error> {
        self.get(name).map_or(Ok(false), |flag| {
            let value = flag.value.as_bool();
            value.ok_or_else(|| flag.refuse("must be true or false"))
        })
    }

    /// An object of the members of these names (separated by spaces) as they are, and of every
    /// vendor extension but `x-nullable`, which OpenAPI has a keyword for.
    pub fn carry(&self, names: &str) -> Value {
        let is_carried = |name: &str| {
            let is_extension = name.starts_with("x-") && name != "x-nullable";
            is_extension || names.split(' ').any(|carried| carried == name)
        };
        let members = self.value.as_object().into_iter().flatten();
        let carried = members.filter(|(name, _)| is_carried(name));
        carried.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Refuses what is not an object of these grammars together.
    pub fn check(&self, grammars: &[Grammar]) -> Result<(), Error> {
        let known = || {
            let rules = grammars.iter().copied().flatten();
            rules.flat_map(|(kind, names)| names.split(' ').map(move |name| (name, kind)))
        };
        for (name, _) in known() {
            if let Some(name) = name.strip_suffix('!') {
                self.need(name)?;
            }
        }
        for (name, value) in self.object()? {
            match known().find(|(known, _)| known.strip_suffix('!').unwrap_or(known) == name) {
                Some((_, kind)) if kind.is_plainly(value) => {}
                Some((_, kind)) => self.child(name, value).check_kind(*kind)?,
                None if name.starts_with("x-") => {}
                None => {
                    return Err(self.refuse(format!("`{name}` has no place here in Swagger 2.0")));
                }
            }
        }
        Ok(())
    }

    /// Refuses what is not of a kind, which a look did not tell.
    fn check_kind(&self, kind: Kind) -> Result<(), Error> {
        let expected = |what: &str| Err(self.refuse(format!("must be {what}")));
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
