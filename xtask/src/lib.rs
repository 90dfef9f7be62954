//! Maintenance commands of the project, behind `cargo xtask`.

mod bench;
pub mod cli;
mod convert;
mod coverage;
pub mod diff;
mod drift;
mod format;
pub mod overlays;
mod python;
pub mod refresh;
mod release;
mod server;
pub mod source;
pub mod validate;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the project.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or(here.clone(), PathBuf::from)
}

/// A command of the cargo that runs this, for the project.
fn cargo(command: &str) -> Command {
    cargo_of(command, &root().join("Cargo.toml"))
}

/// The cargo that runs this.
fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A command of cargo, of another workspace.
fn cargo_of(command: &str, manifest: &Path) -> Command {
    let mut cargo = Command::new(cargo_program());
    cargo.arg(command).arg("--manifest-path").arg(manifest);
    cargo
}
