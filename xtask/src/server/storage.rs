//! What keeps things for hydra: redis for its jobs, and an object storage for its exports.

use std::path::PathBuf;
use std::process::Command;

use super::packages::{PackageSet, Versions};
use super::state::{Port, Service, State};

pub const BUCKET: &str = "hydra";

/// The certificate of the object storage, which its server makes: hydra speaks to it over TLS alone.
pub fn certificate(state: &State) -> PathBuf {
    state.path("s3.pem")
}

pub fn s3(state: &State, versions: &Versions) -> Command {
    let mut command = Command::new(PackageSet::Storage.environment(state, versions).program("python"));
    command.arg(crate::root().join("xtask/server/s3.py")).arg(state.port(Port::Of(Service::S3)).to_string());
    command.arg(state.port(Port::S3Tls).to_string()).arg(certificate(state)).arg(BUCKET);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
    command
}

/// Whether the bucket is there.
pub fn s3_responds(state: &State) -> bool {
    super::probe::responds(&format!("{}/{BUCKET}", state.url(Port::Of(Service::S3))))
}

pub fn redis(state: &State) -> Command {
    let mut command = Command::new("redis-server");
    command.args(["--port", &state.port(Port::Of(Service::Redis)).to_string(), "--bind", "127.0.0.1"]);
    command.args(["--save", "", "--appendonly", "no"]).current_dir(state.folder());
    command
}

/// The version of redis.
pub fn redis_version() -> Option<String> {
    let output = Command::new("redis-server").arg("--version").output().ok()?;
    // Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=...
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().find_map(|word| word.strip_prefix("v=")).map(str::to_owned)
}
