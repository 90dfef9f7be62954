//! Fidelity: every recorded answer is decoded into its type, written back, and compared with what came.
//!
//! Nothing may be lost or changed. Null, absent, and an empty list or object are the same; so are `1` and `1.0`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use datagouv_specs::shape::types::{Kind, Rust, Type};
use datagouv_specs::shape::{Answer, Shaped, shape};
use datagouv_specs::{Api, corrected};
use serde::Deserialize;
use serde_json::{Value, json};

/// An answer as the tests record it, one in a file.
#[derive(Deserialize)]
struct Exchange {
    api: String,
    operation_id: String,
    status: u16,
    body: Value,
}

/// What is wrong with one value of one body.
#[derive(Debug)]
pub struct Loss {
    /// The file of the exchange.
    pub file: PathBuf,
    /// The place in the body, as a JSON pointer.
    pub pointer: String,
    /// What came, and what it became.
    pub reason: String,
}

/// What the comparison of a folder of exchanges gave.
#[derive(Debug, Default)]
pub struct Report {
    /// Bodies that were decoded and compared.
    pub bodies: usize,
    /// Answers that are errors: they have no type.
    pub failures: usize,
    /// Answers that are bytes.
    pub bytes: usize,
    /// Values that were compared.
    pub leaves: usize,
    /// Values that the types leave as JSON, by the place that does so.
    pub untyped: BTreeMap<String, usize>,
    /// Values that were lost or changed.
    pub losses: Vec<Loss>,
}

/// How a report is printed.
#[derive(Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Prints the report of a folder; ends with 1 where something was lost, with 2 where it cannot be read.
pub fn run(folder: &Path, format: Format) -> ExitCode {
    match report(folder) {
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

/// Compares every exchange of a folder.
///
/// # Errors
///
/// Where a file is no exchange of an operation that exists.
pub fn report(folder: &Path) -> Result<Report, String> {
    let mut shapes = BTreeMap::new();
    for api in Api::ALL {
        let shaped = corrected(api).and_then(|document| shape(api, &document)).map_err(|error| error.to_string())?;
        shapes.insert(api.name(), shaped);
    }
    let mut report = Report::default();
    for (file, exchange) in exchanges(folder)? {
        let shaped = shapes
            .get(exchange.api.as_str())
            .ok_or_else(|| format!("{}: no API is called `{}`", file.display(), exchange.api))?;
        check(&mut report, shaped, file, &exchange)?;
    }
    Ok(report)
}

fn check(report: &mut Report, shaped: &Shaped, file: PathBuf, exchange: &Exchange) -> Result<(), String> {
    let unknown = || format!("{}: {} has no operation `{}`", file.display(), exchange.api, exchange.operation_id);
    let operation = shaped.operations.iter().find(|operation| operation.operation_id == exchange.operation_id);
    let operation = operation.ok_or_else(unknown)?;
    if !(200..300).contains(&exchange.status) {
        report.failures += 1;
        return Ok(());
    }
    let Answer::Json(rust) = &operation.answer else {
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
    let mut losses = Vec::new();
    match round_trip(&exchange.operation_id, text.as_bytes()).ok_or_else(unknown)? {
        Ok(back) => report.leaves += compare(&exchange.body, Some(&back), "", &mut losses),
        Err(reason) => losses.push((String::new(), reason)),
    }
    let lost = losses.into_iter().map(|(pointer, reason)| Loss { file: file.clone(), pointer, reason });
    report.losses.extend(lost);
    count_untyped(&exchange.body, rust, &shaped.types, &operation.name, &mut report.untyped);
    Ok(())
}

/// Compares what came with what was written back; gives the number of leaves that were compared.
fn compare(came: &Value, back: Option<&Value>, pointer: &str, losses: &mut Vec<(String, String)>) -> usize {
    match (came, back) {
        (came, None) if is_nothing(came) => 0,
        (came, Some(back)) if is_nothing(came) && is_nothing(back) => 0,
        (Value::Object(came), Some(Value::Object(back))) => came
            .iter()
            .map(|(key, value)| {
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                compare(value, back.get(key), &pointer, losses)
            })
            .sum(),
        (Value::Array(came), Some(Value::Array(back))) if came.len() == back.len() => {
            let pairs = came.iter().zip(back).enumerate();
            pairs.map(|(index, (came, back))| compare(came, Some(back), &format!("{pointer}/{index}"), losses)).sum()
        }
        (Value::Number(came), Some(Value::Number(back))) if came.as_f64() == back.as_f64() => 1,
        (came, Some(back)) if came == back => 1,
        (came, back) => {
            let back = back.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            let short = |text: String| text.chars().take(120).collect::<String>();
            losses.push((pointer.to_owned(), format!("{} became {}", short(came.to_string()), short(back))));
            1
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.values().map(leaves).sum(),
        Value::Array(items) => items.iter().map(leaves).sum(),
        Value::Null => 0,
        _ => 1,
    }
}

/// Counts the leaves of a body that the types leave as JSON, by the place that does so.
fn count_untyped(
    value: &Value,
    rust: &Rust,
    types: &BTreeMap<String, Type>,
    place: &str,
    found: &mut BTreeMap<String, usize>,
) {
    let untyped = match (rust, value) {
        (_, Value::Null) => false,
        (Rust::Any, _) => true,
        (Rust::Nullable(inner), value) => return count_untyped(value, inner, types, place, found),
        (Rust::List(inner), Value::Array(items)) => {
            return items.iter().for_each(|item| count_untyped(item, inner, types, place, found));
        }
        (Rust::Map(inner), Value::Object(object)) => {
            return object.values().for_each(|value| count_untyped(value, inner, types, place, found));
        }
        (Rust::Named(name), value) => match types.get(name).map(|made| &made.kind) {
            Some(Kind::Structure(_, fields)) => {
                for field in fields {
                    if let Some(value) = value.get(&field.property) {
                        let place = format!("{name}.{}", field.property);
                        count_untyped(value, &field.rust, types, &place, found);
                    }
                }
                false
            }
            Some(Kind::Union(variants)) => match variants.iter().find(|(_, variant)| fits(variant, value, types)) {
                Some((_, variant)) => return count_untyped(value, variant, types, place, found),
                None => true,
            },
            _ => false,
        },
        _ => false,
    };
    if untyped {
        *found.entry(place.to_owned()).or_default() += leaves(value);
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
            "errors": report.failures,
            "bytes": report.bytes,
            "untyped": {"leaves": untyped, "percent": share, "places": report.untyped},
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
    println!("answers of bytes  {:>8}", report.bytes);
    println!("answers of errors {:>8}", report.failures);
    println!("untyped leaves    {untyped:>8}  ({share:.1} %)");
    for (place, leaves) in &report.untyped {
        println!("  {leaves:>7}  {place}");
    }
}
