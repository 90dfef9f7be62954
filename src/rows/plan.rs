//! How a query is read, with warnings about its rows.

use std::fmt;

/// How the rows of a query are read, with warnings about them; made by [`Rows::explain`](super::Rows::explain).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// How the rows are read.
    pub reading: Reading,
    /// Warnings about their values.
    pub warnings: Vec<Warning>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reading.fmt(f)?;
        self.warnings.iter().try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}

/// How the rows of a query are read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading {
    /// In exports as CSV of windows on the row number; in a single one where it holds all the rows.
    Windows,
    /// In a single export as CSV where it holds all the rows, in pages otherwise.
    Export {
        /// Why windows do not apply.
        reason: String,
    },
    /// In pages of JSON.
    Pages {
        /// Why windows do not apply.
        reason: String,
    },
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Windows => f.write_str("CSV in windows of row numbers"),
            Self::Export { reason } => write!(f, "one CSV export, or pages if it is too long: {reason}"),
            Self::Pages { reason } => write!(f, "pages: {reason}"),
        }
    }
}

/// A warning about the rows of a table that the server returns without an error: faults of the platform's analysis
/// that a reader would otherwise take for values of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The profile of the table cannot be read, so that the types of its columns are not known: rows are read in pages
    /// of JSON, which takes many more requests.
    NoProfile {
        /// Why it cannot be read.
        reason: String,
    },
    /// The dates of a column are written day first in the file. The platform's analysis (hydra 2.14.0) reads
    /// `02/01/2024` as 1 February wherever the day is 12 or less.
    DayFirstDates {
        /// The column.
        column: String,
        /// The format that the profile gives (`date_format`).
        format: String,
    },
    /// The encoding of the file was guessed, and names a code page that French files are mistaken for: accented
    /// letters may be wrong.
    GuessedEncoding {
        /// The encoding that the profile gives.
        encoding: String,
    },
    /// The last analysis of the file failed, and the rows are those of the file before it.
    StaleRows {
        /// The error that the resource's extras give (`analysis:parsing:error` or `analysis:error`).
        error: String,
    },
    /// The resource was deleted from the catalogue; its rows stay until the platform's next purge.
    Deleted,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProfile { reason } => write!(f, "the profile of the table cannot be read: {reason}"),
            Self::DayFirstDates { column, format } => write!(
                f,
                "the dates of the column `{column}` are written as {format}: day and month are swapped where the day is 12 \
                 or less"
            ),
            Self::GuessedEncoding { encoding } => {
                write!(f, "the encoding of the file was guessed as {encoding}: accented letters may be wrong")
            }
            Self::StaleRows { error } => {
                write!(f, "the rows are those of the file before its last replacement, whose analysis failed: {error}")
            }
            Self::Deleted => f.write_str("the resource was deleted from the catalogue: its rows will go too"),
        }
    }
}
