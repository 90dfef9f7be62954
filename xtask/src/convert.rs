//! `convert`: the OpenAPI 3.0.3 of any Swagger 2.0 document.

use std::process::ExitCode;

use crate::source::{self, Error};

/// Bad input ends with 2 and one line.
pub fn run(source: &str) -> ExitCode {
    match convert(source) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn convert(source: &str) -> Result<String, Error> {
    let document = source::load(source)?.parse()?;
    let converted = datagouv_specs::swagger2::to_openapi(&document).map_err(|error| Error::new(source, error))?;
    serde_json::to_string_pretty(&converted).map_err(|error| Error::new(source, error))
}
