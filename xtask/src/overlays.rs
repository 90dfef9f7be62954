//! `overlays`: compiles the overlays to the form that builds apply.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use datagouv_specs::overlay::{Action, Change, Overlay};
use datagouv_specs::{Api, document, overlay};
use serde_json::Value;

/// An overlay compiled for a document.
pub struct Compiled {
    /// The text of the compiled form.
    pub text: String,
    /// How many actions it has.
    pub actions: usize,
    /// The document, corrected.
    pub document: Value,
}

/// Compiles every overlay, or checks that each is current.
pub fn run(check: bool) -> ExitCode {
    let mut failures = 0;
    for api in Api::ALL {
        let folder = crate::root().join("specs").join(api.name());
        let document = document::parse(api.document_text()).and_then(document::to_openapi);
        let compiled = document
            .map_err(|error| vec![error.to_string()])
            .and_then(|document| SourceOverlay::read(&folder).map_err(|error| vec![error])?.compile(&document));
        match compiled {
            Ok(compiled) => {
                let (target, actions) = (folder.join("overlay.json"), compiled.actions);
                let current = fs::read_to_string(&target).unwrap_or_default();
                if current == compiled.text {
                    println!("{api}: {actions} actions");
                } else if check {
                    eprintln!("{}: not what its source says; run `cargo xtask overlays`", target.display());
                    failures += 1;
                } else if let Err(error) = fs::write(&target, compiled.text) {
                    eprintln!("{}: {error}", target.display());
                    failures += 1;
                } else {
                    println!("{api}: {actions} actions, written");
                }
            }
            Err(errors) => {
                errors.iter().for_each(|error| eprintln!("{api}: {error}"));
                failures += 1;
            }
        }
    }
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The overlay of an API as it is written, in one file or several.
pub struct SourceOverlay {
    overlay: Overlay,
    /// Each file, and how many actions it has.
    files: Vec<(String, usize)>,
}

impl SourceOverlay {
    /// Reads the overlay of an API's folder. Several files are one overlay, in the order of their names.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let mut read: Option<Self> = None;
        for file in sources(folder)? {
            let failed = |error: String| format!("{}: {error}", file.display());
            let text = fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
            let overlay = overlay::parse_yaml(&text).map_err(|error| failed(error.to_string()))?;
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let describe = (name, overlay.actions.len());
            match &mut read {
                Some(read) => {
                    read.overlay.actions.extend(overlay.actions);
                    read.files.push(describe);
                }
                None => read = Some(Self { overlay, files: vec![describe] }),
            }
        }
        read.ok_or_else(|| format!("{}: no overlay", folder.display()))
    }

    /// The compiled form for a document of OpenAPI 3.0, or all actions that do not apply to it, each with what to do.
    pub fn compile(&self, document: &Value) -> Result<Compiled, Vec<String>> {
        let (compiled, errors) = overlay::evaluate(&self.overlay, document);
        if !errors.is_empty() {
            return Err(errors.iter().map(|error| self.describe(error)).collect());
        }
        let actions = compiled.overlay["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
        // A line an action: a change of the source is a change of few lines here.
        let lines: Vec<String> = actions.iter().map(ToString::to_string).collect();
        let text = format!("{{\"actions\":[\n{}\n]}}\n", lines.join(",\n"));
        Ok(Compiled { text, actions: actions.len(), document: compiled.document })
    }

    /// Another document than the one that the overlay corrects, corrected where it can be; and what of the overlay
    /// does not apply to it.
    pub fn correct_leniently(&self, document: &Value) -> (Value, Vec<String>) {
        let overlay = self.for_unsplit_schemas(document);
        let (compiled, errors) = overlay::evaluate(&overlay, document);
        (compiled.document, errors.iter().map(|error| error.message.clone()).collect())
    }

    /// The overlay for a document of before some of its schemas were divided into what is read and what is written: a
    /// correction of `X_read` or `X_write` is applied to `X`, if only that exists and the overlay has none for it.
    fn for_unsplit_schemas(&self, document: &Value) -> Overlay {
        let schemas = document.pointer("/components/schemas");
        let has = |name: &str| schemas.is_some_and(|schemas| schemas.get(name).is_some());
        let known: BTreeSet<&str> = self.overlay.actions.iter().flat_map(|action| words(&action.target)).collect();
        let made: BTreeSet<&String> = self.overlay.actions.iter().filter_map(new_schemas).flatten().collect();
        let undivided = |text: &str| -> String {
            let rename = |word: &str| {
                let plain = word.strip_suffix("_read").or_else(|| word.strip_suffix("_write"))?;
                let undivided = has(plain) && !has(word) && !known.contains(plain) && !made.contains(&word.to_owned());
                undivided.then(|| plain.to_owned())
            };
            words(text).into_iter().map(|word| rename(word).unwrap_or_else(|| word.to_owned())).collect()
        };
        let mut overlay = self.overlay.clone();
        for action in &mut overlay.actions {
            action.target = undivided(&action.target);
            if let Change::Update(value) = &mut action.change {
                rename_references(value, &undivided);
            }
        }
        overlay
    }

    /// An error of an action: the file, the number in it, what is wrong, and what that means.
    fn describe(&self, error: &datagouv_specs::Error) -> String {
        let index = error.pointer.strip_prefix("/actions/").and_then(|index| index.parse::<usize>().ok());
        let Some(mut index) = index else { return error.to_string() };
        let mut file = "overlay";
        for (name, actions) in &self.files {
            file = name;
            if index < *actions {
                break;
            }
            index -= actions;
        }
        let message = &error.message;
        let advice = if message.contains("already is what") {
            " Upstream mended this: drop it."
        } else if message.contains("matches nothing") {
            " Upstream mended this, or gave it another name: drop it, or correct its target."
        } else {
            ""
        };
        format!("{file}, action {}: {message}{advice}", index + 1)
    }
}

/// The names in a text, and the text between them.
pub fn words(text: &str) -> Vec<&str> {
    let named = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (word, after) = rest.split_at(rest.find(|letter| named(letter) != named(first)).unwrap_or(rest.len()));
        found.push(word);
        rest = after;
    }
    found
}

/// The names of the schemas that an action adds.
fn new_schemas(action: &Action) -> Option<impl Iterator<Item = &String>> {
    match &action.change {
        Change::Update(Value::Object(schemas)) if action.target == "$.components.schemas" => Some(schemas.keys()),
        _ => None,
    }
}

fn rename_references(value: &mut Value, rename: &impl Fn(&str) -> String) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(reference) if key == "$ref" => *reference = rename(reference),
                    value => rename_references(value, rename),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|value| rename_references(value, rename)),
        _ => {}
    }
}

/// The sources of an API's overlay, in the order in which they apply.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("overlay") && name.ends_with(".yaml")
    });
    files.sort();
    Ok(files)
}
