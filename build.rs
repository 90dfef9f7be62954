//! Which APIs, and which tags of the catalogue's, the features ask for; the rest is the pipeline's.

use std::path::{Path, PathBuf};
use std::{env, error::Error, fs, panic, thread};

use datagouv_specs::{Api, corrected, generate, shape};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(any_main)");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    // Nothing else can be built meanwhile, and no API needs another.
    thread::scope(|scope| {
        let asked_for = Api::ALL.into_iter().filter(|api| is_asked_for(*api));
        let written: Vec<_> = asked_for
            .map(|api| {
                scope.spawn({
                    let out = &out;
                    move || write(api, out)
                })
            })
            .collect();
        written.into_iter().try_for_each(|api| api.join().unwrap_or_else(|panic| panic::resume_unwind(panic)))
    })
}

/// Writes the client of an API, or of the part of it that is asked for.
fn write(api: Api, out: &Path) -> Outcome {
    let wanted = |tag: Option<&str>| match api {
        // An operation without a tag belongs to the API as a whole.
        Api::Main => has_feature(&tag.map_or_else(|| "main".to_owned(), |tag| format!("main-{tag}"))),
        other => has_feature(other.name()),
    };
    let mut shaped = shape::shape(api, &corrected(api)?)?;
    shaped.retain_tags(wanted);
    if shaped.operations.is_empty() {
        return Ok(());
    }
    // One name for "some tag of the catalogue", which cargo's features cannot say.
    if api == Api::Main {
        println!("cargo::rustc-cfg=any_main");
    }
    fs::write(out.join(format!("{}.rs", api.module())), generate::generate(&shaped)?)?;
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
