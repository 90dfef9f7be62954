//! `convert`: any document as OpenAPI 3.0.3.

use std::process::ExitCode;

use datagouv_specs::faults::Note;
use datagouv_specs::{document, faults};

use crate::source::{self, Error};

/// Prints the document, and its faults on stderr. What cannot be converted ends with 2 and one line.
pub fn run(source: &str) -> ExitCode {
    match convert(source) {
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

fn convert(source: &str) -> Result<(String, Vec<Note>), Error> {
    let failed = |error: datagouv_specs::Error| Error::new(source, error);
    let reading = faults::read(source::load(source)?.parse()?).map_err(failed)?;
    let converted = document::to_openapi(reading.document).map_err(failed)?;
    let text = serde_json::to_string_pretty(&converted).map_err(|error| Error::new(source, error))?;
    Ok((text, reading.notes))
}
