//! The document of any version of the catalogue's server, asked of its package.

use std::fs;
use std::io::IsTerminal;

use datagouv_specs::Api;

use crate::python::Environment;

/// Older versions of the server do not start with the newest of these, and do not say so.
const CONSTRAINTS: &str = "flask-security<5.8\nflask-security-too<5.8\n";

/// The document of a version, or of `latest`, and the version that gave it.
pub fn document(version: &str, api: Api) -> Result<(Vec<u8>, String), String> {
    let number = match api {
        Api::Main => "1",
        Api::MainV2 => "2",
        other => return Err(format!("udata serves main and main-v2, and not {other}")),
    };
    let named = version.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.');
    if !named || !(version == "latest" || version.starts_with(|first: char| first.is_ascii_digit())) {
        return Err(format!("`{version}` is neither a version such as 17.18.0 nor `latest`"));
    }
    let folder = crate::root().join("target/platform/python");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let environment = Environment::at(&folder.join(format!("udata-{version}")))?;
    let script = crate::root().join("xtask/server/document.py");
    let installed = || environment.version_of("udata").ok();
    let wanted = if version == "latest" { "udata".to_owned() } else { format!("udata=={version}") };
    if version == "latest" || installed().as_deref() != Some(version) {
        if std::io::stderr().is_terminal() {
            eprintln!("installing {wanted}, which takes a minute");
        }
        environment.install(&["--upgrade", &wanted])?;
    }
    let bytes = match environment.run(&script, &[number]) {
        Ok(bytes) => bytes,
        Err(first) => {
            let constraints = folder.join("constraints.txt");
            fs::write(&constraints, CONSTRAINTS).map_err(|error| format!("{}: {error}", constraints.display()))?;
            let constraints = constraints.to_string_lossy();
            // What cannot be installed with them did not fail for want of them.
            environment.install(&["--constraint", &constraints, &wanted]).map_err(|_| first)?;
            environment.run(&script, &[number])?
        }
    };
    let version = installed().unwrap_or_else(|| version.to_owned());
    Ok((bytes, version))
}
