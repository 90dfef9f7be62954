//! hydra: analyses the files of resources, imports their rows into tables, and exports them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::keys;
use super::packages::{PackageSet, Versions};
use super::postgres;
use super::process::run_logged;
use super::state::{Port, Service, State, failed, write};

/// Writes hydra's settings.
pub fn configure(state: &State) -> Result<(), String> {
    let settings = format!(
        r#"ENVIRONMENT = "local"
LOG_LEVEL = "INFO"
DATABASE_URL = "{hydra}"
DATABASE_URL_CSV = "{csv}"
REDIS_URL = "redis://127.0.0.1:{redis}/0"
API_KEY = "{hydra_key}"
TEMPORARY_DOWNLOAD_FOLDER = "{downloads}"
UDATA_URI = "{udata}/api/2"
UDATA_URI_API_KEY = "{udata_key}"
S3_ENDPOINT = "127.0.0.1:{s3_tls}"
S3_ACCESS_KEY_ID = "key"
S3_SECRET_ACCESS_KEY = "secret"
S3_BUCKET = "{bucket}"
S3_URL_PATTERN = "{s3}/{{bucket}}/{{key}}"
MAX_POOL_SIZE = 10
BATCH_SIZE = 10
SLEEP_BETWEEN_BATCHES = 0.5
# Every file comes from one domain.
BACKOFF_NB_REQ = 1000000
# The URLs of examples are not there to be called.
EXCLUDED_PATTERNS = ["http%//example.org%", "http%//example.com%", "http%.test/%"]
DB_TO_PARQUET = true
DB_TO_GEOJSON = true
GEOJSON_TO_PMTILES = true
PARQUET_TO_DB = true
OGC_ANALYSIS_ENABLED = true
"#,
        hydra = postgres::address(state, "hydra"),
        csv = postgres::address(state, "csv"),
        redis = state.port(Port::Of(Service::Redis)),
        downloads = downloads(state).display(),
        udata = state.url(Port::Of(Service::Udata)),
        hydra_key = keys::HYDRA,
        udata_key = keys::UDATA_ADMIN,
        s3_tls = state.port(Port::S3Tls),
        bucket = super::storage::BUCKET,
        s3 = state.url(Port::Of(Service::S3)),
    );
    let folder = downloads(state);
    std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    write(&state.path("hydra.toml"), settings)
}

fn downloads(state: &State) -> PathBuf {
    state.path("downloads")
}

/// A program of hydra's environment, with its settings.
fn program(state: &State, versions: &Versions, name: &str) -> Command {
    let environment = PackageSet::Hydra.environment(state, versions);
    let mut command = Command::new(environment.program(name));
    // It runs tippecanoe, a program of its environment.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(environment.programs()).chain(std::env::split_paths(&path));
    if let Ok(path) = std::env::join_paths(folders) {
        command.env("PATH", path);
    }
    command
        .current_dir(state.folder())
        .env("HYDRA_SETTINGS", state.path("hydra.toml"))
        .env("HYDRA_CONTROL", state.path("control"))
        .env("AWS_CA_BUNDLE", super::storage::certificate(state))
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    command
}

/// Creates or updates the tables of hydra, once for each version.
pub fn migrate(state: &State, versions: &Versions) -> Result<(), String> {
    let (done, version) = (postgres::migrated(state), PackageSet::Hydra.version(versions));
    if std::fs::read_to_string(&done).ok().as_deref() != Some(version) {
        run_logged(program(state, versions, "udata-hydra").arg("migrate"), &state.log("migrate"))?;
        write(&done, version)?;
    }
    Ok(())
}

/// The command of one of its three services.
pub fn command(state: &State, versions: &Versions, service: Service) -> Command {
    let script = match service {
        Service::HydraApi => "hydra_api.py",
        Service::HydraCrawler => "hydra_crawler.py",
        _ => "hydra_worker.py",
    };
    let mut command = program(state, versions, "python");
    command.arg(crate::root().join("xtask/server").join(script));
    if service == Service::HydraApi {
        command.arg(state.port(Port::Of(service)).to_string());
    }
    command
}

/// Whether the log of a service without a port shows that it is ready.
pub fn works(log: &Path) -> bool {
    std::fs::read_to_string(log).is_ok_and(|text| text.contains("ready: "))
}
