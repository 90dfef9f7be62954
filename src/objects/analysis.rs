//! The platform's analysis of files.

use std::collections::BTreeMap;
use std::fmt;

use md5::{Digest, Md5};
use serde_json::Value;

use crate::DateTime;

/// The platform's analysis of the file of a resource; see
/// [`ResourceHandle::analysis`](super::ResourceHandle::analysis).
///
/// The platform checks the URL of every resource, downloads the file if it has changed, imports its rows into a table, and
/// exports the table. It writes its results into the extras of the resource after each step, so that they can be of several
/// files: see [`is_finished`](Self::is_finished).
///
/// The fields are those that udata-hydra 2.14.0 writes. A field is `None` if its extra is absent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Analysis {
    /// The number of the last check of the URL (`check:id`).
    pub check_id: Option<i64>,
    /// When the URL was last checked (`check:date`).
    pub checked_at: Option<DateTime>,
    /// Whether the URL was available (`check:available`).
    pub available: Option<bool>,
    /// The HTTP status of the check (`check:status`).
    pub status: Option<i64>,
    /// Whether the check timed out (`check:timeout`).
    pub timed_out: Option<bool>,
    /// Why the check failed (`check:error`), such as `File not found`.
    pub check_error: Option<String>,

    /// The number of the check after which the file was downloaded (`analysis:check_id`). It is lower than
    /// [`check_id`](Self::check_id) if the file has not changed since, or has not been downloaded yet.
    pub analysed_check_id: Option<i64>,
    /// The media type of the file, detected from its content (`analysis:mime-type`).
    pub mime_type: Option<String>,
    /// The length of the file in bytes (`analysis:content-length`); of a `.gz` file, that of its content.
    pub content_length: Option<i64>,
    /// The SHA-1 of the file (`analysis:checksum`); of a `.gz` file, that of its content.
    pub checksum: Option<String>,
    /// The time of the last change of the file (`analysis:last-modified-at`).
    pub last_modified_at: Option<DateTime>,
    /// How that time was detected (`analysis:last-modified-detection`), such as `last-modified-header`.
    pub last_modified_detection: Option<String>,
    /// Why the file could not be downloaded or unpacked (`analysis:error`), such as `File too large to download`.
    pub error: Option<String>,

    /// When the import of its rows began (`analysis:parsing:started_at`).
    pub parsing_started_at: Option<DateTime>,
    /// When the import of its rows ended (`analysis:parsing:finished_at`).
    pub parsing_finished_at: Option<DateTime>,
    /// The error of the import or of an export (`analysis:parsing:error`): see
    /// [`rows_error`](Self::rows_error) and [`export_error`](Self::export_error).
    pub parsing_error: Option<ParsingError>,
    /// The name of the table with its rows (`analysis:parsing:parsing_table`), the MD5 of its URL. If present, the tabular API
    /// has the rows.
    pub table: Option<String>,
    /// The rows as Parquet (`analysis:parsing:parquet_url`), written after the table.
    pub parquet: Option<Export>,
    /// The rows as GeoJSON, if they have coordinates (`analysis:parsing:geojson_url`), written after the table.
    pub geojson: Option<Export>,
    /// The GeoJSON as map tiles (`analysis:parsing:pmtiles_url`), written after it.
    pub pmtiles: Option<Export>,
    /// The layers of a WFS or WMS (`analysis:parsing:ogc_metadata`).
    pub ogc_metadata: Option<Value>,
}

/// A file that the platform exported from the rows. Its URL depends on the resource only: after the resource's file is
/// replaced, the same URL has other content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Export {
    /// The URL.
    pub url: String,
    /// The size in bytes.
    pub size: Option<u64>,
}

/// The error of the import of the rows, or of an export of them. Its text is the platform's own, `step:message`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParsingError {
    /// The step that failed, such as `csv_detective`, `scan_column_names`, `copy_records_to_table` or
    /// `parquet_export`; empty where the text names none.
    pub step: String,
    /// The message; `error` if the platform does not publish it.
    pub message: String,
}

impl ParsingError {
    /// Parses the text of the extra.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let is_step =
            |step: &str| !step.is_empty() && step.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let (step, message) = match text.split_once(':') {
            Some((step, message)) if is_step(step) => (step, message.trim_start()),
            _ => ("", text),
        };
        Self { step: step.to_owned(), message: message.to_owned() }
    }

    /// Returns whether an export failed. The rows are not affected then.
    #[must_use]
    pub fn is_of_export(&self) -> bool {
        self.step.ends_with("_export")
    }
}

