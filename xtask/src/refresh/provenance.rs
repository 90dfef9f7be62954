//! provenance.toml: the source of each vendored document.

use datagouv_specs::Api;
use sha2::{Digest, Sha256};
use toml_edit::{DocumentMut, Item, Table, value};

/// The file, in the folder of the documents.
pub const FILE: &str = "provenance.toml";

/// The sources of all vendored documents.
pub struct Provenance(DocumentMut);

/// The source of a document.
pub struct Entry<'a> {
    /// The source, in words.
    pub source: &'a str,
    /// The version of the server.
    pub version: &'a str,
    /// The hash of the bytes received.
    pub received: &'a [u8],
    /// The hash of the vendored text.
    pub file: &'a str,
}

impl Provenance {
    /// Reads the file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: DocumentMut = text.parse().map_err(|error| format!("{FILE}: {error}"))?;
        let read = Self(document);
        for api in Api::ALL {
            read.live(api)?;
        }
        Ok(read)
    }

    /// The URL where an API serves its document.
    pub fn live(&self, api: Api) -> Result<&str, String> {
        let url = self.0.get(api.name()).and_then(|entry| entry.get("live")).and_then(Item::as_str);
        url.ok_or_else(|| format!("{FILE}: `live` of {api} is missing"))
    }

    /// Records the source of a document, as of today. Notes about the one before are dropped.
    pub fn set(&mut self, api: Api, entry: &Entry<'_>) -> Result<(), String> {
        let table = self.0.get_mut(api.name()).and_then(Item::as_table_mut);
        let table: &mut Table = table.ok_or_else(|| format!("{FILE}: {api} is missing"))?;
        let today = jiff::Timestamp::now().strftime("%F").to_string();
        let today: toml_edit::Datetime = today.parse().map_err(|error| format!("{today}: {error}"))?;
        set(table, "source", value(entry.source));
        set(table, "version", value(entry.version));
        set(table, "date", value(today));
        set(table, "sha256_received", value(sha256(entry.received)));
        set(table, "sha256_file", value(sha256(entry.file.as_bytes())));
        table.remove("note");
        Ok(())
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        self.0.to_string()
    }
}

fn set(table: &mut Table, key: &str, item: Item) {
    table.insert(key, item);
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
