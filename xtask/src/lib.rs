//! The work of the maintainers, behind `cargo xtask`.

pub mod cli;
mod convert;
mod coverage;
pub mod diff;
pub mod overlays;
mod python;
pub mod refresh;
mod server;
pub mod source;

use std::path::PathBuf;

/// The root of the project.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}
