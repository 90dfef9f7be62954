//! The tabular and the metrics API, and the stand-in for PostgREST that they read rows from.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::packages::{PackageSet, Versions};
use super::postgres;
use super::process::run_logged;
use super::state::{Port, Service, State, failed, write};

/// The stand-in, with the tables on one port and the metrics on another.
pub fn postgrest(state: &State, versions: &Versions) -> Command {
    let mut command = python(state, versions);
    command.arg(crate::root().join("xtask/server/pgrest.py")).args(["--dsn", &postgres::address(state, "csv")]);
    for (port, schema) in [(Port::Of(Service::Postgrest), "public"), (Port::PostgrestMetrics, "metric")] {
        command.args(["--serve", &format!("{}={schema}", state.port(port))]);
    }
    command
}

pub fn postgrest_responds(state: &State) -> bool {
    let tables = [(Port::Of(Service::Postgrest), "migrations_csv"), (Port::PostgrestMetrics, "site")];
    tables.into_iter().all(|(port, table)| super::probe::responds(&format!("{}/{table}?limit=1", state.url(port))))
}

/// One of the two APIs.
pub fn api(state: &State, versions: &Versions, service: Service) -> Result<Command, String> {
    let port = Port::Of(service);
    let front = if service == Service::Metrics { Port::PostgrestMetrics } else { Port::Of(Service::Postgrest) };
    let mut command = python(state, versions);
    command
        .arg(crate::root().join("xtask/server/tabular.py"))
        .args([service.name(), &state.port(port).to_string()])
        .current_dir(documents(state)?)
        .env("PGREST_ENDPOINT", state.url(front))
        .env("SERVER_NAME", format!("127.0.0.1:{}", state.port(port)))
        .env("AGGREGATION_FILE", aggregation(state));
    Ok(command)
}

pub fn api_responds(state: &State, service: Service) -> bool {
    super::probe::responds(&format!("{}/health/", state.url(Port::Of(service))))
}

/// Adds to the resources that may be aggregated. The server reads the file at each request.
pub fn allow_aggregation(state: &State, resources: &[String]) -> Result<(), String> {
    let file = aggregation(state);
    let mut text = fs::read_to_string(&file).unwrap_or_default();
    for resource in resources {
        if !text.lines().any(|line| line == resource) {
            text.push_str(resource);
            text.push('\n');
        }
    }
    write(&file, text)
}

/// Serves the tables of `tests/truth`, whose rows are known, as resources that may be aggregated.
pub fn load_recorded_tables(state: &State, versions: &Versions) -> Result<(), String> {
    let script = crate::root().join("xtask/server/recorded_tables.py");
    let mut command = python(state, versions);
    command.arg(script).arg(postgres::address(state, "csv")).arg(crate::root().join("tests/truth"));
    run_logged(&mut command, &state.log("recorded-tables"))?;
    allow_aggregation(state, &RECORDED_TABLES.map(str::to_owned))
}

/// The resources of those tables, as `recorded_tables.py` names them.
const RECORDED_TABLES: [&str; 2] = ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000004"];

fn aggregation(state: &State) -> PathBuf {
    state.path("control").join("aggregation")
}

/// The folder of the documents that the servers read at their start, and that their package lacks: ours.
fn documents(state: &State) -> Result<PathBuf, String> {
    let folder = state.path("documents");
    fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    // JSON is YAML.
    for (name, vendored) in [
        ("ressource_app_swagger.yaml", "specs/tabular/openapi.json"),
        ("metrics_swagger.yaml", "specs/metrics/openapi.json"),
    ] {
        let vendored = crate::root().join(vendored);
        let text = fs::read(&vendored).map_err(|error| failed(&vendored, &error))?;
        write(&folder.join(name), text)?;
    }
    Ok(folder)
}

fn python(state: &State, versions: &Versions) -> Command {
    let mut command = Command::new(PackageSet::Tabular.environment(state, versions).program("python"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
    command
}
