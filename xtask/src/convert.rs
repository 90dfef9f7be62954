//! `convert`: any document as OpenAPI 3.0.3.

use std::path::Path;
use std::process::ExitCode;

use datagouv_specs::document;
use datagouv_specs::faults::Note;

use crate::source::{self, Error, Loaded};

/// Prints the document, and its faults on stderr. What cannot be converted ends with 2 and one line.
pub fn run(source: &str, folder: Option<&Path>) -> ExitCode {
    match source::load(source).and_then(|loaded| convert(&loaded.within(folder)?)) {
        Ok((text, notes)) => {
            notes.iter().for_each(|note| eprintln!("{}: {note}", note.rule.level.name()));
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn convert(loaded: &Loaded) -> Result<(String, Vec<Note>), Error> {
    let failed = |error: datagouv_specs::Error| Error::new(&loaded.name, error);
    let (reading, _) = loaded.read()?;
    let converted = document::to_openapi(reading.document).map_err(failed)?;
    let text = serde_json::to_string_pretty(&converted).map_err(|error| Error::new(&loaded.name, error))?;
    Ok((text, reading.notes))
}
