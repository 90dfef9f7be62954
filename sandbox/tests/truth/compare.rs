//! Compares a response with the recorded one: the status, the rows or their ids in order, the columns, the total,
//! `meta`, the links, the body of a CSV, and an error with its code, title and detail.
//!
//! Not compared: the hint of the database (it proposes similar columns), the message of the HTTP layer for invalid
//! bytes, the date of the deletion of a resource. Rows that are sorted as equal and groups without an order may be in
//! any order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::connection::Response;
use crate::{DELETED, INDEXED, NO_AGGREGATION, TABLE, UNKNOWN};

/// A line of a file.
pub(crate) struct Recorded(Value);

const GONE: &str = "Resource RID has been permanently deleted on ";

impl Recorded {
    pub(crate) fn read(line: &str) -> Self {
        Self(serde_json::from_str(line).expect("a line of JSON"))
    }

    pub(crate) fn query(&self) -> &str {
        self.0["query"].as_str().unwrap_or_default()
    }

    pub(crate) fn family(&self) -> &str {
        self.0["case"].as_str().unwrap_or_default()
    }

    pub(crate) fn is_csv(&self) -> bool {
        self.0["endpoint"] == "csv"
    }

    fn is_page(&self) -> bool {
        self.0["endpoint"] == "data"
    }

    fn resource(&self) -> &'static str {
        match self.0["resource"].as_str() {
            None => TABLE,
            Some("no_aggregation") => NO_AGGREGATION,
            Some("indexed") => INDEXED,
            Some("deleted") => DELETED,
            Some("malformed") => "not-a-uuid",
            Some(_) => UNKNOWN,
        }
    }

    pub(crate) fn path(&self) -> String {
        let end = match self.0["endpoint"].as_str() {
            Some("csv") => "csv/",
            Some("json") => "json/",
            _ => "",
        };
        format!("/api/resources/{}/data/{end}", self.resource())
    }

    fn has_ids(&self) -> bool {
        self.0["ids"].is_array()
    }

    fn sorts(&self) -> bool {
        self.query().to_ascii_lowercase().contains("__sort=")
    }

    /// Whether the rows are groups without an order.
    fn is_unordered(&self) -> bool {
        self.query().to_ascii_lowercase().contains("__groupby") && !self.sorts()
    }

    pub(crate) fn query_of_all_rows(&self) -> String {
        let own = |argument: &&str| !argument.starts_with("page=") && !argument.starts_with("page_size=");
        let kept: Vec<&str> = self.query().split('&').filter(own).chain(["page_size=0"]).collect();
        kept.join("&")
    }

    fn number(&self, name: &str, default: usize) -> usize {
        let mut pairs = self.query().split('&').filter_map(|argument| argument.split_once('='));
        pairs.find(|(key, _)| *key == name).and_then(|(_, value)| value.parse().ok()).unwrap_or(default)
    }

    /// The recorded rows: their ids, else the whole rows.
    fn rows(&self) -> Vec<String> {
        let recorded = match self.0["ids"].as_array() {
            Some(ids) => ids,
            None => match self.0["body"].as_str() {
                Some(body) => {
                    let whole = body.rsplit_once('\n').map_or("", |(whole, _)| whole);
                    return records(whole);
                }
                None => self.0["rows"].as_array().map_or(&[][..], Vec::as_slice),
            },
        };
        recorded.iter().map(Value::to_string).collect()
    }

    /// The rows of a response, in the recorded form.
    pub(crate) fn rows_of(&self, response: &Response) -> Vec<String> {
        match (self.is_csv(), self.has_ids()) {
            (true, true) => ids_of_csv(&response.body),
            (true, false) => records(response.body.trim_end_matches('\n')),
            (false, true) => response.rows().iter().map(|row| row["__id"].to_string()).collect(),
            (false, false) => response.rows().iter().map(Value::to_string).collect(),
        }
    }

    /// Whether the order of the recorded rows is one that the query allows: each within a run of rows
    /// that are equal to the sort, which is one that has the same rows when equal ones come in either order.
    pub(crate) fn may_be_part_of(&self, forwards: &[String], backwards: &[String], response: &Response) -> bool {
        let backwards: Vec<&String> = match self.is_unordered() {
            true => forwards.iter().rev().collect(),
            false => backwards.iter().collect(),
        };
        let before = if self.is_page() { (self.number("page", 1) - 1) * self.number("page_size", 20) } else { 0 };
        let mut runs: BTreeMap<&String, (usize, usize)> = BTreeMap::new();
        let (mut start, mut open) = (0, BTreeMap::new());
        for (at, (forward, backward)) in forwards.iter().zip(&backwards).enumerate() {
            *open.entry(forward).or_insert(0) += 1;
            *open.entry(backward).or_insert(0) -= 1;
            if open.values().all(|count| *count == 0) {
                runs.extend(forwards[start..=at].iter().map(|row| (row, (start, at))));
                (start, open) = (at + 1, BTreeMap::new());
            }
        }
        let rows = self.rows();
        let distinct: BTreeSet<&String> = rows.iter().collect();
        let fits = |(at, row): (usize, &String)| {
            runs.get(row).is_some_and(|(start, end)| (*start..=*end).contains(&(before + at)))
        };
        let open_order = self.sorts() || self.is_unordered();
        let whole = self.0.get("row_count").is_none() && self.0["body"].is_null();
        open_order
            && rows.iter().enumerate().all(fits)
            && distinct.len() == rows.len()
            && (!whole || rows.len() == self.rows_of(response).len())
    }
}

