//! Which APIs, and which tags of the catalogue's, the features ask for; the rest is the pipeline's.

use std::{env, error::Error, fs, path::PathBuf};

use datagouv_specs::{Api, corrected, generate, shape};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    println!("cargo::rustc-check-cfg=cfg(any_main)");
    for api in Api::ALL.into_iter().filter(|api| is_asked_for(*api)) {
        let wanted = |tag: Option<&str>| match api {
            // An operation without a tag belongs to the API as a whole.
            Api::Main => has_feature(&tag.map_or_else(|| "main".to_owned(), |tag| format!("main-{tag}"))),
            other => has_feature(other.name()),
        };
        let mut shaped = shape::shape(api, &corrected(api)?)?;
        shaped.retain_tags(wanted);
        // One name for "some tag of the catalogue", which cargo's features cannot say.
        if api == Api::Main && !shaped.operations.is_empty() {
            println!("cargo::rustc-cfg=any_main");
        }
        if !shaped.operations.is_empty() {
            fs::write(out.join(format!("{}.rs", api.module())), generate::generate(&shaped)?)?;
        }
    }
    Ok(())
}

/// Whether a feature asks for an API, or for a part of it: the document of another need not be read.
fn is_asked_for(api: Api) -> bool {
    let parts = |name: &str| name.starts_with("CARGO_FEATURE_MAIN_") && name != "CARGO_FEATURE_MAIN_V2";
    has_feature(api.name()) || api == Api::Main && env::vars_os().any(|(name, _)| name.to_str().is_some_and(parts))
}

/// Whether cargo builds with a feature.
fn has_feature(name: &str) -> bool {
    let name: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' })
        .collect();
    env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
}