impl fmt::Display for ParsingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.step.is_empty() { f.write_str(&self.message) } else { write!(f, "{}:{}", self.step, self.message) }
    }
}

impl std::error::Error for ParsingError {}

impl Analysis {
    /// Reads the analysis from the extras of a resource.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use datagouv::objects::Analysis;
    ///
    /// let extras = BTreeMap::from([
    ///     ("analysis:parsing:parsing_table".to_owned(), "d427f94acc5b67b551d79abba473a8a4".into()),
    ///     ("analysis:parsing:error".to_owned(), "pmtiles_export:error".into()),
    /// ]);
    /// let analysis = Analysis::from_extras(&extras);
    /// assert!(analysis.has_rows());
    /// assert_eq!(analysis.export_error().unwrap().step, "pmtiles_export");
    /// ```
    #[must_use]
    pub fn from_extras(extras: &BTreeMap<String, Value>) -> Self {
        let text = |key: &str| match extras.get(key)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        let time = |key: &str| text(key).map(DateTime::from);
        let integer = |key: &str| integer(extras.get(key)?);
        let flag = |key: &str| extras.get(key).and_then(Value::as_bool);
        let export = |name: &str| {
            let size = integer(&format!("analysis:parsing:{name}_size")).and_then(|size| u64::try_from(size).ok());
            Some(Export { url: text(&format!("analysis:parsing:{name}_url"))?, size })
        };
        Self {
            check_id: integer("check:id"),
            checked_at: time("check:date"),
            available: flag("check:available"),
            status: integer("check:status"),
            timed_out: flag("check:timeout"),
            check_error: text("check:error"),
            analysed_check_id: integer("analysis:check_id"),
            mime_type: text("analysis:mime-type"),
            content_length: integer("analysis:content-length"),
            checksum: text("analysis:checksum"),
            last_modified_at: time("analysis:last-modified-at"),
            last_modified_detection: text("analysis:last-modified-detection"),
            error: text("analysis:error"),
            parsing_started_at: time("analysis:parsing:started_at"),
            parsing_finished_at: time("analysis:parsing:finished_at"),
            parsing_error: text("analysis:parsing:error").map(|text| ParsingError::from_text(&text)),
            table: text("analysis:parsing:parsing_table"),
            parquet: export("parquet"),
            geojson: export("geojson"),
            pmtiles: export("pmtiles"),
            ogc_metadata: extras.get("analysis:parsing:ogc_metadata").filter(|value| !value.is_null()).cloned(),
        }
    }

    /// Returns whether the platform has the rows of the file, or of the previous file: see
    /// [`is_finished`](Self::is_finished).
    #[must_use]
    pub fn has_rows(&self) -> bool {
        self.table.is_some() && self.rows_error().is_none()
    }

    /// Returns why the rows cannot be read. Errors of exports are not included.
    #[must_use]
    pub fn rows_error(&self) -> Option<&ParsingError> {
        self.parsing_error.as_ref().filter(|error| !error.is_of_export())
    }

    /// Returns the error of the last export that failed.
    #[must_use]
    pub fn export_error(&self) -> Option<&ParsingError> {
        self.parsing_error.as_ref().filter(|error| error.is_of_export())
    }

