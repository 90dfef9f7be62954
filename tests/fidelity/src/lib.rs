//! Fidelity: every recorded response is decoded into its type, serialized, and compared with the recorded body.
//!
//! Nothing may be lost or changed. Null, absent, and an empty list or object are the same. A scalar may be serialized in another
//! form of the same meaning (`"12"` and `12`, `1.0` and `1`, `"true"` and `true`): those are counted.

mod compare;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use datagouv_specs::shape::types::{Kind, Rust, Type};
use datagouv_specs::shape::{ResponseBody, Shaped, shape};
use datagouv_specs::{Api, corrected};
use serde::Deserialize;
use serde_json::{Value, json};

use compare::Comparison;

/// A recorded exchange, one in a file.
#[derive(Deserialize)]
struct Exchange {
    api: String,
    operation_id: String,
    status: u16,
    body: Value,
}

/// A value that was lost or changed.
#[derive(Debug)]
pub struct Loss {
    /// The file of the exchange.
    pub file: PathBuf,
    /// The JSON pointer of the value.
    pub pointer: String,
    /// The recorded value, and what it became.
    pub reason: String,
}

/// The result of the comparison of a folder of exchanges.
#[derive(Debug, Default)]
pub struct Report {
    /// Bodies that were decoded and compared.
    pub bodies: usize,
    /// Responses that are errors: they have no type.
    pub failures: usize,
    /// Responses that are bytes.
    pub bytes: usize,
    /// Values that were compared.
    pub leaves: usize,
    /// Those of them that were serialized in another form of the same meaning.
    pub converted: usize,
    /// Values of unknown properties, by their path.
    pub unknown: BTreeMap<String, usize>,
    /// Values that the types leave as JSON, by their path.
    pub untyped: BTreeMap<String, usize>,
    /// Values that were lost or changed.
    pub losses: Vec<Loss>,
}

/// The format of a report.
#[derive(Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Prints the report of a folder; the exit status is 1 if something was lost, 2 if the folder cannot be read. On request,
/// each object of each body gets an unknown property before it is decoded.
pub fn run(folder: &Path, with_unknown: bool, format: Format) -> ExitCode {
    match report(folder, with_unknown) {
        Ok(report) => {
            print(&report, format);
            if report.losses.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

/// The exchanges of a folder and of those below it, with their files.
fn exchanges(folder: &Path) -> Result<Vec<(PathBuf, Exchange)>, String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                let exchange =
                    serde_json::from_str(&text).map_err(|error| format!("{}: no exchange: {error}", path.display()))?;
                found.push((path, exchange));
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

/// The documents of all APIs, shaped.
fn shapes() -> Result<BTreeMap<&'static str, Shaped>, String> {
    let shaped =
        |api: Api| corrected(api).and_then(|document| shape(api, &document)).map_err(|error| error.to_string());
    Api::ALL.into_iter().map(|api| Ok((api.name(), shaped(api)?))).collect()
}

/// Compares every exchange of a folder.
///
/// # Errors
///
/// If a file is not an exchange of a known operation.
pub fn report(folder: &Path, with_unknown: bool) -> Result<Report, String> {
    let shapes = shapes()?;
    let mut report = Report::default();
    for (file, mut exchange) in exchanges(folder)? {
        if with_unknown {
            add_unknown(&mut exchange.body);
        }
        let shaped = shapes
            .get(exchange.api.as_str())
            .ok_or_else(|| format!("{}: no API is called `{}`", file.display(), exchange.api))?;
        check(&mut report, shaped, file, &exchange)?;
    }
    Ok(report)
}

/// The losses of a value by decoding and serializing: pointers and reasons.
#[must_use]
pub fn losses(came: &Value, back: &Value) -> Vec<(String, String)> {
    let mut comparison = Comparison::default();
    comparison.compare(came, Some(back), "");
    comparison.losses
}

/// Compares random changes of the recorded bodies, so many of each exchange. Returns the number of bodies, and each loss
/// with its changed body.
///
/// # Errors
///
/// If a file is not an exchange.
pub fn report_of_changed(
    folder: &Path,
    times: usize,
    mut change: impl FnMut(&mut Value),
) -> Result<(usize, Vec<(Loss, Value)>), String> {
    let (shapes, mut bodies, mut losses) = (shapes()?, 0, Vec::new());
    for (file, mut exchange) in exchanges(folder)? {
        let Some(shaped) = shapes.get(exchange.api.as_str()) else { continue };
        let recorded = exchange.body.clone();
        for _ in 0..times {
            exchange.body = recorded.clone();
            change(&mut exchange.body);
            let mut report = Report::default();
            check(&mut report, shaped, file.clone(), &exchange)?;
            bodies += report.bodies;
            losses.extend(report.losses.into_iter().map(|loss| (loss, exchange.body.clone())));
        }
    }
    Ok((bodies, losses))
}

/// Adds an unknown property to each object.
fn add_unknown(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(add_unknown);
            object.insert("added-upstream".to_owned(), json!({"since": 17.5, "of": ["a", null, {"b": false}]}));
        }
        Value::Array(items) => items.iter_mut().for_each(add_unknown),
        _ => {}
    }
}

