//! `validate`: the faults of a document, by the JSON Schemas of its language and by rules of our own.

mod finding;
mod rules;
mod schema;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use datagouv_specs::document;
use datagouv_specs::faults::{self, Reading, Version};
use serde_json::{Value, json};

use crate::format::{self, Format};
use crate::source::{self, Error, Loaded, Positions};
pub use finding::{Finding, Place, Severity};

/// What `cargo xtask validate` takes.
#[derive(clap::Args)]
#[command(after_long_help = HELP)]
pub struct Arguments {
    #[arg(help = source::SOURCES, required_unless_present = "rules")]
    source: Option<String>,
    #[arg(long, help = source::FOLDER)]
    folder: Option<PathBuf>,
    /// How the findings are written
    #[arg(long, default_value = "text", value_parser = format::among(&format::TABLE))]
    format: Format,
    /// Print the rules: what is found, and how it is read
    #[arg(long, conflicts_with = "source")]
    rules: bool,
}

const HELP: &str = "\
Ends with 0, with 1 where there is a finding of the level `error`, with 2 where the document cannot be read at all.

The JSON, to which members may be added:
  source    the source, as it was given
  version   swagger-2.0, openapi-3.0 or openapi-3.1
  findings  a list, in the order of the document, of
    rule      the rule (--rules)
    level     error, warning or info
    pointer   where, as a JSON pointer; after the file and `#` where that is another one
    line      where in the text, or null
    column    where in the line, or null
    text      what is wrong
    reading   how diff, convert and a dry run of refresh read it, or null
  summary   the number of findings by level: {error, warning, info}";

/// Runs `cargo xtask validate`.
pub fn run(arguments: &Arguments) -> ExitCode {
    if arguments.rules {
        print!("{}", rules_table(arguments.format));
        return ExitCode::SUCCESS;
    }
    let source = arguments.source.as_deref().unwrap_or_default();
    let loaded = source::load(source).and_then(|loaded| loaded.within(arguments.folder.as_deref()));
    let validated = loaded.and_then(|loaded| validate(&loaded).map(|found| (loaded, found)));
    let (loaded, (version, findings)) = match validated {
        Ok(validated) => validated,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    print!("{}", written(&loaded, version, &findings, arguments.format));
    let is_wrong = findings.iter().any(|finding| finding.level == Severity::Error);
    if is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The version of a document, and what is found in it.
///
/// # Errors
/// If the document cannot be parsed, or is of no language that is read.
pub fn validate(loaded: &Loaded) -> Result<(Version, Vec<Finding>), Error> {
    let failed = |error: datagouv_specs::Error| Error::new(&loaded.name, error);
    let value = loaded.parse()?;
    let version = Version::of(&value).map_err(failed)?;
    let mut findings = schema::validate(&value, version);
    drop(value);
    let (Reading { document, notes }, bundle) = loaded.read()?;
    for note in notes {
        let level = match note.rule.level {
            faults::Level::Error => Severity::Error,
            faults::Level::Warning => Severity::Warning,
        };
        let reading = Some(note.reading);
        findings.push(Finding { reading, ..Finding::new(note.rule.id, level, note.pointer, note.fault) });
    }
    findings.extend(rules::validate(&document, version));
    if let Err(error) = document::to_openapi(document) {
        let text = format!("the pipeline does not read it: {}", error.message);
        findings.push(Finding::new("no-equal", Severity::Warning, error.pointer, text));
    }
    let mut positions = BTreeMap::from([(None, loaded.positions())]);
    for finding in &mut findings {
        // What the rules found in another file is there.
        if let Some((file, pointer)) = bundle.origin(&finding.pointer) {
            finding.pointer = format!("{file}#{pointer}");
        }
        let (file, pointer) = match finding.pointer.split_once('#') {
            Some((file, pointer)) if !file.starts_with('/') => (Some(file.to_owned()), pointer),
            _ => (None, finding.pointer.as_str()),
        };
        let positions = positions.entry(file).or_insert_with_key(|file| {
            let bytes = loaded.folder.as_ref().zip(file.as_ref()).and_then(|(folder, file)| folder.read(file).ok());
            Positions::of(&String::from_utf8_lossy(&bytes.unwrap_or_default()))
        });
        finding.position = positions.nearest(pointer).into();
    }
    let key =
        |finding: &Finding| (finding.position.line, finding.position.column, finding.pointer.clone(), finding.level);
    findings.sort_by_key(key);
    findings.dedup();
    Ok((version, findings))
}

fn version_name(version: Version) -> &'static str {
    match version {
        Version::Swagger2 => "swagger-2.0",
        Version::OpenApi30 => "openapi-3.0",
        Version::OpenApi31 => "openapi-3.1",
    }
}

fn written(loaded: &Loaded, version: Version, findings: &[Finding], format: Format) -> String {
    let count = |level: Severity| findings.iter().filter(|finding| finding.level == level).count();
    if format == Format::Json {
        let summary: Value =
            Severity::ALL.iter().map(|level| (level.name().to_owned(), json!(count(*level)))).collect();
        let report = json!({
            "source": loaded.name, "version": version_name(version), "findings": findings, "summary": summary,
        });
        return format!("{report:#}\n");
    }
    let mut lines = String::new();
    for Finding { rule, level, pointer, position, text, reading } in findings {
        let line = position.line.map(|line| format!(":{line}:{}", position.column.unwrap_or(1))).unwrap_or_default();
        let place = if pointer.is_empty() { "the document" } else { pointer };
        let reading = reading.as_ref().map(|reading| format!("; {reading}")).unwrap_or_default();
        let text = format!("{}{line}: {}: {place}: {text}{reading} [{rule}]", loaded.name, level.name());
        // Control characters of documents must not reach the terminal.
        lines.push_str(&text.replace(char::is_control, " "));
        lines.push('\n');
    }
    let counts = Severity::ALL.map(|level| format!("{} {}", count(level), level.name()));
    format!("{lines}{}: {}, {}\n", loaded.name, version_name(version), counts.join(", "))
}

/// The table of the rules.
fn rules_table(format: Format) -> String {
    let own = rules::RULES.iter().map(|(id, level, text)| (*id, level.name(), *text));
    let schema = [("schema", Severity::Error.name(), "The document is not what the JSON Schema of its version says.")];
    let rows: Vec<(&str, &str, &str)> =
        schema.into_iter().chain(own).chain(faults::RULES.iter().map(|it| (it.id, it.level.name(), it.text))).collect();
    if format == Format::Json {
        let list: Value =
            rows.iter().map(|(id, level, text)| json!({"id": id, "level": level, "text": text})).collect();
        return format!("{list:#}\n");
    }
    let width = rows.iter().map(|(id, ..)| id.len()).max().unwrap_or_default();
    rows.iter().map(|(id, level, text)| format!("{id:width$}  {level:7}  {text}\n")).collect()
}
