//! `diff`: what changed between two documents, on the wire and in Rust.

mod announced;
mod attach;
mod bodies;
pub mod change;
mod compare;
mod comparison;
pub mod decisions;
pub mod document;
mod location;
mod operations;
mod parameters;
mod places;
mod references;
pub mod report;
mod responses;
pub mod rules;
pub mod rust;
mod schemas;
mod security;
mod servers;
mod texts;
mod values;
mod webhooks;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use datagouv_specs::Api;

use serde_json::Value;

pub use crate::format::Format;
use crate::source::{self, Error, Loaded};
use change::Level;
pub use compare::compare;
use decisions::Decisions;
use document::Document;
use report::Report;
pub use values::type_name;

/// What `cargo xtask diff` takes.
#[derive(clap::Args)]
#[command(after_long_help = JSON_HELP)]
pub struct Arguments {
    /// The document that clients are written against
    #[arg(long_help = SOURCE_HELP, required_unless_present = "rules")]
    old: Option<String>,
    /// The document that is served now; without it, OLD is the name of an API, and its vendored document is compared
    /// with that of the last commit
    #[arg(long_help = NEW_HELP)]
    new: Option<String>,
    /// How the report is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// End with 1 where there is a change of this level or a worse one
    #[arg(long, value_enum, value_name = "LEVEL")]
    fail_on: Option<FailOn>,
    /// The API that both documents describe, where they do not say: main, main-v2, tabular or metrics
    #[arg(long)]
    api: Option<Api>,
    #[arg(long, help = source::FOLDER)]
    folder: Option<PathBuf>,
    /// The file of the decisions, in place of accepted.toml in the folder of the API
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// Accept the changes that --fail-on reaches, or those that are breaking, and write them into the file of the decisions
    #[arg(long, requires = "reason")]
    accept: bool,
    /// Why they are accepted
    #[arg(long, requires = "accept", value_name = "TEXT")]
    reason: Option<String>,
    /// The version of the crate from which on they are decided anew
    #[arg(long, requires = "accept", value_name = "VERSION")]
    until: Option<String>,
    /// Print the rules: each kind of change, its level, its direction and what it is
    #[arg(long, conflicts_with_all = ["old", "new", "fail_on", "api"])]
    rules: bool,
}

const SOURCE_HELP: &str = "The document that clients are written against, in Swagger 2.0, OpenAPI 3.0 or 3.1: a file, a \
    URL, git:REVISION:PATH, udata:VERSION, or main, main-v2, tabular, metrics (as vendored)";
const NEW_HELP: &str = "The document that is served now: what OLD can be. Without it, OLD is the name of an API, and \
    its vendored document is compared with that of the last commit";
const JSON_HELP: &str = "\
Ends with 0, with 1 where --fail-on is reached by a change that is not accepted, with 2 where a document or the file of
the decisions cannot be read.

The JSON, to which members may be added:
  old, new   the sources, as they were given
  changes    a list, the worst first, of
    id         the rule (--rules)
    level      breaking, warning or info
    direction  request, response or null
    operation  the operationId of the first operation that it reaches, or null
    method     its method, in capitals, or null
    path       its path, or null
    operations all operations that it reaches: {operation, method, path}
    location   a pointer, from the operation, or from the document where it starts with /components or where it
               reaches no operation; parameters, bodies and variants are named
    old, new   what is there in OLD and NEW, or null
    text       a sentence
    fingerprint  by which the decisions know it
    accepted   why it is accepted, or null
    old_place, new_place  where it stands in the text of each document: {pointer, line, column}, or null
    rust       what a program written against the crate notices, or null: {id, breaking, item, old, new, text, others},
               where others are what it notices beside that, without others of their own; a change with an id that
               starts with rust- is not seen in the contract
  summary    the number of changes by level: {breaking, warning, info}; and of those that are accepted,
             which are in none of the others: {accepted}
  release    how the crate's version must move: major, minor, patch; null where the documents are of no known API
  notes      what a reader should know of how the report was made: a list of sentences";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    Breaking,
    Warning,
    Any,
}

impl FailOn {
    fn is_reached(self, level: Level) -> bool {
        match self {
            Self::Breaking => level == Level::Breaking,
            Self::Warning => level <= Level::Warning,
            Self::Any => true,
        }
    }
}