/// The records of a CSV without line ends in its values, its header left out.
fn records(csv: &str) -> Vec<String> {
    csv.split('\n').skip(1).map(str::to_owned).collect()
}

/// The first cell of each record of a CSV that has all columns. Its header is not quoted, whatever it holds; the last
/// columns are `tz` and `j`.
fn ids_of_csv(csv: &str) -> Vec<String> {
    let mut quoted = false;
    let rows = csv.split_once(",tz,j\n").map_or("", |(_, rows)| rows);
    let records = rows.split(|char| {
        quoted ^= char == '"';
        char == '\n' && !quoted
    });
    records.filter_map(|record| record.split(',').next()).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

fn differs<T: std::fmt::Display + PartialEq>(what: &str, recorded: T, got: T) -> Option<String> {
    (recorded != got).then(|| format!("{what}: recorded {recorded}, got {got}"))
}

/// How a response differs from the recorded one, except in its rows; None if it does not.
pub(crate) fn difference(line: &Recorded, response: &Response) -> Option<String> {
    if json!(response.status) != line.0["status"] {
        return Some(format!("status {}: {:.200}", response.status, response.body));
    }
    if let Some(recorded) = line.0.get("error") {
        return difference_of_errors(line, recorded, &response.body);
    }
    if line.is_csv() {
        let recorded = line.0["lines"].as_u64()?.to_string();
        return differs("line ends", recorded, response.body.matches('\n').count().to_string());
    }
    let body = &response.json;
    if body.is_null() {
        return Some(format!("no JSON: {:.200}", response.body));
    }
    let first = response.rows().first().and_then(Value::as_object);
    if let (Some(recorded), Some(row)) = (line.0["columns"].as_array(), first) {
        let recorded: BTreeSet<&str> = recorded.iter().filter_map(Value::as_str).collect();
        let got: BTreeSet<&str> = row.keys().map(String::as_str).collect();
        if recorded != got {
            return Some(format!("columns: recorded {recorded:?}, got {got:?}"));
        }
    }
    if let Some(count) = line.0["row_count"].as_u64() {
        let got = response.rows().len().to_string();
        if count.to_string() != got {
            return Some(format!("row count: recorded {count}, got {got}"));
        }
    }
    if !line.is_page() {
        return None;
    }
    let link = |name: &str| {
        let query = body["links"][name].as_str().and_then(|url| url.split_once('?'));
        query.map_or(Value::Null, |(_, query)| json!(query))
    };
    let meta = || line.0.get("meta").and_then(|recorded| differs("meta", recorded, &body["meta"]));
    differs("total", &line.0["total"], body["meta"].get("total").unwrap_or(&Value::Null))
        .or_else(meta)
        .or_else(|| ["next", "prev"].into_iter().find_map(|name| differs(name, line.0.get(name)?, &link(name))))
}

/// How the rows of a response, or their order, differ from the recorded ones.
pub(crate) fn difference_of_rows(line: &Recorded, response: &Response) -> Option<String> {
    if line.0.get("error").is_some() {
        return None;
    }
    if let Some(recorded) = line.0["body"].as_str() {
        let start: String = response.body.chars().take(recorded.chars().count()).collect();
        return differs("body", format!("{recorded:?}"), format!("{start:?}"));
    }
    if line.has_ids() {
        let (recorded, got) = (line.rows(), line.rows_of(response));
        // A CSV of some columns has no ids.
        let comparable = !line.is_csv() || line.0.get("columns").is_none();
        if comparable && recorded != got {
            return Some(format!("ids: recorded {recorded:?}, got {got:?}"));
        }
    }
    let recorded = line.0["rows"].as_array()?;
    let rows = response.rows();
    // With their ids or their count only the first rows are recorded.
    let few = line.has_ids() || line.0.get("row_count").is_some();
    let equal = if few { rows.starts_with(recorded) } else { rows == *recorded };
    (!equal).then(|| format!("rows: recorded {}, got {}", line.0["rows"], json!(rows)))
}

fn difference_of_errors(line: &Recorded, recorded: &Value, body: &str) -> Option<String> {
    let anonymous = |text: &str| match line.resource() {
        "not-a-uuid" => text.to_owned(),
        resource => text.replace(&format!("{resource}."), "TABLE.").replace(resource, "RID"),
    };
    let body = anonymous(body);
    let recorded: Value = serde_json::from_str(&anonymous(&recorded.to_string())).expect("JSON");
    let got: Value = serde_json::from_str(&body).unwrap_or_default();
    if let Value::String(words) = &recorded {
        let got = body.split_whitespace().collect::<Vec<_>>().join(" ");
        let free = words.starts_with("Invalid char") || (words.starts_with(GONE) && got.starts_with(GONE));
        return if free { None } else { differs("error", words.clone(), got) };
    }
    differs("error", compared(&recorded), compared(&got["errors"][0]))
}

/// The compared part of an error. The server prints a set of names in any order.
fn compared(error: &Value) -> Value {
    let mut error = error.clone();
    if let Some(detail) = error.get_mut("detail").and_then(Value::as_object_mut) {
        detail.remove("hint");
        detail.retain(|_, value| !value.is_null());
    }
    if let Some((words, set)) = error["detail"].as_str().and_then(|detail| detail.split_once(" columns: {")) {
        let mut names: Vec<&str> = set.trim_end_matches('}').split(", ").collect();
        names.sort_unstable();
        error["detail"] = json!([words, names]);
    }
    error
}