    /// Returns whether the platform has analysed the file: there is a table of its rows, or a reason why there is none. The
    /// exports come later.
    ///
    /// The result may be of the previous file: after a file was replaced, the analysis of the old one remains for seconds next to
    /// the check of the new one. [`is_of`](Self::is_of) and
    /// [`wait_for_analysis`](super::ResourceHandle::wait_for_analysis) distinguish the two.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.outcome().is_some()
    }

    /// Returns whether the table is of the file at a URL; `None` if there is no table. Files stored by the platform get another
    /// URL when they are replaced; a file on another server may change under one URL.
    #[must_use]
    pub fn is_of(&self, url: &str) -> Option<bool> {
        let digest = Md5::digest(url.as_bytes());
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(*self.table.as_ref()? == name)
    }

    /// Returns how the analysis ended, if it did.
    pub(super) fn outcome(&self) -> Option<Outcome<'_>> {
        if self.available == Some(false) {
            return Some(Outcome::Unavailable(self.check_id));
        }
        if let Some(error) = self.error.as_deref()
            && !self.awaits_download()
        {
            return Some(Outcome::NotRead(self.analysed_check_id, error));
        }
        let (started, finished) = (micros(&self.parsing_started_at), micros(&self.parsing_finished_at));
        if started.is_some() && finished.is_some() && started > finished {
            // A new import has begun; the other results are of the previous one.
            return None;
        }
        let is_parsed = self.parsing_finished_at.is_some()
            || self.table.is_some()
            || self.parsing_error.is_some()
            || self.pmtiles.is_some()
            || self.ogc_metadata.is_some();
        let table = self.table.as_deref();
        is_parsed.then(|| Outcome::Parsed { started, finished, table, error: self.rows_error() })
    }

    /// Returns whether the file was checked after it was last downloaded. The platform only publishes checks that show a
    /// change, and downloads the file after most of them.
    fn awaits_download(&self) -> bool {
        matches!((self.analysed_check_id, self.check_id), (Some(analysed), Some(checked)) if analysed < checked)
    }

    /// Returns whether the rows, or the reason why there are none, are of an earlier file than that at the URL.
    pub(crate) fn is_outdated(&self, url: Option<&str>) -> bool {
        let Some(Outcome::Parsed { started, finished, .. }) = self.outcome() else { return false };
        if let Some(same) = url.and_then(|url| self.is_of(url)) {
            return !same;
        }
        let is_older = |parsed: i64| micros(&self.checked_at).is_some_and(|checked| parsed < checked);
        self.awaits_download() || self.analysed_check_id.is_some() && started.or(finished).is_some_and(is_older)
    }

    /// Describes the state, for the error of a wait.
    pub(super) fn stage(&self, url: Option<&str>) -> &'static str {
        match () {
            () if self.is_outdated(url) => "the results are of the previous file",
            () if self.is_finished() => "the rows were imported, or cannot be",
            () if self.parsing_started_at.is_some() => "its rows are being imported",
            () if self.analysed_check_id.is_some() => "it was downloaded",
            () if self.checked_at.is_some() => "it was only checked",
            () => "it was not checked yet",
        }
    }
}

/// How an analysis ended. Two that differ are of different files, or of different readings of one.
#[derive(PartialEq)]
pub(super) enum Outcome<'a> {
    /// The URL does not respond, by the number of the check.
    Unavailable(Option<i64>),
    /// The file could not be downloaded or unpacked, by the number of the check and the reason.
    NotRead(Option<i64>, &'a str),
    /// Its rows were read, or something says why there are none.
    Parsed { started: Option<i64>, finished: Option<i64>, table: Option<&'a str>, error: Option<&'a ParsingError> },
}

fn micros(date: &Option<DateTime>) -> Option<i64> {
    date.as_ref()?.to_unix_micros()
}