fn check(report: &mut Report, shaped: &Shaped, file: PathBuf, exchange: &Exchange) -> Result<(), String> {
    let unknown = || format!("{}: {} has no operation `{}`", file.display(), exchange.api, exchange.operation_id);
    let operation = shaped.operations.iter().find(|operation| operation.operation_id == exchange.operation_id);
    let operation = operation.ok_or_else(unknown)?;
    if !(200..300).contains(&exchange.status) {
        report.failures += 1;
        return Ok(());
    }
    let ResponseBody::Json(rust) = &operation.response else {
        report.bytes += 1;
        return Ok(());
    };
    report.bodies += 1;
    let text = exchange.body.to_string();
    let round_trip = match shaped.api {
        Api::Main => datagouv::main::round_trip,
        Api::MainV2 => datagouv::main_v2::round_trip,
        Api::Tabular => datagouv::tabular::round_trip,
        Api::Metrics => datagouv::metrics::round_trip,
    };
    let mut comparison = Comparison::default();
    match round_trip(&exchange.operation_id, text.as_bytes()).ok_or_else(unknown)? {
        Ok(back) => comparison.compare(&exchange.body, Some(&back), ""),
        Err(reason) => comparison.losses.push((String::new(), reason)),
    }
    report.leaves += comparison.leaves;
    report.converted += comparison.converted;
    let lost = comparison.losses.into_iter().map(|(pointer, reason)| Loss { file: file.clone(), pointer, reason });
    report.losses.extend(lost);
    let mut untyped = Untyped { types: &shaped.types, report };
    untyped.count(&exchange.body, rust, &operation.name);
    Ok(())
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.values().map(leaves).sum(),
        Value::Array(items) => items.iter().map(leaves).sum(),
        Value::Null => 0,
        _ => 1,
    }
}

/// Counts the leaves of a body that the types leave as JSON, or do not have at all, by their path.
struct Untyped<'a> {
    types: &'a BTreeMap<String, Type>,
    report: &'a mut Report,
}

impl Untyped<'_> {
    fn count(&mut self, value: &Value, rust: &Rust, place: &str) {
        match (rust, value) {
            (_, Value::Null) => {}
            (Rust::Any, _) => *self.report.untyped.entry(place.to_owned()).or_default() += leaves(value),
            (Rust::Nullable(inner), value) => self.count(value, inner, place),
            (Rust::List(inner), Value::Array(items)) => items.iter().for_each(|item| self.count(item, inner, place)),
            (Rust::Map(inner), Value::Object(object)) => {
                object.values().for_each(|value| self.count(value, inner, place));
            }
            (Rust::Named(name), value) => self.count_named(value, name, place),
            _ => {}
        }
    }

    fn count_named(&mut self, value: &Value, name: &str, place: &str) {
        let types = self.types;
        match (types.get(name).map(|made| &made.kind), value) {
            (Some(Kind::Structure(_, fields)), Value::Object(object)) => {
                for (property, value) in object {
                    let place = format!("{name}.{property}");
                    match fields.iter().find(|field| field.property == *property) {
                        Some(field) => self.count(value, &field.rust, &place),
                        None if fields.iter().any(|field| field.rest) => {}
                        None => *self.report.unknown.entry(place).or_default() += leaves(value),
                    }
                }
            }
            (Some(Kind::Union(variants)), value) => {
                match variants.iter().find(|(_, variant)| fits(variant, value, types)) {
                    Some((_, variant)) => self.count(value, variant, place),
                    None => *self.report.untyped.entry(place.to_owned()).or_default() += leaves(value),
                }
            }
            _ => {}
        }
    }
}

/// Whether a value is of the kind of a variant.
fn fits(rust: &Rust, value: &Value, types: &BTreeMap<String, Type>) -> bool {
    match rust {
        Rust::Named(name) => match types.get(name).map(|made| &made.kind) {
            Some(Kind::Enumeration(_)) => value.is_string(),
            _ => value.is_object(),
        },
        Rust::List(_) => value.is_array(),
        Rust::Map(_) => value.is_object(),
        Rust::Integer => value.is_i64(),
        Rust::Number => value.is_number(),
        Rust::Boolean => value.is_boolean(),
        Rust::String | Rust::DateTime | Rust::Date => value.is_string(),
        Rust::Any | Rust::Nullable(_) | Rust::File | Rust::Filters | Rust::Values => true,
    }
}

fn print(report: &Report, format: Format) {
    let untyped: usize = report.untyped.values().sum();
    let unknown: usize = report.unknown.values().sum();
    let total = report.leaves.max(1);
    #[allow(clippy::cast_precision_loss, reason = "a share for people to read")]
    let share = untyped as f64 * 100.0 / total as f64;
    if format == Format::Json {
        let losses = report.losses.iter().map(
            |loss| json!({"file": loss.file.display().to_string(), "pointer": loss.pointer, "reason": loss.reason}),
        );
        let printed = json!({
            "bodies": report.bodies,
            "leaves": report.leaves,
            "converted": report.converted,
            "errors": report.failures,
            "bytes": report.bytes,
            "untyped": {"leaves": untyped, "percent": share, "places": report.untyped},
            "unknown": {"leaves": unknown, "places": report.unknown},
            "losses": losses.collect::<Vec<_>>(),
        });
        println!("{printed:#}");
        return;
    }
    for loss in &report.losses {
        println!("{}: {}: {}", loss.file.display(), loss.pointer, loss.reason);
    }
    println!("bodies compared   {:>8}", report.bodies);
    println!("leaves compared   {:>8}", report.leaves);
    println!("losses            {:>8}", report.losses.len());
    println!("equal by value    {:>8}  (in another form)", report.converted);
    println!("binary responses  {:>8}", report.bytes);
    println!("error responses   {:>8}", report.failures);
    println!("untyped leaves    {untyped:>8}  ({share:.1} %)");
    for (place, leaves) in &report.untyped {
        println!("  {leaves:>7}  {place}");
    }
    println!("unknown leaves    {unknown:>8}  (kept)");
    for (place, leaves) in &report.unknown {
        println!("  {leaves:>7}  {place}");
    }
}
