//! `refresh`: brings the vendored documents up to date.
//!
//! New documents are checked by the whole pipeline before anything is written; then all files change together.

mod check;
mod provenance;
mod store;

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use datagouv_specs::Api;
use datagouv_specs::faults::{self, Level, Note};

use crate::diff::decisions::{self, Decisions};
use crate::diff::{self, Format};
use crate::source::{self, Limits, Loaded};
use check::CheckedDocument;
use provenance::{Entry, Provenance};
use store::{Replacement, Store};

/// What to refresh, and from where.
#[derive(clap::Args)]
pub struct Arguments {
    /// The APIs; without any all of them, or those that the source describes
    #[arg(value_name = "API", value_parser = ["main", "main-v2", "tabular", "metrics"])]
    apis: Vec<String>,
    /// The source, in place of what is served in production: a file, a URL, git:REVISION:PATH, udata:VERSION or
    /// udata:latest, pypi:udata-hydra-csvapi or pypi:udata-hydra-csvapi:VERSION
    #[arg(long, value_name = "SOURCE")]
    from: Option<String>,
    /// Write nothing; exit with 1 when the source differs from what is vendored
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Write nothing; print the report, also of a document with faults, which would be refused: then exit with 1
    #[arg(long)]
    dry_run: bool,
    /// How the report is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The folder of the documents
    #[arg(long, hide = true, value_name = "FOLDER")]
    specs: Option<PathBuf>,
    /// How many seconds a URL may take
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    timeout: u64,
}

/// Refreshes, and reports what the changes do to users.
pub fn run(arguments: &Arguments) -> ExitCode {
    match refresh(arguments) {
        Ok(code) => code,
        Err(reasons) => {
            reasons.iter().for_each(|reason| eprintln!("{reason}"));
            eprintln!("nothing is written");
            ExitCode::FAILURE
        }
    }
}

/// A document that differs from the vendored one.
struct Changed {
    api: Api,
    loaded: Loaded,
    version: String,
    checked: CheckedDocument,
    /// Its faults, for which it is not vendored.
    faults: Vec<Note>,
    /// Whether it refers to no other file; one that does is not vendored either.
    is_whole: bool,
}

