//! Where a change stands in the text of a document.

use datagouv_specs::Api;
use datagouv_specs::pointer::escape;
use serde::Serialize;
use serde_json::Value;

use super::change::{Change, Operation};
use super::operations::template;
use crate::source::{Loaded, Position, Positions};

/// A place in the text of one of the documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The pointer in the document as it was received.
    pub pointer: String,
    /// The position in its text: of the value, or of the nearest around it that is there.
    #[serde(flatten)]
    pub position: Position,
}

/// A document as it was received, in which changes are looked up.
pub struct Side<'a> {
    document: Value,
    positions: Positions,
    loaded: &'a Loaded,
}

impl<'a> Side<'a> {
    /// Reads where everything stands.
    pub fn of(loaded: &'a Loaded) -> Self {
        Self { document: loaded.parse().unwrap_or_default(), positions: loaded.positions(), loaded }
    }

    /// The file that the document is, where it is one of the project's or of this machine.
    pub fn file(&self) -> Option<String> {
        let name = self.loaded.name.as_str();
        if let Ok(api) = name.parse::<Api>() {
            return Some(format!("specs/{api}/{}", api.file_name()));
        }
        if let (Some(api), true) = (self.loaded.api, name.ends_with(", as vendored")) {
            return Some(format!("specs/{api}/{}", api.file_name()));
        }
        if let Some(object) = name.strip_prefix("git:") {
            return object.split_once(':').map(|(_, path)| path.to_owned());
        }
        std::path::Path::new(name).is_file().then(|| name.to_owned())
    }

    /// Where a change stands in this document; none where it has nothing of it.
    pub fn find(&self, change: &Change) -> Option<Place> {
        let pointer = self.pointer(change)?;
        let position = self.positions.nearest(&pointer)?;
        Some(Place { pointer, position })
    }

    fn is_swagger(&self) -> bool {
        self.document.get("swagger").is_some()
    }

    fn pointer(&self, change: &Change) -> Option<String> {
        let location = change.location.as_str();
        if let Some(rest) = location.strip_prefix("/components/") {
            return Some(self.component(rest));
        }
        let Some(operation) = change.operations.first() else {
            return Some(if self.is_swagger() { location.replace("/servers", "/host") } else { location.to_owned() });
        };
        let base = self.operation(operation)?;
        let rest = location.strip_prefix('/').unwrap_or_default();
        let mut tokens = rest.splitn(2, '/');
        let below = |rest: Option<&str>| rest.map(|rest| format!("/{rest}")).unwrap_or_default();
        Some(match (tokens.next(), tokens.next()) {
            (Some("parameters"), Some(rest)) => self.parameter(&base, rest).unwrap_or(base),
            (Some("requestBody"), rest) if self.is_swagger() => {
                let within = rest.and_then(|rest| rest.split_once('/')).map(|(_, within)| within);
                let body =
                    self.index_of(&format!("{base}/parameters"), |it| it.get("in").is_some_and(|it| it == "body"));
                match body {
                    Some(body) => format!("{body}/schema{}", below(within)),
                    None => base,
                }
            }
            (Some("requestBody"), Some(rest)) => {
                let (media, within) =
                    rest.split_once('/').map_or((rest, None), |(media, within)| (media, Some(within)));
                format!("{base}/requestBody/content/{media}/schema{}", below(within))
            }
            (Some("responses"), Some(rest)) => {
                let mut tokens = rest.splitn(3, '/');
                let status = tokens.next().unwrap_or_default();
                let response = format!("{base}/responses/{status}");
                match (tokens.next(), tokens.next()) {
                    (None, _) => response,
                    (Some("headers"), rest) => format!("{response}/headers{}", below(rest)),
                    (Some(_), within) if self.is_swagger() => format!("{response}/schema{}", below(within)),
                    (Some(media), within) => format!("{response}/content/{media}/schema{}", below(within)),
                }
            }
            _ => format!("{base}{location}"),
        })
    }

    /// A component, which Swagger 2.0 has elsewhere and under a name that may be less strict.
    fn component(&self, rest: &str) -> String {
        if !self.is_swagger() {
            return format!("/components/{rest}");
        }
        let (section, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let section = match section {
            "schemas" => "definitions",
            "securitySchemes" => "securityDefinitions",
            other => other,
        };
        let (name, within) =
            rest.split_once('/').map_or((rest, String::new()), |(name, rest)| (name, format!("/{rest}")));
        let cleaned = |name: &str| name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "");
        let names = self.document.get(section).and_then(Value::as_object);
        let found = names.and_then(|names| {
            let exact = names.keys().find(|it| escape(it) == name);
            exact.or_else(|| names.keys().find(|it| cleaned(it) == cleaned(name)))
        });
        format!("/{section}/{}{within}", found.map_or_else(|| name.to_owned(), |name| escape(name)))
    }

    /// An operation, whatever the parameters of its path are called.
    fn operation(&self, operation: &Operation) -> Option<String> {
        let method = operation.method.to_lowercase();
        if let Some(name) = operation.path.strip_prefix("webhook ") {
            return Some(format!("/webhooks/{}/{method}", escape(name)));
        }
        let paths = self.document.get("paths")?.as_object()?;
        let exact = paths.get_key_value(&operation.path).map(|(path, _)| path);
        let path = exact.or_else(|| paths.keys().find(|path| template(path) == template(&operation.path)))?;
        let item = format!("/paths/{}", escape(path));
        let has_method = paths.get(path).is_some_and(|item| item.get(&method).is_some());
        has_method.then(|| format!("{item}/{method}"))
    }

    /// A parameter by its place and name, of the operation or of its path.
    fn parameter(&self, base: &str, rest: &str) -> Option<String> {
        let mut tokens = rest.splitn(3, '/');
        let (kind, name) = (tokens.next()?, tokens.next()?);
        let within = tokens.next().map(|rest| format!("/{rest}")).unwrap_or_default();
        let item = base.rsplit_once('/')?.0;
        let is_it = |it: &Value| {
            let named = it.get("name").and_then(Value::as_str).is_some_and(|it| escape(it).eq_ignore_ascii_case(name));
            named && it.get("in").is_some_and(|it| it == kind)
        };
        let found = [base, item].into_iter().find_map(|owner| self.index_of(&format!("{owner}/parameters"), is_it))?;
        Some(format!("{found}{within}"))
    }

    /// The element of a list that is what is looked for, by way of a reference or not.
    fn index_of(&self, list: &str, is_it: impl Fn(&Value) -> bool) -> Option<String> {
        let elements = self.document.pointer(list)?.as_array()?;
        let follow = |value: &Value| -> Value {
            let target = value.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'));
            target.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(value).clone()
        };
        let index = elements.iter().position(|element| is_it(&follow(element)))?;
        Some(format!("{list}/{index}"))
    }
}
