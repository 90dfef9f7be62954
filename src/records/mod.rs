//! The rows of any file: from the tabular API where it has them, else from the file itself, streamed.
//!
//! ```no_run
//! # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
//! #[derive(serde::Deserialize)]
//! struct Commune {
//!     nom: String,
//!     population: Option<u32>,
//! }
//!
//! let resource = client.resource("8d2b7f10-95c3-4a1e-b6d4-2f3e4d5c6b7a");
//! let mut communes = resource.records::<Commune>().open().await?;
//! println!("from {}", communes.source());
//! while let Some(commune) = communes.next().await {
//!     let commune = commune?;
//!     println!("{}: {:?}", commune.nom, commune.population);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where rows come from
//!
//! | The tabular API | The rows |
//! |---|---|
//! | has the rows of the file | those of the tabular API, as [`rows`](crate::objects::ResourceHandle::rows) reads them, without `__id` |
//! | has none: not analysed, not tabular, too large (404) | those of the file |
//! | no longer has them (410) | those of the file |
//! | has those of the file before, since the platform could not read this one | those of the file |
//! | does not respond, or refuses otherwise | an error: the same program must not give other values tomorrow |
//!
//! [`RecordStream::source`] returns which, and why. [`Records::from_file`] always reads the file, and [`Records::untyped`]
//! does not even ask the tabular API.
//!
//! # How a file is read
//!
//! | | Read | Detected by |
//! |---|---|---|
//! | packing | none, gzip, a ZIP archive with one file (or the [`member`](Format::member) of several) | the first bytes |
//! | encoding | those of the [WHATWG](https://encoding.spec.whatwg.org/#names-and-labels): UTF-8, UTF-16, windows-1252, `macintosh`… | byte order mark; zero bytes (UTF-16); valid UTF-8; else the letters of French (windows-1252, `macintosh`); else the frequency of letters ([`chardetng`]) |
//! | separator | `;`, tab, `\|`, `,`; any ASCII character if set | the platform's profile; else the one that divides most of the first 200 rows into the same number of cells |
//! | header | the first line that has a name for most columns, after up to 20 title lines | |
//! | types | those of the platform's profile, if it has the columns of this file | |
//! | quotes | `"`, doubled within a cell; newlines within | |
//!
//! Lines may end in `\n`, `\r\n` or `\r`. Blank lines are skipped. Columns of the same name are `a`, `a.1`, `a.2` as on the
//! platform; one without a name is `column_3`. [`Format`] sets what is known better.
//!
//! A line with fewer or more cells than the header is an error with its line, after which the others follow;
//! [`lenient`](Format::lenient) reads it anyway.
//!
//! # Values
//!
//! With a profile, a cell is the value that the tabular API gives: `1,5` is 1.5, `oui` is true, a date-time with a zone is in
//! UTC, and null is an empty cell or one of the words that the platform reads as null (`NULL`, `null`, `NA`, `N/A`, `n/a`,
//! `#N/A`, `nan`, `NaN`, `None` and their like). What is not of the type of its column stays text. Two things differ, since the platform has them
//! wrong: a date such as `02/01/2024` is 2 January here and 1 February in its tables, and its letters of some files in
//! windows-1252 are others.
//!
//! Without a profile, a cell is text, whatever it looks like, so that `01300` stays a postal code; a field that is a
//! number or a truth reads it from the text. Only the empty cell is null. `""` and nothing are the same, as on the platform.
//!
//! # What detection gets wrong
//!
//! Measured on 7,800 files of French texts: 100 of each encoding or separator with 1, 3, 10 and 100 rows (1, 2, 5 and 50
//! for separators, of two to eight columns of text, numbers with decimal commas and dates). A file is right if all of its
//! cells are.
//!
//! | File | Right | Read as |
//! |---|---|---|
//! | UTF-8, UTF-16 without a byte order mark, windows-1252, ISO 8859-15, windows-1250 and ISO 8859-2 of French | all | |
//! | Mac OS Roman of 100, 10, 3, 1 rows | 100, 95, 71, 40 % | windows-1252, with wrong letters, unless set as `macintosh` |
//! | IBM code pages 437 and 850 | none | windows-1252, with wrong letters: the standard has no such encodings |
//! | `;`, tab, `\|`, `,`; one column of text, or of decimal commas | all | |
//! | the same below one or two title lines | 88 to 98 % | with the title as the header, where it has as many separators as the table |
//!
//! Not measured: in ISO 8859-15, `œ`, `Œ`, `Ÿ`, `ž` and `€` are other characters, since it is read as windows-1252; UTF-16
//! without a byte order mark is not recognized in a script other than Latin; one column below title lines has the first of
//! these as its header; and a header of numbers (years) below title lines is not found.
//!
//! The platform's own guess of an encoding is not used: it was seen to take windows-1252 for `mac_latin2` or `windows-1250`.
//!
//! [`chardetng`]: https://docs.rs/chardetng

mod date;
mod detect;
mod encoding;
mod format;
mod parse;
mod profile;
mod source;
mod stream;
mod table;
mod unpack;
mod value;
mod zip;

use serde::de::DeserializeOwned;
use tokio::io::AsyncRead;

pub use self::format::Format;
pub use self::source::Records;
pub use self::stream::{RecordSource, RecordStream};
pub use self::table::Detected;
pub use self::unpack::Packing;
use crate::Result;

/// Reads the rows of a file from its bytes: a local file, or any other source. Nothing is sent.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use datagouv::records::{self, Format};
/// use datagouv::rows::Row;
///
/// let file = tokio::fs::File::open("communes.csv.gz").await?;
/// let mut rows = records::read::<Row>(file, Format::new()).await?;
/// while let Some(row) = rows.next().await {
///     println!("{:?}", row?);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Returns an error if the bytes cannot be read, are not CSV, or a part of the format is not known.
pub async fn read<T: DeserializeOwned>(
    bytes: impl AsyncRead + Send + 'static,
    format: Format,
) -> Result<RecordStream<T>> {
    Ok(RecordStream::of_file(table::Table::open(bytes, &format, None).await?, None))
}
