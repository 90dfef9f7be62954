//! Generates the clients of the APIs, and of the tags of the catalogue's API, that cargo features select.

use std::path::{Path, PathBuf};
use std::{env, error::Error, fs, panic, thread};

use datagouv_specs::{Api, corrected, generate, shape};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(any_main, full)");
    // Cargo's features cannot name a combination of features.
    if ["main", "main-v2", "tabular", "metrics", "files", "dumps", "masks"].into_iter().all(has_feature) {
        println!("cargo::rustc-cfg=full");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    // In parallel, since cargo has nothing else to build meanwhile.
    thread::scope(|scope| {
        let selected = Api::ALL.into_iter().filter(|api| is_selected(*api));
        let threads: Vec<_> = selected
            .map(|api| {
                scope.spawn({
                    let out = &out;
                    move || write(api, out)
                })
            })
            .collect();
        threads.into_iter().try_for_each(|api| api.join().unwrap_or_else(|panic| panic::resume_unwind(panic)))
    })
}

/// Writes the client of the selected part of an API.
fn write(api: Api, out: &Path) -> Outcome {
    let is_selected = |tag: Option<&str>| match api {
        // An operation without a tag belongs to the API as a whole.
        Api::Main => has_feature(&tag.map_or_else(|| "main".to_owned(), |tag| format!("main-{tag}"))),
        other => has_feature(other.name()),
    };
    let mut shaped = shape::shape(api, &corrected(api)?)?;
    shaped.retain_tags(is_selected);
    if shaped.operations.is_empty() {
        return Ok(());
    }
    // At least one tag of the catalogue's API.
    if api == Api::Main {
        println!("cargo::rustc-cfg=any_main");
    }
    fs::write(out.join(format!("{}.rs", api.module())), generate::generate(&shaped)?)?;
    Ok(())
}

/// Whether a feature selects an API or a part of it. The documents of the others are not read.
fn is_selected(api: Api) -> bool {
    let parts = |name: &str| name.starts_with("CARGO_FEATURE_MAIN_") && name != "CARGO_FEATURE_MAIN_V2";
    has_feature(api.name()) || api == Api::Main && env::vars_os().any(|(name, _)| name.to_str().is_some_and(parts))
}

/// Whether a cargo feature is enabled.
fn has_feature(name: &str) -> bool {
    let name: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' })
        .collect();
    env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}
