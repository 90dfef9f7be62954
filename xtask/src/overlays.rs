//! `overlays`: from the overlays as they are written to the form that builds apply.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use datagouv_specs::{Api, document, overlay};

/// Compiles every overlay, or checks that each is current.
pub fn run(check: bool) -> ExitCode {
    let mut failures = 0;
    for api in Api::ALL {
        let folder = crate::root().join("specs").join(api.name());
        match compile(api, &folder) {
            Ok((text, actions)) => {
                let target = folder.join("overlay.json");
                let current = fs::read_to_string(&target).unwrap_or_default();
                if current == text {
                    println!("{api}: {actions} actions");
                } else if check {
                    eprintln!("{}: not what its source says; run `cargo xtask overlays`", target.display());
                    failures += 1;
                } else if let Err(error) = fs::write(&target, text) {
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

/// The compiled overlay of an API, and how many actions it has. Several sources are one overlay.
pub fn compile(api: Api, folder: &Path) -> Result<(String, usize), Vec<String>> {
    let one = |error: String| vec![error];
    let document = document::parse(api.document_text()).and_then(document::to_openapi);
    let document = document.map_err(|error| one(error.to_string()))?;
    let mut whole: Option<overlay::Overlay> = None;
    for file in sources(folder).map_err(one)? {
        let failed = |error: String| one(format!("{}: {error}", file.display()));
        let text = fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
        let written = overlay::parse_yaml(&text).map_err(|error| failed(error.to_string()))?;
        match &mut whole {
            Some(whole) => whole.actions.extend(written.actions),
            None => whole = Some(written),
        }
    }
    let Some(whole) = whole else { return Err(one(format!("{}: no overlay", folder.display()))) };
    let errors = overlay::check(&whole, &document);
    if !errors.is_empty() {
        return Err(errors.iter().map(ToString::to_string).collect());
    }
    let compiled = overlay::compile(&whole, &document).map_err(|error| one(error.to_string()))?;
    let actions = compiled.overlay["actions"].as_array().map(Vec::as_slice).unwrap_or_default();
    // A line an action: a change of the source is a change of few lines here.
    let lines: Vec<String> = actions.iter().map(ToString::to_string).collect();
    Ok((format!("{{\"actions\":[\n{}\n]}}\n", lines.join(",\n")), actions.len()))
}
