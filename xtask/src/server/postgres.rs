//! A cluster of PostgreSQL of the platform's own, with the databases of hydra and of the tables.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::process::run_logged;
use super::state::{Port, Service, State, failed};

/// The user of the system that runs it where root starts the platform: PostgreSQL refuses root.
const USER: &str = "postgres";

/// The folder of PostgreSQL's programs: those of the newest version of Debian's, or those in the path.
pub fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse::<u32>().ok()?, version.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .max();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = || std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file());
    debian.map(|(_, folder)| folder).or_else(in_path)
}

/// The version of those programs.
pub fn version() -> Option<String> {
    let output = Command::new(programs()?.join("postgres")).arg("--version").output().ok()?;
    // postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)
    String::from_utf8_lossy(&output.stdout).split_whitespace().nth(2).map(str::to_owned)
}

/// The address of a database.
pub fn address(state: &State, database: &str) -> String {
    format!("postgresql://postgres@127.0.0.1:{}/{database}", state.port(Port::Of(Service::Postgres)))
}

/// The command of the server, whose cluster is made where there is none.
pub fn command(state: &State) -> Result<Command, String> {
    let folder = cluster(state)?;
    let mut command = program("postgres")?;
    command.arg("-D").arg(folder).args(["-p", &state.port(Port::Of(Service::Postgres)).to_string()]);
    let settings = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
        "shared_buffers=64MB",
        // Everything in it can be recreated.
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
    ];
    for setting in settings {
        command.args(["-c", setting]);
    }
    Ok(command)
}

/// Whether it responds to a query.
pub fn responds(state: &State) -> bool {
    query(state, "postgres", "select 1").is_ok()
}

/// The file that holds the version of hydra whose migrations were applied to the cluster.
pub fn migrated(state: &State) -> PathBuf {
    state.path("migrated")
}

/// Creates the databases that do not exist.
pub fn create_databases(state: &State) -> Result<(), String> {
    for database in ["hydra", "csv"] {
        if query(state, "postgres", &format!("select 1 from pg_database where datname = '{database}'"))?.is_empty() {
            query(state, "postgres", &format!("create database {database}"))?;
        }
    }
    Ok(())
}

/// Creates the tables of the metrics, unless they exist.
pub fn create_metrics(state: &State) -> Result<(), String> {
    if query(state, "csv", "select 1 from pg_namespace where nspname = 'metric'")?.is_empty() {
        let mut psql = psql(state, "csv")?;
        psql.args(["-v", "ON_ERROR_STOP=1", "--single-transaction", "-f"]);
        run_logged(psql.arg(crate::root().join("xtask/server/metrics.sql")), &state.log("migrate"))?;
    }
    Ok(())
}

fn psql(state: &State, database: &str) -> Result<Command, String> {
    let mut command = Command::new(programs().ok_or(MISSING)?.join("psql"));
    let port = state.port(Port::Of(Service::Postgres)).to_string();
    command.args(["-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-U", "postgres", "-p", &port, "-d", database]);
    Ok(command)
}

fn query(state: &State, database: &str, sql: &str) -> Result<String, String> {
    let output = psql(state, database)?.args(["-c", sql]).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("psql: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(format!("psql failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

const MISSING: &str = "PostgreSQL is not installed";

/// A program that the user of PostgreSQL runs.
fn program(name: &str) -> Result<Command, String> {
    let mut command = Command::new(programs().ok_or(MISSING)?.join(name));
    run_as(&mut command, user()?);
    Ok(command)
}

fn run_as(command: &mut Command, user: Option<(u32, u32)>) {
    // It may not be allowed into the folder that this runs in.
    command.current_dir("/");
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
}

/// The ids of the user and the group that run PostgreSQL, where it is not the user who runs this.
fn user() -> Result<Option<(u32, u32)>, String> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|error| failed(Path::new("/etc/passwd"), &error))?;
    let found = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|fields| {
        let named = fields.first() == Some(&USER);
        if named { Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)) } else { None }
    });
    found.map(Some).ok_or_else(|| format!("PostgreSQL does not run as root, and there is no user `{USER}`"))
}

/// The folder of the cluster, made where there is none.
fn cluster(state: &State) -> Result<PathBuf, String> {
    let link = state.path("postgres");
    let folder = fs::read_link(&link).unwrap_or_else(|_| link.clone());
    if folder.join("PG_VERSION").exists() {
        return Ok(folder);
    }
    let folder = empty_folder(&link)?;
    // The cluster is new, and so are its tables.
    let _ = fs::remove_file(migrated(state));
    let mut initdb = program("initdb")?;
    initdb.args(["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "-D"]).arg(&folder);
    run_logged(&mut initdb, &state.log("initdb"))?;
    Ok(folder)
}

/// A folder of PostgreSQL's user: the one that is wanted, or, where that user may not reach it (a project in the
/// home of root), one of the system that a link leads to.
fn empty_folder(wanted: &Path) -> Result<PathBuf, String> {
    let _ = fs::remove_file(wanted);
    let make = |folder: &Path| -> Result<(), String> {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(|error| failed(folder, &error))?;
        }
        fs::create_dir(folder).map_err(|error| failed(folder, &error))
    };
    make(wanted)?;
    let Some((user, group)) = user()? else { return Ok(wanted.to_path_buf()) };
    let give = |folder: &Path| {
        std::os::unix::fs::chown(folder, Some(user), Some(group)).map_err(|error| failed(folder, &error))
    };
    give(wanted)?;
    let mut test = Command::new("test");
    run_as(test.arg("-w").arg(wanted), Some((user, group)));
    if test.status().is_ok_and(|status| status.success()) {
        return Ok(wanted.to_path_buf());
    }
    let digest = Sha256::digest(wanted.as_os_str().as_encoded_bytes());
    let name: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let folder = PathBuf::from(format!("/var/tmp/datagouv-postgres-{name}"));
    make(&folder)?;
    give(&folder)?;
    fs::remove_dir(wanted).map_err(|error| failed(wanted, &error))?;
    std::os::unix::fs::symlink(&folder, wanted).map_err(|error| failed(wanted, &error))?;
    Ok(folder)
}
