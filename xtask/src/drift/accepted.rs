//! Departures that were looked at, and stay: `[[drift]]` in the file of the decisions.

use std::fs;
use std::path::Path;

use toml_edit::{DocumentMut, Item};

use super::observe::Departure;

/// Departures that were looked at.
#[derive(Debug, Default)]
pub struct Accepted(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    kind: String,
    place: String,
    /// `None` for any.
    detail: Option<String>,
}

impl Accepted {
    /// Reads the entries of a file; without a file there are none.
    ///
    /// # Errors
    /// If the file cannot be read, or an entry lacks what it needs.
    pub fn read(path: &Path) -> Result<Self, String> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|reason| format!("{}: {reason}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
        let Some(item) = document.get("drift") else { return Ok(Self::default()) };
        let list = item.as_array_of_tables().ok_or("`drift` must be a list of tables, `[[drift]]`")?;
        let mut entries = Vec::new();
        for (index, table) in list.iter().enumerate() {
            let text = |key: &str| table.get(key).and_then(Item::as_str).map(str::to_owned);
            let needed = |key: &str| {
                text(key)
                    .filter(|it| !it.is_empty())
                    .ok_or_else(|| format!("entry {} of `drift` has no `{key}`", index + 1))
            };
            needed("reason")?;
            entries.push(Entry { kind: needed("kind")?, place: needed("place")?, detail: text("detail") });
        }
        Ok(Self(entries))
    }

    /// Whether a departure was looked at.
    pub fn has(&self, departure: &Departure) -> bool {
        let detail = departure.kind.detail();
        let detail = detail.as_str().map_or_else(|| detail.to_string(), str::to_owned);
        self.0.iter().any(|entry| {
            entry.kind == departure.kind.name()
                && entry.place == departure.place
                && entry.detail.as_ref().is_none_or(|own| *own == detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::observe::Kind;
    use super::*;

    const ENTRY: &str =
        "[[drift]]\nkind = \"type\"\nplace = \"/a\"\ndetail = \"string\"\nreason = \"Counts come as text.\"\n";

    fn departure(place: &str, found: &'static str) -> Departure {
        let kind = Kind::Type { expected: "integer".to_owned(), found };
        Departure { place: place.to_owned(), kind, seen: 1, of: 1, types: BTreeSet::new(), operation: String::new() }
    }

    #[test]
    fn an_entry_is_about_one_kind_at_one_place() {
        let accepted = Accepted::parse(ENTRY).unwrap();
        assert!(accepted.has(&departure("/a", "string")));
        assert!(!accepted.has(&departure("/b", "string")) && !accepted.has(&departure("/a", "boolean")));
        let any = Accepted::parse(&ENTRY.replace("detail = \"string\"\n", "")).unwrap();
        assert!(any.has(&departure("/a", "boolean")));
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        let error = Accepted::parse(&ENTRY.replace("Counts come as text.", "")).unwrap_err();
        assert_eq!(error, "entry 1 of `drift` has no `reason`");
        assert!(Accepted::parse("drift = 1").unwrap_err().contains("[[drift]]"));
        assert!(!Accepted::parse("").unwrap().has(&departure("/a", "string")));
    }
}
