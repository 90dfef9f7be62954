//! The catalogue. Its database is replaced by one in memory (`xtask/server/mongopatch.py`): one process, one
//! request at a time, so that nothing is to be timed against it, and what it holds ends with it.

use std::fs;
use std::process::Command;

use super::keys;
use super::packages::{PackageSet, Versions};
use super::state::{Port, Service, State, failed};

/// The server, which calls those of the others that run. `name` is its own name in documents and links.
pub fn command(state: &State, versions: &Versions, name: Option<&str>, others: &[Service]) -> Result<Command, String> {
    let folder = state.path("udata");
    fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    let port = state.port(Port::Of(Service::Udata)).to_string();
    let mut command = Command::new(PackageSet::Udata.environment(state, versions).program("gunicorn"));
    command
        .args([
            "-w",
            "1",
            "-k",
            "gthread",
            "--threads",
            "8",
            "-t",
            "0",
            "-b",
            &format!("127.0.0.1:{port}"),
            "serve:build()",
        ])
        .current_dir(crate::root().join("xtask/server"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("UDATA_RUN", folder)
        .env("UDATA_PORT", port);
    if others.contains(&Service::Metrics) {
        command.env("METRICS_API", format!("{}/api", state.url(Port::Of(Service::Metrics))));
    }
    if others.contains(&Service::HydraApi) {
        command.env("HYDRA_URI", state.url(Port::Of(Service::HydraApi))).env("HYDRA_API_KEY", keys::HYDRA);
    }
    if let Some(name) = name {
        command.env("UDATA_SERVER_NAME", name).env("UDATA_URL_SCHEME", "https");
    }
    Ok(command)
}

pub fn responds(state: &State) -> bool {
    super::probe::responds(&format!("{}/__local__/health", state.url(Port::Of(Service::Udata))))
}
