//! A file as a commit has it.

use std::process::{Command, Stdio};

/// The bytes of `REVISION:PATH`; the path is from the root of the project.
pub fn show(object: &str) -> Result<Vec<u8>, String> {
    match object.split_once(':') {
        Some((revision, path)) if !revision.is_empty() && !path.is_empty() => {}
        _ => return Err("a commit's file is git:REVISION:PATH".to_owned()),
    }
    if object.starts_with('-') {
        return Err("a revision does not begin with `-`".to_owned());
    }
    let output = Command::new("git")
        .arg("-C")
        .arg(crate::root())
        .args(["cat-file", "blob", object])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("git: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(stderr.lines().next().unwrap_or("git does not say why").trim_start_matches("fatal: ").to_owned())
}