fn refresh(arguments: &Arguments) -> Result<ExitCode, Vec<String>> {
    let one = |error: String| vec![error];
    let specs = arguments.specs.clone().unwrap_or_else(|| crate::root().join("specs"));
    let failed = |error: std::io::Error| vec![format!("{}: {error}", specs.display())];
    let (store, recovered) = Store::open(&specs).map_err(failed)?;
    if recovered {
        eprintln!("a refresh before this one was cut: its files are put back");
    }
    let provenance_text = fs::read_to_string(specs.join(provenance::FILE)).map_err(failed)?;
    let mut provenance = Provenance::parse(&provenance_text).map_err(one)?;
    let limits = Limits { timeout: std::time::Duration::from_secs(arguments.timeout), ..Limits::default() };
    let selected_sources = selected_sources(arguments, &provenance, &limits).map_err(one)?;
    let mut changed = Vec::new();
    let mut reasons = Vec::new();
    for (api, source) in selected_sources {
        let name = source.name().to_owned();
        match source.load(&limits).and_then(|loaded| check_received(api, loaded, &specs, &limits, arguments.dry_run)) {
            Ok(Some(found)) => changed.push(found),
            Ok(None) => {
                let decided = accepted(api, &specs).map_err(one)?.apply(&mut [], &decisions::crate_version());
                decided.notes.iter().for_each(|note| eprintln!("{api}: {note}"));
            }
            Err(found) => reasons.extend(found.into_iter().map(|reason| format!("{api}, from {name}: {reason}"))),
        }
    }
    if !reasons.is_empty() {
        return Err(reasons);
    }
    for Changed { api, loaded, version, checked, .. } in &changed {
        eprintln!("{api}: {} (version {version}) differs from what is vendored", loaded.name);
        let entry = Entry { source: &loaded.origin, version, received: &loaded.bytes, file: &checked.text };
        provenance.set(*api, &entry).map_err(one)?;
        for tag in without_feature(*api, &checked.tags).map_err(one)? {
            eprintln!("{api}: the tag `{tag}` is new; no build has its operations before Cargo.toml has `main-{tag}`");
        }
    }
    if changed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.check {
        return Ok(ExitCode::FAILURE);
    }
    // Before anything is written: what cannot be compared is refused too.
    let mut reports = Vec::new();
    for Changed { api, loaded, checked, .. } in &changed {
        let file = specs.join(api.name()).join(api.file_name());
        let vendored = source::load(&file.to_string_lossy()).map_err(|error| one(error.to_string()))?;
        let vendored = Loaded { name: format!("{api}, as vendored"), ..vendored };
        let received = Loaded { overlay: Some(checked.overlay.clone().into_bytes()), ..loaded.clone() };
        let mut report = diff::between(&vendored, &received, Some(*api)).map_err(|error| one(error.to_string()))?;
        report.decide(&accepted(*api, &specs).map_err(one)?);
        reports.push(report);
    }
    // A source that has the operations alone shows that something changed, but only a whole document is vendored.
    let partial = changed.iter().filter(|it| it.loaded.is_partial).map(|it| {
        let (api, name) = (it.api, &it.loaded.name);
        format!("{api}, from {name}: it has the operations alone, which is no document to vendor; see --dry-run")
    });
    let partial: Vec<String> = partial.collect();
    if !partial.is_empty() && !arguments.dry_run {
        return Err(partial);
    }
    if !arguments.dry_run {
        let file = |path: String, text: &str| Replacement { path, bytes: text.as_bytes().to_vec() };
        let mut files = vec![file(provenance::FILE.to_owned(), &provenance.text())];
        for Changed { api, checked, .. } in &changed {
            files.push(file(format!("{api}/{}", api.file_name()), &checked.text));
            files.push(file(format!("{api}/overlay.json"), &checked.overlay));
        }
        store.replace(&files).map_err(failed)?;
    }
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    reports.iter().for_each(|report| print!("{}", report.write(arguments.format, colour)));
    let mut is_trusted = true;
    for Changed { api, .. } in changed.iter().filter(|it| !it.is_whole) {
        is_trusted = false;
        eprintln!("{api}: a document that refers to other files is not vendored");
    }
    for Changed { api, faults, .. } in changed.iter().filter(|it| !it.faults.is_empty()) {
        is_trusted = false;
        faults.iter().for_each(|note| eprintln!("{api}: {}: {note}", note.rule.level.name()));
        eprintln!("{api}: a document with these faults is not vendored");
    }
    Ok(if is_trusted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The findings about an API that were accepted before.
fn accepted(api: Api, specs: &Path) -> Result<Decisions, String> {
    Decisions::read(&specs.join(api.name()).join(decisions::FILE))
}

/// A source that may be loaded already, because only its content shows which API it describes.
enum Source {
    Named(String),
    Loaded(Box<Loaded>),
}

impl Source {
    fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Loaded(loaded) => &loaded.name,
        }
    }

    fn load(self, limits: &Limits) -> Result<Loaded, Vec<String>> {
        match self {
            Self::Named(name) => source::load_within(&name, limits).map_err(|error| vec![error.reason]),
            Self::Loaded(loaded) => Ok(*loaded),
        }
    }
}

/// Which APIs are refreshed, and each from where.
fn selected_sources(
    arguments: &Arguments,
    provenance: &Provenance,
    limits: &Limits,
) -> Result<Vec<(Api, Source)>, String> {
    let mut apis: Vec<Api> = Vec::new();
    for name in &arguments.apis {
        let api: Api = name.parse().map_err(|error: datagouv_specs::Error| error.to_string())?;
        if !apis.contains(&api) {
            apis.push(api);
        }
    }
    let Some(from) = &arguments.from else {
        let apis = if apis.is_empty() { Api::ALL.to_vec() } else { apis };
        return apis.into_iter().map(|api| Ok((api, Source::Named(provenance.live(api)?.to_owned())))).collect();
    };
    // One package serves both of the catalogue's documents.
    if let Some(version) = from.strip_prefix("udata:").filter(|version| !version.contains(':')) {
        let apis = if apis.is_empty() { vec![Api::Main, Api::MainV2] } else { apis };
        return Ok(apis.into_iter().map(|api| (api, Source::Named(format!("udata:{version}:{api}")))).collect());
    }
    // And one both of the others.
    if let Some(package) = from.strip_prefix("pypi:").filter(|package| package.matches(':').count() < 2) {
        let apis = if apis.is_empty() { vec![Api::Tabular, Api::Metrics] } else { apis };
        let package = if package.contains(':') { package.to_owned() } else { format!("{package}:latest") };
        return Ok(apis.into_iter().map(|api| (api, Source::Named(format!("pypi:{package}:{api}")))).collect());
    }
    match apis.as_slice() {
        [api] => Ok(vec![(*api, Source::Named(from.clone()))]),
        [] => {
            let loaded = source::load_within(from, limits).map_err(|error| error.to_string())?;
            let document = loaded.parse().map_err(|error| error.to_string())?;
            let api = loaded.api(&document);
            let api = api.ok_or_else(|| format!("{from}: of which API? The document does not say: name it"))?;
            Ok(vec![(api, Source::Loaded(Box::new(loaded)))])
        }
        _ => Err(format!("{from} is one document, and these are {} APIs", apis.len())),
    }
}