/// An integer, however it is written.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the platform stored the file before it was replaced, and where after; the tables are the MD5 of these.
    const OLD: &str = "https://static.example/a/20261128-170113/communes.csv";
    const NEW: &str = "https://static.example/a/20261128-171053/communes.csv";

    fn analysis(extras: &[(&str, Value)]) -> Analysis {
        Analysis::from_extras(&extras.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    fn finished(extras: &[(&str, Value)]) -> bool {
        analysis(extras).is_finished()
    }

    fn table_of(url: &str) -> Value {
        Md5::digest(url.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
    }

    #[test]
    fn an_analysis_is_finished_when_no_step_is_pending() {
        assert!(!finished(&[]));
        assert!(!finished(&[("check:available", true.into()), ("check:date", "2026-01-01T00:00:00".into())]));
        assert!(finished(&[("check:available", false.into())]));
        assert!(finished(&[("analysis:error", "File too large to download".into())]));
        assert!(finished(&[("analysis:parsing:error", "csv_detective:Table seems to be empty".into())]));
        assert!(!finished(&[("analysis:parsing:started_at", "2026-01-01T00:00:00".into())]));
        assert!(finished(&[("analysis:parsing:finished_at", "2023-06-04 10:25:23.022766+02".into())]));
        assert!(finished(&[("analysis:parsing:pmtiles_url", "https://static.example/hydra/pmtiles/a.pmtiles".into())]));
    }

    #[test]
    fn a_result_that_will_be_replaced_is_not_the_end() {
        let started = ("analysis:parsing:started_at", "2026-01-02T00:00:00+00:00".into());
        assert!(!finished(&[started.clone(), ("analysis:parsing:finished_at", "2026-01-01T23:00:00+00:00".into())]));
        // An hour later, though the text says less.
        assert!(finished(&[started, ("analysis:parsing:finished_at", "2026-01-01T23:00:00-02:00".into())]));
    }

    #[test]
    fn an_export_error_is_not_an_error_of_the_rows() {
        let message = "GeoJSON to PMTiles conversion failed with exit code 110";
        let text = format!("pmtiles_export:{message}");
        let found = analysis(&[
            ("analysis:parsing:parsing_table", "d4".into()),
            ("analysis:parsing:error", text.clone().into()),
        ]);
        assert!(found.is_finished() && found.has_rows() && found.rows_error().is_none());
        let error = found.export_error().unwrap();
        assert_eq!((error.step.as_str(), error.message.as_str()), ("pmtiles_export", message));
        assert_eq!(error.to_string(), text);

        let found = analysis(&[(
            "analysis:parsing:error",
            "scan_column_names:Column names cannot exceed 63 characters".into(),
        )]);
        assert!(!found.has_rows() && found.export_error().is_none());
        assert_eq!(found.rows_error().unwrap().message, "Column names cannot exceed 63 characters");
    }

    #[test]
    fn an_error_without_a_step_is_its_message() {
        for text in ["Number of columns: 3", "no separator", ""] {
            let error = ParsingError::from_text(text);
            assert_eq!((error.step.as_str(), error.message.as_str()), ("", text));
        }
    }

    #[test]
    fn after_a_replacement_old_and_new_rows_are_distinguished() {
        let old = [
            ("analysis:check_id", 7.into()),
            ("analysis:parsing:parsing_table", table_of(OLD)),
            ("analysis:parsing:started_at", "2026-11-28T17:01:15+00:00".into()),
            ("analysis:parsing:finished_at", "2026-11-28T17:01:16+00:00".into()),
        ];
        let new_check = [("check:id", 9.into()), ("check:date", "2026-11-28T17:10:53+00:00".into())];
        let checked = analysis(&[&old[..], &new_check].concat());
        assert!(checked.is_finished() && checked.is_outdated(Some(NEW)) && !checked.is_outdated(Some(OLD)));
        assert_eq!((checked.is_of(OLD), checked.is_of(NEW)), (Some(true), Some(false)));
        let downloaded = analysis(&[&old[..], &new_check, &[("analysis:check_id", 9.into())]].concat());
        assert!(downloaded.is_outdated(Some(NEW)) && downloaded.is_outdated(None));
        let read = analysis(
            &[
                &old[..],
                &new_check,
                &[("analysis:check_id", 9.into()), ("analysis:parsing:parsing_table", table_of(NEW))],
            ]
            .concat(),
        );
        assert!(!read.is_outdated(Some(NEW)));
    }

    #[test]
    fn rows_stay_those_of_a_file_that_was_only_checked_again() {
        let checked = analysis(&[
            ("check:id", 9.into()),
            ("check:date", "2026-11-29T00:00:00+00:00".into()),
            ("analysis:check_id", 7.into()),
            ("analysis:parsing:parsing_table", table_of(OLD)),
            ("analysis:parsing:started_at", "2026-11-28T17:01:15+00:00".into()),
        ]);
        assert!(!checked.is_outdated(Some(OLD)));
    }

    #[test]
    fn after_a_replacement_the_error_of_the_old_file_is_not_that_of_the_new() {
        let old = [
            ("analysis:check_id", 7.into()),
            ("analysis:error", "Corrupted or truncated gzip file".into()),
            ("check:id", 7.into()),
        ];
        assert!(finished(&old));
        assert!(!finished(&[&old[..], &[("check:id", 9.into())]].concat()));
        // A check without a change is not reported: the download has the greater number.
        assert!(finished(&[&old[..], &[("analysis:check_id", 9.into())]].concat()));
        let old =
            [("analysis:check_id", 7.into()), ("analysis:parsing:error", "csv_detective:Could not load file".into())];
        assert!(!analysis(&old).is_outdated(Some(NEW)));
        assert!(analysis(&[&old[..], &[("check:id", 9.into())]].concat()).is_outdated(Some(NEW)));
    }

    #[test]
    fn numbers_are_read_however_they_are_written() {
        let found = analysis(&[
            ("check:status", "200".into()),
            ("check:headers:content-type", "".into()),
            ("check:error", "".into()),
            ("analysis:content-length", 710.0.into()),
            ("analysis:parsing:parquet_url", "https://static.example/hydra/parquet/a.parquet".into()),
            ("analysis:parsing:parquet_size", "9600".into()),
            ("analysis:parsing:geojson_size", 3251.into()),
        ]);
        assert_eq!((found.status, found.content_length, found.check_error), (Some(200), Some(710), None));
        assert_eq!(found.parquet.unwrap().size, Some(9600));
        assert_eq!(found.geojson, None, "a size without a URL is no file");
    }
}
