//! The packages of the platform, of Debian and of Python.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::process::run_logged;
use super::progress::Progress;
use super::state::{Service, State};
use crate::python::Environment;

/// The version of udata that the vendored documents come from.
pub const UDATA: &str = "17.18.0";
pub const HYDRA: &str = "2.14.0";
/// The tabular and the metrics API come in one package, `udata-hydra-csvapi`.
pub const TABULAR: &str = "0.3.1";
const MOTO: &str = "5.2.5";

/// The versions to install.
#[derive(clap::Args, Clone)]
pub struct Versions {
    /// The version of udata
    #[arg(long, default_value = UDATA, value_name = "VERSION")]
    udata_version: String,
    /// The version of udata-hydra
    #[arg(long, default_value = HYDRA, value_name = "VERSION")]
    hydra_version: String,
    /// The version of udata-hydra-csvapi: the tabular and the metrics API
    #[arg(long, default_value = TABULAR, value_name = "VERSION")]
    tabular_version: String,
}

/// A set of packages of Python, in an environment of its own: their dependencies differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageSet {
    Udata,
    Hydra,
    Tabular,
    Storage,
}

impl PackageSet {
    fn of(service: Service) -> &'static [Self] {
        match service {
            Service::Udata => &[Self::Udata],
            // hydra's migrations make the tables that the front serves.
            Service::Postgrest | Service::Tabular | Service::Metrics => &[Self::Tabular, Self::Hydra],
            Service::S3 => &[Self::Storage],
            Service::HydraApi | Service::HydraCrawler | Service::HydraWorker => &[Self::Hydra],
            Service::Postgres | Service::Redis => &[],
        }
    }

    pub fn version(self, versions: &Versions) -> &str {
        match self {
            Self::Udata => &versions.udata_version,
            Self::Hydra => &versions.hydra_version,
            Self::Tabular => &versions.tabular_version,
            Self::Storage => MOTO,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Udata => "udata",
            Self::Hydra => "udata-hydra",
            Self::Tabular => "udata-hydra-csvapi",
            Self::Storage => "moto",
        }
    }

    /// The requirements that pip installs.
    fn requirements(self, version: &str) -> Vec<String> {
        let (first, others): (String, &[&str]) = match self {
            Self::Udata => {
                (format!("udata=={version}"), &["mongomock==4.3.0", "factory_boy", "faker", "gunicorn>=23,<24"])
            }
            Self::Hydra => (format!("udata-hydra=={version}"), &[]),
            Self::Tabular => (format!("udata-hydra-csvapi=={version}"), &["asyncpg>=0.29"]),
            Self::Storage => (format!("moto[s3]=={version}"), &["flask", "flask-cors"]),
        };
        std::iter::once(first).chain(others.iter().map(|other| (*other).to_owned())).collect()
    }

    /// Modules that can be imported where it is installed.
    fn modules(self) -> &'static str {
        match self {
            Self::Udata => "udata, mongomock, factory, gunicorn",
            Self::Hydra => "udata_hydra",
            Self::Tabular => "api_tabular, asyncpg",
            Self::Storage => "moto.server, flask_cors",
        }
    }

    fn folder(self, state: &State, version: &str) -> PathBuf {
        state.path("python").join(format!("{}-{version}", self.name()))
    }

    /// The environment of an installed set.
    pub fn environment(self, state: &State, versions: &Versions) -> Environment {
        Environment::existing(&self.folder(state, self.version(versions)))
    }

    /// The version that is installed.
    pub fn installed(self, state: &State, versions: &Versions) -> Option<String> {
        self.environment(state, versions).version_of(self.name()).ok()
    }
}

/// Installs what these services need and what is missing.
pub fn install(state: &State, versions: &Versions, services: &[Service], progress: &Progress) -> Result<(), String> {
    debian(state, services, progress)?;
    let mut sets: Vec<PackageSet> = services.iter().flat_map(|service| PackageSet::of(*service)).copied().collect();
    sets.sort();
    sets.dedup();
    // pip works on one processor.
    std::thread::scope(|scope| {
        let works: Vec<_> =
            sets.into_iter().map(|set| scope.spawn(move || python(state, versions, set, progress))).collect();
        works.into_iter().try_for_each(|work| work.join().map_err(|_| "an installation panicked".to_owned())?)
    })
}

fn python(state: &State, versions: &Versions, set: PackageSet, progress: &Progress) -> Result<(), String> {
    let version = set.version(versions);
    let environment = Environment::existing(&set.folder(state, version));
    if environment.imports(set.modules()) {
        return Ok(());
    }
    let step = progress.step(&format!("pip install {} {version}", set.name()));
    let environment = Environment::at(&set.folder(state, version))?;
    let log = state.log(&format!("install-{}", set.name()));
    let mut command = environment.pip_install();
    run_logged(command.args(set.requirements(version)), &log)?;
    if !environment.imports(set.modules()) {
        return Err(format!("{} {version} is installed, and cannot be imported: {}", set.name(), set.modules()));
    }
    step.done("done");
    Ok(())
}

/// The missing packages of Debian, by what they are needed for.
fn missing(services: &[Service]) -> Vec<&'static str> {
    let any = |wanted: &[Service]| wanted.iter().any(|service| services.contains(service));
    let mut missing = Vec::new();
    if any(&[Service::Postgres]) && super::postgres::programs().is_none() {
        missing.push("postgresql");
    }
    if any(&[Service::Redis]) && !exists("redis-server") {
        missing.push("redis-server");
    }
    let python = |code: &str| {
        let mut command = Command::new(crate::python::interpreter());
        command.args(["-c", code]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if any(&[Service::HydraWorker]) && !python("import ctypes.util as u; assert u.find_library('magic')") {
        missing.push("libmagic1");
    }
    if !python("import ensurepip, venv") {
        missing.push("python3-venv");
    }
    missing
}

fn debian(state: &State, services: &[Service], progress: &Progress) -> Result<(), String> {
    crate::python::check_version()?;
    let missing = missing(services);
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !rustix::process::geteuid().is_root() || !exists("apt-get") {
        return Err(format!("these packages are needed; install them first, on Debian: sudo apt-get install {names}"));
    }
    let step = progress.step(&format!("apt-get install {names}"));
    let log = state.log("install-debian");
    let mut update = Command::new("apt-get");
    run_logged(update.args(["update", "-qq"]), &log)?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive").args(["install", "-y", "-qq", "--no-install-recommends"]);
    install.args(["-o", "DPkg::Lock::Timeout=300"]).args(&missing);
    run_logged(&mut install, &log)?;
    step.done("done");
    Ok(())
}

/// Whether the path has a program.
pub fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