/// Runs `cargo xtask diff`.
pub fn run(arguments: &Arguments) -> ExitCode {
    if arguments.rules {
        print!("{}", report::rules(arguments.format));
        return ExitCode::SUCCESS;
    }
    let report = sources(arguments).and_then(|(old, new)| {
        let mut report = between(&old, &new, arguments.api)?;
        let file = arguments.decisions.clone().or_else(|| report.api.map(Decisions::path_of));
        let Some(file) = file else {
            let reason = "of which API? The documents do not say: give --api, or --decisions";
            return if arguments.accept { Err(Error::new(&report.new, reason)) } else { Ok((report, 0)) };
        };
        let failed = |reason: String| Error::new(file.display().to_string(), reason);
        let mut decisions = Decisions::read(&file).map_err(failed)?;
        report.decide(&decisions);
        let mut accepted = 0;
        if let (true, Some(reason)) = (arguments.accept, &arguments.reason) {
            let fail_on = arguments.fail_on.unwrap_or(FailOn::Breaking);
            let changes = report.open().filter(|change| fail_on.is_reached(change.worst()));
            accepted = decisions.accept(changes, reason, arguments.until.as_deref()).map_err(failed)?;
            let decisions = Decisions::read(&file).map_err(failed)?;
            report.decide(&decisions);
        }
        Ok((report, accepted))
    });
    let (report, accepted) = match report {
        Ok(report) => report,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    if arguments.accept {
        eprintln!("{accepted} accepted");
    }
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    print!("{}", report.write(arguments.format, colour));
    let is_reached = arguments.fail_on.is_some_and(|fail_on| report.open().any(|it| fail_on.is_reached(it.worst())));
    if is_reached { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn sources(arguments: &Arguments) -> Result<(Loaded, Loaded), Error> {
    let old = arguments.old.as_deref().unwrap_or_default();
    if let Some(new) = &arguments.new {
        let folder = arguments.folder.as_deref();
        return Ok((source::load(old)?.within(folder)?, source::load(new)?.within(folder)?));
    }
    let api: Api = old.parse().map_err(|error| Error::new(old, format!("{error}; or give OLD and NEW")))?;
    let committed = format!("git:HEAD:specs/{api}/{}", api.file_name());
    Ok((source::load(&committed)?, source::load(old)?))
}

/// What changed between two documents.
///
/// # Errors
///
/// Where one of them cannot be read, with its name and the place.
pub fn between(old: &Loaded, new: &Loaded, api: Option<Api>) -> Result<Report, Error> {
    let (mut report, old_value, new_value) = read_and_compare(old, new)?;
    let same = || old.api(&old_value).filter(|api| new.api(&new_value) == Some(*api));
    report.api = api.or_else(same);
    if let Some(api) = report.api {
        match rust::between(api, (old, &old_value), (new, &new_value)) {
            Ok(axis) => {
                report.release = Some(axis.release().max(report.wire_release()));
                report.notes.extend(axis.notes);
                attach::attach(&mut report.changes, axis.changes);
            }
            Err(reason) => report.notes.push(format!("What a program notices is not known: {reason}")),
        }
    }
    Ok(report)
}

/// [`between`], of documents that are compared on the wire as their overlays correct them.
///
/// # Errors
///
/// As those of [`between`].
pub fn between_corrected(api: Api, old: &Loaded, new: &Loaded) -> Result<Report, Error> {
    let (before, old_note) = corrected(old)?;
    let (after, new_note) = corrected(new)?;
    let mut report = wire(&before, &after)?;
    report.api = Some(api);
    report.notes.extend(old_note.into_iter().chain(new_note));
    let axis = rust::between(api, (old, &old.parse()?), (new, &new.parse()?))?;
    report.release = Some(axis.release().max(report.wire_release()));
    report.notes.extend(axis.notes);
    attach::attach(&mut report.changes, axis.changes);
    Ok(report)
}

/// A document as its own overlay corrects it, in OpenAPI 3.0; with a note where that does not apply.
fn corrected(loaded: &Loaded) -> Result<(Loaded, Option<String>), Error> {
    let failed = |error: datagouv_specs::Error| Error::new(&loaded.name, error);
    let mut document = datagouv_specs::document::to_openapi(loaded.parse()?).map_err(failed)?;
    let mut note = None;
    if let Some(bytes) = &loaded.overlay {
        let overlay = source::parse(bytes).map_err(|reason| Error::new(&loaded.name, reason))?;
        let plain = document.clone();
        if let Err(error) = datagouv_specs::overlay::apply(&overlay, &mut document) {
            note = Some(format!("{}: compared without its overlay, which does not apply: {error}", loaded.name));
            document = plain;
        }
    }
    Ok((Loaded { bytes: document.to_string().into_bytes(), overlay: None, ..loaded.clone() }, note))
}

/// What changed between two documents on the wire alone.
///
/// # Errors
///
/// As those of [`between`].
pub fn wire(old: &Loaded, new: &Loaded) -> Result<Report, Error> {
    read_and_compare(old, new).map(|(report, ..)| report)
}

/// The changes on the wire, and both documents as they were read.
fn read_and_compare(old: &Loaded, new: &Loaded) -> Result<(Report, Value, Value), Error> {
    let ((old_reading, _), (new_reading, _)) = (old.read()?, new.read()?);
    let (old_value, new_value) = (old_reading.document.clone(), new_reading.document.clone());
    let before = Document::of(&old.name, old_reading)?;
    let after = Document::of(&new.name, new_reading)?;
    let changes = compare(&before, &after).map_err(|error| Error::new(&new.name, error))?;
    let told = |loaded: &Loaded, document: &Document| -> Vec<String> {
        let notes = document.notes().iter().map(|note| format!("{}: {}: {note}", loaded.name, note.rule.level.name()));
        notes.collect()
    };
    let notes = [told(old, &before), told(new, &after)].concat();
    let mut report = Report { old: old.name.clone(), new: new.name.clone(), changes, notes, ..Report::default() };
    report.sources = Some((old.clone(), new.clone()));
    Ok((report, old_value, new_value))
}