/// Checks what came, where it is not what is there. In a dry run, a document with faults is read as far as it can be.
fn check_received(
    api: Api,
    loaded: Loaded,
    specs: &Path,
    limits: &Limits,
    dry_run: bool,
) -> Result<Option<Changed>, Vec<String>> {
    let document = loaded.parse().map_err(|error| vec![error.reason])?;
    let folder = specs.join(api.name());
    let vendored = fs::read(folder.join(api.file_name())).unwrap_or_default();
    if datagouv_specs::document::canonical_text(&document).as_bytes() == vendored {
        let what = if loaded.is_partial { "has the operations of what is vendored" } else { "is what is vendored" };
        eprintln!("{api}: {} {what}", loaded.name);
        return Ok(None);
    }
    // References to other files are followed where nothing is written.
    let (reading, is_whole) = match dry_run {
        true => {
            let (reading, bundle) = loaded.read().map_err(|error| vec![error.reason])?;
            (reading, bundle.origins.is_empty())
        }
        false => (faults::read(document.clone()).map_err(|error| vec![error.to_string()])?, true),
    };
    let lost = |note: &&Note| note.rule.level == Level::Error;
    let (checked, faults) = match check::check(api, &document, &folder) {
        Ok(checked) if !reading.notes.iter().any(|note| lost(&note)) => (checked, Vec::new()),
        _ if dry_run && !(is_whole && reading.notes.is_empty()) => {
            (check::check(api, &reading.document, &folder)?, reading.notes)
        }
        Ok(_) => return Err(reading.notes.iter().filter(lost).map(Note::to_string).collect()),
        Err(reasons) => return Err(reasons),
    };
    let version = loaded.version.clone().or_else(|| version(api, &loaded, &document, limits));
    let version = version.unwrap_or_else(|| "unknown".to_owned());
    Ok(Some(Changed { api, loaded, version, checked, faults, is_whole }))
}

/// The version of the server: in the documents of the catalogue it is that of the API, so its site is requested.
fn version(api: Api, loaded: &Loaded, document: &serde_json::Value, limits: &Limits) -> Option<String> {
    let text = |document: &serde_json::Value, pointer: &str| {
        document.pointer(pointer).and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    match api {
        Api::Tabular | Api::Metrics => text(document, "/info/version"),
        Api::Main | Api::MainV2 => {
            let origin = loaded.name.strip_suffix("/api/1/swagger.json");
            let origin = origin.or_else(|| loaded.name.strip_suffix("/api/2/swagger.json"))?;
            let site = source::load_within(&format!("{origin}/api/1/site/"), limits).ok()?.parse().ok()?;
            text(&site, "/version")
        }
    }
}

/// The tags that have no feature of the crate: the catalogue's operations are built by tag.
fn without_feature(api: Api, tags: &[String]) -> Result<Vec<String>, String> {
    if api != Api::Main {
        return Ok(Vec::new());
    }
    let manifest = crate::root().join("Cargo.toml");
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", manifest.display());
    let text = fs::read_to_string(&manifest).map_err(|error| failed(&error))?;
    let manifest: toml_edit::DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| failed(&error))?;
    let has = |tag: &String| manifest.get("features").and_then(|it| it.get(format!("main-{tag}"))).is_some();
    Ok(tags.iter().filter(|tag| !has(tag)).cloned().collect())
}
