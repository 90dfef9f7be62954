//! The formats of reports.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// How a report is written. Not every command has all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal
    #[default]
    Text,
    /// For a pull request or an issue
    Markdown,
    /// For programs
    Json,
    /// For a browser, in one file
    Html,
    /// For a workflow of GitHub: annotations at the line of the document
    Github,
    /// For what reads results of tests
    Junit,
    /// For code scanning: SARIF 2.1.0
    Sarif,
}

/// The formats of tables.
pub const TABLE: [Format; 2] = [Format::Text, Format::Json];

/// The formats of reports that are read in an issue as well.
pub const REPORT: [Format; 3] = [Format::Text, Format::Markdown, Format::Json];

/// Takes some of the formats.
pub fn among(formats: &'static [Format]) -> impl TypedValueParser<Value = Format> {
    let names: Vec<_> = formats.iter().filter_map(ValueEnum::to_possible_value).collect();
    PossibleValuesParser::new(names).map(|name| Format::from_str(&name, false).unwrap_or_default())
}
